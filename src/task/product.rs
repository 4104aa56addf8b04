//! Products of a few rows with a small matrix, kept in the processor's registers.
//!
//! The backend's product copies both sides into an order of its own first. That pays for large matrices, and costs more than the
//! product where a matrix has few columns, or where rows must be put together from an image. Here the matrix is put in order once
//! for many rows, and the rows are read where they lie.

use pulp::{Simd, WithSimd};

/// Rows that are multiplied at a time: enough sums side by side that none waits for the one before, with room for three vectors
/// of each in 32 registers.
pub(crate) const ROWS: usize = 8;

/// Does `op` with vectors that suit so many columns: a vector of sixteen would be more than half empty with eight or fewer.
pub(crate) fn dispatch<Op: WithSimd>(columns: usize, op: Op) -> Op::Output {
    #[cfg(target_arch = "x86_64")]
    if columns <= 8
        && let Some(simd) = pulp::x86::V3::try_new()
    {
        return Simd::vectorize(simd, op);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = columns;
    pulp::Arch::new().dispatch(op)
}

/// A matrix whose columns are dealt into strips, each up to three vectors wide; what is missing in the last is 0.
pub(crate) struct Packed {
    strips: Vec<Strip>,
}

/// Some columns of a matrix, row by row.
pub(crate) struct Strip {
    /// The first column.
    pub(crate) first: usize,
    /// Vectors in a row.
    pub(crate) vectors: usize,
    numbers: Vec<f32>,
}

impl Packed {
    /// The matrix of these rows, all of so many numbers.
    #[inline(always)]
    pub(crate) fn new<S: Simd>(matrix: &[f32], columns: usize) -> Self {
        // With 16 registers, eight rows leave room for one vector.
        let most = if S::REGISTER_COUNT < 32 { 1 } else { 3 };
        let mut strips = Vec::new();
        let mut first = 0;
        while first < columns {
            // As even as can be: four vectors make two strips of two.
            let left = (columns - first).div_ceil(S::F32_LANES);
            let vectors = left.div_ceil(left.div_ceil(most));
            let width = vectors * S::F32_LANES;
            let mut numbers = vec![0.0; matrix.len() / columns * width];
            for (to, row) in numbers.chunks_exact_mut(width).zip(matrix.chunks_exact(columns)) {
                let own = &row[first..(first + width).min(columns)];
                to[..own.len()].copy_from_slice(own);
            }
            strips.push(Strip { first, vectors, numbers });
            first += width;
        }
        Self { strips }
    }

    /// All of them, from left to right.
    pub(crate) fn strips(&self) -> &[Strip] {
        &self.strips
    }
}

impl Strip {
    /// Its rows.
    #[inline(always)]
    pub(crate) fn rows<S: Simd, const V: usize>(&self) -> &[[S::f32s; V]] {
        S::as_simd_f32s(&self.numbers).0.as_chunks().0
    }
}

/// How the numbers of a row lie in memory: so many pieces of one length, each so far after the one before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pieces {
    pub(crate) count: usize,
    pub(crate) length: usize,
    pub(crate) step: usize,
}

/// Adds to `sums` the products of rows, which begin at `starts` in `from`, with the matrix.
#[inline(always)]
pub(crate) fn add_products<S: Simd, const V: usize>(
    simd: S,
    (from, starts): (&[f32], [usize; ROWS]),
    pieces: Pieces,
    matrix: &[[S::f32s; V]],
    mut sums: [[S::f32s; V]; ROWS],
) -> [[S::f32s; V]; ROWS] {
    for piece in 0..pieces.count {
        let matrix = &matrix[piece * pieces.length..][..pieces.length];
        let mut rows: [&[f32]; ROWS] = [&[]; ROWS];
        for (row, start) in rows.iter_mut().zip(starts) {
            *row = &from[start + piece * pieces.step..][..pieces.length];
        }
        for (place, factors) in matrix.iter().enumerate() {
            for row in 0..ROWS {
                let number = simd.splat_f32s(rows[row][place]);
                for vector in 0..V {
                    sums[row][vector] = simd.mul_add_e_f32s(number, factors[vector], sums[row][vector]);
                }
            }
        }
    }
    sums
}

/// Where up to eight rows begin; the last is there several times where there are fewer.
#[inline(always)]
pub(crate) fn eight<R: Copy>(rows: &[R], start: impl Fn(R) -> usize) -> [usize; ROWS] {
    let mut starts = [start(rows[rows.len() - 1]); ROWS];
    for (to, &row) in starts.iter_mut().zip(rows) {
        *to = start(row);
    }
    starts
}

/// Rows of slopes in what came out of a product, `columns` vectors each, of which one is looked at.
#[derive(Clone, Copy)]
pub(crate) struct Slopes<'a, V> {
    pub(crate) rows: &'a [V],
    pub(crate) columns: usize,
    pub(crate) column: usize,
}

/// Slopes in a matrix that rows of `from`, which begin at `starts`, were multiplied with: for P numbers in each of R pieces of a
/// row, so far apart, the sum of that number times the row's slopes.
#[inline(always)]
pub(crate) fn outer_products<S: Simd, const R: usize, const P: usize>(
    simd: S,
    (from, starts): (&[f32], impl Iterator<Item = usize>),
    step: usize,
    slopes: Slopes<'_, S::f32s>,
) -> [[S::f32s; P]; R] {
    let mut sums = [[simd.splat_f32s(0.0); P]; R];
    for (start, slopes) in starts.zip(slopes.rows.chunks_exact(slopes.columns).map(|row| row[slopes.column])) {
        let row = &from[start..];
        for (piece, sums) in sums.iter_mut().enumerate() {
            let numbers = &row[piece * step..][..P];
            for place in 0..P {
                sums[place] = simd.mul_add_e_f32s(simd.splat_f32s(numbers[place]), slopes, sums[place]);
            }
        }
    }
    sums
}

/// Writes as many of the vector's numbers as there is room for.
#[inline(always)]
pub(crate) fn store<S: Simd>(simd: S, to: &mut [f32], numbers: S::f32s) {
    if to.len() < S::F32_LANES {
        simd.partial_store_f32s(to, numbers);
    } else {
        S::as_mut_simd_f32s(to).0[0] = numbers;
    }
}

/// Adds as many of the vector's numbers as there is room for.
#[inline(always)]
pub(crate) fn add<S: Simd>(simd: S, to: &mut [f32], numbers: S::f32s) {
    if to.len() < S::F32_LANES {
        let before = simd.partial_load_f32s(to);
        simd.partial_store_f32s(to, simd.add_f32s(before, numbers));
    } else {
        let to = &mut S::as_mut_simd_f32s(to).0[0];
        *to = simd.add_f32s(*to, numbers);
    }
}
