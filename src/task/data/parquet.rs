//! Parquet files: one example per row, features and target in columns. A folder of files is one table in parts.

use std::borrow::Cow;
use std::fs::{File, read_dir};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use ::parquet::basic::{ConvertedType, LogicalType, Type};
use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use ::parquet::data_type::DataType;
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use ::parquet::schema::types::ColumnDescriptor;

use super::target_column::{TargetColumn, find};
use super::{ColumnName, Dataset, ExampleShape, Note, Sample, Table, check_size, fault, quoted, some_of};
use crate::config::{Column, TaskKind};
use crate::error::DataError;
use crate::source::read_error;

/// Values of a column that are decoded at once.
const AT_ONCE: usize = 8192;

/// Endings of the files of a folder that are read, in lower case.
const ENDINGS: [&str; 2] = ["parquet", "parq"];

/// What pandas calls the column in which it keeps the index of a table.
const INDEX: &str = "__index_level_";

/// Reads the table of the file `path`, or of all Parquet files in the folder `path` in the order of their names.
pub(super) fn read(path: &Path, target: &Column, task: TaskKind, mut sample: Sample) -> Result<Table, DataError> {
    let mut rows: Option<Rows> = None;
    for file in parts(path)? {
        // A damaged file may hold what its reader is not prepared for.
        let read = catch_unwind(AssertUnwindSafe(|| read_part(&mut rows, path, &file, (target, task), &mut sample)));
        read.unwrap_or_else(|_| Err(fault(&file, None, DAMAGED)))?;
    }
    match rows {
        Some(rows) if rows.count > 0 => rows.finish(path),
        _ => Err(fault(path, None, "the table holds no rows: it needs one for each example")),
    }
}

const DAMAGED: &str = "the file is damaged: fetch it, or write it, again";

/// The files that a table lies in.
fn parts(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = read_dir(path).map_err(|error| read_error(path, &error))?;
    let mut files = Vec::new();
    for entry in entries {
        let file = entry.map_err(|error| read_error(path, &error))?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let ending = file.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        // What begins so is about the table, and no part of it.
        if ENDINGS.contains(&ending.as_str()) && !name.starts_with(['.', '_']) && !file.is_dir() {
            files.push(file);
        }
    }
    if files.is_empty() {
        return Err(fault(path, None, "there is no `.parquet` file in this folder: name the folder that holds the parts"));
    }
    files.sort();
    Ok(files)
}

/// The rows read so far.
struct Rows {
    /// The names of all columns, the target among them.
    names: Vec<String>,
    target: usize,
    /// The file that they were first seen in.
    first: PathBuf,
    count: u64,
    inputs: Vec<f32>,
    targets: TargetColumn,
    notes: Vec<Note>,
}

/// Adds the rows of `file` to those read so far.
fn read_part(
    rows: &mut Option<Rows>,
    path: &Path,
    file: &Path,
    (target, task): (&Column, TaskKind),
    sample: &mut Sample,
) -> Result<(), DataError> {
    let opened = File::open(file).map_err(|error| read_error(file, &error))?;
    let reader = SerializedFileReader::new(opened).map_err(|error| unreadable(file, &error))?;
    let columns = columns_of(&reader);
    if rows.is_none() {
        *rows = Some(Rows::new(file, &reader, &columns, target, task)?);
    }
    let Some(rows) = rows else { return Ok(()) };
    rows.expect_the_same(file, &columns)?;
    for group in 0..reader.num_row_groups() {
        let in_group = reader.get_row_group(group).map_err(|error| unreadable(file, &error))?;
        let place = |column: &str, fault: Fault| fault.placed(file, column, group);
        rows.add(path, &columns, in_group.as_ref(), sample, place)?;
    }
    Ok(())
}

/// The columns of a file by their places in it, but for the index of pandas.
fn columns_of(reader: &SerializedFileReader<File>) -> Vec<(usize, &ColumnDescriptor)> {
    let all = reader.metadata().file_metadata().schema_descr().columns();
    all.iter().map(AsRef::as_ref).enumerate().filter(|(_, column)| !column.name().starts_with(INDEX)).collect()
}

