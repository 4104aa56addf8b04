//! Layers on burn: forward and backward for all lanes at once.

use burn::tensor::{Device, Tensor};

use super::batches::{Batch, Targets};
use super::layers::{self, Chain, Layer, Transpose};
use super::loss;
use super::model::{self, Model, ParameterSpec};
use super::numbers::Numbers;
use super::shape::Shape;

/// A network of layers with a loss on top.
#[derive(Debug)]
pub(crate) struct Network {
    layers: Chain,
    parameters: Vec<ParameterSpec>,
    shape: Shape,
    goal: Goal,
    /// For each parameter tensor the numbers to begin with, where they are not drawn.
    given: Vec<Option<Vec<f32>>>,
    device: Device,
}

/// What the outputs should come close to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Goal {
    /// The targets; of classes, a share of the probability is spread over all.
    Targets {
        /// The share.
        smoothing: f64,
    },
    /// The inputs.
    Inputs,
}

impl Network {
    /// A network that shows examples of this shape to `layers`, computed on `device`.
    pub(crate) fn new(layers: Chain, shape: Shape, goal: Goal, device: Device) -> Self {
        let parameters = layers.parameters();
        let given = vec![None; parameters.len()];
        Self { layers, parameters, shape, goal, given, device }
    }

    /// The same network with these numbers to begin with, one entry for each parameter tensor.
    pub(crate) fn beginning_with(self, given: Vec<Option<Vec<f32>>>) -> Self {
        Self { given, ..self }
    }

    /// The inputs as the first layer wants them, `[lanes, examples, values]`. Images come channels-first.
    fn inputs(&self, lanes: usize, examples: usize, inputs: Vec<f32>) -> Tensor<3> {
        let values = self.shape.values();
        let stacked = inputs.len() / (examples * values).max(1);
        let x = layers::tensor(inputs, [stacked, examples, values], &self.device);
        let x = match self.shape {
            Shape::Image { height, width, channels } if channels > 1 => {
                Transpose { rows: channels, columns: height * width }.forward(&[], x, None)
            }
            _ => x,
        };
        if stacked == lanes {
            return x;
        }
        // Not `expand`: who wants the numbers one after the other would have burn copy them, at a sixth of the speed.
        layers::tensor(Numbers::of(x).repeat(lanes), [lanes, examples, values], &self.device)
    }

    /// The batch with what the outputs should come close to as its targets.
    fn aimed(&self, batch: Batch) -> Batch {
        match self.goal {
            Goal::Targets { .. } => batch,
            Goal::Inputs => Batch { targets: Targets::Values(batch.inputs.clone()), ..batch },
        }
    }

    /// Each lane's loss; the outputs are replaced by its slopes.
    fn loss(&self, outputs: &mut [f32], lanes: usize, examples: usize, targets: &Targets) -> Vec<f64> {
        let smoothing = match self.goal {
            Goal::Targets { smoothing } => smoothing,
            Goal::Inputs => 0.0,
        };
        // A text has a target for each token, anything else one for each example.
        let positions = match self.shape {
            Shape::Tokens { context, .. } => context,
            _ => 1,
        };
        loss::differentiate(outputs, lanes, examples * positions, targets, smoothing)
    }
}

impl Model for Network {
    fn parameters(&self) -> &[ParameterSpec] {
        &self.parameters
    }

    fn initial(&self, seed: u64) -> Vec<Vec<f32>> {
        let drawn = model::drawn(&self.parameters, seed);
        drawn.into_iter().zip(&self.given).map(|(drawn, given)| given.clone().unwrap_or(drawn)).collect()
    }

    fn losses(&self, parameters: &[Vec<f32>], lanes: usize, batch: Batch) -> Vec<f64> {
        let Batch { examples, inputs, targets, draws } = self.aimed(batch);
        let x = self.inputs(lanes, examples, inputs);
        let mut outputs = Numbers::of(self.layers.forward(parameters, x, draws.as_ref()));
        self.loss(&mut outputs, lanes, examples, &targets)
    }

