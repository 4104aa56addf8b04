//! Two reports side by side: did the threshold or the recommendation move?

mod text;

pub use text::{annotation, headline, render as text};

use serde::Serialize;
use serde_json::Value;

use super::{Censored, CheckVerdict, Report, SCHEMA_VERSION, Status, Tool, json};

/// The factor by which a rate may differ without having moved.
///
/// Of two searches of the same task that differ in their seeds alone, the threshold and the recommendation differ by more in 8 %
/// of the pairs each, and either way equally often (ten searches of each task of the benchmark). The grid's own step is 1.8.
pub const TOLERANCE: f64 = 2.0;

/// The key of the [difference](Difference) between what the trials of two reports read: the digests say that it is not the same.
pub const INPUTS: &str = "inputs_sha256";

/// How a newer report differs from an older one.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each field's type says it")]
pub struct Comparison {
    pub schema_version: u32,
    pub tool: Tool,
    pub old: Side,
    pub new: Side,
    /// The factor by which a rate may differ without having moved.
    pub tolerance: f64,
    pub answer: Answer,
    /// Why there is no answer; empty where there is one.
    pub reasons: Vec<String>,
    /// The rates that both reports could know, in the order of their weight.
    pub rates: Vec<RateMovement>,
    /// Where both are of `check`.
    pub check: Option<CheckMovement>,
    /// What else differs: the digests of what the trials read ([`INPUTS`]), the keys of the resolved configs that do, and the
    /// versions of lrfind.
    pub differences: Vec<Difference>,
}

/// One of the reports.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "as in Report")]
pub struct Side {
    pub name: String,
    pub status: Status,
    pub config_sha256: String,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Nothing moved.
    Unchanged,
    /// A rate fell, or a verdict of `check` got worse: what was safe may not be any more.
    Fell,
    /// Something rose, and nothing fell: the older report is out of date.
    Rose,
    /// The reports do not tell.
    Inconclusive,
}

/// Which way something went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Movement {
    /// It is lower by more than the tolerance; of verdicts, worse.
    Fell,
    /// It is the same within the tolerance.
    Unchanged,
    /// It is higher by more than the tolerance; of verdicts, better.
    Rose,
    /// The reports do not tell.
    Unclear,
}

/// A rate of both reports.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RateMovement {
    /// Which.
    pub of: Rate,
    /// In the older report.
    pub old: Reach,
    /// In the newer report.
    pub new: Reach,
    /// New ÷ old, where both are known.
    pub factor: Option<f64>,
    /// Which way it went.
    pub movement: Movement,
}

impl RateMovement {
    /// Whether the answer goes by it. The best early rate is what the others start from: it is shown only.
    fn decides(&self) -> bool {
        self.of != Rate::BestEarly
    }
}

/// A rate that a report knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rate {
    /// The instability threshold.
    Threshold,
    /// The recommended rate.
    Recommendation,
    /// The best early rate.
    BestEarly,
}

impl Rate {
    /// Its name for a person.
    pub fn words(self) -> &'static str {
        match self {
            Self::Threshold => "threshold",
            Self::Recommendation => "recommended",
            Self::BestEarly => "best early",
        }
    }
}

/// What is known of a rate: where both bounds are the same it is known, where one is `None` it lies beyond the other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Reach {
    /// It is not lower than this.
    pub low: Option<f64>,
    /// It is not higher than this.
    pub high: Option<f64>,
}

impl Reach {
    const UNKNOWN: Self = Self { low: None, high: None };

    fn known(rate: Option<f64>) -> Self {
        Self { low: rate, high: rate }
    }

    /// The rate, where it is known.
    pub fn rate(self) -> Option<f64> {
        self.low.filter(|_| self.low == self.high)
    }

    fn threshold(report: &Report) -> Self {
        let found = &report.instability;
        match found.censored {
            Some(Censored::AboveRange) => Self { low: found.last_stable, high: None },
            Some(Censored::BelowRange) => Self { low: None, high: found.first_unstable },
            None => Self::known(found.threshold),
        }
    }
}

/// The verdicts of two reports of `check`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each field's name says it")]
pub struct CheckMovement {
    pub old_learning_rate: f64,
    pub new_learning_rate: f64,
    pub old: CheckVerdict,
    pub new: CheckVerdict,
    pub movement: Movement,
}

/// A key with different values.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Its path, joined by dots.
    pub key: String,
    /// `null` where the older report does not have it.
    pub old: Value,
    /// `null` where the newer report does not have it.
    pub new: Value,
}

