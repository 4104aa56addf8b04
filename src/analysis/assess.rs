//! Everything that a set of trials says, in one pure function of them.

use super::curve::{end_loss, mean};
use super::judge::{Judged, JudgedTrial, Verdict, has_forgotten, initial_loss, judge, judge_against};
use super::premises::{Lengths, Premises};
use super::recommend::{Choice, choose};
use super::settled::{SettledLevel, settled_cost, settled_ranking};
use super::threshold::{Bracket, Posterior, RateEvidence, bracket, evidence, posterior};
use super::transfer::Transfer;
use crate::lr::LearningRate;
use crate::record::{Outcome, ProbePoint, TrialRecord, TrialSpec};

/// Where the best of the longer trials settles above this share of the loss before training, the planned run has most of its way
/// still to go. Of the benchmark's 44 tasks and 12 held-out ones four lie at 0.48 or higher, two of the three with the highest regret
/// among them, and all others below 0.18. It is said, not acted on: over five repetitions, trials of half the planned run took the
/// regret of three of the four, the other stayed, from 0.17, 0.41 and 0.00 to 0.20, 0.07 and 0.06, at two to three times the cost, and
/// trials at lower rates or with a third seed made little difference. What helped was to make the short trials longer too, and that is
/// done where it is known what a constant prediction costs.
const HARDLY_LEARNT: f64 = 0.4;

/// Where the best early rate ends above this share of what a constant prediction costs, its trials tell one kind of noise from
/// another. Of the benchmark's 56 tasks four do, at 0.96 to 0.99 for each of three seeds; all others end below 0.35, and of the
/// examples the Shakespeare text, of which little can be learnt, at 0.81. Making their trials longer took mean regret from 0.152 to
/// 0.028 over these four, at 2.9 times the cost.
const NOTHING: f64 = 0.9;

/// An unstable trial that settles below this share of the loss before training has come back: see [`Transfer::COMES_BACK`].
const COMES_BACK: f64 = 0.1;

/// A trial has learnt clearly less than another if that is ahead of it by this share of what it learnt itself. Without this, 7 of 204
/// rates at which full runs fail would pass for far below the threshold: where the first losses are huge, trials that are lost in
/// the same way have all learnt much.
const CLEARLY: f64 = 0.1;

/// What the trials say.
#[derive(Debug, Clone)]
pub struct Assessment<'a> {
    /// The short trials.
    pub short: Judged<'a>,
    /// The long trials, if there are any.
    pub long: Option<Judged<'a>>,
    /// The confirming trials.
    pub confirm: Vec<JudgedTrial<'a>>,
    /// The trials at the best early rate that long ones are measured by, where they are no short trials themselves.
    pub yardsticks: Vec<JudgedTrial<'a>>,
    /// All verdicts, counted by length and rate.
    pub evidence: Vec<RateEvidence>,
    /// Where instability begins.
    pub bracket: Bracket,
    /// What to do.
    pub choice: Choice,
    /// Whether every confirming trial at the chosen rate was stable, and there were some.
    pub confirmed: bool,
    premises: Premises,
}

