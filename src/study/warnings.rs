//! What the user should know beside the answer.

use super::compile::warning;
use super::{Study, script};
use crate::analysis::Assessment;
use crate::record::Outcome;
use crate::report::Warning;
use crate::report::text::counted;
use crate::search::{Settings, Stop, Sweep};

/// Every warning that applies, in a fixed order.
pub(super) fn warnings(
    study: &Study<'_>,
    sweep: &Sweep,
    settings: &Settings,
    assessment: &Assessment<'_>,
    checking: bool,
) -> Vec<Warning> {
    let mut found = study.notes.clone();
    found.extend(trouble(sweep));
    if study.is_script {
        found.extend(script::warnings(&sweep.trials));
    }
    let (short, planned) = (settings.lengths.short, study.settings().lengths.short);
    if short > planned {
        found.push(warning(
            "trials-lengthened",
            format!(
                "trials run {short} iterations: within {planned} hardly more was learnt than to predict the same for every example"
            ),
            if checking {
                "a higher rate may learn more: `lrfind find` looks for one".to_owned()
            } else {
                format!("write `iterations = {short}` in [search] to begin with that")
            },
        ));
    } else if short > study.search.iterations {
        found.push(warning(
            "trials-lengthened",
            format!(
                "trials run {short} iterations instead of {}: twice the warm-up, and ten times the memory of the momentum",
                study.search.iterations
            ),
            "shorten `warmup-iterations` or lower the momentum if the run does not need them",
        ));
    }
    if !checking {
        found.extend(of_the_threshold(study, sweep, settings, assessment));
        found.extend(nothing_learnt(settings, assessment).or_else(|| hardly_learnt(settings, assessment)));
    }
    found
}

/// Whether even the best of the short trials might as well not have been trained.
fn nothing_learnt(settings: &Settings, assessment: &Assessment<'_>) -> Option<Warning> {
    let best = assessment.best_early().filter(|_| assessment.has_learnt_nothing())?;
    Some(warning(
        "nothing-learnt",
        format!(
            "at {best}, the best early rate, {} iterations learn hardly more than to predict the same for every example: which \
             rate is best, and where training becomes unstable, they can hardly tell",
            settings.lengths.short
        ),
        format!(
            "give `iterations = {}` in [search], or compare rates in longer runs with `lrfind verify`",
            4 * settings.lengths.short
        ),
    ))
}

/// Whether the longer trials were too short to say what is best for the whole run.
fn hardly_learnt(settings: &Settings, assessment: &Assessment<'_>) -> Option<Warning> {
    assessment.choice.learning_rate?;
    let left = assessment.hardly_learnt()?;
    Some(warning(
        "hardly-learnt",
        format!(
            "after {} iterations the loss is still {:.0} % of what it was before training: if the run gets much further, another \
             rate may be best for it",
            settings.lengths.long,
            100.0 * left
        ),
        format!(
            "give `long-iterations = {}` in [search], or compare rates in longer runs with `lrfind verify`",
            4 * settings.lengths.long
        ),
    ))
}

fn trouble(sweep: &Sweep) -> Vec<Warning> {
    let mut found = Vec::new();
    if sweep.stop == Some(Stop::Budget) {
        found.push(warning(
            "budget-exhausted",
            format!("the next stage would have gone over the budget; {} trial-iterations were spent", sweep.trial_iterations()),
            "raise `--budget`, or lower `seeds` or `iterations`",
        ));
    }
    let failures: Vec<&str> = sweep
        .trials
        .iter()
        .filter_map(|t| if let Outcome::Failed { message } = &t.outcome { Some(message.as_str()) } else { None })
        .collect();
    if let Some(first) = failures.first() {
        let (count, total) = (failures.len(), sweep.trials.len());
        let message = format!("{count} of {total} trials could not be run: {first}");
        found.push(warning("trials-failed", message, "this says nothing about the rates; mend the cause and run again"));
    }
    found
}

fn of_the_threshold(study: &Study<'_>, sweep: &Sweep, settings: &Settings, assessment: &Assessment<'_>) -> Vec<Warning> {
    let mut found = Vec::new();
    // A search can be told to look further; of recorded curves more must be given.
    let hint = |search: &'static str, curves: &'static str| if sweep.stop == Some(Stop::Recorded) { curves } else { search };
    let first_unstable = assessment.bracket.first_unstable;
    if let (None, Some(best)) = (first_unstable, assessment.choice.learning_rate) {
        found.push(warning(
            "no-threshold",
            format!("nothing was unstable up to the top of the range, so how far {best} is from instability is not known"),
            hint("raise the upper end of `range` in [search], or allow `extend`", "add curves at higher rates"),
        ));
    }
    if let Some(best) = assessment.best_early().filter(|b| !range_holds(settings, b.get())) {
        found.push(warning(
            "range-extended",
            format!("the best early rate, {best}, lies outside the configured range"),
            "set `range` in [search] around it to save trials",
        ));
    }
    let short_crossing = assessment.short.trials.iter().filter(|t| t.verdict.is_unstable());
    let short_first = short_crossing.map(|t| t.record.spec.learning_rate.get()).fold(f64::INFINITY, f64::min);
    if let Some(first) = first_unstable.filter(|first| first.get() < short_first) {
        found.push(warning(
            "late-instability",
            format!(
                "{first} is stable for {} iterations but not for longer: instability comes late here",
                settings.lengths.short
            ),
            hint(
                "raise `iterations` and `long-iterations` in [search] for a safer answer",
                "give longer curves, and raise --iterations, for a safer answer",
            ),
        ));
    }
    let revived = first_unstable.and_then(|first| {
        let short = || assessment.evidence.iter().filter(|e| e.iterations == settings.lengths.short);
        let all_dead = short().find(|e| e.learning_rate >= first && e.unstable == e.seeds)?.learning_rate;
        short().find(|e| e.learning_rate > all_dead && e.unstable == 0).map(|e| e.learning_rate)
    });
    if let Some(rate) = revived {
        found.push(warning(
            "stable-again-above",
            format!("{rate} looks stable although lower rates are not"),
            "the threshold is the lowest crossing; do not rely on rates above it",
        ));
    }
    let unconfirmed = assessment.choice.learning_rate.is_some() && !assessment.is_confirmed();
    let lost = assessment.confirm.iter().filter(|t| t.verdict.is_unstable()).count();
    if unconfirmed && lost > 0 {
        found.push(warning(
            "not-confirmed",
            format!("{} ended unstable", counted(lost as u64, "confirming trial")),
            "raise `seeds` and `long-iterations` in [search]",
        ));
    }
    if let Some(rate) =
        assessment.choice.learning_rate.filter(|r| r.get() > 1.0 && study.schedule.is_some() && !study.is_script)
    {
        found.push(warning(
            "rate-above-one",
            format!("{rate} is above 1, which burn's own learning-rate schedulers refuse"),
            "in burn, multiply the rate into the loss or write the schedule out",
        ));
    }
    found
}

fn range_holds(settings: &Settings, rate: f64) -> bool {
    (settings.range.low().get()..=settings.range.high().get()).contains(&rate)
}
