//! Range tests for the tests of the renderers.

use super::*;

fn suggestion(rule: Rule, learning_rate: Option<f64>) -> Suggestion {
    let message = "the curve is not U-shaped: the loss is lowest within the first two steps";
    let none = learning_rate.is_none();
    Suggestion {
        rule,
        learning_rate,
        reason: none.then(|| "not_u_shaped".to_owned()),
        caveat: None,
        message: none.then(|| message.to_owned()),
    }
}

fn rates() -> impl Iterator<Item = f64> {
    (0..100).map(|k| 1e-7 * 1e8f64.powf(f64::from(k) / 99.0))
}

fn ramp(seed: u64, rate: f64) -> RampReport {
    let loss = |rate: f64| 2.3 - 2.0 / (1.0 + (-4.0 * (rate.log10() + 3.0)).exp()) + (rate.log10().max(0.0) * 30.0).powi(2);
    let losses: Vec<Option<f64>> = rates().map(|rate| Some(loss(rate))).collect();
    let smoothed = losses[..96].to_vec();
    RampReport {
        seed,
        outcome: Outcome::Completed,
        losses,
        readings: vec![ReadingReport { tools: vec!["fastai".into()], smoothed, stopped: true }],
        suggestions: vec![suggestion(Rule::FastaiValley, Some(rate)), suggestion(Rule::Ignite, None)],
    }
}

fn of(ramps: Vec<RampReport>, [low, median, high]: [f64; 3]) -> RangeTest {
    let summary = |rule: Rule, rates: Option<[f64; 3]>| RuleSummary {
        rule,
        label: rule.label().into(),
        source: rule.source().into(),
        smoothing: 0.98,
        stop_factor: Some(4.0),
        low: rates.map(|r| r[0]),
        median: rates.map(|r| r[1]),
        high: rates.map(|r| r[2]),
        suggested: if rates.is_some() { ramps.len() } else { 0 },
    };
    let rules = vec![summary(Rule::FastaiValley, Some([low, median, high])), summary(Rule::Ignite, None)];
    RangeTest {
        schema_version: SCHEMA_VERSION,
        tool: Tool { name: "lrfind".into(), version: "0.1.0".into() },
        name: "digits".into(),
        status: Status::Complete,
        config: serde_json::Value::Null,
        config_sha256: "00".into(),
        device: "flex".into(),
        ramp: RampFacts {
            start: 1e-7,
            end: 10.0,
            iterations: 100,
            spacing: Spacing::Exponential,
            seeds: ramps.iter().map(|r| r.seed).collect(),
            learning_rates: rates().collect(),
        },
        rules,
        cost: Cost { trial_iterations: 100 * ramps.len() as u64, share_of_planned_run: None },
        ramps,
    }
}

pub(crate) fn one_seed() -> RangeTest {
    of(vec![ramp(3, 0.003_162)], [0.003_162; 3])
}

pub(crate) fn two_seeds() -> RangeTest {
    of(vec![ramp(3, 0.003_162), ramp(4, 0.031_62)], [0.003_162, 0.01, 0.031_62])
}
