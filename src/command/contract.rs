//! What a script owes the search, read off the trials: that its losses follow from the rate and the seed, and from nothing else.

use crate::lr::LearningRate;
use crate::record::{Outcome, TrialRecord};

/// Fewer losses than this may be alike by the digits printed: the first is the same at every rate, and the next ones nearly so.
const ENOUGH_LOSSES: usize = 5;

/// Fewer rates than this say nothing.
const ENOUGH_RATES: usize = 3;

/// The lowest and the highest rate tried, if the losses were the same at all of them. Call it with the trials of whole stages:
/// neighbouring rates alone may give what looks the same.
pub fn ignored_rates(trials: &[TrialRecord]) -> Option<(LearningRate, LearningRate)> {
    let told = |t: &&TrialRecord| t.is_finished() && t.losses.len() >= ENOUGH_LOSSES;
    let told: Vec<&TrialRecord> = trials.iter().filter(told).collect();
    let same_kind = |a: &TrialRecord, b: &TrialRecord| (a.spec.seed, a.spec.iterations) == (b.spec.seed, b.spec.iterations);
    let first = told.iter().find(|a| told.iter().filter(|b| same_kind(a, b)).count() >= ENOUGH_RATES)?;
    let alike = told.iter().all(|a| told.iter().all(|b| !same_kind(a, b) || a.own_losses() == b.own_losses()));
    let (lowest, highest) = span(told.iter().copied().filter(|t| same_kind(first, t)))?;
    (alike && lowest < highest).then_some((lowest, highest))
}

/// The lowest and the highest rate of some trials.
fn span<'t>(trials: impl Iterator<Item = &'t TrialRecord>) -> Option<(LearningRate, LearningRate)> {
    let rates = trials.map(|t| (t.spec.learning_rate, t.spec.learning_rate));
    rates.reduce(|(low, high), (rate, _)| (if rate < low { rate } else { low }, if rate > high { rate } else { high }))
}

/// Rates this far apart, lowest to highest, train differently in any script that uses them.
const APART: f64 = 100.0;

/// Squared differences between trials of the same rate and seed, in multiples of their mean, up to which they are chance.
const CHANCE: f64 = 2.0;

/// The lowest and the highest rate tried, if trials of different rates differ no more than those of the same rate and seed.
pub fn drowned_rates(trials: &[TrialRecord]) -> Option<(LearningRate, LearningRate)> {
    if trials.iter().any(|t| matches!(t.outcome, Outcome::Diverged { .. })) {
        return None;
    }
    let told: Vec<&TrialRecord> = trials.iter().filter(|t| t.is_finished() && t.own_losses().len() >= ENOUGH_LOSSES).collect();
    let (mut same, mut different) = (Vec::new(), Vec::new());
    for (k, a) in told.iter().enumerate() {
        for b in told[k + 1..].iter().filter(|b| b.spec.seed == a.spec.seed) {
            let is_same = a.spec.learning_rate == b.spec.learning_rate;
            if is_same { &mut same } else { &mut different }.push(squared_difference(a.own_losses(), b.own_losses()));
        }
    }
    // One pair may be alike by chance.
    if same.len() < 2 {
        return None;
    }
    let chance = CHANCE * same.iter().sum::<f64>() / same.len() as f64;
    let (lowest, highest) = span(told.iter().copied())?;
    let is_chance = chance > 0.0 && different.iter().all(|difference| *difference <= chance);
    (is_chance && highest.get() >= APART * lowest.get()).then_some((lowest, highest))
}

/// The mean over the steps that both have.
fn squared_difference(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>() / a.len().min(b.len()) as f64
}

/// Whether trials that differ in nothing but the seed never differed in their losses, and there were some.
pub fn ignores_seed(trials: &[TrialRecord]) -> bool {
    let mut pairs = pairs(trials)
        .filter(|(a, b)| a.spec.seed != b.spec.seed && a.spec.iterations == b.spec.iterations)
        .filter(|(a, b)| a.losses.len() >= ENOUGH_LOSSES && b.losses.len() >= ENOUGH_LOSSES)
        .peekable();
    pairs.peek().is_some() && pairs.all(|(a, b)| a.own_losses() == b.own_losses())
}

/// Two trials of the same rate and seed whose losses differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NotReproduced {
    /// Their rate.
    pub learning_rate: LearningRate,
    /// Their seed.
    pub seed: u64,
    /// The first step at which they do, counted from 0.
    pub step: usize,
    /// By what share of the loss they differ there.
    pub share: f64,
}

/// Where losses first differ by a smaller share, it is rounding that differs: a GPU that adds in changing order. A GPT of 10.8
/// million weights in bfloat16 differs by 1e-5 at its fourth step on an H100, and with another seed by 1e-2 at its first.
const ROUNDING: f64 = 1e-3;

impl NotReproduced {
    /// Whether they may have drawn the same numbers and rounded otherwise.
    pub fn is_rounding(&self) -> bool {
        self.share < ROUNDING
    }
}

