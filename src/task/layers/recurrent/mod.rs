//! Recurrent layers: LSTM (Hochreiter & Schmidhuber 1997) and GRU (Cho et al. 2014), in PyTorch's form.

mod cell;

use burn::tensor::{Device, Tensor};

use super::affine::{add_biases, column_sums};
use super::{Backward, Layer, Slopes, tensor};
use crate::config::Cell;
use crate::task::batches::Draws;
use crate::task::model::{Initial, ParameterSpec};
use crate::task::numbers::Numbers;
use crate::task::wide::wide;

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

/// How many there are of everything.
#[derive(Debug, Clone, Copy)]
struct Counts {
    lanes: usize,
    examples: usize,
    length: usize,
}

/// What a pass leaves for the way back. All is `[lanes, positions, examples, …]`, so that a position of a lane lies together.
struct Kept {
    x: Tensor<3>,
    /// The gates after their nonlinearities.
    gates: Numbers,
    /// What was remembered before each position.
    before: Vec<f32>,
    /// An LSTM's c after each position; the last part of h·U + c of a GRU.
    cells: Vec<f32>,
}

impl Counts {
    /// Where a lane's numbers of a position lie, `width` for each example.
    fn at(self, lane: usize, position: usize, width: usize) -> std::ops::Range<usize> {
        let size = self.examples * width;
        let start = (lane * self.length + position) * size;
        start..start + size
    }

    /// `[lanes, examples, positions · width]` to `[lanes, positions · examples, width]`.
    fn by_position(self, x: Tensor<3>, width: usize) -> Tensor<3> {
        let Self { lanes, examples, length } = self;
        x.reshape([lanes, examples, length, width]).swap_dims(1, 2).reshape([lanes, length * examples, width])
    }

    /// And back.
    fn by_example(self, x: Tensor<3>, width: usize) -> Tensor<3> {
        let Self { lanes, examples, length } = self;
        x.reshape([lanes, length, examples, width]).swap_dims(1, 2).reshape([lanes, examples, length * width])
    }

    /// All lanes' numbers of one position, `[lanes, examples, width]`.
    fn position(self, all: &[f32], position: usize, width: usize, device: &Device) -> Tensor<3> {
        let numbers: Vec<&[f32]> = (0..self.lanes).map(|lane| &all[self.at(lane, position, width)]).collect();
        tensor(numbers.concat(), [self.lanes, self.examples, width], device)
    }
}

impl Recurrent {
    /// Numbers in the gates of one example, in PyTorch's order: i, f, g, o of an LSTM; r, z, n of a GRU.
    fn width(&self) -> usize {
        self.units
            * match self.cell {
                Cell::Lstm => 4,
                Cell::Gru => 3,
            }
    }

    /// W or U, `[lanes, rows, width]`.
    fn weights(&self, parameters: &Tensor<2>, rows: usize) -> Tensor<3> {
        let [lanes, _] = parameters.dims();
        parameters.clone().reshape([lanes, rows, self.width()])
    }

    /// The memory after each position, `[lanes, examples, positions · units]`.
    fn run(&self, parameters: &[Tensor<2>], x: Tensor<3>) -> (Tensor<3>, Counts, Kept) {
        let [lanes, examples, _] = x.dims();
        let device = x.device();
        let counts = Counts { lanes, examples, length: self.length };
        let (units, width) = (self.units, self.width());
        let x = counts.by_position(x, self.inputs);
        let products = x.clone().matmul(self.weights(&parameters[0], self.inputs));
        // An LSTM adds up all that goes into a gate, so that its second biases can be added beforehand too.
        let biases = match self.cell {
            Cell::Lstm => parameters[2].clone() + parameters[3].clone(),
            Cell::Gru => parameters[2].clone(),
        };
        let mut gates = Numbers::of(add_biases(products, &biases));
        let from_memory = self.weights(&parameters[1], units);
        let mut before = vec![0.0; lanes * self.length * examples * units];
        let (mut cells, mut outputs) = (before.clone(), before.clone());
        let mut memory = vec![0.0; lanes * examples * units];
        let mut cell = memory.clone();
        for position in 0..self.length {
            let h = tensor::<3>(memory.clone(), [lanes, examples, units], &device).matmul(from_memory.clone());
            let h = Numbers::of(match self.cell {
                Cell::Lstm => h,
                Cell::Gru => add_biases(h, &parameters[3]),
            });
            for lane in 0..lanes {
                let own = lane * examples * units..(lane + 1) * examples * units;
                before[counts.at(lane, position, units)].copy_from_slice(&memory[own.clone()]);
                let rows = gates[counts.at(lane, position, width)].chunks_exact_mut(width);
                let rows = rows.zip(h[lane * examples * width..(lane + 1) * examples * width].chunks_exact(width));
                let kept = cells[counts.at(lane, position, units)].chunks_exact_mut(units);
                let states = memory[own.clone()].chunks_exact_mut(units).zip(cell[own.clone()].chunks_exact_mut(units));
                let examples = rows.zip(states).zip(kept);
                match self.cell {
                    Cell::Lstm => wide!({
                        for (((x, h), (memory, cell)), kept) in examples {
                            cell::lstm(x, h, cell, memory);
                            kept.copy_from_slice(cell);
                        }
                    }),
                    Cell::Gru => wide!({
                        for (((x, h), (memory, _)), kept) in examples {
                            cell::gru(x, h, memory);
                            kept.copy_from_slice(&h[2 * units..]);
                        }
                    }),
                }
                outputs[counts.at(lane, position, units)].copy_from_slice(&memory[own]);
            }
        }
        let outputs = tensor(outputs, [lanes, self.length * examples, units], &device);
        (counts.by_example(outputs, units), counts, Kept { x, gates, before, cells })
    }

