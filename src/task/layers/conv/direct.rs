//! The loops of a convolution over one lane's images, group by group.
//!
//! Nothing is unfolded: an image is copied once into a frame of zeros, in which each row of a window lies in one piece.

use pulp::{Simd, WithSimd};

use super::Window;
use crate::task::small_product::{Packed, Pieces, ROWS, Slopes, Strip, add, add_products, eight, outer_products, store};

/// One group of a convolution.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group<'a> {
    pub(super) window: Window,
    /// Where each window begins in the frame, see [`starts`].
    pub(super) starts: &'a [usize],
    /// Channels of an image, of all groups.
    pub(super) inputs: usize,
    /// The group's own: the first, and how many.
    pub(super) own_inputs: (usize, usize),
    /// Channels of what comes out, likewise.
    pub(super) outputs: usize,
    /// The group's own, likewise.
    pub(super) own_outputs: (usize, usize),
}

/// Numbers after a frame, since a vector, or the places whose slopes are summed together, may be more than a row of a window has.
const SLACK: usize = 32;

/// Where each window begins in the frame of a group with so many channels.
pub(super) fn starts(window: &Window, channels: usize) -> Vec<usize> {
    let [height, width] = window.output().unwrap_or_default();
    let across = (window.input[1] + 2 * window.padding[1]) * channels;
    (0..height)
        .flat_map(|down| (0..width).map(move |right| (down, right)))
        .map(|(down, right)| down * window.stride[0] * across + right * window.stride[1] * channels)
        .collect()
}

impl Group<'_> {
    /// Numbers in a row of the frame.
    fn across(&self) -> usize {
        (self.window.input[1] + 2 * self.window.padding[1]) * self.own_inputs.1
    }

    /// An empty frame.
    fn frame(&self) -> Vec<f32> {
        vec![0.0; (self.window.input[0] + 2 * self.window.padding[0]) * self.across() + SLACK]
    }

    /// How a window lies in the frame.
    fn pieces(&self) -> Pieces {
        Pieces { count: self.window.size[0], length: self.window.size[1] * self.own_inputs.1, step: self.across() }
    }

    /// Calls `visit` with each row of an image and where the group's own part of it begins in the frame.
    #[inline(always)]
    fn rows(&self, mut visit: impl FnMut(std::ops::Range<usize>, usize)) {
        let length = self.window.input[1] * self.inputs;
        for row in 0..self.window.input[0] {
            let at = (row + self.window.padding[0]) * self.across() + self.window.padding[1] * self.own_inputs.1;
            visit(row * length..(row + 1) * length, at);
        }
    }

    /// Copies the group's channels of an image into the frame; what lies around them stays 0.
    #[inline(always)]
    fn enframe(&self, image: &[f32], frame: &mut [f32]) {
        let (first, width) = self.own_inputs;
        self.rows(
            #[inline(always)]
            |row, at| {
                let (row, to) = (&image[row], &mut frame[at..]);
                if width == self.inputs {
                    to[..row.len()].copy_from_slice(row);
                } else {
                    for (to, position) in to.chunks_exact_mut(width).zip(row.chunks_exact(self.inputs)) {
                        to.copy_from_slice(&position[first..first + width]);
                    }
                }
            },
        );
    }

    /// Copies them back.
    #[inline(always)]
    fn unframe(&self, frame: &[f32], image: &mut [f32]) {
        let (first, width) = self.own_inputs;
        self.rows(
            #[inline(always)]
            |row, at| {
                let (row, from) = (&mut image[row], &frame[at..]);
                if width == self.inputs {
                    row.copy_from_slice(&from[..row.len()]);
                } else {
                    for (from, position) in from.chunks_exact(width).zip(row.chunks_exact_mut(self.inputs)) {
                        position[first..first + width].copy_from_slice(from);
                    }
                }
            },
        );
    }

    /// Numbers of an image, and of what comes out.
    fn sizes(&self) -> (usize, usize) {
        (self.window.inputs() * self.inputs, self.starts.len() * self.outputs)
    }
}

