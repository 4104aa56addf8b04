//! The loop around a run: non-finite guard, cancellation, progress, panic isolation. Written once, for every objective.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Objective, Run, State};
use crate::error::TrialError;
use crate::lr::significant;
use crate::record::{Evaluation, Event, Observer, Outcome, ProbePoint, TrialRecord, TrialSpec};

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

/// Where a trial begins: at its first step, or where a shorter trial of the same kind ended.
#[derive(Debug, Clone)]
pub struct Start {
    /// The trial.
    pub spec: TrialSpec,
    /// The shorter trial and its last state.
    pub from: Option<(TrialRecord, State)>,
}

impl Start {
    /// Steps already taken.
    pub fn step(&self) -> u64 {
        self.from.as_ref().map_or(0, |(record, _)| record.spec.iterations)
    }
}

/// Runs `specs` from their beginnings to their ends, as many at once as the objective stacks, and returns one record each, in
/// order.
///
/// Never fails and never panics: what goes wrong in the objective becomes [`Outcome::Failed`] of the trial it went wrong in.
pub fn drive(
    objective: &dyn Objective,
    specs: &[TrialSpec],
    lanes: usize,
    cancel: &Cancel,
    observer: &dyn Observer,
) -> Vec<TrialRecord> {
    let starts: Vec<Start> = specs.iter().map(|&spec| Start { spec, from: None }).collect();
    drive_from(objective, &starts, lanes, cancel, observer).into_iter().map(|(record, _)| record).collect()
}

/// Like [`drive`], but trials may go on from where shorter ones ended, and the last state of each comes back too where the
/// objective has it.
pub fn drive_from(
    objective: &dyn Objective,
    starts: &[Start],
    lanes: usize,
    cancel: &Cancel,
    observer: &dyn Observer,
) -> Vec<(TrialRecord, Option<State>)> {
    let lanes = lanes.clamp(1, objective.max_lanes().max(1));
    // Lanes advance together, so a group begins at one step.
    let mut groups: VecDeque<&[Start]> =
        starts.chunk_by(|a, b| a.step() == b.step()).flat_map(|alike| alike.chunks(lanes)).collect();
    let mut finished = Vec::with_capacity(starts.len());
    while let Some(starts) = groups.pop_front() {
        let mut group = Group::new(starts);
        let advanced = catch_unwind(AssertUnwindSafe(|| advance(objective, starts, &mut group, cancel, observer)));
        let fault = match advanced {
            Ok(advanced) => advanced.err().map(|error| error.message),
            Err(panic) => Some(panic_message(panic.as_ref())),
        };
        if let Some(message) = fault {
            // One bad trial must not take its neighbours with it: try each alone.
            if starts.len() > 1 {
                for single in starts.chunks(1).rev() {
                    groups.push_front(single);
                }
                continue;
            }
            group.fail(&message);
        }
        observer.observe(&Event::TrialsFinished(&group.records));
        finished.extend(group.records.into_iter().zip(group.states));
    }
    finished
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string).or_else(|| panic.downcast_ref::<String>().cloned());
    format!("the trial panicked: {}", text.unwrap_or_else(|| "no message".into()))
}

/// The trials of one group, and which of them still run.
struct Group {
    records: Vec<TrialRecord>,
    states: Vec<Option<State>>,
    live: Vec<usize>,
}

impl Group {
    fn new(starts: &[Start]) -> Self {
        let record = |start: &Start| {
            let mut record = TrialRecord::blank(start.spec, Outcome::Cancelled);
            if let Some((shorter, _)) = &start.from {
                record.losses.clone_from(&shorter.losses);
                record.probe.clone_from(&shorter.probe);
                // As if it had run through: a probe on the way is not part of it.
                record.probe.retain(|point| record.spec.is_probed_at(point.iteration));
            }
            record
        };
        Self {
            records: starts.iter().map(record).collect(),
            states: vec![None; starts.len()],
            live: (0..starts.len()).collect(),
        }
    }