impl Comparison {
    /// Compares `new` with `old`; rates that differ by a factor of at most `tolerance` (at least 1) have not moved.
    ///
    /// Between different optimisers the answer is [inconclusive](Answer::Inconclusive), as their rates have no common measure; so it
    /// is where a report is [partial](Status::Partial), where the newer one has no longer a recommendation, and where nothing
    /// is known in both.
    pub fn new(old: &Report, new: &Report, tolerance: f64) -> Self {
        let mut rates = vec![moved(Rate::Threshold, Reach::threshold(old), Reach::threshold(new), tolerance)];
        // What `check` recommends is no choice among the rates.
        if old.check.is_none() && new.check.is_none() {
            let of = |report: &Report| report.recommendation.learning_rate;
            rates.push(moved(Rate::Recommendation, Reach::known(of(old)), Reach::known(of(new)), tolerance));
            let of = |report: &Report| report.best_early.value.as_ref().map(|best| best.learning_rate);
            rates.push(moved(Rate::BestEarly, Reach::known(of(old)), Reach::known(of(new)), tolerance));
        }
        let check = verdicts(old, new);
        let mut differences = Vec::new();
        if let (Some(before), Some(now)) = (&old.inputs_sha256, &new.inputs_sha256)
            && before != now
        {
            differences.push(Difference { key: INPUTS.to_owned(), old: before.clone().into(), new: now.clone().into() });
        }
        differences.extend(self::differences(&old.config, &new.config));
        if old.tool.version != new.tool.version {
            let [old, new] = [old, new].map(|report| Value::from(report.tool.version.clone()));
            differences.push(Difference { key: "tool.version".to_owned(), old, new });
        }
        let reasons = obstacles(old, new, &rates, check.as_ref());
        let answer = if reasons.is_empty() { answer(&rates, check.as_ref()) } else { Answer::Inconclusive };
        let side = |report: &Report| Side {
            name: report.name.clone(),
            status: report.status,
            config_sha256: report.config_sha256.clone(),
        };
        let tool = new.tool.clone();
        let (old, new) = (side(old), side(new));
        Self { schema_version: SCHEMA_VERSION, tool, old, new, tolerance, answer, reasons, rates, check, differences }
    }

    /// The comparison as pretty JSON, with a newline at the end.
    ///
    /// # Errors
    /// When a value of a config cannot be written as JSON.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        json::pretty(self)
    }
}

fn moved(of: Rate, old: Reach, new: Reach, tolerance: f64) -> RateMovement {
    let factor = old.rate().zip(new.rate()).map(|(old, new)| new / old);
    let exceeds = |higher: Option<f64>, lower: Option<f64>| higher.zip(lower).is_some_and(|(h, l)| h > l * tolerance);
    let movement = if exceeds(old.low, new.high) {
        Movement::Fell
    } else if exceeds(new.low, old.high) {
        Movement::Rose
    } else if factor.is_some() || (old == new && old != Reach::UNKNOWN) {
        Movement::Unchanged
    } else {
        Movement::Unclear
    };
    RateMovement { of, old, new, factor, movement }
}

fn verdicts(old: &Report, new: &Report) -> Option<CheckMovement> {
    /// Higher is better; `None` where the trials did not tell.
    fn rank(verdict: CheckVerdict) -> Option<u8> {
        match verdict {
            CheckVerdict::Unstable => Some(0),
            CheckVerdict::Marginal => Some(1),
            CheckVerdict::Safe => Some(2),
            CheckVerdict::Inconclusive => None,
        }
    }
    let (old, new) = (old.check.as_ref()?, new.check.as_ref()?);
    let movement = match rank(old.verdict).zip(rank(new.verdict)) {
        Some((old, new)) if new < old => Movement::Fell,
        Some((old, new)) if new > old => Movement::Rose,
        Some(_) => Movement::Unchanged,
        None => Movement::Unclear,
    };
    let (old_learning_rate, new_learning_rate) = (old.learning_rate, new.learning_rate);
    Some(CheckMovement { old_learning_rate, new_learning_rate, old: old.verdict, new: new.verdict, movement })
}