/// What comes out of the images is written to `outputs`.
pub(super) struct Forward<'a> {
    pub(super) group: Group<'a>,
    /// `[row, channels out]`.
    pub(super) kernel: &'a [f32],
    pub(super) biases: Option<&'a [f32]>,
    pub(super) images: &'a [f32],
    pub(super) outputs: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (size, outputs) = self.group.sizes();
        let width = self.group.own_outputs.1;
        let kernel = Packed::new::<S>(self.kernel, width);
        let none = vec![0.0; width];
        let biases = Packed::new::<S>(self.biases.unwrap_or(&none), width);
        let mut frame = self.group.frame();
        for (image, outputs) in self.images.chunks_exact(size).zip(self.outputs.chunks_exact_mut(outputs)) {
            self.group.enframe(image, &mut frame);
            for first in (0..self.group.starts.len()).step_by(ROWS) {
                for strips in kernel.strips().iter().zip(biases.strips()) {
                    match strips.0.vectors {
                        1 => forward::<S, 1>(simd, &self.group, strips, &frame, first, outputs),
                        2 => forward::<S, 2>(simd, &self.group, strips, &frame, first, outputs),
                        _ => forward::<S, 3>(simd, &self.group, strips, &frame, first, outputs),
                    }
                }
            }
        }
    }
}

/// Eight windows, for some of the channels.
#[inline(always)]
fn forward<S: Simd, const V: usize>(
    simd: S,
    group: &Group<'_>,
    (kernel, biases): (&Strip, &Strip),
    frame: &[f32],
    first: usize,
    outputs: &mut [f32],
) {
    let (channel, width) = group.own_outputs;
    let windows = &group.starts[first..];
    let starts = eight(&windows[..windows.len().min(ROWS)], |start| start);
    let biases = [biases.rows::<S, V>()[0]; ROWS];
    let sums = add_products(simd, (frame, starts), group.pieces(), kernel.rows::<S, V>(), biases);
    // What is too much in a vector falls on the next window, which is written afterwards.
    let alone = width == group.outputs && width <= V * S::F32_LANES;
    for (window, sums) in (first..group.starts.len()).zip(sums) {
        for (vector, sum) in sums.into_iter().enumerate() {
            let column = kernel.first + vector * S::F32_LANES;
            let own = (width - column).min(S::F32_LANES);
            let to = &mut outputs[window * group.outputs + channel + column..];
            let count = if alone { to.len().min(S::F32_LANES) } else { own };
            store(simd, &mut to[..count], sum);
        }
    }
}

/// The slopes in the images are written to `to`, given those in what came out.
pub(super) struct Inputs<'a> {
    pub(super) group: Group<'a>,
    /// `[row, channels out]`.
    pub(super) kernel: &'a [f32],
    pub(super) slopes: &'a [f32],
    pub(super) to: &'a mut [f32],
}

impl WithSimd for Inputs<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (size, outputs) = self.group.sizes();
        let pieces = self.group.pieces();
        // Each row of a window in whole vectors.
        let length = pieces.length.next_multiple_of(S::F32_LANES);
        let turned = turned(self.kernel, self.group.own_outputs.1, pieces, length);
        let kernel = Packed::new::<S>(&turned, pieces.count * length);
        // Column by column: what one window has added to lies not in part where the next adds, for which that would have to wait.
        let [_, across] = self.group.window.output().unwrap_or_default();
        let order: Vec<usize> = (0..across).flat_map(|column| (column..self.group.starts.len()).step_by(across)).collect();
        let mut frame = self.group.frame();
        for (image, slopes) in self.to.chunks_exact_mut(size).zip(self.slopes.chunks_exact(outputs)) {
            frame.fill(0.0);
            for windows in order.chunks(ROWS) {
                for strip in kernel.strips() {
                    match strip.vectors {
                        1 => inputs::<S, 1>(simd, &self.group, strip, length, slopes, windows, &mut frame),
                        2 => inputs::<S, 2>(simd, &self.group, strip, length, slopes, windows, &mut frame),
                        _ => inputs::<S, 3>(simd, &self.group, strip, length, slopes, windows, &mut frame),
                    }
                }
            }
            self.group.unframe(&frame, image);
        }
    }
}

