//! The analysis of curves that somebody has recorded: as after a search, but with what cannot be said from them said so.

mod notes;

use serde_json::json;

use super::{Study, compile};
use crate::analysis::{Assessment, Lengths, Premises, Safety, assess};
use crate::config::SearchPlan;
use crate::curves::{ColumnNames, Curve, Recording};
use crate::error::TrialError;
use crate::lr::{LearningRate, LrRange, significant};
use crate::record::{Outcome, TrialRecord, TrialSpec};
use crate::report::{CurveColumns, CurvesReport, Finding, Recommendation, Report};
use crate::search::{Settings, Stop, Sweep};
use crate::trial::{Objective, Run};

/// Losses of a short trial, where nothing else is asked for.
const SHORT: usize = 100;

/// A long trial is this many times a short one, or fewer where the curves hold fewer, but at least [`LEAST_LONG`].
const LONG: usize = 4;
const LEAST_LONG: usize = 2;

/// With fewer losses a curve shows nothing.
const FEWEST: usize = 10;

/// Digits kept of a loss, as of those of a search.
const LOSS_DIGITS: usize = 7;

/// Rates this far below the best early one, in decades, compete with it over long trials.
const COMPETING: f64 = 0.5;

/// What to make of recorded curves.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// Names the report.
    pub name: String,
    /// Where the curves come from, as the report quotes it.
    pub sources: Vec<String>,
    /// The columns asked for.
    pub columns: ColumnNames,
    /// Iterations of a short trial; `None` for 100 losses, or as many as the curves hold.
    pub iterations: Option<u64>,
    /// Factor between the threshold and the recommendation.
    pub safety: f64,
}

/// Stands for what was trained, which is not at hand: no trial can be run, and no rate changed.
struct Recorded;

impl Objective for Recorded {
    fn can_change_rate(&self) -> bool {
        false
    }

    fn start(&self, _: &[TrialSpec]) -> Result<Box<dyn Run + '_>, TrialError> {
        Err(TrialError::new("these are recorded curves: there is nothing to train"))
    }
}

/// How many losses the trials have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Losses {
    short: usize,
    /// `None` where the curves that matter are too short for a second, longer look.
    long: Option<usize>,
}

impl Analysis {
    /// An analysis with default settings.
    pub fn new(name: impl Into<String>) -> Self {
        let (columns, safety) = (ColumnNames::default(), SearchPlan::default().safety);
        Self { name: name.into(), sources: Vec::new(), columns, iterations: None, safety }
    }

    /// The most losses of a curve that the analysis looks at; [`read`](crate::curves::read) need not keep more.
    pub fn most_losses(&self) -> usize {
        LONG * self.iterations.map_or(SHORT, |n| usize::try_from(n).unwrap_or(usize::MAX / LONG))
    }

    /// Analyses the curves.
    ///
    /// Each is cut to the length of a short trial and, at the rates that may be recommended, of a long one. The trials are judged
    /// as those of a search whose objective cannot change its rate. Nothing can be confirmed on fresh seeds, so the recommendation
    /// is one of trials that were not confirmed, and says so.
    pub fn of(&self, recording: &Recording) -> Report {
        let stride = recording.steps_per_loss;
        let short = self.short(recording);
        let mut trials: Vec<TrialRecord> = recording.curves.iter().map(|curve| trial(curve, short, stride)).collect();
        let lengths = |long: usize| Lengths {
            short: short as u64 * stride,
            long: long as u64 * stride,
            confirm: 2 * long as u64 * stride,
        };
        let premises = |lengths| Premises {
            lengths,
            safety: self.safety(),
            lowest: None,
            recovers: false,
            constant_cost: None,
            adaptive: true,
        };
        let alone = assess(&trials, &premises(lengths(LONG * short)));
        let competing = competing(recording, &alone);
        let long = self.long(&competing, &alone, short);
        if let Some(long) = long {
            let reach = competing.iter().filter(|c| reach(c) >= long);
            trials.extend(reach.map(|c| TrialRecord { continued_from: lengths(long).short, ..trial(c, long, stride) }));
        }
        let settings = self.settings(recording, lengths(long.unwrap_or(LONG * short)));
        let sweep = Sweep { trials, stop: Some(Stop::Recorded) };
        let notes = {
            let assessment = assess(&sweep.trials, &premises(settings.lengths));
            notes::notes(self, recording, Losses { short, long }, &assessment)
        };
        let study = Study {
            search: SearchPlan { iterations: settings.lengths.short, ..SearchPlan::default() },
            optimizer: "not known".into(),
            model: "recorded curves".into(),
            device: "none".into(),
            config: self.config(),
            notes,
            ..Study::new(self.name.clone(), &Recorded)
        };
        let mut report = compile::compile(&study, &sweep, &settings, None);
        report.cost.share_of_planned_run = None;
        report.run.long_iterations = long.map_or(0, |_| settings.lengths.long);
        report.curves = Some(facts(recording));
        if let Some(reason) = obstacle(recording, short) {
            report.best_early = Finding { value: None, reason: Some(reason.clone()) };
            report.recommendation = Recommendation::none(reason);
            report.schedule = None;
        }
        report
    }

    fn safety(&self) -> Safety {
        Safety { factor: self.safety, margin: SearchPlan::default().check_margin }
    }

    /// Losses of a short trial.
    fn short(&self, recording: &Recording) -> usize {
        let wanted = self.wanted(recording);
        commonly_held(recording.curves.iter()).map_or(wanted, |held| held.min(wanted)).max(1)
    }