    /// The slopes of the loss in the outputs are worked out on the host; the layers carry them back to the parameters.
    fn differentiate(&self, parameters: &[Vec<f32>], lanes: usize, batch: Batch) -> (Vec<f64>, Vec<Vec<f32>>) {
        let Batch { examples, inputs, targets, draws } = self.aimed(batch);
        let x = self.inputs(lanes, examples, inputs);
        let (outputs, back) = self.layers.trace(parameters, x, draws.as_ref(), false);
        let shape = outputs.dims();
        let mut slopes = Numbers::of(outputs);
        let losses = self.loss(&mut slopes, lanes, examples, &targets);
        (losses, back(slopes.tensor(shape, &self.device)).parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Activation, DeviceKind, Init};
    use crate::task::device::device;
    use crate::task::layers::{self, Affine};
    use crate::task::random::{self, Purpose};

    const KINDS: [Activation; 4] = [Activation::Relu, Activation::Tanh, Activation::Gelu, Activation::Silu];

    fn affine(inputs: usize, outputs: usize, init: Init, init_scale: f64) -> Box<dyn Layer> {
        Box::new(Affine { positions: 1, inputs, outputs, init, init_scale })
    }

    fn network_of(layers: Vec<Box<dyn Layer>>, features: usize, smoothing: f64, on: DeviceKind) -> Network {
        let mut chain = Chain::default();
        for layer in layers {
            chain.push(layer);
        }
        Network::new(chain, Shape::Flat(features), Goal::Targets { smoothing }, device(on))
    }

    fn network(kind: Activation, outputs: usize, smoothing: f64, on: DeviceKind) -> Network {
        let hidden = Box::new(layers::Activation { kind });
        let layers = vec![affine(3, 5, Init::Pytorch, 2.0), hidden, affine(5, outputs, Init::Pytorch, 2.0)];
        network_of(layers, 3, smoothing, on)
    }

    fn batch(targets: Targets) -> Batch {
        let mut rng = random::stream(7, Purpose::Inputs, 0);
        let inputs = (0..12).map(|_| random::standard_normal(&mut rng) as f32).collect();
        Batch { examples: 4, inputs, targets, draws: None }
    }

    /// Central differences of the loss in every parameter against the gradient.
    fn check_gradient(network: &Network, batch: &Batch) {
        const WIDTH: f32 = 2e-3;
        let parameters = network.initial(3);
        let (losses, gradients) = network.differentiate(&parameters, 1, batch.clone());
        assert_eq!(losses, network.losses(&parameters, 1, batch.clone()));
        for (tensor, gradient) in gradients.iter().enumerate() {
            for (index, &slope) in gradient.iter().enumerate() {
                let at = |shift: f32| {
                    let mut moved = parameters.clone();
                    moved[tensor][index] += shift;
                    network.losses(&moved, 1, batch.clone())[0]
                };
                let difference = (at(WIDTH) - at(-WIDTH)) / f64::from(2.0 * WIDTH);
                let close = (difference - f64::from(slope)).abs() < 5e-4 + 5e-3 * difference.abs();
                assert!(close, "{network:?} tensor {tensor}[{index}]: {slope}, but differences give {difference}");
            }
        }
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        for on in [DeviceKind::Flex, DeviceKind::Ndarray] {
            for kind in KINDS {
                check_gradient(&network(kind, 4, 0.0, on), &batch(Targets::Classes(vec![3, 0, 1, 1])));
                check_gradient(&network(kind, 4, 0.2, on), &batch(Targets::Classes(vec![3, 0, 1, 1])));
                check_gradient(&network(kind, 1, 0.0, on), &batch(Targets::Values(vec![0.5, -1.0, 2.0, 0.1])));
            }
        }
    }

    /// Reference: PyTorch 2.15.0. Two weights of 1 and biases of 0 make the network the activation itself.
    #[test]
    fn activations_are_pytorchs() {
        let expected = [
            [0.0, 0.0, 0.7],
            [-0.905_148_268, -0.099_667_996, 0.604_367_793],
            [-0.100_210_86, -0.046_017_218, 0.530_625_463],
            [-0.273_638_278, -0.047_502_082, 0.467_731_416],
        ];
        for (kind, expected) in KINDS.into_iter().zip(expected) {
            let hidden = Box::new(layers::Activation { kind });
            let layers = vec![affine(1, 1, Init::Zeros, 1.0), hidden, affine(1, 1, Init::Zeros, 1.0)];
            let network = network_of(layers, 1, 0.0, DeviceKind::Flex);
            let parameters = [vec![1.0], vec![0.0], vec![1.0], vec![0.0]];
            let x = network.inputs(1, 3, vec![-1.5, -0.1, 0.7]);
            let outputs = layers::numbers(network.layers.forward(&parameters, x, None));
            for (a, e) in outputs.iter().zip(expected) {
                assert!((f64::from(*a) - e).abs() < 1e-6, "{kind:?}: {outputs:?}, not {expected:?}");
            }
        }
    }

    fn variance(values: &[f32]) -> f64 {
        values.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>() / values.len() as f64
    }

    #[test]
    fn initial_weights_have_the_stated_variance() {
        let of = |init, scale| network_of(vec![affine(200, 100, init, scale)], 200, 0.0, DeviceKind::Flex).initial(5);
        for (init, scale, expected) in [
            (Init::He, 1.0, 2.0 / 200.0),
            (Init::He, 3.0, 9.0 * 2.0 / 200.0),
            (Init::Xavier, 1.0, 2.0 / 300.0),
            (Init::Pytorch, 1.0, 1.0 / 200.0 / 3.0),
        ] {
            let ratio = variance(&of(init, scale)[0]) / expected;
            // 20,000 draws: a standard deviation of 1 %.
            assert!((ratio - 1.0).abs() < 0.04, "{init:?} × {scale}: {ratio}");
        }
        assert!(of(Init::He, 1.0)[1].iter().all(|&bias| bias == 0.0));
        assert!(of(Init::Pytorch, 1.0)[1].iter().all(|&bias| bias != 0.0 && f64::from(bias).abs() <= 1.0 / 200f64.sqrt()));
        assert!(of(Init::Zeros, 1.0).concat().iter().all(|&value| value == 0.0));
    }
}
