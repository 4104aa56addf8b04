//! NumPy arrays as examples: one array of inputs and one of targets, in a `.npy` file each or together in an `.npz` archive.

mod header;
mod npy;
mod npz;

use std::path::Path;

use super::labels::Labels;
use super::{Dataset, ExampleShape, Inputs, Note, Sample, Table, Targets, check_size, only_value};
use crate::config::TaskKind;
use crate::error::DataError;
use npy::{Array, Place};

/// Whole numbers beyond this are not told apart by double precision.
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;

/// What the arrays mean.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meaning {
    /// Whether a target is a class or a number.
    pub(super) task: TaskKind,
    /// Whether the last axis of images is that of the channels, and not the second.
    pub(super) channels_last: bool,
}

/// Reads inputs and targets from a `.npy` file each.
pub(super) fn read_files(inputs: &Path, targets: &Path, meaning: Meaning, sample: &Sample) -> Result<Table, DataError> {
    let open = |path| Array::open(Place { path, array: None }, crate::source::open(path)?);
    table(open(inputs)?, open(targets)?, meaning, sample)
}

/// Reads inputs and targets, the arrays of these names, from an `.npz` archive.
pub(super) fn read_archive(
    path: &Path,
    inputs: &str,
    targets: &str,
    meaning: Meaning,
    sample: &Sample,
) -> Result<Table, DataError> {
    let archive = npz::Archive::open(path, [inputs, targets])?;
    let open = |name| Array::open(Place { path, array: Some(name) }, archive.member(name)?);
    table(open(inputs)?, open(targets)?, meaning, sample)
}

fn table(inputs: Array<'_>, targets: Array<'_>, meaning: Meaning, sample: &Sample) -> Result<Table, DataError> {
    let [examples, of_one @ ..] = inputs.shape() else {
        return Err(inputs.place().fault("is a single number: it needs an entry for each example along its first axis"));
    };
    let (examples, of_one) = (*examples, of_one.to_vec());
    if examples == 0 || of_one.contains(&0) {
        return Err(inputs.place().fault(format!("is empty ({}): save an array with numbers in it", inputs.shown())));
    }
    if !matches!(targets.shape(), [count] | [count, 1] if *count == examples) {
        return Err(misfit(&inputs, &targets, examples));
    }
    let shape = example_shape(&inputs, &of_one, meaning.channels_last)?;
    let (targets, classes, note) = answers(targets, meaning.task, sample)?;
    let (features, inputs) = numbers(inputs, shape, meaning.channels_last, sample)?;
    let data = Dataset { features, shape, inputs, targets };
    Ok(Table { data, columns: Vec::new(), classes, notes: note.into_iter().collect() })
}

/// Why these targets do not belong to these inputs.
fn misfit(inputs: &Array<'_>, targets: &Array<'_>, examples: usize) -> DataError {
    let advice = match targets.shape() {
        [count, _] if *count == examples => "for one-hot classes save array.argmax(axis=1), for numbers save one column",
        _ => "there must be one for each entry along the first axis of the inputs",
    };
    let (shape, of) = (targets.shown(), inputs.shown());
    targets
        .place()
        .fault(format!("has the shape {shape}, which is not one target for each example of the inputs {of}: {advice}"))
}

/// What an example is whose array has these dimensions.
fn example_shape(inputs: &Array<'_>, of_one: &[usize], channels_last: bool) -> Result<ExampleShape, DataError> {
    let shape = match *of_one {
        [] | [_] => ExampleShape::Flat,
        [height, width] => ExampleShape::Image { channels: 1, height, width },
        [height, width, channels] if channels_last => ExampleShape::Image { channels, height, width },
        [channels, height, width] => ExampleShape::Image { channels, height, width },
        _ => {
            let message = format!(
                "has the shape {}, and examples of so many dimensions are not known: save array.reshape(len(array), -1), \
                 or images as (examples, channels, height, width)",
                inputs.shown()
            );
            return Err(inputs.place().fault(message));
        }
    };
    if channels_last && of_one.len() != 3 {
        let message = format!("has the shape {}, without an axis for channels: remove `channels-last`", inputs.shown());
        return Err(inputs.place().fault(message));
    }
    Ok(shape)
}

/// The inputs, and how many there are of each example. Bytes of images stay bytes, and stand for 0 to 1.
fn numbers(array: Array<'_>, shape: ExampleShape, channels_last: bool, sample: &Sample) -> Result<(usize, Inputs), DataError> {
    let features = array.len() / array.shape()[0];
    let examples = sample.about(array.shape()[0] as u64);
    match shape {
        ExampleShape::Image { channels, .. } if array.is_bytes() => {
            check_size::<u8>(array.place().path, examples, features as u64)?;
            let mut bytes = array.bytes(features, sample)?;
            if channels_last {
                channels_first(&mut bytes, features, channels);
            }
            Ok((features, Inputs::pixels(bytes, channels)))
        }
        _ => {
            check_size::<f32>(array.place().path, examples, features as u64)?;
            let mut numbers = array.numbers(features, sample)?;
            if let (ExampleShape::Image { channels, .. }, true) = (shape, channels_last) {
                channels_first(&mut numbers, features, channels);
            }
            Ok((features, Inputs::Numbers(numbers)))
        }
    }
}

/// Turns examples `[height × width × channels]` into `[channels × height × width]`.
fn channels_first<T: Copy>(all: &mut [T], features: usize, channels: usize) {
    for example in all.chunks_exact_mut(features) {
        let pixels = example.to_vec();
        let planes = (0..channels).flat_map(|channel| pixels[channel..].iter().step_by(channels));
        example.iter_mut().zip(planes).for_each(|(new, &old)| *new = old);
    }
}

/// The targets, the names of the classes, and what is odd about them.
fn answers(array: Array<'_>, task: TaskKind, sample: &Sample) -> Result<(Targets, Vec<String>, Option<Note>), DataError> {
    let place = array.place();
    check_size::<f64>(place.path, sample.about(array.len() as u64), 1)?;
    if task == TaskKind::Regression {
        let values = array.numbers(1, sample)?;
        return match only_value(&values) {
            Some(value) => Err(place.fault(format!("holds {value} for every example, so there is nothing to learn"))),
            None => Ok((Targets::Values(values), Vec::new(), None)),
        };
    }
    let mut labels = Labels::default();
    let mut wrong = None;
    array.each(1, sample, |i, value| {
        if value.fract() == 0.0 && value.abs() <= MOST_EXACT {
            labels.push(&format!("{value}"));
        } else {
            wrong.get_or_insert((i, value));
        }
    })?;
    if let Some((i, value)) = wrong {
        let message = format!(
            "holds {value} for example {i} (counted from 0), which is no class: save whole numbers, \
             or write task = \"regression\""
        );
        return Err(place.fault(message));
    }
    labels.finish("targets").map_err(|message| place.fault(message))
}
