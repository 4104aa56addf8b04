//! What the architectures that go by a name consist of.

use super::builder::Builder;
use super::data::ExampleShape;
use super::shape::Shape;
use crate::config::{Activation, Cell, Init, LayerPlan, ModelPlan, Pooling};

/// A network before it is built.
#[derive(Debug)]
pub(crate) struct Blueprint {
    /// What the first layer gets.
    pub(crate) shape: Shape,
    /// The layers, outputs included.
    pub(crate) layers: Vec<LayerPlan>,
    /// How weights begin.
    pub(crate) init: Init,
    /// Multiplies them.
    pub(crate) init_scale: f64,
    /// Whether the targets are the inputs themselves.
    pub(crate) reconstructs: bool,
}

/// What a network is to predict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outputs {
    /// Values: one per class, or 1.
    pub(crate) width: usize,
    /// Whether there is a target at each position of a sequence, rather than one for the whole example.
    pub(crate) per_position: bool,
}

/// The layers of `model` for examples of `features` numbers and this shape.
///
/// # Errors
/// When the model cannot be shown such examples: what to write instead.
pub(crate) fn blueprint(
    model: &ModelPlan,
    shape: ExampleShape,
    features: usize,
    outputs: Outputs,
) -> Result<Blueprint, String> {
    if outputs.per_position
        && !matches!(model, ModelPlan::Rnn { .. } | ModelPlan::Transformer { .. } | ModelPlan::Layers { .. })
    {
        return Err(format!(
            "a model of kind \"{}\" has one answer for an example, but this data asks for one at each position: \
             write kind = \"transformer\" or \"rnn\"",
            model.name()
        ));
    }
    let image = || Shape::of_example(shape, features);
    let flat = Shape::Flat(features);
    let (shape, mut layers, init, init_scale) = match *model {
        ModelPlan::Linear { init } => (flat, Vec::new(), init, 1.0),
        ModelPlan::Mlp { ref hidden, activation, init, init_scale } => (flat, dense(hidden, activation, 0.0), init, init_scale),
        ModelPlan::Cnn { init, init_scale, .. } => (image(), cnn(model), init, init_scale),
        ModelPlan::Resnet { blocks, width, init, init_scale } => (image(), resnet(blocks, width), init, init_scale),
        ModelPlan::Rnn { cell, width, depth, dropout } => {
            (image(), rnn(cell, width, depth, dropout, shape), Init::Pytorch, 1.0)
        }
        ModelPlan::Transformer { init, init_scale, .. } => (image(), transformer(model, shape, outputs), init, init_scale),
        ModelPlan::Autoencoder { ref hidden, activation, init, init_scale } => {
            let mirrored: Vec<usize> = hidden.iter().chain(hidden.iter().rev().skip(1)).copied().collect();
            (flat, dense(&mirrored, activation, 0.0), init, init_scale)
        }
        ModelPlan::Layers { ref layers, init, init_scale } => (image(), layers.clone(), init, init_scale),
        ModelPlan::Quadratic => (flat, Vec::new(), Init::Zeros, 1.0),
    };
    check(model, shape)?;
    let reconstructs = matches!(model, ModelPlan::Autoencoder { .. });
    let units = if reconstructs { features } else { outputs.width };
    if !outputs.per_position && matches!(model, ModelPlan::Rnn { .. }) {
        layers.push(LayerPlan::Last);
    }
    if !outputs.per_position && matches!(model, ModelPlan::Layers { .. }) && !is_flat_after(&layers, shape) {
        layers.push(LayerPlan::Flatten);
    }
    layers.push(LayerPlan::Linear { units });
    Ok(Blueprint { shape, layers, init, init_scale, reconstructs })
}

/// Whether these layers give flat values. Where they fit each other ill, whoever builds them says so.
fn is_flat_after(layers: &[LayerPlan], shape: Shape) -> bool {
    let mut builder = Builder::new(shape, Init::Zeros, 1.0);
    builder.chain(layers).is_ok() && matches!(builder.shape(), Shape::Flat(_))
}

/// Whether the architecture can read examples of this shape.
fn check(model: &ModelPlan, shape: Shape) -> Result<(), String> {
    let name = model.name();
    let image = "write shape = [channels, height, width] in [data] if its rows are images";
    match (model, shape) {
        (ModelPlan::Cnn { .. } | ModelPlan::Resnet { .. }, Shape::Flat(features)) => {
            Err(format!("a {name} needs images, and this data has {features} features in no order: {image}, or kind = \"mlp\""))
        }
        (ModelPlan::Cnn { .. } | ModelPlan::Resnet { .. }, Shape::Tokens { .. }) => {
            Err(format!("a {name} needs images, and this data is text: write kind = \"transformer\" or \"rnn\""))
        }
        (ModelPlan::Rnn { .. } | ModelPlan::Transformer { .. }, Shape::Flat(features)) => Err(format!(
            "a model of kind \"{name}\" reads tokens or the rows of images, and this data has {features} features in no order: \
             {image}, or kind = \"mlp\""
        )),
        _ => Ok(()),
    }
}

