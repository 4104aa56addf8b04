//! The published rules of the range test against the packages that they come from.
//!
//! `tests/golden/answers.json` holds what the real packages smoothed, where they stopped and what they suggested when each ran its
//! own loop along the curves of `tests/golden/curves.json`; `tests/golden/make.py` asked them. No Python is needed here.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use lrfind::LearningRate;
use lrfind::analysis::range_test::{Curve, Rule, suggest};
use serde_json::Value;

fn golden(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Numbers, of which those that are not finite are strings.
fn numbers(row: &Value) -> Vec<f64> {
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap());
    row.as_array().unwrap().iter().map(number).collect()
}

fn curves() -> BTreeMap<String, Curve> {
    let read = |curve: &Value| {
        let rates = numbers(&curve["rates"]).into_iter().map(|rate| LearningRate::new(rate).unwrap());
        Curve::new(rates.collect(), numbers(&curve["losses"]))
    };
    golden("curves.json").as_object().unwrap().iter().map(|(name, curve)| (name.clone(), read(curve))).collect()
}

/// The rule by which one tool's smoothing and early stop are looked up.
fn reader(tool: &str) -> Rule {
    let rule = if tool == "fastai" { "fastai_valley" } else { tool };
    serde_json::from_value(Value::from(rule)).unwrap()
}

fn agree(ours: f64, theirs: f64) -> bool {
    ours == theirs || (ours.is_nan() && theirs.is_nan()) || (ours - theirs).abs() <= 1e-6 * theirs.abs()
}

#[test]
fn every_tool_smooths_and_stops_as_it_does() {
    let answers = golden("answers.json");
    let mut compared = 0;
    for (name, curve) in curves() {
        for (tool, theirs) in answers["answers"][&name]["smoothed"].as_object().unwrap() {
            let theirs = numbers(theirs);
            let ours = reader(tool).defaults().settings.read(curve.losses()).smoothed;
            assert_eq!(ours.len(), theirs.len(), "{tool} stops elsewhere on {name}");
            let apart = (0..ours.len()).find(|&k| !agree(ours[k], theirs[k]));
            assert_eq!(apart.map(|k| (k, ours[k], theirs[k])), None, "{tool} on {name}");
            compared += 1;
        }
    }
    assert!(compared >= 5 * 17, "{compared}");
}

#[test]
fn every_rule_suggests_what_its_tool_does() {
    let answers = golden("answers.json");
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for (name, curve) in curves() {
        for (rule, theirs) in answers["answers"][&name]["suggestions"].as_object().unwrap() {
            let ours = suggest(reader(rule), &curve);
            compared += 1;
            let same = match (&ours, theirs["rate"].as_f64()) {
                (Ok(rate), Some(theirs)) => agree(rate.get(), theirs),
                (Err(_), None) => true,
                _ => false,
            };
            if !same {
                wrong.push(format!("{rule} on {name}: {ours:?} instead of {theirs}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {compared} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared >= 8 * 17, "{compared}");
}
