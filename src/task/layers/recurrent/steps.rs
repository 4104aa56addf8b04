//! The positions of a sequence one after the other, forward and back, for the examples of one lane.
//!
//! At each position the products are few rows high, so they are our own: the library's would spend as much time on putting the
//! matrices in order. Rows are read where they lie, and the slopes in the weights are added up position by position, as long as
//! what they follow from is in the first-level cache.

use pulp::{Simd, WithSimd};

use super::cell;
use crate::config::Cell;
use crate::task::small_product::{Packed, ROWS, Rows, Strip, WIDEST, add_weights, put, store};

/// Numbers in the gates of one example, in PyTorch's order: i, f, g, o of an LSTM; r, z, n of a GRU.
pub(super) fn width(cell: Cell, units: usize) -> usize {
    units
        * match cell {
            Cell::Lstm => 4,
            Cell::Gru => 3,
        }
}

/// From one row of gates to the next.
pub(super) fn stride(cell: Cell, units: usize) -> usize {
    width(cell, units).next_multiple_of(WIDEST)
}

/// One lane.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lane<'a> {
    pub(super) cell: Cell,
    pub(super) length: usize,
    pub(super) inputs: usize,
    pub(super) units: usize,
    pub(super) examples: usize,
    /// `[examples, positions, inputs]`.
    pub(super) x: &'a [f32],
    /// W, U, b, c.
    pub(super) parameters: [&'a [f32]; 4],
}

impl Lane<'_> {
    fn width(&self) -> usize {
        width(self.cell, self.units)
    }

    fn stride(&self) -> usize {
        stride(self.cell, self.units)
    }

    /// The examples' rows of one position among numbers that are `[examples, positions, length]`.
    fn rows<'n>(&self, numbers: &'n [f32], position: usize, length: usize) -> Rows<'n> {
        Rows { numbers, count: self.examples, first: position * length, step: self.length * length, length }
    }
}

/// Fills `outputs`, `[examples, positions, units]`, and what the way back needs, by position: the gates after their
/// nonlinearities, and an LSTM's c after each position or the last part of h·U + c of a GRU.
pub(super) struct Forward<'a> {
    pub(super) lane: Lane<'a>,
    pub(super) gates: &'a mut [f32],
    pub(super) cells: &'a mut [f32],
    pub(super) outputs: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { lane, gates, cells, outputs } = self;
        let (units, width, stride) = (lane.units, lane.width(), lane.stride());
        let [from_inputs, from_memory, input_biases, memory_biases] = lane.parameters;
        let (from_inputs, from_memory) = (Packed::new::<S>(from_inputs, width), Packed::new::<S>(from_memory, width));
        // An LSTM adds up all that goes into a gate.
        let apart = lane.cell == Cell::Gru;
        let both: Vec<f32> = input_biases.iter().zip(memory_biases).map(|(b, c)| b + c).collect();
        let input_biases = Packed::new::<S>(if apart { input_biases } else { &both }, width);
        let memory_biases = Packed::new::<S>(memory_biases, width);
        let mut h = vec![0.0; if apart { lane.examples * stride } else { 0 }];
        let mut cell = vec![0.0; lane.examples * units];
        let nothing = vec![0.0; units];
        for position in 0..lane.length {
            let gates = &mut gates[position * lane.examples * stride..][..lane.examples * stride];
            let inputs = lane.rows(lane.x, position, lane.inputs);
            let memory = match position.checked_sub(1) {
                None => Rows { numbers: &nothing, count: lane.examples, first: 0, step: 0, length: units },
                Some(before) => lane.rows(outputs, before, units),
            };
            for number in 0..from_inputs.strips().len() {
                let strips = [&from_inputs, &from_memory, &input_biases, &memory_biases].map(|packed| &packed.strips()[number]);
                for first in (0..lane.examples).step_by(ROWS) {
                    match strips[0].vectors {
                        1 => into_gates::<S, 1>(simd, strips, [inputs, memory], first, stride, gates, &mut h),
                        2 => into_gates::<S, 2>(simd, strips, [inputs, memory], first, stride, gates, &mut h),
                        _ => into_gates::<S, 3>(simd, strips, [inputs, memory], first, stride, gates, &mut h),
                    }
                }
            }
            let kept = cells[position * lane.examples * units..].chunks_exact_mut(units);
            for ((example, gates), kept) in gates.chunks_exact_mut(stride).enumerate().zip(kept) {
                let gates = &mut gates[..width];
                let at = (example * lane.length + position) * units;
                match lane.cell {
                    Cell::Lstm => {
                        let cell = &mut cell[example * units..][..units];
                        cell::lstm(gates, cell, &mut outputs[at..at + units]);
                        kept.copy_from_slice(cell);
                    }
                    Cell::Gru => {
                        if position > 0 {
                            outputs.copy_within(at - units..at, at);
                        }
                        let h = &h[example * stride..][..width];
                        cell::gru(gates, h, &mut outputs[at..at + units]);
                        kept.copy_from_slice(&h[2 * units..]);
                    }
                }
            }
        }
    }
}

