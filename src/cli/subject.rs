//! What is studied: the model of a config, or a script, of a config or of the command line.

use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use lrfind::Study;
use lrfind::command::{self, Script};
use lrfind::config::{self, CommandPlan, Config, Flags, Plan, Told};
use lrfind::task::{self, Limits, Task, TaskError};

use super::args::{RunArgs, ScriptArgs, SearchArgs, SubjectArgs};
use super::trials::Workers;

/// Something that trials can be made of.
pub(crate) enum Subject {
    /// Data and a model.
    Model(Box<(Plan, Task)>),
    /// A training script.
    Script(Box<(CommandPlan, Script)>),
}

/// The config, or the command line that stands for one, with the flags laid over it.
pub(crate) fn config(subject: &SubjectArgs, run: &RunArgs) -> anyhow::Result<Config> {
    let mut config = match &subject.config {
        Some(path) => config::load_any(path)?,
        None => Config::Command(of_words(&subject.script)?),
    };
    match (&mut config, run.device) {
        (Config::Model(plan), device) => plan.device = device.map_or(plan.device, Into::into),
        (Config::Command(_), Some(_)) => {
            bail!("--device is for models that are trained here; a command computes where it likes: see `devices` in [command]")
        }
        (Config::Command(_), None) => {}
    }
    if run.max_memory.is_some() && matches!(config, Config::Command(_)) {
        bail!("--max-memory is for models that are trained here; how many scripts run at once is for --jobs to say")
    }
    Ok(config)
}

/// As [`config`], with the flags of the search laid over it too.
pub(crate) fn searched(subject: &SubjectArgs, args: &SearchArgs, run: &RunArgs) -> anyhow::Result<Config> {
    let mut config = config(subject, run)?;
    let search = config.search_mut();
    if let Some(iterations) = args.iterations {
        // The longer trials keep their ratio to the short ones.
        let ratio = iterations as f64 / search.iterations.max(1) as f64;
        search.long_iterations = search.long_iterations.map(|long| ((long as f64 * ratio).round() as u64).max(iterations));
        search.iterations = iterations;
    }
    search.seeds = args.seeds.map_or(search.seeds, usize::from);
    search.budget = args.budget.or(search.budget);
    Ok(config)
}

fn of_words(script: &ScriptArgs) -> anyhow::Result<CommandPlan> {
    let or = |flag: &Option<String>, usual: &str| flag.clone().unwrap_or_else(|| usual.to_owned());
    let flags = || Flags {
        lr: or(&script.lr_flag, "--lr"),
        seed: or(&script.seed_flag, "--seed"),
        steps: or(&script.steps_flag, "--steps"),
    };
    let told = script.send.clone().map_or_else(|| Told::Flags(flags()), Told::Line);
    CommandPlan::of_words(&script.words, &told, script.planned).map_err(|message| anyhow!("{message}"))
}

/// Where the subject is described, for messages: the config, or the program of the command.
pub(crate) fn place(args: &SubjectArgs) -> PathBuf {
    args.config.clone().unwrap_or_else(|| Path::new(args.script.words.first().map_or("", String::as_str)).to_owned())
}

impl Subject {
    /// The data read and the model built, or the script ready to run.
    pub(crate) fn build(config: Config, args: &SubjectArgs, run: &RunArgs) -> anyhow::Result<Self> {
        match config {
            Config::Model(plan) => {
                let limits = Limits { memory: run.max_memory, lanes: run.lanes, workers: run.jobs };
                let task = build_task(&plan, args, limits)?;
                Ok(Self::Model(Box::new((plan, task))))
            }
            Config::Command(plan) => {
                let script = Script::new(&plan).map_err(|error| anyhow!("{}: {error}", place(args).display()))?;
                Ok(Self::Script(Box::new((plan, script))))
            }
        }
    }

    /// As many workers as the flag says, or as suit it.
    pub(crate) fn workers(&self, args: &RunArgs) -> Workers {
        match self {
            Self::Model(model) => Workers { jobs: model.1.footprint().workers, are_scripts: false },
            Self::Script(script) => {
                Workers { jobs: args.jobs.unwrap_or_else(|| command::jobs(&script.0.command)), are_scripts: true }
            }
        }
    }

    /// What is to be asked of it.
    pub(crate) fn study(&self) -> Study<'_> {
        match self {
            Self::Model(model) => Study::of_plan(&model.0, &model.1),
            Self::Script(script) => Study::of_command(&script.0, &script.1),
        }
    }
}

fn build_task(plan: &Plan, args: &SubjectArgs, limits: Limits) -> anyhow::Result<Task> {
    task::build_within(plan, limits).map_err(|error| match error {
        TaskError::Data(fault) => anyhow!(fault),
        TaskError::Unsuitable { message, key_path } => {
            let config = place(args);
            let line = config::line_of(&config, &key_path).map(|line| format!(":{line}")).unwrap_or_default();
            anyhow!("{}{line}: {message}", config.display())
        }
    })
}
