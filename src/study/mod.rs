//! A study: an objective and what is to be asked of it. Ties search, analysis and report together.

mod analyze;
mod compile;
mod range_test;
mod script;
mod training;
mod verdict;
mod verify;
mod warnings;

pub use analyze::Analysis;
pub use verify::FullRunPlan;

use crate::config::{Plan, SearchPlan};
use crate::lr::{LearningRate, significant};
use crate::record::TrialRecord;
use crate::report::{Cost, Report, RunFacts, Warning};
use crate::schedule::Schedule;
use crate::search::{self, Forecast, RunOptions, Settings, Sweep};
use crate::task::{Footprint, Task};
use crate::trial::Objective;

/// An objective to be studied, and what the report says of it.
///
/// Build one with [`Study::new`] for your own objective, or with [`Study::of_plan`] or [`Study::of_command`] for a config.
#[derive(Clone)]
pub struct Study<'a> {
    /// Names the report.
    pub name: String,
    /// What is trained.
    pub objective: &'a dyn Objective,
    /// How to search.
    pub search: SearchPlan,
    /// The schedule of the planned run, so that the report can give it with ε₀ filled in.
    pub schedule: Option<Schedule>,
    /// The optimiser, for a person.
    pub optimizer: String,
    /// The share of its last update that the optimiser keeps: μ, or Adam's β₁. Above 0.9, trials grow longer.
    pub momentum: f64,
    /// Whether the optimiser may be one that scales each weight's steps by its own gradients, as Adam does: what trials say of full
    /// runs is less certain then.
    pub adaptive: bool,
    /// The model, for a person.
    pub model: String,
    /// Trainable parameters; 0 if not known.
    pub parameters: usize,
    /// Training examples; 0 if not known.
    pub examples: usize,
    /// Examples in a mini-batch; 0 if not known.
    pub batch_size: usize,
    /// The backend.
    pub device: String,
    /// The resolved config, as the report quotes it.
    pub config: serde_json::Value,
    /// Warnings that precede the trials.
    pub notes: Vec<Warning>,
    /// Whether the trials are made by a program that this crate cannot see into: then its losses are looked at for what it forgets.
    pub is_script: bool,
    /// What the trials take of the machine, where that is known.
    pub footprint: Option<Footprint>,
}

impl std::fmt::Debug for Study<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Study").field("name", &self.name).field("search", &self.search).finish_non_exhaustive()
    }
}

impl<'a> Study<'a> {
    /// A study of your own objective with default settings; change the fields as you like.
    pub fn new(name: impl Into<String>, objective: &'a dyn Objective) -> Self {
        Self {
            name: name.into(),
            objective,
            search: SearchPlan::default(),
            schedule: None,
            optimizer: "custom".into(),
            momentum: 0.0,
            adaptive: true,
            model: "custom".into(),
            parameters: 0,
            examples: 0,
            batch_size: 0,
            device: "custom".into(),
            config: serde_json::Value::Null,
            notes: Vec::new(),
            is_script: false,
            footprint: None,
        }
    }

    /// The study that a config describes. `task` is what [`crate::task::build`] made of `plan`.
    pub fn of_plan(plan: &Plan, task: &'a Task) -> Self {
        let facts = task.facts();
        let training = &plan.training;
        let per_epoch = facts.iterations_per_epoch;
        let iterations = |epochs: f64| ((epochs * per_epoch as f64).round() as u64).max(1);
        let schedule = Schedule {
            decay: training.decay,
            warmup_iterations: training.warmup_iterations,
            decay_iterations: iterations(training.decay_epochs.unwrap_or(training.epochs)),
            iterations_per_epoch: per_epoch,
        };
        let note =
            |n: &crate::task::data::Note| Warning { code: n.code.into(), message: n.message.clone(), hint: n.hint.clone() };
        Self {
            name: plan.name.clone(),
            objective: task,
            search: plan.search.clone(),
            schedule: Some(schedule),
            optimizer: facts.optimizer.clone(),
            momentum: plan.training.optimizer.rule.momentum(),
            adaptive: plan.training.optimizer.rule.is_adaptive(),
            model: facts.model.clone(),
            parameters: facts.parameters,
            examples: facts.examples,
            batch_size: facts.batch_size,
            device: plan.device.name().into(),
            config: serde_json::to_value(plan).unwrap_or_default(),
            notes: facts.notes.iter().map(note).collect(),
            is_script: false,
            footprint: Some(*task.footprint()),
        }
    }

    /// Iterations of the planned run, when a schedule tells.
    pub fn planned_iterations(&self) -> Option<u64> {
        self.schedule.map(|s| s.decay_iterations)
    }

    /// So many iterations as a share of the planned run, where its length is known.
    pub fn share_of_planned_run(&self, iterations: u64) -> Option<f64> {
        self.planned_iterations().map(|planned| iterations as f64 / planned.max(1) as f64)
    }

    /// What these trials cost, as a report has it.
    pub(crate) fn cost(&self, trial_iterations: u64) -> Cost {
        let share_of_planned_run = self.share_of_planned_run(trial_iterations).map(|share| significant(share, compile::DIGITS));
        Cost { trial_iterations, share_of_planned_run }
    }

    /// The search settings with the schedule worked in.
    pub fn settings(&self) -> Settings {
        Settings { adaptive: self.adaptive, ..Settings::new(&self.search, self.schedule.as_ref(), self.momentum) }
    }

    /// What [`Study::find`] is expected to cost.
    pub fn find_forecast(&self) -> Forecast {
        Forecast::of_find(&self.settings(), self.objective)
    }

    /// What [`Study::check`] of `rate` is expected to cost.
    pub fn check_forecast(&self, rate: LearningRate) -> Forecast {
        let settings = self.settings();
        let forecast = Forecast::of_check(&settings, rate, self.objective);
        if self.is_script { forecast.with_repetition(&settings) } else { forecast }
    }

    /// Finds the rate to start from.
    pub fn find(&self, options: &RunOptions<'_>) -> Report {
        let settings = self.settings();
        let (sweep, lengths) = search::find(self.objective, &settings, options);
        self.report(&sweep, &Settings { lengths, ..settings }, None)
    }

    /// Judges one rate.
    pub fn check(&self, rate: LearningRate, options: &RunOptions<'_>) -> Report {
        let settings = self.settings();
        let (mut sweep, lengths) = search::check(self.objective, &settings, rate, options);
        let settings = Settings { lengths, ..settings };
        if self.is_script {
            search::repeat(self.objective, &settings, rate, &mut sweep, options);
        }
        self.report(&sweep, &settings, Some(rate))
    }

    fn report(&self, sweep: &Sweep, settings: &Settings, checked: Option<LearningRate>) -> Report {
        compile::compile(self, sweep, settings, checked)
    }

    /// The facts of the planned run that the report quotes.
    pub(crate) fn run_facts(&self, settings: &Settings) -> RunFacts {
        RunFacts {
            optimizer: self.optimizer.clone(),
            model: self.model.clone(),
            parameters: self.parameters,
            examples: self.examples,
            batch_size: self.batch_size,
            planned_iterations: self.planned_iterations(),
            short_iterations: settings.lengths.short,
            long_iterations: settings.lengths.long,
        }
    }

    /// Seeds that occur in `trials`, ascending.
    pub(crate) fn seeds(trials: &[TrialRecord]) -> Vec<u64> {
        let mut seeds: Vec<u64> = trials.iter().map(|t| t.spec.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        seeds
    }
}
