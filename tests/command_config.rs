//! What a `[command]` may hold, what it means, and what is said about the ones that are wrong.

use std::path::{Path, PathBuf};

use lrfind::config::{CommandPlan, Config, ConfigErrors, LossFormat, Streams, load, load_any, parse, parse_any};
use lrfind::schedule::Decay;

const RUN: &str = "[command]\nrun = [\"train\", \"--lr\", \"{lr}\"]\n";

fn read(text: &str) -> Result<Config, ConfigErrors> {
    parse_any(text, Path::new("configs/x.toml"))
}

fn plan(text: &str) -> CommandPlan {
    match read(text).unwrap_or_else(|errors| panic!("{text}\n{errors}")) {
        Config::Command(plan) => plan,
        Config::Model(_) => panic!("no command: {text}"),
    }
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
fn every_example_loads_under_its_own_name_and_names_a_file_that_exists() {
    let mut seen = 0;
    for entry in std::fs::read_dir("configs/command").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let Config::Command(plan) = load_any(&path).unwrap() else { panic!("{}", path.display()) };
            assert_eq!(Some(plan.name.as_str()), path.file_stem().unwrap().to_str());
            assert!(plan.training.learning_rate.is_some() && plan.training.schedule.is_some(), "{}", path.display());
            let script = plan.command.run.iter().map(ToString::to_string).find(|word| word.starts_with("train"));
            assert!(plan.command.directory.join(script.unwrap()).exists());
            seen += 1;
        }
    }
    assert!(seen >= 4);
}

#[test]
fn the_shortest_config_gets_the_defaults() {
    let plan = plan(RUN);
    let command = &plan.command;
    assert_eq!((plan.name.as_str(), command.words().as_str(), command.shell), ("x", "train --lr {lr}", false));
    assert_eq!((&command.directory, command.directory_source.as_str()), (&PathBuf::from("configs/."), "."));
    assert_eq!((&command.loss, command.stream), (&LossFormat::Plain, Streams::Stdout));
    assert_eq!((command.timeout, command.step_timeout), (None, 600.0));
    assert_eq!((command.jobs, command.threads, command.devices.len(), command.environment.len()), (None, None, 0, 0));
    assert_eq!((&plan.training.optimizer, plan.training.schedule, plan.training.learning_rate), (&None, None, None));
    assert_eq!((plan.search.range.low().get(), plan.search.range.high().get(), plan.search.iterations), (1e-5, 1.0, 100));
}

#[test]
fn the_planned_run_gives_the_schedule() {
    let schedule = |training: &str| plan(&format!("{RUN}[training]\n{training}")).training.schedule.unwrap();
    let whole = schedule("iterations = 9000\n");
    assert_eq!((whole.decay_iterations, whole.iterations_per_epoch), (9000, 9000));
    assert_eq!(whole.decay, Decay::Linear { final_fraction: 0.01 });
    let parts = schedule("iterations = 9000\nepochs = 200\nschedule = { decay-epochs = 100, warmup-iterations = 45 }\n");
    assert_eq!((parts.decay_iterations, parts.iterations_per_epoch, parts.warmup_iterations), (4500, 45, 45));
}

#[test]
fn the_optimizer_decides_the_range() {
    let plan = plan(&format!("{RUN}[training]\noptimizer = \"lion\"\nlearning-rate = 0.01\n"));
    assert_eq!((plan.search.range.low().get(), plan.search.range.high().get()), (1e-6, 0.1));
    assert_eq!(plan.training.learning_rate_line, Some(5));
}

