//! Plain data that crosses the layers: what to try, what happened, and the events that tell a watcher about it.

use serde::{Deserialize, Serialize};

use crate::lr::LearningRate;

/// One trial: train from scratch with this seed at this rate.
///
/// The seed alone decides initial weights and the order of the data, so trials at different rates with one seed are paired.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TrialSpec {
    /// ε₀, held constant after the warm-up.
    pub learning_rate: LearningRate,
    /// Seed of initial weights and data order.
    pub seed: u64,
    /// Optimiser steps at `learning_rate`, the warm-up included.
    pub iterations: u64,
    /// Iterations of linear warm-up.
    pub warmup: u64,
    /// Steps that follow at a gentler rate, to see whether lost ground can be won back.
    pub recovery: Option<Recovery>,
}

/// The tail of a trial: over its first half the rate falls geometrically to one known to train well, where it stays.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Recovery {
    /// The rate in the end.
    pub learning_rate: LearningRate,
    /// Its optimiser steps.
    pub iterations: u64,
}

impl TrialSpec {
    /// All optimiser steps of the trial, the recovery included.
    pub fn total_iterations(&self) -> u64 {
        self.iterations + self.recovery.map_or(0, |r| r.iterations)
    }

    /// The rate applied at step `k`, counted from 0.
    pub fn rate_at(&self, k: u64) -> f64 {
        match self.recovery {
            Some(recovery) if k >= self.iterations => {
                let share = (2.0 * (k - self.iterations + 1) as f64 / recovery.iterations.max(1) as f64).min(1.0);
                self.learning_rate.get() * (recovery.learning_rate.get() / self.learning_rate.get()).powf(share)
            }
            _ => self.learning_rate.get() * crate::schedule::warmup_factor(k, self.warmup),
        }
    }
}

/// How a trial ended. That a trial diverged is a result, not an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// All iterations ran, every loss finite.
    Completed,
    /// The loss was not finite.
    Diverged {
        /// The step whose loss was not finite, counted from 0.
        step: u64,
        /// What was seen.
        reason: String,
    },
    /// The trial could not be run; says nothing about the rate.
    Failed {
        /// Why.
        message: String,
    },
    /// Stopped from outside before its end.
    Cancelled,
}

/// What one trial did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialRecord {
    /// What was tried.
    pub spec: TrialSpec,
    /// How it ended.
    pub outcome: Outcome,
    /// Loss on the mini-batch before each update; finite values only, so shorter than the trial if it diverged.
    pub losses: Vec<f64>,
    /// Loss on the fixed probe set, as (iterations done, loss), from iteration 0 on.
    pub probe: Vec<ProbePoint>,
}

/// The loss on the probe set after some iterations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ProbePoint {
    /// Optimiser steps done.
    pub iteration: u64,
    /// Mean loss over the probe set; `None` when not finite.
    pub loss: Option<f64>,
}

impl TrialRecord {
    /// Whether the trial tells anything about its rate.
    pub fn is_finished(&self) -> bool {
        matches!(self.outcome, Outcome::Completed | Outcome::Diverged { .. })
    }

    /// Optimiser steps taken, the one that diverged included.
    pub fn iterations_done(&self) -> u64 {
        self.losses.len() as u64 + u64::from(matches!(self.outcome, Outcome::Diverged { .. }))
    }

    /// The losses at the trial's own rate, without those of a recovery.
    pub fn own_losses(&self) -> &[f64] {
        let own = usize::try_from(self.spec.iterations).unwrap_or(usize::MAX);
        &self.losses[..self.losses.len().min(own)]
    }

    /// The losses of the recovery; empty when there was none.
    pub fn recovery_losses(&self) -> &[f64] {
        &self.losses[self.own_losses().len()..]
    }

    /// The last probe loss, if it is finite.
    pub fn final_probe(&self) -> Option<f64> {
        self.probe.iter().rev().find(|p| p.iteration <= self.spec.iterations).and_then(|p| p.loss)
    }
}

/// What happens while trials run; the only link between running and showing.
#[derive(Debug, Clone)]
pub enum Event<'a> {
    /// A stage begins.
    StageStarted {
        /// What the stage is for, for a person.
        stage: &'static str,
        /// Trials it will run.
        trials: usize,
        /// Iterations they will take at most.
        iterations: u64,
    },
    /// Trial-iterations done since the last such event (all lanes together).
    Progress {
        /// Trial-iterations.
        iterations: u64,
    },
    /// A trial ended.
    TrialFinished(&'a TrialRecord),
    /// What is known after a stage.
    Standing {
        /// Best early rate so far.
        best: Option<LearningRate>,
        /// Trials seen unstable so far.
        unstable: usize,
    },
}

/// Receives events, from several threads at once.
pub trait Observer: Sync {
    /// Called for every event.
    fn observe(&self, event: &Event<'_>);
}

/// An observer that ignores everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn observe(&self, _: &Event<'_>) {}
}
