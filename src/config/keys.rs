//! Every key a config may hold: what the parser knows, what it suggests, and what the reference documents.

use std::fmt::Write as _;

/// One key of the config file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// The section, as in its header; empty for the top level.
    pub section: &'static str,
    /// The key.
    pub name: &'static str,
    /// What kind of value it takes.
    pub kind: &'static str,
    /// The value when the key is left out, in words where it depends.
    pub default: &'static str,
    /// A value in TOML that the key accepts.
    pub example: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

/// Every key, section by section, in the order of the reference.
pub fn keys() -> &'static [Key] {
    KEYS
}

/// The config reference: a Markdown table of [`keys`].
pub fn reference() -> String {
    let mut text = String::from("| section | key | type | default | meaning |\n|---|---|---|---|---|\n");
    for key in KEYS {
        let section = if key.section.is_empty() { "(top level)".to_owned() } else { format!("`[{}]`", key.section) };
        // A bar ends a cell even inside a code span, so it is escaped.
        let kind = key.kind.replace('|', "\\|");
        let _ = writeln!(text, "| {section} | `{}` | {kind} | {} | {} |", key.name, key.default, key.meaning);
    }
    text
}

/// The key of this name in this section.
pub(crate) fn find(section: &str, name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.section == section && key.name == name)
}

/// The most similar of `candidates`, if any is similar enough to have been meant.
pub(crate) fn similar<'c>(written: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    // Longer words are nobody's typing error, and the distance takes time in proportion to the length.
    if written.len() > 40 {
        return None;
    }
    let plain = |word: &str| word.to_lowercase().replace('_', "-");
    let allowed = (written.chars().count() / 3).clamp(1, 3);
    candidates
        .map(|candidate| (strsim::osa_distance(&plain(written), &plain(candidate)), candidate))
        .filter(|(edits, _)| *edits <= allowed)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// Builds [`KEYS`] from rows grouped by section.
macro_rules! keys {
    ($($section:literal { $($name:literal, $kind:literal, $default:literal, $example:literal, $meaning:literal;)* })*) => {
        &[$($(Key {
            section: $section, name: $name, kind: $kind, default: $default, example: $example, meaning: $meaning,
        },)*)*]
    };
}