/// A strip of the gates of up to eight examples from the `first` on, x·W + b + h·U + c; for a GRU h·U + c goes to `h`.
#[inline(always)]
fn into_gates<S: Simd, const V: usize>(
    simd: S,
    [from_inputs, from_memory, input_biases, memory_biases]: [&Strip; 4],
    [inputs, memory]: [Rows<'_>; 2],
    first: usize,
    stride: usize,
    gates: &mut [f32],
    h: &mut [f32],
) {
    let sums = [input_biases.rows::<S, V>()[0]; ROWS];
    let mut sums = inputs.add_products(simd, first, from_inputs, sums);
    if h.is_empty() {
        sums = memory.add_products(simd, first, from_memory, sums);
    } else {
        let of_memory = [memory_biases.rows::<S, V>()[0]; ROWS];
        let of_memory = memory.add_products(simd, first, from_memory, of_memory);
        write(simd, of_memory, stride, (first, from_inputs.first), h);
    }
    write(simd, sums, stride, (first, from_inputs.first), gates);
}

/// Writes sums to rows, from a row and a column on.
#[inline(always)]
fn write<S: Simd, const V: usize>(
    simd: S,
    sums: [[S::f32s; V]; ROWS],
    stride: usize,
    (row, column): (usize, usize),
    to: &mut [f32],
) {
    for (to, sums) in to[row * stride..].chunks_exact_mut(stride).zip(sums) {
        to[column..].chunks_mut(S::F32_LANES).zip(sums).for_each(|(to, sum)| store(simd, to, sum));
    }
}

/// Takes the slopes in the outputs back. The gates and what else was kept is used up.
pub(super) struct Back<'a> {
    pub(super) lane: Lane<'a>,
    pub(super) gates: &'a mut [f32],
    pub(super) cells: &'a mut [f32],
    pub(super) outputs: &'a [f32],
    /// In the outputs.
    pub(super) slopes: &'a [f32],
    /// In x; empty where nobody wants them.
    pub(super) input: &'a mut [f32],
    /// In W, U, b, c; all 0 before.
    pub(super) parameters: [&'a mut [f32]; 4],
}

impl WithSimd for Back<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { lane, gates, cells, outputs, slopes, input, parameters } = self;
        let (units, width, stride, count) = (lane.units, lane.width(), lane.stride(), lane.examples);
        let onto_memory = Packed::new::<S>(&turned(lane.parameters[1], width), units);
        let onto_inputs = Packed::new::<S>(&turned(lane.parameters[0], width), lane.inputs);
        let apart = lane.cell == Cell::Gru;
        let mut of_memory = vec![0.0; if apart { count * stride } else { 0 }];
        let (mut later, mut in_cell) = (vec![0.0; count * units], vec![0.0; count * units]);
        let nothing = vec![0.0; count * units];
        // Rows as long as those of the gates.
        let mut sums = [lane.inputs, units, 1, 1].map(|rows| vec![0.0; rows * stride]);
        for position in (0..lane.length).rev() {
            let gates = &mut gates[position * count * stride..][..count * stride];
            let (earlier, cells) = cells.split_at_mut(position * count * units);
            let before = if position == 0 { &nothing } else { &earlier[(position - 1) * count * units..] };
            for (example, gates) in gates.chunks_exact_mut(stride).enumerate() {
                let (gates, own) = (&mut gates[..width], example * units..(example + 1) * units);
                let memory = &mut later[own.clone()];
                let at = (example * lane.length + position) * units;
                memory.iter_mut().zip(&slopes[at..at + units]).for_each(|(sum, slope)| *sum += slope);
                let cell = &mut cells[own.clone()];
                match lane.cell {
                    Cell::Lstm => cell::lstm_back(gates, cell, &before[own.clone()], memory, &mut in_cell[own]),
                    Cell::Gru => {
                        let before = if position == 0 { &nothing[own] } else { &outputs[at - units..at] };
                        cell::gru_back(gates, &mut of_memory[example * stride..][..width], cell, before, memory);
                    }
                }
            }
            let through: &[f32] = if apart { &of_memory } else { gates };
            let [input_weights, memory_weights, input_biases, memory_biases] = &mut sums;
            let rows = |numbers| Rows { numbers, count, first: 0, step: stride, length: width };
            // Those of a GRU that do not go through its gates are there already.
            put::<S>(simd, rows(through), &onto_memory, !apart, (0, units, units), &mut later);
            if !input.is_empty() {
                let own = (position * lane.inputs, lane.length * lane.inputs, lane.inputs);
                put::<S>(simd, rows(gates), &onto_inputs, true, own, input);
            }
            add_weights::<S>(simd, lane.rows(lane.x, position, lane.inputs), gates, stride, input_weights);
            column_sums::<S>(simd, gates, stride, input_biases);
            if position > 0 {
                add_weights::<S>(simd, lane.rows(outputs, position - 1, units), through, stride, memory_weights);
            }
            if apart {
                column_sums::<S>(simd, through, stride, memory_biases);
            }
        }
        let [_, _, input_biases, memory_biases] = &mut sums;
        if !apart {
            memory_biases.clone_from(input_biases);
        }
        for (to, sums) in parameters.into_iter().zip(&sums) {
            to.chunks_exact_mut(width).zip(sums.chunks_exact(stride)).for_each(|(to, sums)| to.copy_from_slice(&sums[..width]));
        }
    }
}

/// A matrix of so many columns, turned about.
fn turned(matrix: &[f32], columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|column| matrix.iter().skip(column).step_by(columns)).copied().collect()
}

/// Adds rows of slopes up, column by column.
#[inline(always)]
fn column_sums<S: Simd>(simd: S, slopes: &[f32], stride: usize, to: &mut [f32]) {
    for (place, to) in S::as_mut_simd_f32s(to).0.iter_mut().enumerate() {
        for row in slopes.chunks_exact(stride) {
            *to = simd.add_f32s(*to, S::as_simd_f32s(row).0[place]);
        }
    }
}
