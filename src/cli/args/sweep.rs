//! The flags of `sweep`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lrfind::config;
use lrfind::record::Spacing;

use super::values::{seeds, share, stop_factor};
use super::{FindFormat, RunArgs, SubjectArgs};

pub(super) const EXAMPLES: &str = "\
Examples:
  lrfind sweep digits.toml                 one ramp, and what each published rule reads off it
  lrfind sweep digits.toml --seeds 10      how far each rule moves from run to run
  lrfind sweep digits.toml --start 1e-4 --end 1 --iterations 200
  lrfind sweep digits.toml --format json | jq '.rules[] | {label, median}'
  lrfind sweep -- python train.py --rates {rates}
                                           a script that reads the rate of each step from a file";

#[derive(Debug, Args)]
pub(crate) struct SweepArgs {
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
    #[command(flatten)]
    pub(crate) run: RunArgs,
    #[command(flatten)]
    pub(crate) subject: SubjectArgs,
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
