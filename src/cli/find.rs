//! `lrfind find`.

use std::path::Path;

use anyhow::Context as _;
use lrfind::report::json;
use lrfind::report::summary;

use super::args::{FindArgs, FindFormat};
use super::exit::Exit;
use super::subject::Subject;
use super::{footprint, journal, output, subject, trials};

pub(crate) fn run(args: &FindArgs) -> anyhow::Result<Exit> {
    let mut config = subject::searched(&args.subject, &args.search, &args.run)?;
    if let Some(&[low, high]) = args.range.as_deref() {
        config.search_mut().range = trials::ordered(low, high).context("--range")?;
    }
    let name = config.name().to_owned();
    let subject = Subject::build(config, &args.subject, &args.run)?;
    let workers = subject.workers(&args.run);
    let study = subject.study();
    footprint::explain(&study, workers, &args.run);
    let cost = study.find_forecast();
    if args.run.dry_run {
        return trials::dry_run(&study, &cost, args.format == FindFormat::Json);
    }
    let dir = args.out.clone().unwrap_or_else(|| Path::new("reports").join(name));
    trials::prepare(&dir, &args.run)?;
    let journal = journal::open(&dir, args.run.fresh);
    let run = trials::run(&study, &cost, &args.run, workers, journal.as_ref(), |options| study.find(options))?;
    let report = &run.made;
    let (files, saved) = trials::save(&run, journal.as_ref(), &dir, &args.run);
    output::print(&match args.format {
        FindFormat::Json => json::render(report)?,
        FindFormat::Text => {
            let colour = output::colour(&std::io::stdout());
            summary::render(report, &summary::Context { colour, config: args.subject.config.as_deref(), files: &files })
        }
    })?;
    saved.map(|()| Exit::of_find(report))
}
