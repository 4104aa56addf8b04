//! Runs that are killed without warning, and go on where they were.
//!
//! `LRFIND_KILLS=200 cargo test --release --test kill -- --nocapture` kills more often than the ten times of an ordinary test run.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::cli::{Folder, Ran, digits};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Most kills before a run may end.
const MOST_IN_A_ROW: usize = 5;

fn kills() -> usize {
    std::env::var("LRFIND_KILLS").ok().map_or(10, |text| text.parse().expect("LRFIND_KILLS is a number"))
}

/// A command that is killed, and the file that it writes in the end.
struct Victim {
    arguments: &'static [&'static str],
    result: &'static str,
}

const FIND: Victim = Victim { arguments: &["find", "--seeds", "6"], result: "report.json" };
const VERIFY: Victim =
    Victim { arguments: &["verify", "--report", "found", "--fraction", "0.05", "--seeds", "4"], result: "verify.json" };

impl Victim {
    fn command(&self, folder: &Folder, dir: &str) -> std::process::Command {
        let (name, flags) = self.arguments.split_first().unwrap();
        let mut command = folder.command();
        command.arg(name).arg(digits()).args(flags).args(["--out", dir]);
        command
    }
}

/// The whole lines of a journal, and whether something follows the last.
fn lines(dir: &Path) -> (Vec<String>, bool) {
    let bytes = fs::read(dir.join("trials.journal")).unwrap_or_default();
    let text = String::from_utf8(bytes).unwrap();
    let end = text.rfind('\n').map_or(0, |at| at + 1);
    (text[..end].lines().map(str::to_owned).collect(), end < text.len())
}

/// Runs without disturbance, and returns how long it takes until the report is written. The plots that follow are not worth a
/// kill.
fn undisturbed(victim: &Victim, folder: &Folder, dir: &str) -> Duration {
    let started = Instant::now();
    let mut child = victim.command(folder, dir).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let report = folder.path(dir).join(victim.result);
    while !report.exists() {
        assert!(child.try_wait().unwrap().is_none_or(|status| status.success()), "it failed");
        std::thread::sleep(Duration::from_millis(1));
    }
    let elapsed = started.elapsed();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    elapsed
}

#[derive(Debug, Default)]
struct Counts {
    kills: usize,
    runs: usize,
    /// Kills that came before the journal had a line, in between, and when the search was over.
    before: usize,
    between: usize,
    over: usize,
    /// Kills that left a line cut off.
    cut_off: usize,
    /// Trials that the last run of a folder found, and those that it ran.
    reused: usize,
    missing: usize,
}

#[test]
fn a_killed_search_goes_on_to_the_same_report() {
    eprintln!("find: {:?}", kill_and_resume(&FIND, &Folder::new()));
}

#[test]
fn a_killed_verification_goes_on_to_the_same_answer() {
    let folder = Folder::new();
    folder.on_digits("find", "--quiet --seeds 2 --iterations 30 --out found").ends_with(0);
    eprintln!("verify: {:?}", kill_and_resume(&VERIFY, &folder));
}

fn kill_and_resume(victim: &Victim, folder: &Folder) -> Counts {
    let longest = undisturbed(victim, folder, "whole").mul_f64(1.1);
    let report = fs::read(folder.path("whole").join(victim.result)).unwrap();
    let all: BTreeSet<String> = lines(&folder.path("whole")).0.into_iter().collect();
    assert_eq!(all.len(), lines(&folder.path("whole")).0.len(), "no trial is kept twice");
    let mut rng = ChaCha8Rng::seed_from_u64(20_161_118);
    let mut counts = Counts::default();
    while counts.kills < kills() {
        let name = format!("run-{}", counts.runs);
        let dir = folder.path(&name);
        counts.runs += 1;
        let mut kept = Vec::new();
        for _ in 0..rng.random_range(1..=MOST_IN_A_ROW.min(kills() - counts.kills)) {
            let moment = Duration::from_secs_f64(longest.as_secs_f64() * rng.random::<f64>());
            let mut child = victim.command(folder, &name).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(moment);
            child.kill().unwrap();
            child.wait().unwrap();
            counts.kills += 1;
            let (now, cut_off) = lines(&dir);
            assert!(now.starts_with(&kept), "a kept trial was lost");
            counts.cut_off += usize::from(cut_off);
            match now.len() {
                0 => counts.before += 1,
                n if n == all.len() => counts.over += 1,
                _ => counts.between += 1,
            }
            kept = now;
        }
        let ran = Ran::of(&victim.command(folder, &name).output().unwrap()).ends_with(0);
        let said = format!("reused {} of {} trials", kept.len(), all.len());
        assert_eq!(ran.stderr.contains(&said), !kept.is_empty(), "{said:?}: {ran:#?}");
        assert!(fs::read(dir.join(victim.result)).unwrap() == report, "{name}: another report");
        let (after, cut_off) = lines(&dir);
        assert!(!cut_off && after.starts_with(&kept), "{name}: a kept trial was lost");
        // As many lines as trials, and the same: none is missing, and none was run twice but those under way at a kill.
        assert_eq!((after.len(), &after.iter().cloned().collect::<BTreeSet<_>>()), (all.len(), &all), "{name}");
        counts.reused += kept.len();
        counts.missing += all.len() - kept.len();
    }
    counts
}
