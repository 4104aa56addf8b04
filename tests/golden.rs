//! The published rules of the range test against the packages that they come from.
//!
//! `tests/golden/answers.json` holds what the real packages smoothed, where they stopped and what they suggested when each ran its
//! own loop along the curves of `tests/golden/curves.json`; `tests/golden/make.py` asked them. No Python is needed here.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use lrfind::LearningRate;
use lrfind::analysis::range_test::{Curve, Reason, Rule, suggest};
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

/// What the rule gives for a curve, which is what its tool gives: [`every_rule_suggests_what_its_tool_does`].
fn rate(rule: Rule, curve: &str) -> Option<f64> {
    suggest(rule, &curves()[curve]).ok().map(LearningRate::get)
}

#[test]
fn every_rule_but_that_of_keras_was_asked_of_its_package() {
    let answers = golden("answers.json");
    for rule in Rule::ALL.into_iter().filter(|rule| *rule != Rule::KerasLrFinder) {
        assert!(answers["versions"][rule.name()].is_string(), "{rule:?}");
        for curve in curves().keys() {
            assert!(answers["answers"][curve]["suggestions"][rule.name()].is_object(), "{rule:?} on {curve}");
        }
    }
    assert!(curves().len() >= 20);
}

#[test]
fn valley_starts_too_early_on_a_noisy_curve() {
    // The same fall around 1e-3. Its decreasing subsequence has gaps under noise, and is taken for a stretch without.
    let (clean, noisy) =
        (rate(Rule::FastaiValley, "clean_sigmoid").unwrap(), rate(Rule::FastaiValley, "noisy_sigmoid").unwrap());
    assert!(noisy / clean > 5.0, "{noisy} {clean}");
}

#[test]
fn slide_depends_on_the_scale_of_the_loss() {
    let (up, down) = (rate(Rule::FastaiSlide, "scaled_up").unwrap(), rate(Rule::FastaiSlide, "scaled_down").unwrap());
    assert!(down / up > 1e5, "{down} {up}");
    for rule in Rule::ALL.into_iter().filter(|rule| *rule != Rule::FastaiSlide) {
        assert_eq!(rate(rule, "scaled_up"), rate(rule, "scaled_down"), "{rule:?}");
    }
}

#[test]
fn a_nan_tail_is_taken_for_the_steepest_fall() {
    // NaN from step 80 on.
    let before = curves()["nan_tail"].rates()[79].get();
    for rule in [Rule::PytorchLrFinder, Rule::Ignite] {
        assert_eq!(rate(rule, "nan_tail"), Some(before), "{rule:?}");
    }
    for rule in [Rule::FastaiValley, Rule::LightningByStep] {
        assert!(rate(rule, "nan_tail").unwrap() < before / 50.0, "{rule:?}");
    }
    // Where nothing but NaN was seen, one of them suggests a rate all the same.
    assert_eq!(rate(Rule::PytorchLrFinder, "nan_from_the_start"), Some(curves()["nan_from_the_start"].rates()[10].get()));
}

#[test]
fn the_slope_by_the_rate_itself_favours_the_low_end() {
    for curve in ["digits-mlp_0", "digits-mlp_1", "digits-mlp_2", "digits-adam_0"] {
        let (by_rate, by_step) = (rate(Rule::LightningByRate, curve).unwrap(), rate(Rule::LightningByStep, curve).unwrap());
        assert!(by_step / by_rate > 1e3, "{curve}: {by_rate} {by_step}");
    }
}

#[test]
fn lightning_divides_by_the_correction_of_the_next_step() {
    let smoothed = |tool: &str| numbers(&golden("answers.json")["answers"]["constant"]["smoothed"][tool]);
    assert!((smoothed("lightning_by_rate")[0] - 0.505).abs() < 1e-3);
    assert!((smoothed("fastai")[0] - 1.0).abs() < 1e-6);
}

#[test]
fn a_negative_loss_or_a_spike_stops_the_ratio_test_at_once() {
    let stops = |rule: Rule, curve: &str| rule.defaults().settings.read(curves()[curve].losses()).smoothed.len();
    for rule in Rule::ALL.into_iter().filter(|rule| *rule != Rule::KerasLrFinder) {
        assert!(stops(rule, "negative") <= 2, "{rule:?}");
        assert_eq!(rate(rule, "negative"), None, "{rule:?}");
    }
    for rule in [Rule::FastaiValley, Rule::LightningByStep] {
        assert_eq!(stops(rule, "early_spike"), 3, "{rule:?}");
    }
}

#[test]
fn ignite_wants_a_fall_and_suggests_within_the_first_noise_after_a_spike() {
    assert_eq!(suggest(Rule::Ignite, &curves()["rising"]), Err(Reason::NotUShaped));
    assert_eq!(rate(Rule::Ignite, "early_spike"), Some(curves()["early_spike"].rates()[3].get()));
}

/// keras_lr_finder is in no registry with this rule, so its cases are worked out by hand from its formula.
#[test]
fn the_difference_over_4_steps_by_hand() {
    let rates: Vec<LearningRate> = (0..60).map(|k| LearningRate::new(1e-3 * f64::from(k + 1)).unwrap()).collect();
    let asked = |losses: Vec<f64>| suggest(Rule::KerasLrFinder, &Curve::new(rates[..losses.len()].to_vec(), losses));
    // A fall by 1/8 a step from step 30 to step 40: the difference is the largest from step 34 to step 40, first at 34.
    let fall: Vec<f64> = (0..60).map(|k: i32| 3.0 - f64::from((k - 30).clamp(0, 10)) / 8.0).collect();
    assert_eq!(asked(fall.clone()), Ok(rates[34]));
    // A NaN ends the ramp there, and the last five losses do not count: here those from step 33 on.
    let mut lost = fall;
    lost[37] = f64::NAN;
    assert_eq!(asked(lost), Ok(rates[32]));
    // Where the loss only rises, the least of the differences is the first it looks at.
    assert_eq!(asked((0..60).map(|k| 1.0 + f64::from(k * k) / 1024.0).take(40).collect()), Ok(rates[10]));
    // One lucky batch is enough, however early: nothing is smoothed.
    let mut lucky: Vec<f64> = (0..60).map(|k| 3.0 - f64::from(k) / 32.0).collect();
    lucky[12] = 1.0;
    assert_eq!(asked(lucky), Ok(rates[12]));
    // Four times the lowest loss ends the ramp, but not within the first six.
    let mut spike = vec![1.0; 60];
    spike[3] = 9.0;
    spike[30] = 4.5;
    assert_eq!(Rule::KerasLrFinder.defaults().settings.read(&spike).smoothed.len(), 31);
    assert_eq!(asked(vec![1.0; 15]), Err(Reason::TooFewPoints { points: 0, needed: 1 }));
}
