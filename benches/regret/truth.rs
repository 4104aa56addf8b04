//! What hindsight knows: full-length runs at a dense grid of rates.

use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use lrfind::lr::LearningRate;
use lrfind::record::{Silent, TrialRecord, TrialSpec};
use lrfind::schedule::Schedule;
use lrfind::trial::{Cancel, Objective, drive};
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

/// Seeds of full runs begin here; those of trials stay far below.
const FIRST_SEED: u64 = 1_000_000;
/// Rates a decade of the dense grid.
const DENSITY: i32 = 8;
/// Evaluations of the whole data along a run.
const EVALUATIONS: u64 = 40;

/// Costs below this share of the initial cost are nothing: single precision tells no more.
const PRECISION: f64 = 1e-6;

/// Full runs of one task, each kept in a file as soon as it is finished.
pub(crate) struct Truth<'a> {
    objective: &'a (dyn Objective + 'a),
    schedule: Schedule,
    pub(crate) iterations: u64,
    pub(crate) seeds: u64,
    key: String,
    cache: std::path::PathBuf,
    runs: HashMap<String, TrialRecord>,
    /// The grid, ascending, filled by `explore`.
    pub(crate) grid: Vec<LearningRate>,
    pub(crate) best: Option<LearningRate>,
    /// Costs on the training set, meant over the best rate's seeds: before, after a tenth of the run, at its end.
    pub(crate) initial: f64,
    pub(crate) tenth: f64,
    pub(crate) least: f64,
}

impl<'a> Truth<'a> {
    pub(crate) fn new(
        objective: &'a dyn Objective,
        config: &serde_json::Value,
        schedule: Schedule,
        seeds: u64,
        cache: &Path,
    ) -> Self {
        let what = format!("{} {} {}", env!("CARGO_PKG_VERSION"), config, serde_json::json!(schedule));
        let key: String = Sha256::digest(what.as_bytes()).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let cache = cache.join(format!("{}.jsonl", &key[..24]));
        let text = fs::read_to_string(&cache).unwrap_or_default();
        // A line that does not parse was cut short by a crash: its run is made again.
        let known = text.lines().filter_map(|line| serde_json::from_str::<TrialRecord>(line).ok());
        let runs = known.map(|record| (name(&record.spec), record)).collect();
        let iterations = schedule.decay_iterations;
        let (initial, tenth, least) = (f64::NAN, f64::NAN, f64::NAN);
        Self { objective, schedule, iterations, seeds, key, cache, runs, grid: Vec::new(), best: None, initial, tenth, least }
    }

    /// The task's half of the suite, by a hash that no one chose.
    pub(crate) fn half(&self, name: &str) -> char {
        let digest = Sha256::digest(name.as_bytes());
        debug_assert!(!self.key.is_empty());
        if digest[0] % 2 == 0 { 'A' } else { 'B' }
    }

    fn spec(&self, rate: LearningRate, seed: u64) -> TrialSpec {
        TrialSpec::full(rate, FIRST_SEED + seed, self.schedule, self.iterations, EVALUATIONS)
    }

    /// Makes the runs at `rates` with so many seeds that are not known yet.
    fn run(&mut self, rates: &[LearningRate], seeds: u64) {
        let mut specs: Vec<TrialSpec> =
            (0..seeds).flat_map(|s| rates.iter().map(move |&r| (r, s))).map(|(r, s)| self.spec(r, s)).collect();
        specs.retain(|spec| !self.runs.contains_key(&name(spec)));
        let lanes = self.objective.max_lanes().min(specs.len().div_ceil(rayon::current_num_threads())).max(1);
        let work = |group: &[TrialSpec]| drive(self.objective, group, lanes, &Cancel::default(), &Silent);
        let finished: Vec<TrialRecord> = specs.par_chunks(lanes).flat_map_iter(work).collect();
        let mut lines = String::new();
        for mut record in finished {
            // The evaluations are all that is asked of a full run.
            record.losses = Vec::new();
            lines += &serde_json::to_string(&record).expect("records are plain data");
            lines.push('\n');
            self.runs.insert(name(&record.spec), record);
        }
        let file = fs::OpenOptions::new().create(true).append(true).open(&self.cache);
        file.and_then(|mut file| file.write_all(lines.as_bytes())).expect("the cache can be written");
    }

    /// The whole data's cost along the run, `None` where it diverged before.
    fn curve(&self, rate: LearningRate, seed: u64) -> Vec<Option<f64>> {
        let record = &self.runs[&name(&self.spec(rate, seed))];
        let mut curve: Vec<Option<f64>> = record.evaluations.iter().map(|e| e.train).collect();
        curve.resize(EVALUATIONS as usize + 1, None);
        curve
    }

    /// Final cost on the training set, a diverged run counted as if nothing had been learnt.
    pub(crate) fn cost_of(&self, rate: LearningRate, seed: u64) -> f64 {
        let curve = self.curve(rate, seed);
        let initial = curve[0].unwrap_or(f64::INFINITY);
        curve[EVALUATIONS as usize].map_or(initial, |last| last.min(initial))
    }

    fn mean_cost(&self, rate: LearningRate, seeds: u64) -> f64 {
        (0..seeds).map(|seed| self.cost_of(rate, seed)).sum::<f64>() / seeds as f64
    }

