//! A search that leaves nothing out: longer trials at every rate of a fine grid, with every seed.

use lrfind::Study;
use lrfind::analysis::{Assessment, assess};
use lrfind::lr::{LearningRate, LrRange};
use lrfind::record::{TrialRecord, TrialSpec};
use lrfind::report::Report;
use lrfind::search::Settings;

use crate::contest::{Said, rate};
use crate::figures::EXHAUSTIVE;
use crate::runs;

/// Rates a decade: as near to each other as `find` brackets the threshold.
const DENSITY: usize = 10;

/// What the same trials at all rates between the lowest and the highest that `report` tried, with all seeds, say by the same rule.
pub(crate) fn hear(study: &Study<'_>, report: &Report) -> Said {
    let usual = study.settings();
    let lengths = usual.lengths_of(report.run.short_iterations).expect("a search uses one of these");
    let settings = Settings { lengths, ..usual };
    let mut search = Exhaustive { study, settings, trials: Vec::new() };
    let tried = || report.trials.iter().filter_map(|trial| rate(Some(trial.learning_rate)));
    let by_rate = |a: &LearningRate, b: &LearningRate| a.get().total_cmp(&b.get());
    let range =
        tried().min_by(by_rate).zip(tried().max_by(by_rate)).and_then(|(low, high)| LrRange::new(low.get(), high.get()).ok());
    let rates = range.map_or_else(Vec::new, |range| range.grid(DENSITY));
    search.run(&rates, search.settings.lengths.short, false);
    if let Some(best) = search.assess().best_early() {
        search.run(&[best], search.settings.lengths.yardstick(), true);
        search.run(&rates, search.settings.lengths.long, true);
    }
    // A short trial is the beginning of a longer one.
    let iterations = search.trials.iter().filter(|trial| trial.spec.recovery.is_some()).map(TrialRecord::cost).sum();
    Said { contestant: EXHAUSTIVE, rate: search.assess().choice.learning_rate, trial_iterations: iterations }
}

struct Exhaustive<'a> {
    study: &'a Study<'a>,
    settings: Settings,
    trials: Vec<TrialRecord>,
}

impl Exhaustive<'_> {
    fn assess(&self) -> Assessment<'_> {
        assess(&self.trials, &self.settings.premises(self.settings.lengths, self.study.objective))
    }

    /// Trials of so many iterations at all of `rates` with all seeds, in which the rate falls at the end if `settling`.
    fn run(&mut self, rates: &[LearningRate], iterations: u64, settling: bool) {
        let best = self.assess().best_early();
        let spec = |rate: LearningRate, seed: usize| {
            let steady = self.settings.trial(rate, seed, iterations);
            if settling { self.settings.settling(steady, best) } else { steady }
        };
        let specs: Vec<TrialSpec> =
            (0..self.settings.seeds).flat_map(|seed| rates.iter().map(move |&rate| spec(rate, seed))).collect();
        let finished = runs::drive_all(self.study.objective, &specs, |_| ());
        self.trials.extend(finished);
    }
}
