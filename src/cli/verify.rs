//! `lrfind verify`.

mod describe;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use lrfind::Study;
use lrfind::files;
use lrfind::lr::LearningRate;
use lrfind::record::TrialSpec;
use lrfind::report::verification;
use lrfind::report::{Report, Status, plots};
use lrfind::schedule::Schedule;
use lrfind::search::{Journal, RunOptions};
use lrfind::study::FullRunPlan;

use super::args::{FindFormat, RunArgs, SubjectArgs, VerifyArgs};
use super::exit::Exit;
use super::subject::Subject;
use super::trials::{Effort, Workers};
use super::{footprint, journal, output, subject, trials};

/// A shorter run has no first tenth to speak of.
const LEAST_ITERATIONS: u64 = 10;

pub(crate) fn run(args: &VerifyArgs) -> anyhow::Result<Exit> {
    let (place, report) = sources(args)?;
    let config = subject::config(&place, &args.run)?;
    let configured = config.learning_rate();
    let subject = Subject::build(config, &place, &args.run)?;
    let workers = subject.workers(&args.run);
    let study = subject.study();
    footprint::explain(&study, workers, &args.run);
    let schedule = study.full_schedule().with_context(|| {
        format!(
            "{}: how long is a full run? write `iterations` under [training], or give --planned with `-- COMMAND`",
            study.name
        )
    })?;
    let known = known_report(report.as_deref(), &study, &place)?;
    let (report, path, search) = match known {
        Some((report, path)) => (report, path, None),
        None if args.run.dry_run => return describe::without_report(&study, args),
        None => match find_first(&study, &args.run, workers)? {
            Some((report, path, effort)) => (report, path, Some(effort)),
            None => return Ok(Exit::Interrupted),
        },
    };
    let Some(full) = full_run_plan(args, &report, configured, schedule)? else {
        let why = report.recommendation.because.first().map(|reason| format!(": {reason}")).unwrap_or_default();
        output::note(&format!("{} recommends no learning rate, so there is nothing to verify{why}", path.display()));
        return Ok(Exit::Inconclusive);
    };
    let folder = args.out.clone().unwrap_or_else(|| path.parent().unwrap_or(Path::new(".")).to_owned());
    if args.run.dry_run {
        let known = if args.run.fresh { None } else { journal::peek(&folder) };
        return describe::dry_run(&study, &full, &missing(&study, &full, known.as_ref()), args);
    }
    trials::prepare(&folder, &args.run)?;
    // A search that came first has emptied its own journal, not to lose what it then wrote there.
    let is_emptied = search.is_some() && folder == default_folder(&study);
    let journal = journal::open(&folder, args.run.fresh && !is_emptied);
    let missing = missing(&study, &full, journal.as_ref());
    let iterations = missing.iter().map(TrialSpec::total_iterations).sum();
    let work = |options: &RunOptions<'_>| study.verify(&full, options);
    let plan = describe::text(&study, &full, &missing);
    let run = trials::watched(&plan, iterations, &args.run, workers, journal.as_ref(), work)?;
    let verification = &run.made;
    run.say_what_was_reused(verification.cost.trial_iterations, &args.run);
    let outcomes = verification.rates.iter().flat_map(|row| &row.runs).map(|run| &run.outcome);
    if let Some(message) = trials::all_failed(outcomes) {
        bail!("no full run could be made: {message}");
    }
    let text = verification.to_json()?;
    let drawn = journal::confirm_during(journal.as_ref(), || plots::verification(verification).map(|plot| vec![plot]));
    let (files, saved) = output::save(&folder, files::VERIFICATION, &text, drawn);
    output::print(&match args.format {
        FindFormat::Json => text,
        FindFormat::Text => verification::text(verification, &files),
    })?;
    saved?;
    run.effort(verification.cost.trial_iterations).and(search).write(&args.run)?;
    Ok(Exit::of_verify(verification))
}

