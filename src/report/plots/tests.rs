use std::collections::BTreeSet;

use proptest::prelude::*;

use super::sample::{self, RATES, trial, with_trials, without_answer};
use super::*;
use crate::record::Outcome;
use crate::report::{Check, Status, Trial, Verdict};
use crate::schedule::Decay;

/// The number of distinct colours of a picture, after checking its size.
fn colours(plot: &Plot) -> usize {
    let mut reader = png::Decoder::new(plot.png.as_slice()).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((info.width, info.height, info.color_type), (WIDTH, HEIGHT, png::ColorType::Rgb), "{}", plot.file_name);
    pixels.chunks(3).map(|c| (c[0], c[1], c[2])).collect::<BTreeSet<_>>().len()
}

/// The figures of `report`, each checked for its size and for having something on it; saved where `LRFIND_PLOTS_OUT` says.
fn drawn(case: &str, report: &Report, least: usize) -> Vec<Plot> {
    let plots = all(report).unwrap();
    for plot in &plots {
        let colours = colours(plot);
        assert!(colours >= least, "{case}: {} has {colours} colours", plot.file_name);
        if let Some(folder) = std::env::var_os("LRFIND_PLOTS_OUT") {
            std::fs::write(std::path::Path::new(&folder).join(format!("{case}-{}", plot.file_name)), &plot.png).unwrap();
        }
    }
    plots
}

/// Every trial with its losses replaced.
fn with_every_loss(change: impl Fn(f64) -> f64) -> Report {
    let mut report = sample::report();
    for trial in &mut report.trials {
        for loss in &mut trial.losses {
            *loss = change(*loss);
        }
    }
    report
}

#[test]
fn a_full_report_gives_four_figures_the_same_every_time() {
    let report = sample::report();
    let plots = drawn("full", &report, 200);
    let names: Vec<_> = plots.iter().map(|p| p.file_name).collect();
    assert_eq!(names, ["loss-vs-rate.png", "learning-curves.png", "stability-map.png", "schedule.png"]);
    assert_eq!(all(&report).unwrap(), plots);
}

#[test]
fn the_figures_show_what_the_report_says() {
    let plots = all(&sample::report()).unwrap();
    let mut report = sample::report();
    report.recommendation.learning_rate = Some(0.08);
    report.instability.first_unstable = Some(0.5);
    report.instability.threshold = Some(0.4472);
    let others = all(&report).unwrap();
    for (plot, other) in plots.iter().zip(&others) {
        assert!(plot.png != other.png, "{} ignores the answer", plot.file_name);
    }
}

#[test]
fn a_checked_rate_is_marked() {
    let mut report = sample::report();
    report.check = Some(sample::check());
    report.recommendation.learning_rate = None;
    assert_ne!(drawn("check", &report, 200)[0].png, loss_by_rate(&sample::report()).unwrap().png);
}

#[test]
fn without_trials_the_figures_say_so() {
    let plots = drawn("empty", &without_answer(Vec::new()), 20);
    assert_eq!(plots.len(), 3);
}

#[test]
fn when_all_diverged_the_figures_say_so() {
    let trials = RATES.map(|rate| Trial { learning_rate: 10.0 * rate, ..trial(2.0, 0, 200) });
    drawn("diverged", &without_answer(trials.to_vec()), 20);
    let lost = |t: Trial| Trial { losses: Vec::new(), outcome: Outcome::Diverged { step: 0, reason: "nan".into() }, ..t };
    drawn("no-losses", &without_answer(trials.map(lost).to_vec()), 20);
}

#[test]
fn few_trials_still_make_figures() {
    drawn("one-trial", &without_answer(vec![trial(0.1, 0, 200)]), 50);
    drawn("one-seed", &with_trials(RATES.map(|rate| trial(rate, 0, 200)).to_vec()), 50);
    drawn("one-step", &without_answer(vec![trial(0.1, 0, 1)]), 50);
}

#[test]
fn many_rates_and_seeds_still_fit() {
    let rates = (0..60).map(|k| 1e-6 * 1.3f64.powi(k));
    let trials = rates.flat_map(|rate| (0..24).map(move |seed| trial(rate, seed * 1_000_003, 60))).collect();
    let mut report = with_trials(trials);
    report.name =
        "a run with a name so long that it cannot stand in one line above a figure, whatever the size of its letters".into();
    drawn("many", &report, 100);
}

