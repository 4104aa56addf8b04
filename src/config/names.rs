//! The names that the plan's choices go by in configs, reports and messages.

use std::fmt;

use super::plan::{
    Activation, AugmentPlan, Cell, DataPlan, DeviceKind, Init, KnownSet, LayerPlan, ModelPlan, OptimizerPlan, Pooling,
    PreparePlan, SyntheticPlan, TaskKind, UpdateRule,
};

/// Gives an enum without fields its list of names, `name()` and `Display`.
macro_rules! named {
    ($type:ident, $($name:literal => $variant:ident),*) => {
        impl $type {
            /// Every option, with its name.
            pub(crate) const NAMES: &'static [(&'static str, Self)] = &[$(($name, Self::$variant)),*];

            /// The name used in configs and reports.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),*
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

named!(DeviceKind, "flex" => Flex, "ndarray" => Ndarray);
named!(TaskKind, "classification" => Classification, "regression" => Regression);
named!(Activation, "relu" => Relu, "tanh" => Tanh, "gelu" => Gelu, "silu" => Silu);
named!(Cell, "lstm" => Lstm, "gru" => Gru);
named!(Init, "he" => He, "xavier" => Xavier, "pytorch" => Pytorch, "zeros" => Zeros);

impl OptimizerPlan {
    /// The name used in configs and reports: `momentum` and `nesterov` for SGD with either, `adamw` for Adam with decoupled
    /// weight decay.
    pub fn name(&self) -> &'static str {
        match self.rule {
            UpdateRule::Sgd { nesterov: true, .. } => "nesterov",
            UpdateRule::Sgd { momentum, .. } if momentum > 0.0 => "momentum",
            UpdateRule::Sgd { .. } => "sgd",
            UpdateRule::Adam { .. } if self.decoupled => "adamw",
            UpdateRule::Adam { .. } => "adam",
            UpdateRule::RmsProp { .. } => "rmsprop",
            UpdateRule::Adagrad { .. } => "adagrad",
            UpdateRule::Lion { .. } => "lion",
        }
    }
}

impl ModelPlan {
    /// The name used in configs and reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Linear { .. } => "linear",
            Self::Mlp { .. } => "mlp",
            Self::Cnn { .. } => "cnn",
            Self::Resnet { .. } => "resnet",
            Self::Rnn { .. } => "rnn",
            Self::Transformer { .. } => "transformer",
            Self::Autoencoder { .. } => "autoencoder",
            Self::Layers { .. } => "layers",
            Self::Quadratic => "quadratic",
        }
    }
}

impl LayerPlan {
    /// The name used in configs and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Linear { .. } => "linear",
            Self::Activation { function } => function.name(),
            Self::Conv { .. } => "conv",
            Self::Pool { of: Pooling::Max, .. } => "max-pool",
            Self::Pool { of: Pooling::Average, .. } => "average-pool",
            Self::GlobalAverage => "global-average",
            Self::BatchNorm => "batch-norm",
            Self::LayerNorm => "layer-norm",
            Self::Dropout { .. } => "dropout",
            Self::Flatten => "flatten",
            Self::Rows => "rows",
            Self::Embedding { .. } => "embedding",
            Self::Positions => "positions",
            Self::Attention { .. } => "attention",
            Self::Recurrent { cell, .. } => cell.name(),
            Self::Last => "last",
            Self::Residual { .. } => "residual",
        }
    }
}

impl SyntheticPlan {
    /// The name used in configs and reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::TeacherStudent { .. } => "teacher-student",
            Self::Spirals { .. } => "spirals",
            Self::Quadratic { .. } => "quadratic",
        }
    }
}

impl KnownSet {
    /// The name used in configs and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mnist => "mnist",
            Self::FashionMnist => "fashion-mnist",
            Self::Cifar10 => "cifar10",
        }
    }
}

impl DataPlan {
    /// Whether the data is the synthetic quadratic, which has parameters but no examples.
    pub fn is_quadratic(&self) -> bool {
        matches!(self, Self::Synthetic { problem: SyntheticPlan::Quadratic { .. }, .. })
    }

    /// What happens to the examples after they were read; `None` where not all of it can be chosen.
    fn prepare(&self) -> Option<&PreparePlan> {
        match self {
            Self::Csv { prepare, .. }
            | Self::Parquet { prepare, .. }
            | Self::Idx { prepare, .. }
            | Self::Npy { prepare, .. }
            | Self::Npz { prepare, .. }
            | Self::ImageFolder { prepare, .. }
            | Self::Known { prepare, .. } => Some(prepare),
            Self::Text { .. } | Self::Synthetic { .. } => None,
        }
    }

    /// How images are changed at random before they are trained on.
    pub fn augment(&self) -> Option<AugmentPlan> {
        self.prepare()?.augment
    }

    /// The share of the training labels that a class drawn at random replaces.
    pub fn label_noise(&self) -> f64 {
        match self {
            Self::Synthetic { problem: SyntheticPlan::Spirals { label_noise, .. }, .. } => *label_noise,
            _ => self.prepare().map_or(0.0, |prepare| prepare.label_noise),
        }
    }

    /// Classes or a number; the quadratic counts as regression.
    pub fn task(&self) -> TaskKind {
        match self {
            Self::Csv { task, .. } | Self::Parquet { task, .. } | Self::Npy { task, .. } | Self::Npz { task, .. } => *task,
            Self::Idx { .. }
            | Self::ImageFolder { .. }
            | Self::Text { .. }
            | Self::Known { .. }
            | Self::Synthetic { problem: SyntheticPlan::Spirals { .. }, .. } => TaskKind::Classification,
            Self::Synthetic { .. } => TaskKind::Regression,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn optimizers_go_by_what_they_do() {
        let name = |rule, decoupled| OptimizerPlan { rule, weight_decay: 0.0, decoupled }.name();
        let sgd = |momentum, nesterov| UpdateRule::Sgd { momentum, dampening: 0.0, nesterov };
        let adam = UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
        assert_eq!(name(sgd(0.0, false), false), "sgd");
        assert_eq!(name(sgd(0.9, false), false), "momentum");
        assert_eq!(name(sgd(0.9, true), false), "nesterov");
        assert_eq!(name(adam, false), "adam");
        assert_eq!(name(adam, true), "adamw");
    }

    #[test]
    fn names_are_those_of_the_report() {
        for (name, init) in Init::NAMES {
            assert_eq!(serde_json::to_string(init).unwrap(), format!("\"{name}\""));
            assert_eq!(init.to_string(), *name);
        }
    }
}
