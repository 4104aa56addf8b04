//! Plain data that crosses the layers: what to try, what happened, and the events that tell a watcher about it.

use serde::{Deserialize, Serialize};

use crate::error::FileError;
use crate::lr::LearningRate;
use crate::schedule::{Decay, Schedule, warmup_factor};

/// One trial: train from scratch with this seed at this rate.
///
/// The seed alone decides initial weights and the order of the data, so trials at different rates with one seed are paired.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TrialSpec {
    /// ε₀.
    pub learning_rate: LearningRate,
    /// Seed of initial weights and data order.
    pub seed: u64,
    /// Optimiser steps, the warm-up included and a recovery not.
    pub iterations: u64,
    /// Iterations of linear warm-up of a steady trial.
    pub warmup: u64,
    /// How the rate moves.
    #[serde(default)]
    pub course: Course,
    /// Steps that follow at a gentler rate, to see whether lost ground can be won back.
    pub recovery: Option<Recovery>,
    /// Into how many equal parts evaluations of the whole data divide the trial; 0 for no evaluation at all.
    #[serde(default)]
    pub evaluations: u64,
}

/// How the rate moves within a trial.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Course {
    /// It stays at ε₀ after the warm-up.
    #[default]
    Steady,
    /// As in the planned run.
    Scheduled(Schedule),
    /// From ε₀ at the first step to `end` at the last, as in a learning-rate range test (Smith 2017).
    Ramp {
        /// The rate of the last step.
        end: LearningRate,
        /// Whether equal steps are equal factors or equal differences.
        spacing: Spacing,
    },
}

/// What is equal between the steps of a ramp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spacing {
    /// The ratio of neighbours.
    Exponential,
    /// The difference of neighbours.
    Linear,
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
    /// A trial at a steady rate, without warm-up, recovery or evaluations.
    pub fn steady(learning_rate: LearningRate, seed: u64, iterations: u64) -> Self {
        Self { learning_rate, seed, iterations, warmup: 0, course: Course::Steady, recovery: None, evaluations: 0 }
    }

    /// A run of `iterations` steps as planned: at ε₀ and along `schedule`, with the whole data evaluated now and then.
    pub fn full(learning_rate: LearningRate, seed: u64, schedule: Schedule, iterations: u64, evaluations: u64) -> Self {
        Self { course: Course::Scheduled(schedule), evaluations, ..Self::steady(learning_rate, seed, iterations) }
    }

    /// All optimiser steps of the trial, the recovery included.
    pub fn total_iterations(&self) -> u64 {
        self.iterations + self.recovery.map_or(0, |r| r.iterations)
    }

    /// The rate applied at step `k`, counted from 0.
    pub fn rate_at(&self, k: u64) -> f64 {
        let initial = self.learning_rate.get();
        match (self.recovery, self.course) {
            (Some(recovery), _) if k >= self.iterations => {
                let share = (2.0 * (k - self.iterations + 1) as f64 / recovery.iterations.max(1) as f64).min(1.0);
                initial * (recovery.learning_rate.get() / initial).powf(share)
            }
            (_, Course::Steady) => initial * warmup_factor(k, self.warmup),
            (_, Course::Scheduled(schedule)) => initial * schedule.factor(k),
            (_, Course::Ramp { end, spacing }) => {
                let share = k as f64 / self.iterations.saturating_sub(1).max(1) as f64;
                match spacing {
                    Spacing::Exponential => initial * (end.get() / initial).powf(share),
                    Spacing::Linear => initial + (end.get() - initial) * share,
                }
            }
        }
    }

    /// Whether the rate stays what it is once the warm-up is over.
    pub fn keeps_rate(&self) -> bool {
        let steady = match self.course {
            Course::Steady => true,
            Course::Scheduled(schedule) => schedule.decay == Decay::Constant,
            Course::Ramp { .. } => false,
        };
        steady && self.recovery.is_none()
    }

    /// Whether the trial is probed after `step` steps: at its beginning, at the end of its own iterations, and at the end of its
    /// recovery.
    pub fn is_probed_at(&self, step: u64) -> bool {
        self.probe_steps().contains(&step)
    }

    /// The steps after which the trial is probed, some of which may be the same.
    pub fn probe_steps(&self) -> [u64; 3] {
        [0, self.iterations, self.total_iterations()]
    }

    /// Whether the whole data is to be evaluated after `step` steps: before the first, after the last, and evenly between.
    pub fn evaluates_at(&self, step: u64) -> bool {
        let parts = self.evaluations.min(self.iterations);
        // The step is the end of part i = ⌈step·parts / iterations⌉ when it is the first not below i·iterations / parts.
        parts > 0 && step <= self.iterations && {
            let i = step * parts / self.iterations;
            step == (i * self.iterations).div_ceil(parts)
        }
    }

    /// Whether a trial like `other` passes through the state in which this one ends.
    pub fn begins(&self, other: &Self) -> bool {
        let longest = |spec: &Self| Self { iterations: u64::MAX, recovery: None, ..*spec };
        self.course == Course::Steady
            && self.recovery.is_none()
            && self.evaluations == 0
            && longest(self) == longest(other)
            && (self.iterations < other.iterations || (self.iterations == other.iterations && other.recovery.is_some()))
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

impl Outcome {
    /// Why the trial could not be run, if it could not.
    pub fn failure(&self) -> Option<&str> {
        if let Self::Failed { message } = self { Some(message) } else { None }
    }
}

/// What one trial did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialRecord {
    /// What was tried.
    pub spec: TrialSpec,
    /// How it ended.
    pub outcome: Outcome,
    /// Loss on the mini-batch before each update; finite values only, so shorter than the trial if it diverged. Empty for full
    /// runs, and where the spec asks for evaluations and the journal had the trial.
    pub losses: Vec<f64>,
    /// Loss on the fixed probe set, as (iterations done, loss), from iteration 0 on.
    pub probe: Vec<ProbePoint>,
    /// Costs on the whole data, where the spec asks for them.
    #[serde(default)]
    pub evaluations: Vec<Evaluation>,
    /// Steps that it shares with a shorter trial, of which it is the continuation; they count once.
    #[serde(default)]
    pub continued_from: u64,
}

