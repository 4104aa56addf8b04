//! Every layer against burn's own, or where that needs more of burn than is built, against its formulas in double precision.

use burn::tensor::ops::{AttentionModuleOptions, AvgPoolOptions, ConvOptions, MaxPoolOptions};
use burn::tensor::{Int, module};

use super::*;
use crate::config::DeviceKind::Flex;

const EXAMPLES: usize = 3;

/// The parameters of one lane, given as PyTorch lays them out.
fn ours(layer: &dyn Layer, theirs: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let specs = layer.parameters();
    assert_eq!(specs.len(), theirs.len());
    specs.iter().zip(theirs).map(|(spec, theirs)| spec.arranged(theirs)).collect()
}

fn forward(layer: &dyn Layer, theirs: &[Vec<f32>], x: &[f32]) -> Vec<f32> {
    let x = tensor(x.to_vec(), [1, EXAMPLES, x.len() / EXAMPLES], &device(Flex));
    numbers(layer.forward(&ours(layer, theirs), x, None))
}

/// `[examples, rows, columns]` turned to `[examples, columns, rows]`.
fn turned(x: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let x: Tensor<3> = tensor(x.to_vec(), [x.len() / rows / columns, rows, columns], &device(Flex));
    numbers(x.swap_dims(1, 2))
}

fn assert_close(actual: &[f32], expected: &[f32], what: &str) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    for (a, e) in actual.iter().zip(expected) {
        assert!((a - e).abs() < 1e-5 * (1.0 + e.abs()), "{what}: {actual:?}, not {expected:?}");
    }
}

#[test]
fn convolutions_are_burns() {
    for (window, inputs, outputs, groups) in [
        (window([5, 4], [3, 3], [1, 1], [1, 1]), 2, 3, 1),
        (window([5, 6], [2, 3], [2, 1], [0, 2]), 4, 6, 2),
        (window([7, 7], [5, 5], [3, 2], [2, 1]), 3, 6, 3),
        (window([1, 9], [1, 3], [1, 2], [0, 1]), 2, 4, 1),
        // One image's windows in several blocks, channels in several vectors, and some that are left over of either.
        (window([6, 7], [5, 5], [1, 1], [2, 2]), 6, 16, 1),
        (window([7, 5], [3, 3], [1, 1], [1, 1]), 16, 70, 1),
        (window([6, 6], [1, 1], [2, 2], [0, 0]), 20, 17, 1),
        (window([5, 5], [4, 2], [1, 1], [1, 1]), 34, 10, 2),
    ] {
        let layer = conv(window, inputs, outputs, groups);
        let [height, width] = window.input;
        let x = normal(EXAMPLES * inputs * height * width, 1);
        let kernel = normal(outputs * inputs / groups * window.area(), 2);
        let bias = normal(outputs, 3);
        let theirs = module::conv2d(
            tensor(x.clone(), [EXAMPLES, inputs, height, width], &device(Flex)),
            tensor(kernel.clone(), [outputs, inputs / groups, window.size[0], window.size[1]], &device(Flex)),
            Some(Tensor::from_data(TensorData::new(bias.clone(), [outputs]), &device(Flex))),
            ConvOptions::new(window.stride, window.padding, [1, 1], groups),
        );
        let own = forward(&layer, &[kernel, bias], &turned(&x, inputs, height * width));
        assert_close(&turned(&own, window.outputs(), outputs), &numbers(theirs), "conv");
    }
}

#[test]
fn affine_layers_are_burns() {
    for positions in [1, 3] {
        let (weights, biases) = (normal(5 * 4, 1), normal(5, 2));
        let x = normal(EXAMPLES * positions * 4, 3);
        let theirs = module::linear(
            tensor::<3>(x.clone(), [EXAMPLES, positions, 4], &device(Flex)),
            // burn holds the matrix as [inputs, outputs].
            tensor::<2>(weights.clone(), [5, 4], &device(Flex)).transpose(),
            Some(Tensor::from_data(TensorData::new(biases.clone(), [5]), &device(Flex))),
        );
        let layer = Affine { positions, inputs: 4, outputs: 5, init: Init::Pytorch, init_scale: 1.0 };
        assert_close(&forward(&layer, &[weights, biases], &x), &numbers(theirs), "affine");
    }
}

