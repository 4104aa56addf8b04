//! What full-length runs say of a recommended rate.
//!
//! The cost J of a run is its mean loss over the whole training set at its end; a run that diverged, or ended above where it
//! began, counts as one that has learnt nothing. J* is the least cost of the rates tested, the mean over the seeds, and J_ref
//! what that rate had reached after a tenth of the run. The regret of a rate is (J − J*)/(J_ref − J*): 0 for the best rate, 1
//! where nine tenths of the training are lost.
//!
//! Everything is compared over the seeds whose runs finished at every rate, so that no rate has the easier seeds.

mod claim;
#[cfg(test)]
mod tests;

pub use claim::{Claim, Paid};

use serde::{Deserialize, Serialize};

use super::curve::mean;
use super::judge::{Verdict, rates_of};
use crate::lr::LearningRate;
use crate::record::{Outcome, TrialRecord};

/// The rates that a verification is about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Subject {
    /// The recommended rate.
    pub recommended: LearningRate,
    /// The rate that did best early on.
    pub best_early: Option<LearningRate>,
    /// The rate in the config.
    pub configured: Option<LearningRate>,
}

/// Whether a recommendation held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is stable with every seed.
    Held,
    /// Stable, but it ends behind what the best rate had reached after a tenth of the run.
    Behind,
    /// Some run at the recommended or the configured rate is unstable.
    Unstable,
    /// The runs do not tell.
    Inconclusive,
}

/// What the best of the tested rates did: the measure of all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hindsight {
    /// The rate of the least cost.
    pub best: LearningRate,
    /// Its cost before the first step.
    pub initial: f64,
    /// J_ref.
    pub tenth: f64,
    /// J*.
    pub least: f64,
}

impl Hindsight {
    /// J_ref − J*. Where that is nearly nothing, 1 % of all that the best rate gains; 0 or less where it gains nothing.
    pub fn span(&self) -> f64 {
        (self.tenth - self.least).max(0.01 * (self.initial - self.least))
    }
}

/// One run, judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JudgedRun<'a> {
    /// The run.
    pub record: &'a TrialRecord,
    /// Why it is unstable: not finite; or at a rate above the best, and at its end behind J_ref, beyond the initial cost
    /// ([`Verdict::BlowUp`]) or not ([`Verdict::Collapsed`]). `None` where it is stable or did not finish.
    pub unstable: Option<Verdict>,
}

/// The runs at one rate.
#[derive(Debug, Clone, PartialEq)]
pub struct RateOutcome<'a> {
    /// The rate.
    pub learning_rate: LearningRate,
    /// J; `None` without a seed that finished at every rate.
    pub cost: Option<f64>,
    /// Mean final cost on the held-out examples; `None` where there are none, or a run did not get there.
    pub held_out: Option<f64>,
    /// (J − J*)/(J_ref − J*).
    pub regret: Option<f64>,
    /// J / J*; `None` unless both costs are positive.
    pub ratio: Option<f64>,
    /// Iterations after which the mean cost is first within 5 % of J*, as finely as the runs were evaluated.
    pub reached: Option<u64>,
    /// The runs, by seed.
    pub runs: Vec<JudgedRun<'a>>,
}

impl RateOutcome<'_> {
    /// Runs that ended unstable.
    pub fn unstable(&self) -> usize {
        self.runs.iter().filter(|run| run.unstable.is_some()).count()
    }
}

/// Everything that full runs say.
#[derive(Debug, Clone, PartialEq)]
pub struct FullAssessment<'a> {
    /// One for each rate, ascending.
    pub rates: Vec<RateOutcome<'a>>,
    /// The seeds whose runs finished at every rate, ascending.
    pub seeds: Vec<u64>,
    /// `None` when no seed did, or when nothing was learnt at any rate.
    pub hindsight: Option<Hindsight>,
    /// Whether the recommendation held.
    pub answer: Answer,
    /// Whether a higher rate than the best early one paid; `None` where none was tested.
    pub claim: Option<Claim>,
}

