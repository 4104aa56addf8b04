use super::*;
use crate::record::{Evaluation, TrialSpec};
use crate::schedule::{Decay, Schedule};

fn rate(value: f64) -> LearningRate {
    LearningRate::new(value).unwrap()
}

fn spec(at: f64, seed: u64) -> TrialSpec {
    let decay = Decay::Linear { final_fraction: 0.01 };
    let schedule = Schedule { decay, warmup_iterations: 0, decay_iterations: 100, iterations_per_epoch: 10 };
    TrialSpec::full(rate(at), seed, schedule, 100, 10)
}

/// A run of 100 iterations, evaluated before it and after every ten.
fn run(at: f64, seed: u64, costs: [f64; 11]) -> TrialRecord {
    let evaluation = |(k, cost): (usize, f64)| Evaluation {
        iteration: 10 * k as u64,
        train: cost.is_finite().then_some(cost),
        held_out: cost.is_finite().then_some(2.0 * cost),
    };
    let evaluations = costs.into_iter().enumerate().map(evaluation).collect();
    TrialRecord { evaluations, ..TrialRecord::blank(spec(at, seed), Outcome::Completed) }
}

/// From 10 down to 4 after a tenth, and then evenly to `end`.
fn falling(at: f64, seed: u64, end: f64) -> TrialRecord {
    let costs = std::array::from_fn(|k| if k == 0 { 10.0 } else { 4.0 + (end - 4.0) * (k - 1) as f64 / 9.0 });
    run(at, seed, costs)
}

/// Not finite after 35 iterations.
fn diverged(at: f64, seed: u64) -> TrialRecord {
    let mut record = falling(at, seed, 1.0);
    record.evaluations.truncate(4);
    record.outcome = Outcome::Diverged { step: 35, reason: "the loss became NaN".into() };
    record
}

const SUBJECT: fn() -> Subject =
    || Subject { recommended: rate(0.2), best_early: Some(rate(0.1)), configured: Some(rate(0.05)) };

/// Two seeds of three rates that all train, the recommended one best.
fn good() -> Vec<TrialRecord> {
    let ends = [(0.05, [2.5, 2.7]), (0.1, [2.0, 2.1]), (0.2, [1.0, 1.2])];
    ends.into_iter().flat_map(|(at, ends)| [falling(at, 0, ends[0]), falling(at, 1, ends[1])]).collect()
}

#[test]
fn a_recommendation_that_is_best_holds_without_regret() {
    let runs = good();
    let found = assess_full(&runs, &SUBJECT());
    assert_eq!((found.answer, &found.seeds), (Answer::Held, &vec![0, 1]));
    let hindsight = found.hindsight.unwrap();
    assert_eq!((hindsight.best, hindsight.initial, hindsight.tenth, hindsight.least), (rate(0.2), 10.0, 4.0, 1.1));
    let [configured, early, recommended] = &found.rates[..] else { panic!("{found:?}") };
    assert_eq!((recommended.cost, recommended.held_out, recommended.regret), (Some(1.1), Some(2.2), Some(0.0)));
    assert_eq!((recommended.reached, early.reached), (Some(100), None));
    assert!((recommended.ratio.unwrap() - 1.0).abs() < 1e-12);
    // (2.05 − 1.1) / (4 − 1.1), and 2.05 / 1.1.
    assert!((early.regret.unwrap() - 0.95 / 2.9).abs() < 1e-12);
    assert!((early.ratio.unwrap() - 2.05 / 1.1).abs() < 1e-4);
    assert_eq!([configured, early, recommended].map(RateOutcome::unstable), [0; 3]);
}

#[test]
fn the_order_of_the_runs_does_not_matter() {
    let runs = good();
    let mut reversed = runs.clone();
    reversed.reverse();
    assert_eq!(assess_full(&runs, &SUBJECT()), assess_full(&reversed, &SUBJECT()));
}

#[test]
fn higher_pays_when_the_seeds_agree() {
    let runs = good();
    let claim = assess_full(&runs, &SUBJECT()).claim.unwrap();
    assert_eq!((claim.higher, claim.better, claim.seeds), (rate(0.2), 2, 2));
    // (1 + 0.9) / 2 over a span of 2.9; the two differ by 0.1, so the standard error is 0.05.
    assert!((claim.saving - 0.95 / 2.9).abs() < 1e-12);
    let (low, high) = claim.interval.unwrap();
    assert!((low - (0.95 - 6.314 * 0.05) / 2.9).abs() < 1e-12 && (high - (0.95 + 6.314 * 0.05) / 2.9).abs() < 1e-12);
    assert_eq!(claim.paid, Paid::Yes);
    assert!((claim.ratio.unwrap() - 1.1 / 2.05).abs() < 1e-4);
}

