//! A child process in a group of its own: its output without threads or dead-locks, its end without orphans or zombies.

use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionbio};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// How long a group that was asked to end may take before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// How long a script that has done all that it was asked for may take to end by itself, so that it can put its affairs in order.
pub(super) const FAREWELL: Duration = Duration::from_secs(1);

/// How often a process that says nothing is looked at.
const TICK: Duration = Duration::from_millis(50);

/// Most bytes read at a time.
const CHUNK: usize = 64 * 1024;

/// How long to wait after little was read before reading on. A script that prints hundreds of lines a second would else be
/// interrupted by us for each of them.
const SHORTEST_REST: Duration = Duration::from_millis(2);
const LONGEST_REST: Duration = Duration::from_millis(20);

/// A rest that is not the shortest takes at most one part in so many of the time since the start, for so much later may the end of
/// a script be seen.
const LATENESS: u32 = 100;

/// Groups that run, so that they can be killed when the program must leave at once.
static GROUPS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// Kills every script that runs. For a program that is about to exit without unwinding.
pub fn kill_all() {
    for group in GROUPS.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        // One that has just ended is gone already.
        let _ = kill_process_group(*group, Signal::KILL);
    }
}

/// One of the two outputs of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Out,
    Err,
}

/// A process under way, with everything that it started and that did not leave its group.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    group: Pid,
    input: Option<ChildStdin>,
    out: Option<ChildStdout>,
    err: Option<ChildStderr>,
    status: Option<ExitStatus>,
    buffer: Vec<u8>,
    started: Instant,
    /// How long to rest next, if it has run long enough for that.
    next_rest: Duration,
    /// Not to be read from before.
    resting_until: Instant,
}

