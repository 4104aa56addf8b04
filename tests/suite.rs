//! The benchmark's tasks load, and each takes a step.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use lrfind::Study;
use lrfind::config;
use lrfind::lr::LearningRate;
use lrfind::record::{Outcome, Silent, TrialSpec};
use lrfind::task;
use lrfind::trial::{Cancel, drive};

/// The configs of a folder below `benches`.
fn configs(folder: &str) -> Vec<PathBuf> {
    let listed = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches").join(folder)).unwrap();
    let paths = listed.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect()
}

/// What the benchmark relies on, and a step of training.
fn takes_a_step(path: &Path, lengths: &Range<u64>) {
    let plan = config::load(path).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(Some(plan.name.as_str()), path.file_stem().and_then(|stem| stem.to_str()));
    assert!(plan.training.learning_rate.is_some(), "{}: no default to compare with", plan.name);
    let built = task::build(&plan).unwrap_or_else(|error| panic!("{}: {error}", plan.name));
    let planned = Study::of_plan(&plan, &built).planned_iterations().unwrap();
    assert!(lengths.contains(&planned), "{}: {planned} iterations", plan.name);
    let spec = TrialSpec::steady(LearningRate::new(1e-6).unwrap(), 0, 1);
    let records = drive(&built, &[spec], 1, &Cancel::default(), &Silent);
    assert_eq!(records[0].outcome, Outcome::Completed, "{}", plan.name);
}

/// Each of so many tasks at least, whose runs take so many iterations.
fn all_take_a_step(folder: &str, least: usize, lengths: &Range<u64>) {
    let tasks = configs(folder);
    assert!(tasks.len() >= least, "{folder}: {} tasks", tasks.len());
    for path in tasks {
        takes_a_step(&path, lengths);
    }
}

#[test]
fn every_task_of_the_suite_can_be_trained() {
    all_take_a_step("suite", 40, &(2000..3000));
}

#[test]
fn every_task_that_nobody_tunes_on_can_be_trained() {
    all_take_a_step("heldout", 40, &(900..30_000));
}

#[test]
fn every_task_drawn_at_random_can_be_trained() {
    all_take_a_step("drawn", 70, &(900..30_000));
}

/// Their data may be missing, but what they say of it is right.
#[test]
fn every_task_of_the_extra_suite_is_a_config() {
    let extra = configs("suite-extra");
    assert!(!extra.is_empty());
    for path in extra {
        let plan = config::load(&path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(Some(plan.name.as_str()), path.file_stem().and_then(|stem| stem.to_str()));
    }
}

/// A task that is in the suite already is no test of anything new.
#[test]
fn no_name_is_used_twice() {
    let all = ["suite", "heldout", "suite-extra"].map(configs).concat();
    let names: BTreeSet<_> = all.iter().map(|path| path.file_name().unwrap()).collect();
    assert_eq!(names.len(), all.len());
}
