//! The column of a table that holds the targets: which it is, and what is read of it row by row.

use super::labels::Labels;
use super::{Note, Targets, only_value, quoted, some_of};
use crate::config::{Column, TaskKind, similar};

/// The targets read so far.
pub(super) enum TargetColumn {
    Classes(Labels),
    Values(Vec<f32>),
}

impl TargetColumn {
    /// None yet, for this task.
    pub(super) fn new(task: TaskKind) -> Self {
        match task {
            TaskKind::Classification => Self::Classes(Labels::default()),
            TaskKind::Regression => Self::Values(Vec::new()),
        }
    }

    /// The targets, the names of the classes, and what is odd about them.
    ///
    /// # Errors
    /// When there is nothing to learn: the message.
    pub(super) fn finish(self) -> Result<(Targets, Vec<String>, Option<Note>), String> {
        match self {
            Self::Classes(labels) => labels.finish("target"),
            Self::Values(values) => match only_value(&values) {
                Some(value) => Err(format!("the target is {value} in every row, so there is nothing to learn: check `target`")),
                None => Ok((Targets::Values(values), Vec::new(), None)),
            },
        }
    }
}

/// The position of the column `target` among those of these names.
///
/// # Errors
/// When there is no such column, or more than one: the message.
pub(super) fn find(target: &Column, names: &[&str]) -> Result<usize, String> {
    match target {
        Column::Index(index) => position(*index, names.len()),
        Column::Name(name) => named(name, names),
    }
}

/// The column at `index`, negative from the end.
fn position(index: i64, width: usize) -> Result<usize, String> {
    let from_start = if index < 0 { index.checked_add_unsigned(width as u64) } else { Some(index) };
    let found = from_start.and_then(|i| usize::try_from(i).ok()).filter(|&i| i < width);
    found.ok_or_else(|| {
        let last = width - 1;
        format!("target = {index}, but there are {width} columns: write 0 to {last}, or -1 to -{width} from the end")
    })
}

/// The column called `name`.
fn named(name: &str, header: &[&str]) -> Result<usize, String> {
    let mut found = header.iter().enumerate().filter(|&(_, &cell)| cell == name.trim()).map(|(i, _)| i);
    match (found.next(), found.next()) {
        (Some(index), None) => Ok(index),
        (Some(first), Some(second)) => Err(format!(
            "columns {first} and {second} (counted from 0) are both called {}: rename one, or write the target's position",
            quoted(name)
        )),
        (None, _) => {
            let all: Vec<String> = header.iter().map(|cell| quoted(cell)).collect();
            let meant =
                similar(name, header.iter().copied()).map(|c| format!("; did you mean {}?", quoted(c))).unwrap_or_default();
            Err(format!("there is no column {}: the columns are {}{meant}", quoted(name), some_of(&all)))
        }
    }
}