    /// Ends all trials, as they cannot go on. What they had done by then stays.
    fn fail(&mut self, message: &str) {
        for record in &mut self.records {
            record.outcome = Outcome::Failed { message: message.to_owned() };
        }
        self.states.fill(None);
    }

    /// Ends the live trials for which `outcome` gives one, in the run too.
    fn end(&mut self, run: &mut dyn Run, outcome: impl Fn(usize, &TrialRecord) -> Option<Outcome>) {
        let ends: Vec<_> = self.live.iter().enumerate().map(|(lane, &i)| outcome(lane, &self.records[i])).collect();
        if ends.iter().all(Option::is_none) {
            return;
        }
        for (lane, &i) in self.live.iter().enumerate().filter(|&(lane, _)| ends[lane] == Some(Outcome::Completed)) {
            self.states[i] = run.state(lane);
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

    /// Asks the run for one figure per live lane, if any trial is `due` one, and hands it to those that are. A run that has none
    /// to give is not asked to make some up.
    fn measure<T>(
        &mut self,
        due: impl Fn(&TrialRecord) -> bool,
        ask: impl FnOnce() -> Result<Vec<T>, TrialError>,
        mut take: impl FnMut(&mut TrialRecord, &T),
    ) -> Result<(), TrialError> {
        if !self.live.iter().any(|&i| due(&self.records[i])) {
            return Ok(());
        }
        let figures = ask()?;
        if figures.is_empty() {
            return Ok(());
        }
        if figures.len() != self.live.len() {
            let (lanes, got) = (self.live.len(), figures.len());
            return Err(TrialError::new(format!("a probe of {lanes} lanes returned {got} losses")));
        }
        for (&i, figure) in self.live.iter().zip(&figures) {
            if due(&self.records[i]) {
                take(&mut self.records[i], figure);
            }
        }
        Ok(())
    }
}

fn advance(
    objective: &dyn Objective,
    starts: &[Start],
    group: &mut Group,
    cancel: &Cancel,
    observer: &dyn Observer,
) -> Result<(), TrialError> {
    if cancel.is_cancelled() {
        return Ok(());
    }
    let specs: Vec<TrialSpec> = starts.iter().map(|start| start.spec).collect();
    let states: Vec<State> = starts.iter().filter_map(|start| Some(start.from.as_ref()?.1.clone())).collect();
    let first = starts.first().map_or(0, Start::step);
    let mut run = if first == 0 { objective.start(&specs)? } else { objective.resume(&specs, &states, first)? };
    run.watch(cancel);
    let mut unreported = 0;
    for step in first.. {
        look(run.as_mut(), group, step)?;
        group.end(run.as_mut(), |_, record| (record.spec.total_iterations() <= step).then_some(Outcome::Completed));
        if group.live.is_empty() || cancel.is_cancelled() {
            break;
        }
        let rates: Vec<f64> = group.live.iter().map(|&i| group.records[i].spec.rate_at(step)).collect();
        let losses = match run.step(&rates) {
            Err(_) if cancel.is_cancelled() => break,
            losses => losses?,
        };
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
    Ok(())
}

/// Takes the probes and the evaluations that are due.
fn look(run: &mut dyn Run, group: &mut Group, step: u64) -> Result<(), TrialError> {
    let kept = |loss: f64| loss.is_finite().then(|| significant(loss, LOSS_DIGITS));
    let probed = |record: &TrialRecord| {
        record.spec.is_probed_at(step) && record.probe.last().is_none_or(|point| point.iteration != step)
    };
    group.measure(
        probed,
        || run.probe(),
        |record, &loss| {
            record.probe.push(ProbePoint { iteration: step, loss: kept(loss) });
        },
    )?;
    group.measure(
        |record| record.spec.evaluates_at(step),
        || run.evaluate(),
        |record, costs| {
            let (train, held_out) = (kept(costs.train), costs.held_out.and_then(kept));
            record.evaluations.push(Evaluation { iteration: step, train, held_out });
        },
    )
}