/// The costs on the whole data after some iterations; `None` where not finite or not to be had.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Optimiser steps done.
    pub iteration: u64,
    /// Mean loss over the training set.
    pub train: Option<f64>,
    /// Mean loss over the examples held out.
    pub held_out: Option<f64>,
}

/// The loss on the probe set after some iterations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ProbePoint {
    /// Optimiser steps done.
    pub iteration: u64,
    /// Mean loss over the probe set; `None` when not finite.
    pub loss: Option<f64>,
}

impl ProbePoint {
    /// The loss after just so many iterations; `None` where it was not taken, or is not finite.
    pub fn loss_after(iterations: u64, points: &[Self]) -> Option<f64> {
        points.iter().find(|point| point.iteration == iterations)?.loss
    }
}

impl TrialRecord {
    /// A trial of which nothing is known yet.
    pub fn blank(spec: TrialSpec, outcome: Outcome) -> Self {
        Self { spec, outcome, losses: Vec::new(), probe: Vec::new(), evaluations: Vec::new(), continued_from: 0 }
    }

    /// Whether the trial tells anything about its rate.
    pub fn is_finished(&self) -> bool {
        matches!(self.outcome, Outcome::Completed | Outcome::Diverged { .. })
    }

    /// Optimiser steps taken, the one that diverged included.
    pub fn iterations_done(&self) -> u64 {
        match self.outcome {
            Outcome::Completed => self.spec.total_iterations(),
            Outcome::Diverged { step, .. } => step + 1,
            Outcome::Failed { .. } | Outcome::Cancelled => self.losses.len() as u64,
        }
    }

    /// Optimiser steps that this trial cost beyond the one it continues.
    pub fn cost(&self) -> u64 {
        self.iterations_done().saturating_sub(self.continued_from)
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
        /// Trials it will run, without those reused.
        trials: usize,
        /// Iterations they will take at most.
        iterations: u64,
    },
    /// Trial-iterations done since the last such event (all lanes together).
    Progress {
        /// Trial-iterations.
        iterations: u64,
    },
    /// Trials of a stage were found in the journal and need not run.
    Reused {
        /// What the stage is for, for a person.
        stage: &'static str,
        /// How many trials.
        trials: usize,
        /// The iterations that they had taken, as [`TrialRecord::cost`] counts them.
        iterations: u64,
    },
    /// The journal holds trials of the same rates, seeds and lengths as a search that reuses none of them asks for: data, model or
    /// script have changed. Told once in a search.
    Outdated {
        /// How many.
        trials: usize,
    },
    /// Trials that ran together ended. Those that the journal keeps are in it.
    TrialsFinished(&'a [TrialRecord]),
    /// Finished trials could not be written to the journal. Told once in a search.
    NotKept(&'a FileError),
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
