//! Multi-head self-attention (Vaswani et al. 2017).

mod heads;

use burn::tensor::Tensor;

use super::{Affine, Backward, Layer, Slopes, tensor};
use crate::config::Init;
use crate::task::batches::Draws;
use crate::task::model::ParameterSpec;
use crate::task::numbers::Numbers;
use crate::task::small_product::{WIDEST, dispatch};
use heads::{Back, Heads, Look};

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

    fn heads(&self) -> Heads {
        Heads { length: self.length, width: self.width, count: self.heads, causal: self.causal }
    }

    /// What the heads see in projections, `[lanes × examples × positions · width]`, and how much each position takes from each.
    fn look(&self, projected: &[f32], [lanes, examples, values]: [usize; 3]) -> (Vec<f32>, Vec<f32>) {
        let mut shares = vec![0.0; lanes * examples * self.heads * self.length * self.length];
        let mut seen = vec![0.0; lanes * examples * values];
        dispatch(WIDEST, Look { heads: self.heads(), projected, shares: &mut shares, seen: &mut seen });
        (seen, shares)
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

    /// Queries, keys and values, what the heads see, the slopes in all of it, and for each head what each position takes from each.
    fn scratch(&self) -> f64 {
        let (length, width, heads) = (self.length as f64, self.width as f64, self.heads as f64);
        8.0 * length * width + heads * length * length
    }

    fn forward(&self, parameters: &[Vec<f32>], x: Tensor<3>, draws: Option<&Draws>) -> Tensor<3> {
        let (shape, device) = (x.dims(), x.device());
        let [into, out] = self.projections();
        let projected = Numbers::of(into.forward(&parameters[..2], x, draws));
        out.outputs(&parameters[2..], &self.look(&projected, shape).0, shape, &device)
    }

    fn trace<'a>(
        &'a self,
        parameters: &'a [Vec<f32>],
        x: Tensor<3>,
        _: Option<&'a Draws>,
        wanted: bool,
    ) -> (Tensor<3>, Backward<'a>) {
        let (shape, device) = (x.dims(), x.device());
        let [into, out] = self.projections();
        let x = Numbers::of(x);
        let projected = Numbers::of(into.outputs(&parameters[..2], &x, shape, &device));
        let (seen, shares) = self.look(&projected, shape);
        let y = out.outputs(&parameters[2..], &seen, shape, &device);
        let back = move |slope: Tensor<3>| {
            let of_out = out.carry(&parameters[2..], &seen, slope, true);
            let Some(slope) = of_out.input else { return Slopes { input: None, parameters: of_out.parameters } };
            let mut slopes = vec![0.0; projected.len()];
            let of_seen = Numbers::of(slope);
            let heads = self.heads();
            dispatch(WIDEST, Back { heads, projected: &projected, shares: &shares, of_seen: &of_seen, slopes: &mut slopes });
            let projected = tensor(slopes, [shape[0], shape[1], 3 * shape[2]], &device);
            let mut slopes = into.carry(&parameters[..2], &x, projected, wanted);
            slopes.parameters.extend(of_out.parameters);
            slopes
        };
        (y, Box::new(back))
    }
}
