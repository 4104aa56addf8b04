//! `lrfind completions`.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::args::Cli;
use super::exit::Exit;
use super::output;

pub(crate) fn run(shell: Shell) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "lrfind", &mut script);
    output::print(&String::from_utf8(script)?)?;
    Ok(Exit::Done)
}
