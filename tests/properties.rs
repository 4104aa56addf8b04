//! Properties of the analysis on generated trials, and of the search over objectives that misbehave.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lrfind::analysis::{Assessment, Lengths, Premises, Safety, Verdict, assess, judge};
use lrfind::error::TrialError;
use lrfind::lr::LrRange;
use lrfind::record::{Event, Observer, Outcome, ProbePoint, Recovery, TrialRecord, TrialSpec};
use lrfind::report::Status;
use lrfind::trial::{Cancel, Objective, Run};
use lrfind::{LearningRate, Report, RunOptions, Study};
use proptest::prelude::*;

const LENGTHS: Lengths = Lengths { short: 20, long: 40, confirm: 80 };

fn premises(safety: f64, recovers: bool) -> Premises {
    Premises {
        lengths: LENGTHS,
        safety: Safety { factor: safety, margin: 1.5 },
        lowest: None,
        recovers,
        constant_cost: None,
        adaptive: false,
    }
}

/// Generated losses are whole multiples of this, so that sums, differences and offsets of them are exact.
const QUANTUM: f64 = 1.0 / 1_048_576.0;

#[derive(Debug, Clone)]
enum Curve {
    Decays { start: f64, floor: f64, speed: f64, noise: f64 },
    Grows { start: f64, factor: f64 },
    Flat { level: f64, noise: f64 },
    Constant(f64),
    DivergesEarly { start: f64, steps: usize },
    Failed,
    Cancelled { steps: usize },
    Empty,
    Huge,
    Extreme,
}

/// What follows a completed trial in a second record of it, one with a recovery.
#[derive(Debug, Clone, Copy)]
enum Tail {
    To(f64),
    Stays,
    Diverges,
    Fails,
}

#[derive(Debug, Clone)]
struct Trial {
    rate: usize,
    seed: u64,
    length: usize,
    curve: Curve,
    probed: bool,
    tail: Option<Tail>,
}

fn quantised(value: f64) -> f64 {
    (value / QUANTUM).round() * QUANTUM
}

/// A number in -1..1 that looks random.
fn jitter(salt: u64, k: usize) -> f64 {
    let mut x = salt.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (k as u64 + 1).wrapping_mul(0xD1B5_4A32_D192_ED03);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((x >> 33) as f64) / f64::from(1_u32 << 30) - 1.0
}

impl Curve {
    fn losses(&self, n: usize, salt: u64) -> Vec<f64> {
        let all = |of: &dyn Fn(usize) -> f64| (0..n).map(of).collect::<Vec<f64>>();
        match *self {
            Self::Decays { start, floor, speed, noise } => {
                all(&|k| quantised(floor + (start - floor) * (-speed * k as f64).exp() + noise * jitter(salt, k)))
            }
            Self::Grows { start, factor } => all(&|k| quantised((start * factor.powf(k as f64)).min(1e6))),
            Self::Flat { level, noise } => all(&|k| quantised(level + noise * jitter(salt, k))),
            Self::Constant(level) => vec![quantised(level); n],
            Self::DivergesEarly { start, steps } => {
                (0..steps.min(n - 1)).map(|k| quantised(start * 2f64.powf(k as f64 % 20.0))).collect()
            }
            Self::Cancelled { steps } => vec![1.0; steps.min(n - 1)],
            Self::Failed | Self::Empty => Vec::new(),
            Self::Huge => all(&|k| 1e30 * (1.0 + 0.5 * jitter(salt, k))),
            Self::Extreme => all(&|k| {
                if k % 3 == 0 {
                    f64::MAX
                } else if k % 3 == 1 {
                    f64::MIN
                } else {
                    5e-324
                }
            }),
        }
    }

    fn outcome(&self, losses: &[f64]) -> Outcome {
        match self {
            Self::DivergesEarly { .. } => Outcome::Diverged { step: losses.len() as u64, reason: "the loss became NaN".into() },
            Self::Failed => Outcome::Failed { message: "no memory".into() },
            Self::Cancelled { .. } => Outcome::Cancelled,
            _ => Outcome::Completed,
        }
    }
}

fn grid() -> Vec<LearningRate> {
    LrRange::new(1e-4, 10.0).unwrap().grid(2)
}

