//! Every layer against central differences, and alone against beside others.

mod reference;

use super::*;
use crate::config::{self, Cell, DeviceKind, Init};
use crate::task::device::device;
use crate::task::random::{self, Purpose};

pub(super) const DEVICES: [DeviceKind; 2] = [DeviceKind::Flex, DeviceKind::Ndarray];

pub(super) fn window(input: [usize; 2], size: [usize; 2], stride: [usize; 2], padding: [usize; 2]) -> Window {
    Window { input, size, stride, padding }
}

pub(super) fn conv(window: Window, inputs: usize, outputs: usize, groups: usize) -> Conv {
    let flat = window.input[0] == 1;
    Conv { window, inputs, outputs, groups, bias: true, flat, init: Init::Pytorch, init_scale: 1.0 }
}

fn chain(layers: Vec<Box<dyn Layer>>) -> Chain {
    let mut chain = Chain::default();
    for layer in layers {
        chain.push(layer);
    }
    chain
}

/// Every layer, and the values of an example that it takes.
fn layers() -> Vec<(Box<dyn Layer>, usize)> {
    let affine = |positions, inputs, outputs| Affine { positions, inputs, outputs, init: Init::Pytorch, init_scale: 1.0 };
    let image = |size, stride, padding| window([5, 4], size, stride, padding);
    let attention = |causal| Attention { length: 3, width: 4, heads: 2, causal, init: Init::Pytorch, init_scale: 1.0 };
    let recurrent = |cell| Recurrent { cell, length: 3, inputs: 2, units: 3 };
    let residual = Residual {
        body: chain(vec![Box::new(affine(1, 6, 4)), Box::new(Activation { kind: config::Activation::Tanh })]),
        shortcut: chain(vec![Box::new(affine(1, 6, 4))]),
    };
    let identity = Residual { body: chain(vec![Box::new(affine(1, 6, 6))]), shortcut: Chain::default() };
    let mut layers: Vec<(Box<dyn Layer>, usize)> = vec![
        (Box::new(affine(1, 6, 4)), 6),
        (Box::new(affine(3, 2, 5)), 6),
        (Box::new(affine(1, 21, 18)), 21),
        (Box::new(conv(image([3, 3], [1, 1], [1, 1]), 2, 3, 1)), 40),
        (Box::new(conv(image([2, 3], [2, 1], [0, 2]), 4, 6, 2)), 80),
        (Box::new(conv(image([3, 3], [2, 2], [1, 1]), 2, 2, 2)), 40),
        (Box::new(conv(window([1, 7], [1, 3], [1, 2], [0, 1]), 2, 3, 1)), 14),
        (Box::new(conv(image([5, 5], [1, 1], [2, 2]), 2, 20, 1)), 40),
        (Box::new(conv(image([3, 3], [1, 1], [1, 1]), 18, 3, 1)), 360),
        (Box::new(MaxPool { window: image([2, 2], [2, 2], [0, 0]), channels: 2 }), 40),
        (Box::new(MaxPool { window: image([3, 2], [1, 1], [1, 1]), channels: 2 }), 40),
        (Box::new(AveragePool { window: image([3, 2], [2, 1], [1, 1]), channels: 2 }), 40),
        (Box::new(BatchNorm { channels: 2 }), 6),
        (Box::new(BatchNorm { channels: 5 }), 5),
        (Box::new(LayerNorm { width: 4 }), 12),
        (Box::new(Dropout { share: 0.4, number: 3 }), 12),
        (Box::new(Positions { length: 3, width: 2 }), 6),
        (Box::new(Transpose { rows: 3, columns: 2 }), 6),
        (Box::new(Last { length: 3, width: 2 }), 6),
        (Box::new(attention(false)), 12),
        (Box::new(attention(true)), 12),
        (Box::new(recurrent(Cell::Lstm)), 6),
        (Box::new(recurrent(Cell::Gru)), 6),
        (Box::new(Recurrent { cell: Cell::Lstm, length: 2, inputs: 5, units: 18 }), 10),
        (Box::new(Attention { length: 20, ..attention(true) }), 80),
        (Box::new(residual), 6),
        (Box::new(identity), 6),
        (Box::<Chain>::default(), 6),
    ];
    for kind in [config::Activation::Relu, config::Activation::Tanh, config::Activation::Gelu, config::Activation::Silu] {
        layers.push((Box::new(Activation { kind }), 12));
    }
    layers
}

/// Random numbers at least `apart` from each other and from 0, so that no maximum and no kink lies within a small step.
pub(super) fn spread(count: usize, seed: u64, apart: f32) -> Vec<f32> {
    let order = random::shuffled(count, &mut random::stream(seed, Purpose::Inputs, 0));
    order.into_iter().map(|place| apart * (place as f32 + 0.5 - count as f32 / 2.0)).collect()
}

/// Random numbers of the size of weights.
pub(super) fn normal(count: usize, seed: u64) -> Vec<f32> {
    let mut rng = random::stream(seed, Purpose::Weights, 0);
    (0..count).map(|_| 0.5 * random::standard_normal(&mut rng) as f32).collect()
}

