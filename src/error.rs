//! The errors that cross module borders. Messages are lowercase and read after "failed to" or a location.

use std::path::PathBuf;

/// A number that cannot be used as a learning rate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "{value:?} is not a usable learning rate: write a number between 1e-12 and 1e12, the lower end of a range below the upper"
)]
pub struct RateError {
    /// What was given.
    pub value: f64,
}

/// A trial that could not be run at all: the fault of the task or the machine, not of the learning rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TrialError {
    /// What went wrong.
    pub message: String,
}

impl TrialError {
    /// An error with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

/// Data that cannot be used, and where in the data the fault lies.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {message}", path.display(), line.map(|l| format!(":{l}")).unwrap_or_default())]
pub struct DataError {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1, where there is one.
    pub line: Option<u64>,
    /// What is wrong, and what to do about it.
    pub message: String,
}

/// A file that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct FileError {
    /// "read" or "write".
    pub action: &'static str,
    /// The file.
    pub path: PathBuf,
    /// What the operating system said.
    #[source]
    pub source: std::io::Error,
}
