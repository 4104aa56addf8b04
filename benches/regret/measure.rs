//! One task, from its config to its figures.

use std::error::Error;
use std::path::Path;

use lrfind::lr::{LearningRate, significant};
use lrfind::report::{CheckVerdict, Report};
use lrfind::{RunOptions, Study, config, task};
use sha2::{Digest as _, Sha256};

use crate::arguments::Arguments;
use crate::contest::{self, Others, Said};
use crate::figures::{Answer, Check, FACTORS, OwnReport, Risk, Row, Task};
use crate::runs::FullRuns;
use crate::steady::Steady;
use crate::truth::{DIGITS, Truth};

/// `check` is asked about every other rate of the grid, and about all this near to the full runs' threshold, in decades.
const NEAR: f64 = 0.3;

/// Measures the task of a config; `None` where only the full runs were asked for.
///
/// # Errors
/// When the task cannot be built: a file of its data is missing, or the config is wrong.
pub(crate) fn measure(path: &Path, arguments: &Arguments, cache: &Path) -> Result<Option<Task>, Box<dyn Error>> {
    let plan = config::load(path)?;
    let task = task::build(&plan)?;
    let mut study = Study::of_plan(&plan, &task);
    let mut schedule = study.schedule.expect("a config has a schedule");
    if let Some(length) = arguments.length {
        schedule.decay_iterations = length;
        study.schedule = Some(schedule);
    }
    let runs = FullRuns::new(&task, &study.config, schedule, cache);
    let mut truth = Truth::explore(runs, arguments.seeds);
    if arguments.truth {
        return Ok(None);
    }
    let steady = Steady(&task);
    if arguments.steady {
        study.objective = &steady;
    }
    let configured = plan.training.learning_rate;
    let others = Others { published: !arguments.ours, exhaustive: arguments.exhaustive };
    let (said, report) = contest::hear(&study, configured, 0, others);
    // No answer leaves the user with the framework's default.
    let used = |said: &Said| said.rate.or(configured);
    let around: Vec<(f64, LearningRate)> = contest::rate(report.recommendation.learning_rate)
        .map_or(Vec::new(), |rate| FACTORS.map(|factor| (factor, rate.shifted(factor.log10()))).to_vec());
    let wanted: Vec<LearningRate> = said.iter().filter_map(used).chain(around.iter().map(|(_, rate)| *rate)).collect();
    truth.prepare(&wanted);
    let mut rows: Vec<Row> = said.iter().map(|said| row(&truth, said, used(said))).collect();
    let mut reports = vec![own(&report)];
    for repetition in 1..arguments.repetitions {
        let (said, report) = contest::hear(&study, configured, repetition, others);
        for (row, said) in rows.iter_mut().zip(&said) {
            let (cost, interpolated) = used(said).map_or((truth.costs.initial, false), |rate| truth.cost(rate));
            row.answers.push(answer(said, cost, interpolated));
        }
        reports.push(own(&report));
    }
    rows.push(truth.grid_search());
    Ok(Some(Task {
        half: half(&plan.name),
        name: plan.name.clone(),
        hindsight: truth.hindsight(),
        rows,
        reports,
        risks: risks(&study, &report, &truth, &around),
        checks: checks(&study, &truth),
    }))
}

/// The half of the suite to which a task belongs.
fn half(name: &str) -> char {
    if Sha256::digest(name.as_bytes())[0].is_multiple_of(2) { 'A' } else { 'B' }
}

fn answer(said: &Said, cost: f64, interpolated: bool) -> Answer {
    Answer {
        rate: said.rate.map(LearningRate::get),
        cost: significant(cost, DIGITS),
        interpolated,
        trial_iterations: said.trial_iterations,
    }
}

/// The row of a rule with its first answer; the full runs at the rate `used` must have been made.
fn row(truth: &Truth<'_>, said: &Said, used: Option<LearningRate>) -> Row {
    let seen = used.map(|rate| truth.known(rate));
    let cost = seen.map_or(truth.costs.initial, |seen| seen.cost);
    Row {
        contestant: said.contestant.into(),
        answers: vec![answer(said, cost, false)],
        runs: truth.seeds,
        unstable: seen.map_or(0, |seen| seen.unstable),
        held_out: seen.and_then(|seen| seen.held_out),
        reached: seen.and_then(|seen| seen.reached),
    }
}

fn own(report: &Report) -> OwnReport {
    let instability = &report.instability;
    let best_early = report.best_early.value.as_ref().map(|b| b.learning_rate);
    let recommended = report.recommendation.learning_rate;
    let is_lower = recommended.zip(best_early).is_some_and(|(rate, best)| rate < best);
    let reason = report.recommendation.because.iter().find(|said| explains_less(said));
    OwnReport {
        best_early,
        recommended,
        first_unstable: instability.first_unstable,
        threshold: instability.threshold,
        interval: instability.interval.map(|i| [i.low, i.high]),
        full_run_interval: instability.full_run_interval.map(|i| [i.low, i.high]),
        lower_because: reason.filter(|_| is_lower).cloned(),
    }
}

/// Whether a sentence of a report says why it recommends less than the best early rate: longer trials favour less, the threshold
/// is too near, or a higher rate was not confirmed.
fn explains_less(said: &str) -> bool {
    let favours_less = said.starts_with("over ") && (said.contains("does better") || said.contains("does best"));
    favours_less || said.starts_with("no headroom") || said.contains("failed on fresh seeds")
}

/// The risk stated at multiples of the recommendation, and what full runs there did.
fn risks(study: &Study<'_>, report: &Report, truth: &Truth<'_>, around: &[(f64, LearningRate)]) -> Vec<Risk> {
    let rates: Vec<LearningRate> = around.iter().map(|(_, rate)| *rate).collect();
    let stated = contest::risks(study, report, &rates);
    let risk = |(&(factor, rate), p)| Risk { factor, p, unstable: truth.known(rate).unstable, runs: truth.seeds };
    around.iter().zip(stated).map(risk).collect()
}

fn checks(study: &Study<'_>, truth: &Truth<'_>) -> Vec<Check> {
    let threshold = truth.threshold(0.0).map(|[stable, unstable]| stable.midpoint(unstable));
    let is_near = |rate: LearningRate| threshold.is_some_and(|t| (rate.log10() - t.log10()).abs() < NEAR);
    let asked = truth.grid.iter().enumerate().filter(|&(i, &rate)| i % 2 == 0 || is_near(rate));
    let check = |(_, &rate): (usize, &LearningRate)| {
        let report = study.check(rate, &RunOptions::default());
        let seen = truth.known(rate);
        Check {
            rate: rate.get(),
            verdict: report.check.as_ref().map_or(CheckVerdict::Inconclusive, |check| check.verdict),
            p: contest::risks(study, &report, &[rate])[0],
            unstable: seen.unstable,
            violent: seen.violent,
            runs: truth.seeds,
            trial_iterations: report.cost.trial_iterations,
        }
    };
    asked.map(check).collect()
}
