//! The checked plan: everything a run needs to know, resolved from config file and flags. Plain data.

mod model;

use std::path::PathBuf;

use serde::Serialize;

use crate::lr::{LearningRate, LrRange};
use crate::schedule::Decay;

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

/// Where the examples come from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DataPlan {
    /// A CSV file, plain or `.gz`.
    Csv {
        /// Resolved against the config file's folder. Not in the report: it differs between machines.
        #[serde(skip)]
        path: PathBuf,
        /// The path as written.
        source: String,
        /// The column to predict.
        target: Column,
        /// Classes or a number.
        task: TaskKind,
        /// Whether the first line names the columns; `None` to look.
        header: Option<bool>,
        /// Channels, height and width, where a row is an image, channel by channel and row by row.
        #[serde(skip_serializing_if = "Option::is_none")]
        shape: Option<[usize; 3]>,
        /// Shift and scale each feature to mean 0 and standard deviation 1 on the training part.
        standardize: bool,
        /// Share of the examples held out, in [0, 1).
        held_out: f64,
        /// Seed of the split.
        split_seed: u64,
    },
    /// A pair of MNIST-style IDX files, plain or `.gz`.
    Idx {
        /// Resolved image file.
        #[serde(skip)]
        images: PathBuf,
        /// Image path as written.
        images_source: String,
        /// Resolved label file.
        #[serde(skip)]
        labels: PathBuf,
        /// Label path as written.
        labels_source: String,
        /// As for CSV; pixels are scaled to [0, 1] first.
        standardize: bool,
        /// Share held out.
        held_out: f64,
        /// Seed of the split.
        split_seed: u64,
    },
    /// Data made up from a seed.
    Synthetic {
        /// Which problem.
        problem: SyntheticPlan,
        /// Seed of the problem itself (not of a trial).
        data_seed: u64,
        /// Share held out.
        held_out: f64,
    },
}

/// A column, by position or name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// Counted from 0; negative from the end (−1 is the last).
    Index(i64),
    /// By the header's name.
    Name(String),
}

/// What is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// One of K classes.
    Classification,
    /// A number.
    Regression,
}

/// Made-up problems.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
pub enum SyntheticPlan {
    /// Regression on the outputs of a random tanh network with `hidden` units (0: a linear teacher) plus Gaussian noise.
    TeacherStudent {
        /// Examples.
        samples: usize,
        /// Input features, standard normal.
        features: usize,
        /// The teacher's hidden units; 0 for a linear teacher.
        hidden: usize,
        /// Standard deviation of the noise on the target.
        noise: f64,
    },
    /// Classification of interleaved two-dimensional spirals.
    Spirals {
        /// Examples over all classes.
        samples: usize,
        /// Arms.
        classes: usize,
        /// Standard deviation of the noise on the position.
        noise: f64,
    },
    /// No data: minimise ½ Σ λᵢ (θᵢ − cᵢ)², cᵢ drawn anew at every step with standard deviation `noise`.
    Quadratic {
        /// The curvatures λᵢ, all positive. Its threshold for SGD is 2 / max λ.
        curvatures: Vec<f64>,
        /// Standard deviation of the minimum's jitter.
        noise: f64,
    },
}

/// How the model is trained.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainingPlan {
    /// The update rule.
    pub optimizer: OptimizerPlan,
    /// Examples in a mini-batch; 0 for the whole training part.
    pub batch_size: usize,
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

/// How to look for the rate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SearchPlan {
    /// The first scan; the search extends it where the answer lies outside.
    pub range: LrRange,
    /// Whether the search may leave `range`.
    pub extend: bool,
    /// Iterations of a short trial (the book's "first 100 iterations or so").
    pub iterations: u64,
    /// Iterations of the longer trials that choose among the promising rates.
    pub long_iterations: u64,
    /// Seeds of the trials. The confirmation uses as many fresh ones.
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
}
