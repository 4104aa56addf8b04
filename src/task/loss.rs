//! Loss functions and their slopes, on the host: each lane is summed by itself, so its loss cannot depend on its neighbours.

use super::batches::Targets;
use super::elementary::exp;
use super::wide::wide;

/// Replaces each lane's outputs z, `[lanes × examples × width]`, by the slopes ∂loss/∂z, and returns each lane's mean loss.
/// Every token of a text counts as an example of its own.
///
/// Classes call for cross-entropy, −Σ q log softmax(z) with q = (1 − s)·onehot + s/K, mean over examples (PyTorch's
/// `CrossEntropyLoss` with label smoothing s); values for (z − t)², mean over examples and outputs (its `MSELoss`). Targets for
/// a single lane are shared by all.
pub(crate) fn differentiate(outputs: &mut [f32], lanes: usize, examples: usize, targets: &Targets, smoothing: f64) -> Vec<f64> {
    let per_lane = outputs.len() / lanes;
    outputs
        .chunks_exact_mut(per_lane)
        .enumerate()
        .map(|(lane, outputs)| match targets {
            Targets::Classes(labels) => wide!(cross_entropy(outputs, own(labels, lane, examples), smoothing)),
            Targets::Values(values) => wide!(squared_error(outputs, own(values, lane, per_lane))),
        })
        .collect()
}

/// A lane's part of `values`, `count` for each lane or for all together.
pub(crate) fn own<T>(values: &[T], lane: usize, count: usize) -> &[T] {
    let start = if values.len() == count { 0 } else { lane * count };
    &values[start..start + count]
}

/// Examples of a lane that are worked on side by side, one in each place of a vector. A sum over the outputs of one example by
/// itself would wait for each addition.
const TOGETHER: usize = 16;

/// One lane of cross-entropy. The largest output is taken off first, so that no exponential overflows.
#[inline(always)]
fn cross_entropy(outputs: &mut [f32], labels: &[u32], smoothing: f64) -> f64 {
    let width = outputs.len() / labels.len();
    let share = (1.0 / labels.len() as f64) as f32;
    let (hit, spread) = ((1.0 - smoothing) as f32, (smoothing / width as f64) as f32);
    let mut total = 0.0;
    let mut z = vec![[0.0; TOGETHER]; width];
    for (rows, labels) in outputs.chunks_mut(TOGETHER * width).zip(labels.chunks(TOGETHER)) {
        for (example, row) in rows.chunks_exact(width).enumerate() {
            z.iter_mut().zip(row).for_each(|(z, &output)| z[example] = output);
        }
        let mut largest = [f32::NEG_INFINITY; TOGETHER];
        for z in &z {
            largest.iter_mut().zip(z).for_each(|(largest, z)| *largest = largest.max(*z));
        }
        let mut mean_targets = [0.0; TOGETHER];
        for z in &mut z {
            for ((z, largest), mean_target) in z.iter_mut().zip(&largest).zip(&mut mean_targets) {
                *z -= largest;
                *mean_target += spread * *z;
            }
        }
        for (example, &label) in labels.iter().enumerate() {
            mean_targets[example] += hit * z[label as usize][example];
        }
        let mut sums = [0.0; TOGETHER];
        for z in &mut z {
            for (z, sum) in z.iter_mut().zip(&mut sums) {
                *z = exp(*z);
                *sum += *z;
            }
        }
        for (sum, mean_target) in sums.iter().zip(&mean_targets).take(labels.len()) {
            total += f64::from(sum.ln() - mean_target);
        }
        let inverses = sums.map(|sum| 1.0 / sum);
        for z in &mut z {
            z.iter_mut().zip(&inverses).for_each(|(z, inverse)| *z = (*z * inverse - spread) * share);
        }
        for (example, (row, &label)) in rows.chunks_exact_mut(width).zip(labels).enumerate() {
            row.iter_mut().zip(&z).for_each(|(slope, z)| *slope = z[example]);
            row[label as usize] -= hit * share;
        }
    }
    total / labels.len() as f64
}

