//! What the figures show, worked out from the report and free of pixels.

use std::collections::BTreeMap;

use crate::analysis::{mean, median};
use crate::record::{Outcome, ProbePoint};
use crate::report::{Report, Trial, Verdict};

use super::axis::{LARGEST, Range};

/// The loss at the end of the trials of one rate, over the seeds; infinite where a trial had no finite end. Its middle is the median,
/// of settled costs the mean, as the rule takes them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct End {
    pub rate: f64,
    pub low: f64,
    pub middle: f64,
    pub high: f64,
    pub seeds: usize,
}

/// The smoothed loss of one rate, as (iteration, loss); infinite after a divergence.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curve {
    pub rate: f64,
    pub unstable: bool,
    pub seeds: usize,
    pub points: Vec<(f64, f64)>,
}

/// A learning rate that can be drawn: rates in a report read from a file may be anything.
pub(super) fn is_rate(rate: f64) -> bool {
    crate::lr::LearningRate::new(rate).is_ok()
}

/// Whether two rates are one and the same, to the last bit: rates of trials are copied, never computed anew.
pub(super) fn same(a: f64, b: f64) -> bool {
    a.total_cmp(&b).is_eq()
}

/// The rates tried, ascending, each once.
pub(super) fn rates(report: &Report) -> Vec<f64> {
    let mut rates: Vec<f64> = report.trials.iter().map(|t| t.learning_rate).filter(|r| is_rate(*r)).collect();
    rates.sort_by(f64::total_cmp);
    rates.dedup();
    rates
}

/// The seeds tried, ascending, each once.
pub(super) fn seeds(report: &Report) -> Vec<u64> {
    let seeds: std::collections::BTreeSet<u64> = report.trials.iter().map(|t| t.seed).collect();
    seeds.into_iter().collect()
}

/// Length of a short trial in iterations; that of the shortest where the report does not say, and never beyond the longest.
pub(super) fn short_length(report: &Report) -> u64 {
    let shortest = || shown(report).map(|t| t.iterations).min().unwrap_or(0);
    let said = report.run.short_iterations;
    if said > 0 { said.min(longest(report)) } else { shortest() }
}

/// Length of the longest trial in iterations.
pub(super) fn longest(report: &Report) -> u64 {
    shown(report).map(|t| t.iterations).max().unwrap_or(0)
}

/// The trials that say something about their rate.
fn shown(report: &Report) -> impl Iterator<Item = &Trial> {
    report.trials.iter().filter(|t| {
        t.iterations > 0 && is_rate(t.learning_rate) && matches!(t.outcome, Outcome::Completed | Outcome::Diverged { .. })
    })
}

/// The losses of a trial at its own rate, without those of a recovery.
fn own(trial: &Trial) -> &[f64] {
    let own = usize::try_from(trial.iterations).unwrap_or(usize::MAX);
    &trial.losses[..trial.losses.len().min(own)]
}

/// The median of the last max(5, n/5) losses of a trial of n losses, `stride` iterations apart; infinite when it ended before its
/// time.
fn end_loss(trial: &Trial, stride: u64) -> f64 {
    let planned = usize::try_from(trial.iterations / stride).unwrap_or(usize::MAX);
    let losses = own(trial);
    if losses.len() < planned {
        return f64::INFINITY;
    }
    let window = (planned / 5).max(5).min(planned);
    median(&losses[planned - window..planned]).map_or(f64::INFINITY, drawable)
}

/// Iterations of the tail of a trial, in which its rate fell.
fn tail(trial: &Trial) -> u64 {
    trial.recovery.map_or(0, |recovery| recovery.iterations)
}

/// The loss on the probe set after the tail, by which the recommended rate is chosen; infinite when the trial did not get there.
fn settled_cost(trial: &Trial) -> f64 {
    let end = trial.iterations.saturating_add(tail(trial));
    ProbePoint::loss_after(end, &trial.probe).map_or(f64::INFINITY, drawable)
}

/// Whether the rate of the long trials fell in a tail, after which they are compared.
pub(super) fn settles(report: &Report) -> bool {
    long_trials(report).any(|trial| tail(trial) > 0)
}

/// Whether the rate fell in that tail: not where the planned run keeps its own.
pub(super) fn decays(report: &Report) -> bool {
    let falls = |trial: &Trial| trial.recovery.is_some_and(|tail| tail.learning_rate.get() < trial.learning_rate);
    long_trials(report).any(falls)
}

fn drawable(loss: f64) -> f64 {
    if loss.is_nan() { f64::INFINITY } else { loss.max(-LARGEST) }
}

