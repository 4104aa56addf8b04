//! Between reader and trainer: holds examples out, scales features, spoils labels, and looks for oddities.

use std::path::Path;

use super::inputs::take_rows;
use super::standardize::standardize;
use super::{Dataset, Note, Split, Table, Targets, fault, some_of};
use crate::config::PreparePlan;
use crate::error::DataError;
use crate::task::random::{Purpose, below, shuffled, stream};

/// Targets whose standard deviation lies outside these bounds make squared losses, and so learning rates, hard to compare.
const TARGET_SPREAD: (f64, f64) = (1e-3, 1e3);

/// Does to the examples what `plan` says. Those held out are drawn from its seed; all keep their order within each part.
///
/// # Errors
/// When fewer than two examples are left to train on.
pub(super) fn split(table: Table, path: &Path, plan: &PreparePlan) -> Result<Split, DataError> {
    let Table { data, columns, classes, mut notes } = table;
    let (examples, held_out) = (data.len(), plan.held_out);
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
    let (mut train, mut held_out) = part(data, &marks(examples, held, plan.split_seed));
    if plan.standardize {
        notes.extend(standardize(&mut train, &mut held_out, &columns));
    }
    notes.extend(missing_classes(&train, &classes));
    notes.extend(odd_spread(&train));
    mislabel(&mut train, plan.label_noise, plan.split_seed);
    let train_in_all = (train.len() as f64 / plan.share).round() as usize;
    Ok(Split { train, held_out, train_in_all, notes })
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

/// Parts `data` into the unmarked and the marked examples.
fn part(mut data: Dataset, marked: &[bool]) -> (Dataset, Dataset) {
    let per_example = data.targets.len() / data.len().max(1);
    let inputs = data.inputs.take(marked, data.features);
    let targets = match &mut data.targets {
        Targets::Classes { labels, classes } => {
            Targets::Classes { labels: take_rows(labels, marked, per_example), classes: *classes }
        }
        Targets::Values(values) => Targets::Values(take_rows(values, marked, per_example)),
    };
    let held_out = Dataset { features: data.features, shape: data.shape, inputs, targets };
    (data, held_out)
}

/// Replaces a share of the labels by classes drawn at random, the right one among them. A larger share replaces these labels
/// too, and by the same classes.
fn mislabel(train: &mut Dataset, share: f64, seed: u64) {
    let Targets::Classes { labels, classes } = &mut train.targets else { return };
    let count = (labels.len() as f64 * share.clamp(0.0, 1.0)).round() as usize;
    if count == 0 {
        return;
    }
    let order = shuffled(labels.len(), &mut stream(seed, Purpose::LabelNoise, 0));
    let mut draw = stream(seed, Purpose::LabelNoise, 1);
    for &i in &order[..count] {
        labels[i as usize] = below(*classes, &mut draw) as u32;
    }
}

/// A note on classes that the training part lacks.
fn missing_classes(train: &Dataset, names: &[String]) -> Option<Note> {
    let Targets::Classes { labels, classes } = &train.targets else { return None };
    let mut present = vec![false; *classes];
    for &label in labels {
        present[label as usize] = true;
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
    use crate::task::data::{ColumnName, ExampleShape, only_split};

    /// Nothing but the split and, if asked for, standardisation.
    fn split(table: Table, path: &Path, held_out: f64, split_seed: u64, standardize: bool) -> Result<Split, DataError> {
        super::split(table, path, &PreparePlan { standardize, ..only_split(held_out, split_seed) })
    }

    fn table(inputs: &[[f32; 2]], targets: Targets) -> Table {
        let data = Dataset { features: 2, shape: ExampleShape::Flat, inputs: inputs.concat().into(), targets };
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

    /// 900 examples of three classes, in turn, a share of them mislabelled: the labels of both parts.
    fn mislabelled(share: f64, seed: u64) -> [Vec<u32>; 2] {
        let labels = Targets::Classes { labels: (0..900).map(|i| i % 3).collect(), classes: 3 };
        let plan = PreparePlan { label_noise: share, ..only_split(1.0 / 3.0, seed) };
        // The first feature is the right class.
        let rows: Vec<[f32; 2]> = (0..900).map(|i| [(i % 3) as f32, 0.0]).collect();
        let parts = super::split(table(&rows, labels), Path::new("x"), &plan).unwrap();
        [parts.train, parts.held_out].map(|part| {
            let Targets::Classes { labels, .. } = &part.targets else { panic!() };
            let right = |i: usize| part.row(i)[0] as u32;
            (0..part.len()).map(|i| if labels[i] == right(i) { 9 } else { labels[i] }).collect()
        })
    }

    #[test]
    fn label_noise_replaces_its_share_of_the_training_labels_alone() {
        let wrong = |labels: &[u32]| labels.iter().filter(|&&l| l != 9).count();
        assert_eq!(mislabelled(0.0, 1).map(|labels| wrong(&labels)), [0, 0]);
        // Of 600 labels all are drawn anew, and a third of the draws hit the right class: 400 ± 12.
        let [train, held_out] = mislabelled(1.0, 1);
        assert!((350..450).contains(&wrong(&train)) && wrong(&held_out) == 0, "{}", wrong(&train));
        for class in 0..3 {
            let share = train.iter().filter(|&&l| l == class).count();
            assert!((90..180).contains(&share), "{share} of class {class}");
        }
        let [fifth, _] = mislabelled(0.2, 1);
        assert!((60..100).contains(&wrong(&fifth)), "{}", wrong(&fifth));
        assert!(fifth.iter().zip(&train).all(|(few, all)| *few == 9 || few == all), "a larger share keeps the smaller one");
        assert_eq!(mislabelled(0.2, 1), mislabelled(0.2, 1));
        assert_ne!(mislabelled(0.2, 1), mislabelled(0.2, 2));
    }

    #[test]
    fn extreme_values_stay_finite() {
        let rows = [[f32::MAX, 1e-45], [f32::MIN, 0.0], [3e38, 1e38], [0.0, -1e38]];
        let labels = Targets::Classes { labels: vec![0, 1, 0, 1], classes: 2 };
        for seed in 0..10 {
            let parts = split(table(&rows, labels.clone()), Path::new("x"), 0.5, seed, true).unwrap();
            assert!((0..2).all(|i| parts.train.row(i).iter().chain(&parts.held_out.row(i)).all(|x| x.is_finite())));
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
