//! What is trained: the same models for both sides, on made-up data of the right shape.

use std::io::Write;
use std::path::Path;

/// One case. `trials.py` knows its model under the same name.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// For a person.
    pub(crate) label: &'static str,
    /// `[model]` and `[training]`.
    model: &'static str,
    data: Data,
    /// Trials of one round, and the steps of each.
    pub(crate) trials: u32,
    pub(crate) iterations: u32,
    /// Floating-point operations in the matrix products and convolutions of a step.
    pub(crate) operations: f64,
}

/// The shape of an example.
enum Data {
    /// So many features.
    Table(usize),
    /// Channels, height and width.
    Images([usize; 3]),
    /// Characters in a piece.
    Text(usize),
}

const EXAMPLES: usize = 1280;

/// Operations of a step on a batch, given the weights that take part in one example, each as often as it is used. A product of
/// `[a, b]` and `[b, c]` takes 2abc operations: with the outputs, with the slopes in the weights and, except where nothing before
/// can be trained, with the slopes in the inputs.
const fn operations(batch: f64, first: f64, others: f64) -> f64 {
    2.0 * batch * (2.0 * first + 3.0 * others)
}

/// Windows × weights of a window.
const LENET: f64 = operations(64.0, 784.0 * 25.0 * 6.0, 196.0 * 150.0 * 16.0 + 784.0 * 120.0 + 120.0 * 84.0 + 84.0 * 10.0);

/// The three blocks; the last two have a convolution in their shortcut.
const RESNET: f64 = operations(
    32.0,
    1024.0 * 27.0 * 16.0,
    2.0 * 1024.0 * 144.0 * 16.0 + 256.0 * (144.0 + 288.0 + 16.0) * 32.0 + 64.0 * (288.0 + 576.0 + 32.0) * 64.0 + 640.0,
);

/// A position of 64 features: what it is projected onto, what it takes from itself and those before (32.5 on average) by two
/// products, and the layers of 256 between; two times, then the 65 characters.
const TRANSFORMER: f64 =
    operations(16.0 * 64.0, 0.0, 2.0 * (64.0 * (192.0 + 64.0) + 2.0 * 32.5 * 64.0 + 2.0 * 64.0 * 256.0) + 64.0 * 65.0);

/// 28 rows onto four gates of 64 numbers, and 64 numbers from row to row.
const LSTM: f64 = operations(32.0, 28.0 * 28.0 * 256.0, 28.0 * 64.0 * 256.0 + 640.0);

pub(crate) const CASES: [Case; 7] = [
    Case {
        name: "logistic",
        label: "softmax regression 64-10, batch 32",
        model: "[model]\nkind = \"linear\"\n[training]\noptimizer = \"momentum\"\nbatch-size = 32\n",
        data: Data::Table(64),
        trials: 32,
        iterations: 200,
        operations: operations(32.0, 64.0 * 10.0, 0.0),
    },
    Case {
        name: "digits-mlp",
        label: "MLP 64-64-10, batch 32",
        model: "[model]\nkind = \"mlp\"\nhidden = [64]\n[training]\noptimizer = \"momentum\"\nbatch-size = 32\n",
        data: Data::Table(64),
        trials: 32,
        iterations: 100,
        operations: operations(32.0, 64.0 * 64.0, 64.0 * 10.0),
    },
    Case {
        name: "mnist-mlp",
        label: "MLP 784-256-128-10, batch 64",
        model: "[model]\nkind = \"mlp\"\nhidden = [256, 128]\n[training]\noptimizer = \"momentum\"\nbatch-size = 64\n",
        data: Data::Table(784),
        trials: 8,
        iterations: 50,
        operations: operations(64.0, 784.0 * 256.0, 256.0 * 128.0 + 128.0 * 10.0),
    },
    Case {
        name: "lenet",
        label: "LeNet on 28 × 28, batch 64",
        model: "[model]\nkind = \"cnn\"\nchannels = [6, 16]\nkernel = 5\nhidden = [120, 84]\n\
                [training]\noptimizer = \"momentum\"\nbatch-size = 64\n",
        data: Data::Images([1, 28, 28]),
        trials: 4,
        iterations: 25,
        operations: LENET,
    },
    Case {
        name: "resnet-8",
        label: "ResNet-8 on 3 × 32 × 32, batch 32",
        model: "[model]\nkind = \"resnet\"\nwidth = 16\n[training]\noptimizer = \"momentum\"\nbatch-size = 32\n",
        data: Data::Images([3, 32, 32]),
        trials: 2,
        iterations: 20,
        operations: RESNET,
    },
    Case {
        name: "transformer",
        label: "character transformer, 2 × 64, context 64, batch 16",
        model: "[model]\nkind = \"transformer\"\nwidth = 64\ndepth = 2\nheads = 4\n\
                [training]\noptimizer = \"adamw\"\nbatch-size = 16\n",
        data: Data::Text(64),
        trials: 4,
        iterations: 20,
        operations: TRANSFORMER,
    },
    Case {
        name: "lstm",
        label: "LSTM of 64 on 28 rows of 28, batch 32",
        model: "[model]\nkind = \"rnn\"\nwidth = 64\n[training]\noptimizer = \"adam\"\nbatch-size = 32\n",
        data: Data::Images([1, 28, 28]),
        trials: 16,
        iterations: 20,
        operations: LSTM,
    },
];

impl Case {
    /// The config; its data are written to `folder`.
    pub(crate) fn config(&self, folder: &Path) -> std::io::Result<String> {
        let data = match self.data {
            Data::Text(context) => {
                let text: String = (0..EXAMPLES * context).map(|i| char::from(b'!' + (noise(i) % 65) as u8)).collect();
                std::fs::write(folder.join("text"), text)?;
                format!("kind = \"text\"\npath = \"text\"\ncontext = {context}\nheld-out = 0\n")
            }
            Data::Table(features) => arrays(folder, &[features])?,
            Data::Images(shape) => arrays(folder, &shape)?,
        };
        Ok(format!("[data]\n{data}{}", self.model))
    }
}

/// Inputs between -1 and 1 and ten classes.
fn arrays(folder: &Path, shape: &[usize]) -> std::io::Result<String> {
    let axes = shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let count = EXAMPLES * shape.iter().product::<usize>();
    let inputs = (0..count).flat_map(|i| (noise(i) as f32 / u32::MAX as f32 * 2.0 - 1.0).to_le_bytes());
    npy(&folder.join("x.npy"), "<f4", &axes, &inputs.collect::<Vec<u8>>())?;
    let classes = (0..EXAMPLES).map(|i| (i % 10) as u8);
    npy(&folder.join("y.npy"), "|u1", "", &classes.collect::<Vec<u8>>())?;
    Ok("kind = \"npy\"\npath = \"x.npy\"\ntargets = \"y.npy\"\nheld-out = 0\n".to_owned())
}

/// Version 1.0 of NumPy's format.
fn npy(path: &Path, kind: &str, axes: &str, bytes: &[u8]) -> std::io::Result<()> {
    let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({EXAMPLES}, {axes}), }}");
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut file = std::fs::File::create(path)?;
    file.write_all(b"\x93NUMPY\x01\x00")?;
    file.write_all(&(header.len() as u16).to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    file.write_all(bytes)
}

/// Something irregular (Knuth's multiplicative hash, twice).
fn noise(i: usize) -> u32 {
    let mixed = (i as u32).wrapping_add(1).wrapping_mul(2_654_435_761);
    (mixed ^ (mixed >> 15)).wrapping_mul(2_246_822_519)
}
