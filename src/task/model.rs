//! What a trial trains: the contract between a stacked run and the thing it trains.

use std::fmt::Debug;

use super::batches::Batch;
use super::random::{self, Purpose};

/// One parameter tensor of one trial.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ParameterSpec {
    /// Its numbers.
    pub(crate) size: usize,
    /// How they begin.
    pub(crate) initial: Initial,
}

/// The distribution of initial values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Initial {
    /// All 0.
    Zeros,
    /// Normal with mean 0 and this standard deviation.
    Normal(f64),
    /// Uniform between minus this and this.
    Uniform(f64),
    /// At a distance between these two from 0, on either side: a start at the minimum of a quadratic has nothing to learn.
    Away(f64, f64),
}

/// Something with parameters and a loss.
///
/// Parameters and gradients are one buffer per [`ParameterSpec`], `[lanes × size]`, lane by lane. A lane's numbers must not
/// depend, not in a bit, on the other lanes or on how many there are.
pub(crate) trait Model: Send + Sync + Debug {
    /// The parameter tensors of one lane.
    fn parameters(&self) -> &[ParameterSpec];

    /// Each lane's mean loss over its examples.
    fn losses(&self, parameters: &[Vec<f32>], lanes: usize, batch: Batch) -> Vec<f64>;

    /// Each lane's mean loss over its examples, and its gradient.
    fn differentiate(&self, parameters: &[Vec<f32>], lanes: usize, batch: Batch) -> (Vec<f64>, Vec<Vec<f32>>);

    /// One lane's initial parameters, decided by the seed alone.
    fn initial(&self, seed: u64) -> Vec<Vec<f32>> {
        let draw = |(index, spec): (usize, &ParameterSpec)| {
            let mut rng = random::stream(seed, Purpose::Weights, index as u64);
            let mut number = || match spec.initial {
                Initial::Zeros => 0.0,
                Initial::Normal(deviation) => deviation * random::standard_normal(&mut rng),
                Initial::Uniform(bound) => random::uniform(&mut rng, -bound, bound),
                Initial::Away(near, far) => {
                    let side = if random::uniform(&mut rng, -1.0, 1.0) < 0.0 { -1.0 } else { 1.0 };
                    side * random::uniform(&mut rng, near, far)
                }
            };
            (0..spec.size).map(|_| number() as f32).collect()
        };
        self.parameters().iter().enumerate().map(draw).collect()
    }
}
