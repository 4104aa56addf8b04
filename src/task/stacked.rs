//! Trials that advance together, one lane each.

use std::sync::Arc;

use crate::error::TrialError;
use crate::record::TrialSpec;
use crate::trial::{Costs, Run, State};

use super::Task;
use super::batches::{Batch, Feed};
use super::footprint::Reserved;
use super::optimizer::{Optimizer, slots};

/// Trials under way. All that a trial has lives in host buffers, `[lanes × size]` per parameter tensor, lane by lane.
#[derive(Debug)]
pub(crate) struct StackedRun<'a> {
    task: &'a Task,
    lanes: usize,
    parameters: Vec<Vec<f32>>,
    optimizer: Optimizer<'a>,
    feed: Feed<'a>,
    probe: Batch,
}

impl<'a> StackedRun<'a> {
    /// Fresh trials, one lane for each of `specs`.
    pub(crate) fn new(task: &'a Task, specs: &[TrialSpec]) -> Self {
        let specification = task.model.parameters();
        let mut parameters: Vec<Vec<f32>> =
            specification.iter().map(|spec| Vec::with_capacity(spec.size() * specs.len())).collect();
        for spec in specs {
            for (stacked, own) in parameters.iter_mut().zip(task.model.initial(spec.seed)) {
                stacked.extend(own);
            }
        }
        let sizes = specification.iter().map(super::model::ParameterSpec::size);
        let optimizer = Optimizer::new(&task.optimizer, task.clip_norm, sizes, specs.len());
        let feed = task.source.feed(specs.iter().map(|spec| spec.seed).collect());
        Self { task, lanes: specs.len(), parameters, optimizer, feed, probe: task.source.probe() }
    }

    /// Trials that have taken `step` steps, in these states.
    pub(crate) fn resumed(task: &'a Task, specs: &[TrialSpec], states: &[State], step: u64) -> Result<Self, TrialError> {
        let lanes: Vec<&LaneState> = states.iter().filter_map(|state| state.0.downcast_ref()).collect();
        if lanes.len() != specs.len() {
            return Err(TrialError::new(format!("{} usable states for {} trials: give one each", lanes.len(), specs.len())));
        }
        let mut run = Self::new(task, specs);
        for (index, stacked) in run.parameters.iter_mut().enumerate() {
            *stacked = lanes.iter().flat_map(|lane| &lane.parameters[index]).copied().collect();
        }
        run.optimizer.restore(lanes.iter().map(|lane| &lane.memory), step);
        run.feed.seek(step);
        Ok(run)
    }
}

impl StackedRun<'_> {
    /// All lanes' parameters, a buffer for each tensor.
    pub(crate) fn parameters(&self) -> &[Vec<f32>] {
        &self.parameters
    }

    /// Each lane's loss on its next batch, and the gradient; both are means over the examples of all parts of the batch.
    fn differentiate(&mut self) -> (Vec<f64>, Vec<Vec<f32>>) {
        let mut parts = self.feed.next_in_parts(self.task.accumulate);
        if parts.len() == 1 {
            return self.task.model.differentiate(&self.parameters, self.lanes, parts.remove(0));
        }
        let examples: usize = parts.iter().map(|part| part.examples).sum();
        let mut losses = vec![0.0; self.lanes];
        let mut gradients: Vec<Vec<f32>> = self.parameters.iter().map(|all| vec![0.0; all.len()]).collect();
        for part in parts {
            let share = part.examples as f64 / examples as f64;
            let (part_losses, part_gradients) = self.task.model.differentiate(&self.parameters, self.lanes, part);
            losses.iter_mut().zip(part_losses).for_each(|(sum, loss)| *sum += share * loss);
            for (sum, part) in gradients.iter_mut().zip(part_gradients) {
                sum.iter_mut().zip(&part).for_each(|(sum, slope)| *sum += share as f32 * slope);
            }
        }
        (losses, gradients)
    }
}

/// One lane of a run: its parameters and what its optimiser remembers, tensor by tensor.
struct LaneState {
    parameters: Vec<Vec<f32>>,
    memory: Vec<[Vec<f32>; 2]>,
    _reserved: Reserved,
}

impl Run for StackedRun<'_> {
    /// A lane whose parameters are no longer finite shows it in the loss of its next step.
    fn step(&mut self, learning_rates: &[f64]) -> Result<Vec<f64>, TrialError> {
        if learning_rates.len() != self.lanes {
            let message = format!("{} learning rates for {} trials: give one each", learning_rates.len(), self.lanes);
            return Err(TrialError::new(message));
        }
        if self.lanes == 0 {
            return Ok(Vec::new());
        }
        let (losses, gradients) = self.differentiate();
        self.optimizer.update(&mut self.parameters, &gradients, learning_rates);
        Ok(losses)
    }

    fn probe(&mut self) -> Result<Vec<f64>, TrialError> {
        if self.lanes == 0 {
            return Ok(Vec::new());
        }
        Ok(self.task.model.losses(&self.parameters, self.lanes, self.probe.clone()))
    }

    fn evaluate(&mut self) -> Result<Vec<Costs>, TrialError> {
        let mean = |chunks: &mut dyn Iterator<Item = Batch>| {
            let mut sums = vec![0.0; self.lanes];
            let mut examples = 0;
            for chunk in chunks {
                let weight = chunk.examples;
                examples += weight;
                for (sum, loss) in sums.iter_mut().zip(self.task.model.losses(&self.parameters, self.lanes, chunk)) {
                    *sum += loss * weight as f64;
                }
            }
            (examples > 0).then(|| sums.into_iter().map(|sum| sum / examples as f64).collect::<Vec<f64>>())
        };
        let train = mean(&mut self.task.source.chunks());
        let held_out = self.task.held_out.as_ref().and_then(|source| mean(&mut source.chunks()));
        let costs = |lane: usize| Costs {
            train: train.as_ref().map_or(f64::NAN, |losses| losses[lane]),
            held_out: held_out.as_ref().map(|losses| losses[lane]),
        };
        Ok((0..self.lanes).map(costs).collect())
    }

    fn state(&self, lane: usize) -> Option<State> {
        let of = |buffer: &Vec<f32>| {
            let size = buffer.len() / self.lanes;
            buffer[lane * size..(lane + 1) * size].to_vec()
        };
        let numbers: usize =
            self.parameters.iter().map(Vec::len).sum::<usize>() / self.lanes * (1 + slots(&self.task.optimizer.rule));
        // Without its state, a longer trial begins anew: slower, and the same to the bit.
        let reserved = self.task.room.take((numbers * size_of::<f32>()) as u64)?;
        let parameters = self.parameters.iter().map(of).collect();
        Some(State(Arc::new(LaneState { parameters, memory: self.optimizer.memory(lane), _reserved: reserved })))
    }

    fn retain(&mut self, lanes: &[bool]) {
        for buffer in &mut self.parameters {
            retain_lanes(buffer, lanes);
        }
        self.optimizer.retain(lanes);
        self.feed.retain(lanes);
        self.lanes = lanes.iter().filter(|&&kept| kept).count();
    }
}

/// Keeps the parts of `buffer`, one per flag, whose flag is true.
pub(crate) fn retain_lanes(buffer: &mut Vec<f32>, lanes: &[bool]) {
    let size = buffer.len() / lanes.len().max(1);
    let mut kept = 0;
    for (lane, _) in lanes.iter().enumerate().filter(|(_, keep)| **keep) {
        buffer.copy_within(lane * size..(lane + 1) * size, kept * size);
        kept += 1;
    }
    buffer.truncate(kept * size);
}