/// For each rate and seed the trial that `better` prefers over the others.
fn chosen<'a>(trials: impl Iterator<Item = &'a Trial>, better: impl Fn(&Trial, &Trial) -> bool) -> Vec<(f64, Vec<&'a Trial>)> {
    let mut by_rate: BTreeMap<u64, BTreeMap<u64, &Trial>> = BTreeMap::new();
    for trial in trials {
        // Positive numbers sort like their bits.
        let seeds = by_rate.entry(trial.learning_rate.to_bits()).or_default();
        let held = seeds.entry(trial.seed).or_insert(trial);
        if better(trial, held) {
            *held = trial;
        }
    }
    by_rate.into_iter().map(|(rate, seeds)| (f64::from_bits(rate), seeds.into_values().collect())).collect()
}

/// These losses of trials over the seeds of each rate, and their middle; of the longest where there are several.
fn ends<'a>(
    trials: impl Iterator<Item = &'a Trial>,
    loss: impl Fn(&Trial) -> f64,
    middle: impl Fn(&[f64]) -> Option<f64>,
) -> Vec<End> {
    let end = |(rate, trials): (f64, Vec<&Trial>)| {
        let losses: Vec<f64> = trials.iter().map(|t| loss(t)).collect();
        let low = losses.iter().copied().fold(f64::INFINITY, f64::min);
        let high = losses.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let seeds = losses.len();
        middle(&losses).map(|middle| End { rate, low, middle, high, seeds })
    };
    chosen(trials, |a, b| (a.iterations, tail(a)) > (b.iterations, tail(b))).into_iter().filter_map(end).collect()
}

/// Where trials at a steady rate end.
fn steady_ends<'a>(trials: impl Iterator<Item = &'a Trial>, report: &Report) -> Vec<End> {
    ends(trials, |t| end_loss(t, report.steps_per_loss()), median)
}

/// Where trials longer than the short ones end: at what they settle, where the rate falls.
fn longer_ends<'a>(trials: impl Iterator<Item = &'a Trial>, report: &Report) -> Vec<End> {
    if settles(report) { ends(trials, settled_cost, |costs| Some(mean(costs))) } else { steady_ends(trials, report) }
}

/// Loss at the end of the short trials, by rate.
pub(super) fn short_ends(report: &Report) -> Vec<End> {
    let short = short_length(report);
    steady_ends(shown(report).filter(|t| t.iterations == short), report)
}

fn long_trials(report: &Report) -> impl Iterator<Item = &Trial> {
    let (short, long) = (short_length(report), report.run.long_iterations);
    shown(report).filter(move |t| t.iterations == long && long > short)
}

/// Loss at the end of the long trials, by rate.
pub(super) fn long_ends(report: &Report) -> Vec<End> {
    longer_ends(long_trials(report), report)
}

/// Loss at the end of the trials, longer still, that confirm the recommendation; and their length.
pub(super) fn confirmation(report: &Report) -> Option<(End, u64)> {
    let rate = report.recommendation.learning_rate?;
    let beyond = report.run.long_iterations.max(short_length(report));
    let at_rate = || shown(report).filter(|t| same(t.learning_rate, rate) && t.iterations > beyond);
    let length = at_rate().map(|t| t.iterations).max()?;
    let end = longer_ends(at_rate().filter(|t| t.iterations == length), report).into_iter().next()?;
    Some((end, length))
}

/// The median over all trials of the first loss: where training starts.
pub(super) fn initial_loss(report: &Report) -> Option<f64> {
    let first = shown(report).filter_map(|t| own(t).first().copied()).filter(|l| l.is_finite() && l.abs() < LARGEST);
    median(&first.collect::<Vec<_>>())
}

/// The losses worth showing: from the lowest to a little above where training began, so that what diverged does not squash the
/// rest. Without losses below the beginning, up to three times as far above the lowest as the median is. Logarithmic when all
/// is positive and spans more than a factor of `log_from`.
pub(super) fn loss_range(losses: impl IntoIterator<Item = f64>, initial: Option<f64>, log_from: f64) -> Option<Range> {
    let mut losses: Vec<f64> = losses.into_iter().filter(|l| l.is_finite() && l.abs() <= LARGEST).collect();
    losses.sort_by(f64::total_cmp);
    let (&low, &most) = (losses.first()?, losses.last()?);
    let middle = losses[(losses.len() - 1) / 2];
    let (low, cap) = match initial {
        Some(start) if start > low => (low, start + 0.12 * (start - low)),
        Some(start) => (low.min(start), middle + 3.0 * (middle - low)),
        None => (low, middle + 3.0 * (middle - low)),
    };
    let high = initial.map_or(most.min(cap), |start| most.max(start).min(cap.max(start))).clamp(-LARGEST, LARGEST);
    let log = low > 0.0 && high / low > log_from;
    Some(Range { low, high, log }.padded(0.06))
}

