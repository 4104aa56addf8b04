//! The loop around a run: non-finite guard, cancellation, progress, panic isolation. Written once, for every objective.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Objective, Run};
use crate::error::TrialError;
use crate::lr::significant;
use crate::record::{Event, Observer, Outcome, ProbePoint, TrialRecord, TrialSpec};

/// A flag that asks running trials to stop soon. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Asks everything that watches this flag to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Significant digits kept of a recorded loss: single precision holds no more, and a report is read by people.
const LOSS_DIGITS: usize = 7;

/// How many steps pass between two progress events.
const PROGRESS_STEPS: u64 = 16;

/// Runs `specs` to their ends, as many at once as the objective stacks, and returns one record each, in order.
///
/// Never fails and never panics: what goes wrong in the objective becomes [`Outcome::Failed`] of the trial it went wrong in.
pub fn drive(
    objective: &dyn Objective,
    specs: &[TrialSpec],
    lanes: usize,
    cancel: &Cancel,
    observer: &dyn Observer,
) -> Vec<TrialRecord> {
    let lanes = lanes.clamp(1, objective.max_lanes().max(1));
    let mut groups: VecDeque<&[TrialSpec]> = specs.chunks(lanes).collect();
    let mut records = Vec::with_capacity(specs.len());
    while let Some(group) = groups.pop_front() {
        match catch_unwind(AssertUnwindSafe(|| advance(objective, group, cancel, observer))) {
            Ok(Ok(finished)) => records.extend(finished),
            // One bad trial must not take its neighbours with it: try each alone.
            _ if group.len() > 1 => {
                for single in group.chunks(1).rev() {
                    groups.push_front(single);
                }
            }
            Ok(Err(error)) => records.extend(group.iter().map(|spec| failed(*spec, error.message.clone()))),
            Err(panic) => records.extend(group.iter().map(|spec| failed(*spec, panic_message(panic.as_ref())))),
        }
    }
    for record in &records {
        observer.observe(&Event::TrialFinished(record));
    }
    records
}

fn failed(spec: TrialSpec, message: String) -> TrialRecord {
    TrialRecord { spec, outcome: Outcome::Failed { message }, losses: Vec::new(), probe: Vec::new() }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string).or_else(|| panic.downcast_ref::<String>().cloned());
    format!("the trial panicked: {}", text.unwrap_or_else(|| "no message".into()))
}

/// The trials of one group, and which of them still run.
struct Group {
    records: Vec<TrialRecord>,
    live: Vec<usize>,
}

impl Group {
    /// Ends the live trials for which `outcome` gives one, in the run too.
    fn end(&mut self, run: &mut dyn Run, outcome: impl Fn(usize, &TrialRecord) -> Option<Outcome>) {
        let ends: Vec<_> = self.live.iter().enumerate().map(|(lane, &i)| outcome(lane, &self.records[i])).collect();
        if ends.iter().all(Option::is_none) {
            return;
        }
        run.retain(&ends.iter().map(Option::is_none).collect::<Vec<_>>());
        let mut lane = 0;
        let records = &mut self.records;
        self.live.retain(|&i| {
            let end = ends[lane].clone();
            lane += 1;
            end.map(|outcome| records[i].outcome = outcome).is_none()
        });
    }
}

fn advance(
    objective: &dyn Objective,
    specs: &[TrialSpec],
    cancel: &Cancel,
    observer: &dyn Observer,
) -> Result<Vec<TrialRecord>, TrialError> {
    let mut run = objective.start(specs)?;
    let blank = |&spec: &TrialSpec| TrialRecord { spec, outcome: Outcome::Cancelled, losses: Vec::new(), probe: Vec::new() };
    let mut group = Group { records: specs.iter().map(blank).collect(), live: (0..specs.len()).collect() };
    let mut unreported = 0;
    for step in 0.. {
        probe_due(run.as_mut(), &mut group, step)?;
        group.end(run.as_mut(), |_, record| (record.spec.total_iterations() <= step).then_some(Outcome::Completed));
        if group.live.is_empty() || cancel.is_cancelled() {
            break;
        }
        let rates: Vec<f64> = group.live.iter().map(|&i| group.records[i].spec.rate_at(step)).collect();
        let losses = run.step(&rates)?;
        if losses.len() != group.live.len() {
            return Err(TrialError::new(format!("a step of {} lanes returned {} losses", group.live.len(), losses.len())));
        }
        for (&i, &loss) in group.live.iter().zip(&losses) {
            if loss.is_finite() {
                group.records[i].losses.push(significant(loss, LOSS_DIGITS));
            }
        }
        unreported += losses.len() as u64;
        if step % PROGRESS_STEPS == PROGRESS_STEPS - 1 {
            observer.observe(&Event::Progress { iterations: std::mem::take(&mut unreported) });
        }
        group.end(run.as_mut(), |lane, _| {
            let loss = losses[lane];
            (!loss.is_finite()).then(|| Outcome::Diverged { step, reason: format!("the loss became {loss}") })
        });
    }
    observer.observe(&Event::Progress { iterations: unreported });
    Ok(group.records)
}

/// Probes the lanes that are due: each at its beginning, at the end of its own iterations, and at the end of its recovery.
fn probe_due(run: &mut dyn Run, group: &mut Group, step: u64) -> Result<(), TrialError> {
    let due = |spec: &TrialSpec| step == 0 || step == spec.iterations || step == spec.total_iterations();
    if !group.live.iter().any(|&i| due(&group.records[i].spec)) {
        return Ok(());
    }
    let losses = run.probe()?;
    if losses.len() != group.live.len() {
        return Err(TrialError::new(format!("a probe of {} lanes returned {} losses", group.live.len(), losses.len())));
    }
    for (&i, &loss) in group.live.iter().zip(&losses) {
        let record = &mut group.records[i];
        if due(&record.spec) {
            let loss = loss.is_finite().then(|| significant(loss, LOSS_DIGITS));
            record.probe.push(ProbePoint { iteration: step, loss });
        }
    }
    Ok(())
}
