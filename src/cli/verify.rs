//! `lrfind verify`.

mod describe;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use lrfind::Study;
use lrfind::config::Plan;
use lrfind::lr::LearningRate;
use lrfind::record::TrialRecord;
use lrfind::report::verification::{self, Verification};
use lrfind::report::{Report, Status, plots};
use lrfind::search::RunOptions;
use lrfind::study::FullRunPlan;
use serde_json::json;

use super::args::{CommonArgs, FindFormat, VerifyArgs};
use super::exit::Exit;
use super::kept::{self, Keeper, Kept};
use super::trials::Workers;
use super::{journal, output, subject, trials};

/// The names of the verification and of the finished runs in their folder.
const FILE: &str = "verify.json";
const RUNS: &str = "verify-runs.jsonl";

/// A shorter run has no first tenth to speak of.
const LEAST_ITERATIONS: u64 = 10;

pub(crate) fn run(args: &VerifyArgs) -> anyhow::Result<Exit> {
    let (config, report) = sources(args)?;
    let common = args.common(config);
    let why = "a full run follows a schedule, and a command runs at the rate that it is started with: run the script itself";
    let plan = subject::model(&common, why)?;
    let task = subject::build_task(&plan, &common)?;
    let study = Study::of_plan(&plan, &task);
    let known = known_report(report.as_deref(), &plan, &study, &common)?;
    let (report, path) = match known {
        Some(found) => found,
        None if args.dry_run => return describe::without_report(&study, args),
        None => match find_first(&study, &plan, &common)? {
            Some(found) => found,
            None => return Ok(Exit::Interrupted),
        },
    };
    let Some(full) = full_run_plan(args, &report, &plan, &study)? else {
        let why = report.recommendation.because.first().map(|reason| format!(": {reason}")).unwrap_or_default();
        output::note(&format!("{} recommends no learning rate, so there is nothing to verify{why}", path.display()));
        return Ok(Exit::Inconclusive);
    };
    let folder = args.out.clone().unwrap_or_else(|| path.parent().unwrap_or(Path::new(".")).to_owned());
    let (runs, context) = (folder.join(RUNS), context(&study));
    if args.dry_run {
        return describe::dry_run(&study, &full, &kept::read(&runs, &context), args);
    }
    output::prepare(&folder)?;
    let verification = make(&study, &full, Kept::open(&runs, &context)?, &common)?;
    let outcomes = verification.rates.iter().flat_map(|row| &row.runs).map(|run| &run.outcome);
    if let Some(message) = trials::all_failed(outcomes) {
        bail!("no full run could be made: {message}");
    }
    let text = verification.to_json()?;
    let (files, saved) = save(&verification, &text, &folder);
    output::print(&match args.format {
        FindFormat::Json => text,
        FindFormat::Text => verification::text(&verification, &files),
    })?;
    saved.map(|()| Exit::of_verify(&verification))
}

/// The config, and the report if one is named.
fn sources(args: &VerifyArgs) -> anyhow::Result<(PathBuf, Option<PathBuf>)> {
    let source = args.source.display();
    let is_report = args.source.is_dir() || args.source.extension().is_some_and(|extension| extension == "json");
    match (is_report, &args.config, &args.report) {
        (true, Some(config), _) => Ok((config.clone(), Some(args.source.clone()))),
        (true, None, Some(_)) => bail!("{source} is a report already: give the config instead, or leave --report out"),
        (true, None, None) => {
            bail!("{source}: a report does not say where its config and its data lie; name the config with --config CONFIG")
        }
        (false, Some(_), _) => bail!("{source} is a config already: give the report instead, or leave --config out"),
        (false, None, report) => Ok((args.source.clone(), report.clone())),
    }
}

/// The report at `path` and the path of its file; without a `path`, that of an earlier `find`, if it was completed. It must be
/// about the same training.
fn known_report(
    path: Option<&Path>,
    plan: &Plan,
    study: &Study<'_>,
    common: &CommonArgs,
) -> anyhow::Result<Option<(Report, PathBuf)>> {
    let usual = default_folder(plan);
    let (report, file) = match path {
        Some(path) => output::read_report(path)?,
        None if !output::has_report(&usual) => return Ok(None),
        None => output::read_report(&usual)?,
    };
    let differences = study.differences(&report);
    if !differences.is_empty() {
        let (file, config) = (file.display(), subject::place(common).display().to_string());
        bail!(
            "{file} is about another training than {config}:\n  {}\nrun `lrfind find {config}` anew, or name another report with --report",
            differences.join("\n  ")
        );
    }
    Ok((path.is_some() || report.status == Status::Complete).then_some((report, file)))
}

