//! From a list of planned layers to layers, each fitted to what the one before gives.

use super::TaskError;
use super::layers::{
    Activation, Affine, Attention, AveragePool, BatchNorm, Chain, Conv, Dropout, Embedding, Last, Layer, LayerNorm, MaxPool,
    Positions, Recurrent, Residual, Transpose, Window,
};
use super::shape::Shape;
use crate::config::{Init, LayerPlan, Pooling, Segment};

/// Layers under construction.
#[derive(Debug)]
pub(crate) struct Builder {
    /// What comes out of the last layer.
    shape: Shape,
    init: Init,
    init_scale: f64,
    /// Numbers per example in the inputs and outputs of all layers.
    values: f64,
    /// Numbers per example that are in memory at once where nothing is kept for the way back.
    most_at_once: f64,
    /// Dropout layers so far.
    dropouts: u16,
    /// The fewest positions of an example that a batch norm sees.
    normalized: Option<usize>,
}

/// A layer that does not fit.
#[derive(Debug)]
pub(crate) struct Misfit {
    /// What is wrong, and what to write instead.
    message: String,
    /// From the list of layers to that one.
    key_path: Vec<Segment>,
}

impl From<String> for Misfit {
    fn from(message: String) -> Self {
        Self { message, key_path: Vec::new() }
    }
}

impl From<&str> for Misfit {
    fn from(message: &str) -> Self {
        message.to_owned().into()
    }
}

impl Misfit {
    /// The same, as seen from further up.
    fn beneath(mut self, segment: Segment) -> Self {
        self.key_path.insert(0, segment);
        self
    }

    /// As what is wrong with the layers of a model.
    pub(crate) fn of_model(self) -> TaskError {
        let Self { message, key_path } = self.beneath(Segment::Key("layers")).beneath(Segment::Key("model"));
        TaskError::Unsuitable { message, key_path }
    }
}

impl Builder {
    /// Begins with examples of this shape. Weights are initialised by `init`, multiplied by `init_scale`.
    pub(crate) fn new(shape: Shape, init: Init, init_scale: f64) -> Self {
        Self { shape, init, init_scale, values: 2.0 * shape.values() as f64, most_at_once: 0.0, dropouts: 0, normalized: None }
    }

    /// What comes out of the last layer.
    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    /// Numbers per example that go into and come out of the layers, with their slopes.
    pub(crate) fn values(&self) -> f64 {
        self.values
    }

    /// Numbers per example that are in memory at once where only the loss is wanted: what goes into a layer, what it works on, and
    /// what comes out.
    pub(crate) fn most_at_once(&self) -> f64 {
        self.most_at_once
    }

    /// The fewest positions of an example over which a batch norm takes its statistics, if there is one.
    pub(crate) fn normalized(&self) -> Option<usize> {
        self.normalized
    }

    /// The planned layers, one after the other.
    ///
    /// # Errors
    /// When a layer cannot take what the one before gives.
    pub(crate) fn chain(&mut self, plans: &[LayerPlan]) -> Result<Chain, Misfit> {
        let mut chain = Chain::default();
        for (place, plan) in plans.iter().enumerate() {
            let from = self.shape;
            let layer = self.layer(plan).map_err(|misfit| Misfit {
                message: format!("layer {} ({}), which gets {from}: {}", place + 1, plan.name(), misfit.message),
                ..misfit.beneath(Segment::Element(place))
            })?;
            if self.shape.values() == 0 {
                let message = format!(
                    "layer {} ({}) has width 0 and passes nothing on: give it at least one unit",
                    place + 1,
                    plan.name()
                );
                return Err(Misfit { message, key_path: vec![Segment::Element(place)] });
            }
            self.values += 2.0 * self.shape.values() as f64;
            let at_once = (from.values() + self.shape.values()) as f64 + layer.scratch();
            self.most_at_once = self.most_at_once.max(at_once);
            chain.push(layer);
        }
        Ok(chain)
    }

    fn layer(&mut self, plan: &LayerPlan) -> Result<Box<dyn Layer>, Misfit> {
        let (positions, width) = self.shape.positions();
        match *plan {
            LayerPlan::Activation { function } => return Ok(Box::new(Activation { kind: function })),
            LayerPlan::Embedding { width } => return self.embedding(width),
            // Token ids are names, not numbers.
            _ if matches!(self.shape, Shape::Tokens { .. }) => {
                return Err("it reads numbers: write an embedding first".into());
            }
            _ => {}
        }
        Ok(match *plan {
            LayerPlan::Linear { units } => {
                self.shape = self.shape.with_width(units);
                Box::new(Affine { positions, inputs: width, outputs: units, init: self.init, init_scale: self.init_scale })
            }
            LayerPlan::GlobalAverage if matches!(self.shape, Shape::Flat(_)) => {
                return Err("there are no positions to average over, as features have no order: leave it out".into());
            }
            LayerPlan::GlobalAverage => {
                self.shape = Shape::Flat(width);
                let whole = [1, positions];
                let window = Window { input: whole, size: whole, stride: [1, 1], padding: [0, 0] };
                Box::new(AveragePool { window, channels: width })
            }
            LayerPlan::BatchNorm => {
                self.normalized = Some(self.normalized.map_or(positions, |fewest| fewest.min(positions)));
                Box::new(BatchNorm { channels: width })
            }
            LayerPlan::LayerNorm => Box::new(LayerNorm { width }),
            LayerPlan::Dropout { share } => {
                self.dropouts += 1;
                Box::new(Dropout { share, number: self.dropouts })
            }
            LayerPlan::Flatten => {
                let turned = matches!(self.shape, Shape::Image { .. }) && width > 1;
                self.shape = Shape::Flat(positions * width);
                if turned { Box::new(Transpose { rows: positions, columns: width }) } else { Box::<Chain>::default() }
            }
            LayerPlan::Residual { ref layers, ref shortcut } => return self.residual(layers, shortcut),
            LayerPlan::Conv { .. } | LayerPlan::Pool { .. } => return self.windowed(plan),
            _ => return self.sequential(plan),
        })
    }