impl Trial {
    /// The trial's record, and that of the same trial with a recovery.
    fn records(&self) -> Vec<TrialRecord> {
        let iterations = [LENGTHS.short, LENGTHS.long, LENGTHS.confirm][self.length];
        let spec = TrialSpec::steady(grid()[self.rate], self.seed, iterations);
        let salt = self.seed + 10 * self.rate as u64 + 1000 * self.length as u64;
        let losses = self.curve.losses(iterations as usize, salt);
        let first = losses.first().copied().filter(|_| self.probed);
        let probe = first.map(|loss| ProbePoint { iteration: 0, loss: Some(loss) }).into_iter().collect();
        let outcome = self.curve.outcome(&losses);
        let record = TrialRecord { losses, probe, ..TrialRecord::blank(spec, outcome) };
        let Some(tail) = self.tail.filter(|_| record.losses.len() == iterations as usize) else { return vec![record] };
        let mut twin = record.clone();
        let steps = iterations / 2;
        twin.spec.recovery = Some(Recovery { learning_rate: grid()[0], iterations: steps });
        let last = record.losses[record.losses.len() - 1];
        match tail {
            Tail::To(level) => twin.losses.extend(vec![quantised(level); steps as usize]),
            Tail::Stays => twin.losses.extend(vec![last; steps as usize]),
            Tail::Diverges => {
                twin.losses.extend([last, last]);
                twin.outcome = Outcome::Diverged { step: iterations + 2, reason: "the loss became inf".into() };
            }
            Tail::Fails => {
                twin.losses.clear();
                twin.outcome = Outcome::Failed { message: "no memory".into() };
            }
        }
        vec![record, twin]
    }
}

fn moderate_curve() -> impl Strategy<Value = Curve> {
    let level = || -4.0..8.0;
    prop_oneof![
        4 => (0.5..8.0, -1.0..1.0, 0.001..1.0, prop_oneof![Just(0.0), 0.0..0.5])
            .prop_map(|(start, floor, speed, noise)| Curve::Decays { start, floor, speed, noise }),
        2 => (0.5..4.0, 1.0..1.6).prop_map(|(start, factor)| Curve::Grows { start, factor }),
        1 => (level(), 0.0..1.0).prop_map(|(level, noise)| Curve::Flat { level, noise }),
        1 => prop_oneof![Just(0.0), Just(-1.0), level()].prop_map(Curve::Constant),
        1 => (0.5..4.0, 0_usize..30).prop_map(|(start, steps)| Curve::DivergesEarly { start, steps }),
        1 => Just(Curve::Failed),
        1 => (0_usize..30).prop_map(|steps| Curve::Cancelled { steps }),
        1 => Just(Curve::Empty),
    ]
}

fn any_curve() -> impl Strategy<Value = Curve> {
    prop_oneof![6 => moderate_curve(), 1 => Just(Curve::Huge), 1 => Just(Curve::Extreme)]
}

fn tail() -> impl Strategy<Value = Option<Tail>> {
    let some = prop_oneof![(-1.0..4.0).prop_map(Tail::To), Just(Tail::Stays), Just(Tail::Diverges), Just(Tail::Fails)];
    prop_oneof![3 => Just(None), 1 => some.prop_map(Some)]
}

/// Trials with nothing in common.
fn chaos<C: Strategy<Value = Curve>>(curve: fn() -> C) -> impl Strategy<Value = Vec<Trial>> {
    let trial = (0..grid().len(), 0_u64..3, 0_usize..3, curve(), any::<bool>(), tail());
    prop::collection::vec(trial, 0..40).prop_map(|parts| {
        let mut trials: Vec<Trial> = Vec::new();
        for (rate, seed, length, curve, probed, tail) in parts {
            if !trials.iter().any(|t| (t.rate, t.seed, t.length) == (rate, seed, length)) {
                trials.push(Trial { rate, seed, length, curve, probed, tail });
            }
        }
        trials
    })
}

