//! The flags of `verify`.

use std::path::PathBuf;

use clap::Args;

use super::values::seeds;
use super::{FindFormat, RunArgs, ScriptArgs};

pub(super) const EXAMPLES: &str = "\
Examples:
  lrfind verify digits.toml                full runs at the rates of reports/digits, or of a search made first
  lrfind verify digits.toml --fraction 0.2 runs of a fifth of the length, the schedule squeezed into it
  lrfind verify digits.toml --lr 0.2       at this rate too
  lrfind verify reports/digits --config digits.toml
  lrfind verify --planned 10000 -- python train.py --rates {rates}";

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The config file, or a report.json or its folder; a report needs --config too
    #[arg(value_name = "CONFIG|REPORT", id = "config", required_unless_present = "words")]
    pub(crate) source: Option<PathBuf>,
    /// The config of the report, which does not say where its config and its data lie
    #[arg(long = "config", id = "config_of_report", value_name = "CONFIG", conflicts_with_all = ["report", "words"])]
    pub(crate) config: Option<PathBuf>,
    /// The report to verify [default: reports/<name>, found by a search first where there is none]
    #[arg(long, value_name = "REPORT")]
    pub(crate) report: Option<PathBuf>,
    /// Test this rate too; may be given several times
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub(crate) lr: Vec<f64>,
    /// Runs at each rate, each with a seed that no trial of the search has, 1 to 64
    #[arg(long, value_name = "N", default_value = "3", value_parser = seeds)]
    pub(crate) seeds: usize,
    /// Length of the runs as a share of the planned run, into which its schedule is squeezed
    #[arg(long, value_name = "SHARE", default_value = "1", value_parser = fraction, allow_negative_numbers = true)]
    pub(crate) fraction: f64,
    /// Folder for verify.json, verification.png and the journal of the runs [default: the report's own]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// What to print on standard output
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: FindFormat,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    #[command(flatten)]
    pub(crate) script: ScriptArgs,
}

fn fraction(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|share| *share > 0.0 && *share <= 1.0)
        .ok_or_else(|| "write a number above 0 and at most 1, such as 0.2".to_owned())
}
