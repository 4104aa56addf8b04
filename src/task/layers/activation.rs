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

    /// Multiplies slopes by those of the function. What is `kept` is outputs or inputs, see [`keeps_outputs`](Self::keeps_outputs).
    fn multiply(&self, slopes: &mut [f32], kept: &[f32]) {
        let pairs = slopes.iter_mut().zip(kept);
        match self.kind {
            // Has a way back of its own.
            config::Activation::Relu => {}
            config::Activation::Tanh => wide!(for (slope, &y) in pairs {
                *slope *= 1.0 - y * y;
            }),
            config::Activation::Gelu => {
                let density = 1.0 / (2.0 * PI).sqrt();
                wide!(for (slope, &x) in pairs {
                    *slope *= normal_below(x) + x * density * exp(-0.5 * x * x);
                });
            }
            config::Activation::Silu => wide!(for (slope, &x) in pairs {
                let share = sigmoid(x);
                *slope *= share * (1.0 + x * (1.0 - share));
            }),
        }
    }

    /// Whether the slope follows from the output, which the next layer keeps anyway.
    fn keeps_outputs(&self) -> bool {
        self.kind == config::Activation::Tanh
    }
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
    let y = values.tensor(shape, &device);
    let back = move |slope: Tensor<3>| {
        let input = wanted.then(|| {
            let mut slopes = Numbers::of(slope);
            let pairs = slopes.iter_mut().zip(&blocked);
            wide!(for (slope, &blocked) in pairs {
                *slope = if blocked { 0.0 } else { *slope }
            });
            slopes.tensor(shape, &device)
        });
        Slopes { input, parameters: Vec::new() }
    };
    (y, Box::new(back))
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

    fn trace<'a>(
        &'a self,
        parameters: &'a [Vec<f32>],
        x: Tensor<3>,
        draws: Option<&'a Draws>,
        wanted: bool,
    ) -> (Tensor<3>, Backward<'a>) {
        if self.kind == config::Activation::Relu {
            return trace_relu(self, x, wanted);
        }
        let before = (!self.keeps_outputs()).then(|| x.clone());
        let y = self.forward(parameters, x, draws);
        let kept = before.unwrap_or_else(|| y.clone());
        let back = move |slope: Tensor<3>| {
            let input = wanted.then(|| {
                let (shape, device) = (slope.dims(), slope.device());
                let mut slopes = Numbers::of(slope);
                self.multiply(&mut slopes, &Numbers::of(kept));
                slopes.tensor(shape, &device)
            });
            Slopes { input, parameters: Vec::new() }
        };
        (y, Box::new(back))
    }
}
