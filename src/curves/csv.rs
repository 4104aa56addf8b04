//! CSV: a line that names the columns, then a row for each loss.

use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

use super::cell::Cell;
use super::columns::{self, ColumnNames};
use super::rows::{Row, Rows};
use crate::error::DataError;
use crate::source::{Records, fault};

/// Reads `input`; messages call it `path`.
pub(super) fn read(path: &Path, input: Box<dyn Read>, wanted: &ColumnNames, most: usize) -> Result<Rows, DataError> {
    let mut records = Records::new(path, input)?;
    let Some(line) = records.advance()? else {
        return Err(fault(path, None, "the file is empty: it needs a line that names the columns, and a row for each loss"));
    };
    let header: Vec<String> = records.record().iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
    let columns = columns::find(&header, wanted).map_err(|message| {
        let numbers = header.iter().all(|name| name.parse::<f64>().is_ok());
        let first = if numbers { "the first line must name the columns, but holds only numbers; " } else { "" };
        fault(path, line, format!("{first}{message}"))
    })?;
    let position = |name: &str| header.iter().position(|column| column == name).unwrap_or(usize::MAX);
    let (rate, step, loss) = (position(&columns.learning_rate), position(&columns.step), position(&columns.loss));
    let seed = columns.seed.as_deref().map(position);
    let mut rows = Rows::new(path, columns, most);
    while let Some(line) = records.advance()? {
        let record = records.record();
        let go_on = if record.len() == header.len() {
            let cell = |column: usize| record.get(column).map_or(Cell::Missing, text);
            let row = Row { learning_rate: cell(rate), seed: seed.map(cell), step: cell(step), loss: cell(loss) };
            rows.add(line, &row)
        } else {
            let (cells, width) = (record.len(), header.len());
            rows.complain(line, format!("the row has {cells} cells, but the first line names {width} columns"))
        };
        if !go_on {
            break;
        }
    }
    Ok(rows)
}

fn text(cell: &[u8]) -> Cell<'_> {
    Cell::Text(std::str::from_utf8(cell).map_or_else(|_| String::from_utf8_lossy(cell), Cow::Borrowed))
}
