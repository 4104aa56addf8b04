//! Between reader and trainer: holds examples out, scales features, and looks for oddities.

use std::path::Path;

use super::{ColumnName, Dataset, Note, Split, Table, Targets, check_size, fault, list_of, some_of};
use crate::error::DataError;
use crate::task::random::{Purpose, shuffled, stream};

/// Targets whose standard deviation lies outside these bounds make squared losses, and so learning rates, hard to compare.
const TARGET_SPREAD: (f64, f64) = (1e-3, 1e3);

/// Holds a share of the examples out, drawn from `seed`, and scales the features if `standardize` by the mean and standard
/// deviation of the training part. Examples keep their order within each part.
///
/// # Errors
/// When fewer than two examples are left to train on.
pub(super) fn split(table: Table, path: &Path, held_out: f64, seed: u64, standardize: bool) -> Result<Split, DataError> {
    let Table { data, columns, classes, mut notes } = table;
    let examples = data.len();
    check_size(path, examples as u64, data.features as u64)?;
    if examples < 2 {
        return Err(fault(path, None, format!("there are {examples} examples, but training needs at least 2")));
    }
    let held = (examples as f64 * held_out.clamp(0.0, 1.0)).round() as usize;
    if examples - held < 2 {
        let message = format!("held-out = {held_out} leaves {} of {examples} examples to train on: lower it", examples - held);
        return Err(fault(path, None, message));
    }
    if held == 0 && held_out > 0.0 {
        notes.push(Note {
            code: "nothing-held-out",
            message: format!("held-out = {held_out} of {examples} examples rounds to none"),
            hint: "raise `held-out`, or write 0".to_owned(),
        });
    }
    let (mut train, mut held_out) = part(data, &marks(examples, held, seed));
    if standardize {
        notes.extend(scale(&mut train, &mut held_out, &columns));
    }
    notes.extend(missing_classes(&train, &classes));
    notes.extend(odd_spread(&train));
    Ok(Split { train, held_out, notes })
}

/// Which examples are held out: `held` of them.
fn marks(examples: usize, held: usize, seed: u64) -> Vec<bool> {
    let mut marks = vec![false; examples];
    if held > 0 {
        let order = shuffled(examples, &mut stream(seed, Purpose::Split, 0));
        for &i in &order[..held] {
            marks[i as usize] = true;
        }
    }
    marks
}

/// Parts `data` into the unmarked and the marked examples. Works in place, so that no second copy of the data is made.
fn part(mut data: Dataset, marked: &[bool]) -> (Dataset, Dataset) {
    let (width, shape) = (data.features, data.shape);
    let mut held_inputs = Vec::new();
    let mut kept = 0;
    for (i, &held) in marked.iter().enumerate() {
        let row = i * width..(i + 1) * width;
        if held {
            held_inputs.extend_from_slice(&data.inputs[row]);
        } else {
            data.inputs.copy_within(row, kept * width);
            kept += 1;
        }
    }
    data.inputs.truncate(kept * width);
    data.inputs.shrink_to_fit();
    let (train, held) = match data.targets {
        Targets::Classes { labels, classes } => {
            let (train, held) = part_targets(&labels, marked);
            (Targets::Classes { labels: train, classes }, Targets::Classes { labels: held, classes })
        }
        Targets::Values(values) => {
            let (train, held) = part_targets(&values, marked);
            (Targets::Values(train), Targets::Values(held))
        }
    };
    let train = Dataset { features: width, shape, inputs: data.inputs, targets: train };
    (train, Dataset { features: width, shape, inputs: held_inputs, targets: held })
}

fn part_targets<T: Copy>(all: &[T], marked: &[bool]) -> (Vec<T>, Vec<T>) {
    let of = |held| all.iter().zip(marked).filter(move |&(_, &m)| m == held).map(|(&t, _)| t).collect();
    (of(false), of(true))
}

