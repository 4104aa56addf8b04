//! A trial made once more, and shorter, to see whether it begins as before.

use super::pool::Crew;
use super::{RunOptions, Settings, Sweep};
use crate::lr::LearningRate;
use crate::trial::Objective;

/// Adds to the trials of a finished search one more at `rate` with the first seed, half as long as a short one: an objective whose
/// losses follow from rate and seed alone gives the first losses of those again.
pub fn repeat(objective: &dyn Objective, settings: &Settings, rate: LearningRate, sweep: &mut Sweep, options: &RunOptions<'_>) {
    let length = repeated(settings);
    let spec = settings.trial(rate, 0, length);
    let is_known = sweep.trials.iter().any(|trial| trial.spec == spec);
    let fits = settings.budget.is_none_or(|budget| sweep.trial_iterations() + length <= budget);
    if sweep.stop.is_none() && !is_known && fits {
        sweep.trials.extend(Crew::new(objective, options).run_fresh(REPEAT, &[spec]));
    }
}

/// The stage's name.
pub(super) const REPEAT: &str = "repetition of a trial";

/// Its length, in iterations.
pub(super) fn repeated(settings: &Settings) -> u64 {
    (settings.lengths.short / 2).max(1)
}
