//! Loss functions and their slopes, on the host: each lane is summed by itself, so its loss cannot depend on its neighbours.

use super::batches::Targets;

/// Replaces each lane's outputs z, `[lanes × examples × width]`, by the slopes ∂loss/∂z, and returns each lane's mean loss.
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
            Targets::Classes(labels) => cross_entropy(outputs, own(labels, lane, examples), smoothing),
            Targets::Values(values) => squared_error(outputs, own(values, lane, per_lane)),
        })
        .collect()
}

/// A lane's part of `values`, `count` for each lane or for all together.
pub(crate) fn own<T>(values: &[T], lane: usize, count: usize) -> &[T] {
    let start = if values.len() == count { 0 } else { lane * count };
    &values[start..start + count]
}

/// One lane of cross-entropy. The largest output is taken off first, so that no exponential overflows.
fn cross_entropy(outputs: &mut [f32], labels: &[u32], smoothing: f64) -> f64 {
    let width = outputs.len() / labels.len();
    let share = (1.0 / labels.len() as f64) as f32;
    let (hit, spread) = ((1.0 - smoothing) as f32, (smoothing / width as f64) as f32);
    let mut total = 0.0;
    for (z, &label) in outputs.chunks_exact_mut(width).zip(labels) {
        let label = label as usize;
        let largest = z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut mean_target = 0.0;
        for value in z.iter_mut() {
            *value -= largest;
            mean_target += spread * *value;
        }
        mean_target += hit * z[label];
        let mut sum = 0.0;
        for value in z.iter_mut() {
            *value = value.exp();
            sum += *value;
        }
        total += f64::from(sum.ln() - mean_target);
        let inverse = 1.0 / sum;
        for value in z.iter_mut() {
            *value = (*value * inverse - spread) * share;
        }
        z[label] -= hit * share;
    }
    total / labels.len() as f64
}

/// One lane of squared error.
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