/// The name of a column, with those of the records that it lies in.
fn name_of(column: &ColumnDescriptor) -> String {
    column.path().string()
}

impl Rows {
    fn new(
        file: &Path,
        reader: &SerializedFileReader<File>,
        columns: &[(usize, &ColumnDescriptor)],
        target: &Column,
        task: TaskKind,
    ) -> Result<Self, DataError> {
        let names: Vec<String> = columns.iter().map(|(_, column)| name_of(column)).collect();
        if names.len() < 2 {
            let found = some_of(&names.iter().map(|name| quoted(name)).collect::<Vec<_>>());
            let message = format!("there must be a target and at least one feature, and the columns are only: {found}");
            return Err(fault(file, None, message));
        }
        let found = find(target, &names.iter().map(String::as_str).collect::<Vec<_>>());
        let target = found.map_err(|message| fault(file, None, message))?;
        let left_out = reader.metadata().file_metadata().schema_descr().num_columns() - names.len();
        let note = (left_out > 0).then(|| Note {
            code: "index-left-out",
            message: "the index that pandas wrote beside the columns is left out".to_owned(),
            hint: "write the table with index=False, or reset_index() to make it a column".to_owned(),
        });
        let notes = note.into_iter().collect();
        let first = file.to_owned();
        Ok(Self { names, target, first, count: 0, inputs: Vec::new(), targets: TargetColumn::new(task), notes })
    }

    /// Whether another part has the same columns.
    fn expect_the_same(&self, file: &Path, columns: &[(usize, &ColumnDescriptor)]) -> Result<(), DataError> {
        let names: Vec<String> = columns.iter().map(|(_, column)| name_of(column)).collect();
        if names == self.names {
            return Ok(());
        }
        let shown = |names: &[String]| some_of(&names.iter().map(|name| quoted(name)).collect::<Vec<_>>());
        let message = format!(
            "the columns are {}, but those of {} are {}: write all parts with the same columns",
            shown(&names),
            self.first.display(),
            shown(&self.names)
        );
        Err(fault(file, None, message))
    }

    /// Adds a row group. `place` makes an error of what is wrong with a column of it.
    fn add(
        &mut self,
        path: &Path,
        columns: &[(usize, &ColumnDescriptor)],
        group: &dyn RowGroupReader,
        sample: &mut Sample,
        place: impl Fn(&str, Fault) -> DataError,
    ) -> Result<(), DataError> {
        let count = u64::try_from(group.metadata().num_rows()).unwrap_or(0);
        self.count = self.count.saturating_add(sample.about(count));
        check_size::<f32>(path, self.count, columns.len() as u64 - 1)?;
        // Column by column, and turned into rows only when all have proved to be as long as they claim.
        let mut features = Vec::new();
        for (i, &(index, column)) in columns.iter().enumerate() {
            let misplaced = |fault| place(&self.names[i], fault);
            let signed = signed(column, i == self.target).map_err(|message| misplaced(Fault::Column(message)))?;
            let reader = group.get_column_reader(index).map_err(|error| misplaced(Fault::Reader(error)))?;
            let shape = Shape { rows: count as usize, full: column.max_def_level(), signed };
            let read = match &mut self.targets {
                _ if i != self.target => {
                    let mut numbers = Vec::new();
                    let read = cells(reader, shape, sample, &mut |cell| cell.number().map(|number| numbers.push(number)));
                    features.push(numbers);
                    read
                }
                TargetColumn::Classes(labels) => {
                    cells(reader, shape, sample, &mut |cell| cell.label().map(|label| labels.push(&label)))
                }
                TargetColumn::Values(values) => {
                    cells(reader, shape, sample, &mut |cell| cell.number().map(|number| values.push(number)))
                }
            };
            read.map_err(misplaced)?;
        }
        let rows = (0..count).filter(|_| sample.takes_next()).count();
        self.inputs.reserve(features.len() * rows);
        for row in 0..rows {
            self.inputs.extend(features.iter().map(|feature| feature[row]));
        }
        Ok(())
    }

