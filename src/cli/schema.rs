//! `lrfind schema`.

use lrfind::config;

use super::exit::Exit;
use super::output;

pub(crate) fn run() -> anyhow::Result<Exit> {
    output::print(&format!("{:#}\n", config::json_schema()))?;
    Ok(Exit::Done)
}
