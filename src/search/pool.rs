//! Runs a wave of trials on several threads.

use rayon::prelude::*;

use crate::record::{Observer, TrialRecord};
use crate::trial::{Cancel, Objective, Start, State, drive_from};

/// How to run trials: nothing here changes a result.
#[derive(Clone)]
pub struct RunOptions<'a> {
    /// Worker threads; at least one is used.
    pub jobs: usize,
    /// Most trials stacked into one computation; `None` for what suits the objective.
    pub lanes: Option<usize>,
    /// Stops the search soon.
    pub cancel: Cancel,
    /// Is told what happens.
    pub observer: &'a dyn Observer,
}

impl std::fmt::Debug for RunOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunOptions").field("jobs", &self.jobs).field("lanes", &self.lanes).finish_non_exhaustive()
    }
}

impl Default for RunOptions<'_> {
    /// All cores, silent.
    fn default() -> Self {
        let jobs = std::thread::available_parallelism().map_or(1, usize::from);
        Self { jobs, lanes: None, cancel: Cancel::default(), observer: &crate::record::Silent }
    }
}

/// A pool of `jobs` threads; `None` when the system gives no threads, and then the caller's own does the work.
pub(super) fn build(jobs: usize) -> Option<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new().num_threads(jobs.max(1)).build().ok()
}

/// Runs the trials and returns for each, in order, its record and its last state.
pub(super) fn run(
    pool: Option<&rayon::ThreadPool>,
    objective: &dyn Objective,
    starts: &[Start],
    options: &RunOptions<'_>,
) -> Vec<(TrialRecord, Option<State>)> {
    let mut order: Vec<usize> = (0..starts.len()).collect();
    // Lanes of one group begin at one step, share batches where they share a seed, and end together where they are equally long.
    let key = |start: &Start| (start.step(), std::cmp::Reverse(start.spec.total_iterations()), start.spec.seed);
    order.sort_by_key(|&i| (key(&starts[i]), i));
    let widest = options.lanes.unwrap_or(usize::MAX).min(objective.max_lanes()).max(1);
    let width = starts.len().div_ceil(options.jobs.max(1)).clamp(1, widest);
    let groups: Vec<&[usize]> = order.chunks(width).collect();
    let work = |group: &&[usize]| {
        let starts: Vec<Start> = group.iter().map(|&i| starts[i].clone()).collect();
        drive_from(objective, &starts, width, &options.cancel, options.observer)
    };
    let finished: Vec<Vec<_>> = match pool {
        Some(pool) => pool.install(|| groups.par_iter().map(work).collect()),
        None => groups.iter().map(work).collect(),
    };
    let mut records: Vec<_> = order.into_iter().zip(finished.into_iter().flatten()).collect();
    records.sort_by_key(|(i, _)| *i);
    records.into_iter().map(|(_, record)| record).collect()
}
