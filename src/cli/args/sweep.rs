//! The flags of `sweep`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lrfind::config;
use lrfind::record::Spacing;

use super::{CommonArgs, DeviceArg, FindFormat, ScriptArgs, at_least_one, seeds, share, stop_factor};

pub(super) const EXAMPLES: &str = "\
Examples:
  lrfind sweep digits.toml                 one ramp, and what each published rule reads off it
  lrfind sweep digits.toml --seeds 10      how far each rule moves from run to run
  lrfind sweep digits.toml --start 1e-4 --end 1 --iterations 200
  lrfind sweep digits.toml --format json | jq '.rules[] | {label, median}'";

#[derive(Debug, Args)]
pub(crate) struct SweepArgs {
    /// The config file
    #[arg(value_name = "CONFIG")]
    pub(crate) config: PathBuf,
    /// The rate of the first step
    #[arg(long, value_name = "RATE", default_value = "1e-7", allow_negative_numbers = true)]
    pub(crate) start: f64,
    /// The rate of the last step
    #[arg(long, value_name = "RATE", default_value = "10", allow_negative_numbers = true)]
    pub(crate) end: f64,
    /// Steps of the ramp, 10 to 100000
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u64).range(config::ITERATIONS))]
    pub(crate) iterations: u64,
    /// Whether the rate rises by equal factors or by equal differences
    #[arg(long, value_enum, default_value_t)]
    pub(crate) spacing: SpacingArg,
    /// Share of the past that smoothing keeps at each step, from 0 to below 1 [default: each tool's own]
    #[arg(long, value_name = "SHARE", value_parser = share, allow_negative_numbers = true)]
    pub(crate) smoothing: Option<f64>,
    /// A tool stops when the loss is above this many times its lowest; `inf` for never [default: each tool's own]
    #[arg(long, value_name = "FACTOR", value_parser = stop_factor, allow_negative_numbers = true)]
    pub(crate) stop_factor: Option<f64>,
    /// Ramps, each with a seed of its own, 1 to 64
    #[arg(long, value_name = "N", default_value = "1", value_parser = seeds)]
    pub(crate) seeds: usize,
    /// The first seed [default: `first-seed` of the config]
    #[arg(long, value_name = "SEED")]
    pub(crate) seed: Option<u64>,
    /// Folder for range-test.json and range-test.png [default: reports/<name>]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// What to print on standard output
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: FindFormat,
    /// Worker threads; changes the speed, never the result [default: the processor's cores]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) jobs: Option<usize>,
    /// Most ramps to compute together in one worker; changes the speed, never the result
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) lanes: Option<usize>,
    /// Where to compute
    #[arg(long, value_enum)]
    pub(crate) device: Option<DeviceArg>,
    /// Run every trial anew, and forget those of earlier runs
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Print the plan and its cost, and run nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print no plan and no progress
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

impl SweepArgs {
    /// What it has in common with `find`, as `find` has it.
    pub(crate) fn common(&self) -> CommonArgs {
        CommonArgs {
            config: Some(self.config.clone()),
            script: ScriptArgs::default(),
            jobs: self.jobs,
            lanes: self.lanes,
            seeds: None,
            iterations: None,
            range: None,
            budget: None,
            device: self.device,
            fresh: self.fresh,
            dry_run: self.dry_run,
            timing: None,
            quiet: self.quiet,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum SpacingArg {
    /// Equal factors
    #[default]
    Exponential,
    /// Equal differences
    Linear,
}

impl From<SpacingArg> for Spacing {
    fn from(spacing: SpacingArg) -> Self {
        match spacing {
            SpacingArg::Exponential => Self::Exponential,
            SpacingArg::Linear => Self::Linear,
        }
    }
}
