//! The command line, as typed.

mod analyze;
mod shared;
mod sweep;
mod values;
mod verify;

pub(crate) use analyze::AnalyzeArgs;
pub(crate) use shared::{RunArgs, ScriptArgs, SearchArgs, SubjectArgs};
pub(crate) use sweep::SweepArgs;
pub(crate) use verify::VerifyArgs;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use lrfind::report::comparison::TOLERANCE;
use lrfind::report::export::Target;

use super::exit;

/// Finds the initial learning rate for a long training run, and tells whether the configured one is safe.
///
/// Many short trials at fixed rates measure which rate does best early on, at which rate training becomes unstable, and how
/// far apart the two are. The recommended rate is the one that does best once it has decayed, safely below the threshold.
#[derive(Debug, Parser)]
#[command(name = "lrfind", version, after_help = concat_help(EXAMPLES), propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  lrfind init digits.toml                  write a config to start from
  lrfind find digits.toml                  find the rate; report and plots go to reports/digits
  lrfind check digits.toml                 is the rate in the config safe? the exit code tells
  lrfind schedule reports/digits --format pytorch
                                           the schedule to paste into a training script";

const FIND_EXAMPLES: &str = "\
Examples:
  lrfind find digits.toml
  lrfind find digits.toml --dry-run        what it would try and what that would cost
  lrfind find digits.toml --range 1e-4 1 --seeds 8
  lrfind find digits.toml --format json | jq .recommendation.learning_rate
  lrfind find -- python train.py           a script that takes --lr, --seed and --steps
  lrfind find --steps-flag --max-iters -- torchrun gpt.py --rate {lr}";

const CHECK_EXAMPLES: &str = "\
Examples:
  lrfind check digits.toml                 judge `learning-rate` of the config
  lrfind check digits.toml --lr 0.3        judge this rate instead
  lrfind check digits.toml --format github in a GitHub workflow: the verdict as an annotation
  lrfind check --lr 0.05 -- python train.py";

const SCHEDULE_EXAMPLES: &str = "\
Examples:
  lrfind schedule reports/digits                   a table
  lrfind schedule reports/digits --format optax    code to paste";

const COMPARE_EXAMPLES: &str = "\
Examples:
  lrfind compare baseline reports/digits           two folders, or two report.json
  lrfind compare baseline reports/digits --fail-on move
  lrfind compare baseline reports/digits --format github";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  source <(lrfind completions bash)        in ~/.bashrc
  lrfind completions zsh > ~/.zfunc/_lrfind
  lrfind completions fish > ~/.config/fish/completions/lrfind.fish";

const MAN_EXAMPLES: &str = "\
Examples:
  lrfind man /usr/local/share/man/man1     then: man lrfind, man lrfind-find";

