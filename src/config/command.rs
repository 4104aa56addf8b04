//! The `[command]` section, and what `[training]` says beside it.

use std::ops::RangeInclusive;

use std::collections::BTreeMap;
use std::path::Path;

use regex_lite::Regex;

use super::command_plan::{CommandPlan, LossFormat, PlannedRun, ScriptPlan, Streams};
use super::keys::similar;
use super::optimizer;
use super::plan::SearchPlan;
use super::schedule::{self, MOST_EPOCHS};
use super::section::{Section, above_zero_to};
use super::template::{Placeholder, Template};
use crate::lr::{BOUNDS, LearningRate};
use crate::schedule::{Decay, Schedule};

/// A script that says nothing for longer than this hangs, as far as anyone can tell.
const STEP_TIMEOUT: f64 = 600.0;
/// Most seconds of a timeout: a year.
const MOST_SECONDS: f64 = 3.2e7;
/// Scripts or workers at a time, and threads of each.
pub const JOBS: RangeInclusive<usize> = 1..=1024;
/// Most iterations of a planned run.
const MOST_ITERATIONS: u64 = 1_000_000_000_000;

/// Reads the section. A relative directory is resolved against `folder`.
pub(crate) fn read(mut section: Section<'_>, folder: &Path) -> Option<ScriptPlan> {
    let shell = section.boolean("shell").unwrap_or(false);
    let run = run(&mut section, shell);
    let send = section.string("send").map(str::to_owned).and_then(|line| template(&section, "send", &line));
    let environment = environment(&mut section);
    let directory = section.string("directory").map(str::to_owned);
    let loss = loss(section.section_or_word("loss", "command.loss"));
    let streams = [("stdout", Streams::Stdout), ("stderr", Streams::Stderr), ("both", Streams::Both)];
    let stream = section.choice("stream", &streams);
    let diverged = section.strings("diverged").unwrap_or_default();
    let timeout = section.number("timeout", above_zero_to(MOST_SECONDS));
    let step_timeout = section.number("step-timeout", above_zero_to(MOST_SECONDS));
    let jobs = section.integer("jobs", JOBS);
    let devices = section.strings("devices").unwrap_or_default();
    let threads = section.integer("threads", JOBS);
    let depends = section.strings("depends");
    let plan = run.zip(environment).zip(loss).map(|((run, environment), loss)| {
        let usual = ScriptPlan::of(run);
        let directory_source = directory.unwrap_or(usual.directory_source);
        ScriptPlan {
            run: usual.run,
            shell,
            send,
            directory: folder.join(&directory_source),
            directory_source,
            environment,
            loss,
            stream: stream.unwrap_or(usual.stream),
            diverged,
            timeout,
            step_timeout: step_timeout.unwrap_or(usual.step_timeout),
            jobs,
            devices,
            threads,
            depends,
        }
    });
    if let Some(plan) = &plan {
        check_places(&section, plan);
    }
    section.finish();
    plan
}

fn check_places(section: &Section<'_>, plan: &ScriptPlan) {
    if !plan.has(Placeholder::Lr) && !plan.has(Placeholder::Rates) {
        section.complain(
            "run",
            "the command has no `{lr}`, so the script would not learn the rate of a trial",
            "add it where the script takes its learning rate, for example `\"--lr\", \"{lr}\"`",
        );
    }
    check_send(section, plan);
    if plan.has(Placeholder::Device) && plan.devices.is_empty() {
        section.complain(
            "run",
            "the command has a `{device}`, but there are no devices",
            "add, for example, `devices = [\"0\", \"1\"]`",
        );
    }
}

/// Whether what changes from trial to trial is in the line that a script which stays is sent, and nowhere else.
fn check_send(section: &Section<'_>, plan: &ScriptPlan) {
    let Some(line) = &plan.send else { return };
    if line.to_string().contains(['\n', '\r']) {
        section.complain(
            "send",
            "`send` is more than one line",
            "write one line, for example `send = \"{lr} {seed} {steps}\"`",
        );
    }
    let started = || plan.run.iter().chain(plan.environment.values());
    for (name, placeholder) in Placeholder::NAMES.into_iter().filter(|(_, of)| *of != Placeholder::Device) {
        if started().any(|template| template.has(placeholder)) {
            section.complain(
                "send",
                format!("a script that stays is started once for many trials, so `{{{name}}}` in `run` or `environment` has no value"),
                format!("move `{{{name}}}` into `send`"),
            );
        }
    }
}

