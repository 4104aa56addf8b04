//! Convolution, straight from the images.
//!
//! A product of unfolded windows would spend more time on unfolding than on the product, where channels are few. Beside PyTorch on two
//! cores, LeNet went from 0.81 to 2.06 times as fast without it, and ResNet-8 from 1.10 to 1.53 (`cargo bench --bench throughput`).

mod direct;

use burn::tensor::{Device, Tensor};

use super::{Backward, Layer, Slopes, Window, initial, tensor};
use crate::config::Init;
use crate::task::batches::Draws;
use crate::task::model::ParameterSpec;
use crate::task::numbers::Numbers;
use crate::task::small_product::dispatch;
use direct::{Forward, Group, Inputs, Parameters};

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

    /// Each group, given where its windows begin.
    fn groups<'a>(&'a self, starts: &'a [usize]) -> impl Iterator<Item = Group<'a>> {
        let (width, channels) = (self.inputs / self.groups, self.group_outputs());
        (0..self.groups).map(move |group| Group {
            window: self.window,
            starts,
            inputs: self.inputs,
            own_inputs: (group * width, width),
            outputs: self.outputs,
            own_outputs: (group * channels, channels),
        })
    }

    /// What comes out of the images, `[lanes, examples, values]`.
    fn outputs(
        &self,
        parameters: &[Vec<f32>],
        images: &[f32],
        [lanes, examples, values]: [usize; 3],
        on: &Device,
    ) -> Tensor<3> {
        let (kernels, biases) = (&parameters[0], parameters.get(1));
        let outputs = self.window.outputs() * self.outputs;
        let mut y = vec![0.0; lanes * examples * outputs];
        let starts = direct::starts(&self.window, self.inputs / self.groups);
        let size = self.row() * self.group_outputs();
        let by_lane = y.chunks_exact_mut(examples * outputs).zip(images.chunks_exact(examples * values));
        for (lane, (outputs, images)) in by_lane.enumerate() {
            for (number, group) in self.groups(&starts).enumerate() {
                let (first, width) = group.own_outputs;
                let kernel = &kernels[(lane * self.groups + number) * size..][..size];
                let biases = biases.map(|biases| &biases[lane * self.outputs + first..][..width]);
                dispatch(width, Forward { group, kernel, biases, images, outputs });
            }
        }
        tensor(y, [lanes, examples, outputs], on)
    }
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

    fn forward(&self, parameters: &[Vec<f32>], x: Tensor<3>, _: Option<&Draws>) -> Tensor<3> {
        let (shape, device) = (x.dims(), x.device());
        self.outputs(parameters, &Numbers::of(x), shape, &device)
    }

    fn trace<'a>(
        &'a self,
        parameters: &'a [Vec<f32>],
        x: Tensor<3>,
        _: Option<&'a Draws>,
        wanted: bool,
    ) -> (Tensor<3>, Backward<'a>) {
        let (shape, device) = (x.dims(), x.device());
        let [lanes, examples, values] = shape;
        let images = Numbers::of(x);
        let y = self.outputs(parameters, &images, shape, &device);
        let back = move |slope: Tensor<3>| {
            let (slopes, kernels) = (Numbers::of(slope), &parameters[0]);
            let (row, outputs) = (self.row(), self.window.outputs() * self.outputs);
            let mut kernel_slopes = vec![0.0; lanes * row * self.outputs];
            let mut bias_slopes = vec![0.0; lanes * self.outputs];
            let mut input = vec![0.0; if wanted { images.len() } else { 0 }];
            let starts = direct::starts(&self.window, self.inputs / self.groups);
            for lane in 0..lanes {
                let images = &images[lane * examples * values..][..examples * values];
                let slopes = &slopes[lane * examples * outputs..][..examples * outputs];
                for group in self.groups(&starts) {
                    let (first, width) = group.own_outputs;
                    let channel = lane * self.outputs + first;
                    let kernel = &mut kernel_slopes[channel * row..][..width * row];
                    let biases = &mut bias_slopes[channel..][..width];
                    dispatch(width, Parameters { group, images, slopes, kernel, biases });
                    if wanted {
                        let kernel = &kernels[channel * row..][..width * row];
                        let inputs = &mut input[lane * examples * values..][..examples * values];
                        dispatch(row, Inputs { group, kernel, slopes, to: inputs });
                    }
                }
            }
            let biases = self.bias.then_some(bias_slopes);
            let input = wanted.then(|| tensor(input, shape, &device));
            Slopes { input, parameters: std::iter::once(kernel_slopes).chain(biases).collect() }
        };
        (y, Box::new(back))
    }
}
