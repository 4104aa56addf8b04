//! What a task is, for a person.

use super::data::{Dataset, Note, Targets};
use crate::config::{Activation, LayerPlan, ModelPlan, OptimizerPlan, UpdateRule};

/// What a task is, in words and numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskFacts {
    /// Such as "MLP 64-64-64-10, ReLU".
    pub model: String,
    /// Such as "SGD with momentum 0.9".
    pub optimizer: String,
    /// Numbers that are trained.
    pub parameters: usize,
    /// Examples in the training part; 0 for a quadratic, which has none.
    pub examples: usize,
    /// Examples in a mini-batch; 0 for a quadratic.
    pub batch_size: usize,
    /// Optimiser steps in one pass through the training part, those examples included that a `share` leaves out, and an incomplete
    /// last batch; 1 for a quadratic.
    pub iterations_per_epoch: u64,
    /// The least that a prediction costs on the probe set which is the same for every example; `None` for a quadratic.
    pub constant_cost: Option<f64>,
    /// What was noticed about the data.
    pub notes: Vec<Note>,
}

/// A network of this plan on this data.
pub(crate) fn network(model: &ModelPlan, data: &Dataset) -> String {
    let joined = |widths: &[usize]| widths.iter().map(usize::to_string).collect::<Vec<_>>().join("-");
    let (inputs, outputs) = (data.features, data.outputs());
    let through = |hidden: &[usize]| joined(&[&[inputs], hidden, &[outputs]].concat());
    match model {
        ModelPlan::Linear { .. } if matches!(data.targets, Targets::Classes { .. }) => {
            format!("softmax regression {}", through(&[]))
        }
        ModelPlan::Linear { .. } => format!("linear regression {}", through(&[])),
        ModelPlan::Mlp { hidden, activation, .. } => format!("MLP {}, {}", through(hidden), of_activation(*activation)),
        ModelPlan::Cnn { channels, convolutions, kernel, hidden, batch_norm, activation, .. } => {
            let each = if *convolutions == 1 { String::new() } else { format!(", {convolutions} a stage") };
            let normalized = if *batch_norm { ", batch norm" } else { "" };
            let dense = joined(&[hidden.as_slice(), &[outputs]].concat());
            format!(
                "CNN with {kernel} × {kernel} convolutions {}{each}{normalized}, then {dense}, {}",
                joined(channels),
                of_activation(*activation)
            )
        }
        ModelPlan::Resnet { blocks, width, .. } => format!("ResNet-{}, {width} channels", 6 * blocks + 2),
        ModelPlan::Rnn { cell, width, depth, .. } => {
            let (name, layers) = (cell.name().to_uppercase(), if *depth == 1 { "layer" } else { "layers" });
            format!("{name}, {depth} {layers} of {width} units")
        }
        ModelPlan::Transformer { width, depth, heads, .. } => {
            let blocks = if *depth == 1 { "block" } else { "blocks" };
            format!("transformer, {depth} {blocks} of width {width}, {heads} heads")
        }
        ModelPlan::Autoencoder { hidden, activation, .. } => {
            let mirrored: Vec<usize> = hidden.iter().chain(hidden.iter().rev().skip(1)).copied().collect();
            let widths = joined(&[&[inputs], mirrored.as_slice(), &[inputs]].concat());
            format!("autoencoder {widths}, {}", of_activation(*activation))
        }
        ModelPlan::Layers { layers, .. } => {
            let names: Vec<&str> = layers.iter().map(LayerPlan::name).collect();
            format!("layers {}, then {outputs}", names.join(", "))
        }
        ModelPlan::Quadratic => "quadratic".to_owned(),
    }
}

fn of_activation(activation: Activation) -> &'static str {
    match activation {
        Activation::Relu => "ReLU",
        Activation::Tanh => "tanh",
        Activation::Gelu => "GELU",
        Activation::Silu => "SiLU",
    }
}

/// A quadratic with these curvatures.
pub(crate) fn quadratic(curvatures: &[f64]) -> String {
    let low = curvatures.iter().copied().fold(f64::INFINITY, f64::min);
    let high = curvatures.iter().copied().fold(0.0, f64::max);
    match curvatures.len() {
        1 => format!("quadratic in 1 dimension, curvature {high}"),
        count => format!("quadratic in {count} dimensions, curvatures {low} to {high}"),
    }
}

/// An update rule with its constants and weight decay.
pub(crate) fn optimizer(plan: &OptimizerPlan) -> String {
    let decoupled = plan.decoupled && plan.weight_decay > 0.0;
    let (rule, decay) = match plan.rule {
        UpdateRule::Sgd { momentum: 0.0, .. } => ("SGD".to_owned(), decoupled),
        UpdateRule::Sgd { momentum, dampening, nesterov } => {
            let kind = if nesterov { "Nesterov momentum" } else { "momentum" };
            let dampening = if dampening == 0.0 { String::new() } else { format!(" and dampening {dampening}") };
            (format!("SGD with {kind} {momentum}{dampening}"), decoupled)
        }
        // AdamW says by its name that its decay is decoupled.
        UpdateRule::Adam { beta1, beta2, .. } => {
            (format!("{} (β {beta1}, {beta2})", if decoupled { "AdamW" } else { "Adam" }), false)
        }
        UpdateRule::RmsProp { alpha, momentum: 0.0, .. } => (format!("RMSProp (α {alpha})"), decoupled),
        UpdateRule::RmsProp { alpha, momentum, .. } => (format!("RMSProp (α {alpha}) with momentum {momentum}"), decoupled),
        UpdateRule::Adagrad { .. } => ("Adagrad".to_owned(), decoupled),
        UpdateRule::Lion { beta1, beta2 } => (format!("Lion (β {beta1}, {beta2})"), decoupled),
    };
    match plan.weight_decay {
        0.0 => rule,
        amount if decay => format!("{rule}, decoupled weight decay {amount}"),
        amount => format!("{rule}, weight decay {amount}"),
    }
}