/// The words of the command, checked.
fn run(section: &mut Section<'_>, shell: bool) -> Option<Vec<Template>> {
    let is_text = section.any("run").is_some_and(|value| value.as_str().is_some());
    let words = match (shell, is_text) {
        (true, _) => section.string("run").map(|text| vec![text.to_owned()]),
        (false, true) => {
            section.complain(
                "run",
                "`run` is one string, which only a shell can take apart",
                "write its words as an array, for example `run = [\"python\", \"train.py\", \"--lr\", \"{lr}\"]`, or add \
                 `shell = true`",
            );
            None
        }
        (false, false) => section.strings("run"),
    };
    let words = section.require("run", words)?;
    if words.first().is_some_and(|program| program.trim().is_empty()) {
        section.complain("run", "the first word, the program, is empty", "name the program to run first");
        return None;
    }
    let words: Vec<_> = words.iter().map(|word| template(section, "run", word)).collect();
    words.into_iter().collect()
}

fn environment(section: &mut Section<'_>) -> Option<BTreeMap<String, Template>> {
    let mut variables = BTreeMap::new();
    for (name, value) in section.table_of_strings("environment") {
        if name.is_empty() || name.contains(['=', '\0']) {
            section.complain(
                "environment",
                "the name of a variable is neither empty nor holds a `=`",
                "write, for example, `environment = { CUDA_VISIBLE_DEVICES = \"{device}\" }`",
            );
            return None;
        }
        variables.insert(name, template(section, "environment", &value)?);
    }
    Some(variables)
}

fn template(section: &Section<'_>, key: &str, word: &str) -> Option<Template> {
    if word.contains('\0') {
        section.complain(key, "a word of a command cannot hold a NUL character", "remove `\\u0000`");
        return None;
    }
    Template::new(word)
        .map_err(|unknown| {
            let known = Placeholder::NAMES.map(|(name, _)| name);
            let fix = match similar(&unknown, known.into_iter()) {
                Some(meant) => format!("did you mean `{{{meant}}}`?"),
                None => format!("write {{{}}}, or `{{{{…}}}}` for braces around a word of your own", known.join("}, {")),
            };
            section.complain(key, format!("unknown placeholder `{{{unknown}}}`"), fix);
        })
        .ok()
}

#[derive(Clone, Copy)]
enum Kind {
    Plain,
    Json,
    Regex,
    Csv,
}

/// How a loss is read: a name, or a table.
fn loss(mut section: Section<'_>) -> Option<LossFormat> {
    let kinds = [("plain", Kind::Plain), ("json", Kind::Json), ("regex", Kind::Regex), ("csv", Kind::Csv)];
    let kind = if section.is_absent() { Some(Kind::Plain) } else { section.variant("kind", &kinds) };
    let kind = if section.is_absent() { kind } else { section.require("kind", kind) };
    let format = kind.and_then(|kind| match kind {
        Kind::Plain => Some(LossFormat::Plain),
        Kind::Json => Some(LossFormat::Json { key: section.string("key").unwrap_or("loss").to_owned() }),
        Kind::Regex => pattern(&mut section).map(|pattern| LossFormat::Regex { pattern }),
        Kind::Csv => Some(LossFormat::Csv { column: section.string("column").unwrap_or("loss").to_owned() }),
    });
    section.finish();
    format
}

fn pattern(section: &mut Section<'_>) -> Option<String> {
    let pattern = section.string("pattern");
    let pattern = section.require("pattern", pattern)?;
    let captures = match Regex::new(pattern) {
        Ok(regex) => regex.captures_len() - 1,
        Err(error) => {
            let message = error.to_string().replace(char::is_control, " ");
            section.complain("pattern", format!("not a regular expression: {message}"), "mend the expression");
            return None;
        }
    };
    if captures != 1 {
        section.complain(
            "pattern",
            format!("the expression has {captures} groups, and the loss must be captured by the only one"),
            "put the number, and only it, in parentheses, for example `pattern = 'loss (\\S+)'`; `(?:…)` groups without capturing",
        );
        return None;
    }
    Some(pattern.to_owned())
}

