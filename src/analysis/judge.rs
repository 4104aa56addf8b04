//! From trials of one length to the best early rate and a verdict on each trial.

use serde::{Deserialize, Serialize};

use super::curve::{end_loss, mean, median, noise, part};
use super::settled::{SAME, SettledLevel};
use crate::lr::LearningRate;
use crate::record::{Outcome, TrialRecord};

/// The judgement on one trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As good as the best rate was after 80 % of the trial.
    Good,
    /// Slower than that, but not behind the best rate's level of 20 %; or behind it, but a gentler rate wins the ground back.
    Degraded,
    /// Below the best rate, and slower.
    Slow,
    /// Unstable: a loss that was not finite.
    NonFinite,
    /// Unstable: the loss grew beyond where it began.
    BlowUp,
    /// Unstable: finite, perhaps below where it began, but stuck where even a gentle rate does not get it away.
    Collapsed,
    /// Not judged: the trial failed or was cancelled, or there is nothing to compare it with.
    Unjudged,
}

impl Verdict {
    /// Whether this counts against the rate.
    pub fn is_unstable(self) -> bool {
        matches!(self, Self::NonFinite | Self::BlowUp | Self::Collapsed)
    }

    /// The verdict in words, as in "2 of 3 seeds …".
    pub fn words(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Degraded => "degraded",
            Self::Slow => "slow",
            Self::NonFinite => "reached a loss that is not finite",
            Self::BlowUp => "blew up beyond the initial loss",
            Self::Collapsed => "collapsed: stuck at a finite loss, far behind the best rate",
            Self::Unjudged => "not judged",
        }
    }
}

/// A trial that ends behind the level of the best rate after this share of its length has lost ground.
/// 0.2 had the smallest threshold error of the definitions tried on 24 DeepOBS tasks (Schneider et al. 2019), at 100 iterations.
const LOST: f64 = 0.2;

/// A trial that ends at the best rate's level after this share of its length has lost nothing that matters.
const KEPT: f64 = 0.8;

/// Standard deviations of mini-batch noise by which a trial must lie behind the best rate's level to have lost ground. Where the
/// best rate has reached its noise floor, that level is all noise: on noisy quadratics, 1 calls stable rates unstable.
const NOISE: f64 = 1.5;

/// Two losses that differ by less than this share of what was learned are the same: single precision tells no more, and where a
/// best rate reaches exactly 0, nothing else could keep up with it.
const PRECISION: f64 = 1e-6;

/// A trial that ends this many times further above the best rate's end than where it began is violently unstable, though a
/// gentler rate could tame it. Stable rates on noisy quadratics stayed below 100.
const VIOLENT: f64 = 1e3;

/// A trial whose loss was ever so many times further above its end, or the best rate's, than it was before training, has blown up,
/// wherever it ends: what it came back to is chance. No trial on the benchmark's suite or 70 drawn tasks that was stable otherwise
/// went so far.
const EXPLODES: f64 = 1e6;

/// Half-width, as a share of the length, of the window over which the best rate's level is taken.
const WINDOW: f64 = 0.1;

/// What one seed's trial at the best rate had reached.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Level {
    seed: u64,
    /// Its loss before training.
    initial: f64,
    /// Its loss after 20 % of the trial, plus a margin of mini-batch noise.
    lost: f64,
    /// Its loss after 80 % of the trial.
    kept: f64,
    /// Where it ended.
    end: f64,
    /// A margin of mini-batch noise.
    noise: f64,
}

impl Level {
    /// What a trial that ended at `end` must reach when it is given a gentler rate. From far behind, the level that it had lost;
    /// from nearer by, half the way to where the best rate ended, for a badly scaled initial loss can lie so high that even the
    /// best rate needs more than a fifth of the trial to come below the loss of a dead network.
    fn target(&self, end: f64) -> f64 {
        if end > self.lost { self.lost } else { f64::midpoint(self.end, end).max(self.end + self.noise) }
    }
}

/// What others of the same length are measured against: the trials at the best rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// The rate with the least end loss.
    pub learning_rate: LearningRate,
    /// Mean over seeds of its end loss.
    pub end: f64,
    /// Standard error of `end` from mini-batch noise.
    pub end_error: f64,
    /// Mean over seeds of its loss after 80 % of the trial.
    pub kept: f64,
    /// Whether it improved on the initial loss by more than noise. If not, the trials say nothing.
    pub improves: bool,
    /// Whether a trial's rate can be changed, so that doubts about it can be resolved.
    recovers: bool,
    /// What tells a trial that has a tail from a lost one.
    settled: Option<SettledLevel>,
    levels: Vec<Level>,
}