    /// Tokens to vectors.
    fn embedding(&mut self, width: usize) -> Result<Box<dyn Layer>, Misfit> {
        let Shape::Tokens { vocabulary, .. } = self.shape else {
            return Err("only tokens can be embedded: write kind = \"linear\" for numbers".into());
        };
        self.shape = self.shape.with_width(width);
        Ok(Box::new(Embedding { vocabulary, width }))
    }

    /// The layers that slide a window over an image or a sequence.
    fn windowed(&mut self, plan: &LayerPlan) -> Result<Box<dyn Layer>, Misfit> {
        let (_, width) = self.shape.positions();
        match *plan {
            LayerPlan::Conv { channels, kernel, stride, padding, groups, bias } => {
                let window = self.window(kernel, stride, padding)?;
                if groups == 0 || width % groups != 0 || channels % groups != 0 {
                    return Err(format!(
                        "{groups} groups cannot share {width} channels in and {channels} out evenly: \
                         write a `groups` that divides both"
                    )
                    .into());
                }
                self.slide(&window, channels);
                Ok(Box::new(Conv {
                    window,
                    inputs: width,
                    outputs: channels,
                    groups,
                    bias,
                    flat: matches!(self.shape, Shape::Sequence { .. }),
                    init: self.init,
                    init_scale: self.init_scale,
                }))
            }
            LayerPlan::Pool { of, size, stride, padding } => {
                let window = self.window(size, stride, padding)?;
                self.slide(&window, width);
                Ok(match of {
                    Pooling::Max => Box::new(MaxPool { window, channels: width }),
                    Pooling::Average => Box::new(AveragePool { window, channels: width }),
                })
            }
            _ => Err("it has no window".into()),
        }
    }

    /// The layers that read a sequence, and the one that makes an image a sequence.
    fn sequential(&mut self, plan: &LayerPlan) -> Result<Box<dyn Layer>, Misfit> {
        let (length, width) = match (plan, self.shape) {
            (LayerPlan::Rows, Shape::Image { height, width, channels }) => {
                self.shape = Shape::Sequence { length: height, width: width * channels };
                return Ok(Box::<Chain>::default());
            }
            (LayerPlan::Rows, _) => return Err("only an image has rows: leave it out".into()),
            (_, Shape::Sequence { length, width }) => (length, width),
            (_, Shape::Image { .. }) => {
                return Err("it reads a sequence: write \"rows\" before it, which makes an image one".into());
            }
            _ => return Err("it reads a sequence, and these features have no order".into()),
        };
        Ok(match *plan {
            LayerPlan::Attention { heads, .. } if heads == 0 || width % heads != 0 => {
                return Err(
                    format!("{heads} heads cannot share {width} features evenly: write a `heads` that divides them").into()
                );
            }
            LayerPlan::Attention { heads, causal } => {
                Box::new(Attention { length, width, heads, causal, init: self.init, init_scale: self.init_scale })
            }
            LayerPlan::Recurrent { cell, units } => {
                self.shape = Shape::Sequence { length, width: units };
                Box::new(Recurrent { cell, length, inputs: width, units })
            }
            LayerPlan::Last => {
                self.shape = Shape::Flat(width);
                Box::new(Last { length, width })
            }
            // `Positions`, the only one left.
            _ => Box::new(Positions { length, width }),
        })
    }

    fn residual(&mut self, layers: &[LayerPlan], shortcut: &[LayerPlan]) -> Result<Box<dyn Layer>, Misfit> {
        let from = self.shape;
        let body = self.chain(layers).map_err(|misfit| misfit.beneath(Segment::Key("layers")))?;
        let to = std::mem::replace(&mut self.shape, from);
        let shortcut = self.chain(shortcut).map_err(|misfit| misfit.beneath(Segment::Key("shortcut")))?;
        if self.shape != to {
            return Err(format!(
                "its layers give {to}, but what is added to them is {}: write a `shortcut` that gives the same, such as \
                 a conv with the same channels and stride and kernel = 1",
                self.shape
            )
            .into());
        }
        Ok(Box::new(Residual { body, shortcut }))
    }

    /// Windows over the image or sequence that comes in.
    fn window(&self, size: usize, stride: usize, padding: usize) -> Result<Window, Misfit> {
        let window = match self.shape {
            Shape::Image { height, width, .. } => {
                Window { input: [height, width], size: [size; 2], stride: [stride; 2], padding: [padding; 2] }
            }
            Shape::Sequence { length, .. } => {
                Window { input: [1, length], size: [1, size], stride: [1, stride], padding: [0, padding] }
            }
            _ => {
                return Err("it needs an image or a sequence: write shape = [channels, height, width] in [data], \
                            and no \"flatten\" before it"
                    .into());
            }
        };
        if size == 0 || stride == 0 {
            return Err("a window of size 0 or a stride of 0 covers nothing: write at least 1".into());
        }
        match window.output() {
            Some(_) => Ok(window),
            None => Err(format!(
                "a window of {size} is larger than that: write a smaller one, or fewer layers before it that shrink the image"
            )
            .into()),
        }
    }

    /// What comes out of windows with so many channels each.
    fn slide(&mut self, window: &Window, channels: usize) {
        let [height, width] = window.output().unwrap_or_default();
        self.shape = match self.shape {
            Shape::Image { .. } => Shape::Image { height, width, channels },
            _ => Shape::Sequence { length: width, width: channels },
        };
    }
}