impl Assessment<'_> {
    /// All judged trials.
    pub fn trials(&self) -> impl Iterator<Item = &JudgedTrial<'_>> {
        self.short.trials.iter().chain(self.long.iter().flat_map(|l| &l.trials)).chain(&self.confirm).chain(&self.yardsticks)
    }

    /// The best early rate, when the trials show one.
    pub fn best_early(&self) -> Option<LearningRate> {
        self.short.reference.as_ref().filter(|r| r.improves).map(|r| r.learning_rate)
    }

    /// The rates that settle lowest over the long trials, none of them unstable, as far as they settle within this factor of the
    /// lowest; empty where nothing comes near that one. No factor tells what is near a cost below 0: there all are.
    pub fn contenders(&self, count: usize, factor: f64) -> Vec<LearningRate> {
        let long = self.long.iter().flat_map(|l| &l.trials).filter(|t| !t.verdict.is_unstable());
        let mut ranking = settled_ranking(&long.map(|t| t.record).collect::<Vec<_>>());
        ranking.truncate(count);
        let lowest = ranking.first().map_or(0.0, |(_, cost)| *cost);
        ranking.retain(|(_, cost)| lowest < 0.0 || *cost <= factor * lowest);
        if ranking.len() < 2 { Vec::new() } else { ranking.into_iter().map(|(rate, _)| rate).collect() }
    }

    /// A long trial at `rate` that a tail shorter than itself did not rescue.
    pub fn lost_with_short_tail(&self, rate: LearningRate) -> Option<TrialSpec> {
        let is_lost = |t: &&JudgedTrial<'_>| t.verdict.is_unstable() && t.record.outcome == Outcome::Completed;
        let is_short = |spec: &TrialSpec| spec.recovery.is_some_and(|tail| tail.iterations < spec.iterations);
        let mut lost = self.long.iter().flat_map(|l| &l.trials).filter(is_lost).map(|t| t.record.spec);
        lost.find(|spec| spec.learning_rate == rate && is_short(spec))
    }

    /// Whether short trials alone tell that `rate` lies far below the threshold: they are stable at all three rates and learnt much
    /// at `far`; and at `rate` either clearly less, or much as well and clearly more than at `low`.
    pub fn is_far_below(&self, [low, rate, far]: [LearningRate; 3]) -> bool {
        let at = |rate: LearningRate| self.short.trials.iter().filter(move |t| t.record.spec.learning_rate == rate);
        let is_stable = |rate: LearningRate| {
            at(rate).next().is_some() && at(rate).all(|t| t.record.is_finished() && !t.verdict.is_unstable())
        };
        // From the loss before training to the last ones.
        let course = |t: &JudgedTrial<'_>| initial_loss(t.record).zip(end_loss(t.record.own_losses()));
        let has_learnt = |rate: LearningRate| {
            at(rate).all(|t| course(t).is_some_and(|(initial, end)| initial > 0.0 && end <= HARDLY_LEARNT * initial))
        };
        let is_slower = |slow: LearningRate, fast: LearningRate| {
            at(slow).zip(at(fast)).all(|(slow, fast)| {
                let courses = course(slow).zip(course(fast));
                courses.is_some_and(|((_, slow), (initial, fast))| slow - fast > CLEARLY * (initial - fast))
            })
        };
        [low, rate, far].into_iter().all(is_stable)
            && has_learnt(far)
            && (is_slower(rate, far) || has_learnt(rate) && is_slower(low, rate))
    }

    /// How sure the bracket is. Computed anew at each call, and not cheap: a search asks for it once, at its end.
    pub fn posterior(&self) -> Option<Posterior> {
        posterior(&self.evidence)
    }

    /// Whether at the best early rate hardly more was learnt than to predict the same for every example, as far as it is known what
    /// that costs.
    pub fn has_learnt_nothing(&self) -> bool {
        let Some((best, constant)) = self.short.reference.as_ref().map(|r| r.learning_rate).zip(self.premises.constant_cost)
        else {
            return false;
        };
        let at_best = self.short.trials.iter().map(|t| t.record).filter(|t| t.spec.learning_rate == best);
        let ends: Vec<f64> = at_best.filter_map(|t| ProbePoint::loss_after(t.spec.iterations, &t.probe)).collect();
        !ends.is_empty() && mean(&ends) > NOTHING * constant
    }

    /// The share of the loss before training at which the best of the longer trials settles, if they have hardly learnt yet.
    pub fn hardly_learnt(&self) -> Option<f64> {
        let long = self.long.iter().flat_map(|long| &long.trials).filter(|t| !t.verdict.is_unstable());
        let least = long.filter_map(|t| share_left(t.record)).min_by(f64::total_cmp)?;
        (least > HARDLY_LEARNT).then_some(least)
    }

    /// Whether an unstable trial next to the threshold lost what it had learnt, but learnt most of it again when its rate fell.
    fn comes_back(&self) -> bool {
        let trials = self.short.trials.iter().chain(self.long.iter().flat_map(|long| &long.trials)).chain(&self.confirm);
        trials
            .filter(|t| t.verdict.is_unstable() && Some(t.record.spec.learning_rate) == self.bracket.first_unstable)
            .any(|t| share_left(t.record).is_some_and(|left| left < COMES_BACK))
    }

    /// How the threshold of full runs is expected to lie to that of these trials.
    fn transfer(&self) -> Transfer {
        // A long trial with a tail next to the threshold is what tells of late instability.
        let tells = |t: &JudgedTrial<'_>| {
            Some(t.record.spec.learning_rate) == self.bracket.last_stable && t.record.spec.recovery.is_some()
        };
        let is_told = self.long.iter().flat_map(|l| &l.trials).any(tells);
        // Longer trials that have hardly learnt tell no more than short ones: the four tasks where they have lie up to 0.38 decades off.
        let transfer = match (is_told && self.hardly_learnt().is_none(), self.comes_back(), self.premises.adaptive) {
            (false, ..) => Transfer::SHORT,
            (true, false, false) => Transfer::LONG,
            (true, true, false) => Transfer::COMES_BACK,
            (true, false, true) => Transfer::ADAPTIVE,
            (true, true, true) => Transfer::ADAPTIVE_COMES_BACK,
        };
        transfer.with_width(self.bracket.width().unwrap_or(0.0))
    }

    /// Where the threshold of full runs lies with 90 % probability; `None` where no threshold was found.
    pub fn full_run_interval(&self) -> Option<(LearningRate, LearningRate)> {
        Some(self.transfer().interval(self.bracket.threshold()?))
    }

    /// Estimated probability that a full run at `rate` becomes unstable; `None` where no threshold was found.
    pub fn late_risk(&self, rate: LearningRate) -> Option<f64> {
        Some(self.transfer().risk(rate, self.bracket.threshold()?))
    }
}