/// What a search sees: faster with the rate, up to a threshold that may lie lower for longer trials; some rates untried.
fn coherent() -> impl Strategy<Value = Vec<Trial>> {
    let rates = grid().len();
    let above = prop::collection::vec(moderate_curve(), 9);
    let tails = prop::collection::vec(tail(), 9);
    let tried = prop::collection::vec(any::<bool>(), 3 * rates);
    (0.02..2.0, 0.0..0.3, 1_u64..4, [1..rates + 1, 0..rates + 1, 0..rates + 1], above, tails, tried, any::<bool>()).prop_map(
        move |(speed, noise, seeds, thresholds, above, tails, tried, probed)| {
            let mut trials = Vec::new();
            for (length, &threshold) in thresholds.iter().enumerate() {
                for rate in (0..rates).filter(|rate| tried[length * rates + rate]) {
                    for seed in 0..seeds {
                        let at = (rate + 3 * seed as usize + length) % 9;
                        let speed = speed * 3f64.powf(rate as f64 - 6.0);
                        let below = Curve::Decays { start: 2.0 + seed as f64, floor: 0.125, speed, noise };
                        let curve = if rate < threshold { below } else { above[at].clone() };
                        let tail = if rate < threshold { None } else { tails[at] };
                        trials.push(Trial { rate, seed, length, curve, probed, tail });
                    }
                }
            }
            trials
        },
    )
}

fn records(trials: &[Trial]) -> Vec<TrialRecord> {
    trials.iter().flat_map(Trial::records).collect()
}

fn any_records() -> impl Strategy<Value = Vec<TrialRecord>> {
    prop_oneof![chaos(any_curve), coherent()].prop_map(|trials| records(&trials))
}

fn moderate_records() -> impl Strategy<Value = Vec<TrialRecord>> {
    prop_oneof![chaos(moderate_curve), coherent()].prop_map(|trials| records(&trials))
}

/// What must not depend on the order of the trials or the unit of the loss.
#[derive(Debug, PartialEq)]
struct Conclusions {
    verdicts: Vec<(u64, u64, u64, bool, Verdict)>,
    bracket: lrfind::analysis::Bracket,
    choice: Option<LearningRate>,
    confirmed: bool,
}

fn conclusions(assessment: &Assessment<'_>) -> Conclusions {
    let key = |spec: &TrialSpec| (spec.iterations, spec.learning_rate.get().to_bits(), spec.seed, spec.recovery.is_some());
    let mut verdicts: Vec<_> = assessment
        .trials()
        .map(|t| (key(&t.record.spec), t.verdict))
        .map(|((iterations, rate, seed, recovery), verdict)| (iterations, rate, seed, recovery, verdict))
        .collect();
    verdicts.sort_unstable();
    let (bracket, choice) = (assessment.bracket, assessment.choice.learning_rate);
    Conclusions { verdicts, bracket, choice, confirmed: assessment.is_confirmed() }
}

fn mapped(trials: &[TrialRecord], of: impl Fn(f64) -> f64) -> Vec<TrialRecord> {
    let mut trials = trials.to_vec();
    for trial in &mut trials {
        trial.losses.iter_mut().for_each(|loss| *loss = of(*loss));
        trial.probe.iter_mut().for_each(|point| point.loss = point.loss.map(&of));
    }
    trials
}

