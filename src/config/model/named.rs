//! The architectures that go by a name.

use toml::de::DeValue;

use super::super::plan::{Activation, Cell, Init, ModelPlan};
use super::{MOST_LAYERS, MOST_UNITS, MOST_WEIGHTS, MOST_WINDOW, SHARES, Section, default_init, initial};

/// A multi-layer perceptron.
pub(super) fn mlp(section: &mut Section<'_>) -> Option<ModelPlan> {
    let hidden = widths(section, "hidden", &[64, 64]);
    let activation = activation(section, Activation::Relu);
    let (init, init_scale) = initial(section, default_init(activation));
    Some(ModelPlan::Mlp { hidden: hidden?, activation, init, init_scale })
}

/// A convolutional network.
pub(super) fn cnn(section: &mut Section<'_>) -> Option<ModelPlan> {
    let channels = widths(section, "channels", &[16, 32]);
    let convolutions = section.integer("convolutions", 1..=MOST_LAYERS).unwrap_or(1);
    let kernel = section.integer("kernel", 1..=MOST_WINDOW).unwrap_or(3);
    let pool = section.integer("pool", 1..=MOST_WINDOW).unwrap_or(2);
    let none = matches!(section.any("hidden"), Some(DeValue::Array(units)) if units.is_empty());
    let hidden = if none { Some(Vec::new()) } else { widths(section, "hidden", &[64]) };
    let batch_norm = section.boolean("batch-norm").unwrap_or(false);
    let dropout = section.number("dropout", SHARES).unwrap_or(0.0);
    let activation = activation(section, Activation::Relu);
    let (init, init_scale) = initial(section, default_init(activation));
    Some(ModelPlan::Cnn {
        channels: channels?,
        convolutions,
        kernel,
        pool,
        hidden: hidden?,
        batch_norm,
        dropout,
        activation,
        init,
        init_scale,
    })
}

/// A residual network.
pub(super) fn resnet(section: &mut Section<'_>) -> ModelPlan {
    let blocks = section.integer("blocks", 1..=MOST_LAYERS).unwrap_or(1);
    let width = section.integer("width", 1..=MOST_UNITS).unwrap_or(16);
    let (init, init_scale) = initial(section, Init::He);
    ModelPlan::Resnet { blocks, width, init, init_scale }
}

/// A recurrent network.
pub(super) fn rnn(section: &mut Section<'_>) -> ModelPlan {
    let cell = section.choice("cell", Cell::NAMES).unwrap_or(Cell::Lstm);
    let width = section.integer("width", 1..=MOST_UNITS).unwrap_or(64);
    let depth = section.integer("depth", 1..=MOST_LAYERS).unwrap_or(1);
    let dropout = section.number("dropout", SHARES).unwrap_or(0.0);
    ModelPlan::Rnn { cell, width, depth, dropout }
}

/// A transformer.
pub(super) fn transformer(section: &mut Section<'_>) -> ModelPlan {
    let width = section.integer("width", 1..=MOST_UNITS).unwrap_or(64);
    let depth = section.integer("depth", 1..=MOST_LAYERS).unwrap_or(2);
    let heads = section.integer("heads", 1..=MOST_UNITS).unwrap_or(4);
    if !width.is_multiple_of(heads) {
        section.complain(
            if section.has("heads") { "heads" } else { "width" },
            format!("{heads} heads cannot share {width} features evenly"),
            format!("write a `width` that {heads} divides, for example `width = {}`", heads * width.div_ceil(heads)),
        );
    }
    let dropout = section.number("dropout", SHARES).unwrap_or(0.0);
    let activation = activation(section, Activation::Gelu);
    let (init, init_scale) = initial(section, Init::Xavier);
    ModelPlan::Transformer { width, depth, heads, dropout, activation, init, init_scale }
}

/// An autoencoder.
pub(super) fn autoencoder(section: &mut Section<'_>) -> Option<ModelPlan> {
    let hidden = widths(section, "hidden", &[32, 8]);
    let activation = activation(section, Activation::Relu);
    let (init, init_scale) = initial(section, default_init(activation));
    Some(ModelPlan::Autoencoder { hidden: hidden?, activation, init, init_scale })
}

fn activation(section: &mut Section<'_>, default: Activation) -> Activation {
    section.choice("activation", Activation::NAMES).unwrap_or(default)
}

/// The widths of layers that follow each other.
fn widths(section: &mut Section<'_>, key: &'static str, default: &[usize]) -> Option<Vec<usize>> {
    if section.any(key).is_none() {
        return Some(default.to_vec());
    }
    let widths = section.integers(key, 1..=MOST_UNITS)?;
    if widths.len() > MOST_LAYERS {
        section.complain(
            key,
            format!("{} layers in `{key}` are too many", widths.len()),
            format!("write at most {MOST_LAYERS}"),
        );
        return None;
    }
    let weights: usize = widths.windows(2).map(|pair| pair[0] * pair[1]).sum();
    if weights > MOST_WEIGHTS {
        section.complain(
            key,
            format!("these layers have {weights} weights between them, too many to hold for every trial"),
            format!("make them smaller: at most {MOST_WEIGHTS} weights in all"),
        );
        return None;
    }
    Some(widths)
}