#[test]
fn higher_does_not_pay_or_is_unclear() {
    let lower = |ends: [f64; 2]| {
        let mut runs = good();
        (runs[4], runs[5]) = (falling(0.2, 0, ends[0]), falling(0.2, 1, ends[1]));
        assess_full(&runs, &SUBJECT()).claim.unwrap()
    };
    assert_eq!(lower([3.0, 3.1]).paid, Paid::No);
    let mixed = lower([1.9, 2.3]);
    assert_eq!((mixed.paid, mixed.better), (Paid::Unclear, 1));
    // Of one seed nobody knows the spread.
    let single: Vec<TrialRecord> = good().into_iter().filter(|run| run.spec.seed == 0).collect();
    let claim = assess_full(&single, &SUBJECT()).claim.unwrap();
    assert_eq!((claim.paid, claim.interval, claim.better), (Paid::Unclear, None, 1));
    // An unstable rate does not pay, whatever its mean; a stable one is preferred to it.
    let mut runs = good();
    runs.push(falling(0.4, 0, 0.1));
    runs.push(diverged(0.4, 1));
    assert_eq!(assess_full(&runs, &SUBJECT()).claim.unwrap().higher, rate(0.2));
    runs.retain(|run| run.spec.learning_rate != rate(0.2));
    let claim = assess_full(&runs, &SUBJECT()).claim.unwrap();
    assert_eq!((claim.higher, claim.paid), (rate(0.4), Paid::No));
    // Nothing above the best early rate was tested.
    let subject = Subject { best_early: Some(rate(0.2)), ..SUBJECT() };
    assert_eq!(assess_full(&good(), &subject).claim, None);
}

#[test]
fn a_diverged_run_makes_its_rate_unstable_and_counts_as_nothing_learnt() {
    let mut runs = good();
    runs[5] = diverged(0.2, 1);
    let found = assess_full(&runs, &SUBJECT());
    assert_eq!(found.answer, Answer::Unstable);
    let recommended = &found.rates[2];
    assert_eq!(recommended.runs.iter().map(|run| run.unstable).collect::<Vec<_>>(), [None, Some(Verdict::NonFinite)]);
    assert_eq!((recommended.cost, recommended.held_out, recommended.reached), (Some(5.5), None, None));
    assert_eq!(found.hindsight.unwrap().best, rate(0.1));
}

#[test]
fn lost_ground_is_unstable_only_above_the_best_rate() {
    let lost = |end: f64| {
        let mut runs = good();
        runs.push(falling(0.4, 0, end));
        runs.push(falling(0.4, 1, 1.5));
        let found = assess_full(&runs, &SUBJECT());
        (found.rates[3].runs[0].unstable, found.answer)
    };
    // J_ref is 4. A rate that is neither recommended nor configured does not change the answer.
    assert_eq!(lost(3.9), (None, Answer::Held));
    assert_eq!(lost(4.1), (Some(Verdict::Collapsed), Answer::Held));
    assert_eq!(lost(11.0), (Some(Verdict::BlowUp), Answer::Held));
    // Below the best rate such a run is slow, not unstable.
    let mut runs = good();
    runs[0] = falling(0.05, 0, 9.0);
    let found = assess_full(&runs, &SUBJECT());
    assert_eq!((found.rates[0].unstable(), found.answer), (0, Answer::Held));
}

#[test]
fn the_configured_rate_counts_too() {
    let mut runs = good();
    runs[1] = diverged(0.05, 1);
    assert_eq!(assess_full(&runs, &SUBJECT()).answer, Answer::Unstable);
    assert_eq!(assess_full(&runs, &Subject { configured: None, ..SUBJECT() }).answer, Answer::Held);
}

#[test]
fn a_slow_recommendation_is_behind() {
    let subject = Subject { recommended: rate(0.05), ..SUBJECT() };
    let mut runs = good();
    (runs[0], runs[1]) = (falling(0.05, 0, 4.5), falling(0.05, 1, 4.2));
    let found = assess_full(&runs, &subject);
    assert_eq!(found.answer, Answer::Behind);
    assert!(found.rates[0].regret.unwrap() > 1.0);
}

#[test]
fn seeds_that_did_not_finish_everywhere_are_left_out() {
    let mut runs = good();
    runs[1].outcome = Outcome::Cancelled;
    let found = assess_full(&runs, &SUBJECT());
    assert_eq!((found.answer, &found.seeds, found.rates[2].cost), (Answer::Held, &vec![0], Some(1.0)));
    runs[0].outcome = Outcome::Failed { message: "out of memory".into() };
    let found = assess_full(&runs, &SUBJECT());
    assert_eq!((found.answer, found.seeds.len(), found.rates[2].cost), (Answer::Inconclusive, 0, None));
    // What is not finite needs no comparison.
    runs[4] = diverged(0.2, 0);
    assert_eq!(assess_full(&runs, &SUBJECT()).answer, Answer::Unstable);
    assert_eq!(assess_full(&[], &SUBJECT()).answer, Answer::Inconclusive);
}

#[test]
fn nothing_learnt_is_inconclusive_unless_a_run_is_lost() {
    let flat = |at: f64, end: f64| run(at, 0, std::array::from_fn(|k| if k == 10 { end } else { 1.0 }));
    let subject = SUBJECT();
    let runs = [flat(0.05, 1.0), flat(0.1, 1.0), flat(0.2, 1.000_001)];
    let found = assess_full(&runs, &subject);
    assert_eq!((found.answer, found.hindsight, found.claim), (Answer::Inconclusive, None, None));
    let runs = [flat(0.05, 1.0), flat(0.1, 1.0), flat(0.2, 50.0)];
    assert_eq!(assess_full(&runs, &subject).answer, Answer::Unstable);
}

#[test]
fn costs_of_nothing_are_equal() {
    assert_eq!(ratio(1e-12, 0.0, 1.0).map(f64::round), Some(1.0));
    assert_eq!(ratio(-1.0, -2.0, 3.0), None);
    assert_eq!(ratio(0.0, 0.0, 0.0), None);
}
