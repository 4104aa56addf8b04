//! Runs of full length.

use std::collections::BTreeSet;

use super::pool::Crew;
use super::{RunOptions, Stop, Sweep};
use crate::record::{Outcome, TrialRecord, TrialSpec};
use crate::trial::Objective;

/// Makes the runs `specs` that the journal lacks, and returns a record of each, in order. What is asked of a full run is its
/// evaluations, so the losses of the steps of finished ones are dropped.
pub fn full_runs(objective: &dyn Objective, specs: &[TrialSpec], options: &RunOptions<'_>) -> Sweep {
    if !objective.can_change_rate() && !specs.iter().all(TrialSpec::keeps_rate) {
        let message = "the rate of this objective cannot change within a run, as a schedule needs".to_owned();
        let failed = |spec: &TrialSpec| TrialRecord::blank(*spec, Outcome::Failed { message: message.clone() });
        return Sweep { trials: specs.iter().map(failed).collect(), stop: None };
    }
    // The runs of one seed share their batches, and a group ends together: were more stacked than those, the first run could be
    // kept only when nearly all are done.
    let rates: BTreeSet<u64> = specs.iter().map(|spec| spec.learning_rate.get().to_bits()).collect();
    let lanes = options.lanes.unwrap_or(usize::MAX).min(rates.len()).max(1);
    let options = RunOptions { lanes: Some(lanes), ..options.clone() };
    let trials = Crew::new(objective, &options).run_fresh("full runs", specs);
    // Those of an unfinished run tell what it cost.
    let spare = |record: TrialRecord| {
        if record.is_finished() { TrialRecord { losses: Vec::new(), ..record } } else { record }
    };
    let trials = trials.into_iter().map(spare).collect();
    Sweep { trials, stop: options.cancel.is_cancelled().then_some(Stop::Cancelled) }
}
