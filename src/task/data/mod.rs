//! Data: reads or makes up the examples, splits them, and scales them.
//!
//! [`load`] is all there is to call. It reads CSV and IDX files, plain or gzipped, and makes up synthetic problems; whatever is
//! wrong with the data comes back as a [`DataError`] that names the file, the line and the cell, and says what to do.

mod csv;
mod idx;
mod labels;
mod prepare;
mod source;
mod synthetic;

use std::path::Path;

use crate::config::DataPlan;
use crate::error::DataError;

/// The most memory that examples may take, in bytes. Larger data is refused rather than left to exhaust the machine.
pub const MAX_BYTES: u64 = 8 << 30;

/// Examples in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Input features of one example.
    pub features: usize,
    /// What they mean.
    pub shape: ExampleShape,
    /// The inputs, row-major: `[examples × features]`.
    pub inputs: Vec<f32>,
    /// What to predict, one per example.
    pub targets: Targets,
}

/// What the features of an example mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExampleShape {
    /// Numbers in no order.
    Flat,
    /// An image, channel by channel and row by row: `[channels, height, width]`.
    Image {
        /// Values of a pixel.
        channels: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// Token ids, one after the other. There is a target for each: the next one.
    Tokens {
        /// Tokens in an example.
        context: usize,
        /// Tokens that there are; ids count from 0.
        vocabulary: usize,
    },
}

/// What to predict.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// One class per example.
    Classes {
        /// The class of each example, in 0..`classes`.
        labels: Vec<usize>,
        /// How many classes there are, in all parts of the data together.
        classes: usize,
    },
    /// One number per example, as it is in the data: targets are never rescaled.
    Values(Vec<f32>),
}

impl Dataset {
    /// How many examples there are.
    pub fn len(&self) -> usize {
        match &self.targets {
            Targets::Classes { labels, .. } => labels.len(),
            Targets::Values(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Outputs that a model of this data needs: one per class, or 1.
    pub fn outputs(&self) -> usize {
        match self.targets {
            Targets::Classes { classes, .. } => classes,
            Targets::Values(_) => 1,
        }
    }

    /// The features of example `i`.
    ///
    /// # Panics
    /// When `i` is not below [`len`](Self::len).
    pub fn row(&self, i: usize) -> &[f32] {
        &self.inputs[i * self.features..(i + 1) * self.features]
    }

    /// No examples at all.
    fn empty() -> Self {
        Self { features: 0, shape: ExampleShape::Flat, inputs: Vec::new(), targets: Targets::Values(Vec::new()) }
    }
}

/// The examples in their two parts, which share features, classes and scaling.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// What is trained on.
    pub train: Dataset,
    /// What is not; may be empty.
    pub held_out: Dataset,
    /// What the user should know of the data.
    pub notes: Vec<Note>,
}

/// Something odd about data that can nonetheless be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Stable identifier, kebab-case.
    pub code: &'static str,
    /// What was seen.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// Everything a reader knows: the examples, and the names that messages need.
struct Table {
    data: Dataset,
    /// What each feature is called; empty where features have no names (pixels).
    columns: Vec<ColumnName>,
    /// The name of each class.
    classes: Vec<String>,
    notes: Vec<Note>,
}

/// What messages call a column.
#[derive(Debug, Clone, PartialEq, Eq)]
enum ColumnName {
    /// Its name in the header, in quotes.
    Header(String),
    /// Its position, where there is no header.
    Position(usize),
}

impl std::fmt::Display for ColumnName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Header(name) => f.write_str(name),
            Self::Position(i) => write!(f, "{i} (counted from 0)"),
        }
    }
}

/// Several columns of one file: `columns "a", "b"`, `columns 0, 24, counted from 0`.
fn list_of(columns: &[ColumnName]) -> String {
    let names: Vec<String> = columns
        .iter()
        .map(|column| match column {
            ColumnName::Header(name) => name.clone(),
            ColumnName::Position(i) => i.to_string(),
        })
        .collect();
    let noun = if names.len() == 1 { "column" } else { "columns" };
    let counted = if matches!(columns, [ColumnName::Position(_), ..]) { ", counted from 0" } else { "" };
    format!("{noun} {}{counted}", some_of(&names))
}

/// Reads or makes up the data that `plan` describes, splits it, and scales it if the plan says so.
///
/// The result depends on the plan and the files alone. The quadratic problem has no data: its parts are empty.
///
/// # Errors
/// When a file cannot be read, or the data cannot be trained on: see the message.
pub fn load(plan: &DataPlan) -> Result<Split, DataError> {
    match plan {
        DataPlan::Csv { path, target, task, header, shape, standardize, held_out, split_seed, .. } => {
            let mut table = csv::read(path, target, *task, *header)?;
            if let Some(shape) = shape {
                table = as_images(table, path, *shape)?;
            }
            prepare::split(table, path, *held_out, *split_seed, *standardize)
        }
        DataPlan::Idx { images, labels, standardize, held_out, split_seed, .. } => {
            let table = idx::read(images, labels)?;
            prepare::split(table, images, *held_out, *split_seed, *standardize)
        }
        DataPlan::Synthetic { problem, data_seed, held_out } => match synthetic::generate(problem, *data_seed)? {
            Some(table) => prepare::split(table, Path::new(synthetic::PLACE), *held_out, *data_seed, false),
            None => Ok(Split { train: Dataset::empty(), held_out: Dataset::empty(), notes: Vec::new() }),
        },
    }
}

/// A table whose rows are images of so many channels, rows and columns.
fn as_images(table: Table, path: &Path, [channels, height, width]: [usize; 3]) -> Result<Table, DataError> {
    let (features, pixels) = (table.data.features, channels * height * width);
    if features != pixels {
        let message = format!(
            "each row has {features} features, but images of {channels} × {height} × {width} have {pixels}:              correct `shape`, or remove it"
        );
        return Err(fault(path, None, message));
    }
    let data = Dataset { shape: ExampleShape::Image { channels, height, width }, ..table.data };
    // Pixels have no names of their own.
    Ok(Table { data, columns: Vec::new(), ..table })
}

/// A fault of the data in `path`.
fn fault(path: &Path, line: impl Into<Option<u64>>, message: impl Into<String>) -> DataError {
    DataError { path: path.to_owned(), line: line.into(), message: message.into() }
}

/// Refuses `examples` of `features` if they would not fit [`MAX_BYTES`].
fn check_size(path: &Path, examples: u64, features: u64) -> Result<(), DataError> {
    // Four bytes for each feature, eight for the target.
    let bytes = features.checked_mul(4).and_then(|b| b.checked_add(8)).and_then(|b| b.checked_mul(examples));
    if bytes.is_some_and(|bytes| bytes <= MAX_BYTES) {
        return Ok(());
    }
    let message = format!(
        "{examples} examples of {features} features take more than {} GiB of memory: use a random subset, \
         which finds the same learning rate",
        MAX_BYTES >> 30
    );
    Err(fault(path, None, message))
}

/// At most ten of `names`, joined by commas.
fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let text = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{text} and {} more", names.len() - SHOWN) } else { text }
}

/// `text` in quotes, cut to a length that fits a message.
fn quoted(text: &str) -> String {
    const SHOWN: usize = 40;
    match text.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{:?}…", &text[..cut]),
        None => format!("{text:?}"),
    }
}
