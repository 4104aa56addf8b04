//! Recurrent layers: LSTM (Hochreiter & Schmidhuber 1997) and GRU (Cho et al. 2014), in PyTorch's form.

use burn::tensor::Tensor;
use burn::tensor::activation::sigmoid;

use super::{Backward, Layer, Slopes, by_autodiff};
use crate::config::Cell;
use crate::task::batches::Draws;
use crate::task::model::{Initial, ParameterSpec};

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

/// One lane's parameters after the other, ready for products: W, U, b and c of x·W + b and h·U + c.
struct Weights {
    input: Tensor<3>,
    hidden: Tensor<3>,
    input_bias: Tensor<3>,
    hidden_bias: Tensor<3>,
}

impl Recurrent {
    /// Gates of a cell, in PyTorch's order: i, f, g, o of an LSTM; r, z, n of a GRU.
    fn gates(&self) -> usize {
        match self.cell {
            Cell::Lstm => 4,
            Cell::Gru => 3,
        }
    }

    fn weights(&self, parameters: &[Tensor<2>]) -> Weights {
        let [lanes, _] = parameters[0].dims();
        let width = self.gates() * self.units;
        let shaped = |index: usize, rows: usize| parameters[index].clone().reshape([lanes, rows, width]);
        Weights {
            input: shaped(0, self.inputs),
            hidden: shaped(1, self.units),
            input_bias: shaped(2, 1),
            hidden_bias: shaped(3, 1),
        }
    }

    /// The gate of this number.
    fn gate(&self, gates: &Tensor<3>, number: usize) -> Tensor<3> {
        gates.clone().narrow(2, number * self.units, self.units)
    }

    /// The positions of `x`, each `[lanes, examples, features]`.
    fn positions(&self, x: &Tensor<3>) -> Vec<Tensor<3>> {
        (0..self.length).map(|position| x.clone().narrow(2, position * self.inputs, self.inputs)).collect()
    }

    /// The memory after each position, joined to `[lanes, examples, positions · units]`.
    fn run(&self, parameters: &[Tensor<2>], positions: Vec<Tensor<3>>) -> Tensor<3> {
        let weights = self.weights(parameters);
        let [lanes, examples, _] = positions[0].dims();
        let mut hidden = Tensor::zeros([lanes, examples, self.units], &positions[0].device());
        let mut cell = hidden.clone();
        let mut outputs = Vec::with_capacity(self.length);
        for x in positions {
            let of_x = x.matmul(weights.input.clone()) + weights.input_bias.clone();
            let of_hidden = hidden.clone().matmul(weights.hidden.clone()) + weights.hidden_bias.clone();
            hidden = match self.cell {
                Cell::Lstm => {
                    let gates = of_x + of_hidden;
                    let gate = |number| sigmoid(self.gate(&gates, number));
                    cell = gate(1) * cell + gate(0) * self.gate(&gates, 2).tanh();
                    gate(3) * cell.clone().tanh()
                }
                Cell::Gru => {
                    let gate = |number| sigmoid(self.gate(&of_x, number) + self.gate(&of_hidden, number));
                    let new = (self.gate(&of_x, 2) + gate(0) * self.gate(&of_hidden, 2)).tanh();
                    // (1 − z)·n + z·h
                    new.clone() + gate(1) * (hidden - new)
                }
            };
            outputs.push(hidden.clone());
        }
        Tensor::cat(outputs, 2)
    }
}

impl Layer for Recurrent {
    /// Names, layouts and initial values of `torch.nn.LSTM` and `torch.nn.GRU` with one layer.
    fn parameters(&self) -> Vec<ParameterSpec> {
        let width = self.gates() * self.units;
        let initial = Initial::Uniform(1.0 / (self.units as f64).sqrt());
        vec![
            ParameterSpec::transposed("weight_ih_l0", width, self.inputs, initial),
            ParameterSpec::transposed("weight_hh_l0", width, self.units, initial),
            ParameterSpec::new("bias_ih_l0", &[width], initial),
            ParameterSpec::new("bias_hh_l0", &[width], initial),
        ]
    }

    /// The gates, before and after their nonlinearities, with their slopes.
    fn scratch(&self) -> f64 {
        8.0 * (self.gates() * self.units) as f64 * self.length as f64
    }

    fn forward(&self, parameters: &[Tensor<2>], x: Tensor<3>, _: Option<&Draws>) -> Tensor<3> {
        self.run(parameters, self.positions(&x))
    }

    /// Each position is an input of its own: the slope of a slice of the whole would be as large as the whole.
    fn trace<'a>(
        &'a self,
        parameters: &'a [Tensor<2>],
        x: Tensor<3>,
        _: Option<&'a Draws>,
        wanted: bool,
    ) -> (Tensor<3>, Backward<'a>) {
        let run = |parameters: &[Tensor<2>], positions| self.run(parameters, positions);
        let (y, back) = by_autodiff(parameters, self.positions(&x), wanted, run);
        let back = move |slope| {
            let (inputs, parameters) = back(slope);
            Slopes { input: wanted.then(|| Tensor::cat(inputs, 2)), parameters }
        };
        (y, Box::new(back))
    }
}
