//! The numbers that steer a search.

use crate::analysis::{Lengths, Premises, Safety};
use crate::config::{LONG, SearchPlan};
use crate::lr::{LearningRate, LrRange};
use crate::record::{Recovery, TrialSpec};
use crate::schedule::Schedule;
use crate::trial::Objective;

/// How to search, fully resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The first scan.
    pub range: LrRange,
    /// Whether the search may leave `range`.
    pub extend: bool,
    /// Trial lengths.
    pub lengths: Lengths,
    /// Trial lengths where nothing is learnt within those before; none that the planned run is too short for.
    pub lengthened: Vec<Lengths>,
    /// Seeds of the trials.
    pub seeds: usize,
    /// The first seed.
    pub first_seed: u64,
    /// Width to which the bracket is bisected, in decades.
    pub resolution: f64,
    /// Factor between the threshold and the recommendation.
    pub safety: f64,
    /// Factor above the configured rate that `check` wants stable.
    pub check_margin: f64,
    /// Most trial-iterations.
    pub budget: Option<u64>,
    /// Iterations of linear warm-up.
    pub warmup: u64,
    /// The share of its last update that the optimiser keeps.
    pub momentum: f64,
    /// Whether the optimiser may be one that scales each weight's steps by its own gradients, as Adam does.
    pub adaptive: bool,
    /// How far the rate falls in the tail of a longer trial, in decades: as far as in the planned run, but not below a hundredth.
    pub fall: f64,
}

/// How far the rate falls in a tail at most, in decades, and where no schedule tells: as far as the book's schedule, to 1 %.
const FALL: f64 = 2.0;

/// A trial is at least this many times as long as momentum remembers, 1/(1 − μ): with μ = 0.99, 100 iterations misplace the
/// threshold by up to two decades. At the usual 0.9 the default length is just enough.
const MEMORIES: f64 = 10.0;

/// Where nothing is learnt within the short trials, they become this many times as long, and again. With runs of 20,000 iterations, the
/// second time took the regret of `spirals-adam` from 0.29 to 0.16 and that of `spirals-tanh` from 0.015 to 0.011, at twice the cost.
const LENGTHENING: u64 = 4;

/// But take at most one part in so many of the planned run.
const LENGTHENED_SHARE: u64 = 5;

/// A long trial takes at most one part in so many of the planned run. On the benchmark's suite an eighth and a sixth chose equally
/// well, and a tenth worse.
const SHARE: u64 = 8;

/// The tail of a longer trial, as a share of its length, and at least in iterations. On the benchmark's suite a half chose no better,
/// and a fifth worse.
const TAIL: f64 = 0.25;
const SHORTEST_TAIL: u64 = 10;

/// With momentum, what noise has been amplified dies out with √μ a step at best. So a tail takes so many times as long as momentum
/// remembers, but no more than this share of the trial: just below the threshold of noisy quadratics, ten times is too short.
const DAMPING: f64 = 20.0;
const LONGEST_TAIL: f64 = 0.5;

/// A confirming trial is longer than a long one by one part in so many: no more than tells the two apart.
const CONFIRMING: u64 = 20;

/// A rate this many times above the margin is far above the rate that is checked. On the benchmark's suite, over three repetitions,
/// 416 of the 720 rates that pass far below the threshold pass by short trials alone, and of 612 rates at which full runs fail none
/// that would not pass anyway; with a factor of three 386 do.
const FAR: f64 = 2.0;

/// A rate far below another, in decades: one of those that `check` tries below in any case.
const LOW: f64 = -1.0;