    /// Losses of a short trial, if only the curves hold as many.
    fn wanted(&self, recording: &Recording) -> usize {
        self.iterations.map_or(SHORT, |n| usize::try_from(n.div_ceil(recording.steps_per_loss)).unwrap_or(usize::MAX))
    }

    /// Losses of a long trial: as many as some curve has at each of the rates that may be recommended, from the best early one up.
    /// None of these may be left out, or "no higher rate does as well" would be said of rates that nobody looked at.
    fn long(&self, competing: &[&Curve], short_trials: &Assessment<'_>, short: usize) -> Option<usize> {
        let best = short_trials.best_early()?;
        let cap = short_trials.bracket.cap(self.safety());
        let may_be_recommended = |rate: LearningRate| rate == best || (rate > best && cap.is_none_or(|cap| rate <= cap));
        let by_rate = competing.chunk_by(|a, b| a.learning_rate == b.learning_rate);
        let candidates = by_rate.filter(|curves| may_be_recommended(curves[0].learning_rate));
        let longest = candidates.map(|curves| curves.iter().map(|c| reach(c)).max().unwrap_or(0));
        longest.min().map(|held| held.min(LONG * short)).filter(|long| *long >= LEAST_LONG * short)
    }

    fn settings(&self, recording: &Recording, lengths: Lengths) -> Settings {
        let rates = || recording.curves.iter().map(|c| c.learning_rate);
        let plan = SearchPlan::default();
        let ends = rates().next().zip(rates().next_back());
        let range = ends.and_then(|(low, high)| LrRange::new(low.get(), high.get()).ok()).unwrap_or(plan.range);
        let seeds = seeds_at(recording, None);
        Settings { range, extend: false, lengths, seeds, safety: self.safety, ..Settings::new(&plan, None, 0.0) }
    }

    fn config(&self) -> serde_json::Value {
        json!({
            "curves": self.sources,
            "columns": {
                "learning_rate": self.columns.learning_rate,
                "seed": self.columns.seed,
                "step": self.columns.step,
                "loss": self.columns.loss,
            },
            "iterations": self.iterations,
            "safety": self.safety,
        })
    }
}

/// The curves at rates that long trials may compare: below the first unstable one, and not far below the best.
fn competing<'r>(recording: &'r Recording, short_trials: &Assessment<'_>) -> Vec<&'r Curve> {
    let (best, unstable) = (short_trials.best_early(), short_trials.bracket.first_unstable);
    let is_near = |rate: LearningRate| best.is_some_and(|best| rate >= best.shifted(-COMPETING));
    let is_stable = |rate: LearningRate| unstable.is_none_or(|first| rate < first);
    recording.curves.iter().filter(|c| is_near(c.learning_rate) && is_stable(c.learning_rate)).collect()
}

/// The losses that a trial of this curve may have; one that diverged tells of any length.
fn reach(curve: &Curve) -> usize {
    if curve.diverged.is_some() { usize::MAX } else { curve.losses.len() }
}

/// The length that three quarters of these curves reach, of those that end with a finite loss; `None` where there are none.
fn commonly_held<'c>(curves: impl Iterator<Item = &'c Curve>) -> Option<usize> {
    let whole = curves.filter(|c| c.diverged.is_none() && c.late_start.is_none());
    let mut lengths: Vec<usize> = whole.map(|c| c.losses.len()).collect();
    lengths.sort_unstable();
    lengths.get(lengths.len() / 4).copied()
}

/// The first `length` losses of a curve as a trial.
fn trial(curve: &Curve, length: usize, stride: u64) -> TrialRecord {
    let spec = TrialSpec::steady(curve.learning_rate, curve.seed, length as u64 * stride);
    let known = curve.losses.len();
    let outcome = match curve.diverged {
        Some(loss) if known < length => {
            Outcome::Diverged { step: known as u64 * stride, reason: format!("the loss became {loss}") }
        }
        _ if known < length => Outcome::Cancelled,
        _ => Outcome::Completed,
    };
    let losses = curve.losses.iter().take(length).map(|loss| significant(*loss, LOSS_DIGITS)).collect();
    TrialRecord { losses, ..TrialRecord::blank(spec, outcome) }
}

/// The most curves at one rate, or the curves at this rate.
fn seeds_at(recording: &Recording, rate: Option<LearningRate>) -> usize {
    let same = recording.curves.chunk_by(|a, b| a.learning_rate == b.learning_rate);
    let wanted = same.filter(|curves| rate.is_none_or(|rate| curves[0].learning_rate == rate));
    wanted.map(<[Curve]>::len).max().unwrap_or(0)
}

/// Why the curves support no recommendation at all, if they do not.
fn obstacle(recording: &Recording, short: usize) -> Option<String> {
    let first = recording.curves.first()?.learning_rate;
    if recording.curves.iter().all(|c| c.learning_rate == first) {
        return Some(format!("all curves have the learning rate {first}: there is nothing to compare it with"));
    }
    (short < FEWEST).then(|| format!("the curves hold {short} losses, and fewer than {FEWEST} show nothing"))
}

fn facts(recording: &Recording) -> CurvesReport {
    let columns = |c: &crate::curves::Columns| CurveColumns {
        learning_rate: c.learning_rate.clone(),
        seed: c.seed.clone(),
        step: c.step.clone(),
        loss: c.loss.clone(),
    };
    CurvesReport {
        files: recording.files,
        rows: recording.rows,
        rows_without_loss: recording.rows_without_loss,
        curves: recording.curves.len(),
        columns: recording.columns.iter().map(columns).collect(),
        seed_names: recording.seed_names.clone(),
        first_step: recording.first_step,
        steps_per_loss: recording.steps_per_loss,
    }
}