fn default_folder(plan: &Plan) -> PathBuf {
    Path::new("reports").join(&plan.name)
}

/// Does what `lrfind find` does; `None` when that is interrupted.
fn find_first(study: &Study<'_>, plan: &Plan, common: &CommonArgs) -> anyhow::Result<Option<(Report, PathBuf)>> {
    let folder = default_folder(plan);
    trials::prepare(&folder, common)?;
    if !common.quiet {
        output::note(&format!("no report in {} yet: `lrfind find` comes first", folder.display()));
    }
    let cost = study.find_forecast();
    let journal = journal::open(&folder, common.fresh);
    let run = trials::run(study, &cost, common, Workers::here(common), journal.as_ref(), |options| study.find(options))?;
    let (files, saved) = trials::save(&run, &folder, common);
    saved?;
    let path = files.into_iter().next().unwrap_or(folder);
    Ok((run.made.status == Status::Complete).then_some((run.made, path)))
}

/// The runs to make; `None` where the report recommends no rate.
fn full_run_plan(args: &VerifyArgs, report: &Report, plan: &Plan, study: &Study<'_>) -> anyhow::Result<Option<FullRunPlan>> {
    let requested: Vec<LearningRate> =
        args.lr.iter().map(|&rate| LearningRate::new(rate)).collect::<Result<_, _>>().context("--lr")?;
    let schedule = study.schedule.ok_or_else(|| anyhow!("the config plans no run"))?;
    let configured = plan.training.learning_rate;
    let full = FullRunPlan::new(report, configured, &requested, args.seeds, schedule, args.fraction);
    if let Some(length) = full.as_ref().map(|full| full.schedule.decay_iterations).filter(|n| *n < LEAST_ITERATIONS) {
        bail!("a run of {length} iterations is too short to tell anything: raise --fraction, or `epochs` under [training]");
    }
    Ok(full)
}

/// All that a run follows from beside its spec: the program, the training, the device, and what the trials are made of.
fn context(study: &Study<'_>) -> String {
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "training": study.training(),
        "device": study.device,
        "identity": study.objective.identity(),
    })
    .to_string()
}

/// Makes the runs that are not kept yet, each kept as it finishes.
fn make(
    study: &Study<'_>,
    full: &FullRunPlan,
    (kept, known): (Kept, Vec<TrialRecord>),
    common: &CommonArgs,
) -> anyhow::Result<Verification> {
    let specs = full.specs();
    let missing = describe::missing(&specs, &known);
    let iterations = missing.iter().map(|spec| spec.total_iterations()).sum();
    let description = describe::text(study, full, &known);
    let work = |options: &RunOptions<'_>| {
        let done = specs.len() - missing.len();
        let keeper = Keeper::new(&kept, options.observer, options.cancel.clone(), done, specs.len());
        let verification = study.verify(full, &known, &RunOptions { observer: &keeper, ..options.clone() });
        keeper.fault().map_or(Ok(verification), Err)
    };
    Ok(trials::watched(&description, iterations, common, Workers::here(common), None, work)?.made?)
}

/// Writes the data and the plot. What was written comes back even where a later file fails.
fn save(verification: &Verification, text: &str, folder: &Path) -> (Vec<PathBuf>, anyhow::Result<()>) {
    let mut files = Vec::new();
    let result = save_into(&mut files, verification, text, folder);
    (files, result)
}

fn save_into(files: &mut Vec<PathBuf>, verification: &Verification, text: &str, folder: &Path) -> anyhow::Result<()> {
    let path = folder.join(FILE);
    output::write(&path, text.as_bytes())?;
    files.push(path);
    let plot = plots::verification(verification).context("cannot draw the plot; the data are written")?;
    files.extend(output::write_plots(&[plot], folder)?);
    Ok(())
}