impl Reference {
    fn new(
        learning_rate: LearningRate,
        trials: &[&TrialRecord],
        recovers: bool,
        settled: Option<SettledLevel>,
    ) -> Option<Self> {
        let noises: Vec<f64> = trials.iter().map(|t| noise(part(t.own_losses(), LOST - WINDOW, 1.0))).collect();
        let deviation = median(&noises)?;
        let around = |t: &TrialRecord, share: f64| median(part(t.own_losses(), share - WINDOW, share + WINDOW));
        let ends: Vec<f64> = trials.iter().filter_map(|t| end_loss(t.own_losses())).collect();
        let level = |t: &&TrialRecord| {
            let end = end_loss(t.own_losses())?;
            let noise = (NOISE * deviation).max(PRECISION * (initial_loss(t)? - end));
            let (lost, kept) = (around(t, LOST)?.max(end) + noise, around(t, KEPT)?.max(end));
            Some(Level { seed: t.spec.seed, initial: initial_loss(t)?, lost, kept, end, noise })
        };
        let levels: Vec<Level> = trials.iter().filter_map(level).collect();
        let gains: Vec<f64> = levels.iter().zip(&ends).map(|(level, end)| level.initial - end).collect();
        let window = trials.iter().map(|t| t.own_losses().len() / 5).min()?.max(5);
        let window_error = deviation / (window as f64).sqrt();
        Some(Self {
            learning_rate,
            end: mean(&ends),
            end_error: window_error / (trials.len() as f64).sqrt(),
            kept: mean(&levels.iter().map(|l| l.kept).collect::<Vec<_>>()),
            improves: gains.iter().any(|gain| *gain > 3.0 * window_error),
            recovers,
            settled,
            levels,
        })
    }

    /// The level of a seed that was tried at the best rate, or a lenient one for a seed that was not: it need not start where
    /// the others did, but must gain what the least of them gained.
    fn level(&self, seed: u64, initial: f64) -> Level {
        if let Some(level) = self.levels.iter().find(|l| l.seed == seed) {
            return *level;
        }
        let highest = |of: fn(&Level) -> f64| self.levels.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
        let gain = self.levels.iter().map(|l| l.initial - l.lost).fold(f64::INFINITY, f64::min);
        let lost = highest(|l| l.lost).max(initial - gain);
        Level { seed, initial, lost, kept: highest(|l| l.kept), end: highest(|l| l.end), noise: highest(|l| l.noise) }
    }
}

/// A trial with its verdict.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JudgedTrial<'a> {
    /// The trial.
    pub record: &'a TrialRecord,
    /// The verdict.
    pub verdict: Verdict,
}

impl JudgedTrial<'_> {
    /// Whether its instability is a verdict on the steady rate alone, which a gentler rate at the end could still refute.
    pub fn is_doubtful(&self) -> bool {
        let is_lost = || is_rising(self.record.own_losses()) || has_exploded(self.record);
        let beyond_doubt = || self.verdict == Verdict::BlowUp && is_lost();
        self.verdict.is_unstable()
            && self.verdict != Verdict::NonFinite
            && self.record.spec.recovery.is_none()
            && !beyond_doubt()
    }
}

/// Trials of one length, judged against the best among them.
#[derive(Debug, Clone)]
pub struct Judged<'a> {
    /// The best rate; `None` when no rate kept every seed finite.
    pub reference: Option<Reference>,
    /// Every trial, in the order given.
    pub trials: Vec<JudgedTrial<'a>>,
}

/// The loss before training: on the probe set where there is one, else on the first mini-batch.
///
/// The probe matters: against one mini-batch's luck, the slowest rates would seem to get worse.
pub(super) fn initial_loss(trial: &TrialRecord) -> Option<f64> {
    trial.probe.first().filter(|p| p.iteration == 0).and_then(|p| p.loss).or_else(|| trial.losses.first().copied())
}

/// Whether the loss of a trial that began at `initial` rose so far above `end` on its way that what came back is chance.
fn explodes(losses: &[f64], initial: f64, end: f64, noise: f64) -> bool {
    let highest = losses.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Of a curve that is flat to the digits printed, any wiggle would be a multiple of nothing.
    let scale = (initial - end).max(noise);
    scale > 0.0 && highest - end > EXPLODES * scale
}

