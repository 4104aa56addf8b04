//! The checked plan of a config with a `[command]` section: which script to run, and how to read it. Plain data.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::plan::{OptimizerPlan, Plan, SearchPlan};
use super::template::{Placeholder, Template};
use crate::lr::LearningRate;
use crate::schedule::Schedule;

/// What a config describes.
#[derive(Debug, Clone, PartialEq)]
pub enum Config {
    /// Data and a model, to be trained here.
    Model(Plan),
    /// A training script of the user's own.
    Command(CommandPlan),
}

impl Config {
    /// Names the report folder.
    pub fn name(&self) -> &str {
        match self {
            Self::Model(plan) => &plan.name,
            Self::Command(plan) => &plan.name,
        }
    }

    /// How to search.
    pub fn search(&self) -> &SearchPlan {
        match self {
            Self::Model(plan) => &plan.search,
            Self::Command(plan) => &plan.search,
        }
    }

    /// How to search, to lay flags over it.
    pub fn search_mut(&mut self) -> &mut SearchPlan {
        match self {
            Self::Model(plan) => &mut plan.search,
            Self::Command(plan) => &mut plan.search,
        }
    }

    /// The configured rate, which `check` judges.
    pub fn learning_rate(&self) -> Option<LearningRate> {
        match self {
            Self::Model(plan) => plan.training.learning_rate,
            Self::Command(plan) => plan.training.learning_rate,
        }
    }

    /// 1-based line of `learning-rate` in the config file, for annotations.
    pub fn learning_rate_line(&self) -> Option<usize> {
        match self {
            Self::Model(plan) => plan.training.learning_rate_line,
            Self::Command(plan) => plan.training.learning_rate_line,
        }
    }
}

/// A fully checked config with a `[command]` section. Serialises into the `config` object of the report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CommandPlan {
    /// Names the report folder.
    pub name: String,
    /// The script.
    pub command: ScriptPlan,
    /// What is known about the run that the rate is for.
    pub training: PlannedRun,
    /// How to search.
    pub search: SearchPlan,
}

/// A script, and how to run and read it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScriptPlan {
    /// Program and arguments; with `shell`, one word for `sh -c`.
    pub run: Vec<Template>,
    /// Whether a shell reads `run`.
    pub shell: bool,
    /// Where it runs; resolved against the config file's folder. Not in the report: it differs between machines.
    #[serde(skip)]
    pub directory: PathBuf,
    /// The directory as written.
    #[serde(rename = "directory")]
    pub directory_source: String,
    /// The line that a script which stays is sent for each trial; `None` for one that is started for each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send: Option<Template>,
    /// Variables of its environment, beside those that it inherits.
    pub environment: BTreeMap<String, Template>,
    /// How a loss is read from a line.
    pub loss: LossFormat,
    /// Where losses are printed.
    pub stream: Streams,
    /// Texts that mean, in a line of a script that then ends with an error, that training diverged.
    pub diverged: Vec<String>,
    /// Most seconds of a trial; `None` for no limit.
    pub timeout: Option<f64>,
    /// Most seconds until the first loss and from each to the next.
    pub step_timeout: f64,
    /// Scripts at a time; `None` for what suits machine and devices.
    pub jobs: Option<usize>,
    /// What `{device}` stands for, in turn.
    pub devices: Vec<String>,
    /// Threads that each script is told to use; `None` for its share of the cores.
    pub threads: Option<usize>,
    /// Files and folders, relative to `directory`, whose content the losses depend on beside what the command line names; `None` for
    /// what a script that it names may import.
    pub depends: Option<Vec<String>>,
}

impl ScriptPlan {
    /// Whether the placeholder occurs anywhere in the command, its environment, or the line that it is sent.
    pub fn has(&self, placeholder: Placeholder) -> bool {
        self.run.iter().chain(self.environment.values()).chain(&self.send).any(|template| template.has(placeholder))
    }

    /// The placeholders that change from trial to trial and yet stand where a script is started: those of one that stays have no value
    /// there.
    pub(super) fn placed_too_early(&self) -> impl Iterator<Item = &'static str> {
        let started = || self.run.iter().chain(self.environment.values());
        let of_trials = Placeholder::NAMES.into_iter().filter(|(_, of)| *of != Placeholder::Device);
        of_trials.filter(move |(_, of)| started().any(|template| template.has(*of))).map(|(name, _)| name)
    }

    /// The command line as a person wrote it.
    pub fn words(&self) -> String {
        self.run.iter().map(Template::to_string).collect::<Vec<_>>().join(" ")
    }
}

/// How a loss is read from a line of output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LossFormat {
    /// The number after the last word `loss` of the line: `loss: 0.53`, `train_loss=0.53`.
    Plain,
    /// A JSON object with this key; dots lead into objects within.
    Json {
        /// The key.
        key: String,
    },
    /// What the only group of this regular expression captures.
    Regex {
        /// The expression.
        pattern: String,
    },
    /// A column of a table whose first line names the columns.
    Csv {
        /// The column's name.
        column: String,
    },
}

/// Which output of a script holds the losses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Streams {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// Either.
    Both,
}

/// What is known about the long run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedRun {
    /// The update rule, if it was told.
    pub optimizer: Option<OptimizerPlan>,
    /// The configured ε₀, which `check` judges.
    pub learning_rate: Option<LearningRate>,
    /// 1-based line of `learning-rate` in the config file, for annotations.
    #[serde(skip)]
    pub learning_rate_line: Option<usize>,
    /// How the rate falls over the planned run, if its length was told.
    pub schedule: Option<Schedule>,
}