fn quick() -> ProptestConfig {
    ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(quick())]

    #[test]
    fn the_analysis_never_panics(trials in any_records(), safety in 1.0..1e6, recovers: bool) {
        for subset in [&trials[..], &trials[..trials.len().min(1)], &[]] {
            let assessment = assess(subset, &premises(safety, recovers));
            prop_assert!(!assessment.choice.because.is_empty());
            for rate in grid() {
                let risk = assessment.late_risk(rate);
                prop_assert!(risk.is_none_or(|p| (0.0..=1.0).contains(&p)), "{:?}", risk);
            }
        }
    }

    #[test]
    fn the_order_of_the_trials_does_not_matter(
        (trials, shuffled) in moderate_records().prop_flat_map(|t| (Just(t.clone()), Just(t).prop_shuffle())),
        recovers: bool,
    ) {
        let (one, other) = (assess(&trials, &premises(2.0, recovers)), assess(&shuffled, &premises(2.0, recovers)));
        prop_assert_eq!(conclusions(&one), conclusions(&other));
    }

    #[test]
    fn the_unit_of_the_loss_does_not_matter(trials in moderate_records(), power in -30_i32..=30, recovers: bool) {
        let scaled = mapped(&trials, |loss| loss * 2f64.powi(power));
        let (one, other) = (assess(&trials, &premises(2.0, recovers)), assess(&scaled, &premises(2.0, recovers)));
        prop_assert_eq!(conclusions(&one), conclusions(&other));
        prop_assert_eq!(&one.choice, &other.choice);
    }

    #[test]
    fn a_constant_in_the_loss_does_not_matter(trials in moderate_records(), offset in -1000_i32..=1000, recovers: bool) {
        let moved = mapped(&trials, |loss| loss + f64::from(offset));
        let (one, other) = (assess(&trials, &premises(2.0, recovers)), assess(&moved, &premises(2.0, recovers)));
        prop_assert_eq!(conclusions(&one), conclusions(&other));
    }

    #[test]
    fn the_choice_lies_between_the_best_early_and_the_first_unstable_rate(
        trials in any_records(), safety in 1.0..20.0, recovers: bool,
    ) {
        let assessment = assess(&trials, &premises(safety, recovers));
        if let Some(chosen) = assessment.choice.learning_rate {
            let best = assessment.best_early().expect("a choice needs a best early rate");
            let why = assessment.choice.because.join("; ");
            let first = assessment.bracket.first_unstable;
            prop_assert!(first.is_none_or(|first| chosen < first), "{} is not below {:?}: {}", chosen, first, why);
            prop_assert!(
                best <= chosen || why.contains("no headroom") || why.contains("does better"),
                "{} below the best early rate {}: {}", chosen, best, why
            );
            if let Some((low, high)) = assessment.choice.plateau {
                prop_assert!(low <= high && high == chosen);
            }
        }
    }

    #[test]
    fn the_bracket_and_the_posterior_agree_with_the_evidence(trials in any_records(), recovers: bool) {
        let assessment = assess(&trials, &premises(2.0, recovers));
        let (last, first) = (assessment.bracket.last_stable, assessment.bracket.first_unstable);
        let rows = &assessment.evidence;
        if let (Some(last), Some(first)) = (last, first) {
            prop_assert!(last < first);
            let threshold = assessment.bracket.threshold().unwrap();
            prop_assert!(last <= threshold && threshold <= first);
        }
        // Rows shorter than the trials that showed the instability do not hold the bracket up.
        let shown = rows.iter().filter(|row| Some(row.learning_rate) == first && row.unstable > 0);
        let length = shown.map(|row| row.iterations).min().unwrap_or(0);
        for row in rows {
            prop_assert!(row.unstable <= row.seeds && row.seeds > 0 && (row.unstable > 0) == row.reason.is_some());
            let below = first.is_none_or(|first| row.learning_rate < first);
            prop_assert!(!below || row.unstable == 0);
            // A confirmation that succeeds raises nothing.
            let decides = below && row.iterations != LENGTHS.confirm;
            prop_assert!(!decides || last.is_some());
            prop_assert!(!decides || row.iterations < length || last.is_some_and(|last| row.learning_rate <= last));
        }
        prop_assert_eq!(assessment.posterior().is_some(), first.is_some());
        if let Some(posterior) = assessment.posterior() {
            let [low, middle, high] = posterior.quantiles;
            prop_assert!(low <= middle && middle <= high);
            let tried = || rows.iter().map(|row| row.learning_rate.log10());
            let (lowest, highest) = (tried().fold(f64::INFINITY, f64::min), tried().fold(f64::NEG_INFINITY, f64::max));
            // Half a step of the posterior's grid, and the rounding of a rate.
            prop_assert!(low.log10() >= lowest - 0.001 && high.log10() <= highest + 0.006, "{:?}", posterior);
            prop_assert!(posterior.deviation.is_finite() && posterior.deviation >= 0.0);
        }
    }

    #[test]
    fn a_grid_is_sorted_geometric_and_holds_both_ends(low in -12.0..11.5, decades in 0.01..10.0, per_decade in 1_usize..20) {
        let (low, high) = (LearningRate::from_log10(low), LearningRate::from_log10(low + decades));
        let range = LrRange::new(low.get(), high.get()).unwrap();
        let grid = range.grid(per_decade);
        prop_assert_eq!((grid[0], grid[grid.len() - 1]), (low, high));
        prop_assert!(grid.windows(2).all(|pair| pair[0] < pair[1]));
        let step = (high.log10() - low.log10()) / (grid.len() - 1) as f64;
        prop_assert!(step <= 1.0 / per_decade as f64 + 1e-3);
        for pair in grid.windows(2) {
            prop_assert!((pair[1].log10() - pair[0].log10() - step).abs() <= 1.5e-3, "{:?}", grid);
        }
    }

    #[test]
    fn a_grid_of_any_ends_stays_in_its_range(low in 1e-6..1.0, factor in 1.01..1e4, per_decade in 1_usize..20) {
        let range = LrRange::new(low, low * factor).unwrap();
        let grid = range.grid(per_decade);
        prop_assert!(grid.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert!(
            range.low() <= grid[0] && grid[grid.len() - 1] <= range.high(),
            "{:?} leaves {:?}", (grid[0], grid[grid.len() - 1]), range
        );
    }

    #[test]
    fn rates_rise_with_their_logarithm(one in -13.0..13.0, more in 0.0..2.0) {
        let (lower, higher) = (LearningRate::from_log10(one), LearningRate::from_log10(one + more));
        prop_assert!(lower <= higher && (more < 0.002 || one < -12.0 || one + more > 12.0 || lower < higher));
        prop_assert_eq!(LearningRate::from_log10(lower.log10()), lower);
    }
}

