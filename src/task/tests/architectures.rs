//! Every architecture as a whole task.

use super::*;
use crate::config::{Cell, LayerPlan, ModelPlan, Pooling, WeightsFile};
use crate::task::architecture::{Outputs, blueprint};
use crate::task::batches::{Batch, Targets};
use crate::task::builder::Builder;
use crate::task::data::ExampleShape;
use crate::task::layers::Layer;
use crate::task::network::{Goal, Network};

/// The digits, as images of this shape.
fn digits(shape: Option<[usize; 3]>) -> DataPlan {
    DataPlan::Csv {
        path: concat!(env!("CARGO_MANIFEST_DIR"), "/configs/data/digits.csv.gz").into(),
        source: "data/digits.csv.gz".to_owned(),
        target: Column::Index(-1),
        task: TaskKind::Classification,
        header: None,
        shape,
        prepare: PreparePlan { standardize: true, held_out: 0.9, split_seed: 0, label_noise: 0.0, share: 1.0, augment: None },
    }
}

const HE: (Init, f64) = (Init::He, 1.0);

fn cnn(channels: &[usize], kernel: usize, hidden: &[usize], batch_norm: bool, dropout: f64) -> ModelPlan {
    ModelPlan::Cnn {
        channels: channels.to_vec(),
        convolutions: 1,
        kernel,
        pool: 2,
        hidden: hidden.to_vec(),
        batch_norm,
        dropout,
        activation: Activation::Relu,
        init: HE.0,
        init_scale: HE.1,
    }
}

fn resnet(width: usize) -> ModelPlan {
    ModelPlan::Resnet { blocks: 1, width, init: HE.0, init_scale: HE.1 }
}

fn rnn(cell: Cell, dropout: f64) -> ModelPlan {
    ModelPlan::Rnn { cell, width: 8, depth: 2, dropout }
}

fn transformer(dropout: f64) -> ModelPlan {
    ModelPlan::Transformer {
        width: 8,
        depth: 1,
        heads: 2,
        dropout,
        activation: Activation::Gelu,
        init: Init::Xavier,
        init_scale: 1.0,
    }
}

fn autoencoder() -> ModelPlan {
    ModelPlan::Autoencoder { hidden: vec![16, 4], activation: Activation::Tanh, init: Init::Xavier, init_scale: 1.0 }
}

fn listed(layers: Vec<LayerPlan>) -> ModelPlan {
    ModelPlan::Layers { layers, init: HE.0, init_scale: HE.1 }
}

fn conv(channels: usize, kernel: usize, stride: usize, groups: usize) -> LayerPlan {
    LayerPlan::Conv { channels, kernel, stride, padding: kernel / 2, groups, bias: true }
}

/// Every architecture, with the rate at which it is to learn.
fn models() -> Vec<(ModelPlan, f64)> {
    let list = vec![
        conv(4, 3, 1, 1),
        LayerPlan::BatchNorm,
        LayerPlan::Residual { layers: vec![conv(4, 3, 1, 2)], shortcut: Vec::new() },
        LayerPlan::Pool { of: Pooling::Average, size: 2, stride: 2, padding: 1 },
        LayerPlan::Dropout { share: 0.1 },
    ];
    vec![
        (cnn(&[4, 6], 3, &[16], false, 0.2), 0.05),
        (cnn(&[4], 5, &[], true, 0.0), 0.05),
        (resnet(2), 0.05),
        (rnn(Cell::Lstm, 0.1), 1.0),
        (rnn(Cell::Gru, 0.0), 0.5),
        (transformer(0.1), 0.1),
        (autoencoder(), 0.5),
        (listed(list), 0.05),
    ]
}

#[test]
fn a_lane_does_not_depend_on_its_neighbours_whatever_the_architecture() {
    for device in DEVICES {
        // Two channels, so that images are turned about on their way in and out.
        for (model, _) in models() {
            assert_lanes_do_not_matter(&Plan { device, ..plan(digits(Some([2, 8, 4])), model) });
        }
    }
}

#[test]
fn every_architecture_learns() {
    for (model, rate) in models() {
        let mut plan = plan(digits(Some([1, 8, 8])), model);
        plan.training.batch_size = 32;
        let task = build(&plan).unwrap();
        let mut run = task.start(&[spec(rate, 0)]).unwrap();
        let before = run.probe().unwrap()[0];
        for _ in 0..150 {
            run.step(&[rate]).unwrap();
        }
        let after = run.probe().unwrap()[0];
        assert!(after < 0.75 * before, "{}: {before} to {after}", task.facts().model);
    }
}

