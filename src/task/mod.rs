//! Data, models and optimisers: turns a checked plan into something that can be trained. burn lives here.

mod allocator;
mod architecture;
mod assemble;
mod augment;
mod batches;
mod builder;
mod constant_prediction;
pub mod data;
mod device;
mod elementary;
mod facts;
mod footprint;
mod identity;
mod layers;
mod loss;
mod model;
mod network;
mod numbers;
mod optimizer;
mod product;
mod quadratic;
pub(crate) mod random;
mod shape;
mod small_product;
mod stacked;
mod weights;
mod wide;

pub use facts::TaskFacts;
pub(crate) use facts::optimizer as describe_optimizer;
pub use footprint::{Bound, Footprint, Limits, in_words};

use crate::config::{DataPlan, ModelPlan, OptimizerPlan, Plan, Segment, SyntheticPlan};
use crate::error::{DataError, TrialError};
use crate::record::TrialSpec;
use crate::trial::{Objective, Run, State};

use batches::Source;
use footprint::Room;
use model::Model;
use stacked::StackedRun;

/// A plan that cannot be turned into trials.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The data cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Data, model and training do not go together.
    #[error("{message}")]
    Unsuitable {
        /// What is wrong, and what to write instead.
        message: String,
        /// What of the config to change; empty where that could be anything. See [`crate::config::line_of`].
        key_path: Vec<Segment>,
    },
}

impl TaskError {
    /// What a section says under a key does not suit.
    fn unsuitable(section: &'static str, key: &'static str, message: impl Into<String>) -> Self {
        Self::Unsuitable { message: message.into(), key_path: vec![Segment::Key(section), Segment::Key(key)] }
    }
}

/// Data, model and optimiser, ready to train.
#[derive(Debug)]
pub struct Task {
    model: Box<dyn Model>,
    source: Source,
    held_out: Option<Source>,
    optimizer: OptimizerPlan,
    clip_norm: Option<f64>,
    /// Parts that a batch is computed in.
    accumulate: usize,
    footprint: Footprint,
    /// For the states of finished trials.
    room: Room,
    facts: TaskFacts,
    /// All of the plan that decides what a trial computes, the examples apart.
    recipe: String,
}

/// Loads the data and puts the plan's model and optimiser on top.
///
/// # Errors
/// When the data cannot be read, or data, model and training do not go together.
pub fn build(plan: &Plan) -> Result<Task, TaskError> {
    build_within(plan, Limits::default())
}

/// As [`build()`], for trials that take no more of the machine than `limits`.
///
/// # Errors
/// As [`build()`], and when not even one trial fits.
pub fn build_within(plan: &Plan, limits: Limits) -> Result<Task, TaskError> {
    allocator::keep_freed_memory();
    match (&plan.data, &plan.model) {
        (DataPlan::Synthetic { problem: SyntheticPlan::Quadratic { curvatures, noise }, .. }, ModelPlan::Quadratic) => {
            assemble::quadratic(plan, curvatures, *noise, limits)
        }
        (DataPlan::Synthetic { problem: SyntheticPlan::Quadratic { .. }, .. }, _) => Err(TaskError::unsuitable(
            "model",
            "kind",
            "a quadratic has no examples to show a network: write kind = \"quadratic\" for the model",
        )),
        (_, ModelPlan::Quadratic) => Err(TaskError::unsuitable(
            "model",
            "kind",
            "a quadratic model needs a quadratic problem: write kind = \"linear\" or \"mlp\" for the model, \
             or a synthetic quadratic for the data",
        )),
        _ => assemble::network(plan, data::load(&plan.data)?, limits),
    }
}

impl Task {
    /// What was built.
    pub fn facts(&self) -> &TaskFacts {
        &self.facts
    }

    /// What its trials take of the machine.
    pub fn footprint(&self) -> &Footprint {
        &self.footprint
    }
}

impl Objective for Task {
    fn max_lanes(&self) -> usize {
        self.footprint.lanes
    }

    fn constant_cost(&self) -> Option<f64> {
        self.facts.constant_cost
    }

    fn identity(&self) -> Option<String> {
        identity::of(self)
    }

    fn inputs_sha256(&self) -> Option<String> {
        identity::of_examples(self)
    }

    fn start(&self, specs: &[TrialSpec]) -> Result<Box<dyn Run + '_>, TrialError> {
        Ok(Box::new(StackedRun::new(self, specs)))
    }

    fn can_resume(&self) -> bool {
        true
    }

    fn resume(&self, specs: &[TrialSpec], states: &[State], step: u64) -> Result<Box<dyn Run + '_>, TrialError> {
        Ok(Box::new(StackedRun::resumed(self, specs, states, step)?))
    }
}

#[cfg(test)]
mod tests;