/// Costs below this share of the initial cost are the same: single precision tells no more.
const PRECISION: f64 = 1e-6;

/// A cost within this share of J* has reached it, but for the last few per cent that take longest.
const REACHED: f64 = 0.05;

/// Judges full runs, all of one length, which may be in any order.
pub fn assess_full<'a>(runs: &'a [TrialRecord], subject: &Subject) -> FullAssessment<'a> {
    let table = Table::new(runs);
    let hindsight = table.hindsight();
    let rates: Vec<RateOutcome<'a>> = table.rates.iter().map(|&rate| table.outcome(rate, hindsight.as_ref())).collect();
    let learnt = hindsight.filter(|h| h.span() > 0.0);
    let answer = answer(&rates, subject, learnt.is_some());
    let claim = subject.best_early.zip(learnt).and_then(|(best_early, h)| claim::claim(&table, &rates, best_early, h.span()));
    FullAssessment { rates, seeds: table.seeds, hindsight: learnt, answer, claim }
}

fn answer(rates: &[RateOutcome<'_>], subject: &Subject, learnt: bool) -> Answer {
    let at = |rate: LearningRate| rates.iter().find(|outcome| outcome.learning_rate == rate);
    let is_unstable = |rate: LearningRate| at(rate).is_some_and(|outcome| outcome.unstable() > 0);
    if is_unstable(subject.recommended) || subject.configured.is_some_and(is_unstable) {
        return Answer::Unstable;
    }
    match at(subject.recommended).and_then(|outcome| outcome.regret).filter(|_| learnt) {
        None => Answer::Inconclusive,
        Some(regret) if regret > 1.0 => Answer::Behind,
        Some(_) => Answer::Held,
    }
}

/// The runs by rate and seed.
struct Table<'a> {
    runs: &'a [TrialRecord],
    rates: Vec<LearningRate>,
    /// Those that finished at every rate.
    seeds: Vec<u64>,
}

impl<'a> Table<'a> {
    fn new(runs: &'a [TrialRecord]) -> Self {
        let rates = rates_of(runs.iter());
        let mut seeds: Vec<u64> = runs.iter().map(|run| run.spec.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        let mut table = Self { runs, rates, seeds: Vec::new() };
        seeds.retain(|&seed| table.rates.iter().all(|&rate| table.finished(rate, seed).is_some()));
        table.seeds = seeds;
        table
    }

    fn finished(&self, rate: LearningRate, seed: u64) -> Option<&'a TrialRecord> {
        self.runs.iter().find(|run| run.spec.learning_rate == rate && run.spec.seed == seed && run.is_finished())
    }

    /// The runs at `rate` that are compared, by seed.
    fn compared(&self, rate: LearningRate) -> Vec<&'a TrialRecord> {
        self.seeds.iter().filter_map(|&seed| self.finished(rate, seed)).collect()
    }

    /// J at `rate`; `None` where no run is to be compared.
    fn cost(&self, rate: LearningRate) -> Option<f64> {
        let costs: Vec<f64> = self.compared(rate).into_iter().map(cost).collect();
        (!costs.is_empty()).then(|| mean(&costs))
    }

    fn hindsight(&self) -> Option<Hindsight> {
        let costs = self.rates.iter().filter_map(|&rate| Some((rate, self.cost(rate)?)));
        let (best, least) = costs.filter(|(_, cost)| cost.is_finite()).min_by(|a, b| a.1.total_cmp(&b.1))?;
        let runs = self.compared(best);
        let initial = mean(&runs.iter().filter_map(|run| initial(run)).collect::<Vec<_>>());
        let tenths: Vec<f64> = runs.iter().filter_map(|run| after_a_tenth(run)).collect();
        let tenth = if tenths.is_empty() { initial } else { mean(&tenths) };
        Some(Hindsight { best, initial, tenth, least })
    }

    fn outcome(&self, rate: LearningRate, hindsight: Option<&Hindsight>) -> RateOutcome<'a> {
        let mut at_rate: Vec<&TrialRecord> = self.runs.iter().filter(|run| run.spec.learning_rate == rate).collect();
        at_rate.sort_by_key(|run| run.spec.seed);
        let compared = self.compared(rate);
        let cost = self.cost(rate).filter(|cost| cost.is_finite());
        let held: Vec<f64> = compared.iter().filter_map(|run| last(run)?.1).collect();
        let complete = !held.is_empty() && held.len() == compared.len();
        let learnt = hindsight.filter(|h| h.span() > 0.0);
        RateOutcome {
            learning_rate: rate,
            cost,
            held_out: complete.then(|| mean(&held)),
            regret: cost.zip(learnt).map(|(cost, h)| (cost - h.least) / h.span()),
            ratio: cost.zip(learnt).and_then(|(cost, h)| ratio(cost, h.least, h.initial)),
            reached: learnt.and_then(|h| reached(&compared, h.least + REACHED * h.least.abs())),
            runs: at_rate.into_iter().map(|record| JudgedRun { record, unstable: instability(record, hindsight) }).collect(),
        }
    }
}

