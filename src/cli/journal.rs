//! The journal of a folder: opened before the first trial, with all that is wrong with it told.

use std::path::Path;

use lrfind::files;
use lrfind::search::{Journal, OpenError};

use super::output;

/// What the journal in `dir` holds, without opening it; nothing where it cannot be read.
pub(crate) fn peek(dir: &Path) -> Option<Journal> {
    Journal::peek(&dir.join(files::JOURNAL)).ok()
}

/// The journal in `dir`, emptied if `fresh`. `None` where there can be none, with a warning: a search is not to fail for it.
///
/// Where another lrfind works in this folder, waits until it is done: what it found is reused then.
pub(crate) fn open(dir: &Path, fresh: bool) -> Option<Journal> {
    let path = dir.join(files::JOURNAL);
    let opened = Journal::open(&path).or_else(|error| match error {
        OpenError::Busy(_) => {
            output::note(&format!("another lrfind works in {}: waiting until it is done", dir.display()));
            Journal::wait_and_open(&path)
        }
        OpenError::File(_) => Err(error),
    });
    let mut journal = match opened {
        Ok(journal) => journal,
        Err(error) => {
            output::note(&format!("warning: {error}; the trials of this run are not kept"));
            return None;
        }
    };
    if fresh && let Err(error) = journal.clear() {
        output::note(&format!("warning: {error}; nothing of it is reused"));
    }
    for fault in journal.faults() {
        output::note(&format!("warning: {}: {fault}", path.display()));
    }
    Some(journal)
}

/// Draws what is to be written beside the `journal` while the disk confirms that: reports come after the trials they tell of.
pub(crate) fn confirm_during<T>(journal: Option<&Journal>, draw: impl FnOnce() -> T) -> T {
    let Some(journal) = journal else { return draw() };
    let (drawn, confirmed) = journal.confirm_during(draw);
    if let Err(error) = confirmed {
        output::note(&format!("warning: {error}; a rerun may have to repeat trials of this run"));
    }
    drawn
}
