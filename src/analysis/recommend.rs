//! The choice of ε₀ from the best early rate, the long trials and the threshold.

use super::curve::{end_loss, mean};
use super::judge::{Judged, Verdict, rates_of};
use super::threshold::Bracket;
use crate::lr::LearningRate;

/// A recommended rate and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// ε₀; `None` when the trials do not support one.
    pub learning_rate: Option<LearningRate>,
    /// The lowest and the highest rate about as good.
    pub plateau: Option<(LearningRate, LearningRate)>,
    /// Whether the safety factor, not the losses, set the rate.
    pub capped: bool,
    /// The reasons, one sentence each.
    pub because: Vec<String>,
}

impl Choice {
    /// No recommendation, for this reason.
    pub fn none(reason: impl Into<String>) -> Self {
        Self { learning_rate: None, plateau: None, capped: false, because: vec![reason.into()] }
    }
}

/// The rates next to the best one whose trials lost less than 20 % of their length against it: the lowest and the highest such
/// rate, both contiguous with the best and without an unstable seed.
pub fn plateau(judged: &Judged<'_>) -> Option<(LearningRate, LearningRate)> {
    let reference = judged.reference.as_ref()?;
    let rates = rates_of(judged.trials.iter().map(|t| t.record));
    let best = rates.iter().position(|rate| *rate == reference.learning_rate)?;
    let holds = |rate: &LearningRate| {
        let at = || judged.trials.iter().filter(|t| t.record.spec.learning_rate == *rate && t.verdict != Verdict::Unjudged);
        let ends: Vec<f64> = at().filter_map(|t| end_loss(t.record.own_losses())).collect();
        let mean = mean(&ends);
        !ends.is_empty() && at().all(|t| !t.verdict.is_unstable()) && mean <= reference.kept + reference.end_error
    };
    let above = rates[best..].iter().take_while(|rate| holds(rate)).last()?;
    let below = rates[..=best].iter().rev().take_while(|rate| holds(rate)).last()?;
    Some((*below, *above))
}

/// Chooses ε₀: the highest rate that loses nothing that matters over the long trials, but at most the instability threshold
/// divided by `safety`. This is the book's rule (Goodfellow et al. 2016, §8.3.1) with "higher" made "still as good over more
/// iterations" and "not so high" made a factor.
///
/// Without long trials the best early rate is not raised: over 40 tasks raising it on 100 iterations' evidence made 5 % of full
/// runs unstable.
pub fn choose(best_early: LearningRate, short: u64, long: Option<&Judged<'_>>, bracket: &Bracket, safety: f64) -> Choice {
    let plateau = long.and_then(plateau);
    let wanted = plateau.map_or(best_early, |(_, high)| high);
    let cap = bracket.threshold().map(|t| t.shifted(-safety.log10()));
    let chosen = cap.map_or(wanted, |cap| if wanted < cap { wanted } else { cap });
    let capped = chosen < wanted;
    if let Some(first) = bracket.first_unstable.filter(|first| chosen >= *first) {
        return Choice::none(format!(
            "{best_early} does best over the first {short} iterations, but {first} is unstable and nothing stable lies below"
        ));
    }
    let mut because = vec![format!("{best_early} does best over the first {short} iterations")];
    let long_length = long.and_then(|l| l.trials.first()).map_or(0, |t| t.record.spec.iterations);
    because.push(match plateau {
        None => format!("no longer trials support a higher rate than the best over {short} iterations"),
        Some((_, high)) if high > best_early => format!("over {long_length} iterations, rates up to {high} do as well as any"),
        Some((_, high)) if high < best_early => format!("over {long_length} iterations, {high} does better"),
        Some(_) => format!("over {long_length} iterations, no higher rate does as well"),
    });
    match (bracket.threshold(), bracket.first_unstable) {
        (Some(threshold), _) if capped => {
            because.push(format!("it is kept a factor of {safety} below the instability threshold, {threshold}"));
        }
        (Some(threshold), _) => {
            because.push(format!("it is {:.1}× below the instability threshold, {threshold}", threshold.get() / chosen.get()));
        }
        (None, None) => because.push("no rate that was tried is unstable".into()),
        (None, Some(first)) => because.push(format!("{first} is unstable, and nothing just below it was tried")),
    }
    if capped && chosen < best_early {
        let factor = bracket.threshold().map_or(f64::NAN, |t| t.get() / best_early.get());
        because.push(format!("no headroom: the best early rate is only {factor:.1}× below the threshold"));
    }
    let plateau = plateau.map(|(low, _)| (if low < chosen { low } else { chosen }, chosen));
    Choice { learning_rate: Some(chosen), plateau, capped, because }
}

/// How far the threshold of a full run lies from that of its trials: mean and standard deviation of
/// log₁₀(full ÷ trial), measured on 40 tasks with linear decay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drift {
    mean: f64,
    deviation: f64,
}

impl Drift {
    /// For trials of 100 iterations.
    pub const SHORT: Self = Self { mean: 0.07, deviation: 0.36 };
    /// For trials of 400 iterations.
    pub const LONG: Self = Self { mean: 0.17, deviation: 0.29 };
}

/// Estimated probability that a full run at `rate` becomes unstable, with the trials' threshold at `threshold` and known to
/// `deviation` decades: Φ((log ε − log T − drift) / √(sd_T² + sd_drift²)).
pub fn late_risk(rate: LearningRate, threshold: LearningRate, deviation: f64, drift: Drift) -> f64 {
    let distance = rate.log10() - threshold.log10() - drift.mean;
    normal_cdf(distance / deviation.hypot(drift.deviation))
}

/// Φ, by Abramowitz & Stegun 7.1.26 for the error function (error below 1.5e-7).
fn normal_cdf(z: f64) -> f64 {
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let polynomial =
        t * (0.254_829_592 + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    let erf = 1.0 - polynomial * (-x * x).exp();
    0.5 * (1.0 + erf.copysign(z))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_distribution_is_right() {
        for (z, p) in [(0.0, 0.5), (1.0, 0.841_344_7), (-1.959_964, 0.025)] {
            assert!((normal_cdf(z) - p).abs() < 1e-6, "{z}");
        }
    }

    #[test]
    fn risk_falls_with_distance() {
        let rate = |v| LearningRate::new(v).unwrap();
        let risk = |v| late_risk(rate(v), rate(1.0), 0.05, Drift::LONG);
        assert!(risk(0.1) < risk(0.5) && risk(0.5) < risk(1.0) && risk(0.1) < 0.01);
    }
}
