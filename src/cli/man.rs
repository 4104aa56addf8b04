//! `lrfind man`.

use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::args::Cli;
use super::exit::Exit;
use super::output;

pub(crate) fn run(folder: &Path) -> anyhow::Result<Exit> {
    output::prepare(folder)?;
    let mut all = Cli::command().disable_help_subcommand(true);
    all.build();
    let mut files = Vec::new();
    for command in std::iter::once(&all).chain(all.get_subcommands()) {
        let path = folder.join(format!("{}.1", name(command)));
        output::write(&path, &page(command)?)?;
        files.push(path.display().to_string());
    }
    output::print(&(files.join("\n") + "\n"))?;
    Ok(Exit::Done)
}

/// `lrfind`, `lrfind-find`.
fn name(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

fn page(command: &Command) -> anyhow::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command.clone()).title(name(command)).render(&mut page)?;
    Ok(page)
}