#[test]
fn a_grid_holds_the_ends_that_a_person_typed() {
    for (low, high) in [(1e-4, 10.0), (0.03, 0.3), (0.02, 7.0), (0.015, 0.9)] {
        let grid: Vec<f64> = LrRange::new(low, high).unwrap().grid(2).into_iter().map(LearningRate::get).collect();
        assert_eq!((grid[0], grid[grid.len() - 1]), (low, high));
    }
}

fn rate(value: f64) -> LearningRate {
    LearningRate::new(value).unwrap()
}

fn completed(value: f64, seed: u64, iterations: u64, losses: Vec<f64>) -> TrialRecord {
    let spec = TrialSpec::steady(rate(value), seed, iterations);
    TrialRecord { losses, ..TrialRecord::blank(spec, Outcome::Completed) }
}

#[test]
fn rates_that_do_equally_well_tie_in_any_order() {
    // 0.1 + 0.2 + 0.3 depends on the order of the addends, by one unit in the last place.
    let trials: Vec<TrialRecord> = [0.01, 0.1]
        .into_iter()
        .flat_map(|value| {
            [0.1, 0.2, 0.3].into_iter().enumerate().map(move |(seed, end)| {
                let losses = (0..20).map(|k| if k < 5 { 1.0 } else { end }).collect();
                completed(value, seed as u64, LENGTHS.short, losses)
            })
        })
        .collect();
    let mut other = trials.clone();
    other[..3].reverse();
    let mut third = trials.clone();
    third[3..].reverse();
    let of = |trials: &[TrialRecord]| conclusions(&assess(trials, &premises(2.0, true)));
    assert_eq!(of(&trials), of(&other));
    assert_eq!(of(&trials), of(&third));
}

#[test]
fn a_rate_seen_unstable_in_long_trials_is_not_chosen_for_want_of_a_lower_one() {
    let short = completed(0.1, 0, LENGTHS.short, (0..20).map(|k| f64::from(20 - k)).collect());
    let mut long = completed(0.1, 0, LENGTHS.long, (0..25).map(|k| f64::from(25 - k)).collect());
    long.outcome = Outcome::Diverged { step: 25, reason: "the loss became NaN".into() };
    let trials = [short, long];
    let assessment = assess(&trials, &premises(2.0, true));
    assert_eq!(assessment.bracket.first_unstable, Some(rate(0.1)));
    let chosen = assessment.choice.learning_rate;
    assert!(chosen.is_none_or(|r| r < rate(0.1)), "{chosen:?}: {:?}", assessment.choice.because);
}

/// The verdict on `record` beside a trial at 0.1 that falls from 20 to 1.
fn verdict(record: &TrialRecord) -> Verdict {
    let best = completed(0.1, 0, 20, (0..20).map(|k| f64::from(20 - k)).collect());
    let trials = [&best, record];
    let judged = judge(&trials, true, None);
    assert_eq!(judged.reference.as_ref().map(|r| r.learning_rate), Some(rate(0.1)));
    assert_eq!(judged.trials[0].verdict, Verdict::Good);
    judged.trials[1].verdict
}

fn recovered(mut record: TrialRecord, tail: f64) -> TrialRecord {
    record.spec.recovery = Some(Recovery { learning_rate: rate(0.1), iterations: 10 });
    record.losses.extend([tail; 10]);
    record
}

