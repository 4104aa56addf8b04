//! The command line of the benchmark.

use std::path::{Path, PathBuf};

pub(crate) const HELP: &str = "\
cargo bench --bench regret -- [OPTIONS] [NAME…]

  NAME…             the tasks whose names contain one of these; all without
  --configs DIR     other tasks than those of benches/suite
  --quick           full runs with 3 seeds and 2 repetitions of the trials, instead of 5 and 10
  --seeds N         full runs with another number of seeds
  --repetitions N   another number of repetitions
  --length N        full runs of so many iterations
  --ours            without the rules of other tools
  --exhaustive      with a search that makes the same trials at all rates
  --steady          trials at one rate each, as of a script that cannot change it; without the rules of other tools
  --truth           only make the full runs of the grid, which are kept in target/regret
  --redraw          only make tables and plots anew from the figures that are there
  --out DIR         another place for the results than reports/benchmark
";

#[expect(clippy::struct_excessive_bools, reason = "one for each flag, as on the command line")]
pub(crate) struct Arguments {
    pub(crate) configs: PathBuf,
    pub(crate) out: PathBuf,
    pub(crate) filters: Vec<String>,
    pub(crate) quick: bool,
    pub(crate) ours: bool,
    pub(crate) exhaustive: bool,
    pub(crate) steady: bool,
    pub(crate) truth: bool,
    pub(crate) redraw: bool,
    pub(crate) seeds: u64,
    pub(crate) repetitions: u64,
    pub(crate) length: Option<u64>,
    /// As it was typed, for the results to quote.
    pub(crate) command: String,
}

impl Arguments {
    /// What was typed.
    ///
    /// # Errors
    /// A sentence about what is wrong with it.
    pub(crate) fn read(typed: impl Iterator<Item = String>) -> Result<Self, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut found = Self {
            configs: root.join("benches/suite"),
            out: root.join("reports/benchmark"),
            filters: Vec::new(),
            quick: false,
            ours: false,
            exhaustive: false,
            steady: false,
            truth: false,
            redraw: false,
            seeds: 5,
            repetitions: 10,
            length: None,
            command: "cargo bench --bench regret --".into(),
        };
        let (mut seeds, mut repetitions) = (None, None);
        // Cargo adds --bench.
        let typed: Vec<String> = typed.filter(|word| word != "--bench").collect();
        let mut words = typed.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--configs" => found.configs = value()?.into(),
                "--out" => found.out = value()?.into(),
                "--length" => found.length = Some(positive(word, value()?)?),
                "--seeds" => seeds = Some(positive(word, value()?)?),
                "--repetitions" => repetitions = Some(positive(word, value()?)?),
                "--quick" => found.quick = true,
                "--ours" => found.ours = true,
                "--exhaustive" => found.exhaustive = true,
                "--steady" => (found.steady, found.ours) = (true, true),
                "--truth" => found.truth = true,
                "--redraw" => found.redraw = true,
                flag if flag.starts_with('-') => return Err(format!("there is no flag {flag}\n\n{HELP}")),
                name => found.filters.push(name.into()),
            }
        }
        let (usual_seeds, usual_repetitions) = if found.quick { (3, 2) } else { (5, 10) };
        found.seeds = seeds.unwrap_or(usual_seeds);
        found.repetitions = repetitions.unwrap_or(usual_repetitions);
        // Where the results go does not change them.
        let mut quoted = typed.iter();
        while let Some(word) = quoted.next() {
            if word == "--out" {
                quoted.next();
            } else {
                found.command.push(' ');
                found.command.push_str(word);
            }
        }
        found.command.truncate(found.command.trim_end_matches(" --").len());
        Ok(found)
    }

    /// The name of the results' files, without what follows the dot.
    pub(crate) fn stem(&self) -> String {
        let kind = if self.quick { "-quick" } else { "" };
        let length = self.length.map_or(String::new(), |n| format!("-{n}"));
        let all = if self.exhaustive { "-exhaustive" } else { "" };
        format!("regret{kind}{length}{all}{}", if self.steady { "-steady" } else { "" })
    }
}

fn positive(flag: &str, value: &str) -> Result<u64, String> {
    value.parse().ok().filter(|n| *n > 0).ok_or_else(|| format!("{flag} needs a whole number above 0, not `{value}`"))
}
