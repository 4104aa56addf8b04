//! Full-length runs of one task, each kept in a file as soon as it is finished.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::sync::Mutex;

use lrfind::lr::LearningRate;
use lrfind::record::{Silent, TrialRecord, TrialSpec};
use lrfind::schedule::Schedule;
use lrfind::trial::{Cancel, Objective, drive};
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

/// Seeds of full runs begin here; those of trials stay far below.
const FIRST_SEED: u64 = 1_000_000;
/// Evaluations of the whole data along a run.
const EVALUATIONS: u64 = 40;

pub(crate) struct FullRuns<'a> {
    objective: &'a dyn Objective,
    schedule: Schedule,
    file: Mutex<File>,
    known: HashMap<String, TrialRecord>,
}

impl<'a> FullRuns<'a> {
    /// The runs of an objective along `schedule`; those made before, of the same `config`, come from the folder `cache`.
    pub(crate) fn new(objective: &'a dyn Objective, config: &serde_json::Value, schedule: Schedule, cache: &Path) -> Self {
        let what = format!("{} {} {}", env!("CARGO_PKG_VERSION"), config, serde_json::json!(schedule));
        let key: String = Sha256::digest(what.as_bytes()).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let path = cache.join(format!("{}.jsonl", &key[..24]));
        let text = fs::read_to_string(&path).unwrap_or_default();
        // A line that does not parse was cut short by a crash: its run is made again.
        let known = text.lines().filter_map(|line| serde_json::from_str::<TrialRecord>(line).ok());
        let known = known.map(|record| (name(&record.spec), record)).collect();
        let file = fs::OpenOptions::new().create(true).append(true).open(&path);
        let mut file = file.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if !text.is_empty() && !text.ends_with('\n') {
            file.write_all(b"\n").expect("the cache can be written");
        }
        Self { objective, schedule, file: Mutex::new(file), known }
    }

    /// Iterations of each.
    pub(crate) fn iterations(&self) -> u64 {
        self.schedule.decay_iterations
    }

    fn spec(&self, rate: LearningRate, seed: u64) -> TrialSpec {
        TrialSpec::full(rate, FIRST_SEED + seed, self.schedule, self.iterations(), EVALUATIONS)
    }

    /// Makes the runs at `rates` with so many seeds that are not known yet, all together.
    pub(crate) fn make(&mut self, rates: &[LearningRate], seeds: u64) {
        let mut rates = rates.to_vec();
        rates.sort_by(|a, b| a.get().total_cmp(&b.get()));
        rates.dedup();
        let mut specs: Vec<TrialSpec> =
            (0..seeds).flat_map(|s| rates.iter().map(move |&r| (r, s))).map(|(r, s)| self.spec(r, s)).collect();
        specs.retain(|spec| !self.known.contains_key(&name(spec)));
        let finished = drive_all(self.objective, &specs, |records| {
            // The evaluations are all that is asked of a full run.
            for record in records.iter_mut() {
                record.losses = Vec::new();
            }
            self.keep(records);
        });
        self.known.extend(finished.into_iter().map(|record| (name(&record.spec), record)));
    }

    fn keep(&self, records: &[TrialRecord]) {
        let line = |record| serde_json::to_string(record).expect("records are plain data") + "\n";
        let lines: String = records.iter().map(line).collect();
        let mut file = self.file.lock().expect("no thread panics while it writes");
        file.write_all(lines.as_bytes()).expect("the cache can be written");
    }

    /// The whole training set's cost along a run that was made, evenly from its beginning to its end; `None` where it has
    /// diverged.
    pub(crate) fn curve(&self, rate: LearningRate, seed: u64) -> Vec<Option<f64>> {
        let mut curve: Vec<Option<f64>> = self.record(rate, seed).evaluations.iter().map(|e| e.train).collect();
        curve.resize(EVALUATIONS as usize + 1, None);
        curve
    }

    /// The cost on the examples held out at the end of a run that was made.
    pub(crate) fn held_out(&self, rate: LearningRate, seed: u64) -> Option<f64> {
        let evaluations = &self.record(rate, seed).evaluations;
        evaluations.get(EVALUATIONS as usize).and_then(|last| last.held_out)
    }

    fn record(&self, rate: LearningRate, seed: u64) -> &TrialRecord {
        &self.known[&name(&self.spec(rate, seed))]
    }
}

/// Makes these trials on all cores, as many at once as the objective stacks; `after` is shown each group as soon as it is finished.
pub(crate) fn drive_all(
    objective: &dyn Objective,
    specs: &[TrialSpec],
    after: impl Fn(&mut [TrialRecord]) + Sync,
) -> Vec<TrialRecord> {
    let lanes = objective.max_lanes().min(specs.len().div_ceil(rayon::current_num_threads())).max(1);
    let work = |group: &[TrialSpec]| {
        let mut records = drive(objective, group, lanes, &Cancel::default(), &Silent);
        after(&mut records);
        records
    };
    specs.par_chunks(lanes).flat_map_iter(work).collect()
}

fn name(spec: &TrialSpec) -> String {
    format!("{:e} {} {}", spec.learning_rate.get(), spec.seed, spec.iterations)
}
