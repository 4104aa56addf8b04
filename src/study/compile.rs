//! From finished trials to the report: analysis in, plain data out.

use sha2::{Digest, Sha256};

use super::Study;
use super::verdict;
use crate::analysis::{Assessment, assess, end_loss, median};
use crate::digest::hex;
use crate::lr::{LearningRate, significant};
use crate::report::text::counted;
use crate::report::{
    BestEarly, Censored, Evidence, Finding, Instability, Interval, RateInterval, Recommendation, Report, SCHEMA_VERSION,
    ScheduleReport, Spread, Status, Tool, Trial, Warning,
};
use crate::search::{Settings, Stop, Sweep};

use super::warnings::warnings;

/// Digits kept of derived figures: enough to be exact about what was measured, few enough to read.
pub(super) const DIGITS: usize = 4;

pub(super) fn compile(study: &Study<'_>, sweep: &Sweep, settings: &Settings, checked: Option<LearningRate>) -> Report {
    let assessment = assess(&sweep.trials, &settings.premises(settings.lengths, study.objective));
    let check = checked.map(|rate| verdict::check(&assessment, settings, rate, sweep.stop));
    let recommendation =
        if checked.is_some() { verdict::of_check(check.as_ref()) } else { recommendation(&assessment, settings, sweep.stop) };
    let initial = recommendation.learning_rate;
    let config = study.config.clone();
    Report {
        schema_version: SCHEMA_VERSION,
        tool: Tool { name: env!("CARGO_PKG_NAME").into(), version: env!("CARGO_PKG_VERSION").into() },
        name: study.name.clone(),
        status: if sweep.stop == Some(Stop::Cancelled) { Status::Partial } else { Status::Complete },
        config_sha256: sha256(&config),
        config,
        inputs_sha256: study.objective.inputs_sha256(),
        seeds: Study::seeds(&sweep.trials),
        device: study.device.clone(),
        run: study.run_facts(settings),
        best_early: best_early(&assessment, settings),
        instability: instability(&assessment, settings),
        schedule: initial.and_then(|initial| schedule(study, initial)),
        recommendation,
        check,
        trials: trials(sweep, &assessment),
        warnings: warnings(study, sweep, settings, &assessment, checked.is_some()),
        cost: study.cost(sweep.trial_iterations()),
        curves: None,
    }
}

pub(super) fn sha256(config: &serde_json::Value) -> String {
    hex(&Sha256::digest(config.to_string().as_bytes()))
}

fn best_early(assessment: &Assessment<'_>, settings: &Settings) -> Finding {
    let Some(rate) = assessment.best_early() else {
        return Finding { value: None, reason: assessment.choice.because.first().cloned() };
    };
    let at_best = assessment.short.trials.iter().filter(|t| t.record.spec.learning_rate == rate);
    let mut ends: Vec<f64> = at_best.filter_map(|t| end_loss(t.record.own_losses())).collect();
    ends.sort_by(f64::total_cmp);
    let (Some(median), Some(&low), Some(&high)) = (median(&ends), ends.first(), ends.last()) else {
        return Finding { value: None, reason: Some("no trial at the best rate finished".into()) };
    };
    let loss = [median, low, high].map(|loss| significant(loss, 7));
    let loss = Spread { median: loss[0], low: loss[1], high: loss[2] };
    let value = BestEarly { learning_rate: rate.get(), iterations: settings.lengths.short, loss };
    Finding { value: Some(value), reason: None }
}

fn instability(assessment: &Assessment<'_>, settings: &Settings) -> Instability {
    let bracket = assessment.bracket;
    let censored = match (bracket.last_stable, bracket.first_unstable) {
        (_, None) if !assessment.evidence.is_empty() => Some(Censored::AboveRange),
        (None, Some(_)) => Some(Censored::BelowRange),
        _ => None,
    };
    let row = |e: &crate::analysis::RateEvidence| Evidence {
        learning_rate: e.learning_rate.get(),
        iterations: e.iterations,
        seeds: e.seeds,
        unstable: e.unstable,
        reason: e.reason,
    };
    let interval = assessment.posterior().map(|p| {
        let [low, median, high] = p.quantiles.map(LearningRate::get);
        Interval { low, median, high, confidence: 0.9 }
    });
    Instability {
        last_stable: bracket.last_stable.map(LearningRate::get),
        first_unstable: bracket.first_unstable.map(LearningRate::get),
        threshold: bracket.threshold().map(LearningRate::get),
        resolution_decades: settings.resolution,
        interval,
        full_run_interval: assessment.full_run_interval().map(|(low, high)| RateInterval {
            low: low.get(),
            high: high.get(),
            confidence: 0.9,
        }),
        evidence: assessment.evidence.iter().map(row).collect(),
        censored,
    }
}