/// One lane of squared error.
#[inline(always)]
fn squared_error(outputs: &mut [f32], values: &[f32]) -> f64 {
    let count = values.len() as f64;
    let factor = (2.0 / count) as f32;
    let mut total = 0.0;
    for (z, &target) in outputs.iter_mut().zip(values) {
        let error = *z - target;
        total += f64::from(error) * f64::from(error);
        *z = error * factor;
    }
    total / count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(actual: &[f32], expected: &[f64]) {
        for (a, e) in actual.iter().zip(expected) {
            assert!((f64::from(*a) - e).abs() < 1e-6, "{actual:?}, not {expected:?}");
        }
    }

    /// Reference: `torch.nn.functional.cross_entropy(…, label_smoothing=0.1)` of PyTorch 2.15.0.
    #[test]
    fn smoothed_cross_entropy_is_pytorchs() {
        let mut outputs = [1.0, -2.0, 0.5, 0.1, 0.2, 3.0];
        let losses = differentiate(&mut outputs, 1, 2, &Targets::Classes(vec![2, 0]), 0.1);
        assert!((losses[0] - 1.990_432_5).abs() < 1e-6, "{losses:?}");
        assert_close(&outputs, &[0.285_207_778, -0.001_637_224, -0.283_570_558, -0.442_010_999, 0.010_582_054, 0.431_428_939]);
    }

    /// In double precision, example by example; the last ones do not fill a vector.
    #[test]
    fn cross_entropy_is_that_of_the_formula_however_many_examples_there_are() {
        const WIDTH: usize = 7;
        let smoothing = 0.1;
        for examples in [1, TOGETHER, 2 * TOGETHER + 5] {
            let number = |i: usize| ((i * 7919 + 13) % 101) as f32 / 20.0 - 2.5;
            let outputs: Vec<f32> = (0..examples * WIDTH).map(number).collect();
            let labels: Vec<u32> = (0..examples).map(|i| (i * 5 % WIDTH) as u32).collect();
            let (mut expected, mut total) = (Vec::new(), 0.0);
            for (z, &label) in outputs.chunks_exact(WIDTH).zip(&labels) {
                let sum: f64 = z.iter().map(|&z| f64::from(z).exp()).sum();
                for (class, &z) in z.iter().enumerate() {
                    let target = smoothing / WIDTH as f64 + if class == label as usize { 1.0 - smoothing } else { 0.0 };
                    let share = f64::from(z).exp() / sum;
                    total -= target * share.ln() / examples as f64;
                    expected.push((share - target) / examples as f64);
                }
            }
            let mut slopes = outputs.clone();
            let losses = differentiate(&mut slopes, 1, examples, &Targets::Classes(labels), smoothing);
            assert!((losses[0] - total).abs() < 1e-6, "{examples} examples: {losses:?}, not {total}");
            assert_close(&slopes, &expected);
        }
    }

    /// Reference: `torch.nn.functional.mse_loss` of PyTorch 2.15.0.
    #[test]
    fn squared_error_is_pytorchs() {
        let mut outputs = [1.0, -2.0, 0.5];
        let losses = differentiate(&mut outputs, 1, 3, &Targets::Values(vec![0.5, 1.0, 0.25]), 0.0);
        assert!((losses[0] - 3.104_166_667).abs() < 1e-6, "{losses:?}");
        assert_close(&outputs, &[0.333_333_333, -2.0, 0.166_666_667]);
    }

    #[test]
    fn lanes_are_told_apart_and_may_share_targets() {
        let outputs = [1.0, 5.0];
        let own = differentiate(&mut outputs.clone(), 2, 1, &Targets::Values(vec![0.0, 3.0]), 0.0);
        let shared = differentiate(&mut outputs.clone(), 2, 1, &Targets::Values(vec![3.0]), 0.0);
        assert_eq!((own, shared), (vec![1.0, 4.0], vec![4.0, 4.0]));
    }

    #[test]
    fn huge_outputs_stay_finite_and_infinite_ones_do_not() {
        let of = |z: [f32; 2]| differentiate(&mut z.clone(), 1, 1, &Targets::Classes(vec![1]), 0.0)[0];
        assert!((of([1e4, -1e4]) - 2e4).abs() < 1e-2);
        for bad in [[f32::INFINITY, 0.0], [f32::NAN, 0.0], [0.0, f32::NEG_INFINITY]] {
            assert!(!of(bad).is_finite(), "{bad:?}");
        }
    }
}