#[test]
fn problems_of_the_command() {
    one_problem("[command]\nshell = false\n", 1, "[command] has no `run`", "run = [\"python\", \"train.py\"");
    one_problem("[command]\nrun = \"train {lr}\"\n", 2, "only a shell can take apart", "shell = true");
    one_problem("[command]\nrun = [\"train\"]\n", 2, "has no `{lr}`", "\"{lr}\"");
    one_problem("[command]\nrun = [\"train\", \"{rl}\"]\n", 2, "unknown placeholder `{rl}`", "`{lr}`");
    one_problem("[command]\nrun = [\"train\", \"{lr}\", \"{step}\"]\n", 2, "unknown placeholder `{step}`", "`{steps}`");
    one_problem("[command]\nrun = [\"\", \"{lr}\"]\n", 2, "the program, is empty", "name the program");
    one_problem("[command]\nrun = [\"train\", \"{lr}\", 3]\n", 2, "must be a string, not the integer `3`", "run = ");
    one_problem("[command]\nrun = [\"train\", \"{lr}\", \"{device}\"]\n", 2, "there are no devices", "devices = [");
    one_problem(&format!("{RUN}environment = {{ A = 1 }}\n"), 3, "must be a string", "environment = ");
    one_problem(&format!("{RUN}environment = {{ \"A=B\" = \"1\" }}\n"), 3, "the name of a variable", "environment = ");
    one_problem(&format!("{RUN}environment = {{ A = \"{{gpu}}\" }}\n"), 3, "unknown placeholder `{gpu}`", "{device}");
    one_problem(&format!("{RUN}stream = \"stdin\"\n"), 3, "`stream` in [command] must be", "write \"stdout\"");
    one_problem(&format!("{RUN}timeout = 0\n"), 3, "a number above 0", "timeout = 3600");
    one_problem(&format!("{RUN}time-out = 5\n"), 3, "unknown key `time-out`", "`timeout`");
}

#[test]
fn problems_of_the_loss() {
    let loss = |loss: &str| format!("{RUN}loss = {loss}\n");
    one_problem(&loss("\"jsonl\""), 3, "must be \"plain\" or \"json\"", "did you mean \"json\"?");
    one_problem(&loss("{ key = \"loss\" }"), 3, "[command.loss] has no `kind`", "kind = \"json\"");
    one_problem(&loss("\"regex\""), 3, "[command.loss] has no `pattern`", "pattern = 'loss");
    one_problem(&loss("{ kind = \"regex\", pattern = 'loss (' }"), 3, "not a regular expression", "mend");
    one_problem(&loss("{ kind = \"regex\", pattern = 'loss' }"), 3, "has 0 groups", "in parentheses");
    one_problem(&loss("{ kind = \"regex\", pattern = '(a) (b)' }"), 3, "has 2 groups", "`(?:…)`");
    one_problem(&loss("{ kind = \"json\", column = \"a\" }"), 3, "`column` has no use with kind = \"json\"", "remove it");
    assert!(read(&loss("{ kind = \"regex\", pattern = '(?:step|iter) \\d+ (\\S+)' }")).is_ok());
}

#[test]
fn what_belongs_to_models_does_not_belong_to_commands() {
    one_problem(&format!("{RUN}[data]\nkind = \"csv\"\n"), 3, "`data` has no use with [command]", "remove it");
    one_problem(&format!("device = \"flex\"\n{RUN}"), 1, "`device` has no use with [command]", "remove it");
    one_problem(&format!("{RUN}[training]\nbatch-size = 3\n"), 4, "`batch-size` has no use with [command]", "remove it");
    one_problem(&format!("{RUN}[training]\nschedule = \"cosine\"\n"), 4, "`schedule` needs to know", "iterations = 10000");
    one_problem(&format!("{RUN}[training]\nepochs = 3\n"), 4, "`epochs` needs to know", "iterations = 10000");
    let model = "[data]\nkind = \"synthetic\"\nproblem = \"spirals\"\n[model]\nkind = \"mlp\"\n[training]\niterations = 5\n";
    one_problem(model, 7, "`iterations` has no use with [model]", "remove it");
}

#[test]
fn problems_come_at_once() {
    let errors =
        read("[command]\nrun = [\"train\"]\nstream = 3\n[training]\nepochs = 2\nlearning-rate = -1\n[search]\nseeds = 0\n")
            .unwrap_err();
    let lines: Vec<_> = errors.problems.iter().filter_map(|problem| problem.line).collect();
    assert_eq!(lines, [2, 3, 5, 6, 8], "{errors}");
}

#[test]
fn a_command_is_no_model() {
    let errors = parse(RUN, Path::new("x.toml")).unwrap_err();
    assert!(errors.to_string().starts_with("x.toml: this config runs a command"), "{errors}");
    assert!(load(Path::new("configs/command/awk.toml")).is_err());
}
