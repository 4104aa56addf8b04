//! Every optimiser through the real config path, and the thresholds that theory knows.

mod common;

use common::cli::{Folder, QUADRATIC};
use serde_json::Value;

/// The report of a `find` on the quadratic with this optimiser.
fn find(optimizer: &str) -> Value {
    let folder = Folder::new();
    folder.write("q.toml", format!("{QUADRATIC}[training]\noptimizer = {optimizer}\n[search]\nresolution = 0.02\n"));
    let ran = folder.lrfind("find q.toml --quiet --out out");
    assert!(matches!(ran.code, Some(0 | 3)), "{optimizer}: {ran:#?}");
    folder.report("out")
}

#[test]
fn each_gets_a_rate_below_the_unstable_ones_or_a_reason() {
    for kind in ["sgd", "momentum", "nesterov", "adam", "adamw", "rmsprop", "adagrad", "lion"] {
        let report = find(&format!("\"{kind}\""));
        let recommendation = &report["recommendation"];
        assert!(!recommendation["because"].as_array().unwrap().is_empty(), "{kind}: {recommendation}");
        if let (Some(rate), Some(unstable)) =
            (recommendation["learning_rate"].as_f64(), report["instability"]["first_unstable"].as_f64())
        {
            assert!(rate < unstable, "{kind}: {rate} is recommended and {unstable} is unstable");
        }
        // On a quadratic each of them trains at some rate.
        assert!(report["best_early"]["learning_rate"].is_f64(), "{kind}: {}", report["best_early"]);
        assert!(recommendation["learning_rate"].is_f64(), "{kind}: {recommendation}");
    }
}

#[test]
fn thresholds_are_those_of_theory() {
    let (top, beta) = (20.0, 0.9);
    for (optimizer, truth) in [
        ("\"sgd\"", 2.0 / top),
        ("\"momentum\"", 2.0 * (1.0 + beta) / top),
        ("{ kind = \"sgd\", momentum = 0.5 }", 2.0 * 1.5 / top),
        ("\"nesterov\"", (2.0 + 2.0 * beta) / ((1.0 + 2.0 * beta) * top)),
        // Decay added to the gradient adds to every curvature.
        ("{ kind = \"sgd\", weight-decay = 5.0 }", 2.0 / (top + 5.0)),
    ] {
        let measured = find(optimizer)["instability"]["threshold"].as_f64().unwrap();
        assert!((measured / truth - 1.0).abs() < 0.03, "{optimizer}: {measured} instead of {truth}");
    }
}
