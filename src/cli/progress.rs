//! Progress on standard error: a bar on a terminal, a line per stage elsewhere.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lrfind::record::{Event, Observer};
use lrfind::report::text::{counted, grouped};

use super::output;

/// Watches the trials.
pub(crate) enum Progress {
    /// Says nothing.
    Quiet,
    /// A line when a stage begins.
    Lines,
    /// A bar over the forecast's iterations. The stage and what is known stand beside it.
    Bar(ProgressBar),
}

impl Progress {
    /// For a run of about `total` trial-iterations.
    pub(crate) fn new(total: u64, quiet: bool) -> Self {
        if quiet {
            return Self::Quiet;
        }
        if !std::io::stderr().is_terminal() {
            return Self::Lines;
        }
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        let paint = if output::colour(&std::io::stderr()) { ".green" } else { "" };
        let template = format!("{{prefix:27}} {{bar:8{paint}}} {{percent:>3}} %  {{eta:>4}} left  {{msg}}");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        Self::Bar(bar)
    }

    /// Clears the bar away.
    pub(crate) fn finish(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

impl Observer for Progress {
    fn observe(&self, event: &Event<'_>) {
        match (self, event) {
            (Self::Lines, Event::StageStarted { stage, trials, iterations }) => {
                output::note(&format!("{stage}: {}, {} iterations", counted(*trials as u64, "trial"), grouped(*iterations)));
            }
            (Self::Lines, Event::Kept { runs, of }) => {
                output::note(&format!("{runs} of {} finished and kept", counted(*of as u64, "run")));
            }
            (Self::Bar(bar), Event::Kept { runs, of }) => bar.set_message(format!("{runs} of {of} runs kept")),
            (Self::Bar(bar), Event::StageStarted { stage: name, .. }) => bar.set_prefix(*name),
            (Self::Bar(bar), Event::Progress { iterations }) => {
                // The search may go beyond the forecast, when it has to extend the range.
                let done = bar.position().saturating_add(*iterations);
                if bar.length().is_some_and(|length| done > length) {
                    bar.set_length(done);
                }
                bar.inc(*iterations);
            }
            (Self::Bar(bar), Event::Standing { best, unstable }) => {
                let best = best.map_or_else(|| "best not known yet".to_owned(), |rate| format!("best {rate}"));
                bar.set_message(format!("{best} · unstable {unstable}"));
            }
            _ => {}
        }
    }
}
