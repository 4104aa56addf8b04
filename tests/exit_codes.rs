//! Every exit code, and what else `check` tells the machines.

mod common;

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use common::cli::{Folder, QUADRATIC, Ran};
use serde_json::Value;

/// A folder with a quadratic that is unstable from 0.1 on.
fn quadratic() -> Folder {
    let folder = Folder::new();
    folder.write("q.toml", format!("{QUADRATIC}[training]\noptimizer = \"sgd\"\nlearning-rate = 0.02\n"));
    folder
}

#[test]
fn zero_when_done_or_safe() {
    let folder = quadratic();
    folder.lrfind("find q.toml --quiet").ends_with(0);
    assert!(folder.path("reports/q/report.json").is_file());
    let ran = folder.lrfind("check q.toml --quiet").ends_with(0);
    assert!(ran.stdout.contains("SAFE"), "{ran:#?}");
    assert!(folder.path("reports/q-check/report.json").is_file());
    for harmless in ["--help", "--version", "check --help", "find q.toml --dry-run", "init new.toml"] {
        folder.lrfind(harmless).ends_with(0);
    }
}

#[test]
fn one_when_unstable_or_too_close() {
    let folder = quadratic();
    let check = |flags: &str| folder.lrfind(&format!("check q.toml --quiet {flags}"));
    assert!(check("--lr 0.3").ends_with(1).stdout.contains("UNSTABLE"));
    check("--lr 0.3 --fail-on unstable").ends_with(1);
    assert!(check("--lr 0.08").ends_with(1).stdout.contains("TOO CLOSE"));
    check("--lr 0.08 --fail-on unstable").ends_with(0);
    check("--lr 0.08 --margin 1.1").ends_with(0);
    // `--exit-zero` silences a verdict, and nothing else.
    check("--lr 0.3 --exit-zero").ends_with(0);
    check("--lr nonsense --exit-zero").ends_with(2);
}

#[test]
fn two_when_something_is_wrong() {
    let folder = quadratic();
    folder.write("no-rate.toml", QUADRATIC);
    folder.write("bad.toml", "[data]\nkind = \"cvs\"\n");
    folder.write("file", "");
    for (arguments, part) in [
        ("find bad.toml", "\"csv\""),
        ("find absent.toml", "absent.toml"),
        ("check no-rate.toml", "learning-rate"),
        ("find q.toml --out file/out", "file/out"),
        ("find q.toml --bogus", "--bogus"),
        ("find", "CONFIG"),
        ("", "Usage"),
        ("check q.toml --lr -1", "--lr"),
        ("check q.toml --margin 0.5", "--margin"),
        ("init q.toml", "q.toml"),
    ] {
        folder.lrfind(arguments).ends_with(2).complains_of(&[part]);
    }
}

#[test]
fn three_when_the_trials_do_not_tell() {
    let folder = quadratic();
    let ran = folder.lrfind("check q.toml --quiet --budget 10").ends_with(3);
    assert!(ran.stdout.contains("INCONCLUSIVE") && ran.stdout.contains("--budget"), "{ran:#?}");
    assert_eq!(folder.report("reports/q-check")["check"]["verdict"], "inconclusive");
    folder.lrfind("check q.toml --quiet --budget 10 --fail-on unstable").ends_with(3);
    folder.lrfind("check q.toml --quiet --budget 10 --exit-zero").ends_with(0);
    folder.lrfind("find q.toml --quiet --budget 10").ends_with(3);
    folder.lrfind("schedule reports/q").ends_with(3).complains_of(&["no learning rate"]);

    // One feature that is always the same, and targets that cancel: the best prediction is where training starts.
    let rows = "1,1\n1,-1\n".repeat(32);
    folder.write("nothing.csv", format!("x,y\n{rows}"));
    folder.write(
        "nothing.toml",
        "[data]\nkind = \"csv\"\npath = \"nothing.csv\"\ntask = \"regression\"\nheld-out = 0.0\n\
         [model]\nkind = \"linear\"\n[training]\nbatch-size = 0\nlearning-rate = 0.1\n",
    );
    let ran = folder.lrfind("find nothing.toml --quiet").ends_with(3);
    assert!(ran.stdout.contains("no learning rate recommended"), "{ran:#?}");
    folder.lrfind("check nothing.toml --quiet").ends_with(3);
}

