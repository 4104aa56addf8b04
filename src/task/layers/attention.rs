//! Multi-head self-attention (Vaswani et al. 2017).

use burn::tensor::Tensor;

use super::{Affine, Backward, Layer, Slopes, tensor};
use crate::config::Init;
use crate::task::batches::Draws;
use crate::task::elementary::exp;
use crate::task::model::ParameterSpec;
use crate::task::numbers::Numbers;
use crate::task::wide::{largest, sum, sum_of_pairs, wide};

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

    /// Features of a head.
    fn head(&self) -> usize {
        self.width / self.heads
    }

    /// What each head looks at, for so many parts of the width one after the other, each `[lanes · examples, heads, positions,
    /// head]`: views, which the matrix product reads where they lie.
    fn parts<const N: usize>(&self, projected: Tensor<3>) -> [Tensor<4>; N] {
        let [lanes, examples, _] = projected.dims();
        let heads = projected.reshape([lanes * examples, self.length, N * self.heads, self.head()]).swap_dims(1, 2);
        std::array::from_fn(|index| heads.clone().narrow(1, index * self.heads, self.heads))
    }

    /// The way back of [`parts`](Self::parts).
    fn joined<const N: usize>(&self, parts: [Tensor<4>; N], [lanes, examples]: [usize; 2]) -> Tensor<3> {
        let (device, head) = (parts[0].device(), self.head());
        let size = self.length * N * self.width;
        let mut joined = vec![0.0; lanes * examples * size];
        for (index, part) in parts.into_iter().enumerate() {
            let part = Numbers::of(part);
            for (example, part) in joined.chunks_exact_mut(size).zip(part.chunks_exact(self.length * self.width)) {
                for (number, values) in part.chunks_exact(self.length * head).enumerate() {
                    let start = index * self.width + number * head;
                    let positions = example.chunks_exact_mut(N * self.width).zip(values.chunks_exact(head));
                    wide!({
                        for (position, values) in positions {
                            position[start..start + head].iter_mut().zip(values).for_each(|(to, value)| *to = *value);
                        }
                    });
                }
            }
        }
        tensor(joined, [lanes, examples, size], &device)
    }

    /// How many positions the one at `place` sees, from the first on.
    fn seen(&self, place: usize) -> usize {
        if self.causal { place + 1 } else { self.length }
    }

    /// The factor of the scores.
    fn scale(&self) -> f32 {
        1.0 / (self.head() as f32).sqrt()
    }

    /// How much each position takes from each: the softmax of query·key / √head over what is seen.
    fn shares(&self, queries: Tensor<4>, keys: Tensor<4>) -> Tensor<4> {
        let scores = queries.matmul(keys.transpose());
        let (shape, device) = (scores.dims(), scores.device());
        let mut scores = Numbers::of(scores);
        let scale = self.scale();
        let rows = scores.chunks_exact_mut(self.length).enumerate();
        wide!({
            for (number, row) in rows {
                let (seen, later) = row.split_at_mut(self.seen(number % self.length));
                later.fill(0.0);
                let largest = largest(seen);
                for score in seen.iter_mut() {
                    *score = exp(scale * (*score - largest));
                }
                let inverse = (1.0 / sum(seen, f64::from)) as f32;
                for score in seen {
                    *score *= inverse;
                }
            }
        });
        scores.tensor(shape, &device)
    }

    /// The slopes in the scores, given those in the shares and the shares p: p · (s − Σ p·s), times the factor of the scores.
    fn through_softmax(&self, slopes: Tensor<4>, shares: Tensor<4>) -> Tensor<4> {
        let (shape, device) = (slopes.dims(), slopes.device());
        let (mut slopes, shares) = (Numbers::of(slopes), Numbers::of(shares));
        let scale = self.scale();
        let rows = slopes.chunks_exact_mut(self.length).zip(shares.chunks_exact(self.length));
        wide!({
            for (number, (slopes, shares)) in rows.enumerate() {
                let (seen, later) = slopes.split_at_mut(self.seen(number % self.length));
                // What is not seen may hold a product with what is no number.
                later.fill(0.0);
                let shares = &shares[..seen.len()];
                let mean = sum_of_pairs(seen, shares, |slope, share| f64::from(slope * share)) as f32;
                seen.iter_mut().zip(shares).for_each(|(slope, share)| *slope = scale * share * (*slope - mean));
            }
        });
        slopes.tensor(shape, &device)
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
        let [queries, keys, of_values] = self.parts(into.forward(&parameters[..2], x, draws));
        let heads = self.shares(queries, keys).matmul(of_values);
        out.forward(&parameters[2..], self.joined([heads], [lanes, examples]), draws)
    }

    fn trace<'a>(
        &'a self,
        parameters: &'a [Tensor<2>],
        x: Tensor<3>,
        draws: Option<&'a Draws>,
        wanted: bool,
    ) -> (Tensor<3>, Backward<'a>) {
        let [lanes, examples, _] = x.dims();
        let [into, out] = self.projections();
        let [queries, keys, of_values] = self.parts(into.forward(&parameters[..2], x.clone(), draws));
        let shares = self.shares(queries.clone(), keys.clone());
        let joined = self.joined([shares.clone().matmul(of_values.clone())], [lanes, examples]);
        let y = out.forward(&parameters[2..], joined.clone(), draws);
        let back = move |slope: Tensor<3>| {
            let of_out = out.carry(&parameters[2..], joined, slope, true);
            let Some(slope) = of_out.input else { return Slopes { input: None, parameters: of_out.parameters } };
            let [heads] = self.parts(slope);
            let to_values = shares.clone().transpose().matmul(heads.clone());
            let scores = self.through_softmax(heads.matmul(of_values.transpose()), shares);
            let to_keys = scores.clone().transpose().matmul(queries);
            let to_queries = scores.matmul(keys);
            let projected = self.joined([to_queries, to_keys, to_values], [lanes, examples]);
            let mut slopes = into.carry(&parameters[..2], x, projected, wanted);
            slopes.parameters.extend(of_out.parameters);
            slopes
        };
        (y, Box::new(back))
    }
}
