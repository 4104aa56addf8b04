//! Processes that make trials: one each, or where scripts stay, one after another.
//!
//! A script that stays starts once what takes long to start, an interpreter with a framework and the data. It prints a line `ready` and
//! reads a line from its standard input, which tells of a trial; then it prints the losses, and `ready` again. At the end of the input
//! it ends.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::output::Output;
use super::placement::Place;
use super::process::{FAREWELL, Process};

/// A process, what it has said, and where it runs.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) process: Process,
    pub(super) output: Output,
    /// Held while the process runs.
    pub(super) place: Option<Place>,
}

impl Host {
    /// The name of the device; empty where there is none.
    pub(super) fn device(&self) -> &str {
        self.place.as_ref().map_or("", Place::name)
    }
}

/// Processes that wait for their next trial, or are about to.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<Vec<Host>>);

impl Waiting {
    /// One that is still there.
    pub(super) fn take(&self) -> Option<Host> {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::iter::from_fn(|| hosts.pop()).find(|host| matches!(host.process.has_ended(), Ok(false)))
    }

    /// One more.
    pub(super) fn put(&self, host: Host) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(host);
    }
}

impl Drop for Waiting {
    /// All of them see the end of their input at once, and have a moment to put their affairs in order.
    fn drop(&mut self) {
        let hosts = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        for host in hosts.iter_mut() {
            host.process.close_input();
        }
        let until = Instant::now() + FAREWELL;
        for host in hosts {
            host.process.await_end(until, || false);
        }
    }
}
