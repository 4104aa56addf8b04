//! The flags of `analyze`.

use std::path::PathBuf;

use clap::Args;
use lrfind::config;
use lrfind::curves::ColumnNames;

use super::FindFormat;

pub(crate) const EXAMPLES: &str = "\
Examples:
  lrfind analyze curves.csv.gz             columns are found by their usual names
  lrfind analyze runs/ --loss-column train/nll --seed-column run_id
  zcat log.jsonl.gz | lrfind analyze - --format json | jq .best_early.learning_rate";

#[derive(Debug, Args)]
pub(crate) struct AnalyzeArgs {
    /// CSV files or JSON lines, plain or gzipped; folders with such files; `-` for standard input
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// The column of the learning rate of the run [default: learning_rate, lr, eps, …]
    #[arg(long, value_name = "NAME")]
    pub(crate) lr_column: Option<String>,
    /// The column that tells the runs of one rate apart [default: seed, run, run_id, …, or else the file]
    #[arg(long, value_name = "NAME")]
    pub(crate) seed_column: Option<String>,
    /// The column of the step [default: step, iteration, iter, batch, epoch, …]
    #[arg(long, value_name = "NAME")]
    pub(crate) step_column: Option<String>,
    /// The column of the training loss [default: train_loss, loss, …]
    #[arg(long, value_name = "NAME")]
    pub(crate) loss_column: Option<String>,
    /// Iterations of a curve that count as early, 10 to 100000 [default: 100 losses, or what the curves hold]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(config::ITERATIONS))]
    pub(crate) iterations: Option<u64>,
    /// The recommendation stays this factor below the threshold [default: 1.6]
    #[arg(long, value_name = "FACTOR", value_parser = safety, allow_negative_numbers = true)]
    pub(crate) safety: Option<f64>,
    /// Folder for report and plots [default: reports/<name of the first path>]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// What to print on standard output
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: FindFormat,
}

impl AnalyzeArgs {
    /// The columns that the flags name.
    pub(crate) fn columns(&self) -> ColumnNames {
        ColumnNames {
            learning_rate: self.lr_column.clone(),
            seed: self.seed_column.clone(),
            step: self.step_column.clone(),
            loss: self.loss_column.clone(),
        }
    }
}

fn safety(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|factor: &f64| factor.is_finite() && *factor >= 1.0)
        .ok_or_else(|| "write a number from 1 on, such as 2".to_owned())
}
