//! Layers whose parameters carry a leading lane dimension: each lane is one trial with weights of its own.
//!
//! Values pass between layers as `[lanes, examples, values]`. What the values of an example mean is known when a network is
//! built, see [`Shape`](super::shape::Shape). Images lie channels-last between layers, so that a position's channels are
//! neighbours in memory and a convolution is one matrix product.
//!
//! Everything is a loop over [`Numbers`](super::numbers::Numbers) or a [product](super::product) of matrices, and every way back is worked
//! out by hand.

mod activation;
mod affine;
mod arrange;
mod attention;
mod chain;
mod conv;
mod dropout;
mod embedding;
mod norm;
mod pool;
mod recurrent;
mod residual;
#[cfg(test)]
mod tests;
mod window;

pub(crate) use activation::Activation;
pub(crate) use affine::{Affine, initial};
pub(crate) use arrange::{Last, Transpose};
pub(crate) use attention::Attention;
pub(crate) use chain::Chain;
pub(crate) use conv::Conv;
pub(crate) use dropout::Dropout;
pub(crate) use embedding::{Embedding, Positions};
pub(crate) use norm::{BatchNorm, LayerNorm};
pub(crate) use pool::{AveragePool, MaxPool};
pub(crate) use recurrent::Recurrent;
pub(crate) use residual::Residual;
pub(crate) use window::Window;

use burn::tensor::{Device, Tensor, TensorData};

use super::batches::Draws;
use super::model::ParameterSpec;

/// A piece of a network.
///
/// A lane of whatever comes out must depend on the same lane of the arguments only, bit by bit. Each of `parameters` is
/// `[lanes × size]`, lane by lane, in the order of [`parameters`](Self::parameters).
pub(crate) trait Layer: Send + Sync + std::fmt::Debug {
    /// The parameter tensors of one lane.
    fn parameters(&self) -> Vec<ParameterSpec> {
        Vec::new()
    }

    /// Numbers per example that it works on besides what goes in and comes out, for the use of memory.
    fn scratch(&self) -> f64 {
        0.0
    }

    /// Maps `x`, `[lanes, examples, values]`, to `[lanes, examples, new values]`.
    fn forward(&self, parameters: &[Vec<f32>], x: Tensor<3>, draws: Option<&Draws>) -> Tensor<3>;

    /// As [`forward`](Self::forward), and gives the way back too. The slopes in `x` are `wanted` where something before the layer
    /// can be trained.
    fn trace<'a>(
        &'a self,
        parameters: &'a [Vec<f32>],
        x: Tensor<3>,
        draws: Option<&'a Draws>,
        wanted: bool,
    ) -> (Tensor<3>, Backward<'a>);
}

/// Takes the slopes of the loss in a layer's outputs to those in its input and its parameters.
pub(crate) type Backward<'a> = Box<dyn FnOnce(Tensor<3>) -> Slopes + 'a>;

/// The slopes of the loss that a layer passes on.
pub(crate) struct Slopes {
    /// In its input; `None` where nobody wanted them.
    pub(crate) input: Option<Tensor<3>>,
    /// In its parameters, each `[lanes × size]`, lane by lane.
    pub(crate) parameters: Vec<Vec<f32>>,
}

/// The tensor's numbers in row-major order.
#[cfg(test)]
pub(crate) fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().expect("all tensors here are made from f32")
}

/// A tensor of these numbers, row-major.
pub(crate) fn tensor<const D: usize>(numbers: Vec<f32>, shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(numbers, shape), device)
}