/// What a layer is given: its parameters, each `[lanes × size]`, and its inputs, `[lanes × examples × values]`.
#[derive(Clone)]
struct Given {
    parameters: Vec<Vec<f32>>,
    x: Vec<f32>,
    draws: Draws,
}

const EXAMPLES: usize = 3;

impl Given {
    fn new(layer: &dyn Layer, values: usize, seed: u64) -> Self {
        let specs = layer.parameters();
        let parameters = specs.iter().enumerate().map(|(i, spec)| normal(spec.size(), 10 * seed + i as u64)).collect();
        let x = spread(EXAMPLES * values, seed, 2.0 / (EXAMPLES * values) as f32);
        Self { parameters, x, draws: Draws { seeds: vec![seed], step: 5, part: 0 } }
    }

    /// Several lanes as one.
    fn stacked(lanes: &[Self]) -> Self {
        Self {
            parameters: (0..lanes[0].parameters.len())
                .map(|i| lanes.iter().flat_map(|lane| lane.parameters[i].clone()).collect())
                .collect(),
            x: lanes.iter().flat_map(|lane| lane.x.clone()).collect(),
            draws: Draws { seeds: lanes.iter().flat_map(|lane| lane.draws.seeds.clone()).collect(), step: 5, part: 0 },
        }
    }

    fn inputs(&self, on: DeviceKind) -> Tensor<3> {
        let lanes = self.draws.seeds.len();
        tensor(self.x.clone(), [lanes, EXAMPLES, self.x.len() / lanes / EXAMPLES], &device(on))
    }

    fn outputs(&self, layer: &dyn Layer, on: DeviceKind) -> Vec<f32> {
        numbers(layer.forward(&self.parameters, self.inputs(on), Some(&self.draws)))
    }

    /// Outputs, slopes in x and slopes in the parameters of Σ slope·output, with the same slopes in each lane.
    fn slopes(&self, layer: &dyn Layer, on: DeviceKind) -> (Vec<f32>, Vec<f32>, Vec<Vec<f32>>) {
        let (y, back) = layer.trace(&self.parameters, self.inputs(on), Some(&self.draws), true);
        let shape = y.dims();
        let slope = factors(shape[1] * shape[2]).repeat(shape[0]);
        let slopes = back(tensor(slope, shape, &device(on)));
        (numbers(y), numbers(slopes.input.unwrap()), slopes.parameters)
    }
}

/// The slopes of a made-up loss in a layer's outputs.
fn factors(count: usize) -> Vec<f32> {
    normal(count, 99)
}

/// Central differences of Σ slope·output against what the layer passes on. Outputs of the size of 1 are rounded at 10⁻⁷, which
/// the step of 5·10⁻³ raises to about 10⁻⁴ in a difference; its square bounds what the curvature adds.
fn check_slopes(layer: &dyn Layer, values: usize, on: DeviceKind) {
    const STEP: f32 = 5e-3;
    let given = Given::new(layer, values, 7);
    let (y, input, parameters) = given.slopes(layer, on);
    // Not to the bit: a softmax, for one, has a fused form where nothing is differentiated.
    let alike = y.iter().zip(given.outputs(layer, on)).all(|(a, b)| (a - b).abs() < 1e-6);
    assert!(alike, "{layer:?}: traced or not, the outputs are the same");
    let loss = |given: &Given| -> f64 {
        let outputs = given.outputs(layer, on);
        outputs.iter().zip(factors(outputs.len())).map(|(&y, factor)| f64::from(y) * f64::from(factor)).sum()
    };
    let check = |what: &str, slopes: &[f32], move_by: &dyn Fn(usize, f32) -> Given| {
        for (index, &slope) in slopes.iter().enumerate() {
            let difference = (loss(&move_by(index, STEP)) - loss(&move_by(index, -STEP))) / f64::from(2.0 * STEP);
            let close = (difference - f64::from(slope)).abs() < 5e-4 + 2e-3 * difference.abs();
            assert!(close, "{layer:?} on {on}, {what}[{index}]: {slope}, but differences give {difference}");
        }
    };
    check("x", &input, &|index, by| {
        let mut moved = given.clone();
        moved.x[index] += by;
        moved
    });
    for (number, slopes) in parameters.iter().enumerate() {
        check(&layer.parameters()[number].name, slopes, &|index, by| {
            let mut moved = given.clone();
            moved.parameters[number][index] += by;
            moved
        });
    }
}

