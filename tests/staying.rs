//! Scripts that stay: one process makes trial after trial.
#![cfg(unix)]

mod common;

use std::fs;
use std::time::{Duration, Instant};

use common::cli::Folder;
use lrfind::LearningRate;
use lrfind::command::Script;
use lrfind::config::{Config, parse_any};
use lrfind::record::{Outcome, Silent, TrialRecord, TrialSpec};
use lrfind::trial::{Cancel, drive};
use tempfile::TempDir;

struct Fixture {
    folder: TempDir,
    script: Option<Script>,
}

impl Fixture {
    /// `body` is run by `sh`, in which `next` reads a trial into `$lr`, `$seed` and `$steps`; `keys` go under `[command]`.
    fn new(body: &str, keys: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let next = "next() { echo ready; read -r lr seed steps; }\necho $$ >>pids\n";
        fs::write(folder.path().join("script.sh"), format!("{next}{body}\necho over >>ends\n")).unwrap();
        let text = format!("[command]\nrun = [\"sh\", \"script.sh\"]\nsend = \"{{lr}} {{seed}} {{steps}}\"\n{keys}");
        let Ok(Config::Command(plan)) = parse_any(&text, &folder.path().join("x.toml")) else { panic!("{text}") };
        let script = Some(Script::new(&plan).unwrap());
        Self { folder, script }
    }

    fn trial(&self, seed: u64, steps: u64) -> TrialRecord {
        let spec = TrialSpec::steady(LearningRate::new(0.5).unwrap(), seed, steps);
        drive(self.script.as_ref().unwrap(), &[spec], 1, &Cancel::default(), &Silent).remove(0)
    }

    fn losses(&self, seed: u64, steps: u64) -> Vec<f64> {
        let record = self.trial(seed, steps);
        assert_eq!(record.outcome, Outcome::Completed);
        record.losses
    }

    #[track_caller]
    fn fails(&self, seed: u64, parts: &[&str]) {
        let Outcome::Failed { message } = self.trial(seed, 2).outcome else { panic!("it did not fail") };
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    }

    fn lines(&self, file: &str) -> usize {
        fs::read_to_string(self.folder.path().join(file)).unwrap_or_default().lines().count()
    }

    /// All trials are over.
    fn leave(&mut self) {
        self.script = None;
    }
}

/// As many losses as there are steps, the seed each.
const SEEDS: &str = "i=0; while [ $i -lt $steps ]; do echo loss: $seed; i=$((i+1)); done";

#[test]
fn one_process_makes_trial_after_trial_and_ends_with_its_input() {
    let mut fixture = Fixture::new(&format!("while next; do {SEEDS}; echo loss: 99; echo done; sleep 0.05; done"), "");
    for (seed, steps) in [(1, 3), (2, 5), (3, 1)] {
        assert_eq!(
            fixture.losses(seed, steps),
            vec![seed as f64; steps as usize],
            "what is said after a trial belongs to none"
        );
    }
    assert_eq!((fixture.lines("pids"), fixture.lines("ends")), (1, 0));
    fixture.leave();
    assert_eq!(fixture.lines("ends"), 1, "it came to its own end");
}