/// The share of the loss before training at which a trial with a tail settles.
fn share_left(trial: &TrialRecord) -> Option<f64> {
    let initial = trial.probe.first()?.loss.filter(|initial| *initial > 0.0)?;
    Some(settled_cost(trial)? / initial)
}

/// Of trials that differ in their recovery alone, the one with the longest: it knows most.
fn of_length(trials: &[TrialRecord], iterations: u64) -> Vec<&TrialRecord> {
    let recovery = |spec: &TrialSpec| spec.recovery.map_or(0, |recovery| recovery.iterations);
    let knows_more = |a: &TrialSpec, b: &TrialSpec| {
        (a.learning_rate, a.seed, a.iterations) == (b.learning_rate, b.seed, b.iterations) && recovery(a) < recovery(b)
    };
    let superseded = |t: &TrialRecord| trials.iter().any(|other| other.is_finished() && knows_more(&t.spec, &other.spec));
    trials.iter().filter(|t| t.spec.iterations == iterations && !superseded(t)).collect()
}

/// The highest rate at which trials with a tail were stable for every seed, below any at which one was not.
fn settles_at(long: &Judged<'_>) -> Option<LearningRate> {
    let with_tail = || long.trials.iter().filter(|t| t.record.spec.recovery.is_some() && t.record.is_finished());
    let rates =
        |unstable: bool| with_tail().filter(move |t| t.verdict.is_unstable() == unstable).map(|t| t.record.spec.learning_rate);
    let by_rate = |a: &LearningRate, b: &LearningRate| a.get().total_cmp(&b.get());
    let first_unstable = rates(true).min_by(by_rate);
    rates(false).filter(|rate| first_unstable.is_none_or(|first| *rate < first)).max_by(by_rate)
}

