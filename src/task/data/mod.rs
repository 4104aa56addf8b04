//! Data: reads or makes up the examples, splits them, and scales them.
//!
//! [`load`] is all there is to call. It reads files of several kinds, or makes up synthetic problems; whatever is
//! wrong with the data comes back as a [`DataError`] that names the file, the line and the cell, and says what to do.

mod csv;
mod idx;
mod image_folder;
mod inputs;
mod known;
mod labels;
mod numpy;
#[cfg(feature = "parquet")]
mod parquet;
mod prepare;
mod sample;
mod standardize;
mod synthetic;
mod target_column;
mod text;

use std::path::Path;

#[cfg(not(feature = "parquet"))]
use crate::config::{Column, TaskKind};
use crate::config::{DataPlan, PreparePlan, SyntheticPlan};
use crate::error::DataError;
use crate::source::{fault, quoted};

pub use inputs::Inputs;

use sample::Sample;

/// The most memory that examples may take, in bytes. Larger data is refused rather than left to exhaust the machine.
pub const MAX_BYTES: u64 = 8 << 30;

/// Examples in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Numbers that describe one example.
    pub features: usize,
    /// What these numbers are.
    pub shape: ExampleShape,
    /// The inputs, row-major: `[examples × features]`.
    pub inputs: Inputs,
    /// What to predict.
    pub targets: Targets,
}

/// What the numbers of an example are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExampleShape {
    /// Features in no particular order.
    Flat,
    /// The pixels of an image, row-major: `[channels × height × width]`.
    Image {
        /// Grey, or red, green and blue.
        channels: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// The characters of a piece of text, each as its number in the vocabulary. There is a target for each: the next one.
    Tokens {
        /// Characters in a piece.
        context: usize,
        /// How many different ones there are.
        vocabulary: usize,
    },
}

/// What to predict.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// One class per example, or per character of a text.
    Classes {
        /// The classes, in 0..`classes`.
        labels: Vec<u32>,
        /// How many classes there are, in all parts of the data together.
        classes: usize,
    },
    /// One number per example, as it is in the data: targets are never rescaled.
    Values(Vec<f32>),
}

