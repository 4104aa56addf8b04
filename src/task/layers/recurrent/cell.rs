//! One step of a cell for one example, and the way back.
//!
//! `x` and `h` stand for x·W + b and h·U + c, the gates one after the other. A step leaves in `x` what the way back needs, which
//! there is replaced by the slopes in x·W + b; those in h·U + c come beside them.

use crate::task::elementary::{sigmoid, tanh};

fn all(numbers: &mut [f32], function: impl Fn(f32) -> f32) {
    for number in numbers {
        *number = function(*number);
    }
}

/// A row of gates as so many parts of one length.
fn parts<const N: usize>(row: &[f32]) -> [&[f32]; N] {
    let width = row.len() / N;
    std::array::from_fn(|gate| &row[gate * width..(gate + 1) * width])
}

/// An LSTM step: i, f, g, o become σ, σ, tanh, σ of x + h; then c = f·c + i·g, and the new memory is o·tanh c.
pub(super) fn lstm(x: &mut [f32], h: &[f32], cell: &mut [f32], memory: &mut [f32]) {
    let units = cell.len();
    x.iter_mut().zip(h).for_each(|(x, h)| *x += h);
    all(&mut x[..2 * units], sigmoid);
    all(&mut x[2 * units..3 * units], tanh);
    all(&mut x[3 * units..], sigmoid);
    let [i, f, g, o] = parts(x);
    for unit in 0..units {
        cell[unit] = f[unit] * cell[unit] + i[unit] * g[unit];
    }
    memory.iter_mut().zip(&*cell).zip(o).for_each(|((memory, &cell), o)| *memory = o * tanh(cell));
}

/// From the slopes in the memory, and those in c that came from the step after, which become those for the step before. `cell`
/// and `before` are c after and before the step.
pub(super) fn lstm_back(x: &mut [f32], cell: &[f32], before: &[f32], memory: &[f32], in_cell: &mut [f32]) {
    let units = cell.len();
    let (i, rest) = x.split_at_mut(units);
    let (f, rest) = rest.split_at_mut(units);
    let (g, o) = rest.split_at_mut(units);
    for unit in 0..units {
        let (value_i, value_f, value_g, value_o) = (i[unit], f[unit], g[unit], o[unit]);
        let bounded = tanh(cell[unit]);
        let slope = in_cell[unit] + memory[unit] * value_o * (1.0 - bounded * bounded);
        o[unit] = memory[unit] * bounded * value_o * (1.0 - value_o);
        i[unit] = slope * value_g * value_i * (1.0 - value_i);
        g[unit] = slope * value_i * (1.0 - value_g * value_g);
        f[unit] = slope * before[unit] * value_f * (1.0 - value_f);
        in_cell[unit] = slope * value_f;
    }
}

/// A GRU step: r, z become σ of x + h, n becomes tanh(x + r·h), and the new memory is n + z·(memory − n).
pub(super) fn gru(x: &mut [f32], h: &[f32], memory: &mut [f32]) {
    let units = memory.len();
    x[..2 * units].iter_mut().zip(h).for_each(|(x, h)| *x += h);
    all(&mut x[..2 * units], sigmoid);
    let (gates, new) = x.split_at_mut(2 * units);
    let [r, z] = parts(gates);
    let of_memory = &h[2 * units..];
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
pub(super) fn gru_back(x: &mut [f32], h: &mut [f32], of_memory: &[f32], before: &[f32], memory: &mut [f32]) {
    let units = before.len();
    let (r, rest) = x.split_at_mut(units);
    let (z, new) = rest.split_at_mut(units);
    for unit in 0..units {
        let (value_r, value_z, value_n) = (r[unit], z[unit], new[unit]);
        let slope = memory[unit];
        let to_new = slope * (1.0 - value_z) * (1.0 - value_n * value_n);
        z[unit] = slope * (before[unit] - value_n) * value_z * (1.0 - value_z);
        r[unit] = to_new * of_memory[unit] * value_r * (1.0 - value_r);
        new[unit] = to_new;
        h[2 * units + unit] = to_new * value_r;
        memory[unit] = slope * value_z;
    }
    h[..units].copy_from_slice(r);
    h[units..2 * units].copy_from_slice(z);
}
