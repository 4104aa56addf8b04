//! The quadratic ½ Σ λᵢ (θᵢ − cᵢ)², by hand: its instability threshold is known exactly, 2 / max λ for plain SGD.

use super::batches::{Batch, Targets};
use super::loss::own;
use super::model::{Initial, Model, ParameterSpec};

/// The loss ½ Σ λᵢ (θᵢ − cᵢ)². A batch's target values are the centres c.
#[derive(Debug)]
pub(crate) struct Quadratic {
    curvatures: Vec<f32>,
    parameters: [ParameterSpec; 1],
}

impl Quadratic {
    /// A quadratic with these curvatures λ; each θᵢ begins at a distance of 0.5 to 1.5 from the minimum.
    pub(crate) fn new(curvatures: &[f64]) -> Self {
        let curvatures: Vec<f32> = curvatures.iter().map(|&curvature| curvature as f32).collect();
        let parameters = [ParameterSpec::new("theta", &[curvatures.len()], Initial::Away(0.5, 1.5))];
        Self { curvatures, parameters }
    }
}

impl Model for Quadratic {
    fn parameters(&self) -> &[ParameterSpec] {
        &self.parameters
    }

    fn losses(&self, parameters: &[Vec<f32>], lanes: usize, batch: Batch) -> Vec<f64> {
        self.differentiate(parameters, lanes, batch).0
    }

    fn differentiate(&self, parameters: &[Vec<f32>], lanes: usize, batch: Batch) -> (Vec<f64>, Vec<Vec<f32>>) {
        let size = self.curvatures.len();
        let (Targets::Values(centres), [theta]) = (&batch.targets, parameters) else {
            return (vec![f64::NAN; lanes], parameters.to_vec());
        };
        let mut gradient = Vec::with_capacity(theta.len());
        let losses = (0..lanes)
            .map(|lane| {
                let lane_theta = &theta[lane * size..(lane + 1) * size];
                let mut loss = 0.0;
                for ((&curvature, &theta), &centre) in self.curvatures.iter().zip(lane_theta).zip(own(centres, lane, size)) {
                    let distance = theta - centre;
                    gradient.push(curvature * distance);
                    loss += 0.5 * f64::from(curvature) * f64::from(distance) * f64::from(distance);
                }
                loss
            })
            .collect();
        (losses, vec![gradient])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_and_gradient_are_those_of_the_formula() {
        let quadratic = Quadratic::new(&[2.0, 0.5]);
        let batch = Batch { examples: 1, inputs: Vec::new(), targets: Targets::Values(vec![0.0, 1.0, 3.0, -1.0]), draws: None };
        let (losses, gradients) = quadratic.differentiate(&[vec![1.0, 3.0, 1.0, 3.0]], 2, batch);
        // ½·2·1² + ½·0.5·2² and ½·2·2² + ½·0.5·4²
        assert_eq!((losses, &gradients[0][..]), (vec![2.0, 8.0], &[2.0, 1.0, -4.0, 2.0][..]));
    }
}
