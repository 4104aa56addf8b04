//! Initial weights from a file: safetensors, as `safetensors.torch.save_file(model.state_dict(), …)` writes it.

use std::cmp::Ordering;
use std::fs;
use std::io;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::data::Note;
use super::model::ParameterSpec;
use crate::error::DataError;

/// Files larger than this hold no model that could be tried here.
const MOST_BYTES: u64 = 8 << 30;

/// What PyTorch's batch norm keeps beside its parameters, and has no use here.
const STATISTICS: [&str; 3] = ["running_mean", "running_var", "num_batches_tracked"];

/// Weights to begin with.
#[derive(Debug)]
pub(super) struct Weights {
    /// For each parameter tensor its numbers, or nothing where the file lacks it.
    pub(super) tensors: Vec<Option<Vec<f32>>>,
    /// What the user should know.
    pub(super) notes: Vec<Note>,
}

/// Reads the tensors that `specs` name. A file that knows none of the names is taken in the order of its names: safetensors keeps no
/// other.
///
/// # Errors
/// When the file cannot be read, or tensors do not fit: all of them at once.
pub(super) fn read(path: &Path, specs: &[ParameterSpec]) -> Result<Weights, DataError> {
    let fault = |message: String| DataError { path: path.to_owned(), line: None, message };
    let bytes = bytes(path).map_err(|error| {
        let advice = match error.kind() {
            io::ErrorKind::NotFound => "check the path; a relative one starts at the config file's folder",
            _ => "name a readable safetensors file",
        };
        fault(format!("cannot be read: {error}: {advice}"))
    })?;
    let file = SafeTensors::deserialize(&bytes)
        .map_err(|error| fault(format!("is no safetensors file ({error}): write one with safetensors.torch.save_file")))?;
    let found = in_order(&file);
    let by_name = specs.iter().any(|spec| found.iter().any(|(name, _)| *name == spec.name));
    if !by_name && found.len() != specs.len() {
        return Err(fault(format!(
            "holds {} tensors, none by a name of the model, which has {}: name them {}\nthe file has {}",
            found.len(),
            specs.len(),
            list(specs.iter().map(|spec| described(&spec.name, &spec.shape))),
            list(found.iter().map(|(name, view)| described(name, view.shape()))),
        )));
    }
    let view = |(index, spec): (usize, &ParameterSpec)| {
        if by_name { found.iter().find(|(name, _)| *name == spec.name) } else { found.get(index) }
    };
    let taken: Vec<_> = specs.iter().enumerate().map(view).collect();
    let read = specs.iter().zip(&taken).map(|(spec, taken)| taken.map(|(name, view)| numbers(spec, name, view)).transpose());
    let (read, wrong): (Vec<_>, Vec<_>) = read.partition(Result::is_ok);
    let wrong: Vec<String> = wrong.into_iter().filter_map(Result::err).collect();
    if !wrong.is_empty() {
        return Err(fault(wrong.join("\n  ")));
    }
    let unused = found.iter().filter(|(name, _)| by_name && !specs.iter().any(|spec| spec.name == *name));
    let missing = specs.iter().zip(&taken).filter(|(_, taken)| taken.is_none());
    let order = (!by_name).then(|| specs.iter().zip(&found).map(|(spec, (name, _))| format!("{name} as {}", spec.name)));
    let order = order.map_or_else(Vec::new, Iterator::collect);
    let notes =
        notes(order, missing.map(|(spec, _)| spec.name.clone()).collect(), unused.map(|(name, _)| name.clone()).collect());
    Ok(Weights { tensors: read.into_iter().filter_map(Result::ok).collect(), notes })
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    if fs::metadata(path)?.len() > MOST_BYTES {
        return Err(io::Error::other("it is larger than 8 GiB"));
    }
    fs::read(path)
}

/// The tensors of a file by layer: numbers in names count by their value, a layer's biases follow its weights, and what a recurrent
/// layer multiplies its own output with, `hh` for PyTorch, follows what it multiplies its input with, `ih`.
fn in_order<'f>(file: &SafeTensors<'f>) -> Vec<(String, TensorView<'f>)> {
    let mut found = file.tensors();
    found.retain(|(name, _)| !STATISTICS.contains(&last(name)));
    found.sort_by(|(a, _), (b, _)| {
        by_value(layer(a), layer(b))
            .then_with(|| last(a).contains("bias").cmp(&last(b).contains("bias")))
            .then_with(|| last(a).contains("_hh_").cmp(&last(b).contains("_hh_")))
            .then_with(|| by_value(last(a), last(b)))
    });
    found
}

