//! What `find`, `check` and the others that run trials share: from a study to its report, and from a report to files.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use lrfind::error::FileError;
use lrfind::lr::{LearningRate, LrRange};
use lrfind::record::Outcome;
use lrfind::report::text::{counted, grouped, rate};
use lrfind::report::{Report, plots, summary};
use lrfind::search::{Forecast, Journal, StageForecast};
use lrfind::trial::Cancel;
use lrfind::{RunOptions, Study};
use serde_json::json;

use super::args::RunArgs;
use super::exit::Exit;
use super::progress::{Progress, Reused};
use super::watch::Watch;
use super::{footprint, journal, output};

pub(crate) fn ordered(low: f64, high: f64) -> anyhow::Result<LrRange> {
    let (low, high) = (LearningRate::new(low)?.get(), LearningRate::new(high)?.get());
    LrRange::new(low, high).map_err(|_| anyhow!("{low} is not below {high}: write the lower rate first, then a higher one"))
}

/// The plan and its cost, for a person.
pub(crate) fn describe(study: &Study<'_>, cost: &Forecast) -> String {
    let data = if study.examples == 0 { String::new() } else { format!(" of {}", counted(study.examples as u64, "example")) };
    let batch =
        if study.batch_size == 0 { String::new() } else { format!(", batch size {}", grouped(study.batch_size as u64)) };
    let parameters =
        if study.parameters == 0 { String::new() } else { format!(", {}", counted(study.parameters as u64, "parameter")) };
    let search = &study.search;
    let width = cost.stages.iter().map(|s| s.name.len()).max().unwrap_or(0);
    let stage = |stage: &StageForecast| {
        let (trials, iterations) = (counted(stage.trials as u64, "trial"), grouped(stage.iterations));
        format!("  {:<width$} {trials:>12} {iterations:>14} iterations\n", stage.name)
    };
    let stages: Vec<String> = cost.stages.iter().map(stage).collect();
    let share = match (study.planned_iterations(), study.share_of_planned_run(cost.total_iterations)) {
        (Some(planned), Some(share)) => format!(", {} of {}", summary::of_planned_run(share), counted(planned, "iteration")),
        _ => String::new(),
    };
    let least = if cost.least_iterations < cost.total_iterations {
        format!("; {} if the rate lies far below the threshold", grouped(cost.least_iterations))
    } else {
        String::new()
    };
    let short = counted(study.settings().lengths.short, "iteration");
    let most = if cost.most_iterations > cost.total_iterations {
        format!("; {} if next to nothing is learnt within {short}, as trials are longer then", grouped(cost.most_iterations))
    } else {
        String::new()
    };
    format!(
        "{}: {}{parameters}; {}{batch}{data}\nrates {} to {}, {}, {}\n{}{}in all about {} trial-iterations{share}{least}{most}\n",
        study.name,
        study.model,
        study.optimizer,
        rate(cost.rates.0.get()),
        rate(cost.rates.1.get()),
        counted(search.seeds as u64, "seed"),
        short,
        stages.concat(),
        footprint::line(study),
        grouped(cost.total_iterations),
    )
}

/// The plan and its cost, for a program.
fn describe_json(study: &Study<'_>, cost: &Forecast) -> String {
    let stages: Vec<_> =
        cost.stages.iter().map(|s| json!({ "name": s.name, "trials": s.trials, "iterations": s.iterations })).collect();
    let text = json!({
        "config": study.config,
        "stages": stages,
        "total_iterations": cost.total_iterations,
        "least_iterations": cost.least_iterations,
        "most_iterations": cost.most_iterations,
        "planned_run": study.planned_iterations(),
        "share_of_planned_run": study.share_of_planned_run(cost.total_iterations),
        "memory": footprint::json(study),
    });
    format!("{text:#}\n")
}

/// Prints the plan instead of running it.
pub(crate) fn dry_run(study: &Study<'_>, cost: &Forecast, as_json: bool) -> anyhow::Result<Exit> {
    output::print(&if as_json { describe_json(study, cost) } else { describe(study, cost) })?;
    Ok(Exit::Done)
}

/// Proves that everything can be written that will have to be, before the first trial.
pub(crate) fn prepare(dir: &Path, args: &RunArgs) -> Result<(), FileError> {
    output::prepare(dir)?;
    args.timing.as_deref().map_or(Ok(()), output::prepare_file)
}

/// Who makes the trials.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Workers {
    pub(crate) jobs: usize,
    /// Whether they run a script, which may be at fault.
    pub(crate) are_scripts: bool,
}

/// What a run made, and how.
pub(crate) struct Run<T> {
    pub(crate) made: T,
    jobs: usize,
    elapsed: Duration,
    /// Trials asked for, those reused included.
    trials: u64,
    reused: Reused,
}

impl<T> Run<T> {
    /// Says what earlier runs contributed to the `iterations` of this one, if anything.
    pub(crate) fn say_what_was_reused(&self, iterations: u64, args: &RunArgs) {
        if self.reused.trials > 0 && !args.quiet {
            output::note(&format!(
                "reused {} of {}, {} of {}",
                grouped(self.reused.trials),
                counted(self.trials, "trial"),
                grouped(self.reused.iterations),
                counted(iterations, "iteration"),
            ));
        }
    }

