//! What tells one task from another whose trials give other numbers.

use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::Task;
use super::batches::{Batch, Source, Targets};
use super::stacked::StackedRun;
use crate::config::Plan;
use crate::digest::hex;
use crate::lr::LearningRate;
use crate::record::TrialSpec;
use crate::trial::Run;

/// Steps of the trial that shows how this processor computes the task. The second is the first that uses what the optimiser
/// remembers.
const STEPS: u64 = 2;

/// Its rate: small, so that it stays finite.
const RATE: f64 = 1e-3;

/// The plan's part in what a trial computes; `problem` is what else the model is made from.
pub(super) fn recipe(plan: &Plan, problem: impl Serialize) -> String {
    let training = &plan.training;
    json!({
        "problem": problem,
        "model": plan.model,
        "optimizer": training.optimizer,
        "batch_size": training.batch_size,
        "accumulate": training.accumulate,
        "label_smoothing": training.label_smoothing,
        "clip_norm": training.clip_norm,
        "device": plan.device,
    })
    .to_string()
}

/// The identity of `task`: a digest of its recipe (model, optimiser, batch size, backend, which weights are given), of initial
/// weights, of the examples with what is done to them, and of the exact losses and weights of a trial's first steps, since
/// processors with other vector units or caches add in another order. Where the examples came from, and what they are called, is
/// not part of it.
///
/// `None` when it cannot be trained at all.
pub(super) fn of(task: &Task) -> Option<String> {
    let mut digest = Digester(Sha256::new());
    digest.bytes(task.recipe.as_bytes());
    digest.bytes(format!("{:?}", task.model.parameters()).as_bytes());
    let rate = LearningRate::new(RATE).ok()?;
    let mut run = StackedRun::new(task, &[TrialSpec::steady(rate, 0, STEPS)]);
    digest.tensors(run.parameters());
    digest.source(Some(&task.source));
    digest.source(task.held_out.as_ref());
    let mut losses = Vec::new();
    for _ in 0..STEPS {
        losses.extend(run.step(&[RATE]).ok()?);
    }
    digest.tensors(run.parameters());
    losses.extend(run.probe().ok()?);
    digest.numbers(&losses, |loss| loss.to_bits().to_le_bytes());
    Some(format!("task {}", hex(&digest.0.finalize())))
}

/// A digest of the examples as they are before any augmentation, those held out too; `None` for a problem that has none.
pub(super) fn of_examples(task: &Task) -> Option<String> {
    let Source::Examples { .. } = task.source else { return None };
    let mut digest = Digester(Sha256::new());
    for source in [Some(&task.source), task.held_out.as_ref()] {
        digest.bytes(if source.is_some() { b"some" } else { b"none" });
        source.into_iter().flat_map(Source::chunks).for_each(|chunk| digest.batch(&chunk));
    }
    Some(hex(&digest.0.finalize()))
}

/// Digests parts so that none can be taken for the beginning of the next: each after its length.
struct Digester(Sha256);

impl Digester {
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    fn numbers<T: Copy, const N: usize>(&mut self, numbers: &[T], bytes: impl Fn(T) -> [u8; N]) {
        self.0.update((numbers.len() as u64).to_le_bytes());
        let mut buffer = [[0; N]; 1024];
        for some in numbers.chunks(buffer.len()) {
            let filled = &mut buffer[..some.len()];
            filled.iter_mut().zip(some).for_each(|(place, &number)| *place = bytes(number));
            self.0.update(filled.as_flattened());
        }
    }

    fn tensors(&mut self, tensors: &[Vec<f32>]) {
        for tensor in tensors {
            self.numbers(tensor, f32::to_le_bytes);
        }
    }

    fn source(&mut self, source: Option<&Source>) {
        match source {
            None => self.bytes(b"none"),
            Some(Source::Jitter { dimensions, noise }) => self.bytes(format!("jitter {dimensions} {noise:e}").as_bytes()),
            Some(source @ Source::Examples { batch_size, augment, .. }) => {
                self.bytes(format!("examples {batch_size:?} {augment:?}").as_bytes());
                source.chunks().for_each(|chunk| self.batch(&chunk));
            }
        }
    }

