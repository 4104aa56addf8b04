//! The published rules and the defaults of the tools that they come from.

use serde::{Deserialize, Serialize};

use super::read::{Settings, Smoothing, Stopping};

/// A published rule that turns the curve of a ramp into a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The middle of the middle third of the longest decreasing subsequence, taken for a contiguous stretch. fastai's default.
    FastaiValley,
    /// From the right, the first rate below which the slope stops differing by more than 0.005 over 15 steps.
    FastaiSlide,
    /// A tenth of the rate of the lowest loss.
    FastaiMinimum,
    /// The rate of the steepest fall by the logarithm of the rate, between neighbours.
    FastaiSteep,
    /// The rate of the steepest fall by step.
    PytorchLrFinder,
    /// The rate of the steepest fall by step: Lightning before 2.5.3.
    LightningByStep,
    /// The rate of the steepest fall by the rate itself, not its logarithm: Lightning since 2.5.3.
    LightningByRate,
    /// The rate of the steepest fall by step, before the lowest loss.
    Ignite,
    /// The rate of the steepest fall over 4 steps of the raw loss.
    KerasLrFinder,
}

/// The ramp that a tool makes unless told otherwise, and how it reads it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Defaults {
    /// The first rate.
    pub start: f64,
    /// The last rate.
    pub end: f64,
    /// Steps.
    pub iterations: u64,
    /// Smoothing and early stop.
    pub settings: Settings,
}

impl Rule {
    /// All rules.
    pub const ALL: [Self; 9] = [
        Self::FastaiValley,
        Self::FastaiSlide,
        Self::FastaiMinimum,
        Self::FastaiSteep,
        Self::PytorchLrFinder,
        Self::LightningByStep,
        Self::LightningByRate,
        Self::Ignite,
        Self::KerasLrFinder,
    ];

    /// The name used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::FastaiValley => "fastai_valley",
            Self::FastaiSlide => "fastai_slide",
            Self::FastaiMinimum => "fastai_minimum",
            Self::FastaiSteep => "fastai_steep",
            Self::PytorchLrFinder => "pytorch_lr_finder",
            Self::LightningByStep => "lightning_by_step",
            Self::LightningByRate => "lightning_by_rate",
            Self::Ignite => "ignite",
            Self::KerasLrFinder => "keras_lr_finder",
        }
    }

    /// The rule for a person: the tool, and which of its rules where it has several.
    pub fn label(self) -> &'static str {
        match self {
            Self::FastaiValley => "fastai valley",
            Self::FastaiSlide => "fastai slide",
            Self::FastaiMinimum => "fastai minimum/10",
            Self::FastaiSteep => "fastai steep",
            Self::PytorchLrFinder => "pytorch-lr-finder",
            Self::LightningByStep => "Lightning < 2.5.3",
            Self::LightningByRate => "Lightning ≥ 2.5.3",
            Self::Ignite => "ignite",
            Self::KerasLrFinder => "keras_lr_finder",
        }
    }

    /// The tool that has the rule.
    pub fn tool(self) -> &'static str {
        match self {
            Self::FastaiValley | Self::FastaiSlide | Self::FastaiMinimum | Self::FastaiSteep => "fastai",
            Self::PytorchLrFinder => "pytorch-lr-finder",
            Self::LightningByStep | Self::LightningByRate => "Lightning",
            Self::Ignite => "ignite",
            Self::KerasLrFinder => "keras_lr_finder",
        }
    }

    /// Where the rule is published.
    pub fn source(self) -> &'static str {
        match self {
            Self::FastaiValley | Self::FastaiSlide | Self::FastaiMinimum | Self::FastaiSteep => {
                "https://github.com/fastai/fastai, fastai/callback/schedule.py"
            }
            Self::PytorchLrFinder => "https://github.com/davidtvs/pytorch-lr-finder, torch_lr_finder/lr_finder.py",
            Self::LightningByStep | Self::LightningByRate => {
                "https://github.com/Lightning-AI/pytorch-lightning, src/lightning/pytorch/tuner/lr_finder.py"
            }
            Self::Ignite => "https://github.com/pytorch/ignite, ignite/handlers/lr_finder.py",
            Self::KerasLrFinder => "https://github.com/surmenok/keras_lr_finder, keras_lr_finder/lr_finder.py",
        }
    }

    /// What the tool does unless told otherwise. Where it leaves a value to its user, that of its README stands: the first rate of
    /// pytorch-lr-finder, and of ignite, which has none and is a port of it; both rates of keras_lr_finder. keras_lr_finder's
    /// number of steps follows from the data; 100 is the others'.
    pub fn defaults(self) -> Defaults {
        let fastai =
            Stopping { factor: 4.0, from_step: 0, initial_best: Some(f64::INFINITY), before_update: false, on_nan: false };
        let ramp = |start, end, smoothing, stopping| Defaults {
            start,
            end,
            iterations: 100,
            settings: Settings { smoothing, stopping },
        };
        match self {
            Self::FastaiValley | Self::FastaiSlide | Self::FastaiMinimum | Self::FastaiSteep => {
                ramp(1e-7, 10.0, Smoothing::Corrected { beta: 0.98 }, fastai)
            }
            Self::PytorchLrFinder | Self::Ignite => {
                let stopping = Stopping { factor: 5.0, initial_best: None, ..fastai };
                ramp(1e-7, 10.0, Smoothing::Uncorrected { beta: 0.95 }, stopping)
            }
            Self::LightningByStep | Self::LightningByRate => {
                let stopping = Stopping { from_step: 1, initial_best: None, before_update: true, ..fastai };
                ramp(1e-8, 1.0, Smoothing::CorrectedLate { beta: 0.98 }, stopping)
            }
            Self::KerasLrFinder => {
                let stopping = Stopping { from_step: 6, initial_best: Some(1e9), before_update: true, on_nan: true, ..fastai };
                ramp(1e-4, 1.0, Smoothing::None, stopping)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_json() {
        for rule in Rule::ALL {
            assert_eq!(serde_json::to_value(rule).unwrap(), rule.name());
        }
    }
}
