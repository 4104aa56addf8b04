//! Trials: the contract of something that can be trained, and the loop that trains it.

mod drive;

pub use drive::{Cancel, Start, drive, drive_from};

use std::any::Any;
use std::sync::Arc;

use crate::error::TrialError;
use crate::record::TrialSpec;

/// The version of what decides a trial's numbers beside its objective and its spec: this crate's own models, optimisers, random
/// streams, and what a record says of a trial. Raised by hand with every change to them, so that no result of the old numbers is
/// taken for one of the new.
pub const CORE_VERSION: u32 = 3;

/// Something that can be trained from scratch at a given rate.
///
/// Implement it for your own model: [`start`](Self::start) builds fresh weights from each spec's seed, and the [`Run`] it
/// returns takes one optimiser step per call. The same spec must give the same losses every time.
pub trait Objective: Send + Sync {
    /// The most trials that [`start`](Self::start) can advance together in one stacked computation. 1 where trials cannot be
    /// stacked.
    fn max_lanes(&self) -> usize {
        1
    }

    /// Whether the rate may change between the steps of a run, which warm-up and recovery tests need.
    fn can_change_rate(&self) -> bool {
        true
    }

    /// The least that a prediction costs on the probe set which is the same for every example, in the unit of the losses: what a model
    /// costs that has learnt nothing. Where it is known, a search whose short trials come no further makes them longer, and a longer
    /// trial that ends there, where another learns, is lost.
    fn constant_cost(&self) -> Option<f64> {
        None
    }

    /// Names all that a trial's result depends on beside its spec: data, model, optimiser, and the processor where it matters.
    /// Two objectives of one identity give the same losses, to the bit, for the same spec. A
    /// [journal](crate::search::Journal) tells by it which trials need not run again; those of an objective without identity, the
    /// default, are not kept.
    fn identity(&self) -> Option<String> {
        None
    }

    /// The SHA-256, in hexadecimal digits, of what the trials read: the examples, or the files of a script. A report quotes it, so
    /// that a later one tells whether they have changed. `None`, the default, where it is not known or nothing is read.
    fn inputs_sha256(&self) -> Option<String> {
        None
    }

    /// Begins the trials `specs`, at most [`max_lanes`](Self::max_lanes) of them, one lane each in this order.
    ///
    /// # Errors
    /// When the trials cannot be run for a reason that has nothing to do with their rates.
    fn start(&self, specs: &[TrialSpec]) -> Result<Box<dyn Run + '_>, TrialError>;

    /// Whether [`Run::state`] gives states and [`resume`](Self::resume) takes them: then a promising trial goes on where it
    /// stood instead of beginning again.
    fn can_resume(&self) -> bool {
        false
    }

    /// Goes on with trials that have taken `step` steps, one lane each, from the states they were in. The losses must be those
    /// that an uninterrupted trial would have given, to the bit.
    ///
    /// # Errors
    /// When the trials cannot be run for a reason that has nothing to do with their rates.
    fn resume(&self, specs: &[TrialSpec], states: &[State], step: u64) -> Result<Box<dyn Run + '_>, TrialError> {
        let _ = (specs, states, step);
        Err(TrialError::new("this objective cannot go on with a trial".to_owned()))
    }
}

/// All that a trial carries from one step to the next: weights and what the optimiser remembers. Only the objective that made
/// it looks inside.
#[derive(Debug, Clone)]
pub struct State(pub Arc<dyn Any + Send + Sync>);

/// Mean losses over the whole data, at the present weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Costs {
    /// Over the training set.
    pub train: f64,
    /// Over the examples held out, if there are any.
    pub held_out: Option<f64>,
}

/// Trials under way. Lives and dies on one worker thread. A lane's numbers must not depend on its neighbours.
pub trait Run {
    /// One optimiser step per live lane at the lane's rate. Returns each lane's mini-batch loss *before* its update.
    ///
    /// # Errors
    /// When the step cannot be taken at all. A loss that is not finite is a result, not an error.
    fn step(&mut self, learning_rates: &[f64]) -> Result<Vec<f64>, TrialError>;

    /// Each live lane's mean loss on a probe set that is the same for every trial; never the last mini-batch. Nothing where the
    /// objective has no such set.
    ///
    /// # Errors
    /// When it cannot be computed.
    fn probe(&mut self) -> Result<Vec<f64>, TrialError>;

    /// Each live lane's loss over the whole training set and over what is held out. The probe set stands in for the training set
    /// unless the objective knows better.
    ///
    /// # Errors
    /// When it cannot be computed.
    fn evaluate(&mut self) -> Result<Vec<Costs>, TrialError> {
        Ok(self.probe()?.into_iter().map(|train| Costs { train, held_out: None }).collect())
    }

    /// The state of a live lane; `None` where the objective cannot [resume](Objective::resume).
    fn state(&self, lane: usize) -> Option<State> {
        let _ = lane;
        None
    }

    /// Is told, before the first step, of the flag that asks trials to stop: a step that takes long can look at it and return an
    /// error, which then counts as obeying.
    fn watch(&mut self, cancel: &Cancel) {
        let _ = cancel;
    }

    /// Keeps the live lanes whose flag is true, in order, and drops the others.
    fn retain(&mut self, lanes: &[bool]);
}
