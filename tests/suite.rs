//! The benchmark's suite loads, and each task takes a step.

use std::path::Path;

use lrfind::Study;
use lrfind::config;
use lrfind::lr::LearningRate;
use lrfind::record::{Outcome, Silent, TrialSpec};
use lrfind::task;
use lrfind::trial::{Cancel, drive};

#[test]
fn every_task_of_the_suite_can_be_trained() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/suite");
    let mut tasks = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let plan = config::load(&path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(Some(plan.name.as_str()), path.file_stem().and_then(|stem| stem.to_str()));
        assert!(plan.training.learning_rate.is_some(), "{}: no default to compare with", plan.name);
        let built = task::build(&plan).unwrap_or_else(|error| panic!("{}: {error}", plan.name));
        let planned = Study::of_plan(&plan, &built).planned_iterations().unwrap();
        assert!((2000..3000).contains(&planned), "{}: {planned} iterations", plan.name);
        let spec = TrialSpec::steady(LearningRate::new(1e-6).unwrap(), 0, 1);
        let records = drive(&built, &[spec], 1, &Cancel::default(), &Silent);
        assert_eq!(records[0].outcome, Outcome::Completed, "{}", plan.name);
        tasks += 1;
    }
    assert!(tasks >= 40, "{tasks} tasks");
}
