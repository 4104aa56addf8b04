//! From finished ramps to the range test.

use super::{Study, compile};
use crate::analysis::range_test::{Curve, Overrides, Rule, caveat, suggest_with};
use crate::lr::{LearningRate, significant};
use crate::record::{Outcome, TrialRecord};
use crate::report::range_test::{RampFacts, RampReport, RangeTest, ReadingReport, RuleSummary, SCHEMA_VERSION, Suggestion};
use crate::report::{Status, Tool};
use crate::search::{self, Ramp, RunOptions, Stop};

/// Digits kept of the rates of a ramp, and of smoothed losses.
const RATE_DIGITS: usize = 9;
const LOSS_DIGITS: usize = 7;

impl Study<'_> {
    /// Makes the classical range test: one ramp for each seed, and what every published rule says of it.
    pub fn sweep(&self, ramp: &Ramp, overrides: Overrides, options: &RunOptions<'_>) -> RangeTest {
        let sweep = search::ramps(self.objective, ramp, options);
        let ramps: Vec<RampReport> = sweep.trials.iter().map(|trial| report(trial, overrides)).collect();
        RangeTest {
            schema_version: SCHEMA_VERSION,
            tool: Tool { name: env!("CARGO_PKG_NAME").into(), version: env!("CARGO_PKG_VERSION").into() },
            name: self.name.clone(),
            status: if sweep.stop == Some(Stop::Cancelled) { Status::Partial } else { Status::Complete },
            config: self.config.clone(),
            config_sha256: compile::sha256(&self.config),
            device: self.device.clone(),
            ramp: RampFacts {
                start: ramp.start.get(),
                end: ramp.end.get(),
                iterations: ramp.iterations,
                spacing: ramp.spacing,
                seeds: Study::seeds(&sweep.trials),
                learning_rates: sweep
                    .trials
                    .first()
                    .map_or_else(Vec::new, |trial| rates(trial).iter().map(|r| r.get()).collect()),
            },
            rules: Rule::ALL.iter().map(|&rule| summary(rule, &ramps, overrides)).collect(),
            ramps,
            cost: self.cost(sweep.trial_iterations()),
        }
    }
}

fn report(trial: &TrialRecord, overrides: Overrides) -> RampReport {
    let curve = trial.is_finished().then(|| curve(trial));
    RampReport {
        seed: trial.spec.seed,
        outcome: trial.outcome.clone(),
        losses: curve.as_ref().map_or_else(|| finite(&trial.losses), |curve| finite(curve.losses())),
        readings: curve.as_ref().map_or_else(Vec::new, |curve| readings(curve, overrides)),
        suggestions: Rule::ALL.iter().map(|&rule| suggestion(rule, curve.as_ref(), overrides)).collect(),
    }
}

fn rates(trial: &TrialRecord) -> Vec<LearningRate> {
    let rate = |k| LearningRate::new(significant(trial.spec.rate_at(k), RATE_DIGITS)).unwrap_or(trial.spec.learning_rate);
    (0..trial.spec.iterations).map(rate).collect()
}

/// The ramp's curve. What the record leaves out because it is not finite is put back: a tool goes on after a NaN, but stops at an
/// infinite loss.
fn curve(trial: &TrialRecord) -> Curve {
    let mut losses = trial.losses.clone();
    if let Outcome::Diverged { reason, .. } = &trial.outcome {
        losses.push(if reason.ends_with(" inf") { f64::INFINITY } else { f64::NAN });
    }
    Curve::new(rates(trial), losses)
}

fn finite(losses: &[f64]) -> Vec<Option<f64>> {
    losses.iter().map(|loss| loss.is_finite().then(|| significant(*loss, LOSS_DIGITS))).collect()
}

/// What the tools see, once for all that see the same.
fn readings(curve: &Curve, overrides: Overrides) -> Vec<ReadingReport> {
    let mut seen = Vec::new();
    let mut readings: Vec<ReadingReport> = Vec::new();
    for rule in Rule::ALL {
        let settings = overrides.over(rule.defaults().settings);
        if let Some(k) = seen.iter().position(|s| *s == settings) {
            if !readings[k].tools.iter().any(|tool| tool == rule.tool()) {
                readings[k].tools.push(rule.tool().into());
            }
            continue;
        }
        let reading = settings.read(curve.losses());
        seen.push(settings);
        readings.push(ReadingReport {
            tools: vec![rule.tool().into()],
            smoothed: finite(&reading.smoothed),
            stopped: reading.stopped,
        });
    }
    readings
}

fn suggestion(rule: Rule, curve: Option<&Curve>, overrides: Overrides) -> Suggestion {
    let none = |reason: &str, message: String| Suggestion {
        rule,
        learning_rate: None,
        reason: Some(reason.to_owned()),
        caveat: None,
        message: Some(message),
    };
    let Some(curve) = curve else { return none("not_run", "the ramp did not run to its end".to_owned()) };
    let settings = overrides.over(rule.defaults().settings);
    match suggest_with(rule, curve, &settings) {
        Err(reason) => none(reason.name(), reason.to_string()),
        Ok(rate) => {
            let caveat = caveat(rule, curve, &settings, rate);
            Suggestion {
                rule,
                learning_rate: Some(rate.get()),
                reason: None,
                caveat: caveat.map(|c| c.name().to_owned()),
                message: caveat.map(|c| c.message().to_owned()),
            }
        }
    }
}

fn summary(rule: Rule, ramps: &[RampReport], overrides: Overrides) -> RuleSummary {
    let of_rule = ramps.iter().flat_map(|ramp| &ramp.suggestions).filter(|s| s.rule == rule);
    let mut rates: Vec<f64> = of_rule.filter_map(|s| s.learning_rate).collect();
    rates.sort_by(f64::total_cmp);
    let settings = overrides.over(rule.defaults().settings);
    RuleSummary {
        rule,
        label: rule.label().into(),
        source: rule.source().into(),
        smoothing: settings.smoothing.beta(),
        stop_factor: Some(settings.stopping.factor).filter(|factor| factor.is_finite()),
        low: rates.first().copied(),
        median: middle(&rates),
        high: rates.last().copied(),
        suggested: rates.len(),
    }
}

/// The middle of ascending rates; of an even number the geometric mean of the middle two.
fn middle(rates: &[f64]) -> Option<f64> {
    let half = rates.len() / 2;
    let upper = *rates.get(half)?;
    Some(if rates.len() % 2 == 1 { upper } else { significant((rates[half - 1] * upper).sqrt(), RATE_DIGITS) })
}
