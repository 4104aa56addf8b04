//! Trials that advance together, one lane each.

use crate::error::TrialError;
use crate::record::TrialSpec;
use crate::trial::Run;

use super::Task;
use super::batches::{Batch, Feed};
use super::optimizer::Optimizer;

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
            specification.iter().map(|spec| Vec::with_capacity(spec.size * specs.len())).collect();
        for spec in specs {
            for (stacked, own) in parameters.iter_mut().zip(task.model.initial(spec.seed)) {
                stacked.extend(own);
            }
        }
        let sizes = specification.iter().map(|spec| spec.size);
        let optimizer = Optimizer::new(&task.optimizer, task.clip_norm, sizes, specs.len());
        let feed = task.source.feed(specs.iter().map(|spec| spec.seed).collect());
        Self { task, lanes: specs.len(), parameters, optimizer, feed, probe: task.source.probe() }
    }
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
        let (losses, gradients) = self.task.model.differentiate(&self.parameters, self.lanes, self.feed.next());
        self.optimizer.update(&mut self.parameters, &gradients, learning_rates);
        Ok(losses)
    }

    fn probe(&mut self) -> Result<Vec<f64>, TrialError> {
        if self.lanes == 0 {
            return Ok(Vec::new());
        }
        Ok(self.task.model.losses(&self.parameters, self.lanes, self.probe.clone()))
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
