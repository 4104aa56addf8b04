//! What sets of trials, made by hand, say.

use super::*;
use crate::record::Recovery;

const LENGTHS: Lengths = Lengths { short: 50, long: 100, confirm: 105 };

fn premises(lengths: Lengths) -> Premises {
    Premises {
        lengths,
        safety: Safety { factor: 1.6, margin: 1.5 },
        lowest: None,
        recovers: true,
        constant_cost: None,
        adaptive: false,
    }
}

fn rate(value: f64) -> LearningRate {
    LearningRate::new(value).unwrap()
}

/// A trial of seed 0 whose loss falls from 2 to 1, and its probe to `end`, after a tail of this length if it is above 0.
fn trial(learning_rate: f64, iterations: u64, tail: u64, end: f64) -> TrialRecord {
    let recovery = (tail > 0).then(|| Recovery { learning_rate: rate(learning_rate / 100.0), iterations: tail });
    let spec = TrialSpec { recovery, ..TrialSpec::steady(rate(learning_rate), 0, iterations) };
    let total = spec.total_iterations();
    let point = |iteration, loss| ProbePoint { iteration, loss: Some(loss) };
    TrialRecord {
        losses: (0..total).map(|step| 2.0 - step as f64 / total as f64).collect(),
        probe: vec![point(0, 2.0), point(total, end)],
        ..TrialRecord::blank(spec, Outcome::Completed)
    }
}

fn settling(learning_rate: f64, tail: u64, settled: f64) -> TrialRecord {
    trial(learning_rate, LENGTHS.long, tail, settled)
}

fn diverged(learning_rate: f64, iterations: u64) -> TrialRecord {
    let spec = TrialSpec::steady(rate(learning_rate), 0, iterations);
    TrialRecord::blank(spec, Outcome::Diverged { step: 3, reason: String::new() })
}

/// The contenders among 0.1, 0.2 and 0.4 that settle at these costs.
fn contenders(costs: [f64; 3]) -> Vec<f64> {
    let trials: Vec<TrialRecord> = [0.1, 0.2, 0.4].iter().zip(costs).map(|(&r, cost)| settling(r, 25, cost)).collect();
    assess(&trials, &premises(LENGTHS)).contenders(2, 1.2).into_iter().map(LearningRate::get).collect()
}

#[test]
fn only_rates_that_settle_near_each_other_contend() {
    assert_eq!(contenders([0.5, 0.3, 0.33]), [0.2, 0.4]);
    assert_eq!(contenders([0.35, 0.3, 0.31]), [0.2, 0.4], "two at most");
    assert!(contenders([0.5, 0.3, 0.4]).is_empty(), "nothing is near the best");
    assert!(contenders([0.1, 0.0, 0.2]).is_empty(), "nothing is near zero");
    assert_eq!(contenders([-0.1, -0.5, 0.5]), [0.2, 0.1], "no factor says what is near a cost below zero");
}

#[test]
fn a_yardstick_that_diverged_is_not_called_good() {
    let lost = TrialRecord {
        outcome: Outcome::Diverged { step: 15, reason: String::new() },
        ..trial(0.1, LENGTHS.yardstick(), 10, 1.2)
    };
    let trials = [trial(0.1, LENGTHS.short, 0, 1.5), lost];
    let assessment = assess(&trials, &premises(LENGTHS));
    assert_eq!(assessment.yardsticks[0].verdict, Verdict::NonFinite);
}

#[test]
fn of_trials_that_differ_in_their_tail_the_longest_counts() {
    let trials = [settling(0.1, 25, 0.9), settling(0.1, 100, 0.3), settling(0.2, 25, 0.5)];
    let tails =
        |trials: &[TrialRecord]| of_length(trials, LENGTHS.long).iter().map(|t| t.spec.total_iterations()).collect::<Vec<_>>();
    assert_eq!(tails(&trials), [200, 125]);
    // One that failed knows nothing.
    let failed = TrialRecord { outcome: Outcome::Failed { message: "no".into() }, ..trials[1].clone() };
    assert_eq!(tails(&[trials[0].clone(), failed, trials[2].clone()]), [125, 200, 125]);
}

#[test]
fn losses_that_swing_between_nothing_and_much_are_not_the_best() {
    let mut swinging = trial(0.4, LENGTHS.short, 0, 1.5);
    for (step, loss) in swinging.losses.iter_mut().enumerate() {
        *loss = if matches!(step % 5, 1 | 4) { 30.0 } else { 0.0 };
    }
    let calm = trial(0.1, LENGTHS.short, 0, 1.0);
    let best = |trials: &[TrialRecord]| assess(trials, &premises(LENGTHS)).best_early().map(LearningRate::get);
    assert_eq!(best(&[calm, swinging.clone()]), Some(0.1));
    assert_eq!(best(&[swinging]), None, "alone it shows no more");
}

