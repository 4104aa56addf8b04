//! Pooling: the largest or the mean value of each window, channel by channel.

use burn::tensor::Tensor;

use super::{Backward, Layer, Slopes, Window, tensor};
use crate::task::batches::Draws;
use crate::task::numbers::Numbers;
use crate::task::wide::wide;

/// The largest value of each window. What hangs over the edge does not count.
#[derive(Debug)]
pub(crate) struct MaxPool {
    /// The windows.
    pub(crate) window: Window,
    /// Channels.
    pub(crate) channels: usize,
}

impl MaxPool {
    /// The largest values and where in the image they were. A value that is not a number is larger than all, as in PyTorch, so
    /// that it is not lost.
    fn largest(&self, x: Tensor<3>) -> (Tensor<3>, Vec<u32>) {
        let [lanes, examples, values] = x.dims();
        let device = x.device();
        let outputs = self.window.outputs() * self.channels;
        let mut largest = vec![0.0; lanes * examples * outputs];
        let mut places = vec![0; largest.len()];
        let images = Numbers::of(x);
        let all = images.chunks_exact(values).zip(largest.chunks_exact_mut(outputs)).zip(places.chunks_exact_mut(outputs));
        wide!({
            let mut row = Row::new(&self.window, self.channels);
            for ((image, largest), places) in all {
                let width = row.windows * self.channels;
                for (down, (largest, places)) in largest.chunks_exact_mut(width).zip(places.chunks_exact_mut(width)).enumerate()
                {
                    row.search(&self.window, down, image);
                    row.pick(self.window.stride[1], largest, places);
                }
            }
        });
        (tensor(largest, [lanes, examples, outputs], &device), places)
    }
}

/// The largest values of a row of windows. They are searched for at every column where a window could begin, whatever the stride:
/// so each place in a window is one long loop over neighbours in memory.
struct Row {
    windows: usize,
    channels: usize,
    largest: Vec<f32>,
    places: Vec<u32>,
}

impl Row {
    #[inline(always)]
    fn new(window: &Window, channels: usize) -> Self {
        let windows = window.output().map_or(0, |[_, width]| width);
        let count = (windows.saturating_sub(1) * window.stride[1] + 1) * channels;
        Self { windows, channels, largest: vec![0.0; count], places: vec![0; count] }
    }

    /// Looks through the `down`th row of windows.
    #[inline(always)]
    fn search(&mut self, window: &Window, down: usize, image: &[f32]) {
        let (columns, padding, channels) = (self.largest.len() / self.channels, window.padding[1], self.channels);
        self.largest.fill(f32::NEG_INFINITY);
        self.places.fill(0);
        for y in window.within(0, down) {
            for across in 0..window.size[1] {
                // The columns whose windows have this place within the image.
                let (first, end) =
                    (padding.saturating_sub(across), (window.input[1] + padding).saturating_sub(across).min(columns));
                if first >= end {
                    continue;
                }
                let start = (y * window.input[1] + first + across - padding) * channels;
                let seen = image[start..start + (end - first) * channels].iter().zip(start as u32..);
                let own = first * channels..end * channels;
                let best = self.largest[own.clone()].iter_mut().zip(&mut self.places[own]);
                for ((largest, place), (&value, at)) in best.zip(seen) {
                    // Both are written whatever comes out: a choice that follows no pattern is slow to guess.
                    let larger = value > *largest || value.is_nan();
                    *largest = if larger { value } else { *largest };
                    *place = if larger { at } else { *place };
                }
            }
        }
    }

    /// Hands out those at which a window does begin.
    #[inline(always)]
    fn pick(&self, stride: usize, largest: &mut [f32], places: &mut [u32]) {
        let step = stride * self.channels;
        for (to, from) in largest.chunks_exact_mut(self.channels).zip(self.largest.chunks(step)) {
            to.copy_from_slice(&from[..self.channels]);
        }
        for (to, from) in places.chunks_exact_mut(self.channels).zip(self.places.chunks(step)) {
            to.copy_from_slice(&from[..self.channels]);
        }
    }
}

