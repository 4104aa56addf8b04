//! Runs a wave of trials on several threads, but for those that the journal has.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::journal::Journal;
use crate::record::{Event, Observer, TrialRecord, TrialSpec};
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
    /// Where finished trials are kept, and taken from instead of being run again. Needs an objective with an
    /// [identity](Objective::identity).
    pub journal: Option<&'a Journal>,
}

impl std::fmt::Debug for RunOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunOptions").field("jobs", &self.jobs).field("lanes", &self.lanes).finish_non_exhaustive()
    }
}

impl Default for RunOptions<'_> {
    /// All cores, silent, without a journal.
    fn default() -> Self {
        let jobs = std::thread::available_parallelism().map_or(1, usize::from);
        Self { jobs, lanes: None, cancel: Cancel::default(), observer: &crate::record::Silent, journal: None }
    }
}

/// A trial that is wanted.
pub(super) struct Order {
    /// What to run, and from where.
    pub(super) start: Start,
    /// Its first steps that a shorter trial was charged for. They are not charged again even where they have to be taken again,
    /// because the shorter trial's weights are gone.
    pub(super) shared: u64,
}

impl Order {
    /// The steps that it is charged for, at most.
    pub(super) fn iterations(&self) -> u64 {
        self.start.spec.total_iterations() - self.shared
    }
}

/// All that runs the trials of one search.
pub(super) struct Crew<'a> {
    objective: &'a dyn Objective,
    options: &'a RunOptions<'a>,
    /// `None` where the system gives no threads, and then the caller's own does the work.
    threads: Option<rayon::ThreadPool>,
    keeper: Option<Keeper<'a>>,
}

impl<'a> Crew<'a> {
    pub(super) fn new(objective: &'a dyn Objective, options: &'a RunOptions<'a>) -> Self {
        let threads = rayon::ThreadPoolBuilder::new().num_threads(options.jobs.max(1)).build().ok();
        let keeper = options.journal.and_then(|journal| {
            // What is wrong with an objective shows in its trials, and is told of them.
            let identify = || catch_unwind(AssertUnwindSafe(|| objective.identity())).ok().flatten();
            // Where trials run, not here: an allocator that keeps what each thread has freed for that thread would never give back
            // what this took, which is as much as a trial.
            let identity = threads.as_ref().map_or_else(identify, |threads| threads.install(identify))?;
            let [has_begun, has_failed] = [false; 2].map(AtomicBool::new);
            Some(Keeper { journal, identity, observer: options.observer, has_begun, has_failed })
        });
        Self { objective, options, threads, keeper }
    }

    /// Has the trials run that the journal lacks, and returns for each, in order, its record and its last state where there is
    /// one.
    pub(super) fn run(&self, stage: &'static str, orders: &[Order]) -> Vec<(TrialRecord, Option<State>)> {
        let observer = self.options.observer;
        let known = |order: &Order| self.keeper.as_ref()?.journal.get(&self.keeper.as_ref()?.identity, &order.start.spec);
        let charged = |order: &Order, mut record: TrialRecord| {
            record.continued_from = order.shared.min(record.iterations_done());
            record
        };
        let known: Vec<Option<TrialRecord>> = orders.iter().map(|o| known(o).map(|record| charged(o, record))).collect();
        let reused = known.iter().flatten();
        let (trials, iterations) = (reused.clone().count(), reused.map(TrialRecord::cost).sum());
        if trials > 0 {
            observer.observe(&Event::Reused { stage, trials, iterations });
        }
        let missing: Vec<&Order> = orders.iter().zip(&known).filter(|(_, known)| known.is_none()).map(|(o, _)| o).collect();
        if let Some(keeper) = &self.keeper
            && !keeper.has_begun.swap(true, Ordering::Relaxed)
            && trials == 0
        {
            keeper.tell_of_outdated(&missing);
        }
        if !missing.is_empty() {
            let iterations = missing.iter().map(|order| order.iterations()).sum();
            observer.observe(&Event::StageStarted { stage, trials: missing.len(), iterations });
        }
        let starts: Vec<Start> = missing.iter().map(|order| order.start.clone()).collect();
        let mut run = self.run_all(&starts).into_iter();
        let result = |(order, known): (&Order, Option<TrialRecord>)| match known {
            Some(record) => Some((record, None)),
            None => run.next().map(|(record, state)| (charged(order, record), state)),
        };
        orders.iter().zip(known).filter_map(result).collect()
    }

    /// As [`run`](Self::run), of trials that share nothing with others.
    pub(super) fn run_fresh(&self, stage: &'static str, specs: &[TrialSpec]) -> Vec<TrialRecord> {
        let order = |spec: &TrialSpec| Order { start: Start { spec: *spec, from: None }, shared: 0 };
        let orders: Vec<Order> = specs.iter().map(order).collect();
        self.run(stage, &orders).into_iter().map(|(record, _)| record).collect()
    }

    fn run_all(&self, starts: &[Start]) -> Vec<(TrialRecord, Option<State>)> {
        let (objective, options) = (self.objective, self.options);
        let observer = self.keeper.as_ref().map_or(options.observer, |keeper| keeper);
        let mut order: Vec<usize> = (0..starts.len()).collect();
        // Lanes of one group begin at one step, share batches where they share a seed, and end together where they are equally
        // long.
        let key = |start: &Start| (start.step(), std::cmp::Reverse(start.spec.total_iterations()), start.spec.seed);
        order.sort_by_key(|&i| (key(&starts[i]), i));
        let widest = options.lanes.unwrap_or(usize::MAX).min(objective.max_lanes()).max(1);
        let width = starts.len().div_ceil(options.jobs.max(1)).clamp(1, widest);
        let groups: Vec<&[usize]> = order.chunks(width).collect();
        let work = |group: &&[usize]| {
            let starts: Vec<Start> = group.iter().map(|&i| starts[i].clone()).collect();
            drive_from(objective, &starts, width, &options.cancel, observer)
        };
        // One group at a time: a thread that took several would keep the last ones from idle threads.
        let finished: Vec<Vec<_>> = match &self.threads {
            Some(threads) => threads.install(|| groups.par_iter().with_max_len(1).map(work).collect()),
            None => groups.iter().map(work).collect(),
        };
        let mut records: Vec<_> = order.into_iter().zip(finished.into_iter().flatten()).collect();
        records.sort_by_key(|(i, _)| *i);
        records.into_iter().map(|(_, record)| record).collect()
    }
}

/// Puts finished trials into the journal before anybody else is told of them.
struct Keeper<'a> {
    journal: &'a Journal,
    identity: String,
    observer: &'a dyn Observer,
    has_begun: AtomicBool,
    has_failed: AtomicBool,
}

impl Keeper<'_> {
    /// Says so if trials as those `missing` are kept, but of something else. For a search that reuses nothing: whoever expected that
    /// it would wants to know.
    fn tell_of_outdated(&self, missing: &[&Order]) {
        let kept = self.journal.specs();
        let trials = missing.iter().filter(|order| kept.contains(&order.start.spec)).count();
        if trials > 0 {
            self.observer.observe(&Event::Outdated { trials });
        }
    }
}

impl Observer for Keeper<'_> {
    fn observe(&self, event: &Event<'_>) {
        if let Event::TrialsFinished(records) = event
            && let Err(error) = self.journal.keep(&self.identity, records)
            && !self.has_failed.swap(true, Ordering::Relaxed)
        {
            self.observer.observe(&Event::NotKept(&error));
        }
        self.observer.observe(event);
    }
}
