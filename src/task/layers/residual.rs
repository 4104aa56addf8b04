//! A shortcut past other layers (He et al. 2016).

use burn::tensor::Tensor;

use super::{Backward, Chain, Layer, Slopes};
use crate::task::batches::Draws;
use crate::task::model::ParameterSpec;

/// y = body(x) + shortcut(x), both of the same shape.
#[derive(Debug)]
pub(crate) struct Residual {
    /// What is learnt.
    pub(crate) body: Chain,
    /// Empty where x itself is added.
    pub(crate) shortcut: Chain,
}

impl Layer for Residual {
    fn parameters(&self) -> Vec<ParameterSpec> {
        let of = |part: &str, chain: &Chain| {
            let named = |spec: ParameterSpec| ParameterSpec { name: format!("{part}.{}", spec.name), ..spec };
            chain.parameters().into_iter().map(named).collect::<Vec<_>>()
        };
        [of("body", &self.body), of("shortcut", &self.shortcut)].concat()
    }

    fn scratch(&self) -> f64 {
        self.body.scratch() + self.shortcut.scratch()
    }

    fn forward(&self, parameters: &[Vec<f32>], x: Tensor<3>, draws: Option<&Draws>) -> Tensor<3> {
        let (body, shortcut) = parameters.split_at(self.body.count());
        self.body.forward(body, x.clone(), draws) + self.shortcut.forward(shortcut, x, draws)
    }

    fn trace<'a>(
        &'a self,
        parameters: &'a [Vec<f32>],
        x: Tensor<3>,
        draws: Option<&'a Draws>,
        wanted: bool,
    ) -> (Tensor<3>, Backward<'a>) {
        let (body, shortcut) = parameters.split_at(self.body.count());
        let (learnt, body) = self.body.trace(body, x.clone(), draws, wanted);
        let (passed, shortcut) = self.shortcut.trace(shortcut, x, draws, wanted);
        let back = move |slope: Tensor<3>| {
            let mut slopes = body(slope.clone());
            let other = shortcut(slope);
            slopes.parameters.extend(other.parameters);
            Slopes { input: slopes.input.zip(other.input).map(|(a, b)| a + b), parameters: slopes.parameters }
        };
        (learnt + passed, Box::new(back))
    }
}
