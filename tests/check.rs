//! What `check` asks for: short trials alone where the rate is far below the threshold, and a longer tail for a trial that its own
//! did not rescue before it calls the rate unstable.

use std::path::Path;

use lrfind::report::{CheckVerdict, Report, Trial};
use lrfind::{LearningRate, RunOptions, Study, config, task};

/// What `check` says of this rate on a task of the benchmark.
fn check(name: &str, rate: f64) -> Report {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/suite").join(name);
    let plan = config::load(&path).unwrap();
    let task = task::build(&plan).unwrap();
    Study::of_plan(&plan, &task).check(LearningRate::new(rate).unwrap(), &RunOptions::default())
}

/// The trials whose tail is as long as themselves.
fn with_long_tails(report: &Report) -> Vec<&Trial> {
    report.trials.iter().filter(|t| t.recovery.is_some_and(|tail| tail.iterations == t.iterations)).collect()
}

fn verdict(report: &Report) -> CheckVerdict {
    report.check.as_ref().unwrap().verdict
}

/// Logistic regression oscillates at a rate that is high for it, and comes down once the rate has fallen for long enough: full runs
/// at this one end as low as any.
#[test]
fn a_rate_that_a_long_decay_rescues_passes() {
    let report = check("digits-logistic.toml", 31.62);
    assert_eq!(verdict(&report), CheckVerdict::Safe, "{:?}", report.check);
    let long = with_long_tails(&report);
    assert!(!long.is_empty() && long.iter().all(|t| !t.verdict.is_unstable()), "{} long tails", long.len());
}

/// A deep network that has died stays dead, and one trial is enough to see it.
#[test]
fn a_network_that_has_died_is_not_given_more_than_one() {
    let report = check("digits-deep-relu.toml", 0.5623);
    assert_eq!(verdict(&report), CheckVerdict::Unstable, "{:?}", report.check);
    let at_rate = with_long_tails(&report).into_iter().filter(|t| t.learning_rate == 0.5623).count();
    assert!(at_rate <= 1, "{at_rate}");
}

/// Far below the threshold four short trials tell it all.
#[test]
fn a_rate_far_below_the_threshold_passes_by_short_trials() {
    for (task, rate) in [("digits-deep-relu.toml", 0.01), ("digits-sgd.toml", 0.01), ("teacher-linear.toml", 1e-4)] {
        let report = check(task, rate);
        assert_eq!(verdict(&report), CheckVerdict::Safe, "{task}: {:?}", report.check);
        assert!(report.trials.iter().all(|t| t.iterations == report.run.short_iterations && t.recovery.is_none()), "{task}");
        assert_eq!(report.trials.len(), 4, "{task}");
    }
}

/// Where the first losses are huge, networks that die at once have all learnt much: to predict the mean.
#[test]
fn networks_that_are_lost_in_the_same_way_do_not_pass() {
    for (task, rate) in [("digits-raw.toml", 0.5623), ("digits-regression-adam.toml", 0.3162)] {
        let report = check(task, rate);
        assert_eq!(verdict(&report), CheckVerdict::Unstable, "{task}: {:?}", report.check);
    }
}