/// What is trained, and the report if one is named.
fn sources(args: &VerifyArgs) -> anyhow::Result<(SubjectArgs, Option<PathBuf>)> {
    let subject = |config: Option<&PathBuf>| SubjectArgs { config: config.cloned(), script: args.script.clone() };
    let Some(source) = &args.source else { return Ok((subject(None), args.report.clone())) };
    let is_report = source.is_dir() || source.extension().is_some_and(|extension| extension == "json");
    let shown = source.display();
    match (is_report, &args.config, &args.report) {
        (true, Some(config), _) => Ok((subject(Some(config)), Some(source.clone()))),
        (true, None, Some(_)) => bail!("{shown} is a report already: give the config instead, or leave --report out"),
        (true, None, None) => {
            bail!("{shown}: a report does not say where its config and its data lie; name the config with --config CONFIG")
        }
        (false, Some(_), _) => bail!("{shown} is a config already: give the report instead, or leave --config out"),
        (false, None, report) => Ok((subject(Some(source)), report.clone())),
    }
}

/// The report at `path` and the path of its file; without a `path`, that of an earlier `find`, if it was completed. It must be
/// about the same training.
fn known_report(path: Option<&Path>, study: &Study<'_>, place: &SubjectArgs) -> anyhow::Result<Option<(Report, PathBuf)>> {
    let usual = default_folder(study);
    let (report, file) = match path {
        Some(path) => output::read_report(path)?,
        None if !output::has_report(&usual) => return Ok(None),
        None => output::read_report(&usual)?,
    };
    let differences = study.differences(&report);
    if !differences.is_empty() {
        let (file, config) = (file.display(), subject::place(place).display().to_string());
        bail!(
            "{file} is about another training than {config}:\n  {}\nrun `lrfind find` anew, or name another report with --report",
            differences.join("\n  ")
        );
    }
    if study.is_script && !study.reads_the_same(&report) {
        output::note(&format!("the script, or what it depends on, has changed since {} was written", file.display()));
    }
    Ok((path.is_some() || report.status == Status::Complete).then_some((report, file)))
}

fn default_folder(study: &Study<'_>) -> PathBuf {
    Path::new("reports").join(&study.name)
}

/// Does what `lrfind find` does, and says what it took; `None` when that is interrupted.
fn find_first(study: &Study<'_>, args: &RunArgs, workers: Workers) -> anyhow::Result<Option<(Report, PathBuf, Effort)>> {
    let folder = default_folder(study);
    trials::prepare(&folder, args)?;
    if !args.quiet {
        output::note(&format!("no report in {} yet: `lrfind find` comes first", folder.display()));
    }
    let cost = study.find_forecast();
    let journal = journal::open(&folder, args.fresh);
    let run = trials::run(study, &cost, args, workers, journal.as_ref(), |options| study.find(options))?;
    let (files, saved) = trials::save(&run, journal.as_ref(), &folder, args);
    saved?;
    let path = files.into_iter().next().unwrap_or(folder);
    let effort = run.effort(run.made.cost.trial_iterations);
    Ok((run.made.status == Status::Complete).then_some((run.made, path, effort)))
}

/// The runs that the journal lacks.
fn missing(study: &Study<'_>, full: &FullRunPlan, journal: Option<&Journal>) -> Vec<TrialSpec> {
    let known = journal.zip(study.objective.identity());
    let is_known = |spec: &TrialSpec| known.as_ref().is_some_and(|(journal, identity)| journal.get(identity, spec).is_some());
    full.specs().into_iter().filter(|spec| !is_known(spec)).collect()
}

/// The runs to make; `None` where the report recommends no rate.
fn full_run_plan(
    args: &VerifyArgs,
    report: &Report,
    configured: Option<LearningRate>,
    schedule: Schedule,
) -> anyhow::Result<Option<FullRunPlan>> {
    let requested: Vec<LearningRate> =
        args.lr.iter().map(|&rate| LearningRate::new(rate)).collect::<Result<_, _>>().context("--lr")?;
    let full = FullRunPlan::new(report, configured, &requested, args.seeds, schedule, args.fraction);
    if let Some(length) = full.as_ref().map(|full| full.schedule.decay_iterations).filter(|n| *n < LEAST_ITERATIONS) {
        bail!("a run of {length} iterations is too short to tell anything: raise --fraction, or plan a longer run");
    }
    Ok(full)
}
