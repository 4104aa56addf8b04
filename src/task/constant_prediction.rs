//! What a model costs that has learnt nothing but what its answers are on average.

use super::batches::{Batch, Targets};
use super::network::Goal;

/// The least cost of a prediction that is the same for every example of `shown`: for classes, of which there are `outputs`, the
/// entropy of the shares that the targets have, label smoothing s included, q = (1 − s)·share + s/K, which softmax(z) = q attains; for
/// numbers their variance, mean over the outputs.
pub(crate) fn cost(shown: &Batch, outputs: usize, goal: Goal) -> f64 {
    match (goal, &shown.targets) {
        (Goal::Inputs, _) => variance(&shown.inputs, shown.inputs.len() / shown.examples),
        (Goal::Targets { .. }, Targets::Values(values)) => variance(values, values.len() / shown.examples),
        (Goal::Targets { smoothing }, Targets::Classes(labels)) => {
            let mut counts = vec![0_usize; outputs];
            for &label in labels {
                counts[label as usize] += 1;
            }
            let share = |count| (1.0 - smoothing) * count as f64 / labels.len() as f64 + smoothing / outputs as f64;
            let shares = counts.into_iter().map(share).filter(|share| *share > 0.0);
            shares.map(|share| -share * share.ln()).sum()
        }
    }
}

/// The variance of each of `width` columns, mean over them.
fn variance(values: &[f32], width: usize) -> f64 {
    let (mut means, mut squares, mut count) = (vec![0.0; width], 0.0, 0.0);
    for row in values.chunks_exact(width) {
        count += 1.0;
        for (mean, &value) in means.iter_mut().zip(row) {
            let apart = f64::from(value) - *mean;
            *mean += apart / count;
            squares += apart * (f64::from(value) - *mean);
        }
    }
    squares / (count * width as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(examples: usize, inputs: &[f32], targets: Targets) -> Batch {
        Batch { examples, inputs: inputs.to_vec(), targets, draws: None }
    }

    #[test]
    fn of_classes_is_the_entropy_of_their_shares() {
        let cost = |labels: [u32; 4], smoothing| {
            cost(&shown(4, &[0.0; 4], Targets::Classes(labels.to_vec())), 3, Goal::Targets { smoothing })
        };
        assert!((cost([0, 1, 1, 0], 0.0) - 2_f64.ln()).abs() < 1e-12);
        assert_eq!(cost([2, 2, 2, 2], 0.0), 0.0);
        assert!((cost([0, 1, 2, 0], 1.0) - 3_f64.ln()).abs() < 1e-12, "all of it smoothed away");
    }

    #[test]
    fn of_numbers_is_their_variance() {
        let values = shown(3, &[0.0; 3], Targets::Values(vec![1e4 + 1.0, 1e4 + 2.0, 1e4 + 3.0]));
        assert!((cost(&values, 1, Goal::Targets { smoothing: 0.0 }) - 2.0 / 3.0).abs() < 1e-9);
        let inputs = shown(2, &[1.0, 10.0, 3.0, 10.0], Targets::Values(vec![0.0, 0.0]));
        assert!((cost(&inputs, 2, Goal::Inputs) - 0.5).abs() < 1e-12, "1 and 0 on average");
    }
}
