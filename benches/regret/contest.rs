//! The rules that compete, and what each of them says of a task.

use lrfind::analysis::assess;
use lrfind::analysis::range_test::{Overrides, Rule};
use lrfind::lr::LearningRate;
use lrfind::record::{Spacing, TrialRecord, TrialSpec};
use lrfind::report::Report;
use lrfind::report::range_test::RangeTest;
use lrfind::search::Ramp;
use lrfind::{RunOptions, Study};

use crate::exhaustive;

/// What one rule says in one repetition.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) contestant: &'static str,
    pub(crate) rate: Option<LearningRate>,
    pub(crate) trial_iterations: u64,
}

/// Who is asked beside our own search and what it could have said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Others {
    /// The rules of other tools.
    pub(crate) published: bool,
    /// The same trials everywhere.
    pub(crate) exhaustive: bool,
}

/// A rate of a report; `None` where it has none.
pub(crate) fn rate(value: Option<f64>) -> Option<LearningRate> {
    value.and_then(|value| LearningRate::new(value).ok())
}

/// The study with trial seeds that belong to this repetition alone.
fn repeated<'a>(study: &Study<'a>, repetition: u64) -> Study<'a> {
    let mut study = study.clone();
    study.search.first_seed = 1000 * repetition;
    study
}

/// What everybody says, ours first, and the report of our own search.
pub(crate) fn hear(
    study: &Study<'_>,
    configured: Option<LearningRate>,
    repetition: u64,
    others: Others,
) -> (Vec<Said>, Report) {
    let study = repeated(study, repetition);
    let report = study.find(&RunOptions::default());
    let best = rate(report.best_early.value.as_ref().map(|b| b.learning_rate));
    let threshold = rate(report.instability.threshold);
    let below = |factor: f64| threshold.map(|t| t.shifted(-factor.log10()));
    let first = rate(report.instability.first_unstable);
    let cost = report.cost.trial_iterations;
    let said = |contestant, rate, trial_iterations| Said { contestant, rate, trial_iterations };
    let mut all = vec![
        said("lrfind", rate(report.recommendation.learning_rate), cost),
        said("best early", best, cost),
        said("threshold / 2", below(2.0), cost),
        said("threshold / 10", below(10.0), cost),
        // Of the best early rate and the first unstable one.
        said("geometric mean", best.zip(first).map(|(b, f)| b.midpoint(f)), cost),
        said("framework default", configured, 0),
    ];
    if others.published {
        all.extend(published(&study));
    }
    if others.exhaustive {
        all.push(exhaustive::hear(&study, &report));
    }
    (all, report)
}

/// The rules of other tools, each on the ramp that its tool makes by default.
fn published(study: &Study<'_>) -> Vec<Said> {
    let mut ramps: Vec<(Ramp, RangeTest)> = Vec::new();
    let mut all = Vec::new();
    for rule in Rule::ALL {
        let defaults = rule.defaults();
        let end = |value: f64| LearningRate::new(value).expect("the defaults are rates");
        let ramp = Ramp {
            start: end(defaults.start),
            end: end(defaults.end),
            spacing: Spacing::Exponential,
            iterations: defaults.iterations,
            first_seed: study.search.first_seed,
            seeds: 1,
        };
        if !ramps.iter().any(|(known, _)| *known == ramp) {
            ramps.push((ramp, study.sweep(&ramp, Overrides::default(), &RunOptions::default())));
        }
        let (_, test) = ramps.iter().find(|(known, _)| *known == ramp).expect("just made");
        let suggestion = test.ramps[0].suggestions.iter().find(|s| s.rule == rule);
        let suggested = rate(suggestion.and_then(|s| s.learning_rate));
        all.push(Said { contestant: rule.label(), rate: suggested, trial_iterations: test.cost.trial_iterations });
    }
    all
}

/// The probability that a full run is unstable, as the trials of a report of this study state it for any rates.
pub(crate) fn risks(study: &Study<'_>, report: &Report, rates: &[LearningRate]) -> Vec<Option<f64>> {
    let settings = study.settings();
    let record = |trial: &lrfind::report::Trial| {
        let steady = TrialSpec::steady(rate(Some(trial.learning_rate))?, trial.seed, trial.iterations);
        let spec = TrialSpec { warmup: settings.warmup, recovery: trial.recovery, ..steady };
        let blank = TrialRecord::blank(spec, trial.outcome.clone());
        Some(TrialRecord { losses: trial.losses.clone(), probe: trial.probe.clone(), ..blank })
    };
    let trials: Vec<TrialRecord> = report.trials.iter().filter_map(record).collect();
    let lengths = settings.lengths_of(report.run.short_iterations).expect("a search uses one of these");
    let premises = settings.premises(lengths, study.objective);
    let assessment = assess(&trials, &premises);
    rates.iter().map(|&rate| assessment.late_risk(rate)).collect()
}
