//! What `check` says of rates against what full runs at them did.

use lrfind::report::CheckVerdict;
use serde::Serialize;

use super::{Check, Task};

/// A rate this far below the full runs' threshold, in decades, should pass: a factor of 2.
const WELL_BELOW: f64 = 0.301;

/// "Marginal" says that the threshold is no further than this, in decades.
const MARGINAL: f64 = 0.2;

/// Verdicts counted.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub(crate) struct Verdicts {
    pub(crate) safe: usize,
    pub(crate) marginal: usize,
    pub(crate) unstable: usize,
    pub(crate) inconclusive: usize,
}

impl Verdicts {
    fn of<'c>(checks: impl Iterator<Item = &'c Check>) -> Self {
        let mut counts = Self::default();
        for check in checks {
            *match check.verdict {
                CheckVerdict::Safe => &mut counts.safe,
                CheckVerdict::Marginal => &mut counts.marginal,
                CheckVerdict::Unstable => &mut counts.unstable,
                CheckVerdict::Inconclusive => &mut counts.inconclusive,
            } += 1;
        }
        counts
    }

    pub(crate) fn all(&self) -> usize {
        self.safe + self.marginal + self.unstable + self.inconclusive
    }

    /// Called unstable or too close to it.
    pub(crate) fn flagged(&self) -> usize {
        self.marginal + self.unstable
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Checks {
    /// Rates at which some full run is unstable.
    pub(crate) failing: Verdicts,
    /// Rates at least a factor of 2 below the threshold of the full runs; all stable ones where there is none.
    pub(crate) well_below: Verdicts,
    /// The stable rates between.
    pub(crate) near: Verdicts,
    pub(crate) all: Verdicts,
    /// Rates called marginal, and those of them further than 0.2 decades from the threshold of the full runs.
    pub(crate) marginal: usize,
    pub(crate) marginal_far: usize,
}

pub(super) fn checks(tasks: &[Task]) -> Checks {
    // Each with its distance from the middle of the full runs' bracket, in decades.
    let measured = |task: &Task| {
        let threshold = task.hindsight.threshold.map(|[stable, unstable]| (stable * unstable).sqrt());
        task.checks.iter().map(move |c| (*c, threshold.map(|t| (c.rate / t).log10()))).collect::<Vec<_>>()
    };
    let all: Vec<(Check, Option<f64>)> = tasks.iter().flat_map(measured).collect();
    let is_well_below = |distance: Option<f64>| distance.is_none_or(|d| d < -WELL_BELOW);
    let count = |chosen: &dyn Fn(&Check, Option<f64>) -> bool| {
        Verdicts::of(all.iter().filter(|(check, distance)| chosen(check, *distance)).map(|(check, _)| check))
    };
    let far = |&(check, distance): &(Check, Option<f64>)| {
        check.verdict == CheckVerdict::Marginal && distance.is_none_or(|d| d.abs() > MARGINAL)
    };
    let everything = count(&|_, _| true);
    Checks {
        failing: count(&|c, _| c.unstable > 0),
        well_below: count(&|c, d| c.unstable == 0 && is_well_below(d)),
        near: count(&|c, d| c.unstable == 0 && !is_well_below(d)),
        all: everything,
        marginal: everything.marginal,
        marginal_far: all.iter().filter(|m| far(m)).count(),
    }
}
