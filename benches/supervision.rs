//! What it costs to watch over scripts: `cargo bench --bench supervision`.
//!
//! The same trials are made by a plain shell loop, its output thrown away, and by `lrfind`, as many at a time: first trials that all
//! run to their end, which shows the cost, then trials at rates of which the higher ones diverge, which shows what it is worth to end
//! those early. The two alternate, so that their ratio does not depend on what else the machine does.
//!
//! `cargo bench --bench supervision -- [--pairs N] CONFIG…` takes other configs than that of the awk script, such as
//! `configs/command/pytorch.toml` where PyTorch is installed.

mod cpu;
mod paired;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lrfind::command::{self, Script};
use lrfind::config::{self, CommandPlan, Config, Placeholder, Template};
use lrfind::record::{TrialRecord, TrialSpec};
use lrfind::search::full_runs;
use lrfind::{LearningRate, RunOptions};
use paired::Pairs;

/// Pairs of loop and `lrfind`, where nothing else is asked for.
const PAIRS: usize = 21;

/// Trials in each, for each script at a time.
const TRIALS: u64 = 4;

/// Steps of a trial as a share of the planned run.
const SHARE: u64 = 2;

/// The number of threads is the same for both.
const THREADS: [&str; 3] = ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"];

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|word| word != "--bench");
    let (mut pairs, mut configs) = (PAIRS, Vec::new());
    while let Some(word) = arguments.next() {
        match word.as_str() {
            "--pairs" => {
                let number = arguments.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0);
                pairs = number.expect("--pairs takes a number above 0");
            }
            _ => configs.push(PathBuf::from(word)),
        }
    }
    if configs.is_empty() {
        configs.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/command/awk.toml"));
    }
    for path in &configs {
        let Ok(Config::Command(mut plan)) = config::load_any(path) else {
            panic!("{}: no config of a command", path.display())
        };
        plan.command.threads = Some(1);
        let bench = Bench::new(plan);
        let rate = bench.plan.training.learning_rate.expect("the config has a learning rate");
        bench.compare("all trials run to their end", &bench.specs(|_| rate), pairs);
        // Half decades from below the configured rate to far above it.
        bench.compare("half of the rates are too high", &bench.specs(|k| rate.shifted(0.5 * (k % 8) as f64 - 0.5)), pairs);
    }
}

struct Bench {
    plan: CommandPlan,
    script: Script,
    jobs: usize,
    steps: u64,
    /// For the files of the rates.
    folder: tempfile::TempDir,
}

impl Bench {
    fn new(plan: CommandPlan) -> Self {
        assert!(!plan.command.shell, "the command needs a shell of its own");
        let (script, jobs) = (Script::new(&plan).expect("the script is there"), command::jobs(&plan.command));
        let planned = plan.training.schedule.expect("the config plans a run").decay_iterations;
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        Self { plan, script, jobs, steps: (planned / SHARE).max(1), folder }
    }

    /// Trials with seeds of their own, each at the rate that its number gives.
    fn specs(&self, rate: impl Fn(u64) -> LearningRate) -> Vec<TrialSpec> {
        (0..TRIALS * self.jobs as u64).map(|k| TrialSpec::steady(rate(k), k, self.steps)).collect()
    }

    fn compare(&self, what: &str, specs: &[TrialSpec], pairs: usize) {
        let shell = self.shell(specs);
        let options = RunOptions { jobs: self.jobs, ..RunOptions::default() };
        let plain = || {
            let status = Command::new("sh")
                .args(["-c", &shell])
                .current_dir(&self.plan.command.directory)
                .stderr(Stdio::null())
                .status();
            assert!(status.expect("there is a shell").success());
        };
        let watched = || {
            let sweep = full_runs(&self.script, specs, &options);
            assert!(sweep.trials.iter().all(TrialRecord::is_finished), "{:?}", sweep.trials[0].outcome);
        };
        // Once each, so that the files are in memory.
        plain();
        watched();
        let compared = Pairs::of(pairs, |is_watched| if is_watched { watched() } else { plain() });
        let [plain, watched] = compared.medians();
        println!(
            "{}, {what}: {} trials of {} steps, {} at a time: {plain:.2} s in a shell loop, {watched:.2} s watched over; {}; lrfind \
             itself computes for {:.1} % of the time of {} cores",
            self.plan.name,
            specs.len(),
            self.steps,
            self.jobs,
            compared.ratio(),
            100.0 * compared.computed[1] / (pairs as f64 * watched * self.jobs as f64),
            self.jobs,
        );
    }

    /// The loop: as many rows of trials as run at a time, each trial after the one before it in its row.
    fn shell(&self, specs: &[TrialSpec]) -> String {
        let export: String = THREADS.iter().map(|name| "export ".to_owned() + name + "=1\n").collect();
        let row = |row: usize| specs.iter().skip(row).step_by(self.jobs).map(|spec| self.line(spec)).collect::<String>();
        let rows: String = (0..self.jobs).map(|k| "(".to_owned() + &row(k) + ")&\n").collect();
        format!("{export}{rows}wait\n")
    }

    /// A trial as a line of a shell script.
    fn line(&self, spec: &TrialSpec) -> String {
        let file = self.folder.path().join(format!("{}-{}", spec.learning_rate, spec.seed));
        if self.plan.command.has(Placeholder::Rates) {
            let rates: String = (0..spec.total_iterations()).map(|step| spec.rate_at(step).to_string() + "\n").collect();
            std::fs::write(&file, rates).expect("the file of the rates can be written");
        }
        let value = |placeholder| match placeholder {
            Placeholder::Lr => spec.learning_rate.get().to_string(),
            Placeholder::Seed => spec.seed.to_string(),
            Placeholder::Steps => spec.total_iterations().to_string(),
            Placeholder::Device => self.plan.command.devices.first().cloned().unwrap_or_default(),
            Placeholder::Rates => file.display().to_string(),
            Placeholder::Probe => command::probe_steps(spec),
        };
        let quoted = |text: String| format!("'{}'", text.replace('\'', "'\\''"));
        let words: Vec<String> = self.plan.command.run.iter().map(|word| quoted(word.fill(value))).collect();
        let variable = |(name, value_of): (&String, &Template)| format!("{name}={} ", quoted(value_of.fill(value)));
        let variables: String = self.plan.command.environment.iter().map(variable).collect();
        // A trial that fails ends the whole loop: it would look like a fast one.
        format!("{variables}{} >/dev/null || kill $$\n", words.join(" "))
    }
}
