//! What each head sees, example by example, forward and back.
//!
//! All that a head works on in an example stays in the first-level cache, and what a position does not see is left out in blocks.

use pulp::{Simd, WithSimd};

use crate::task::elementary::exp;
use crate::task::small_product::{Packed, ROWS, Rows, WIDEST, add_weights, put};
use crate::task::wide::{largest, sum, sum_of_pairs};

/// How many there are of everything.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heads {
    /// Positions.
    pub(super) length: usize,
    /// Features of each, of all heads.
    pub(super) width: usize,
    /// Heads.
    pub(super) count: usize,
    /// Whether a position sees itself and earlier ones only.
    pub(super) causal: bool,
}

impl Heads {
    /// Features of a head.
    fn head(&self) -> usize {
        self.width / self.count
    }

    /// The factor of the scores.
    fn scale(&self) -> f32 {
        1.0 / (self.head() as f32).sqrt()
    }

    /// How many positions the one at `place` sees, from the first on.
    fn seen(&self, place: usize) -> usize {
        if self.causal { place + 1 } else { self.length }
    }

    /// How many positions some from the `first` on see, in whole vectors.
    fn seen_together(&self, first: usize, count: usize) -> usize {
        self.seen(first + count - 1).next_multiple_of(WIDEST).min(self.length)
    }

    /// Positions, a few at a time: the first, and how many.
    fn blocks(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let length = self.length;
        (0..length).step_by(ROWS).map(move |first| (first, ROWS.min(length - first)))
    }

    /// Numbers of an example in the projections, in the shares, and in what is seen.
    fn sizes(&self) -> [usize; 3] {
        [3 * self.length * self.width, self.count * self.length * self.length, self.length * self.width]
    }

    /// Products of each position's numbers of a head with a matrix that has a column for each position, as far as they are seen.
    #[inline(always)]
    fn scores<S: Simd>(&self, simd: S, rows: Rows<'_>, matrix: &Packed, to: &mut [f32]) {
        for (first, count) in self.blocks() {
            let rows = Rows { count, first: rows.first + first * rows.step, ..rows };
            put::<S>(simd, rows, matrix, true, (first * self.length, self.length, self.seen_together(first, count)), to);
        }
    }

    /// Products of each position's shares with a matrix that has a row for each position; they go to every `step` numbers of `to`.
    #[inline(always)]
    fn mixed<S: Simd>(&self, simd: S, shares: &[f32], matrix: &Packed, step: usize, to: &mut [f32]) {
        for (first, count) in self.blocks() {
            let length = self.seen_together(first, count);
            let rows = Rows { numbers: shares, count, first: first * self.length, step: self.length, length };
            put::<S>(simd, rows, matrix, true, (first * step, step, self.head()), to);
        }
    }

    /// The slopes in a matrix that [`mixed`](Self::mixed) multiplied with, given those in the products; rows are padded.
    #[inline(always)]
    fn unmixed<S: Simd>(&self, simd: S, shares: &[f32], slopes: &[f32], to: &mut [f32]) {
        let stride = self.head().next_multiple_of(WIDEST);
        to.fill(0.0);
        for first in (0..self.length).step_by(WIDEST) {
            // Who sees these.
            let from = if self.causal { first } else { 0 };
            let rows = Rows {
                numbers: shares,
                count: self.length - from,
                first: from * self.length + first,
                step: self.length,
                length: WIDEST.min(self.length - first),
            };
            add_weights::<S>(simd, rows, &slopes[from * stride..], stride, &mut to[first * stride..]);
        }
    }
}

/// Rows of a head as a matrix with a column for each row.
#[inline(always)]
fn turned(rows: &[f32], step: usize, head: usize, to: &mut [f32]) {
    let count = to.len() / head;
    for (place, row) in rows.chunks(step).enumerate() {
        for (feature, &number) in row[..head].iter().enumerate() {
            to[feature * count + place] = number;
        }
    }
}

/// Copies rows of a head to rows of another length.
#[inline(always)]
fn copy(rows: &[f32], step: usize, head: usize, to_step: usize, to: &mut [f32]) {
    for (to, row) in to.chunks_mut(to_step).zip(rows.chunks(step)) {
        to[..head].copy_from_slice(&row[..head]);
    }
}

/// Writes how much each position takes from each, the softmax of query·key / √head over what is seen, to `shares`, `[examples,
/// heads, positions, positions]`; and the values so mixed to `seen`, `[examples, positions, width]`.
pub(super) struct Look<'a> {
    pub(super) heads: Heads,
    /// Queries, keys and values of all heads one after the other, `[examples, positions, 3 · width]`.
    pub(super) projected: &'a [f32],
    pub(super) shares: &'a mut [f32],
    pub(super) seen: &'a mut [f32],
}

