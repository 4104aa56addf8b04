//! Runs of full length, which are long enough to be worth keeping one by one.

use std::collections::BTreeSet;

use super::pool::{Crew, Order};
use super::{RunOptions, Stop, Sweep};
use crate::record::{Outcome, TrialRecord, TrialSpec};
use crate::trial::{Objective, Start};

/// Makes those of `specs` that are not among `kept` yet, and returns a record of each, in order. What is asked of a full run is
/// its evaluations, so the losses of the steps are dropped.
pub fn full_runs(objective: &dyn Objective, specs: &[TrialSpec], kept: &[TrialRecord], options: &RunOptions<'_>) -> Sweep {
    let known = |spec: &TrialSpec| kept.iter().find(|record| record.spec == *spec);
    let missing: Vec<TrialSpec> = specs.iter().filter(|spec| known(spec).is_none()).copied().collect();
    let made: Vec<TrialRecord> = if objective.can_change_rate() {
        run(objective, &missing, options)
    } else {
        let message = "the rate of this objective cannot change within a run, as a schedule needs".to_owned();
        missing.iter().map(|&spec| TrialRecord::blank(spec, Outcome::Failed { message: message.clone() })).collect()
    };
    let of = |spec: &TrialSpec| known(spec).or_else(|| made.iter().find(|record| record.spec == *spec)).cloned();
    let trials = specs.iter().filter_map(of).map(|record| TrialRecord { losses: Vec::new(), ..record }).collect();
    Sweep { trials, stop: options.cancel.is_cancelled().then_some(Stop::Cancelled) }
}

fn run(objective: &dyn Objective, specs: &[TrialSpec], options: &RunOptions<'_>) -> Vec<TrialRecord> {
    // The runs of one seed share their batches, and a group ends together: were more stacked than those, the first run could be
    // kept only when nearly all are done.
    let rates: BTreeSet<u64> = specs.iter().map(|spec| spec.learning_rate.get().to_bits()).collect();
    let lanes = options.lanes.unwrap_or(usize::MAX).min(rates.len()).max(1);
    let options = RunOptions { lanes: Some(lanes), ..options.clone() };
    let orders: Vec<Order> = specs.iter().map(|&spec| Order { start: Start { spec, from: None }, shared: 0 }).collect();
    let finished = Crew::new(objective, &options).run("full runs", &orders);
    finished.into_iter().map(|(record, _)| record).collect()
}