/// The same of a trial by itself.
fn has_exploded(trial: &TrialRecord) -> bool {
    let losses = trial.own_losses();
    let ends = initial_loss(trial).zip(end_loss(losses));
    ends.is_some_and(|(initial, end)| explodes(losses, initial, end, noise(part(losses, LOST - WINDOW, 1.0))))
}

/// The rates tried, ascending, without repeats.
pub(super) fn rates_of<'a>(trials: impl Iterator<Item = &'a TrialRecord>) -> Vec<LearningRate> {
    let mut rates: Vec<_> = trials.map(|t| t.spec.learning_rate).collect();
    rates.sort_by(|a, b| a.get().total_cmp(&b.get()));
    rates.dedup();
    rates
}

/// Judges trials of one length against the best rate among them.
///
/// The best rate is the one with the least mean end loss over seeds, among the rates below the first that gave a loss that is
/// not finite, and if possible among those that improved by more than their noise. `recovers` says whether
/// the objective's rate can be changed within a trial, and `settled` is what those that end with a tail must settle at.
///
/// Rates were not all tried with the same seeds. To compare them over those that they share was tried and chose a little worse, mean
/// regret 0.0047 instead of 0.0045 on the benchmark's suite and 0.0607 instead of 0.0590 on 70 drawn tasks: a rate that is best for
/// the first seed and dies with the second is then the best of the few that have both.
pub fn judge<'a>(trials: &[&'a TrialRecord], recovers: bool, settled: Option<SettledLevel>) -> Judged<'a> {
    let finished: Vec<&TrialRecord> = trials.iter().copied().filter(|t| t.is_finished()).collect();
    let mut ranking: Vec<(f64, LearningRate, Vec<&TrialRecord>)> = Vec::new();
    for rate in rates_of(finished.iter().copied()) {
        let at: Vec<&TrialRecord> = finished.iter().copied().filter(|t| t.spec.learning_rate == rate).collect();
        if at.iter().any(|t| matches!(t.outcome, Outcome::Diverged { .. }) || has_exploded(t)) {
            break;
        }
        let ends: Vec<f64> = at.iter().filter_map(|t| end_loss(t.own_losses())).collect();
        if !ends.is_empty() {
            ranking.push((mean(&ends), rate, at));
        }
    }
    // A stable sort: of equal ends the lower rate's comes first.
    ranking.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut ranking = ranking.into_iter().filter_map(|(_, rate, at)| Reference::new(rate, &at, recovers, settled));
    // Losses that swing between nothing and much can end lowest by luck. Their noise gives them away.
    let lowest = ranking.next();
    let reference = match lowest {
        Some(lowest) if !lowest.improves => Some(ranking.find(|reference| reference.improves).unwrap_or(lowest)),
        _ => lowest,
    };
    let verdict = |record: &TrialRecord| reference.as_ref().map_or_else(|| alone(record), |r| judge_against(record, r));
    let trials = trials.iter().map(|&record| JudgedTrial { record, verdict: verdict(record) }).collect();
    Judged { reference, trials }
}

/// The verdict on a trial that has nothing to be compared with.
fn alone(trial: &TrialRecord) -> Verdict {
    if matches!(trial.outcome, Outcome::Diverged { .. }) { Verdict::NonFinite } else { Verdict::Unjudged }
}