impl WithSimd for Look<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { heads, projected, shares, seen } = self;
        let [size, share_size, seen_size] = heads.sizes();
        let (length, width, head, scale) = (heads.length, heads.width, heads.head(), heads.scale());
        let mut keys = vec![0.0; head * length];
        let examples = projected.chunks_exact(size).zip(shares.chunks_exact_mut(share_size));
        for ((projected, shares), seen) in examples.zip(seen.chunks_exact_mut(seen_size)) {
            for (number, shares) in shares.chunks_exact_mut(length * length).enumerate() {
                let first = number * head;
                turned(&projected[width + first..], 3 * width, head, &mut keys);
                let queries = Rows { numbers: projected, count: length, first, step: 3 * width, length: head };
                heads.scores::<S>(simd, queries, &Packed::new::<S>(&keys, length), shares);
                for (place, row) in shares.chunks_exact_mut(length).enumerate() {
                    softmax(row, heads.seen(place), scale);
                }
                let values = Packed::spaced::<S>(&projected[2 * width + first..], head, 3 * width);
                heads.mixed::<S>(simd, shares, &values, width, &mut seen[first..]);
            }
        }
    }
}

/// The softmax of the first `seen` scores times their factor; 0 for the others.
#[inline(always)]
fn softmax(row: &mut [f32], seen: usize, scale: f32) {
    let (seen, later) = row.split_at_mut(seen);
    later.fill(0.0);
    let largest = largest(seen);
    for score in seen.iter_mut() {
        *score = exp(scale * (*score - largest));
    }
    let inverse = (1.0 / sum(seen, f64::from)) as f32;
    for score in seen {
        *score *= inverse;
    }
}

/// The slopes in the scores, given those in the shares and the shares p: p · (s − Σ p·s), times the factor of the scores.
#[inline(always)]
fn through_softmax(slopes: &mut [f32], shares: &[f32], seen: usize, scale: f32) {
    let (seen, later) = slopes.split_at_mut(seen);
    // What is not seen may hold a product with what is no number.
    later.fill(0.0);
    let shares = &shares[..seen.len()];
    let mean = sum_of_pairs(seen, shares, |slope, share| f64::from(slope * share)) as f32;
    seen.iter_mut().zip(shares).for_each(|(slope, share)| *slope = scale * share * (*slope - mean));
}

/// Writes the slopes in the projections, given those in what is seen.
pub(super) struct Back<'a> {
    pub(super) heads: Heads,
    pub(super) projected: &'a [f32],
    pub(super) shares: &'a [f32],
    /// Slopes in what is seen.
    pub(super) of_seen: &'a [f32],
    /// Slopes in the projections.
    pub(super) slopes: &'a mut [f32],
}

impl WithSimd for Back<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { heads, projected, shares, of_seen, slopes } = self;
        let [size, share_size, seen_size] = heads.sizes();
        let (length, width, head, scale) = (heads.length, heads.width, heads.head(), heads.scale());
        let (step, stride) = (3 * width, head.next_multiple_of(WIDEST));
        let mut values = vec![0.0; head * length];
        let mut scores = vec![0.0; length * length];
        let (mut padded, mut sums) = (vec![0.0; length * stride], vec![0.0; length * stride]);
        let examples = projected.chunks_exact(size).zip(shares.chunks_exact(share_size));
        let slopes = of_seen.chunks_exact(seen_size).zip(slopes.chunks_exact_mut(size));
        for ((projected, shares), (of_seen, slopes)) in examples.zip(slopes) {
            for (number, shares) in shares.chunks_exact(length * length).enumerate() {
                let first = number * head;
                copy(&of_seen[first..], width, head, stride, &mut padded);
                heads.unmixed::<S>(simd, shares, &padded, &mut sums);
                copy(&sums, stride, head, step, &mut slopes[2 * width + first..]);

                turned(&projected[2 * width + first..], step, head, &mut values);
                let rows = Rows { numbers: of_seen, count: length, first, step: width, length: head };
                heads.scores::<S>(simd, rows, &Packed::new::<S>(&values, length), &mut scores);
                let rows = scores.chunks_exact_mut(length).zip(shares.chunks_exact(length));
                for (place, (slopes, shares)) in rows.enumerate() {
                    through_softmax(slopes, shares, heads.seen(place), scale);
                }

                let keys = Packed::spaced::<S>(&projected[width + first..], head, step);
                heads.mixed::<S>(simd, &scores, &keys, step, &mut slopes[first..]);
                copy(&projected[first..], step, head, stride, &mut padded);
                heads.unmixed::<S>(simd, &scores, &padded, &mut sums);
                copy(&sums, stride, head, step, &mut slopes[width + first..]);
            }
        }
    }
}
