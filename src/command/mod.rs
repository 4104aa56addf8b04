//! Training scripts of the user's own: a command is started for each trial, and its losses are read from what it prints.

#[cfg(not(unix))]
#[path = "elsewhere.rs"]
mod process;
#[cfg(unix)]
mod process;

pub mod contract;
mod host;
mod identity;
mod lines;
mod loss;
mod output;
mod placement;
mod rates;
mod run;
mod watched;

pub use process::kill_all;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use host::{Host, Waiting};
use loss::LossReader;
use output::Output;
use placement::Devices;
use process::Process;
use run::ScriptRun;
use watched::Watched;

use crate::config::{CommandPlan, Placeholder, ScriptPlan};
use crate::error::TrialError;
use crate::record::TrialSpec;
use crate::trial::{Objective, Run};

/// Scripts at a time where nothing is said: more than this many interpreters with a framework in each fill a machine's memory.
const MOST_JOBS: usize = 8;

/// `ENOEXEC`, the same on every Unix.
const NOT_A_PROGRAM: i32 = 8;

/// A command that cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// The folder it is to run in is missing.
    #[error("there is no folder {0} for the command to run in: see `directory` in [command]")]
    NoFolder(PathBuf),
    /// What it depends on is missing.
    #[error("there is no file or folder {0}: see `depends` in [command], whose paths are relative to `directory`")]
    NoDependency(PathBuf),
    /// What it depends on cannot be read.
    #[error("{0}: the script depends on it, so it must be readable; see `depends` in [command]")]
    Unreadable(std::io::Error),
    /// The expression in `loss` is none. Cannot happen with a checked plan.
    #[error("the pattern of [command.loss] is not a regular expression")]
    NoPattern,
}

/// A script, ready to be run for each trial.
#[derive(Debug)]
pub struct Script {
    plan: ScriptPlan,
    reader: LossReader,
    devices: Devices,
    /// Numbers of threads, and what makes a script reproducible. The same however many scripts run at a time, for the losses may
    /// depend on it.
    surroundings: BTreeMap<String, String>,
    /// The files that its losses depend on, and their digest when it was first asked for, which is before the first trial where trials
    /// are kept.
    watched: Vec<Watched>,
    digest: OnceLock<Option<String>>,
    /// Those of a script that stays.
    waiting: Waiting,
}

/// How many scripts of the plan to run at a time: what it says, or one for each device, or one for each core up to 8.
pub fn jobs(plan: &ScriptPlan) -> usize {
    plan.jobs.unwrap_or(if plan.devices.is_empty() { cores().min(MOST_JOBS) } else { plan.devices.len() })
}

/// The steps after which a trial is probed, as a script is told them: `0,100,150`.
pub fn probe_steps(spec: &TrialSpec) -> String {
    let mut steps = spec.probe_steps().to_vec();
    steps.dedup();
    steps.iter().map(u64::to_string).collect::<Vec<_>>().join(",")
}