impl Layer for MaxPool {
    fn forward(&self, _: &[Vec<f32>], x: Tensor<3>, _: Option<&Draws>) -> Tensor<3> {
        self.largest(x).0
    }

    fn trace<'a>(&'a self, _: &'a [Vec<f32>], x: Tensor<3>, _: Option<&'a Draws>, wanted: bool) -> (Tensor<3>, Backward<'a>) {
        let shape = x.dims();
        let (y, places) = self.largest(x);
        let back = move |slope: Tensor<3>| {
            let input = wanted.then(|| {
                let device = slope.device();
                let outputs = self.window.outputs() * self.channels;
                let mut images = vec![0.0; shape.iter().product()];
                let slopes = Numbers::of(slope);
                for ((image, slopes), places) in
                    images.chunks_exact_mut(shape[2]).zip(slopes.chunks_exact(outputs)).zip(places.chunks_exact(outputs))
                {
                    for (slope, &place) in slopes.iter().zip(places) {
                        image[place as usize] += slope;
                    }
                }
                tensor(images, shape, &device)
            });
            Slopes { input, parameters: Vec::new() }
        };
        (y, Box::new(back))
    }
}

/// The mean of each window, in which what hangs over the edge counts as 0, as in PyTorch.
#[derive(Debug)]
pub(crate) struct AveragePool {
    /// The windows.
    pub(crate) window: Window,
    /// Channels.
    pub(crate) channels: usize,
}

impl Layer for AveragePool {
    fn forward(&self, _: &[Vec<f32>], x: Tensor<3>, _: Option<&Draws>) -> Tensor<3> {
        let [lanes, examples, values] = x.dims();
        let device = x.device();
        let outputs = self.window.outputs() * self.channels;
        let mut means = vec![0.0; lanes * examples * outputs];
        let share = 1.0 / self.window.area() as f32;
        let images = Numbers::of(x);
        let all = images.chunks_exact(values).zip(means.chunks_exact_mut(outputs));
        wide!({
            for (image, means) in all {
                self.window.rows(
                    #[inline(always)]
                    |window, _, positions| {
                        let mean = &mut means[window * self.channels..(window + 1) * self.channels];
                        let covered = &image[positions.start * self.channels..positions.end * self.channels];
                        for position in covered.chunks_exact(self.channels) {
                            mean.iter_mut().zip(position).for_each(|(mean, value)| *mean += share * value);
                        }
                    },
                );
            }
        });
        tensor(means, [lanes, examples, outputs], &device)
    }

    fn trace<'a>(
        &'a self,
        parameters: &'a [Vec<f32>],
        x: Tensor<3>,
        draws: Option<&'a Draws>,
        wanted: bool,
    ) -> (Tensor<3>, Backward<'a>) {
        let shape = x.dims();
        let y = self.forward(parameters, x, draws);
        let back = move |slope: Tensor<3>| {
            let input = wanted.then(|| {
                let device = slope.device();
                let outputs = self.window.outputs() * self.channels;
                let mut images = vec![0.0; shape.iter().product()];
                let share = 1.0 / self.window.area() as f32;
                for (image, slopes) in images.chunks_exact_mut(shape[2]).zip(Numbers::of(slope).chunks_exact(outputs)) {
                    self.window.rows(
                        #[inline(always)]
                        |window, _, positions| {
                            let slopes = &slopes[window * self.channels..(window + 1) * self.channels];
                            let covered = &mut image[positions.start * self.channels..positions.end * self.channels];
                            for position in covered.chunks_exact_mut(self.channels) {
                                position.iter_mut().zip(slopes).for_each(|(to, slope)| *to += share * slope);
                            }
                        },
                    );
                }
                tensor(images, shape, &device)
            });
            Slopes { input, parameters: Vec::new() }
        };
        (y, Box::new(back))
    }
}
