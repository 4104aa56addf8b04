//! Dropout (Srivastava et al. 2014), with masks of our own.

use burn::tensor::Tensor;
use rand::Rng;

use super::{Backward, Layer, Slopes, tensor};
use crate::task::batches::Draws;
use crate::task::random::{self, Purpose};

/// In training, sets a share of the values to 0 and scales the others up, so that the mean stays. Otherwise does nothing.
///
/// The mask is decided by the trial's seed, the step, the part of the batch and the layer's number, so trials of one seed drop the same values.
#[derive(Debug)]
pub(crate) struct Dropout {
    /// The share that is dropped, in [0, 1).
    pub(crate) share: f64,
    /// Tells the dropout layers of a network apart.
    pub(crate) number: u16,
}

impl Dropout {
    /// 0 for what is dropped, 1 / (1 − share) for the others.
    fn mask(&self, x: &Tensor<3>, draws: &Draws) -> Tensor<3> {
        let [lanes, examples, values] = x.dims();
        let kept = (1.0 / (1.0 - self.share)) as f32;
        // A draw is below this in `share` of all cases.
        let limit = (self.share * (1u64 << 32) as f64) as u32;
        let index = (draws.step << 36) | (draws.part << 16) | u64::from(self.number);
        let mut masks: Vec<f32> = Vec::with_capacity(lanes * examples * values);
        for (lane, &seed) in draws.seeds.iter().enumerate() {
            if let Some(twin) = draws.seeds[..lane].iter().position(|&earlier| earlier == seed) {
                masks.extend_from_within(twin * examples * values..(twin + 1) * examples * values);
            } else {
                let mut rng = random::stream(seed, Purpose::Dropout, index);
                masks.extend((0..examples * values).map(|_| if rng.next_u32() < limit { 0.0 } else { kept }));
            }
        }
        tensor(masks, [lanes, examples, values], &x.device())
    }
}

impl Layer for Dropout {
    fn forward(&self, _: &[Vec<f32>], x: Tensor<3>, draws: Option<&Draws>) -> Tensor<3> {
        match draws {
            Some(draws) => self.mask(&x, draws) * x,
            None => x,
        }
    }

    fn trace<'a>(
        &'a self,
        _: &'a [Vec<f32>],
        x: Tensor<3>,
        draws: Option<&'a Draws>,
        wanted: bool,
    ) -> (Tensor<3>, Backward<'a>) {
        let mask = draws.map(|draws| self.mask(&x, draws));
        let y = match &mask {
            Some(mask) => mask.clone() * x,
            None => x,
        };
        let back = move |slope: Tensor<3>| {
            let input = match mask {
                Some(mask) => slope * mask,
                None => slope,
            };
            Slopes { input: wanted.then_some(input), parameters: Vec::new() }
        };
        (y, Box::new(back))
    }
}
