//! Normalisation to mean 0 and variance 1, then y = x̂·γ + β.

use burn::tensor::{Device, Tensor};

use super::{Backward, Layer, Slopes, tensor};
use crate::task::batches::Draws;
use crate::task::model::{Initial, ParameterSpec};
use crate::task::numbers::Numbers;
use crate::task::wide::{sum, sum_of_pairs, wide};

/// Added to the variance, as in PyTorch.
const EPSILON: f64 = 1e-5;

/// Normalises each channel over the examples of a batch and their positions (Ioffe & Szegedy 2015).
///
/// The statistics are always those of the examples shown together: of the mini-batch in training, of the probe set when that is
/// probed. No running averages are kept.
#[derive(Debug)]
pub(crate) struct BatchNorm {
    /// Channels; the values of a flat example.
    pub(crate) channels: usize,
}

/// Normalises each position over its features (Ba et al. 2016).
#[derive(Debug)]
pub(crate) struct LayerNorm {
    /// Features; the values of a flat example.
    pub(crate) width: usize,
}

/// γ and β, which begin as 1 and 0.
fn scale_and_shift(width: usize) -> Vec<ParameterSpec> {
    vec![
        ParameterSpec::new("weight", &[width], Initial::Constant(1.0)),
        ParameterSpec::new("bias", &[width], Initial::Constant(0.0)),
    ]
}

/// What the way back needs: x̂, and 1/σ of each group that was normalised together.
struct Normalized {
    values: Numbers,
    inverse: Vec<f32>,
}

/// Mean and 1/σ of each column of rows of `width` numbers; sums are in double precision.
#[inline(always)]
fn columns(rows: &[f32], width: usize) -> Vec<(f64, f64)> {
    let count = (rows.len() / width) as f64;
    let mut means = vec![0.0; width];
    for row in rows.chunks_exact(width) {
        means.iter_mut().zip(row).for_each(|(mean, &x)| *mean += f64::from(x));
    }
    for mean in &mut means {
        *mean /= count;
    }
    let mut variances = vec![0.0; width];
    for row in rows.chunks_exact(width) {
        variances.iter_mut().zip(row).zip(&means).for_each(|((variance, &x), mean)| *variance += (f64::from(x) - mean).powi(2));
    }
    means.iter().zip(variances).map(|(&mean, variance)| (mean, 1.0 / (variance / count + EPSILON).sqrt())).collect()
}

impl BatchNorm {
    fn normalize(&self, x: Tensor<3>) -> Normalized {
        let [lanes, examples, width] = x.dims();
        let mut values = Numbers::of(x);
        let mut inverse = Vec::with_capacity(lanes * self.channels);
        for lane in values.chunks_exact_mut(examples * width) {
            let statistics = wide!(columns(lane, self.channels));
            let (means, inverses): (Vec<f32>, Vec<f32>) = statistics.iter().map(|&(m, i)| (m as f32, i as f32)).unzip();
            wide!({
                for row in lane.chunks_exact_mut(self.channels) {
                    row.iter_mut().zip(&means).zip(&inverses).for_each(|((x, mean), inverse)| *x = (*x - mean) * inverse);
                }
            });
            inverse.extend(inverses);
        }
        Normalized { values, inverse }
    }
}

impl LayerNorm {
    fn normalize(&self, x: Tensor<3>) -> Normalized {
        let count = self.width as f64;
        let mut values = Numbers::of(x);
        let mut inverse = Vec::with_capacity(values.len() / self.width);
        let rows = values.chunks_exact_mut(self.width);
        wide!({
            for row in rows {
                let mean = sum(row, f64::from) / count;
                let variance = sum(row, |x| (f64::from(x) - mean) * (f64::from(x) - mean)) / count;
                let own = 1.0 / (variance + EPSILON).sqrt();
                for x in row {
                    *x = ((f64::from(*x) - mean) * own) as f32;
                }
                inverse.push(own as f32);
            }
        });
        Normalized { values, inverse }
    }
}

/// x̂·γ + β, lane by lane.
fn affine(normalized: &[f32], parameters: &[Vec<f32>], shape: [usize; 3], device: &Device) -> Tensor<3> {
    let lanes = shape[0];
    let (scales, shifts) = (&parameters[0], &parameters[1]);
    let width = scales.len() / lanes;
    let mut outputs = normalized.to_vec();
    let lane_length = outputs.len() / lanes;
    let lanes = outputs.chunks_exact_mut(lane_length).zip(scales.chunks_exact(width)).zip(shifts.chunks_exact(width));
    wide!({
        for ((lane, scale), shift) in lanes {
            for row in lane.chunks_exact_mut(width) {
                row.iter_mut().zip(scale).zip(shift).for_each(|((y, scale), shift)| *y = *y * scale + shift);
            }
        }
    });
    tensor(outputs, shape, device)
}

/// The slopes in γ and β of one lane: the sums of slope·x̂ and of slope, in double precision.
fn of_parameters(slopes: &[f32], normalized: &[f32], width: usize) -> (Vec<f64>, Vec<f64>) {
    let (mut scales, mut shifts) = (vec![0.0; width], vec![0.0; width]);
    let rows = slopes.chunks_exact(width).zip(normalized.chunks_exact(width));
    wide!({
        for (slopes, values) in rows {
            for (((scale, shift), &slope), &value) in scales.iter_mut().zip(&mut shifts).zip(slopes).zip(values) {
                *scale += f64::from(slope) * f64::from(value);
                *shift += f64::from(slope);
            }
        }
    });
    (scales, shifts)
}

