//! What cannot be said from recorded curves, and what was assumed about them.

use std::ops::RangeInclusive;

use super::{Analysis, Losses, seeds_at};
use crate::analysis::Assessment;
use crate::curves::{Curve, Recording, is_epoch};
use crate::lr::LearningRate;
use crate::report::Warning;
use crate::report::text::{counted, grouped, percent};
use crate::study::compile::warning;

/// Neighbouring rates further apart than this leave too much open between them, in decades.
const COARSE: f64 = 0.5;

/// A rate that decays over the whole run hardly moves in this share of it.
const HARDLY_DECAYED: f64 = 0.1;

/// Every warning that applies, in a fixed order: about the answer first, then about what was read.
pub(super) fn notes(analysis: &Analysis, recording: &Recording, losses: Losses, assessment: &Assessment<'_>) -> Vec<Warning> {
    let mut found = Vec::new();
    found.extend(few_seeds(recording, assessment));
    found.extend(coarse_grid(recording, assessment));
    found.extend(best_at_edge(recording, assessment));
    found.extend(too_short(analysis, recording, losses));
    found.extend(no_longer_curves(recording, losses, assessment));
    found.extend(rate_assumed(recording, losses));
    found.extend(cut_short(recording, losses));
    found.extend(late_starts(recording));
    found.extend(steps(recording));
    found.extend(missing(recording));
    found
}

/// The rates that the answer rests on: the best early one, and both sides of the threshold.
fn decisive(assessment: &Assessment<'_>) -> impl Iterator<Item = LearningRate> {
    [assessment.best_early(), assessment.bracket.last_stable, assessment.bracket.first_unstable].into_iter().flatten()
}

fn few_seeds(recording: &Recording, assessment: &Assessment<'_>) -> Option<Warning> {
    let most = seeds_at(recording, None);
    let alone = decisive(assessment).find(|rate| seeds_at(recording, Some(*rate)) < 2)?;
    let what = if most < 2 { "each rate has a single curve".to_owned() } else { format!("{alone} has a single curve") };
    let message = format!("{what}: how far the loss and the threshold move from seed to seed cannot be told");
    Some(warning("few-seeds", message, "give the curves of 3 seeds or more at each rate"))
}

fn coarse_grid(recording: &Recording, assessment: &Assessment<'_>) -> Option<Warning> {
    let mut rates: Vec<LearningRate> = recording.curves.iter().map(|c| c.learning_rate).collect();
    rates.dedup();
    let is_decisive = |pair: &&[LearningRate]| {
        let best = assessment.best_early().is_some_and(|best| pair.contains(&best));
        best || Some(pair[1]) == assessment.bracket.first_unstable
    };
    let gaps = rates.windows(2).filter(is_decisive).map(|pair| (pair[1].log10() - pair[0].log10(), pair));
    let (width, pair) = gaps.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(width, _)| *width > COARSE + 1e-3)?;
    let message = format!(
        "no rate between {} and {} was tried, {width:.1} decades: the best rate and the threshold are known no better than that",
        pair[0], pair[1]
    );
    let middle = pair[0].midpoint(pair[1]);
    Some(warning("coarse-grid", message, format!("add curves between them, at {middle} for example")))
}

fn best_at_edge(recording: &Recording, assessment: &Assessment<'_>) -> Option<Warning> {
    let best = assessment.best_early()?;
    let (first, last) = (recording.curves.first()?.learning_rate, recording.curves.last()?.learning_rate);
    let side = if best == last {
        "highest"
    } else if best == first {
        "lowest"
    } else {
        return None;
    };
    let beyond = if best == last { "higher" } else { "lower" };
    let message = format!("the best early rate, {best}, is the {side} that was tried: a {beyond} one may be better");
    Some(warning("best-at-edge", message, format!("add curves at {beyond} rates")))
}

fn too_short(analysis: &Analysis, recording: &Recording, losses: Losses) -> Option<Warning> {
    let wanted = analysis.wanted(recording);
    let iterations = |losses: usize| counted((losses as u64).saturating_mul(recording.steps_per_loss), "iteration");
    (losses.short < wanted).then(|| {
        let message = format!("most curves hold {}, fewer than the {} asked for", iterations(losses.short), iterations(wanted));
        warning("curves-too-short", message, "what is best so early may not be best for long: give longer curves")
    })
}

fn no_longer_curves(recording: &Recording, losses: Losses, assessment: &Assessment<'_>) -> Option<Warning> {
    let best = assessment.best_early().filter(|_| losses.long.is_none())?;
    let twice = grouped(2 * losses.short as u64 * recording.steps_per_loss);
    let message = format!("too few curves at {best} and above reach {twice} iterations, so no rate above {best} is supported");
    Some(warning("no-longer-curves", message, "give longer curves, or lower --iterations"))
}

