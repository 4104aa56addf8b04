//! What a config may hold, what it means, and what is said about the ones that are wrong.

use std::path::{Path, PathBuf};

use lrfind::config::{
    Activation, Column, ConfigErrors, DataPlan, DeviceKind, Init, ModelPlan, Plan, PreparePlan, SyntheticPlan, TaskKind,
    UpdateRule, load, parse,
};
use lrfind::schedule::Decay;

const CSV: &str = "[data]\nkind = \"csv\"\npath = \"a.csv\"\n";
const SPIRALS: &str = "[data]\nkind = \"synthetic\"\nproblem = \"spirals\"\n";
const QUADRATIC: &str = "[data]\nkind = \"synthetic\"\nproblem = \"quadratic\"\n";
const TEACHER: &str = "[data]\nkind = \"synthetic\"\nproblem = \"teacher-student\"\n";
const MLP: &str = "[model]\nkind = \"mlp\"\n";

fn read(text: &str) -> Result<Plan, ConfigErrors> {
    parse(text, Path::new("configs/x.toml"))
}

fn plan(text: &str) -> Plan {
    read(text).unwrap_or_else(|errors| panic!("{text}\n{errors}"))
}

/// A plan for these `[training]` lines.
fn training(lines: &str) -> Plan {
    plan(&format!("{SPIRALS}{MLP}[training]\n{lines}"))
}

fn rule(optimizer: &str) -> UpdateRule {
    training(&format!("optimizer = {optimizer}\n")).training.optimizer.rule
}

/// One problem is expected: on this line, with this in its message and that in its fix.
fn one_problem(text: &str, line: usize, message: &str, fix: &str) {
    let errors = read(text).expect_err(text);
    assert_eq!(errors.problems.len(), 1, "{text}\n{errors}");
    let problem = &errors.problems[0];
    assert_eq!(problem.line, Some(line), "{text}\n{errors}");
    assert!(problem.message.contains(message), "{message} in\n{errors}");
    assert!(problem.fix.contains(fix), "{fix} in\n{errors}");
}

#[test]
fn every_example_loads_under_its_own_name() {
    let mut seen = 0;
    for entry in std::fs::read_dir("configs").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let plan = load(&path).unwrap_or_else(|errors| panic!("{errors}"));
            assert_eq!(Some(plan.name.as_str()), path.file_stem().unwrap().to_str());
            assert!(plan.training.learning_rate.is_some(), "{}: nothing for `check` to judge", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 6);
}

#[test]
fn the_shortest_config_gets_the_defaults() {
    let plan = plan(&format!("{CSV}{MLP}"));
    assert_eq!((plan.name.as_str(), plan.device), ("x", DeviceKind::Flex));
    let data = DataPlan::Csv {
        path: PathBuf::from("configs/a.csv"),
        source: "a.csv".to_owned(),
        target: Column::Index(-1),
        task: TaskKind::Classification,
        header: None,
        shape: None,
        prepare: PreparePlan { standardize: true, held_out: 0.2, split_seed: 0, label_noise: 0.0, share: 1.0, augment: None },
    };
    assert_eq!(plan.data, data);
    let model = ModelPlan::Mlp { hidden: vec![64, 64], activation: Activation::Relu, init: Init::He, init_scale: 1.0 };
    assert_eq!(plan.model, model);
    assert_eq!(plan.training.optimizer.rule, UpdateRule::Sgd { momentum: 0.0, dampening: 0.0, nesterov: false });
    assert_eq!((plan.training.batch_size, plan.training.epochs), (32, 100.0));
    assert_eq!(plan.training.decay, Decay::Linear { final_fraction: 0.01 });
    assert_eq!((plan.training.learning_rate, plan.training.learning_rate_line), (None, None));
    assert_eq!((plan.search.range.low().get(), plan.search.range.high().get()), (1e-3, 10.0));
    assert_eq!((plan.search.iterations, plan.search.long_iterations, plan.search.seeds), (100, None, 2));
    assert_eq!((plan.search.safety, plan.search.check_margin, plan.search.budget), (1.6, 1.5, None));
}

