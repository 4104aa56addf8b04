//! The documented keys are the accepted ones, and no text whatever makes the parser panic.

use std::path::Path;

use lrfind::config::{Config, ConfigErrors, Key, keys, parse_any};

fn read(text: &str) -> Result<Config, ConfigErrors> {
    parse_any(text, Path::new("configs/x.toml"))
}

/// One config for each kind of section, with every key that goes with it.
const COMPLETE: [&str; 25] = [
    "name = \"a\"\ndevice = \"ndarray\"\n[data]\nkind = \"csv\"\npath = \"a\"\ntarget = -1\ntask = \"regression\"\nheader = true\nshape = [1, 8, 8]\n\
     standardize = true\nheld-out = 0.2\nshare = 0.5\nsplit-seed = 0\n[model]\nkind = \"linear\"\ninit = \"he\"\n[training]\n\
     optimizer = { kind = \"sgd\", momentum = 0.9, dampening = 0.0, nesterov = true, weight-decay = 1e-4, decoupled = true }\n\
     batch-size = 32\naccumulate = 4\nepochs = 100\nlearning-rate = 0.05\nclip-norm = 1.0\n\
     schedule = { kind = \"linear\", final-fraction = 0.01, decay-epochs = 100, warmup-iterations = 500 }\n[search]\n\
     range = [1e-5, 1.0]\nextend = true\niterations = 100\nlong-iterations = 400\nseeds = 3\nfirst-seed = 0\n\
     resolution = 0.02\nsafety = 2.0\ncheck-margin = 1.5\nbudget = 1000000\n",
    "[data]\nkind = \"idx\"\nimages = \"a\"\nlabels = \"b\"\nlabel-noise = 0.1\n[model]\nkind = \"mlp\"\nhidden = [8]\nactivation = \"relu\"\n\
     init = \"he\"\ninit-scale = 1.0\ninit-from = \"a\"\n[training]\nlabel-smoothing = 0.1\nschedule = { kind = \"step\", factor = 0.1, every-epochs = 30 }\n",
    "[data]\nkind = \"synthetic\"\nproblem = \"teacher-student\"\nsamples = 9\nfeatures = 16\nhidden = 32\nnoise = 0.1\n\
     data-seed = 0\n[model]\nkind = \"mlp\"\n[training]\noptimizer = { kind = \"adam\", beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }\n",
    "[data]\nkind = \"synthetic\"\nproblem = \"spirals\"\nsamples = 9\nclasses = 3\n[model]\nkind = \"mlp\"\n[training]\n\
     optimizer = { kind = \"rmsprop\", alpha = 0.99, epsilon = 1e-8, momentum = 0.9 }\n",
    "[data]\nkind = \"synthetic\"\nproblem = \"quadratic\"\ncurvatures = [1.0, 10.0]\n[model]\nkind = \"quadratic\"\n",
    "[data]\nkind = \"synthetic\"\nproblem = \"quadratic\"\ncondition = 100.0\ndimensions = 10\nmax-curvature = 1.0\n",
    "[data]\nkind = \"parquet\"\npath = \"x\"\ntarget = \"y\"\ntask = \"classification\"\nshape = [1, 8, 8]\nlabel-noise = 0.1\n[model]\nkind = \"mlp\"\n",
    "[data]\nkind = \"npy\"\npath = \"x\"\ntargets = \"y\"\ntask = \"regression\"\nchannels-last = true\n[model]\nkind = \"mlp\"\n",
    "[data]\nkind = \"image-folder\"\npath = \"x\"\nsize = [32, 32]\nchannels = 3\naugment = { flip = true, crop = 2 }\n[model]\nkind = \"mlp\"\n",
    "[data]\nkind = \"text\"\npath = \"x\"\ncontext = 64\nheld-out = 0.1\n[model]\nkind = \"mlp\"\n",
    "[data]\nkind = \"cifar10\"\nsplit-seed = 1\n[data.augment]\nflip = true\n[model]\nkind = \"mlp\"\n",
    "[data]\nkind = \"npz\"\npath = \"x\"\ninputs = \"x\"\ntargets = \"y\"\nlabel-noise = 0.1\n[model]\nkind = \"mlp\"\n",
    "[data]\nkind = \"synthetic\"\nproblem = \"spirals\"\n[model]\nkind = \"linear\"\n[training.optimizer]\nkind = \"lion\"\n\
     beta1 = 0.9\n[training.schedule]\nkind = \"exponential\"\n",
    "[data]\nkind = \"idx\"\nimages = \"a\"\nlabels = \"b\"\n[model]\nkind = \"cnn\"\nchannels = [16, 32]\nconvolutions = 1\nkernel = 3\n\
     pool = 2\nhidden = [64]\nbatch-norm = false\ndropout = 0.0\nactivation = \"relu\"\ninit = \"he\"\ninit-scale = 1.0\n",
    "[data]\nkind = \"idx\"\nimages = \"a\"\nlabels = \"b\"\n[model]\nkind = \"resnet\"\nblocks = 1\nwidth = 16\ninit = \"he\"\ninit-scale = 1.0\n",
    "[data]\nkind = \"idx\"\nimages = \"a\"\nlabels = \"b\"\n[model]\nkind = \"rnn\"\ncell = \"lstm\"\nwidth = 64\ndepth = 1\ndropout = 0.0\n",
    "[data]\nkind = \"idx\"\nimages = \"a\"\nlabels = \"b\"\n[model]\nkind = \"transformer\"\nwidth = 64\ndepth = 2\nheads = 4\ndropout = 0.1\n\
     activation = \"gelu\"\ninit = \"xavier\"\ninit-scale = 1.0\n",
    "[data]\nkind = \"idx\"\nimages = \"a\"\nlabels = \"b\"\n[model]\nkind = \"autoencoder\"\nhidden = [32, 8]\nactivation = \"relu\"\ninit = \"he\"\n\
     init-scale = 1.0\n",
    "[data]\nkind = \"idx\"\nimages = \"a\"\nlabels = \"b\"\n[model]\nkind = \"layers\"\ninit = \"he\"\ninit-scale = 1.0\nlayers = [\n\
     { kind = \"conv\", channels = 4, kernel = 3, stride = 1, padding = 1, groups = 2, bias = true },\n\
     { kind = \"max-pool\", size = 2, stride = 2, padding = 0 }, \"relu\", { kind = \"dropout\", share = 0.5 },\n\
     { kind = \"residual\", layers = [\"batch-norm\"], shortcut = [\"batch-norm\"] }, \"rows\", \"positions\",\n\
     { kind = \"attention\", heads = 4, causal = false }, { kind = \"lstm\", units = 8 }, \"last\", { kind = \"linear\", units = 8 },\n\
     ]\n",
    "[data]\nkind = \"idx\"\nimages = \"a\"\nlabels = \"b\"\n[model]\nkind = \"layers\"\nlayers = [{ kind = \"relu\" }, { kind = \"embedding\", width = 64 }]\n",
    "name = \"a\"\n[command]\nrun = [\"a\", \"{lr}\"]\nshell = false\ndirectory = \".\"\nenvironment = { A = \"{device}\" }\n\
     loss = \"plain\"\nstream = \"stdout\"\ndiverged = [\"a\"]\ntimeout = 60\nstep-timeout = 600\njobs = 2\n\
     devices = [\"0\"]\nthreads = 1\ndepends = [\"data\"]\n[training]\noptimizer = \"sgd\"\nlearning-rate = 0.05\niterations = 1000\n\
     schedule = { kind = \"cosine\", warmup-iterations = 10 }\n[search]\nseeds = 3\n",
    "[command]\nrun = [\"a\"]\nsend = \"{lr}\"\n",
    "[command]\nrun = [\"a\", \"{lr}\"]\nloss = { kind = \"json\", key = \"loss\" }\n",
    "[command]\nrun = [\"a\", \"{lr}\"]\nloss = { kind = \"regex\", pattern = '(.)' }\n",
    "[command]\nrun = [\"a\", \"{lr}\"]\nloss = { kind = \"csv\", column = \"loss\" }\n",
];