/// One lane on the way back.
struct Lane<'l> {
    /// x̂.
    values: &'l [f32],
    /// 1/σ of each group that was normalised together.
    inverse: &'l [f32],
    /// γ.
    scale: &'l [f32],
    /// The slopes in γ and β.
    of_parameters: (&'l [f64], &'l [f64]),
}

/// The way back of either; `input` turns a lane's slopes in its outputs into those in its inputs.
fn way_back<'a>(
    normalized: Normalized,
    parameters: &'a [Vec<f32>],
    wanted: bool,
    input: impl Fn(&mut [f32], &Lane<'_>) + 'a,
) -> Backward<'a> {
    Box::new(move |slope: Tensor<3>| {
        let (shape, device) = (slope.dims(), slope.device());
        let (lanes, scales) = (shape[0], &parameters[0]);
        let width = scales.len() / lanes;
        let mut slopes = Numbers::of(slope);
        let (length, groups) = (slopes.len() / lanes, normalized.inverse.len() / lanes);
        let (mut scale_slopes, mut shift_slopes) = (Vec::with_capacity(lanes * width), Vec::with_capacity(lanes * width));
        for (number, slopes) in slopes.chunks_exact_mut(length).enumerate() {
            let values = &normalized.values[number * length..(number + 1) * length];
            let (of_scale, of_shift) = of_parameters(slopes, values, width);
            scale_slopes.extend(of_scale.iter().map(|&slope| slope as f32));
            shift_slopes.extend(of_shift.iter().map(|&slope| slope as f32));
            if wanted {
                let inverse = &normalized.inverse[number * groups..(number + 1) * groups];
                let scale = &scales[number * width..(number + 1) * width];
                input(slopes, &Lane { values, inverse, scale, of_parameters: (&of_scale, &of_shift) });
            }
        }
        let parameters = vec![scale_slopes, shift_slopes];
        Slopes { input: wanted.then(|| slopes.tensor(shape, &device)), parameters }
    })
}

impl Layer for BatchNorm {
    fn parameters(&self) -> Vec<ParameterSpec> {
        scale_and_shift(self.channels)
    }

    fn forward(&self, parameters: &[Vec<f32>], x: Tensor<3>, _: Option<&Draws>) -> Tensor<3> {
        let (shape, device) = (x.dims(), x.device());
        affine(&self.normalize(x).values, parameters, shape, &device)
    }

    /// ∂x = γ/σ · (s − mean s − x̂·mean(s·x̂)), with means over the batch.
    fn trace<'a>(
        &'a self,
        parameters: &'a [Vec<f32>],
        x: Tensor<3>,
        _: Option<&'a Draws>,
        wanted: bool,
    ) -> (Tensor<3>, Backward<'a>) {
        let (shape, device) = (x.dims(), x.device());
        let normalized = self.normalize(x);
        let y = affine(&normalized.values, parameters, shape, &device);
        let input = |slopes: &mut [f32], lane: &Lane<'_>| {
            let share = 1.0 / (slopes.len() / self.channels) as f64;
            let mean = |sums: &[f64]| sums.iter().map(|sum| (sum * share) as f32).collect::<Vec<f32>>();
            let (of_scale, of_shift) = (mean(lane.of_parameters.0), mean(lane.of_parameters.1));
            let factor: Vec<f32> = lane.scale.iter().zip(lane.inverse).map(|(scale, inverse)| scale * inverse).collect();
            let rows = slopes.chunks_exact_mut(self.channels).zip(lane.values.chunks_exact(self.channels));
            wide!({
                for (slopes, values) in rows {
                    let means = factor.iter().zip(&of_shift).zip(&of_scale);
                    for ((slope, value), ((factor, of_shift), of_scale)) in slopes.iter_mut().zip(values).zip(means) {
                        *slope = factor * (*slope - of_shift - value * of_scale);
                    }
                }
            });
        };
        (y, way_back(normalized, parameters, wanted, input))
    }
}

impl Layer for LayerNorm {
    fn parameters(&self) -> Vec<ParameterSpec> {
        scale_and_shift(self.width)
    }

    fn forward(&self, parameters: &[Vec<f32>], x: Tensor<3>, _: Option<&Draws>) -> Tensor<3> {
        let (shape, device) = (x.dims(), x.device());
        affine(&self.normalize(x).values, parameters, shape, &device)
    }

    /// ∂x = 1/σ · (g − mean g − x̂·mean(g·x̂)) with g = γ·s, and means over the features.
    fn trace<'a>(
        &'a self,
        parameters: &'a [Vec<f32>],
        x: Tensor<3>,
        _: Option<&'a Draws>,
        wanted: bool,
    ) -> (Tensor<3>, Backward<'a>) {
        let (shape, device) = (x.dims(), x.device());
        let normalized = self.normalize(x);
        let y = affine(&normalized.values, parameters, shape, &device);
        let input = |slopes: &mut [f32], lane: &Lane<'_>| {
            let rows = slopes.chunks_exact_mut(self.width).zip(lane.values.chunks_exact(self.width));
            let mean = |sum: f64| (sum / self.width as f64) as f32;
            wide!({
                for ((slopes, values), inverse) in rows.zip(lane.inverse) {
                    slopes.iter_mut().zip(lane.scale).for_each(|(slope, scale)| *slope *= scale);
                    let of_shift = mean(sum(slopes, f64::from));
                    let of_scale = mean(sum_of_pairs(slopes, values, |s, v| f64::from(s) * f64::from(v)));
                    let input = |(slope, value): (&mut f32, &f32)| *slope = inverse * (*slope - of_shift - value * of_scale);
                    slopes.iter_mut().zip(values).for_each(input);
                }
            });
        };
        (y, way_back(normalized, parameters, wanted, input))
    }
}
