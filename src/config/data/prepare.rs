//! The keys that most kinds of data share: what happens to the examples after they were read.

use std::ops::Bound;

use super::super::plan::{AugmentPlan, PreparePlan, TaskKind};
use super::super::section::Section;

/// Longest shift of an image, in pixels.
const MOST_SHIFT: usize = 1000;

/// Reads the shared keys of data whose target is of this kind; `standardize` is the default of that key.
pub(super) fn read(section: &mut Section<'_>, task: TaskKind, standardize: bool) -> PreparePlan {
    let prepare = unchanged(section, task, standardize);
    let mut augment = section.section("augment", "data.augment");
    if augment.is_absent() {
        return prepare;
    }
    let flip = augment.boolean("flip").unwrap_or(false);
    let crop = augment.integer("crop", 0..=MOST_SHIFT).unwrap_or(0);
    augment.finish();
    PreparePlan { augment: Some(AugmentPlan { flip, crop }), ..prepare }
}

/// Reads the shared keys but for those of random changes.
fn unchanged(section: &mut Section<'_>, task: TaskKind, standardize: bool) -> PreparePlan {
    let standardize = section.boolean("standardize").unwrap_or(standardize);
    let (held_out, split_seed) = (held_out(section), seed(section, "split-seed"));
    let label_noise = label_noise(section);
    if label_noise > 0.0 && task == TaskKind::Regression {
        section.complain(
            "label-noise",
            "label noise is for classes, but this data's target is a number",
            "remove `label-noise`, or write `task = \"classification\"`",
        );
    }
    let share = section.number("share", (Bound::Excluded(0.0), Bound::Included(1.0))).unwrap_or(1.0);
    PreparePlan { standardize, held_out, split_seed, label_noise, share, augment: None }
}

/// The share of examples held out.
pub(super) fn held_out(section: &mut Section<'_>) -> f64 {
    section.number("held-out", 0.0..1.0).unwrap_or(0.2)
}

/// The share of labels replaced.
pub(super) fn label_noise(section: &mut Section<'_>) -> f64 {
    section.number("label-noise", 0.0..=1.0).unwrap_or(0.0)
}

/// A seed. TOML integers end at 2⁶³ − 1.
pub(super) fn seed(section: &mut Section<'_>, key: &'static str) -> u64 {
    section.integer(key, 0..=i64::MAX.cast_unsigned()).unwrap_or(0)
}
