//! Made-up problems.

use super::super::plan::{DataPlan, SyntheticPlan};
use super::super::section::{LARGE, Section};
use super::prepare::{held_out, label_noise, seed};

/// Most examples of a made-up problem, and most parameters of the quadratic.
const MOST_SAMPLES: usize = 10_000_000;
/// Most inputs and most hidden units of the teacher: its weights stay below 10⁸.
const MOST_UNITS: usize = 10_000;
/// Most numbers that a made-up data set may hold: 400 MB in single precision.
const MOST_INPUTS: usize = 100_000_000;
/// Curvatures outside these bounds have their threshold 2/λ where single precision fails.
const CURVATURES: (f64, f64) = (1e-9, 1e9);

#[derive(Clone, Copy)]
enum Made {
    TeacherStudent,
    Spirals,
    Quadratic,
}

/// Reads the keys of `kind = "synthetic"`.
pub(super) fn read(section: &mut Section<'_>) -> Option<DataPlan> {
    let problems = [("teacher-student", Made::TeacherStudent), ("spirals", Made::Spirals), ("quadratic", Made::Quadratic)];
    let made = section.variant("problem", &problems);
    let made = section.require("problem", made)?;
    let problem = match made {
        Made::TeacherStudent => Some(teacher_student(section)),
        Made::Spirals => Some(spirals(section)),
        Made::Quadratic => quadratic(section),
    };
    // The quadratic has no examples to hold out.
    let held_out = if matches!(made, Made::Quadratic) { 0.0 } else { held_out(section) };
    let data_seed = seed(section, "data-seed");
    Some(DataPlan::Synthetic { problem: problem?, data_seed, held_out })
}

fn teacher_student(section: &mut Section<'_>) -> SyntheticPlan {
    let samples = section.integer("samples", 1..=MOST_SAMPLES).unwrap_or(1024);
    let features = section.integer("features", 1..=MOST_UNITS).unwrap_or(16);
    let hidden = section.integer("hidden", 0..=MOST_UNITS).unwrap_or(32);
    if samples.saturating_mul(features) > MOST_INPUTS {
        section.complain(
            "samples",
            format!("{samples} samples of {features} features are {} numbers, too many to hold", samples * features),
            format!("keep `samples` × `features` at or below {MOST_INPUTS}"),
        );
    }
    SyntheticPlan::TeacherStudent { samples, features, hidden, noise: noise(section, 0.1) }
}

fn spirals(section: &mut Section<'_>) -> SyntheticPlan {
    let samples = section.integer("samples", 1..=MOST_SAMPLES).unwrap_or(1024);
    let classes = section.integer("classes", 2..=100).unwrap_or(3);
    if samples < classes {
        section.complain(
            "samples",
            format!("{samples} samples cannot cover {classes} classes"),
            format!("write `samples = {}` or more", 100 * classes),
        );
    }
    SyntheticPlan::Spirals { samples, classes, noise: noise(section, 0.05), label_noise: label_noise(section) }
}

fn quadratic(section: &mut Section<'_>) -> Option<SyntheticPlan> {
    let noise = noise(section, 0.0);
    let curvatures = section.numbers("curvatures", CURVATURES.0..=CURVATURES.1);
    let spaced = spaced_curvatures(section);
    let listed = section.has("curvatures");
    for key in ["condition", "dimensions", "max-curvature"] {
        if listed && section.has(key) {
            section.complain(
                key,
                format!("`{key}` and `curvatures` both say what the curvatures are"),
                format!("remove `{key}`, or `curvatures`"),
            );
        }
    }
    if !listed && !section.has("condition") {
        section.require("curvatures", None::<()>);
    }
    let curvatures = if listed { curvatures } else { spaced };
    Some(SyntheticPlan::Quadratic { curvatures: curvatures?, noise })
}

/// The curvatures that `condition`, `dimensions` and `max-curvature` describe; `None` without a condition.
fn spaced_curvatures(section: &mut Section<'_>) -> Option<Vec<f64>> {
    let condition = section.number("condition", 1.0..=LARGE);
    let dimensions = section.integer("dimensions", 1..=MOST_UNITS).unwrap_or(10);
    let largest = section.number("max-curvature", CURVATURES.0..=CURVATURES.1).unwrap_or(1.0);
    let condition = condition?;
    if dimensions == 1 && condition > 1.0 {
        section.complain("dimensions", "one curvature has no condition but 1", "write `dimensions = 2` or more");
        return None;
    }
    if largest / condition < CURVATURES.0 {
        section.complain(
            "condition",
            format!(
                "the smallest curvature, `max-curvature` / `condition` = {:e}, is below {:e}",
                largest / condition,
                CURVATURES.0
            ),
            "lower `condition`, or raise `max-curvature`",
        );
        return None;
    }
    Some(log_spaced(largest, condition, dimensions))
}

/// `count` curvatures from `largest` / `condition` to `largest`, evenly spaced in the logarithm.
fn log_spaced(largest: f64, condition: f64, count: usize) -> Vec<f64> {
    let intervals = count.saturating_sub(1).max(1) as f64;
    (0..count).map(|i| largest * condition.powf((i as f64 + 1.0 - count as f64) / intervals)).collect()
}

fn noise(section: &mut Section<'_>, default: f64) -> f64 {
    section.number("noise", 0.0..=LARGE).unwrap_or(default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curvatures_are_evenly_spaced_in_the_logarithm() {
        let curvatures = log_spaced(100.0, 1000.0, 4);
        for (found, expected) in curvatures.iter().zip([0.1, 1.0, 10.0, 100.0]) {
            assert!((found / expected - 1.0).abs() < 1e-12, "{found} for {expected}");
        }
        assert_eq!(log_spaced(3.0, 50.0, 7).last(), Some(&3.0));
        assert_eq!(log_spaced(3.0, 1.0, 1), [3.0]);
    }
}