#[test]
fn the_documented_keys_are_the_accepted_ones() {
    let mut used = std::collections::BTreeSet::new();
    for text in COMPLETE {
        read(text).unwrap_or_else(|errors| panic!("{text}\n{errors}"));
        collect(&text.parse::<toml::Table>().unwrap(), "", &mut used);
    }
    let documented = keys().iter().map(|key| (key.section.to_owned(), key.name.to_owned())).collect();
    assert_eq!(used, documented);
}

/// Every (section, key) of a table.
fn collect(table: &toml::Table, section: &str, into: &mut std::collections::BTreeSet<(String, String)>) {
    for (key, value) in table {
        into.insert((section.to_owned(), key.clone()));
        // The names of variables are the user's own.
        if let Some(below) = value.as_table().filter(|_| key != "environment") {
            let name = if section.is_empty() { key.clone() } else { format!("{section}.{key}") };
            collect(below, &name, into);
        }
        // A list of layers, which may hold lists of layers.
        for item in value.as_array().into_iter().flatten().filter_map(toml::Value::as_table) {
            collect(item, "model.layers", into);
        }
    }
}

/// The table of a section such as "training.optimizer"; of a list of layers, the first that holds `key`.
fn section<'t>(table: &'t mut toml::Table, name: &str, key: &str) -> Option<&'t mut toml::Table> {
    if name == "model.layers" {
        let layers = table.get_mut("model")?.get_mut("layers")?.as_array_mut()?;
        return layers.iter_mut().filter_map(toml::Value::as_table_mut).find(|layer| layer.contains_key(key));
    }
    name.split('.').filter(|part| !part.is_empty()).try_fold(table, |table, part| table.get_mut(part)?.as_table_mut())
}

