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

/// Columns and rows with a problem are gathered up to this many before they are reported together.
const MAX_PROBLEMS: usize = 10;

/// Further lines in which a column is at fault that are named, and those after which no more are counted.
const NAMED_LINES: usize = 3;
const COUNTED_LINES: usize = 1000;

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
        .map(|(i, cell)| text(cell).map_err(|f| fault(path, line, format!("column {i}: {f}"))))
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
        if rows.has_enough_problems() {
            break;
        }
        if rows.count.is_multiple_of(1024) {
            check_size::<f32>(path, rows.count, rows.layout.features() as u64)?;
        }
        next = records.advance()?;
    }
    rows.finish(path)
}

/// What is wrong with a cell.
#[derive(Debug, PartialEq)]
struct Fault {
    /// The cell, as a message shows it.
    cell: String,
    /// What it is, and what to do.
    what: String,
}

impl Fault {
    fn of(cell: &str, what: impl Into<String>) -> Self {
        Self { cell: quoted(cell), what: what.into() }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.cell, self.what)
    }
}

/// A cell as trimmed text.
fn text(cell: &[u8]) -> Result<&str, Fault> {
    match std::str::from_utf8(cell) {
        Ok(text) => Ok(text.trim()),
        Err(e) => {
            let what = format!("is not UTF-8 from byte {} of the cell on: save the file as UTF-8", e.valid_up_to());
            Err(Fault::of(&String::from_utf8_lossy(cell), what))
        }
    }
}

/// A cell as a number.
fn number(cell: &str) -> Result<f32, Fault> {
    if cell.is_empty() {
        return Err(Fault { cell: "the cell".into(), what: "is empty: fill in a value or drop the row".into() });
    }
    let what = match cell.parse::<f64>() {
        Ok(value) if (value as f32).is_finite() => return Ok(value as f32),
        Ok(value) if value.is_finite() => "is too large for single precision: rescale the column",
        Ok(_) => "is not a finite number: fill in a value or drop the row",
        Err(_) if is_missing(cell) => "is not a number: fill in a value or drop the row",
        Err(_) if cell.replace(',', "").parse::<f64>().is_ok() => {
            "has a comma: write a decimal point, and nothing between the thousands"
        }
        Err(_) => "is not a number: correct it, or encode the column as numbers, or remove it",
    };
    Err(Fault::of(cell, what))
}

/// Whether `cell` stands for a missing value.
fn is_missing(cell: &str) -> bool {
    cell.is_empty() || MISSING.contains(&cell.to_ascii_lowercase().as_str())
}

/// A class label. "NA" and the like may well be names of classes, but not-a-number is none.
fn label(cell: &str) -> Result<&str, Fault> {
    if cell.is_empty() {
        Err(Fault { cell: "the class label".into(), what: "is empty: fill it in or drop the row".into() })
    } else if cell.eq_ignore_ascii_case("nan") {
        Err(Fault::of(cell, "is no class label: fill it in or drop the row"))
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
    problems: Vec<Problem>,
}

/// What is wrong with a row, or with a column from some row on.
struct Problem {
    /// The column, and what is wrong with it; `None` for a row.
    column: Option<(usize, String)>,
    line: u64,
    message: String,
    /// Further lines in which the column is at fault.
    again: Vec<u64>,
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
            return self.complain(None, line, message);
        }
        for (i, cell) in record.iter().enumerate() {
            if let Err(fault) = text(cell).and_then(|cell| self.put(i, cell)) {
                let message = format!("column {}: {fault}", self.layout.columns[i]);
                self.complain(Some((i, fault.what)), line, message);
            }
        }
    }

    /// Takes a problem. A column that holds text does so in every row, which is worth one message.
    fn complain(&mut self, column: Option<(usize, String)>, line: u64, message: String) {
        if let Some(problem) = self.problems.iter_mut().find(|problem| column.is_some() && problem.column == column) {
            problem.again.push(line);
        } else if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem { column, line, message, again: Vec::new() });
        }
    }

    fn has_enough_problems(&self) -> bool {
        self.problems.len() == MAX_PROBLEMS || self.problems.iter().any(|problem| problem.again.len() >= COUNTED_LINES)
    }

    /// Puts the cell of column `i` where it belongs.
    fn put(&mut self, i: usize, cell: &str) -> Result<(), Fault> {
        match &mut self.targets {
            _ if i != self.layout.target => self.inputs.push(number(cell)?),
            TargetColumn::Classes(labels) => labels.push(label(cell)?),
            TargetColumn::Values(values) => values.push(number(cell)?),
        }
        Ok(())
    }

    fn finish(self, path: &Path) -> Result<Table, DataError> {
        if let Some(first) = self.problems.first() {
            return Err(fault(path, first.line, report(&self.problems)));
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
fn report(problems: &[Problem]) -> String {
    let mut lines = Vec::new();
    for (k, Problem { line, message, again, .. }) in problems.iter().enumerate() {
        let place = if k == 0 { String::new() } else { format!("line {line}: ") };
        lines.push(format!("{place}{message}{}", again_in(again)));
    }
    if problems.len() == MAX_PROBLEMS {
        lines.push("there may be more: only the first ten are shown".to_owned());
    }
    lines.join("\n  ")
}

/// `; lines 3, 4, 5 and 97 more have the like`.
fn again_in(lines: &[u64]) -> String {
    let named: Vec<String> = lines.iter().take(NAMED_LINES).map(u64::to_string).collect();
    let more = match lines.len().saturating_sub(NAMED_LINES) {
        0 => String::new(),
        _ if lines.len() >= COUNTED_LINES => " and many more".to_owned(),
        more => format!(" and {more} more"),
    };
    match lines.len() {
        0 => String::new(),
        1 => format!("; line {} has the like", named[0]),
        _ => format!("; lines {}{more} have the like", named.join(", ")),
    }
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
            ("3,14", "has a comma: write a decimal point, and nothing between the thousands"),
            ("1,234,567.5", "has a comma"),
            ("red", "\"red\" is not a number"),
        ] {
            let message = number(cell).unwrap_err().to_string();
            assert!(message.contains(words), "{message}");
        }
        assert!(number(&"é".repeat(1000)).unwrap_err().to_string().len() < 200);
    }

    #[test]
    fn names_the_lines_in_which_a_column_is_at_fault() {
        for (count, words) in [
            (0, ""),
            (1, "; line 3 has the like"),
            (2, "; lines 3, 4 have the like"),
            (5, "; lines 3, 4, 5 and 2 more have the like"),
            (1000, "; lines 3, 4, 5 and many more have the like"),
        ] {
            assert_eq!(again_in(&(3..3 + count).collect::<Vec<_>>()), words);
        }
    }
}
