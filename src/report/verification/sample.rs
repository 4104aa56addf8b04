//! Verifications for the tests of the renderers.

use super::*;
use crate::report::sample;

/// The digits of the seeds' names.
const SEEDS: [u64; 2] = [1_000_000, 1_000_001];

/// Ten evaluations on the way from 2.5 down to `end`.
fn run(seed: u64, end: f64) -> RunReport {
    let costs: Vec<Option<f64>> = (0..=10).map(|k| Some(end + (2.5 - end) * (1.0 - f64::from(k) / 10.0).powi(4))).collect();
    let held_out_costs = costs.iter().map(|cost| cost.map(|cost| cost + 0.2)).collect();
    RunReport { seed, outcome: Outcome::Completed, unstable: None, training_costs: costs, held_out_costs }
}

fn row(learning_rate: f64, roles: &[Role], cost: f64, regret: f64) -> RateReport {
    RateReport {
        learning_rate,
        roles: roles.to_vec(),
        training_cost: Some(cost),
        held_out_cost: Some(cost + 0.2),
        cost_ratio: Some(cost / 0.01),
        regret: Some(regret),
        finished: 2,
        unstable: 0,
        iterations_to_best: (regret < 0.01).then_some(8_100),
        runs: SEEDS.map(|seed| run(seed, cost * if seed % 2 == 0 { 0.9 } else { 1.1 })).into(),
    }
}

/// The recommended rate is stable, the one below the threshold a little better.
pub(crate) fn held() -> Verification {
    Verification {
        schema_version: SCHEMA_VERSION,
        tool: Tool { name: "lrfind".into(), version: "0.1.0".into() },
        name: "digits".into(),
        status: Status::Complete,
        config: serde_json::Value::Null,
        config_sha256: "00".into(),
        device: "flex".into(),
        run: FullRunFacts {
            iterations: 9_000,
            fraction: 1.0,
            schedule: sample::schedule().shape,
            costs_of: CostsOf::WholeData,
            seeds: SEEDS.into(),
            evaluated_at: (0..=10).map(|k| 900 * k).collect(),
        },
        warnings: Vec::new(),
        verdict: HoldVerdict {
            answer: Answer::Held,
            learning_rate: 0.12,
            best_learning_rate: Some(0.5),
            regret: Some(0.004),
            cost_ratio: Some(1.04),
            seeds_compared: 2,
            first_unstable: None,
        },
        claim: Some(ClaimReport {
            paid: Paid::Yes,
            best_early: 0.05,
            higher: 0.5,
            saving: 0.03,
            low: Some(0.01),
            high: Some(0.05),
            cost_ratio: Some(0.25),
            better_seeds: 2,
            seeds_compared: 2,
        }),
        rates: vec![
            row(0.05, &[Role::Configured, Role::BestEarly], 0.04, 0.034),
            row(0.12, &[Role::Recommended], 0.0104, 0.004),
            row(0.5, &[Role::BelowThreshold], 0.01, 0.0),
        ],
        cost: Cost { trial_iterations: 54_000, share_of_planned_run: Some(6.0) },
    }
}

/// A run at the recommended rate diverges, and so does one just below the threshold.
pub(crate) fn unstable() -> Verification {
    let mut verification = held();
    verification.verdict.answer = Answer::Unstable;
    verification.verdict.first_unstable = Some(0.12);
    for row in &mut verification.rates[1..] {
        let lost = &mut row.runs[1];
        lost.outcome = Outcome::Diverged { step: 2_000, reason: "the loss became NaN".into() };
        lost.unstable = Some(Verdict::NonFinite);
        lost.training_costs.truncate(3);
        lost.held_out_costs.truncate(3);
        row.unstable = 1;
        row.held_out_cost = None;
    }
    verification
}