fn concat_help(examples: &str) -> String {
    format!("{examples}\n\n{}", exit::HELP)
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find the learning rate to start a long run with
    #[command(after_help = concat_help(FIND_EXAMPLES))]
    Find(FindArgs),
    /// Judge the configured learning rate: safe, too close to instability, or unstable
    #[command(after_help = concat_help(CHECK_EXAMPLES))]
    Check(CheckArgs),
    /// Make the classical range test, and show what the rules of other finders suggest
    ///
    /// The rate rises at every step of a single run. Each published rule reads the loss as its own tool does, with the tool's
    /// smoothing and early stop. To be compared with `lrfind find`, not to be trusted: one run is noisy.
    #[command(after_help = concat_help(sweep::EXAMPLES))]
    Sweep(SweepArgs),
    /// Make whole training runs, and see whether the recommendation holds
    ///
    /// Runs of full length at the recommended, the best early and the configured rate and just below the threshold, each with
    /// seeds of its own, show what the short trials could only predict. Finished runs are kept: when interrupted, the same
    /// command goes on where it stopped.
    #[command(after_help = concat_help(verify::EXAMPLES))]
    Verify(VerifyArgs),
    /// Find the rate from learning curves that you already have
    ///
    /// A row holds the learning rate of a run, its seed, a step, and the loss at that step. The rate is taken to be constant over
    /// the part of a run that is analysed.
    #[command(after_help = concat_help(analyze::EXAMPLES))]
    Analyze(AnalyzeArgs),
    /// Tell whether the threshold or the recommendation moved from one report to another
    ///
    /// A gate for CI: keep the report of a search beside the code, search again after a change, and compare.
    #[command(after_help = concat_help(COMPARE_EXAMPLES))]
    Compare(CompareArgs),
    /// Draw the plots of a report anew
    Plot(PlotArgs),
    /// Print the recommended schedule for a framework
    #[command(after_help = concat_help(SCHEDULE_EXAMPLES))]
    Schedule(ScheduleArgs),
    /// Write a config to start from
    Init(InitArgs),
    /// Print the JSON Schema of configs, for editors that complete and check them
    Schema,
    /// Print a script with which a shell completes commands, flags and files
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write manual pages, one for each command
    #[command(after_help = MAN_EXAMPLES)]
    Man {
        /// Where to, such as /usr/local/share/man/man1; made if need be
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct FindArgs {
    /// Folder for report and plots [default: reports/<name>]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// What to print on standard output
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: FindFormat,
    /// Learning rates to scan first
    #[arg(long, value_names = ["LOW", "HIGH"], num_args = 2, allow_negative_numbers = true, help_heading = "Search")]
    pub(crate) range: Option<Vec<f64>>,
    #[command(flatten)]
    pub(crate) search: SearchArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    #[command(flatten)]
    pub(crate) subject: SubjectArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Judge this rate instead of the config's
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub(crate) lr: Option<f64>,
    /// The rate must be stable at this many times itself too, more than 1
    #[arg(long, value_name = "FACTOR", value_parser = values::margin, allow_negative_numbers = true)]
    pub(crate) margin: Option<f64>,
    /// The mildest verdict that ends with exit code 1; an inconclusive check ends with 3 either way
    #[arg(long, value_enum, default_value_t)]
    pub(crate) fail_on: FailOn,
    /// End with exit code 0 whatever the verdict; errors still end with 2
    #[arg(long)]
    pub(crate) exit_zero: bool,
    /// Folder for report and plots [default: reports/<name>-check]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// What to print on standard output
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: CheckFormat,
    #[command(flatten)]
    pub(crate) search: SearchArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    #[command(flatten)]
    pub(crate) subject: SubjectArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// The older report.json, or the folder that holds it
    #[arg(value_name = "OLD")]
    pub(crate) old: PathBuf,
    /// The newer one
    #[arg(value_name = "NEW")]
    pub(crate) new: PathBuf,
    /// The factor by which a rate may differ without having moved, at least 1
    #[arg(long, value_name = "FACTOR", default_value_t = TOLERANCE, value_parser = values::tolerance, allow_negative_numbers = true)]
    pub(crate) tolerance: f64,
    /// The movement that ends with exit code 1; an inconclusive comparison always ends with 3
    #[arg(long, value_enum, default_value_t)]
    pub(crate) fail_on: MovedOn,
    /// What to print on standard output
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: CompareFormat,
}

#[derive(Debug, Args)]
pub(crate) struct PlotArgs {
    /// A report.json, or the folder that holds it
    #[arg(value_name = "REPORT")]
    pub(crate) report: PathBuf,
    /// Folder for the plots [default: the report's own]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ScheduleArgs {
    /// A report.json, or the folder that holds it
    #[arg(value_name = "REPORT")]
    pub(crate) report: PathBuf,
    /// What to print the schedule for
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ScheduleFormat,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The file to write
    #[arg(value_name = "PATH", default_value = "lrfind.toml")]
    pub(crate) path: PathBuf,
    /// Write a config that runs a training script of your own
    #[arg(long)]
    pub(crate) command: bool,
    /// Overwrite the file if it exists
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum FindFormat {
    /// The answer for a person
    #[default]
    Text,
    /// The whole report
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum CheckFormat {
    /// The verdict for a person
    #[default]
    Text,
    /// The whole report
    Json,
    /// One annotation for GitHub Actions
    Github,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum FailOn {
    /// The rate itself is unstable
    Unstable,
    /// As above, or a rate within the margin above is
    #[default]
    Marginal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum MovedOn {
    /// The threshold or the recommendation fell, or the verdict of `check` got worse
    #[default]
    Fall,
    /// As above, or the other way
    Move,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum CompareFormat {
    /// The answer for a person
    #[default]
    Text,
    /// All that was compared
    Json,
    /// One annotation for GitHub Actions
    Github,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ScheduleFormat {
    /// A table for a person
    #[default]
    Text,
    /// Rust, for burn
    Burn,
    /// Python, for PyTorch
    Pytorch,
    /// Python, for Keras
    Keras,
    /// Python, for Optax
    Optax,
    /// The facts, for a program
    Json,
}

impl From<ScheduleFormat> for Target {
    fn from(format: ScheduleFormat) -> Self {
        match format {
            ScheduleFormat::Text => Self::Text,
            ScheduleFormat::Burn => Self::Burn,
            ScheduleFormat::Pytorch => Self::Pytorch,
            ScheduleFormat::Keras => Self::Keras,
            ScheduleFormat::Optax => Self::Optax,
            ScheduleFormat::Json => Self::Json,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn refuses_numbers_that_make_no_sense() {
        for flags in [["--jobs", "0"], ["--seeds", "x"], ["--seeds", "65"], ["--iterations", "9"], ["--budget", "-1"]] {
            assert!(Cli::try_parse_from(["lrfind", "find", "x.toml"].into_iter().chain(flags)).is_err(), "{flags:?}");
        }
        for factor in ["0.5", "1", "nan", "inf"] {
            assert!(Cli::try_parse_from(["lrfind", "check", "x.toml", "--margin", factor]).is_err(), "{factor}");
        }
        for flags in [["--smoothing", "1"], ["--smoothing", "-0.1"], ["--stop-factor", "1"], ["--stop-factor", "nan"]] {
            assert!(Cli::try_parse_from(["lrfind", "sweep", "x.toml"].into_iter().chain(flags)).is_err(), "{flags:?}");
        }
        for factor in ["0.9", "-2", "nan", "inf"] {
            assert!(Cli::try_parse_from(["lrfind", "compare", "a", "b", "--tolerance", factor]).is_err(), "{factor}");
        }
        for share in ["0", "-0.1", "1.1", "nan", "x"] {
            assert!(Cli::try_parse_from(["lrfind", "verify", "x.toml", "--fraction", share]).is_err(), "{share}");
        }
        assert!(Cli::try_parse_from(["lrfind", "sweep", "x.toml", "--stop-factor", "inf"]).is_ok());
        assert!(Cli::try_parse_from(["lrfind", "find", "x.toml", "--range", "1e-4", "1"]).is_ok());
        assert!(Cli::try_parse_from(["lrfind", "find", "x.toml", "--range", "1e-4"]).is_err());
    }
}
