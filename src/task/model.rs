//! What a trial trains: the contract between a stacked run and the thing it trains.

use std::fmt::Debug;

use super::batches::Batch;
use super::random::{self, Purpose};

/// One parameter tensor of one trial.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ParameterSpec {
    /// What PyTorch's `state_dict` calls it: the place of its layer, then `weight`, `bias` and the like.
    pub(crate) name: String,
    /// Its shape in PyTorch.
    pub(crate) shape: Vec<usize>,
    /// Where ours lies otherwise in memory: PyTorch's numbers seen in another shape, and the order of those axes in ours.
    pub(crate) order: Option<(Vec<usize>, Vec<usize>)>,
    /// How its numbers begin.
    pub(crate) initial: Initial,
}

impl ParameterSpec {
    /// A tensor that lies in memory as in PyTorch.
    pub(crate) fn new(name: &str, shape: &[usize], initial: Initial) -> Self {
        Self { name: name.to_owned(), shape: shape.to_vec(), order: None, initial }
    }

    /// A matrix that PyTorch holds transposed, as `[outputs, inputs]`.
    pub(crate) fn transposed(name: &str, outputs: usize, inputs: usize, initial: Initial) -> Self {
        let shape = vec![outputs, inputs];
        Self { order: Some((shape.clone(), vec![1, 0])), ..Self::new(name, &shape, initial) }
    }

    /// PyTorch's numbers in the order in which they lie here.
    pub(crate) fn arranged(&self, theirs: &[f32]) -> Vec<f32> {
        let Some((view, axes)) = &self.order else { return theirs.to_vec() };
        let mut strides = vec![1; view.len()];
        for axis in (1..view.len()).rev() {
            strides[axis - 1] = strides[axis] * view[axis];
        }
        let along = |places: Vec<usize>, &axis: &usize| -> Vec<usize> {
            let steps = |place| (0..view[axis]).map(move |step| (place, step));
            places.into_iter().flat_map(steps).map(|(place, step)| place + step * strides[axis]).collect()
        };
        axes.iter().fold(vec![0], along).into_iter().map(|place| theirs[place]).collect()
    }

    /// How many numbers it holds.
    pub(crate) fn size(&self) -> usize {
        self.shape.iter().product()
    }

    /// The same, where it may be more than memory could hold.
    pub(crate) fn size_as_float(&self) -> f64 {
        self.shape.iter().map(|&length| length as f64).product()
    }
}

/// The distribution of initial values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Initial {
    /// All the same.
    Constant(f64),
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
        drawn(self.parameters(), seed)
    }
}

/// Initial parameters of one lane, drawn from the seed.
pub(crate) fn drawn(specs: &[ParameterSpec], seed: u64) -> Vec<Vec<f32>> {
    let draw = |(index, spec): (usize, &ParameterSpec)| {
        let mut rng = random::stream(seed, Purpose::Weights, index as u64);
        let size = spec.size();
        match spec.initial {
            Initial::Constant(value) => vec![value as f32; size],
            Initial::Normal(deviation) => random::normals(&mut rng, deviation, size),
            Initial::Uniform(bound) => (0..size).map(|_| random::uniform(&mut rng, -bound, bound) as f32).collect(),
            Initial::Away(near, far) => {
                let mut number = || {
                    let side = if random::uniform(&mut rng, -1.0, 1.0) < 0.0 { -1.0 } else { 1.0 };
                    side * random::uniform(&mut rng, near, far)
                };
                (0..size).map(|_| number() as f32).collect()
            }
        }
    };
    specs.iter().enumerate().map(draw).collect()
}