/// Shifts and scales every feature to mean 0 and standard deviation 1 on the training part, and does the same to the held-out
/// part. A feature that is constant there is only centred. Returns a note if there are such features and they have names.
fn scale(train: &mut Dataset, held_out: &mut Dataset, columns: &[ColumnName]) -> Option<Note> {
    let width = train.features;
    let count = train.len() as f64;
    let mut mean = vec![0.0; width];
    for row in train.inputs.chunks_exact(width) {
        mean.iter_mut().zip(row).for_each(|(m, &x)| *m += f64::from(x) / count);
    }
    let mut variance = vec![0.0; width];
    // Rounding gives a constant feature a tiny variance, so constancy is seen from the values themselves.
    let mut constant = vec![true; width];
    for row in train.inputs.chunks_exact(width) {
        for (j, &x) in row.iter().enumerate() {
            variance[j] += (f64::from(x) - mean[j]).powi(2) / count;
            constant[j] &= x.to_bits() == train.inputs[j].to_bits();
        }
    }
    let deviation: Vec<f64> =
        variance.iter().zip(&constant).map(|(&v, &c)| if c || v <= 0.0 { 1.0 } else { v.sqrt() }).collect();
    for part in [train, held_out] {
        for row in part.inputs.chunks_exact_mut(width) {
            for (j, x) in row.iter_mut().enumerate() {
                let scaled = (f64::from(*x) - mean[j]) / deviation[j];
                // Only a held-out outlier beyond all measure can reach these bounds; an infinity would poison every loss.
                *x = scaled.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32;
            }
        }
    }
    let named: Vec<ColumnName> = columns.iter().zip(&constant).filter(|&(_, &c)| c).map(|(name, _)| name.clone()).collect();
    let are = if named.len() == 1 { "is" } else { "are" };
    (!named.is_empty()).then(|| Note {
        code: "constant-feature",
        message: format!("{} of {width} features {are} constant in the training part ({})", named.len(), list_of(&named)),
        hint: "they teach the model nothing: drop these columns, unless they are the margin of an image".to_owned(),
    })
}

/// A note on classes that the training part lacks.
fn missing_classes(train: &Dataset, names: &[String]) -> Option<Note> {
    let Targets::Classes { labels, classes } = &train.targets else { return None };
    let mut present = vec![false; *classes];
    for &label in labels {
        present[label] = true;
    }
    let missing: Vec<String> = names.iter().zip(&present).filter(|&(_, &p)| !p).map(|(name, _)| super::quoted(name)).collect();
    (!missing.is_empty()).then(|| Note {
        code: "class-missing",
        message: format!("{} of {classes} classes have no example in the training part: {}", missing.len(), some_of(&missing)),
        hint: "lower `held-out`, change `split-seed`, or gather more examples of them".to_owned(),
    })
}

/// A note on targets that are very spread out, or very little.
fn odd_spread(train: &Dataset) -> Option<Note> {
    let Targets::Values(values) = &train.targets else { return None };
    let deviation = deviation(values.iter().map(|&v| f64::from(v)));
    (deviation < TARGET_SPREAD.0 || deviation > TARGET_SPREAD.1).then(|| Note {
        code: "target-scale",
        message: format!("the targets of the training part have standard deviation {deviation:.3e}"),
        hint: "rescale the target to about 1: the usable learning rates shift with its scale".to_owned(),
    })
}

