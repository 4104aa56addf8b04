//! What an answer costs: `cargo bench --bench cost`.
//!
//! Runs the command as its user would, each time in a process of its own. First on an example config, alternating between one and
//! two workers, so that their ratio does not depend on what else the machine does: wall time, trial-iterations a second, peak
//! memory. Then on made-up tasks that differ in one thing at a time, round by round, each against the smallest of its round.
//! `tasks` says what is run, `process` runs it, `figures` computes what is told, `plot` draws it.

mod figures;
mod plot;
mod process;
#[path = "../results/mod.rs"]
mod results;
mod tasks;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use figures::{Case, Measured, Workers};
use process::measure;
use tasks::GROWTHS;

const HELP: &str = "\
cargo bench --bench cost -- [OPTIONS] [CONFIG…]

  CONFIG…    only the first part, on these configs
  --redraw   only make table and plot anew from the figures that are there

Results of both parts go to reports/benchmark.
";

/// Repetitions of each measurement on a config; the median is told.
const REPETITIONS: usize = 5;

/// Rounds through the made-up tasks; the median is told.
const ROUNDS: usize = 3;

const COMMANDS: [&str; 2] = ["find", "check"];

fn main() -> ExitCode {
    // Cargo adds --bench.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let (flags, named): (Vec<&String>, Vec<&String>) = words.iter().partition(|word| word.starts_with('-'));
    if let Some(flag) = flags.iter().find(|flag| flag.as_str() != "--redraw") {
        print!("{HELP}");
        return if *flag == "--help" { ExitCode::SUCCESS } else { ExitCode::from(2) };
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = root.join("reports/benchmark/cost.json");
    if !flags.is_empty() {
        let text = std::fs::read_to_string(&out).unwrap_or_else(|error| panic!("{}: {error}", out.display()));
        write(&serde_json::from_str(&text).expect("the figures are ours"), &out);
        return ExitCode::SUCCESS;
    }
    let scratch = tempfile::tempdir().expect("a temporary folder can be made");
    let usual = vec![root.join("configs/digits-mlp.toml")];
    let configs = if named.is_empty() { usual } else { named.iter().map(PathBuf::from).collect() };
    let workers = configs.iter().flat_map(|config| COMMANDS.map(|command| on_workers(command, config, scratch.path())));
    let mut measured = Measured {
        schema_version: 1,
        command: "cargo bench --bench cost".into(),
        workers: workers.collect(),
        cases: Vec::new(),
    };
    if named.is_empty() {
        measured.cases = growths(scratch.path());
        write(&measured, &out);
    }
    print!("{}", figures::markdown(&measured));
    if !measured.cases.is_empty() {
        print!("\nIn short:\n\n{}", figures::short(&measured));
    }
    ExitCode::SUCCESS
}

/// A command on one worker and on two.
fn on_workers(command: &str, config: &Path, scratch: &Path) -> Workers {
    let mut workers = Workers {
        name: format!("{command} {}", config.file_stem().unwrap_or_default().to_string_lossy()),
        one: Vec::new(),
        two: Vec::new(),
        iterations_a_second: Vec::new(),
        peak_mib: Vec::new(),
    };
    for _ in 0..REPETITIONS {
        workers.one.push(measure(command, config, Some(1), scratch).search);
        let run = measure(command, config, Some(2), scratch);
        workers.two.push(run.search);
        workers.iterations_a_second.push(run.iterations as f64 / run.search.max(1e-9));
        workers.peak_mib.extend(run.peak_mib);
    }
    workers
}

/// Every made-up task, by both commands.
fn growths(scratch: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    for round in 0..ROUNDS {
        let mut at = 0;
        for growth in GROWTHS {
            for &size in growth.sizes {
                let config = scratch.join("case.toml");
                std::fs::write(&config, growth.config(size)).expect("the config can be written");
                for command in COMMANDS {
                    let run = measure(command, &config, None, scratch);
                    if round == 0 {
                        let shown = growth.shown(size, &run.facts);
                        let growth = growth.name.to_owned();
                        cases.push(Case::new(growth, command.to_owned(), shown, run.iterations));
                    }
                    cases[at].search.push(run.search);
                    cases[at].whole.push(run.whole);
                    at += 1;
                }
            }
            eprintln!("round {} of {ROUNDS}: {}", round + 1, growth.name);
        }
    }
    cases
}

fn write(measured: &Measured, json: &Path) {
    let picture = plot::draw(measured).expect("the figures can be drawn");
    results::write(json, measured, figures::markdown(measured), picture);
}
