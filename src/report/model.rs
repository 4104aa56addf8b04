//! The report as data: what `report.json` holds, and all that the renderers may draw from.

use serde::{Deserialize, Serialize};

pub use crate::analysis::Verdict;
use crate::record::{Outcome, ProbePoint, Recovery};
use crate::schedule::Schedule;

/// The version of the layout of `report.json`. A key that exists keeps its meaning; new keys may come.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything that `find` or `check` learned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field's type says it")]
pub struct Report {
    pub schema_version: u32,
    pub tool: Tool,
    pub name: String,
    pub status: Status,
    /// The resolved plan.
    pub config: serde_json::Value,
    /// SHA-256 of the compact JSON of `config`.
    pub config_sha256: String,
    /// The SHA-256 of what the trials read, by [`Objective::inputs_sha256`](crate::trial::Objective::inputs_sha256).
    #[serde(default)]
    pub inputs_sha256: Option<String>,
    pub seeds: Vec<u64>,
    pub device: String,
    pub run: RunFacts,
    pub best_early: Finding,
    pub instability: Instability,
    pub recommendation: Recommendation,
    pub schedule: Option<ScheduleReport>,
    pub check: Option<Check>,
    pub trials: Vec<Trial>,
    pub warnings: Vec<Warning>,
    pub cost: Cost,
    /// Set where the trials are recorded curves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curves: Option<CurvesReport>,
}

impl Report {
    /// Iterations from one loss of a trial to the next: 1, but for recorded curves.
    pub fn steps_per_loss(&self) -> u64 {
        self.curves.as_ref().map_or(1, |curves| curves.steps_per_loss.max(1))
    }
}

/// Who wrote the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field's type says it")]
pub struct Tool {
    pub name: String,
    pub version: String,
}

/// Whether the search ran to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It did.
    Complete,
    /// It was interrupted; what was finished is here.
    Partial,
}

/// Sizes of the planned run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFacts {
    /// The optimiser, for a person: "SGD with momentum 0.9".
    pub optimizer: String,
    /// The model, for a person: "MLP 64-64-64-10, ReLU".
    pub model: String,
    /// Trainable parameters.
    pub parameters: usize,
    /// Examples in the training part; 0 when there is no data set.
    pub examples: usize,
    /// Examples in a mini-batch.
    pub batch_size: usize,
    /// Iterations of the planned long run; `None` when not known.
    pub planned_iterations: Option<u64>,
    /// Iterations of a short trial.
    pub short_iterations: u64,
    /// Iterations of a longer trial; 0 where recorded curves are too short for one.
    pub long_iterations: u64,
}

/// The best early rate, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "BestEarlyKeys", into = "BestEarlyKeys")]
pub struct Finding {
    /// The rate and its loss.
    pub value: Option<BestEarly>,
    /// Why there is none; `None` when there is one.
    pub reason: Option<String>,
}

/// `best_early` as `report.json` has it: the same keys whether there is a rate or not.
#[derive(Serialize, Deserialize)]
struct BestEarlyKeys {
    learning_rate: Option<f64>,
    iterations: Option<u64>,
    loss: Option<Spread>,
    reason: Option<String>,
}

impl From<Finding> for BestEarlyKeys {
    fn from(finding: Finding) -> Self {
        let best = finding.value.as_ref();
        Self {
            learning_rate: best.map(|b| b.learning_rate),
            iterations: best.map(|b| b.iterations),
            loss: best.map(|b| b.loss),
            reason: finding.reason,
        }
    }
}

impl From<BestEarlyKeys> for Finding {
    fn from(keys: BestEarlyKeys) -> Self {
        let value = keys.learning_rate.zip(keys.iterations).zip(keys.loss);
        let value = value.map(|((learning_rate, iterations), loss)| BestEarly { learning_rate, iterations, loss });
        Self { value, reason: keys.reason }
    }
}

/// The rate that does best over the first iterations.
#[derive(Debug, Clone, PartialEq)]
pub struct BestEarly {
    /// The rate.
    pub learning_rate: f64,
    /// After how many iterations it is best.
    pub iterations: u64,
    /// Its loss then, over the seeds.
    pub loss: Spread,
}

/// Median and extremes over seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field's name says it")]
pub struct Spread {
    pub median: f64,
    pub low: f64,
    pub high: f64,
}

/// Where training becomes unstable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Instability {
    /// The highest rate tried below `first_unstable`: stable for every seed.
    pub last_stable: Option<f64>,
    /// The lowest rate that was unstable for some seed.
    pub first_unstable: Option<f64>,
    /// The geometric middle of the two.
    pub threshold: Option<f64>,
    /// The width to which the bracket was to be bisected, in decades.
    pub resolution_decades: f64,
    /// Posterior of the rate at which half the seeds are unstable: 5 %, 50 % and 95 % quantiles.
    pub interval: Option<Interval>,
    /// Where the threshold of full runs lies with 90 % probability, as measured on the benchmark's tasks.
    #[serde(default)]
    pub full_run_interval: Option<RateInterval>,
    /// Why trials above were called unstable, one line per rate.
    pub evidence: Vec<Evidence>,
    /// Set when the threshold lies outside what was tried.
    pub censored: Option<Censored>,
}

