//! From verdicts to the instability threshold: a bracket of rates tried, and a posterior with its uncertainty.

use super::judge::{JudgedTrial, Verdict, rates_of};
use super::premises::Safety;
use crate::lr::LearningRate;

/// The verdicts at one rate and one length, counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateEvidence {
    /// The rate.
    pub learning_rate: LearningRate,
    /// Length of the trials.
    pub iterations: u64,
    /// Trials judged.
    pub seeds: usize,
    /// Of these, unstable.
    pub unstable: usize,
    /// The most common reason among the unstable ones.
    pub reason: Option<Verdict>,
}

/// Counts verdicts by length and rate, both ascending.
pub fn evidence(trials: &[JudgedTrial<'_>]) -> Vec<RateEvidence> {
    let mut lengths: Vec<u64> = trials.iter().map(|t| t.record.spec.iterations).collect();
    lengths.sort_unstable();
    lengths.dedup();
    let mut rows = Vec::new();
    for iterations in lengths {
        let of_length = || trials.iter().filter(|t| t.record.spec.iterations == iterations && t.verdict != Verdict::Unjudged);
        for learning_rate in rates_of(of_length().map(|t| t.record)) {
            let at: Vec<Verdict> =
                of_length().filter(|t| t.record.spec.learning_rate == learning_rate).map(|t| t.verdict).collect();
            let unstable: Vec<Verdict> = at.iter().copied().filter(|v| v.is_unstable()).collect();
            let count = |verdict: Verdict| unstable.iter().filter(|v| **v == verdict).count();
            let reason = unstable.iter().copied().max_by_key(|&v| (count(v), v));
            rows.push(RateEvidence { learning_rate, iterations, seeds: at.len(), unstable: unstable.len(), reason });
        }
    }
    rows
}

/// The rates tried on either side of the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bracket {
    /// The highest rate below `first_unstable`, stable for every seed; the highest tried when nothing was unstable.
    pub last_stable: Option<LearningRate>,
    /// The lowest rate unstable for some seed, in trials of any length.
    pub first_unstable: Option<LearningRate>,
}

impl Bracket {
    /// The geometric middle of the bracket; `None` unless it is closed.
    pub fn threshold(&self) -> Option<LearningRate> {
        let (stable, unstable) = (self.last_stable?, self.first_unstable?);
        let middle = stable.midpoint(unstable);
        // Rounding must not carry it out of a bracket that is narrower than a rounding step.
        Some(if middle < stable || middle > unstable { stable } else { middle })
    }

    /// The highest rate that lies the factor of `safety` below the threshold, and so far below the highest stable rate that its margin
    /// is not above that one, but for rounding, or the factor where that is smaller than the margin; `None` unless the bracket is closed.
    pub fn cap(&self, safety: Safety) -> Option<LearningRate> {
        let below_threshold = self.threshold()?.shifted(-safety.factor.log10());
        let below_stable = self.last_stable?.shifted(-safety.margin.min(safety.factor).log10());
        Some(if below_stable < below_threshold { below_stable } else { below_threshold })
    }

    /// Its width in decades; `None` unless it is closed.
    pub fn width(&self) -> Option<f64> {
        Some(self.first_unstable?.log10() - self.last_stable?.log10())
    }
}

/// The lowest crossing from stable to unstable. Rates that seem stable again above it do not count, and where the crossing was
/// seen in long trials, short ones below it count only if there are no others.
pub fn bracket(evidence: &[RateEvidence]) -> Bracket {
    let by_rate = |a: &LearningRate, b: &LearningRate| a.get().total_cmp(&b.get());
    let unstable = || evidence.iter().filter(|e| e.unstable > 0);
    let first_unstable = unstable().map(|e| e.learning_rate).min_by(by_rate);
    let length = unstable().filter(|e| Some(e.learning_rate) == first_unstable).map(|e| e.iterations).min().unwrap_or(0);
    let stable = |least: u64| {
        let rows = evidence.iter().filter(|e| e.unstable == 0 && e.iterations >= least).map(|e| e.learning_rate);
        rows.filter(|rate| first_unstable.is_none_or(|first| *rate < first)).max_by(by_rate)
    };
    Bracket { last_stable: stable(length).or_else(|| stable(0)), first_unstable }
}

/// What the verdicts say of the rate at which half the seeds are unstable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Posterior {
    /// 5 %, 50 % and 95 % quantiles.
    pub quantiles: [LearningRate; 3],
    /// Standard deviation in decades.
    pub deviation: f64,
}

