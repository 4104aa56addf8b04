//! Recurrent layers: LSTM (Hochreiter & Schmidhuber 1997) and GRU (Cho et al. 2014), in PyTorch's form.

mod cell;
mod steps;

use burn::tensor::Tensor;

use super::{Backward, Layer, Slopes, tensor};
use crate::config::Cell;
use crate::task::batches::Draws;
use crate::task::model::{Initial, ParameterSpec};
use crate::task::numbers::Numbers;
use crate::task::small_product::dispatch;
use steps::{Back, Forward, Lane};

/// Reads a sequence position by position, and gives what it remembers after each.
#[derive(Debug)]
pub(crate) struct Recurrent {
    /// What remembers.
    pub(crate) cell: Cell,
    /// Positions.
    pub(crate) length: usize,
    /// Features of each.
    pub(crate) inputs: usize,
    /// Numbers that are remembered.
    pub(crate) units: usize,
}

/// What a pass leaves for the way back.
struct Kept {
    x: Numbers,
    gates: Vec<f32>,
    cells: Vec<f32>,
}

impl Recurrent {
    /// Numbers in the gates of one example.
    fn width(&self) -> usize {
        steps::width(self.cell, self.units)
    }

    /// A lane of what goes in.
    fn lane<'k>(&self, x: &'k [f32], parameters: &'k [Vec<f32>], [lanes, examples, _]: [usize; 3], lane: usize) -> Lane<'k> {
        let &Self { cell, length, inputs, units } = self;
        let parameters = std::array::from_fn(|number| own(&parameters[number], lanes, lane));
        Lane { cell, length, inputs, units, examples, x: own(x, lanes, lane), parameters }
    }

    /// The memory after each position, `[lanes, examples, positions · units]`.
    fn run(&self, parameters: &[Vec<f32>], x: Tensor<3>) -> (Tensor<3>, Kept) {
        let (shape, device) = (x.dims(), x.device());
        let [lanes, examples, _] = shape;
        let (x, positions) = (Numbers::of(x), examples * self.length);
        let mut gates = vec![0.0; lanes * positions * steps::stride(self.cell, self.units)];
        let mut cells = vec![0.0; lanes * positions * self.units];
        let mut outputs = cells.clone();
        for number in 0..lanes {
            let lane = self.lane(&x, parameters, shape, number);
            let [gates, cells, outputs] = [&mut gates, &mut cells, &mut outputs].map(|all| own_mut(all, lanes, number));
            dispatch(self.width(), Forward { lane, gates, cells, outputs });
        }
        (tensor(outputs, [lanes, examples, self.length * self.units], &device), Kept { x, gates, cells })
    }
}

/// One lane's part.
fn own(all: &[f32], lanes: usize, lane: usize) -> &[f32] {
    let size = all.len() / lanes;
    &all[lane * size..(lane + 1) * size]
}

fn own_mut(all: &mut [f32], lanes: usize, lane: usize) -> &mut [f32] {
    let size = all.len() / lanes;
    &mut all[lane * size..(lane + 1) * size]
}

impl Layer for Recurrent {
    /// Names, layouts and initial values of `torch.nn.LSTM` and `torch.nn.GRU` with one layer.
    fn parameters(&self) -> Vec<ParameterSpec> {
        let initial = Initial::Uniform(1.0 / (self.units as f64).sqrt());
        vec![
            ParameterSpec::transposed("weight_ih_l0", self.width(), self.inputs, initial),
            ParameterSpec::transposed("weight_hh_l0", self.width(), self.units, initial),
            ParameterSpec::new("bias_ih_l0", &[self.width()], initial),
            ParameterSpec::new("bias_hh_l0", &[self.width()], initial),
        ]
    }

    /// The inputs, the gates, and what is remembered.
    fn scratch(&self) -> f64 {
        (self.inputs + steps::stride(self.cell, self.units) + 3 * self.units) as f64 * self.length as f64
    }

    fn forward(&self, parameters: &[Vec<f32>], x: Tensor<3>, _: Option<&Draws>) -> Tensor<3> {
        self.run(parameters, x).0
    }

    fn trace<'a>(
        &'a self,
        parameters: &'a [Vec<f32>],
        x: Tensor<3>,
        _: Option<&'a Draws>,
        wanted: bool,
    ) -> (Tensor<3>, Backward<'a>) {
        let shape = x.dims();
        let (y, mut kept) = self.run(parameters, x);
        let memory = y.clone();
        let back = move |slope: Tensor<3>| {
            let (lanes, device) = (shape[0], slope.device());
            let (slopes, outputs) = (Numbers::of(slope), Numbers::of(memory));
            let mut input = vec![0.0; if wanted { kept.x.len() } else { 0 }];
            let mut of_parameters: Vec<Vec<f32>> = parameters.iter().map(|all| vec![0.0; all.len()]).collect();
            for number in 0..lanes {
                let lane = self.lane(&kept.x, parameters, shape, number);
                let [gates, cells, input] =
                    [&mut kept.gates, &mut kept.cells, &mut input].map(|all| own_mut(all, lanes, number));
                let (outputs, slopes) = (own(&outputs, lanes, number), own(&slopes, lanes, number));
                let mut parameters = of_parameters.iter_mut().map(|all| own_mut(all, lanes, number));
                let parameters = std::array::from_fn(|_| parameters.next().expect("there are W, U, b and c"));
                dispatch(self.width(), Back { lane, gates, cells, outputs, slopes, input, parameters });
            }
            Slopes { input: wanted.then(|| tensor(input, shape, &device)), parameters: of_parameters }
        };
        (y, Box::new(back))
    }
}
