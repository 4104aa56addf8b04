//! The order that a report should keep: best early ≤ recommendation < first unstable.

use serde::Serialize;

use super::{OwnReport, Task};

/// Reports counted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Order {
    pub(crate) reports: usize,
    /// The order holds.
    pub(crate) held: usize,
    /// The recommendation lies below the best early rate, and the report says why.
    pub(crate) explained: usize,
    /// No rate is recommended, which always comes with a reason.
    pub(crate) refused: usize,
    /// The rest, as "task (repetition)".
    pub(crate) broken: Vec<String>,
}

enum Standing {
    Held,
    Explained,
    Refused,
    Broken,
}

pub(super) fn order(tasks: &[Task]) -> Order {
    let mut order = Order { reports: 0, held: 0, explained: 0, refused: 0, broken: Vec::new() };
    for task in tasks {
        for (repetition, report) in task.reports.iter().enumerate() {
            order.reports += 1;
            match standing(report) {
                Standing::Held => order.held += 1,
                Standing::Explained => order.explained += 1,
                Standing::Refused => order.refused += 1,
                Standing::Broken => order.broken.push(format!("{} ({})", task.name, repetition + 1)),
            }
        }
    }
    order
}

fn standing(report: &OwnReport) -> Standing {
    let Some(rate) = report.recommended else { return Standing::Refused };
    if report.first_unstable.is_some_and(|first| rate >= first) {
        Standing::Broken
    } else if report.best_early.is_none_or(|best| best <= rate) {
        Standing::Held
    } else if report.lower_because.is_some() {
        Standing::Explained
    } else {
        Standing::Broken
    }
}