#[test]
fn embeddings_are_burns() {
    const TOKENS: [u8; 2 * EXAMPLES] = [0, 4, 2, 2, 1, 3];
    let table = normal(5 * 3, 1);
    let ids = TensorData::new(TOKENS.map(i32::from).to_vec(), [EXAMPLES, 2]);
    let theirs =
        module::embedding(tensor::<2>(table.clone(), [5, 3], &device(Flex)), Tensor::<2, Int>::from_data(ids, &device(Flex)));
    let own = forward(&Embedding { vocabulary: 5, width: 3 }, &[table], &TOKENS.map(f32::from));
    assert_eq!(own, numbers(theirs));
}

#[test]
fn pools_are_burns() {
    let x = normal(EXAMPLES * 2 * 35, 1);
    for (size, stride, padding) in [([2, 2], [2, 2], [0, 0]), ([3, 2], [1, 2], [1, 1]), ([3, 3], [2, 2], [1, 1])] {
        let window = window([5, 7], size, stride, padding);
        let images = || tensor::<4>(x.clone(), [EXAMPLES, 2, 5, 7], &device(Flex));
        let own = |layer: &dyn Layer| turned(&forward(layer, &[], &turned(&x, 2, 35)), window.outputs(), 2);
        let largest = module::max_pool2d(images(), MaxPoolOptions::new(size).with_stride(stride).with_padding(padding));
        assert_close(&own(&MaxPool { window, channels: 2 }), &numbers(largest), "max pool");
        let mean = module::avg_pool2d(images(), AvgPoolOptions::new(size).with_stride(stride).with_padding(padding));
        assert_close(&own(&AveragePool { window, channels: 2 }), &numbers(mean), "average pool");
    }
}

#[test]
fn norms_are_burns() {
    let (scale, shift) = (normal(4, 1), normal(4, 2));
    let vector = |values: &[f32]| Tensor::<1>::from_data(TensorData::new(values.to_vec(), [values.len()]), &device(Flex));
    let x = normal(EXAMPLES * 5 * 4, 3);
    let rows = tensor::<3>(x.clone(), [EXAMPLES, 5, 4], &device(Flex));
    let theirs = module::layer_norm(rows.clone(), vector(&scale), Some(vector(&shift)), 1e-5);
    let own = forward(&LayerNorm { width: 4 }, &[scale.clone(), shift.clone()], &x);
    assert_close(&own, &numbers(theirs), "layer norm");
    let theirs = module::batch_norm_train(rows.swap_dims(1, 2), vector(&scale), vector(&shift), 1e-5).output;
    let own = forward(&BatchNorm { channels: 4 }, &[scale, shift], &x);
    assert_close(&own, &numbers(theirs.swap_dims(1, 2)), "batch norm");
}

