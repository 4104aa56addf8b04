//! Convolution, as one matrix product over unfolded windows.
//!
//! Each window of an image becomes a row, so that a layer is `rows × kernel`, lane by lane, on the fast matrix product of the
//! backend, forward and backward.

use burn::tensor::Tensor;

use super::affine::{add_biases, column_sums};
use super::{Backward, Layer, Slopes, Window, initial, tensor};
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

    /// A group's kernel, `[lanes, row, channels out]`.
    fn kernel(&self, parameters: &[Tensor<2>], group: usize) -> Tensor<3> {
        let [lanes, _] = parameters[0].dims();
        let kernel = parameters[0].clone().reshape([lanes, self.groups * self.row(), self.group_outputs()]);
        if self.groups == 1 { kernel } else { kernel.narrow(1, group * self.row(), self.row()) }
    }

    /// The windows of each group's channels as rows, `[lanes, examples · windows, row]`, zero where a window hangs over the edge.
    fn unfold(&self, x: Tensor<3>) -> Vec<Tensor<3>> {
        let [lanes, examples, values] = x.dims();
        let device = x.device();
        let (windows, row, width) = (self.window.outputs(), self.row(), self.inputs / self.groups);
        let images = Numbers::of(x);
        let of_group = |group: usize| {
            let mut unfolded = vec![0.0; lanes * examples * windows * row];
            for (image, rows) in images.chunks_exact(values).zip(unfolded.chunks_exact_mut(windows * row)) {
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
            tensor(unfolded, [lanes, examples * windows, row], &device)
        };
        (0..self.groups).map(of_group).collect()
    }

    /// Adds rows of slopes to the slopes of the images that [`unfold`](Self::unfold) made them of.
    fn fold(&self, rows: Tensor<3>, group: usize, images: &mut [f32]) {
        let (windows, row, width) = (self.window.outputs(), self.row(), self.inputs / self.groups);
        let rows = Numbers::of(rows);
        let image = self.window.inputs() * self.inputs;
        for (image, rows) in images.chunks_exact_mut(image).zip(rows.chunks_exact(windows * row)) {
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

    /// The outputs for unfolded windows, one tensor for each group.
    fn apply(&self, parameters: &[Tensor<2>], unfolded: &[Tensor<3>], examples: usize) -> Tensor<3> {
        let product = |(group, rows): (usize, &Tensor<3>)| rows.clone().matmul(self.kernel(parameters, group));
        let mut products: Vec<Tensor<3>> = unfolded.iter().enumerate().map(product).collect();
        let y = if products.len() == 1 { products.remove(0) } else { Tensor::cat(products, 2) };
        let [lanes, _, _] = y.dims();
        let y = match parameters.get(1) {
            Some(biases) => add_biases(y, biases),
            None => y,
        };
        y.reshape([lanes, examples, self.window.outputs() * self.outputs])
    }
}

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

    /// The unfolded windows and their slopes.
    fn scratch(&self) -> f64 {
        2.0 * self.window.outputs() as f64 * self.row() as f64 * self.groups as f64
    }

    fn forward(&self, parameters: &[Tensor<2>], x: Tensor<3>, _: Option<&Draws>) -> Tensor<3> {
        let [_, examples, _] = x.dims();
        self.apply(parameters, &self.unfold(x), examples)
    }

    fn trace<'a>(
        &'a self,
        parameters: &'a [Tensor<2>],
        x: Tensor<3>,
        _: Option<&'a Draws>,
        wanted: bool,
    ) -> (Tensor<3>, Backward<'a>) {
        let [lanes, examples, values] = x.dims();
        let unfolded = self.unfold(x);
        let y = self.apply(parameters, &unfolded, examples);
        let back = move |slope: Tensor<3>| {
            let device = slope.device();
            let slope = slope.reshape([lanes, examples * self.window.outputs(), self.outputs]);
            let (biases, slope) = if self.bias { column_sums(slope) } else { (Tensor::zeros([lanes, 0], &device), slope) };
            let mut images = if wanted { vec![0.0; lanes * examples * values] } else { Vec::new() };
            let mut kernels = Vec::with_capacity(self.groups);
            for (group, rows) in unfolded.into_iter().enumerate() {
                let width = self.group_outputs();
                let slope = if self.groups == 1 { slope.clone() } else { slope.clone().narrow(2, group * width, width) };
                kernels.push(rows.transpose().matmul(slope.clone()));
                if wanted {
                    self.fold(slope.matmul(self.kernel(parameters, group).transpose()), group, &mut images);
                }
            }
            let kernel = Tensor::cat(kernels, 1).reshape([lanes, self.groups * self.row() * self.group_outputs()]);
            let biases = self.bias.then_some(biases);
            let input = wanted.then(|| tensor(images, [lanes, examples, values], &device));
            Slopes { input, parameters: std::iter::once(kernel).chain(biases).collect() }
        };
        (y, Box::new(back))
    }
}
