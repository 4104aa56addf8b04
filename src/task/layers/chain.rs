//! Layers one after the other.

use burn::tensor::Tensor;

use super::{Backward, Layer, Slopes};
use crate::task::batches::Draws;
use crate::task::model::ParameterSpec;

/// Layers one after the other; with none, what comes in goes out.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    layers: Vec<Box<dyn Layer>>,
    /// Parameter tensors of each layer.
    counts: Vec<usize>,
}

impl Chain {
    /// Appends a layer.
    pub(crate) fn push(&mut self, layer: Box<dyn Layer>) {
        self.counts.push(layer.parameters().len());
        self.layers.push(layer);
    }

    /// How many parameter tensors it has.
    pub(crate) fn count(&self) -> usize {
        self.counts.iter().sum()
    }

    /// Each layer with its own of the chain's parameters.
    fn split<'a>(&'a self, mut parameters: &'a [Vec<f32>]) -> impl Iterator<Item = (&'a dyn Layer, &'a [Vec<f32>])> {
        self.layers.iter().zip(&self.counts).map(move |(layer, &count)| {
            let (own, rest) = parameters.split_at(count);
            parameters = rest;
            (layer.as_ref(), own)
        })
    }
}

impl Layer for Chain {
    /// Their names begin with the place of their layer in the chain, as in PyTorch's `nn.Sequential`.
    fn parameters(&self) -> Vec<ParameterSpec> {
        let mut all = Vec::new();
        for (place, layer) in self.layers.iter().enumerate() {
            let named = |spec: ParameterSpec| ParameterSpec { name: format!("{place}.{}", spec.name), ..spec };
            all.extend(layer.parameters().into_iter().map(named));
        }
        all
    }

    fn scratch(&self) -> f64 {
        self.layers.iter().map(|layer| layer.scratch()).sum()
    }

    fn forward(&self, parameters: &[Vec<f32>], x: Tensor<3>, draws: Option<&Draws>) -> Tensor<3> {
        self.split(parameters).fold(x, |x, (layer, own)| layer.forward(own, x, draws))
    }

    /// Nothing is traced before the first layer that can be trained, unless the slopes in `x` are wanted.
    fn trace<'a>(
        &'a self,
        parameters: &'a [Vec<f32>],
        mut x: Tensor<3>,
        draws: Option<&'a Draws>,
        mut wanted: bool,
    ) -> (Tensor<3>, Backward<'a>) {
        let wanted_by_caller = wanted;
        let mut ways = Vec::with_capacity(self.layers.len());
        for (layer, own) in self.split(parameters) {
            if wanted || !own.is_empty() {
                let (y, back) = layer.trace(own, x, draws, wanted);
                ways.push(back);
                (x, wanted) = (y, true);
            } else {
                x = layer.forward(own, x, draws);
            }
        }
        let back = move |slope: Tensor<3>| {
            let mut slope = Some(slope);
            let mut parameters = Vec::new();
            for back in ways.into_iter().rev() {
                let Some(outputs) = slope else { break };
                let slopes = back(outputs);
                slope = slopes.input;
                parameters.extend(slopes.parameters.into_iter().rev());
            }
            parameters.reverse();
            Slopes { input: slope.filter(|_| wanted_by_caller), parameters }
        };
        (x, Box::new(back))
    }
}
