//! The `[search]` section.

use std::ops::{Bound, RangeInclusive};

use super::plan::{LONG, OptimizerPlan, SearchPlan, UpdateRule};
use super::section::{Section, above_zero_to};
use crate::lr::{BOUNDS, LrRange, format_significant};

/// How long a short trial may be: fewer iterations than 10 show nothing.
pub const ITERATIONS: RangeInclusive<u64> = 10..=100_000;
/// How many seeds may be tried at each rate.
pub const SEEDS: RangeInclusive<usize> = 1..=64;
/// Most iterations of a long trial.
const MOST_LONG_ITERATIONS: u64 = 10_000_000;
/// Safety factors and margins beyond this leave no rate to recommend.
const MOST_SAFETY: f64 = 1e6;

/// Reads the section. The optimizer decides the default range.
pub(crate) fn read(mut section: Section<'_>, optimizer: Option<&OptimizerPlan>) -> Option<SearchPlan> {
    let largest_seed = i64::MAX.cast_unsigned();
    let (low, high) = default_range(optimizer.map(|optimizer| optimizer.rule));
    let range = range(&mut section).or_else(|| LrRange::new(low, high).ok());
    let extend = section.boolean("extend").unwrap_or(true);
    let iterations = section.integer("iterations", ITERATIONS).unwrap_or(100);
    let long_iterations = section.integer("long-iterations", *ITERATIONS.start()..=MOST_LONG_ITERATIONS);
    if let Some(long) = long_iterations.filter(|long| *long < iterations) {
        section.complain(
            "long-iterations",
            format!("a long trial of {long} iterations is shorter than a short one of {iterations}"),
            format!("write `long-iterations = {}`, or lower `iterations`", LONG * iterations),
        );
    }
    let seeds = section.integer("seeds", SEEDS).unwrap_or(2);
    let first_seed = section.integer("first-seed", 0..=largest_seed).unwrap_or(0);
    let resolution = section.number("resolution", above_zero_to(1.0)).unwrap_or(0.1);
    let safety = section.number("safety", 1.0..=MOST_SAFETY).unwrap_or(1.6);
    let above_one = (Bound::Excluded(1.0), Bound::Included(MOST_SAFETY));
    let check_margin = section.number("check-margin", above_one).unwrap_or(1.5);
    let budget = section.integer("budget", 1..=largest_seed);
    section.finish();
    Some(SearchPlan {
        range: range?,
        extend,
        iterations,
        long_iterations,
        seeds,
        first_seed,
        resolution,
        safety,
        check_margin,
        budget,
    })
}

/// Where usable rates lie for a rule on ordinary problems; the search leaves the range where they do not.
fn default_range(rule: Option<UpdateRule>) -> (f64, f64) {
    match rule {
        Some(UpdateRule::Sgd { momentum, .. }) if momentum > 0.0 => (1e-4, 1.0),
        Some(UpdateRule::Sgd { .. } | UpdateRule::Adagrad { .. }) => (1e-3, 10.0),
        // What SGD with momentum and Adam have in common will do for a rule that is not known.
        Some(UpdateRule::Adam { .. }) | None => (1e-5, 1.0),
        Some(UpdateRule::RmsProp { .. }) => (1e-5, 0.3),
        Some(UpdateRule::Lion { .. }) => (1e-6, 0.1),
    }
}

/// The first scan where the optimizer is not known.
pub(crate) fn unknown_range() -> LrRange {
    let (low, high) = default_range(None);
    LrRange::new(low, high).expect("both ends are rates, the lower first")
}

fn range(section: &mut Section<'_>) -> Option<LrRange> {
    let ends = section.numbers("range", BOUNDS.0..=BOUNDS.1)?;
    let &[low, high] = ends.as_slice() else {
        section.wrong_value("range", "two numbers, the lowest and the highest rate");
        return None;
    };
    let range = LrRange::new(low, high).ok();
    if range.is_none() {
        let (low_text, high_text) = (format_significant(low, 6), format_significant(high, 6));
        let swapped = format!("write `range = [{high_text}, {low_text}]`");
        let fix = if low > high { swapped } else { "write two different rates".to_owned() };
        section.complain("range", format!("the range starts at {low_text}, which is not below its end, {high_text}"), fix);
    }
    range
}