/// What forbids an answer, one sentence each.
fn obstacles(old: &Report, new: &Report, rates: &[RateMovement], check: Option<&CheckMovement>) -> Vec<String> {
    let mut reasons = Vec::new();
    for (report, which) in [(old, "old"), (new, "new")] {
        if report.status == Status::Partial {
            reasons.push(format!("the {which} report is of an interrupted search; run the same command again to complete it"));
        }
    }
    let rule = |report: &Report| report.config.pointer("/training/optimizer/rule/kind").cloned();
    if let (Some(before), Some(now)) = (rule(old), rule(new))
        && before != now
    {
        let sentence = "their rates have no common measure: find the rate of the new one, and compare from there on";
        reasons.push(format!("the optimizer was {} and is {}; {sentence}", text::value(&before), text::value(&now)));
    }
    let lost = |rate: &RateMovement| rate.of == Rate::Recommendation && rate.old.low.is_some() && rate.new.low.is_none();
    if rates.iter().any(lost) && !rates.iter().any(|rate| rate.decides() && rate.movement == Movement::Fell) {
        let why = new.recommendation.because.first().map(|why| format!(": {why}")).unwrap_or_default();
        reasons.push(format!("the new report recommends no rate{why}"));
    }
    let told = rates.iter().filter(|rate| rate.decides()).map(|rate| rate.movement).chain(check.map(|check| check.movement));
    if reasons.is_empty() && told.clone().all(|movement| movement == Movement::Unclear) {
        reasons.push("no threshold, recommendation or verdict is known in both reports".to_owned());
    }
    reasons
}

fn answer(rates: &[RateMovement], check: Option<&CheckMovement>) -> Answer {
    let deciding = rates.iter().filter(|rate| rate.decides()).map(|rate| rate.movement);
    let movements: Vec<Movement> = deciding.chain(check.map(|check| check.movement)).collect();
    if movements.contains(&Movement::Fell) {
        Answer::Fell
    } else if movements.contains(&Movement::Rose) {
        Answer::Rose
    } else {
        Answer::Unchanged
    }
}

/// The leaves that differ between two resolved configs or parts of them, but for their names, in the order of their keys.
pub(crate) fn differences(old: &Value, new: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    collect(&mut found, "", old, new);
    found
}

