//! The range test as data: what `range-test.json` holds, and what its text and its plot are drawn from.

#[cfg(test)]
pub(crate) mod sample;
mod text;

pub use text::render as text;

use serde::Serialize;

use super::{Cost, Status, Tool, json};
use crate::analysis::range_test::Rule;
use crate::record::{Outcome, Spacing};

/// The version of the layout of `range-test.json`. A key that exists keeps its meaning; new keys may come.
pub const SCHEMA_VERSION: u32 = 1;

/// What every published rule says of one ramp, or of one for each of several seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each field's type says it")]
pub struct RangeTest {
    pub schema_version: u32,
    pub tool: Tool,
    pub name: String,
    pub status: Status,
    /// The resolved plan.
    pub config: serde_json::Value,
    /// SHA-256 of the compact JSON of `config`.
    pub config_sha256: String,
    pub device: String,
    pub ramp: RampFacts,
    /// One for each rule, over all seeds.
    pub rules: Vec<RuleSummary>,
    /// One for each seed.
    pub ramps: Vec<RampReport>,
    pub cost: Cost,
}

/// The ramp that was run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RampFacts {
    /// The rate of the first step.
    pub start: f64,
    /// The rate of the last step.
    pub end: f64,
    /// Steps.
    pub iterations: u64,
    /// How the rate rises.
    pub spacing: Spacing,
    /// The seeds.
    pub seeds: Vec<u64>,
    /// The rate of every step.
    pub learning_rates: Vec<f64>,
}

/// What a rule suggests over all seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleSummary {
    /// The rule.
    pub rule: Rule,
    /// The rule for a person.
    pub label: String,
    /// Where it is published.
    pub source: String,
    /// Share of the past that the tool's smoothing keeps at each step.
    pub smoothing: f64,
    /// The multiple of the lowest loss at which the tool stops; `None` where it goes on to the end.
    pub stop_factor: Option<f64>,
    /// The lowest suggestion.
    pub low: Option<f64>,
    /// The middle one; of an even number the geometric mean of the middle two.
    pub median: Option<f64>,
    /// The highest suggestion.
    pub high: Option<f64>,
    /// Seeds for which the rule suggests a rate.
    pub suggested: usize,
}

/// One ramp.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RampReport {
    /// Its seed.
    pub seed: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// The loss on the mini-batch before each update; `None` where not finite. Once the weights are lost, it stays so.
    pub losses: Vec<Option<f64>>,
    /// What the tools make of the losses.
    pub readings: Vec<ReadingReport>,
    /// What each rule suggests.
    pub suggestions: Vec<Suggestion>,
}

/// The losses as some tools see them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReadingReport {
    /// The tools that smooth and stop in this way.
    pub tools: Vec<String>,
    /// The smoothed losses until the tools stop; `None` where not finite.
    pub smoothed: Vec<Option<f64>>,
    /// Whether the tools stopped because the loss had risen.
    pub stopped: bool,
}

/// What a rule says of one ramp.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Suggestion {
    /// The rule.
    pub rule: Rule,
    /// The rate; `None` beside a reason.
    pub learning_rate: Option<f64>,
    /// Why there is none, as a stable name.
    pub reason: Option<String>,
    /// Why to distrust the rate, as a stable name.
    pub caveat: Option<String>,
    /// Reason or caveat in words.
    pub message: Option<String>,
}

impl RangeTest {
    /// Whether any rule suggests a rate for any seed.
    pub fn has_suggestion(&self) -> bool {
        self.rules.iter().any(|rule| rule.suggested > 0)
    }

    /// The range test as pretty JSON, with a newline at the end. The same range test gives the same bytes.
    ///
    /// # Errors
    /// When its `config` cannot be written as JSON.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        json::pretty(self)
    }
}