/// What comes before the last dot, and the dot.
fn layer(name: &str) -> &str {
    &name[..name.len() - last(name).len()]
}

/// What follows the last dot.
fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Compares names as people do: numbers in them by their value.
fn by_value(a: &str, b: &str) -> Ordering {
    fn parts(name: &str) -> impl Iterator<Item = (u64, &[u8])> {
        let alike = |a: &u8, b: &u8| a.is_ascii_digit() == b.is_ascii_digit();
        let number = |part: &[u8]| std::str::from_utf8(part).ok().and_then(|part| part.parse().ok());
        name.as_bytes().chunk_by(alike).map(move |part| (number(part).unwrap_or(u64::MAX), part))
    }
    parts(a).cmp(parts(b))
}

/// The numbers of a tensor in the order of `spec`, or what is wrong with it.
fn numbers(spec: &ParameterSpec, name: &str, view: &TensorView<'_>) -> Result<Vec<f32>, String> {
    if view.shape() != spec.shape {
        let (own, theirs) = (described(&spec.name, &spec.shape), described(name, view.shape()));
        return Err(format!("{theirs} does not fit {own}: change the model to the file's sizes, or take the tensor out of it"));
    }
    let data = view.data();
    let numbers: Vec<f32> = match view.dtype() {
        Dtype::F32 => data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
        Dtype::F64 => {
            let number = |b: &[u8]| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]) as f32;
            data.chunks_exact(8).map(number).collect()
        }
        other => return Err(format!("{name} is of type {other:?}: save it in single precision, with model.float()")),
    };
    if numbers.iter().any(|number| !number.is_finite()) {
        return Err(format!("{name} holds numbers that are not finite: save a model that has not diverged"));
    }
    Ok(spec.arranged(&numbers))
}

