//! `lrfind sweep`: exit codes, what it prints and writes, and that the work's division does not matter.

mod common;

use common::cli::{Folder, QUADRATIC, Ran};
use serde_json::Value;

/// A folder with a quadratic that is unstable from 0.1 on.
fn quadratic() -> Folder {
    let folder = Folder::new();
    folder.write("q.toml", QUADRATIC);
    folder
}

fn read(folder: &Folder, dir: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder.path(dir).join("range-test.json")).unwrap()).unwrap()
}

#[test]
fn writes_its_two_files_and_no_others_beside_a_report() {
    let folder = quadratic();
    folder.lrfind("find q.toml --quiet --seeds 1").ends_with(0);
    let answers = || {
        let mut files = folder.files("reports/q");
        // The journal grows by the trials of the sweep.
        assert!(files.remove("trials.journal").is_some());
        files
    };
    let before = answers();
    let ran = folder.lrfind("sweep q.toml").ends_with(0);
    assert!(ran.stderr.contains("100 iterations, 1 seed"), "{ran:#?}");
    for label in ["fastai valley", "pytorch-lr-finder", "Lightning ≥ 2.5.3", "ignite", "keras_lr_finder", "range-test.png"] {
        assert!(ran.stdout.contains(label), "no {label} in {ran:#?}");
    }
    let mut after = answers();
    assert!(after.remove("range-test.png").unwrap().starts_with(b"\x89PNG"));
    assert!(after.remove("range-test.json").is_some());
    assert!(after == before);
    assert_eq!(folder.lrfind("sweep q.toml --quiet").ends_with(0).stderr, "");
}

#[test]
fn the_json_has_the_documented_keys_and_is_what_format_json_prints() {
    let folder = quadratic();
    let ran = folder.lrfind("sweep q.toml --seeds 2 --seed 7 --out out --format json").ends_with(0);
    let test = read(&folder, "out");
    assert_eq!(serde_json::from_str::<Value>(&ran.stdout).unwrap(), test);
    let keys: Vec<&str> = test.as_object().unwrap().keys().map(String::as_str).collect();
    let readme = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let (_, section) = readme.split_once("\n## range-test.json\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    for key in keys.into_iter().chain(test["ramps"][0].as_object().unwrap().keys().map(String::as_str)) {
        assert!(section.contains(&format!("`{key}`")), "README.md does not describe `{key}` of range-test.json");
    }
    assert_eq!((&test["schema_version"], &test["ramp"]["seeds"]), (&1.into(), &serde_json::json!([7, 8])));
    assert_eq!(test["ramp"]["learning_rates"].as_array().unwrap().len(), 100);
    for ramp in test["ramps"].as_array().unwrap() {
        assert_eq!(ramp["losses"].as_array().unwrap().len(), 100);
        for suggestion in ramp["suggestions"].as_array().unwrap() {
            assert!(suggestion["learning_rate"].is_null() != suggestion["reason"].is_null(), "{suggestion}");
        }
    }
    let rule = |name: &str| test["rules"].as_array().unwrap().iter().find(|r| r["rule"] == name).unwrap().clone();
    let (low, high) = (rule("fastai_valley")["low"].clone(), rule("fastai_valley")["high"].clone());
    assert!(low.as_f64().unwrap() <= high.as_f64().unwrap(), "{low} {high}");
    assert_eq!(rule("fastai_valley")["suggested"], 2);
}

#[test]
fn the_ramp_is_the_one_asked_for() {
    let folder = quadratic();
    folder.lrfind("sweep q.toml --quiet --start 0.001 --end 0.011 --iterations 11 --spacing linear --out out").ends_with(0);
    let rates = read(&folder, "out")["ramp"]["learning_rates"].clone();
    let rates: Vec<f64> = rates.as_array().unwrap().iter().map(|rate| rate.as_f64().unwrap()).collect();
    let asked: Vec<f64> = (1..=11).map(|k| f64::from(k) / 1000.0).collect();
    assert!(rates.iter().zip(&asked).all(|(a, b)| (a - b).abs() < 1e-8), "{rates:?}");
}

