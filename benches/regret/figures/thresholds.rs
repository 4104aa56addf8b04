//! The threshold of the trials against that of full runs.

use serde::Serialize;

use super::statistics::{mean, median};
use super::{Hindsight, OwnReport, Task};

/// Over all reports on tasks whose full runs show a threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Thresholds {
    /// Reports with a threshold to compare.
    pub(crate) reports: usize,
    /// Mean and median absolute value of log₁₀(reported threshold ÷ middle of the full runs' bracket).
    pub(crate) error: Option<f64>,
    pub(crate) absolute_error: Option<f64>,
    /// The interval of the rate at which half of the trials are unstable, which promises nothing for half of the full runs.
    pub(crate) trials: Coverage,
    /// The interval of the lowest rate at which a full run is unstable.
    pub(crate) full_runs: Coverage,
}

/// How often an interval meets the bracket of full runs that it speaks of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Coverage {
    pub(crate) intervals: usize,
    pub(crate) covering: usize,
    /// Median width in decades.
    pub(crate) width: Option<f64>,
}

pub(super) fn thresholds(tasks: &[Task]) -> Thresholds {
    let reports = || tasks.iter().flat_map(|t| t.reports.iter().map(move |r| (t, r)));
    let error = |(task, report): (&Task, &OwnReport)| {
        let [stable, unstable] = task.hindsight.threshold?;
        Some((report.threshold? / (stable * unstable).sqrt()).log10())
    };
    let errors: Vec<f64> = reports().filter_map(error).collect();
    let absolute: Vec<f64> = errors.iter().map(|e| e.abs()).collect();
    let coverage = |bracket: fn(&Hindsight) -> Option<[f64; 2]>, interval: fn(&OwnReport) -> Option<[f64; 2]>| {
        let pairs: Vec<_> = reports().filter_map(|(t, r)| bracket(&t.hindsight).zip(interval(r))).collect();
        let widths: Vec<f64> = pairs.iter().map(|(_, [low, high])| (high / low).log10()).collect();
        // The full runs' threshold lies somewhere in its bracket: an interval that meets the bracket covers it.
        let covering = pairs.iter().filter(|([stable, unstable], [low, high])| low <= unstable && high >= stable).count();
        Coverage { intervals: pairs.len(), covering, width: median(&widths) }
    };
    Thresholds {
        reports: errors.len(),
        error: (!errors.is_empty()).then(|| mean(&errors)),
        absolute_error: median(&absolute),
        trials: coverage(|h| h.half_threshold, |r| r.interval),
        full_runs: coverage(|h| h.threshold, |r| r.full_run_interval),
    }
}