/// Judges one trial, of any length, against a reference of at most that length.
///
/// Behind the best rate's level of 20 % a trial has lost ground. It is unstable if it is still rising, above where it began;
/// otherwise it counts as unstable only if the ground is lost for good: if a [recovery](crate::record::Recovery) at the best
/// rate does not win it back either. The same goes for a trial that is nearer but no longer moves. So a rate just below 2/λ on a
/// quadratic, slow or noisy as it is, is stable, and a network that sits at the loss of a constant prediction is not, though its
/// loss is finite and below the initial one. Where the rate cannot be changed within a trial, a trial that still converges gets
/// the benefit of the doubt instead.
pub fn judge_against(trial: &TrialRecord, reference: &Reference) -> Verdict {
    match trial.outcome {
        Outcome::Diverged { step, .. } if step < trial.spec.iterations => return Verdict::NonFinite,
        Outcome::Diverged { .. } => return Verdict::Collapsed,
        Outcome::Failed { .. } | Outcome::Cancelled => return Verdict::Unjudged,
        Outcome::Completed => {}
    }
    let losses = trial.own_losses();
    let (Some(end), Some(initial)) = (end_loss(losses), initial_loss(trial)) else { return Verdict::Unjudged };
    let level = reference.level(trial.spec.seed, initial);
    if explodes(losses, initial, level.end, level.noise) {
        return Verdict::BlowUp;
    }
    let settled = reference.settled.filter(|_| trial.spec.recovery.is_some());
    // The best of long trials may be lost itself, so it is no excuse for those below it.
    let is_lost = settled.is_some_and(|level| level.is_missed_by(trial));
    if end <= level.kept && !is_lost {
        return Verdict::Good;
    }
    if trial.spec.learning_rate < reference.learning_rate && !is_lost {
        return Verdict::Slow;
    }
    let violent = end - level.end > VIOLENT * (initial - level.end).max(level.noise);
    if end > level.lost && end > initial && (violent || is_rising(losses)) {
        return Verdict::BlowUp;
    }
    let saved = match trial.recovery_losses() {
        _ if settled.is_some() => !is_lost,
        [] if end <= level.lost => !(reference.recovers && is_stuck(losses, end, &level)),
        [] => !reference.recovers && is_converging(losses, reference.end),
        recovery => median(part(recovery, 0.5, 1.0)).is_some_and(|late| late <= level.target(end)),
    };
    match (saved, end > initial) {
        (true, _) => Verdict::Degraded,
        (false, true) => Verdict::BlowUp,
        (false, false) => Verdict::Collapsed,
    }
}

/// Whether a trial that is not far behind has stopped getting better, well above where the best rate ended.
fn is_stuck(losses: &[f64], end: f64, level: &Level) -> bool {
    let excess = end - level.end;
    let gain = median(part(losses, 0.5, 0.75)).unwrap_or(end) - end;
    excess > level.noise && gain < 0.1 * excess
}

/// Whether a trial ends behind what it had itself learnt after `iterations`. Instability that comes late may come at rates so low
/// that the trial is not measured by the best rate, which is ahead of it anyway.
pub(super) fn has_forgotten(trial: &TrialRecord, iterations: u64) -> bool {
    let losses = trial.own_losses();
    // A share of the losses: those of recorded curves may be many iterations apart.
    let begun = part(losses, 0.0, iterations as f64 / trial.spec.iterations as f64);
    let late = match trial.recovery_losses() {
        [] => end_loss(losses),
        tail => median(part(tail, 0.5, 1.0)),
    };
    let (Some(initial), Some(before), Some(after)) = (initial_loss(trial), end_loss(begun), late) else { return false };
    trial.outcome == Outcome::Completed && after > before + (NOISE * noise(begun)).max(SAME * (initial - before))
}

/// Whether the loss is still growing: three quarters of the last quarter lie above everything in the first half. Exponential growth
/// passes however slow it is, while losses that fluctuate about a level do so with negligible probability.
fn is_rising(losses: &[f64]) -> bool {
    let peak = part(losses, 0.0, 0.5).iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let late = part(losses, 0.75, 1.0);
    !late.is_empty() && 4 * late.iter().filter(|loss| **loss > peak).count() >= 3 * late.len()
}

/// Whether the distance to `floor` at least halves between the second and the last quarter.
fn is_converging(losses: &[f64], floor: f64) -> bool {
    let (early, late) = (median(part(losses, 0.25, 0.5)), median(part(losses, 0.75, 1.0)));
    early.zip(late).is_some_and(|(early, late)| early > late && late - floor <= 0.5 * (early - floor))
}

/// The trials whose instability a recovery could still refute and that stand between the stable rates and the first rate that is
/// unstable beyond doubt: those at the lowest unstable rate, unless a seed there settles it.
pub fn unresolved<'a>(trials: &[JudgedTrial<'a>]) -> Vec<&'a TrialRecord> {
    let unstable: Vec<_> = trials.iter().filter(|t| t.verdict.is_unstable()).collect();
    let Some(lowest) = rates_of(unstable.iter().map(|t| t.record)).first().copied() else { return Vec::new() };
    let at_lowest: Vec<_> = unstable.into_iter().filter(|t| t.record.spec.learning_rate == lowest).collect();
    if at_lowest.iter().all(|t| t.is_doubtful()) { at_lowest.iter().map(|t| t.record).collect() } else { Vec::new() }
}
