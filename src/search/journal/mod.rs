//! The journal of a folder: every finished trial, on disk as soon as it is finished, so that no search runs it again.

mod disk;
mod line;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::FileError;
use crate::record::{Outcome, TrialRecord, TrialSpec};

use disk::Appender;

/// Finished trials, in memory and in a file of one line each.
///
/// Trials are found again by content: by the [identity](crate::trial::Objective::identity) of their objective, their
/// [spec](TrialSpec), and the [version of the numeric core](crate::trial::CORE_VERSION). So one journal may serve several studies,
/// and a study whose settings change reuses exactly those trials that it asks for again. Give it to a search in
/// [`RunOptions`](super::RunOptions); only trials that completed or diverged are kept.
///
/// While a journal is open, its file is locked against other processes.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    records: Mutex<HashMap<String, TrialRecord>>,
    /// `None` where the file can be read only.
    appender: Option<Mutex<Appender>>,
    faults: Vec<Fault>,
}

/// Why a journal cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("{} is in use by another process", .0.display())]
    Busy(PathBuf),
    /// It can neither be read nor made.
    #[error(transparent)]
    File(#[from] FileError),
}

/// What is wrong with a journal that is used nonetheless.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The program that wrote it was ended on the way.
    #[error("the last line is cut off, so its trial runs again")]
    CutOff,
    /// Lines that are no trials any more, counted from 1.
    #[error("damaged and ignored: {}; what was there runs again where it is needed", lines(.0))]
    Damaged(Vec<usize>),
    /// That many lines are of another version of this program.
    #[error("lines of another version of lrfind are left alone: {0}")]
    Foreign(usize),
    /// The file can be read, but not written.
    #[error("cannot be written, so the trials of this run are not kept: {0}")]
    ReadOnly(io::Error),
    /// The file system has no locks.
    #[error("cannot be locked, so do not run lrfind in this folder twice at a time: {0}")]
    Unlocked(io::Error),
}

/// `line 7`, `lines 7, 9 and 12 more`.
fn lines(numbers: &[usize]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = numbers.iter().take(SHOWN).map(ToString::to_string).collect();
    let more = if numbers.len() > SHOWN { format!(" and {} more", numbers.len() - SHOWN) } else { String::new() };
    format!("line{} {}{more}", if numbers.len() == 1 { "" } else { "s" }, shown.join(", "))
}

