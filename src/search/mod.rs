//! Which trials to run. Each stage asks for a wave of trials, waits for all of them, and lets the analysis decide what comes
//! next, so that the answer does not depend on which trial finishes first.

mod check;
mod find;
mod forecast;
mod full;
mod journal;
mod pool;
mod ramp;
mod repeat;
mod settings;

pub use check::check;
pub use find::find;
pub use forecast::{Forecast, StageForecast};
pub use full::full_runs;
pub use journal::{Fault, Journal, OpenError};
pub use pool::RunOptions;
pub use ramp::{Ramp, ramps};
pub use repeat::repeat;
pub use settings::Settings;

use crate::analysis::{Assessment, Lengths, assess, unresolved};
use crate::lr::LearningRate;
use crate::record::{Event, Outcome, Recovery, TrialRecord, TrialSpec};
use crate::trial::{Objective, Start, State};

use pool::{Crew, Order};

/// Why a search ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Somebody asked.
    Cancelled,
    /// The next stage would not fit into the budget.
    Budget,
    /// The trials are curves that somebody recorded: no more can be run.
    Recorded,
}

/// All trials of a search, in the order in which they were asked for, and how it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// The trials.
    pub trials: Vec<TrialRecord>,
    /// What ended the search early, if anything did.
    pub stop: Option<Stop>,
}

impl Sweep {
    /// Optimiser steps over all trials.
    pub fn trial_iterations(&self) -> u64 {
        self.trials.iter().map(TrialRecord::cost).sum()
    }
}

/// A search under way.
struct Searcher<'a> {
    objective: &'a dyn Objective,
    settings: &'a Settings,
    /// Of the trials, as long as they turned out to have to be.
    lengths: Lengths,
    options: &'a RunOptions<'a>,
    crew: Crew<'a>,
    trials: Vec<TrialRecord>,
    /// The last state of each of `trials`, where the objective has it.
    states: Vec<Option<State>>,
    spent: u64,
}

impl<'a> Searcher<'a> {
    fn new(objective: &'a dyn Objective, settings: &'a Settings, options: &'a RunOptions<'a>) -> Self {
        let crew = Crew::new(objective, options);
        let lengths = settings.lengths;
        Self { objective, settings, lengths, options, crew, trials: Vec::new(), states: Vec::new(), spent: 0 }
    }

