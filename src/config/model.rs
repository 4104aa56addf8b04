//! The `[model]` section.

use super::plan::{Activation, Init, ModelPlan};
use super::section::{LARGE, Section, above_zero_to};

/// Most units in one layer.
const MOST_UNITS: usize = 65_536;
/// Most hidden layers.
const MOST_LAYERS: usize = 100;
/// Most weights between hidden layers: 400 MB in single precision, for each trial.
const MOST_WEIGHTS: usize = 100_000_000;

#[derive(Clone, Copy)]
enum Kind {
    Linear,
    Mlp,
    Quadratic,
}

/// Reads the section. `on_quadratic` says whether the data is the quadratic problem, where that is known.
pub(crate) fn read(mut section: Section<'_>, on_quadratic: Option<bool>) -> Option<ModelPlan> {
    if section.is_absent() {
        if on_quadratic == Some(false) {
            section.complain(
                "",
                "there is no [model] section",
                "add `[model]` and, below it, `kind = \"mlp\"` or `kind = \"linear\"`",
            );
        }
        return (on_quadratic == Some(true)).then_some(ModelPlan::Quadratic);
    }
    let kinds = [("linear", Kind::Linear), ("mlp", Kind::Mlp), ("quadratic", Kind::Quadratic)];
    let kind = section.variant("kind", &kinds);
    let kind = section.require("kind", kind);
    let model = kind.and_then(|kind| match kind {
        Kind::Linear => Some(ModelPlan::Linear { init: section.choice("init", Init::NAMES).unwrap_or(Init::Zeros) }),
        Kind::Mlp => mlp(&mut section),
        Kind::Quadratic => Some(ModelPlan::Quadratic),
    });
    match (kind, on_quadratic) {
        (Some(Kind::Quadratic), Some(false)) => section.complain(
            "kind",
            "the quadratic model can only be trained on the quadratic problem",
            "write `kind = \"mlp\"` or `kind = \"linear\"`, or `problem = \"quadratic\"` in [data]",
        ),
        (Some(Kind::Linear | Kind::Mlp), Some(true)) => section.complain(
            "kind",
            "the quadratic problem has no examples and brings its own parameters",
            "remove [model], or write `kind = \"quadratic\"`",
        ),
        _ => {}
    }
    section.finish();
    model
}

fn mlp(section: &mut Section<'_>) -> Option<ModelPlan> {
    let hidden = hidden(section);
    let activation = section.choice("activation", Activation::NAMES).unwrap_or(Activation::Relu);
    let init = section.choice("init", Init::NAMES).unwrap_or(default_init(activation));
    if init == Init::Zeros {
        section.complain(
            "init",
            "an mlp whose weights are all zero cannot learn: every unit of a layer gets the same gradient",
            "write `init = \"he\"`, `\"xavier\"` or `\"pytorch\"`; zeros are for `kind = \"linear\"`",
        );
    }
    let init_scale = section.number("init-scale", above_zero_to(LARGE)).unwrap_or(1.0);
    Some(ModelPlan::Mlp { hidden: hidden?, activation, init, init_scale })
}

/// He's initialisation is made for units that are zero on half their inputs, Glorot's for those that are not.
fn default_init(activation: Activation) -> Init {
    match activation {
        Activation::Relu | Activation::Gelu | Activation::Silu => Init::He,
        Activation::Tanh => Init::Xavier,
    }
}

fn hidden(section: &mut Section<'_>) -> Option<Vec<usize>> {
    if section.any("hidden").is_none() {
        return Some(vec![64, 64]);
    }
    let hidden = section.integers("hidden", 1..=MOST_UNITS)?;
    if hidden.len() > MOST_LAYERS {
        section.complain(
            "hidden",
            format!("{} hidden layers are too many", hidden.len()),
            format!("write at most {MOST_LAYERS}"),
        );
        return None;
    }
    let weights: usize = hidden.windows(2).map(|pair| pair[0] * pair[1]).sum();
    if weights > MOST_WEIGHTS {
        section.complain(
            "hidden",
            format!("these layers have {weights} weights between them, too many to hold for every trial"),
            format!("make them smaller: at most {MOST_WEIGHTS} weights in all"),
        );
        return None;
    }
    Some(hidden)
}
