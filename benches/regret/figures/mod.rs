//! What the benchmark measures, as plain data, and all that is computed from it. The tables and plots can be made anew from the
//! data alone.

mod agreement;
mod calibration;
mod checks;
mod costs;
mod doubts;
mod markdown;
mod order;
mod standings;
mod statistics;
mod thresholds;

pub(crate) use agreement::Agreement;
pub(crate) use calibration::{Bin, Calibration, FACTORS, Multiple, Risks};
pub(crate) use checks::Checks;
pub(crate) use costs::Costs;
pub(crate) use markdown::{markdown, short};
pub(crate) use order::Order;
pub(crate) use standings::{LONGEST, Line, ratios, regrets, share_within};
pub(crate) use statistics::wilson;
pub(crate) use thresholds::{Coverage, Thresholds};

use lrfind::report::CheckVerdict;
use serde::{Deserialize, Serialize};

/// The name of the search that makes the trials of ours at all rates.
pub(crate) const EXHAUSTIVE: &str = "exhaustive trials";

/// All that is known of one task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Task {
    /// A or B, by a hash of the name that no one chose: settings are tuned on one half at most.
    pub(crate) half: char,
    pub(crate) name: String,
    pub(crate) hindsight: Hindsight,
    /// One for each rule; ours is the first.
    pub(crate) rows: Vec<Row>,
    /// Our own reports, one for each repetition.
    pub(crate) reports: Vec<OwnReport>,
    /// The risk stated by the first of them at rates around its recommendation.
    pub(crate) risks: Vec<Risk>,
    /// What `check` says of rates of the grid.
    pub(crate) checks: Vec<Check>,
}

/// What full runs at a dense grid of rates show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Hindsight {
    /// Iterations of a full run.
    pub(crate) iterations: u64,
    /// Full runs at each rate.
    pub(crate) seeds: u64,
    /// The ends of the grid.
    pub(crate) grid: [f64; 2],
    /// The rate with the least final cost.
    pub(crate) best: f64,
    /// The lowest and the highest rate of the grid around it whose costs are above its own by no more than 0.1 % of the initial cost;
    /// contiguous.
    pub(crate) as_good: [f64; 2],
    pub(crate) costs: Costs,
    /// The best rate's held-out cost at the end.
    pub(crate) held_out: Option<f64>,
    /// Iterations after which the best rate's runs reach the target cost.
    pub(crate) reached: Option<u64>,
    /// Neighbours on the grid above the best rate: all seeds are stable at the first, some seed is not at the second.
    pub(crate) threshold: Option<[f64; 2]>,
    /// The same for half of the seeds.
    pub(crate) half_threshold: Option<[f64; 2]>,
}

/// One rule on one task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) contestant: String,
    /// One for each repetition, with other seeds of the trials.
    pub(crate) answers: Vec<Answer>,
    /// Full runs at the first answer, and how many of them were unstable.
    pub(crate) runs: u64,
    pub(crate) unstable: u64,
    /// Their held-out cost at the end; `None` where a run diverged or nothing was held out.
    pub(crate) held_out: Option<f64>,
    /// Iterations after which they reach the target cost.
    pub(crate) reached: Option<u64>,
}

/// What a rule answers, and what comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// `None` where the rule has no answer: then the framework's default is used.
    pub(crate) rate: Option<f64>,
    /// Training cost of full runs at the rate, meant over seeds.
    pub(crate) cost: f64,
    /// Whether that was read off the neighbours on the grid.
    pub(crate) interpolated: bool,
    pub(crate) trial_iterations: u64,
}

/// What one of our own reports says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct OwnReport {
    pub(crate) best_early: Option<f64>,
    pub(crate) recommended: Option<f64>,
    pub(crate) first_unstable: Option<f64>,
    /// The threshold of the trials.
    pub(crate) threshold: Option<f64>,
    /// The 90 % interval of the rate at which half of the trials are unstable.
    pub(crate) interval: Option<[f64; 2]>,
    /// The 90 % interval of the lowest rate at which a full run is unstable.
    pub(crate) full_run_interval: Option<[f64; 2]>,
    /// Where less is recommended than the best early rate: the reason given.
    pub(crate) lower_because: Option<String>,
}

/// A stated probability and what happened.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Risk {
    /// Rate ÷ recommendation, one of [`FACTORS`].
    pub(crate) factor: f64,
    /// Probability that a full run is unstable; `None` where none is stated.
    pub(crate) p: Option<f64>,
    pub(crate) unstable: u64,
    pub(crate) runs: u64,
}

/// One verdict of `check`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Check {
    pub(crate) rate: f64,
    pub(crate) verdict: CheckVerdict,
    /// Probability that a full run is unstable, as the trials of the check have it.
    pub(crate) p: Option<f64>,
    pub(crate) unstable: u64,
    /// Runs whose cost was above the initial one after the first tenth, whether or not it came down in the end.
    pub(crate) violent: u64,
    pub(crate) runs: u64,
    pub(crate) trial_iterations: u64,
}

/// Everything computed from the tasks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Summary {
    pub(crate) lines: Vec<Line>,
    pub(crate) agreement: Option<Agreement>,
    pub(crate) order: Order,
    pub(crate) thresholds: Thresholds,
    pub(crate) risks: Risks,
    pub(crate) checks: Checks,
    /// Tasks whose ground truth is doubtful, and why.
    pub(crate) doubts: Vec<(String, Vec<String>)>,
}

pub(crate) fn summary(tasks: &[Task]) -> Summary {
    Summary {
        lines: standings::lines(tasks),
        agreement: agreement::agreement(tasks),
        order: order::order(tasks),
        thresholds: thresholds::thresholds(tasks),
        risks: calibration::risks(tasks),
        checks: checks::checks(tasks),
        doubts: doubts::doubts(tasks),
    }
}