/// Probability that a verdict is wrong whatever the rate.
const LAPSE: f64 = 0.02;

/// Grid step of the threshold, in decades.
const STEP: f64 = 0.01;

/// Widths of the transition considered, in decades. Uniform over these: a log-uniform prior puts too much on abrupt
/// transitions and its intervals cover too little (0.76-0.83 instead of 0.90 in simulation).
const WIDTHS: [f64; 13] = [0.02, 0.06, 0.1, 0.14, 0.18, 0.22, 0.26, 0.3, 0.34, 0.38, 0.42, 0.46, 0.5];

/// The posterior of the threshold μ under P(unstable | x) = 0.02 + 0.96·logistic((x − μ)/s), x = log₁₀ ε, with μ uniform over the
/// rates tried and s over widths from 0.02 to 0.5 decades. The model is that of QUEST (Watson & Pelli 1983). Exact on its grid, and proper even when
/// the verdicts are a clean step, where a maximum-likelihood fit is not. `None` when no verdict is unstable.
pub fn posterior(evidence: &[RateEvidence]) -> Option<Posterior> {
    let xs = || evidence.iter().map(|e| e.learning_rate.log10());
    if evidence.iter().all(|e| e.unstable == 0) {
        return None;
    }
    let (low, high) = (xs().fold(f64::INFINITY, f64::min), xs().fold(f64::NEG_INFINITY, f64::max));
    let points = ((high - low) / STEP).round() as usize + 1;
    let mus: Vec<f64> = (0..points).map(|i| low + i as f64 * STEP).collect();
    let log_likelihood = |mu: f64, width: f64| -> f64 {
        let of = |e: &RateEvidence| {
            let p = LAPSE + (1.0 - 2.0 * LAPSE) / (1.0 + (-(e.learning_rate.log10() - mu) / width).exp());
            e.unstable as f64 * p.ln() + (e.seeds - e.unstable) as f64 * (1.0 - p).ln()
        };
        evidence.iter().map(of).sum()
    };
    let logs: Vec<Vec<f64>> = mus.iter().map(|&mu| WIDTHS.iter().map(|&w| log_likelihood(mu, w)).collect()).collect();
    let peak = logs.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = logs.iter().map(|row| row.iter().map(|l| (l - peak).exp()).sum()).collect();
    let total: f64 = weights.iter().sum();
    let quantile = |share: f64| {
        let mut mass = 0.0;
        let at = weights.iter().position(|w| {
            mass += w / total;
            mass >= share
        });
        LearningRate::from_log10(at.map_or(high, |i| mus[i]))
    };
    let mean = mus.iter().zip(&weights).map(|(x, w)| x * w).sum::<f64>() / total;
    let variance = mus.iter().zip(&weights).map(|(x, w)| (x - mean).powi(2) * w).sum::<f64>() / total;
    Some(Posterior { quantiles: [quantile(0.05), quantile(0.5), quantile(0.95)], deviation: variance.sqrt() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(rate: f64, unstable: usize) -> RateEvidence {
        let learning_rate = LearningRate::new(rate).unwrap();
        RateEvidence { learning_rate, iterations: 100, seeds: 3, unstable, reason: None }
    }

    #[test]
    fn the_bracket_is_the_lowest_crossing() {
        let rows = [row(0.1, 0), row(0.2, 0), row(0.4, 1), row(0.8, 0), row(1.6, 3)];
        let found = bracket(&rows);
        assert_eq!(found.last_stable.unwrap().get(), 0.2);
        assert_eq!(found.first_unstable.unwrap().get(), 0.4);
    }

    #[test]
    fn the_posterior_centres_on_a_clean_step_and_widens_on_a_blurred_one() {
        let clean = posterior(&[row(0.01, 0), row(0.1, 0), row(0.178, 0), row(0.316, 3), row(1.0, 3)]).unwrap();
        let [low, middle, high] = clean.quantiles.map(LearningRate::get);
        assert!((0.17..0.33).contains(&middle), "{middle}");
        assert!(low < middle && middle < high);
        let blurred = posterior(&[row(0.01, 0), row(0.1, 1), row(0.178, 1), row(0.316, 2), row(1.0, 3)]).unwrap();
        assert!(blurred.deviation > clean.deviation);
        assert!(posterior(&[row(0.1, 0)]).is_none());
    }
}
