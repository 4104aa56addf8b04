use super::axis::Range;
use super::data::*;
use super::sample::{trial, with_trials};
use crate::lr::LearningRate;
use crate::record::{Outcome, ProbePoint, Recovery};
use crate::report::{Trial, Verdict};

/// A trial with just these losses.
fn with_losses(rate: f64, seed: u64, iterations: u64, losses: Vec<f64>) -> Trial {
    let outcome = if (losses.len() as u64) < iterations {
        Outcome::Diverged { step: losses.len() as u64, reason: "loss is NaN".into() }
    } else {
        Outcome::Completed
    };
    Trial { losses, outcome, iterations, verdict: Verdict::Good, ..trial(rate, seed, 1) }
}

#[test]
fn an_end_is_the_median_of_the_last_fifth_over_seeds() {
    // 40 losses: the last 8 count. Seeds end at 1, 2 and 6.
    let losses = |end: f64| [vec![9.0; 32], vec![end; 8]].concat();
    let trials = [1.0, 6.0, 2.0].iter().zip(0..).map(|(end, seed)| with_losses(0.1, seed, 40, losses(*end)));
    let mut report = with_trials(trials.collect());
    report.run.short_iterations = 40;
    assert_eq!(short_ends(&report), [End { rate: 0.1, low: 1.0, middle: 2.0, high: 6.0, seeds: 3 }]);
    // Of two the middle is that of the report, and infinite where one was lost.
    report.trials.pop();
    assert_eq!(short_ends(&report)[0].middle, 3.5);
    report.trials[1] = with_losses(0.1, 1, 40, vec![9.0; 39]);
    assert_eq!(short_ends(&report)[0].middle, f64::INFINITY);
    assert!(long_ends(&report).is_empty());
}

#[test]
fn a_trial_that_ended_early_has_an_infinite_end() {
    let mut report = with_trials(vec![with_losses(0.1, 0, 40, vec![1.0; 40]), with_losses(1.0, 0, 40, vec![1.0; 39])]);
    report.run.short_iterations = 40;
    let ends = short_ends(&report);
    assert_eq!((ends[0].middle, ends[1].middle), (1.0, f64::INFINITY));
    assert_eq!(rates(&report), [0.1, 1.0]);
}

#[test]
fn long_trials_whose_rate_falls_are_shown_by_what_they_settle_at() {
    let falling = |rate: f64, tail: u64, settled: Option<f64>| Trial {
        recovery: Some(Recovery { learning_rate: LearningRate::new(rate / 100.0).unwrap(), iterations: tail }),
        probe: settled.map(|loss| ProbePoint { iteration: 80 + tail, loss: Some(loss) }).into_iter().collect(),
        ..with_losses(rate, 0, 80, vec![2.0; 80])
    };
    let trials = vec![with_losses(0.1, 0, 40, vec![3.0; 40]), falling(0.1, 20, Some(0.5)), falling(0.2, 20, Some(0.9))];
    let mut report = with_trials(trials);
    (report.run.short_iterations, report.run.long_iterations) = (40, 80);
    let middles = |report: &_| long_ends(report).iter().map(|e| e.middle).collect::<Vec<_>>();
    assert!(settles(&report));
    assert_eq!(middles(&report), [0.5, 0.9]);
    // Of two tails the longer one tells more, and a trial that never got through its tail has no end.
    report.trials.extend([falling(0.2, 80, Some(0.7)), falling(0.4, 20, None)]);
    assert_eq!(middles(&report), [0.5, 0.7, f64::INFINITY]);
    // Of two seeds the mean, as where the rate is chosen.
    report.trials.push(Trial { seed: 1, ..falling(0.1, 20, Some(0.75)) });
    assert_eq!(middles(&report), [0.625, 0.7, f64::INFINITY]);
    assert!(decays(&report));
    // A run that keeps its rate has tails that keep it too.
    let steady = |t: &mut Trial| {
        t.recovery = t.recovery.map(|tail| Recovery { learning_rate: LearningRate::new(t.learning_rate).unwrap(), ..tail });
    };
    report.trials.iter_mut().for_each(steady);
    assert!(settles(&report) && !decays(&report));
    report.trials.iter_mut().for_each(|t| t.recovery = None);
    assert!(!settles(&report));
    assert_eq!(middles(&report), [2.0, 2.0, 2.0]);
}