#[test]
fn verdicts_on_curves_that_speak_for_themselves() {
    let falling = |from: f64, by: f64| (0..20).map(|k| by.mul_add(-f64::from(k), from)).collect::<Vec<f64>>();
    let rising = (0..20).map(|k| 20.0 * 1.2f64.powi(k)).collect::<Vec<f64>>();
    assert_eq!(verdict(&completed(0.2, 0, 20, falling(20.0, 0.95))), Verdict::Good);
    assert_eq!(verdict(&completed(0.01, 0, 20, falling(20.0, 0.1))), Verdict::Slow);
    assert_eq!(verdict(&completed(1.0, 0, 20, rising.clone())), Verdict::BlowUp);
    let dead = || completed(1.0, 0, 20, (0..20).map(|k| if k == 0 { 20.0 } else { 19.0 }).collect());
    assert_eq!(verdict(&dead()), Verdict::Collapsed);
    assert_eq!(verdict(&recovered(dead(), 19.0)), Verdict::Collapsed);
    assert_eq!(verdict(&recovered(dead(), 3.0)), Verdict::Degraded);
    let high = || completed(1.0, 0, 20, (0..20).map(|k| if k == 0 { 20.0 } else { 30.0 }).collect());
    assert_eq!(verdict(&recovered(high(), 30.0)), Verdict::BlowUp);
    assert_eq!(verdict(&recovered(high(), 3.0)), Verdict::Degraded);
    // Still rising: no recovery can talk that away.
    assert_eq!(verdict(&recovered(completed(1.0, 0, 20, rising), 3.0)), Verdict::BlowUp);
    let mut diverged = completed(1.0, 0, 20, vec![20.0, 1e30]);
    diverged.outcome = Outcome::Diverged { step: 2, reason: "the loss became NaN".into() };
    assert_eq!(verdict(&diverged), Verdict::NonFinite);
    diverged.outcome = Outcome::Cancelled;
    assert_eq!(verdict(&diverged), Verdict::Unjudged);
    diverged.outcome = Outcome::Failed { message: "no memory".into() };
    assert_eq!(verdict(&diverged), Verdict::Unjudged);
    assert_eq!(verdict(&completed(1.0, 0, 20, Vec::new())), Verdict::Unjudged);
}

/// What goes wrong with an objective.
#[derive(Debug, Clone, Copy)]
enum Fault {
    None,
    PanicsInStart,
    ErrorInStart,
    PanicsInStep,
    ErrorInStep,
    TooManyLosses,
    NoLosses,
    NanFromTheStart,
    WrongProbe,
    PanicsInProbe,
    PanicsForSeed(u64),
    FailsInRecovery,
}

/// Gradient descent on a parabola, unstable from 0.5 on. Where recoveries fail the loss saturates above that, so that there are
/// doubts for a recovery to resolve.
struct Faulty(Fault);

struct FaultyRun {
    fault: Fault,
    weight: f64,
    first: Option<f64>,
    saturates: bool,
}

impl Objective for Faulty {
    fn start(&self, specs: &[TrialSpec]) -> Result<Box<dyn Run + '_>, TrialError> {
        match self.0 {
            Fault::PanicsInStart => panic!("start broke"),
            Fault::ErrorInStart => return Err(TrialError::new("start broke")),
            Fault::PanicsForSeed(seed) if seed == specs[0].seed => panic!("seed {seed} broke"),
            _ => {}
        }
        let saturates = matches!(self.0, Fault::FailsInRecovery);
        Ok(Box::new(FaultyRun { fault: self.0, weight: 1.0 + specs[0].seed as f64, first: None, saturates }))
    }
}

impl FaultyRun {
    fn loss(&self) -> f64 {
        2.0 * self.weight.powi(2)
    }
}

impl Run for FaultyRun {
    fn step(&mut self, learning_rates: &[f64]) -> Result<Vec<f64>, TrialError> {
        let rate = learning_rates[0];
        match self.fault {
            Fault::PanicsInStep => panic!("step broke"),
            Fault::ErrorInStep => return Err(TrialError::new("step broke")),
            Fault::TooManyLosses => return Ok(vec![1.0, 2.0]),
            Fault::NoLosses => return Ok(Vec::new()),
            Fault::NanFromTheStart => return Ok(vec![f64::NAN]),
            Fault::FailsInRecovery if rate != *self.first.get_or_insert(rate) => {
                return Err(TrialError::new("the rate cannot change"));
            }
            _ => {}
        }
        let loss = self.loss();
        self.weight -= rate * 4.0 * self.weight;
        if self.saturates {
            self.weight = self.weight.clamp(-20.0, 20.0);
        }
        Ok(vec![loss])
    }

