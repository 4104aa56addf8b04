//! What the journal costs: `cargo bench --bench journal`.
//!
//! Searches of an example config, with the drawing of their plots, without and with a journal alternate, so that their ratio does
//! not depend on what else the machine does, and their processor time is compared too, which depends on it less; then 10,000
//! trials are kept and read again.
//! `cargo bench --bench journal -- CONFIG…` takes other configs.

mod cpu;
mod paired;

use std::path::{Path, PathBuf};
use std::time::Instant;

use lrfind::record::{Outcome, ProbePoint, TrialRecord, TrialSpec};
use lrfind::report::plots;
use lrfind::search::Journal;
use lrfind::{LearningRate, RunOptions, Study, config, task};
use paired::Pairs;

/// Pairs of searches.
const PAIRS: usize = 61;

/// Trials to be read, and the losses in each: what `find` runs on average.
const TRIALS: u64 = 10_000;
const LOSSES: u64 = 250;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named: Vec<PathBuf> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).map(PathBuf::from).collect();
    let configs = if named.is_empty() { vec![root.join("configs/digits-mlp.toml")] } else { named };
    // Beside the build, not in a folder that may be held in memory: confirmed by a disk is what is measured.
    let scratch = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary folder can be made");
    for config in &configs {
        overhead(config, scratch.path());
    }
    reading(scratch.path());
}

fn overhead(config: &Path, scratch: &Path) {
    let plan = config::load(config).expect("the config is good");
    let task = task::build(&plan).expect("the data are good");
    let study = Study::of_plan(&plan, &task);
    let path = scratch.join("overhead.journal");
    let search = |journal: bool| {
        let _ = std::fs::remove_file(&path);
        let journal = journal.then(|| Journal::open(&path).expect("the journal can be made"));
        let report = study.find(&RunOptions { journal: journal.as_ref(), ..RunOptions::default() });
        // As the command does: the plots are drawn while the disk confirms the journal.
        let draw = || plots::all(&report).expect("the plots can be drawn");
        match &journal {
            None => drop(draw()),
            Some(journal) => journal.confirm_during(draw).1.expect("the disk confirms the journal"),
        }
    };
    search(false);
    let pairs = Pairs::of(PAIRS, search);
    let ([without, with], computed) = (pairs.medians(), pairs.computed);
    println!(
        "find {}: {without:.3} s without a journal, {with:.3} s with one; {}; {:.2} s and {:.2} s of processor time over all pairs, \
         ratio {:.4}",
        config.file_stem().unwrap_or_default().to_string_lossy(),
        pairs.ratio(),
        computed[0],
        computed[1],
        computed[1] / computed[0],
    );
}

fn reading(scratch: &Path) {
    let path = scratch.join("reading.journal");
    let rate = LearningRate::new(0.1).expect("0.1 is a rate");
    let record = |seed| {
        let spec = TrialSpec::steady(rate, seed, LOSSES);
        let loss = |step: u64| lrfind::lr::significant(2.3 / (1.0 + (step * (seed + 1)) as f64).sqrt(), 7);
        let probe = vec![ProbePoint { iteration: 0, loss: Some(2.3) }, ProbePoint { iteration: LOSSES, loss: Some(0.3) }];
        TrialRecord { losses: (0..LOSSES).map(loss).collect(), probe, ..TrialRecord::blank(spec, Outcome::Completed) }
    };
    let records: Vec<TrialRecord> = (0..TRIALS).map(record).collect();
    let journal = Journal::open(&path).expect("the journal can be made");
    journal.keep("benchmark", &records).expect("the journal can be written");
    drop(journal);
    let size = std::fs::metadata(&path).map_or(0, |found| found.len());
    let times: Vec<f64> = (0..7)
        .map(|_| {
            let started = Instant::now();
            let journal = Journal::open(&path).expect("the journal can be read");
            assert_eq!(journal.len() as u64, TRIALS);
            started.elapsed().as_secs_f64()
        })
        .collect();
    let median = lrfind::analysis::median(&times).unwrap_or(f64::NAN);
    println!("reading {TRIALS} trials of {LOSSES} losses ({:.0} MB): {median:.3} s", size as f64 / 1e6);
}