/// The table behind [`keys`]: name, type, default, example, meaning.
#[rustfmt::skip]
const KEYS: &[Key] = keys! {
    "" {
        "name", "string", "the file's name", "\"my-run\"", "names the report folder: letters, digits, `-`, `_`, `.`";
        "device", "\"flex\" | \"ndarray\"", "\"flex\"", "\"flex\"", "the compute backend";
        "data", "section", "required", "{ kind = \"synthetic\", problem = \"spirals\" }", "what to train on";
        "model", "section", "required", "{ kind = \"mlp\" }", "what to train; may be left out for the quadratic problem";
        "command", "section", "none", "{ run = [\"./train\", \"{lr}\"] }", "a training script to run, instead of `data` and `model`";
        "training", "section", "all defaults", "{ epochs = 200 }", "how to train";
        "search", "section", "all defaults", "{ seeds = 5 }", "how to search for the rate";
    }
    "data" {
        "kind", "\"csv\" | \"parquet\" | \"idx\" | \"npy\" | \"npz\" | \"image-folder\" | \"text\" | \"mnist\" | \"fashion-mnist\" | \"cifar10\" | \"synthetic\"", "required", "\"csv\"", "where the examples come from";
        "path", "string", "required (csv, parquet, npy, npz, image-folder, text)", "\"data/train.csv\"", "the file: CSV, text or `.npy` of the inputs, plain or `.gz`, Parquet, or `.npz`; or the folder of the Parquet parts, of the images or of the known data set (see [Data](#data)); relative to the config file";
        "target", "integer or string", "-1", "-1", "csv, parquet: the column to predict: a position (negative from the end) or a name";
        "task", "\"classification\" | \"regression\"", "\"classification\"", "\"regression\"", "csv, parquet, npy, npz: whether the target is a class or a number";
        "header", "boolean", "found out", "true", "csv: whether the first line names the columns";
        "images", "string", "required (idx)", "\"data/train-images-idx3-ubyte.gz\"", "the IDX image file, plain or `.gz`";
        "labels", "string", "required (idx)", "\"data/train-labels-idx1-ubyte.gz\"", "the IDX label file, plain or `.gz`";
        "inputs", "string", "\"x\"", "\"x\"", "npz: name of the array of inputs; its first axis counts the examples";
        "targets", "string", "required (npy), \"y\" (npz)", "\"y\"", "npy: the `.npy` file of the targets; npz: name of their array";
        "channels-last", "boolean", "false", "true", "npy, npz: images are `(examples, height, width, channels)` rather than `(examples, channels, height, width)`";
        "size", "two integers", "required (image-folder)", "[32, 32]", "image-folder: height and width that images are resized to";
        "channels", "1 | 3", "3", "1", "image-folder: grey or colour";
        "context", "integer", "64", "64", "text: characters in a piece";
        "augment", "section", "none", "{ flip = true, crop = 2 }", "images: random changes, drawn anew at each step";
        "shape", "three integers", "none", "[1, 8, 8]", "csv, parquet: a row is an image of so many channels, rows and columns, channel by channel and row by row";
        "standardize", "boolean", "true (csv, parquet, npy, npz), false (other images)", "true", "shift and scale each feature, or each channel of images, to mean 0 and deviation 1 on the training part";
        "problem", "\"teacher-student\" | \"spirals\" | \"quadratic\"", "required (synthetic)", "\"spirals\"", "which made-up problem";
        "samples", "integer", "1024", "1024", "teacher-student, spirals: how many examples";
        "features", "integer", "16", "16", "teacher-student: input features";
        "hidden", "integer", "32", "32", "teacher-student: the teacher's hidden units; 0 for a linear teacher";
        "classes", "integer", "3", "3", "spirals: arms";
        "noise", "number", "0.1 (teacher-student), 0.05 (spirals), 0.0 (quadratic)", "0.1", "synthetic: standard deviation of the noise on the target, the position, or the minimum";
        "curvatures", "numbers", "required (quadratic), or `condition`", "[1.0, 10.0, 100.0]", "quadratic: the curvatures; plain SGD is stable below 2 / the largest";
        "condition", "number", "none", "100.0", "quadratic: largest over smallest curvature, instead of `curvatures`";
        "dimensions", "integer", "10", "10", "quadratic with `condition`: how many curvatures, evenly spaced in the logarithm";
        "max-curvature", "number", "1.0", "1.0", "quadratic with `condition`: the largest curvature";
        "data-seed", "integer", "0", "0", "synthetic: the seed the problem is made from";
        "held-out", "number", "0.2", "0.2", "share of the examples kept from training; not for the quadratic problem";
        "share", "number", "1.0", "0.1", "files but text: share of the examples that are used, drawn at random: where all would not fit in memory, or take long to read";
        "split-seed", "integer", "0", "0", "files: the seed of the share, of the split and of the label noise";
        "label-noise", "number", "0.0", "0.1", "share of the training labels replaced by a class drawn at random, the same for all trials; for classes only";
    }
    "data.augment" {
        "flip", "boolean", "false", "true", "flip half of the images from left to right";
        "crop", "integer", "0", "2", "shift each image by up to so many pixels in both directions, with zeros where nothing is left";
    }
    "model" {
        "kind", "\"linear\" | \"mlp\" | \"cnn\" | \"resnet\" | \"rnn\" | \"transformer\" | \"autoencoder\" | \"layers\" | \"quadratic\"", "required", "\"mlp\"", "the architecture, see [Models](#models); `layers` for a list of layers, `quadratic` for the quadratic problem's own parameters";
        "hidden", "integers", "[64, 64] (mlp), [64] (cnn), [32, 8] (autoencoder)", "[64, 64]", "mlp: units in each hidden layer; cnn: in each layer between convolutions and outputs, `[]` for none; autoencoder: in each layer down to the code";
        "channels", "integers", "[16, 32]", "[16, 32]", "cnn: channels of each stage; a stage ends with a pooling";
        "convolutions", "integer", "1", "1", "cnn: convolutions in each stage";
        "kernel", "integer", "3", "5", "cnn: height and width of the kernels; images are padded to keep their size if it is odd";
        "pool", "integer", "2", "2", "cnn: height and width of the max pooling that ends a stage; 1 for none";
        "batch-norm", "boolean", "false", "true", "cnn: a batch norm after each convolution";
        "blocks", "integer", "1", "1", "resnet: blocks in each of its three stages; 6 × `blocks` + 2 layers in all";
        "cell", "\"lstm\" | \"gru\"", "\"lstm\"", "\"gru\"", "rnn: what remembers";
        "width", "integer", "16 (resnet), 64 (rnn, transformer)", "32", "resnet: channels of the first stage; rnn: units of each layer; transformer: features of each position";
        "depth", "integer", "1 (rnn), 2 (transformer)", "2", "rnn: layers; transformer: blocks";
        "heads", "integer", "4", "4", "transformer: heads of the attention; divides `width`";
        "dropout", "number", "0.0", "0.1", "cnn, rnn, transformer: share of the values dropped in training";
        "layers", "layers", "required (layers)", "[\"flatten\", { kind = \"linear\", units = 64 }, \"relu\"]", "layers: the layers in order, each a name or a table of the keys of `[model.layers]`; an affine layer to the outputs follows by itself";
        "activation", "\"relu\" | \"tanh\" | \"gelu\" | \"silu\"", "\"relu\", \"gelu\" (transformer)", "\"relu\"", "mlp, cnn, transformer, autoencoder: activation of the hidden layers";
        "init", "\"he\" | \"xavier\" | \"pytorch\" | \"zeros\"", "\"zeros\" (linear), \"xavier\" (transformer, and with tanh), \"he\"", "\"he\"", "initial weights of affine layers and convolutions; `zeros` for linear models only; an rnn always begins as PyTorch's";
        "init-scale", "number", "1.0", "1.0", "all but linear and rnn: multiplies these initial weights";
        "init-from", "string", "none", "\"weights.safetensors\"", "all but quadratic: a safetensors file of weights to begin with, see [Models](#models)";
    }
    "model.layers" {
        "kind", "string", "required", "\"relu\"", "`linear`, `relu`, `tanh`, `gelu`, `silu`, `conv`, `max-pool`, `average-pool`, `global-average`, `batch-norm`, `layer-norm`, `dropout`, `flatten`, `rows`, `embedding`, `positions`, `attention`, `lstm`, `gru`, `last` or `residual`";
        "units", "integer", "required (linear, lstm, gru)", "64", "linear, lstm, gru: outputs at each position";
        "channels", "integer", "required (conv)", "16", "conv: channels out";
        "kernel", "integer", "3", "3", "conv: height and width of the kernel; on a sequence its length";
        "size", "integer", "2", "2", "max-pool, average-pool: height and width of a window; on a sequence its length";
        "stride", "integer", "1 (conv), `size` (pooling)", "2", "conv, max-pool, average-pool: from one window to the next";
        "padding", "integer", "`kernel` / 2 rounded down (conv), 0 (pooling)", "1", "conv, max-pool, average-pool: zeros added on every side; a maximum ignores them";
        "groups", "integer", "1", "1", "conv: groups of channels that know nothing of each other";
        "bias", "boolean", "true", "true", "conv: whether there is a bias";
        "share", "number", "0.5", "0.5", "dropout: share of the values dropped in training";
        "width", "integer", "64", "64", "embedding: length of a token's vector";
        "heads", "integer", "4", "4", "attention: heads";
        "causal", "boolean", "false", "false", "attention: a position sees itself and earlier ones only";
        "layers", "layers", "required (residual)", "[\"relu\"]", "residual: the layers whose outputs are added";
        "shortcut", "layers", "none", "[\"batch-norm\"]", "residual: layers on the other path, to fit its shape";
    }
    "command" {
        "run", "strings", "required", "[\"python\", \"train.py\", \"--lr\", \"{lr}\"]", "program and arguments, with placeholders; one string where `shell` is set";
        "shell", "boolean", "false", "false", "run the string `run` by `sh -c`";
        "send", "string", "none", "\"{lr} {seed} {steps}\"", "for a script that stays: the line, with placeholders, that it is sent for each trial once it has printed `ready`; `run` and `environment` then hold none but `{device}`";
        "directory", "string", "\".\"", "\"..\"", "where the script runs, relative to the config file";
        "environment", "table of strings", "none", "{ CUDA_VISIBLE_DEVICES = \"{device}\" }", "variables beside the inherited ones, with placeholders";
        "loss", "string or section", "\"plain\"", "{ kind = \"json\" }", "how a loss is read from a line: a name, or a table of the keys of `[command.loss]`";
        "stream", "\"stdout\" | \"stderr\" | \"both\"", "\"stdout\"", "\"stderr\"", "where losses are printed";
        "diverged", "strings", "none", "[\"NaN detected\"]", "texts by which a script that ends with an error says that training diverged";
        "timeout", "number", "none", "3600", "most seconds of a trial; one that takes longer has failed";
        "step-timeout", "number", "600", "60", "most seconds until the first loss, and from each to the next";
        "jobs", "integer", "devices, or cores up to 8", "2", "scripts at a time";
        "devices", "strings", "none", "[\"0\", \"1\"]", "what `{device}` stands for: the one with the fewest scripts";
        "threads", "integer", "cores / `jobs`", "1", "threads that a script is told to use, by `OMP_NUM_THREADS` and its like; `--jobs` does not change them";
        "depends", "strings", "files of the script's ending beside and below it", "[\"model.py\", \"data\"]", "files and folders that the script imports or reads, relative to `directory`: its trials run anew when their content changes";
    }
    "command.loss" {
        "kind", "\"plain\" | \"json\" | \"regex\" | \"csv\"", "required", "\"json\"", "see [How a loss is read](#how-a-loss-is-read)";
        "key", "string", "\"loss\"", "\"train.loss\"", "json: the key; dots lead into objects within";
        "pattern", "string", "required (regex)", "'loss (\\S+)'", "regex: an expression whose only group is the loss";
        "column", "string", "\"loss\"", "\"loss\"", "csv: the column, by its name in the first line";
    }
    "training" {
        "optimizer", "string or section", "\"sgd\"", "{ kind = \"sgd\", momentum = 0.9 }", "the update rule: its name, or a table of the keys of `[training.optimizer]`";
        "batch-size", "integer or \"full\"", "32", "32", "examples in a mini-batch; \"full\" or 0 for the whole training part";
        "accumulate", "integer", "1", "4", "parts of a mini-batch that are computed one after the other and averaged: a large `batch-size` in little memory";
        "epochs", "number", "100", "100", "passes through the training part that the long run will make; with `[command]` those that make up `iterations`, 1 unless told";
        "iterations", "integer", "none", "10000", "with `[command]`: steps of the planned run; without, no schedule is given";
        "learning-rate", "number", "none", "0.05", "the configured rate, which `check` judges";
        "schedule", "string or section", "\"linear\"", "{ kind = \"cosine\" }", "how the rate falls: a name, or a table of the keys of `[training.schedule]`";
        "label-smoothing", "number", "0.0", "0.1", "share of the target probability spread over all classes";
        "clip-norm", "number", "none", "1.0", "the gradient is scaled down to this Euclidean norm";
    }
    "training.optimizer" {
        "kind", "\"sgd\" | \"momentum\" | \"nesterov\" | \"adam\" | \"adamw\" | \"rmsprop\" | \"adagrad\" | \"lion\"", "\"sgd\"", "\"sgd\"", "the rule; `momentum` and `nesterov` are SGD with momentum 0.9";
        "momentum", "number", "0.0 (sgd, rmsprop), 0.9 (momentum, nesterov)", "0.9", "sgd, momentum, nesterov, rmsprop: share of the last update that is kept";
        "dampening", "number", "0.0", "0.0", "sgd, momentum: share of the gradient that does not enter the momentum";
        "nesterov", "boolean", "false", "true", "sgd: look ahead along the momentum";
        "beta1", "number", "0.9", "0.9", "adam, adamw, lion: decay of the gradient's average";
        "beta2", "number", "0.999 (adam, adamw), 0.99 (lion)", "0.999", "adam, adamw: decay of the squared gradient's average; lion: of the momentum";
        "epsilon", "number", "1e-8 (adam, adamw, rmsprop), 1e-10 (adagrad)", "1e-8", "adam, adamw, rmsprop, adagrad: added to the denominator";
        "alpha", "number", "0.99", "0.99", "rmsprop: decay of the squared gradient's average";
        "weight-decay", "number", "0.0, 0.01 (adamw)", "1e-4", "coefficient of the decay";
        "decoupled", "boolean", "true (adamw, lion), false", "true", "decay the weights beside the update rather than through the gradient";
    }
    "training.schedule" {
        "kind", "\"constant\" | \"linear\" | \"cosine\" | \"step\" | \"exponential\"", "\"linear\"", "\"linear\"", "the shape of the decay";
        "final-fraction", "number", "0.01, 0.0 (cosine)", "0.01", "linear, cosine, exponential: the last rate over the first";
        "decay-epochs", "number", "`epochs`", "100", "linear, cosine, exponential: epochs until the decay ends";
        "factor", "number", "0.1", "0.1", "step: the rate is multiplied by this at each step";
        "every-epochs", "number", "a third of `epochs`", "30", "step: epochs between steps";
        "warmup-iterations", "integer", "0", "500", "iterations of linear warm-up";
    }
    "search" {
        "range", "two numbers", "by optimizer", "[1e-5, 1.0]", "the rates of the first scan, lowest and highest";
        "extend", "boolean", "true", "true", "whether the search may leave the range";
        "iterations", "integer", "100", "100", "iterations of a short trial";
        "long-iterations", "integer", "4 × `iterations`, for short runs less", "400", "iterations of the longer trials that choose among promising rates";
        "seeds", "integer", "2", "3", "seeds of the trials";
        "first-seed", "integer", "0", "0", "the first seed";
        "resolution", "number", "0.1", "0.1", "width in decades down to which the instability threshold is bracketed";
        "safety", "number", "1.6", "2.0", "the recommendation stays this factor below the threshold";
        "check-margin", "number", "1.5", "1.5", "`check` wants this factor above the configured rate stable too";
        "budget", "integer", "none", "1000000", "most trial-iterations to spend";
    }
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_only_what_may_have_been_meant() {
        let names = || KEYS.iter().filter(|key| key.section == "training").map(|key| key.name);
        assert_eq!(similar("Batch_Size", names()), Some("batch-size"));
        assert_eq!(similar("lerning-rate", names()), Some("learning-rate"));
        assert_eq!(similar("ephocs", names()), Some("epochs"), "neighbours that changed places are one error");
        assert_eq!(similar("lr", names()), None);
        assert_eq!(similar("colour", names()), None);
        assert_eq!(similar(&"x".repeat(1_000_000), names()), None);
    }

    #[test]
    fn no_key_is_listed_twice() {
        for (index, key) in KEYS.iter().enumerate() {
            let first = KEYS.iter().position(|other| (other.section, other.name) == (key.section, key.name));
            assert_eq!(first, Some(index), "[{}] {}", key.section, key.name);
        }
    }

    #[test]
    fn the_reference_is_a_table_of_five_columns() {
        let text = reference();
        assert_eq!(text.lines().count(), KEYS.len() + 2);
        for line in text.lines() {
            assert_eq!(line.replace("\\|", "").matches('|').count(), 6, "{line}");
        }
        assert!(text.contains("| `[training]` | `batch-size` | integer or \"full\" | 32 |"));
    }
}