/// Sends SIGINT once the trials run, and returns how the program ended.
#[cfg(unix)]
fn interrupted(folder: &Folder, arguments: &str) -> Ran {
    let mut command = folder.command();
    command.args(arguments.split_whitespace()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut heard = String::new();
    // The line of the first stage follows the plan's, which ends with the cost in all.
    while !heard.contains("in all about") || heard.lines().last().unwrap().contains("in all about") {
        assert_ne!(stderr.read_line(&mut heard).unwrap(), 0, "ended before the first stage: {heard}");
    }
    let started = std::time::Instant::now();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    stderr.read_to_string(&mut heard).unwrap();
    let mut ran = Ran::of(&child.wait_with_output().unwrap());
    assert!(started.elapsed().as_secs() < 10, "took {:?} to stop", started.elapsed());
    ran.stderr = heard;
    ran
}

#[cfg(unix)]
#[test]
fn a_hundred_and_thirty_when_interrupted() {
    let folder = quadratic();
    for command in ["find", "check"] {
        let flags = "--iterations 100000 --seeds 64 --jobs 2 --lanes 1";
        let ran = interrupted(&folder, &format!("{command} q.toml {flags} --out {command}")).ends_with(130);
        assert!(ran.stderr.contains("interrupted"), "{ran:#?}");
        let report = folder.report(command);
        assert_eq!(report["status"], "partial");
        assert_eq!(report["recommendation"]["learning_rate"], Value::Null, "{}", report["recommendation"]);
        let files = folder.files(command);
        for plot in ["learning-curves.png", "loss-vs-rate.png", "stability-map.png"] {
            assert!(files[plot].starts_with(b"\x89PNG"), "{plot}");
        }
    }
}

#[test]
fn the_verdict_reaches_github_as_one_annotation_and_a_summary() {
    let folder = quadratic();
    let summary = folder.write("summary.md", "before\n");
    for (lr, sign, code) in [("0.3", "::error ", 1), ("0.08", "::warning ", 1), ("0.02", "::notice ", 0)] {
        let mut command = folder.command();
        command.args(["check", "q.toml", "--quiet", "--format", "github", "--lr", lr]).env("GITHUB_STEP_SUMMARY", &summary);
        let ran = Ran::of(&command.output().unwrap()).ends_with(code);
        assert!(ran.stdout.starts_with(sign) && ran.stdout.ends_with('\n'), "{ran:#?}");
        assert_eq!(ran.stdout.matches('\n').count(), 1, "{ran:#?}");
        // `learning-rate` stands in the seventh line.
        assert!(ran.stdout.contains("file=q.toml,line=7::"), "{ran:#?}");
    }
    let text = std::fs::read_to_string(&summary).unwrap();
    assert!(text.starts_with("before\n"), "{text}");
    for rate in ["0.3", "0.08", "0.02"] {
        assert!(text.contains(rate), "no {rate} in {text}");
    }
}

#[test]
fn a_summary_that_cannot_be_written_does_not_change_the_verdict() {
    let folder = quadratic();
    let mut command = folder.command();
    command.args(["check", "q.toml", "--quiet"]).env("GITHUB_STEP_SUMMARY", folder.path("absent/summary.md"));
    Ran::of(&command.output().unwrap()).ends_with(0).complains_of(&["warning", "absent/summary.md"]);
}

#[test]
fn json_on_standard_output_is_the_report() {
    let folder = quadratic();
    for (command, lr, code) in [("find", "", 0), ("check", "--lr 0.3", 1)] {
        // Progress and plan go elsewhere even without --quiet.
        let ran = folder.lrfind(&format!("{command} q.toml --format json --out {command} {lr}")).ends_with(code);
        let printed: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(printed, folder.report(command));
    }
}
