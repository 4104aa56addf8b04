//! CSV files: one example per row, features and target in columns.

mod layout;

use std::path::Path;

use csv::ByteRecord;

use super::target_column::TargetColumn;
use super::{Dataset, ExampleShape, Sample, Table, check_size, fault, quoted};
use crate::config::{Column, TaskKind};
use crate::error::DataError;
use crate::source::Records;
use layout::Layout;

/// Bad cells are gathered up to this many before they are reported together.
const MAX_PROBLEMS: usize = 10;

/// What people write for a value that is not there.
const MISSING: [&str; 9] = ["na", "n/a", "nan", "null", "none", "nil", "?", "-", "#n/a"];

/// Reads a table whose cells are finite numbers, but for class labels, which may be any text.
///
/// The delimiter (comma, semicolon or tab) is found from the first line.
pub(super) fn read(
    path: &Path,
    target: &Column,
    task: TaskKind,
    header: Option<bool>,
    mut sample: Sample,
) -> Result<Table, DataError> {
    let mut records = Records::open(path)?;
    let Some(line) = records.advance()? else {
        return Err(fault(path, None, "the file is empty: it needs a row for each example"));
    };
    let first: Vec<&str> = (records.record().iter().enumerate())
        .map(|(i, cell)| text(cell).map_err(|m| fault(path, line, format!("column {i}: {m}"))))
        .collect::<Result<_, _>>()?;
    let layout = Layout::new(&first, target, header).map_err(|message| fault(path, line, message))?;
    let mut rows = Rows::new(layout, task);
    let mut next = if rows.layout.header { records.advance()? } else { Some(line) };
    if next.is_none() {
        return Err(fault(path, None, "the file holds a header and nothing else: add a row for each example"));
    }
    while let Some(line) = next {
        if sample.takes_next() {
            rows.add(line, records.record());
        }
        if rows.problems.len() == MAX_PROBLEMS {
            break;
        }
        if rows.count.is_multiple_of(1024) {
            check_size::<f32>(path, rows.count, rows.layout.features() as u64)?;
        }
        next = records.advance()?;
    }
    rows.finish(path)
}

/// A cell as trimmed text.
fn text(cell: &[u8]) -> Result<&str, String> {
    match std::str::from_utf8(cell) {
        Ok(text) => Ok(text.trim()),
        Err(e) => {
            let shown = quoted(&String::from_utf8_lossy(cell));
            Err(format!("{shown} is not UTF-8 from byte {} of the cell on: save the file as UTF-8", e.valid_up_to()))
        }
    }
}

/// A cell as a number.
fn number(cell: &str) -> Result<f32, String> {
    if cell.is_empty() {
        return Err("the cell is empty: fill in a value or drop the row".to_owned());
    }
    let shown = quoted(cell);
    match cell.parse::<f64>() {
        Ok(value) if (value as f32).is_finite() => Ok(value as f32),
        Ok(value) if value.is_finite() => Err(format!("{shown} is too large for single precision: rescale the column")),
        Ok(_) => Err(format!("{shown} is not a finite number: fill in a value or drop the row")),
        Err(_) if is_missing(cell) => Err(format!("{shown} is not a number: fill in a value or drop the row")),
        Err(_) if cell.replacen(',', ".", 1).parse::<f64>().is_ok() => {
            Err(format!("{shown} has a decimal comma: write a decimal point"))
        }
        Err(_) => Err(format!("{shown} is not a number: correct it, or encode the column as numbers, or remove it")),
    }
}

/// Whether `cell` stands for a missing value.
fn is_missing(cell: &str) -> bool {
    cell.is_empty() || MISSING.contains(&cell.to_ascii_lowercase().as_str())
}

/// A class label. "NA" and the like may well be names of classes, but not-a-number is none.
fn label(cell: &str) -> Result<&str, String> {
    if cell.is_empty() {
        Err("the class label is empty: fill it in or drop the row".to_owned())
    } else if cell.eq_ignore_ascii_case("nan") {
        Err(format!("{} is no class label: fill it in or drop the row", quoted(cell)))
    } else {
        Ok(cell)
    }
}

/// The rows read so far, and what was wrong with them.
struct Rows {
    layout: Layout,
    count: u64,
    inputs: Vec<f32>,
    targets: TargetColumn,
    problems: Vec<(u64, String)>,
}

impl Rows {
    fn new(layout: Layout, task: TaskKind) -> Self {
        Self { layout, count: 0, inputs: Vec::new(), targets: TargetColumn::new(task), problems: Vec::new() }
    }

    /// Takes a row. After a problem the rows are of no use any more, but further problems are gathered.
    fn add(&mut self, line: u64, record: &ByteRecord) {
        self.count += 1;
        let width = self.layout.columns.len();
        if record.len() != width {
            let message = format!(
                "the row has {} cells, but the first line has {width}: add or remove cells, or quote those that hold the delimiter",
                record.len()
            );
            return self.problems.push((line, message));
        }
        for (i, cell) in record.iter().enumerate() {
            if let Err(message) = text(cell).and_then(|cell| self.put(i, cell)) {
                let message = format!("column {}: {message}", self.layout.columns[i]);
                self.problems.push((line, message));
                if self.problems.len() == MAX_PROBLEMS {
                    return;
                }
            }
        }
    }

    /// Puts the cell of column `i` where it belongs.
    fn put(&mut self, i: usize, cell: &str) -> Result<(), String> {
        match &mut self.targets {
            _ if i != self.layout.target => self.inputs.push(number(cell)?),
            TargetColumn::Classes(labels) => labels.push(label(cell)?),
            TargetColumn::Values(values) => values.push(number(cell)?),
        }
        Ok(())
    }

    fn finish(self, path: &Path) -> Result<Table, DataError> {
        if let Some(&(line, _)) = self.problems.first() {
            return Err(fault(path, line, report(&self.problems)));
        }
        let features = self.layout.features();
        let Layout { mut columns, target, mut notes, .. } = self.layout;
        let name = columns.remove(target);
        let refuse = |message| fault(path, None, format!("column {name}: {message}"));
        let (targets, classes, note) = self.targets.finish().map_err(refuse)?;
        notes.extend(note);
        check_size::<f32>(path, self.count, features as u64)?;
        let data = Dataset { features, shape: ExampleShape::Flat, inputs: self.inputs.into(), targets };
        Ok(Table { data, columns, classes, notes })
    }
}

/// All problems in one message; the first needs no line, as that is the line of the error.
fn report(problems: &[(u64, String)]) -> String {
    let mut lines: Vec<String> = problems.iter().map(|(line, problem)| format!("line {line}: {problem}")).collect();
    if let (Some(line), Some((_, problem))) = (lines.first_mut(), problems.first()) {
        line.clone_from(problem);
    }
    if problems.len() == MAX_PROBLEMS {
        lines.push("there may be more: only the first ten are shown".to_owned());
    }
    lines.join("\n  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_wrong_with_a_number() {
        assert_eq!(number("-1.5e3"), Ok(-1500.0));
        for (cell, words) in [
            ("", "empty: fill in a value or drop the row"),
            ("NaN", "\"NaN\" is not a finite number: fill in a value or drop the row"),
            ("-inf", "fill in a value or drop the row"),
            ("n/a", "fill in a value or drop the row"),
            ("1e39", "too large for single precision"),
            ("3,14", "decimal comma"),
            ("red", "\"red\" is not a number"),
        ] {
            let message = number(cell).unwrap_err();
            assert!(message.contains(words), "{message}");
        }
        assert!(number(&"é".repeat(1000)).unwrap_err().len() < 200);
    }
}
