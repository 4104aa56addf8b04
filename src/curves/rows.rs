//! The rows of one file, sorted into runs as they come, with the earliest steps of each run kept.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::MAX_PROBLEMS;
use super::cell::{Cell, Seed};
use super::columns::Columns;
use crate::error::DataError;
use crate::lr::LearningRate;
use crate::source::fault;

/// More runs than this are taken for a mistake: for the rate of the moment in place of that of the run.
const MAX_RUNS: usize = 20_000;

/// A logged loss. Small on purpose: ten million of them are nothing unusual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) step: u32,
    /// The line it stands on, for messages.
    pub(super) line: u32,
    /// May be anything but a number that is not there.
    pub(super) loss: f64,
}

/// The points of one rate and seed in one file.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) learning_rate: LearningRate,
    pub(super) seed: Seed,
    /// The points with the lowest steps, in no order.
    pub(super) points: Vec<Point>,
    /// Points beyond this step have been dropped.
    bound: u32,
    /// The last step, dropped or not.
    pub(super) last_step: u32,
}

impl Run {
    /// Keeps a point unless `most` others have lower steps.
    fn push(&mut self, point: Point, most: usize) {
        self.last_step = self.last_step.max(point.step);
        if point.step > self.bound {
            return;
        }
        self.points.push(point);
        // Every so often rather than each time, so that a point costs the same on average however many are kept.
        if self.points.len() >= 2 * most {
            self.points.select_nth_unstable_by_key(most - 1, |p| (p.step, p.line));
            self.points.truncate(most);
            self.bound = self.points[most - 1].step;
        }
    }
}

/// One row: the cells of the four columns.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) learning_rate: Cell<'a>,
    /// `None` where there is no such column.
    pub(super) seed: Option<Cell<'a>>,
    pub(super) step: Cell<'a>,
    pub(super) loss: Cell<'a>,
}

/// The rows of a file.
#[derive(Debug)]
pub(super) struct Rows {
    path: PathBuf,
    most: usize,
    pub(super) columns: Columns,
    pub(super) runs: Vec<Run>,
    index: HashMap<(u64, Seed), usize>,
    /// The run of the row before: rows mostly come run by run.
    latest: Option<((u64, Seed), usize)>,
    /// The seeds that are names, by number.
    pub(super) names: Vec<String>,
    numbers: HashMap<String, u32>,
    pub(super) count: u64,
    pub(super) without_loss: u64,
    pub(super) problems: Vec<DataError>,
}

impl Rows {
    /// No rows yet of the file at `path`, of which the first `most` points of each run are to be kept.
    pub(super) fn new(path: &Path, columns: Columns, most: usize) -> Self {
        Self {
            path: path.to_owned(),
            most,
            columns,
            runs: Vec::new(),
            index: HashMap::new(),
            latest: None,
            names: Vec::new(),
            numbers: HashMap::new(),
            count: 0,
            without_loss: 0,
            problems: Vec::new(),
        }
    }

    /// Notes a problem; says whether to go on.
    pub(super) fn complain(&mut self, line: u64, message: impl Into<String>) -> bool {
        self.problems.push(fault(&self.path, line, message));
        self.problems.len() < MAX_PROBLEMS
    }

    /// Takes a row; says whether to go on.
    pub(super) fn add(&mut self, line: u64, row: &Row<'_>) -> bool {
        self.count += 1;
        match self.take(line, row) {
            Ok(()) => true,
            Err(message) => self.complain(line, message),
        }
    }

    fn take(&mut self, line: u64, row: &Row<'_>) -> Result<(), String> {
        let Some(loss) = row.loss.loss().map_err(|e| in_column(&self.columns.loss, &e))? else {
            self.without_loss += 1;
            return Ok(());
        };
        let step = row.step.step().map_err(|e| in_column(&self.columns.step, &e))?;
        let rate = row.learning_rate.rate().map_err(|e| in_column(&self.columns.learning_rate, &e))?;
        let seed = match &row.seed {
            None => Seed::File,
            Some(cell) => {
                let (names, numbers) = (&mut self.names, &mut self.numbers);
                cell.seed(|name| number_of(name, names, numbers))
                    .map_err(|e| in_column(self.columns.seed.as_deref().unwrap_or_default(), &e))?
            }
        };
        let run = self.run(rate, seed)?;
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        self.runs[run].push(Point { step, line, loss }, self.most);
        Ok(())
    }

    fn run(&mut self, learning_rate: LearningRate, seed: Seed) -> Result<usize, String> {
        let key = (learning_rate.get().to_bits(), seed);
        if let Some((_, run)) = self.latest.filter(|(latest, _)| *latest == key) {
            return Ok(run);
        }
        let next = self.runs.len();
        let run = *self.index.entry(key).or_insert(next);
        if run == next {
            if next == MAX_RUNS {
                return Err(too_many_runs(&self.columns.learning_rate));
            }
            self.runs.push(Run { learning_rate, seed, points: Vec::new(), bound: u32::MAX, last_step: 0 });
        }
        self.latest = Some((key, run));
        Ok(run)
    }
}

fn in_column(column: &str, message: &str) -> String {
    format!("column {column:?}: {message}")
}

fn too_many_runs(column: &str) -> String {
    format!(
        "more than {MAX_RUNS} different pairs of rate and seed: if {column:?} is the rate of the moment, name the column of the \
         initial rate with --lr-column; if these are runs, analyze fewer at once"
    )
}

/// The number of a seed's name; the next one for a name that is new.
fn number_of(name: &str, names: &mut Vec<String>, numbers: &mut HashMap<String, u32>) -> u32 {
    if let Some(&number) = numbers.get(name) {
        return number;
    }
    let number = names.len() as u32;
    names.push(name.to_owned());
    numbers.insert(name.to_owned(), number);
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_keeps_its_lowest_steps_in_whatever_order_they_come() {
        let rate = LearningRate::new(0.1).unwrap();
        for order in [|k: u32| k, |k: u32| 999 - k, |k: u32| k * 617 % 1000] {
            let mut run = Run { learning_rate: rate, seed: Seed::File, points: Vec::new(), bound: u32::MAX, last_step: 0 };
            for k in 0..1000 {
                run.push(Point { step: order(k), line: k, loss: 1.0 }, 10);
            }
            let mut steps: Vec<u32> = run.points.iter().map(|p| p.step).collect();
            steps.sort_unstable();
            assert!(steps.starts_with(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) && steps.len() < 20, "{steps:?}");
            assert_eq!(run.last_step, 999);
        }
    }
}
