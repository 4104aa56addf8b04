//! The command line: the only code that prints, writes reports, or listens for signals.

mod analyze;
mod args;
mod check;
mod compare;
mod completions;
mod exit;
mod find;
mod footprint;
mod init;
mod journal;
mod man;
mod output;
mod plot;
mod progress;
mod schedule;
mod schema;
mod subject;
mod sweep;
mod trials;
mod verify;
mod watch;

use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Mutex, PoisonError};

use clap::Parser;

use args::{Cli, Command};
pub(crate) use exit::Exit;

/// Runs the command line. Never panics.
pub(crate) fn main() -> Exit {
    panic::set_hook(Box::new(remember_panic));
    panic::catch_unwind(AssertUnwindSafe(parse_and_run)).unwrap_or_else(|_| {
        let what = LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
        output::note(&format!("error: internal error, please report it: {what}"));
        Exit::Error
    })
}

/// What the last panic said, and where. Panics of single trials are caught and reported with the trial, so none is printed
/// when it happens.
static LAST_PANIC: Mutex<Option<String>> = Mutex::new(None);

fn remember_panic(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("no message");
    let place = info.location().map(|place| format!(" at {place}")).unwrap_or_default();
    *LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner) = Some(format!("{message}{place}"));
}

fn parse_and_run() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to standard output and are no errors; where they cannot be printed nobody reads them.
            let _ = error.print();
            return if error.use_stderr() { Exit::Error } else { Exit::Done };
        }
    };
    let result = match &cli.command {
        Command::Find(args) => find::run(args),
        Command::Check(args) => check::run(args),
        Command::Sweep(args) => sweep::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Analyze(args) => analyze::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Plot(args) => plot::run(args),
        Command::Schedule(args) => schedule::run(args),
        Command::Init(args) => init::run(args),
        Command::Schema => schema::run(),
        Command::Completions { shell } => completions::run(*shell),
        Command::Man { folder } => man::run(folder),
    };
    result.unwrap_or_else(|error| {
        output::note(&format!("error: {}", in_full(&error)));
        Exit::Error
    })
}

/// The error and its causes, without those that the message before already quotes.
fn in_full(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}