fn rate_assumed(recording: &Recording, losses: Losses) -> Option<Warning> {
    let analysed = losses.long.unwrap_or(losses.short) as u64 * recording.steps_per_loss;
    let mut spans: Vec<u64> = recording.curves.iter().map(|c| c.last_step.saturating_sub(recording.first_step) + 1).collect();
    spans.sort_unstable();
    let share = (analysed as f64 / spans[spans.len() / 2] as f64).min(1.0);
    (share > HARDLY_DECAYED).then(|| {
        let message = format!(
            "the rate is taken to be constant over the {} analysed, which are {} of the curves: where it decays, high rates look \
             better in the end than they are when held",
            counted(analysed, "iteration"),
            percent(share)
        );
        warning("constant-rate-assumed", message, "for curves of decayed runs, analyze the first tenth of them with --iterations")
    })
}

fn cut_short(recording: &Recording, losses: Losses) -> Option<Warning> {
    let is_cut = |c: &&Curve| c.late_start.is_none() && c.diverged.is_none() && c.losses.len() < losses.short;
    let cut = Some(rates(recording, is_cut)).filter(|(count, _)| *count > 0)?;
    let message = format!(
        "{} of {} curves, at {}, end with a finite loss before iteration {}, and are not judged",
        cut.0,
        recording.curves.len(),
        between(&cut.1),
        grouped(losses.short as u64 * recording.steps_per_loss)
    );
    Some(warning("curves-cut-short", message, "if they ended because they diverged, end them with a row whose loss is nan"))
}

fn late_starts(recording: &Recording) -> Option<Warning> {
    let late = Some(rates(recording, |c| c.late_start.is_some())).filter(|(count, _)| *count > 0)?;
    let first = recording.curves.iter().find_map(|c| c.late_start)?;
    let message = format!(
        "{} of {} curves, at {}, begin later than the others, at step {} for example, and are not judged",
        late.0,
        recording.curves.len(),
        between(&late.1),
        grouped(first)
    );
    Some(warning("curves-start-late", message, "give the curves from their beginning"))
}

/// How many curves are so, and the lowest and the highest rate among them.
fn rates(recording: &Recording, is_so: impl FnMut(&&Curve) -> bool) -> (usize, RangeInclusive<f64>) {
    let of: Vec<f64> = recording.curves.iter().filter(is_so).map(|c| c.learning_rate.get()).collect();
    let ends = of.first().copied().unwrap_or(0.0)..=of.last().copied().unwrap_or(0.0);
    (of.len(), ends)
}

fn between(rates: &RangeInclusive<f64>) -> String {
    let shown = crate::report::text::number;
    if rates.start().total_cmp(rates.end()).is_eq() {
        format!("rate {}", shown(*rates.start()))
    } else {
        format!("rates {} to {}", shown(*rates.start()), shown(*rates.end()))
    }
}

fn steps(recording: &Recording) -> Vec<Warning> {
    let (stride, first) = (recording.steps_per_loss, recording.first_step);
    let mut found = Vec::new();
    if let Some(epoch) = recording.columns.iter().map(|c| &c.step).find(|step| is_epoch(step)) {
        found.push(warning(
            "steps-are-epochs",
            format!("the steps are those of {epoch:?}: what this report calls an iteration is a pass through the data"),
            "instability of the first pass is not seen: log the loss of each iteration",
        ));
    }
    if stride > 1 {
        found.push(warning(
            "logged-sparsely",
            format!(
                "a loss was logged every {stride} steps: what happened between is not seen, and a loss may be a mean over them"
            ),
            "log every loss of the first few hundred iterations",
        ));
    }
    if first > stride.max(1) {
        let message = format!("the first step is {}: iterations are counted from there", grouped(first));
        found.push(warning("starts-after-the-beginning", message, "give the curves from their beginning"));
    }
    found
}

fn missing(recording: &Recording) -> Vec<Warning> {
    let mut found = Vec::new();
    let filled: usize = recording.curves.iter().map(|c| c.filled).sum();
    let kept: usize = recording.curves.iter().map(|c| c.losses.len()).sum();
    if filled > 0 {
        let message = format!(
            "{} of {} losses ({}) are missing, and the one before stands in",
            grouped(filled as u64),
            grouped(kept as u64),
            percent(filled as f64 / kept.max(1) as f64)
        );
        found.push(warning("steps-missing", message, "log all curves at the same steps"));
    }
    if recording.rows_without_loss > 0 {
        let message = format!("{} without a loss were skipped", counted(recording.rows_without_loss, "row"));
        found.push(warning("losses-missing", message, "if an empty loss stands for one that was not finite, write nan"));
    }
    found
}
