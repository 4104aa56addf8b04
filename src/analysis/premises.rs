//! What is known of trials before they are looked at.

use crate::lr::LearningRate;

/// The lengths of the trials of a search, in iterations, strictly ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lengths {
    /// Trials that scan the range and find the threshold.
    pub short: u64,
    /// Trials that choose among the promising rates.
    pub long: u64,
    /// Trials that confirm the recommendation, on fresh seeds.
    pub confirm: u64,
}

impl Lengths {
    /// Trials at the best early rate that show what a long one had learnt after a fifth of its way, the share that
    /// `judge` holds against a trial.
    pub fn yardstick(&self) -> u64 {
        (self.long / 5).max(2)
    }
}

/// How far a choice stays below instability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Safety {
    /// The least factor between the threshold and the choice.
    pub factor: f64,
    /// The factor above a rate at which [`check`](crate::Study::check) wants it stable too: what is chosen should pass.
    pub margin: f64,
}

/// What is known of the trials before they are looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Premises {
    /// How long they are.
    pub lengths: Lengths,
    /// How far the choice stays below instability.
    pub safety: Safety,
    /// The lowest rate that may be chosen, if the search is bound to its range.
    pub lowest: Option<LearningRate>,
    /// Whether the rate can be changed within a trial.
    pub recovers: bool,
    /// The least that a prediction costs on the probe set which is the same for every example, where that is known.
    pub constant_cost: Option<f64>,
    /// Whether the optimiser may be one that scales each weight's steps by its own gradients, as Adam does.
    pub adaptive: bool,
}