#[test]
fn a_resumed_trial_draws_the_same_masks() {
    for accumulate in [1, 3] {
        let mut plan = plan(digits(Some([1, 8, 8])), cnn(&[2], 3, &[8], false, 0.5));
        plan.training.accumulate = accumulate;
        let task = build(&plan).unwrap();
        let step = |run: &mut dyn Run| run.step(&[0.01]).unwrap()[0].to_bits();
        let mut whole = task.start(&[spec(0.01, 3)]).unwrap();
        for _ in 0..4 {
            step(whole.as_mut());
        }
        let mut resumed = task.resume(&[spec(0.01, 3)], &[whole.state(0).unwrap()], 4).unwrap();
        for _ in 0..3 {
            assert_eq!(step(whole.as_mut()), step(resumed.as_mut()));
        }
    }
}

#[test]
fn the_parts_of_a_batch_drop_values_of_their_own_whatever_is_beside_them() {
    let mut plan = plan(digits(Some([1, 8, 8])), cnn(&[2], 3, &[8], false, 0.5));
    let first = |plan: &Plan| build(plan).unwrap().start(&[spec(0.01, 3)]).unwrap().step(&[0.01]).unwrap()[0];
    let whole = first(&plan);
    plan.training.accumulate = 3;
    assert_ne!(first(&plan), whole, "other masks");
    assert_lanes_do_not_matter(&plan);
}

#[test]
fn facts_name_the_architecture_and_count_its_parameters() {
    // LeNet-5 (LeCun et al. 1998) as it is usually written down for 28 × 28 pixels, with padding in both convolutions.
    let lenet = [6 * 25 + 6, 16 * 6 * 25 + 16, 16 * 49 * 120 + 120, 120 * 84 + 84, 84 * 10 + 10];
    let outputs = Outputs { width: 10, per_position: false };
    let image = ExampleShape::Image { channels: 1, height: 28, width: 28 };
    let blueprint = blueprint(&cnn(&[6, 16], 5, &[120, 84], false, 0.0), image, 784, outputs).unwrap();
    let layers = Builder::new(blueprint.shape, Init::He, 1.0).chain(&blueprint.layers).unwrap();
    assert_eq!(
        layers.parameters().iter().map(super::super::model::ParameterSpec::size).sum::<usize>(),
        lenet.iter().sum::<usize>()
    );
    for (model, name) in [
        (cnn(&[4, 6], 3, &[16], true, 0.0), "CNN with 3 × 3 convolutions 4-6, batch norm, then 16-10, ReLU"),
        (resnet(2), "ResNet-8, 2 channels"),
        (rnn(Cell::Gru, 0.0), "GRU, 2 layers of 8 units"),
        (transformer(0.0), "transformer, 1 block of width 8, 2 heads"),
        (autoencoder(), "autoencoder 64-16-4-16-64, tanh"),
        (listed(vec![LayerPlan::Flatten]), "layers flatten, then 10"),
    ] {
        assert_eq!(build(&plan(digits(Some([1, 8, 8])), model)).unwrap().facts().model, name);
    }
}

#[test]
fn what_does_not_fit_is_refused_with_what_to_write_instead() {
    let image = Some([1, 8, 8]);
    let of = |shape, model| refusal(&plan(digits(shape), model));
    for (message, words) in [
        (of(None, resnet(2)), "write shape = [channels, height, width] in [data]"),
        (of(None, transformer(0.0)), "reads tokens or the rows of images, and this data has 64 features"),
        (of(Some([1, 8, 9]), resnet(2)), "images of 1 × 8 × 9 have 72: correct `shape`"),
        (
            of(image, cnn(&[2, 2, 2, 2], 3, &[], false, 0.0)),
            "layer 12 (max-pool), which gets an image of 2 × 1 × 1: a window of 2",
        ),
        (of(image, listed(vec![LayerPlan::Last])), "write \"rows\" before it"),
        (of(image, listed(vec![LayerPlan::Flatten, conv(2, 3, 1, 1)])), "layer 2 (conv), which gets 64 features"),
        (of(image, listed(vec![conv(3, 3, 1, 2)])), "2 groups cannot share 1 channels in and 3 out"),
        (of(image, listed(vec![LayerPlan::Embedding { width: 4 }])), "write kind = \"linear\" for numbers"),
        (
            of(image, listed(vec![LayerPlan::Residual { layers: vec![conv(2, 3, 2, 1)], shortcut: Vec::new() }])),
            "its layers give an image of 2 × 4 × 4, but what is added to them is an image of 1 × 8 × 8",
        ),
    ] {
        assert!(message.contains(words), "{message}");
    }
}

