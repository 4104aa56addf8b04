//! A network whose units have all died predicts the same for every example. Its loss is finite, and can be far below the
//! initial one; it must count as unstable all the same.

mod common;

use std::path::Path;

use lrfind::config::parse;
use lrfind::report::{Report, Trial};
use lrfind::{RunOptions, Study};

/// Five layers of ReLU units under plain SGD, from initial weights so large that the first loss is far above ln 10.
const CONFIG: &str = "[data]\nkind = \"csv\"\npath = \"data/digits.csv.gz\"\nheader = false\n\
    [model]\nkind = \"mlp\"\nhidden = [64, 64, 64, 64, 64]\ninit-scale = 2.0\n\
    [training]\noptimizer = \"sgd\"\n[search]\nseeds = 2\niterations = 60\nrange = [1e-4, 1.0]\n";

fn find() -> Report {
    let plan = parse(CONFIG, &Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/dead.toml")).unwrap();
    let task = lrfind::task::build(&plan).unwrap();
    Study::of_plan(&plan, &task).find(&RunOptions::default())
}

/// Whether a trial ended where constant predictions lie: at ln 10, for ten classes of about the same size.
fn is_dead(trial: &Trial) -> bool {
    let own = trial.probe.iter().find(|point| point.iteration == trial.iterations);
    own.and_then(|point| point.loss).is_some_and(|loss| (loss / 10f64.ln() - 1.0).abs() < 0.02)
}

#[test]
fn is_unstable_though_its_loss_is_finite_and_below_the_initial_one() {
    let report = find();
    let first_unstable = report.instability.first_unstable.unwrap();
    let dead: Vec<&Trial> = report.trials.iter().filter(|trial| is_dead(trial)).collect();
    for t in &report.trials {
        eprintln!(
            "{:9} {} {:4} {:?} {:?} {:?} {:?}",
            t.learning_rate,
            t.seed,
            t.iterations,
            t.recovery.map(|r| r.learning_rate.get()),
            t.verdict,
            t.probe.iter().map(|p| p.loss).collect::<Vec<_>>(),
            t.losses.len()
        );
    }
    eprintln!("{:?}", report.instability.threshold);
    eprintln!("{:?}", report.recommendation);
    assert!(dead.len() >= 4, "only {} networks died: the test shows nothing", dead.len());
    for trial in dead {
        let initial = trial.probe[0].loss.unwrap();
        assert!(initial > 10f64.ln(), "the initial loss {initial} is not above that of a dead network");
        assert!(trial.verdict.is_unstable(), "{:?} at {}", trial.verdict, trial.learning_rate);
        assert!(first_unstable <= trial.learning_rate, "{first_unstable} and dead at {}", trial.learning_rate);
    }
    assert!(report.recommendation.learning_rate.is_some_and(|rate| rate < first_unstable), "{:?}", report.recommendation);
}
