//! `find`: scan, refine, bisect, compete, confirm.

use std::ops::Range;

use super::{RunOptions, Searcher, Settings, Stop, Sweep};
use crate::analysis::Lengths;
use crate::lr::LearningRate;
use crate::record::TrialSpec;
use crate::trial::Objective;

/// Rates a decade in the first scan, and after the refinement around the best rate.
pub(super) const SCAN_DENSITY: usize = 2;
const REFINED_STEP: f64 = 0.25;

/// How far beyond its range a search looks, in decades on either side.
const EXTENSION: f64 = 6.0;

/// Halvings of a bracket at most.
const HALVINGS: usize = 40;

/// The bracket of long trials, which are dear, may be this many times as wide as that of short ones.
const LATE_RESOLUTION: f64 = 1.25;

/// Seeds of the longer trials: two chose nearly as well as three over 40 tasks.
pub(super) const COMPETING: usize = 2;

/// Rates that get longer trials with more than one seed, if they settle near each other.
pub(super) const FINALISTS: usize = 2;

/// Costs within this factor of each other are near. Over 131 searches of the benchmark's suite, in 37 % of which the two best were,
/// mean regret was 0.0054; with a second seed everywhere it was 0.0064, and without any 0.0084, with the same order in both halves
/// of the suite.
const NEAR: f64 = 1.2;

/// Steps taken away from the rates around the best early one.
const STEPS: usize = 4;

/// The first stage.
pub(super) const SCAN: &str = "scan";

/// Recommendations tried before giving up, each below one that failed its confirmation.
const CONFIRMATIONS: usize = 4;

/// Runs all trials that a recommendation needs, and says how long they turned out to have to be.
pub fn find(objective: &dyn Objective, settings: &Settings, options: &RunOptions<'_>) -> (Sweep, Lengths) {
    let mut searcher = Searcher::new(objective, settings, options);
    let stop = searcher.find().err();
    (Sweep { trials: searcher.trials, stop }, searcher.lengths)
}

