//! How much worse a full run ends at a recommended rate than at the best rate of hindsight: `cargo bench --bench regret`.
//!
//! `-- NAME…` takes the tasks whose names contain one of these, `--configs DIR` other tasks, `--quick` 3 seeds and 2
//! repetitions instead of 5 and 10, `--repetitions N` another number of them, `--ours` leaves the one-run rules out, `--length N`
//! makes runs of so many iterations, `--out DIR` names another place for the results. Full runs are kept in `target/regret`, so
//! an interrupted benchmark goes on where it stood.

mod contest;
mod metrics;
mod truth;

use std::path::{Path, PathBuf};

use lrfind::lr::LearningRate;
use lrfind::report::CheckVerdict;
use lrfind::{RunOptions, Study, config, task};
use serde_json::json;

use metrics::{Row, TaskFigures};
use truth::Truth;

struct Arguments {
    configs: PathBuf,
    out: PathBuf,
    filters: Vec<String>,
    quick: bool,
    ours: bool,
    repetitions: Option<u64>,
    length: Option<u64>,
}

fn arguments() -> Arguments {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (configs, out) = (root.join("benches/suite"), root.join("reports/benchmark"));
    let mut found = Arguments { configs, out, filters: Vec::new(), quick: false, ours: false, repetitions: None, length: None };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().unwrap_or_else(|| panic!("{argument} needs a value"));
        match argument.as_str() {
            "--configs" => found.configs = value().into(),
            "--out" => found.out = value().into(),
            "--length" => found.length = Some(value().parse().expect("--length needs a number of iterations")),
            "--repetitions" => found.repetitions = Some(value().parse().expect("--repetitions needs a number")),
            "--quick" => found.quick = true,
            "--ours" => found.ours = true,
            "--bench" => {}
            _ => found.filters.push(argument),
        }
    }
    found
}

fn main() {
    let arguments = arguments();
    let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/regret");
    std::fs::create_dir_all(&cache).expect("the cache folder can be made");
    let listed = std::fs::read_dir(&arguments.configs).expect("the folder of configs can be read");
    let mut configs: Vec<PathBuf> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
    configs.retain(|path| path.extension().is_some_and(|e| e == "toml"));
    let stem = |path: &PathBuf| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    configs.retain(|path| arguments.filters.is_empty() || arguments.filters.iter().any(|f| stem(path).contains(f.as_str())));
    configs.sort();
    let mut tasks = Vec::new();
    for path in &configs {
        let started = std::time::Instant::now();
        let figures = measure(path, &arguments, &cache);
        let ours = &figures.rows[0];
        println!(
            "{} {:<28} best {:<9.3e} ours {:<9.3e} early {:<9.3e} regret {:>7.4} ratio {:>7.3} unstable {} cost {:>6} ({:.0} s)",
            figures.half,
            figures.name,
            figures.best,
            ours.rate.unwrap_or(f64::NAN),
            figures.rows[1].rate.unwrap_or(f64::NAN),
            ours.regret,
            ours.ratio,
            ours.unstable,
            ours.cost,
            started.elapsed().as_secs_f64()
        );
        tasks.push(figures);
        // After each task, so that an interrupted benchmark leaves what it knows.
        write(&tasks, &arguments);
    }
    print!("{}", metrics::markdown(&metrics::summary(&tasks)));
}

fn write(tasks: &[TaskFigures], arguments: &Arguments) {
    let summary = metrics::summary(tasks);
    let kind = if arguments.quick { "-quick" } else { "" };
    let length = arguments.length.map_or(String::new(), |n| format!("-{n}"));
    let results = json!({ "schema_version": 1, "summary": summary, "tasks": tasks });
    let files = [("md", metrics::markdown(&summary)), ("json", format!("{results:#}\n"))];
    std::fs::create_dir_all(&arguments.out).expect("the results' folder can be made");
    for (extension, text) in files {
        let path = arguments.out.join(format!("regret{kind}{length}.{extension}"));
        std::fs::write(path, text).expect("the results can be written");
    }
}

fn measure(path: &Path, arguments: &Arguments, cache: &Path) -> TaskFigures {
    let plan = config::load(path).unwrap_or_else(|error| panic!("{error}"));
    let task = task::build(&plan).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut study = Study::of_plan(&plan, &task);
    let mut schedule = study.schedule.expect("a config has a schedule");
    if let Some(length) = arguments.length {
        schedule.decay_iterations = length;
        study.schedule = Some(schedule);
    }
    let (seeds, repetitions) = if arguments.quick { (3, 2) } else { (5, 10) };
    let repetitions = arguments.repetitions.unwrap_or(repetitions);
    let mut truth = Truth::new(&task, &study.config, schedule, seeds, cache);
    truth.explore();
    let configured = plan.training.learning_rate;
    let (answers, report) = contest::answers(&study, configured, 0, !arguments.ours);
    // No answer leaves the user with the framework's default.
    let used = |answer: &contest::Answer| answer.rate.or(configured);
    truth.prepare(&answers.iter().filter_map(used).collect::<Vec<_>>());
    let mut rows = Vec::new();
    for answer in answers {
        let seen = used(&answer).map(|rate| truth.known(rate));
        rows.push(Row {
            contestant: answer.contestant,
            rate: answer.rate.map(LearningRate::get),
            regret: seen.map_or(1.0, |s| s.regret),
            ratio: seen.map_or(f64::NAN, |s| s.ratio),
            held_out: seen.and_then(|s| s.held_out),
            reached: seen.and_then(|s| s.reached),
            unstable: seen.map_or(0, |s| s.unstable),
            runs: seeds,
            cost: answer.cost,
            logs: answer.rate.map(LearningRate::log10).into_iter().collect(),
            regrets: vec![seen.map_or(1.0, |s| s.regret)],
        });
    }
    for repetition in 1..repetitions {
        for (row, answer) in rows.iter_mut().zip(contest::answers(&study, configured, repetition, !arguments.ours).0) {
            row.logs.extend(answer.rate.map(LearningRate::log10));
            row.regrets.push(used(&answer).map_or(1.0, |rate| truth.interpolated(rate)));
        }
    }
    let threshold = truth.threshold();
    let checks = if arguments.quick { Vec::new() } else { checks(&study, &truth) };
    TaskFigures {
        half: truth.half(&plan.name),
        name: plan.name.clone(),
        iterations: truth.iterations,
        best: truth.best.map_or(f64::NAN, LearningRate::get),
        costs: [truth.initial, truth.tenth, truth.least],
        threshold: threshold.map(|(stable, unstable)| [stable.get(), unstable.get()]),
        interval: report.instability.interval.map(|i| [i.low, i.high]),
        measured: report.instability.threshold,
        p_unstable: report.recommendation.p_unstable,
        rows,
        checks,
    }
}

/// What `check` says of every rate of the grid: distance from the full runs' threshold in decades, share of unstable runs, verdict.
fn checks(study: &Study<'_>, truth: &Truth<'_>) -> Vec<(Option<f64>, u64, CheckVerdict)> {
    let first = truth.threshold().map(|(stable, unstable)| stable.midpoint(unstable).log10());
    let every_other = truth.grid.iter().step_by(2);
    let verdict = |&rate: &LearningRate| {
        let report = study.check(rate, &RunOptions::default());
        let verdict = report.check.map_or(CheckVerdict::Inconclusive, |check| check.verdict);
        (first.map(|first| rate.log10() - first), truth.known(rate).unstable, verdict)
    };
    every_other.map(verdict).collect()
}
