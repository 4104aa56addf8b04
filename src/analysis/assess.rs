//! Everything that a set of trials says, in one pure function of them.

use super::curve::{end_loss, mean};
use super::judge::{Judged, JudgedTrial, Verdict, has_forgotten, initial_loss, judge, judge_against, rates_of};
use super::premises::{Lengths, Premises, Safety};
use super::recommend::{Choice, choose};
use super::settled::{DEAD, SettledLevel, settled_cost, settled_ranking};
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
    /// All verdicts that count, by length and rate.
    pub evidence: Vec<RateEvidence>,
    /// Where instability begins.
    pub bracket: Bracket,
    /// What to do.
    pub choice: Choice,
    /// The trials of the evidence.
    counting: Vec<JudgedTrial<'a>>,
    premises: Premises,
}

impl Assessment<'_> {
    /// All judged trials.
    pub fn trials(&self) -> impl Iterator<Item = &JudgedTrial<'_>> {
        self.short.trials.iter().chain(self.long.iter().flat_map(|l| &l.trials)).chain(&self.confirm).chain(&self.yardsticks)
    }

    /// The confirming trials at the chosen rate.
    pub fn confirming(&self) -> impl Iterator<Item = &JudgedTrial<'_>> {
        self.confirm.iter().filter(|t| Some(t.record.spec.learning_rate) == self.choice.learning_rate)
    }

    /// Whether every one of these was stable, and there were some.
    pub fn is_confirmed(&self) -> bool {
        let mut confirming = self.confirming().peekable();
        confirming.peek().is_some() && confirming.all(|t| !t.verdict.is_unstable() && t.verdict != Verdict::Unjudged)
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
    ///
    /// Of the trials of one rate and seed, which are parts of one run, one speaks: one that is unstable, or else the longest. Were all
    /// counted, the 90 % interval would hold for 76 instead of 84 % of the benchmark's suite, and 60 instead of 71 % of 70 drawn tasks.
    pub fn posterior(&self) -> Option<Posterior> {
        let judged = || self.counting.iter().filter(|t| t.verdict != Verdict::Unjudged);
        let run = |t: &JudgedTrial<'_>| (t.record.spec.learning_rate, t.record.spec.seed);
        let weight = |t: &JudgedTrial<'_>| (t.verdict.is_unstable(), t.record.spec.iterations);
        let speaks = |t: &&JudgedTrial<'_>| judged().all(|other| run(other) != run(t) || weight(other) <= weight(t));
        posterior(&evidence(&judged().filter(speaks).copied().collect::<Vec<_>>()))
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
    let counting: Vec<JudgedTrial<'_>> =
        short_ones.chain(long.iter().flat_map(|l| &l.trials)).chain(&confirm).copied().collect();
    let evidence = evidence(&counting);
    // A stable confirmation shows that the recommendation holds, not that a higher one would: counted, it would raise what it was
    // to confirm, and that in turn would want to be confirmed.
    let decides = |e: &&RateEvidence| e.iterations != lengths.confirm || e.unstable > 0;
    let bracket = bracket(&evidence.iter().filter(decides).copied().collect::<Vec<_>>());
    let choice = conclude(&short, long.as_ref(), &bracket, lengths, safety);
    let choice = match objection(&choice, &short, long.as_ref(), premises) {
        Some(objection) => choice.withheld(objection),
        None => choice,
    };
    let apart = lengths.yardstick() != lengths.short;
    let alone = |record: &TrialRecord| match record.outcome {
        Outcome::Completed => Verdict::Good,
        Outcome::Diverged { .. } => Verdict::NonFinite,
        _ => Verdict::Unjudged,
    };
    let yardsticks = yardsticks.into_iter().filter(|_| apart);
    let yardsticks = yardsticks.map(|record| JudgedTrial { record, verdict: alone(record) }).collect();
    Assessment { short, long, confirm, yardsticks, evidence, bracket, choice, counting, premises: *premises }
}

/// Why what the trials favour may not be recommended.
fn objection(choice: &Choice, short: &Judged<'_>, long: Option<&Judged<'_>>, premises: &Premises) -> Option<String> {
    let rate = choice.learning_rate?;
    if let Some((failing, why)) =
        fails_from(&short.trials).filter(|(f, _)| f.cap(premises.safety).is_some_and(|cap| rate > cap))
    {
        let first = failing.first_unstable.unwrap_or(rate);
        return Some(format!("from {first} on every trial failed, so whether {rate} is safe is not known: {why}"));
    }
    if let Some(lowest) = premises.lowest.filter(|lowest| rate < *lowest) {
        return Some(format!(
            "{rate} is below {lowest}, the lowest rate that the search may try: set `extend = true`, or a lower `range`"
        ));
    }
    let costs = long.iter().flat_map(|long| &long.trials).filter_map(|t| settled_cost(t.record));
    let learns_nothing = |constant: f64| costs.reduce(f64::min).is_some_and(|least| least > DEAD * constant);
    premises.constant_cost.is_some_and(learns_nothing).then(|| {
        let long = premises.lengths.long;
        format!("no rate that was tried learns more in {long} iterations than to predict the same for every example")
    })
}

/// Where trials begin to fail, of all that were tried from some rate on, and how they do: that may be a script's way to say that
/// training diverged.
fn fails_from<'t>(trials: &'t [JudgedTrial<'_>]) -> Option<(Bracket, &'t str)> {
    let failure = |t: &'t JudgedTrial<'_>| t.record.outcome.failure();
    let rates = rates_of(trials.iter().map(|t| t.record));
    let at = |rate: LearningRate| trials.iter().filter(move |t| t.record.spec.learning_rate == rate);
    let failing = rates.iter().rev().take_while(|rate| at(**rate).all(|t| failure(t).is_some())).count();
    let (below, from) = rates.split_at(rates.len() - failing);
    let first = *from.first()?;
    let bracket = Bracket { last_stable: below.last().copied(), first_unstable: Some(first) };
    Some((bracket, at(first).find_map(failure)?.lines().next().unwrap_or_default()))
}

fn conclude(short: &Judged<'_>, long: Option<&Judged<'_>>, bracket: &Bracket, lengths: Lengths, safety: Safety) -> Choice {
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
mod tests;
