//! The file of a journal: locked, appended to, and followed by a thread that has the disk confirm what was written.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Where lines come faster than this, the disk confirms those of such a time together: a call takes milliseconds, as long as a
/// small trial, up to 0.2 ms of them processor time. `cargo bench --bench journal`, three times each: with a tenth of this, a
/// journal made the example 1.6, 1.6 and 0.5 % slower, with this 0.8, 0.1 and −0.1 %.
const REST: Duration = Duration::from_secs(1);

/// A journal's file, open and locked as far as the system allows.
pub(super) struct Opened {
    pub(super) file: File,
    /// Why the file can be read only.
    pub(super) read_only: Option<io::Error>,
    /// Why there is no lock on it.
    pub(super) unlocked: Option<io::Error>,
}

/// Opens the file, made if need be; `Ok(None)` where another process holds it and `wait` is false.
pub(super) fn open(path: &Path, wait: bool) -> io::Result<Option<Opened>> {
    let (file, read_only) = match OpenOptions::new().read(true).append(true).create(true).open(path) {
        Ok(file) => (file, None),
        Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => {
            (File::open(path).map_err(|_| io::Error::from(error.kind()))?, Some(error))
        }
        Err(error) => return Err(error),
    };
    // A device would be read without end.
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "not a regular file"));
    }
    let unlocked = match lock_soon(&file) {
        Ok(()) => None,
        Err(TryLockError::WouldBlock) if !wait => return Ok(None),
        Err(TryLockError::WouldBlock) => file.lock().err(),
        Err(TryLockError::Error(error)) => Some(error),
    };
    Ok(Some(Opened { file, read_only, unlocked }))
}

/// Locks the file if that is possible within a moment: a program that another thread is just starting holds on to all open files,
/// and so to their locks, until it has replaced its copy of this process.
fn lock_soon(file: &File) -> Result<(), TryLockError> {
    for _ in 0..20 {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(5)),
            other => return other,
        }
    }
    file.try_lock()
}

/// All that the file holds.
pub(super) fn read(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The end of the file, where lines are added.
#[derive(Debug)]
pub(super) struct Appender {
    file: File,
    /// Lines that could not be written yet.
    pending: String,
    /// When the disk last confirmed all of them, or the file was opened.
    confirmed: Instant,
    disk: Disk,
}

impl Appender {
    /// For the file at `path`, opened by [`open`] and not read-only.
    pub(super) fn new(file: File, path: &Path) -> Self {
        Self { disk: Disk::following(&file, path), file, pending: String::new(), confirmed: Instant::now() }
    }

    /// Shortens the file to its first `length` bytes.
    pub(super) fn cut(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    /// Writes `lines` after all that could not be written before. They survive the end of this process as soon as this returns.
    /// They survive a power cut too, unless other lines were confirmed less than [`REST`] ago: then the disk confirms them soon, or
    /// when it is [waited for](Self::confirm).
    pub(super) fn append(&mut self, lines: &str) -> io::Result<()> {
        self.write(lines)?;
        if self.confirmed.elapsed() >= REST { self.confirm() } else { Ok(()) }
    }

    fn write(&mut self, lines: &str) -> io::Result<()> {
        self.pending.push_str(lines);
        if self.pending.is_empty() {
            return Ok(());
        }
        let whole = self.file.metadata()?.len();
        if let Err(error) = self.file.write_all(self.pending.as_bytes()) {
            // What was written of it goes again. Where even that fails, a line break ends it.
            if self.file.set_len(whole).is_err() && !self.pending.starts_with('\n') {
                self.pending.insert(0, '\n');
            }
            return Err(error);
        }
        self.pending.clear();
        self.disk.written();
        Ok(())
    }

    /// Writes to another file from now on; returns the one before.
    #[cfg(test)]
    pub(super) fn swap_file(&mut self, file: File) -> File {
        std::mem::replace(&mut self.file, file)
    }

    /// Waits until the disk has confirmed all lines.
    pub(super) fn confirm(&mut self) -> io::Result<()> {
        self.write("")?;
        let confirmed = self.disk.confirm(&self.file);
        self.confirmed = Instant::now();
        confirmed
    }
}

/// An answer that somebody waits for, or none.
type Order = Option<Sender<io::Result<()>>>;

/// A thread that calls `fsync` when somebody waits for it, and soon after something was written that nobody waits for, for
/// everything written meanwhile at once.
#[derive(Debug)]
struct Disk {
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
    /// Whether the thread knows that there is something to be confirmed, and need not be woken again.
    is_told: Arc<AtomicBool>,
}

impl Disk {
    fn following(file: &File, path: &Path) -> Self {
        let (orders, received) = channel();
        let is_told = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&is_told);
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
        let thread = file.try_clone().ok().and_then(|file| {
            let work = move || sync_on_order(&file, &dir, &received, &told);
            std::thread::Builder::new().name("journal".into()).spawn(work).ok()
        });
        Self { orders: Some(orders), thread, is_told }
    }

    fn send(&self, order: Order) -> bool {
        self.orders.as_ref().is_some_and(|orders| orders.send(order).is_ok())
    }

    fn written(&self) {
        // Without the thread, `confirm` does its work.
        if !self.is_told.swap(true, Ordering::AcqRel) {
            let _ = self.send(None);
        }
    }

    fn confirm(&self, file: &File) -> io::Result<()> {
        let (answer, answered) = channel();
        if self.send(Some(answer))
            && let Ok(result) = answered.recv()
        {
            return result;
        }
        file.sync_data()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Has the disk confirm which files the folder holds, where the system can do that.
fn confirm_names(dir: &Path) {
    let _ = File::open(dir).and_then(|dir| dir.sync_all());
}

fn sync_on_order(file: &File, dir: &Path, orders: &Receiver<Order>, is_told: &AtomicBool) {
    // A failure is told once, to whoever waits next.
    let mut failure = None;
    let mut next = Instant::now() + REST;
    let mut is_named = false;
    while let Ok(first) = orders.recv() {
        let mut waiting: Vec<_> = first.into_iter().collect();
        while waiting.is_empty()
            && let Ok(order) = orders.recv_timeout(next.saturating_duration_since(Instant::now()))
        {
            waiting.extend(order);
        }
        // What is written from here on may come too late for this call.
        is_told.store(false, Ordering::Release);
        waiting.extend(orders.try_iter().flatten());
        if !is_named {
            confirm_names(dir);
            is_named = true;
        }
        failure = file.sync_data().err().or(failure);
        next = Instant::now() + REST;
        for answer in waiting {
            let _ = answer.send(failure.take().map_or(Ok(()), Err));
        }
    }
}