/// The kernel as `[channels out, row of a window, length]`, with zeros where a row is shorter than that.
fn turned(kernel: &[f32], outputs: usize, pieces: Pieces, length: usize) -> Vec<f32> {
    const AT_A_TIME: usize = 16;
    let width = pieces.count * length;
    let mut turned = vec![0.0; outputs * width];
    for (piece, kernel) in kernel.chunks_exact(pieces.length * outputs).enumerate() {
        for (number, rows) in kernel.chunks(AT_A_TIME * outputs).enumerate() {
            let at = piece * length + number * AT_A_TIME;
            for (output, turned) in turned.chunks_exact_mut(width).enumerate() {
                for (to, row) in turned[at..].iter_mut().zip(rows.chunks_exact(outputs)) {
                    *to = row[output];
                }
            }
        }
    }
    turned
}

#[inline(always)]
fn inputs<S: Simd, const V: usize>(
    simd: S,
    group: &Group<'_>,
    strip: &Strip,
    length: usize,
    slopes: &[f32],
    windows: &[usize],
    frame: &mut [f32],
) {
    let (channel, width) = group.own_outputs;
    let starts = eight(windows, |window| window * group.outputs + channel);
    let whole = Pieces { count: 1, length: width, step: 0 };
    let none = [[simd.splat_f32s(0.0); V]; ROWS];
    let sums = add_products(simd, (slopes, starts), whole, strip.rows::<S, V>(), none);
    let pieces = group.pieces();
    for vector in 0..V {
        let place = strip.first + vector * S::F32_LANES;
        let (row, column) = (place / length, place % length);
        // What is too much in a vector must not touch its neighbours: 0 times what is no number is none either.
        let own = simd.mask_between_m32s(0, (pieces.length - column).min(S::F32_LANES) as u32).mask();
        for (&window, sums) in windows.iter().zip(&sums) {
            let sum = simd.select_f32s(own, sums[vector], simd.splat_f32s(0.0));
            add(simd, &mut frame[group.starts[window] + row * pieces.step + column..][..S::F32_LANES], sum);
        }
    }
}

/// The slopes in the kernel and in the biases, given those in what came out, are added to `kernel` and `biases`.
pub(super) struct Parameters<'a> {
    pub(super) group: Group<'a>,
    pub(super) images: &'a [f32],
    pub(super) slopes: &'a [f32],
    /// `[row, channels out]`.
    pub(super) kernel: &'a mut [f32],
    pub(super) biases: &'a mut [f32],
}

/// Rows of a window, and places in each, whose slopes are summed at a time.
const TILES: [(usize, usize); 8] = [(5, 5), (3, 9), (3, 8), (3, 4), (1, 24), (1, 16), (1, 8), (1, 4)];

/// The tile that fits windows best into so many registers: with the fewest sums that nobody asks for.
fn tile(pieces: Pieces, registers: usize) -> (usize, usize) {
    let fits = |&(rows, places): &(usize, usize)| (rows == 1 || rows == pieces.count) && rows * places + 2 <= registers;
    let cost = |&(rows, places): &(usize, usize)| pieces.length.div_ceil(places) * (pieces.count / rows) * (rows * places + 2);
    TILES.into_iter().filter(fits).min_by_key(cost).unwrap_or((1, 4))
}