/// Quantiles of a posterior.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field's name says it")]
pub struct Interval {
    pub low: f64,
    pub median: f64,
    pub high: f64,
    /// Probability that the threshold lies between `low` and `high`.
    pub confidence: f64,
}

/// The trials of one rate and length, judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The rate.
    pub learning_rate: f64,
    /// Length of the trials.
    pub iterations: u64,
    /// Trials judged.
    pub seeds: usize,
    /// Of these, unstable.
    pub unstable: usize,
    /// The most common reason among the unstable ones.
    pub reason: Option<Verdict>,
}

/// The side on which the threshold lies outside the rates tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each name says it")]
pub enum Censored {
    AboveRange,
    BelowRange,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recommendation {
    /// ε₀; `None` when the trials do not support one, and then `because` says why.
    pub learning_rate: Option<f64>,
    /// The lowest rate about as good.
    pub low: Option<f64>,
    /// The highest rate about as good and still at the safety factor below the threshold.
    pub high: Option<f64>,
    /// Threshold ÷ recommendation; `None` when no threshold was found.
    pub headroom: Option<f64>,
    /// Estimated probability that a full run at this rate becomes unstable.
    pub p_unstable: Option<f64>,
    /// The reasons, in the order they were applied, one sentence each.
    pub because: Vec<String>,
}

impl Recommendation {
    /// No recommendation, for this reason.
    pub fn none(reason: String) -> Self {
        Self { learning_rate: None, low: None, high: None, headroom: None, p_unstable: None, because: vec![reason] }
    }
}

/// The schedule to paste.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScheduleReport {
    /// "linear", "cosine", ….
    pub kind: String,
    /// ε₀.
    pub initial: f64,
    /// The rate when the run ends.
    #[serde(rename = "final")]
    pub final_rate: f64,
    /// τ in iterations.
    pub decay_iterations: u64,
    /// τ in epochs.
    pub decay_epochs: f64,
    /// The shape itself.
    pub shape: Schedule,
}

impl ScheduleReport {
    /// τ in epochs, unless that says nothing: the run of a script that was told no epochs counts as one.
    pub fn epochs(&self) -> Option<f64> {
        Some(self.decay_epochs).filter(|epochs| epochs.is_finite() && *epochs != 1.0)
    }
}

/// What `check` says of the configured rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// The rate judged.
    pub learning_rate: f64,
    /// The judgement.
    pub verdict: CheckVerdict,
    /// Trials at that rate that were unstable.
    pub unstable_seeds: usize,
    /// Trials at that rate.
    pub seeds: usize,
    /// A rate that would be safe; `None` when none was found, or when this one is.
    pub safe_learning_rate: Option<f64>,
    /// What was seen, one sentence each, most important first.
    pub findings: Vec<String>,
}

/// `check`'s answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckVerdict {
    /// Stable, and stable at the margin above.
    Safe,
    /// Stable, but unstable at the margin above.
    Marginal,
    /// Unstable for at least one seed.
    Unstable,
    /// The trials do not tell.
    Inconclusive,
}

/// One trial as reported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "see TrialSpec and TrialRecord")]
pub struct Trial {
    pub learning_rate: f64,
    pub seed: u64,
    pub iterations: u64,
    pub recovery: Option<Recovery>,
    pub outcome: Outcome,
    pub verdict: Verdict,
    pub losses: Vec<f64>,
    pub probe: Vec<ProbePoint>,
}

/// What `analyze` read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurvesReport {
    /// Files.
    pub files: usize,
    /// Rows in them.
    pub rows: u64,
    /// Of these, without a loss.
    pub rows_without_loss: u64,
    /// Training runs.
    pub curves: usize,
    /// The columns that were read, once for each choice that differs between files.
    pub columns: Vec<CurveColumns>,
    /// What the seeds 0, 1, … are called in the files; empty where seeds are numbers there.
    pub seed_names: Vec<String>,
    /// The step from which iterations are counted.
    pub first_step: u64,
    /// Iterations from one of a trial's `losses` to the next.
    pub steps_per_loss: u64,
}

/// The names of the columns that were read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurveColumns {
    /// The learning rate.
    pub learning_rate: String,
    /// The seed; `None` where the files are the seeds.
    pub seed: Option<String>,
    /// The step.
    pub step: String,
    /// The loss.
    pub loss: String,
}

/// Something the user should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Stable identifier, kebab-case.
    pub code: String,
    /// What was seen.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// What the answer cost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Optimiser steps over all trials.
    pub trial_iterations: u64,
    /// That as a share of the planned run.
    pub share_of_planned_run: Option<f64>,
}

/// Two rates with a quantity between them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RateInterval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The probability that the quantity lies between them.
    pub confidence: f64,
}
