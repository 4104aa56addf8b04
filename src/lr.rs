//! Learning rates and logarithmic grids of them: the only place that validates a rate or takes its logarithm.

use serde::{Deserialize, Serialize};

use crate::error::RateError;

/// A learning rate: finite and strictly positive.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct LearningRate(f64);

/// Rates outside these bounds are refused: single precision can no longer tell an update at such a rate from none at all,
/// or from an overflow.
pub const BOUNDS: (f64, f64) = (1e-12, 1e12);

impl LearningRate {
    /// Checks and wraps a rate.
    ///
    /// # Errors
    /// When `value` is not a number, infinite, or outside [`BOUNDS`].
    pub fn new(value: f64) -> Result<Self, RateError> {
        if value.is_finite() && (BOUNDS.0..=BOUNDS.1).contains(&value) { Ok(Self(value)) } else { Err(RateError { value }) }
    }

    /// The rate as a plain number.
    pub fn get(self) -> f64 {
        self.0
    }

    /// Base-10 logarithm of the rate, in decades.
    pub fn log10(self) -> f64 {
        self.0.log10()
    }

    /// The rate `decades` decades above this one (below, if negative), clamped to [`BOUNDS`].
    #[must_use]
    pub fn shifted(self, decades: f64) -> Self {
        Self::from_log10(self.log10() + decades)
    }

    /// The rate with this base-10 logarithm, rounded to a thousandth of a decade and four significant digits, and clamped to
    /// [`BOUNDS`].
    ///
    /// Rounding makes every rate that the tool tries one that a person can type: the rate printed is the rate tried. Rounding the
    /// logarithm first keeps steps up and down the grid from drifting off 0.01 to 0.009999.
    pub fn from_log10(decades: f64) -> Self {
        let decades = (decades * 1000.0).round() / 1000.0;
        Self(significant(10f64.powf(decades), 4).clamp(BOUNDS.0, BOUNDS.1))
    }

    /// The geometric mean of two rates.
    #[must_use]
    pub fn midpoint(self, other: Self) -> Self {
        Self::from_log10(f64::midpoint(self.log10(), other.log10()))
    }
}

impl TryFrom<f64> for LearningRate {
    type Error = RateError;
    fn try_from(value: f64) -> Result<Self, RateError> {
        Self::new(value)
    }
}

impl From<LearningRate> for f64 {
    fn from(rate: LearningRate) -> f64 {
        rate.0
    }
}

impl std::fmt::Display for LearningRate {
    /// Three significant digits, without an exponent where that stays short: `0.0316`, `1.5`, `3.16e-6`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format_significant(self.0, 3);
        f.pad(&text)
    }
}

/// `value` rounded to `digits` significant decimal digits. Not-a-number and infinities pass unchanged.
pub fn significant(value: f64, digits: usize) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    format!("{value:.*e}", digits.saturating_sub(1)).parse().unwrap_or(value)
}

/// `value` in at most `digits` significant digits, in the shorter of plain and exponent notation.
pub fn format_significant(value: f64, digits: usize) -> String {
    let rounded = significant(value, digits);
    if rounded == 0.0 || !rounded.is_finite() || (1e-4..1e5).contains(&rounded.abs()) {
        format!("{rounded}")
    } else {
        format!("{rounded:e}")
    }
}

/// A range of learning rates, `low` strictly below `high`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LrRange {
    low: LearningRate,
    high: LearningRate,
}

impl LrRange {
    /// Checks and builds a range.
    ///
    /// # Errors
    /// When either end is no learning rate, or `low` is not below `high`.
    pub fn new(low: f64, high: f64) -> Result<Self, RateError> {
        let (low, high) = (LearningRate::new(low)?, LearningRate::new(high)?);
        if low < high { Ok(Self { low, high }) } else { Err(RateError { value: low.get() }) }
    }

    /// The lower end.
    pub fn low(self) -> LearningRate {
        self.low
    }

    /// The upper end.
    pub fn high(self) -> LearningRate {
        self.high
    }

    /// Rates from `low` to `high`, both included, evenly spaced in the logarithm at no fewer than `per_decade` a decade.
    pub fn grid(self, per_decade: usize) -> Vec<LearningRate> {
        let (from, to) = (self.low.log10(), self.high.log10());
        let intervals = (((to - from) * per_decade as f64) - 1e-9).ceil().max(1.0);
        let mut rates: Vec<_> =
            (1..intervals as usize).map(|k| LearningRate::from_log10(from + (to - from) * k as f64 / intervals)).collect();
        // The ends are the very rates that were asked for.
        rates.retain(|rate| self.low < *rate && *rate < self.high);
        rates.insert(0, self.low);
        rates.push(self.high);
        rates.dedup();
        rates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_is_geometric_and_holds_both_ends() {
        let grid = LrRange::new(1e-3, 1e1).unwrap().grid(2);
        let values: Vec<f64> = grid.iter().map(|r| r.get()).collect();
        assert_eq!(values, [1e-3, 3.162e-3, 1e-2, 3.162e-2, 0.1, 0.3162, 1.0, 3.162, 10.0]);
    }

    #[test]
    fn refuses_what_is_no_rate() {
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-300] {
            assert!(LearningRate::new(bad).is_err(), "{bad}");
        }
        assert!(LrRange::new(1.0, 1.0).is_err());
        assert!(LrRange::new(2.0, 1.0).is_err());
    }

    #[test]
    fn prints_the_shorter_notation() {
        let shown = |v: f64| LearningRate::new(v).unwrap().to_string();
        assert_eq!(shown(0.031_622), "0.0316");
        assert_eq!(shown(1e-6), "1e-6");
        assert_eq!(shown(2.0), "2");
    }
}
