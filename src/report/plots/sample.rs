//! A report such as a real search writes, from formulas, for the tests.

use crate::record::Outcome;
use crate::report::{
    BestEarly, Censored, Check, CheckVerdict, Cost, Evidence, Finding, Instability, Interval, Recommendation, Report, RunFacts,
    SCHEMA_VERSION, ScheduleReport, Spread, Status, Tool, Trial, Verdict,
};
use crate::schedule::{Decay, Schedule};

pub(super) const RATES: [f64; 14] = [0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.05, 0.08, 0.12, 0.2, 0.4, 0.6, 1.0, 2.0];
const SEEDS: [u64; 3] = [0, 1, 2];
const START: f64 = 2.303;

/// Three seeds at fourteen rates; the highest three are unstable. Longer trials at four rates.
pub(super) fn report() -> Report {
    let short = RATES.iter().flat_map(|&rate| SEEDS.map(|seed| trial(rate, seed, 200)));
    let long = [0.05, 0.08, 0.12, 0.4].into_iter().flat_map(|rate| SEEDS.map(|seed| trial(rate, seed, 800)));
    with_trials(short.chain(long).collect())
}

/// A verdict on a configured rate of 0.4.
pub(super) fn check() -> Check {
    Check {
        learning_rate: 0.4,
        verdict: CheckVerdict::Marginal,
        unstable_seeds: 0,
        seeds: 3,
        safe_learning_rate: Some(0.12),
        findings: vec!["stable for 3 of 3 seeds, unstable for 1 of 3 at 1.5 times the rate".into()],
    }
}

/// The same answer resting on these trials.
pub(super) fn with_trials(trials: Vec<Trial>) -> Report {
    let iterations = trials.iter().map(|t| t.iterations).sum();
    Report {
        schema_version: SCHEMA_VERSION,
        tool: Tool { name: "lrfind".into(), version: "0.1.0".into() },
        name: "digits-mlp".into(),
        status: Status::Complete,
        config: serde_json::Value::Null,
        config_sha256: String::new(),
        inputs_sha256: None,
        seeds: SEEDS.to_vec(),
        device: "cpu".into(),
        run: RunFacts {
            optimizer: "SGD".into(),
            model: "MLP".into(),
            parameters: 9_000,
            examples: 3_000,
            batch_size: 32,
            planned_iterations: Some(12_000),
            short_iterations: 200,
            long_iterations: 800,
        },
        best_early: Finding {
            value: Some(BestEarly {
                learning_rate: 0.05,
                iterations: 200,
                loss: Spread { median: 0.31, low: 0.29, high: 0.33 },
            }),
            reason: None,
        },
        instability: Instability {
            last_stable: Some(0.4),
            first_unstable: Some(0.6),
            threshold: Some(0.4899),
            resolution_decades: 0.02,
            interval: Some(Interval { low: 0.45, median: 0.6, high: 0.8, confidence: 0.9 }),
            full_run_interval: None,
            evidence: vec![Evidence {
                learning_rate: 0.6,
                iterations: 200,
                seeds: 3,
                unstable: 1,
                reason: Some(Verdict::Collapsed),
            }],
            censored: None,
        },
        recommendation: Recommendation {
            learning_rate: Some(0.12),
            low: Some(0.04),
            high: Some(0.2),
            headroom: Some(4.08),
            p_unstable: Some(0.01),
            because: vec!["higher than the best early rate".into()],
        },
        schedule: Some(ScheduleReport {
            kind: "linear".into(),
            initial: 0.12,
            final_rate: 0.0012,
            decay_iterations: 12_000,
            decay_epochs: 128.0,
            shape: Schedule {
                decay: Decay::Linear { final_fraction: 0.01 },
                warmup_iterations: 400,
                decay_iterations: 12_000,
                iterations_per_epoch: 94,
            },
        }),
        check: None,
        trials,
        warnings: Vec::new(),
        cost: Cost { trial_iterations: iterations, share_of_planned_run: None },
        curves: None,
    }
}

/// The answer of a search that found nothing.
pub(super) fn without_answer(trials: Vec<Trial>) -> Report {
    let mut report = with_trials(trials);
    report.best_early = Finding { value: None, reason: Some("no trial improved".into()) };
    report.recommendation.learning_rate = None;
    report.recommendation.low = None;
    report.recommendation.high = None;
    report.recommendation.headroom = None;
    report.instability.last_stable = None;
    report.instability.first_unstable = None;
    report.instability.censored = Some(Censored::BelowRange);
    report.schedule = None;
    report
}

/// A trial with a loss that falls at a pace set by the rate, jitters, and at high rates grows or settles high.
pub(super) fn trial(rate: f64, seed: u64, iterations: u64) -> Trial {
    let verdict = match rate {
        r if r >= 2.0 => Verdict::NonFinite,
        r if r >= 1.0 => Verdict::BlowUp,
        r if r >= 0.6 && seed % 3 == 1 => Verdict::Collapsed,
        r if r >= 0.4 => Verdict::Degraded,
        r if r < 0.008 => Verdict::Slow,
        _ => Verdict::Good,
    };
    let losses: Vec<f64> = (0..iterations).map_while(|k| loss(rate, seed, k, verdict)).collect();
    let lost = (losses.len() as u64) < iterations;
    let outcome =
        if lost { Outcome::Diverged { step: losses.len() as u64, reason: "loss is NaN".into() } } else { Outcome::Completed };
    Trial { learning_rate: rate, seed, iterations, recovery: None, outcome, verdict, losses, probe: Vec::new() }
}

fn loss(rate: f64, seed: u64, k: u64, verdict: Verdict) -> Option<f64> {
    let wave = (k as f64 * 12.9898 + seed as f64 * 78.233 + rate * 37.7).sin() * 43_758.547;
    let noise = wave - wave.floor() - 0.5;
    let grown = START * (1.0 + 0.4 * noise) * 1.25f64.powf(k as f64);
    match verdict {
        Verdict::NonFinite => (k < 14 + seed % 3).then_some(grown),
        Verdict::BlowUp => Some(grown.min(40.0 + 30.0 * (seed % 3) as f64 + 10.0 * noise)),
        Verdict::Collapsed => Some(2.31 + 0.05 * noise - 0.3 * (-(k as f64) / 10.0).exp()),
        _ => {
            let floor = 0.06 + 0.9 * rate * rate + 0.02 * (seed % 3) as f64;
            let pace = 0.9 * rate / (1.0 + 12.0 * rate);
            let mean = floor + (START - floor) / (1.0 + pace * k as f64).powf(1.2);
            Some(mean * (1.0 + (0.25 + 0.3 * rate) * noise))
        }
    }
}
