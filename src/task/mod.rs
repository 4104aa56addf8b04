//! Data, models and optimisers: turns a checked plan into something that can be trained. burn lives here.

mod allocator;
mod augment;
mod batches;
pub mod data;
mod device;
mod facts;
mod identity;
mod layers;
mod loss;
mod model;
mod network;
mod optimizer;
mod quadratic;
pub(crate) mod random;
mod stacked;

pub use facts::TaskFacts;

use serde::Serialize;
use serde_json::json;

use crate::config::{Activation, DataPlan, Init, ModelPlan, OptimizerPlan, Plan, SyntheticPlan};
use crate::error::{DataError, TrialError};
use crate::record::TrialSpec;
use crate::trial::{Objective, Run, State};

use augment::Augment;
use batches::Source;
use data::{Dataset, ExampleShape, Split, Targets};
use layers::{Affine, Layer};
use model::Model;
use network::Network;
use quadratic::Quadratic;
use stacked::StackedRun;

/// Lanes are stacked while what they touch in a step fits this many bytes. Measured with burn-flex on cores with 1 MiB of
/// second-level cache, at batch size 32: a 64-64-64-10 MLP gains up to 16 lanes (2.7 times as fast as one), a 64-128-128-10 one
/// up to about 8 (1.7 times), and a 784-256-128-1 one, at batch size 64, loses from the second lane on.
const WORKING_SET: f64 = 4.0 * 1024.0 * 1024.0;

/// More lanes than this gain nothing even for the smallest model.
const MOST_LANES: f64 = 16.0;

/// A single trial that needs more memory than this is refused.
const MOST_BYTES: f64 = 8.0 * 1024.0 * 1024.0 * 1024.0;

/// A plan that cannot be turned into trials.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The data cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Data, model and training do not go together. Says what to write instead.
    #[error("{0}")]
    Unsuitable(String),
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
    max_lanes: usize,
    facts: TaskFacts,
    /// All of the plan that decides what a trial computes, the examples apart.
    recipe: String,
}

/// Loads the data and puts the plan's model and optimiser on top.
///
/// # Errors
/// When the data cannot be read, or data, model and training do not go together.
pub fn build(plan: &Plan) -> Result<Task, TaskError> {
    allocator::keep_freed_memory();
    match (&plan.data, &plan.model) {
        (DataPlan::Synthetic { problem: SyntheticPlan::Quadratic { curvatures, noise }, .. }, ModelPlan::Quadratic) => {
            quadratic(plan, curvatures, *noise)
        }
        (DataPlan::Synthetic { problem: SyntheticPlan::Quadratic { .. }, .. }, _) => {
            Err(unsuitable("a quadratic has no examples to show a network: write kind = \"quadratic\" for the model"))
        }
        (_, ModelPlan::Quadratic) => Err(unsuitable(
            "a quadratic model needs a quadratic problem: write kind = \"linear\" or \"mlp\" for the model, \
             or a synthetic quadratic for the data",
        )),
        _ => network(plan, data::load(&plan.data)?),
    }
}

impl Task {
    /// What was built.
    pub fn facts(&self) -> &TaskFacts {
        &self.facts
    }

    /// The same task with `lanes` trials stacked at most (at least 1). Changes the speed, never a number.
    #[must_use]
    pub fn with_max_lanes(self, lanes: usize) -> Self {
        Self { max_lanes: lanes.max(1), ..self }
    }
}

impl Objective for Task {
    fn max_lanes(&self) -> usize {
        self.max_lanes
    }

