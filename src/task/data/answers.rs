//! The targets of a table, as they are read row by row.

use super::labels::Labels;
use super::{Note, Targets, only_value};
use crate::config::TaskKind;

/// The targets read so far.
pub(super) enum Answers {
    Classes(Labels),
    Values(Vec<f32>),
}

impl Answers {
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
