//! Learning curves that somebody has recorded: CSV files or JSON lines with a row for each logged loss.
//!
//! [`read`] is all there is to call. It streams any number of files at once, keeps the first losses of each curve and no more,
//! and returns every curve on one grid of steps. Files are recognised by what they hold, not by their names.

mod cell;
mod columns;
mod csv;
mod gather;
mod grid;
mod json;
mod paths;
mod rows;

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::error::DataError;
use crate::lr::LearningRate;
use crate::source::{BUFFER, fault, open, read_error, unpacked};
pub(crate) use columns::is_epoch;
pub use columns::{ColumnNames, Columns};
use rows::Rows;

/// The path that stands for standard input.
pub const STDIN: &str = "-";

/// Problems are gathered up to this many before they are reported together.
const MAX_PROBLEMS: usize = 20;

/// Curves as read, on one grid of steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// The curves, ascending by rate and then by seed.
    pub curves: Vec<Curve>,
    /// The first step of all curves, from which iterations are counted.
    pub first_step: u64,
    /// Steps from one loss to the next: the usual distance in the files.
    pub steps_per_loss: u64,
    /// Files read.
    pub files: usize,
    /// Rows read.
    pub rows: u64,
    /// Rows without a loss, which were skipped.
    pub rows_without_loss: u64,
    /// The columns used, once for each choice that differs between files.
    pub columns: Vec<Columns>,
    /// What each seed is called in the files; empty where seeds are numbers there.
    pub seed_names: Vec<String>,
}

/// One training run at a steady rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Its rate.
    pub learning_rate: LearningRate,
    /// Its seed; runs of different rates with one seed count as paired.
    pub seed: u64,
    /// Finite losses, [`Recording::steps_per_loss`] apart, from [`Recording::first_step`] on; as many as were asked for, or up to
    /// the first that is not finite.
    pub losses: Vec<f64>,
    /// The loss that was not finite, and followed on `losses`.
    pub diverged: Option<f64>,
    /// How many of `losses` no row gave, so that the loss before stands in.
    pub filled: usize,
    /// The first step of this curve, where it begins after the others, so that `losses` is empty.
    pub late_start: Option<u64>,
    /// The last step of the curve in the files, whether its loss was kept or not.
    pub last_step: u64,
}

/// Everything that is wrong with the files, in their order, up to twenty problems.
#[derive(Debug)]
pub struct CurvesError {
    /// The problems; never empty.
    pub problems: Vec<DataError>,
}

impl CurvesError {
    fn new(mut problems: Vec<DataError>) -> Self {
        problems.truncate(MAX_PROBLEMS);
        Self { problems }
    }
}

impl From<DataError> for CurvesError {
    fn from(problem: DataError) -> Self {
        Self { problems: vec![problem] }
    }
}

impl fmt::Display for CurvesError {
    /// Every problem on a line of its own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            write!(f, "{newline}{problem}")?;
        }
        if self.problems.len() == MAX_PROBLEMS {
            write!(f, "\nthere may be more: only the first {MAX_PROBLEMS} problems are shown")?;
        }
        Ok(())
    }
}

impl std::error::Error for CurvesError {}

/// Reads all curves in `paths`, which are files, folders with files, or [`STDIN`], and keeps the first `most` losses of each.
///
/// The result does not depend on the order of the files or of the rows in them. A seed that is no number is numbered by its
/// place among the sorted names; where there is no seed column, the files that hold a rate are its seeds, in the order of their
/// paths.
///
/// # Errors
/// When a file cannot be read, lacks a column, holds a row that makes no sense, or two rows for one rate, seed and step; when the
/// rate changes within runs; when there is no row at all.
pub fn read(paths: &[PathBuf], columns: &ColumnNames, most: usize) -> Result<Recording, CurvesError> {
    let files = paths::files(paths)?;
    let read: Vec<Result<Rows, DataError>> = files.par_iter().map(|path| read_file(path, columns, most.max(1))).collect();
    let mut problems = Vec::new();
    let mut rows = Vec::new();
    for result in read {
        match result {
            Ok(mut good) => {
                problems.append(&mut good.problems);
                rows.push(good);
            }
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(CurvesError::new(problems));
    }
    let mut used: Vec<Columns> = rows.iter().map(|rows| rows.columns.clone()).collect();
    used.sort();
    used.dedup();
    let counts = rows.iter().fold((0, 0), |sums, file| (sums.0 + file.count, sums.1 + file.without_loss));
    let gathered = gather::gather(rows, &files)?;
    if gathered.runs.is_empty() {
        return Err(fault(&files[0], None, "there is no row with a loss: give files with a row for each logged loss").into());
    }
    let grid = grid::Grid::of(&gathered.runs);
    grid.refuse_moving_rates(&gathered.runs, &files)?;
    Ok(Recording {
        curves: gathered.runs.into_iter().map(|run| grid.curve(&run, most)).collect(),
        first_step: u64::from(grid.first),
        steps_per_loss: u64::from(grid.stride),
        files: files.len(),
        rows: counts.0,
        rows_without_loss: counts.1,
        columns: used,
        seed_names: gathered.seed_names,
    })
}

/// The rows of one file.
fn read_file(path: &Path, columns: &ColumnNames, most: usize) -> Result<Rows, DataError> {
    let input = if path.as_os_str() == STDIN { unpacked(io::stdin()).map_err(|e| read_error(path, &e))? } else { open(path)? };
    let mut input = BufReader::with_capacity(BUFFER, input);
    let start = input.fill_buf().map_err(|e| read_error(path, &e))?;
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let is_json = matches!(start.first(), Some(b'{' | b'['));
    let input: Box<dyn Read> = Box::new(input);
    if is_json { json::read(path, input, columns, most) } else { csv::read(path, input, columns, most) }
}
