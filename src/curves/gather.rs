//! From the rows of single files to the runs of all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::cell::Seed;
use super::rows::{Point, Rows, Run as Part};
use super::{CurvesError, MAX_PROBLEMS};
use crate::error::DataError;
use crate::lr::LearningRate;
use crate::source::fault;

/// One training run.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) learning_rate: LearningRate,
    pub(super) seed: u64,
    /// The points with the lowest steps, ascending, each step once.
    pub(super) points: Vec<Point>,
    /// The file that holds the first of them, by number.
    pub(super) file: usize,
    pub(super) last_step: u32,
}

/// All runs, ascending by rate and seed.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) runs: Vec<Run>,
    /// What each seed is called in the files; empty where seeds are numbers there.
    pub(super) seed_names: Vec<String>,
}

/// The parts of each run, with the numbers of their files, by rate and seed. Rates are positive, so they sort like their bits.
type Parts = BTreeMap<(u64, u64), Vec<(usize, Part)>>;

/// Puts the parts of each run together. `paths` are the files that `files` were read from.
pub(super) fn gather(files: Vec<Rows>, paths: &[PathBuf]) -> Result<Gathered, CurvesError> {
    refuse_seeds_in_some_files(&files, paths)?;
    let by_file = files.iter().all(|file| file.columns.seed.is_none());
    let seed_names = if by_file { Vec::new() } else { names(&files) };
    let mut parts = Parts::new();
    // Where the files are the seeds: how many hold a rate already.
    let mut holding: BTreeMap<u64, u64> = BTreeMap::new();
    for (number, rows) in files.into_iter().enumerate() {
        for part in rows.runs {
            let rate = part.learning_rate.get().to_bits();
            let seed = match part.seed {
                Seed::File => {
                    let rank = holding.entry(rate).or_insert(0);
                    *rank += 1;
                    *rank - 1
                }
                Seed::Number(n) if seed_names.is_empty() => n,
                named => place(&seed_names, &text(named, &rows.names)),
            };
            parts.entry((rate, seed)).or_default().push((number, part));
        }
    }
    let mut problems = Vec::new();
    let joined = parts.into_iter().map(|((_, seed), parts)| join(seed, parts, paths, &seed_names, &mut problems)).collect();
    if problems.is_empty() { Ok(Gathered { runs: joined, seed_names }) } else { Err(CurvesError::new(problems)) }
}

fn refuse_seeds_in_some_files(files: &[Rows], paths: &[PathBuf]) -> Result<(), CurvesError> {
    let with = files.iter().position(|file| file.columns.seed.is_some());
    let without = files.iter().position(|file| file.columns.seed.is_none());
    let (Some(with), Some(without)) = (with, without) else { return Ok(()) };
    let column = files[with].columns.seed.as_deref().unwrap_or_default();
    let message = format!(
        "has no column for the seed, but {} has {column:?}: give all files one, or analyze them apart",
        paths[with].display()
    );
    Err(fault(&paths[without], None, message).into())
}

/// The names of all seeds, sorted: numbers first, by size. Empty where all are numbers.
fn names(files: &[Rows]) -> Vec<String> {
    if files.iter().all(|file| file.runs.iter().all(|run| matches!(run.seed, Seed::Number(_)))) {
        return Vec::new();
    }
    let all: BTreeSet<String> = files.iter().flat_map(|file| file.runs.iter().map(|run| text(run.seed, &file.names))).collect();
    let mut all: Vec<String> = all.into_iter().collect();
    all.sort_by_cached_key(|name| order(name));
    all
}

/// Sorts names that are numbers first and by size, others after them as text.
fn order(name: &str) -> (u64, String) {
    (name.parse().unwrap_or(u64::MAX), name.to_owned())
}

fn place(names: &[String], name: &str) -> u64 {
    names.binary_search_by_key(&order(name), |other| order(other)).unwrap_or(names.len()) as u64
}

fn text(seed: Seed, names: &[String]) -> String {
    match seed {
        Seed::Name(n) => names.get(n as usize).cloned().unwrap_or_default(),
        Seed::Number(n) => n.to_string(),
        Seed::File => String::new(),
    }
}

/// One run from its parts. Steps that occur twice are problems.
fn join(seed: u64, parts: Vec<(usize, Part)>, paths: &[PathBuf], names: &[String], problems: &mut Vec<DataError>) -> Run {
    let learning_rate = parts[0].1.learning_rate;
    let last_step = parts.iter().map(|(_, part)| part.last_step).max().unwrap_or(0);
    let mut points: Vec<(usize, Point)> =
        parts.into_iter().flat_map(|(file, part)| part.points.into_iter().map(move |point| (file, point))).collect();
    points.sort_unstable_by_key(|(file, point)| (point.step, *file, point.line));
    for pair in points.windows(2).filter(|pair| pair[0].1.step == pair[1].1.step) {
        let ((first, earlier), (second, later)) = (pair[0], pair[1]);
        if problems.len() < MAX_PROBLEMS {
            let named = names.get(seed as usize).map_or_else(|| seed.to_string(), |name| format!("{name:?}"));
            let other = if first == second { String::new() } else { format!(" of {}", paths[first].display()) };
            let message = format!(
                "learning rate {learning_rate}, seed {named}, step {} stands on line {}{other} already: remove one of the rows; \
                 if these are two runs, name the column that tells them apart with --seed-column",
                later.step, earlier.line
            );
            problems.push(fault(&paths[second], u64::from(later.line), message));
        }
    }
    let file = points.first().map_or(0, |(file, _)| *file);
    Run { learning_rate, seed, points: points.into_iter().map(|(_, point)| point).collect(), file, last_step }
}
