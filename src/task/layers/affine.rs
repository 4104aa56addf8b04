//! The affine layer.

use burn::tensor::{Device, Tensor};

use super::{Backward, Layer, Slopes, tensor};
use crate::config::Init;
use crate::task::batches::Draws;
use crate::task::model::{Initial, ParameterSpec};
use crate::task::numbers::Numbers;
use crate::task::product::Product;
use crate::task::small_product::{Weights, dispatch};
use crate::task::wide::wide;

/// y = x·W + b, at each of an example's positions.
#[derive(Debug)]
pub(crate) struct Affine {
    /// Positions of an example, which share W and b; 1 for a flat example.
    pub(crate) positions: usize,
    /// Input features of a position.
    pub(crate) inputs: usize,
    /// Output features of a position.
    pub(crate) outputs: usize,
    /// How W and b begin.
    pub(crate) init: Init,
    /// Multiplies the initial W and b.
    pub(crate) init_scale: f64,
}

/// How the weights and the biases of a layer with so many connections into and out of each unit begin.
pub(crate) fn initial(init: Init, scale: f64, fan_in: usize, fan_out: usize) -> (Initial, Initial) {
    let (fan_in, fan_out) = (fan_in as f64, fan_out as f64);
    let zeros = Initial::Constant(0.0);
    let normal = |variance: f64| (Initial::Normal(variance.sqrt() * scale), zeros);
    match init {
        Init::He => normal(2.0 / fan_in),
        Init::Xavier => normal(2.0 / (fan_in + fan_out)),
        Init::Pytorch => {
            let bound = scale / fan_in.sqrt();
            (Initial::Uniform(bound), Initial::Uniform(bound))
        }
        Init::Zeros => (zeros, zeros),
    }
}

impl Affine {
    /// Positions of all examples of a lane.
    fn count(&self, examples: usize) -> usize {
        examples * self.positions
    }

    /// What comes out, given `x`, `[lanes, examples, positions · inputs]`.
    pub(super) fn outputs(
        &self,
        parameters: &[Vec<f32>],
        x: &[f32],
        [lanes, examples, _]: [usize; 3],
        on: &Device,
    ) -> Tensor<3> {
        let &Self { inputs, outputs, .. } = self;
        let mut y = Vec::with_capacity(lanes * self.count(examples) * outputs);
        for biases in parameters[1].chunks_exact(outputs) {
            for _ in 0..self.count(examples) {
                y.extend_from_slice(biases);
            }
        }
        let matrices = &parameters[0];
        Product { rows: x, matrices, is_turned: false, lanes, inner: inputs, columns: outputs }.add(&mut y, on);
        tensor(y, [lanes, examples, self.positions * outputs], on)
    }

    /// The slopes in W, lane by lane.
    fn weight_slopes(&self, x: &[f32], slopes: &[f32], lanes: usize) -> Vec<f32> {
        let &Self { inputs, outputs, .. } = self;
        let mut weights = vec![0.0; lanes * inputs * outputs];
        let lanes = x.chunks_exact(x.len() / lanes).zip(slopes.chunks_exact(slopes.len() / lanes));
        for ((from, slopes), to) in lanes.zip(weights.chunks_exact_mut(inputs * outputs)) {
            dispatch(outputs, Weights { from, inputs, slopes, outputs, to });
        }
        weights
    }

    /// The slopes in `x` and the parameters, given those in the outputs.
    pub(super) fn carry(&self, parameters: &[Vec<f32>], x: &[f32], slope: Tensor<3>, wanted: bool) -> Slopes {
        let &Self { inputs, outputs, .. } = self;
        let ([lanes, examples, _], device) = (slope.dims(), slope.device());
        let slopes = Numbers::of(slope);
        let input = wanted.then(|| {
            let mut input = vec![0.0; x.len()];
            let matrices = &parameters[0];
            let product = Product { rows: &slopes, matrices, is_turned: true, lanes, inner: outputs, columns: inputs };
            product.write(&mut input, &device);
            tensor(input, [lanes, examples, self.positions * inputs], &device)
        });
        let biases = column_sums(&slopes, lanes, outputs);
        Slopes { input, parameters: vec![self.weight_slopes(x, &slopes, lanes), biases] }
    }
}

/// Adds each lane's biases to all of its rows.
pub(super) fn add_biases(rows: &mut [f32], biases: &[f32], lanes: usize) {
    let width = biases.len() / lanes;
    let by_lane = rows.chunks_exact_mut(rows.len() / lanes).zip(biases.chunks_exact(width));
    wide!({
        for (lane, biases) in by_lane {
            for row in lane.chunks_exact_mut(width) {
                row.iter_mut().zip(biases).for_each(|(value, bias)| *value += bias);
            }
        }
    });
}

/// The sum of each lane's rows of so many numbers.
pub(super) fn column_sums(rows: &[f32], lanes: usize, width: usize) -> Vec<f32> {
    let mut sums = vec![0.0; lanes * width];
    let by_lane = sums.chunks_exact_mut(width).zip(rows.chunks_exact(rows.len() / lanes));
    wide!({
        for (sums, lane) in by_lane {
            for row in lane.chunks_exact(width) {
                sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }
        }
    });
    sums
}

impl Layer for Affine {
    fn parameters(&self) -> Vec<ParameterSpec> {
        let (weights, biases) = initial(self.init, self.init_scale, self.inputs, self.outputs);
        vec![
            ParameterSpec::transposed("weight", self.outputs, self.inputs, weights),
            ParameterSpec::new("bias", &[self.outputs], biases),
        ]
    }

    fn forward(&self, parameters: &[Vec<f32>], x: Tensor<3>, _: Option<&Draws>) -> Tensor<3> {
        let (shape, device) = (x.dims(), x.device());
        self.outputs(parameters, &Numbers::of(x), shape, &device)
    }

    fn trace<'a>(
        &'a self,
        parameters: &'a [Vec<f32>],
        x: Tensor<3>,
        _: Option<&'a Draws>,
        wanted: bool,
    ) -> (Tensor<3>, Backward<'a>) {
        let (shape, device) = (x.dims(), x.device());
        let x = Numbers::of(x);
        let y = self.outputs(parameters, &x, shape, &device);
        (y, Box::new(move |slope| self.carry(parameters, &x, slope, wanted)))
    }
}
