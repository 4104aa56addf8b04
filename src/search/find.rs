//! `find`: scan, refine, bisect, compete, confirm.

use super::{RunOptions, Searcher, Settings, Stop, Sweep};
use crate::lr::LearningRate;
use crate::trial::Objective;

/// Rates a decade in the first scan, and after the refinement around the best rate.
pub(super) const SCAN_DENSITY: usize = 2;
pub(super) const REFINED_STEP: f64 = 0.25;

/// How far beyond its range a search looks, in decades on either side.
const EXTENSION: f64 = 6.0;

/// Steps down from the threshold of short trials in search of that of long ones: how many, and how wide in decades.
const LATE_STEPS: usize = 6;
const LATE_STEP: f64 = 0.1;

/// Recommendations tried before giving up, each below one that failed its confirmation.
const CONFIRMATIONS: usize = 4;

/// Runs all trials that a recommendation needs.
pub fn find(objective: &dyn Objective, settings: &Settings, options: &RunOptions<'_>) -> Sweep {
    let mut searcher = Searcher::new(objective, settings, options);
    let stop = searcher.find().err();
    Sweep { trials: searcher.trials, stop }
}

impl Searcher<'_> {
    fn find(&mut self) -> Result<(), Stop> {
        self.scan()?;
        self.refine()?;
        self.bisect()?;
        if self.assess().best_early().is_none() {
            return Ok(());
        }
        self.compete()?;
        self.look_for_late_instability()?;
        for _ in 0..CONFIRMATIONS {
            let assessment = self.assess();
            let Some(rate) = assessment.choice.learning_rate.filter(|_| !assessment.confirmed) else { break };
            let fresh = self.settings.seeds..2 * self.settings.seeds;
            self.run("confirmation on fresh seeds", self.cross(&[rate], fresh, self.settings.lengths.confirm))?;
            self.resolve()?;
        }
        Ok(())
    }

    /// Half decades across the range with one seed, beyond it until the best rate lies inside and something above it is unstable.
    fn scan(&mut self) -> Result<(), Stop> {
        let seeds = 0..1;
        let step = 1.0 / SCAN_DENSITY as f64;
        let mut rates = self.settings.range.grid(SCAN_DENSITY);
        self.run("scan", self.cross(&rates, seeds.clone(), self.settings.lengths.short))?;
        let (lowest, highest) = (self.settings.range.low().log10() - EXTENSION, self.settings.range.high().log10() + EXTENSION);
        loop {
            // Doubts first: a trial that recovers is no reason to stop looking further up.
            self.resolve()?;
            if !self.settings.extend {
                return Ok(());
            }
            let (down, up) = self.wanted_extension(&rates);
            let (first, last) = (rates[0], rates[rates.len() - 1]);
            let mut more = Vec::new();
            if down && first.log10() > lowest {
                more.extend([first.shifted(-step), first.shifted(-2.0 * step)]);
            }
            if up && last.log10() < highest {
                more.extend([last.shifted(step), last.shifted(2.0 * step)]);
            }
            more.retain(|rate| !rates.contains(rate));
            if more.is_empty() {
                return Ok(());
            }
            rates.extend(&more);
            rates.sort_by(|a, b| a.get().total_cmp(&b.get()));
            rates.dedup();
            self.run("extension of the range", self.cross(&more, seeds.clone(), self.settings.lengths.short))?;
        }
    }

    /// Whether to look further down and further up.
    fn wanted_extension(&self, rates: &[LearningRate]) -> (bool, bool) {
        let assessment = self.assess();
        let nothing_unstable = assessment.bracket.first_unstable.is_none();
        match &assessment.short.reference {
            None => (true, false),
            Some(reference) if !reference.improves => (true, nothing_unstable),
            Some(reference) => (reference.learning_rate == rates[0], nothing_unstable),
        }
    }

    /// Quarter decades from half a decade below the best rate up to the first unstable one, with all seeds.
    fn refine(&mut self) -> Result<(), Stop> {
        let assessment = self.assess();
        let Some(best) = assessment.best_early() else { return Ok(()) };
        let top = assessment.bracket.first_unstable.unwrap_or_else(|| best.shifted(3.0 * REFINED_STEP));
        let scanned: Vec<LearningRate> = self.trials.iter().map(|t| t.spec.learning_rate).collect();
        // The rates already scanned keep their exact values, whatever rounding did to them.
        let exact = |rate: LearningRate| {
            let same = |other: &&LearningRate| (other.log10() - rate.log10()).abs() < 0.2 * REFINED_STEP;
            scanned.iter().find(same).copied().unwrap_or(rate)
        };
        let steps = ((top.log10() - best.log10()) / REFINED_STEP).round() as i32;
        let mut rates: Vec<LearningRate> = (-2..=steps).map(|k| exact(best.shifted(f64::from(k) * REFINED_STEP))).collect();
        rates.retain(|rate| *rate <= top && self.may_try(*rate));
        rates.dedup();
        self.run("refinement", self.cross(&rates, 0..self.settings.seeds, self.settings.lengths.short))?;
        self.resolve()
    }

    /// Halves the bracket, in the logarithm, until it is as narrow as asked.
    fn bisect(&mut self) -> Result<(), Stop> {
        loop {
            let bracket = self.assess().bracket;
            let (Some(middle), Some(width)) = (bracket.threshold(), bracket.width()) else { return Ok(()) };
            let is_new = Some(middle) != bracket.last_stable && Some(middle) != bracket.first_unstable;
            if width <= self.settings.resolution || !is_new {
                return Ok(());
            }
            let seeds = 0..self.settings.seeds;
            self.run("bisection of the threshold", self.cross(&[middle], seeds, self.settings.lengths.short))?;
            self.resolve()?;
        }
    }

    /// Whether the search may try this rate.
    fn may_try(&self, rate: LearningRate) -> bool {
        self.settings.extend || (self.settings.range.low()..=self.settings.range.high()).contains(&rate)
    }

    /// Longer trials just below the threshold, and step by step further down while they are unstable: a threshold that holds for
    /// short trials only would promise too much.
    fn look_for_late_instability(&mut self) -> Result<(), Stop> {
        let Some(mut rate) = self.assess().bracket.last_stable else { return Ok(()) };
        for _ in 0..LATE_STEPS {
            let first = self.assess().bracket.first_unstable;
            let seeds = 0..self.settings.seeds;
            self.run("longer trials below the threshold", self.cross(&[rate], seeds, self.settings.lengths.long))?;
            self.resolve()?;
            if first.is_none() || self.assess().bracket.first_unstable == first {
                return Ok(());
            }
            rate = rate.shifted(-LATE_STEP);
        }
        Ok(())
    }

    /// Longer trials of the rates that may be recommended: from just below the best early rate upwards, but none that the safety
    /// factor rules out.
    fn compete(&mut self) -> Result<(), Stop> {
        let assessment = self.assess();
        let Some(best) = assessment.best_early() else { return Ok(()) };
        let cap = assessment.bracket.threshold().map(|t| t.shifted(-self.settings.safety.log10()));
        let allowed = |rate: &LearningRate| self.may_try(*rate) && cap.is_none_or(|cap| *rate < cap);
        let mut rates: Vec<LearningRate> =
            (-1..=3).map(|k| best.shifted(f64::from(k) * REFINED_STEP)).filter(allowed).collect();
        if let Some(cap) = cap.filter(|_| rates.len() < 5) {
            rates.push(cap);
            if rates.len() == 1 {
                rates.push(cap.shifted(-REFINED_STEP));
            }
        }
        // Two of three seeds chose nearly as well over 40 tasks.
        let seeds = 0..self.settings.seeds.min(2);
        self.run("longer trials", self.cross(&rates, seeds.clone(), self.settings.lengths.long))?;
        self.resolve()?;
        // Where the lowest is the best, look lower still.
        for _ in 0..3 {
            let lowest = rates.iter().copied().min_by(|a, b| a.get().total_cmp(&b.get()));
            let best = self.assess().long.and_then(|l| l.reference).map(|r| r.learning_rate);
            let Some(next) = lowest.filter(|_| best == lowest || best.is_none()).map(|l| l.shifted(-REFINED_STEP)) else {
                break;
            };
            if !self.may_try(next) {
                break;
            }
            rates.push(next);
            self.run("longer trials", self.cross(&[next], seeds.clone(), self.settings.lengths.long))?;
            self.resolve()?;
        }
        Ok(())
    }
}
