//! From token ids to vectors.

use burn::tensor::Tensor;

use super::affine::{add_biases, column_sums};
use super::{Backward, Layer, Slopes, tensor};
use crate::task::batches::Draws;
use crate::task::model::{Initial, ParameterSpec};
use crate::task::numbers::Numbers;

/// The deviation of initial embeddings, as in GPT-2 (Radford et al. 2019).
const DEVIATION: f64 = 0.02;

/// Each token id becomes the vector of that token.
#[derive(Debug)]
pub(crate) struct Embedding {
    /// Tokens that there are.
    pub(crate) vocabulary: usize,
    /// Length of a vector.
    pub(crate) width: usize,
}

impl Embedding {
    /// Where the vector of each token of each lane begins in the lane's table.
    fn places(&self, x: Tensor<3>) -> Vec<usize> {
        // A reader hands out ids below the size of its vocabulary; the bound only keeps a wrong one from reaching out.
        Numbers::of(x).iter().map(|&id| (id as usize).min(self.vocabulary - 1) * self.width).collect()
    }
}

impl Layer for Embedding {
    fn parameters(&self) -> Vec<ParameterSpec> {
        vec![ParameterSpec::new("weight", &[self.vocabulary, self.width], Initial::Normal(DEVIATION))]
    }

    fn forward(&self, parameters: &[Vec<f32>], x: Tensor<3>, _: Option<&Draws>) -> Tensor<3> {
        let [lanes, examples, context] = x.dims();
        let device = x.device();
        let mut vectors = Vec::with_capacity(lanes * examples * context * self.width);
        let places = self.places(x);
        for (table, places) in
            parameters[0].chunks_exact(self.vocabulary * self.width).zip(places.chunks_exact(examples * context))
        {
            for &place in places {
                vectors.extend_from_slice(&table[place..place + self.width]);
            }
        }
        tensor(vectors, [lanes, examples, context * self.width], &device)
    }

    /// Ids have no slope, so none is passed on.
    fn trace<'a>(
        &'a self,
        parameters: &'a [Vec<f32>],
        x: Tensor<3>,
        draws: Option<&'a Draws>,
        _: bool,
    ) -> (Tensor<3>, Backward<'a>) {
        let y = self.forward(parameters, x.clone(), draws);
        let back = move |slope: Tensor<3>| {
            let [lanes, examples, values] = slope.dims();
            let slopes = Numbers::of(slope);
            let places = self.places(x);
            let size = self.vocabulary * self.width;
            let mut tables = vec![0.0; lanes * size];
            for ((table, places), slopes) in tables
                .chunks_exact_mut(size)
                .zip(places.chunks_exact(examples * values / self.width))
                .zip(slopes.chunks_exact(examples * values))
            {
                for (&place, slope) in places.iter().zip(slopes.chunks_exact(self.width)) {
                    table[place..place + self.width].iter_mut().zip(slope).for_each(|(to, slope)| *to += slope);
                }
            }
            Slopes { input: None, parameters: vec![tables] }
        };
        (y, Box::new(back))
    }
}

/// Adds a vector of its own to each position of a sequence, so that later layers can tell positions apart.
#[derive(Debug)]
pub(crate) struct Positions {
    /// Positions.
    pub(crate) length: usize,
    /// Features of each.
    pub(crate) width: usize,
}

impl Layer for Positions {
    fn parameters(&self) -> Vec<ParameterSpec> {
        vec![ParameterSpec::new("weight", &[self.length, self.width], Initial::Normal(DEVIATION))]
    }

    fn forward(&self, parameters: &[Vec<f32>], x: Tensor<3>, _: Option<&Draws>) -> Tensor<3> {
        let (shape, device) = (x.dims(), x.device());
        let mut values = Numbers::of(x);
        add_biases(&mut values, &parameters[0], shape[0]);
        values.tensor(shape, &device)
    }

    fn trace<'a>(
        &'a self,
        parameters: &'a [Vec<f32>],
        x: Tensor<3>,
        draws: Option<&'a Draws>,
        wanted: bool,
    ) -> (Tensor<3>, Backward<'a>) {
        let y = self.forward(parameters, x, draws);
        let back = move |slope: Tensor<3>| {
            let (shape, device) = (slope.dims(), slope.device());
            let slopes = Numbers::of(slope);
            let positions = column_sums(&slopes, shape[0], self.length * self.width);
            Slopes { input: wanted.then(|| slopes.tensor(shape, &device)), parameters: vec![positions] }
        };
        (y, Box::new(back))
    }
}
