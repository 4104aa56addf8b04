//! A trial that a script makes: reads its losses as they come, and tells its faults from instability.

use std::collections::VecDeque;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use tempfile::TempPath;

use super::host::{Host, Waiting};
use super::output::Output;
use super::process::{FAREWELL, ending};
use crate::config::{LossFormat, Placeholder, ScriptPlan, Streams};
use crate::error::TrialError;
use crate::record::TrialSpec;
use crate::trial::{Cancel, Costs, Run};

/// A script under way.
#[derive(Debug)]
pub(super) struct ScriptRun<'a> {
    plan: &'a ScriptPlan,
    /// `None` once it has been given back.
    host: Option<Host>,
    /// Where a script that stays goes after the trial, and the line that it is sent until it was.
    stays: Option<&'a Waiting>,
    line: Option<String>,
    /// The file of the rates: held while the trial runs.
    _rates: Option<TempPath>,
    began: Instant,
    /// Losses that the trial takes.
    wanted: u64,
    /// Losses handed out.
    taken: u64,
    /// The first loss, where it was asked for before the first step.
    ahead: Option<f64>,
    /// The latest losses, as many as show where the script stands.
    latest: VecDeque<f64>,
    window: usize,
    /// Whether the script knows how many steps it takes.
    told: bool,
    last_loss: Instant,
    cancel: Cancel,
}

/// How a script came to the end of a trial.
enum End {
    /// It ended.
    Exit(ExitStatus),
    /// It stays, and is ready for the next one.
    Ready,
}

impl End {
    fn is_success(&self) -> bool {
        match self {
            Self::Exit(status) => status.success(),
            Self::Ready => true,
        }
    }

    /// In words.
    fn words(&self) -> String {
        match self {
            Self::Exit(status) => ending(*status),
            Self::Ready => "it said that it is ready for the next trial".to_owned(),
        }
    }
}

/// How many of the latest losses show where a trial stands: those since the last evaluation, those at the gentle rate in which it
/// ends, or else a fifth of it.
fn window(spec: &TrialSpec) -> usize {
    let steps = match spec.recovery {
        Some(recovery) => recovery.iterations / 2,
        None if spec.evaluations > 0 => spec.iterations / spec.evaluations,
        None => spec.iterations / 5,
    };
    usize::try_from(steps).unwrap_or(usize::MAX).max(1)
}

impl<'a> ScriptRun<'a> {
    /// The trial `spec` that `host` makes, with the file of its rates.
    pub(super) fn new(plan: &'a ScriptPlan, spec: &TrialSpec, host: Host, rates: Option<TempPath>) -> Self {
        let now = Instant::now();
        Self {
            plan,
            host: Some(host),
            stays: None,
            line: None,
            _rates: rates,
            began: now,
            wanted: spec.total_iterations(),
            taken: 0,
            ahead: None,
            latest: VecDeque::new(),
            window: window(spec),
            told: plan.has(Placeholder::Steps),
            last_loss: now,
            cancel: Cancel::default(),
        }
    }

    /// The same by a script that stays: it is sent the line that tells of the trial once it is ready, and goes to those that wait
    /// afterwards.
    pub(super) fn staying(self, line: String, waiting: &'a Waiting) -> Self {
        Self { stays: Some(waiting), line: Some(line), ..self }
    }

    /// The mean of the latest losses, or the first one where none has come yet. Nothing when it was interrupted.
    fn standing(&mut self) -> Result<Vec<f64>, TrialError> {
        if self.latest.is_empty() {
            match self.next_loss() {
                Ok(loss) => self.ahead = Some(loss),
                Err(_) if self.cancel.is_cancelled() => return Ok(Vec::new()),
                Err(error) => return Err(error),
            }
        }
        let known = self.latest.iter().chain(&self.ahead);
        let count = known.clone().count();
        Ok(vec![known.sum::<f64>() / count as f64])
    }

    fn next_loss(&mut self) -> Result<f64, TrialError> {
        if let Some(loss) = self.ahead.take() {
            return Ok(loss);
        }
        match self.hear(Output::next_loss)? {
            Ok(loss) => {
                self.taken += 1;
                Ok(loss)
            }
            Err(end) => self.ended_early(&end),
        }
    }

