//! Where a trial stands once its rate has fallen.
//!
//! At a steady rate a trial ends on a noise floor that grows with the rate, and the floor hides what was learnt: a steady trial
//! speaks for rates that are too low. The planned run decays, and loses that floor. So the longer trials end with a tail in which
//! the rate falls as in the run, though not below a hundredth, and the loss on the probe set after it, which no mini-batch blurs, is their
//! settled cost.

use std::collections::{BTreeMap, BTreeSet};

use super::curve::mean;
use super::judge::rates_of;
use crate::lr::LearningRate;
use crate::record::{Outcome, ProbePoint, TrialRecord};

/// Costs that differ by less than this share of what was learnt are the same: where the best rate has reached its floor, every
/// stable rate is a little above it.
pub(super) const SAME: f64 = 0.01;

/// A trial that settles above the first of these shares of what a constant prediction costs predicts the same for every example, and is
/// lost if another has learnt enough to settle below the second. On 70 tasks drawn at random `check` flags 300 of 318 rates at which
/// full runs fail with it and longer trials where nothing is learnt, and 297 without, and passes 410 of 419 far below instead of 407.
pub(super) const DEAD: f64 = 0.99;
const LEARNT: f64 = 0.95;

/// The loss on the probe set after the tail; `None` where there was no tail, or the loss is not finite.
pub fn settled_cost(trial: &TrialRecord) -> Option<f64> {
    trial.spec.recovery?;
    ProbePoint::loss_after(trial.spec.total_iterations(), &trial.probe)
}

/// Rates and the mean over seeds of their settled costs, the lowest first. Seeds differ, so rates are compared over the same ones: all
/// over those that every rate was tried with, and then those that were tried with as many as the best of these, over all of its. None
/// from the first with a loss that is not finite upwards.
pub fn settled_ranking(trials: &[&TrialRecord]) -> Vec<(LearningRate, f64)> {
    let mut settled: Vec<(LearningRate, BTreeMap<u64, f64>)> = Vec::new();
    for rate in rates_of(trials.iter().copied()) {
        let at = || trials.iter().filter(|t| t.spec.learning_rate == rate && t.is_finished());
        if at().any(|t| matches!(t.outcome, Outcome::Diverged { .. })) {
            break;
        }
        let costs: Option<BTreeMap<u64, f64>> = at().map(|t| Some((t.spec.seed, settled_cost(t)?))).collect();
        settled.extend(costs.filter(|costs| !costs.is_empty()).map(|costs| (rate, costs)));
    }
    let over = |seeds: &BTreeSet<u64>| {
        let mean_of = |costs: &BTreeMap<u64, f64>| {
            let costs: Option<Vec<f64>> = seeds.iter().map(|seed| costs.get(seed).copied()).collect();
            costs.map(|costs| mean(&costs))
        };
        let costs = settled.iter().filter_map(|(rate, costs)| Some((*rate, mean_of(costs)?)));
        let mut ranking: Vec<(LearningRate, f64)> = costs.collect();
        ranking.sort_by(|a, b| a.1.total_cmp(&b.1));
        ranking
    };
    let seeds_of = |(_, costs): &(LearningRate, BTreeMap<u64, f64>)| costs.keys().copied().collect::<BTreeSet<u64>>();
    let Some(shared) = settled.iter().map(seeds_of).reduce(|shared, seeds| &shared & &seeds) else { return Vec::new() };
    let best = if shared.is_empty() { None } else { over(&shared).first().map(|(rate, _)| *rate) };
    // Without a seed in common, the rate with the most says over which.
    let leaders = settled.iter().filter(|(rate, _)| best.is_none_or(|best| best == *rate));
    over(&leaders.max_by_key(|(_, costs)| costs.len()).map(seeds_of).unwrap_or_default())
}

/// The least over rates of the worst settled cost of a seed, however many seeds were tried.
fn lowest_cost(trials: &[&TrialRecord]) -> Option<f64> {
    let worst = |rate: LearningRate| {
        let at = trials.iter().filter(|t| t.spec.learning_rate == rate);
        at.filter_map(|t| settled_cost(t)).reduce(f64::max)
    };
    rates_of(trials.iter().copied()).into_iter().filter_map(worst).reduce(f64::min)
}

