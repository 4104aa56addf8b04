//! Which column holds what.

use crate::source::quoted;

/// The columns to read; `None` for one that is to be found by the names that it usually has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ColumnNames {
    /// The learning rate.
    pub learning_rate: Option<String>,
    /// What tells the runs of one rate apart.
    pub seed: Option<String>,
    /// The step.
    pub step: Option<String>,
    /// The loss.
    pub loss: Option<String>,
}

impl ColumnNames {
    /// Whether this is one of them.
    pub(super) fn names(&self, name: &str) -> bool {
        [&self.learning_rate, &self.seed, &self.step, &self.loss].into_iter().flatten().any(|wanted| wanted == name)
    }
}

/// The columns that were read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Columns {
    /// The learning rate.
    pub learning_rate: String,
    /// What tells the runs of one rate apart; `None` where that is the file.
    pub seed: Option<String>,
    /// The step.
    pub step: String,
    /// The loss.
    pub loss: String,
}

/// A kind of column: what messages call it, its flag, and its usual names as [`plain`] has them, the best first.
struct Role {
    what: &'static str,
    flag: &'static str,
    names: &'static [&'static str],
}

const RATE: Role = Role {
    what: "the learning rate",
    flag: "--lr-column",
    // A rate that was fixed for the run comes before one that may be that of the moment.
    names: &["initial_learning_rate", "initial_lr", "init_lr", "base_lr", "peak_lr", "learning_rate", "lr", "eps"],
};
const SEED: Role =
    Role { what: "the seed", flag: "--seed-column", names: &["seed", "random_seed", "run", "run_id", "run_name", "trial"] };
const STEP: Role = Role {
    what: "the step",
    flag: "--step-column",
    names: &["step", "global_step", "iteration", "iter", "batch", "update", "epoch"],
};
const LOSS: Role =
    Role { what: "the loss", flag: "--loss-column", names: &["train_loss", "training_loss", "loss", "loss_train"] };

/// Whether a step of this name is a pass through the data.
pub(crate) fn is_epoch(step: &str) -> bool {
    plain(step).contains("epoch")
}

/// A name without regard to case and to the signs between its words: `Train/Loss` and `train-loss` are `train_loss`.
fn plain(name: &str) -> String {
    let even = |c: char| if matches!(c, ' ' | '-' | '/' | '.' | ':') { '_' } else { c.to_ascii_lowercase() };
    name.trim().trim_start_matches('_').chars().map(even).collect()
}

/// Finds the columns among `available`.
///
/// # Errors
/// When some cannot be found: the message, which names all of those.
pub(super) fn find(available: &[String], wanted: &ColumnNames) -> Result<Columns, String> {
    let mut problems = Vec::new();
    let mut need = |role: &Role, name: &Option<String>| {
        let found = one(available, role, name.as_deref());
        let missing = || format!("no column for {} was found ({})", role.what, role.names.join(", "));
        found.and_then(|found| found.ok_or_else(missing)).unwrap_or_else(|problem| {
            problems.push(format!("{problem}: name it with {}", role.flag));
            String::new()
        })
    };
    let (learning_rate, step, loss) =
        (need(&RATE, &wanted.learning_rate), need(&STEP, &wanted.step), need(&LOSS, &wanted.loss));
    let seed = one(available, &SEED, wanted.seed.as_deref()).unwrap_or_else(|problem| {
        problems.push(format!("{problem}: name it with {}", SEED.flag));
        None
    });
    if problems.is_empty() {
        return Ok(Columns { learning_rate, seed, step, loss });
    }
    let shown: Vec<String> = available.iter().take(SHOWN).map(|name| quoted(name)).collect();
    let more = available.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    problems.push(format!("the columns are {}{more}", shown.join(", ")));
    Err(problems.join("; "))
}

/// The most columns that a message lists.
const SHOWN: usize = 30;

/// The column of a role: the one named, or the one with the best of the usual names, if there is one.
fn one(available: &[String], role: &Role, name: Option<&str>) -> Result<Option<String>, String> {
    if let Some(name) = name {
        return match available.iter().filter(|column| *column == name).count() {
            1 => Ok(Some(name.to_owned())),
            0 => Err(format!("there is no column {} for {}", quoted(name), role.what)),
            _ => Err(format!("there are several columns {}", quoted(name))),
        };
    }
    for usual in role.names {
        let found: Vec<&String> = available.iter().filter(|column| plain(column) == *usual).collect();
        match found.as_slice() {
            [] => {}
            [only] => return Ok(Some((*only).clone())),
            [first, second, ..] => {
                return Err(format!("both {} and {} could be {}", quoted(first), quoted(second), role.what));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(header: &[&str]) -> Result<Columns, String> {
        find(&header.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), &ColumnNames::default())
    }

    #[test]
    fn usual_names_are_found_whatever_their_spelling() {
        for (header, expected) in [
            (["learning_rate", "seed", "step", "loss"], ["learning_rate", "seed", "step", "loss"]),
            (["lr", "run_id", "iter", "train/loss"], ["lr", "run_id", "iter", "train/loss"]),
            (["Learning Rate", "Run", "Epoch", "Train-Loss"], ["Learning Rate", "Run", "Epoch", "Train-Loss"]),
            (["eps", "trial", "_step", "LOSS"], ["eps", "trial", "_step", "LOSS"]),
        ] {
            let columns = found(&header).unwrap();
            let names = [columns.learning_rate, columns.seed.unwrap(), columns.step, columns.loss];
            assert_eq!(names, expected.map(str::to_owned));
        }
    }

    #[test]
    fn the_better_name_wins() {
        let columns = found(&["epoch", "eps", "lr", "base_lr", "loss", "train_loss", "step"]).unwrap();
        assert_eq!((columns.learning_rate.as_str(), columns.step.as_str(), columns.seed), ("base_lr", "step", None));
        assert_eq!(columns.loss, "train_loss");
    }

    #[test]
    fn what_is_missing_is_named_at_once_beside_what_is_there() {
        let message = found(&["rate", "step", "val"]).unwrap_err();
        for part in
            ["the learning rate", "--lr-column", "the loss", "--loss-column", r#"the columns are "rate", "step", "val""#]
        {
            assert!(message.contains(part), "{message}");
        }
        assert!(!message.contains("--step-column") && !message.contains("--seed-column"), "{message}");
        assert!(found(&["lr", "LR", "step", "loss"]).unwrap_err().contains(r#"both "lr" and "LR""#));
    }

    #[test]
    fn a_name_that_was_given_must_be_there() {
        let wanted = ColumnNames { seed: Some("worker".into()), loss: Some("b".into()), ..ColumnNames::default() };
        let available: Vec<String> = ["lr", "seed", "step", "loss", "b"].map(str::to_owned).into();
        let message = find(&available, &wanted).unwrap_err();
        assert!(message.contains(r#"no column "worker" for the seed"#), "{message}");
        let wanted = ColumnNames { seed: None, ..wanted };
        assert_eq!(find(&available, &wanted).unwrap().loss, "b");
    }
}
