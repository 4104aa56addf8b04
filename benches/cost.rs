//! What an answer costs: `cargo bench --bench cost`.
//!
//! Runs the command on an example config as its user would, each time in a process of its own, and prints the wall time, the
//! trial-iterations a second and the peak memory of `find` and `check`. Runs alternate between one and two workers, so that
//! their ratio does not depend on what else the machine does. `cargo bench --bench cost -- CONFIG…` takes other configs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Repetitions of each measurement; the median is printed.
const REPETITIONS: usize = 5;

struct Run {
    seconds: f64,
    rate: f64,
    peak_mib: Option<f64>,
}

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named: Vec<PathBuf> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).map(PathBuf::from).collect();
    let configs = if named.is_empty() { vec![root.join("configs/digits-mlp.toml")] } else { named };
    let scratch = tempfile::tempdir().expect("a temporary folder can be made");
    println!("{:<26}{:>12}{:>12}{:>8}{:>16}{:>12}", "", "1 worker", "2 workers", "ratio", "iterations/s", "peak memory");
    for config in &configs {
        for command in ["find", "check"] {
            let mut runs: [Vec<Run>; 2] = [Vec::new(), Vec::new()];
            for _ in 0..REPETITIONS {
                for jobs in [1, 2] {
                    runs[jobs - 1].push(measure(command, config, jobs, scratch.path()));
                }
            }
            let seconds = runs.each_ref().map(|runs| median(runs.iter().map(|r| r.seconds)));
            let rate = median(runs[1].iter().map(|r| r.rate));
            let peak = runs[1].iter().filter_map(|r| r.peak_mib).fold(f64::NAN, f64::max);
            let name = format!("{command} {}", config.file_stem().unwrap_or_default().to_string_lossy());
            let ratio = seconds[0] / seconds[1];
            println!("{name:<26}{:>10.2} s{:>10.2} s{ratio:>7.2}×{rate:>16.0}{peak:>8.0} MiB", seconds[0], seconds[1]);
        }
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    lrfind::analysis::median(&values.collect::<Vec<_>>()).unwrap_or(f64::NAN)
}

fn measure(command: &str, config: &Path, jobs: usize, scratch: &Path) -> Run {
    let timing = scratch.join("timing.json");
    let mut child = Command::new(env!("CARGO_BIN_EXE_lrfind"))
        .args([command, "--quiet", "--fresh", "--format", "json", "--jobs", &jobs.to_string()])
        .arg("--out")
        .arg(scratch.join("out"))
        .arg("--timing")
        .arg(&timing)
        .arg(config)
        .stdout(Stdio::null())
        .spawn()
        .expect("the command was built with this benchmark");
    let status = format!("/proc/{}/status", child.id());
    let mut peak_mib = None;
    while child.try_wait().expect("the child can be waited for").is_none() {
        peak_mib = peak(&status).or(peak_mib);
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let text = std::fs::read_to_string(&timing).expect("the command wrote its timing");
    let timing: serde_json::Value = serde_json::from_str(&text).expect("the timing is JSON");
    let number = |key: &str| timing[key].as_f64().unwrap_or(f64::NAN);
    Run { seconds: number("wall_seconds"), rate: number("trial_iterations_per_second"), peak_mib }
}

/// The largest resident size so far, where the system tells.
fn peak(status: &str) -> Option<f64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kib| kib / 1024.0)
}
