//! What a search loses by leaving trials out: ours against the same trials at all rates.

use serde::Serialize;

use super::statistics::median;
use super::{Answer, EXHAUSTIVE, Task};

/// Rates this near to each other, in decades, are as near as rates of the two grids can be expected to lie: `find` chooses among quarter
/// decades.
const NEAR: f64 = 0.125;
/// And these are the same.
const SAME: f64 = 0.05;

/// Our searches beside the exhaustive ones of the same seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Agreement {
    pub(crate) searches: usize,
    /// Median and largest share of the exhaustive search's iterations.
    pub(crate) iterations: [f64; 2],
    /// Those whose full runs' costs differ by no more than 0.1 % of the initial cost.
    pub(crate) same_cost: usize,
    /// Those whose rates differ by at most 0.05 decades, and by at most an eighth of one.
    pub(crate) nearer: usize,
    pub(crate) near: usize,
}

/// `None` where nobody searched exhaustively.
pub(super) fn agreement(tasks: &[Task]) -> Option<Agreement> {
    let pairs: Vec<(&Task, &Answer, &Answer)> = tasks
        .iter()
        .filter_map(|task| {
            let other = task.rows.iter().find(|row| row.contestant == EXHAUSTIVE)?;
            Some(task.rows[0].answers.iter().zip(&other.answers).map(move |(ours, other)| (task, ours, other)))
        })
        .flatten()
        .collect();
    let shares: Vec<f64> =
        pairs.iter().map(|(_, ours, other)| ours.trial_iterations as f64 / other.trial_iterations as f64).collect();
    let is_same = |(task, ours, other): &&(&Task, &Answer, &Answer)| task.hindsight.costs.is_same(ours.cost, other.cost);
    let within = |decades: f64| {
        let apart = |(_, ours, other): &(&Task, &Answer, &Answer)| Some((ours.rate? / other.rate?).log10().abs());
        pairs.iter().filter_map(apart).filter(|apart| *apart <= decades).count()
    };
    Some(Agreement {
        searches: pairs.len(),
        iterations: [median(&shares)?, shares.iter().copied().fold(0.0, f64::max)],
        same_cost: pairs.iter().filter(is_same).count(),
        nearer: within(SAME),
        near: within(NEAR),
    })
}
