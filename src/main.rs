//! The `lrfind` command: finds a learning rate, or says whether the one in the config is safe.

#![warn(clippy::unwrap_used)]

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main().into()
}
