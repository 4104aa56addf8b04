//! One grid of steps for all runs, however often each was logged.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::gather::Run;
use super::{Curve, CurvesError};
use crate::source::fault;

/// The steps at which losses are compared: `first`, and every `stride` from there on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) first: u32,
    pub(super) stride: u32,
}

impl Grid {
    /// The grid of these runs: from the first step of any, and as wide as steps mostly lie apart.
    pub(super) fn of(runs: &[Run]) -> Self {
        let first = runs.iter().filter_map(|run| run.points.first()).map(|point| point.step).min().unwrap_or(0);
        let mut distances: BTreeMap<u32, usize> = BTreeMap::new();
        for pair in runs.iter().flat_map(|run| run.points.windows(2)) {
            *distances.entry(pair[1].step - pair[0].step).or_insert(0) += 1;
        }
        let half = distances.values().sum::<usize>().div_ceil(2);
        let mut seen = 0;
        let median = distances.into_iter().find(|(_, count)| {
            seen += count;
            seen >= half
        });
        Self { first, stride: median.map_or(1, |(distance, _)| distance).max(1) }
    }

    /// The place of a step on the grid.
    fn cell(self, step: u32) -> usize {
        ((step - self.first) / self.stride) as usize
    }

    /// A run that begins a step or so after the others may have been counted from 1 instead of 0; one that begins later lacks
    /// its start.
    fn is_late(self, run: &Run) -> bool {
        run.points.first().is_some_and(|point| self.cell(point.step) > 1)
    }

    /// A rate that moves within a run looks like many runs, most of which begin where another ended.
    pub(super) fn refuse_moving_rates(self, runs: &[Run], files: &[PathBuf]) -> Result<(), CurvesError> {
        let late: Vec<&Run> = runs.iter().filter(|run| self.is_late(run)).collect();
        if 2 * late.len() <= runs.len() {
            return Ok(());
        }
        let run = late[0];
        let (rate, start) = (run.learning_rate, &run.points[0]);
        let message = format!(
            "{} of {} curves begin after the others, that of rate {rate} at step {}: the rate seems to move within the runs, and a \
             curve needs the one that its run was started with; name its column with --lr-column",
            late.len(),
            runs.len(),
            start.step
        );
        Err(fault(&files[run.file], u64::from(start.line), message).into())
    }

    /// The first `most` losses of a run on this grid. Of several losses in a cell the first counts; an empty cell repeats the one
    /// before it.
    pub(super) fn curve(self, run: &Run, most: usize) -> Curve {
        let late_start = run.points.first().filter(|_| self.is_late(run)).map(|point| u64::from(point.step));
        let mut curve = Curve {
            learning_rate: run.learning_rate,
            seed: run.seed,
            losses: Vec::new(),
            diverged: None,
            filled: 0,
            late_start,
            last_step: u64::from(run.last_step),
        };
        let points = if late_start.is_some() { &[] } else { run.points.as_slice() };
        for point in points {
            let cell = self.cell(point.step);
            if cell >= most {
                break;
            }
            let known = curve.losses.len();
            if cell < known {
                // A loss between two steps of the grid.
                if point.loss.is_finite() {
                    continue;
                }
            } else {
                let before = curve.losses.last().copied().unwrap_or(point.loss);
                if before.is_finite() {
                    curve.losses.resize(cell, before);
                    curve.filled += cell - known;
                }
            }
            if !point.loss.is_finite() {
                curve.diverged = Some(point.loss);
                break;
            }
            curve.losses.push(point.loss);
        }
        curve
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::Point;
    use super::*;
    use crate::lr::LearningRate;

    fn run(steps: &[u32], loss: impl Fn(u32) -> f64) -> Run {
        let points: Vec<Point> = steps.iter().map(|&step| Point { step, line: step + 2, loss: loss(step) }).collect();
        let last_step = steps.last().copied().unwrap_or(0);
        Run { learning_rate: LearningRate::new(0.1).unwrap(), seed: 0, points, file: 0, last_step }
    }

    #[test]
    fn the_stride_is_the_usual_distance() {
        let grid = |steps: &[&[u32]]| Grid::of(&steps.iter().map(|steps| run(steps, f64::from)).collect::<Vec<_>>());
        assert_eq!(grid(&[&[0, 1, 2, 3, 9], &[1, 2, 3]]), Grid { first: 0, stride: 1 });
        assert_eq!(grid(&[&[10, 20, 30, 50]]), Grid { first: 10, stride: 10 });
        assert_eq!(grid(&[&[7]]), Grid { first: 7, stride: 1 });
    }

    #[test]
    fn gaps_repeat_the_loss_before_and_losses_in_between_are_left_out() {
        let grid = Grid { first: 0, stride: 10 };
        let curve = grid.curve(&run(&[0, 10, 13, 20, 50], f64::from), 100);
        assert_eq!((curve.losses.as_slice(), curve.filled), ([0.0, 10.0, 20.0, 20.0, 20.0, 50.0].as_slice(), 2));
        assert_eq!(grid.curve(&run(&[0, 10, 20, 900], f64::from), 3).losses, [0.0, 10.0, 20.0]);
        // Counted from 1 where others count from 0.
        assert_eq!(Grid { first: 0, stride: 1 }.curve(&run(&[1, 2], f64::from), 9).losses, [1.0, 1.0, 2.0]);
    }

    #[test]
    fn a_loss_that_is_not_finite_ends_the_curve_even_between_two_cells() {
        let lost = |at: u32| move |step: u32| if step == at { f64::NAN } else { f64::from(step) };
        let grid = Grid { first: 0, stride: 10 };
        let curve = grid.curve(&run(&[0, 10, 20, 30], lost(20)), 100);
        assert!(curve.losses == [0.0, 10.0] && curve.diverged.is_some_and(f64::is_nan), "{curve:?}");
        let curve = grid.curve(&run(&[0, 10, 13, 20], lost(13)), 100);
        assert!(curve.losses == [0.0, 10.0] && curve.diverged.is_some(), "{curve:?}");
        let curve = grid.curve(&run(&[0, 10], lost(0)), 100);
        assert!(curve.losses.is_empty() && curve.diverged.is_some(), "{curve:?}");
    }

    #[test]
    fn rates_that_move_within_runs_are_refused() {
        let schedule = [run(&[0, 1], f64::from), run(&[2, 3], f64::from), run(&[4, 5], f64::from)];
        let files = [PathBuf::from("runs.csv")];
        let message = Grid::of(&schedule).refuse_moving_rates(&schedule, &files).unwrap_err().to_string();
        assert!(message.starts_with("runs.csv:4: 2 of 3 curves begin after the others"), "{message}");
        let resumed = [run(&[0, 1], f64::from), run(&[900, 901], f64::from)];
        assert!(Grid::of(&resumed).refuse_moving_rates(&resumed, &files).is_ok());
    }
}
