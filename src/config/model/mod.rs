//! The `[model]` section.

mod layers;
mod named;

use std::path::Path;

use super::plan::{Activation, Init, ModelPlan, WeightsFile};
use super::section::{LARGE, Section, above_zero_to};

/// Most units in one layer.
const MOST_UNITS: usize = 65_536;
/// Most layers of a kind.
const MOST_LAYERS: usize = 100;
/// Most weights between hidden layers: 400 MB in single precision, for each trial.
const MOST_WEIGHTS: usize = 100_000_000;
/// Largest window of a convolution or a pooling.
const MOST_WINDOW: usize = 1024;
/// Shares that dropout can drop: with all gone there is nothing to learn.
const SHARES: std::ops::Range<f64> = 0.0..1.0;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Linear,
    Mlp,
    Cnn,
    Resnet,
    Rnn,
    Transformer,
    Autoencoder,
    Layers,
    Quadratic,
}

const KINDS: &[(&str, Kind)] = &[
    ("linear", Kind::Linear),
    ("mlp", Kind::Mlp),
    ("cnn", Kind::Cnn),
    ("resnet", Kind::Resnet),
    ("rnn", Kind::Rnn),
    ("transformer", Kind::Transformer),
    ("autoencoder", Kind::Autoencoder),
    ("layers", Kind::Layers),
    ("quadratic", Kind::Quadratic),
];

/// Reads the section: the model, and the file its weights come from. `on_quadratic` says whether the data is the quadratic
/// problem, where that is known. Relative paths are resolved against `folder`.
pub(crate) fn read(
    mut section: Section<'_>,
    on_quadratic: Option<bool>,
    folder: &Path,
) -> (Option<ModelPlan>, Option<WeightsFile>) {
    if section.is_absent() {
        if on_quadratic == Some(false) {
            section.complain(
                "",
                "there is no [model] section",
                "add `[model]` and, below it, `kind = \"mlp\"` or `kind = \"linear\"`",
            );
        }
        return ((on_quadratic == Some(true)).then_some(ModelPlan::Quadratic), None);
    }
    let kind = section.variant("kind", KINDS);
    let kind = section.require("kind", kind);
    let model = kind.and_then(|kind| match kind {
        Kind::Linear => Some(ModelPlan::Linear { init: section.choice("init", Init::NAMES).unwrap_or(Init::Zeros) }),
        Kind::Mlp => named::mlp(&mut section),
        Kind::Cnn => named::cnn(&mut section),
        Kind::Resnet => Some(named::resnet(&mut section)),
        Kind::Rnn => Some(named::rnn(&mut section)),
        Kind::Transformer => Some(named::transformer(&mut section)),
        Kind::Autoencoder => named::autoencoder(&mut section),
        Kind::Layers => listed(&mut section),
        Kind::Quadratic => Some(ModelPlan::Quadratic),
    });
    match (kind, on_quadratic) {
        (Some(Kind::Quadratic), Some(false)) => section.complain(
            "kind",
            "the quadratic model can only be trained on the quadratic problem",
            "write `kind = \"mlp\"` or `kind = \"linear\"`, or `problem = \"quadratic\"` in [data]",
        ),
        (Some(kind), Some(true)) if kind != Kind::Quadratic => section.complain(
            "kind",
            "the quadratic problem has no examples and brings its own parameters",
            "remove [model], or write `kind = \"quadratic\"`",
        ),
        _ => {}
    }
    let trained = kind.is_some_and(|kind| kind != Kind::Quadratic);
    let source = if trained { section.string("init-from") } else { None };
    section.finish();
    (model, source.map(|source| WeightsFile { path: folder.join(source), source: source.to_owned() }))
}

/// A free list of layers.
fn listed(section: &mut Section<'_>) -> Option<ModelPlan> {
    let layers = layers::read(section, "layers", 0);
    let layers = section.require("layers", layers);
    let (init, init_scale) = initial(section, Init::He);
    Some(ModelPlan::Layers { layers: layers?, init, init_scale })
}

/// `init` and `init-scale` of a network with hidden layers.
fn initial(section: &mut Section<'_>, default: Init) -> (Init, f64) {
    let init = section.choice("init", Init::NAMES).unwrap_or(default);
    if init == Init::Zeros {
        section.complain(
            "init",
            "a network whose weights are all zero cannot learn: every unit of a layer gets the same gradient",
            "write `init = \"he\"`, `\"xavier\"` or `\"pytorch\"`; zeros are for `kind = \"linear\"`",
        );
    }
    (init, section.number("init-scale", above_zero_to(LARGE)).unwrap_or(1.0))
}

/// He's initialisation is made for units that are zero on half their inputs, Glorot's for those that are not.
fn default_init(activation: Activation) -> Init {
    match activation {
        Activation::Relu | Activation::Gelu | Activation::Silu => Init::He,
        Activation::Tanh => Init::Xavier,
    }
}