    fn probe(&mut self) -> Result<Vec<f64>, TrialError> {
        match self.fault {
            Fault::WrongProbe => Ok(vec![1.0; 3]),
            Fault::PanicsInProbe => panic!("probe broke"),
            _ => Ok(vec![self.loss()]),
        }
    }

    fn retain(&mut self, _: &[bool]) {}
}

/// Runs a search in a thread of its own, so that one that never ends fails its test instead of hanging it.
fn find(fault: Fault) -> Report {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let objective = Faulty(fault);
        let mut study = Study::new("faulty", &objective);
        study.search.resolution = 0.02;
        // Nobody listens any more when the test has given up.
        let _ = sender.send(Box::new(study.find(&RunOptions::default())));
    });
    *receiver.recv_timeout(Duration::from_mins(2)).unwrap_or_else(|e| panic!("{fault:?}: no report: {e}"))
}

fn is_failed(trial: &lrfind::report::Trial) -> bool {
    matches!(trial.outcome, Outcome::Failed { .. })
}

#[test]
fn an_objective_that_always_fails_gives_a_report_that_says_why() {
    for (fault, message) in [
        (Fault::PanicsInStart, "start broke"),
        (Fault::ErrorInStart, "start broke"),
        (Fault::PanicsInStep, "step broke"),
        (Fault::ErrorInStep, "step broke"),
        (Fault::TooManyLosses, "2 losses"),
        (Fault::NoLosses, "0 losses"),
        (Fault::WrongProbe, "3 losses"),
        (Fault::PanicsInProbe, "probe broke"),
    ] {
        let report = find(fault);
        assert!(!report.trials.is_empty() && report.trials.iter().all(is_failed), "{fault:?}");
        assert_eq!(report.recommendation.learning_rate, None, "{fault:?}");
        assert!(!report.recommendation.because.is_empty(), "{fault:?}");
        let told = report.warnings.iter().find(|w| w.code == "trials-failed").unwrap_or_else(|| panic!("{fault:?}"));
        assert!(told.message.contains(message), "{fault:?}: {}", told.message);
    }
}

#[test]
fn losses_that_are_never_a_number_are_a_result() {
    let report = find(Fault::NanFromTheStart);
    assert!(report.trials.iter().all(|t| t.verdict == Verdict::NonFinite));
    assert_eq!(report.recommendation.learning_rate, None);
    assert!(report.recommendation.because[0].contains("diverged"), "{:?}", report.recommendation.because);
}

#[test]
fn a_panic_for_one_seed_fails_that_seed_only() {
    let report = find(Fault::PanicsForSeed(1));
    assert!(report.trials.iter().any(is_failed));
    assert!(report.trials.iter().all(|t| is_failed(t) == (t.seed == 1)));
    assert!(report.warnings.iter().any(|w| w.code == "trials-failed" && w.message.contains("seed 1 broke")));
    let threshold = report.instability.threshold.unwrap();
    assert!((0.485..0.515).contains(&threshold), "{threshold}");
}

#[test]
fn a_search_ends_though_every_recovery_fails() {
    let report = find(Fault::FailsInRecovery);
    assert!(report.trials.iter().any(|t| t.recovery.is_some()), "no trial needed a recovery");
    assert!(report.trials.iter().all(|t| is_failed(t) == t.recovery.is_some()));
}

/// Cancels after some optimiser steps.
struct CancelsAfter {
    steps: u64,
    seen: AtomicU64,
    cancel: Cancel,
}

impl Observer for CancelsAfter {
    fn observe(&self, event: &Event<'_>) {
        if let Event::Progress { iterations } = event
            && self.seen.fetch_add(*iterations, Ordering::Relaxed) + iterations >= self.steps
        {
            self.cancel.cancel();
        }
    }
}

#[test]
fn a_cancelled_search_gives_a_partial_report() {
    let objective = Faulty(Fault::None);
    for steps in [0, 16, 500, 5000] {
        let cancel = Cancel::default();
        let observer = CancelsAfter { steps, seen: AtomicU64::new(0), cancel: cancel.clone() };
        let options = RunOptions { jobs: 2, cancel, observer: &observer, ..RunOptions::default() };
        let report = Study::new("cancelled", &objective).find(&options);
        assert_eq!(report.status, Status::Partial, "after {steps}");
        assert!(!report.recommendation.because.is_empty(), "after {steps}");
        let spent = report.cost.trial_iterations;
        assert!((steps..steps + 1000).contains(&spent), "after {steps}: {spent}");
    }
}
