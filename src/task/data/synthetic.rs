//! Made-up problems: data drawn from a seed.

use std::f64::consts::TAU;
use std::path::Path;

use super::{Dataset, ExampleShape, Table, Targets, check_size, fault, prepare};
use crate::config::SyntheticPlan;
use crate::error::DataError;
use crate::task::random::{Purpose, standard_normal, stream, uniform};

/// Where faults of made-up data are, for messages.
pub(super) const PLACE: &str = "[data]";

/// Turns that each arm of the spirals makes.
const TURNS: f64 = 2.0;

/// Draws the examples of `problem`; `None` for the quadratic, which has none.
///
/// # Errors
/// When the problem is empty, too large, or has noise that is no standard deviation.
pub(super) fn generate(problem: &SyntheticPlan, seed: u64) -> Result<Option<Table>, DataError> {
    match *problem {
        SyntheticPlan::TeacherStudent { samples, features, hidden, noise } => {
            check_noise(noise)?;
            check_positive("features", features)?;
            check_positive("samples", samples)?;
            check_size::<f32>(Path::new(PLACE), samples as u64, features as u64)?;
            check_size::<f32>(Path::new(PLACE), hidden as u64, features as u64)?;
            Ok(Some(teacher_student(samples, features, hidden, noise, seed)))
        }
        SyntheticPlan::Spirals { samples, classes, noise, .. } => {
            check_noise(noise)?;
            check_size::<f32>(Path::new(PLACE), samples as u64, 2)?;
            if classes < 2 || samples < classes {
                let message = format!(
                    "{classes} spirals of {samples} samples in all: write classes of at least 2, and no fewer samples than classes"
                );
                return Err(fault(Path::new(PLACE), None, message));
            }
            Ok(Some(spirals(samples, classes, noise, seed)))
        }
        SyntheticPlan::Quadratic { .. } => Ok(None),
    }
}

fn check_positive(key: &str, value: usize) -> Result<(), DataError> {
    let message = || format!("{key} = 0 makes an empty problem: write a positive number");
    if value == 0 { Err(fault(Path::new(PLACE), None, message())) } else { Ok(()) }
}

fn check_noise(noise: f64) -> Result<(), DataError> {
    // Beyond a million the noise is all there is, and far beyond it single precision overflows.
    if (0.0..=1e6).contains(&noise) {
        return Ok(());
    }
    Err(fault(Path::new(PLACE), None, format!("noise = {noise} is no standard deviation: write a number from 0 to 1e6")))
}

/// Standard-normal inputs; as targets the outputs of a random network, scaled to unit variance, plus noise.
///
/// The network has one layer of `hidden` tanh units without biases (0: none, so it is linear); its weights are normal with
/// variance 1/fan_in.
fn teacher_student(samples: usize, features: usize, hidden: usize, noise: f64, seed: u64) -> Table {
    let mut draw = stream(seed, Purpose::Inputs, 0);
    let inputs: Vec<f32> = (0..samples * features).map(|_| standard_normal(&mut draw) as f32).collect();

    let teacher = Teacher::new(features, hidden, seed);
    let clean: Vec<f64> = inputs.chunks_exact(features).map(|row| teacher.output(row)).collect();
    let spread = prepare::deviation(clean.iter().copied());
    let scale = if spread > 0.0 { 1.0 / spread } else { 1.0 };
    let mut draw = stream(seed, Purpose::Noise, 0);
    let values = clean.iter().map(|y| (y * scale + noise * standard_normal(&mut draw)) as f32).collect();
    unnamed(features, inputs, Targets::Values(values))
}

/// The network that a student is to imitate.
struct Teacher {
    features: usize,
    /// `[hidden × features]`; empty for a linear teacher.
    first: Vec<f64>,
    /// Weights of the output.
    last: Vec<f64>,
}

impl Teacher {
    fn new(features: usize, hidden: usize, seed: u64) -> Self {
        let mut draw = stream(seed, Purpose::Teacher, 0);
        let mut weights = |count: usize, fan_in: usize| -> Vec<f64> {
            (0..count).map(|_| standard_normal(&mut draw) / (fan_in as f64).sqrt()).collect()
        };
        let first = weights(hidden * features, features);
        let width = if hidden == 0 { features } else { hidden };
        Self { features, first, last: weights(width, width) }
    }

    fn output(&self, row: &[f32]) -> f64 {
        let dot = |weights: &[f64]| weights.iter().zip(row).map(|(w, &x)| w * f64::from(x)).sum::<f64>();
        if self.first.is_empty() {
            return dot(&self.last);
        }
        self.first.chunks_exact(self.features).zip(&self.last).map(|(unit, w)| w * dot(unit).tanh()).sum()
    }
}

/// Archimedean spirals about the origin, one arm per class, two turns each (after Lang & Witbrock 1988). The radius is uniform
/// on [0, 1) times √6, which gives each coordinate about unit variance; then comes the noise.
fn spirals(samples: usize, classes: usize, noise: f64, seed: u64) -> Table {
    let mut place = stream(seed, Purpose::Inputs, 0);
    let mut jitter = stream(seed, Purpose::Noise, 0);
    let labels: Vec<u32> = (0..samples).map(|i| (i % classes) as u32).collect();
    let mut inputs = Vec::with_capacity(2 * samples);
    for &class in &labels {
        let radius = uniform(&mut place, 0.0, 1.0);
        let angle = TAU * (TURNS * radius + f64::from(class) / classes as f64);
        // E[r² cos²] = 1/3 · 1/2 for a radius uniform on [0, 1).
        for direction in [angle.cos(), angle.sin()] {
            inputs.push((6f64.sqrt() * radius * direction + noise * standard_normal(&mut jitter)) as f32);
        }
    }
    let mut table = unnamed(2, inputs, Targets::Classes { labels, classes });
    table.classes = (0..classes).map(|class| class.to_string()).collect();
    table
}