#[test]
fn odd_losses_still_make_figures() {
    drawn("zero", &with_every_loss(|_| 0.0), 50);
    drawn("negative", &with_every_loss(|l| l - 10.0), 50);
    drawn("huge", &with_every_loss(|l| 1e30 * l), 50);
    drawn("small", &with_every_loss(|l| l.powi(4)), 50);
    drawn("overflowing", &with_every_loss(|l| 1e308 * (l - 1.0)), 50);
}

#[test]
fn every_schedule_can_be_drawn() {
    for (name, decay) in [
        ("cosine", Decay::Cosine { final_fraction: 0.0 }),
        ("step", Decay::Step { factor: 0.5, every_epochs: 20.0 }),
        ("constant", Decay::Constant),
        ("exponential", Decay::Exponential { final_fraction: 1e-4 }),
    ] {
        let mut report = sample::report();
        let plan = report.schedule.as_mut().unwrap();
        plan.kind = name.into();
        plan.shape.decay = decay;
        plan.shape.warmup_iterations = 0;
        plan.final_rate = plan.initial * plan.shape.final_factor();
        let plot = schedule(&report).unwrap().unwrap();
        assert!(colours(&plot) > 100);
        if let Some(folder) = std::env::var_os("LRFIND_PLOTS_OUT") {
            std::fs::write(std::path::Path::new(&folder).join(format!("schedule-{name}.png")), &plot.png).unwrap();
        }
    }
}

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -10.0..10.0f64,
        4 => (-14.0..14.0f64).prop_map(|e| 10f64.powf(e)),
        1 => prop::sample::select(vec![0.0, -0.0, f64::MAX, f64::MIN, f64::MIN_POSITIVE, f64::INFINITY, f64::NAN, 1e-310]),
    ]
}

fn any_trial() -> impl Strategy<Value = Trial> {
    let verdict = prop::sample::select(super::data::VERDICTS.map(|v| v.0).to_vec());
    let outcome = prop::sample::select(vec![
        Outcome::Completed,
        Outcome::Diverged { step: 3, reason: String::new() },
        Outcome::Cancelled,
        Outcome::Failed { message: String::new() },
    ]);
    let iterations = prop_oneof![4 => 0..60u64, 1 => prop::sample::select(vec![u64::MAX, 1 << 40])];
    let losses = prop::collection::vec(any_number(), 0..40);
    (any_number(), 0..5u64, iterations, outcome, verdict, losses).prop_map(
        |(learning_rate, seed, iterations, outcome, verdict, losses)| Trial {
            learning_rate,
            seed,
            iterations,
            recovery: None,
            outcome,
            verdict,
            losses,
            probe: Vec::new(),
        },
    )
}

fn any_report() -> impl Strategy<Value = Report> {
    let rate = || prop::option::of(any_number());
    let trials = prop::collection::vec(any_trial(), 0..12);
    let steps = prop::sample::select(vec![0, 1, 7, 100_000, u64::MAX]);
    (trials, [rate(), rate(), rate(), rate(), rate(), rate()], [steps.clone(), steps.clone(), steps], "\\PC{0,30}").prop_map(
        |(trials, [best, recommended, last, first, checked, initial], [short, warmup, decay], name)| {
            let mut report = with_trials(Vec::new());
            report.trials = trials;
            report.name = name;
            report.status = Status::Partial;
            report.run.short_iterations = short;
            report.best_early.value = report.best_early.value.zip(best).map(|(mut b, rate)| {
                b.learning_rate = rate;
                b.loss.median = initial.unwrap_or(0.0);
                b
            });
            report.recommendation.learning_rate = recommended;
            report.recommendation.low = last;
            report.recommendation.high = first;
            report.instability.last_stable = last;
            report.instability.first_unstable = first;
            report.instability.threshold = last.zip(first).map(|(a, b)| f64::midpoint(a, b));
            report.check = checked.map(|learning_rate| Check { learning_rate, ..sample::check() });
            let plan = report.schedule.as_mut().expect("the sample has a schedule");
            plan.initial = initial.unwrap_or(0.1);
            plan.final_rate = recommended.unwrap_or(0.001);
            plan.decay_epochs = first.unwrap_or(1.0);
            (plan.shape.warmup_iterations, plan.shape.decay_iterations) = (warmup, decay);
            plan.shape.iterations_per_epoch = short;
            report
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_report_makes_the_plots_fail(report in any_report()) {
        let plots = all(&report);
        prop_assert!(plots.is_ok_and(|p| p.len() == 4));
    }
}

/// The verdicts shown in the map are named in its key, each once.
#[test]
fn every_verdict_has_a_name() {
    let named: BTreeSet<Verdict> = super::data::VERDICTS.iter().map(|v| v.0).collect();
    assert_eq!(named.len(), 7);
}
