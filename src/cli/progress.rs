//! Progress on standard error: a bar on a terminal, a line per stage elsewhere.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lrfind::error::FileError;
use lrfind::record::{Event, Observer, TrialRecord};
use lrfind::report::text::{counted, grouped};

use super::output;

/// Watches the trials.
pub(crate) struct Progress {
    style: Style,
    trials: AtomicU64,
    reused_trials: AtomicU64,
    reused_iterations: AtomicU64,
    full_runs: AtomicU64,
    told_of_loss: AtomicBool,
}

/// What was taken from the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reused {
    pub(crate) trials: u64,
    pub(crate) iterations: u64,
}

enum Style {
    /// Says nothing but warnings.
    Quiet,
    /// A line when a stage begins.
    Lines,
    /// A bar over the forecast's iterations. The stage and what is known stand beside it.
    Bar(ProgressBar),
}

impl Progress {
    /// For a run of about `total` trial-iterations.
    pub(crate) fn new(total: u64, quiet: bool) -> Self {
        Self {
            style: Style::new(total, quiet),
            trials: AtomicU64::new(0),
            reused_trials: AtomicU64::new(0),
            reused_iterations: AtomicU64::new(0),
            full_runs: AtomicU64::new(0),
            told_of_loss: AtomicBool::new(false),
        }
    }

    /// Clears the bar away.
    pub(crate) fn finish(&self) {
        if let Style::Bar(bar) = &self.style {
            bar.finish_and_clear();
        }
    }

    /// Trials asked for so far, those reused included.
    pub(crate) fn trials(&self) -> u64 {
        self.trials.load(Ordering::Relaxed)
    }

    /// What was reused so far.
    pub(crate) fn reused(&self) -> Reused {
        let [trials, iterations] = [&self.reused_trials, &self.reused_iterations].map(|n| n.load(Ordering::Relaxed));
        Reused { trials, iterations }
    }

    /// Says, once, that the journal does not keep all trials.
    pub(crate) fn warn_of_loss(&self, error: &FileError) {
        if !self.told_of_loss.swap(true, Ordering::Relaxed) {
            self.style.note(&format!("warning: {error}; the search goes on, and tries again after each trial"));
        }
    }
}

impl Style {
    fn new(total: u64, quiet: bool) -> Self {
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

    /// Prints a line, above the bar where there is one.
    fn note(&self, line: &str) {
        match self {
            Self::Bar(bar) => bar.suspend(|| output::note(line)),
            Self::Quiet | Self::Lines => output::note(line),
        }
    }

    /// Prints a line that is no warning.
    fn explain(&self, line: &str) {
        if !matches!(self, Self::Quiet) {
            self.note(line);
        }
    }

    /// Says how many full runs are finished: each takes so long that it is worth a word.
    fn count(&self, finished: u64, of: u64) {
        match self {
            Self::Lines => output::note(&format!("{finished} of {} finished", counted(of, "run"))),
            Self::Bar(bar) => bar.set_message(format!("{finished} of {of} runs finished")),
            Self::Quiet => {}
        }
    }

    fn show(&self, event: &Event<'_>) {
        match (self, event) {
            (Self::Lines, Event::StageStarted { stage, trials, iterations }) => {
                output::note(&format!("{stage}: {}, {} iterations", counted(*trials as u64, "trial"), grouped(*iterations)));
            }
            (Self::Lines, Event::Reused { stage, trials, iterations }) => {
                let trials = counted(*trials as u64, "trial");
                output::note(&format!("{stage}: {trials} reused, {} iterations", grouped(*iterations)));
            }
            (Self::Bar(bar), Event::StageStarted { stage: name, .. }) => bar.set_prefix(*name),
            (Self::Bar(bar), Event::Progress { iterations } | Event::Reused { iterations, .. }) => {
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

impl Observer for Progress {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::StageStarted { trials, .. } => drop(self.trials.fetch_add(*trials as u64, Ordering::Relaxed)),
            Event::Reused { trials, iterations, .. } => {
                self.trials.fetch_add(*trials as u64, Ordering::Relaxed);
                self.reused_trials.fetch_add(*trials as u64, Ordering::Relaxed);
                self.reused_iterations.fetch_add(*iterations, Ordering::Relaxed);
            }
            Event::TrialsFinished(records) => {
                let full = |record: &&TrialRecord| record.spec.evaluations > 0 && record.is_finished();
                let more = records.iter().filter(full).count() as u64;
                if more > 0 {
                    let finished = self.full_runs.fetch_add(more, Ordering::Relaxed) + more;
                    self.style.count(self.reused().trials + finished, self.trials());
                }
            }
            Event::NotKept(error) => self.warn_of_loss(error),
            Event::Outdated { trials } => self.style.explain(&format!(
                "{} of the same rates and seeds {} kept from earlier runs, but data, model or script have changed since: they run anew",
                counted(*trials as u64, "trial"),
                if *trials == 1 { "is" } else { "are" },
            )),
            _ => {}
        }
        self.style.show(event);
    }
}
