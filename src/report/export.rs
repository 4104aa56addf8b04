//! The recommended schedule in the words of the framework that will follow it.
//!
//! Every snippet counts optimiser steps from 0 and gives the same rate as [`Schedule`] at each of
//! them. A framework's own schedule is used where it is exact, and the formula is spelled out where it is not.

mod burn;
mod python;

use serde_json::json;

use super::ScheduleReport;
use super::text::{counted, grouped, number};
use crate::lr::{format_significant, significant};
use crate::schedule::{Decay, Schedule};

/// What to write the schedule for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// `burn::lr_scheduler`.
    Burn,
    /// `torch.optim.lr_scheduler`.
    Pytorch,
    /// `keras.optimizers.schedules`.
    Keras,
    /// Optax.
    Optax,
    /// The facts, for a program.
    Json,
    /// A table, for a person.
    Text,
}

/// The schedule for `target`, with a newline at the end.
pub fn render(schedule: &ScheduleReport, target: Target) -> String {
    match target {
        Target::Burn => burn::render(schedule),
        Target::Pytorch => python::pytorch(schedule),
        Target::Keras => python::keras(schedule),
        Target::Optax => python::optax(schedule),
        Target::Json => format!("{:#}\n", facts(schedule)),
        Target::Text => table(schedule),
    }
}

/// The schedule in a sentence: `linear decay from 0.12 to 0.0012 over 9,000 iterations (200 epochs)`.
pub fn describe(schedule: &ScheduleReport) -> String {
    let (initial, last) = (number(schedule.initial), number(schedule.final_rate));
    let warmup = schedule.shape.warmup_iterations;
    let span = counted(schedule.decay_iterations, "iteration");
    let epochs = schedule.epochs().map_or_else(String::new, |epochs| format!(" ({} epochs)", number(epochs)));
    let shape = match schedule.shape.decay {
        Decay::Constant => format!("constant at {initial}"),
        Decay::Step { factor, every_epochs } => format!(
            "times {} every {} epochs, from {initial} to {last} over {span}{epochs}",
            number(factor),
            number(every_epochs)
        ),
        decay => format!("{} decay from {initial} to {last} over {span}{epochs}", decay.name()),
    };
    if warmup == 0 { shape } else { format!("{shape}, the first {} a linear warm-up", counted(warmup, "iteration")) }
}

/// The lines to paste under `[training]` in an lrfind config.
pub fn toml(schedule: &ScheduleReport) -> String {
    let mut keys = vec![format!("kind = \"{}\"", schedule.shape.decay.name())];
    match schedule.shape.decay {
        Decay::Constant => {}
        Decay::Linear { final_fraction } | Decay::Cosine { final_fraction } | Decay::Exponential { final_fraction } => {
            keys.push(format!("decay-epochs = {}", significant(schedule.decay_epochs, 12)));
            keys.push(format!("final-fraction = {final_fraction}"));
        }
        Decay::Step { factor, every_epochs } => {
            keys.push(format!("factor = {factor}"));
            keys.push(format!("every-epochs = {every_epochs}"));
        }
    }
    if schedule.shape.warmup_iterations > 0 {
        keys.push(format!("warmup-iterations = {}", schedule.shape.warmup_iterations));
    }
    format!("learning-rate = {}\nschedule = {{ {} }}\n", schedule.initial, keys.join(", "))
}

/// ε_k as a formula, k counted from 0.
fn formula(schedule: &ScheduleReport) -> String {
    let e0 = literal(schedule.initial);
    let Numbers { warmup, span, every } = Numbers::of(&schedule.shape);
    let k = if warmup == 0 { "k".to_owned() } else { format!("(k - {warmup})") };
    let decay = match schedule.shape.decay {
        Decay::Constant => e0.clone(),
        Decay::Linear { final_fraction } => format!("{e0} * (1 - a * (1 - {final_fraction})), a = min({k} / {span}, 1)"),
        Decay::Cosine { final_fraction } => {
            format!("{e0} * ({final_fraction} + (1 - {final_fraction}) * (1 + cos(pi * a)) / 2), a = min({k} / {span}, 1)")
        }
        Decay::Step { factor, .. } => format!("{e0} * {factor}^floor({k} / {every})"),
        Decay::Exponential { final_fraction } => format!("{e0} * {final_fraction}^a, a = min({k} / {span}, 1)"),
    };
    if warmup == 0 { decay } else { format!("{e0} * (k + 1) / {warmup} for k < {warmup}, then {decay}") }
}

/// The iterations at which a table shows the rate: the start, the end of the warm-up, and quarters of the decay.
fn milestones(shape: &Schedule) -> Vec<u64> {
    let span = shape.decay_iterations.saturating_sub(shape.warmup_iterations);
    let mut shown = vec![0];
    shown.extend(
        [0, 1, 2, 3, 4].map(|quarter| shape.warmup_iterations.saturating_add(quarter * (span / 4) + quarter * (span % 4) / 4)),
    );
    shown.dedup();
    shown
}

/// The rate at iteration `k`, without the noise of the last digits.
fn rate_at(schedule: &ScheduleReport, k: u64) -> f64 {
    significant(schedule.initial * schedule.shape.factor(k), 12)
}