#[test]
fn attention_is_burns() {
    const LENGTH: usize = 5;
    const WIDTH: usize = 6;
    let (into, into_bias, out, out_bias) =
        (normal(3 * WIDTH * WIDTH, 1), normal(3 * WIDTH, 2), normal(WIDTH * WIDTH, 3), normal(WIDTH, 4));
    let x = normal(EXAMPLES * LENGTH * WIDTH, 5);
    // x·Wᵀ + b, as PyTorch and burn have it.
    let project = |x: Tensor<3>, weights: &[f32], bias: &[f32]| {
        let weights = tensor::<3>(weights.to_vec(), [1, bias.len(), WIDTH], &device(Flex)).transpose();
        x.matmul(weights.expand([EXAMPLES, WIDTH, bias.len()])) + tensor::<3>(bias.to_vec(), [1, 1, bias.len()], &device(Flex))
    };
    for causal in [false, true] {
        let part = |index: usize| -> Tensor<4> {
            let rows = index * WIDTH..(index + 1) * WIDTH;
            let weights = &into[rows.start * WIDTH..rows.end * WIDTH];
            let x = tensor::<3>(x.clone(), [EXAMPLES, LENGTH, WIDTH], &device(Flex));
            project(x, weights, &into_bias[rows]).reshape([EXAMPLES, LENGTH, 2, WIDTH / 2]).swap_dims(1, 2)
        };
        let options = AttentionModuleOptions { is_causal: causal, ..AttentionModuleOptions::default() };
        let heads = module::attention(part(0), part(1), part(2), None, None, options);
        let joined = heads.swap_dims(1, 2).reshape([EXAMPLES, LENGTH, WIDTH]);
        let theirs = numbers(project(joined, &out, &out_bias));
        let layer = Attention { length: LENGTH, width: WIDTH, heads: 2, causal, init: Init::Pytorch, init_scale: 1.0 };
        let own = forward(&layer, &[into.clone(), into_bias.clone(), out.clone(), out_bias.clone()], &x);
        assert_close(&own, &theirs, "attention");
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Row `row` of W·x + b.
fn row(weights: &[f32], bias: &[f32], x: &[f64], row: usize) -> f64 {
    let weights = &weights[row * x.len()..(row + 1) * x.len()];
    weights.iter().zip(x).map(|(&w, x)| f64::from(w) * x).sum::<f64>() + f64::from(bias[row])
}

/// The formulas in the documentation of `torch.nn.LSTM` and `torch.nn.GRU`, one example and one unit at a time.
fn recurrent(cell: Cell, theirs: &[Vec<f32>], x: &[f32], inputs: usize, units: usize) -> Vec<f32> {
    let [of_x, of_h, x_bias, h_bias] = theirs else { panic!("four parameters") };
    let (mut h, mut c) = (vec![0.0; units], vec![0.0; units]);
    let mut outputs = Vec::new();
    for x in x.chunks_exact(inputs) {
        let x: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
        let before = h.clone();
        for unit in 0..units {
            let from_x = |gate: usize| row(of_x, x_bias, &x, gate * units + unit);
            let from_h = |gate: usize| row(of_h, h_bias, &before, gate * units + unit);
            match cell {
                Cell::Lstm => {
                    let (i, f) = (sigmoid(from_x(0) + from_h(0)), sigmoid(from_x(1) + from_h(1)));
                    let (g, o) = ((from_x(2) + from_h(2)).tanh(), sigmoid(from_x(3) + from_h(3)));
                    c[unit] = f * c[unit] + i * g;
                    h[unit] = o * f64::tanh(c[unit]);
                }
                Cell::Gru => {
                    let (r, z) = (sigmoid(from_x(0) + from_h(0)), sigmoid(from_x(1) + from_h(1)));
                    let n = (from_x(2) + r * from_h(2)).tanh();
                    h[unit] = (1.0 - z) * n + z * before[unit];
                }
            }
        }
        outputs.extend(h.iter().map(|&h| h as f32));
    }
    outputs
}

#[test]
fn recurrent_layers_follow_pytorchs_formulas() {
    const LENGTH: usize = 5;
    const INPUTS: usize = 3;
    const UNITS: usize = 4;
    for (cell, gates) in [(Cell::Lstm, 4), (Cell::Gru, 3)] {
        let width = gates * UNITS;
        let theirs = [normal(width * INPUTS, 1), normal(width * UNITS, 2), normal(width, 3), normal(width, 4)];
        let x = normal(EXAMPLES * LENGTH * INPUTS, 5);
        let expected: Vec<f32> =
            x.chunks_exact(LENGTH * INPUTS).flat_map(|x| recurrent(cell, &theirs, x, INPUTS, UNITS)).collect();
        let own = forward(&Recurrent { cell, length: LENGTH, inputs: INPUTS, units: UNITS }, &theirs, &x);
        assert_close(&own, &expected, "recurrent");
    }
}
