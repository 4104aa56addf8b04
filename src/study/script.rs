//! Studies of scripts: what their reports say, and what is noticed about them.

use super::Study;
use super::compile::warning;
use crate::command::{Script, contract};
use crate::config::{CommandPlan, Placeholder, UpdateRule};
use crate::record::TrialRecord;
use crate::report::Warning;
use crate::task::describe_optimizer;

/// What is assumed of an optimiser that is not told: the usual momentum, or Adam's β₁.
const USUAL_MOMENTUM: f64 = 0.9;

impl<'a> Study<'a> {
    /// The study that a config with a `[command]` describes. `script` is what [`Script::new`] made of `plan`.
    pub fn of_command(plan: &CommandPlan, script: &'a Script) -> Self {
        let optimizer = plan.training.optimizer.as_ref();
        let rule = optimizer.map(|optimizer| optimizer.rule);
        let mut study = Self::new(plan.name.clone(), script);
        study.search = plan.search.clone();
        study.schedule = plan.training.schedule;
        study.optimizer = optimizer.map_or_else(|| "optimiser not told".to_owned(), describe_optimizer);
        study.momentum = rule.as_ref().map_or(USUAL_MOMENTUM, UpdateRule::momentum);
        study.adaptive = rule.as_ref().is_none_or(UpdateRule::is_adaptive);
        study.model = format!("`{}`", plan.command.words());
        study.device = "command".into();
        study.config = serde_json::to_value(plan).unwrap_or_default();
        study.is_script = true;
        if !plan.command.has(Placeholder::Seed) {
            study.notes.push(warning(
                "no-seed",
                "the command has no `{seed}`, so nothing is known about how much chance decides",
                "give the script a seed for its initial weights and its data order",
            ));
        }
        study
    }
}

/// What the trials of a script show of it.
pub(super) fn warnings(trials: &[TrialRecord]) -> Vec<Warning> {
    let mut found = Vec::new();
    if let Some(differ) = contract::not_reproduced(trials) {
        let (rate, seed, step) = (differ.learning_rate, differ.seed, differ.step + 1);
        found.push(if differ.is_rounding() {
            warning(
                "rounding-differs",
                format!(
                    "two trials at {rate} with seed {seed} differ from step {step} on, at first by {:.0e} of the loss, as rounding \
                     does on a GPU that adds in changing order",
                    differ.share
                ),
                "the answer holds, but the same search may give another in its last digits",
            )
        } else {
            warning(
                "not-reproducible",
                format!("two trials at {rate} with seed {seed} differ from step {step} on"),
                "seed all that the script draws from, and hold its rate constant whatever its number of steps",
            )
        });
    }
    if contract::ignores_seed(trials) {
        found.push(warning(
            "seed-ignored",
            "the losses are the same for every seed: the script ignores it, or nothing in it is random",
            "seed initial weights and data order; what holds for one seed only may not hold for the run",
        ));
    }
    found
}
