//! One run of the command, and what it took.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// What a run took.
pub(crate) struct Run {
    /// Trial-iterations.
    pub(crate) iterations: u64,
    /// Seconds of the search alone.
    pub(crate) search: f64,
    /// Seconds from the start of the process to its end, data and plots included.
    pub(crate) whole: f64,
    /// The largest resident size, where the system tells.
    pub(crate) peak_mib: Option<f64>,
    /// The facts of the planned run, of the report.
    pub(crate) facts: Value,
}

/// Runs `command` on `config`, on so many workers or as many as are usual.
pub(crate) fn measure(command: &str, config: &Path, jobs: Option<usize>, scratch: &Path) -> Run {
    let (timing, out) = (scratch.join("timing.json"), scratch.join("out"));
    let jobs = jobs.map(|jobs| format!("--jobs={jobs}"));
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_lrfind"))
        .args([command, "--quiet", "--fresh", "--format", "json"])
        .args(jobs)
        .arg("--out")
        .arg(&out)
        .arg("--timing")
        .arg(&timing)
        .arg(config)
        .stdout(Stdio::null())
        .spawn()
        .expect("the command was built with this benchmark");
    let status = format!("/proc/{}/status", child.id());
    let mut peak_mib = None;
    let ended = loop {
        if let Some(ended) = child.try_wait().expect("the child can be waited for") {
            break ended;
        }
        peak_mib = peak(&status).or(peak_mib);
        std::thread::sleep(Duration::from_millis(2));
    };
    let whole = started.elapsed().as_secs_f64();
    // Nothing but an error ends with 2.
    assert!(ended.code().is_some_and(|code| code != 2), "{command} {} failed", config.display());
    let timing = read(&timing);
    Run {
        iterations: timing["trial_iterations"].as_u64().unwrap_or(0),
        search: timing["wall_seconds"].as_f64().unwrap_or(f64::NAN),
        whole,
        peak_mib,
        facts: read(&out.join("report.json"))["run"].clone(),
    }
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("the command writes JSON")
}

/// The largest resident size so far, where the system tells.
fn peak(status: &str) -> Option<f64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kib| kib / 1024.0)
}
