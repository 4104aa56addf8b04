//! Products of a few rows with a small matrix, kept in the processor's registers.
//!
//! The [product](super::product) of a library copies both sides into an order of its own first. That pays for large matrices, and
//! costs more than the product where a matrix has few columns, or where rows must be put together from an image. Here the matrix is
//! put in order once for many rows, and the rows are read where they lie.

use pulp::{Simd, WithSimd};

/// Rows that are multiplied at a time: enough sums side by side that none waits for the one before, with room for three vectors
/// of each in 32 registers.
pub(crate) const ROWS: usize = 8;

/// Numbers in the widest vector of any processor: rows padded to a multiple of it are whole vectors everywhere.
pub(crate) const WIDEST: usize = 16;

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
        Self::spaced::<S>(matrix, columns, columns)
    }

    /// The same where from one row to the next it is so far.
    #[inline(always)]
    pub(crate) fn spaced<S: Simd>(matrix: &[f32], columns: usize, step: usize) -> Self {
        // With 16 registers, eight rows leave room for one vector.
        let most = if S::REGISTER_COUNT < 32 { 1 } else { 3 };
        let mut strips = Vec::new();
        let mut first = 0;
        while first < columns {
            // As even as can be: four vectors make two strips of two.
            let left = (columns - first).div_ceil(S::F32_LANES);
            let vectors = left.div_ceil(left.div_ceil(most));
            let width = vectors * S::F32_LANES;
            let mut numbers = vec![0.0; matrix.len().div_ceil(step) * width];
            for (to, row) in numbers.chunks_exact_mut(width).zip(matrix.chunks(step)) {
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

/// Rows of slopes in what came out of a product, `columns` vectors each, of which some are looked at, from `column` on.
#[derive(Clone, Copy)]
pub(crate) struct Slopes<'a, V> {
    pub(crate) rows: &'a [V],
    pub(crate) columns: usize,
    pub(crate) column: usize,
}

/// Slopes in a matrix that rows of `from`, which begin at `starts`, were multiplied with: for P numbers in each of R pieces of a
/// row, so far apart, the sum of that number times V vectors of the row's slopes.
#[inline(always)]
pub(crate) fn outer_products<S: Simd, const R: usize, const P: usize, const V: usize>(
    simd: S,
    (from, starts): (&[f32], impl Iterator<Item = usize>),
    step: usize,
    slopes: Slopes<'_, S::f32s>,
) -> [[[S::f32s; V]; P]; R] {
    let mut sums = [[[simd.splat_f32s(0.0); V]; P]; R];
    for (start, slopes) in starts.zip(slopes.rows.chunks_exact(slopes.columns).map(|row| &row[slopes.column..][..V])) {
        let row = &from[start..];
        for (piece, sums) in sums.iter_mut().enumerate() {
            let numbers = &row[piece * step..][..P];
            for place in 0..P {
                let number = simd.splat_f32s(numbers[place]);
                for vector in 0..V {
                    sums[place][vector] = simd.mul_add_e_f32s(number, slopes[vector], sums[place][vector]);
                }
            }
        }
    }
    sums
}

/// Rows of one length, each so far after the one before.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) numbers: &'a [f32],
    pub(crate) count: usize,
    pub(crate) first: usize,
    pub(crate) step: usize,
    pub(crate) length: usize,
}

impl Rows<'_> {
    /// Adds the products of up to eight rows from the `first` on with a strip of a matrix.
    #[inline(always)]
    pub(crate) fn add_products<S: Simd, const V: usize>(
        &self,
        simd: S,
        first: usize,
        matrix: &Strip,
        sums: [[S::f32s; V]; ROWS],
    ) -> [[S::f32s; V]; ROWS] {
        let mut starts = [0; ROWS];
        for (number, start) in starts.iter_mut().enumerate() {
            *start = self.first + (first + number).min(self.count - 1) * self.step;
        }
        let pieces = Pieces { count: 1, length: self.length, step: 0 };
        add_products(simd, (self.numbers, starts), pieces, matrix.rows::<S, V>(), sums)
    }
}

/// Adds to the slopes in weights, given the rows that were multiplied with them and the slopes in the products.
#[inline(always)]
pub(crate) fn add_weights<S: Simd>(simd: S, rows: Rows<'_>, slopes: &[f32], stride: usize, to: &mut [f32]) {
    let columns = stride / S::F32_LANES;
    // Two vectors share what is loaded of a row; with 16 registers there is no room for their sums.
    let most = if S::REGISTER_COUNT < 32 { 1 } else { 2 };
    let mut column = 0;
    while column < columns {
        let slopes = Slopes { rows: S::as_simd_f32s(slopes).0, columns, column };
        column += match most.min(columns - column) {
            1 => add_columns::<S, 1>(simd, rows, slopes, to),
            _ => add_columns::<S, 2>(simd, rows, slopes, to),
        };
    }
}

/// Weights' rows from which on it pays to put slopes together first. Where they lie far apart, a cache has few places for them.
const MANY: usize = 64;

/// The same for some vectors of all weights' rows; gives how many.
#[inline(always)]
fn add_columns<S: Simd, const V: usize>(simd: S, rows: Rows<'_>, slopes: Slopes<'_, S::f32s>, to: &mut [f32]) -> usize {
    let to = Target { rows: S::as_mut_simd_f32s(to).0, across: slopes.columns, first: slopes.column };
    if rows.length < MANY || slopes.columns == V {
        add_rows::<S, V>(simd, rows, slopes, to);
    } else {
        let together: Vec<[S::f32s; V]> = slopes
            .rows
            .chunks_exact(slopes.columns)
            .map(
                #[inline(always)]
                |row| std::array::from_fn(|vector| row[slopes.column + vector]),
            )
            .collect();
        add_rows::<S, V>(simd, rows, Slopes { rows: together.as_flattened(), columns: V, column: 0 }, to);
    }
    V
}

