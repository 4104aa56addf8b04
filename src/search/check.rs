//! `check`: is one rate stable, and a little above it too?

use super::{RunOptions, Searcher, Settings, Stop, Sweep};
use crate::lr::LearningRate;
use crate::trial::Objective;

/// Rates below the configured one that give it something to be compared with, in decades.
pub(super) const LADDER: [f64; 4] = [-0.5, -1.0, -1.5, -2.0];

/// Halvings tried in search of a safe rate.
const HALVINGS: usize = 8;

/// Runs the trials that a verdict on `rate` needs, and when it is not safe, those that find a rate that is.
pub fn check(objective: &dyn Objective, settings: &Settings, rate: LearningRate, options: &RunOptions<'_>) -> Sweep {
    let mut searcher = Searcher::new(objective, settings, options);
    let stop = searcher.check(rate).err();
    Sweep { trials: searcher.trials, stop }
}

impl Searcher<'_> {
    fn check(&mut self, rate: LearningRate) -> Result<(), Stop> {
        let lengths = self.settings.lengths;
        let margin = self.settings.check_margin.log10();
        let ladder: Vec<LearningRate> = LADDER.iter().map(|&decades| rate.shifted(decades)).collect();
        let mut specs = self.cross(&[rate, rate.shifted(margin)], 0..self.settings.seeds, lengths.short);
        specs.extend(self.cross(&ladder, 0..self.settings.seeds.min(2), lengths.short));
        self.run("trials at the rate, above and below", specs)?;
        // Far above the threshold everything below is dead too: look for a rate that trains at all.
        for decade in 1..=6 {
            let assessment = self.assess();
            let lowest = rate.shifted(LADDER[LADDER.len() - 1] - f64::from(decade) + 1.0);
            let best = assessment.best_early();
            if best.is_some_and(|best| best > lowest) {
                break;
            }
            let more = [lowest.shifted(-0.5), lowest.shifted(-1.0)];
            self.run("search for a rate that trains", self.cross(&more, 0..self.settings.seeds.min(2), lengths.short))?;
        }
        self.resolve()?;
        if self.is_stable(rate) {
            let fresh = self.settings.seeds..2 * self.settings.seeds;
            self.run("longer trials on fresh seeds", self.cross(&[rate, rate.shifted(margin)], fresh, lengths.long))?;
            self.resolve()?;
        }
        if self.is_stable(rate) && self.is_stable(rate.shifted(margin)) { Ok(()) } else { self.look_lower(rate) }
    }

    /// Whether trials at `rate` were judged and none was unstable.
    fn is_stable(&self, rate: LearningRate) -> bool {
        let assessment = self.assess();
        let mut at = assessment.evidence.iter().filter(|e| e.learning_rate == rate).peekable();
        at.peek().is_some() && at.all(|e| e.unstable == 0)
    }

    /// Halves the rate until it and its margin are stable.
    fn look_lower(&mut self, rate: LearningRate) -> Result<(), Stop> {
        let margin = self.settings.check_margin.log10();
        // Far above the threshold, begin where something was stable instead of halving all the way.
        let stable = self.assess().bracket.last_stable.filter(|stable| *stable < rate.shifted(-1.0));
        let top = stable.map_or(rate, |stable| stable.shifted(std::f64::consts::LOG10_2));
        for halving in 1..=HALVINGS {
            let lower = top.shifted(-std::f64::consts::LOG10_2 * halving as f64);
            let lengths = self.settings.lengths;
            let both = [lower, lower.shifted(margin)];
            self.run("search for a safe rate", self.cross(&both, 0..self.settings.seeds, lengths.short))?;
            self.resolve()?;
            if !both.iter().all(|&r| self.is_stable(r)) {
                continue;
            }
            let fresh = self.settings.seeds..2 * self.settings.seeds;
            self.run("longer trials of a safe rate", self.cross(&both, fresh, lengths.long))?;
            self.resolve()?;
            // As sure as of a rate that is called safe.
            if both.iter().all(|&r| self.is_stable(r)) {
                break;
            }
        }
        Ok(())
    }
}
