//! Tasks whose ground truth may not mean what it seems to.

use super::Task;

/// A best rate this near to an end of the grid, in decades, may not be the best of all.
const EDGE: f64 = 0.26;

/// Each doubtful task, and why.
pub(super) fn doubts(tasks: &[Task]) -> Vec<(String, Vec<String>)> {
    let doubted = tasks.iter().map(|task| (task.name.clone(), of(task)));
    doubted.filter(|(_, doubts)| !doubts.is_empty()).collect()
}

fn of(task: &Task) -> Vec<String> {
    let hindsight = &task.hindsight;
    let costs = &hindsight.costs;
    let [low, high] = hindsight.grid;
    let near = |end: f64| (hindsight.best / end).log10().abs() < EDGE;
    let gained = (costs.tenth - costs.least) / (costs.initial - costs.least);
    let found = [
        (near(low) || near(high), "the best rate lies at the edge of the grid".to_owned()),
        (hindsight.threshold.is_none(), "no rate of the grid above the best is unstable".to_owned()),
        (costs.tenth > costs.initial, "after a tenth of the best run its cost is above the initial one".to_owned()),
        (gained < 0.01, format!("the best run gains only {:.1} % of all in its last nine tenths", 100.0 * gained)),
        (costs.least < costs.precision(), "J* is 0 to single precision".to_owned()),
    ];
    found.into_iter().filter(|(holds, _)| *holds).map(|(_, why)| why).collect()
}
