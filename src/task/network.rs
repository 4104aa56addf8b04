//! Layers on burn: forward and backward for all lanes at once.

use burn::tensor::{Device, Tensor, TensorData};

use super::batches::Batch;
use super::layers::Layer;
use super::loss;
use super::model::{Model, ParameterSpec};

/// A feed-forward stack of layers with a loss on top.
#[derive(Debug)]
pub(crate) struct Network {
    layers: Vec<Box<dyn Layer>>,
    parameters: Vec<ParameterSpec>,
    features: usize,
    label_smoothing: f64,
    device: Device,
    autodiff: Device,
}

impl Network {
    /// A network that maps examples of `features` numbers through `layers`, computed on `device`.
    pub(crate) fn new(layers: Vec<Box<dyn Layer>>, features: usize, label_smoothing: f64, device: Device) -> Self {
        let parameters = layers.iter().flat_map(|layer| layer.parameters()).collect();
        let autodiff = device.clone().autodiff();
        Self { layers, parameters, features, label_smoothing, device, autodiff }
    }

    /// The network's outputs, `[lanes, examples, width]`.
    fn forward(
        &self,
        mut parameters: &[Tensor<2>],
        lanes: usize,
        examples: usize,
        inputs: Vec<f32>,
        device: &Device,
    ) -> Tensor<3> {
        let per_lane = examples * self.features;
        let stacked = inputs.len() / per_lane.max(1);
        let inputs = TensorData::new(inputs, [stacked, examples, self.features]);
        let mut x = Tensor::<3>::from_data(inputs, device).expand([lanes, examples, self.features]);
        for layer in &self.layers {
            let (own, rest) = parameters.split_at(layer.parameters().len());
            x = layer.forward(own, x);
            parameters = rest;
        }
        x
    }

    fn tensors(&self, parameters: &[Vec<f32>], lanes: usize, device: &Device) -> Vec<Tensor<2>> {
        let tensor = |(values, spec): (&Vec<f32>, &ParameterSpec)| {
            Tensor::from_data(TensorData::new(values.clone(), [lanes, spec.size]), device)
        };
        parameters.iter().zip(&self.parameters).map(tensor).collect()
    }
}

impl Model for Network {
    fn parameters(&self) -> &[ParameterSpec] {
        &self.parameters
    }

    fn losses(&self, parameters: &[Vec<f32>], lanes: usize, batch: Batch) -> Vec<f64> {
        let tensors = self.tensors(parameters, lanes, &self.device);
        let mut outputs = numbers(self.forward(&tensors, lanes, batch.examples, batch.inputs, &self.device));
        loss::differentiate(&mut outputs, lanes, batch.examples, &batch.targets, self.label_smoothing)
    }

    /// The slope of the loss in the outputs is worked out on the host; burn carries it back to the parameters as the gradient of
    /// Σ slope·output over all lanes, in which a lane's parameters meet their own outputs only.
    fn differentiate(&self, parameters: &[Vec<f32>], lanes: usize, batch: Batch) -> (Vec<f64>, Vec<Vec<f32>>) {
        let leaves = self.tensors(parameters, lanes, &self.autodiff);
        let leaves: Vec<_> = leaves.into_iter().map(Tensor::require_grad).collect();
        let outputs = self.forward(&leaves, lanes, batch.examples, batch.inputs, &self.autodiff);
        let shape = outputs.dims();
        let mut slopes = numbers(outputs.clone().inner());
        let losses = loss::differentiate(&mut slopes, lanes, batch.examples, &batch.targets, self.label_smoothing);
        let slopes = Tensor::from_data(TensorData::new(slopes, shape), &self.autodiff);
        let mut gradients = (outputs * slopes).sum().backward();
        let gradient = |leaf: &Tensor<2>| match leaf.grad_remove(&mut gradients) {
            Some(gradient) => numbers(gradient),
            None => vec![0.0; leaf.dims().iter().product()],
        };
        (losses, leaves.iter().map(gradient).collect())
    }
}

/// The tensor's numbers in row-major order.
fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().expect("all tensors here are made from f32")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Activation, DeviceKind, Init};
    use crate::task::batches::Targets;
    use crate::task::device::device;
    use crate::task::layers::{self, Affine};
    use crate::task::random::{self, Purpose};

    const KINDS: [Activation; 4] = [Activation::Relu, Activation::Tanh, Activation::Gelu, Activation::Silu];

    fn affine(inputs: usize, outputs: usize, init: Init, init_scale: f64) -> Box<dyn Layer> {
        Box::new(Affine { inputs, outputs, init, init_scale })
    }

    fn network(kind: Activation, outputs: usize, smoothing: f64, on: DeviceKind) -> Network {
        let hidden = Box::new(layers::Activation { kind });
        let layers = vec![affine(3, 5, Init::Pytorch, 2.0), hidden, affine(5, outputs, Init::Pytorch, 2.0)];
        Network::new(layers, 3, smoothing, device(on))
    }

    fn batch(targets: Targets) -> Batch {
        let mut rng = random::stream(7, Purpose::Inputs, 0);
        let inputs = (0..12).map(|_| random::standard_normal(&mut rng) as f32).collect();
        Batch { examples: 4, inputs, targets }
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
            let network = Network::new(layers, 1, 0.0, device(DeviceKind::Flex));
            let parameters = [vec![1.0], vec![0.0], vec![1.0], vec![0.0]];
            let tensors = network.tensors(&parameters, 1, &network.device);
            let outputs = numbers(network.forward(&tensors, 1, 3, vec![-1.5, -0.1, 0.7], &network.device));
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
        let of = |init, scale| Network::new(vec![affine(200, 100, init, scale)], 200, 0.0, device(DeviceKind::Flex)).initial(5);
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