/// The weights' rows, `across` vectors each, of which some are added to, from the `first` on.
struct Target<'a, V> {
    rows: &'a mut [V],
    across: usize,
    first: usize,
}

#[inline(always)]
fn add_rows<S: Simd, const V: usize>(simd: S, rows: Rows<'_>, slopes: Slopes<'_, S::f32s>, mut to: Target<'_, S::f32s>) {
    let sixteen = if V == 1 && S::REGISTER_COUNT >= 32 { 16 } else { usize::MAX };
    let mut place = 0;
    while place < rows.length {
        place += match rows.length - place {
            left if left >= sixteen => tile::<S, 16, V>(simd, rows, place, slopes, &mut to),
            8.. => tile::<S, 8, V>(simd, rows, place, slopes, &mut to),
            4.. => tile::<S, 4, V>(simd, rows, place, slopes, &mut to),
            _ => tile::<S, 1, V>(simd, rows, place, slopes, &mut to),
        };
    }
}

/// The same for some of the weights' rows; gives how many.
#[inline(always)]
fn tile<S: Simd, const P: usize, const V: usize>(
    simd: S,
    rows: Rows<'_>,
    place: usize,
    slopes: Slopes<'_, S::f32s>,
    to: &mut Target<'_, S::f32s>,
) -> usize {
    let starts = (0..rows.count).map(|row| rows.first + row * rows.step + place);
    let [sums] = outer_products::<S, 1, P, V>(simd, (rows.numbers, starts), 0, slopes);
    let (across, first) = (to.across, to.first);
    for (to, sums) in to.rows[place * across..].chunks_exact_mut(across).zip(sums) {
        for (to, sum) in to[first..].iter_mut().zip(sums) {
            *to = simd.add_f32s(*to, sum);
        }
    }
    P
}

/// Where rows go to: where the first begins, from one to the next, and how long they are.
pub(crate) type Place = (usize, usize, usize);

/// Writes the products of rows with a matrix, or adds them to what is there; columns for which there is no place are left out.
#[inline(always)]
pub(crate) fn put<S: Simd>(simd: S, rows: Rows<'_>, matrix: &Packed, anew: bool, place: Place, to: &mut [f32]) {
    for strip in matrix.strips().iter().take_while(|strip| strip.first < place.2) {
        for first in (0..rows.count).step_by(ROWS) {
            match strip.vectors {
                1 => put_strip::<S, 1>(simd, rows, strip, anew, place, first, to),
                2 => put_strip::<S, 2>(simd, rows, strip, anew, place, first, to),
                _ => put_strip::<S, 3>(simd, rows, strip, anew, place, first, to),
            }
        }
    }
}

/// The same for a strip of the matrix, and up to eight rows from the `first` on.
#[inline(always)]
fn put_strip<S: Simd, const V: usize>(
    simd: S,
    rows: Rows<'_>,
    strip: &Strip,
    anew: bool,
    (at, step, length): Place,
    first: usize,
    to: &mut [f32],
) {
    let none = [[simd.splat_f32s(0.0); V]; ROWS];
    let sums = rows.add_products(simd, first, strip, none);
    for (row, sums) in (first..rows.count).zip(sums) {
        let to = to[at + row * step..][..length][strip.first..].chunks_mut(S::F32_LANES);
        for (to, sum) in to.zip(sums) {
            if anew { store(simd, to, sum) } else { add(simd, to, sum) }
        }
    }
}

/// The slopes in a matrix `[inputs, outputs]` are written to `to`, which holds zeros, given the rows that were multiplied with it and
/// the slopes in the products.
pub(crate) struct Weights<'a> {
    /// `[rows, inputs]`.
    pub(crate) from: &'a [f32],
    pub(crate) inputs: usize,
    /// `[rows, outputs]`.
    pub(crate) slopes: &'a [f32],
    pub(crate) outputs: usize,
    pub(crate) to: &'a mut [f32],
}

/// Rows whose products are summed at a time: as many as the second-level cache holds of wide layers.
const AT_A_TIME: usize = 256;

impl WithSimd for Weights<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { from, inputs, slopes, outputs, to } = self;
        let stride = outputs.next_multiple_of(WIDEST);
        if stride == outputs {
            return in_pieces::<S>(simd, from, inputs, slopes, stride, to);
        }
        let mut padded = vec![0.0; slopes.len() / outputs * stride];
        for (to, from) in padded.chunks_exact_mut(stride).zip(slopes.chunks_exact(outputs)) {
            to[..outputs].copy_from_slice(from);
        }
        let mut sums = vec![0.0; inputs * stride];
        in_pieces::<S>(simd, from, inputs, &padded, stride, &mut sums);
        for (to, sums) in to.chunks_exact_mut(outputs).zip(sums.chunks_exact(stride)) {
            to.copy_from_slice(&sums[..outputs]);
        }
    }
}

#[inline(always)]
fn in_pieces<S: Simd>(simd: S, from: &[f32], inputs: usize, slopes: &[f32], stride: usize, to: &mut [f32]) {
    for (from, slopes) in from.chunks(AT_A_TIME * inputs).zip(slopes.chunks(AT_A_TIME * stride)) {
        let rows = Rows { numbers: from, count: from.len() / inputs, first: 0, step: inputs, length: inputs };
        add_weights::<S>(simd, rows, slopes, stride, to);
    }
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
