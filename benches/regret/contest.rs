//! The rules that compete, and what each of them says of a task.

use lrfind::analysis::range_test::{Overrides, Rule};
use lrfind::lr::LearningRate;
use lrfind::record::Spacing;
use lrfind::report::Report;
use lrfind::search::Ramp;
use lrfind::{RunOptions, Study};

/// The answer of one rule to one repetition.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) contestant: String,
    pub(crate) rate: Option<LearningRate>,
    pub(crate) cost: u64,
}

/// Everybody's answers, with trial seeds that belong to this repetition alone; and the report of our own search.
pub(crate) fn answers(
    study: &Study<'_>,
    configured: Option<LearningRate>,
    repetition: u64,
    rivals: bool,
) -> (Vec<Answer>, Report) {
    let first_seed = 1000 * repetition;
    let mut study = study.clone();
    study.search.first_seed = first_seed;
    let options = RunOptions::default();
    let report = study.find(&options);
    let cost = report.cost.trial_iterations;
    let rate = |value: Option<f64>| value.and_then(|v| LearningRate::new(v).ok());
    let best = rate(report.best_early.value.as_ref().map(|b| b.learning_rate));
    let threshold = rate(report.instability.threshold);
    let below = |factor: f64| threshold.map(|t| t.shifted(-factor.log10()));
    let first = rate(report.instability.first_unstable);
    let answer = |contestant: &str, rate, cost| Answer { contestant: contestant.into(), rate, cost };
    let mut all = vec![
        answer("lrfind", rate(report.recommendation.learning_rate), cost),
        answer("best early", best, cost),
        answer("threshold / 2", below(2.0), cost),
        answer("threshold / 10", below(10.0), cost),
        answer("geometric mean of best early and first unstable", best.zip(first).map(|(b, f)| b.midpoint(f)), cost),
        answer("framework default", configured, 0),
    ];
    let mut ramps: Vec<(Ramp, lrfind::report::range_test::RangeTest)> = Vec::new();
    for rule in Rule::ALL.into_iter().filter(|_| rivals) {
        let defaults = rule.defaults();
        let end = |value: f64| LearningRate::new(value).expect("the defaults are rates");
        let (start, end, spacing) = (end(defaults.start), end(defaults.end), Spacing::Exponential);
        let ramp = Ramp { start, end, spacing, iterations: defaults.iterations, first_seed, seeds: 1 };
        if !ramps.iter().any(|(known, _)| *known == ramp) {
            ramps.push((ramp, study.sweep(&ramp, Overrides::default(), &options)));
        }
        let (_, test) = ramps.iter().find(|(known, _)| *known == ramp).expect("just made");
        let suggestion = test.ramps[0].suggestions.iter().find(|s| s.rule == rule);
        all.push(answer(rule.label(), rate(suggestion.and_then(|s| s.learning_rate)), test.cost.trial_iterations));
    }
    (all, report)
}