#[test]
fn trials_of_one_length_are_not_mixed_with_those_of_another() {
    let of = |seed, n: usize, end: f64| with_losses(0.12, seed, n as u64, [vec![4.0; n / 2], vec![end; n / 2]].concat());
    let mut report = with_trials(vec![of(0, 40, 3.0), of(1, 40, 3.5), of(0, 80, 2.0), of(2, 160, 1.0)]);
    (report.run.short_iterations, report.run.long_iterations) = (40, 80);
    let medians = |ends: Vec<End>| ends.iter().map(|e| (e.middle, e.seeds)).collect::<Vec<_>>();
    assert_eq!((medians(short_ends(&report)), medians(long_ends(&report))), (vec![(3.25, 2)], vec![(2.0, 1)]));
    assert_eq!(confirmation(&report).map(|(end, length)| (end.middle, end.seeds, length)), Some((1.0, 1, 160)));
    report.recommendation.learning_rate = Some(0.2);
    assert_eq!(confirmation(&report), None);
    // A recovery adds losses after the trial's own; they are not its end.
    report.trials = vec![Trial { iterations: 40, ..of(0, 80, 1.0) }];
    assert_eq!(medians(short_ends(&report)), [(4.0, 1)]);
}

#[test]
fn curves_too_near_to_another_are_left_out() {
    let curve =
        |rate: f64, seeds: usize, length: usize| Curve { rate, unstable: false, seeds, points: vec![(1.0, 1.0); length] };
    let kept = |curves: Vec<Curve>, always: &[f64]| thinned(curves, always).iter().map(|c| c.rate).collect::<Vec<_>>();
    // More seeds win, then longer trials; then the lower rate.
    assert_eq!(kept(vec![curve(0.1, 2, 9), curve(0.11, 3, 5), curve(1.0, 2, 5)], &[]), [0.11, 1.0]);
    assert_eq!(kept(vec![curve(0.1, 2, 5), curve(0.11, 2, 9)], &[]), [0.11]);
    assert_eq!(kept(vec![curve(0.1, 2, 5), curve(0.11, 2, 5), curve(0.16, 2, 5)], &[]), [0.1, 0.16]);
    // What the answer names stays, and drives its neighbours out.
    assert_eq!(kept(vec![curve(0.1, 2, 5), curve(0.11, 3, 5), curve(0.12, 2, 5)], &[0.1, 0.12, 0.5]), [0.1, 0.12]);
    let grid: Vec<Curve> = (-10..0).map(|k| curve(crate::lr::significant(10f64.powf(0.2 * f64::from(k)), 4), 2, 5)).collect();
    assert_eq!(thinned(grid, &[]).len(), 10);
}

#[test]
fn failed_and_cancelled_trials_are_not_shown() {
    let mut failed = trial(0.1, 0, 200);
    failed.outcome = Outcome::Failed { message: "no memory".into() };
    let cancelled = Trial { outcome: Outcome::Cancelled, ..trial(0.2, 0, 200) };
    let report = with_trials(vec![failed, cancelled]);
    assert!(short_ends(&report).is_empty() && curves(&report, &[1, 100]).is_empty());
    assert_eq!((initial_loss(&report), longest(&report)), (None, 0));
}

#[test]
fn a_diverged_loss_does_not_stretch_the_range() {
    let range = loss_range([0.3, 0.5, 2.0, 1e30, f64::INFINITY], Some(2.3), 20.0).unwrap();
    assert!(range.high < 3.0 && range.high >= 2.3 && range.low < 0.3 && !range.log, "{range:?}");
    // Without a beginning to compare with, the bulk decides.
    let range = loss_range([0.3, 0.4, 0.5, 1e30], None, 20.0).unwrap();
    assert!(range.high < 2.0, "{range:?}");
}