/// The trials, one perhaps longer than the other, that differ most where they first differ.
pub fn not_reproduced(trials: &[TrialRecord]) -> Option<NotReproduced> {
    let found = pairs(trials).filter(|(a, b)| a.spec.seed == b.spec.seed).filter_map(|(a, b)| {
        let mut losses = a.own_losses().iter().zip(b.own_losses());
        let step = losses.clone().position(|(x, y)| x != y)?;
        let (x, y) = losses.nth(step)?;
        let share = (x - y).abs() / x.abs().max(y.abs());
        Some(NotReproduced { learning_rate: a.spec.learning_rate, seed: a.spec.seed, step, share })
    });
    found.max_by(|a, b| a.share.total_cmp(&b.share))
}

/// All pairs of finished trials with the same rate.
fn pairs(trials: &[TrialRecord]) -> impl Iterator<Item = (&TrialRecord, &TrialRecord)> {
    let finished = trials.iter().enumerate().filter(|(_, t)| t.is_finished());
    finished.flat_map(move |(k, a)| {
        let same_rate = move |b: &&TrialRecord| b.is_finished() && b.spec.learning_rate == a.spec.learning_rate;
        trials[k + 1..].iter().filter(same_rate).map(move |b| (a, b))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::TrialSpec;

    fn trial(rate: f64, seed: u64, losses: &[f64]) -> TrialRecord {
        let spec = TrialSpec::steady(LearningRate::new(rate).unwrap(), seed, losses.len() as u64);
        TrialRecord { losses: losses.to_vec(), ..TrialRecord::blank(spec, Outcome::Completed) }
    }

    const CURVE: [f64; 6] = [3.0, 2.0, 1.5, 1.2, 1.1, 1.0];
    const OTHER: [f64; 6] = [3.0, 2.5, 2.0, 1.7, 1.6, 1.5];

    #[test]
    fn a_rate_that_makes_no_difference() {
        let trials = |third: &[f64]| [trial(0.1, 0, &CURVE), trial(1.0, 0, &CURVE), trial(0.01, 0, third)];
        let (low, high) = ignored_rates(&trials(&CURVE)).unwrap();
        assert_eq!((low.get(), high.get()), (0.01, 1.0));
        assert_eq!(ignored_rates(&trials(&OTHER)), None);
        assert_eq!(ignored_rates(&trials(&CURVE)[..2]), None, "two rates are too few");
        // Trials that end at once are all alike.
        let short = [0.1, 1.0, 0.01].map(|rate| trial(rate, 0, &CURVE[..1]));
        assert_eq!(ignored_rates(&short), None);
    }

    #[test]
    fn rates_that_differ_no_more_than_chance() {
        let shifted = |by: f64| CURVE.map(|loss| loss + by);
        let again = [trial(0.1, 0, &CURVE), trial(0.1, 0, &shifted(0.1)), trial(0.1, 0, &shifted(-0.1))];
        let with = |rate: f64, losses: &[f64]| [again.as_slice(), &[trial(rate, 0, losses)]].concat();
        let (low, high) = drowned_rates(&with(0.001, &shifted(0.05))).unwrap();
        assert_eq!((low.get(), high.get()), (0.001, 0.1));
        assert_eq!(drowned_rates(&with(0.01, &shifted(0.05))), None, "near rates may do the same");
        assert_eq!(drowned_rates(&with(0.001, &OTHER)), None, "that is no chance");
        let mut diverged = with(0.001, &shifted(0.05));
        diverged[3].outcome = Outcome::Diverged { step: 2, reason: String::new() };
        assert_eq!(drowned_rates(&diverged), None);
        // What can be reproduced is for the other rule.
        assert_eq!(drowned_rates(&[trial(0.1, 0, &CURVE), trial(0.1, 0, &CURVE), trial(0.001, 0, &CURVE)]), None);
    }

    #[test]
    fn a_seed_that_makes_no_difference() {
        assert!(ignores_seed(&[trial(0.1, 0, &CURVE), trial(0.1, 1, &CURVE)]));
        assert!(!ignores_seed(&[trial(0.1, 0, &CURVE), trial(0.1, 1, &OTHER)]));
        assert!(!ignores_seed(&[trial(0.1, 0, &CURVE), trial(0.2, 1, &CURVE)]), "no two seeds at a rate");
    }

    #[test]
    fn a_longer_trial_begins_as_the_shorter_did() {
        let short = trial(0.1, 7, &CURVE[..4]);
        assert_eq!(not_reproduced(&[short.clone(), trial(0.1, 7, &CURVE)]), None);
        let found = not_reproduced(&[short.clone(), trial(0.1, 7, &OTHER)]).unwrap();
        assert_eq!((found.learning_rate.get(), found.seed, found.step, found.share), (0.1, 7, 1, 0.2));
        assert!(!found.is_rounding());
        let rounded = trial(0.1, 7, &[3.0, 2.0, 1.500_01, 1.1]);
        assert!(not_reproduced(&[short.clone(), rounded.clone()]).unwrap().is_rounding());
        assert!(!not_reproduced(&[short.clone(), rounded, trial(0.1, 7, &OTHER)]).unwrap().is_rounding(), "the worst counts");
        assert_eq!(not_reproduced(&[short, trial(0.1, 8, &OTHER)]), None);
    }
}
