//! One step of a cell for one example, and the way back.
//!
//! `x` and `h` stand for x·W + b and h·U + c, the gates one after the other. A step leaves in `x` what the way back needs, which
//! there is replaced by the slopes in x·W + b; those in h·U + c come beside them.

use crate::task::elementary::{sigmoid, tanh};

#[inline(always)]
fn all(numbers: &mut [f32], function: impl Fn(f32) -> f32) {
    for number in numbers {
        *number = function(*number);
    }
}

/// A row of gates as so many parts of one length.
#[inline(always)]
fn parts<const N: usize>(row: &[f32]) -> [&[f32]; N] {
    let width = row.len() / N;
    std::array::from_fn(|gate| &row[gate * width..(gate + 1) * width])
}

/// An LSTM step, given x + h: i, f, g, o become σ, σ, tanh, σ of it; then c = f·c + i·g, and the new memory is o·tanh c.
#[inline(always)]
pub(super) fn lstm(x: &mut [f32], cell: &mut [f32], memory: &mut [f32]) {
    let units = cell.len();
    all(&mut x[..2 * units], sigmoid);
    all(&mut x[2 * units..3 * units], tanh);
    all(&mut x[3 * units..], sigmoid);
    let [i, f, g, o] = parts(x);
    for (((cell, i), f), g) in cell.iter_mut().zip(i).zip(f).zip(g) {
        *cell = f * *cell + i * g;
    }
    memory.iter_mut().zip(&*cell).zip(o).for_each(|((memory, &cell), o)| *memory = o * tanh(cell));
}

/// From the slopes in the memory, and those in c that came from the step after, which become those for the step before. `cell`
/// and `before` are c after and before the step; the former is used up.
#[inline(always)]
pub(super) fn lstm_back(x: &mut [f32], cell: &mut [f32], before: &[f32], memory: &[f32], in_cell: &mut [f32]) {
    let units = cell.len();
    let (i, rest) = x.split_at_mut(units);
    let (f, rest) = rest.split_at_mut(units);
    let (g, o) = rest.split_at_mut(units);
    // One loop for all would need more addresses than the compiler is ready to tell apart, and take one number at a time.
    all(cell, tanh);
    for (((slope, memory), o), cell) in in_cell.iter_mut().zip(memory).zip(&*o).zip(&*cell) {
        *slope += memory * o * (1.0 - cell * cell);
    }
    for ((o, memory), cell) in o.iter_mut().zip(memory).zip(&*cell) {
        *o = memory * cell * *o * (1.0 - *o);
    }
    for ((i, g), slope) in i.iter_mut().zip(&mut *g).zip(&*in_cell) {
        (*i, *g) = (slope * *g * *i * (1.0 - *i), slope * *i * (1.0 - *g * *g));
    }
    for ((f, before), slope) in f.iter_mut().zip(before).zip(in_cell) {
        (*f, *slope) = (*slope * before * *f * (1.0 - *f), *slope * *f);
    }
}

/// A GRU step: r, z become σ of x + h, n becomes tanh(x + r·h), and the new memory is n + z·(memory − n).
#[inline(always)]
pub(super) fn gru(x: &mut [f32], h: &[f32], memory: &mut [f32]) {
    let units = memory.len();
    x[..2 * units].iter_mut().zip(h).for_each(|(x, h)| *x += h);
    all(&mut x[..2 * units], sigmoid);
    let (gates, new) = x.split_at_mut(2 * units);
    let [r, z] = parts(gates);
    let (r, z, new, of_memory) = (&r[..units], &z[..units], &mut new[..units], &h[2 * units..][..units]);
    for unit in 0..units {
        new[unit] += r[unit] * of_memory[unit];
    }
    all(new, tanh);
    for unit in 0..units {
        memory[unit] = new[unit] + z[unit] * (memory[unit] - new[unit]);
    }
}

/// From the slopes in the memory, which become those in the memory before as far as they do not go through h. `of_memory` is the
/// last part of h, and `before` the memory before the step.
#[inline(always)]
pub(super) fn gru_back(x: &mut [f32], h: &mut [f32], of_memory: &[f32], before: &[f32], memory: &mut [f32]) {
    let units = before.len();
    let (r, rest) = x.split_at_mut(units);
    let (z, new) = rest.split_at_mut(units);
    let (h_gates, h_new) = h.split_at_mut(2 * units);
    for (((to_new, slope), z), n) in h_new.iter_mut().zip(&*memory).zip(&*z).zip(&*new) {
        *to_new = slope * (1.0 - z) * (1.0 - n * n);
    }
    for (((slope, z), before), n) in memory.iter_mut().zip(&mut *z).zip(before).zip(&*new) {
        (*z, *slope) = (*slope * (before - n) * *z * (1.0 - *z), *slope * *z);
    }
    new.copy_from_slice(h_new);
    for ((to_new, r), of_memory) in h_new.iter_mut().zip(&mut *r).zip(of_memory) {
        (*r, *to_new) = (*to_new * of_memory * *r * (1.0 - *r), *to_new * *r);
    }
    h_gates[..units].copy_from_slice(r);
    h_gates[units..].copy_from_slice(z);
}
