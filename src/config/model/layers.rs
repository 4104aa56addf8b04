//! A list of layers: `layers = ["relu", { kind = "linear", units = 64 }]`.

use super::super::plan::{Activation, Cell, LayerPlan, Pooling};
use super::{MOST_LAYERS, MOST_UNITS, MOST_WINDOW, SHARES, Section};

/// Residual layers may hold residual layers, but not without end.
const DEEPEST: usize = 3;

#[derive(Clone, Copy)]
enum Kind {
    Linear,
    Activation(Activation),
    Conv,
    Pool(Pooling),
    GlobalAverage,
    BatchNorm,
    LayerNorm,
    Dropout,
    Flatten,
    Rows,
    Embedding,
    Positions,
    Attention,
    Recurrent(Cell),
    Last,
    Residual,
}

const KINDS: &[(&str, Kind)] = &[
    ("linear", Kind::Linear),
    ("relu", Kind::Activation(Activation::Relu)),
    ("tanh", Kind::Activation(Activation::Tanh)),
    ("gelu", Kind::Activation(Activation::Gelu)),
    ("silu", Kind::Activation(Activation::Silu)),
    ("conv", Kind::Conv),
    ("max-pool", Kind::Pool(Pooling::Max)),
    ("average-pool", Kind::Pool(Pooling::Average)),
    ("global-average", Kind::GlobalAverage),
    ("batch-norm", Kind::BatchNorm),
    ("layer-norm", Kind::LayerNorm),
    ("dropout", Kind::Dropout),
    ("flatten", Kind::Flatten),
    ("rows", Kind::Rows),
    ("embedding", Kind::Embedding),
    ("positions", Kind::Positions),
    ("attention", Kind::Attention),
    ("lstm", Kind::Recurrent(Cell::Lstm)),
    ("gru", Kind::Recurrent(Cell::Gru)),
    ("last", Kind::Last),
    ("residual", Kind::Residual),
];

/// Reads the layers under `key`, `deep` residual layers down.
pub(super) fn read(section: &mut Section<'_>, key: &'static str, deep: usize) -> Option<Vec<LayerPlan>> {
    let items = section.sections_or_words(key, "model.layers")?;
    if items.len() > MOST_LAYERS {
        section.complain(key, format!("{} layers are too many", items.len()), format!("write at most {MOST_LAYERS}"));
        return None;
    }
    if deep > DEEPEST {
        section.complain(key, "residual layers are nested too deeply", format!("nest at most {DEEPEST}"));
        return None;
    }
    // All of them are read before any is given up, so that every problem is reported.
    let layers: Vec<Option<LayerPlan>> = items.into_iter().map(|item| layer(item, deep)).collect();
    layers.into_iter().collect()
}

fn layer(mut section: Section<'_>, deep: usize) -> Option<LayerPlan> {
    let kind = section.variant("kind", KINDS);
    let layer = section.require("kind", kind).and_then(|kind| of_kind(kind, &mut section, deep));
    section.finish();
    layer
}

fn of_kind(kind: Kind, section: &mut Section<'_>, deep: usize) -> Option<LayerPlan> {
    Some(match kind {
        Kind::Linear => LayerPlan::Linear { units: required(section, "units")? },
        Kind::Activation(function) => LayerPlan::Activation { function },
        Kind::Conv => {
            let channels = required(section, "channels");
            let kernel = section.integer("kernel", 1..=MOST_WINDOW).unwrap_or(3);
            let (stride, padding) = steps(section, 1, kernel / 2);
            let groups = section.integer("groups", 1..=MOST_UNITS).unwrap_or(1);
            let bias = section.boolean("bias").unwrap_or(true);
            LayerPlan::Conv { channels: channels?, kernel, stride, padding, groups, bias }
        }
        Kind::Pool(of) => {
            let size = section.integer("size", 1..=MOST_WINDOW).unwrap_or(2);
            let (stride, padding) = steps(section, size, 0);
            if padding > size / 2 {
                section.complain(
                    "padding",
                    format!("a padding of {padding} would put windows of {size} beside the image"),
                    format!("write at most half the size: `padding = {}`", size / 2),
                );
            }
            LayerPlan::Pool { of, size, stride, padding }
        }
        Kind::GlobalAverage => LayerPlan::GlobalAverage,
        Kind::BatchNorm => LayerPlan::BatchNorm,
        Kind::LayerNorm => LayerPlan::LayerNorm,
        Kind::Dropout => LayerPlan::Dropout { share: section.number("share", SHARES).unwrap_or(0.5) },
        Kind::Flatten => LayerPlan::Flatten,
        Kind::Rows => LayerPlan::Rows,
        Kind::Embedding => LayerPlan::Embedding { width: section.integer("width", 1..=MOST_UNITS).unwrap_or(64) },
        Kind::Positions => LayerPlan::Positions,
        Kind::Attention => LayerPlan::Attention {
            heads: section.integer("heads", 1..=MOST_UNITS).unwrap_or(4),
            causal: section.boolean("causal").unwrap_or(false),
        },
        Kind::Recurrent(cell) => LayerPlan::Recurrent { cell, units: required(section, "units")? },
        Kind::Last => LayerPlan::Last,
        Kind::Residual => {
            let layers = read(section, "layers", deep + 1);
            let layers = section.require("layers", layers);
            let none = section.any("shortcut").is_none();
            let shortcut = if none { Some(Vec::new()) } else { read(section, "shortcut", deep + 1) };
            LayerPlan::Residual { layers: layers?, shortcut: shortcut? }
        }
    })
}

/// A required number of units or channels.
fn required(section: &mut Section<'_>, key: &'static str) -> Option<usize> {
    let number = section.integer(key, 1..=MOST_UNITS);
    section.require(key, number)
}

/// `stride` and `padding`.
fn steps(section: &mut Section<'_>, stride: usize, padding: usize) -> (usize, usize) {
    let stride = section.integer("stride", 1..=MOST_WINDOW).unwrap_or(stride);
    (stride, section.integer("padding", 0..=MOST_WINDOW).unwrap_or(padding))
}
