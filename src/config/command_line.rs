//! A command line without a config.

use std::path::Path;

use super::command_plan::{CommandPlan, PlannedRun, ScriptPlan};
use super::plan::SearchPlan;
use super::schedule;
use super::template::{Placeholder, Template};
use crate::schedule::{Decay, Schedule};

/// How a script without a config takes what changes from trial to trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// By its flags.
    Flags(Flags),
    /// By a line for each trial, as one takes it that stays.
    Line(String),
}

/// The flags by which a script takes what changes from trial to trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flags {
    /// For the rate.
    pub lr: String,
    /// For the seed; empty for none.
    pub seed: String,
    /// For the number of steps; empty for none.
    pub steps: String,
}

impl CommandPlan {
    /// The plan for a command line without a config: everything default, run in the current folder, for a run of `planned` steps
    /// if that is known. What has no placeholder in `words` is appended with its flag, the rate only where `{rates}` is missing
    /// too; a flag that ends in `=` and its value are one word. Nothing is appended for a script that is sent lines.
    ///
    /// # Errors
    /// When there are no words, a name in braces is no placeholder, a flag to be appended is there with another value, the rate is
    /// to be given neither way, or a script that stays would be told of a trial when it starts.
    pub fn of_words(words: &[String], told: &Told, planned: Option<u64>) -> Result<Self, String> {
        let program = words.first().filter(|program| !program.trim().is_empty()).ok_or("the command has no words")?;
        let run: Vec<Template> = words.iter().map(|word| read_word(word)).collect::<Result<_, _>>()?;
        let command = match told {
            Told::Flags(flags) => ScriptPlan::of(with_flags(run, words, flags)?),
            Told::Line(line) => sent(run, line)?,
        };
        let name = super::parse::sanitized(&stem(program, &words[1..]));
        let whole = |iterations| Schedule {
            decay: Decay::Linear { final_fraction: schedule::USUAL_FINAL_FRACTION },
            warmup_iterations: 0,
            decay_iterations: iterations,
            iterations_per_epoch: iterations,
        };
        Ok(Self {
            name,
            command,
            training: PlannedRun {
                optimizer: None,
                learning_rate: None,
                learning_rate_line: None,
                schedule: planned.map(whole),
            },
            search: SearchPlan { range: super::search::unknown_range(), ..SearchPlan::default() },
        })
    }
}

/// A word of a command line, with its placeholders.
fn read_word(word: &str) -> Result<Template, String> {
    Template::new(word).map_err(|name| {
        let known = Placeholder::NAMES.map(|(name, _)| name).join("}, {");
        format!("unknown placeholder {{{name}}}: write {{{known}}}, or {{{{{name}}}}} for the text {{{name}}}")
    })
}

/// The script that stays and is sent this line for each trial.
fn sent(run: Vec<Template>, line: &str) -> Result<ScriptPlan, String> {
    if line.contains(['\n', '\r']) {
        return Err("--send is more than one line".to_owned());
    }
    let plan = ScriptPlan { send: Some(read_word(line)?), ..ScriptPlan::of(run) };
    if let Some(name) = plan.placed_too_early().next() {
        return Err(format!("a script that stays is started once for many trials: move {{{name}}} into --send"));
    }
    if !plan.has(Placeholder::Lr) && !plan.has(Placeholder::Rates) {
        return Err("the script does not learn the rate: put {lr} or {rates} into --send".to_owned());
    }
    Ok(plan)
}

/// The command line `words`, read as `run`, with a flag for each placeholder that it lacks.
fn with_flags(mut run: Vec<Template>, words: &[String], flags: &Flags) -> Result<Vec<Template>, String> {
    let is_told_rates = run.iter().any(|word| word.has(Placeholder::Rates));
    for (placeholder, flag, place) in [
        (Placeholder::Lr, &flags.lr, "{lr}"),
        (Placeholder::Seed, &flags.seed, "{seed}"),
        (Placeholder::Steps, &flags.steps, "{steps}"),
    ] {
        let has_place = run.iter().any(|word| word.has(placeholder)) || (placeholder == Placeholder::Lr && is_told_rates);
        if flag.is_empty() || has_place {
            continue;
        }
        // A script takes one of the two, and nobody knows which.
        if words[1..].iter().any(|word| is_given(flag, word)) {
            return Err(format!("the command gives `{flag}` a value already: write {place} in its place"));
        }
        if flag.ends_with('=') {
            run.push(read_word(&format!("{flag}{place}"))?);
        } else {
            run.extend([Template::literal(flag), read_word(place)?]);
        }
    }
    if !run.iter().any(|word| word.has(Placeholder::Lr) || word.has(Placeholder::Rates)) {
        return Err("the command does not learn the rate: put {lr} into it, or give --lr-flag".to_owned());
    }
    Ok(run)
}

