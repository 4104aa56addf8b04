//! What follows from what was measured, and how it is told.

use std::fmt::Write;

use lrfind::report::text::grouped;
use serde::{Deserialize, Serialize};

/// All that is kept of a benchmark; everything else follows from it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) schema_version: u32,
    /// As it was typed.
    pub(crate) command: String,
    /// PyTorch's version; `None` where there was none.
    pub(crate) pytorch: Option<String>,
    /// Floating-point operations a second of the largest product of the MNIST MLP, in every round of every case.
    pub(crate) peak: Vec<f64>,
    pub(crate) cases: Vec<Measurement>,
}

/// One case.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Measurement {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) parameters: usize,
    /// Trials that were stacked.
    pub(crate) lanes: usize,
    /// Floating-point operations in the matrix products and convolutions of a step.
    pub(crate) operations: f64,
    pub(crate) rounds: Vec<Round>,
    /// Why the stacked form of PyTorch was not measured.
    pub(crate) not_stacked: Option<String>,
}

/// What was measured one directly after the other: trial-iterations a second.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Round {
    /// lrfind on two workers.
    pub(crate) ours: f64,
    /// lrfind on one.
    pub(crate) ours_alone: f64,
    /// PyTorch, one process for each core.
    pub(crate) eager: Option<f64>,
    /// PyTorch stacked by `torch.func.vmap`, one process for each core.
    pub(crate) stacked: Option<f64>,
}

impl Measurement {
    fn of(&self, figure: impl Fn(&Round) -> Option<f64>) -> Option<f64> {
        let figures: Vec<f64> = self.rounds.iter().filter_map(figure).collect();
        lrfind::analysis::median(&figures)
    }

    /// How many times as fast as PyTorch: the median over the rounds.
    pub(crate) fn over_eager(&self) -> Option<f64> {
        self.of(|round| Some(round.ours / round.eager?))
    }

    /// How many times as fast as PyTorch's stacked form.
    pub(crate) fn over_stacked(&self) -> Option<f64> {
        self.of(|round| Some(round.ours / round.stacked?))
    }

    /// The share of the peak that the operations of all steps come to.
    fn share(&self, peak: Option<f64>) -> Option<f64> {
        Some(self.operations * self.of(|round| Some(round.ours))? / peak?)
    }
}

/// The table, in Markdown.
pub(crate) fn markdown(measured: &Measured) -> String {
    let rival = measured.pytorch.as_ref().map_or("no PyTorch was found".to_owned(), |version| format!("PyTorch {version}"));
    let mut text = format!(
        "`{}`, {rival}; trial-iterations a second on two cores, medians of {} rounds:\n\n\
         | model | parameters | lanes | lrfind | PyTorch | ratio | PyTorch, stacked | ratio | second worker | of the peak |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
        measured.command,
        measured.cases.first().map_or(0, |case| case.rounds.len()),
    );
    let peak = lrfind::analysis::median(&measured.peak);
    for case in &measured.cases {
        text += &row(case, peak);
        text.push('\n');
    }
    if let Some(peak) = peak {
        let _ = write!(
            text,
            "\nThe peak is {:.0} GFLOP/s: what both cores together reach in burn's product of [64, 784] and [784, 256]. The share of it is \
             that of the products and convolutions of all steps, none of which can be left out.\n",
            peak / 1e9,
        );
    }
    for (case, why) in measured.cases.iter().filter_map(|case| Some((case, case.not_stacked.as_ref()?))) {
        let _ = write!(text, "\nPyTorch cannot stack the {}: “{}”.\n", case.label, why.trim_end_matches('.'));
    }
    text
}

/// A row of the table.
pub(crate) fn row(case: &Measurement, peak: Option<f64>) -> String {
    let rate = |value: Option<f64>| value.map_or("–".to_owned(), thousands);
    let times = |value: Option<f64>| value.map_or("–".to_owned(), |ratio| format!("{ratio:.2}×"));
    let cells = [
        case.label.clone(),
        thousands(case.parameters as f64),
        case.lanes.to_string(),
        rate(case.of(|round| Some(round.ours))),
        rate(case.of(|round| round.eager)),
        times(case.over_eager()),
        rate(case.of(|round| round.stacked)),
        times(case.over_stacked()),
        times(case.of(|round| Some(round.ours / round.ours_alone))),
        case.share(peak).map_or("–".to_owned(), |share| format!("{:.0} %", 100.0 * share)),
    ];
    format!("| {} |", cells.join(" | "))
}

/// A whole number with a comma after each thousand; below 100 with a decimal.
fn thousands(value: f64) -> String {
    if value < 100.0 { format!("{value:.1}") } else { grouped(value.round() as u64) }
}
