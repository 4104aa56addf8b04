//! Training scripts of the user's own: a command is started for each trial, and its losses are read from what it prints.

#[cfg(not(unix))]
#[path = "elsewhere.rs"]
mod process;
#[cfg(unix)]
mod process;

pub mod contract;
mod identity;
mod lines;
mod loss;
mod number;
mod output;
mod placement;
mod run;

pub use process::kill_all;

use std::path::PathBuf;
use std::process::Command;

use loss::LossReader;
use placement::Devices;
use process::Process;
use run::ScriptRun;

use crate::config::{CommandPlan, Placeholder, ScriptPlan};
use crate::error::TrialError;
use crate::record::{Course, TrialSpec};
use crate::trial::{Objective, Run};

/// Scripts at a time where nothing is said: more than this many interpreters with a framework in each fill a machine's memory.
const MOST_JOBS: usize = 8;

/// A command that cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// The folder it is to run in is missing.
    #[error("there is no folder {0} for the command to run in: see `directory` in [command]")]
    NoFolder(PathBuf),
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
    /// Threads of each script where the plan does not say.
    share: usize,
}

/// How many scripts of the plan to run at a time: what it says, or one for each device, or one for each core up to 8.
pub fn jobs(plan: &ScriptPlan) -> usize {
    plan.jobs.unwrap_or(if plan.devices.is_empty() { cores().min(MOST_JOBS) } else { plan.devices.len() })
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

impl Script {
    /// The plan's script, of which `jobs` will run at a time.
    ///
    /// # Errors
    /// When the folder to run it in does not exist.
    pub fn new(plan: &CommandPlan, jobs: usize) -> Result<Self, ScriptError> {
        let plan = plan.command.clone();
        // A folder named by nothing is the current one.
        if !plan.directory.as_os_str().is_empty() && !plan.directory.is_dir() {
            return Err(ScriptError::NoFolder(plan.directory));
        }
        let reader = LossReader::new(&plan.loss).ok_or(ScriptError::NoPattern)?;
        let devices = Devices::new(plan.devices.clone());
        Ok(Self { plan, reader, devices, share: (cores() / jobs.max(1)).max(1) })
    }

    fn command(&self, spec: &TrialSpec, device: &str) -> Command {
        let value = |placeholder| match placeholder {
            Placeholder::Lr => spec.learning_rate.get().to_string(),
            Placeholder::Seed => spec.seed.to_string(),
            Placeholder::Steps => spec.total_iterations().to_string(),
            Placeholder::Device => device.to_owned(),
        };
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
        command.envs(placement::environment(self.plan.threads, self.share, |name| std::env::var_os(name).is_some()));
        command.envs(self.plan.environment.iter().map(|(name, template)| (name, template.fill(value))));
        command
    }

    fn cannot_start(&self, error: &std::io::Error) -> TrialError {
        let program =
            if self.plan.shell { "sh".to_owned() } else { self.plan.run.first().map_or_else(String::new, ToString::to_string) };
        TrialError::new(match error.kind() {
            std::io::ErrorKind::NotFound => format!("cannot run `{program}`: there is no such program, here or on the PATH"),
            _ => format!("cannot run `{program}`: {error}"),
        })
    }
}

impl Objective for Script {
    /// A script keeps to the rate that it was started with.
    fn can_change_rate(&self) -> bool {
        false
    }

    fn identity(&self) -> Option<String> {
        identity::of(&self.plan, self.plan.threads.unwrap_or(self.share))
    }

    fn start(&self, specs: &[TrialSpec]) -> Result<Box<dyn Run + '_>, TrialError> {
        let [spec] = specs else { return Err(TrialError::new("a script makes one trial at a time")) };
        if spec.course != Course::Steady || spec.recovery.is_some() {
            return Err(TrialError::new("a script runs at the one rate that it is given"));
        }
        let place = self.devices.take();
        let mut command = self.command(spec, place.as_ref().map_or("", |place| place.name()));
        let process = Process::start(&mut command).map_err(|error| self.cannot_start(&error))?;
        let told = self.plan.has(Placeholder::Steps);
        Ok(Box::new(ScriptRun::new(&self.plan, &self.reader, process, place, spec.total_iterations(), told)))
    }
}
