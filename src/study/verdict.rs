//! What `check` says of the configured rate.

use super::warnings::brief;
use crate::analysis::{Assessment, JudgedTrial, RateEvidence, Verdict};
use crate::lr::LearningRate;
use crate::report::text::counted;
use crate::report::{Check, CheckVerdict, Recommendation};
use crate::search::{Settings, Stop};

/// The trials at one rate, over all lengths.
struct At {
    seeds: usize,
    unstable: usize,
    reason: Option<Verdict>,
    iterations: u64,
    /// Seeds of those of `iterations`, when these are long trials.
    for_long: usize,
}

fn at(assessment: &Assessment<'_>, settings: &Settings, rate: LearningRate) -> At {
    let rows: Vec<&RateEvidence> = assessment.evidence.iter().filter(|e| e.learning_rate == rate).collect();
    At {
        seeds: rows.iter().map(|e| e.seeds).sum(),
        unstable: rows.iter().map(|e| e.unstable).sum(),
        reason: rows.iter().max_by_key(|e| e.unstable).and_then(|e| e.reason),
        iterations: rows.iter().map(|e| e.iterations).max().unwrap_or(0),
        for_long: rows.iter().filter(|e| e.iterations == settings.lengths.long).map(|e| e.seeds).sum(),
    }
}

fn sentence(rate: LearningRate, at: &At) -> String {
    let why = at.reason.map(|reason| format!(": {}", reason.words())).unwrap_or_default();
    let seeds = counted(at.seeds as u64, "seed");
    format!("{} of {seeds} unstable at {rate} (up to {} iterations){why}", at.unstable, at.iterations)
}

/// The verdict on `rate`.
pub(super) fn check(assessment: &Assessment<'_>, settings: &Settings, rate: LearningRate, stop: Option<Stop>) -> Check {
    let margin = settings.margin_of(rate);
    let around @ [_, _, far] = settings.around(rate);
    let is_far_below = assessment.is_far_below(around);
    let (own, above) = (at(assessment, settings, rate), at(assessment, settings, margin));
    let lower = assessment.bracket.first_unstable.filter(|first| *first < rate);
    let trains = assessment.best_early().is_some();
    let has_failed =
        |t: &JudgedTrial<'_>| [rate, margin].contains(&t.record.spec.learning_rate) && t.record.outcome.failure().is_some();
    let untold = assessment.trials().any(has_failed);
    let mut findings = Vec::new();
    let verdict = if own.unstable > 0 || (own.seeds > 0 && lower.is_some()) {
        CheckVerdict::Unstable
    } else if is_far_below {
        CheckVerdict::Safe
    } else if !trains || own.for_long < settings.seeds || (above.unstable == 0 && above.for_long == 0) {
        CheckVerdict::Inconclusive
    } else if above.unstable > 0 {
        CheckVerdict::Marginal
    } else if untold {
        // Some programs say by failing that training diverged.
        CheckVerdict::Inconclusive
    } else {
        CheckVerdict::Safe
    };
    findings.push(sentence(rate, &own));
    if let Some(first) = lower.filter(|_| own.unstable == 0) {
        findings.push(format!(
            "but the lower rate {first} is already unstable: {}",
            sentence(first, &at(assessment, settings, first))
        ));
    }
    if above.seeds > 0 {
        findings.push(sentence(margin, &above));
    }
    if is_far_below {
        findings.push(sentence(far, &at(assessment, settings, far)));
        findings.push("so far below the threshold longer trials would tell no more".into());
    }
    if verdict == CheckVerdict::Inconclusive {
        findings.push(match (stop, trains) {
            (Some(Stop::Cancelled), _) => "the check was interrupted".into(),
            (Some(Stop::Budget), _) => "the budget ended before the check did: raise --budget".into(),
            (None | Some(Stop::Recorded), false) => assessment.choice.because.first().cloned().unwrap_or_default(),
            (None | Some(Stop::Recorded), true) => failures(assessment),
        });
    } else if own.unstable == 0 && assessment.best_early().is_some_and(|best| best.get() > 3.0 * rate.get()) {
        findings.push(format!("it is slow: over {} iterations a higher rate does better", settings.lengths.short));
    }
    let safe = matches!(verdict, CheckVerdict::Unstable | CheckVerdict::Marginal)
        .then(|| safe_rate(assessment, settings, rate))
        .flatten();
    match safe {
        Some(safe) => findings.push(format!("{safe} would be safe: stable there and {}× above", settings.check_margin)),
        None if matches!(verdict, CheckVerdict::Unstable | CheckVerdict::Marginal) => {
            findings.push("no safe rate was found near it: run `lrfind find`".into());
        }
        None => {}
    }
    Check {
        learning_rate: rate.get(),
        verdict,
        unstable_seeds: own.unstable,
        seeds: own.seeds,
        safe_learning_rate: safe.map(LearningRate::get),
        findings,
    }
}

fn failures(assessment: &Assessment<'_>) -> String {
    let failed = |t: &&JudgedTrial<'_>| t.verdict == Verdict::Unjudged;
    let count = assessment.trials().filter(failed).count();
    let message = assessment.trials().filter(failed).find_map(|t| t.record.outcome.failure());
    let count = counted(count as u64, "trial");
    format!("{count} could not be judged{}", message.map(|m| format!(": {}", brief(m))).unwrap_or_default())
}

/// The highest rate below `rate` that is stable over short and long trials, and stable at the margin above.
fn safe_rate(assessment: &Assessment<'_>, settings: &Settings, rate: LearningRate) -> Option<LearningRate> {
    let is_stable = |rate: LearningRate, seeds: usize| {
        let at = at(assessment, settings, rate);
        at.for_long >= seeds && at.unstable == 0
    };
    let below = |candidate: &LearningRate| assessment.bracket.first_unstable.is_none_or(|first| *candidate < first);
    let rates = assessment.evidence.iter().map(|e| e.learning_rate).filter(|r| *r < rate).filter(below);
    let tested = rates.filter(|&r| is_stable(r, settings.seeds));
    tested.filter(|r| is_stable(settings.margin_of(*r), 1)).max_by(|a, b| a.get().total_cmp(&b.get()))
}

/// `check` recommends nothing but the rate that would be safe.
pub(super) fn of_check(check: Option<&Check>) -> Recommendation {
    let because = match check {
        Some(check) if check.safe_learning_rate.is_some() => {
            "the nearest safe rate that `check` found; `find` finds the best one"
        }
        _ => "`check` only judges the configured rate; `find` recommends one",
    };
    let learning_rate = check.and_then(|c| c.safe_learning_rate);
    Recommendation { learning_rate, ..Recommendation::none(because.into()) }
}
