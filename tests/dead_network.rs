//! A network whose units have all died predicts the same for every example. Its loss is finite, and can be far below the
//! initial one; it must count as unstable all the same.

mod common;

use std::path::Path;

use lrfind::config::parse;
use lrfind::report::{Report, Trial};
use lrfind::{RunOptions, Study};

/// The loss of constant predictions, for ten classes of about the same size.
const DEAD: f64 = std::f64::consts::LN_10;

/// Digits, five layers of ReLU units, and these lines.
fn find(init_scale: f64, training: &str) -> Report {
    let config = format!(
        "[data]\nkind = \"csv\"\npath = \"data/digits.csv.gz\"\nheader = false\n\
         [model]\nkind = \"mlp\"\nhidden = [64, 64, 64, 64, 64]\ninit-scale = {init_scale}\n\
         [training]\n{training}\n[search]\nseeds = 2\niterations = 60\nrange = [1e-3, 10.0]\n"
    );
    let plan = parse(&config, &Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/dead.toml")).unwrap();
    let task = lrfind::task::build(&plan).unwrap();
    Study::of_plan(&plan, &task).find(&RunOptions::default())
}

/// Whether a trial ended dead: on the probe set at the loss of constant predictions, and on the mini-batches for a while.
fn is_dead(trial: &Trial) -> bool {
    let near = |loss: f64, share: f64| (loss / DEAD - 1.0).abs() < share;
    let end = trial.probe.iter().find(|point| point.iteration == trial.iterations).and_then(|point| point.loss);
    let own = &trial.losses[..trial.losses.len().min(trial.iterations as usize)];
    end.is_some_and(|loss| near(loss, 0.02)) && own[own.len() * 3 / 4..].iter().all(|&loss| near(loss, 0.25))
}

/// Expects the longest-lived dead networks to be called unstable, the threshold to lie below all dead ones, and the recommendation below it.
fn assert_dead_is_unstable(report: &Report) {
    let first_unstable = report.instability.first_unstable.unwrap();
    let dead: Vec<&Trial> = report.trials.iter().filter(|trial| is_dead(trial)).collect();
    assert!(dead.len() >= 2, "{} networks died: the test shows nothing", dead.len());
    // Far above ln 10 even the best rate may not get below it within a short trial; then the long trials tell.
    let longest = dead.iter().map(|trial| trial.iterations).max().unwrap();
    let missed: Vec<String> = dead
        .iter()
        .filter(|t| (t.iterations == longest && !t.verdict.is_unstable()) || t.learning_rate < first_unstable)
        .map(|t| format!("{:?} at {} over {} iterations", t.verdict, t.learning_rate, t.iterations))
        .collect();
    assert!(missed.is_empty(), "dead, but (unstable only from {first_unstable}) {missed:#?}");
    for trial in dead {
        assert!(trial.probe[0].loss.is_some_and(|initial| initial > 1.5 * DEAD), "{:?}", trial.probe);
    }
    assert!(report.recommendation.learning_rate.is_some_and(|rate| rate < first_unstable), "{:?}", report.recommendation);
}

#[test]
fn from_an_initial_loss_somewhat_above() {
    assert_dead_is_unstable(&find(1.2, "optimizer = \"momentum\""));
}

#[test]
fn from_an_initial_loss_ten_times_above() {
    assert_dead_is_unstable(&find(1.5, "optimizer = \"momentum\""));
}

#[test]
fn from_an_initial_loss_fifty_times_above() {
    // Clipped, or the first updates would overflow.
    assert_dead_is_unstable(&find(2.0, "optimizer = \"sgd\"\nclip-norm = 5.0"));
}