fn facts(schedule: &ScheduleReport) -> serde_json::Value {
    json!({
        "kind": schedule.kind,
        "initial": schedule.initial,
        "final": significant(schedule.final_rate, 12),
        "decay_iterations": schedule.decay_iterations,
        "decay_epochs": schedule.decay_epochs,
        "warmup_iterations": schedule.shape.warmup_iterations,
        "iterations_per_epoch": schedule.shape.iterations_per_epoch,
        "shape": schedule.shape.decay,
        "formula": formula(schedule),
        "points": milestones(&schedule.shape)
            .into_iter()
            .map(|k| json!({ "iteration": k, "learning_rate": rate_at(schedule, k) }))
            .collect::<Vec<_>>(),
    })
}

fn table(schedule: &ScheduleReport) -> String {
    let row = |k| format!("{:>12}  {}\n", grouped(k), format_significant(rate_at(schedule, k), 4));
    let rows: Vec<_> = milestones(&schedule.shape).into_iter().map(row).collect();
    let (sentence, formula) = (describe(schedule), formula(schedule));
    format!("{sentence}\nformula: {formula}\n\n{:>12}  learning rate\n{}", "iteration", rows.concat())
}

/// The whole numbers of a schedule's formula.
struct Numbers {
    warmup: u64,
    /// Iterations from the end of the warm-up to the end of the decay.
    span: u64,
    /// Iterations between steps; not always whole, as epochs need not be.
    every: String,
}

impl Numbers {
    fn of(shape: &Schedule) -> Self {
        let every = match shape.decay {
            Decay::Step { every_epochs, .. } => (every_epochs * shape.iterations_per_epoch as f64).max(1.0),
            _ => 1.0,
        };
        Self {
            warmup: shape.warmup_iterations,
            span: shape.decay_iterations.saturating_sub(shape.warmup_iterations).max(1),
            every: format!("{every}"),
        }
    }
}

/// A number as Python and Rust both read it, as a float.
fn literal(value: f64) -> String {
    format!("{:?}", significant(value, 12))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::report::sample;

    /// `sample::schedule` with another decay and warm-up.
    pub(super) fn with(decay: Decay, warmup_iterations: u64) -> ScheduleReport {
        let mut schedule = sample::schedule();
        schedule.kind = decay.name().into();
        schedule.shape = Schedule { decay, warmup_iterations, ..schedule.shape };
        schedule.final_rate = schedule.initial * schedule.shape.final_factor();
        schedule
    }

    #[test]
    fn a_schedule_reads_as_a_sentence() {
        assert_eq!(describe(&sample::schedule()), "linear decay from 0.12 to 0.0012 over 9,000 iterations (200 epochs)");
        // A run of one epoch, or of a script that was told none.
        let one = ScheduleReport { decay_epochs: 1.0, ..sample::schedule() };
        assert_eq!(describe(&one), "linear decay from 0.12 to 0.0012 over 9,000 iterations");
        assert_eq!(describe(&with(Decay::Constant, 0)), "constant at 0.12");
        assert_eq!(
            describe(&with(Decay::Step { factor: 0.5, every_epochs: 100.0 }, 1)),
            "times 0.5 every 100 epochs, from 0.12 to 0.06 over 9,000 iterations (200 epochs), the first 1 iteration a linear warm-up"
        );
    }

    #[test]
    fn the_pasted_lines_are_toml_with_the_same_numbers() {
        let parsed: toml::Table = super::toml(&with(Decay::Linear { final_fraction: 0.01 }, 20)).parse().unwrap();
        assert_eq!(parsed["learning-rate"].as_float(), Some(0.12));
        assert_eq!(parsed["schedule"]["final-fraction"].as_float(), Some(0.01));
        assert_eq!(parsed["schedule"]["decay-epochs"].as_integer(), Some(200));
        assert_eq!(parsed["schedule"]["warmup-iterations"].as_integer(), Some(20));
    }

    #[test]
    fn the_table_follows_the_schedule() {
        let text = render(&with(Decay::Linear { final_fraction: 0.01 }, 0), Target::Text);
        assert!(text.contains("\n           0  0.12\n"), "{text}");
        assert!(text.contains("\n       4,500  0.0606\n"), "{text}");
        assert!(text.ends_with("\n       9,000  0.0012\n"), "{text}");
    }

    #[test]
    fn facts_are_json_with_the_formula_and_points() {
        let text = render(&with(Decay::Cosine { final_fraction: 0.0 }, 100), Target::Json);
        let facts: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(facts["kind"], "cosine");
        assert_eq!(facts["points"][0]["learning_rate"], 0.0012);
        assert_eq!(facts["points"][1], json!({ "iteration": 100, "learning_rate": 0.12 }));
        assert!(facts["formula"].as_str().unwrap().starts_with("0.12 * (k + 1) / 100 for k < 100, then "), "{text}");
    }

    #[test]
    fn milestones_do_not_overflow() {
        let shape =
            Schedule { decay: Decay::Constant, warmup_iterations: 0, decay_iterations: u64::MAX, iterations_per_epoch: 1 };
        assert_eq!(milestones(&shape).last(), Some(&u64::MAX));
        assert_eq!(milestones(&Schedule { decay_iterations: 0, ..shape }), [0]);
    }
}