fn collect(differences: &mut Vec<Difference>, path: &str, old: &Value, new: &Value) {
    if let (Value::Object(before), Value::Object(now)) = (old, new) {
        let mut keys: Vec<&String> = before.keys().chain(now.keys()).collect();
        keys.sort();
        keys.dedup();
        for key in keys.into_iter().filter(|key| !(path.is_empty() && *key == "name")) {
            let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let value = |side: &serde_json::Map<String, Value>| side.get(key).cloned().unwrap_or_default();
            collect(differences, &below, &value(before), &value(now));
        }
    } else if old != new {
        differences.push(Difference { key: path.to_owned(), old: old.clone(), new: new.clone() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn with_threshold(threshold: f64) -> Report {
        let mut report = sample::found();
        report.instability.threshold = Some(threshold);
        report
    }

    fn movement(comparison: &Comparison, of: Rate) -> Movement {
        comparison.rates.iter().find(|rate| rate.of == of).unwrap().movement
    }

    #[test]
    fn a_report_is_like_itself() {
        for report in [sample::found(), sample::checked()] {
            let comparison = Comparison::new(&report, &report, 1.0);
            assert_eq!(comparison.answer, Answer::Unchanged, "{comparison:?}");
            assert_eq!(comparison.differences, []);
        }
    }

    #[test]
    fn a_rate_has_moved_when_it_differs_by_more_than_the_tolerance() {
        let old = with_threshold(0.4);
        for (threshold, answer) in
            [(0.19, Answer::Fell), (0.2, Answer::Unchanged), (0.8, Answer::Unchanged), (0.81, Answer::Rose)]
        {
            assert_eq!(Comparison::new(&old, &with_threshold(threshold), 2.0).answer, answer, "{threshold}");
        }
        let mut lower = old.clone();
        lower.recommendation.learning_rate = Some(0.01);
        assert_eq!(Comparison::new(&old, &lower, 2.0).answer, Answer::Fell);
        // One rose, one fell: what matters is what is not safe any more.
        lower.instability.threshold = Some(4.0);
        assert_eq!(Comparison::new(&old, &lower, 2.0).answer, Answer::Fell);
        assert_eq!(Comparison::new(&lower, &old, 20.0).answer, Answer::Unchanged);
    }

    #[test]
    fn the_best_early_rate_decides_nothing() {
        let (old, mut new) = (sample::found(), sample::found());
        new.best_early.value.as_mut().unwrap().learning_rate /= 10.0;
        let comparison = Comparison::new(&old, &new, 2.0);
        assert_eq!(movement(&comparison, Rate::BestEarly), Movement::Fell);
        assert_eq!(comparison.answer, Answer::Unchanged);
    }

    #[test]
    fn thresholds_outside_the_range_are_bounds() {
        let mut above = sample::found();
        above.instability.censored = Some(Censored::AboveRange);
        above.instability.threshold = None;
        above.instability.last_stable = Some(10.0);
        let of = |old: &Report, new: &Report| movement(&Comparison::new(old, new, 2.0), Rate::Threshold);
        assert_eq!(of(&above, &with_threshold(4.0)), Movement::Fell);
        assert_eq!(of(&with_threshold(4.0), &above), Movement::Rose);
        // It may have been 11 or 1,000.
        assert_eq!(of(&above, &with_threshold(8.0)), Movement::Unclear);
        assert_eq!(of(&above, &with_threshold(40.0)), Movement::Unclear);
        assert_eq!(of(&above, &above), Movement::Unchanged);
        let mut below = above.clone();
        below.instability.censored = Some(Censored::BelowRange);
        below.instability.first_unstable = Some(1e-5);
        assert_eq!(of(&with_threshold(4.0), &below), Movement::Fell);
        assert_eq!(of(&below, &with_threshold(4.0)), Movement::Rose);
    }

    #[test]
    fn a_worse_verdict_is_a_fall() {
        let verdict = |verdict| {
            let mut report = sample::checked();
            report.instability.censored = None;
            report.check.as_mut().unwrap().verdict = verdict;
            report
        };
        let [safe, marginal, unstable, unknown] =
            [CheckVerdict::Safe, CheckVerdict::Marginal, CheckVerdict::Unstable, CheckVerdict::Inconclusive].map(verdict);
        for (old, new, answer) in [
            (&safe, &marginal, Answer::Fell),
            (&marginal, &unstable, Answer::Fell),
            (&unstable, &safe, Answer::Rose),
            (&safe, &safe, Answer::Unchanged),
            (&safe, &unknown, Answer::Inconclusive),
        ] {
            let comparison = Comparison::new(old, new, 2.0);
            assert_eq!(comparison.answer, answer, "{comparison:?}");
            assert_eq!(comparison.rates.len(), 1, "what check recommends is no choice");
        }
        // Reports of different commands have the threshold in common.
        assert_eq!(Comparison::new(&sample::found(), &safe, 2.0).answer, Answer::Inconclusive);
    }

    #[test]
    fn what_has_no_common_measure_is_not_compared() {
        let optimizer = |kind: &str, momentum: f64| {
            let rule = serde_json::json!({ "kind": kind, "momentum": momentum });
            let config = serde_json::json!({ "name": kind, "training": { "optimizer": { "rule": rule }, "batch_size": 32 } });
            Report { config, ..sample::found() }
        };
        let sgd = optimizer("sgd", 0.9);
        let comparison = Comparison::new(&sgd, &optimizer("adam", 0.9), 2.0);
        assert_eq!(comparison.answer, Answer::Inconclusive);
        assert!(comparison.reasons[0].contains("was sgd and is adam"), "{:?}", comparison.reasons);
        // A changed momentum may well move the threshold, which is what one wants to know.
        let comparison = Comparison::new(&sgd, &optimizer("sgd", 0.99), 2.0);
        assert_eq!(comparison.answer, Answer::Unchanged);
        let difference = Difference { key: "training.optimizer.rule.momentum".to_owned(), old: 0.9.into(), new: 0.99.into() };
        assert_eq!(comparison.differences, [difference]);
    }

    #[test]
    fn interrupted_searches_and_lost_recommendations_do_not_tell() {
        let partial = Report { status: Status::Partial, ..sample::found() };
        assert_eq!(Comparison::new(&sample::found(), &partial, 2.0).answer, Answer::Inconclusive);
        let mut without = sample::found();
        without.recommendation = super::super::Recommendation::none("nothing learns".to_owned());
        let comparison = Comparison::new(&sample::found(), &without, 2.0);
        assert_eq!(comparison.answer, Answer::Inconclusive);
        assert_eq!(comparison.reasons, ["the new report recommends no rate: nothing learns"]);
        // That the threshold fell is known all the same.
        without.instability.threshold = Some(0.01);
        assert_eq!(Comparison::new(&sample::found(), &without, 2.0).answer, Answer::Fell);
    }
}