    fn finish(self, path: &Path) -> Result<Table, DataError> {
        let Self { mut names, target, inputs, targets, mut notes, .. } = self;
        let name = quoted(&names.remove(target));
        let (targets, classes, note) =
            targets.finish().map_err(|message| fault(path, None, format!("column {name}: {message}")))?;
        notes.extend(note);
        let data = Dataset { features: names.len(), shape: ExampleShape::Flat, inputs: inputs.into(), targets };
        let columns = names.iter().map(|name| ColumnName::Header(quoted(name))).collect();
        Ok(Table { data, columns, classes, notes })
    }
}

/// What is wrong with a column of a row group.
enum Fault {
    /// All of it.
    Column(String),
    /// One of its rows, counted from 0.
    Row(usize, String),
    /// It cannot be decoded.
    Reader(ParquetError),
    /// It has fewer rows than the row group.
    Short,
}

impl Fault {
    /// The error of this column of a row group of `file`.
    fn placed(self, file: &Path, column: &str, group: usize) -> DataError {
        let column = quoted(column);
        match self {
            Self::Column(message) => fault(file, None, format!("column {column}: {message}")),
            Self::Row(row, message) => {
                let place = format!("column {column}, row group {group}, row {row} of it (both counted from 0)");
                fault(file, None, format!("{place}: {message}"))
            }
            Self::Reader(error) => unreadable(file, &error),
            Self::Short => fault(file, None, DAMAGED),
        }
    }
}

/// What the reader says, in words that tell what to do.
fn unreadable(file: &Path, error: &ParquetError) -> DataError {
    let text = error.to_string();
    let advice = if text.contains("Disabled feature") {
        "write it again, compressed by snappy, zstd, gzip or lz4, or not at all"
    } else {
        "check that it is a Parquet file, and whole"
    };
    fault(file, None, format!("cannot be read as Parquet: {text}: {advice}"))
}

/// Whether the whole numbers of a column have a sign, where it holds any. Text can only be a target.
///
/// # Errors
/// When it holds what is neither a number nor a class: the message.
fn signed(column: &ColumnDescriptor, is_target: bool) -> Result<bool, String> {
    let refused = |holds: &str, advice: &str| Err(format!("it holds {holds}: {advice}, or remove it"));
    if column.max_rep_level() > 0 || column.path().parts().len() > 1 {
        return refused("lists or records", "spread them over columns of their own");
    }
    let signed = match (column.logical_type_ref(), column.converted_type()) {
        (Some(LogicalType::Integer(integer)), _) => integer.is_signed,
        (None, ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64) => false,
        (Some(LogicalType::Decimal(_)), _) | (None, ConvertedType::DECIMAL) => {
            return refused("decimals", "cast it to a float");
        }
        (Some(LogicalType::Date | LogicalType::Time(_) | LogicalType::Timestamp(_)), _)
        | (
            None,
            ConvertedType::DATE
            | ConvertedType::TIME_MILLIS
            | ConvertedType::TIME_MICROS
            | ConvertedType::TIMESTAMP_MILLIS
            | ConvertedType::TIMESTAMP_MICROS,
        ) => return refused("times", TIMES),
        _ => true,
    };
    match column.physical_type() {
        Type::INT96 => refused("times", TIMES),
        Type::FIXED_LEN_BYTE_ARRAY => refused("bytes or half-precision numbers", "cast it to a float"),
        Type::BYTE_ARRAY if !is_target => refused("text", "encode it as numbers"),
        _ => Ok(signed),
    }
}

const TIMES: &str = "turn them into numbers";

/// What there is to know of a column of a row group before it is read.
#[derive(Clone, Copy)]
struct Shape {
    rows: usize,
    /// The definition level of a row that has a value.
    full: i16,
    signed: bool,
}