#[test]
fn smoothing_and_stop_factor_replace_those_of_every_tool() {
    let folder = quadratic();
    folder.lrfind("sweep q.toml --quiet --smoothing 0 --stop-factor inf --out out").ends_with(0);
    let test = read(&folder, "out");
    let ramp = &test["ramps"][0];
    for rule in test["rules"].as_array().unwrap() {
        assert_eq!((&rule["smoothing"], &rule["stop_factor"]), (&0.0.into(), &Value::Null), "{rule}");
    }
    let lightning =
        ramp["readings"].as_array().unwrap().iter().find(|r| r["tools"] == serde_json::json!(["Lightning"])).unwrap();
    assert_eq!((&lightning["smoothed"], &lightning["stopped"]), (&ramp["losses"], &false.into()));
}

#[test]
fn the_division_of_the_work_does_not_matter() {
    let folder = Folder::new();
    let sweep = |dir: &str, flags: &str| {
        folder.on_digits("sweep", &format!("--quiet --seeds 4 --iterations 40 --out {dir} {flags}")).ends_with(0);
        let mut files = folder.files(dir);
        // In the order in which the trials ended.
        files.remove("trials.journal");
        files
    };
    let first = sweep("first", "--jobs 1");
    assert_eq!(first.keys().collect::<Vec<_>>(), ["range-test.json", "range-test.png"]);
    for (dir, flags) in [("one", "--jobs 2 --lanes 1"), ("three", "--jobs 2 --lanes 3"), ("all", "--jobs 3 --lanes 16")] {
        assert!(sweep(dir, flags) == first, "{flags}");
    }
}

#[test]
fn three_when_no_rule_suggests_a_rate() {
    let folder = quadratic();
    // Far above the threshold the loss passes every stop at once, and ten steps are too few for what is left.
    let ran = folder.lrfind("sweep q.toml --quiet --start 1e4 --end 1e6 --iterations 10 --out out").ends_with(3);
    assert!(ran.stdout.contains("none"), "{ran:#?}");
    let test = read(&folder, "out");
    assert!(test["rules"].as_array().unwrap().iter().all(|rule| rule["median"].is_null() && rule["suggested"] == 0));
}

#[test]
fn two_when_something_is_wrong() {
    let folder = quadratic();
    folder.write("file", "");
    for (arguments, part) in [
        ("sweep absent.toml", "absent.toml"),
        ("sweep q.toml --start 1 --end 0.1", "--start and --end"),
        ("sweep q.toml --start 0", "--start"),
        ("sweep q.toml --iterations 9", "--iterations"),
        ("sweep q.toml --smoothing 1", "--smoothing"),
        ("sweep q.toml --stop-factor 0.5", "--stop-factor"),
        ("sweep q.toml --spacing cubic", "exponential"),
        ("sweep q.toml --out file/out", "file/out"),
    ] {
        folder.lrfind(arguments).ends_with(2).complains_of(&[part]);
    }
}

#[test]
fn a_dry_run_tells_the_cost_and_runs_nothing() {
    let folder = quadratic();
    let ran = folder.lrfind("sweep q.toml --dry-run --seeds 3").ends_with(0);
    assert!(ran.stdout.contains("300 trial-iterations"), "{ran:#?}");
    let plan: Value = serde_json::from_str(&folder.lrfind("sweep q.toml --dry-run --format json").ends_with(0).stdout).unwrap();
    assert_eq!(plan["total_iterations"], 100);
    assert!(!folder.path("reports").exists());
    let help = folder.lrfind("sweep --help").ends_with(0).stdout;
    assert!(help.contains("--stop-factor") && help.contains("Exit codes:"), "{help}");
}

#[cfg(unix)]
#[test]
fn a_hundred_and_thirty_when_interrupted() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Command, Stdio};

    let folder = quadratic();
    let mut command = folder.command();
    let flags = "sweep q.toml --end 0.01 --iterations 100000 --seeds 64 --jobs 2 --lanes 1 --out out";
    let mut child = command.args(flags.split(' ')).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut heard = String::new();
    while !heard.contains("ramp: ") {
        assert_ne!(stderr.read_line(&mut heard).unwrap(), 0, "ended before the ramps: {heard}");
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    stderr.read_to_string(&mut heard).unwrap();
    Ran::of(&child.wait_with_output().unwrap()).ends_with(130);
    assert!(heard.contains("interrupted"), "{heard}");
    let test = read(&folder, "out");
    assert_eq!((&test["status"], test["ramps"].as_array().unwrap().len()), (&"partial".into(), 64));
}
