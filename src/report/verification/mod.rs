//! Full runs as data: what `verify.json` holds, and what its text and its plot are drawn from.

#[cfg(test)]
pub(crate) mod sample;
mod text;

pub use text::{headline, render as text};

use serde::{Deserialize, Serialize};

use super::{Cost, Status, Tool, Verdict, Warning, json};
pub use crate::analysis::full_runs::{Answer, Paid};
use crate::record::Outcome;
use crate::schedule::Schedule;

/// The version of the layout of `verify.json`. A key that exists keeps its meaning; new keys may come.
pub const SCHEMA_VERSION: u32 = 1;

/// What full runs say of a recommendation.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each field's type says it")]
pub struct Verification {
    pub schema_version: u32,
    pub tool: Tool,
    pub name: String,
    pub status: Status,
    /// The resolved plan.
    pub config: serde_json::Value,
    /// SHA-256 of the compact JSON of `config`.
    pub config_sha256: String,
    pub device: String,
    pub run: FullRunFacts,
    pub warnings: Vec<Warning>,
    pub verdict: HoldVerdict,
    pub claim: Option<ClaimReport>,
    /// One for each rate, ascending.
    pub rates: Vec<RateReport>,
    pub cost: Cost,
}

/// How the runs were made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FullRunFacts {
    /// Iterations of a run.
    pub iterations: u64,
    /// That as a share of the planned run, into which its schedule was squeezed.
    pub fraction: f64,
    /// The schedule of the runs.
    pub schedule: Schedule,
    /// What their costs are means of.
    pub costs_of: CostsOf,
    /// The seeds, none of which any trial of the search has.
    pub seeds: Vec<u64>,
    /// After how many iterations the whole data were evaluated.
    pub evaluated_at: Vec<u64>,
}

/// What a cost is the mean of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CostsOf {
    /// The losses of all examples.
    WholeData,
    /// The losses that a script printed for its steps since the evaluation before.
    Steps,
}

/// Whether the recommendation held.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HoldVerdict {
    /// The answer.
    pub answer: Answer,
    /// The recommended rate.
    pub learning_rate: f64,
    /// The rate of the least cost; `None` where no seed finished at every rate, or nothing was learnt.
    pub best_learning_rate: Option<f64>,
    /// How far the recommended rate ends above the best one, in units of what the best one gains after the first tenth of the run.
    pub regret: Option<f64>,
    /// Its cost over that of the best.
    pub cost_ratio: Option<f64>,
    /// Seeds that finished at every rate; costs are compared over these.
    pub seeds_compared: usize,
    /// The lowest rate tested at which some run is unstable.
    pub first_unstable: Option<f64>,
}

/// Whether a rate above the best early one would have paid.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClaimReport {
    /// The answer.
    pub paid: Paid,
    /// The best early rate.
    pub best_early: f64,
    /// The best of the rates tested above it; an unstable one only where all are unstable.
    pub higher: f64,
    /// How much lower `higher` ends, in the unit of `regret`: the mean over the seeds.
    pub saving: f64,
    /// The lower end of Student's 90 % interval of `saving`; `None` for a single seed.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// The cost of `higher` over that of `best_early`.
    pub cost_ratio: Option<f64>,
    /// Seeds for which `higher` ends lower.
    pub better_seeds: usize,
    /// Seeds compared.
    pub seeds_compared: usize,
}

/// What makes a rate worth a full run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The answer of `find`.
    Recommended,
    /// In the config.
    Configured,
    /// Best in the short trials.
    BestEarly,
    /// The highest rate below the instability threshold at which all trials were stable.
    BelowThreshold,
    /// Asked for.
    Requested,
}

impl Role {
    /// The role for a person.
    pub fn words(self) -> &'static str {
        match self {
            Self::Recommended => "recommended",
            Self::Configured => "configured",
            Self::BestEarly => "best early",
            Self::BelowThreshold => "just below the threshold",
            Self::Requested => "requested",
        }
    }
}

/// The runs at one rate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RateReport {
    /// The rate.
    pub learning_rate: f64,
    /// What it is, most important first.
    pub roles: Vec<Role>,
    /// Mean final cost on the training set over the seeds compared; a diverged run counts as one that learnt nothing.
    pub training_cost: Option<f64>,
    /// The same on the held-out examples; `None` where there are none, or some run did not get there.
    pub held_out_cost: Option<f64>,
    /// The training cost over that of the best rate.
    pub cost_ratio: Option<f64>,
    /// See [`HoldVerdict::regret`].
    pub regret: Option<f64>,
    /// Runs that finished.
    pub finished: usize,
    /// Of these, unstable.
    pub unstable: usize,
    /// Iterations until the mean training cost is within 5 % of the best rate's final one, as finely as `evaluated_at` tells.
    pub iterations_to_best: Option<u64>,
    /// The runs, by seed.
    pub runs: Vec<RunReport>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunReport {
    /// Its seed.
    pub seed: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it is unstable; `None` where it is not, or did not finish.
    pub unstable: Option<Verdict>,
    /// The cost on the whole training set at each of `evaluated_at`; shorter where the run ended early, `None` where not finite.
    pub training_costs: Vec<Option<f64>>,
    /// The same on the held-out examples.
    pub held_out_costs: Vec<Option<f64>>,
}

impl Verification {
    /// The row of the rate in this role.
    pub fn rate_of(&self, role: Role) -> Option<&RateReport> {
        self.rates.iter().find(|rate| rate.roles.contains(&role))
    }

    /// The verification as pretty JSON, with a newline at the end. The same verification gives the same bytes.
    ///
    /// # Errors
    /// When its `config` cannot be written as JSON.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        json::pretty(self)
    }
}