impl Targets {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Classes { labels, .. } => labels.len(),
            Self::Values(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Dataset {
    /// How many examples there are.
    pub fn len(&self) -> usize {
        self.inputs.len().checked_div(self.features).unwrap_or(0)
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

    /// Bytes of memory that the examples take.
    pub fn bytes(&self) -> u64 {
        // Classes and values alike.
        self.inputs.size() + (self.targets.len() * size_of::<f32>()) as u64
    }

    /// The features of example `i`.
    ///
    /// # Panics
    /// When `i` is not below [`len`](Self::len).
    pub fn row(&self, i: usize) -> Vec<f32> {
        let mut row = Vec::with_capacity(self.features);
        self.inputs.append(i, self.features, &mut row);
        row
    }

    /// No examples at all.
    fn empty() -> Self {
        Self { features: 0, shape: ExampleShape::Flat, inputs: Vec::new().into(), targets: Targets::Values(Vec::new()) }
    }
}

/// The examples in their two parts, which share features, classes and scaling.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// What is trained on.
    pub train: Dataset,
    /// What is not; may be empty.
    pub held_out: Dataset,
    /// About how many examples the training part has in all, those that a `share` leaves out included.
    pub train_in_all: usize,
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
        DataPlan::Csv { path, target, task, header, shape, prepare, .. } => {
            prepare::split(shaped(csv::read(path, target, *task, *header, Sample::new(prepare))?, path, *shape)?, path, prepare)
        }
        DataPlan::Parquet { path, target, task, shape, prepare, .. } => {
            prepare::split(shaped(read_parquet(path, target, *task, Sample::new(prepare))?, path, *shape)?, path, prepare)
        }
        DataPlan::Idx { images, labels, prepare, .. } => {
            prepare::split(idx::read(images, labels, &Sample::new(prepare))?, images, prepare)
        }
        DataPlan::Npy { path, targets, task, channels_last, prepare, .. } => {
            let meaning = numpy::Meaning { task: *task, channels_last: *channels_last };
            prepare::split(numpy::read_files(path, targets, meaning, &Sample::new(prepare))?, path, prepare)
        }
        DataPlan::Npz { path, inputs, targets, task, channels_last, prepare, .. } => {
            let meaning = numpy::Meaning { task: *task, channels_last: *channels_last };
            prepare::split(numpy::read_archive(path, inputs, targets, meaning, &Sample::new(prepare))?, path, prepare)
        }
        DataPlan::ImageFolder { path, size, channels, prepare, .. } => {
            prepare::split(image_folder::read(path, *size, *channels, Sample::new(prepare))?, path, prepare)
        }
        DataPlan::Text { path, context, held_out, split_seed, .. } => {
            prepare::split(text::read(path, *context)?, path, &only_split(*held_out, *split_seed))
        }
        DataPlan::Known { set, path, prepare, .. } => {
            let (folder, table) = known::read(*set, path.as_deref(), Sample::new(prepare))?;
            prepare::split(table, &folder, prepare)
        }
        DataPlan::Synthetic { problem, data_seed, held_out } => match synthetic::generate(problem, *data_seed)? {
            Some(table) => {
                let label_noise = match *problem {
                    SyntheticPlan::Spirals { label_noise, .. } => label_noise,
                    SyntheticPlan::TeacherStudent { .. } | SyntheticPlan::Quadratic { .. } => 0.0,
                };
                let plan = PreparePlan { label_noise, ..only_split(*held_out, *data_seed) };
                prepare::split(table, Path::new(synthetic::PLACE), &plan)
            }
            None => Ok(Split { train: Dataset::empty(), held_out: Dataset::empty(), train_in_all: 0, notes: Vec::new() }),
        },
    }
}

#[cfg(feature = "parquet")]
use parquet::read as read_parquet;

/// Says how Parquet files would be read.
#[cfg(not(feature = "parquet"))]
fn read_parquet(path: &Path, _: &Column, _: TaskKind, _: Sample) -> Result<Table, DataError> {
    let message = "this lrfind was built without Parquet: build it with the feature of that name, \
                   `cargo install --locked --path . --features parquet`, or save the table as CSV";
    Err(fault(path, None, message))
}

/// The table, whose rows are images of so many channels, rows and columns where a shape is given.
fn shaped(table: Table, path: &Path, shape: Option<[usize; 3]>) -> Result<Table, DataError> {
    let Some([channels, height, width]) = shape else { return Ok(table) };
    let (features, pixels) = (table.data.features, channels * height * width);
    if features != pixels {
        let message = format!(
            "each row has {features} features, but images of {channels} × {height} × {width} have {pixels}: \
             correct `shape`, or remove it"
        );
        return Err(fault(path, None, message));
    }
    let data = Dataset { shape: ExampleShape::Image { channels, height, width }, ..table.data };
    // Pixels have no names of their own.
    Ok(Table { data, columns: Vec::new(), ..table })
}

/// Nothing but a part held out.
fn only_split(held_out: f64, split_seed: u64) -> PreparePlan {
    PreparePlan { standardize: false, held_out, split_seed, label_noise: 0.0, share: 1.0, augment: None }
}

/// Refuses `examples` of `features`, each held as a `T`, if they would not fit [`MAX_BYTES`].
fn check_size<T>(path: &Path, examples: u64, features: u64) -> Result<(), DataError> {
    // Eight bytes more for the target and the label it is read from.
    let bytes =
        features.checked_mul(size_of::<T>() as u64).and_then(|b| b.checked_add(8)).and_then(|b| b.checked_mul(examples));
    if bytes.is_some_and(|bytes| bytes <= MAX_BYTES) {
        return Ok(());
    }
    let message = format!(
        "{examples} examples of {features} features take more than {} GiB of memory: use some of them at random, \
         with `share` in [data], which finds the same learning rate",
        MAX_BYTES >> 30
    );
    Err(fault(path, None, message))
}

/// An empty list with room for `count` items, as long as the machine has it.
fn room_for<T>(path: &Path, count: usize) -> Result<Vec<T>, DataError> {
    let mut list = Vec::new();
    let message = |_| format!("there is no memory for {count} numbers: use some examples at random, with `share` in [data]");
    list.try_reserve_exact(count).map_err(|e| fault(path, None, message(e)))?;
    Ok(list)
}

/// The value that all of `values` have, if they do.
fn only_value(values: &[f32]) -> Option<f32> {
    let (&first, others) = values.split_first()?;
    others.iter().all(|v| v.to_bits() == first.to_bits()).then_some(first)
}

/// At most ten of `names`, joined by commas.
fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let text = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{text} and {} more", names.len() - SHOWN) } else { text }
}