/// The smoothed losses of each rate after these numbers of iterations.
///
/// At each step: the median over seeds of the median of the last losses: of the last sixth, but at least 5 and at most a fifth
/// of a short trial. The window grows because the loss moves fast at first and slowly later. Only the trials of a rate
/// count that are more than half as long as the longest, as far as all of them go: where a seed ends, the median would jump.
pub(super) fn curves(report: &Report, steps: &[u64]) -> Vec<Curve> {
    let stride = report.steps_per_loss();
    let most = (short_length(report) / stride / 5).max(5);
    let curve = |(rate, mut trials): (f64, Vec<&Trial>)| {
        let longest = trials.iter().map(|t| t.iterations).max().unwrap_or(0);
        trials.retain(|t| 2 * t.iterations > longest);
        let shortest = trials.iter().map(|t| t.iterations).min().unwrap_or(0);
        let points = steps.iter().filter(|&&step| step <= shortest).filter_map(|&step| {
            let known = step / stride;
            let at: Vec<f64> = trials.iter().map(|t| trailing(own(t), known, (known / 6).clamp(5, most))).collect();
            Some((step as f64, median(&at)?))
        });
        Curve { rate, unstable: is_unstable(report, rate), seeds: trials.len(), points: points.collect() }
    };
    chosen(shown(report), |a, b| a.iterations > b.iterations).into_iter().map(curve).collect()
}

/// The least distance in decades at which two curves can be told apart.
const APART: f64 = 0.2;

/// The curves without those too near to another: those in `always` stay, then those of the most seeds, then the longest.
pub(super) fn thinned(curves: Vec<Curve>, always: &[f64]) -> Vec<Curve> {
    let named = |c: &Curve| always.iter().any(|rate| same(*rate, c.rate));
    let mut order: Vec<&Curve> = curves.iter().collect();
    order.sort_by_key(|c| std::cmp::Reverse((named(c), c.seeds, c.points.len())));
    let mut kept: Vec<f64> = Vec::new();
    for curve in order {
        // A grid of 5 rates a decade is kept whole, whatever its rounding.
        if named(curve) || kept.iter().all(|rate| (curve.rate / rate).log10().abs() > 0.99 * APART) {
            kept.push(curve.rate);
        }
    }
    curves.into_iter().filter(|c| kept.iter().any(|rate| same(*rate, c.rate))).collect()
}

/// The median of the last `window` of the first `known` losses; infinite when there are fewer.
fn trailing(losses: &[f64], known: u64, window: u64) -> f64 {
    let (end, window) = (usize::try_from(known).unwrap_or(usize::MAX), usize::try_from(window).unwrap_or(usize::MAX));
    if end > losses.len() {
        return f64::INFINITY;
    }
    median(&losses[end.saturating_sub(window)..end]).map_or(f64::INFINITY, drawable)
}

/// Whether any trial at this rate was unstable.
pub(super) fn is_unstable(report: &Report, rate: f64) -> bool {
    report.trials.iter().any(|t| same(t.learning_rate, rate) && t.verdict.is_unstable())
}

/// At most about `count` iterations from 1 to `last`, evenly spaced or, if `log`, evenly in the logarithm.
pub(super) fn steps(last: u64, count: u64, log: bool) -> Vec<u64> {
    let mut steps: Vec<u64> = (0..=count)
        .map(|k| k as f64 / count.max(1) as f64)
        .map(|share| if log { (last as f64).powf(share) } else { 1.0 + (last as f64 - 1.0) * share })
        .map(|k| (k.round() as u64).clamp(1, last.max(1)))
        .collect();
    steps.dedup();
    if last == 0 { Vec::new() } else { steps }
}

/// The verdict to show for each (rate, seed) that has one. An unstable trial outweighs any other; then the longest counts, then
/// the worst.
pub(super) fn verdicts(report: &Report) -> Vec<(f64, u64, Verdict)> {
    let weight = |t: &Trial| (t.verdict != Verdict::Unjudged, t.verdict.is_unstable(), t.iterations, rank(t.verdict));
    let trials = report.trials.iter().filter(|t| is_rate(t.learning_rate));
    let groups = chosen(trials, |a, b| weight(a) > weight(b));
    groups.into_iter().flat_map(|(rate, trials)| trials.into_iter().map(move |t| (rate, t.seed, t.verdict))).collect()
}

/// The verdicts from best to worst.
pub(super) const VERDICTS: [(Verdict, &str); 7] = [
    (Verdict::Good, "good"),
    (Verdict::Slow, "slow"),
    (Verdict::Degraded, "degraded"),
    (Verdict::Collapsed, "collapsed"),
    (Verdict::BlowUp, "blown up"),
    (Verdict::NonFinite, "not finite"),
    (Verdict::Unjudged, "not judged"),
];

fn rank(verdict: Verdict) -> usize {
    VERDICTS.iter().position(|(v, _)| *v == verdict).unwrap_or(0)
}