/// A language model on tokens.
fn language_model(model: &ModelPlan, context: usize, vocabulary: usize) -> Network {
    let shape = ExampleShape::Tokens { context, vocabulary };
    let blueprint = blueprint(model, shape, context, Outputs { width: vocabulary, per_position: true }).unwrap();
    let mut builder = Builder::new(blueprint.shape, blueprint.init, blueprint.init_scale);
    let layers = builder.chain(&blueprint.layers).unwrap();
    assert_eq!(builder.shape().positions(), (context, vocabulary));
    Network::new(layers, blueprint.shape, Goal::Targets { smoothing: 0.0 }, device::device(DeviceKind::Flex))
}

/// Two pieces of the text 0 1 2 0 1 2 …, of which each token tells the next.
fn text(change_last: bool) -> Batch {
    let mut inputs = vec![0.0, 1.0, 2.0, 0.0, 2.0, 0.0, 1.0, 2.0];
    if change_last {
        inputs[3] = 1.0;
    }
    Batch { examples: 2, inputs, targets: Targets::Classes(vec![1, 2, 0, 1, 0, 1, 2, 0]), draws: None }
}

#[test]
fn language_models_learn_what_comes_next() {
    for model in [rnn(Cell::Gru, 0.0), transformer(0.0), listed(vec![LayerPlan::Embedding { width: 6 }])] {
        let network = language_model(&model, 4, 3);
        let mut parameters = network.initial(1);
        let first = network.losses(&parameters, 1, text(false))[0];
        assert!((first - 3f64.ln()).abs() < 0.7, "{first} at the start, for three tokens alike");
        for _ in 0..300 {
            let (_, gradients) = network.differentiate(&parameters, 1, text(false));
            for (parameter, gradient) in parameters.iter_mut().flatten().zip(gradients.iter().flat_map(|own| own.iter())) {
                *parameter -= 0.3 * gradient;
            }
        }
        let last = network.losses(&parameters, 1, text(false))[0];
        assert!(last < 0.2 * first, "{model:?}: {first} to {last}");
    }
}

#[test]
fn a_decoder_does_not_look_ahead() {
    for model in [rnn(Cell::Lstm, 0.0), transformer(0.0)] {
        let network = language_model(&model, 4, 3);
        let parameters = network.initial(2);
        // Only the last token of the first piece is another, so only the loss at its place may change.
        let at = |change: bool, place: usize| {
            let mut batch = text(change);
            // How the loss moves with the right answer at a place tells of the outputs there, and of no others.
            let Targets::Classes(labels) = &mut batch.targets else { unreachable!("tokens are classes") };
            labels[place] = (labels[place] + 1) % 3;
            network.losses(&parameters, 1, batch)[0] - network.losses(&parameters, 1, text(change))[0]
        };
        for place in 0..3 {
            assert!((at(false, place) - at(true, place)).abs() < 1e-6, "{model:?}: position {place} sees position 3");
        }
        assert!((at(false, 3) - at(true, 3)).abs() > 1e-6, "{model:?}: position 3 sees itself");
    }
}

#[test]
fn training_goes_on_from_weights_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let bias: Vec<u8> = (0..10).flat_map(|class| (class as f32).to_le_bytes()).collect();
    let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![10], &bias).unwrap();
    std::fs::write(&path, safetensors::serialize([("0.bias", view)], None).unwrap()).unwrap();
    let mut plan = plan(digits(None), ModelPlan::Linear { init: Init::Zeros });
    plan.init_from = Some(WeightsFile { path, source: String::new() });
    let task = build(&plan).unwrap();
    assert_eq!(task.model.initial(1)[1], (0..10u8).map(f32::from).collect::<Vec<f32>>());
    assert!(task.facts().notes.iter().any(|note| note.code == "weights-missing" && note.message.contains("0.weight")));
}