    /// Replaces the gates by the slopes in x·W + b, and gives those in h·U + c where they are others.
    fn back(
        &self,
        from_memory: &Tensor<3>,
        counts: Counts,
        kept: &mut Kept,
        slope: &[f32],
        device: &Device,
    ) -> Option<Vec<f32>> {
        let Counts { lanes, examples, length } = counts;
        let (units, width) = (self.units, self.width());
        let mut of_memory = vec![0.0; if self.cell == Cell::Gru { kept.gates.len() } else { 0 }];
        let mut later = Numbers::from(vec![0.0; lanes * examples * units]);
        let mut in_cell = vec![0.0; later.len()];
        let start = vec![0.0; examples * units];
        // Turned about once for all positions; the product would do it at each.
        let onto_memory = Numbers::of(from_memory.clone().transpose()).tensor([lanes, width, units], device);
        for position in (0..length).rev() {
            let gates = &mut *kept.gates;
            for lane in 0..lanes {
                let own = lane * examples * units..(lane + 1) * examples * units;
                let memory = &mut later[own.clone()];
                memory.iter_mut().zip(&slope[counts.at(lane, position, units)]).for_each(|(sum, slope)| *sum += slope);
                let memory = memory.chunks_exact_mut(units);
                let x = gates[counts.at(lane, position, width)].chunks_exact_mut(width);
                let (earlier, cells) = kept.cells.split_at_mut(counts.at(lane, position, units).start);
                let cells = cells[..examples * units].chunks_exact_mut(units);
                match self.cell {
                    Cell::Lstm => {
                        let before = if position == 0 { &start } else { &earlier[counts.at(lane, position - 1, units)] };
                        let states = memory.zip(in_cell[own].chunks_exact_mut(units));
                        let examples = x.zip(cells).zip(before.chunks_exact(units)).zip(states);
                        wide!({
                            for (((x, cell), before), (memory, in_cell)) in examples {
                                cell::lstm_back(x, cell, before, memory, in_cell);
                            }
                        });
                    }
                    Cell::Gru => {
                        let before = kept.before[counts.at(lane, position, units)].chunks_exact(units);
                        let h = of_memory[counts.at(lane, position, width)].chunks_exact_mut(width);
                        let examples = x.zip(h).zip(cells).zip(before).zip(memory);
                        wide!({
                            for ((((x, h), cell), before), memory) in examples {
                                cell::gru_back(x, h, cell, before, memory);
                            }
                        });
                    }
                }
            }
            let through = if self.cell == Cell::Gru { &of_memory } else { &*gates };
            let through = counts.position(through, position, width, device).matmul(onto_memory.clone());
            match self.cell {
                Cell::Lstm => later = Numbers::of(through),
                Cell::Gru => later.iter_mut().zip(&*Numbers::of(through)).for_each(|(sum, slope)| *sum += slope),
            }
        }
        (self.cell == Cell::Gru).then_some(of_memory)
    }
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

    /// The inputs by position, the gates with their slopes, and what is remembered.
    fn scratch(&self) -> f64 {
        (2 * self.inputs + 4 * self.width() + 4 * self.units) as f64 * self.length as f64
    }

    fn forward(&self, parameters: &[Tensor<2>], x: Tensor<3>, _: Option<&Draws>) -> Tensor<3> {
        self.run(parameters, x).0
    }

    fn trace<'a>(
        &'a self,
        parameters: &'a [Tensor<2>],
        x: Tensor<3>,
        _: Option<&'a Draws>,
        wanted: bool,
    ) -> (Tensor<3>, Backward<'a>) {
        let (y, counts, mut kept) = self.run(parameters, x);
        let back = move |slope: Tensor<3>| {
            let (units, width, device) = (self.units, self.width(), slope.device());
            let [lanes, rows] = [counts.lanes, counts.length * counts.examples];
            let slope = Numbers::of(counts.by_position(slope, units));
            let from_memory = self.weights(&parameters[1], units);
            let of_memory = self.back(&from_memory, counts, &mut kept, &slope, &device);
            let of_memory = of_memory.map(|slopes| column_sums(tensor(slopes, [lanes, rows, width], &device)));
            let (input_biases, of_inputs) = column_sums(kept.gates.tensor([lanes, rows, width], &device));
            let (hidden_biases, of_memory) = of_memory.unwrap_or_else(|| (input_biases.clone(), of_inputs.clone()));
            let before = tensor::<3>(kept.before, [lanes, rows, units], &device);
            let input_weights = kept.x.transpose().matmul(of_inputs.clone()).reshape([lanes, self.inputs * width]);
            let hidden_weights = before.transpose().matmul(of_memory).reshape([lanes, units * width]);
            let input = wanted.then(|| {
                let rows = of_inputs.matmul(self.weights(&parameters[0], self.inputs).transpose());
                counts.by_example(rows, self.inputs)
            });
            Slopes { input, parameters: vec![input_weights, hidden_weights, input_biases, hidden_biases] }
        };
        (y, Box::new(back))
    }
}