#[test]
fn one_that_does_not_end_with_its_input_is_ended() {
    let mut fixture = Fixture::new(&format!("trap '' TERM; next; {SEEDS}; while :; do sleep 0.1; done"), "");
    assert_eq!(fixture.losses(1, 2), [1.0, 1.0]);
    let pid: u32 = fs::read_to_string(fixture.folder.path().join("pids")).unwrap().trim().parse().unwrap();
    let began = Instant::now();
    fixture.leave();
    assert!(!common::process::alive(pid) && began.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_trial_that_is_ended_early_takes_its_process_with_it() {
    let fixture = Fixture::new(&format!("while next; do [ $seed = 1 ] && echo loss: nan && sleep 30; {SEEDS}; done"), "");
    assert!(matches!(fixture.trial(1, 3).outcome, Outcome::Diverged { .. }));
    assert_eq!(fixture.losses(2, 2), [2.0, 2.0], "not what was left of the trial before");
    assert_eq!(fixture.lines("pids"), 2);
}

#[test]
fn a_trial_that_fails_need_not_end_the_process() {
    let body = format!("while next; do if [ $seed = 1 ]; then echo loss: 1; else {SEEDS}; fi; done");
    let fixture = Fixture::new(&body, "");
    fixture.fails(1, &["ready for the next trial", "1 of 2 losses", "one for each step"]);
    assert_eq!(fixture.losses(2, 2), [2.0, 2.0]);
}

#[test]
fn one_that_ends_with_a_trial_is_started_again() {
    let fixture = Fixture::new("next; [ $seed = 1 ] && exit 3; echo loss: $seed; echo loss: $seed; echo ready; exit", "");
    fixture.fails(1, &["exit code 3", "0 of 2 losses"]);
    assert_eq!(fixture.losses(2, 2), [2.0, 2.0]);
    let until = Instant::now() + Duration::from_secs(10);
    while Instant::now() < until && fixture.trial(3, 2).outcome != Outcome::Completed {}
    assert!(fixture.lines("pids") >= 3);
}

#[test]
fn divergence_may_be_told_without_an_end() {
    let keys = "diverged = [\"loss exploded\"]\n";
    let body = format!("while next; do {SEEDS}; [ $seed = 1 ] && echo loss exploded; done");
    let fixture = Fixture::new(&body.replace("$i -lt $steps", "$i -lt 2"), keys);
    assert!(matches!(fixture.trial(1, 3).outcome, Outcome::Diverged { .. }));
    assert_eq!(fixture.losses(2, 2), [2.0, 2.0]);
    assert_eq!(fixture.lines("pids"), 1);
}

#[test]
fn one_that_never_says_ready_is_told_so() {
    let silent = Fixture::new("while :; do sleep 0.1; done", "step-timeout = 0.3\n");
    silent.fails(1, &["did not print `ready`", "0.3 seconds"]);
    let ends = Fixture::new("echo loss: 1; echo loss: 2", "");
    ends.fails(1, &["ended (exit code 0)", "before it printed `ready`", "| loss: 2"]);
}

/// A shell script that stays and has each trial made by the awk example.
const STAYS: &str = "echo started >>starts\nwhile echo ready; read -r probe seed steps rates; do\n  \
                     awk -v rates=\"$rates\" -v probe=$probe -v seed=$seed -v steps=$steps -f train.awk\ndone\n";

/// The rates, the losses and the answer do not depend on who makes the trials.
#[test]
fn a_script_that_stays_finds_what_one_that_is_started_anew_does() {
    let folder = Folder::new();
    let example = |name: &str| {
        fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/command").join(name)).unwrap()
    };
    folder.write("train.awk", example("train.awk"));
    folder.write("awk.toml", example("awk.toml"));
    folder.write("stay.sh", STAYS);
    let run = example("awk.toml");
    let line = run.lines().find(|line| line.starts_with("run")).unwrap();
    let sent = "run = [\"sh\", \"stay.sh\"]\nsend = \"{probe} {seed} {steps} {rates}\"\ndepends = [\"train.awk\"]";
    folder.write("stay.toml", run.replace(line, sent));
    for name in ["awk", "stay"] {
        folder.lrfind(&format!("find {name}.toml --quiet --jobs 2 --out {name}")).ends_with(0);
    }
    let report = |name| folder.report(name);
    for part in ["trials", "instability", "recommendation", "cost"] {
        assert_eq!(report("stay")[part], report("awk")[part], "{part}");
    }
    let trials = report("stay")["trials"].as_array().unwrap().len();
    let started = fs::read_to_string(folder.path("starts")).unwrap().lines().count();
    assert!(started < trials, "{started} processes for {trials} trials");
    folder.lrfind("check stay.toml --quiet").ends_with(0);
    folder.lrfind("find stay.toml --quiet --out stay").ends_with(0);
    // No config is needed.
    let starts = || fs::read_to_string(folder.path("starts")).unwrap().lines().count();
    let before = starts();
    let send = ["find", "--quiet", "--jobs", "2", "--out", "bare", "--send", "{probe} {seed} {steps} {rates}", "--"];
    let status = folder.command().args(send).args(["sh", "stay.sh"]).output().unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    assert!(starts() - before < folder.report("bare")["trials"].as_array().unwrap().len());
    folder.lrfind("find --send {seed} -- sh stay.sh").ends_with(2).complains_of(&["put {lr} or {rates} into --send"]);
    folder.lrfind("find --send {lr} --lr-flag -l -- sh stay.sh").ends_with(2).complains_of(&["cannot be used with"]);
}

#[test]
fn configs_that_send_amiss_are_refused() {
    let refused = |command: &str, parts: &[&str]| {
        let folder = Folder::new();
        folder.write("x.toml", format!("[command]\n{command}\n"));
        folder.lrfind("find x.toml").ends_with(2).complains_of(parts);
    };
    refused("run = [\"t\", \"{lr}\"]\nsend = \"{seed}\"", &["x.toml:3", "`{lr}` in `run`", "move `{lr}` into `send`"]);
    refused("run = [\"t\"]\nenvironment = { A = \"{seed}\" }\nsend = \"{lr}\"", &["`{seed}`", "move `{seed}` into `send`"]);
    refused("run = [\"t\"]\nsend = \"{lr}\\n\"", &["more than one line"]);
    refused("run = [\"t\"]\nsend = \"{seed}\"", &["no `{lr}`"]);
    refused("run = [\"t\"]\nsend = \"{rate}\"", &["unknown placeholder `{rate}`"]);
}