/// What a longer trial must settle at, or it has lost for good nearly all that it was given beyond a short one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SettledLevel {
    /// The rate that reached it, in a fifth of the length. Lower ones may be as slow as they are.
    pub learning_rate: LearningRate,
    /// The cost.
    pub cost: f64,
}

impl SettledLevel {
    /// What the best early rate reached in a fifth of the length of `long`: what `yardsticks` settled at, or less where a trial of
    /// `short` had shown less before its yardstick was lost. `None` where no yardstick has a tail.
    pub fn new(
        best_early: LearningRate,
        yardsticks: &[&TrialRecord],
        short: &[&TrialRecord],
        long: &[&TrialRecord],
        constant_cost: Option<f64>,
    ) -> Option<Self> {
        let at_best = || yardsticks.iter().filter(|t| t.spec.learning_rate == best_early);
        let shown_before = |yardstick: &TrialRecord| {
            let begun =
                short.iter().filter(|t| t.spec.iterations <= yardstick.spec.iterations && t.spec.begins(&yardstick.spec));
            begun.filter_map(|t| ProbePoint::loss_after(t.spec.iterations, &t.probe)).reduce(f64::min)
        };
        let reached_by = |t: &TrialRecord| settled_cost(t).map(|cost| shown_before(t).map_or(cost, |shown| shown.min(cost)));
        let reached = at_best().filter_map(|t| reached_by(t)).reduce(f64::max)?;
        let initial = at_best().filter_map(|t| t.probe.first()?.loss).reduce(f64::max)?;
        // Where all longer trials settle above what the short ones reached, they are all lost.
        let floor = lowest_cost(long).map_or(reached, |lowest| lowest.min(reached));
        let cost = (floor + SAME * (initial - floor)).max(reached);
        // Where the initial loss is huge, even the best rate has not come down to the loss of a dead network after a fifth.
        let dead = constant_cost.filter(|constant| floor < LEARNT * constant).map(|constant| DEAD * constant);
        Some(Self { learning_rate: best_early, cost: dead.map_or(cost, |dead| cost.min(dead)) })
    }

    /// Whether a trial with a tail is lost.
    pub fn is_missed_by(&self, trial: &TrialRecord) -> bool {
        let is_above = || settled_cost(trial).is_none_or(|cost| cost > self.cost);
        trial.spec.recovery.is_some() && trial.spec.learning_rate >= self.learning_rate && is_above()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Recovery, TrialSpec};

    #[test]
    fn rates_are_compared_over_the_seeds_that_they_share() {
        let rate = |value| LearningRate::new(value).unwrap();
        let settled = |value: f64, seed: u64, cost: f64| {
            let recovery = Some(Recovery { learning_rate: rate(value / 100.0), iterations: 10 });
            let spec = TrialSpec { recovery, ..TrialSpec::steady(rate(value), seed, 40) };
            let probe = vec![ProbePoint { iteration: 50, loss: Some(cost) }];
            TrialRecord { probe, ..TrialRecord::blank(spec, Outcome::Completed) }
        };
        let ranking = |trials: &[TrialRecord]| {
            let ranking = settled_ranking(&trials.iter().collect::<Vec<_>>());
            ranking.into_iter().map(|(rate, cost)| (rate.get(), cost)).collect::<Vec<_>>()
        };
        // One was tried with a second seed, which is a hard one.
        let mut trials = vec![settled(0.1, 0, 0.3), settled(0.2, 0, 0.1), settled(0.4, 0, 0.2), settled(0.4, 1, 0.9)];
        assert_eq!(ranking(&trials), [(0.2, 0.1), (0.4, 0.2), (0.1, 0.3)]);
        trials.push(settled(0.2, 1, 0.3));
        assert_eq!(ranking(&trials), [(0.2, 0.2), (0.4, 0.55)], "once the best was too, those two");
        trials.push(settled(0.4, 2, 0.0));
        assert_eq!(ranking(&trials), [(0.2, 0.2), (0.4, 0.55)], "over the seeds of the best");
        assert_eq!(ranking(&[settled(0.1, 0, 0.3), settled(0.2, 1, 0.1)]).len(), 1, "none in common");
    }
}