/// Reads `[training]` of a config with a `[command]`.
pub(crate) fn training(mut section: Section<'_>) -> Option<PlannedRun> {
    section.note_context("[command]");
    let told = section.has("optimizer");
    let optimizer = optimizer::read(section.section_or_word("optimizer", "training.optimizer"));
    let iterations = section.integer("iterations", 1..=MOST_ITERATIONS);
    let epochs = section.number("epochs", above_zero_to(MOST_EPOCHS));
    let learning_rate_line = section.line("learning-rate");
    let learning_rate = section.number("learning-rate", BOUNDS.0..=BOUNDS.1).and_then(|rate| LearningRate::new(rate).ok());
    let scheduled = section.has("schedule");
    let plan = schedule::read(section.section_or_word("schedule", "training.schedule"), epochs.unwrap_or(1.0));
    for (key, present) in [("schedule", scheduled), ("epochs", epochs.is_some())] {
        if present && !section.has("iterations") {
            section.complain(
                key,
                format!("`{key}` needs to know how many steps the planned run takes"),
                "add, for example, `iterations = 10000`",
            );
        }
    }
    if let Some((warmup, whole)) = plan.as_ref().map(|plan| plan.warmup_iterations).zip(iterations).filter(|(w, n)| w >= n) {
        section.complain(
            "schedule",
            format!("a warm-up of {warmup} iterations takes all {whole} of the planned run"),
            "shorten `warmup-iterations`, or plan a longer run",
        );
    }
    section.finish();
    let plan = plan?;
    let schedule = iterations.map(|iterations| {
        let epochs = epochs.unwrap_or(1.0);
        let per_epoch = iterations as f64 / epochs;
        Schedule {
            decay: plan.decay,
            warmup_iterations: plan.warmup_iterations,
            decay_iterations: ((plan.decay_epochs.unwrap_or(epochs) * per_epoch).round() as u64).max(1),
            iterations_per_epoch: (per_epoch.round() as u64).max(1),
        }
    });
    let optimizer = if told { Some(optimizer?) } else { None };
    Some(PlannedRun { optimizer, learning_rate, learning_rate_line, schedule })
}

/// How a script without a config takes what changes from trial to trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// By its flags.
    Flags(Flags),
    /// By a line for each trial, as one takes it that stays.
    Line(String),
}

/// The flags by which a script takes what changes from trial to trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flags {
    /// For the rate.
    pub lr: String,
    /// For the seed; empty for none.
    pub seed: String,
    /// For the number of steps; empty for none.
    pub steps: String,
}

impl ScriptPlan {
    /// This command line, and all else as it is where nothing is said.
    fn of(run: Vec<Template>) -> Self {
        Self {
            run,
            shell: false,
            send: None,
            directory: ".".into(),
            directory_source: ".".to_owned(),
            environment: BTreeMap::new(),
            loss: LossFormat::Plain,
            stream: Streams::Stdout,
            diverged: Vec::new(),
            timeout: None,
            step_timeout: STEP_TIMEOUT,
            jobs: None,
            devices: Vec::new(),
            threads: None,
            depends: None,
        }
    }
}

impl CommandPlan {
    /// The plan for a command line without a config: everything default, run in the current folder, for a run of `planned` steps
    /// if that is known. What has no placeholder in `words` is appended with its flag, the rate only where `{rates}` is missing
    /// too; a flag that ends in `=` and its value are one word. Nothing is appended for a script that is sent lines.
    ///
    /// # Errors
    /// When there are no words, a name in braces is no placeholder, a flag to be appended is there with another value, the rate is
    /// to be given neither way, or a script that stays would be told of a trial when it starts.
    pub fn of_words(words: &[String], told: &Told, planned: Option<u64>) -> Result<Self, String> {
        let program = words.first().filter(|program| !program.trim().is_empty()).ok_or("the command has no words")?;
        let run: Vec<Template> = words.iter().map(|word| read_word(word)).collect::<Result<_, _>>()?;
        let command = match told {
            Told::Flags(flags) => ScriptPlan::of(with_flags(run, words, flags)?),
            Told::Line(line) => sent(run, line)?,
        };
        let name = super::parse::sanitized(&stem(program, &words[1..]));
        let whole = |iterations| Schedule {
            decay: Decay::Linear { final_fraction: schedule::USUAL_FINAL_FRACTION },
            warmup_iterations: 0,
            decay_iterations: iterations,
            iterations_per_epoch: iterations,
        };
        Ok(Self {
            name,
            command,
            training: PlannedRun {
                optimizer: None,
                learning_rate: None,
                learning_rate_line: None,
                schedule: planned.map(whole),
            },
            search: SearchPlan { range: super::search::unknown_range(), ..SearchPlan::default() },
        })
    }
}

