//! Layers that only move values about.

use burn::tensor::Tensor;

use super::{Backward, Layer, Slopes};
use crate::task::batches::Draws;

/// Turns each example, a matrix `[rows, columns]`, about: channels-first images to channels-last and back.
#[derive(Debug)]
pub(crate) struct Transpose {
    /// Rows of what comes in.
    pub(crate) rows: usize,
    /// Columns of what comes in.
    pub(crate) columns: usize,
}

/// Each example as a matrix, turned about.
fn turned(x: Tensor<3>, rows: usize, columns: usize) -> Tensor<3> {
    let [lanes, examples, values] = x.dims();
    x.reshape([lanes * examples, rows, columns]).swap_dims(1, 2).reshape([lanes, examples, values])
}

impl Layer for Transpose {
    fn forward(&self, _: &[Vec<f32>], x: Tensor<3>, _: Option<&Draws>) -> Tensor<3> {
        turned(x, self.rows, self.columns)
    }

    fn trace<'a>(
        &'a self,
        parameters: &'a [Vec<f32>],
        x: Tensor<3>,
        draws: Option<&'a Draws>,
        wanted: bool,
    ) -> (Tensor<3>, Backward<'a>) {
        let y = self.forward(parameters, x, draws);
        let back =
            move |slope| Slopes { input: wanted.then(|| turned(slope, self.columns, self.rows)), parameters: Vec::new() };
        (y, Box::new(back))
    }
}

/// The last position of a sequence.
#[derive(Debug)]
pub(crate) struct Last {
    /// Positions.
    pub(crate) length: usize,
    /// Values at each.
    pub(crate) width: usize,
}

impl Layer for Last {
    fn forward(&self, _: &[Vec<f32>], x: Tensor<3>, _: Option<&Draws>) -> Tensor<3> {
        x.narrow(2, (self.length - 1) * self.width, self.width)
    }

    fn trace<'a>(
        &'a self,
        parameters: &'a [Vec<f32>],
        x: Tensor<3>,
        draws: Option<&'a Draws>,
        wanted: bool,
    ) -> (Tensor<3>, Backward<'a>) {
        let [lanes, examples, values] = x.dims();
        let y = self.forward(parameters, x, draws);
        let back = move |slope: Tensor<3>| {
            let input = wanted.then(|| {
                let earlier = Tensor::zeros([lanes, examples, values - self.width], &slope.device());
                Tensor::cat(vec![earlier, slope], 2)
            });
            Slopes { input, parameters: Vec::new() }
        };
        (y, Box::new(back))
    }
}