#[test]
fn the_loss_axis_is_logarithmic_only_for_wide_positive_ranges() {
    assert!(loss_range([0.01, 0.1], Some(2.3), 20.0).unwrap().log);
    assert!(!loss_range([0.5, 0.1], Some(1.9), 20.0).unwrap().log);
    assert!(!loss_range([-0.01, 1.0], Some(2.3), 20.0).unwrap().log);
    assert!(!loss_range([0.0, 0.0], Some(0.0), 20.0).unwrap().log);
}

#[test]
fn odd_losses_still_give_a_range() {
    for (losses, initial) in [
        (vec![0.0], Some(0.0)),
        (vec![-5.0, -7.0], Some(-1.0)),
        (vec![1e30, 2e30], Some(1e30)),
        (vec![5.0], None),
        (vec![7.0, 9.0], Some(2.0)),
    ] {
        let Range { low, high, .. } = loss_range(losses.clone(), initial, 20.0).unwrap();
        assert!(low < high && losses.iter().any(|l| (low..=high).contains(l)), "{losses:?}: {low} {high}");
    }
    assert_eq!(loss_range([f64::INFINITY, f64::NAN], Some(1.0), 20.0), None);
}

#[test]
fn curves_smooth_over_time_and_seeds_and_follow_the_longest_trials() {
    let losses = |level: f64, n: usize| (0..n).map(|k| if k % 7 == 3 { 100.0 } else { level }).collect::<Vec<_>>();
    let mut report = with_trials(vec![
        with_losses(0.1, 0, 40, losses(1.0, 40)),
        with_losses(0.1, 1, 40, losses(3.0, 40)),
        with_losses(0.1, 2, 40, losses(2.0, 20)),
    ]);
    report.run.short_iterations = 40;
    // After step 20 seed 2 is lost and counts as infinite.
    let points = |report: &_| curves(report, &[10, 30, 60])[0].points.clone();
    assert_eq!(points(&report), [(10.0, 2.0), (30.0, 3.0)]);
    // Once seeds go on, only they count, as far as all of them go.
    report.trials.extend([with_losses(0.1, 0, 80, losses(1.0, 80)), with_losses(0.1, 1, 50, losses(3.0, 50))]);
    assert_eq!(points(&report), [(10.0, 2.0), (30.0, 2.0)]);
    assert!(!curves(&report, &[10])[0].unstable);
}

#[test]
fn steps_cover_the_trial_without_repeats() {
    assert_eq!(steps(5, 100, false), [1, 2, 3, 4, 5]);
    assert_eq!(steps(1000, 3, true), [1, 10, 100, 1000]);
    assert_eq!((steps(0, 10, false), steps(1, 10, true)), (vec![], vec![1]));
}

#[test]
fn the_verdict_shown_is_unstable_then_longest_then_worst() {
    let with = |iterations, verdict| Trial { verdict, ..trial(0.1, 7, iterations) };
    let shown = |trials: Vec<Trial>| verdicts(&with_trials(trials))[0].2;
    assert_eq!(shown(vec![with(200, Verdict::Collapsed), with(800, Verdict::Good)]), Verdict::Collapsed);
    assert_eq!(shown(vec![with(200, Verdict::Degraded), with(800, Verdict::Good)]), Verdict::Good);
    assert_eq!(shown(vec![with(200, Verdict::Degraded), with(200, Verdict::Good)]), Verdict::Degraded);
    assert_eq!(shown(vec![with(200, Verdict::Good), with(800, Verdict::Unjudged)]), Verdict::Good);
}

#[test]
fn rates_that_are_no_rates_are_left_out() {
    let mut report = with_trials(vec![trial(0.1, 0, 200)]);
    for bad in [f64::NAN, f64::INFINITY, 0.0, -1.0] {
        report.trials.push(Trial { learning_rate: bad, ..trial(0.2, 0, 200) });
    }
    assert_eq!(rates(&report), [0.1]);
    assert_eq!((verdicts(&report).len(), short_ends(&report).len()), (1, 1));
}