impl Settings {
    /// Settings for a planned run with this schedule, when that is known, whose optimiser keeps the share `momentum` of its last
    /// update. It may be an adaptive one.
    ///
    /// A trial sees at least as much training after the warm-up as in it (Godbole et al., *Deep Learning Tuning Playbook*,
    /// 2023). Where the planned run is short, long trials shrink to an eighth of it, but not
    /// below twice the short ones. If `search` gives their length, that holds.
    pub fn new(search: &SearchPlan, schedule: Option<&Schedule>, momentum: f64) -> Self {
        let (warmup, planned) = (schedule.map_or(0, |s| s.warmup_iterations), schedule.map(|s| s.decay_iterations));
        let memory = memories(MEMORIES, momentum);
        let affordable = planned.map_or(u64::MAX, |planned| planned / SHARE);
        let remembered = if momentum > 0.9 { memory.min(affordable) } else { 0 };
        let short = search.iterations.max(2 * warmup).max(remembered);
        let lengths = |short: u64| {
            let usual = (LONG * short).min(affordable.max(2 * short));
            let long = search.long_iterations.unwrap_or(usual).max(short + 1);
            Lengths { short, long, confirm: long + (long / CONFIRMING).max(1) }
        };
        let longest = planned.map_or(LENGTHENING * short, |planned| planned / LENGTHENED_SHARE);
        let longer = std::iter::successors(Some(short), |short| short.checked_mul(LENGTHENING));
        let lengthened = longer.skip(1).take_while(|short| *short <= longest).map(lengths).collect();
        Self {
            range: search.range,
            extend: search.extend,
            lengths: lengths(short),
            lengthened,
            seeds: search.seeds.max(1),
            first_seed: search.first_seed,
            resolution: search.resolution,
            safety: search.safety,
            check_margin: search.check_margin,
            budget: search.budget,
            warmup,
            momentum,
            adaptive: true,
            fall: schedule.map_or(FALL, fall),
        }
    }

    /// The lengths whose short trials are so long, where it is one of those that a search may use.
    pub fn lengths_of(&self, short: u64) -> Option<Lengths> {
        std::iter::once(&self.lengths).chain(&self.lengthened).find(|lengths| lengths.short == short).copied()
    }

    /// What is known of trials of these lengths before they are looked at.
    pub fn premises(&self, lengths: Lengths, objective: &dyn Objective) -> Premises {
        let (recovers, constant_cost) = (objective.can_change_rate(), objective.constant_cost());
        let lowest = (!self.extend).then_some(self.range.low());
        Premises { lengths, safety: self.safety(), lowest, recovers, constant_cost, adaptive: self.adaptive }
    }

    /// Seeds of the longest trials, those that look for late instability and those that confirm: half as many, for with all of
    /// them the recommendations on the benchmark's suite were no better.
    pub fn sparing(&self) -> usize {
        self.seeds.div_ceil(2)
    }

    /// How far a choice stays below instability.
    pub fn safety(&self) -> Safety {
        Safety { factor: self.safety, margin: self.check_margin }
    }

    /// The rate above `rate` that `check` wants stable too.
    pub fn margin_of(&self, rate: LearningRate) -> LearningRate {
        rate.shifted(self.check_margin.log10())
    }

    /// A rate far below `rate`, `rate` itself, and one so far above it and its margin that where short trials are stable at it,
    /// longer ones at `rate` tell no more.
    pub fn around(&self, rate: LearningRate) -> [LearningRate; 3] {
        [rate.shifted(LOW), rate, self.margin_of(rate).shifted(FAR.log10())]
    }

    /// A trial at `rate` with one of the seeds, counted from 0.
    pub fn trial(&self, rate: LearningRate, seed: usize, iterations: u64) -> TrialSpec {
        let seed = self.first_seed.wrapping_add(seed as u64);
        TrialSpec { warmup: self.warmup, ..TrialSpec::steady(rate, seed, iterations) }
    }

    /// The same trial with a tail in which the rate falls as in the run, given the best early one.
    pub fn settling(&self, spec: TrialSpec, best_early: Option<LearningRate>) -> TrialSpec {
        let learning_rate = self.fallen(spec.learning_rate, best_early);
        TrialSpec { recovery: Some(Recovery { learning_rate, iterations: self.tail(spec.iterations) }), ..spec }
    }

    /// The rate at the end of the tail of a longer trial at `rate`, given the best early one.
    ///
    /// Far above the best rate a hundredth is still no gentle rate, with momentum above all: there it falls to a tenth of the best. A
    /// run whose rate does not fall so far is never at a gentle rate.
    pub fn fallen(&self, rate: LearningRate, best_early: Option<LearningRate>) -> LearningRate {
        if self.fall == 0.0 {
            // The very rate: a shifted one is rounded.
            return rate;
        }
        let fallen = rate.shifted(-self.fall);
        let gentle = best_early.map(|best| best.shifted(-1.0)).filter(|_| self.fall >= FALL);
        gentle.filter(|gentle| *gentle < fallen).unwrap_or(fallen)
    }

