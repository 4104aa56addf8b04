//! Finished full runs, kept so that an interrupted `verify` goes on where it stopped.
//!
//! A file of JSON lines, each a run's record beside its address: a hash of all that the run follows from. So one file can serve
//! any config, and a run is only found again by what would give it again. A line is on the disk before the run counts as kept.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::anyhow;
use lrfind::error::FileError;
use lrfind::record::{Event, Observer, TrialRecord, TrialSpec};
use lrfind::trial::Cancel;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// One line.
#[derive(Serialize, Deserialize)]
struct Line {
    address: String,
    record: TrialRecord,
}

/// A file of finished runs, open for more.
pub(crate) struct Kept {
    file: Mutex<File>,
    path: PathBuf,
    /// What all runs of this command follow from, their specs aside.
    context: String,
}

impl Kept {
    /// Opens or makes the file at `path` for runs that follow from `context`, and reads those that it holds. A last line cut
    /// short by a crash is cut off.
    pub(crate) fn open(path: &Path, context: &str) -> anyhow::Result<(Self, Vec<TrialRecord>)> {
        let failed = |action| move |source| FileError { action, path: path.to_owned(), source };
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(failed("open"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(anyhow!("{}: another lrfind is at work on these runs; wait for it, or give --out", path.display()));
            }
            // Some network file systems cannot lock; there it is up to the user.
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(failed("lock")(error).into()),
        }
        let bytes = fs::read(path).map_err(failed("read"))?;
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        if whole < bytes.len() {
            file.set_len(whole as u64).map_err(failed("write"))?;
        }
        let records = select(&bytes[..whole], context);
        Ok((Self { file: Mutex::new(file), path: path.to_owned(), context: context.to_owned() }, records))
    }

    /// Puts a finished run on the disk.
    fn keep(&self, record: &TrialRecord) -> io::Result<()> {
        // The evaluations are all that is asked of a full run.
        let record = TrialRecord { losses: Vec::new(), ..record.clone() };
        let mut line = serde_json::to_string(&Line { address: address(&self.context, &record.spec), record })?;
        line.push('\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(line.as_bytes())?;
        file.sync_data()
    }
}

/// The runs that the file at `path` holds and that follow from `context`; none where there is no such file.
pub(crate) fn read(path: &Path, context: &str) -> Vec<TrialRecord> {
    fs::read(path).map_or_else(|_| Vec::new(), |bytes| select(&bytes, context))
}

/// The runs whose address is the one that `context` gives; lines that are none are skipped.
fn select(bytes: &[u8], context: &str) -> Vec<TrialRecord> {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
    lines.filter(|line| line.address == address(context, &line.record.spec)).map(|line| line.record).collect()
}

fn address(context: &str, spec: &TrialSpec) -> String {
    let spec = serde_json::to_string(spec).unwrap_or_default();
    hex(format!("{context}\n{spec}").as_bytes())
}

/// The SHA-256 of `bytes` in hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// Keeps every run as it finishes, and passes what it hears on to `inner`. Where a run cannot be kept, all work stops.
pub(crate) struct Keeper<'a> {
    kept: &'a Kept,
    inner: &'a dyn Observer,
    cancel: Cancel,
    done: AtomicUsize,
    of: usize,
    fault: Mutex<Option<FileError>>,
}

impl<'a> Keeper<'a> {
    /// With `done` of the `of` runs kept already.
    pub(crate) fn new(kept: &'a Kept, inner: &'a dyn Observer, cancel: Cancel, done: usize, of: usize) -> Self {
        Self { kept, inner, cancel, done: AtomicUsize::new(done), of, fault: Mutex::new(None) }
    }

    /// Why some run could not be kept, if one could not.
    pub(crate) fn fault(self) -> Option<FileError> {
        self.fault.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Keeper<'_> {
    fn observe(&self, event: &Event<'_>) {
        self.inner.observe(event);
        let Event::TrialsFinished(records) = event else { return };
        for record in records.iter().filter(|record| record.is_finished()) {
            match self.kept.keep(record) {
                Ok(()) => {
                    let runs = self.done.fetch_add(1, Ordering::Relaxed) + 1;
                    self.inner.observe(&Event::Kept { runs, of: self.of });
                }
                Err(source) => {
                    let error = FileError { action: "write to", path: self.kept.path.clone(), source };
                    self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                    self.cancel.cancel();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use lrfind::lr::LearningRate;
    use lrfind::record::Outcome;

    use super::*;

    fn record(seed: u64) -> TrialRecord {
        let spec = TrialSpec::steady(LearningRate::new(0.1).unwrap(), seed, 10);
        TrialRecord { losses: vec![1.0; 10], ..TrialRecord::blank(spec, Outcome::Completed) }
    }

    fn seeds(records: &[TrialRecord]) -> Vec<u64> {
        records.iter().map(|record| record.spec.seed).collect()
    }

    #[test]
    fn runs_are_found_again_by_what_they_follow_from() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("runs.jsonl");
        assert!(read(&path, "a").is_empty());
        let (kept, known) = Kept::open(&path, "a").unwrap();
        assert!(known.is_empty());
        kept.keep(&record(1)).unwrap();
        kept.keep(&record(2)).unwrap();
        drop(kept);
        let (kept, known) = Kept::open(&path, "b").unwrap();
        assert!(known.is_empty());
        kept.keep(&record(3)).unwrap();
        drop(kept);
        assert_eq!((seeds(&read(&path, "a")), seeds(&read(&path, "b"))), (vec![1, 2], vec![3]));
        assert!(read(&path, "a").iter().all(|record| record.losses.is_empty()));
    }

    #[test]
    fn a_torn_last_line_is_cut_off_and_a_strange_one_skipped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("runs.jsonl");
        let keep = |seed| Kept::open(&path, "a").unwrap().0.keep(&record(seed)).unwrap();
        keep(1);
        fs::write(&path, [&fs::read(&path).unwrap()[..], b"no run\n{\"address\":\"00"].concat()).unwrap();
        keep(2);
        assert_eq!(seeds(&read(&path, "a")), [1, 2]);
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 3);
    }

    #[test]
    fn two_at_once_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("runs.jsonl");
        let (_held, _) = Kept::open(&path, "a").unwrap();
        let error = Kept::open(&path, "a").err().unwrap().to_string();
        assert!(error.contains("another lrfind"), "{error}");
    }
}
