//! Which column is what: looks at the first line of a file, and at what the plan says of it.

use super::super::target_column;
use super::super::{ColumnName, Note, quoted};
use super::is_missing;
use crate::config::Column;

/// The columns of a file.
#[derive(Debug)]
pub(super) struct Layout {
    /// Every column as messages call it.
    pub(super) columns: Vec<ColumnName>,
    /// The position of the target.
    pub(super) target: usize,
    /// Whether the first line holds names rather than data.
    pub(super) header: bool,
    /// What is odd about the columns.
    pub(super) notes: Vec<Note>,
}

impl Layout {
    /// Works out the columns from the `first` line's cells. `header` says whether that line is a header, `None` to look: it is
    /// if any of its feature cells is not a number.
    ///
    /// # Errors
    /// When there is no feature, or no such target: the message.
    pub(super) fn new(first: &[&str], target: &Column, header: Option<bool>) -> Result<Self, String> {
        if first.len() < 2 {
            return Err(format!(
                "only one column found ({}): separate columns by commas, semicolons or tabs; \
                 there must be a target and at least one feature",
                quoted(first.first().unwrap_or(&""))
            ));
        }
        let is_number = |cell: &str| cell.parse::<f64>().is_ok() || is_missing(cell);
        let index = match target {
            Column::Name(name) if header == Some(false) => {
                let name = quoted(name);
                return Err(format!("target = {name} needs a header: write header = true, or the target's position"));
            }
            Column::Name(name) if header.is_none() && first.iter().all(|cell| is_number(cell)) => {
                let name = quoted(name);
                return Err(format!(
                    "target = {name}, but the first line holds only numbers: write the target's position, \
                     or header = true if they are names"
                ));
            }
            _ => target_column::find(target, first)?,
        };
        let features = || first.iter().enumerate().filter(|&(i, _)| i != index).map(|(_, cell)| *cell);
        let word = features().find(|cell| !is_number(cell));
        // A target that was found by name was found in a header.
        let is_header = header.unwrap_or(word.is_some() || matches!(target, Column::Name(_)));
        let mut notes = Vec::new();
        if let (None, Some(word), true) = (header, word, features().any(|cell| cell.parse::<f64>().is_ok())) {
            notes.push(Note {
                code: "header-guessed",
                message: format!(
                    "the first line was taken for a header: {} is no number, though other cells are",
                    quoted(word)
                ),
                hint: "write header = true or header = false".to_owned(),
            });
        }
        let call = |(i, name): (usize, &&str)| {
            if is_header { ColumnName::Header(quoted(name)) } else { ColumnName::Position(i) }
        };
        let columns = first.iter().enumerate().map(call).collect();
        Ok(Self { columns, target: index, header: is_header, notes })
    }

    /// How many columns are features.
    pub(super) fn features(&self) -> usize {
        self.columns.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_name(name: &str) -> Column {
        Column::Name(name.to_owned())
    }

    #[test]
    fn looks_for_a_header_in_the_features_alone() {
        let header = |first: &[&str]| Layout::new(first, &Column::Index(-1), None).unwrap().header;
        assert!(header(&["a", "b", "c"]));
        assert!(!header(&["1", "2", "cat"]));
        assert!(!header(&["1", "", "nan", "3"]));
        assert!(header(&["", "a", "b"]));
    }

    #[test]
    fn a_doubtful_header_is_noted() {
        let notes = |header| Layout::new(&["1", "b", "3"], &Column::Index(-1), header).unwrap().notes.len();
        assert_eq!((notes(None), notes(Some(true)), notes(Some(false))), (1, 0, 0));
    }

    #[test]
    fn a_target_by_name_makes_the_first_line_a_header() {
        let layout = Layout::new(&["1", "y"], &by_name("y"), None).unwrap();
        assert_eq!((layout.header, layout.target, layout.features()), (true, 1, 1));
        assert!(Layout::new(&["1", "2"], &by_name("2"), Some(true)).unwrap().header);
    }

    #[test]
    fn positions_count_from_either_end() {
        let found = |index| Layout::new(&["1", "2", "3"], &Column::Index(index), None).map(|l| l.target);
        assert_eq!((found(0), found(2), found(-1), found(-3)), (Ok(0), Ok(2), Ok(2), Ok(0)));
        for index in [3, -4, i64::MIN, i64::MAX] {
            assert!(found(index).unwrap_err().contains("there are 3 columns: write 0 to 2, or -1 to -3"));
        }
    }

    #[test]
    fn says_what_is_wrong_with_a_name() {
        let refusal = |first: &[&str], name, header| Layout::new(first, &by_name(name), header).unwrap_err();
        let message = refusal(&["width", "height", "species"], "Specie", None);
        assert!(message.ends_with("\"width\", \"height\", \"species\"; did you mean \"species\"?"), "{message}");
        assert!(!refusal(&["a", "b"], "species", None).contains("did you mean"));
        assert!(refusal(&["a", "y", "y"], "y", None).contains("columns 1 and 2"));
        assert!(refusal(&["a", "y"], "y", Some(false)).contains("needs a header"));
        assert!(refusal(&["1", "2"], "y", None).contains("only numbers"));
        assert!(refusal(&["a b c"], "y", None).contains("only one column"));
    }
}
