//! What the values of an example mean between two layers.

use std::fmt::{self, Display};

use super::data::ExampleShape;

/// The shape of an example's values on their way through a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// So many features in no order.
    Flat(usize),
    /// An image, channels-last: `[height, width, channels]`.
    Image {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// Values of a pixel.
        channels: usize,
    },
    /// Positions one after the other: `[length, width]`.
    Sequence {
        /// Positions.
        length: usize,
        /// Features of each.
        width: usize,
    },
    /// Token ids, one for each position.
    Tokens {
        /// Positions.
        context: usize,
        /// Tokens that there are.
        vocabulary: usize,
    },
}

impl Shape {
    /// The shape of examples with this many features; images must have been turned to channels-last.
    pub(crate) fn of_example(shape: ExampleShape, features: usize) -> Self {
        match shape {
            ExampleShape::Flat => Self::Flat(features),
            ExampleShape::Image { channels, height, width } => Self::Image { height, width, channels },
            ExampleShape::Tokens { context, vocabulary } => Self::Tokens { context, vocabulary },
        }
    }

    /// Values per example.
    pub(crate) fn values(self) -> usize {
        match self {
            Self::Flat(features) => features,
            Self::Image { height, width, channels } => height * width * channels,
            Self::Sequence { length, width } => length * width,
            Self::Tokens { context, .. } => context,
        }
    }

    /// Positions that share the weights of a layer, and the values at each.
    pub(crate) fn positions(self) -> (usize, usize) {
        match self {
            Self::Flat(features) => (1, features),
            Self::Image { height, width, channels } => (height * width, channels),
            Self::Sequence { length, width } => (length, width),
            Self::Tokens { context, .. } => (context, 1),
        }
    }

    /// The same positions with `width` values at each.
    pub(crate) fn with_width(self, width: usize) -> Self {
        match self {
            Self::Flat(_) => Self::Flat(width),
            Self::Image { height, width: across, .. } => Self::Image { height, width: across, channels: width },
            Self::Sequence { length, .. } | Self::Tokens { context: length, .. } => Self::Sequence { length, width },
        }
    }
}

impl Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flat(features) => write!(f, "{features} features"),
            Self::Image { height, width, channels } => write!(f, "an image of {channels} × {height} × {width}"),
            Self::Sequence { length, width } => write!(f, "a sequence of {length} × {width}"),
            Self::Tokens { context, vocabulary } => write!(f, "{context} tokens of {vocabulary}"),
        }
    }
}