/// What a place stands for in a trial on a device, whose rates are in a file.
fn value(placeholder: Placeholder, spec: &TrialSpec, device: &str, rates: &Path) -> String {
    match placeholder {
        Placeholder::Lr => spec.learning_rate.get().to_string(),
        Placeholder::Seed => spec.seed.to_string(),
        Placeholder::Steps => spec.total_iterations().to_string(),
        Placeholder::Device => device.to_owned(),
        Placeholder::Rates => rates.display().to_string(),
        Placeholder::Probe => probe_steps(spec),
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

impl Script {
    /// The plan's script.
    ///
    /// # Errors
    /// When the folder to run it in or something that it depends on does not exist.
    pub fn new(plan: &CommandPlan) -> Result<Self, ScriptError> {
        let plan = plan.command.clone();
        // A folder named by nothing is the current one.
        if !plan.directory.as_os_str().is_empty() && !plan.directory.is_dir() {
            return Err(ScriptError::NoFolder(plan.directory));
        }
        let depends = plan.depends.iter().flatten().map(|path| plan.directory.join(path));
        if let Some(missing) = depends.into_iter().find(|path| !path.exists()) {
            return Err(ScriptError::NoDependency(missing));
        }
        // Not to find out when trials are to be kept, which could not be then.
        let watched = watched::files(&plan).map_err(ScriptError::Unreadable)?;
        let reader = LossReader::new(&plan.loss).ok_or(ScriptError::NoPattern)?;
        let devices = Devices::new(plan.devices.clone());
        let share = (cores() / jobs(&plan).max(1)).max(1);
        let inherited = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        let surroundings = placement::environment(plan.threads, share, inherited);
        Ok(Self { plan, reader, devices, surroundings, watched, digest: OnceLock::new(), waiting: Waiting::default() })
    }

    fn command(&self, spec: &TrialSpec, device: &str, rates: &Path) -> Command {
        let value = |placeholder| value(placeholder, spec, device, rates);
        let words: Vec<String> = self.plan.run.iter().map(|word| word.fill(value)).collect();
        let (program, arguments) = words.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
        let mut command = if self.plan.shell {
            let mut shell = Command::new("sh");
            shell.arg("-c").arg(program);
            shell
        } else {
            let mut direct = Command::new(program);
            direct.args(arguments);
            direct
        };
        if !self.plan.directory.as_os_str().is_empty() {
            command.current_dir(&self.plan.directory);
        }
        command.envs(&self.surroundings);
        command.envs(self.plan.environment.iter().map(|(name, template)| (name, template.fill(value))));
        command
    }

    /// A process for this trial, or where scripts stay, for any.
    fn host(&self, spec: &TrialSpec, rates: &Path) -> Result<Host, TrialError> {
        let place = self.devices.take();
        let mut command = self.command(spec, place.as_ref().map_or("", |place| place.name()), rates);
        let process = Process::start(&mut command, self.plan.send.is_some()).map_err(|error| self.cannot_start(&error))?;
        Ok(Host { process, output: Output::new(&self.plan, &self.reader), place })
    }

    fn cannot_start(&self, error: &std::io::Error) -> TrialError {
        let program =
            if self.plan.shell { "sh".to_owned() } else { self.plan.run.first().map_or_else(String::new, ToString::to_string) };
        let why = match error.kind() {
            // A path is looked up in the folder that the command runs in.
            ErrorKind::NotFound if program.contains('/') && self.plan.directory.join(&program).exists() => {
                "the interpreter that its first line names is not there".to_owned()
            }
            ErrorKind::NotFound => "there is no such program, here or on the PATH".to_owned(),
            ErrorKind::PermissionDenied => format!("{error}; is it executable?"),
            // The kind of ENOEXEC has no stable name.
            _ if error.raw_os_error() == Some(NOT_A_PROGRAM) => {
                "it is neither a program for this machine nor begins with a line such as `#!/bin/sh`".to_owned()
            }
            _ => error.to_string(),
        };
        TrialError::new(format!("cannot run `{program}`: {why}"))
    }
}

impl Objective for Script {
    /// A script keeps to the rate that it was started with, unless it reads the rate of each step from a file.
    fn can_change_rate(&self) -> bool {
        self.plan.has(Placeholder::Rates)
    }

    fn identity(&self) -> Option<String> {
        identity::of(&self.plan, &self.surroundings, &self.inputs_sha256()?)
    }

    fn inputs_sha256(&self) -> Option<String> {
        self.digest.get_or_init(|| identity::of_files(&self.watched)).clone()
    }

    fn start(&self, specs: &[TrialSpec]) -> Result<Box<dyn Run + '_>, TrialError> {
        let [spec] = specs else { return Err(TrialError::new("a script makes one trial at a time")) };
        let rates = if self.can_change_rate() {
            Some(rates::file(spec).map_err(|error| TrialError::new(format!("cannot write the file of the rates: {error}")))?)
        } else if spec.keeps_rate() {
            None
        } else {
            return Err(TrialError::new("a script without `{rates}` runs at the one rate that it is given"));
        };
        let file = rates.as_deref().unwrap_or(Path::new("")).to_owned();
        let host = match self.waiting.take() {
            Some(host) => host,
            None => self.host(spec, &file)?,
        };
        let line = self.plan.send.as_ref().map(|line| line.fill(|placeholder| value(placeholder, spec, host.device(), &file)));
        let run = ScriptRun::new(&self.plan, spec, host, rates);
        Ok(Box::new(match line {
            Some(line) => run.staying(line, &self.waiting),
            None => run,
        }))
    }
}
