//! Puts data, model and optimiser together, and refuses what does not go together.

use super::architecture::{self, Blueprint, Outputs};
use super::augment::Augment;
use super::batches::{CHUNK_EXAMPLES, Source};
use super::builder::{Builder, Misfit};
use super::data::{Dataset, ExampleShape, Split, Targets};
use super::footprint::{Footprint, Limits, Size};
use super::layers::{Chain, Layer};
use super::model::Model;
use super::network::{Goal, Network};
use super::quadratic::Quadratic;
use super::{Task, TaskError, constant_prediction, device, facts, identity, weights};
use crate::config::{ModelPlan, Plan};

/// The quadratic problem with these curvatures.
pub(super) fn quadratic(plan: &Plan, curvatures: &[f64], noise: f64, limits: Limits) -> Result<Task, TaskError> {
    if curvatures.is_empty() {
        return Err(TaskError::unsuitable(
            "data",
            "curvatures",
            "a quadratic without curvatures has nothing to train: write curvatures = [1.0, 10.0] or the like",
        ));
    }
    check_warmup(plan, 1)?;
    let size = Size { parameters: curvatures.len() as f64, values: 0.0, evaluated: 0.0, data: 0 };
    let footprint = Footprint::new(plan, size, limits)?;
    Ok(Task {
        model: Box::new(Quadratic::new(curvatures)),
        source: Source::Jitter { dimensions: curvatures.len(), noise },
        held_out: None,
        optimizer: plan.training.optimizer.clone(),
        clip_norm: plan.training.clip_norm,
        accumulate: 1,
        room: footprint.room(),
        footprint,
        facts: facts::TaskFacts {
            model: facts::quadratic(curvatures),
            optimizer: facts::optimizer(&plan.training.optimizer),
            parameters: curvatures.len(),
            examples: 0,
            batch_size: 0,
            iterations_per_epoch: 1,
            constant_cost: None,
            notes: Vec::new(),
        },
        recipe: identity::recipe(plan, curvatures),
    })
}

/// A network on examples.
pub(super) fn network(plan: &Plan, split: Split, limits: Limits) -> Result<Task, TaskError> {
    let training = &plan.training;
    let examples = split.train.len();
    check_training(plan, &split.train)?;
    let in_all = split.train_in_all;
    let batch_size = if training.batch_size == 0 { examples } else { training.batch_size };

    let per_epoch = if training.batch_size == 0 { 1 } else { in_all.div_ceil(batch_size) as u64 };
    check_warmup(plan, per_epoch)?;

    let (shape, features) = (split.train.shape, split.train.features);
    let augment = plan
        .data
        .augment()
        .map(|augment| Augment::new(augment, shape))
        .transpose()
        .map_err(|m| TaskError::unsuitable("data", "augment", m))?;
    let outputs = outputs(&split.train);
    let (blueprint, builder, layers) = built(plan, shape, features, batch_size, outputs)?;
    let parameters = layers.parameters().iter().map(super::model::ParameterSpec::size_as_float).sum();
    // A batch is computed in so many parts, one after the other.
    let at_once = batch_size.div_ceil(training.accumulate.max(1)) as f64;
    let size = Size {
        parameters,
        values: (builder.values() + layers.scratch()) * at_once,
        evaluated: builder.most_at_once() * examples.min(CHUNK_EXAMPLES) as f64,
        data: split.train.bytes() + split.held_out.bytes(),
    };
    let footprint = Footprint::new(plan, size, limits)?;

    let goal = if blueprint.reconstructs { Goal::Inputs } else { Goal::Targets { smoothing: training.label_smoothing } };
    let mut model = Network::new(layers, blueprint.shape, goal, device::device(plan.device));
    let mut notes = split.notes;
    let mut given = Vec::new();
    if let Some(file) = &plan.init_from {
        let weights = weights::read(&file.path, model.parameters())?;
        given = weights.tensors.iter().map(Option::is_some).collect();
        model = model.beginning_with(weights.tensors);
        notes.extend(weights.notes);
    }
    let described = facts::network(&plan.model, &split.train);
    let source = Source::examples(split.train, training.batch_size).augmented(augment);
    let facts = facts::TaskFacts {
        model: described,
        optimizer: facts::optimizer(&training.optimizer),
        parameters: model.parameters().iter().map(super::model::ParameterSpec::size).sum(),
        examples,
        batch_size,
        iterations_per_epoch: per_epoch,
        constant_cost: Some(constant_prediction::cost(&source.probe(), outputs.width, goal)),
        notes,
    };
    Ok(Task {
        model: Box::new(model),
        source,
        held_out: (!split.held_out.is_empty()).then(|| Source::examples(split.held_out, 0)),
        optimizer: training.optimizer.clone(),
        clip_norm: training.clip_norm,
        accumulate: training.accumulate,
        room: footprint.room(),
        footprint,
        facts,
        recipe: identity::recipe(plan, (format!("{shape:?}"), given)),
    })
}