    fn batch(&mut self, batch: &Batch) {
        self.numbers(&batch.inputs, f32::to_le_bytes);
        match &batch.targets {
            Targets::Classes(labels) => {
                self.bytes(b"classes");
                self.numbers(labels, u32::to_le_bytes);
            }
            Targets::Values(values) => {
                self.bytes(b"values");
                self.numbers(values, f32::to_le_bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::path::Path;

    use safetensors::Dtype;
    use safetensors::tensor::TensorView;

    use crate::config;
    use crate::task::build;
    use crate::trial::Objective as _;

    const DATA: &str = "[data]\nkind = \"csv\"\npath = \"x.csv\"\n";
    const MODEL: &str = "[model]\nkind = \"mlp\"\nhidden = [4]\n";

    /// A table of two features and a class, with `last` as its last number.
    fn table(last: f64) -> String {
        let mut text = String::new();
        for i in 0..40 {
            writeln!(text, "{},{},{}", i % 7, if i == 39 { last } else { f64::from(i) }, i % 2).unwrap();
        }
        text
    }

    fn identity(dir: &Path, config: &str) -> String {
        let plan = config::parse(config, &dir.join("x.toml")).unwrap();
        build(&plan).unwrap().identity().unwrap()
    }

    #[test]
    fn only_what_changes_the_numbers_changes_it() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("x.csv"), table(39.0)).unwrap();
        std::fs::write(dir.path().join("same.csv"), table(39.0)).unwrap();
        std::fs::write(dir.path().join("other.csv"), table(39.5)).unwrap();
        let of = |config: &str| identity(dir.path(), config);
        let own = of(&format!("{DATA}{MODEL}"));
        for same in [
            format!("name = \"other\"\n{DATA}{MODEL}"),
            format!("{}{MODEL}", DATA.replace("x.csv", "same.csv")),
            format!("{DATA}{MODEL}[search]\nseeds = 9\nrange = [1e-3, 1.0]\nfirst-seed = 5\n"),
            format!("{DATA}{MODEL}[training]\nlearning-rate = 0.5\nepochs = 7\nschedule = {{ kind = \"cosine\" }}\n"),
        ] {
            assert_eq!(of(&same), own, "{same}");
        }
        let mut seen = vec![own];
        for other in [
            format!("{}{MODEL}", DATA.replace("x.csv", "other.csv")),
            format!("{DATA}standardize = false\n{MODEL}"),
            format!("{DATA}split-seed = 1\n{MODEL}"),
            format!("{DATA}held-out = 0.0\n{MODEL}"),
            format!("{DATA}{}", MODEL.replace('4', "5")),
            format!("{DATA}{MODEL}activation = \"tanh\"\n"),
            format!("{DATA}{MODEL}init-scale = 2.0\n"),
            format!("{DATA}{MODEL}[training]\noptimizer = \"adam\"\n"),
            format!("{DATA}{MODEL}[training]\nbatch-size = 8\n"),
            format!("{DATA}{MODEL}[training]\nbatch-size = \"full\"\n"),
            format!("{DATA}{MODEL}[training]\nlabel-smoothing = 0.1\n"),
            format!("{DATA}{MODEL}[training]\nclip-norm = 1.0\n"),
            format!("{DATA}{MODEL}[training]\naccumulate = 2\n"),
            format!("{DATA}label-noise = 0.2\n{MODEL}"),
            format!("{DATA}shape = [1, 1, 2]\n{MODEL}"),
            format!("{DATA}shape = [1, 1, 2]\naugment = {{ flip = true }}\n{MODEL}"),
            format!("{DATA}[model]\nkind = \"autoencoder\"\nhidden = [4]\n"),
            format!("{DATA}[model]\nkind = \"layers\"\nlayers = [\"relu\"]\n"),
            format!("{DATA}[model]\nkind = \"layers\"\nlayers = [\"tanh\"]\n"),
            format!("device = \"ndarray\"\n{DATA}{MODEL}"),
        ] {
            let identity = of(&other);
            assert!(!seen.contains(&identity), "{other}");
            seen.push(identity);
        }
    }

    /// A file of the weights of a layer from two features to two classes, all of them `weight`.
    fn weights(weight: f32) -> Vec<u8> {
        let bytes = weight.to_le_bytes().repeat(6);
        let tensor = |shape: &[usize], own| TensorView::new(Dtype::F32, shape.to_vec(), &bytes[own]).unwrap();
        safetensors::serialize([("0.weight", tensor(&[2, 2], 0..16)), ("0.bias", tensor(&[2], 16..24))], None).unwrap()
    }

    #[test]
    fn the_weights_to_begin_with_count_and_not_their_file() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("x.csv"), table(39.0)).unwrap();
        let of = |file: &str, weight: f32| {
            std::fs::write(dir.path().join(file), weights(weight)).unwrap();
            identity(dir.path(), &format!("{DATA}[model]\nkind = \"linear\"\ninit-from = \"{file}\"\n"))
        };
        let own = of("a", 0.5);
        assert_eq!(of("b", 0.5), own);
        assert_ne!(of("a", 0.25), own);
    }

    #[test]
    fn texts_differ_by_what_they_hold_and_by_the_length_of_a_piece() {
        let dir = tempfile::tempdir().unwrap();
        let text = "to be or not to be ".repeat(20);
        std::fs::write(dir.path().join("a"), &text).unwrap();
        std::fs::write(dir.path().join("b"), text.replace("not", "nut")).unwrap();
        let of = |file: &str, context: usize| {
            let data = format!("[data]\nkind = \"text\"\npath = \"{file}\"\ncontext = {context}\n");
            identity(dir.path(), &format!("{data}[model]\nkind = \"rnn\"\nwidth = 4\n[training]\nbatch-size = 4\n"))
        };
        let own = of("a", 8);
        assert_eq!(of("a", 8), own);
        assert_ne!(of("b", 8), own);
        assert_ne!(of("a", 9), own);
    }

    #[test]
    fn quadratics_differ_by_curvature_and_noise() {
        let of = |rest: &str| {
            let data = "[data]\nkind = \"synthetic\"\nproblem = \"quadratic\"\n";
            identity(Path::new("."), &format!("{data}{rest}"))
        };
        let own = of("curvatures = [20.0, 2.0]\n");
        assert_eq!(of("curvatures = [20.0, 2.0]\ndata-seed = 4\n"), own, "nothing is drawn from the seed");
        assert_ne!(of("curvatures = [20.0, 2.5]\n"), own);
        assert_ne!(of("curvatures = [20.0, 2.0]\nnoise = 0.1\n"), own);
    }
}
