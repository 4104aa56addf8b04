//! Where there are no process groups and signals as Unix has them, scripts are not run.

use std::io;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

/// See the one for Unix.
pub(super) const FAREWELL: Duration = Duration::ZERO;

/// Nothing runs.
pub fn kill_all() {}

/// One of the two outputs of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Out,
    Err,
}

/// Never made.
#[derive(Debug)]
pub(super) enum Process {}

impl Process {
    pub(super) fn start(_: &mut Command, _: bool) -> io::Result<Self> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "scripts can be run on Unix-like systems only"))
    }

    pub(super) fn listen(&mut self, _: Duration, _: &mut dyn FnMut(Stream, &[u8])) -> io::Result<Option<ExitStatus>> {
        match *self {}
    }

    pub(super) fn await_end(&mut self, _: Instant, _: impl Fn() -> bool) {
        match *self {}
    }

    pub(super) fn send(&mut self, _: &str) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn close_input(&mut self) {
        match *self {}
    }

    pub(super) fn has_ended(&self) -> io::Result<bool> {
        match *self {}
    }

    pub(super) fn end(&mut self) {
        match *self {}
    }
}

/// How a process ended, in words.
pub(super) fn ending(status: ExitStatus) -> String {
    status.to_string()
}
