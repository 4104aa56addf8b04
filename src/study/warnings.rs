//! What the user should know beside the answer.

use super::compile::warning;
use super::{Study, script};
use crate::analysis::Assessment;
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
    let failures: Vec<&str> = sweep.trials.iter().filter_map(|t| t.outcome.failure()).collect();
    if let Some(first) = failures.first() {
        let (count, total) = (failures.len(), sweep.trials.len());
        let message = format!("{count} of {total} trials could not be run: {}", brief(first));
        found.push(warning(
            "trials-failed",
            message,
            "mend the cause and run again: a failed trial says nothing about its rate",
        ));
    }
    found
}

/// Of a message that quotes the last lines of a script, what it begins with and the last of these.
pub(super) fn brief(message: &str) -> String {
    match message.split_once('\n') {
        None => message.to_owned(),
        Some((what, quoted)) => {
            format!("{what}: {}", quoted.lines().next_back().unwrap_or_default().trim_start_matches([' ', '|']))
        }
    }
}

fn of_the_threshold(study: &Study<'_>, sweep: &Sweep, settings: &Settings, assessment: &Assessment<'_>) -> Vec<Warning> {
    let recorded = sweep.stop == Some(Stop::Recorded);
    let found = [
        no_threshold(recorded, settings, assessment),
        range_extended(settings, assessment),
        late_instability(recorded, settings, assessment),
        stable_again_above(settings, assessment),
        not_confirmed(assessment),
        rate_above_one(study, assessment),
    ];
    found.into_iter().flatten().collect()
}

fn no_threshold(recorded: bool, settings: &Settings, assessment: &Assessment<'_>) -> Option<Warning> {
    let best = assessment.choice.learning_rate.filter(|_| assessment.bracket.first_unstable.is_none())?;
    Some(warning(
        "no-threshold",
        format!("nothing that was tried was unstable, so how far {best} is from instability is not known"),
        match (recorded, settings.extend) {
            (true, _) => "add curves at higher rates",
            (false, false) => "raise the upper end of `range` in [search], or allow `extend`",
            (false, true) => "the search looked far above it; what whole runs do there shows `lrfind verify --lr RATE`",
        },
    ))
}

fn range_extended(settings: &Settings, assessment: &Assessment<'_>) -> Option<Warning> {
    let best = assessment.best_early().filter(|b| !range_holds(settings, b.get()))?;
    Some(warning(
        "range-extended",
        format!("the best early rate, {best}, lies outside the configured range"),
        "set `range` in [search] around it to save trials",
    ))
}

fn late_instability(recorded: bool, settings: &Settings, assessment: &Assessment<'_>) -> Option<Warning> {
    let unstable = assessment.short.trials.iter().filter(|t| t.verdict.is_unstable());
    let short_first = unstable.map(|t| t.record.spec.learning_rate.get()).fold(f64::INFINITY, f64::min);
    let first = assessment.bracket.first_unstable.filter(|first| first.get() < short_first)?;
    Some(warning(
        "late-instability",
        format!("{first} is stable for {} iterations but not for longer: instability comes late here", settings.lengths.short),
        if recorded {
            "give longer curves, and raise --iterations, for a safer answer"
        } else {
            "raise `iterations` and `long-iterations` in [search] for a safer answer"
        },
    ))
}

fn stable_again_above(settings: &Settings, assessment: &Assessment<'_>) -> Option<Warning> {
    let first = assessment.bracket.first_unstable?;
    let short = || assessment.evidence.iter().filter(|e| e.iterations == settings.lengths.short);
    let all_dead = short().find(|e| e.learning_rate >= first && e.unstable == e.seeds)?.learning_rate;
    let rate = short().find(|e| e.learning_rate > all_dead && e.unstable == 0)?.learning_rate;
    Some(warning(
        "stable-again-above",
        format!("{rate} looks stable although lower rates are not"),
        "the threshold is the lowest crossing; do not rely on rates above it",
    ))
}

fn not_confirmed(assessment: &Assessment<'_>) -> Option<Warning> {
    let lost = assessment.confirm.iter().filter(|t| t.verdict.is_unstable()).count();
    let unconfirmed = assessment.choice.learning_rate.is_some() && !assessment.is_confirmed();
    (unconfirmed && lost > 0).then(|| {
        warning(
            "not-confirmed",
            format!("{} ended unstable", counted(lost as u64, "confirming trial")),
            "raise `seeds` and `long-iterations` in [search]",
        )
    })
}

fn rate_above_one(study: &Study<'_>, assessment: &Assessment<'_>) -> Option<Warning> {
    let rate = assessment.choice.learning_rate.filter(|r| r.get() > 1.0 && study.schedule.is_some() && !study.is_script)?;
    Some(warning(
        "rate-above-one",
        format!("{rate} is above 1, which burn's own learning-rate schedulers refuse"),
        "in burn, multiply the rate into the loss or write the schedule out",
    ))
}

fn range_holds(settings: &Settings, rate: f64) -> bool {
    (settings.range.low().get()..=settings.range.high().get()).contains(&rate)
}
