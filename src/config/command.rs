//! The `[command]` section, and what `[training]` says beside it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;

use regex_lite::Regex;

use super::command_plan::{LossFormat, PlannedRun, ScriptPlan, Streams};
use super::keys::similar;
use super::optimizer;
use super::schedule::{self, MOST_EPOCHS};
use super::section::{Section, above_zero_to};
use super::template::{Placeholder, Template};
use crate::lr::{BOUNDS, LearningRate};
use crate::schedule::Schedule;

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
    for name in plan.placed_too_early() {
        section.complain(
            "send",
            format!(
                "a script that stays is started once for many trials, so `{{{name}}}` in `run` or `environment` has no value"
            ),
            format!("move `{{{name}}}` into `send`"),
        );
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

impl ScriptPlan {
    /// This command line, and all else as it is where nothing is said.
    pub(super) fn of(run: Vec<Template>) -> Self {
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
