//! How fast trials run, beside PyTorch making the same trials: `cargo bench --bench throughput`.
//!
//! Round by round, each case runs through our engine on two workers, through PyTorch in two processes, and so on: what the machine
//! does besides falls on all sides alike. `cases` says what is trained, `ours` and `rival` train it, `figures` computes what is told,
//! `plot` draws it. Without PyTorch our side runs alone.

mod cases;
mod figures;
mod ours;
mod plot;
#[path = "../results/mod.rs"]
mod results;
mod rival;

use std::path::Path;
use std::process::ExitCode;

use lrfind::trial::Objective;
use lrfind::{config, task};

use cases::{CASES, Case};
use figures::{Measured, Measurement, Round};
use rival::{Form, Rival};

const HELP: &str = "\
cargo bench --bench throughput -- [OPTIONS] [NAME…]

  NAME…      only the cases whose names contain one of these
  --quick    three rounds instead of seven
  --ours     without PyTorch
  --redraw   only make table and plot anew from the figures that are there

Results of all cases on both sides go to reports/benchmark.
";

/// Cores that either side uses.
const WORKERS: usize = 2;

fn main() -> ExitCode {
    // Cargo adds --bench.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let (flags, names): (Vec<&String>, Vec<&String>) = words.iter().partition(|word| word.starts_with('-'));
    if let Some(flag) = flags.iter().find(|flag| !["--quick", "--ours", "--redraw"].contains(&flag.as_str())) {
        print!("{HELP}");
        return if *flag == "--help" { ExitCode::SUCCESS } else { ExitCode::from(2) };
    }
    let has = |flag: &str| flags.iter().any(|word| *word == flag);
    let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/benchmark/throughput.json");
    if has("--redraw") {
        let text = std::fs::read_to_string(&out).unwrap_or_else(|error| panic!("{}: {error}", out.display()));
        write(&serde_json::from_str(&text).expect("the figures are ours"), &out);
        return ExitCode::SUCCESS;
    }
    let found = if has("--ours") { Err("it is not asked for".to_owned()) } else { Rival::start(WORKERS) };
    let mut rival = found.map_err(|why| eprintln!("without PyTorch ({why}); to have it: {}", rival::HOW)).ok();
    let mut measured = Measured {
        schema_version: 1,
        command: format!("cargo bench --bench throughput{}", if has("--quick") { " -- --quick" } else { "" }),
        pytorch: rival.as_ref().map(|rival| rival.version.clone()),
        peak: Vec::new(),
        cases: Vec::new(),
    };
    let rounds = if has("--quick") { 3 } else { 7 };
    for case in CASES.iter().filter(|case| names.is_empty() || names.iter().any(|name| case.name.contains(name.as_str()))) {
        let measurement = measure(case, rival.as_mut(), rounds, &mut measured.peak);
        eprintln!("{}", figures::row(&measurement, lrfind::analysis::median(&measured.peak)));
        measured.cases.push(measurement);
    }
    print!("{}", figures::markdown(&measured));
    if names.is_empty() && !has("--ours") {
        write(&measured, &out);
    }
    ExitCode::SUCCESS
}

/// One case, after a round that does not count.
fn measure(case: &Case, mut rival: Option<&mut Rival>, rounds: usize, peak: &mut Vec<f64>) -> Measurement {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let text = case.config(folder.path()).expect("the data can be written");
    let plan = config::parse(&text, &folder.path().join("case.toml")).expect("the config is right");
    let task = task::build(&plan).expect("the data suit the model");
    let mut measurement = Measurement {
        name: case.name.into(),
        label: case.label.into(),
        parameters: task.facts().parameters,
        lanes: task.max_lanes().min(case.trials as usize / WORKERS).max(1),
        operations: case.operations,
        rounds: Vec::new(),
        not_stacked: None,
    };
    for round in 0..=rounds {
        let ours = ours::rate(&task, case.trials, case.iterations, WORKERS);
        let eager = rival.as_mut().and_then(|rival| rival.rate(case, Form::Eager).ok());
        let ours_alone = ours::rate(&task, case.trials.div_ceil(2), case.iterations, 1);
        let mut stacked = None;
        if let (Some(rival), None) = (rival.as_mut(), &measurement.not_stacked) {
            match rival.rate(case, Form::Stacked) {
                Ok(rate) => stacked = Some(rate),
                Err(why) => measurement.not_stacked = Some(why),
            }
        }
        let reached = ours::peak(WORKERS);
        if round > 0 {
            measurement.rounds.push(Round { ours, ours_alone, eager, stacked });
            peak.push(reached);
        }
    }
    measurement
}

fn write(measured: &Measured, json: &Path) {
    let picture = plot::draw(measured).expect("the figures can be drawn");
    results::write(json, measured, figures::markdown(measured), picture);
}
