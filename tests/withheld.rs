//! When a search hands out no rate, or one that nothing confirms, and what it says then.

mod common;

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{Quadratic, with_study};
use lrfind::error::TrialError;
use lrfind::lr::{LearningRate, LrRange};
use lrfind::record::{Event, Observer, Outcome, TrialSpec};
use lrfind::report::{CheckVerdict, Report, Status};
use lrfind::trial::{Cancel, Objective, Run};
use lrfind::{RunOptions, Study};

fn find(config: &str, change: impl FnOnce(&mut Study<'_>)) -> Report {
    with_study(config, |study| {
        change(study);
        study.find(&RunOptions::default())
    })
}

/// The digits' network, bound to rates from `lowest` on. It is unstable from 0.12 on.
fn bound_to_rates_from(lowest: f64) -> Report {
    find("configs/digits-mlp.toml", |study| {
        study.search.range = LrRange::new(lowest, 10.0).unwrap();
        study.search.extend = false;
    })
}

fn why(report: &Report) -> String {
    assert_eq!(report.recommendation.learning_rate, None, "{:?}", report.recommendation.because);
    report.recommendation.because.join("; ")
}

#[test]
fn no_rate_below_a_range_that_may_not_be_left() {
    let report = bound_to_rates_from(0.09);
    assert!(why(&report).contains("below 0.09, the lowest rate that the search may try"), "{}", why(&report));
    assert!(report.trials.iter().all(|trial| trial.learning_rate >= 0.09), "not even tried");
}

/// At all of them the network is dead, so that none looks worse than another.
#[test]
fn no_rate_where_none_learns_anything() {
    let report = bound_to_rates_from(0.3);
    assert!(why(&report).contains("than to predict the same for every example"), "{}", why(&report));
}

/// Within 100 iterations the autoencoder learns nothing, and there is no budget for the longer trials that would follow.
#[test]
fn a_budget_that_ends_before_the_trials_grow_leaves_what_the_short_ones_say() {
    let report = find("benches/drawn/8-auto-0.toml", |study| study.search.budget = Some(1000));
    assert_eq!((report.run.short_iterations, report.cost.trial_iterations), (100, 900));
    assert_eq!(report.best_early.value.unwrap().iterations, 100);
    assert!(report.warnings.iter().any(|warning| warning.code == "nothing-learnt"));
}

/// A parabola that is trained with the seeds below this one only.
struct SeedsBelow(u64);

impl Objective for SeedsBelow {
    fn start(&self, specs: &[TrialSpec]) -> Result<Box<dyn Run + '_>, TrialError> {
        if specs[0].seed < self.0 { PARABOLA.start(specs) } else { Err(TrialError::new("no such seed")) }
    }
}

static PARABOLA: LazyLock<Quadratic> = LazyLock::new(|| Quadratic::sgd(&[2.0]));

#[test]
fn trials_that_fail_confirm_nothing_and_refute_nothing() {
    let report = Study::new("parabola", &SeedsBelow(2)).find(&RunOptions::default());
    assert!(why(&report).contains("on fresh seeds failed, so that nothing confirms it"), "{}", why(&report));
    assert!(report.warnings.iter().any(|warning| warning.message.contains("no such seed")), "{:?}", report.warnings);
    assert!(!report.warnings.iter().any(|warning| warning.code == "not-confirmed"), "{:?}", report.warnings);
}

/// A parabola that cannot be trained at rates from 0.5 on, whatever the reason.
struct GivesUp;

impl Objective for GivesUp {
    fn start(&self, specs: &[TrialSpec]) -> Result<Box<dyn Run + '_>, TrialError> {
        if specs[0].learning_rate.get() < 0.5 { PARABOLA.start(specs) } else { Err(TrialError::new("assertion failed")) }
    }
}

#[test]
fn failing_is_no_sign_of_stability() {
    let study = Study::new("parabola", &GivesUp);
    let report = study.find(&RunOptions::default());
    assert!(why(&report).contains("on every trial failed, so whether"), "{}", why(&report));
    assert!(why(&report).contains("assertion failed"), "{}", why(&report));
    let verdict = |rate: f64| study.check(LearningRate::new(rate).unwrap(), &RunOptions::default()).check.unwrap();
    let check = verdict(0.4);
    assert_eq!(check.verdict, CheckVerdict::Inconclusive);
    assert!(check.findings.iter().any(|finding| finding.contains("assertion failed")), "{:?}", check.findings);
    assert_eq!(verdict(0.2).verdict, CheckVerdict::Safe);
}

/// Where the threshold sets the rate: 1.5 times what is recommended lies below it, for every seed.
#[test]
fn what_find_recommends_passes_check() {
    for seed in 0..4 {
        let verdict = with_study("configs/quadratic.toml", |study| {
            study.search.first_seed = 100 * seed;
            let found = study.find(&RunOptions::default()).recommendation.learning_rate.unwrap();
            study.check(LearningRate::new(found).unwrap(), &RunOptions::default()).check.unwrap().verdict
        });
        assert_eq!(verdict, CheckVerdict::Safe, "first seed {}", 100 * seed);
    }
}

/// Cancels when the confirmation begins.
#[derive(Default)]
struct NoTimeToConfirm {
    cancel: Cancel,
    began: AtomicBool,
}

impl Observer for NoTimeToConfirm {
    fn observe(&self, event: &Event<'_>) {
        if matches!(event, Event::StageStarted { stage, .. } if stage.starts_with("confirmation")) {
            self.began.store(true, Ordering::Relaxed);
            self.cancel.cancel();
        }
    }
}

#[test]
fn a_rate_whose_confirmation_was_interrupted_is_handed_out_as_not_confirmed() {
    let observer = NoTimeToConfirm::default();
    let options = RunOptions { cancel: observer.cancel.clone(), observer: &observer, ..RunOptions::default() };
    let report = Study::new("parabola", &*PARABOLA).find(&options);
    assert!(observer.began.load(Ordering::Relaxed));
    assert_eq!(report.status, Status::Partial);
    assert!(report.trials.iter().any(|trial| trial.outcome == Outcome::Cancelled), "the confirming trial is there");
    assert!(report.recommendation.learning_rate.is_some());
    let because = report.recommendation.because.join("; ");
    assert!(because.contains("not confirmed: the search was interrupted"), "{because}");
}