impl Searcher<'_> {
    fn find(&mut self) -> Result<(), Stop> {
        self.scan()?;
        for &lengthened in &self.settings.lengthened {
            if !self.assess().has_learnt_nothing() {
                break;
            }
            self.lengthened(lengthened, Self::scan)?;
        }
        self.refine()?;
        self.bisect()?;
        if self.assess().best_early().is_none() {
            return Ok(());
        }
        self.compete()?;
        for _ in 0..CONFIRMATIONS {
            let assessment = self.assess();
            let Some(rate) = assessment.choice.learning_rate.filter(|_| !assessment.is_confirmed()) else { break };
            let fresh = self.settings.seeds..self.settings.seeds + self.settings.sparing();
            self.run("confirmation on fresh seeds", self.settling(&[rate], fresh, self.lengths.confirm))?;
            self.resolve()?;
        }
        Ok(())
    }

    /// Half decades across the range with one seed, beyond it until the best rate lies inside and something above it is unstable.
    fn scan(&mut self) -> Result<(), Stop> {
        let seeds = 0..1;
        let step = 1.0 / SCAN_DENSITY as f64;
        let mut rates = self.settings.range.grid(SCAN_DENSITY);
        let stage = if self.lengths == self.settings.lengths { SCAN } else { "scan with longer trials" };
        self.run(stage, self.cross(&rates, seeds.clone(), self.lengths.short))?;
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
            self.run("extension of the range", self.cross(&more, seeds.clone(), self.lengths.short))?;
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

    /// The best rate and its neighbours, quarter decades away, with all seeds.
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
        let steps = (((top.log10() - best.log10()) / REFINED_STEP).round() as i32).min(1);
        let mut rates: Vec<LearningRate> = (-1..=steps).map(|k| exact(best.shifted(f64::from(k) * REFINED_STEP))).collect();
        rates.retain(|rate| *rate <= top && self.may_try(*rate));
        rates.dedup();
        self.run("refinement", self.cross(&rates, 0..self.settings.seeds, self.lengths.short))?;
        self.resolve()
    }

    /// Halves the bracket, in the logarithm, until it is no wider than `resolution`: first with one seed, which is cheap, and then
    /// with all of `seeds` from the highest rate that is stable for the first.
    fn narrow(
        &mut self,
        stage: &'static str,
        resolution: f64,
        seeds: usize,
        trials: impl Fn(&Self, LearningRate, Range<usize>) -> Vec<TrialSpec>,
    ) -> Result<(), Stop> {
        for seeds in [1, seeds] {
            for _ in 0..HALVINGS {
                let Some(stable) = self.assess().bracket.last_stable else { return Ok(()) };
                let before = self.trials.len();
                self.run(stage, trials(self, stable, 0..seeds))?;
                self.resolve()?;
                let bracket = self.assess().bracket;
                if self.trials.len() > before && bracket.last_stable != Some(stable) {
                    continue;
                }
                let (Some(middle), Some(width)) = (bracket.threshold(), bracket.width()) else { break };
                let is_new = Some(middle) != bracket.last_stable && Some(middle) != bracket.first_unstable;
                if width <= resolution || !is_new {
                    break;
                }
                self.run(stage, trials(self, middle, 0..seeds))?;
                self.resolve()?;
            }
        }
        Ok(())
    }

    /// Bisects the threshold of short trials.
    fn bisect(&mut self) -> Result<(), Stop> {
        let (resolution, seeds) = (self.settings.resolution, self.settings.seeds);
        self.narrow("bisection of the threshold", resolution, seeds, |search, rate, seeds| {
            search.cross(&[rate], seeds, search.lengths.short)
        })
    }

    /// Longer trials just below the threshold of the short ones: a threshold that holds for short trials only would promise too
    /// much. Where they are unstable, bisects between them and the highest rate that is stable for longer.
    fn look_for_late_instability(&mut self) -> Result<(), Stop> {
        let (resolution, seeds) = (LATE_RESOLUTION * self.settings.resolution, self.settings.sparing());
        self.narrow("longer trials below the threshold", resolution, seeds, |search, rate, seeds| {
            search.settling(&[rate], seeds, search.lengths.long)
        })
    }

    /// Whether the search may try this rate.
    fn may_try(&self, rate: LearningRate) -> bool {
        self.settings.extend || (self.settings.range.low()..=self.settings.range.high()).contains(&rate)
    }

    /// Longer trials of the rates that may be recommended: of the best early rate and from there upwards, but of none that the
    /// safety factor rules out; and just below the threshold. What is beside the rate that settles lowest is tried too.
    fn compete(&mut self) -> Result<(), Stop> {
        let assessment = self.assess();
        let Some(best) = assessment.best_early() else { return Ok(()) };
        let seeds = 0..self.settings.seeds.min(COMPETING);
        // Where the rate may fall at the end of a trial, one seed is enough to see which rates are worth a second.
        let settles = self.objective.can_change_rate();
        let first = if settles { 0..1 } else { seeds.clone() };
        let cap = assessment.bracket.cap(self.settings.safety());
        let yardsticks = if settles { seeds.clone() } else { 0..0 };
        let mut specs = self.settling(&[best], yardsticks, self.lengths.yardstick());
        let allowed = |rate: &LearningRate| self.may_try(*rate) && cap.is_none_or(|cap| *rate < cap);
        let mut rates: Vec<LearningRate> = (0..=2).map(|k| best.shifted(f64::from(k) * REFINED_STEP)).filter(allowed).collect();
        if let Some(cap) = cap.filter(|_| rates.len() < 3) {
            rates.push(cap);
            if rates.len() == 1 {
                rates.push(cap.shifted(-REFINED_STEP));
            }
            rates.retain(|rate| self.may_try(*rate));
        }
        specs.extend(self.settling(&rates, first.clone(), self.lengths.long));
        self.run("longer trials", specs)?;
        self.resolve()?;
        self.climb(first.clone())?;
        self.look_for_late_instability()?;
        // One of those just below the threshold may settle lowest of all.
        self.climb(first)?;
        if settles && seeds.len() > 1 {
            let contenders = self.assess().contenders(FINALISTS, NEAR);
            self.run("longer trials", self.settling(&contenders, seeds.clone(), self.lengths.long))?;
            self.resolve()?;
            if !contenders.is_empty() {
                self.climb(seeds)?;
            }
        }
        // Against a better rate more trials are lost.
        self.look_for_late_instability()
    }

    /// Tries what is beside the rate that the longer trials favour, a quarter of a decade away, until that is the best on both sides.
    fn climb(&mut self, seeds: Range<usize>) -> Result<(), Stop> {
        for _ in 0..STEPS {
            let assessment = self.assess();
            let Some(favoured) = assessment.choice.favoured else { break };
            let cap = assessment.bracket.cap(self.settings.safety());
            let long = assessment.long.iter().flat_map(|long| &long.trials);
            let tried: Vec<f64> = long.map(|t| t.record.spec.learning_rate.log10() - favoured.log10()).collect();
            // The cap is no whole step away.
            let is_near = |distance: f64| distance > 0.0 && distance < 1.2 * REFINED_STEP;
            let mut next = Vec::new();
            if !tried.iter().any(|&away| is_near(-away)) {
                next.push(favoured.shifted(-REFINED_STEP));
            }
            if !tried.iter().any(|&away| is_near(away)) && cap.is_none_or(|cap| favoured < cap) {
                let step = favoured.shifted(REFINED_STEP);
                next.push(cap.filter(|cap| *cap < step).unwrap_or(step));
            }
            next.retain(|rate| self.may_try(*rate));
            if next.is_empty() {
                break;
            }
            self.run("longer trials", self.settling(&next, seeds.clone(), self.lengths.long))?;
            self.resolve()?;
        }
        Ok(())
    }
}
