//! The affine layer.

use burn::tensor::Tensor;

use super::{Backward, Layer, Slopes, tensor};
use crate::config::Init;
use crate::task::batches::Draws;
use crate::task::model::{Initial, ParameterSpec};
use crate::task::numbers::Numbers;
use crate::task::product::{Weights, dispatch};
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
    fn weights(&self, parameters: &[Tensor<2>]) -> Tensor<3> {
        let [lanes, _] = parameters[0].dims();
        parameters[0].clone().reshape([lanes, self.inputs, self.outputs])
    }

    /// One row for each position of each example.
    fn rows(&self, x: Tensor<3>, width: usize) -> Tensor<3> {
        let [lanes, examples, _] = x.dims();
        if self.positions == 1 { x } else { x.reshape([lanes, examples * self.positions, width]) }
    }

    /// All positions of an example in one row again.
    fn examples(&self, rows: Tensor<3>) -> Tensor<3> {
        let [lanes, count, width] = rows.dims();
        if self.positions == 1 { rows } else { rows.reshape([lanes, count / self.positions, self.positions * width]) }
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
    pub(super) fn carry(&self, parameters: &[Tensor<2>], x: Tensor<3>, slope: Tensor<3>, wanted: bool) -> Slopes {
        let (biases, slope) = column_sums(self.rows(slope, self.outputs));
        let [lanes, _, _] = slope.dims();
        let input = wanted.then(|| self.examples(slope.clone().matmul(self.weights(parameters).transpose())));
        let weights = self.weight_slopes(&Numbers::of(x), &Numbers::of(slope), lanes);
        Slopes { input, parameters: vec![tensor(weights, [lanes, self.inputs * self.outputs], &biases.device()), biases] }
    }
}

/// Adds each lane's biases, `[lanes, width]`, to all of its rows.
pub(super) fn add_biases(rows: Tensor<3>, biases: &Tensor<2>) -> Tensor<3> {
    let (shape, device) = (rows.dims(), rows.device());
    let [_, count, width] = shape;
    let mut rows = Numbers::of(rows);
    let biases = Numbers::of(biases.clone());
    let lanes = rows.chunks_exact_mut(count * width).zip(biases.chunks_exact(width));
    wide!({
        for (lane, biases) in lanes {
            for row in lane.chunks_exact_mut(width) {
                row.iter_mut().zip(biases).for_each(|(value, bias)| *value += bias);
            }
        }
    });
    rows.tensor(shape, &device)
}

/// The sum of each lane's rows, `[lanes, width]`, and the rows themselves.
pub(super) fn column_sums(rows: Tensor<3>) -> (Tensor<2>, Tensor<3>) {
    let (shape, device) = (rows.dims(), rows.device());
    let [lanes, count, width] = shape;
    let rows = Numbers::of(rows);
    let mut sums = vec![0.0; lanes * width];
    let by_lane = sums.chunks_exact_mut(width).zip(rows.chunks_exact(count * width));
    wide!({
        for (sums, lane) in by_lane {
            for row in lane.chunks_exact(width) {
                sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }
        }
    });
    (tensor(sums, [lanes, width], &device), rows.tensor(shape, &device))
}

impl Layer for Affine {
    fn parameters(&self) -> Vec<ParameterSpec> {
        let (weights, biases) = initial(self.init, self.init_scale, self.inputs, self.outputs);
        vec![
            ParameterSpec::transposed("weight", self.outputs, self.inputs, weights),
            ParameterSpec::new("bias", &[self.outputs], biases),
        ]
    }

    fn forward(&self, parameters: &[Tensor<2>], x: Tensor<3>, _: Option<&Draws>) -> Tensor<3> {
        let products = self.rows(x, self.inputs).matmul(self.weights(parameters));
        self.examples(add_biases(products, &parameters[1]))
    }

    fn trace<'a>(
        &'a self,
        parameters: &'a [Tensor<2>],
        x: Tensor<3>,
        draws: Option<&'a Draws>,
        wanted: bool,
    ) -> (Tensor<3>, Backward<'a>) {
        let y = self.forward(parameters, x.clone(), draws);
        (y, Box::new(move |slope| self.carry(parameters, x, slope, wanted)))
    }
}