/// The plan's layers for examples of this shape, and what built them.
fn built(
    plan: &Plan,
    shape: ExampleShape,
    features: usize,
    batch_size: usize,
    outputs: Outputs,
) -> Result<(Blueprint, Builder, Chain), TaskError> {
    let blueprint = architecture::blueprint(&plan.model, shape, features, outputs)
        .map_err(|m| TaskError::unsuitable("model", "kind", m))?;
    let mut builder = Builder::new(blueprint.shape, blueprint.init, blueprint.init_scale);
    let layers = builder.chain(&blueprint.layers).map_err(Misfit::of_model)?;
    let (positions, left) = (blueprint.shape.positions().0, builder.shape());
    if outputs.per_position && left.positions().0 != positions {
        let message = format!(
            "there is a target at each of {positions} positions, but the layers give {left}: remove those that change the positions"
        );
        return Err(TaskError::unsuitable("model", "layers", message));
    }
    let accumulate = plan.training.accumulate;
    // The smallest part of a batch.
    let together = batch_size / accumulate.max(1);
    if builder.normalized().is_some_and(|positions| positions * together < 2) {
        let way_out = if accumulate > 1 {
            "lower `accumulate`, as each part of a batch is normalised by itself"
        } else {
            "raise `batch-size` to at least 2"
        };
        let message = format!("batch norm sees one value at a time, and leaves 0 of it: {way_out}");
        return Err(TaskError::unsuitable("training", "batch-size", message));
    }
    Ok((blueprint, builder, layers))
}

/// What a network has to predict of this data.
fn outputs(data: &Dataset) -> Outputs {
    Outputs { width: data.outputs(), per_position: matches!(data.shape, ExampleShape::Tokens { .. }) }
}

/// Whether the planned run goes on after its warm-up.
fn check_warmup(plan: &Plan, per_epoch: u64) -> Result<(), TaskError> {
    let (warmup, whole) = (plan.training.warmup_iterations, plan.training.epochs * per_epoch as f64);
    if warmup > 0 && warmup as f64 >= whole {
        return Err(TaskError::unsuitable(
            "training",
            "warmup-iterations",
            format!(
                "a warm-up of {warmup} iterations takes all {whole:.0} of the planned run: shorten `warmup-iterations`, or raise `epochs`"
            ),
        ));
    }
    Ok(())
}

/// Whether the data can be trained on as the plan says.
fn check_training(plan: &Plan, train: &Dataset) -> Result<(), TaskError> {
    let training = &plan.training;
    let examples = train.len();
    if examples == 0 {
        return Err(TaskError::unsuitable("data", "held-out", "no examples are left to train on: hold out less of the data"));
    }
    if training.batch_size > examples {
        return Err(TaskError::unsuitable(
            "training",
            "batch-size",
            format!(
                "the batch size {} is larger than the training part of {examples} examples: \
             write a batch-size of at most {examples}, or 0 for all of them",
                training.batch_size
            ),
        ));
    }
    let per_batch = if training.batch_size == 0 { examples } else { training.batch_size };
    if training.accumulate > per_batch {
        return Err(TaskError::unsuitable(
            "training",
            "accumulate",
            format!(
                "a mini-batch of {per_batch} examples cannot be computed in {} parts: write `accumulate = {per_batch}` or less",
                training.accumulate
            ),
        ));
    }
    let reconstructs = matches!(plan.model, ModelPlan::Autoencoder { .. });
    if reconstructs && plan.data.label_noise() > 0.0 {
        let message = "an autoencoder reads no labels, so noise on them changes nothing: leave `label-noise` out";
        return Err(TaskError::unsuitable("data", "label-noise", message));
    }
    if training.label_smoothing > 0.0 && (reconstructs || !matches!(train.targets, Targets::Classes { .. })) {
        return Err(TaskError::unsuitable(
            "training",
            "label-smoothing",
            "label smoothing needs classes, and this target is a number: leave label-smoothing out",
        ));
    }
    Ok(())
}