/// Whether the word is the flag, with its value or before it.
fn is_given(flag: &str, word: &str) -> bool {
    word.strip_prefix(flag.trim_end_matches('=')).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
}

/// Endings of the files that interpreters run.
const SCRIPTS: [&str; 14] = ["py", "pyz", "ipynb", "sh", "bash", "r", "jl", "js", "mjs", "ts", "rb", "pl", "lua", "awk"];

/// Whether an interpreter runs a file of this name.
pub(crate) fn is_script(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    ending.is_some_and(|ending| SCRIPTS.contains(&ending.as_str()))
}

/// What to call the run: the script's name without its ending, rather than that of its interpreter.
fn stem(program: &str, arguments: &[String]) -> String {
    if let Some(module) = arguments.iter().skip_while(|word| *word != "-m").nth(1) {
        return module.rsplit('.').next().unwrap_or_default().to_owned();
    }
    let is_name = |word: &str| !word.starts_with('-') && !word.contains('=');
    let is_script = |word: &&str| is_name(word) && is_script(Path::new(word));
    let words = || std::iter::once(program).chain(arguments.iter().map(String::as_str));
    // `env NAME=value program`.
    let is_program = |word: &&str| is_name(word) && *word != "env";
    let named = words().find(is_script).or_else(|| words().find(is_program)).unwrap_or(program);
    Path::new(named).file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags() -> Flags {
        Flags { lr: "--lr".into(), seed: "--seed".into(), steps: "--steps".into() }
    }

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn refused(text: &str, flags: &Flags) -> Result<CommandPlan, String> {
        CommandPlan::of_words(&words(text), &Told::Flags(flags.clone()), None)
    }

    #[test]
    fn a_script_that_stays_is_told_by_a_line() {
        let of = |text: &str, line: &str| CommandPlan::of_words(&words(text), &Told::Line(line.to_owned()), None);
        let plan = of("python train.py --stay {device}", "{seed} {steps} {rates}").unwrap().command;
        assert_eq!(plan.words(), "python train.py --stay {device}", "nothing is appended");
        assert_eq!(plan.send.unwrap().to_string(), "{seed} {steps} {rates}");
        for (text, line, words) in [
            ("python train.py --lr {lr}", "{seed} {lr}", "move {lr} into --send"),
            ("python train.py", "{seed}", "put {lr} or {rates} into --send"),
            ("python train.py", "{lr} {sede}", "unknown placeholder {sede}"),
            ("python train.py", "{lr}\n", "more than one line"),
        ] {
            let error = of(text, line).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn what_has_no_place_is_appended() {
        let line = |text: &str, flags: &Flags| {
            CommandPlan::of_words(&words(text), &Told::Flags(flags.clone()), None).unwrap().command.words()
        };
        assert_eq!(line("python train.py", &flags()), "python train.py --lr {lr} --seed {seed} --steps {steps}");
        assert_eq!(line("./x --rate {lr}", &flags()), "./x --rate {lr} --seed {seed} --steps {steps}");
        assert_eq!(line("./x --rates {rates}", &flags()), "./x --rates {rates} --seed {seed} --steps {steps}");
        let hydra = Flags { lr: "optim.lr=".into(), seed: "+seed=".into(), steps: String::new() };
        assert_eq!(line("python train.py", &hydra), "python train.py optim.lr={lr} +seed={seed}");
        let none = Flags { lr: String::new(), ..flags() };
        assert!(refused("python train.py", &none).unwrap_err().contains("--lr-flag"));
        assert!(refused("x {rate}", &flags()).unwrap_err().contains("{rate}"));
        assert!(CommandPlan::of_words(&[], &Told::Flags(flags()), None).is_err());
        for text in ["./x --lr 0.1", "./x --lr=0.1", "./x --lr {lr} --seed 7", "./x --steps"] {
            let error = refused(text, &flags()).unwrap_err();
            assert!(error.contains("already: write {"), "{text}: {error}");
        }
        assert!(refused("x optim.lr=1", &hydra).unwrap_err().contains("`optim.lr=` a value already"));
        assert_eq!(line("./x --lr-decay 3", &flags()), "./x --lr-decay 3 --lr {lr} --seed {seed} --steps {steps}");
    }

    #[test]
    fn the_script_names_the_run() {
        let name = |text: &str| CommandPlan::of_words(&words(text), &Told::Flags(flags()), None).unwrap().name;
        assert_eq!(name("python -u src/train.py --size 3.5"), "train");
        assert_eq!(name("python3 -m package.train"), "train");
        assert_eq!(name("./build/trainer --lr {lr}"), "trainer");
        assert_eq!(name("./train --momentum 0.9"), "train");
        assert_eq!(name("torchrun --nproc=1 gpt.py config.yaml"), "gpt");
        assert_eq!(name("./train --config conf/base.yaml"), "train");
        assert_eq!(name("env X=1.py -i ./y"), "y");
        assert_eq!(name("./train.sh"), "train");
    }
}
