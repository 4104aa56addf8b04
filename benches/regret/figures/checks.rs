//! What `check` says of rates against what full runs at them did.

use lrfind::report::CheckVerdict;
use serde::Serialize;

use super::statistics::median;
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
    /// Rates at which every run is stable in the end, but some rises above its initial cost on the way: the violent oscillations
    /// that the book warns of (Goodfellow et al. 2016, §8.3.1), which the decay then tames. Neither verdict on them is wrong.
    pub(crate) violent: Verdicts,
    /// Rates at least a factor of 2 below the threshold of the full runs, and below any violent rate; all other stable ones where
    /// there is none.
    pub(crate) well_below: Verdicts,
    /// The stable rates between.
    pub(crate) near: Verdicts,
    pub(crate) all: Verdicts,
    /// Median cost of a check that passes, and of one that flags and looks for a safe rate, in trial-iterations.
    pub(crate) cost_of_passing: Option<f64>,
    pub(crate) cost_of_flagging: Option<f64>,
    /// Rates called marginal, and those of them further than 0.2 decades from the threshold of the full runs.
    pub(crate) marginal: usize,
    pub(crate) marginal_far: usize,
}

pub(super) fn checks(tasks: &[Task]) -> Checks {
    // Each with its distance in decades from the middle of the full runs' bracket, and from the lowest violent rate where that is less.
    let measured = |task: &Task| {
        let threshold = task.hindsight.threshold.map(|[stable, unstable]| (stable * unstable).sqrt());
        let violent = task.checks.iter().filter(|c| c.violent > 0).map(|c| c.rate);
        let rough = violent.chain(threshold).reduce(f64::min);
        let decades = |c: &Check, from: Option<f64>| from.map(|from| (c.rate / from).log10());
        task.checks.iter().map(move |c| (*c, decades(c, threshold), decades(c, rough))).collect::<Vec<_>>()
    };
    let all: Vec<(Check, Option<f64>, Option<f64>)> = tasks.iter().flat_map(measured).collect();
    let is_calm = |c: &Check| c.unstable == 0 && c.violent == 0;
    let is_well_below = |distance: Option<f64>| distance.is_none_or(|d| d < -WELL_BELOW);
    let count = |chosen: &dyn Fn(&Check, Option<f64>) -> bool| {
        Verdicts::of(all.iter().filter(|(check, _, rough)| chosen(check, *rough)).map(|(check, ..)| check))
    };
    let cost = |passes: bool| {
        let of_kind = all.iter().filter(|(check, ..)| (check.verdict == CheckVerdict::Safe) == passes);
        median(&of_kind.map(|(check, ..)| check.trial_iterations as f64).collect::<Vec<_>>())
    };
    let far = |&(check, distance, _): &(Check, Option<f64>, Option<f64>)| {
        check.verdict == CheckVerdict::Marginal && distance.is_none_or(|d| d.abs() > MARGINAL)
    };
    let everything = count(&|_, _| true);
    Checks {
        failing: count(&|c, _| c.unstable > 0),
        violent: count(&|c, _| c.unstable == 0 && c.violent > 0),
        well_below: count(&|c, d| is_calm(c) && is_well_below(d)),
        near: count(&|c, d| is_calm(c) && !is_well_below(d)),
        all: everything,
        cost_of_passing: cost(true),
        cost_of_flagging: cost(false),
        marginal: everything.marginal,
        marginal_far: all.iter().filter(|m| far(m)).count(),
    }
}