    fn identity(&self) -> Option<String> {
        identity::of(self)
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

/// The plan's part in what a trial computes; `problem` is what else the model is made from.
fn recipe(plan: &Plan, problem: impl Serialize) -> String {
    let training = &plan.training;
    json!({
        "problem": problem,
        "model": plan.model,
        "optimizer": training.optimizer,
        "batch_size": training.batch_size,
        "accumulate": training.accumulate,
        "label_smoothing": training.label_smoothing,
        "clip_norm": training.clip_norm,
        "device": plan.device,
    })
    .to_string()
}

fn unsuitable(message: impl Into<String>) -> TaskError {
    TaskError::Unsuitable(message.into())
}

fn quadratic(plan: &Plan, curvatures: &[f64], noise: f64) -> Result<Task, TaskError> {
    if curvatures.is_empty() {
        return Err(unsuitable(
            "a quadratic without curvatures has nothing to train: write curvatures = [1.0, 10.0] or the like",
        ));
    }
    let max_lanes = lanes(plan, &Size { parameters: curvatures.len() as f64, values: 0.0 })?;
    Ok(Task {
        model: Box::new(Quadratic::new(curvatures)),
        source: Source::Jitter { dimensions: curvatures.len(), noise },
        held_out: None,
        optimizer: plan.training.optimizer.clone(),
        clip_norm: plan.training.clip_norm,
        accumulate: 1,
        max_lanes,
        facts: TaskFacts {
            model: facts::quadratic(curvatures),
            optimizer: facts::optimizer(&plan.training.optimizer),
            parameters: curvatures.len(),
            examples: 0,
            batch_size: 0,
            iterations_per_epoch: 1,
            notes: Vec::new(),
        },
        recipe: recipe(plan, curvatures),
    })
}

fn network(plan: &Plan, split: Split) -> Result<Task, TaskError> {
    let training = &plan.training;
    let examples = split.train.len();
    let classes = matches!(split.train.targets, Targets::Classes { .. });
    if examples == 0 {
        return Err(unsuitable("no examples are left to train on: hold out less of the data"));
    }
    if training.batch_size > examples {
        return Err(unsuitable(format!(
            "the batch size {} is larger than the training part of {examples} examples: \
             write a batch-size of at most {examples}, or 0 for all of them",
            training.batch_size
        )));
    }
    if training.label_smoothing > 0.0 && !classes {
        return Err(unsuitable("label smoothing needs classes, and this target is a number: leave label-smoothing out"));
    }
    if let ExampleShape::Tokens { .. } = split.train.shape {
        return Err(unsuitable(format!(
            "text needs a model that reads its characters in order, and kind = \"{}\" does not: write another kind for the model",
            plan.model.name()
        )));
    }
    let augment =
        plan.data.augment().map(|augment| Augment::new(augment, split.train.shape)).transpose().map_err(unsuitable)?;
    let batch_size = if training.batch_size == 0 { examples } else { training.batch_size };
    let shape = Shape::new(&plan.model, &split.train);
    if shape.widths.contains(&0) {
        return Err(unsuitable(format!(
            "a layer of width 0 passes nothing on (the widths are {:?}): give each hidden layer at least one unit, \
             and the data at least one feature",
            shape.widths
        )));
    }
    let max_lanes = lanes(plan, &shape.size(batch_size.div_ceil(training.accumulate.max(1))))?;
    let device = device::device(plan.device);
    let recipe = recipe(plan, format!("{:?}", split.train.shape));
    let model = Network::new(shape.layers(), split.train.features, training.label_smoothing, device);
    let facts = TaskFacts {
        model: facts::network(&shape.widths, shape.activation, classes),
        optimizer: facts::optimizer(&training.optimizer),
        parameters: model.parameters().iter().map(|spec| spec.size).sum(),
        examples,
        batch_size,
        iterations_per_epoch: examples.div_ceil(batch_size) as u64,
        notes: split.notes,
    };
    Ok(Task {
        model: Box::new(model),
        source: Source::examples(split.train, training.batch_size).augmented(augment),
        held_out: (!split.held_out.is_empty()).then(|| Source::examples(split.held_out, 0)),
        optimizer: training.optimizer.clone(),
        clip_norm: training.clip_norm,
        accumulate: training.accumulate,
        max_lanes,
        facts,
        recipe,
    })
}

/// The shape of a network of affine layers.
struct Shape {
    /// Features, hidden units, outputs.
    widths: Vec<usize>,
    /// Between the affine layers; `None` where there is only one.
    activation: Option<Activation>,
    init: Init,
    init_scale: f64,
}

impl Shape {
    fn new(model: &ModelPlan, data: &Dataset) -> Self {
        let (hidden, activation, init, init_scale): (&[usize], _, _, _) = match model {
            ModelPlan::Mlp { hidden, activation, init, init_scale } => (hidden, Some(*activation), *init, *init_scale),
            ModelPlan::Linear { init } => (&[], None, *init, 1.0),
            ModelPlan::Quadratic => (&[], None, Init::Zeros, 1.0),
        };
        let widths = std::iter::once(data.features).chain(hidden.iter().copied()).chain([data.outputs()]).collect();
        Self { widths, activation, init, init_scale }
    }

    fn layers(&self) -> Vec<Box<dyn Layer>> {
        let mut layers: Vec<Box<dyn Layer>> = Vec::new();
        for pair in self.widths.windows(2) {
            if let (Some(kind), false) = (self.activation, layers.is_empty()) {
                layers.push(Box::new(layers::Activation { kind }));
            }
            let (init, init_scale) = (self.init, self.init_scale);
            layers.push(Box::new(Affine { inputs: pair[0], outputs: pair[1], init, init_scale }));
        }
        layers
    }

    /// In floating point, because hidden layers may be given in any size.
    fn size(&self, batch_size: usize) -> Size {
        let widths: Vec<f64> = self.widths.iter().map(|&width| width as f64).collect();
        let parameters = widths.windows(2).map(|pair| (pair[0] + 1.0) * pair[1]).sum();
        // Each layer's outputs before and after the activation, and the slopes of both.
        let per_example = 4.0 * widths.iter().sum::<f64>();
        Size { parameters, values: per_example * batch_size as f64 }
    }
}

/// How much one trial touches in a step.
struct Size {
    parameters: f64,
    /// Inputs, intermediate results and outputs for the whole batch.
    values: f64,
}

/// How many trials to stack.
fn lanes(plan: &Plan, size: &Size) -> Result<usize, TaskError> {
    // Parameters, the copy that burn works on, their gradients, and what the optimiser remembers.
    let copies = 3 + optimizer::slots(&plan.training.optimizer.rule);
    let bytes = size_of::<f32>() as f64 * (size.parameters * copies as f64 + size.values);
    if bytes > MOST_BYTES {
        return Err(unsuitable(format!(
            "one trial would need about {:.0} GiB of memory, and no more than {:.0} GiB is allowed: \
             make the hidden layers or the batch size smaller",
            bytes / 1024f64.powi(3),
            MOST_BYTES / 1024f64.powi(3)
        )));
    }
    Ok((WORKING_SET / bytes).clamp(1.0, MOST_LANES) as usize)
}

#[cfg(test)]
mod tests;