#[test]
fn slopes_agree_with_central_differences() {
    for on in DEVICES {
        for (layer, values) in layers() {
            check_slopes(layer.as_ref(), values, on);
        }
    }
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

/// Four lanes together are the four alone, to the bit, forward and backward; two of them share a seed.
fn check_lanes(layer: &dyn Layer, alone: &[Given], on: DeviceKind) {
    let (y, input, parameters) = Given::stacked(alone).slopes(layer, on);
    let part = |all: &[f32], lane: usize| bits(&all[lane * all.len() / alone.len()..(lane + 1) * all.len() / alone.len()]);
    for (lane, given) in alone.iter().enumerate() {
        let (own_y, own_input, own_parameters) = given.slopes(layer, on);
        assert_eq!(part(&y, lane), bits(&own_y), "{layer:?} on {on}, lane {lane}, outputs");
        assert_eq!(part(&input, lane), bits(&own_input), "{layer:?} on {on}, lane {lane}, x");
        for (together, own) in parameters.iter().zip(&own_parameters) {
            assert_eq!(part(together, lane), bits(own), "{layer:?} on {on}, lane {lane}, parameters");
        }
    }
}

#[test]
fn a_lane_does_not_depend_on_its_neighbours() {
    for on in DEVICES {
        for (layer, values) in layers() {
            let mut lanes: Vec<Given> = (1..5).map(|seed| Given::new(layer.as_ref(), values, seed)).collect();
            lanes[3].draws.seeds = vec![1];
            check_lanes(layer.as_ref(), &lanes, on);
            // A lane that has blown up keeps it to itself.
            lanes[1].x.fill(f32::NAN);
            check_lanes(layer.as_ref(), &lanes, on);
        }
    }
}

#[test]
fn embeddings_have_slopes_and_lanes_of_their_own() {
    let layer = Embedding { vocabulary: 5, width: 3 };
    for on in DEVICES {
        let given = |seed: u64, x: [f32; 6]| Given {
            parameters: vec![normal(15, seed)],
            x: x.to_vec(),
            draws: Draws { seeds: vec![seed], step: 0, part: 0 },
        };
        let lanes = [given(1, [0.0, 4.0, 2.0, 2.0, 1.0, 0.0]), given(2, [3.0, 3.0, 3.0, 0.0, 1.0, 4.0])];
        let stacked = Given::stacked(&lanes);
        let (y, back) = layer.trace(&stacked.parameters, stacked.inputs(on), None, false);
        let y = numbers(y);
        assert_eq!(y[3..6], lanes[0].parameters[0][12..15], "the second token is number 4");
        let slopes = back(tensor(factors(36), [2, 3, 6], &device(on))).parameters.remove(0);
        // Each row of a table gets the slopes of the places where its token stands.
        for (lane, given) in lanes.iter().enumerate() {
            for token in 0..5 {
                for feature in 0..3 {
                    let places = given.x.iter().enumerate().filter(|(_, id)| **id == token as f32);
                    let expected: f32 = places.map(|(place, _)| factors(36)[(lane * 6 + place) * 3 + feature]).sum();
                    assert!((slopes[lane * 15 + token * 3 + feature] - expected).abs() < 1e-6);
                }
            }
        }
    }
}

#[test]
fn dropout_keeps_the_mean_and_is_decided_by_seed_step_and_layer() {
    let x: Tensor<3> = tensor(vec![1.0; 40_000], [2, 2, 10_000], &device(DeviceKind::Flex));
    let dropped = |number, seeds: [u64; 2], step| {
        let layer = Dropout { share: 0.3, number };
        numbers(layer.forward(&[], x.clone(), Some(&Draws { seeds: seeds.to_vec(), step, part: 0 })))
    };
    let values = dropped(1, [5, 5], 8);
    assert_eq!(values[..20_000], values[20_000..], "trials of one seed are paired");
    let zeros = values[..20_000].iter().filter(|value| **value == 0.0).count();
    // 20,000 draws: a standard deviation of 65.
    assert!(zeros.abs_diff(6000) < 300, "{zeros}");
    assert!(values.iter().all(|&value| value == 0.0 || (value - 1.0 / 0.7).abs() < 1e-6));
    assert_eq!(values, dropped(1, [5, 5], 8));
    for other in [dropped(2, [5, 5], 8), dropped(1, [6, 5], 8), dropped(1, [5, 5], 9)] {
        assert_ne!(values[..20_000], other[..20_000]);
    }
    let second_part = Draws { seeds: vec![5, 5], step: 8, part: 1 };
    let second_part = numbers(Dropout { share: 0.3, number: 1 }.forward(&[], x.clone(), Some(&second_part)));
    assert_ne!(values, second_part, "each part of a batch has masks of its own");
    let untouched = Dropout { share: 0.3, number: 1 }.forward(&[], x.clone(), None);
    assert_eq!(numbers(untouched), numbers(x));
}

#[test]
fn a_maximum_does_not_hide_what_is_no_number() {
    let pool = MaxPool { window: window([1, 4], [1, 2], [1, 2], [0, 0]), channels: 1 };
    let x = tensor(vec![1.0, f32::NAN, -2.0, f32::NEG_INFINITY], [1, 1, 4], &device(DeviceKind::Flex));
    let y = numbers(pool.forward(&[], x, None));
    assert!(y[0].is_nan() && y[1] == -2.0, "{y:?}");
}