/// Data whose features need no names.
fn unnamed(features: usize, inputs: Vec<f32>, targets: Targets) -> Table {
    let data = Dataset { features, shape: ExampleShape::Flat, inputs: inputs.into(), targets };
    Table { data, columns: Vec::new(), classes: Vec::new(), notes: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prepare::deviation;

    fn teacher(features: usize, hidden: usize, noise: f64, seed: u64) -> Dataset {
        let plan = SyntheticPlan::TeacherStudent { samples: 4000, features, hidden, noise };
        generate(&plan, seed).unwrap().unwrap().data
    }

    fn values(data: &Dataset) -> Vec<f64> {
        let Targets::Values(values) = &data.targets else { panic!() };
        values.iter().map(|&v| f64::from(v)).collect()
    }

    #[test]
    fn inputs_and_outputs_have_unit_variance_and_noise_adds_its_own() {
        for hidden in [0, 16] {
            let clean = teacher(8, hidden, 0.0, 1);
            assert!((deviation((0..clean.len()).flat_map(|i| clean.row(i)).map(f64::from)) - 1.0).abs() < 0.02);
            assert!((deviation(values(&clean).into_iter()) - 1.0).abs() < 1e-4);
            let noisy = teacher(8, hidden, 0.5, 1);
            assert_eq!(clean.inputs, noisy.inputs);
            let difference: Vec<f64> = values(&noisy).iter().zip(values(&clean)).map(|(n, c)| n - c).collect();
            assert!((deviation(difference.into_iter()) - 0.5).abs() < 0.03);
        }
    }

    #[test]
    fn a_linear_teacher_is_linear_and_another_is_not() {
        // f(a + b) = f(a) + f(b), exactly what tanh units break.
        let (a, b, sum) = ([1.0, -2.0, 0.5], [3.0, 0.25, 1.0], [4.0, -1.75, 1.5]);
        let gap = |hidden| {
            let teacher = Teacher::new(3, hidden, 4);
            (teacher.output(&sum) - teacher.output(&a) - teacher.output(&b)).abs()
        };
        assert!(gap(0) < 1e-12);
        assert!(gap(8) > 1e-3);
    }

    #[test]
    fn the_seed_decides_the_data() {
        assert_eq!(teacher(3, 4, 0.1, 9), teacher(3, 4, 0.1, 9));
        assert_ne!(teacher(3, 4, 0.1, 9), teacher(3, 4, 0.1, 10));
    }

    #[test]
    fn spirals_lie_on_their_arms() {
        let plan = SyntheticPlan::Spirals { samples: 3000, classes: 3, noise: 0.0, label_noise: 0.0 };
        let data = generate(&plan, 5).unwrap().unwrap().data;
        let Targets::Classes { labels, classes: 3 } = &data.targets else { panic!() };
        for (i, &label) in labels.iter().enumerate() {
            let (x, y) = (f64::from(data.row(i)[0]), f64::from(data.row(i)[1]));
            let radius = x.hypot(y) / 6f64.sqrt();
            let angle = TAU * (TURNS * radius + f64::from(label) / 3.0);
            assert!((x - x.hypot(y) * angle.cos()).abs() < 1e-4 && (y - x.hypot(y) * angle.sin()).abs() < 1e-4);
        }
        assert!((deviation((0..data.len()).flat_map(|i| data.row(i)).map(f64::from)) - 1.0).abs() < 0.05);
        assert_eq!((0..3).map(|c| labels.iter().filter(|&&l| l == c).count()).collect::<Vec<_>>(), [1000; 3]);
    }

    #[test]
    fn refuses_what_cannot_be_made() {
        let huge = usize::MAX / 2;
        for (plan, word) in [
            (SyntheticPlan::TeacherStudent { samples: huge, features: huge, hidden: 1, noise: 0.0 }, "8 GiB"),
            (SyntheticPlan::TeacherStudent { samples: 10, features: 10, hidden: huge, noise: 0.0 }, "8 GiB"),
            (SyntheticPlan::TeacherStudent { samples: 10, features: 0, hidden: 1, noise: 0.0 }, "features = 0"),
            (SyntheticPlan::TeacherStudent { samples: 0, features: 1, hidden: 1, noise: 0.0 }, "samples = 0"),
            (SyntheticPlan::TeacherStudent { samples: 10, features: 1, hidden: 1, noise: f64::NAN }, "noise = NaN"),
            (SyntheticPlan::Spirals { samples: huge, classes: 2, noise: 0.0, label_noise: 0.0 }, "8 GiB"),
            (SyntheticPlan::Spirals { samples: 10, classes: 1, noise: 0.0, label_noise: 0.0 }, "at least 2"),
            (SyntheticPlan::Spirals { samples: 10, classes: 11, noise: 0.0, label_noise: 0.0 }, "no fewer samples"),
            (SyntheticPlan::Spirals { samples: 10, classes: 2, noise: -1.0, label_noise: 0.0 }, "noise = -1"),
        ] {
            let error = generate(&plan, 0).err().unwrap().to_string();
            assert!(error.starts_with("[data]: ") && error.contains(word), "{error}");
        }
    }
}
