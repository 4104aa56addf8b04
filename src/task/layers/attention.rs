//! Multi-head self-attention (Vaswani et al. 2017).

use burn::tensor::{Bool, Tensor, activation};

use super::{Affine, Layer};
use crate::config::Init;
use crate::task::batches::Draws;
use crate::task::model::ParameterSpec;

/// Every position looks at the others, or at itself and earlier ones only.
#[derive(Debug)]
pub(crate) struct Attention {
    /// Positions.
    pub(crate) length: usize,
    /// Features of each.
    pub(crate) width: usize,
    /// Heads, which share the features out among them.
    pub(crate) heads: usize,
    /// Whether a position sees itself and earlier ones only.
    pub(crate) causal: bool,
    /// How the projections begin.
    pub(crate) init: Init,
    /// Multiplies their initial weights.
    pub(crate) init_scale: f64,
}

impl Attention {
    /// The projections onto queries, keys and values, one after the other; and that of all heads together.
    fn projections(&self) -> [Affine; 2] {
        let affine = |outputs: usize| Affine {
            positions: self.length,
            inputs: self.width,
            outputs,
            init: self.init,
            init_scale: self.init_scale,
        };
        [affine(3 * self.width), affine(self.width)]
    }
}

impl Layer for Attention {
    /// Names and layouts of `torch.nn.MultiheadAttention`.
    fn parameters(&self) -> Vec<ParameterSpec> {
        let [into, out] = self.projections();
        let named = |prefix: &str, layer: &Affine| {
            let named = |spec: ParameterSpec| ParameterSpec { name: format!("{prefix}{}", spec.name), ..spec };
            layer.parameters().into_iter().map(named).collect::<Vec<_>>()
        };
        [named("in_proj_", &into), named("out_proj.", &out)].concat()
    }

    /// Queries, keys and values, and for each head the scores of all pairs of positions, before and after the softmax; with
    /// their slopes.
    fn scratch(&self) -> f64 {
        let (length, width, heads) = (self.length as f64, self.width as f64, self.heads as f64);
        2.0 * (5.0 * length * width + 3.0 * heads * length * length)
    }

    fn forward(&self, parameters: &[Tensor<2>], x: Tensor<3>, draws: Option<&Draws>) -> Tensor<3> {
        let [lanes, examples, _] = x.dims();
        let [into, out] = self.projections();
        let width = self.width / self.heads;
        // [lanes · examples, positions, query or key or value, heads, features of a head]
        let projected: Tensor<5> =
            into.forward(&parameters[..2], x, draws).reshape([lanes * examples, self.length, 3, self.heads, width]);
        let part = |index: usize| -> Tensor<4> {
            let part = projected.clone().narrow(2, index, 1);
            part.reshape([lanes * examples, self.length, self.heads, width]).swap_dims(1, 2)
        };
        let (queries, keys, values) = (part(0), part(1), part(2));
        let mut scores = queries.matmul(keys.transpose()) / (width as f64).sqrt();
        if self.causal {
            let later = Tensor::<2, Bool>::tril_mask([self.length, self.length], 0, &scores.device());
            let later = later.reshape([1, 1, self.length, self.length]).expand(scores.dims());
            scores = scores.mask_fill(later, f32::NEG_INFINITY);
        }
        let heads = activation::softmax(scores, 3).matmul(values);
        let joined = heads.swap_dims(1, 2).reshape([lanes, examples, self.length * self.width]);
        out.forward(&parameters[2..], joined, draws)
    }
}
