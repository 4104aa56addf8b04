//! Watches the trials: shows their progress, and ends a search of a script whose trials cannot tell anything.

use std::sync::{Mutex, PoisonError};

use lrfind::LearningRate;
use lrfind::command::contract;
use lrfind::record::{Event, Observer, TrialRecord};
use lrfind::trial::Cancel;

use super::progress::Progress;

/// If the first so many trials fail alike, the others will too.
const ENOUGH_FAILURES: usize = 3;

/// An observer that passes everything on to the progress.
pub(crate) struct Watch<'a> {
    progress: &'a Progress,
    cancel: Cancel,
    /// The trials of a script so far, and what is wrong with it; `None` for what is not a script.
    script: Option<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    trials: Vec<TrialRecord>,
    /// Whether an earlier run had trials of the script that did not fail: only those are in the journal.
    has_run: bool,
    fault: Option<String>,
}

impl Seen {
    /// The message of each trial, if all of them failed.
    fn failures(&self) -> Option<Vec<&str>> {
        if self.has_run { None } else { failures(&self.trials) }
    }
}

impl<'a> Watch<'a> {
    pub(crate) fn new(progress: &'a Progress, cancel: Cancel, is_script: bool) -> Self {
        Self { progress, cancel, script: is_script.then(Mutex::default) }
    }

    /// What was found wrong, if the search was ended for it.
    pub(crate) fn fault(self) -> Option<String> {
        self.script.and_then(|seen| seen.into_inner().unwrap_or_else(PoisonError::into_inner).fault)
    }
}

impl Observer for Watch<'_> {
    fn observe(&self, event: &Event<'_>) {
        self.progress.observe(event);
        let Some(seen) = &self.script else { return };
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.fault.is_some() {
            return;
        }
        seen.fault = match event {
            Event::TrialsFinished(trials) => {
                seen.trials.extend_from_slice(trials);
                seen.failures().filter(|messages| always_the_same(messages)).map(|messages| never_ran(&messages))
            }
            Event::Reused { .. } => {
                seen.has_run = true;
                None
            }
            Event::Standing { .. } => seen
                .failures()
                .filter(|messages| !messages.is_empty())
                .map(|messages| never_ran(&messages))
                .or_else(|| contract::ignored_rates(&seen.trials).map(|(low, high)| ignores_rate(low, high, &seen.trials)))
                .or_else(|| contract::drowned_rates(&seen.trials).map(|(low, high)| drowns_rate(low, high))),
            _ => None,
        };
        if seen.fault.is_some() {
            self.cancel.cancel();
        }
    }
}

/// The message of each trial, if all of them failed.
fn failures(trials: &[TrialRecord]) -> Option<Vec<&str>> {
    trials.iter().map(|trial| trial.outcome.failure()).collect()
}

/// Whether there is no use in waiting for other trials. Scripts that crash at high rates do so at different steps.
fn always_the_same(messages: &[&str]) -> bool {
    messages.len() >= ENOUGH_FAILURES && messages.iter().all(|message| *message == messages[0])
}

fn never_ran(messages: &[&str]) -> String {
    format!("no trial could be run: {}", messages.first().unwrap_or(&""))
}

fn drowns_rate(low: LearningRate, high: LearningRate) -> String {
    format!(
        "the losses at rates from {low} to {high} differ no more than those of the same rate and seed: the script ignores its learning \
         rate, or draws so much at random without its seed that nothing can be told"
    )
}

fn ignores_rate(low: LearningRate, high: LearningRate, trials: &[TrialRecord]) -> String {
    let losses = trials.iter().find(|trial| trial.is_finished()).map_or(&[][..], |trial| &trial.losses);
    let read = losses.iter().take(4).map(f64::to_string).collect::<Vec<_>>().join(", ");
    format!(
        "the losses are the same at every rate from {low} to {high}: the script ignores its learning rate, or prints too few \
         digits to tell, or another number is taken for its loss; what was read is {read}, …"
    )
}