#[test]
fn longer_trials_that_all_lose_what_short_ones_had_learnt_are_lost() {
    let short = [trial(0.1, LENGTHS.short, 0, 1.0), trial(0.1, LENGTHS.yardstick(), 10, 0.5)];
    let verdicts = |ends: [f64; 2]| {
        let long = [settling(0.1, 25, ends[0]), settling(0.2, 25, ends[1])];
        let trials: Vec<TrialRecord> = short.iter().chain(&long).cloned().collect();
        let assessment = assess(&trials, &premises(LENGTHS));
        assessment.long.unwrap().trials.iter().map(|t| t.verdict.is_unstable()).collect::<Vec<_>>()
    };
    assert_eq!(verdicts([0.4, 0.3]), [false, false]);
    assert_eq!(verdicts([0.4, 1.9]), [false, true]);
    assert_eq!(verdicts([1.9, 1.8]), [true, true], "even the rate that had learnt it");
}

#[test]
fn a_longer_trial_that_settles_at_a_constant_prediction_is_lost_if_another_learns() {
    // Of a loss of 2 at first, the yardstick is at 1.2 when it is measured: a constant prediction costs less.
    let at_best = |end| [trial(0.1, LENGTHS.short, 0, 1.5), trial(0.1, LENGTHS.yardstick(), 10, 1.2), settling(0.1, 25, end)];
    let is_lost = |end: f64, settled: f64, constant_cost: Option<f64>| {
        let trials: Vec<TrialRecord> = at_best(end).into_iter().chain([settling(0.2, 25, settled)]).collect();
        let assessment = assess(&trials, &Premises { constant_cost, ..premises(LENGTHS) });
        assessment.bracket.first_unstable == Some(rate(0.2))
    };
    assert!(!is_lost(0.3, 1.0, None), "better than the yardstick");
    assert!(is_lost(0.3, 1.0, Some(1.0)), "and yet no better than a constant");
    assert!(!is_lost(0.3, 0.9, Some(1.0)));
    assert!(!is_lost(0.98, 1.0, Some(1.0)), "nothing learns here");
}

#[test]
fn where_a_lost_trial_comes_back_full_runs_may_stand_higher_rates() {
    let interval = |settled: f64| {
        let at_best = [trial(0.1, LENGTHS.short, 0, 0.5), trial(0.1, LENGTHS.yardstick(), 10, 0.1), settling(0.1, 25, 0.02)];
        let trials: Vec<TrialRecord> = at_best.into_iter().chain([settling(0.2, 25, settled)]).collect();
        let assessment = assess(&trials, &premises(LENGTHS));
        assert_eq!(assessment.bracket.first_unstable, Some(rate(0.2)), "settled at {settled}");
        let (low, high) = assessment.full_run_interval().unwrap();
        (low.get(), high.get())
    };
    let (lost, comes_back) = (interval(1.5), interval(0.19));
    assert!((1.0..1.2).contains(&(comes_back.0 / lost.0)), "{lost:?}, {comes_back:?}");
    assert!(comes_back.1 > 1.2 * lost.1, "{lost:?}, {comes_back:?}");
}

#[test]
fn a_yardstick_that_is_lost_itself_excuses_nobody() {
    let lengths = Lengths { short: 50, long: 500, confirm: 525 };
    let at = |learning_rate, iterations, tail, end| trial(learning_rate, iterations, tail, end);
    let trials = [at(0.1, 50, 0, 1.0), at(0.1, lengths.yardstick(), 25, 1.9), at(0.1, 500, 125, 1.9), at(0.2, 500, 125, 1.8)];
    let assessment = assess(&trials, &premises(lengths));
    assert!(assessment.long.unwrap().trials.iter().all(|t| t.verdict.is_unstable()), "the short trial had ended at 1");
}

#[test]
fn rates_far_below_the_threshold_show_by_how_much_they_learn() {
    let around = [0.01, 0.1, 0.3].map(rate);
    let is_far_below = |ends: [f64; 3]| {
        // The losses fall from 2 to the end within the trial.
        let trial = |(learning_rate, end): (LearningRate, f64)| {
            let mut trial = trial(learning_rate.get(), LENGTHS.short, 0, end);
            let steps = trial.losses.len() as f64;
            trial
                .losses
                .iter_mut()
                .enumerate()
                .for_each(|(i, loss)| *loss = 2.0 - (2.0 - end) * (i as f64 / steps).min(0.5) * 2.0);
            trial
        };
        let trials: Vec<TrialRecord> = around.into_iter().zip(ends).map(trial).collect();
        assess(&trials, &premises(LENGTHS)).is_far_below(around)
    };
    assert!(is_far_below([1.5, 0.5, 0.4]), "well on its way, and far above it too");
    assert!(is_far_below([1.99, 1.8, 0.4]), "slow, where far above it is learnt");
    assert!(!is_far_below([1.99, 1.9, 1.2]), "nowhere much is learnt");
    assert!(!is_far_below([0.5, 0.5, 0.5]), "all may be lost in the same way");
    assert!(!is_far_below([1.5, 0.5, 2.5]), "lost far above");
}

