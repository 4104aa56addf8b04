//! A reminder: whoever changes the numbers of trials raises `CORE_VERSION`, or journals would mix old numbers with new ones.
//!
//! Only changes that matter are seen here, not those of the last digits, which differ between processors. A journal tells the
//! latter apart by itself, by the exact losses of a trial's first steps.

use std::path::Path;

use lrfind::LearningRate;
use lrfind::record::{Course, Recovery, Silent, Spacing, TrialSpec};
use lrfind::schedule::{Decay, Schedule};
use lrfind::trial::{CORE_VERSION, Cancel, drive};
use lrfind::{config, task};

/// The version of the core that the numbers below are of.
const VERSION: u32 = 3;

/// Relative difference between processors.
const TOLERANCE: f64 = 1e-3;

const SPIRALS: &str = "[data]\nkind = \"synthetic\"\nproblem = \"spirals\"\nsamples = 120\n";
const TEACHER: &str = "[data]\nkind = \"synthetic\"\nproblem = \"teacher-student\"\nsamples = 120\n";
const QUADRATIC: &str = "[data]\nkind = \"synthetic\"\nproblem = \"quadratic\"\ncurvatures = [2.0, 0.5]\nnoise = 0.3\n";
const DIGITS: &str = "[data]\nkind = \"csv\"\npath = \"configs/data/digits.csv.gz\"\nheader = false\n";
const MLP: &str = "[model]\nkind = \"mlp\"\nhidden = [8]\n";
const LINEAR: &str = "[model]\nkind = \"linear\"\n";

fn rate(value: f64) -> LearningRate {
    LearningRate::new(value).unwrap()
}

/// Every kind of trial and of task, by name.
fn cases() -> Vec<(String, String, TrialSpec)> {
    let steady = TrialSpec::steady(rate(0.05), 3, 24);
    let schedule = |decay| Schedule { decay, warmup_iterations: 4, decay_iterations: 20, iterations_per_epoch: 6 };
    let full = |decay| TrialSpec::full(rate(0.2), 3, schedule(decay), 24, 3);
    let ramp = |spacing| TrialSpec { course: Course::Ramp { end: rate(1.0), spacing }, ..steady };
    let recovery = Some(Recovery { learning_rate: rate(0.01), iterations: 10 });
    let cases = vec![
        ("warm-up", format!("{SPIRALS}{MLP}"), TrialSpec { warmup: 8, ..steady }),
        ("recovery", format!("{SPIRALS}{MLP}"), TrialSpec { recovery, ..TrialSpec::steady(rate(2.0), 3, 20) }),
        ("linear decay", format!("{SPIRALS}{MLP}"), full(Decay::Linear { final_fraction: 0.1 })),
        ("cosine decay", format!("{SPIRALS}{MLP}"), full(Decay::Cosine { final_fraction: 0.1 })),
        ("exponential decay", format!("{SPIRALS}{MLP}"), full(Decay::Exponential { final_fraction: 0.1 })),
        ("step decay", format!("{SPIRALS}{MLP}"), full(Decay::Step { factor: 0.5, every_epochs: 1.0 })),
        ("exponential ramp", format!("{SPIRALS}{MLP}"), ramp(Spacing::Exponential)),
        ("linear ramp", format!("{SPIRALS}{MLP}"), ramp(Spacing::Linear)),
        ("quadratic", QUADRATIC.to_owned(), steady),
        ("teacher", format!("{TEACHER}{MLP}"), steady),
        ("linear regression", format!("{TEACHER}{LINEAR}"), steady),
        ("digits", format!("{DIGITS}{LINEAR}"), steady),
        ("label smoothing", format!("{SPIRALS}{MLP}[training]\nlabel-smoothing = 0.2\n"), steady),
        ("clipping", format!("{SPIRALS}{MLP}[training]\nclip-norm = 0.1\n"), steady),
        ("full batch", format!("{SPIRALS}{MLP}[training]\nbatch-size = \"full\"\n"), steady),
        ("weight decay", format!("{SPIRALS}{MLP}[training]\noptimizer = {{ kind = \"sgd\", weight-decay = 0.5 }}\n"), steady),
    ];
    let named = |name: String, config: String| (name, config, steady);
    let mut all: Vec<_> = cases.into_iter().map(|(name, config, spec)| (name.to_owned(), config, spec)).collect();
    for activation in ["tanh", "gelu", "silu"] {
        all.push(named(activation.to_owned(), format!("{SPIRALS}{MLP}activation = \"{activation}\"\n")));
    }
    for init in ["xavier", "pytorch"] {
        all.push(named(init.to_owned(), format!("{SPIRALS}{MLP}init = \"{init}\"\n")));
    }
    for optimizer in ["momentum", "nesterov", "adam", "adamw", "rmsprop", "adagrad", "lion"] {
        let config = format!("{SPIRALS}{MLP}[training]\noptimizer = \"{optimizer}\"\n");
        all.push((optimizer.to_owned(), config, TrialSpec::steady(rate(0.01), 3, 24)));
    }
    all
}