/// The config `text` with a key it holds given another value, or removed; `None` if it does not hold it or is refused then.
fn changed(text: &str, key: &Key, value: Option<&toml::Value>) -> Option<Config> {
    let mut table: toml::Table = text.parse().ok()?;
    let section = section(&mut table, key.section, key.name)?;
    section.remove(key.name)?;
    if let Some(value) = value {
        section.insert(key.name.to_owned(), value.clone());
    }
    let mut config = read(&table.to_string()).ok()?;
    match &mut config {
        Config::Model(plan) => plan.training.learning_rate_line = None,
        Config::Command(plan) => plan.training.learning_rate_line = None,
    }
    Some(config)
}

/// A value of the reference's columns, if it is TOML and not words.
fn value(text: &str) -> Option<toml::Value> {
    format!("value = {text}").parse::<toml::Table>().ok()?.remove("value")
}

#[test]
fn every_example_of_the_reference_is_accepted() {
    for key in keys().iter().filter(|key| key.kind != "section") {
        let example = value(key.example).unwrap();
        let accepted = COMPLETE.iter().any(|text| changed(text, key, Some(&example)).is_some());
        assert!(accepted, "[{}] {} = {}", key.section, key.name, key.example);
    }
}

#[test]
fn every_default_of_the_reference_is_what_leaving_the_key_out_means() {
    for key in keys() {
        let Some(default) = value(key.default) else { continue };
        let pairs = COMPLETE.iter().filter_map(|text| changed(text, key, None).zip(changed(text, key, Some(&default))));
        let mut compared = 0;
        for (without, with) in pairs {
            // A script's optimizer is not known unless it is told.
            if key.name == "optimizer" && matches!(without, Config::Command(_)) {
                continue;
            }
            assert_eq!(without, with, "[{}] {}", key.section, key.name);
            compared += 1;
        }
        assert!(compared > 0, "[{}] {}", key.section, key.name);
    }
}

mod arbitrary {
    use proptest::prelude::*;

    use super::{COMPLETE, read};

    /// Refused or not, every problem must be fit to print.
    fn check(text: &str) {
        if let Err(errors) = read(text) {
            assert!(!errors.problems.is_empty());
            for problem in errors.problems {
                assert!(!problem.message.is_empty() && !problem.fix.is_empty());
                assert!(!problem.message.contains(['\n', '\u{1b}']), "{problem}");
                assert!(problem.line.is_none_or(|line| line >= 1 && line <= text.split('\n').count()));
            }
        }
    }

    const SPLICES: [&str; 14] = [
        "nan",
        "-inf",
        "1e999",
        "9223372036854775808",
        "-1",
        "0",
        "\"\\u001b[31m\\n\"",
        "[]",
        "{}",
        "true",
        "[[0], 1]",
        "=",
        "\"\"",
        "1979-05-27T07:32:00Z",
    ];

    proptest! {
        #[test]
        fn any_text(text in any::<String>()) {
            check(&text);
        }

        #[test]
        fn a_valid_config_with_a_value_replaced(config in 0..COMPLETE.len(), line in any::<prop::sample::Index>(), splice in 0..SPLICES.len()) {
            let mut lines: Vec<String> = COMPLETE[config].lines().map(str::to_owned).collect();
            let line = &mut lines[line.index(COMPLETE[config].lines().count())];
            if let Some((key, _)) = line.clone().split_once('=') {
                *line = format!("{key}= {}", SPLICES[splice]);
            }
            check(&lines.join("\n"));
        }

        #[test]
        fn a_valid_config_with_a_piece_cut_out(config in 0..COMPLETE.len(), a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>(), piece in any::<String>()) {
            let text = COMPLETE[config];
            let (a, b) = (a.index(text.len()), b.index(text.len()));
            check(&format!("{}{piece}{}", &text[..a.min(b)], &text[a.max(b)..]));
        }
    }
}