impl WithSimd for Parameters<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (size, outputs) = self.group.sizes();
        let (channel, width) = self.group.own_outputs;
        let columns = width.div_ceil(S::F32_LANES);
        let pieces = self.group.pieces();
        let (rows, places) = tile(pieces, S::REGISTER_COUNT);
        let tile = rows * places;
        let across = pieces.length.div_ceil(places);
        let zero = simd.splat_f32s(0.0);
        // Tile by tile, column by column.
        let mut sums = vec![zero; pieces.count / rows * across * columns * tile];
        let mut bias_sums = vec![zero; columns];
        let mut frame = self.group.frame();
        let mut own = vec![0.0; self.group.starts.len() * columns * S::F32_LANES];
        for (image, slopes) in self.images.chunks_exact(size).zip(self.slopes.chunks_exact(outputs)) {
            self.group.enframe(image, &mut frame);
            for (to, from) in own.chunks_exact_mut(columns * S::F32_LANES).zip(slopes.chunks_exact(self.group.outputs)) {
                to[..width].copy_from_slice(&from[channel..channel + width]);
            }
            let slopes = S::as_simd_f32s(&own).0;
            for (number, sums) in sums.chunks_exact_mut(tile).enumerate() {
                let (column, number) = (number % columns, number / columns);
                let at = number / across * rows * pieces.step + number % across * places;
                let slopes = Slopes { rows: slopes, columns, column };
                match (rows, places) {
                    (5, 5) => parameters::<S, 5, 5>(simd, &self.group, &frame, at, slopes, sums),
                    (3, 9) => parameters::<S, 3, 9>(simd, &self.group, &frame, at, slopes, sums),
                    (3, 8) => parameters::<S, 3, 8>(simd, &self.group, &frame, at, slopes, sums),
                    (3, 4) => parameters::<S, 3, 4>(simd, &self.group, &frame, at, slopes, sums),
                    (1, 24) => parameters::<S, 1, 24>(simd, &self.group, &frame, at, slopes, sums),
                    (1, 16) => parameters::<S, 1, 16>(simd, &self.group, &frame, at, slopes, sums),
                    (1, 8) => parameters::<S, 1, 8>(simd, &self.group, &frame, at, slopes, sums),
                    _ => parameters::<S, 1, 4>(simd, &self.group, &frame, at, slopes, sums),
                }
            }
            for (column, sum) in bias_sums.iter_mut().enumerate() {
                let mut of_image = zero;
                for slopes in slopes.chunks_exact(columns) {
                    of_image = simd.add_f32s(of_image, slopes[column]);
                }
                *sum = simd.add_f32s(*sum, of_image);
            }
        }
        for (number, sums) in sums.chunks_exact(tile).enumerate() {
            let (column, number) = (number % columns, number / columns);
            for (part, sum) in sums.iter().enumerate() {
                let (row, place) = (number / across * rows + part / places, number % across * places + part % places);
                if place < pieces.length {
                    let slopes = &mut self.kernel[(row * pieces.length + place) * width..][..width][column * S::F32_LANES..];
                    let count = slopes.len().min(S::F32_LANES);
                    add(simd, &mut slopes[..count], *sum);
                }
            }
        }
        for (to, sum) in self.biases.chunks_mut(S::F32_LANES).zip(bias_sums) {
            add(simd, to, sum);
        }
    }
}

/// Adds up a tile of so many rows and places, which begins `at` so far into a window.
#[inline(always)]
fn parameters<S: Simd, const R: usize, const P: usize>(
    simd: S,
    group: &Group<'_>,
    frame: &[f32],
    at: usize,
    slopes: Slopes<'_, S::f32s>,
    to: &mut [S::f32s],
) {
    let starts = group.starts.iter().map(|start| start + at);
    let sums = outer_products::<S, R, P, 1>(simd, (frame, starts), group.pieces().step, slopes);
    for (to, sum) in to.iter_mut().zip(sums.as_flattened().as_flattened()) {
        *to = simd.add_f32s(*to, *sum);
    }
}
