//! Convolution, as one matrix product over unfolded windows.
//!
//! Each window of an image becomes a row, so that a layer is `rows × kernel` on the fast matrix product of the backend, forward
//! and backward. A few images are unfolded at a time, as many as the second-level cache holds, and on the way back once more:
//! that is cheaper than to write the rows of a whole batch to memory and read them again.

use burn::tensor::Tensor;

use super::affine::{add_biases, column_sums};
use super::{Backward, Layer, Slopes, Window, initial, numbers, tensor};
use crate::config::Init;
use crate::task::batches::Draws;
use crate::task::model::ParameterSpec;
use crate::task::numbers::Numbers;

/// A convolution of an image or a sequence, channels-last.
#[derive(Debug)]
pub(crate) struct Conv {
    /// Where the kernel is applied.
    pub(crate) window: Window,
    /// Channels in.
    pub(crate) inputs: usize,
    /// Channels out.
    pub(crate) outputs: usize,
    /// Groups of channels that know nothing of each other; divides both.
    pub(crate) groups: usize,
    /// Whether a bias is added; a batch norm that follows would take it off again.
    pub(crate) bias: bool,
    /// Whether the state dict holds the kernel of a 1-D convolution.
    pub(crate) flat: bool,
    /// How the kernel and the bias begin.
    pub(crate) init: Init,
    /// Multiplies them.
    pub(crate) init_scale: f64,
}

impl Conv {
    /// Numbers in a row: a window of a group's channels.
    fn row(&self) -> usize {
        self.window.area() * self.inputs / self.groups
    }

    /// A group's channels out.
    fn group_outputs(&self) -> usize {
        self.outputs / self.groups
    }

    /// A lane's kernel for a group, `[row, channels out]`.
    fn kernel(&self, parameters: &[Tensor<2>], lane: usize, group: usize) -> Tensor<2> {
        let size = self.row() * self.group_outputs();
        let own = parameters[0].clone().narrow(0, lane, 1).narrow(1, group * size, size);
        own.reshape([self.row(), self.group_outputs()])
    }

    /// How many images are unfolded at a time. It depends on the layer alone, since it decides in which order sums are taken.
    fn at_a_time(&self) -> usize {
        let bytes = size_of::<f32>() * self.window.outputs() * self.row();
        (CACHE / bytes.max(1)).max(1)
    }

    /// Replaces `rows` by the windows of a group's channels in these images, zero where a window hangs over the edge.
    fn unfold(&self, images: &[f32], group: usize, rows: &mut Vec<f32>) {
        let (size, windows, row, width) = self.sizes();
        let count = images.len() / size * windows * row;
        if rows.len() != count {
            // What hangs over the edge does so in every image, and stays 0 from one use to the next.
            rows.clear();
            rows.resize(count, 0.0);
        }
        for (image, rows) in images.chunks_exact(size).zip(rows.chunks_exact_mut(windows * row)) {
            self.window.rows(|window, place, positions| {
                let to = &mut rows[window * row + place * width..][..positions.len() * width];
                if self.groups == 1 {
                    to.copy_from_slice(&image[positions.start * width..positions.end * width]);
                } else {
                    for (to, position) in to.chunks_exact_mut(width).zip(positions) {
                        to.copy_from_slice(&image[position * self.inputs + group * width..][..width]);
                    }
                }
            });
        }
    }

    /// Adds rows of slopes to the slopes of the images that [`unfold`](Self::unfold) made them of.
    fn fold(&self, rows: &[f32], group: usize, images: &mut [f32]) {
        let (size, windows, row, width) = self.sizes();
        for (image, rows) in images.chunks_exact_mut(size).zip(rows.chunks_exact(windows * row)) {
            self.window.rows(|window, place, positions| {
                let from = &rows[window * row + place * width..][..positions.len() * width];
                if self.groups == 1 {
                    add(&mut image[positions.start * width..positions.end * width], from);
                } else {
                    for (from, position) in from.chunks_exact(width).zip(positions) {
                        add(&mut image[position * self.inputs + group * width..][..width], from);
                    }
                }
            });
        }
    }

    /// Numbers of an image, its windows, and the numbers of a row and of a position of a group.
    fn sizes(&self) -> (usize, usize, usize, usize) {
        (self.window.inputs() * self.inputs, self.window.outputs(), self.row(), self.inputs / self.groups)
    }

    /// A group's part of rows of all channels out.
    fn part(&self, rows: &[f32], group: usize) -> Vec<f32> {
        let width = self.group_outputs();
        rows.chunks_exact(self.outputs).flat_map(|row| &row[group * width..(group + 1) * width]).copied().collect()
    }
}

/// The memory for unfolded images, in bytes: half of a small second-level cache, since the products come beside it.
const CACHE: usize = 256 << 10;

fn add(to: &mut [f32], from: &[f32]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
}