    /// Iterations of the tail of a longer trial of so many iterations.
    pub fn tail(&self, iterations: u64) -> u64 {
        let share = |share: f64| (iterations as f64 * share).round() as u64;
        let damping = if self.momentum > 0.0 { memories(DAMPING, self.momentum) } else { 0 };
        share(TAIL).max(damping.min(share(LONGEST_TAIL))).max(SHORTEST_TAIL)
    }
}

/// How far the rate falls over this schedule, in decades, as far as a tail follows it.
fn fall(schedule: &Schedule) -> f64 {
    const ROUNDING: f64 = 1e-9;
    let fall = -schedule.final_factor().log10();
    if fall > FALL - ROUNDING { FALL } else { fall.max(0.0) }
}

/// So many times as many iterations as momentum remembers, 1/(1 − μ).
fn memories(times: f64, momentum: f64) -> u64 {
    (times / (1.0 - momentum.clamp(0.0, 0.9999))).round() as u64
}

impl Default for SearchPlan {
    /// The defaults of the `[search]` section, over a range that suits plain SGD.
    fn default() -> Self {
        Self {
            range: LrRange::new(1e-3, 10.0).expect("both ends are rates, the lower first"),
            extend: true,
            iterations: 100,
            long_iterations: None,
            seeds: 2,
            first_seed: 0,
            resolution: 0.1,
            safety: 1.6,
            check_margin: 1.5,
            budget: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Decay;

    #[test]
    fn a_tail_falls_as_far_as_the_run_and_to_a_hundredth_at_most() {
        let fall = |decay| {
            let schedule = Schedule { decay, warmup_iterations: 0, decay_iterations: 3000, iterations_per_epoch: 10 };
            Settings::new(&SearchPlan::default(), Some(&schedule), 0.0).fall
        };
        assert!(fall(Decay::Constant).abs() < 1e-12);
        assert!((fall(Decay::Linear { final_fraction: 0.1 }) - 1.0).abs() < 1e-12);
        assert!((fall(Decay::Step { factor: 0.5, every_epochs: 200.0 }) - 2f64.log10()).abs() < 1e-12);
        for far in [Decay::Cosine { final_fraction: 0.0 }, Decay::Exponential { final_fraction: 1e-4 }] {
            assert!((fall(far) - 2.0).abs() < 1e-12, "{far:?}");
        }
        assert!((Settings::new(&SearchPlan::default(), None, 0.0).fall - 2.0).abs() < 1e-12, "where no schedule is known");
    }

    #[test]
    fn trials_grow_as_long_as_they_fit_five_times_into_the_run() {
        let lengthened = |planned: Option<u64>| {
            let decay = Decay::Linear { final_fraction: 0.01 };
            let schedule =
                |decay_iterations| Schedule { decay, warmup_iterations: 0, decay_iterations, iterations_per_epoch: 10 };
            let settings = Settings::new(&SearchPlan::default(), planned.map(schedule).as_ref(), 0.0);
            settings.lengthened.iter().map(|lengths| (lengths.short, lengths.long)).collect::<Vec<_>>()
        };
        assert_eq!(lengthened(Some(1999)), []);
        assert_eq!(lengthened(Some(2000)), [(400, 800)]);
        assert_eq!(lengthened(Some(20_000)), [(400, 1600), (1600, 3200)]);
        assert_eq!(lengthened(None), [(400, 1600)], "once, where the run may be short");
    }

    #[test]
    fn a_tail_ends_at_a_gentle_rate_if_the_run_does() {
        let rate = |value| LearningRate::new(value).unwrap();
        let fallen = |decay, from| {
            let schedule = Schedule { decay, warmup_iterations: 0, decay_iterations: 3000, iterations_per_epoch: 10 };
            Settings::new(&SearchPlan::default(), Some(&schedule), 0.0).fallen(rate(from), Some(rate(0.01))).get()
        };
        let linear = |final_fraction| Decay::Linear { final_fraction };
        assert_eq!([0.02, 0.5].map(|from| fallen(linear(0.01), from)), [2e-4, 1e-3], "a tenth of the best at most");
        assert_eq!([0.02, 0.5].map(|from| fallen(linear(0.1), from)), [2e-3, 0.05]);
        assert_eq!(fallen(Decay::Constant, 0.012_345_678), 0.012_345_678, "unrounded");
    }
}
