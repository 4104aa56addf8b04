//! PyTorch's side: one process for each core, told over a pipe what to train.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use serde::Deserialize;
use serde_json::json;

use crate::cases::Case;

/// How to get PyTorch, for who lacks it.
pub(crate) const HOW: &str = "python3 -m venv target/torch/venv && target/torch/venv/bin/pip install torch numpy";

/// How PyTorch makes its trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// One trial after the other.
    Eager,
    /// Several in one computation, by `torch.func`.
    Stacked,
}

/// The processes.
pub(crate) struct Rival {
    workers: Vec<Worker>,
    /// Its version.
    pub(crate) version: String,
}

struct Worker {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    version: String,
    #[serde(default)]
    error: Option<String>,
}

impl Rival {
    /// Starts `count` processes, or says why there are none.
    pub(crate) fn start(count: usize) -> Result<Self, String> {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/torch/venv/bin/python");
        let python = if own.exists() { own } else { PathBuf::from("python3") };
        let mut workers: Vec<Worker> = (0..count).map(|_| Worker::start(&python)).collect::<Result<_, _>>()?;
        let mut version = String::new();
        for worker in &mut workers {
            version = worker.read()?.version;
        }
        Ok(Self { workers, version })
    }

    /// Trial-iterations a second of the case's trials, shared out among the processes; the reason where it cannot be done.
    pub(crate) fn rate(&mut self, case: &Case, form: Form) -> Result<f64, String> {
        let trials = (case.trials / self.workers.len() as u32).max(1);
        let form = if form == Form::Eager { "eager" } else { "stacked" };
        let order = json!({ "case": case.name, "form": form, "trials": trials, "iterations": case.iterations });
        let started = Instant::now();
        for worker in &mut self.workers {
            writeln!(worker.to, "{order}").and_then(|()| worker.to.flush()).map_err(|error| error.to_string())?;
        }
        let answers: Vec<Result<Answer, String>> = self.workers.iter_mut().map(Worker::read).collect();
        let seconds = started.elapsed().as_secs_f64();
        answers.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(f64::from(trials * case.iterations) * self.workers.len() as f64 / seconds)
    }
}

impl Worker {
    fn start(python: &Path) -> Result<Self, String> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/throughput/trials.py");
        let mut child = Command::new(python)
            .arg(script)
            .env("OMP_NUM_THREADS", "1")
            .env("MKL_NUM_THREADS", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{}: {error}", python.display()))?;
        let (to, from) = (child.stdin.take(), child.stdout.take());
        let (Some(to), Some(from)) = (to, from) else { return Err("the process has no pipes".into()) };
        Ok(Self { child, to, from: BufReader::new(from) })
    }

    fn read(&mut self) -> Result<Answer, String> {
        let mut line = String::new();
        self.from.read_line(&mut line).map_err(|error| error.to_string())?;
        let answer: Answer = serde_json::from_str(&line).map_err(|_| "it ended without an answer".to_owned())?;
        match answer.error {
            Some(error) => Err(error),
            None => Ok(answer),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
