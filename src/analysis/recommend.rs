//! The choice of ε₀ from the best early rate, the long trials and the threshold.

use super::curve::{end_loss, mean};
use super::judge::{Judged, Verdict, rates_of};
use super::premises::Safety;
use super::settled::{settled_cost, settled_ranking};
use super::threshold::Bracket;
use crate::lr::{LearningRate, significant};
use crate::record::TrialRecord;

/// A recommended rate and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// ε₀; `None` when the trials do not support one.
    pub learning_rate: Option<LearningRate>,
    /// The lowest and the highest rate about as good.
    pub plateau: Option<(LearningRate, LearningRate)>,
    /// What the longer trials favour, before any cap.
    pub favoured: Option<LearningRate>,
    /// Whether the safety factor, not the losses, set the rate.
    pub capped: bool,
    /// The reasons, one sentence each.
    pub because: Vec<String>,
}

impl Choice {
    /// No recommendation, for this reason.
    pub fn none(reason: impl Into<String>) -> Self {
        Self { learning_rate: None, plateau: None, favoured: None, capped: false, because: vec![reason.into()] }
    }

    /// What is favoured is not recommended, for this reason.
    pub(super) fn withheld(self, reason: String) -> Self {
        Self { favoured: self.favoured, ..Self::none(reason) }
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

/// What the longer trials favour: the lowest and the highest rate about as good as any, and the one to take. That is the rate
/// that settles lowest, or where trials have no tails, the highest that loses nothing against the best.
fn favoured(long: &Judged<'_>) -> Option<(LearningRate, LearningRate, LearningRate)> {
    let records: Vec<&TrialRecord> = long.trials.iter().filter(|t| !t.verdict.is_unstable()).map(|t| t.record).collect();
    let steady = long.reference.as_ref()?.learning_rate;
    match settled_ranking(&records).first() {
        Some(&(settled, _)) if settled < steady => Some((settled, steady, settled)),
        Some(&(settled, _)) => Some((steady, settled, settled)),
        None => plateau(long).map(|(low, high)| (low, high, high)),
    }
}

/// What the rate does at the end of the long trials at `rate`.
fn tail_of(long: Option<&Judged<'_>>, rate: LearningRate) -> String {
    let trials = long.map_or(&[][..], |long| &long.trials).iter().map(|t| &t.record.spec);
    let fallen = trials.filter(|spec| spec.learning_rate == rate).find_map(|spec| spec.recovery);
    match fallen.map(|fallen| fallen.learning_rate.get() / rate.get()) {
        Some(share) if share < 1.0 => format!(", after which the rate falls to {} %", significant(100.0 * share, 1)),
        _ => " at a steady rate".into(),
    }
}

/// Chooses ε₀: the rate that does best over the long trials once it has fallen, but at most the instability threshold divided by
/// `safety`. This is the book's rule (Goodfellow et al. 2016, §8.3.1) with "higher" made "better after a decay" and "not so high"
/// made a factor. Where trials have no tails, the highest rate that loses nothing that matters over the long trials.
///
/// Without long trials the best early rate is not raised: over 40 tasks raising it on 100 iterations' evidence made 5 % of full
/// runs unstable.
pub fn choose(best_early: LearningRate, short: u64, long: Option<&Judged<'_>>, bracket: &Bracket, safety: Safety) -> Choice {
    let favoured = long.and_then(favoured);
    let settles = long.is_some_and(|long| long.trials.iter().any(|t| settled_cost(t.record).is_some()));
    let wanted = favoured.map_or(best_early, |(_, _, rate)| rate);
    let cap = bracket.cap(safety);
    let chosen = cap.map_or(wanted, |cap| if wanted < cap { wanted } else { cap });
    let capped = chosen < wanted;
    if let Some(first) = bracket.first_unstable.filter(|first| chosen >= *first) {
        return Choice::none(format!(
            "{best_early} does best over the first {short} iterations, but {first} is unstable and nothing stable lies below"
        ));
    }
    let mut because = vec![format!("{best_early} does best over the first {short} iterations")];
    let long_length = long.and_then(|l| l.trials.first()).map_or(0, |t| t.record.spec.iterations);
    because.push(match favoured {
        None => format!("no longer trials support a higher rate than the best over {short} iterations"),
        Some((.., rate)) if settles => format!("over {long_length} iterations{}, {rate} does best", tail_of(long, rate)),
        Some((.., high)) if high > best_early => format!("over {long_length} iterations, rates up to {high} do as well as any"),
        Some((.., high)) if high < best_early => format!("over {long_length} iterations, {high} does better"),
        Some(_) => format!("over {long_length} iterations, no higher rate does as well"),
    });
    match (bracket.threshold(), bracket.first_unstable) {
        (Some(threshold), _) if capped && chosen == threshold.shifted(-safety.factor.log10()) => {
            because.push(format!("it is kept a factor of {} below the instability threshold, {threshold}", safety.factor));
        }
        (Some(threshold), _) if capped => {
            let stable = bracket.last_stable.unwrap_or(threshold);
            let below = safety.margin.min(safety.factor);
            let why = if safety.margin <= safety.factor { ", as `lrfind check` wants" } else { "" };
            because.push(format!("it is kept a factor of {below} below {stable}, the highest stable rate{why}"));
        }
        (Some(threshold), _) => {
            because.push(format!("it is {:.1}× below the instability threshold, {threshold}", threshold.get() / chosen.get()));
        }
        (None, None) => because.push("no rate that was tried is unstable".into()),
        (None, Some(first)) => because.push(format!("{first} is unstable, and nothing just below it was tried")),
    }
    if capped && chosen < best_early {
        let factor = bracket.threshold().map_or(f64::NAN, |t| t.get() / best_early.get());
        let best_is = if factor < 1.0 { "above".to_owned() } else { format!("only {factor:.1}× below") };
        because.push(format!("no headroom: the best early rate is {best_is} the threshold"));
    }
    let plateau = favoured.map(|(low, ..)| (if low < chosen { low } else { chosen }, chosen));
    Choice { learning_rate: Some(chosen), plateau, favoured: favoured.map(|(.., rate)| rate), capped, because }
}