fn notes(order: Vec<String>, missing: Vec<String>, unused: Vec<String>) -> Vec<Note> {
    let note = |code, names: Vec<String>, what: &str, hint: &str| {
        (!names.is_empty()).then(|| Note {
            code,
            message: format!("{what}: {}", list(names.into_iter())),
            hint: hint.to_owned(),
        })
    };
    [
        note(
            "weights-in-order",
            order,
            "`init-from` has no name of the model's, so its tensors are taken in the order of their own names",
            "check that each is where it belongs, and rename them otherwise",
        ),
        note(
            "weights-missing",
            missing,
            "`init-from` lacks some tensors, which begin as if there were no file",
            "this is right for a new last layer; otherwise add them to the file",
        ),
        note(
            "weights-unused",
            unused,
            "`init-from` holds tensors that the model does not have",
            "check that file and model belong together",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A tensor's name and shape: `0.weight [64, 784]`.
fn described(name: &str, shape: &[usize]) -> String {
    format!("{name} {shape:?}")
}

/// At most 24 names.
fn list(names: impl Iterator<Item = String>) -> String {
    const SHOWN: usize = 24;
    let names: Vec<String> = names.collect();
    let text = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{text} and {} more", names.len() - SHOWN) } else { text }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::task::model::Initial;

    /// A matrix that PyTorch holds transposed, and a vector.
    fn specs() -> Vec<ParameterSpec> {
        let zeros = Initial::Constant(0.0);
        let layer = |place: usize, outputs, inputs| {
            [
                ParameterSpec::transposed(&format!("{place}.weight"), outputs, inputs, zeros),
                ParameterSpec::new(&format!("{place}.bias"), &[outputs], zeros),
            ]
        };
        [layer(0, 2, 3), layer(2, 1, 2)].concat()
    }

    /// A file of tensors that count upwards from 0.
    fn written(tensors: &[(&str, &[usize])]) -> Vec<u8> {
        let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
            .iter()
            .map(|(name, shape)| {
                let count: usize = shape.iter().product();
                ((*name).to_owned(), shape.to_vec(), (0..count).flat_map(|i| (i as f32).to_le_bytes()).collect())
            })
            .collect();
        let views: HashMap<&str, TensorView<'_>> = bytes
            .iter()
            .map(|(name, shape, bytes)| (name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()))
            .collect();
        safetensors::serialize(&views, None).unwrap()
    }

    /// Such a file, read as `specs`.
    fn read_back(tensors: &[(&str, &[usize])]) -> Result<Weights, DataError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.safetensors");
        fs::write(&path, written(tensors)).unwrap();
        read(&path, &specs())
    }

    const OURS: [(&str, &[usize]); 4] = [("0.weight", &[2, 3]), ("0.bias", &[2]), ("2.weight", &[1, 2]), ("2.bias", &[1])];

    #[test]
    fn tensors_are_found_by_name_and_turned() {
        let mut tensors = OURS.to_vec();
        tensors.push(("1.running_mean", &[2]));
        let weights = read_back(&tensors).unwrap();
        // [0 1 2; 3 4 5] by outputs is 0 3, 1 4, 2 5 by inputs.
        let first = weights.tensors[0].as_deref();
        assert_eq!(first, Some([0.0, 3.0, 1.0, 4.0, 2.0, 5.0].as_slice()));
        assert!(weights.tensors.iter().all(Option::is_some) && weights.notes.is_empty(), "{:?}", weights.notes);
    }

    #[test]
    fn a_new_head_begins_afresh_and_is_noted() {
        let weights = read_back(&[OURS[0], OURS[1], ("old.weight", &[7, 2])]).unwrap();
        assert_eq!(weights.tensors.iter().map(Option::is_some).collect::<Vec<_>>(), [true, true, false, false]);
        let codes: Vec<_> = weights.notes.iter().map(|note| note.code).collect();
        assert_eq!(codes, ["weights-missing", "weights-unused"]);
        assert!(weights.notes[0].message.contains("2.weight, 2.bias"), "{:?}", weights.notes);
    }

    #[test]
    fn other_names_are_taken_in_order() {
        // By their letters fc10 would come before fc9, and biases before weights.
        let weights = read_back(&[("fc10.bias", &[1]), ("fc10.weight", &[1, 2]), ("fc9.bias", &[2]), ("fc9.weight", &[2, 3])]);
        let weights = weights.unwrap();
        assert!(weights.tensors.iter().all(Option::is_some));
        let note = &weights.notes[0];
        assert_eq!(note.code, "weights-in-order");
        assert!(
            note.message.contains("fc9.weight as 0.weight, fc9.bias as 0.bias, fc10.weight as 2.weight"),
            "{}",
            note.message
        );
    }

    #[test]
    fn a_recurrent_layer_takes_its_input_weights_first() {
        let tensors: Vec<(&str, &[usize])> = vec![
            ("out.weight", &[1]),
            ("lstm.bias_hh_l0", &[8]),
            ("lstm.bias_ih_l0", &[8]),
            ("lstm.weight_hh_l0", &[8, 2]),
            ("lstm.weight_ih_l0", &[8, 2]),
        ];
        let bytes = written(&tensors);
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let names: Vec<String> = in_order(&file).into_iter().map(|(name, _)| name).collect();
        let lstm = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"].map(|name| format!("lstm.{name}"));
        assert_eq!(names, [lstm.as_slice(), &["out.weight".to_owned()]].concat());
    }

    #[test]
    fn every_misfit_is_named() {
        let error = read_back(&[("0.weight", &[3, 3]), OURS[1], ("2.weight", &[1, 3]), OURS[3]]).unwrap_err().to_string();
        for words in ["0.weight [3, 3] does not fit 0.weight [2, 3]", "2.weight [1, 3] does not fit 2.weight [1, 2]"] {
            assert!(error.contains(words), "{error}");
        }
        let error = read_back(&[("a", &[2]), ("b", &[3])]).unwrap_err().to_string();
        assert!(error.contains("0.weight [2, 3]") && error.contains("b [3]"), "{error}");
    }

    #[test]
    fn a_file_of_another_kind_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        assert!(read(&path, &specs()).unwrap_err().message.contains("check the path"));
        fs::write(&path, "no weights").unwrap();
        assert!(read(&path, &specs()).unwrap_err().message.contains("is no safetensors file"));
    }
}