/// A value of a column.
enum Cell<'a> {
    Flag(bool),
    Whole(i128),
    Number(f64),
    Text(&'a [u8]),
}

impl Cell<'_> {
    fn number(&self) -> Result<f32, String> {
        let value = match *self {
            Self::Flag(flag) => f64::from(u8::from(flag)),
            Self::Whole(whole) => whole as f64,
            Self::Number(number) => number,
            Self::Text(_) => return Err("it holds text: encode it as numbers, or choose another `target`".to_owned()),
        };
        if (value as f32).is_finite() {
            Ok(value as f32)
        } else if value.is_finite() {
            Err(format!("{value} is too large for single precision: rescale the column"))
        } else {
            Err(format!("{value} is not a finite number: fill in a value or drop the row"))
        }
    }

    fn label(&self) -> Result<Cow<'_, str>, String> {
        match self {
            Self::Flag(flag) => Ok(flag.to_string().into()),
            Self::Whole(whole) => Ok(whole.to_string().into()),
            Self::Number(number) if number.is_finite() => Ok(number.to_string().into()),
            Self::Number(number) => Err(format!("{number} is no class label: fill it in or drop the row")),
            Self::Text(text) => match std::str::from_utf8(text) {
                Ok(text) if text.trim().is_empty() => Err("the class label is empty: fill it in or drop the row".to_owned()),
                Ok(text) => Ok(text.trim().into()),
                Err(_) => Err("the class label is not UTF-8 text: encode it as text or as a number".to_owned()),
            },
        }
    }
}

/// Hands the values of a column to `take`, in order, of the rows in the sample.
fn cells(
    reader: ColumnReader,
    shape: Shape,
    sample: &Sample,
    take: &mut dyn FnMut(Cell<'_>) -> Result<(), String>,
) -> Result<(), Fault> {
    match reader {
        ColumnReader::BoolColumnReader(reader) => each(reader, shape, sample, |value| take(Cell::Flag(*value))),
        ColumnReader::Int32ColumnReader(reader) => each(reader, shape, sample, |value| {
            take(Cell::Whole(if shape.signed { i128::from(*value) } else { i128::from(value.cast_unsigned()) }))
        }),
        ColumnReader::Int64ColumnReader(reader) => each(reader, shape, sample, |value| {
            take(Cell::Whole(if shape.signed { i128::from(*value) } else { i128::from(value.cast_unsigned()) }))
        }),
        ColumnReader::FloatColumnReader(reader) => each(reader, shape, sample, |value| take(Cell::Number(f64::from(*value)))),
        ColumnReader::DoubleColumnReader(reader) => each(reader, shape, sample, |value| take(Cell::Number(*value))),
        ColumnReader::ByteArrayColumnReader(reader) => each(reader, shape, sample, |value| take(Cell::Text(value.data()))),
        ColumnReader::Int96ColumnReader(_) | ColumnReader::FixedLenByteArrayColumnReader(_) => Err(Fault::Short),
    }
}

fn each<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    shape: Shape,
    sample: &Sample,
    mut take: impl FnMut(&T::T) -> Result<(), String>,
) -> Result<(), Fault> {
    let mut sample = sample.clone();
    let (mut row, mut values, mut levels) = (0, Vec::new(), Vec::new());
    while row < shape.rows {
        values.clear();
        levels.clear();
        let wanted = AT_ONCE.min(shape.rows - row);
        let (records, ..) = reader.read_records(wanted, Some(&mut levels), None, &mut values).map_err(Fault::Reader)?;
        if records == 0 {
            return Err(Fault::Short);
        }
        if values.len() < records {
            let missing = levels.iter().position(|level| *level < shape.full).unwrap_or(0);
            return Err(Fault::Row(row + missing, "there is no value (null): fill one in or drop the row".to_owned()));
        }
        for (i, value) in values.iter().enumerate().filter(|_| sample.takes_next()) {
            take(value).map_err(|message| Fault::Row(row + i, message))?;
        }
        row += records;
    }
    Ok(())
}