    /// The next loss of a probe. Nothing when it was interrupted.
    fn next_probe(&mut self) -> Result<Vec<f64>, TrialError> {
        match self.hear(Output::next_probe) {
            Ok(Ok(loss)) => Ok(vec![loss]),
            Ok(Err(end)) if !end.is_success() => self.ended_early(&end).map(|loss| vec![loss]),
            Ok(Err(_)) => {
                let steps =
                    if self.taken == 0 { "before the first step".to_owned() } else { format!("after {}", self.progress()) };
                Err(self.fault(&format!(
                    "the script printed no loss of a probe {steps}: print a line such as `probe: 0.53` after each of the steps that \
                     `{{probe}}` tells"
                )))
            }
            Err(_) if self.cancel.is_cancelled() => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Listens until there is what `take` takes, or the script has come to its end.
    fn hear(&mut self, take: fn(&mut Output) -> Option<f64>) -> Result<Result<f64, End>, TrialError> {
        loop {
            // What was said in time counts, however late it is looked at.
            if let Some(heard) = self.said(take) {
                return Ok(heard);
            }
            if self.cancel.is_cancelled() {
                return Err(TrialError::new("interrupted"));
            }
            let patience = self.patience()?;
            let Some(Host { process, output, .. }) = &mut self.host else { return Err(TrialError::new("the trial is over")) };
            let listened = process.listen(patience, &mut |stream, bytes| output.take(stream, bytes));
            let ended = listened.map_err(|error| TrialError::new(format!("cannot listen to the script: {error}")))?;
            if let Some(status) = ended {
                // Half a number of a script that was cut off is no loss.
                output.finish(status.success());
                return Ok(self.said(take).unwrap_or(Err(End::Exit(status))));
            }
        }
    }

    /// What `take` takes of what the script has said in this trial, or that it is ready for the next. One that is ready for this one is
    /// told of it.
    fn said(&mut self, take: fn(&mut Output) -> Option<f64>) -> Option<Result<f64, End>> {
        let Host { process, output, .. } = self.host.as_mut()?;
        if let Some(line) = &self.line {
            if output.is_ready() {
                output.forget();
                // One that does not read it has ended, or will be silent: either will be heard.
                let _ = process.send(line);
                self.line = None;
                self.last_loss = Instant::now();
            }
            return None;
        }
        if let Some(loss) = take(output) {
            self.last_loss = Instant::now();
            return Some(Ok(loss));
        }
        (self.stays.is_some() && output.is_ready()).then_some(Err(End::Ready))
    }

    /// How much longer the script may be silent.
    fn patience(&self) -> Result<Duration, TrialError> {
        let left = |seconds: f64, since: Instant| {
            Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX).checked_sub(since.elapsed())
        };
        let (step, progress) = (self.plan.step_timeout, self.progress());
        let silence = || match self.line {
            Some(_) => format!("the script did not print `ready` within {step} seconds, as one that is sent lines must"),
            None => format!("no loss came for {step} seconds after {progress}: see `step-timeout`"),
        };
        let until_loss = left(step, self.last_loss).ok_or_else(|| self.fault(&silence()))?;
        let Some(whole) = self.plan.timeout else { return Ok(until_loss) };
        let until_end = left(whole, self.began)
            .ok_or_else(|| self.fault(&format!("the trial took more than {whole} seconds for {progress}: see `timeout`")))?;
        Ok(until_loss.min(until_end))
    }

    /// What it means that the script ended before its last step.
    fn ended_early(&self, end: &End) -> Result<f64, TrialError> {
        let (how, progress) = (end.words(), self.progress());
        let Some(Host { output, .. }) = &self.host else { return Err(TrialError::new("the trial is over")) };
        if self.line.is_some() {
            let what =
                format!("the script ended ({how}) before it printed `ready`, as one that is sent lines must for each trial");
            return Err(self.fault(&what));
        }
        let says_so = matches!(end, End::Ready) || !end.is_success();
        if says_so && output.speaks_of_divergence() {
            return Ok(f64::NAN);
        }
        // What was killed has not spoken for itself.
        let gave_up = matches!(end, End::Exit(status) if status.code().is_some_and(|code| code != 0));
        Err(self.fault(&if gave_up && (self.taken > 0 || output.mentions_infinity()) {
            format!(
                "the script failed ({how}) after {progress}; if this is how it says that training diverged, put a part of that \
                 line into `diverged` of [command]"
            )
        } else if !end.is_success() {
            format!("the script failed ({how}) after {progress}")
        } else if self.taken > 0 && output.mentions_infinity() {
            format!(
                "the script ended ({how}) after {progress}, and its last lines speak of what is not finite; if that is a loss, let \
                 `loss` in [command] read it: a group of `(\\S+)` does, where digits alone do not"
            )
        } else if self.taken > 0 && output.has_overwritten() {
            format!(
                "the script ended ({how}) after {progress}: it must print one for each step, and what a carriage return overwrites \
                 does not count; end each of these lines with a newline"
            )
        } else if self.taken > 0 {
            format!("the script ended ({how}) after {progress}: it must print one for each step")
        } else if self.stays.is_some() && output.is_empty() {
            format!(
                "the script ended ({how}) where it should have read a line: one that stays makes a trial for each, until its input \
                 ends"
            )
        } else {
            format!("the script printed no loss ({how}){}", self.where_to_look(output))
        }))
    }

    fn progress(&self) -> String {
        format!("{} of {} losses", self.taken, self.wanted)
    }

    fn where_to_look(&self, output: &Output) -> &'static str {
        match (output.is_empty(), output.has_losses_elsewhere(), self.plan.stream) {
            (true, ..) => ", and nothing else",
            (_, true, Streams::Stdout) => "; there are some on standard error: write `stream = \"stderr\"` in [command]",
            (_, true, _) => "; there are some on standard output: write `stream = \"stdout\"` in [command]",
            _ if self.plan.loss != LossFormat::Plain => "; no line has what `loss` in [command] describes",
            _ if output.has_ambiguous_comma() => {
                "; whether a comma in a number parts its thousands or its decimals is not known: print `0.53`, with a point"
            }
            _ => "; print a line such as `loss: 0.53` after each step, or say with `loss` in [command] how to read it",
        }
    }

