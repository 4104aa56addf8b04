//! Literal reports for the tests of the renderers.

use serde_json::json;

use super::*;
use crate::record::{Outcome, ProbePoint};
use crate::schedule::{Decay, Schedule};

/// A linear decay from 0.12.
pub(crate) fn schedule() -> ScheduleReport {
    ScheduleReport {
        kind: "linear".into(),
        initial: 0.12,
        final_rate: 0.0012,
        decay_iterations: 9_000,
        decay_epochs: 200.0,
        shape: Schedule {
            decay: Decay::Linear { final_fraction: 0.01 },
            warmup_iterations: 0,
            decay_iterations: 9_000,
            iterations_per_epoch: 45,
        },
    }
}

fn trial(learning_rate: f64, seed: u64, verdict: Verdict) -> Trial {
    let (outcome, steps) = match verdict {
        Verdict::NonFinite => (Outcome::Diverged { step: 3, reason: "loss is NaN".into() }, 3),
        _ => (Outcome::Completed, 100),
    };
    Trial {
        learning_rate,
        seed,
        iterations: 100,
        recovery: None,
        outcome,
        verdict,
        losses: (0..steps).map(|k| 2.5 * 0.5f64.powi(k)).collect(),
        probe: vec![ProbePoint { iteration: 0, loss: Some(2.5) }, ProbePoint { iteration: 3, loss: None }],
    }
}

/// A `find` that found.
pub(crate) fn found() -> Report {
    Report {
        schema_version: SCHEMA_VERSION,
        tool: Tool { name: "lrfind".into(), version: "0.1.0".into() },
        name: "digits".into(),
        status: Status::Complete,
        config: json!({ "name": "digits", "model": { "hidden": [64, 64] } }),
        config_sha256: "00".into(),
        inputs_sha256: Some("01".into()),
        seeds: vec![0, 1, 2],
        device: "flex".into(),
        run: RunFacts {
            optimizer: "SGD with momentum 0.9".into(),
            model: "MLP 64-64-64-10, ReLU".into(),
            parameters: 9_034,
            examples: 1_438,
            batch_size: 32,
            planned_iterations: Some(9_000),
            short_iterations: 100,
            long_iterations: 400,
        },
        best_early: Finding {
            value: Some(BestEarly {
                learning_rate: 0.05,
                iterations: 100,
                loss: Spread { median: 0.312, low: 0.298, high: 0.341 },
            }),
            reason: None,
        },
        instability: Instability {
            last_stable: Some(0.562),
            first_unstable: Some(0.631),
            threshold: Some(0.5955),
            resolution_decades: 0.02,
            interval: Some(Interval { low: 0.55, median: 0.61, high: 0.66, confidence: 0.9 }),
            full_run_interval: Some(RateInterval { low: 0.54, high: 0.88, confidence: 0.9 }),
            evidence: vec![Evidence {
                learning_rate: 0.631,
                iterations: 100,
                seeds: 3,
                unstable: 2,
                reason: Some(Verdict::Collapsed),
            }],
            censored: None,
        },
        recommendation: Recommendation {
            learning_rate: Some(0.12),
            low: Some(0.09),
            high: Some(0.16),
            headroom: Some(4.96),
            p_unstable: Some(0.012),
            because: vec!["it keeps 93 % of the best rate's progress".into(), "it is 5 times below the threshold".into()],
        },
        schedule: Some(schedule()),
        check: None,
        trials: vec![trial(0.05, 0, Verdict::Good), trial(0.05, 2, Verdict::Good), trial(0.631, 0, Verdict::Collapsed)],
        warnings: vec![Warning {
            code: "few-seeds".into(),
            message: "only 3 seeds were tried".into(),
            hint: "give --seeds 5".into(),
        }],
        cost: Cost { trial_iterations: 12_300, share_of_planned_run: Some(1.37) },
        curves: None,
    }
}

/// A `find` without a recommendation.
pub(crate) fn nothing_found() -> Report {
    Report {
        best_early: Finding { value: None, reason: Some("the loss does not fall at any rate".into()) },
        instability: Instability {
            last_stable: Some(10.0),
            first_unstable: None,
            threshold: None,
            resolution_decades: 0.02,
            interval: None,
            full_run_interval: None,
            evidence: vec![],
            censored: Some(Censored::AboveRange),
        },
        recommendation: Recommendation {
            learning_rate: None,
            low: None,
            high: None,
            headroom: None,
            p_unstable: None,
            because: vec!["no rate did better than the others beyond the noise of the seeds".into()],
        },
        schedule: None,
        ..found()
    }
}

/// A `check` that condemns 0.5.
pub(crate) fn checked() -> Report {
    Report {
        check: Some(Check {
            learning_rate: 0.5,
            verdict: CheckVerdict::Unstable,
            unstable_seeds: 2,
            seeds: 3,
            safe_learning_rate: Some(0.12),
            findings: vec!["2 of 3 seeds became unstable within 100 iterations".into()],
        }),
        trials: vec![
            trial(0.5, 0, Verdict::Collapsed),
            trial(0.5, 1, Verdict::NonFinite),
            trial(0.5, 2, Verdict::Good),
            trial(1.0, 0, Verdict::BlowUp),
        ],
        ..nothing_found()
    }
}
