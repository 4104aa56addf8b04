//! What a task is, for a person.

use super::data::Note;
use crate::config::{Activation, OptimizerPlan, UpdateRule};

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
    /// Optimiser steps in one pass through the training part, an incomplete last batch included; 1 for a quadratic.
    pub iterations_per_epoch: u64,
    /// What was noticed about the data.
    pub notes: Vec<Note>,
}

/// A network of affine layers with these widths, inputs and outputs included.
pub(crate) fn network(widths: &[usize], activation: Option<Activation>, classes: bool) -> String {
    let widths = widths.iter().map(usize::to_string).collect::<Vec<_>>().join("-");
    match activation {
        None if classes => format!("softmax regression {widths}"),
        None => format!("linear regression {widths}"),
        Some(activation) => {
            let name = match activation {
                Activation::Relu => "ReLU",
                Activation::Tanh => "tanh",
                Activation::Gelu => "GELU",
                Activation::Silu => "SiLU",
            };
            format!("MLP {widths}, {name}")
        }
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
