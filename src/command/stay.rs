//! Scripts that stay: a process makes one trial after another, so that what takes long to start, an interpreter with a framework and
//! the data, starts once.
//!
//! Such a script prints a line `ready` and reads a line from its standard input, which tells of a trial; then it prints the losses, and
//! `ready` again. At the end of the input it ends.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::output::Output;
use super::placement::Place;
use super::process::Process;

/// How long a script that has made its last trial may take to end by itself.
const FAREWELL: Duration = Duration::from_secs(1);

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
        let parting = Instant::now();
        for host in hosts {
            while parting.elapsed() < FAREWELL && matches!(host.process.listen(FAREWELL, &mut |_, _| ()), Ok(None)) {}
        }
    }
}
