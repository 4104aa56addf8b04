//! The classical learning-rate range test (Smith, [arXiv:1506.01186](https://arxiv.org/abs/1506.01186)): what the published tools
//! would read off one recorded ramp.
//!
//! In a ramp the rate rises at every step of a single run. Smoothing and early stopping change nothing in the weights, so one raw
//! curve that runs to the end serves all tools: [`Settings::read`] smooths it and cuts it off where a tool would have
//! stopped, and [`suggest`] applies the tool's rule to what is left. Everything is stated anew from the tools' formulas, with their
//! faults, and where a tool computes in single precision, so is it here: on a flat curve that alone can move the suggestion.

mod read;
mod rule;
mod suggest;

pub use read::{Overrides, Reading, Settings, Smoothing, Stopping};
pub use rule::{Defaults, Rule};
pub use suggest::{Caveat, caveat, suggest, suggest_with};

use crate::lr::LearningRate;

/// A recorded ramp: the rate of each step, and the loss on the mini-batch before the step's update.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    rates: Vec<LearningRate>,
    losses: Vec<f64>,
}

impl Curve {
    /// A ramp through `rates`, whose first losses are `losses`. The losses that are missing at the end are taken to be NaN: once the
    /// weights are lost, every later loss is.
    pub fn new(rates: Vec<LearningRate>, mut losses: Vec<f64>) -> Self {
        losses.resize(rates.len(), f64::NAN);
        Self { rates, losses }
    }

    /// The rate of each step.
    pub fn rates(&self) -> &[LearningRate] {
        &self.rates
    }

    /// The raw losses, as many as rates. May be NaN or infinite.
    pub fn losses(&self) -> &[f64] {
        &self.losses
    }
}

/// Why a rule suggests no rate.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Reason {
    /// The tool's rule cannot be applied to so short a curve.
    #[error("only {points} of the {needed} points that the rule needs are left: the tool stopped early, or the ramp is short")]
    TooFewPoints {
        /// Points left after the early stop and the trimming of the ends.
        points: usize,
        /// The least that the rule works on.
        needed: usize,
    },
    /// What the rule needs was not finite.
    #[error("the losses that are left are not finite")]
    NotFinite,
    /// The loss has its minimum at the very start.
    #[error("the curve is not U-shaped: the loss is lowest within the first two steps")]
    NotUShaped,
    /// The formula gives a number that is no usable rate.
    #[error("the rule gives {0:e}, which is no usable learning rate")]
    OutOfBounds(f64),
}

impl Reason {
    /// The name used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::TooFewPoints { .. } => "too_few_points",
            Self::NotFinite => "not_finite",
            Self::NotUShaped => "not_u_shaped",
            Self::OutOfBounds(_) => "out_of_bounds",
        }
    }
}
