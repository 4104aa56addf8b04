//! The rules side by side.

use serde::Serialize;

use super::statistics::{Bootstrap, deviation, mean, median, quantile, wilson};
use super::{Answer, Row, Task};

/// Cost ratios beyond this count as this in a performance profile (AlgoPerf's r_max, Dahl et al. 2023).
pub(crate) const LONGEST: f64 = 4.0;

/// One rule over many tasks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Line {
    /// "all", "A" or "B".
    pub(crate) half: &'static str,
    pub(crate) contestant: String,
    pub(crate) tasks: usize,
    /// Normalised regret, of each task the mean over its repetitions.
    pub(crate) regret: Regret,
    /// J/J*, and the same with costs at least 0.1 % of the initial one.
    pub(crate) ratio: Ratio,
    pub(crate) visible_ratio: Ratio,
    /// Unstable full runs at the first answers, and the upper end of Wilson's 95 % interval of their share.
    pub(crate) unstable: u64,
    pub(crate) runs: u64,
    pub(crate) unstable_at_most: f64,
    /// Mean over tasks of log₁₀(first answer ÷ best rate).
    pub(crate) bias: f64,
    /// The same against the nearest of the rates as good as the best, to 0.1 % of the initial cost.
    pub(crate) visible_bias: f64,
    /// Median and largest standard deviation of log₁₀ of the answers over repetitions, and the same of their distances from the rates
    /// as good as the best.
    pub(crate) spread: Option<[f64; 2]>,
    pub(crate) visible_spread: Option<[f64; 2]>,
    /// Median trial-iterations, and median of their share of one full run.
    pub(crate) trial_iterations: f64,
    pub(crate) share_of_run: f64,
    /// Median of the held-out cost over that of the best rate; a run that diverged counts as infinite.
    pub(crate) held_out: Option<f64>,
    /// Tasks on which the mean run reaches 1.05 J* (0.1 % of the initial cost where that is more), and the median over all
    /// tasks of the iterations that takes over those of the best rate; never counts as infinite.
    pub(crate) reaching: usize,
    pub(crate) time: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Regret {
    pub(crate) mean: f64,
    /// 90 % bootstrap interval over tasks.
    pub(crate) interval: [f64; 2],
    pub(crate) median: f64,
    pub(crate) p90: f64,
    pub(crate) worst: f64,
    /// The share of bootstrap draws in which ours is lower.
    pub(crate) beaten: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Ratio {
    /// Geometric mean.
    pub(crate) mean: f64,
    /// 90 % bootstrap interval over tasks.
    pub(crate) interval: [f64; 2],
    /// The area under the performance profile from 1 to [`LONGEST`], as a share of the largest possible.
    pub(crate) area: f64,
    /// The share of bootstrap draws in which ours is lower.
    pub(crate) beaten: f64,
}

pub(super) fn lines(tasks: &[Task]) -> Vec<Line> {
    let mut lines = Vec::new();
    for half in ["all", "A", "B"] {
        let of: Vec<&Task> = tasks.iter().filter(|t| half == "all" || half.starts_with(t.half)).collect();
        let Some(first) = of.first() else { continue };
        let bootstrap = Bootstrap::over(of.len());
        lines.extend((0..first.rows.len()).map(|i| line(half, &of, i, &bootstrap)));
    }
    lines
}

/// The regret of rule `i` on each task.
pub(crate) fn regrets(tasks: &[&Task], i: usize) -> Vec<f64> {
    per_task(tasks, i, |task, answer| task.hindsight.costs.regret(answer.cost))
}

/// The cost ratio of rule `i` on each task, the geometric mean over repetitions; `visible` where small costs count as equal.
pub(crate) fn ratios(tasks: &[&Task], i: usize, visible: bool) -> Vec<f64> {
    log_ratios(tasks, i, visible).into_iter().map(f64::exp).collect()
}

fn log_ratios(tasks: &[&Task], i: usize, visible: bool) -> Vec<f64> {
    per_task(tasks, i, |task, answer| {
        let costs = &task.hindsight.costs;
        if visible { costs.visible_ratio(answer.cost).ln() } else { costs.ratio(answer.cost).ln() }
    })
}

fn per_task(tasks: &[&Task], i: usize, figure: impl Fn(&Task, &Answer) -> f64) -> Vec<f64> {
    let of = |task: &&Task| mean(&task.rows[i].answers.iter().map(|a| figure(task, a)).collect::<Vec<_>>());
    tasks.iter().map(of).collect()
}

/// ρ(τ) of a performance profile (Dolan & Moré 2002): the share of `ratios` of at most `most`.
pub(crate) fn share_within(ratios: &[f64], most: f64) -> f64 {
    ratios.iter().filter(|r| **r <= most).count() as f64 / ratios.len() as f64
}

/// The mean of ρ over [1, LONGEST]: each task counts from its ratio on.
fn area(ratios: &[f64]) -> f64 {
    let counts = |r: &f64| (LONGEST - r.max(1.0)).max(0.0) / (LONGEST - 1.0);
    mean(&ratios.iter().map(counts).collect::<Vec<_>>())
}

fn line(half: &'static str, tasks: &[&Task], i: usize, bootstrap: &Bootstrap) -> Line {
    let rows: Vec<&Row> = tasks.iter().map(|t| &t.rows[i]).collect();
    let regrets_of = regrets(tasks, i);
    let quantile_of = |share| quantile(&regrets_of, share).unwrap_or(f64::NAN);
    let ratio = |visible| {
        let logs = log_ratios(tasks, i, visible);
        Ratio {
            mean: mean(&logs).exp(),
            interval: bootstrap.interval(&logs).map(f64::exp),
            area: area(&ratios(tasks, i, visible)),
            beaten: bootstrap.share_below(&log_ratios(tasks, 0, visible), &logs),
        }
    };
    let first = |row: &Row| row.answers.first().and_then(|a| a.rate);
    let bias = |from: &dyn Fn(&Task, f64) -> f64| {
        let of = |t: &&Task| first(&t.rows[i]).map(|rate| (rate / from(t, rate)).log10());
        mean(&tasks.iter().filter_map(of).collect::<Vec<_>>())
    };
    let nearest = |task: &Task, rate: f64| rate.clamp(task.hindsight.as_good[0], task.hindsight.as_good[1]);
    let spread = |from: &dyn Fn(&Task, f64) -> f64| {
        let logs = |task: &&Task| {
            let rates = task.rows[i].answers.iter().filter_map(|answer| answer.rate);
            deviation(&rates.map(|rate| (rate / from(task, rate)).log10()).collect::<Vec<_>>())
        };
        let spreads: Vec<f64> = tasks.iter().filter_map(logs).collect();
        median(&spreads).zip(quantile(&spreads, 1.0)).map(|(middle, worst)| [middle, worst])
    };
    let (unstable, runs) = (rows.iter().map(|r| r.unstable).sum(), rows.iter().map(|r| r.runs).sum());
    let costs: Vec<f64> = rows.iter().filter_map(|r| Some(r.answers.first()?.trial_iterations as f64)).collect();
    let shares: Vec<f64> = costs.iter().zip(tasks).map(|(cost, t)| cost / t.hindsight.iterations as f64).collect();
    let held_out: Vec<f64> = tasks.iter().filter_map(|t| held_out(t, &t.rows[i])).collect();
    let times: Vec<f64> = tasks.iter().filter_map(|t| time(t, &t.rows[i])).collect();
    Line {
        half,
        contestant: rows[0].contestant.clone(),
        tasks: rows.len(),
        regret: Regret {
            mean: mean(&regrets_of),
            interval: bootstrap.interval(&regrets_of),
            median: quantile_of(0.5),
            p90: quantile_of(0.9),
            worst: quantile_of(1.0),
            beaten: bootstrap.share_below(&regrets(tasks, 0), &regrets_of),
        },
        ratio: ratio(false),
        visible_ratio: ratio(true),
        unstable,
        runs,
        unstable_at_most: wilson(unstable, runs)[1],
        bias: bias(&|task, _| task.hindsight.best),
        visible_bias: bias(&nearest),
        spread: spread(&|_, _| 1.0),
        visible_spread: spread(&nearest),
        trial_iterations: median(&costs).unwrap_or(f64::NAN),
        share_of_run: median(&shares).unwrap_or(f64::NAN),
        held_out: median(&held_out),
        reaching: rows.iter().filter(|r| r.reached.is_some()).count(),
        time: median(&times),
    }
}

/// Held-out cost over that of the best rate; `None` where nothing was held out.
fn held_out(task: &Task, row: &Row) -> Option<f64> {
    Some(row.held_out.unwrap_or(f64::INFINITY) / task.hindsight.held_out?)
}

/// Iterations to the target over those of the best rate; `None` where even that did not reach it.
fn time(task: &Task, row: &Row) -> Option<f64> {
    let best = task.hindsight.reached? as f64;
    Some(row.reached.map_or(f64::INFINITY, |own| own as f64 / best))
}