/// A word of a command line, with its placeholders.
fn read_word(word: &str) -> Result<Template, String> {
    Template::new(word).map_err(|name| {
        let known = Placeholder::NAMES.map(|(name, _)| name).join("}, {");
        format!("unknown placeholder {{{name}}}: write {{{known}}}, or {{{{{name}}}}} for the text {{{name}}}")
    })
}

/// The script that stays and is sent this line for each trial.
fn sent(run: Vec<Template>, line: &str) -> Result<ScriptPlan, String> {
    let of_trials = Placeholder::NAMES.into_iter().filter(|(_, place)| *place != Placeholder::Device);
    for (name, placeholder) in of_trials {
        if run.iter().any(|word| word.has(placeholder)) {
            return Err(format!("a script that stays is started once for many trials: move {{{name}}} into --send"));
        }
    }
    if line.contains(['\n', '\r']) {
        return Err("--send is more than one line".to_owned());
    }
    let plan = ScriptPlan { send: Some(read_word(line)?), ..ScriptPlan::of(run) };
    if !plan.has(Placeholder::Lr) && !plan.has(Placeholder::Rates) {
        return Err("the script does not learn the rate: put {lr} or {rates} into --send".to_owned());
    }
    Ok(plan)
}

/// The command line `words`, read as `run`, with a flag for each placeholder that it lacks.
fn with_flags(mut run: Vec<Template>, words: &[String], flags: &Flags) -> Result<Vec<Template>, String> {
    let is_told_rates = run.iter().any(|word| word.has(Placeholder::Rates));
    for (placeholder, flag, place) in [
        (Placeholder::Lr, &flags.lr, "{lr}"),
        (Placeholder::Seed, &flags.seed, "{seed}"),
        (Placeholder::Steps, &flags.steps, "{steps}"),
    ] {
        let has_place = run.iter().any(|word| word.has(placeholder)) || (placeholder == Placeholder::Lr && is_told_rates);
        if flag.is_empty() || has_place {
            continue;
        }
        // A script takes one of the two, and nobody knows which.
        if words[1..].iter().any(|word| is_given(flag, word)) {
            return Err(format!("the command gives `{flag}` a value already: write {place} in its place"));
        }
        if flag.ends_with('=') {
            run.push(read_word(&format!("{flag}{place}"))?);
        } else {
            run.extend([Template::literal(flag), read_word(place)?]);
        }
    }
    if !run.iter().any(|word| word.has(Placeholder::Lr) || word.has(Placeholder::Rates)) {
        return Err("the command does not learn the rate: put {lr} into it, or give --lr-flag".to_owned());
    }
    Ok(run)
}

/// Whether the word is the flag, with its value or before it.
fn is_given(flag: &str, word: &str) -> bool {
    word.strip_prefix(flag.trim_end_matches('=')).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
}

/// Endings of the files that interpreters run.
const SCRIPTS: [&str; 14] = ["py", "pyz", "ipynb", "sh", "bash", "r", "jl", "js", "mjs", "ts", "rb", "pl", "lua", "awk"];