#[test]
fn a_confirmation_does_not_raise_what_it_confirms() {
    let mut trials = vec![trial(0.1, LENGTHS.short, 0, 1.0), diverged(0.4, LENGTHS.short), settling(0.1, 25, 0.9)];
    let before = assess(&trials, &premises(LENGTHS));
    let chosen = before.choice.learning_rate;
    assert!(chosen.is_some() && !before.is_confirmed());
    trials.push(trial(chosen.unwrap().get(), LENGTHS.confirm, 25, 0.9));
    trials.push(trial(0.2, LENGTHS.confirm, 25, 0.9));
    let after = assess(&trials, &premises(LENGTHS));
    assert_eq!((after.choice.learning_rate, after.is_confirmed()), (chosen, true));
    assert_eq!(after.bracket.last_stable, Some(rate(0.1)));
    // One that fails lowers it.
    trials.push(diverged(0.15, LENGTHS.confirm));
    let first = assess(&trials, &premises(LENGTHS)).bracket.first_unstable;
    assert_eq!(first, Some(rate(0.15)));
}

#[test]
fn a_longer_trial_that_dies_late_is_lost_below_the_best_early_rate_too() {
    let short =
        [trial(0.1, LENGTHS.short, 0, 1.2), trial(0.4, LENGTHS.short, 0, 1.0), trial(0.4, LENGTHS.yardstick(), 10, 0.9)];
    // From step 60 on its losses are back near where they began.
    let dies = |tail: u64| {
        let mut dies = settling(0.1, tail, 1.9);
        dies.losses.iter_mut().skip(60).for_each(|loss| *loss = 1.9);
        dies
    };
    let verdict = |long: TrialRecord| {
        let trials: Vec<TrialRecord> = short.iter().cloned().chain([long]).collect();
        assess(&trials, &premises(LENGTHS)).long.unwrap().trials[0].verdict
    };
    assert_eq!(verdict(dies(25)), Verdict::Collapsed);
    assert_eq!(verdict(dies(0)), Verdict::Collapsed, "where no rate can fall");
    assert!(!verdict(settling(0.1, 25, 0.8)).is_unstable());
}

#[test]
fn what_is_recommended_leaves_the_margin_of_a_check_below_the_highest_stable_rate() {
    let trials = [trial(0.1, LENGTHS.short, 0, 1.0), trial(0.2, LENGTHS.short, 0, 1.0), diverged(0.24, LENGTHS.short)];
    let cap = |safety| assess(&trials, &Premises { safety, ..premises(LENGTHS) }).bracket.cap(safety).unwrap().get();
    // The threshold, 0.219, over 1.6 is 0.137, and 1.5 times that is more than 0.2.
    assert_eq!(cap(Safety { factor: 1.6, margin: 1.5 }), 0.1334);
    assert_eq!(cap(Safety { factor: 2.0, margin: 1.5 }), 0.1096);
    assert_eq!(cap(Safety { factor: 1.2, margin: 1.5 }), 0.1667, "a smaller factor is meant to go nearer");
}

#[test]
fn a_loss_that_exploded_is_unstable_wherever_it_ends() {
    let mut wild = trial(0.2, LENGTHS.short, 0, 1.0);
    wild.losses[20] = 1e8;
    let calm = trial(0.1, LENGTHS.short, 0, 1.0);
    let verdicts = |trials: &[TrialRecord]| {
        let assessment = assess(trials, &premises(LENGTHS));
        let verdicts: Vec<Verdict> = assessment.trials().map(|t| t.verdict).collect();
        (assessment.best_early().map(LearningRate::get), verdicts)
    };
    assert_eq!(verdicts(&[calm.clone(), wild.clone()]), (Some(0.1), vec![Verdict::Good, Verdict::BlowUp]));
    // Though it would be the best one.
    wild.losses[25..].fill(0.0);
    assert_eq!(verdicts(&[calm.clone(), wild.clone()]), (Some(0.1), vec![Verdict::Good, Verdict::BlowUp]));
    wild.losses[20] = 1e5;
    assert_eq!(verdicts(&[calm.clone(), wild]).0, Some(0.2), "a spike is none");
    // Printed with two digits, a rate too low to learn is flat but for a wiggle.
    let mut flat = trial(0.001, LENGTHS.short, 0, 2.0);
    flat.losses.fill(2.3);
    flat.losses[10] = 2.31;
    flat.probe.clear();
    assert_eq!(verdicts(&[flat, calm]), (Some(0.1), vec![Verdict::Slow, Verdict::Good]));
}

#[test]
fn one_run_counts_once_in_the_posterior() {
    let short = [0.1, 0.2, 0.3].map(|r| trial(r, LENGTHS.short, 0, 1.0));
    let trials = [short.as_slice(), &[diverged(0.4, LENGTHS.short)]].concat();
    let posterior = |trials: &[TrialRecord]| assess(trials, &premises(LENGTHS)).posterior().unwrap();
    let longer = [0.1, 0.2, 0.3].map(|r| trial(r, LENGTHS.long, 0, 1.0));
    assert_eq!(posterior(&[trials.as_slice(), &longer].concat()), posterior(&trials));
    let mut fresh = longer;
    for trial in &mut fresh {
        trial.spec.seed = 7;
    }
    assert_ne!(posterior(&[trials.as_slice(), &fresh].concat()), posterior(&trials));
}