/// The sum of all losses, and the last figure that the trial was measured by.
fn figures(config: &str, spec: TrialSpec) -> [f64; 2] {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("case.toml");
    let task = task::build(&config::parse(config, &path).unwrap()).unwrap();
    let record = drive(&task, &[spec], 1, &Cancel::default(), &Silent).remove(0);
    let evaluated = record.evaluations.last().and_then(|costs| costs.held_out.or(costs.train));
    let probed = record.probe.last().and_then(|point| point.loss);
    [record.losses.iter().sum(), evaluated.or(probed).unwrap_or(f64::NAN)]
}

#[test]
fn changed_numbers_come_with_another_version() {
    let measured: Vec<_> = cases().into_iter().map(|(name, config, spec)| (name, figures(&config, spec))).collect();
    let rows = measured.iter().map(|(name, [a, b])| format!("    (\"{name}\", [{a:.5}, {b:.5}]),"));
    let table = rows.collect::<Vec<_>>().join("\n");
    let close = |a: f64, b: f64| (a - b).abs() <= TOLERANCE * b.abs();
    let same = measured.len() == PINNED.len()
        && measured
            .iter()
            .zip(PINNED)
            .all(|((name, now), (pinned, then))| name == pinned && (0..2).all(|k| close(now[k], then[k])));
    assert!(
        same && CORE_VERSION == VERSION,
        "the numbers of trials have changed. Where that is meant, raise `CORE_VERSION` in src/trial/mod.rs and `VERSION` here, \
         so that no journal takes old numbers for new ones, and write below:\n{table}"
    );
}

/// Name, and what [`figures`] gave.
const PINNED: &[(&str, [f64; 2])] = &[
    ("warm-up", [35.683_925, 1.242_648]),
    ("recovery", [35.17404, 1.039_086]),
    ("linear decay", [29.864_785, 1.079_989]),
    ("cosine decay", [29.793_111, 1.078_799]),
    ("exponential decay", [30.258_882, 1.097_376]),
    ("step decay", [29.718_514, 1.074_293]),
    ("exponential ramp", [31.381_107, 1.106_476]),
    ("linear ramp", [30.058_107, 1.061_402]),
    ("quadratic", [13.214_694, 0.119_634]),
    ("teacher", [23.632_954, 0.746_934]),
    ("linear regression", [7.138_934, 0.07888]),
    ("digits", [37.838_529, 1.025_687]),
    ("label smoothing", [34.092_475, 1.218_376]),
    ("clipping", [40.062_749, 1.621_686]),
    ("full batch", [33.936_875, 1.202_578]),
    ("weight decay", [30.867_984, 1.110_765]),
    ("tanh", [29.278_382, 1.15568]),
    ("gelu", [34.160_367, 1.210_517]),
    ("silu", [34.177_773, 1.217_267]),
    ("xavier", [28.582_809, 1.151_006]),
    ("pytorch", [26.881_999, 1.106_215]),
    ("momentum", [33.929_711, 1.123_096]),
    ("nesterov", [33.507_835, 1.116_775]),
    ("adam", [33.551_396, 1.160_025]),
    ("adamw", [33.529_911, 1.159_131]),
    ("rmsprop", [27.446_745, 1.01219]),
    ("adagrad", [37.311_132, 1.457_405]),
    ("lion", [32.846_825, 1.112_335]),
];
