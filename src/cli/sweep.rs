//! `lrfind sweep`.

use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use lrfind::analysis::range_test::Overrides;
use lrfind::config::SearchPlan;
use lrfind::files;
use lrfind::report::range_test;
use lrfind::report::text::{counted, grouped, rate};
use lrfind::report::{plots, summary};
use lrfind::search::Ramp;
use lrfind::{RunOptions, Study};
use serde_json::json;

use super::args::{FindFormat, SweepArgs};
use super::exit::Exit;
use super::subject::Subject;
use super::{footprint, journal, output, subject, trials};

pub(crate) fn run(args: &SweepArgs) -> anyhow::Result<Exit> {
    let config = subject::config(&args.subject, &args.run)?;
    let ramp = ramp(args, config.search())?;
    let subject = Subject::build(config, &args.subject, &args.run)?;
    let workers = subject.workers(&args.run);
    let study = subject.study();
    footprint::explain(&study, workers, &args.run);
    if !study.objective.can_change_rate() {
        bail!(
            "{}: a range test raises the rate at every step, and this command runs at the rate that it is started with: have the \
             script read the rate of each step from the file `{{rates}}`, or use `lrfind find`, which needs no such thing",
            subject::place(&args.subject).display()
        );
    }
    let description = describe(&study, &ramp);
    if args.run.dry_run {
        output::print(&if args.format == FindFormat::Json { describe_json(&study, &ramp) } else { description })?;
        return Ok(Exit::Done);
    }
    let dir = args.out.clone().unwrap_or_else(|| Path::new("reports").join(&study.name));
    trials::prepare(&dir, &args.run)?;
    let overrides = Overrides { smoothing: args.smoothing, stop_factor: args.stop_factor };
    let journal = journal::open(&dir, args.run.fresh);
    let work = |options: &RunOptions<'_>| study.sweep(&ramp, overrides, options);
    let run = trials::watched(&description, ramp.trial_iterations(), &args.run, workers, journal.as_ref(), work)?;
    run.say_what_was_reused(run.made.cost.trial_iterations, &args.run);
    let test = &run.made;
    if let Some(message) = trials::all_failed(test.ramps.iter().map(|ramp| &ramp.outcome)) {
        return Err(anyhow!("no ramp could be run: {message}"));
    }
    let text = test.to_json()?;
    let drawn = journal::confirm_during(journal.as_ref(), || plots::range_test(test).map(|plot| vec![plot]));
    let (files, saved) = output::save(&dir, files::RANGE_TEST, &text, drawn);
    output::print(&match args.format {
        FindFormat::Json => text,
        FindFormat::Text => range_test::text(test, &files),
    })?;
    saved?;
    run.effort(test.cost.trial_iterations).write(&args.run)?;
    Ok(Exit::of_sweep(test))
}

fn ramp(args: &SweepArgs, search: &SearchPlan) -> anyhow::Result<Ramp> {
    let range = trials::ordered(args.start, args.end).context("--start and --end")?;
    let first_seed = args.seed.unwrap_or(search.first_seed);
    Ok(Ramp {
        start: range.low(),
        end: range.high(),
        spacing: args.spacing.into(),
        iterations: args.iterations,
        first_seed,
        seeds: args.seeds,
    })
}

/// The plan and its cost, for a person.
fn describe(study: &Study<'_>, ramp: &Ramp) -> String {
    let share = summary::and_of_planned_run(study.share_of_planned_run(ramp.trial_iterations()));
    format!(
        "{}: {}; {}\nrates {} to {} in {}, {}\n{}in all about {} trial-iterations{share}\n",
        study.name,
        study.model,
        study.optimizer,
        rate(ramp.start.get()),
        rate(ramp.end.get()),
        counted(ramp.iterations, "iteration"),
        counted(ramp.seeds as u64, "seed"),
        footprint::line(study),
        grouped(ramp.trial_iterations()),
    )
}

/// The plan and its cost, for a program.
fn describe_json(study: &Study<'_>, ramp: &Ramp) -> String {
    let text = json!({
        "config": study.config,
        "start": ramp.start,
        "end": ramp.end,
        "spacing": ramp.spacing,
        "iterations": ramp.iterations,
        "seeds": ramp.seeds,
        "total_iterations": ramp.trial_iterations(),
        "planned_run": study.planned_iterations(),
        "share_of_planned_run": study.share_of_planned_run(ramp.trial_iterations()),
        "memory": footprint::json(study),
    });
    format!("{text:#}\n")
}
