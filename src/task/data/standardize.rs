//! Standardisation: features, or the channels of images, get mean 0 and standard deviation 1.

use super::{ColumnName, Dataset, ExampleShape, Inputs, Note, list_of};

/// Shifts and scales every feature to mean 0 and standard deviation 1 on the training part, and does the same to the held-out
/// part. The pixels of an image's channel count as one feature, since what they show moves about. A feature that is constant
/// on the training part is only centred; returns a note if there are such features and they have names.
pub(super) fn standardize(train: &mut Dataset, held_out: &mut Dataset, columns: &[ColumnName]) -> Option<Note> {
    let plane = match train.shape {
        ExampleShape::Image { height, width, .. } => height * width,
        ExampleShape::Flat | ExampleShape::Tokens { .. } => 1,
    };
    let moments = match &train.inputs {
        Inputs::Numbers(numbers) => of_numbers(numbers, train.features, plane),
        Inputs::Bytes { bytes, tables } => of_bytes(bytes, train.features, tables),
    };
    for part in [&mut train.inputs, &mut held_out.inputs] {
        let groups: Box<dyn Iterator<Item = &mut [f32]>> = match part {
            Inputs::Numbers(numbers) => Box::new(numbers.chunks_exact_mut(plane)),
            Inputs::Bytes { tables, .. } => Box::new(tables.iter_mut().map(<[f32; 256]>::as_mut_slice)),
        };
        for (group, moments) in groups.zip(moments.iter().cycle()) {
            for x in group {
                *x = moments.scaled(*x);
            }
        }
    }
    let constant = columns.iter().zip(&moments).filter(|(_, moments)| moments.constant);
    let named: Vec<ColumnName> = constant.map(|(name, _)| name.clone()).collect();
    let are = if named.len() == 1 { "is" } else { "are" };
    (!named.is_empty()).then(|| Note {
        code: "constant-feature",
        message: format!(
            "{} of {} features {are} constant in the training part ({})",
            named.len(),
            train.features,
            list_of(&named)
        ),
        hint: "they teach the model nothing: drop these columns, unless they are the margin of an image".to_owned(),
    })
}

/// How the values of a feature or channel are distributed.
#[derive(Debug, Clone)]
struct Moments {
    mean: f64,
    variance: f64,
    constant: bool,
}

impl Moments {
    fn scaled(&self, x: f32) -> f32 {
        let deviation = if self.constant || self.variance <= 0.0 { 1.0 } else { self.variance.sqrt() };
        let scaled = (f64::from(x) - self.mean) / deviation;
        // Only a held-out outlier beyond all measure can reach these bounds; an infinity would poison every loss.
        scaled.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32
    }
}

/// The moments of each group of `plane` numbers within rows of `features`.
fn of_numbers(numbers: &[f32], features: usize, plane: usize) -> Vec<Moments> {
    let count = (numbers.len() / features * plane) as f64;
    // Rounding gives a constant feature a tiny variance, so constancy is seen from the values themselves.
    let mut all = vec![Moments { mean: 0.0, variance: 0.0, constant: true }; features / plane];
    for row in numbers.chunks_exact(features) {
        for (moments, group) in all.iter_mut().zip(row.chunks_exact(plane)) {
            for &x in group {
                moments.mean += f64::from(x) / count;
            }
        }
    }
    for row in numbers.chunks_exact(features) {
        for (g, (moments, group)) in all.iter_mut().zip(row.chunks_exact(plane)).enumerate() {
            for &x in group {
                moments.variance += (f64::from(x) - moments.mean).powi(2) / count;
                moments.constant &= x.to_bits() == numbers[g * plane].to_bits();
            }
        }
    }
    all
}

/// The moments of each part of an example that has a table of its own, from how often each byte occurs in it.
fn of_bytes(bytes: &[u8], features: usize, tables: &[[f32; 256]]) -> Vec<Moments> {
    let plane = features / tables.len();
    let total = (bytes.len() / tables.len()) as f64;
    let mut counts = vec![[0u64; 256]; tables.len()];
    for row in bytes.chunks_exact(features) {
        for (counts, part) in counts.iter_mut().zip(row.chunks_exact(plane)) {
            for &byte in part {
                counts[usize::from(byte)] += 1;
            }
        }
    }
    let moments = |(counts, table): (&[u64; 256], &[f32; 256])| {
        let mean_of = |f: &dyn Fn(f64) -> f64| -> f64 {
            counts.iter().zip(table).map(|(&count, &x)| count as f64 * f(f64::from(x))).sum::<f64>() / total
        };
        let mean = mean_of(&|x| x);
        let variance = mean_of(&|x| (x - mean).powi(2));
        Moments { mean, variance, constant: counts.iter().filter(|&&count| count > 0).count() < 2 }
    };
    counts.iter().zip(tables).map(moments).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::data::Targets;

    fn images(inputs: Inputs, count: usize) -> Dataset {
        let shape = ExampleShape::Image { channels: 2, height: 1, width: 2 };
        Dataset { features: 4, shape, inputs, targets: Targets::Values(vec![0.0; count]) }
    }

    /// The same pixels as bytes and as numbers.
    fn both() -> [Dataset; 2] {
        let bytes = vec![0, 10, 200, 200, 250, 30, 200, 200, 7, 80, 200, 200];
        let pixels = images(Inputs::pixels(bytes, 2), 3);
        let numbers = images(Inputs::Numbers((0..3).flat_map(|i| pixels.row(i)).collect()), 3);
        [pixels, numbers]
    }

    #[test]
    fn channels_are_scaled_as_one_and_bytes_as_the_numbers_they_stand_for() {
        let mut rows = Vec::new();
        for mut train in both() {
            let mut held_out = train.clone();
            assert!(standardize(&mut train, &mut held_out, &[]).is_none());
            assert_eq!(train, held_out);
            let all: Vec<Vec<f32>> = (0..3).map(|i| train.row(i)).collect();
            let first: Vec<f64> = all.iter().flat_map(|row| &row[..2]).map(|&x| f64::from(x)).collect();
            let mean = first.iter().sum::<f64>() / 6.0;
            let variance = first.iter().map(|x| x * x).sum::<f64>() / 6.0;
            assert!(mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-5, "{mean} {variance}");
            assert!(all.iter().all(|row| row[2].abs() < 1e-6 && row[3].abs() < 1e-6), "{all:?}");
            rows.push(all.concat());
        }
        for (byte, number) in rows[0].iter().zip(&rows[1]) {
            assert!((byte - number).abs() < 1e-6, "{rows:?}");
        }
    }
}