impl Journal {
    /// Opens the journal at `path`, empty if there is none.
    ///
    /// # Errors
    /// [`OpenError::Busy`] where another process has it open, [`OpenError::File`] where it can be neither read nor made.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::opened(path, false)
    }

    /// Like [`open`](Self::open), but waits while another process has it open.
    ///
    /// # Errors
    /// Where it can be neither read nor made.
    pub fn wait_and_open(path: &Path) -> Result<Self, OpenError> {
        Self::opened(path, true)
    }

    fn opened(path: &Path, wait: bool) -> Result<Self, OpenError> {
        let failed = |source| FileError { action: "open the journal", path: path.to_owned(), source };
        let mut opened = disk::open(path, wait).map_err(failed)?.ok_or_else(|| OpenError::Busy(path.to_owned()))?;
        let bytes = disk::read(&mut opened.file).map_err(failed)?;
        let contents = line::read(&bytes);
        let mut faults = Vec::new();
        let mut appender = if opened.read_only.is_none() { Some(Appender::new(opened.file, path)) } else { None };
        if contents.length < bytes.len() {
            faults.push(Fault::CutOff);
        }
        if let Some(appender) = &mut appender {
            if contents.length < bytes.len() {
                appender.cut(contents.length as u64).map_err(failed)?;
            }
            if contents.open {
                // As it is the lock that matters here, a full disk is met again, and told, with the first trial.
                let _ = appender.append("\n");
            }
        }
        if !contents.damaged.is_empty() {
            faults.push(Fault::Damaged(contents.damaged));
        }
        if contents.foreign > 0 {
            faults.push(Fault::Foreign(contents.foreign));
        }
        faults.extend(opened.read_only.map(Fault::ReadOnly));
        faults.extend(opened.unlocked.map(Fault::Unlocked));
        let (records, appender) = (Mutex::new(contents.records), appender.map(Mutex::new));
        Ok(Self { path: path.to_owned(), records, appender, faults })
    }

    /// What the journal at `path` holds at this moment, to be looked at only: nothing is locked, made or changed, and trials that
    /// are kept in it are not written. Empty if there is none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn peek(path: &Path) -> Result<Self, FileError> {
        let bytes = match std::fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read.map_err(|source| FileError { action: "read the journal", path: path.to_owned(), source })?,
        };
        let records = Mutex::new(line::read(&bytes).records);
        Ok(Self { path: path.to_owned(), records, appender: None, faults: Vec::new() })
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was wrong when it was opened.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// How many trials it holds.
    pub fn len(&self) -> usize {
        locked(&self.records).len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all trials, on disk too.
    ///
    /// # Errors
    /// When the file cannot be emptied; nothing is reused nonetheless.
    pub fn clear(&mut self) -> Result<(), FileError> {
        locked(&self.records).clear();
        self.faults.retain(|fault| matches!(fault, Fault::ReadOnly(_) | Fault::Unlocked(_)));
        self.appender.as_ref().map_or(Ok(()), |appender| locked(appender).cut(0)).map_err(|error| self.failed(error))
    }

    /// The specs of all trials that it holds, of whatever objective.
    pub(in crate::search) fn specs(&self) -> Vec<TrialSpec> {
        locked(&self.records).values().map(|record| record.spec).collect()
    }

    /// The result of the trial `spec` of the objective that calls itself `identity`, if it was kept.
    pub fn get(&self, identity: &str, spec: &TrialSpec) -> Option<TrialRecord> {
        let record = locked(&self.records).get(&line::key(identity, spec))?.clone();
        fits(&record, spec).then_some(record)
    }

    /// Keeps those of `records` that completed or diverged and that it does not hold yet. When this returns they survive the end
    /// of the process. They survive a power cut as well where trials end less often than once a second, and else a second later or
    /// once [`confirm`](Self::confirm) has returned.
    ///
    /// # Errors
    /// When they could not be written. They are held in memory, and written with the next ones.
    pub fn keep(&self, identity: &str, records: &[TrialRecord]) -> Result<(), FileError> {
        let finished = records.iter().filter(|record| record.is_finished());
        let mut lines = String::new();
        for record in finished {
            let key = line::key(identity, &record.spec);
            let record = kept(record);
            let line = line::render(&key, &record);
            if locked(&self.records).insert(key, record).is_none() {
                lines.push_str(&line);
            }
        }
        self.appender.as_ref().map_or(Ok(()), |appender| locked(appender).append(&lines)).map_err(|error| self.failed(error))
    }

    /// Waits until the disk has confirmed all that was kept.
    ///
    /// # Errors
    /// When something could not be written, or the disk does not confirm it.
    pub fn confirm(&self) -> Result<(), FileError> {
        self.appender.as_ref().map_or(Ok(()), |appender| locked(appender).confirm()).map_err(|error| self.failed(error))
    }

    /// Does `work` while the disk [confirms](Self::confirm) all that was kept, and returns when both are done: a disk takes
    /// milliseconds, in which plots can be drawn.
    ///
    /// # Errors
    /// As [`confirm`](Self::confirm), beside what `work` returns.
    pub fn confirm_during<T>(&self, work: impl FnOnce() -> T) -> (T, Result<(), FileError>) {
        std::thread::scope(|threads| {
            let confirmed = threads.spawn(|| self.confirm());
            let done = work();
            (done, confirmed.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    }

    fn failed(&self, source: io::Error) -> FileError {
        FileError { action: "write to the journal", path: self.path.clone(), source }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let _ = self.confirm();
    }
}

/// What is kept of a record. Where the whole data were evaluated, that is all that is asked of it, and a million losses are many.
fn kept(record: &TrialRecord) -> TrialRecord {
    let mut kept = record.clone();
    if kept.spec.evaluations > 0 {
        kept.losses = Vec::new();
    }
    kept
}

/// Whether `record` is a whole result of `spec`.
fn fits(record: &TrialRecord, spec: &TrialSpec) -> bool {
    let steps = match record.outcome {
        Outcome::Completed => spec.total_iterations(),
        Outcome::Diverged { step, .. } => step,
        Outcome::Failed { .. } | Outcome::Cancelled => return false,
    };
    record.spec == *spec && record.losses.len() as u64 == if spec.evaluations > 0 { 0 } else { steps }
}

/// What a panicking thread leaves behind is whole: nothing here is changed in several steps.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
