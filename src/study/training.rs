//! The part of a config that a training run follows from, and how two configs differ in it.

use serde_json::{Map, Value};

use super::Study;
use crate::report::Report;
use crate::report::comparison::{Difference, differences};

impl Study<'_> {
    /// What a training run follows from, as JSON: data and model or the command, and training, but not the configured rate, nor how
    /// rates are searched for. `null` for an objective without a config.
    pub fn training(&self) -> Value {
        training(&self.config)
    }

    /// Where the training that `report` is about differs from this study's, one sentence each. Empty when a recommendation of
    /// the report is one for this study.
    ///
    /// That a script's files have changed is not among them: a line of a comment may be all. See
    /// [`reads_the_same`](Self::reads_the_same).
    pub fn differences(&self, report: &Report) -> Vec<String> {
        let mut found = Vec::new();
        if !self.is_script && !self.reads_the_same(report) {
            found.push("the examples are not those of the report: the data have changed".to_owned());
        }
        found.extend(differing(&training(&report.config), &self.training()));
        found
    }

    /// Whether the trials of `report` read what this study's read; taken to be so where either is not known.
    pub fn reads_the_same(&self, report: &Report) -> bool {
        self.objective.inputs_sha256().zip(report.inputs_sha256.as_ref()).is_none_or(|(ours, theirs)| ours == *theirs)
    }
}

fn training(config: &Value) -> Value {
    let mut parts: Map<String, Value> = Map::new();
    for key in ["data", "model", "command", "training"] {
        parts.extend(config.get(key).map(|part| (key.to_owned(), part.clone())));
    }
    if let Some(command) = parts.get_mut("command").and_then(Value::as_object_mut) {
        // What is run, not how it is watched.
        command.retain(|key, _| ["run", "send", "shell", "directory", "environment"].contains(&key.as_str()));
    }
    if let Some(training) = parts.get_mut("training").and_then(Value::as_object_mut) {
        training.remove("learning_rate");
        // The length counts, however it is written.
        let epochs = training.remove("epochs").unwrap_or_default();
        if training.get("decay_epochs").is_none_or(Value::is_null) {
            training.insert("decay_epochs".into(), epochs);
        }
    }
    if parts.is_empty() { Value::Null } else { Value::Object(parts) }
}

/// What differs between the training of a report and that of a config, one sentence each.
fn differing(theirs: &Value, ours: &Value) -> Vec<String> {
    let sentence = |d: Difference| format!("{} is {} in the report and {} in the config", d.key, d.old, d.new);
    differences(theirs, ours).into_iter().map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config() -> Value {
        json!({
            "name": "a", "device": "flex", "search": { "seeds": 3 }, "model": { "kind": "mlp", "hidden": [8] },
            "training": { "learning_rate": 0.1, "epochs": 100.0, "decay_epochs": null, "batch_size": 32 },
        })
    }

    fn differences(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let mut changed = config();
        change(&mut changed);
        differing(&training(&config()), &training(&changed))
    }

    #[test]
    fn neither_the_rate_nor_the_search_nor_the_spelling_of_the_length_matters() {
        let found = differences(|c| {
            (c["name"], c["device"], c["search"]["seeds"]) = (json!("b"), json!("ndarray"), json!(8));
            c["training"]["learning_rate"] = Value::Null;
            c["training"]["decay_epochs"] = json!(100.0);
        });
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn every_other_difference_is_named_with_both_values() {
        let found = differences(|c| {
            c["training"]["batch_size"] = json!(64);
            c["model"]["hidden"] = json!([8, 8]);
            c["training"]["epochs"] = json!(50.0);
            c["data"] = json!({ "kind": "csv" });
        });
        assert_eq!(
            found,
            [
                "data is null in the report and {\"kind\":\"csv\"} in the config",
                "model.hidden is [8] in the report and [8,8] in the config",
                "training.batch_size is 32 in the report and 64 in the config",
                "training.decay_epochs is 100.0 in the report and 50.0 in the config",
            ]
        );
    }

    #[test]
    fn an_objective_without_a_config_differs_in_nothing() {
        assert_eq!(training(&Value::Null), Value::Null);
    }
}
