//! The checked plan: everything a run needs to know, resolved from config file and flags. Plain data.

mod data;
mod model;

use serde::Serialize;

use crate::lr::{LearningRate, LrRange};
use crate::schedule::Decay;

pub use data::*;
pub use model::*;

/// A fully checked config. Serialises into the `config` object of the report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// Names the report folder; letters, digits, `-`, `_` and `.` only.
    pub name: String,
    /// What to train on.
    pub data: DataPlan,
    /// What to train.
    pub model: ModelPlan,
    /// Weights to begin with instead of random ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init_from: Option<WeightsFile>,
    /// How to train it.
    pub training: TrainingPlan,
    /// How to search.
    pub search: SearchPlan,
    /// Where to compute.
    pub device: DeviceKind,
}

/// The compute backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// burn-flex, the default.
    #[default]
    Flex,
    /// burn-ndarray.
    Ndarray,
}

/// How the model is trained.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainingPlan {
    /// The update rule.
    pub optimizer: OptimizerPlan,
    /// Examples in a mini-batch; 0 for the whole training part.
    pub batch_size: usize,
    /// Parts of a mini-batch whose gradients are computed one after the other and averaged, to save memory; at least 1.
    pub accumulate: usize,
    /// Passes through the training part that the long run will make.
    pub epochs: f64,
    /// The configured ε₀, which `check` judges.
    pub learning_rate: Option<LearningRate>,
    /// 1-based line of `learning-rate` in the config file, for annotations.
    #[serde(skip)]
    pub learning_rate_line: Option<usize>,
    /// How the rate falls.
    pub decay: Decay,
    /// Epochs until the decay ends (τ); `None`: `epochs`.
    pub decay_epochs: Option<f64>,
    /// Iterations of linear warm-up.
    pub warmup_iterations: u64,
    /// Share of the target probability spread over all classes, in [0, 1).
    pub label_smoothing: f64,
    /// Each trial's gradient is scaled down to this Euclidean norm; `None` for no clipping.
    pub clip_norm: Option<f64>,
}

/// Update rules. Weight decay is a coefficient per step; see each rule for how it enters.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OptimizerPlan {
    /// The rule.
    pub rule: UpdateRule,
    /// Weight-decay coefficient λ; 0 for none.
    pub weight_decay: f64,
    /// θ ← θ − ε·λ·θ beside the update (decoupled, Loshchilov & Hutter 2019) rather than g ← g + λ·θ before it.
    pub decoupled: bool,
}

/// The rule itself, with its constants. Conventions are PyTorch's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum UpdateRule {
    /// θ ← θ − ε·u. v ← μ·v + (1 − d)·g with v = g at the first step; u = v, or u = g + μ·v with Nesterov; μ = 0: u = g.
    Sgd {
        /// μ.
        momentum: f64,
        /// d.
        dampening: f64,
        /// Nesterov's look-ahead.
        nesterov: bool,
    },
    /// Adam (Kingma & Ba 2015) with bias correction; AdamW is this with decoupled weight decay.
    Adam {
        /// β₁.
        beta1: f64,
        /// β₂.
        beta2: f64,
        /// Added to √v̂.
        epsilon: f64,
    },
    /// θ ← θ − ε·g/(√v + epsilon), v ← α·v + (1 − α)·g²; with momentum μ the quotient goes through a buffer b ← μ·b + quotient.
    RmsProp {
        /// α.
        alpha: f64,
        /// Added to √v.
        epsilon: f64,
        /// μ.
        momentum: f64,
    },
    /// θ ← θ − ε·g/(√s + epsilon), s ← s + g² (Duchi et al. 2011).
    Adagrad {
        /// Added to √s.
        epsilon: f64,
    },
    /// θ ← θ − ε·sign(β₁·m + (1 − β₁)·g), m ← β₂·m + (1 − β₂)·g (Chen et al. 2023).
    Lion {
        /// β₁.
        beta1: f64,
        /// β₂.
        beta2: f64,
    },
}

/// A long trial is this many times a short one, where nobody says otherwise.
pub const LONG: u64 = 4;

/// How to look for the rate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SearchPlan {
    /// The first scan; the search extends it where the answer lies outside.
    pub range: LrRange,
    /// Whether the search may leave `range`.
    pub extend: bool,
    /// Iterations of a short trial (the book's "first 100 iterations or so").
    pub iterations: u64,
    /// Iterations of the longer trials that choose among the promising rates; `None` for [`LONG`] times as many as of a short
    /// one, and fewer where the planned run is short.
    pub long_iterations: Option<u64>,
    /// Seeds of the trials. The confirmation uses half as many fresh ones.
    pub seeds: usize,
    /// The first seed.
    pub first_seed: u64,
    /// The instability bracket is bisected down to this width, in decades.
    pub resolution: f64,
    /// The recommendation stays this factor below the instability threshold.
    pub safety: f64,
    /// The factor above the configured rate that `check` wants stable too.
    pub check_margin: f64,
    /// Most trial-iterations to spend; `None` for no limit.
    pub budget: Option<u64>,
}

impl UpdateRule {
    /// The share of the last update that is kept: μ, or Adam's β₁. Lion's steps are of fixed length and keep none.
    pub fn momentum(&self) -> f64 {
        match *self {
            Self::Sgd { momentum, .. } | Self::RmsProp { momentum, .. } => momentum,
            Self::Adam { beta1, .. } => beta1,
            Self::Adagrad { .. } | Self::Lion { .. } => 0.0,
        }
    }

    /// Whether each weight's steps are scaled by its own gradients.
    pub fn is_adaptive(&self) -> bool {
        !matches!(self, Self::Sgd { .. })
    }
}