/// Why a run is unstable, if it is.
fn instability(run: &TrialRecord, hindsight: Option<&Hindsight>) -> Option<Verdict> {
    if !run.is_finished() {
        return None;
    }
    if run.outcome == Outcome::Completed && run.evaluations.is_empty() {
        // Its objective cannot evaluate it.
        return None;
    }
    let Some((last, _)) = last(run) else { return Some(Verdict::NonFinite) };
    let hindsight = hindsight.filter(|h| run.spec.learning_rate > h.best)?;
    // Where nothing was learnt at any rate, a hair above the beginning is not lost ground yet.
    let gained = if hindsight.span() > 0.0 { hindsight.span() } else { 0.01 * hindsight.initial.abs() };
    let lost = last > hindsight.least + gained;
    let way = if last > hindsight.initial { Verdict::BlowUp } else { Verdict::Collapsed };
    lost.then_some(way)
}

/// The cost before the first step.
fn initial(run: &TrialRecord) -> Option<f64> {
    run.evaluations.first().and_then(|e| e.train)
}

/// The first evaluation after a tenth of the run.
fn after_a_tenth(run: &TrialRecord) -> Option<f64> {
    run.evaluations.iter().find(|e| 10 * e.iteration >= run.spec.iterations).and_then(|e| e.train)
}

/// The costs at the end, on the training set and on what is held out; `None` unless the run got there with a finite cost.
fn last(run: &TrialRecord) -> Option<(f64, Option<f64>)> {
    let end = run.evaluations.last().filter(|e| run.outcome == Outcome::Completed && e.iteration == run.spec.iterations)?;
    Some((end.train?, end.held_out))
}

/// The final cost, that of a run that has learnt nothing or lost all where it is worse.
fn cost(run: &TrialRecord) -> f64 {
    let initial = initial(run).unwrap_or(f64::INFINITY);
    last(run).map_or(initial, |(last, _)| last.min(initial))
}

/// `cost` over `least`, both lifted by what single precision can tell, so that two costs of nothing are equal.
fn ratio(cost: f64, least: f64, initial: f64) -> Option<f64> {
    let floor = PRECISION * initial.max(0.0);
    (cost >= 0.0 && least >= 0.0 && least + floor > 0.0).then(|| (cost + floor) / (least + floor))
}

/// The first evaluation at which the mean cost is at most `target`; a run that diverged before is infinite there.
fn reached(runs: &[&TrialRecord], target: f64) -> Option<u64> {
    let longest = runs.iter().max_by_key(|run| run.evaluations.len())?;
    let mean_at = |k: usize| {
        let costs: Vec<f64> =
            runs.iter().map(|run| run.evaluations.get(k).and_then(|e| e.train).unwrap_or(f64::INFINITY)).collect();
        mean(&costs)
    };
    (0..longest.evaluations.len()).find(|&k| mean_at(k) <= target).map(|k| longest.evaluations[k].iteration)
}
