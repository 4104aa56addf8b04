//! `check`: is one rate stable, and a little above it too?

use super::{RunOptions, Searcher, Settings, Stop, Sweep};
use crate::analysis::Lengths;
use crate::lr::LearningRate;
use crate::record::{Recovery, TrialSpec};
use crate::trial::Objective;

/// The first trials, which tell all there is to know of a rate far below the threshold.
pub(super) const AROUND: &str = "trials at the rate, far above and below";

/// Those that give the longer trials of any other rate something to be compared with.
pub(super) const NEARER: &str = "trials nearer to the rate";

/// Rates below the configured one that give it something to be compared with, in decades.
pub(super) const LADDER: [f64; 4] = [-0.5, -1.0, -1.5, -2.0];

/// How far below its ladder `check` looks for a rate that trains, in decades.
const DECADES: i32 = 6;

/// Halvings tried in search of a safe rate.
const HALVINGS: usize = 8;

/// Runs the trials that a verdict on `rate` needs, and when it is not safe, those that find a rate that is. Says how long they turned
/// out to have to be.
pub fn check(objective: &dyn Objective, settings: &Settings, rate: LearningRate, options: &RunOptions<'_>) -> (Sweep, Lengths) {
    let mut searcher = Searcher::new(objective, settings, options);
    let stop = searcher.check(rate).err();
    (Sweep { trials: searcher.trials, stop }, searcher.lengths)
}

impl Searcher<'_> {
    fn check(&mut self, rate: LearningRate) -> Result<(), Stop> {
        if self.is_told_by_short_trials(rate)? {
            return Ok(());
        }
        // Once: a rate may be so low that no length would be enough.
        if let Some(&lengthened) = self.settings.lengthened.first().filter(|_| self.assess().has_learnt_nothing())
            && self.lengthened(lengthened, |search| search.is_told_by_short_trials(rate))?
        {
            return Ok(());
        }
        if self.try_for_longer(rate, "longer trials on fresh seeds")? {
            return Ok(());
        }
        self.give_longer_tails(rate)?;
        if self.are_stable(rate) { Ok(()) } else { self.look_lower(rate) }
    }

    /// Short trials at the rate, far above and below. Returns whether they tell all there is to know; where they do not, some follow
    /// that give longer ones something to be compared with.
    fn is_told_by_short_trials(&mut self, rate: LearningRate) -> Result<bool, Stop> {
        let short = self.lengths.short;
        let around = self.settings.around(rate);
        let mut specs = self.cross(&around, 0..1, short);
        specs.extend(self.cross(&[rate], 1..self.settings.seeds, short));
        self.run(AROUND, specs)?;
        if self.assess().is_far_below(around) {
            return Ok(true);
        }
        let ladder: Vec<LearningRate> = LADDER.iter().map(|&decades| rate.shifted(decades)).collect();
        let mut specs = self.cross(&[self.settings.margin_of(rate)], 0..self.settings.seeds, short);
        specs.extend(self.cross(&ladder, 0..1, short));
        self.run(NEARER, specs)?;
        // Far above the threshold everything below is dead too: look for a rate that trains at all. Where nothing is unstable, lower
        // rates learn still less.
        for decade in 1..=DECADES {
            let lowest = rate.shifted(LADDER[LADDER.len() - 1] - f64::from(decade) + 1.0);
            let assessment = self.assess();
            if assessment.best_early().map_or(assessment.bracket.first_unstable.is_none(), |best| best > lowest) {
                break;
            }
            let more = [lowest.shifted(-0.5), lowest.shifted(-1.0)];
            self.run("search for a rate that trains", self.cross(&more, 0..1, short))?;
        }
        Ok(false)
    }

    /// Longer trials on fresh seeds at `rate` and, with one of them, at its margin, next to one at the best early rate. None at a
    /// rate whose short trials are unstable beyond doubt. Returns whether both rates are stable.
    fn try_for_longer(&mut self, rate: LearningRate, stage: &'static str) -> Result<bool, Stop> {
        let margin = self.settings.margin_of(rate);
        let (seeds, lengths) = (self.settings.seeds, self.lengths);
        if self.may_settle(rate) {
            let best = self.assess().best_early();
            let mut once: Vec<LearningRate> =
                [Some(margin).filter(|&m| self.may_settle(m)), best].into_iter().flatten().collect();
            once.retain(|other| *other != rate);
            once.dedup();
            let mut specs = self.settling(&[rate], seeds..2 * seeds, lengths.long);
            specs.extend(self.settling(&once, seeds..seeds + 1, lengths.long));
            if let Some(best) = best.filter(|_| self.objective.can_change_rate()) {
                specs.extend(self.settling(&[best], seeds..2 * seeds, lengths.yardstick()));
            }
            self.run(stage, specs)?;
        }
        Ok(self.are_stable(rate))
    }

    /// Gives the longer trials at `rate` and its margin that their tail did not rescue one as long as themselves, one after the
    /// other until one is lost for good: a run spends far more of its time at low rates than a short tail does.
    ///
    /// On the benchmark's suite, of 247 rates far below the threshold of full runs 241 pass with it, and 233 without; and of 204
    /// rates at which full runs fail it lets none pass that did not before.
    fn give_longer_tails(&mut self, rate: LearningRate) -> Result<(), Stop> {
        for rate in [rate, self.settings.margin_of(rate)] {
            while let Some(spec) = self.assess().lost_with_short_tail(rate) {
                let longer = spec.recovery.map(|tail| Recovery { iterations: spec.iterations, ..tail });
                let spec = TrialSpec { recovery: longer, ..spec };
                let before = self.trials.len();
                self.run("longer tails of lost trials", vec![spec])?;
                let is_lost = self.assess().trials().any(|t| t.record.spec == spec && t.verdict.is_unstable());
                // One that was run before and failed leaves the doubt where it was.
                if is_lost || self.trials.len() == before {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Whether no short trial at `rate` was unstable beyond doubt.
    fn may_settle(&self, rate: LearningRate) -> bool {
        let assessment = self.assess();
        let mut at = assessment.short.trials.iter().filter(|t| t.record.spec.learning_rate == rate);
        at.all(|t| !t.verdict.is_unstable() || t.is_doubtful() && self.objective.can_change_rate())
    }

    /// Whether `rate` and its margin are stable.
    fn are_stable(&self, rate: LearningRate) -> bool {
        self.is_stable(rate) && self.is_stable(self.settings.margin_of(rate))
    }

    /// Whether trials at `rate` were judged and none was unstable.
    fn is_stable(&self, rate: LearningRate) -> bool {
        let assessment = self.assess();
        let mut at = assessment.evidence.iter().filter(|e| e.learning_rate == rate).peekable();
        at.peek().is_some() && at.all(|e| e.unstable == 0)
    }

    /// Halves the rate until it and its margin are stable, as sure as of a rate that is called safe.
    fn look_lower(&mut self, rate: LearningRate) -> Result<(), Stop> {
        // Far above the threshold, begin where something was stable instead of halving all the way.
        let stable = self.assess().bracket.last_stable.filter(|stable| *stable < rate.shifted(-1.0));
        let top = stable.map_or(rate, |stable| stable.shifted(std::f64::consts::LOG10_2));
        for halving in 1..=HALVINGS {
            let lower = top.shifted(-std::f64::consts::LOG10_2 * halving as f64);
            let both = [lower, self.settings.margin_of(lower)];
            self.run("search for a safe rate", self.cross(&both, 0..self.settings.seeds, self.lengths.short))?;
            if self.try_for_longer(lower, "longer trials of a safe rate")? {
                break;
            }
        }
        Ok(())
    }
}