    /// An error with the script's last words.
    fn fault(&self, what: &str) -> TrialError {
        TrialError::new(format!("{what}{}", self.host.as_ref().map(|host| host.output.quoted()).unwrap_or_default()))
    }

    /// Lets the script end by itself if it is about to, as one is that was told its number of steps, and ends it if not; one that
    /// stays waits for the next trial, if it has made this one to its end.
    fn finish(&mut self) {
        let Some(mut host) = self.host.take() else { return };
        let is_over = self.taken >= self.wanted || host.output.is_ready();
        if let Some(waiting) = self.stays.filter(|_| self.line.is_none() && is_over && !self.cancel.is_cancelled()) {
            return waiting.put(host);
        }
        if self.told && self.taken >= self.wanted {
            host.process.await_end(Instant::now() + FAREWELL, || self.cancel.is_cancelled());
        }
        host.process.end();
    }
}

impl Run for ScriptRun<'_> {
    /// The script applies the rate that it was started with; what the step would have is no news to it.
    fn step(&mut self, _learning_rates: &[f64]) -> Result<Vec<f64>, TrialError> {
        let loss = self.next_loss()?;
        if self.latest.len() == self.window {
            self.latest.pop_front();
        }
        self.latest.push_back(loss);
        Ok(vec![loss])
    }

    /// A script that was not asked for probes shows no losses but those of its steps. Where its rate has fallen, the latest of them
    /// tell what a probe would.
    fn probe(&mut self) -> Result<Vec<f64>, TrialError> {
        if self.plan.has(Placeholder::Probe) {
            self.next_probe()
        } else if self.plan.has(Placeholder::Rates) {
            self.standing()
        } else {
            Ok(Vec::new())
        }
    }

    /// The mean of the losses since the last evaluation stands for that of the whole training set.
    fn evaluate(&mut self) -> Result<Vec<Costs>, TrialError> {
        Ok(self.standing()?.into_iter().map(|train| Costs { train, held_out: None }).collect())
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
