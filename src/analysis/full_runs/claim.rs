//! Whether a higher rate than the best early one would have paid: the claim of *Deep Learning*, §8.3.1, put to the test.

use serde::{Deserialize, Serialize};

use super::{RateOutcome, Table, cost, ratio};
use crate::analysis::curve::mean;
use crate::lr::LearningRate;

/// The best of the higher rates against the best early one, seed by seed. Where several were tested, the same runs choose and
/// judge it, and `paid` errs in its favour a little more often than the interval says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Claim {
    /// The best early rate.
    pub best_early: LearningRate,
    /// Of the rates tested above it, the one of the least cost; an unstable one only where all are unstable.
    pub higher: LearningRate,
    /// How much lower the higher rate ends, in units of J_ref − J*: the mean over the seeds. Negative where it ends higher.
    pub saving: f64,
    /// Student's 90 % interval of `saving`; `None` for a single seed.
    pub interval: Option<(f64, f64)>,
    /// The higher rate's cost over the best early one's; `None` unless both are positive.
    pub ratio: Option<f64>,
    /// Seeds for which the higher rate ends lower.
    pub better: usize,
    /// Seeds compared.
    pub seeds: usize,
    /// The answer.
    pub paid: Paid,
}

/// Whether a higher rate paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Paid {
    /// It ends lower, clear of the spread between the seeds.
    Yes,
    /// It ends higher, clear of the spread between the seeds, or it is unstable.
    No,
    /// The difference is within the spread between the seeds, or there is only one seed.
    Unclear,
}

/// Compares the best early rate with the best of those above it in `rates`; `None` where none was tested, or no seed can be
/// compared. `span` is J_ref − J*.
pub(super) fn claim(table: &Table<'_>, rates: &[RateOutcome<'_>], best_early: LearningRate, span: f64) -> Option<Claim> {
    let above = rates.iter().filter(|row| row.learning_rate > best_early);
    let costs = above.filter_map(|row| Some((row.unstable() > 0, row.learning_rate, table.cost(row.learning_rate)?)));
    let (unstable, higher, least) = costs.min_by(|a, b| a.0.cmp(&b.0).then(a.2.total_cmp(&b.2)))?;
    let (low, high) = (table.compared(best_early), table.compared(higher));
    let savings: Vec<f64> = low.iter().zip(&high).map(|(low, high)| (cost(low) - cost(high)) / span).collect();
    let saving = mean(&savings);
    if !saving.is_finite() {
        return None;
    }
    let interval = interval(&savings);
    let paid = match interval {
        _ if unstable => Paid::No,
        Some((low, _)) if low > 0.0 => Paid::Yes,
        Some((_, high)) if high < 0.0 => Paid::No,
        _ => Paid::Unclear,
    };
    let initial = low.first().and_then(|run| super::initial(run)).unwrap_or(0.0);
    Some(Claim {
        best_early,
        higher,
        saving,
        interval,
        ratio: table.cost(best_early).and_then(|early| ratio(least, early, initial)),
        better: savings.iter().filter(|saving| **saving > 0.0).count(),
        seeds: savings.len(),
        paid,
    })
}

/// Student's 90 % interval of the mean.
fn interval(values: &[f64]) -> Option<(f64, f64)> {
    let n = values.len();
    if n < 2 {
        return None;
    }
    let middle = mean(values);
    let squares: Vec<f64> = values.iter().map(|value| (value - middle).powi(2)).collect();
    // The mean of the squares over n − 1 instead of n, and over n once more for the error of a mean.
    let error = (mean(&squares) / (n - 1) as f64).sqrt();
    let reach = student(n - 1) * error;
    Some((middle - reach, middle + reach))
}

/// The 95 % quantile of Student's t distribution, to within 0.5 %: a table, and from five degrees of freedom on the expansion of
/// Abramowitz & Stegun 26.7.5.
fn student(freedom: usize) -> f64 {
    const FEW: [f64; 4] = [6.314, 2.920, 2.353, 2.132];
    const Z: f64 = 1.644_853_6;
    if let Some(quantile) = freedom.checked_sub(1).and_then(|k| FEW.get(k)) {
        return *quantile;
    }
    let n = freedom.max(1) as f64;
    Z + (Z.powi(3) + Z) / (4.0 * n) + (5.0 * Z.powi(5) + 16.0 * Z.powi(3) + 3.0 * Z) / (96.0 * n * n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_student_are_those_of_the_tables() {
        for (freedom, quantile) in [(1, 6.314), (4, 2.132), (5, 2.015), (9, 1.833), (30, 1.697), (1000, 1.646)] {
            let error = student(freedom) / quantile - 1.0;
            assert!(error.abs() < 0.005, "{freedom}: {}", student(freedom));
        }
    }

    #[test]
    fn an_interval_needs_two_values() {
        assert_eq!(interval(&[1.0]), None);
        // Mean 2, standard deviation 1, error 1 / √3.
        let (low, high) = interval(&[1.0, 2.0, 3.0]).unwrap();
        assert!((low - (2.0 - 2.920 / 3f64.sqrt())).abs() < 1e-12 && (low + high - 4.0).abs() < 1e-12);
        assert_eq!(interval(&[0.5, 0.5]), Some((0.5, 0.5)));
    }
}
