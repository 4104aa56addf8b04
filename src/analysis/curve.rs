//! Robust summaries of a noisy loss curve.

/// The median; `None` for an empty slice. Order does not matter.
pub fn median(values: &[f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    Some(if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) })
}

/// The mean, the same to the bit in whatever order the values come; not a number for an empty slice.
pub(crate) fn mean(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.iter().sum::<f64>() / sorted.len() as f64
}

/// The median of the last fifth of a curve, at least five losses: where it ended.
///
/// A single mini-batch loss is too noisy to compare, and a mean would follow one spike.
pub fn end_loss(losses: &[f64]) -> Option<f64> {
    let width = (losses.len() / 5).max(5).min(losses.len());
    median(&losses[losses.len() - width..])
}

/// The part of a curve between two shares of its length, never empty for a curve that is not.
pub(super) fn part(losses: &[f64], from: f64, to: f64) -> &[f64] {
    let n = losses.len() as f64;
    let start = ((from * n).round() as usize).min(losses.len().saturating_sub(1));
    let stop = ((to * n).round() as usize).clamp(start + usize::from(!losses.is_empty()), losses.len());
    &losses[start..stop]
}

/// Standard deviation of the noise on a curve, robust to a few spikes: the larger of two estimates from median absolute
/// deviations (1.4826 makes them standard deviations for Gaussian noise). Differences of neighbours ignore a trend, but also the
/// slow fluctuations that momentum makes; deviations from the median over the last 40 % see those.
pub(super) fn noise(losses: &[f64]) -> f64 {
    let steps: Vec<f64> = losses.windows(2).map(|w| (w[1] - w[0]).abs() / std::f64::consts::SQRT_2).collect();
    let late = part(losses, 0.6, 1.0);
    let middle = median(late).unwrap_or(0.0);
    let deviations: Vec<f64> = late.iter().map(|loss| (loss - middle).abs()).collect();
    1.4826 * median(&steps).unwrap_or(0.0).max(median(&deviations).unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_ends() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(end_loss(&[9.0, 1.0, 1.0, 1.0, 1.0, 5.0]), Some(1.0));
        assert_eq!(end_loss(&[]), None);
    }

    #[test]
    fn noise_ignores_a_trend() {
        let trend: Vec<f64> = (0..100).map(|t| 100.0 - f64::from(t)).collect();
        assert!(noise(&trend) < 15.0);
        assert_eq!(noise(&[1.0; 50]), 0.0);
    }
}
