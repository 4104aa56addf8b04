//! The config that a new user starts from.

use super::parse::sanitized;

/// A commented config that runs as it stands, called `name` as far as that can name a folder.
pub fn starter(name: &str) -> String {
    STARTER.replace("{name}", &sanitized(name))
}

/// A commented config that runs a training script, called `name` as far as that can name a folder.
pub fn command_starter(name: &str) -> String {
    COMMAND_STARTER.replace("{name}", &sanitized(name))
}

/// Every value not in a comment is the default, except where the comment says so.
const STARTER: &str = r#"# A config for lrfind: what is trained, how, and how the learning rate is searched for.
name = "{name}"               # names the report folder; default: this file's name
device = "flex"               # or "ndarray"

[data]                        # required
kind = "synthetic"            # required: or "csv", "parquet", "image-folder", "mnist" and others: see the README
problem = "teacher-student"   # required: a small network's answers; or "spirals", "quadratic"
samples = 1024
features = 16
hidden = 32                   # units of that network
noise = 0.1                   # standard deviation of the noise on its answers
data-seed = 0                 # the problem is made from this seed
held-out = 0.2                # share of the examples kept from training

# Your own table instead (then remove the section above):
# [data]
# kind = "csv"                # or "parquet"
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
learning-rate = 0.02          # what `lrfind check` judges; no default
schedule = { kind = "linear", final-fraction = 0.01 }  # or "constant", "cosine", "step", "exponential"

[search]
range = [1e-4, 1.0]           # the first scan; default by optimizer
iterations = 100              # of a short trial
seeds = 2                     # trials at each rate
safety = 1.6                  # the recommendation stays this factor below the instability threshold
check-margin = 1.5            # `lrfind check` wants this factor above the configured rate stable too
"#;

/// As [`STARTER`].
const COMMAND_STARTER: &str = r#"# A config for lrfind that runs a training script of any kind: it takes a rate, a seed and a number of steps, and prints a line
# such as `loss: 0.53` after each step.
name = "{name}"               # names the report folder; default: this file's name

[command]
run = ["python", "train.py", "--lr", "{lr}", "--seed", "{seed}", "--steps", "{steps}"]  # required; also {device}, {rates}, {probe}
                              # a script that is slow to start may stay for all trials: see `send` in the README
directory = "."               # where it runs, relative to this file
stream = "stdout"             # where it prints losses: or "stderr", "both"
loss = { kind = "plain" }     # or { kind = "json", key = "loss" }, { kind = "regex", pattern = 'cost (\S+)' },
                              # { kind = "csv", column = "loss" }
step-timeout = 600            # seconds until the first loss, and from each to the next
# timeout = 3600              # seconds of a trial
# jobs = 2                    # scripts at a time; default: one for each device, or for each core up to 8
# threads = 1                 # of each script; default: its share of the cores
# depends = ["src", "data"]   # what the script imports and reads, instead of the files of its kind beside and below it
# devices = ["0", "1"]        # what {device} stands for, in turn
# environment = { CUDA_VISIBLE_DEVICES = "{device}" }
# diverged = ["NaN detected"] # texts by which the script says, when it fails, that training diverged

[training]                    # the long run that the rate is for; all may be left out
iterations = 10000            # its steps; without them no schedule is given
learning-rate = 0.05          # what `lrfind check` judges; no default
# optimizer = { kind = "sgd", momentum = 0.9 }  # what the script uses: decides the first scan
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
        let least = "name = \"x\"\n[data]\nkind = \"synthetic\"\nproblem = \"teacher-student\"\n[model]\n\
                     kind = \"mlp\"\n\
                     [training]\noptimizer = \"momentum\"\nlearning-rate = 0.02\n";
        let (mut least, full) = (parsed(least), parsed(&starter("x")));
        // The line is the only thing that may differ.
        least.training.learning_rate_line = full.training.learning_rate_line;
        assert_eq!(least, full);
    }

    fn command(text: &str) -> crate::config::CommandPlan {
        match crate::config::parse_any(text, Path::new("configs/starter.toml")).unwrap() {
            crate::config::Config::Command(plan) => plan,
            crate::config::Config::Model(_) => panic!("no command:\n{text}"),
        }
    }

    #[test]
    fn the_one_for_commands_holds_the_defaults_too() {
        let least = "name = \"x\"\n[command]\nrun = [\"python\", \"train.py\", \"--lr\", \"{lr}\", \"--seed\", \"{seed}\", \
                     \"--steps\", \"{steps}\"]\n[training]\niterations = 10000\nlearning-rate = 0.05\n";
        let (mut least, full) = (command(least), command(&command_starter("x")));
        least.training.learning_rate_line = full.training.learning_rate_line;
        assert_eq!(least, full);
    }

    #[test]
    fn what_is_commented_out_for_commands_works_too() {
        let text = command_starter("x");
        let key =
            |line: &str| line.starts_with("# ") && line.contains(" = ") && line[2..].starts_with(|c: char| c.is_lowercase());
        let uncommented: Vec<_> = text.lines().map(|line| if key(line) { &line[2..] } else { line }).collect();
        let plan = command(&uncommented.join("\n"));
        assert_eq!((plan.command.jobs, plan.command.threads, plan.command.timeout), (Some(2), Some(1), Some(3600.0)));
        assert!(plan.training.optimizer.is_some() && !plan.command.diverged.is_empty());
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