    fn assess(&self) -> Assessment<'_> {
        assess(&self.trials, &self.settings.premises(self.lengths, self.objective))
    }

    /// The specs of `rates` × `seeds`.
    fn cross(&self, rates: &[LearningRate], seeds: std::ops::Range<usize>, iterations: u64) -> Vec<TrialSpec> {
        seeds
            .flat_map(|seed| rates.iter().map(move |&rate| (rate, seed)))
            .map(|(r, s)| self.settings.trial(r, s, iterations))
            .collect()
    }

    /// The longer trials of `rates` × `seeds`, with a tail in which the rate falls as in the run, where the objective allows it.
    fn settling(&self, rates: &[LearningRate], seeds: std::ops::Range<usize>, iterations: u64) -> Vec<TrialSpec> {
        let specs = self.cross(rates, seeds, iterations);
        if !self.objective.can_change_rate() {
            return specs;
        }
        let best_early = self.assess().best_early();
        specs.into_iter().map(|spec| self.settings.settling(spec, best_early)).collect()
    }

    /// Runs those of `specs` that have not run yet, in this search or, as the journal has it, in an earlier one. What was spent
    /// counts the latter too: a search ends the same whether or not it was interrupted.
    fn run(&mut self, stage: &'static str, mut specs: Vec<TrialSpec>) -> Result<(), Stop> {
        specs.retain(|spec| !self.trials.iter().any(|t| t.spec == *spec));
        if specs.is_empty() {
            return Ok(());
        }
        let orders: Vec<Order> =
            specs.iter().map(|spec| Order { start: self.start_of(spec), shared: self.shared_with(spec) }).collect();
        let iterations: u64 = orders.iter().map(Order::iterations).sum();
        if self.settings.budget.is_some_and(|budget| self.spent + iterations > budget) {
            return Err(Stop::Budget);
        }
        for (record, state) in self.crew.run(stage, &orders) {
            self.spent += record.cost();
            self.trials.push(record);
            self.states.push(state);
        }
        let assessment = self.assess();
        let (best, unstable) = (assessment.best_early(), assessment.trials().filter(|t| t.verdict.is_unstable()).count());
        self.options.observer.observe(&Event::Standing { best, unstable });
        if self.options.cancel.is_cancelled() { Err(Stop::Cancelled) } else { Ok(()) }
    }

    /// The same stage with longer trials, which are those of the search from there on, if any of them finishes: where the budget or
    /// somebody ends the search before that, the shorter ones still say what they say.
    fn lengthened<T>(&mut self, lengths: Lengths, stage: impl FnOnce(&mut Self) -> Result<T, Stop>) -> Result<T, Stop> {
        let before = std::mem::replace(&mut self.lengths, lengths);
        let told = stage(self);
        if !self.trials.iter().any(|t| t.spec.iterations == lengths.short && t.is_finished()) {
            self.lengths = before;
        }
        told
    }

    /// The longest trial that `spec` continues.
    fn begun(&self, spec: &TrialSpec) -> Option<usize> {
        let complete = |i: &usize| self.trials[*i].outcome == Outcome::Completed && self.trials[*i].spec.begins(spec);
        (0..self.trials.len()).filter(complete).max_by_key(|&i| self.trials[i].spec.iterations)
    }

    /// The steps that `spec` need not take again.
    fn shared_with(&self, spec: &TrialSpec) -> u64 {
        if !self.objective.can_resume() {
            return 0;
        }
        self.begun(spec).map_or(0, |i| self.trials[i].spec.iterations)
    }

    fn start_of(&self, spec: &TrialSpec) -> Start {
        let begun = self.begun(spec).filter(|_| self.objective.can_resume());
        let from = begun.and_then(|i| Some((self.trials[i].clone(), self.states[i].clone()?)));
        Start { spec: *spec, from }
    }

    /// Gives the doubtful trials at the lower end of the unstable region the chance to win their ground back at the best rate,
    /// until the lowest unstable rate is unstable beyond doubt.
    fn resolve(&mut self) -> Result<(), Stop> {
        if !self.objective.can_change_rate() {
            return Ok(());
        }
        loop {
            let assessment = self.assess();
            let (short, long) = (&assessment.short, assessment.long.as_ref());
            let references = [short.reference.as_ref(), long.and_then(|l| l.reference.as_ref())];
            let latest = references[1].or(references[0]);
            let groups: [(_, &[_]); 3] =
                [(references[0], &short.trials), (latest, long.map_or(&[], |l| &l.trials)), (latest, &assessment.confirm)];
            let waiting = groups.into_iter().find_map(|(reference, trials)| {
                let rate = reference?.learning_rate;
                let doubtful = unresolved(trials);
                (!doubtful.is_empty()).then(|| doubtful.iter().map(|t| with_recovery(t.spec, rate)).collect::<Vec<_>>())
            });
            let Some(specs) = waiting else { return Ok(()) };
            let before = self.trials.len();
            self.run("recovery of doubtful trials", specs)?;
            if self.trials.len() == before {
                // They were given their recovery before, and it could not be run: the doubt stays.
                return Ok(());
            }
        }
    }
}

/// `spec`, followed by half its length at `rate`.
fn with_recovery(spec: TrialSpec, rate: LearningRate) -> TrialSpec {
    TrialSpec { recovery: Some(Recovery { learning_rate: rate, iterations: (spec.iterations / 2).max(10) }), ..spec }
}