/// Judges all trials and draws the conclusions.
pub fn assess<'a>(trials: &'a [TrialRecord], premises: &Premises) -> Assessment<'a> {
    let Premises { lengths, safety, recovers, constant_cost, .. } = *premises;
    let short_trials = of_length(trials, lengths.short);
    let long_trials = of_length(trials, lengths.long);
    let short = judge(&short_trials, recovers, None);
    let yardsticks = of_length(trials, lengths.yardstick());
    let settled = short
        .reference
        .as_ref()
        .and_then(|r| SettledLevel::new(r.learning_rate, &yardsticks, &short_trials, &long_trials, constant_cost));
    let mut long = judge(&long_trials, recovers, settled);
    if settled.is_none() {
        // A long trial that is no better than a short one at its fifth is lost, even if all long trials are.
        for trial in long.trials.iter_mut().filter(|t| !t.verdict.is_unstable()) {
            let again = short.reference.as_ref().map(|reference| judge_against(trial.record, reference));
            trial.verdict = again.filter(|v| v.is_unstable()).unwrap_or(trial.verdict);
        }
    }
    let reference = long.reference.as_ref().or(short.reference.as_ref());
    let mut confirm: Vec<JudgedTrial<'_>> = of_length(trials, lengths.confirm)
        .into_iter()
        .map(|record| JudgedTrial { record, verdict: reference.map_or(Verdict::Unjudged, |r| judge_against(record, r)) })
        .collect();
    for trial in long.trials.iter_mut().chain(&mut confirm).filter(|t| !t.verdict.is_unstable()) {
        if has_forgotten(trial.record, lengths.short) {
            trial.verdict = Verdict::Collapsed;
        }
    }
    let settles_at = settles_at(&long);
    let long = (!long.trials.is_empty()).then_some(long);
    // A trial at a steady rate does not speak against a rate that was seen to settle when it falls.
    let counts =
        |t: &&JudgedTrial<'_>| !(t.is_doubtful() && settles_at.is_some_and(|settles| t.record.spec.learning_rate <= settles));
    let short_ones = short.trials.iter().filter(counts);
    let all: Vec<JudgedTrial<'_>> = short_ones.chain(long.iter().flat_map(|l| &l.trials)).chain(&confirm).copied().collect();
    let evidence = evidence(&all);
    // A stable confirmation shows that the recommendation holds, not that a higher one would: counted, it would raise what it was
    // to confirm, and that in turn would want to be confirmed.
    let decides = |e: &&RateEvidence| e.iterations != lengths.confirm || e.unstable > 0;
    let bracket = bracket(&evidence.iter().filter(decides).copied().collect::<Vec<_>>());
    let choice = conclude(&short, long.as_ref(), &bracket, lengths, safety);
    let at_choice = || confirm.iter().filter(|t| Some(t.record.spec.learning_rate) == choice.learning_rate);
    let confirmed = at_choice().count() > 0 && at_choice().all(|t| !t.verdict.is_unstable() && t.verdict != Verdict::Unjudged);
    let apart = lengths.yardstick() != lengths.short;
    let alone = |record: &TrialRecord| match record.outcome {
        Outcome::Completed => Verdict::Good,
        Outcome::Diverged { .. } => Verdict::NonFinite,
        _ => Verdict::Unjudged,
    };
    let yardsticks = yardsticks.into_iter().filter(|_| apart);
    let yardsticks = yardsticks.map(|record| JudgedTrial { record, verdict: alone(record) }).collect();
    Assessment { short, long, confirm, yardsticks, evidence, bracket, choice, confirmed, premises: *premises }
}

