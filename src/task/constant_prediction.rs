//! What a model costs that has learnt nothing but what its answers are on average.

use super::data::{Dataset, Targets};
use super::network::Goal;

/// The least cost of a prediction that is the same for every example of `data`: for classes the entropy of the shares that the
/// targets have, label smoothing s included, q = (1 − s)·share + s/K, which softmax(z) = q attains; for numbers their variance,
/// mean over the outputs.
pub(crate) fn cost(data: &Dataset, goal: Goal) -> f64 {
    match (goal, &data.targets) {
        (Goal::Inputs, _) => variance((0..data.len()).map(|i| data.row(i)), data.features),
        (Goal::Targets { .. }, Targets::Values(values)) => variance(values.iter().map(|&value| [value]), 1),
        (Goal::Targets { smoothing }, Targets::Classes { labels, classes }) => {
            let mut counts = vec![0_usize; *classes];
            for &label in labels {
                counts[label as usize] += 1;
            }
            let share = |count| (1.0 - smoothing) * count as f64 / labels.len() as f64 + smoothing / *classes as f64;
            let shares = counts.into_iter().map(share).filter(|share| *share > 0.0);
            shares.map(|share| -share * share.ln()).sum()
        }
    }
}

/// The variance of each of `width` columns, mean over them.
fn variance<R: AsRef<[f32]>>(rows: impl Iterator<Item = R>, width: usize) -> f64 {
    let (mut means, mut squares, mut count) = (vec![0.0; width], 0.0, 0.0);
    for row in rows {
        count += 1.0;
        for (mean, &value) in means.iter_mut().zip(row.as_ref()) {
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
    use crate::task::data::{ExampleShape, Inputs};

    fn data(inputs: &[f32], features: usize, targets: Targets) -> Dataset {
        Dataset { features, shape: ExampleShape::Flat, inputs: Inputs::Numbers(inputs.to_vec()), targets }
    }

    #[test]
    fn of_classes_is_the_entropy_of_their_shares() {
        let classes = |labels: &[u32]| data(&[0.0; 4], 1, Targets::Classes { labels: labels.to_vec(), classes: 3 });
        let cost = |labels: &[u32], smoothing| cost(&classes(labels), Goal::Targets { smoothing });
        assert!((cost(&[0, 1, 1, 0], 0.0) - 2_f64.ln()).abs() < 1e-12);
        assert_eq!(cost(&[2, 2, 2, 2], 0.0), 0.0);
        assert!((cost(&[0, 1, 2, 0], 1.0) - 3_f64.ln()).abs() < 1e-12, "all of it smoothed away");
    }

    #[test]
    fn of_numbers_is_their_variance() {
        let values = data(&[0.0; 3], 1, Targets::Values(vec![1e4 + 1.0, 1e4 + 2.0, 1e4 + 3.0]));
        assert!((cost(&values, Goal::Targets { smoothing: 0.0 }) - 2.0 / 3.0).abs() < 1e-9);
        let inputs = data(&[1.0, 10.0, 3.0, 10.0], 2, Targets::Values(vec![0.0, 0.0]));
        assert!((cost(&inputs, Goal::Inputs) - 0.5).abs() < 1e-12, "1 and 0 on average");
    }
}
