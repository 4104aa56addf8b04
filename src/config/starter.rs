//! The config that a new user starts from.

use super::parse::sanitized;

/// A commented config that runs as it stands, called `name` as far as that can name a folder.
pub fn starter(name: &str) -> String {
    STARTER.replace("{name}", &sanitized(name))
}

/// Every value not in a comment is the default, except where the comment says so.
const STARTER: &str = r#"# A config for lrfind: what is trained, how, and how the learning rate is searched for.
name = "{name}"               # names the report folder; default: this file's name
device = "flex"               # or "ndarray"

[data]                        # required
kind = "synthetic"            # required: or "csv", "npz", "image-folder", "mnist" and others: see the README
problem = "spirals"           # required: or "teacher-student", "quadratic"
samples = 1024
classes = 3
noise = 0.05                  # standard deviation of the position's noise
data-seed = 0                 # the problem is made from this seed
held-out = 0.2                # share of the examples kept from training

# Your own table instead (then remove the section above):
# [data]
# kind = "csv"
# path = "data/digits.csv.gz" # plain or .gz, relative to this file
# target = -1                 # the column to predict: a position, or a name
# task = "classification"     # or "regression"

[model]                       # required
kind = "mlp"                  # required: or "linear"
hidden = [64, 64]             # units in each hidden layer
activation = "relu"           # or "tanh", "gelu", "silu"

[training]
optimizer = { kind = "sgd", momentum = 0.9 }  # default "sgd"; or "adam", "adamw", "rmsprop", "adagrad", "lion"
batch-size = 32               # or "full"
epochs = 100                  # of the long run that the rate is for
learning-rate = 0.05          # what `lrfind check` judges; no default
schedule = { kind = "linear", final-fraction = 0.01 }  # or "constant", "cosine", "step", "exponential"

[search]
range = [1e-5, 1.0]           # the first scan; default by optimizer
iterations = 100              # of a short trial
seeds = 2                     # trials at each rate
safety = 1.6                  # the recommendation stays this factor below the instability threshold
check-margin = 1.5            # `lrfind check` wants this factor above the configured rate stable too
"#;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Plan, parse};

    fn parsed(text: &str) -> Plan {
        parse(text, Path::new("configs/starter.toml")).unwrap()
    }

    #[test]
    fn parses_under_any_name() {
        assert_eq!(parsed(&starter("my-run")).name, "my-run");
        assert_eq!(parsed(&starter("a \"quoted\"\nname")).name, "a--quoted--name");
    }

    #[test]
    fn holds_the_defaults() {
        let least = "name = \"x\"\n[data]\nkind = \"synthetic\"\nproblem = \"spirals\"\n[model]\nkind = \"mlp\"\n\
                     [training]\noptimizer = \"momentum\"\nlearning-rate = 0.05\n";
        let (mut least, full) = (parsed(least), parsed(&starter("x")));
        // The line is the only thing that may differ.
        least.training.learning_rate_line = full.training.learning_rate_line;
        assert_eq!(least, full);
    }

    #[test]
    fn the_commented_section_works_too() {
        let text = starter("x");
        let (before, rest) = text.split_once("[data]").unwrap();
        let (_, rest) = rest.split_once("the section above):\n").unwrap();
        let (table, after) = rest.split_once("\n\n").unwrap();
        let swapped = format!("{before}{}\n{after}", table.replace("# [data]", "[data]").replace("\n# ", "\n"));
        assert!(matches!(parsed(&swapped).data, crate::config::DataPlan::Csv { .. }));
    }
}
