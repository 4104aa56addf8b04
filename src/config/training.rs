//! The `[training]` section.

use toml::de::DeValue;

use super::plan::{TaskKind, TrainingPlan};
use super::schedule::{MOST_EPOCHS, SchedulePlan};
use super::section::{LARGE, Section, above_zero_to};
use super::{optimizer, schedule};
use crate::lr::{BOUNDS, LearningRate};

/// Most examples in a mini-batch.
const MOST_BATCH: usize = 1_000_000_000;

/// Reads the section. `task` is what is predicted, where that is known.
pub(crate) fn read(mut section: Section<'_>, task: Option<TaskKind>) -> Option<TrainingPlan> {
    section.note_context("[model]");
    let optimizer = optimizer::read(section.section_or_word("optimizer", "training.optimizer"));
    let batch_size = batch_size(&mut section);
    let accumulate = accumulate(&mut section, batch_size);
    let epochs = section.number("epochs", above_zero_to(MOST_EPOCHS)).unwrap_or(100.0);
    let learning_rate_line = section.line("learning-rate");
    let learning_rate = section.number("learning-rate", BOUNDS.0..=BOUNDS.1).and_then(|rate| LearningRate::new(rate).ok());
    let schedule = schedule::read(section.section_or_word("schedule", "training.schedule"), epochs);
    let label_smoothing = section.number("label-smoothing", 0.0..1.0).unwrap_or(0.0);
    if label_smoothing > 0.0 && task == Some(TaskKind::Regression) {
        section.complain(
            "label-smoothing",
            "label smoothing is for classes, but this data's target is a number",
            "remove `label-smoothing`",
        );
    }
    let clip_norm = section.number("clip-norm", above_zero_to(LARGE));
    section.finish();
    let SchedulePlan { decay, decay_epochs, warmup_iterations } = schedule?;
    Some(TrainingPlan {
        optimizer: optimizer?,
        batch_size,
        accumulate,
        epochs,
        learning_rate,
        learning_rate_line,
        decay,
        decay_epochs,
        warmup_iterations,
        label_smoothing,
        clip_norm,
    })
}

/// Parts that a mini-batch is computed in.
fn accumulate(section: &mut Section<'_>, batch_size: usize) -> usize {
    let parts = section.integer("accumulate", 1..=MOST_BATCH).unwrap_or(1);
    if batch_size > 0 && parts > batch_size {
        section.complain(
            "accumulate",
            format!("a mini-batch of {batch_size} examples cannot be computed in {parts} parts"),
            format!("write `accumulate = {batch_size}` or less, or raise `batch-size`, which counts the examples of all parts"),
        );
    }
    parts
}

/// Examples in a mini-batch; 0 for all.
fn batch_size(section: &mut Section<'_>) -> usize {
    const DEFAULT: usize = 32;
    match section.any("batch-size") {
        None => DEFAULT,
        Some(DeValue::String(word)) if word == "full" => 0,
        Some(DeValue::Integer(_)) => section.integer("batch-size", 0..=MOST_BATCH).unwrap_or(DEFAULT),
        Some(_) => {
            section.wrong_value("batch-size", "an integer, or \"full\"");
            DEFAULT
        }
    }
}