fn conclude(short: &Judged<'_>, long: Option<&Judged<'_>>, bracket: &Bracket, lengths: Lengths, safety: f64) -> Choice {
    let n = lengths.short;
    match &short.reference {
        None if short.trials.iter().any(|t| t.verdict.is_unstable()) => {
            Choice::none(format!("every rate that was tried diverged within {n} iterations, for some seed at least"))
        }
        None => Choice::none("no trial finished"),
        Some(reference) if !reference.improves => Choice::none(format!(
            "not resolvable at this budget: within {n} iterations no rate lowers the loss by more than the noise of the mini-batches"
        )),
        Some(reference) => choose(reference.learning_rate, n, long, bracket, safety),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Recovery;

    const LENGTHS: Lengths = Lengths { short: 50, long: 100, confirm: 105 };

    fn premises(lengths: Lengths) -> Premises {
        Premises { lengths, safety: 1.6, recovers: true, constant_cost: None, adaptive: false }
    }

    fn rate(value: f64) -> LearningRate {
        LearningRate::new(value).unwrap()
    }

    /// A trial of seed 0 whose loss falls from 2 to 1, and its probe to `end`, after a tail of this length if it is above 0.
    fn trial(learning_rate: f64, iterations: u64, tail: u64, end: f64) -> TrialRecord {
        let recovery = (tail > 0).then(|| Recovery { learning_rate: rate(learning_rate / 100.0), iterations: tail });
        let spec = TrialSpec { recovery, ..TrialSpec::steady(rate(learning_rate), 0, iterations) };
        let total = spec.total_iterations();
        let point = |iteration, loss| ProbePoint { iteration, loss: Some(loss) };
        TrialRecord {
            losses: (0..total).map(|step| 2.0 - step as f64 / total as f64).collect(),
            probe: vec![point(0, 2.0), point(total, end)],
            ..TrialRecord::blank(spec, Outcome::Completed)
        }
    }

    fn settling(learning_rate: f64, tail: u64, settled: f64) -> TrialRecord {
        trial(learning_rate, LENGTHS.long, tail, settled)
    }

    fn diverged(learning_rate: f64, iterations: u64) -> TrialRecord {
        let spec = TrialSpec::steady(rate(learning_rate), 0, iterations);
        TrialRecord::blank(spec, Outcome::Diverged { step: 3, reason: String::new() })
    }

    /// The contenders among 0.1, 0.2 and 0.4 that settle at these costs.
    fn contenders(costs: [f64; 3]) -> Vec<f64> {
        let trials: Vec<TrialRecord> = [0.1, 0.2, 0.4].iter().zip(costs).map(|(&r, cost)| settling(r, 25, cost)).collect();
        assess(&trials, &premises(LENGTHS)).contenders(2, 1.2).into_iter().map(LearningRate::get).collect()
    }

    #[test]
    fn only_rates_that_settle_near_each_other_contend() {
        assert_eq!(contenders([0.5, 0.3, 0.33]), [0.2, 0.4]);
        assert_eq!(contenders([0.35, 0.3, 0.31]), [0.2, 0.4], "two at most");
        assert!(contenders([0.5, 0.3, 0.4]).is_empty(), "nothing is near the best");
        assert!(contenders([0.1, 0.0, 0.2]).is_empty(), "nothing is near zero");
        assert_eq!(contenders([-0.1, -0.5, 0.5]), [0.2, 0.1], "no factor says what is near a cost below zero");
    }

    #[test]
    fn a_yardstick_that_diverged_is_not_called_good() {
        let lost = TrialRecord {
            outcome: Outcome::Diverged { step: 15, reason: String::new() },
            ..trial(0.1, LENGTHS.yardstick(), 10, 1.2)
        };
        let trials = [trial(0.1, LENGTHS.short, 0, 1.5), lost];
        let assessment = assess(&trials, &premises(LENGTHS));
        assert_eq!(assessment.yardsticks[0].verdict, Verdict::NonFinite);
    }

    #[test]
    fn of_trials_that_differ_in_their_tail_the_longest_counts() {
        let trials = [settling(0.1, 25, 0.9), settling(0.1, 100, 0.3), settling(0.2, 25, 0.5)];
        let tails = |trials: &[TrialRecord]| {
            of_length(trials, LENGTHS.long).iter().map(|t| t.spec.total_iterations()).collect::<Vec<_>>()
        };
        assert_eq!(tails(&trials), [200, 125]);
        // One that failed knows nothing.
        let failed = TrialRecord { outcome: Outcome::Failed { message: "no".into() }, ..trials[1].clone() };
        assert_eq!(tails(&[trials[0].clone(), failed, trials[2].clone()]), [125, 200, 125]);
    }

    #[test]
    fn losses_that_swing_between_nothing_and_much_are_not_the_best() {
        let mut swinging = trial(0.4, LENGTHS.short, 0, 1.5);
        for (step, loss) in swinging.losses.iter_mut().enumerate() {
            *loss = if matches!(step % 5, 1 | 4) { 30.0 } else { 0.0 };
        }
        let calm = trial(0.1, LENGTHS.short, 0, 1.0);
        let best = |trials: &[TrialRecord]| assess(trials, &premises(LENGTHS)).best_early().map(LearningRate::get);
        assert_eq!(best(&[calm, swinging.clone()]), Some(0.1));
        assert_eq!(best(&[swinging]), None, "alone it shows no more");
    }

    #[test]
    fn longer_trials_that_all_lose_what_short_ones_had_learnt_are_lost() {
        let short = [trial(0.1, LENGTHS.short, 0, 1.0), trial(0.1, LENGTHS.yardstick(), 10, 0.5)];
        let verdicts = |ends: [f64; 2]| {
            let long = [settling(0.1, 25, ends[0]), settling(0.2, 25, ends[1])];
            let trials: Vec<TrialRecord> = short.iter().chain(&long).cloned().collect();
            let assessment = assess(&trials, &premises(LENGTHS));
            assessment.long.unwrap().trials.iter().map(|t| t.verdict.is_unstable()).collect::<Vec<_>>()
        };
        assert_eq!(verdicts([0.4, 0.3]), [false, false]);
        assert_eq!(verdicts([0.4, 1.9]), [false, true]);
        assert_eq!(verdicts([1.9, 1.8]), [true, true], "even the rate that had learnt it");
    }

    #[test]
    fn a_longer_trial_that_settles_at_a_constant_prediction_is_lost_if_another_learns() {
        // Of a loss of 2 at first, the yardstick is at 1.2 when it is measured: a constant prediction costs less.
        let at_best =
            |end| [trial(0.1, LENGTHS.short, 0, 1.5), trial(0.1, LENGTHS.yardstick(), 10, 1.2), settling(0.1, 25, end)];
        let is_lost = |end: f64, settled: f64, constant_cost: Option<f64>| {
            let trials: Vec<TrialRecord> = at_best(end).into_iter().chain([settling(0.2, 25, settled)]).collect();
            let assessment = assess(&trials, &Premises { constant_cost, ..premises(LENGTHS) });
            assessment.bracket.first_unstable == Some(rate(0.2))
        };
        assert!(!is_lost(0.3, 1.0, None), "better than the yardstick");
        assert!(is_lost(0.3, 1.0, Some(1.0)), "and yet no better than a constant");
        assert!(!is_lost(0.3, 0.9, Some(1.0)));
        assert!(!is_lost(0.98, 1.0, Some(1.0)), "nothing learns here");
    }

    #[test]
    fn where_a_lost_trial_comes_back_full_runs_may_stand_higher_rates() {
        let interval = |settled: f64| {
            let at_best =
                [trial(0.1, LENGTHS.short, 0, 0.5), trial(0.1, LENGTHS.yardstick(), 10, 0.1), settling(0.1, 25, 0.02)];
            let trials: Vec<TrialRecord> = at_best.into_iter().chain([settling(0.2, 25, settled)]).collect();
            let assessment = assess(&trials, &premises(LENGTHS));
            assert_eq!(assessment.bracket.first_unstable, Some(rate(0.2)), "settled at {settled}");
            let (low, high) = assessment.full_run_interval().unwrap();
            (low.get(), high.get())
        };
        let (lost, comes_back) = (interval(1.5), interval(0.19));
        assert!((1.0..1.2).contains(&(comes_back.0 / lost.0)), "{lost:?}, {comes_back:?}");
        assert!(comes_back.1 > 1.2 * lost.1, "{lost:?}, {comes_back:?}");
    }

    #[test]
    fn a_yardstick_that_is_lost_itself_excuses_nobody() {
        let lengths = Lengths { short: 50, long: 500, confirm: 525 };
        let at = |learning_rate, iterations, tail, end| trial(learning_rate, iterations, tail, end);
        let trials =
            [at(0.1, 50, 0, 1.0), at(0.1, lengths.yardstick(), 25, 1.9), at(0.1, 500, 125, 1.9), at(0.2, 500, 125, 1.8)];
        let assessment = assess(&trials, &premises(lengths));
        assert!(assessment.long.unwrap().trials.iter().all(|t| t.verdict.is_unstable()), "the short trial had ended at 1");
    }

    #[test]
    fn rates_far_below_the_threshold_show_by_how_much_they_learn() {
        let around = [0.01, 0.1, 0.3].map(rate);
        let is_far_below = |ends: [f64; 3]| {
            // The losses fall from 2 to the end within the trial.
            let trial = |(learning_rate, end): (LearningRate, f64)| {
                let mut trial = trial(learning_rate.get(), LENGTHS.short, 0, end);
                let steps = trial.losses.len() as f64;
                trial
                    .losses
                    .iter_mut()
                    .enumerate()
                    .for_each(|(i, loss)| *loss = 2.0 - (2.0 - end) * (i as f64 / steps).min(0.5) * 2.0);
                trial
            };
            let trials: Vec<TrialRecord> = around.into_iter().zip(ends).map(trial).collect();
            assess(&trials, &premises(LENGTHS)).is_far_below(around)
        };
        assert!(is_far_below([1.5, 0.5, 0.4]), "well on its way, and far above it too");
        assert!(is_far_below([1.99, 1.8, 0.4]), "slow, where far above it is learnt");
        assert!(!is_far_below([1.99, 1.9, 1.2]), "nowhere much is learnt");
        assert!(!is_far_below([0.5, 0.5, 0.5]), "all may be lost in the same way");
        assert!(!is_far_below([1.5, 0.5, 2.5]), "lost far above");
    }

    #[test]
    fn a_confirmation_does_not_raise_what_it_confirms() {
        let mut trials = vec![trial(0.1, LENGTHS.short, 0, 1.0), diverged(0.4, LENGTHS.short), settling(0.1, 25, 0.9)];
        let before = assess(&trials, &premises(LENGTHS));
        let chosen = before.choice.learning_rate;
        assert!(chosen.is_some() && !before.confirmed);
        trials.push(trial(0.1, LENGTHS.confirm, 25, 0.9));
        trials.push(trial(0.2, LENGTHS.confirm, 25, 0.9));
        let after = assess(&trials, &premises(LENGTHS));
        assert_eq!((after.choice.learning_rate, after.confirmed), (chosen, true));
        assert_eq!(after.bracket.last_stable, Some(rate(0.1)));
        // One that fails lowers it.
        trials.push(diverged(0.15, LENGTHS.confirm));
        let first = assess(&trials, &premises(LENGTHS)).bracket.first_unstable;
        assert_eq!(first, Some(rate(0.15)));
    }
}
