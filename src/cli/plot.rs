//! `lrfind plot`.

use std::path::Path;

use anyhow::Context as _;
use lrfind::report::plots;

use super::args::PlotArgs;
use super::exit::Exit;
use super::output;

pub(crate) fn run(args: &PlotArgs) -> anyhow::Result<Exit> {
    let (report, path) = output::read_report(&args.report)?;
    let dir = args.out.as_deref().or(path.parent()).unwrap_or(Path::new("."));
    output::prepare(dir)?;
    let drawn = plots::all(&report).with_context(|| format!("cannot draw {}", path.display()))?;
    for file in output::write_plots(&drawn, dir)? {
        output::print(&format!("{}\n", file.display()))?;
    }
    Ok(Exit::Done)
}