impl Process {
    /// Starts the command with nothing to read, or with what it will be [sent](Self::send).
    pub(super) fn start(command: &mut Command, is_sent_something: bool) -> io::Result<Self> {
        command.stdin(if is_sent_something { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        // Between the start and its entry the program cannot be asked to kill it.
        let mut groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
        let mut child = command.spawn()?;
        let group = Pid::from_child(&child);
        groups.push(group);
        drop(groups);
        let (input, out, err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (buffer, started) = (vec![0; CHUNK], Instant::now());
        let (next_rest, resting_until) = (SHORTEST_REST, started);
        let process = Self { child, group, input, out, err, status: None, buffer, started, next_rest, resting_until };
        for fd in process.pipes().into_iter().flatten() {
            ioctl_fionbio(fd, true)?;
        }
        Ok(process)
    }

    /// Sends a line to its standard input.
    pub(super) fn send(&mut self, line: &str) -> io::Result<()> {
        self.input.as_mut().ok_or(io::ErrorKind::BrokenPipe)?.write_all(format!("{line}\n").as_bytes())
    }

    /// Lets it see the end of its standard input.
    pub(super) fn close_input(&mut self) {
        self.input = None;
    }

    fn pipes(&self) -> [Option<std::os::fd::BorrowedFd<'_>>; 2] {
        use std::os::fd::AsFd;
        [self.out.as_ref().map(AsFd::as_fd), self.err.as_ref().map(AsFd::as_fd)]
    }

    /// Waits for output, for the end, or until `patience` is over; hands on what came. Returns how the process ended, once it
    /// has and everything that it wrote was handed on.
    pub(super) fn listen(&mut self, patience: Duration, take: &mut dyn FnMut(Stream, &[u8])) -> io::Result<Option<ExitStatus>> {
        if self.status.is_some() {
            return Ok(self.status);
        }
        std::thread::sleep(self.resting_until.saturating_duration_since(Instant::now()).min(patience));
        if self.out.is_none() && self.err.is_none() {
            // Nothing is left to wake us, and a process that has closed its outputs has mostly ended.
            if !self.has_ended()? {
                std::thread::sleep(patience.min(Duration::from_micros(500)));
            }
        } else if self.wait_for_output(patience.min(TICK))? {
            self.read(take)?;
            return Ok(None);
        }
        if !self.has_ended()? {
            return Ok(None);
        }
        // What it started may hold the pipes open for ever, so it ends too; what they wrote is read first.
        let _ = kill_process_group(self.group, Signal::KILL);
        while self.wait_for_output(Duration::ZERO)? && self.read(take)? {}
        self.reap().map(Some)
    }

    /// Gives it until then to end by itself, unless it turns out to be `urgent`. What it still has to say interests nobody, but must be
    /// taken from it.
    pub(super) fn await_end(&mut self, until: Instant, urgent: impl Fn() -> bool) {
        while Instant::now() < until && !urgent() && matches!(self.listen(TICK, &mut |_, _| ()), Ok(None)) {}
    }

    fn wait_for_output(&self, patience: Duration) -> io::Result<bool> {
        let mut polled: Vec<PollFd<'_>> =
            self.pipes().into_iter().flatten().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
        let patience = Timespec::try_from(patience).map_err(io::Error::other)?;
        match poll(&mut polled, Some(&patience)) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads once from each output, and closes those that are at their end. Whether anything came.
    fn read(&mut self, take: &mut dyn FnMut(Stream, &[u8])) -> io::Result<bool> {
        let out = read_from(&mut self.out, &mut self.buffer, &mut |bytes| take(Stream::Out, bytes))?;
        let err = read_from(&mut self.err, &mut self.buffer, &mut |bytes| take(Stream::Err, bytes))?;
        self.rest_after(out + err);
        Ok(out + err > 0)
    }

    /// Rests after so many bytes: each time twice as long while little comes, and from the shortest again once a pipe was full.
    fn rest_after(&mut self, bytes: usize) {
        let now = Instant::now();
        let is_open = self.out.is_some() || self.err.is_some();
        // A pipe that was full is read on at once, and a process that closes its outputs is about to end.
        let is_little = (1..CHUNK / 4).contains(&bytes);
        let rest = if is_little && is_open { self.next_rest.min(self.longest_rest()) } else { Duration::ZERO };
        self.resting_until = now + rest;
        self.next_rest = (rest * 2).max(SHORTEST_REST);
    }

    fn longest_rest(&self) -> Duration {
        (self.started.elapsed() / LATENESS).clamp(SHORTEST_REST, LONGEST_REST)
    }

    /// Whether the process itself has ended. It stays a zombie, so that its number and that of its group are not given to another.
    pub(super) fn has_ended(&self) -> io::Result<bool> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(self.group), options) {
            Ok(status) => Ok(status.is_some()),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes leave of an ended process.
    fn reap(&mut self) -> io::Result<ExitStatus> {
        GROUPS.lock().unwrap_or_else(PoisonError::into_inner).retain(|group| *group != self.group);
        let status = self.child.wait()?;
        self.status = Some(status);
        Ok(status)
    }

    /// Ends the group: asks it first, and kills what is left once the process has ended and nobody holds its outputs, or the grace
    /// is over.
    pub(super) fn end(&mut self) {
        if self.status.is_some() {
            return;
        }
        let _ = kill_process_group(self.group, Signal::TERM);
        let asked = Instant::now();
        let mut pause = Duration::from_micros(500);
        while asked.elapsed() < GRACE {
            // What it still says interests nobody, but must be taken from it: a pipe that is full or closed would keep it from
            // putting its affairs in order. Where a shell has ended, the program that it ran may still be doing so.
            let has_said = self.read(&mut |_, _| ()).unwrap_or(false);
            let is_silent = self.out.is_none() && self.err.is_none();
            if is_silent && !matches!(self.has_ended(), Ok(false)) {
                break;
            }
            if !has_said {
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(20));
            }
        }
        let _ = kill_process_group(self.group, Signal::KILL);
        (self.out, self.err) = (None, None);
        // That nobody can be waited for is the only way in which this fails, and then there is no zombie.
        let _ = self.reap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// How many bytes were read.
fn read_from(pipe: &mut Option<impl Read>, buffer: &mut [u8], take: &mut dyn FnMut(&[u8])) -> io::Result<usize> {
    let Some(open) = pipe else { return Ok(0) };
    match open.read(buffer) {
        Ok(0) => {
            *pipe = None;
            Ok(0)
        }
        Ok(count) => {
            take(&buffer[..count]);
            Ok(count)
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(0),
        Err(error) => Err(error),
    }
}

/// How a process ended, in words: `exit code 1`, `signal 9`.
pub(super) fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}
