//! Elementwise nonlinearities.

use std::f64::consts::FRAC_1_SQRT_2;

use burn::tensor::{Tensor, activation};

use super::{Backward, Layer, Slopes, trace_by_autodiff};
use crate::config;
use crate::task::batches::Draws;

/// An elementwise nonlinearity.
#[derive(Debug)]
pub(crate) struct Activation {
    /// Which.
    pub(crate) kind: config::Activation,
}

impl Layer for Activation {
    fn forward(&self, _: &[Tensor<2>], x: Tensor<3>, _: Option<&Draws>) -> Tensor<3> {
        match self.kind {
            config::Activation::Relu => activation::relu(x),
            config::Activation::Tanh => activation::tanh(x),
            config::Activation::Gelu => gelu(x),
            config::Activation::Silu => activation::silu(x),
        }
    }

    fn trace<'a>(
        &'a self,
        parameters: &'a [Tensor<2>],
        x: Tensor<3>,
        draws: Option<&'a Draws>,
        wanted: bool,
    ) -> (Tensor<3>, Backward<'a>) {
        if self.kind != config::Activation::Relu {
            return trace_by_autodiff(self, parameters, x, draws, wanted);
        }
        let y = self.forward(parameters, x, draws);
        let kept = y.clone();
        // The slope of a unit at exactly 0 is 0, as in PyTorch.
        let back = move |slope: Tensor<3>| {
            let input = wanted.then(|| slope.mask_fill(kept.lower_equal_elem(0), 0));
            Slopes { input, parameters: Vec::new() }
        };
        (y, Box::new(back))
    }
}

/// x·Φ(x) with the error function (Hendrycks & Gimpel 2016). Spelt out because burn-ndarray 0.22 pairs its own `gelu` with the
/// derivative of the tanh approximation, which is off by up to 10⁻³.
fn gelu(x: Tensor<3>) -> Tensor<3> {
    let doubled = (x.clone() * FRAC_1_SQRT_2).erf() + 1.0;
    x * doubled * 0.5
}