/// The standard deviation of `values`; 0 when there are none.
pub(super) fn deviation(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / count;
    (values.map(|v| (v - mean).powi(2)).sum::<f64>() / count).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::data::ExampleShape;

    fn table(inputs: &[[f32; 2]], targets: Targets) -> Table {
        let data = Dataset { features: 2, shape: ExampleShape::Flat, inputs: inputs.concat(), targets };
        Table {
            data,
            columns: ["a", "b"].map(|name| ColumnName::Header(name.into())).into(),
            classes: vec!["no".into(), "yes".into()],
            notes: Vec::new(),
        }
    }

    fn ramp(n: usize) -> Table {
        let rows: Vec<[f32; 2]> = (0..n).map(|i| [i as f32, 5.0]).collect();
        table(&rows, Targets::Values((0..n).map(|i| i as f32).collect()))
    }

    fn codes(split: &Split) -> Vec<&str> {
        split.notes.iter().map(|n| n.code).collect()
    }

    #[test]
    fn parts_hold_each_example_once_with_its_own_target() {
        let parts = split(ramp(10), Path::new("x"), 0.3, 1, false).unwrap();
        assert_eq!((parts.train.len(), parts.held_out.len()), (7, 3));
        let mut all: Vec<f32> = Vec::new();
        for part in [&parts.train, &parts.held_out] {
            let Targets::Values(values) = &part.targets else { panic!() };
            for (i, &value) in values.iter().enumerate() {
                assert_eq!(part.row(i), [value, 5.0]);
            }
            all.extend(values);
        }
        all.sort_by(f32::total_cmp);
        assert_eq!(all, (0..10).map(|i| i as f32).collect::<Vec<_>>());
    }

    #[test]
    fn the_seed_decides_the_split() {
        let held = |seed| split(ramp(50), Path::new("x"), 0.2, seed, false).unwrap().held_out;
        assert_eq!(held(3), held(3));
        assert_ne!(held(3), held(4));
    }

    #[test]
    fn scaling_uses_the_training_part_alone_and_centres_what_is_constant() {
        let parts = split(ramp(40), Path::new("x"), 0.25, 2, true).unwrap();
        let Targets::Values(values) = &parts.train.targets else { panic!() };
        let mean = values.iter().sum::<f32>() / 30.0;
        let std = (values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / 30.0).sqrt();
        for part in [&parts.train, &parts.held_out] {
            let Targets::Values(values) = &part.targets else { panic!() };
            for (i, value) in values.iter().enumerate() {
                assert!((part.row(i)[0] - (value - mean) / std).abs() < 1e-4);
                assert!(part.row(i)[1].abs() < 1e-6);
            }
        }
        assert_eq!(codes(&parts), ["constant-feature"]);
        assert_eq!(parts.notes[0].message, "1 of 2 features is constant in the training part (column b)");
    }

    #[test]
    fn constant_columns_without_names_are_counted_once() {
        let flat = Table {
            columns: vec![ColumnName::Position(0), ColumnName::Position(2)],
            ..table(&[[1.0, 2.0]; 4], Targets::Values(vec![0.0, 1.0, 2.0, 3.0]))
        };
        let parts = split(flat, Path::new("x"), 0.0, 0, true).unwrap();
        let expected = "2 of 2 features are constant in the training part (columns 0, 2, counted from 0)";
        assert!(parts.notes.iter().any(|note| note.message == expected), "{:?}", parts.notes);
    }

    #[test]
    fn extreme_values_stay_finite() {
        let rows = [[f32::MAX, 1e-45], [f32::MIN, 0.0], [3e38, 1e38], [0.0, -1e38]];
        let labels = Targets::Classes { labels: vec![0, 1, 0, 1], classes: 2 };
        for seed in 0..10 {
            let parts = split(table(&rows, labels.clone()), Path::new("x"), 0.5, seed, true).unwrap();
            assert!(parts.train.inputs.iter().chain(&parts.held_out.inputs).all(|x| x.is_finite()));
        }
    }

    #[test]
    fn refuses_too_few_examples() {
        let error = |n, share| split(ramp(n), Path::new("x"), share, 0, false).unwrap_err().to_string();
        assert_eq!(error(1, 0.0), "x: there are 1 examples, but training needs at least 2");
        assert_eq!(error(4, 0.7), "x: held-out = 0.7 leaves 1 of 4 examples to train on: lower it");
    }

    #[test]
    fn notes_what_is_odd() {
        let labels = Targets::Classes { labels: vec![0; 3], classes: 2 };
        let parts = split(table(&[[0.0, 1.0]; 3], labels), Path::new("x"), 0.1, 0, false).unwrap();
        assert_eq!(codes(&parts), ["nothing-held-out", "class-missing"]);
        assert!(parts.notes[1].message.contains("\"yes\""));
        let parts = split(table(&[[0.0, 1.0]; 2], Targets::Values(vec![0.0, 1e5])), Path::new("x"), 0.0, 0, false).unwrap();
        assert_eq!(codes(&parts), ["target-scale"]);
    }
}