/// Affine layers with an activation, and dropout before them.
fn dense(hidden: &[usize], function: Activation, dropout: f64) -> Vec<LayerPlan> {
    let of = |&units: &usize| drops(dropout).chain([LayerPlan::Linear { units }, LayerPlan::Activation { function }]);
    hidden.iter().flat_map(of).collect()
}

fn drops(share: f64) -> impl Iterator<Item = LayerPlan> {
    (share > 0.0).then_some(LayerPlan::Dropout { share }).into_iter()
}

fn conv(channels: usize, kernel: usize, stride: usize, bias: bool) -> LayerPlan {
    LayerPlan::Conv { channels, kernel, stride, padding: kernel / 2, groups: 1, bias }
}

fn cnn(model: &ModelPlan) -> Vec<LayerPlan> {
    let &ModelPlan::Cnn { ref channels, convolutions, kernel, pool, ref hidden, batch_norm, dropout, activation, .. } = model
    else {
        return Vec::new();
    };
    let mut layers = Vec::new();
    for &channels in channels {
        for _ in 0..convolutions {
            layers.push(conv(channels, kernel, 1, !batch_norm));
            layers.extend(batch_norm.then_some(LayerPlan::BatchNorm));
            layers.push(LayerPlan::Activation { function: activation });
        }
        layers.extend((pool > 1).then_some(LayerPlan::Pool { of: Pooling::Max, size: pool, stride: pool, padding: 0 }));
    }
    layers.push(LayerPlan::Flatten);
    layers.extend(dense(hidden, activation, dropout));
    layers.extend(drops(dropout));
    layers
}

fn resnet(blocks: usize, width: usize) -> Vec<LayerPlan> {
    const RELU: LayerPlan = LayerPlan::Activation { function: Activation::Relu };
    let mut layers = vec![conv(width, 3, 1, false), LayerPlan::BatchNorm, RELU];
    for stage in 0..3 {
        let channels = width << stage;
        for block in 0..blocks {
            let shrinks = stage > 0 && block == 0;
            let stride = if shrinks { 2 } else { 1 };
            let body = vec![
                conv(channels, 3, stride, false),
                LayerPlan::BatchNorm,
                RELU,
                conv(channels, 3, 1, false),
                LayerPlan::BatchNorm,
            ];
            let shortcut = if shrinks { vec![conv(channels, 1, stride, false), LayerPlan::BatchNorm] } else { Vec::new() };
            layers.extend([LayerPlan::Residual { layers: body, shortcut }, RELU]);
        }
    }
    layers.push(LayerPlan::GlobalAverage);
    layers
}

/// From an image to its rows, or from tokens to vectors.
fn entrance(shape: ExampleShape, width: usize) -> LayerPlan {
    match shape {
        ExampleShape::Tokens { .. } => LayerPlan::Embedding { width },
        _ => LayerPlan::Rows,
    }
}

fn rnn(cell: Cell, width: usize, depth: usize, dropout: f64, shape: ExampleShape) -> Vec<LayerPlan> {
    let mut layers = vec![entrance(shape, width)];
    for _ in 0..depth {
        layers.push(LayerPlan::Recurrent { cell, units: width });
        layers.extend(drops(dropout));
    }
    layers
}

fn transformer(model: &ModelPlan, shape: ExampleShape, outputs: Outputs) -> Vec<LayerPlan> {
    let &ModelPlan::Transformer { width, depth, heads, dropout, activation, .. } = model else { return Vec::new() };
    let added = |layers: Vec<LayerPlan>| LayerPlan::Residual { layers, shortcut: Vec::new() };
    let mut layers = vec![entrance(shape, width)];
    if layers[0] == LayerPlan::Rows {
        layers.push(LayerPlan::Linear { units: width });
    }
    layers.push(LayerPlan::Positions);
    layers.extend(drops(dropout));
    for _ in 0..depth {
        let mut attention = vec![LayerPlan::LayerNorm, LayerPlan::Attention { heads, causal: outputs.per_position }];
        attention.extend(drops(dropout));
        let mut affine = vec![
            LayerPlan::LayerNorm,
            LayerPlan::Linear { units: 4 * width },
            LayerPlan::Activation { function: activation },
            LayerPlan::Linear { units: width },
        ];
        affine.extend(drops(dropout));
        layers.extend([added(attention), added(affine)]);
    }
    layers.push(LayerPlan::LayerNorm);
    layers.extend((!outputs.per_position).then_some(LayerPlan::GlobalAverage));
    layers
}