    /// What its `iterations` took.
    pub(crate) fn effort(&self, iterations: u64) -> Effort {
        Effort { elapsed: self.elapsed, iterations, reused: self.reused.iterations, jobs: self.jobs }
    }
}

/// What trials took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    elapsed: Duration,
    /// Those reused included.
    iterations: u64,
    reused: u64,
    jobs: usize,
}

impl Effort {
    /// Both together, where something else came first.
    pub(crate) fn and(self, first: Option<Self>) -> Self {
        let Some(first) = first else { return self };
        Self {
            elapsed: self.elapsed + first.elapsed,
            iterations: self.iterations + first.iterations,
            reused: self.reused + first.reused,
            ..self
        }
    }

    /// Writes it to a file, where that was asked for.
    pub(crate) fn write(self, args: &RunArgs) -> Result<(), FileError> {
        let Some(path) = args.timing.as_deref() else { return Ok(()) };
        let seconds = self.elapsed.as_secs_f64();
        let timing = json!({
            "schema_version": 1,
            "wall_seconds": seconds,
            "trial_iterations": self.iterations,
            "reused_iterations": self.reused,
            "trial_iterations_per_second": self.iterations.saturating_sub(self.reused) as f64 / seconds.max(1e-9),
            "jobs": self.jobs,
            "lanes": args.lanes,
        });
        output::write(path, format!("{timing:#}\n").as_bytes())
    }
}

/// Runs `work` with progress shown and Ctrl-C heard.
pub(crate) fn run(
    study: &Study<'_>,
    cost: &Forecast,
    args: &RunArgs,
    workers: Workers,
    journal: Option<&Journal>,
    work: impl FnOnce(&RunOptions<'_>) -> Report,
) -> anyhow::Result<Run<Report>> {
    let run = watched(&describe(study, cost), cost.total_iterations, args, workers, journal, work)?;
    if let Some(message) = all_failed(run.made.trials.iter().map(|trial| &trial.outcome)) {
        return Err(anyhow!("no trial could be run: {message}"));
    }
    run.say_what_was_reused(run.made.cost.trial_iterations, args);
    Ok(run)
}

/// Runs `work`, announced as `plan` and of about `total` trial-iterations, with progress shown and Ctrl-C heard. A script that
/// cannot be studied is an error.
pub(crate) fn watched<T>(
    plan: &str,
    total: u64,
    args: &RunArgs,
    workers: Workers,
    journal: Option<&Journal>,
    work: impl FnOnce(&RunOptions<'_>) -> T,
) -> anyhow::Result<Run<T>> {
    if !args.quiet {
        output::note(plan.trim_end());
    }
    let cancel = cancel_on_signal()?;
    let progress = Progress::new(total, args.quiet);
    let watch = Watch::new(&progress, cancel.clone(), workers.are_scripts);
    let jobs = workers.jobs;
    let started = Instant::now();
    let made = work(&RunOptions { jobs, cancel, observer: &watch, journal, ..RunOptions::default() });
    let elapsed = started.elapsed();
    progress.finish();
    match watch.fault() {
        Some(fault) => Err(anyhow!(fault)),
        None => Ok(Run { made, jobs, elapsed, trials: progress.trials(), reused: progress.reused() }),
    }
}

/// The first Ctrl-C asks the trials to stop, the second ends the program.
fn cancel_on_signal() -> anyhow::Result<Cancel> {
    /// A process can have one handler, and `verify` may run trials twice.
    static CANCEL: OnceLock<Cancel> = OnceLock::new();
    if let Some(cancel) = CANCEL.get() {
        return Ok(cancel.clone());
    }
    let cancel = Cancel::default();
    let heard = cancel.clone();
    ctrlc::set_handler(move || {
        if heard.is_cancelled() {
            lrfind::command::kill_all();
            #[expect(clippy::exit, reason = "the user insists, and the workers cannot be unwound from here")]
            std::process::exit(Exit::Interrupted as i32);
        }
        heard.cancel();
        output::note("interrupted: writing what is known so far; press Ctrl-C again to leave at once");
    })
    .context("cannot listen for Ctrl-C")?;
    Ok(CANCEL.get_or_init(|| cancel).clone())
}

/// Why no trial ran, if none did: then the report says nothing about any rate.
pub(crate) fn all_failed<'o>(outcomes: impl Iterator<Item = &'o Outcome>) -> Option<&'o str> {
    let mut reason = None;
    for outcome in outcomes {
        match outcome {
            Outcome::Failed { message } => reason = reason.or(Some(message.as_str())),
            _ => return None,
        }
    }
    reason
}

/// Writes the timing if asked for, the report and the plots, once the disk has confirmed the `journal`. What was written comes back
/// even where a later file fails, so that the answer can be shown before the error.
pub(crate) fn save(
    run: &Run<Report>,
    journal: Option<&Journal>,
    dir: &Path,
    args: &RunArgs,
) -> (Vec<PathBuf>, anyhow::Result<()>) {
    let drawn = journal::confirm_during(journal, || plots::all(&run.made));
    let timed = run.effort(run.made.cost.trial_iterations).write(args);
    let (files, saved) = output::save_report(&run.made, drawn, dir);
    (files, saved.and(timed.map_err(Into::into)))
}