impl Layer for Conv {
    fn parameters(&self) -> Vec<ParameterSpec> {
        let width = self.inputs / self.groups;
        let [height, across] = self.window.size;
        let (kernel, biases) = initial(self.init, self.init_scale, self.row(), self.window.area() * self.outputs / self.groups);
        let shape = if self.flat { vec![self.outputs, width, across] } else { vec![self.outputs, width, height, across] };
        // PyTorch: group and output, channel, row, column. Here: group, row, column, channel, output.
        let order = Some((vec![self.groups, self.group_outputs(), width, height, across], vec![0, 3, 4, 2, 1]));
        let kernel = ParameterSpec { order, ..ParameterSpec::new("weight", &shape, kernel) };
        let biases = self.bias.then(|| ParameterSpec::new("bias", &[self.outputs], biases));
        std::iter::once(kernel).chain(biases).collect()
    }

    fn forward(&self, parameters: &[Tensor<2>], x: Tensor<3>, _: Option<&Draws>) -> Tensor<3> {
        let ([lanes, examples, values], device) = (x.dims(), x.device());
        let (images, outputs) = (Numbers::of(x), self.window.outputs() * self.outputs);
        let mut y = vec![0.0; lanes * examples * outputs];
        let mut rows = Vec::new();
        let by_lane = y.chunks_exact_mut(examples * outputs).zip(images.chunks_exact(examples * values));
        for (lane, (y, images)) in by_lane.enumerate() {
            for group in 0..self.groups {
                let kernel = self.kernel(parameters, lane, group);
                let pieces = y.chunks_mut(self.at_a_time() * outputs).zip(images.chunks(self.at_a_time() * values));
                for (y, images) in pieces {
                    self.unfold(images, group, &mut rows);
                    let unfolded = tensor::<2>(rows, [y.len() / self.outputs, self.row()], &device);
                    let products = Numbers::of(unfolded.clone().matmul(kernel.clone()));
                    rows = numbers(unfolded);
                    let width = self.group_outputs();
                    for (y, product) in y.chunks_exact_mut(self.outputs).zip(products.chunks_exact(width)) {
                        y[group * width..(group + 1) * width].copy_from_slice(product);
                    }
                }
            }
        }
        let y = match parameters.get(1) {
            Some(biases) => add_biases(tensor(y, [lanes, examples * self.window.outputs(), self.outputs], &device), biases),
            None => tensor(y, [lanes, examples, outputs], &device),
        };
        y.reshape([lanes, examples, outputs])
    }

    fn trace<'a>(
        &'a self,
        parameters: &'a [Tensor<2>],
        x: Tensor<3>,
        draws: Option<&'a Draws>,
        wanted: bool,
    ) -> (Tensor<3>, Backward<'a>) {
        let shape = x.dims();
        let [lanes, examples, values] = shape;
        let y = self.forward(parameters, x.clone(), draws);
        let back = move |slope: Tensor<3>| {
            let device = slope.device();
            let size = self.row() * self.group_outputs();
            let (biases, slope) = column_sums(slope.reshape([lanes, examples * self.window.outputs(), self.outputs]));
            let (slopes, images) = (Numbers::of(slope), Numbers::of(x));
            let mut kernels = vec![0.0; lanes * self.groups * size];
            let mut input = vec![0.0; if wanted { images.len() } else { 0 }];
            let mut rows = Vec::new();
            for (number, kernel_slopes) in kernels.chunks_exact_mut(size).enumerate() {
                let (lane, group) = (number / self.groups, number % self.groups);
                let kernel = self.kernel(parameters, lane, group).transpose();
                for first in (0..examples).step_by(self.at_a_time()) {
                    let piece = lane * examples + first..lane * examples + (first + self.at_a_time()).min(examples);
                    let windows = piece.len() * self.window.outputs();
                    let own = piece.start * values..piece.end * values;
                    self.unfold(&images[own.clone()], group, &mut rows);
                    let unfolded = tensor::<2>(rows, [windows, self.row()], &device);
                    let outputs = self.window.outputs() * self.outputs;
                    let slopes = self.part(&slopes[piece.start * outputs..piece.end * outputs], group);
                    let slopes = tensor::<2>(slopes, [windows, self.group_outputs()], &device);
                    add(kernel_slopes, &Numbers::of(unfolded.clone().transpose().matmul(slopes.clone())));
                    rows = numbers(unfolded);
                    if wanted {
                        self.fold(&Numbers::of(slopes.matmul(kernel.clone())), group, &mut input[own]);
                    }
                }
            }
            let kernel = tensor(kernels, [lanes, self.groups * size], &device);
            let biases = self.bias.then_some(biases);
            let input = wanted.then(|| tensor(input, shape, &device));
            Slopes { input, parameters: std::iter::once(kernel).chain(biases).collect() }
        };
        (y, Box::new(back))
    }
}