    /// Fills the grid: half decades with one seed, then eighths with all seeds around the best and up to instability.
    pub(crate) fn explore(&mut self) {
        let at = |eighths: i32| LearningRate::from_log10(f64::from(eighths) / f64::from(DENSITY));
        let coarse: Vec<i32> = (-6 * DENSITY..=2 * DENSITY).step_by(4).collect();
        self.run(&coarse.iter().map(|&k| at(k)).collect::<Vec<_>>(), 1);
        let cost = |k: &i32| self.mean_cost(at(*k), 1);
        let best = *coarse.iter().min_by(|a, b| cost(a).total_cmp(&cost(b))).expect("the grid is not empty");
        let (mut low, mut high) = (best - 8, best + 12);
        loop {
            self.grid = (low..=high).map(at).collect();
            self.run(&self.grid.clone(), self.seeds);
            let mean = |r: &LearningRate| self.mean_cost(*r, self.seeds);
            let best = (0..self.grid.len()).min_by(|&a, &b| mean(&self.grid[a]).total_cmp(&mean(&self.grid[b]))).unwrap_or(0);
            if best < 4 && low > -80 {
                low -= 4;
            } else if best + 8 > self.grid.len() && high < 40 {
                high += 4;
            } else {
                self.best = Some(self.grid[best]);
                break;
            }
        }
        let best = self.best.expect("set above");
        let mean_at = |i: usize| (0..self.seeds).filter_map(|s| self.curve(best, s)[i]).sum::<f64>() / self.seeds as f64;
        (self.initial, self.tenth) = (mean_at(0), mean_at(EVALUATIONS as usize / 10));
        self.least = self.mean_cost(best, self.seeds);
    }

    /// Makes the full runs at these rates, all together.
    pub(crate) fn prepare(&mut self, rates: &[LearningRate]) {
        let mut rates = rates.to_vec();
        rates.sort_by(|a, b| a.get().total_cmp(&b.get()));
        rates.dedup();
        self.run(&rates, self.seeds);
    }

    /// What the full runs at this rate did, which must have been made.
    pub(crate) fn known(&self, rate: LearningRate) -> Outcome {
        let cost = self.mean_cost(rate, self.seeds);
        let lost = self.least + self.span();
        let above = self.best.is_some_and(|best| rate > best);
        let is_bad = |seed: &u64| {
            let last = self.curve(rate, *seed)[EVALUATIONS as usize];
            last.is_none_or(|last| above && last > lost)
        };
        let target = 1.05 * self.least;
        let mean_curve = |i: usize| {
            (0..self.seeds).map(|s| self.curve(rate, s)[i].unwrap_or(f64::INFINITY)).sum::<f64>() / self.seeds as f64
        };
        let reached =
            (0..=EVALUATIONS as usize).find(|&i| mean_curve(i) <= target).map(|i| i as u64 * self.iterations / EVALUATIONS);
        let held: Vec<f64> =
            (0..self.seeds).filter_map(|s| self.runs[&name(&self.spec(rate, s))].evaluations.last()?.held_out).collect();
        Outcome {
            regret: (cost - self.least) / self.span(),
            ratio: (cost + PRECISION * self.initial) / (self.least + PRECISION * self.initial),
            unstable: (0..self.seeds).filter(is_bad).count() as u64,
            held_out: (held.len() as u64 == self.seeds).then(|| held.iter().sum::<f64>() / held.len() as f64),
            reached,
        }
    }

    /// The regret at a rate that was not run, from its neighbours on the grid: log J is linear in log ε between them. Rates
    /// outside the grid are run.
    pub(crate) fn interpolated(&mut self, rate: LearningRate) -> f64 {
        let Some(above) = self.grid.iter().position(|r| *r >= rate).filter(|&i| i > 0) else {
            self.prepare(&[rate]);
            return self.known(rate).regret;
        };
        let (low, high) = (self.grid[above - 1], self.grid[above]);
        let share = (rate.log10() - low.log10()) / (high.log10() - low.log10());
        let log = |r| (self.mean_cost(r, self.seeds) + PRECISION * self.initial).ln();
        let cost = (log(low) + share * (log(high) - log(low))).exp() - PRECISION * self.initial;
        (cost - self.least) / self.span()
    }

    /// J_ref − J*: what the best run gains in the last nine tenths. Where that is nearly nothing, 1 % of all that it gains.
    pub(crate) fn span(&self) -> f64 {
        (self.tenth - self.least).max(0.01 * (self.initial - self.least))
    }

    /// The highest grid rate below the first unstable one, and that one.
    pub(crate) fn threshold(&self) -> Option<(LearningRate, LearningRate)> {
        let best = self.best?;
        let first = self.grid.iter().position(|&r| r > best && self.known(r).unstable > 0)?;
        Some((self.grid[first - 1], self.grid[first]))
    }
}

/// What full runs at one rate came to, over all seeds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    pub(crate) regret: f64,
    pub(crate) ratio: f64,
    pub(crate) unstable: u64,
    pub(crate) held_out: Option<f64>,
    pub(crate) reached: Option<u64>,
}

fn name(spec: &TrialSpec) -> String {
    format!("{:e} {} {}", spec.learning_rate.get(), spec.seed, spec.iterations)
}
