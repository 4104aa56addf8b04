//! The `[model]` section: every architecture with its defaults, and what is wrong with a list of layers.

use std::path::Path;

use lrfind::config::{Activation, Cell, ConfigErrors, DataPlan, Init, LayerPlan, ModelPlan, Plan, Pooling, parse};

const IMAGES: &str = "[data]\nkind = \"csv\"\npath = \"a.csv\"\nshape = [1, 8, 8]\n[model]\n";

fn read(model: &str) -> Result<Plan, ConfigErrors> {
    parse(&format!("{IMAGES}{model}"), Path::new("configs/x.toml"))
}

fn model(text: &str) -> ModelPlan {
    read(text).unwrap_or_else(|errors| panic!("{errors}")).model
}

/// The only problem of a `[model]` section: its line in that section, and parts of what is said.
fn one_problem(text: &str, line: usize, message: &str, fix: &str) {
    let errors = read(text).unwrap_err();
    let [problem] = errors.problems.as_slice() else { panic!("not one problem: {errors}") };
    assert_eq!(problem.line, Some(5 + line), "{errors}");
    assert!(problem.message.contains(message) && problem.fix.contains(fix), "{message} / {fix}\nin\n{errors}");
}

#[test]
fn the_kind_alone_is_enough() {
    assert_eq!(
        model("kind = \"cnn\""),
        ModelPlan::Cnn {
            channels: vec![16, 32],
            convolutions: 1,
            kernel: 3,
            pool: 2,
            hidden: vec![64],
            batch_norm: false,
            dropout: 0.0,
            activation: Activation::Relu,
            init: Init::He,
            init_scale: 1.0,
        }
    );
    assert_eq!(model("kind = \"resnet\""), ModelPlan::Resnet { blocks: 1, width: 16, init: Init::He, init_scale: 1.0 });
    assert_eq!(model("kind = \"rnn\""), ModelPlan::Rnn { cell: Cell::Lstm, width: 64, depth: 1, dropout: 0.0 });
    assert_eq!(
        model("kind = \"transformer\""),
        ModelPlan::Transformer {
            width: 64,
            depth: 2,
            heads: 4,
            dropout: 0.0,
            activation: Activation::Gelu,
            init: Init::Xavier,
            init_scale: 1.0,
        }
    );
    assert_eq!(
        model("kind = \"autoencoder\""),
        ModelPlan::Autoencoder { hidden: vec![32, 8], activation: Activation::Relu, init: Init::He, init_scale: 1.0 }
    );
    for kind in ["linear", "mlp", "cnn", "resnet", "rnn", "transformer", "autoencoder"] {
        assert_eq!(model(&format!("kind = \"{kind}\"")).name(), kind);
    }
}

#[test]
fn a_convolutional_network_may_end_without_hidden_layers() {
    let ModelPlan::Cnn { hidden, .. } = model("kind = \"cnn\"\nhidden = []") else { panic!("a cnn") };
    assert_eq!(hidden, [0; 0]);
}

#[test]
fn layers_are_names_and_tables() {
    let text = "kind = \"layers\"\nlayers = [\"relu\", { kind = \"conv\", channels = 4, kernel = 5 }, { kind = \"max-pool\", size = 3 },\n\
                { kind = \"residual\", layers = [\"tanh\", { kind = \"gru\", units = 3 }], shortcut = [\"flatten\"] }]";
    let ModelPlan::Layers { layers, .. } = model(text) else { panic!("layers") };
    let activation = |function| LayerPlan::Activation { function };
    let expected = [
        activation(Activation::Relu),
        LayerPlan::Conv { channels: 4, kernel: 5, stride: 1, padding: 2, groups: 1, bias: true },
        LayerPlan::Pool { of: Pooling::Max, size: 3, stride: 3, padding: 0 },
        LayerPlan::Residual {
            layers: vec![activation(Activation::Tanh), LayerPlan::Recurrent { cell: Cell::Gru, units: 3 }],
            shortcut: vec![LayerPlan::Flatten],
        },
    ];
    assert_eq!(layers, expected);
}

#[test]
fn files_are_found_beside_the_config() {
    let plan = read("kind = \"mlp\"\ninit-from = \"w.safetensors\"").unwrap();
    assert_eq!(plan.init_from.unwrap().path, Path::new("configs/w.safetensors"));
    assert!(matches!(plan.data, DataPlan::Csv { shape: Some([1, 8, 8]), .. }));
}

#[test]
fn what_is_wrong_with_a_layer_is_said_where_it_stands() {
    let list = |layers: &str| format!("kind = \"layers\"\nlayers = [\n\"relu\",\n{layers},\n]");
    one_problem("kind = \"layers\"", 0, "[model] has no `layers`", "add");
    one_problem("kind = \"layers\"\nlayers = []", 2, "not empty", "write");
    one_problem(&list("\"rellu\""), 4, "`kind` in [model.layers] must be", "did you mean \"relu\"?");
    one_problem(&list("3"), 4, "an array of names and tables", "write");
    one_problem(&list("{ units = 3 }"), 4, "[model.layers] has no `kind`", "add");
    one_problem(&list("\"linear\""), 4, "[model.layers] has no `units`", "units = 64");
    one_problem(&list("{ kind = \"conv\", channels = 0 }"), 4, "from 1 to 65536, not the integer `0`", "channels = 16");
    one_problem(&list("{ kind = \"relu\", units = 3 }"), 4, "`units` has no use with kind = \"relu\"", "remove");
    one_problem(&list("{ kind = \"conv\", channels = 3, kernal = 3 }"), 4, "did you mean `kernel`?", "write `kernel`");
    one_problem(&list("{ kind = \"max-pool\", size = 2, padding = 2 }"), 4, "beside the image", "padding = 1");
    let mut nested = "\"relu\"".to_owned();
    for _ in 0..4 {
        nested = format!("{{ kind = \"residual\", layers = [{nested}] }}");
    }
    one_problem(&list(&nested), 4, "nested too deeply", "at most 3");
}

#[test]
fn problems_in_several_layers_come_at_once() {
    let errors = read("kind = \"layers\"\nlayers = [\n\"lin\",\n{ kind = \"lstm\" },\n{ kind = \"dropout\", share = 1 },\n]")
        .unwrap_err();
    let lines: Vec<_> = errors.problems.iter().map(|problem| problem.line.unwrap()).collect();
    assert_eq!(lines, [8, 9, 10], "{errors}");
}

#[test]
fn sizes_that_do_not_go_together() {
    one_problem("kind = \"transformer\"\nwidth = 30", 2, "4 heads cannot share 30 features evenly", "width = 32");
    one_problem("kind = \"transformer\"\nheads = 5", 2, "5 heads cannot share 64 features evenly", "width = 65");
    one_problem("kind = \"rnn\"\ninit = \"he\"", 2, "`init` has no use with kind = \"rnn\"", "remove");
    one_problem("kind = \"resnet\"\ninit = \"zeros\"", 2, "cannot learn", "init = \"he\"");
    let text = format!("{IMAGES}kind = \"mlp\"").replace("[1, 8, 8]", "[8, 8]");
    let errors = parse(&text, Path::new("x.toml")).unwrap_err();
    assert!(errors.to_string().contains("channels, height and width"), "{errors}");
}
