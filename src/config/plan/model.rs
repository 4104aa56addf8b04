//! The model of a plan: an architecture by name, or a list of layers.

use std::path::PathBuf;

use serde::Serialize;

/// The model.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ModelPlan {
    /// One affine layer: linear regression, or logistic (softmax) regression on classes.
    Linear {
        /// Initial weights.
        init: Init,
    },
    /// Affine layers with an activation between them.
    Mlp {
        /// Units in each hidden layer.
        hidden: Vec<usize>,
        /// Activation of the hidden layers.
        activation: Activation,
        /// Initial weights.
        init: Init,
        /// Multiplies all initial weights.
        init_scale: f64,
    },
    /// Stages of convolutions, each ended by a pooling, then affine layers (`LeNet`, VGG).
    Cnn {
        /// Channels of each stage.
        channels: Vec<usize>,
        /// Convolutions in a stage.
        convolutions: usize,
        /// Height and width of the kernels.
        kernel: usize,
        /// Height and width of the max pooling; 1 for none.
        pool: usize,
        /// Units in each affine layer before the outputs.
        hidden: Vec<usize>,
        /// Whether a batch norm follows each convolution.
        batch_norm: bool,
        /// Share of the values dropped before each affine layer.
        dropout: f64,
        /// After each convolution and affine layer.
        activation: Activation,
        /// Initial weights.
        init: Init,
        /// Multiplies all initial weights.
        init_scale: f64,
    },
    /// A residual network for small images (He et al. 2016, §4.2): three stages of `blocks` blocks of two 3 × 3 convolutions
    /// with batch norm, each stage with twice the channels and half the size of the one before.
    Resnet {
        /// Blocks in each stage; 6 · blocks + 2 layers in all.
        blocks: usize,
        /// Channels of the first stage.
        width: usize,
        /// Initial weights.
        init: Init,
        /// Multiplies all initial weights.
        init_scale: f64,
    },
    /// Recurrent layers over the rows of an image, or over tokens.
    Rnn {
        /// What remembers.
        cell: Cell,
        /// Units of each layer; on tokens also the length of their vectors.
        width: usize,
        /// Layers.
        depth: usize,
        /// Share of the values dropped after each layer.
        dropout: f64,
    },
    /// Pre-norm blocks of self-attention and two affine layers: an encoder over the rows of an image, or a decoder over tokens.
    Transformer {
        /// Features of each position.
        width: usize,
        /// Blocks.
        depth: usize,
        /// Heads of the attention.
        heads: usize,
        /// Share of the values dropped after attention and affine layers.
        dropout: f64,
        /// Between the two affine layers of a block.
        activation: Activation,
        /// Initial weights.
        init: Init,
        /// Multiplies all initial weights but the embeddings.
        init_scale: f64,
    },
    /// Affine layers down to a code and, mirrored, up again to the inputs, which are also the targets.
    Autoencoder {
        /// Units of each layer down to the code.
        hidden: Vec<usize>,
        /// Between the layers.
        activation: Activation,
        /// Initial weights.
        init: Init,
        /// Multiplies all initial weights.
        init_scale: f64,
    },
    /// Any layers, followed by an affine one to the outputs.
    Layers {
        /// The layers in order.
        layers: Vec<LayerPlan>,
        /// Initial weights.
        init: Init,
        /// Multiplies all initial weights but the embeddings.
        init_scale: f64,
    },
    /// The parameters of a synthetic quadratic.
    Quadratic,
}

/// One layer of a network.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LayerPlan {
    /// An affine map; of each position of an image or a sequence.
    Linear {
        /// Outputs.
        units: usize,
    },
    /// An elementwise nonlinearity.
    Activation {
        /// Which.
        function: Activation,
    },
    /// A convolution of an image, or of a sequence along its positions.
    Conv {
        /// Channels out.
        channels: usize,
        /// Height and width of the kernel; its length on a sequence.
        kernel: usize,
        /// From one window to the next.
        stride: usize,
        /// Zeros added on every side.
        padding: usize,
        /// Groups of channels that know nothing of each other.
        groups: usize,
        /// Whether there is a bias.
        bias: bool,
    },
    /// Pooling of an image, or of a sequence along its positions.
    Pool {
        /// What is kept of a window.
        of: Pooling,
        /// Height and width of a window; its length on a sequence.
        size: usize,
        /// From one window to the next.
        stride: usize,
        /// Positions added on every side.
        padding: usize,
    },
    /// The mean over all positions.
    GlobalAverage,
    /// Each channel normalised over the batch and all positions.
    BatchNorm,
    /// Each position normalised over its features.
    LayerNorm,
    /// In training, a share of the values set to 0.
    Dropout {
        /// The share.
        share: f64,
    },
    /// Features in no order, channel by channel.
    Flatten,
    /// An image as the sequence of its rows.
    Rows,
    /// Token ids to vectors.
    Embedding {
        /// Their length.
        width: usize,
    },
    /// Adds a learnt vector to each position.
    Positions,
    /// Multi-head self-attention.
    Attention {
        /// Heads.
        heads: usize,
        /// Whether a position sees itself and earlier ones only.
        causal: bool,
    },
    /// A recurrent layer; gives what it remembers at every position.
    Recurrent {
        /// What remembers.
        cell: Cell,
        /// Numbers remembered.
        units: usize,
    },
    /// The last position of a sequence.
    Last,
    /// `layers`(x) + `shortcut`(x).
    Residual {
        /// What is learnt.
        layers: Vec<LayerPlan>,
        /// Empty where x itself is added.
        shortcut: Vec<LayerPlan>,
    },
}

/// What a pooling keeps of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// The largest value.
    Max,
    /// The mean.
    Average,
}

/// Recurrent cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's own")]
pub enum Cell {
    Lstm,
    Gru,
}

/// A safetensors file of weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WeightsFile {
    /// Resolved against the config file's folder. Not in the report: it differs between machines.
    #[serde(skip)]
    pub path: PathBuf,
    /// The path as written.
    pub source: String,
}

/// Activation functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's own")]
pub enum Activation {
    Relu,
    Tanh,
    Gelu,
    Silu,
}

/// Initial weights of an affine layer with `fan_in` inputs and `fan_out` outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    /// N(0, 2 / `fan_in`), biases 0 (He et al. 2015).
    He,
    /// N(0, 2 / (`fan_in` + `fan_out`)), biases 0 (Glorot & Bengio 2010).
    Xavier,
    /// U(−b, b) with b = 1/√`fan_in`, for weights and biases: what `torch.nn.Linear` does.
    Pytorch,
    /// All weights and biases 0. For linear models only.
    Zeros,
}