/// What to call the run: the script's name without its ending, rather than that of its interpreter.
fn stem(program: &str, arguments: &[String]) -> String {
    if let Some(module) = arguments.iter().skip_while(|word| *word != "-m").nth(1) {
        return module.rsplit('.').next().unwrap_or_default().to_owned();
    }
    let is_name = |word: &str| !word.starts_with('-') && !word.contains('=');
    let is_script = |word: &&str| {
        let ending = Path::new(word).extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        is_name(word) && ending.is_some_and(|ending| SCRIPTS.contains(&ending.as_str()))
    };
    let words = || std::iter::once(program).chain(arguments.iter().map(String::as_str));
    // `env NAME=value program`.
    let is_program = |word: &&str| is_name(word) && *word != "env";
    let named = words().find(is_script).or_else(|| words().find(is_program)).unwrap_or(program);
    Path::new(named).file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags() -> Flags {
        Flags { lr: "--lr".into(), seed: "--seed".into(), steps: "--steps".into() }
    }

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn refused(text: &str, flags: &Flags) -> Result<CommandPlan, String> {
        CommandPlan::of_words(&words(text), &Told::Flags(flags.clone()), None)
    }

    #[test]
    fn a_script_that_stays_is_told_by_a_line() {
        let of = |text: &str, line: &str| CommandPlan::of_words(&words(text), &Told::Line(line.to_owned()), None);
        let plan = of("python train.py --stay {device}", "{seed} {steps} {rates}").unwrap().command;
        assert_eq!(plan.words(), "python train.py --stay {device}", "nothing is appended");
        assert_eq!(plan.send.unwrap().to_string(), "{seed} {steps} {rates}");
        for (text, line, words) in [
            ("python train.py --lr {lr}", "{seed} {lr}", "move {lr} into --send"),
            ("python train.py", "{seed}", "put {lr} or {rates} into --send"),
            ("python train.py", "{lr} {sede}", "unknown placeholder {sede}"),
            ("python train.py", "{lr}\n", "more than one line"),
        ] {
            let error = of(text, line).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn what_has_no_place_is_appended() {
        let line = |text: &str, flags: &Flags| {
            CommandPlan::of_words(&words(text), &Told::Flags(flags.clone()), None).unwrap().command.words()
        };
        assert_eq!(line("python train.py", &flags()), "python train.py --lr {lr} --seed {seed} --steps {steps}");
        assert_eq!(line("./x --rate {lr}", &flags()), "./x --rate {lr} --seed {seed} --steps {steps}");
        assert_eq!(line("./x --rates {rates}", &flags()), "./x --rates {rates} --seed {seed} --steps {steps}");
        let hydra = Flags { lr: "optim.lr=".into(), seed: "+seed=".into(), steps: String::new() };
        assert_eq!(line("python train.py", &hydra), "python train.py optim.lr={lr} +seed={seed}");
        let none = Flags { lr: String::new(), ..flags() };
        assert!(refused("python train.py", &none).unwrap_err().contains("--lr-flag"));
        assert!(refused("x {rate}", &flags()).unwrap_err().contains("{rate}"));
        assert!(CommandPlan::of_words(&[], &Told::Flags(flags()), None).is_err());
        for text in ["./x --lr 0.1", "./x --lr=0.1", "./x --lr {lr} --seed 7", "./x --steps"] {
            let error = refused(text, &flags()).unwrap_err();
            assert!(error.contains("already: write {"), "{text}: {error}");
        }
        assert!(refused("x optim.lr=1", &hydra).unwrap_err().contains("`optim.lr=` a value already"));
        assert_eq!(line("./x --lr-decay 3", &flags()), "./x --lr-decay 3 --lr {lr} --seed {seed} --steps {steps}");
    }

    #[test]
    fn the_script_names_the_run() {
        let name = |text: &str| CommandPlan::of_words(&words(text), &Told::Flags(flags()), None).unwrap().name;
        assert_eq!(name("python -u src/train.py --size 3.5"), "train");
        assert_eq!(name("python3 -m package.train"), "train");
        assert_eq!(name("./build/trainer --lr {lr}"), "trainer");
        assert_eq!(name("./train --momentum 0.9"), "train");
        assert_eq!(name("torchrun --nproc=1 gpt.py config.yaml"), "gpt");
        assert_eq!(name("./train --config conf/base.yaml"), "train");
        assert_eq!(name("env X=1.py -i ./y"), "y");
        assert_eq!(name("./train.sh"), "train");
    }
}
