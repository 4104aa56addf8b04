//! What to train on.

use std::path::PathBuf;

use serde::Serialize;

/// Where the examples come from. Resolved paths are not part of the report, as they differ between machines; the paths as
/// written (`source`) are.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DataPlan {
    /// A CSV file, plain or `.gz`.
    Csv {
        /// Resolved against the config file's folder.
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
        /// What happens to the examples.
        #[serde(flatten)]
        prepare: PreparePlan,
    },
    /// A Parquet file, or a folder of them, one table in parts.
    Parquet {
        /// Resolved file or folder.
        #[serde(skip)]
        path: PathBuf,
        /// Its path as written.
        source: String,
        /// The column to predict.
        target: Column,
        /// Classes or a number.
        task: TaskKind,
        /// Channels, height and width, where a row is an image, channel by channel and row by row.
        #[serde(skip_serializing_if = "Option::is_none")]
        shape: Option<[usize; 3]>,
        /// What happens to the examples.
        #[serde(flatten)]
        prepare: PreparePlan,
    },
    /// A pair of MNIST-style IDX files, plain or `.gz`. Pixels are scaled to [0, 1].
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
        /// What happens to the examples.
        #[serde(flatten)]
        prepare: PreparePlan,
    },
    /// NumPy arrays of inputs and targets, a `.npy` file each.
    Npy {
        /// Resolved file of the inputs.
        #[serde(skip)]
        path: PathBuf,
        /// Its path as written.
        source: String,
        /// Resolved file of the targets.
        #[serde(skip)]
        targets: PathBuf,
        /// Its path as written.
        targets_source: String,
        /// Classes or a number.
        task: TaskKind,
        /// Whether the last axis of images is that of the channels, and not the second.
        channels_last: bool,
        /// What happens to the examples.
        #[serde(flatten)]
        prepare: PreparePlan,
    },
    /// NumPy arrays of inputs and targets in one `.npz` archive.
    Npz {
        /// Resolved archive.
        #[serde(skip)]
        path: PathBuf,
        /// Its path as written.
        source: String,
        /// Name of the array of inputs.
        inputs: String,
        /// Name of the array of targets.
        targets: String,
        /// Classes or a number.
        task: TaskKind,
        /// Whether the last axis of images is that of the channels, and not the second.
        channels_last: bool,
        /// What happens to the examples.
        #[serde(flatten)]
        prepare: PreparePlan,
    },
    /// A folder with a sub-folder of PNG and JPEG images for each class.
    ImageFolder {
        /// Resolved folder.
        #[serde(skip)]
        path: PathBuf,
        /// Its path as written.
        source: String,
        /// Height and width that images are resized to.
        size: [usize; 2],
        /// 1 for grey, 3 for colour.
        channels: usize,
        /// What happens to the examples.
        #[serde(flatten)]
        prepare: PreparePlan,
    },
    /// A plain text: each character is told from those before it in its piece.
    Text {
        /// Resolved file.
        #[serde(skip)]
        path: PathBuf,
        /// Its path as written.
        source: String,
        /// Characters in a piece.
        context: usize,
        /// Share of the pieces held out, in [0, 1).
        held_out: f64,
        /// Seed of the split.
        split_seed: u64,
    },
    /// The training part of a data set known by name.
    Known {
        /// Which.
        set: KnownSet,
        /// Resolved folder of its files; `None` for where data sets are kept.
        #[serde(skip)]
        path: Option<PathBuf>,
        /// The folder as written.
        source: Option<String>,
        /// What happens to the examples.
        #[serde(flatten)]
        prepare: PreparePlan,
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

/// What happens to examples after they were read, in this order: a part is held out, features are scaled, labels are spoilt, and
/// images are changed at random as they are trained on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PreparePlan {
    /// Shift and scale each feature, or each channel of images, to mean 0 and standard deviation 1 on the training part.
    pub standardize: bool,
    /// Share of the examples held out, in [0, 1).
    pub held_out: f64,
    /// Share of the examples that are used at all, in (0, 1]; the others are not kept in memory.
    pub share: f64,
    /// Seed of that share, of the split and of the label noise.
    pub split_seed: u64,
    /// Share of the training labels replaced by a class drawn at random, in [0, 1]; 0 for a target that is a number.
    pub label_noise: f64,
    /// How images are changed at random before they are trained on; `None` to leave them as they are.
    pub augment: Option<AugmentPlan>,
}

/// Random changes to images, drawn anew each time that one is trained on. They follow from a trial's seed, whatever its rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AugmentPlan {
    /// Flip half of the images from left to right.
    pub flip: bool,
    /// Shift each image by up to so many pixels in both directions, with zeros where nothing is left; 0 for no shift.
    pub crop: usize,
}

/// A data set known by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KnownSet {
    /// Handwritten digits (LeCun et al. 1998).
    Mnist,
    /// Articles of clothing (Xiao et al. 2017).
    FashionMnist,
    /// Small photographs of ten kinds of things (Krizhevsky 2009).
    #[serde(rename = "cifar10")]
    Cifar10,
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
        /// Share of the training labels replaced by a class drawn at random, in [0, 1].
        label_noise: f64,
    },
    /// No data: minimise ½ Σ λᵢ (θᵢ − cᵢ)², cᵢ drawn anew at every step with standard deviation `noise`.
    Quadratic {
        /// The curvatures λᵢ, all positive. Its threshold for SGD is 2 / max λ.
        curvatures: Vec<f64>,
        /// Standard deviation of the minimum's jitter.
        noise: f64,
    },
}