#[test]
fn optimizers_get_their_own_constants() {
    assert_eq!(rule("\"momentum\""), UpdateRule::Sgd { momentum: 0.9, dampening: 0.0, nesterov: false });
    assert_eq!(rule("{ kind = \"nesterov\" }"), UpdateRule::Sgd { momentum: 0.9, dampening: 0.0, nesterov: true });
    assert_eq!(rule("{ momentum = 0.5, dampening = 0.1 }"), UpdateRule::Sgd { momentum: 0.5, dampening: 0.1, nesterov: false });
    assert_eq!(rule("\"adam\""), UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
    assert_eq!(rule("\"rmsprop\""), UpdateRule::RmsProp { alpha: 0.99, epsilon: 1e-8, momentum: 0.0 });
    assert_eq!(rule("\"adagrad\""), UpdateRule::Adagrad { epsilon: 1e-10 });
    assert_eq!(rule("\"lion\""), UpdateRule::Lion { beta1: 0.9, beta2: 0.99 });
    for (name, decay, decoupled) in [("sgd", 0.0, false), ("adam", 0.0, false), ("adamw", 0.01, true), ("lion", 0.0, true)] {
        let optimizer = training(&format!("optimizer = \"{name}\"\n")).training.optimizer;
        assert_eq!((optimizer.weight_decay, optimizer.decoupled), (decay, decoupled), "{name}");
        assert_eq!(optimizer.name(), name);
    }
}

#[test]
fn the_default_range_follows_the_optimizer() {
    for (optimizer, low, high) in [
        ("sgd", 1e-3, 10.0),
        ("momentum", 1e-4, 1.0),
        ("adamw", 1e-5, 1.0),
        ("rmsprop", 1e-5, 0.3),
        ("adagrad", 1e-3, 10.0),
        ("lion", 1e-6, 0.1),
    ] {
        let range = training(&format!("optimizer = \"{optimizer}\"\n")).search.range;
        assert_eq!((range.low().get(), range.high().get()), (low, high), "{optimizer}");
    }
}

#[test]
fn schedules_get_their_own_defaults() {
    let decay = |schedule: &str| training(&format!("epochs = 60\nschedule = {schedule}\n")).training.decay;
    assert_eq!(decay("\"constant\""), Decay::Constant);
    assert_eq!(decay("\"cosine\""), Decay::Cosine { final_fraction: 0.0 });
    assert_eq!(decay("\"exponential\""), Decay::Exponential { final_fraction: 0.01 });
    assert_eq!(decay("\"step\""), Decay::Step { factor: 0.1, every_epochs: 20.0 });
    assert_eq!(decay("{ final-fraction = 0 }"), Decay::Linear { final_fraction: 0.0 });
    let plan = training("[training.schedule]\nkind = \"cosine\"\ndecay-epochs = 50\nwarmup-iterations = 1_000\n").training;
    assert_eq!((plan.decay_epochs, plan.warmup_iterations), (Some(50.0), 1000));
}

#[test]
fn values_may_be_written_in_more_than_one_way() {
    assert_eq!(training("batch-size = \"full\"\n").training.batch_size, 0);
    assert_eq!(training("batch-size = 0x40\n").training.batch_size, 64);
    assert_eq!(training("epochs = 1e2\n"), training("epochs = 100\n"));
    let plan = training("\n# comment\nlearning-rate = 1\n").training;
    assert_eq!((plan.learning_rate.map(f64::from), plan.learning_rate_line), (Some(1.0), Some(9)));
    let named = plan_of_target("\"price\"");
    assert!(matches!(named, DataPlan::Csv { target: Column::Name(name), .. } if name == "price"));
    assert!(matches!(plan_of_target("3"), DataPlan::Csv { target: Column::Index(3), .. }));
    assert_eq!(read(&format!("\u{feff}{CSV}{MLP}")), read(&format!("{CSV}{MLP}").replace('\n', "\r\n")));
}

fn plan_of_target(target: &str) -> DataPlan {
    plan(&format!("{CSV}target = {target}\n{MLP}")).data
}

#[test]
fn a_quadratic_needs_no_model_and_may_be_given_by_its_condition() {
    let curvatures = |text: &str| match plan(&format!("{QUADRATIC}{text}")) {
        Plan { data: DataPlan::Synthetic { problem: SyntheticPlan::Quadratic { curvatures, .. }, .. }, model, .. } => {
            assert_eq!(model, ModelPlan::Quadratic);
            curvatures
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(curvatures("curvatures = [1, 2.5]\n"), [1.0, 2.5]);
    assert_eq!(curvatures("curvatures = [1]\n[model]\nkind = \"quadratic\"\n"), [1.0]);
    assert_eq!(curvatures("condition = 4\ndimensions = 3\nmax-curvature = 8\n"), [2.0, 4.0, 8.0]);
    assert_eq!(curvatures("condition = 100\n").len(), 10);
}

#[test]
fn several_problems_come_at_once_in_the_order_of_the_file() {
    let text = "\
nmae = \"x\"
[data]
kind = \"csv\"
target = 1.5
[model]
kind = \"mlpp\"
[training]
lerning-rate = 0.1
batch-size = \"a\"
optimizer = { kind = \"adam\", momentum = 0.9 }
[serach]
";
    let errors = read(text).unwrap_err();
    let lines: Vec<_> = errors.problems.iter().map(|problem| problem.line.unwrap()).collect();
    assert_eq!(lines, [1, 2, 4, 6, 8, 9, 10, 11], "{errors}");
    let shown = errors.to_string();
    for part in [
        "configs/x.toml:8:1: unknown key `lerning-rate` in [training]; did you mean `learning-rate`?\n  \
         | lerning-rate = 0.1\n  | ^^^^^^^^^^^^\n  fix: write `learning-rate`",
        "configs/x.toml:9:14: `batch-size` in [training] must be an integer, or \"full\", not the string `\"a\"`",
        "configs/x.toml:10:30: `momentum` has no use with kind = \"adam\" in [training.optimizer]",
        "did you mean \"mlp\"?",
        "unknown section [serach]; did you mean [search]?",
        "[data] has no `path`",
    ] {
        assert!(shown.contains(part), "{part}\nin\n{shown}");
    }
}

#[test]
fn nothing_at_all_lacks_data_and_model() {
    let errors = read("").unwrap_err();
    let messages: Vec<_> = errors.problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(messages, ["there is no [data] section", "there is no [model] section"]);
    assert!(errors.problems.iter().all(|problem| problem.line.is_none()));
}

#[test]
fn keys_out_of_place() {
    let with = |training: &str| format!("{SPIRALS}{MLP}[training]\n{training}");
    one_problem(&with("momentum = 0.9"), 7, "belongs in [training.optimizer]", "move it to [training.optimizer]");
    one_problem(&with("Learning_Rate = 0.9"), 7, "did you mean `learning-rate`?", "write `learning-rate`");
    one_problem(&with("zzz = 1"), 7, "unknown key `zzz` in [training]", "the keys here are `optimizer`, `batch-size`");
    one_problem(&with("schedule = { warmup-epochs = 5 }"), 7, "unknown key `warmup-epochs`", "`warmup-iterations`");
    one_problem(&with("schedule = { kind = \"constant\", decay-epochs = 5 }"), 7, "no use with kind = \"constant\"", "remove");
    one_problem(&with("optimizer = { kind = \"momentum\", nesterov = true }"), 7, "`nesterov` has no use", "remove");
    one_problem(&format!("epochs = 3\n{SPIRALS}{MLP}"), 1, "it belongs in [training]", "move");
    one_problem(&format!("{SPIRALS}path = \"a\"\n{MLP}"), 4, "`path` has no use", "remove it; the keys here are `kind`");
    one_problem(&format!("{QUADRATIC}curvatures = [1]\nheld-out = 0.1"), 5, "`held-out` has no use", "remove");
    one_problem(&format!("{SPIRALS}[model]\nkind = \"linear\"\nhidden = [3]"), 6, "no use with kind = \"linear\"", "remove");
}

#[test]
fn values_of_the_wrong_type() {
    let with = |training: &str| format!("{SPIRALS}{MLP}[training]\n{training}");
    one_problem(&with("epochs = \"many\""), 7, "must be a number above 0, up to 1e6, not the string", "`epochs = 100`");
    one_problem(&with("batch-size = 3.5"), 7, "not the float `3.5`", "`batch-size = 32`");
    one_problem(&with("learning-rate = [0.1]"), 7, "not the array `[0.1]`", "`learning-rate = 0.05`");
    one_problem(&with("learning-rate = 1979-05-27"), 7, "not the datetime", "write");
    one_problem(&with("optimizer = 3"), 7, "`optimizer` in [training] must be a name or a table", "momentum = 0.9");
    one_problem(&with("optimizer = \"asdf\""), 7, "must be \"sgd\" or \"momentum\"", "write \"sgd\"");
    one_problem(&with("optimizer = { kind = 1 }"), 7, "not the integer `1`", "write");
    one_problem(&format!("search = 1\n{SPIRALS}{MLP}"), 1, "must be a section", "search = {");
    one_problem(&format!("data = 1\n{MLP}"), 1, "`data` in the top level must be a section", "data = {");
    one_problem(&format!("{SPIRALS}[[model]]\nkind = \"mlp\""), 4, "must be a section", "model = {");
    one_problem(&format!("{CSV}header = \"no\"\n{MLP}"), 4, "must be true or false", "`header = true`");
    one_problem(&format!("{CSV}target = true\n{MLP}"), 4, "a column's position or its name", "`target = -1`");
    one_problem(&format!("[data]\nkind = \"csv\"\npath = \" \"\n{MLP}"), 3, "a string that is not empty", "path = ");
}

#[test]
fn numbers_out_of_range() {
    let with = |training: &str| format!("{SPIRALS}{MLP}[training]\n{training}");
    one_problem(&with("learning-rate = 0"), 7, "a number from 1e-12 to 1e12", "write");
    one_problem(&with("learning-rate = nan"), 7, "not the float `nan`", "write");
    one_problem(&with("epochs = inf"), 7, "not the float `inf`", "write");
    one_problem(&with("epochs = 1e999"), 7, "not the float `1e999`", "write");
    one_problem(&with("batch-size = -1"), 7, "from 0 to 1000000000, not the integer `-1`", "write");
    one_problem(&with("batch-size = 99999999999999999999999999999999999999999999"), 7, "not the integer", "write");
    one_problem(&with("label-smoothing = 1"), 7, "of at least 0 and below 1", "write");
    one_problem(&with("clip-norm = 0"), 7, "above 0", "clip-norm = 1.0");
    one_problem(&with("optimizer = { momentum = 1.0 }"), 7, "of at least 0 and below 1", "momentum = 0.9");
    one_problem(&format!("{SPIRALS}{MLP}[search]\nseeds = 65"), 7, "an integer from 1 to 64", "seeds = 3");
    one_problem(&format!("{SPIRALS}{MLP}[search]\niterations = 9"), 7, "from 10 to 100000", "iterations = 100");
    one_problem(&format!("{SPIRALS}{MLP}[search]\ncheck-margin = 1"), 7, "above 1", "check-margin = 1.5");
    one_problem(&format!("{SPIRALS}{MLP}[search]\nbudget = 0"), 7, "from 1 to", "budget = ");
    one_problem(&format!("{SPIRALS}{MLP}[search]\nrange = [1.0, 0.1]"), 7, "not below its end", "range = [0.1, 1]");
    one_problem(&format!("{SPIRALS}{MLP}[search]\nrange = [1.0]"), 7, "two numbers", "range = [1e-5, 1.0]");
    one_problem(&format!("{SPIRALS}{MLP}[search]\nrange = []"), 7, "not empty", "range = [1e-5, 1.0]");
    one_problem(&format!("{CSV}held-out = 1\n{MLP}"), 4, "of at least 0 and below 1", "held-out = 0.2");
}

#[test]
fn sizes_beyond_reason() {
    let mlp = |hidden: &str| format!("{SPIRALS}{MLP}hidden = {hidden}");
    one_problem(&mlp("[]"), 6, "not empty", "hidden = [64, 64]");
    one_problem(&mlp("[64, 0]"), 6, "from 1 to 65536, not the integer `0`", "write");
    one_problem(&mlp("[65537]"), 6, "from 1 to 65536", "write");
    one_problem(&mlp("[65536, 65536]"), 6, "4294967296 weights", "at most 100000000");
    one_problem(&mlp(&format!("{:?}", vec![1; 101])), 6, "101 layers in `hidden` are too many", "at most 100");
    one_problem(&format!("{TEACHER}samples = 1_000_000\nfeatures = 1000\n{MLP}"), 4, "too many to hold", "at or below");
    one_problem(&format!("{SPIRALS}samples = 2\n{MLP}"), 4, "2 samples cannot cover 3 classes", "samples = 300");
    one_problem(&format!("{QUADRATIC}condition = 1e12"), 4, "smallest curvature", "lower `condition`");
}

#[test]
fn keys_that_contradict_each_other() {
    let with = |optimizer: &str| format!("{SPIRALS}{MLP}[training]\noptimizer = {optimizer}");
    one_problem(&with("{ nesterov = true }"), 7, "needs a momentum above 0", "momentum = 0.9");
    one_problem(&with("{ nesterov = true, momentum = 0.9, dampening = 0.1 }"), 7, "without dampening", "dampening = 0");
    one_problem(&with("{ dampening = 0.1 }"), 7, "dampening does nothing without momentum", "momentum = 0.9");
    one_problem(&with("{ kind = \"adamw\", decoupled = false }"), 7, "decoupled weight decay", "kind = \"adam\"");
    one_problem(&format!("{CSV}header = false\ntarget = \"y\"\n{MLP}"), 4, "names a column", "header = true");
    one_problem(&format!("{SPIRALS}{MLP}init = \"zeros\""), 6, "cannot learn", "init = \"he\"");
    one_problem(&format!("{SPIRALS}{MLP}[search]\nlong-iterations = 50"), 7, "shorter than a short one", "= 400");
    one_problem(&format!("{TEACHER}{MLP}[training]\nlabel-smoothing = 0.1"), 7, "is for classes", "remove");
    one_problem(&format!("{CSV}task = \"regression\"\nlabel-noise = 0.1\n{MLP}"), 5, "is for classes", "remove");
    one_problem(&format!("{SPIRALS}{MLP}[training]\nbatch-size = 8\naccumulate = 9"), 8, "in 9 parts", "accumulate = 8");
    one_problem(&format!("{CSV}label-noise = 1.5\n{MLP}"), 4, "from 0 to 1", "label-noise = 0.1");
    one_problem(&format!("{QUADRATIC}curvatures = [1]\n{MLP}"), 6, "brings its own parameters", "remove [model]");
    one_problem(&format!("{SPIRALS}[model]\nkind = \"quadratic\""), 5, "only be trained on the quadratic", "kind = \"mlp\"");
    one_problem(&format!("{QUADRATIC}curvatures = [1]\ncondition = 3"), 5, "both say what the curvatures are", "remove");
    one_problem(&format!("{QUADRATIC}condition = 3\ndimensions = 1"), 5, "no condition but 1", "dimensions = 2");
    one_problem(QUADRATIC, 1, "[data] has no `curvatures`", "curvatures = [1.0, 10.0, 100.0]");
    one_problem(&format!("name = \"a/b\"\n{SPIRALS}{MLP}"), 1, "cannot name a report folder", "name = \"a-b\"");
}

#[test]
fn a_syntax_error_comes_alone_with_its_place() {
    one_problem("name = \"x\"\n[data\nkind = 1", 2, "not valid TOML", "mend the syntax");
    one_problem("[data]\nkind = \"csv\"\nkind = \"idx\"", 3, "duplicate key", "mend");
    one_problem("x = ", 1, "not valid TOML", "mend");
}

#[test]
fn files_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let says = |path: &Path, part: &str| {
        let errors = load(path).unwrap_err();
        let shown = errors.to_string();
        assert!(shown.starts_with(&path.display().to_string()) && shown.contains(part), "{part} in\n{shown}");
    };
    says(&folder.path().join("none.toml"), "cannot read the config");
    says(&folder.path().join("none.toml"), "lrfind init");
    says(folder.path(), "this is a folder");
    let path = folder.path().join("x.toml");
    std::fs::write(&path, b"name = \"x\"\nb = \"\xff\"").unwrap();
    says(&path, "not UTF-8 text (line 2)");
    std::fs::write(&path, vec![b'#'; 2 << 20]).unwrap();
    says(&path, "longer than 1 MiB");
}
