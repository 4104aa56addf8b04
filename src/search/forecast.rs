//! What a search will cost, before it starts.

use super::Settings;
use super::check::{AROUND, LADDER, NEARER};
use super::find::{COMPETING, FINALISTS, SCAN, SCAN_DENSITY};
use super::repeat::{REPEAT, repeated};
use crate::analysis::Lengths;
use crate::lr::LearningRate;
use crate::trial::Objective;

/// What a search is expected to cost. The search itself extends its range where it must, and ends stages early where it can.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// The lowest and the highest rate to be tried first.
    pub rates: (LearningRate, LearningRate),
    /// The stages, in order.
    pub stages: Vec<StageForecast>,
    /// Trial-iterations over all stages.
    pub total_iterations: u64,
    /// Those of the stages that are always run: the first ones may tell all there is to know.
    pub least_iterations: u64,
    /// Those where nothing is learnt within the short trials, so that all become [longer](Settings::lengthened).
    pub most_iterations: u64,
}

/// One stage of a [`Forecast`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageForecast {
    /// What it is for.
    pub name: &'static str,
    /// Trials.
    pub trials: usize,
    /// Trial-iterations.
    pub iterations: u64,
}

impl Forecast {
    fn of(rates: (LearningRate, LearningRate), stages: Vec<StageForecast>) -> Self {
        let total_iterations = stages.iter().map(|s| s.iterations).sum();
        Self { rates, total_iterations, least_iterations: total_iterations, most_iterations: total_iterations, stages }
    }

    /// The expected cost of [`find`](super::find) of `objective`.
    pub fn of_find(settings: &Settings, objective: &dyn Objective) -> Self {
        Self::growing(settings, usize::MAX, objective, |lengths| Self::of_lengths(settings, lengths, objective), &[SCAN])
    }

    /// The expected cost where trials grow longer, so often at most, while nothing is learnt within them: `of` says what a search of some lengths
    /// costs, of which the stages `in_vain` come before that shows.
    fn growing(
        settings: &Settings,
        times: usize,
        objective: &dyn Objective,
        of: impl Fn(Lengths) -> Self,
        in_vain: &[&str],
    ) -> Self {
        let usual = of(settings.lengths);
        let Some((&longest, shorter)) = settings.lengthened[..times.min(settings.lengthened.len())]
            .split_last()
            .filter(|_| objective.constant_cost().is_some())
        else {
            return usual;
        };
        let vain = |lengths: Lengths| -> u64 {
            of(lengths).stages.iter().filter(|stage| in_vain.contains(&stage.name)).map(|stage| stage.iterations).sum()
        };
        let before = shorter.iter().map(|&lengths| vain(lengths)).fold(vain(settings.lengths), u64::saturating_add);
        Self { most_iterations: before.saturating_add(of(longest).total_iterations), ..usual }
    }

    /// The expected cost of a search whose trials have these lengths from the beginning.
    fn of_lengths(settings: &Settings, lengths: Lengths, objective: &dyn Objective) -> Self {
        let seeds = settings.seeds;
        let halvings = (0.5 / settings.resolution).log2().ceil().max(0.0) as usize;
        let settles = objective.can_change_rate();
        let with_tail = |length: u64| with_tail(length, settings, objective);
        // Most longer trials begin where a short one ended, if they can.
        let shared = if objective.can_resume() { lengths.short } else { 0 };
        let long = with_tail(lengths.long) - shared;
        let competing = seeds.min(COMPETING);
        let (rivals, yardsticks) = if settles { (3 + FINALISTS * (competing - 1), competing) } else { (3 * competing, 0) };
        let yardstick = with_tail(lengths.yardstick()).saturating_sub(shared);
        let rates = (settings.range.low(), settings.range.high());
        let stages = vec![
            stage(SCAN, settings.range.grid(SCAN_DENSITY).len(), lengths.short),
            stage("refinement", 3 * seeds - 1, lengths.short),
            stage("bisection of the threshold", halvings + seeds - 1, lengths.short),
            StageForecast {
                name: "longer trials",
                trials: rivals + yardsticks,
                iterations: rivals as u64 * long + yardsticks as u64 * yardstick,
            },
            stage("longer trials below the threshold", 1 + settings.sparing(), long),
            stage("confirmation on fresh seeds", settings.sparing(), with_tail(lengths.confirm)),
        ];
        Self::of(rates, stages)
    }

    /// The expected cost of [`check`](super::check) of `rate` where that is safe; looking for a safe one costs more.
    pub fn of_check(settings: &Settings, rate: LearningRate, objective: &dyn Objective) -> Self {
        let of = |lengths| Self::of_check_with(settings, rate, lengths, objective);
        Self::growing(settings, 1, objective, of, &[AROUND, NEARER])
    }

    /// The expected cost of a check whose trials have these lengths from the beginning.
    fn of_check_with(settings: &Settings, rate: LearningRate, lengths: Lengths, objective: &dyn Objective) -> Self {
        let seeds = settings.seeds;
        let yardsticks = if objective.can_change_rate() { seeds } else { 0 };
        // At the rate; and, with one seed, at its margin and at the best early rate, by which it is measured.
        let longer = (seeds as u64 + 2) * with_tail(lengths.long, settings, objective);
        let measures = yardsticks as u64 * with_tail(lengths.yardstick(), settings, objective);
        let around = stage(AROUND, seeds + 2, lengths.short);
        let least_iterations = around.iterations;
        let stages = vec![
            around,
            // One rate below was among the first.
            stage(NEARER, seeds + LADDER.len() - 1, lengths.short),
            StageForecast {
                name: "longer trials on fresh seeds",
                trials: seeds + 2 + yardsticks,
                iterations: longer.saturating_add(measures),
            },
        ];
        Self { least_iterations, ..Self::of((rate, settings.margin_of(rate)), stages) }
    }

    /// The same with what [`repeat`](super::repeat()) adds.
    #[must_use]
    pub fn with_repetition(mut self, settings: &Settings) -> Self {
        self.stages.push(stage(REPEAT, 1, repeated(settings)));
        let repeated = repeated(settings);
        Self {
            least_iterations: self.least_iterations + repeated,
            most_iterations: self.most_iterations.saturating_add(repeated),
            ..Self::of(self.rates, self.stages)
        }
    }
}

/// Trials of this length, their tails included.
fn with_tail(length: u64, settings: &Settings, objective: &dyn Objective) -> u64 {
    length + if objective.can_change_rate() { settings.tail(length) } else { 0 }
}

fn stage(name: &'static str, trials: usize, length: u64) -> StageForecast {
    StageForecast { name, trials, iterations: (trials as u64).saturating_mul(length) }
}
