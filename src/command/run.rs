//! A trial that a script makes: reads its losses as they come, and tells its faults from instability.

use std::process::ExitStatus;
use std::time::{Duration, Instant};

use super::loss::LossReader;
use super::output::Output;
use super::placement::Place;
use super::process::{Process, ending};
use crate::config::{ScriptPlan, Streams};
use crate::error::TrialError;
use crate::trial::{Cancel, Run};

/// How long a script that was told its number of steps may take after the last of them to end by itself, so that it can put its
/// affairs in order. One that was not told goes on for nobody knows how long.
const FAREWELL: Duration = Duration::from_secs(1);

/// A script under way.
#[derive(Debug)]
pub(super) struct ScriptRun<'a> {
    plan: &'a ScriptPlan,
    process: Process,
    /// Held while the script runs.
    _place: Option<Place<'a>>,
    output: Output<'a>,
    /// Losses that the trial takes.
    wanted: u64,
    /// Losses handed out.
    taken: u64,
    /// Whether the script knows how many steps it takes.
    told: bool,
    started: Instant,
    last_loss: Instant,
    cancel: Cancel,
}

impl<'a> ScriptRun<'a> {
    /// The trial of `wanted` steps that `process` makes.
    pub(super) fn new(
        plan: &'a ScriptPlan,
        reader: &LossReader,
        process: Process,
        place: Option<Place<'a>>,
        wanted: u64,
        told: bool,
    ) -> Self {
        let now = Instant::now();
        Self {
            plan,
            process,
            _place: place,
            output: Output::new(plan, reader),
            wanted,
            taken: 0,
            told,
            started: now,
            last_loss: now,
            cancel: Cancel::default(),
        }
    }

    fn next_loss(&mut self) -> Result<f64, TrialError> {
        loop {
            if let Some(loss) = self.output.next_loss() {
                self.last_loss = Instant::now();
                self.taken += 1;
                return Ok(loss);
            }
            if self.cancel.is_cancelled() {
                return Err(TrialError::new("interrupted"));
            }
            let patience = self.patience()?;
            let output = &mut self.output;
            let listened = self.process.listen(patience, &mut |stream, bytes| output.take(stream, bytes));
            let ended = listened.map_err(|error| TrialError::new(format!("cannot listen to the script: {error}")))?;
            if let Some(status) = ended {
                // Half a number of a script that was cut off is no loss.
                self.output.finish(status.success());
                match self.output.next_loss() {
                    Some(loss) => {
                        self.taken += 1;
                        return Ok(loss);
                    }
                    None => return self.ended_early(status),
                }
            }
        }
    }

    /// How much longer the script may be silent.
    fn patience(&self) -> Result<Duration, TrialError> {
        let left = |seconds: f64, since: Instant| {
            Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX).checked_sub(since.elapsed())
        };
        let (step, progress) = (self.plan.step_timeout, self.progress());
        let until_loss = left(step, self.last_loss)
            .ok_or_else(|| self.fault(&format!("no loss came for {step} seconds after {progress}: see `step-timeout`")))?;
        let Some(whole) = self.plan.timeout else { return Ok(until_loss) };
        let until_end = left(whole, self.started)
            .ok_or_else(|| self.fault(&format!("the trial took more than {whole} seconds for {progress}: see `timeout`")))?;
        Ok(until_loss.min(until_end))
    }

    /// What it means that the script ended before its last step.
    fn ended_early(&self, status: ExitStatus) -> Result<f64, TrialError> {
        let (how, progress) = (ending(status), self.progress());
        if !status.success() && self.output.speaks_of_divergence() {
            return Ok(f64::NAN);
        }
        Err(self.fault(&if !status.success() && self.output.mentions_infinity() {
            format!(
                "the script failed ({how}) after {progress}; if this is how it says that training diverged, put a part of that \
                 line into `diverged` of [command]"
            )
        } else if !status.success() {
            format!("the script failed ({how}) after {progress}")
        } else if self.taken > 0 {
            format!("the script ended ({how}) after {progress}: it must print one for each step")
        } else {
            format!("the script printed no loss ({how}){}", self.where_to_look())
        }))
    }

    fn progress(&self) -> String {
        format!("{} of {} losses", self.taken, self.wanted)
    }

    fn where_to_look(&self) -> &'static str {
        match (self.output.is_empty(), self.output.has_losses_elsewhere(), self.plan.stream) {
            (true, ..) => ", and nothing else",
            (_, true, Streams::Stdout) => "; there are some on standard error: write `stream = \"stderr\"` in [command]",
            (_, true, _) => "; there are some on standard output: write `stream = \"stdout\"` in [command]",
            _ => "; print a line such as `loss: 0.53` after each step, or say with `loss` in [command] how to read it",
        }
    }

    /// An error with the script's last words.
    fn fault(&self, what: &str) -> TrialError {
        TrialError::new(format!("{what}{}", self.output.quoted()))
    }

    /// Lets the script end by itself if it is about to, and ends it if not.
    fn finish(&mut self) {
        let parting = Instant::now();
        while self.told && self.taken >= self.wanted && parting.elapsed() < FAREWELL && !self.cancel.is_cancelled() {
            // What it still has to say interests nobody, but must be taken from it.
            if !matches!(self.process.listen(FAREWELL, &mut |_, _| ()), Ok(None)) {
                break;
            }
        }
        self.process.end();
    }
}

impl Run for ScriptRun<'_> {
    /// The script applies the rate that it was started with; what the step would have is no news to it.
    fn step(&mut self, _learning_rates: &[f64]) -> Result<Vec<f64>, TrialError> {
        self.next_loss().map(|loss| vec![loss])
    }

    /// A script shows no losses but those of its steps.
    fn probe(&mut self) -> Result<Vec<f64>, TrialError> {
        Ok(Vec::new())
    }

    fn retain(&mut self, lanes: &[bool]) {
        if lanes == [false] {
            self.finish();
        }
    }

    fn watch(&mut self, cancel: &Cancel) {
        self.cancel = cancel.clone();
    }
}