fn recommendation(assessment: &Assessment<'_>, settings: &Settings, stop: Option<Stop>) -> Recommendation {
    let choice = &assessment.choice;
    let mut because = choice.because.clone();
    let seeds = assessment.confirming().count();
    let is_refuted = assessment.confirming().any(|t| t.verdict.is_unstable());
    let has_failed = assessment.confirming().any(|t| t.record.outcome.failure().is_some());
    let confirmed = format!("confirmed on {} for {} iterations", counted(seeds as u64, "fresh seed"), settings.lengths.confirm);
    // A rate that was tried on fresh seeds and did not pass is not handed out, nor one whose trials there have failed.
    let is_open = stop.is_some() && !is_refuted && !has_failed;
    let learning_rate = choice.learning_rate.filter(|_| assessment.is_confirmed() || is_open);
    match (choice.learning_rate, stop) {
        (None, Some(Stop::Budget)) => because.insert(0, "not resolvable at this budget".into()),
        (None, Some(Stop::Cancelled)) => because.insert(0, "the search was interrupted too early".into()),
        (None, None | Some(Stop::Recorded)) => {}
        (Some(_), _) if assessment.is_confirmed() => because.push(confirmed),
        (Some(rate), _) if has_failed => {
            because.push(format!("no recommendation: trials of {rate} on fresh seeds failed, so that nothing confirms it"));
        }
        (Some(_), Some(Stop::Cancelled)) => because.push("not confirmed: the search was interrupted".into()),
        (Some(_), Some(Stop::Budget)) => because.push("not confirmed: the budget does not allow it".into()),
        (Some(_), Some(Stop::Recorded)) => because.push("not confirmed: recorded curves cannot be tried on fresh seeds".into()),
        (Some(rate), None) => {
            because.push(format!("no recommendation: {rate} and the rates tried above it failed on fresh seeds"));
        }
    }
    let plateau = learning_rate.and(choice.plateau);
    let headroom = learning_rate.zip(assessment.bracket.threshold()).map(|(rate, t)| significant(t.get() / rate.get(), 3));
    Recommendation {
        learning_rate: learning_rate.map(LearningRate::get),
        low: plateau.map(|(low, _)| low.get()),
        high: plateau.map(|(_, high)| high.get()),
        headroom,
        p_unstable: learning_rate.and_then(|rate| assessment.late_risk(rate)).map(|p| significant(p, 2)),
        because,
    }
}

fn schedule(study: &Study<'_>, initial: f64) -> Option<ScheduleReport> {
    let shape = study.schedule?;
    Some(ScheduleReport {
        kind: shape.decay.name().into(),
        initial,
        final_rate: significant(initial * shape.final_factor(), DIGITS),
        decay_iterations: shape.decay_iterations,
        decay_epochs: significant(shape.decay_iterations as f64 / shape.iterations_per_epoch.max(1) as f64, DIGITS),
        shape,
    })
}

fn trials(sweep: &Sweep, assessment: &Assessment<'_>) -> Vec<Trial> {
    let judged: Vec<_> = assessment.trials().collect();
    let trial = |record: &crate::record::TrialRecord| {
        let verdict = judged.iter().find(|t| t.record.spec == record.spec).map(|t| t.verdict)?;
        Some(Trial {
            learning_rate: record.spec.learning_rate.get(),
            seed: record.spec.seed,
            iterations: record.spec.iterations,
            recovery: record.spec.recovery,
            outcome: record.outcome.clone(),
            verdict,
            losses: record.losses.clone(),
            probe: record.probe.clone(),
        })
    };
    let mut trials: Vec<Trial> = sweep.trials.iter().filter_map(trial).collect();
    trials.sort_by(|a, b| {
        a.iterations.cmp(&b.iterations).then(a.learning_rate.total_cmp(&b.learning_rate)).then(a.seed.cmp(&b.seed))
    });
    trials
}

/// A warning with a stable code.
pub(super) fn warning(code: &str, message: impl Into<String>, hint: impl Into<String>) -> Warning {
    Warning { code: code.into(), message: message.into(), hint: hint.into() }
}
