//! Elementwise nonlinearities.

use std::f32::consts::{FRAC_1_SQRT_2, PI};

use burn::tensor::Tensor;

use super::{Backward, Layer, Slopes};
use crate::config;
use crate::task::batches::Draws;
use crate::task::elementary::{erf, exp, sigmoid, tanh};
use crate::task::numbers::Numbers;
use crate::task::wide::wide;

/// An elementwise nonlinearity.
#[derive(Debug)]
pub(crate) struct Activation {
    /// Which.
    pub(crate) kind: config::Activation,
}

impl Activation {
    /// Replaces inputs by outputs.
    fn apply(&self, values: &mut [f32]) {
        let values = values.iter_mut();
        match self.kind {
            // Not `max`, which would turn what is not a number into 0.
            config::Activation::Relu => wide!(for x in values {
                *x = if *x < 0.0 { 0.0 } else { *x }
            }),
            config::Activation::Tanh => wide!(for x in values {
                *x = tanh(*x);
            }),
            config::Activation::Gelu => wide!(for x in values {
                *x *= normal_below(*x);
            }),
            config::Activation::Silu => wide!(for x in values {
                *x *= sigmoid(*x);
            }),
        }
    }
}

/// Replaces inputs by outputs of GELU, and writes its slopes there.
fn gelu(values: &mut [f32], slopes: &mut [f32]) {
    let density = 1.0 / (2.0 * PI).sqrt();
    let pairs = values.iter_mut().zip(slopes);
    wide!(for (x, slope) in pairs {
        let below = normal_below(*x);
        *slope = below + *x * density * exp(-0.5 * *x * *x);
        *x *= below;
    });
}

/// The same for SiLU.
fn silu(values: &mut [f32], slopes: &mut [f32]) {
    let pairs = values.iter_mut().zip(slopes);
    wide!(for (x, slope) in pairs {
        let share = sigmoid(*x);
        *slope = share * (1.0 + *x * (1.0 - share));
        *x *= share;
    });
}

/// ReLU keeps a byte for each output, not the output: whoever gets the outputs can have them without a copy.
fn trace_relu<'a>(relu: &Activation, x: Tensor<3>, wanted: bool) -> (Tensor<3>, Backward<'a>) {
    let (shape, device) = (x.dims(), x.device());
    let mut values = Numbers::of(x);
    relu.apply(&mut values);
    let mut blocked = vec![false; values.len()];
    let pairs = blocked.iter_mut().zip(&*values);
    wide!(for (blocked, &y) in pairs {
        // At exactly 0 the slope is 0, as in PyTorch.
        *blocked = y <= 0.0;
    });
    let back = carry(wanted, move |slopes| {
        let pairs = slopes.iter_mut().zip(&blocked);
        wide!(for (slope, &blocked) in pairs {
            *slope = if blocked { 0.0 } else { *slope }
        });
    });
    (values.tensor(shape, &device), back)
}

/// The next layer keeps the outputs anyway.
fn trace_tanh<'a>(tanh: &Activation, x: Tensor<3>, wanted: bool) -> (Tensor<3>, Backward<'a>) {
    let y = tanh.forward(&[], x, None);
    let kept = y.clone();
    let back = carry(wanted, move |slopes| {
        let kept = Numbers::of(kept);
        let pairs = slopes.iter_mut().zip(&*kept);
        wide!(for (slope, &y) in pairs {
            *slope *= 1.0 - y * y;
        });
    });
    (y, back)
}

/// What the slopes need is at hand when the outputs are worked out.
fn trace_smooth<'a>(apply: fn(&mut [f32], &mut [f32]), x: Tensor<3>, wanted: bool) -> (Tensor<3>, Backward<'a>) {
    let (shape, device) = (x.dims(), x.device());
    let mut values = Numbers::of(x);
    let mut own = vec![0.0; values.len()];
    apply(&mut values, &mut own);
    let back = carry(wanted, move |slopes| {
        let pairs = slopes.iter_mut().zip(&own);
        wide!(for (slope, own) in pairs {
            *slope *= own;
        });
    });
    (values.tensor(shape, &device), back)
}

/// The way back, given what is done to the slopes in the outputs.
fn carry<'a>(wanted: bool, multiply: impl FnOnce(&mut [f32]) + 'a) -> Backward<'a> {
    Box::new(move |slope: Tensor<3>| {
        let input = wanted.then(|| {
            let (shape, device) = (slope.dims(), slope.device());
            let mut slopes = Numbers::of(slope);
            multiply(&mut slopes);
            slopes.tensor(shape, &device)
        });
        Slopes { input, parameters: Vec::new() }
    })
}

/// Φ(x), the share of a standard normal distribution below x: GELU is x·Φ(x) (Hendrycks & Gimpel 2016).
#[inline(always)]
fn normal_below(x: f32) -> f32 {
    0.5 * erf(x * FRAC_1_SQRT_2) + 0.5
}

impl Layer for Activation {
    fn forward(&self, _: &[Vec<f32>], x: Tensor<3>, _: Option<&Draws>) -> Tensor<3> {
        let (shape, device) = (x.dims(), x.device());
        let mut values = Numbers::of(x);
        self.apply(&mut values);
        values.tensor(shape, &device)
    }

    fn trace<'a>(&'a self, _: &'a [Vec<f32>], x: Tensor<3>, _: Option<&'a Draws>, wanted: bool) -> (Tensor<3>, Backward<'a>) {
        match self.kind {
            config::Activation::Relu => trace_relu(self, x, wanted),
            config::Activation::Tanh => trace_tanh(self, x, wanted),
            config::Activation::Gelu => trace_smooth(gelu, x, wanted),
            config::Activation::Silu => trace_smooth(silu, x, wanted),
        }
    }
}
