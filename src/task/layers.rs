//! Layers whose parameters carry a leading lane dimension: each lane is one trial with weights of its own.

use std::f64::consts::FRAC_1_SQRT_2;

use burn::tensor::{Tensor, activation};

use super::model::{Initial, ParameterSpec};
use crate::config::{self, Init};

/// A piece of a network.
pub(crate) trait Layer: Send + Sync + std::fmt::Debug {
    /// The parameter tensors of one lane, in the order [`forward`](Self::forward) takes them.
    fn parameters(&self) -> Vec<ParameterSpec>;

    /// Maps `x`, `[lanes, examples, features]`, to `[lanes, examples, new features]`. Each of `parameters` is `[lanes, size]`.
    ///
    /// A lane of the result must depend on the same lane of the arguments only, bit by bit.
    fn forward(&self, parameters: &[Tensor<2>], x: Tensor<3>) -> Tensor<3>;
}

/// y = x·W + b.
#[derive(Debug)]
pub(crate) struct Affine {
    /// Input features.
    pub(crate) inputs: usize,
    /// Output features.
    pub(crate) outputs: usize,
    /// How W and b begin.
    pub(crate) init: Init,
    /// Multiplies the initial W and b.
    pub(crate) init_scale: f64,
}

impl Layer for Affine {
    fn parameters(&self) -> Vec<ParameterSpec> {
        let (fan_in, fan_out) = (self.inputs as f64, self.outputs as f64);
        let normal = |variance: f64| (Initial::Normal(variance.sqrt() * self.init_scale), Initial::Zeros);
        let (weights, biases) = match self.init {
            Init::He => normal(2.0 / fan_in),
            Init::Xavier => normal(2.0 / (fan_in + fan_out)),
            Init::Pytorch => {
                let bound = self.init_scale / fan_in.sqrt();
                (Initial::Uniform(bound), Initial::Uniform(bound))
            }
            Init::Zeros => (Initial::Zeros, Initial::Zeros),
        };
        vec![
            ParameterSpec { size: self.inputs * self.outputs, initial: weights },
            ParameterSpec { size: self.outputs, initial: biases },
        ]
    }

    fn forward(&self, parameters: &[Tensor<2>], x: Tensor<3>) -> Tensor<3> {
        let [weights, biases] = parameters else { return x };
        let [lanes, _, _] = x.dims();
        let weights = weights.clone().reshape([lanes, self.inputs, self.outputs]);
        let biases = biases.clone().reshape([lanes, 1, self.outputs]);
        x.matmul(weights) + biases
    }
}

/// An elementwise nonlinearity.
#[derive(Debug)]
pub(crate) struct Activation {
    /// Which.
    pub(crate) kind: config::Activation,
}

impl Layer for Activation {
    fn parameters(&self) -> Vec<ParameterSpec> {
        Vec::new()
    }

    fn forward(&self, _: &[Tensor<2>], x: Tensor<3>) -> Tensor<3> {
        match self.kind {
            config::Activation::Relu => activation::relu(x),
            config::Activation::Tanh => activation::tanh(x),
            config::Activation::Gelu => gelu(x),
            config::Activation::Silu => activation::silu(x),
        }
    }
}

/// x·Φ(x) with the error function (Hendrycks & Gimpel 2016). Spelt out because burn-ndarray 0.22 pairs its own `gelu` with the
/// derivative of the tanh approximation, which is off by up to 10⁻³.
fn gelu(x: Tensor<3>) -> Tensor<3> {
    let doubled = (x.clone() * FRAC_1_SQRT_2).erf() + 1.0;
    x * doubled * 0.5
}
