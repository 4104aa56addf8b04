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
