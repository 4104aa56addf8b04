//! The range test's ramps: single runs whose rate rises at every step.

use super::pool::Crew;
use super::{RunOptions, Stop, Sweep};
use crate::lr::LearningRate;
use crate::record::{Course, Outcome, Spacing, TrialRecord, TrialSpec};
use crate::trial::Objective;

/// A ramp, run once for each seed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ramp {
    /// The rate of the first step.
    pub start: LearningRate,
    /// The rate of the last step.
    pub end: LearningRate,
    /// Whether the rate rises by equal factors or by equal differences.
    pub spacing: Spacing,
    /// Steps.
    pub iterations: u64,
    /// The first seed.
    pub first_seed: u64,
    /// How many seeds, counted up from the first.
    pub seeds: usize,
}

impl Ramp {
    /// Optimiser steps over all seeds, at most.
    pub fn trial_iterations(&self) -> u64 {
        self.iterations.saturating_mul(self.seeds as u64)
    }

    fn specs(&self) -> Vec<TrialSpec> {
        let course = Course::Ramp { end: self.end, spacing: self.spacing };
        let spec = |k| TrialSpec { course, ..TrialSpec::steady(self.start, self.first_seed.wrapping_add(k), self.iterations) };
        (0..self.seeds as u64).map(spec).collect()
    }
}

/// Runs the ramp with each of its seeds, to the end or to the first loss that is not finite.
pub fn ramps(objective: &dyn Objective, ramp: &Ramp, options: &RunOptions<'_>) -> Sweep {
    let specs = ramp.specs();
    if !objective.can_change_rate() {
        let message = "the rate of this objective cannot change within a run, as a range test needs".to_owned();
        let failed = |spec| TrialRecord::blank(spec, Outcome::Failed { message: message.clone() });
        return Sweep { trials: specs.into_iter().map(failed).collect(), stop: None };
    }
    let trials = Crew::new(objective, options).run_fresh("ramp", &specs);
    Sweep { trials, stop: options.cancel.is_cancelled().then_some(Stop::Cancelled) }
}
