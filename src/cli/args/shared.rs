//! The flags that several commands have in common, the same everywhere.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lrfind::config::DeviceKind;

use super::values::{at_least_one, iterations, jobs, memory, seeds};

/// What is trained.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct SubjectArgs {
    /// The config file
    #[arg(value_name = "CONFIG", required_unless_present = "words", help_heading = None::<&'static str>)]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) script: ScriptArgs,
}

/// A script without a config.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "A training script without a config")]
pub(crate) struct ScriptArgs {
    /// The command that trains, such as `python train.py`; it prints a line like `loss: 0.53` after each step
    #[arg(last = true, value_name = "COMMAND", conflicts_with = "config")]
    pub(crate) words: Vec<String>,
    /// The command's flag for the rate, where neither {lr} nor {rates} stands in it [default: --lr]
    #[arg(long, value_name = "FLAG", allow_hyphen_values = true, conflicts_with = "config")]
    pub(crate) lr_flag: Option<String>,
    /// The command's flag for the seed, where {seed} does not stand in it; "" for none [default: --seed]
    #[arg(long, value_name = "FLAG", allow_hyphen_values = true, conflicts_with = "config")]
    pub(crate) seed_flag: Option<String>,
    /// The command's flag for the number of steps, where {steps} does not stand in it; "" for none [default: --steps]
    #[arg(long, value_name = "FLAG", allow_hyphen_values = true, conflicts_with = "config")]
    pub(crate) steps_flag: Option<String>,
    /// The line that a command which stays for all trials is sent for each, such as "{seed} {steps} {rates}": see the README
    #[arg(long, value_name = "LINE", allow_hyphen_values = true, conflicts_with_all = ["config", "lr_flag", "seed_flag", "steps_flag"])]
    pub(crate) send: Option<String>,
    /// Steps of the long run that the command's rate is for; without it no schedule is given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "config")]
    pub(crate) planned: Option<u64>,
}

/// How to search. These flags win over the config.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Search")]
pub(crate) struct SearchArgs {
    /// Seeds at each rate, 1 to 64
    #[arg(long, value_name = "N", value_parser = seeds, allow_negative_numbers = true)]
    pub(crate) seeds: Option<usize>,
    /// Iterations of a short trial, 10 to 100000
    #[arg(long, value_name = "N", value_parser = iterations, allow_negative_numbers = true)]
    pub(crate) iterations: Option<u64>,
    /// Most iterations to spend, over all trials
    #[arg(long, value_name = "N", value_parser = at_least_one::<u64>, allow_negative_numbers = true)]
    pub(crate) budget: Option<u64>,
}

/// How trials are run, in every command that runs some.
#[expect(clippy::struct_excessive_bools, reason = "one for each flag, as on the command line")]
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Trials")]
pub(crate) struct RunArgs {
    /// Worker threads, or scripts at a time; changes the speed, never the result [default: the processor's cores; for scripts at
    /// most 8]
    #[arg(long, value_name = "N", value_parser = jobs, allow_negative_numbers = true)]
    pub(crate) jobs: Option<usize>,
    /// Most trials to compute together in one worker; changes the speed, never the result
    #[arg(long, value_name = "N", value_parser = at_least_one::<usize>, allow_negative_numbers = true)]
    pub(crate) lanes: Option<usize>,
    /// Most memory for data and trials, such as 8GiB or 500MB; changes the speed, never the result [default: 8GiB, or what the
    /// machine has if that is less]
    #[arg(long, value_name = "SIZE", value_parser = memory, allow_negative_numbers = true)]
    pub(crate) max_memory: Option<u64>,
    /// Where to compute
    #[arg(long, value_enum)]
    pub(crate) device: Option<DeviceArg>,
    /// Run every trial anew, and forget those of earlier runs
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Print the plan and its cost, and run nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write the wall-clock time to this JSON file
    #[arg(long, value_name = "FILE")]
    pub(crate) timing: Option<PathBuf>,
    /// Print no plan and no progress
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Say how many trials run at once, and why
    #[arg(long, short, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DeviceArg {
    /// burn-flex
    Flex,
    /// burn-ndarray
    Ndarray,
}

impl From<DeviceArg> for DeviceKind {
    fn from(device: DeviceArg) -> Self {
        match device {
            DeviceArg::Flex => Self::Flex,
            DeviceArg::Ndarray => Self::Ndarray,
        }
    }
}
