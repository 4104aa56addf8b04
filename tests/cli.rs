//! The command line as a user or a CI job meets it: what it prints where, which files it leaves, and every exit code that
//! does not need a search.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::{Value, json};
use tempfile::TempDir;

fn lrfind(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lrfind"));
    command.current_dir(dir).env_remove("GITHUB_STEP_SUMMARY").env_remove("GITHUB_WORKSPACE");
    command
}

/// Exit code, standard output and standard error.
fn run(dir: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = lrfind(dir).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A report as `find` writes it, with a linear decay from 0.12.
fn report() -> Value {
    let trial = |rate: f64, verdict: &str| {
        json!({
            "learning_rate": rate, "seed": 0, "iterations": 3, "recovery": null, "outcome": { "kind": "completed" },
            "verdict": verdict, "losses": [2.5, 1.25, 0.625],
            "probe": [{ "iteration": 0, "loss": 2.5 }, { "iteration": 3, "loss": 0.5 }],
        })
    };
    json!({
        "schema_version": 1,
        "tool": { "name": "lrfind", "version": "0.1.0" },
        "name": "digits",
        "status": "complete",
        "config": { "name": "digits" },
        "config_sha256": "00",
        "seeds": [0],
        "device": "flex",
        "run": {
            "optimizer": "SGD", "model": "MLP", "parameters": 10, "examples": 100, "batch_size": 10,
            "planned_iterations": 9000, "short_iterations": 3, "long_iterations": 6,
        },
        "best_early": {
            "learning_rate": 0.05, "iterations": 3, "loss": { "median": 0.5, "low": 0.4, "high": 0.6 }, "reason": null,
        },
        "instability": {
            "last_stable": 0.5, "first_unstable": 0.6, "threshold": null, "resolution_decades": 0.02, "interval": null, "censored": null,
            "evidence": [{ "learning_rate": 0.6, "iterations": 3, "seeds": 1, "unstable": 1, "reason": "blow_up" }],
        },
        "recommendation": {
            "learning_rate": 0.12, "low": 0.1, "high": 0.2, "headroom": 5.0, "p_unstable": 0.01, "because": ["it is best"],
        },
        "schedule": {
            "kind": "linear", "initial": 0.12, "final": 0.0012, "decay_iterations": 9000, "decay_epochs": 200.0,
            "shape": {
                "decay": { "kind": "linear", "final_fraction": 0.01 }, "warmup_iterations": 0, "decay_iterations": 9000,
                "iterations_per_epoch": 45,
            },
        },
        "check": null,
        "trials": [trial(0.01, "slow"), trial(0.05, "good"), trial(0.12, "good"), trial(0.6, "blow_up")],
        "warnings": [],
        "cost": { "trial_iterations": 12, "share_of_planned_run": 0.001 },
    })
}

fn write_report(dir: &Path, report: &Value) {
    fs::write(dir.join("report.json"), report.to_string()).unwrap();
}

#[test]
fn help_is_success_and_names_every_exit_code() {
    let dir = folder();
    for arguments in [&["--help"][..], &["find", "--help"], &["check", "--help"], &["schedule", "-h"]] {
        let (code, stdout, stderr) = run(dir.path(), arguments);
        assert_eq!((code, stderr.as_str()), (0, ""), "{arguments:?}");
        for line in ["  0    ", "  1    ", "  2    ", "  3    ", "  130  "] {
            assert!(stdout.contains(line), "{arguments:?} lacks {line:?}: {stdout}");
        }
    }
    let (code, stdout, _) = run(dir.path(), &["--version"]);
    assert_eq!((code, stdout), (0, format!("lrfind {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn every_shell_can_complete_every_command() {
    let dir = folder();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let (code, script, _) = run(dir.path(), &["completions", shell]);
        assert_eq!(code, 0);
        for word in ["lrfind", "find", "compare", "fail-on"] {
            assert!(script.contains(word), "{shell} does not complete {word}");
        }
    }
    let (code, _, error) = run(dir.path(), &["completions", "tcsh"]);
    assert!(code == 2 && error.contains("possible values: bash"), "{error}");
    // Where there is a bash, it can read the script and answers as it should.
    let question = "source <(\"$0\" completions bash) && COMP_WORDS=(lrfind com) COMP_CWORD=1 && _lrfind lrfind com lrfind && echo \
                    \"${COMPREPLY[*]}\"";
    match std::process::Command::new("bash").args(["-c", question, env!("CARGO_BIN_EXE_lrfind")]).output() {
        Ok(answer) => assert_eq!(String::from_utf8_lossy(&answer.stdout), "compare completions\n", "{answer:?}"),
        Err(error) => eprintln!("skipped, without bash: {error}"),
    }
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let dir = folder();
    let (code, listed, _) = run(dir.path(), &["man", "pages/man1"]);
    assert_eq!(code, 0);
    let (_, help, _) = run(dir.path(), &["--help"]);
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let named = commands.map(|line| line.split_whitespace().next().unwrap()).filter(|name| *name != "help");
    let mut expected: Vec<String> = named.map(|name| format!("pages/man1/lrfind-{name}.1")).collect();
    expected.insert(0, "pages/man1/lrfind.1".to_owned());
    assert_eq!(listed.lines().collect::<Vec<_>>(), expected);
    for file in expected {
        let page = fs::read_to_string(dir.path().join(&file)).unwrap();
        assert!(page.contains(".TH lrfind") && page.contains(".SH SYNOPSIS"), "{file}: {page}");
    }
    let (code, _, error) = run(dir.path(), &["man", "pages/man1/lrfind.1/x"]);
    assert!(code == 2 && error.contains("lrfind.1/x"), "{error}");
}

#[test]
fn wrong_usage_ends_with_2() {
    let dir = folder();
    for arguments in [
        &[][..],
        &["no-such-command"],
        &["find"],
        &["find", "x.toml", "--jobs", "0"],
        &["find", "x.toml", "--range", "1"],
        &["find", "x.toml", "--device", "abacus"],
        &["check", "x.toml", "--fail-on", "anything"],
        &["check", "x.toml", "--margin", "0.5"],
        &["schedule", "report.json", "--format", "cobol"],
    ] {
        let (code, stdout, stderr) = run(dir.path(), arguments);
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(!stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_missing_config_ends_with_2_and_is_named() {
    let dir = folder();
    for command in ["find", "check"] {
        let (code, stdout, stderr) = run(dir.path(), &[command, "nowhere.toml"]);
        assert_eq!((code, stdout.as_str()), (2, ""));
        assert!(stderr.starts_with("error: ") && stderr.contains("nowhere.toml"), "{stderr}");
    }
}

#[test]
fn init_writes_a_config_once() {
    let dir = folder();
    let (code, stdout, _) = run(dir.path(), &["init", "configs/mine.toml"]);
    assert_eq!(code, 0);
    assert!(stdout.contains("lrfind find configs/mine.toml"), "{stdout}");
    let path = dir.path().join("configs/mine.toml");
    let parsed: toml::Table = fs::read_to_string(&path).unwrap().parse().unwrap();
    assert_eq!(parsed["name"].as_str(), Some("mine"));

    fs::write(&path, "kept").unwrap();
    let (code, _, stderr) = run(dir.path(), &["init", "configs/mine.toml"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("--force"), "{stderr}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "kept");

    assert_eq!(run(dir.path(), &["init", "configs/mine.toml", "--force"]).0, 0);
    assert_ne!(fs::read_to_string(&path).unwrap(), "kept");
}

#[test]
fn init_below_a_file_ends_with_2() {
    let dir = folder();
    fs::write(dir.path().join("file"), "").unwrap();
    let (code, _, stderr) = run(dir.path(), &["init", "file/x.toml"]);
    assert_eq!(code, 2);
    assert!(stderr.starts_with("error: cannot create the folder file: "), "{stderr}");
}

#[test]
fn schedule_prints_every_format_from_file_or_folder() {
    let dir = folder();
    write_report(dir.path(), &report());
    for (format, part) in [
        ("text", "9,000  0.0012"),
        ("burn", "LinearLrSchedulerConfig::new(0.12, 0.0012, 9000)"),
        ("pytorch", "LambdaLR("),
        ("keras", "PolynomialDecay("),
        ("optax", "optax.linear_schedule(init_value=0.12, end_value=0.0012, transition_steps=9000)"),
        ("json", "\"decay_iterations\": 9000"),
    ] {
        let (code, stdout, stderr) = run(dir.path(), &["schedule", "report.json", "--format", format]);
        assert_eq!((code, stderr.as_str()), (0, ""), "{format}");
        assert!(stdout.contains(part), "{format}: {stdout}");
        assert_eq!(run(dir.path(), &["schedule", ".", "--format", format]).1, stdout);
    }
}

#[test]
fn schedule_without_a_recommendation_is_inconclusive() {
    let dir = folder();
    let mut report = report();
    report["schedule"] = Value::Null;
    report["recommendation"]["learning_rate"] = Value::Null;
    report["recommendation"]["because"] = json!(["the seeds disagree"]);
    write_report(dir.path(), &report);
    let (code, stdout, stderr) = run(dir.path(), &["schedule", "report.json"]);
    assert_eq!((code, stdout.as_str()), (3, ""));
    assert!(stderr.contains("the seeds disagree"), "{stderr}");
}

#[test]
fn reports_that_cannot_be_read_end_with_2() {
    let dir = folder();
    let mut newer = report();
    newer["schema_version"] = json!(99);
    let mut lacking = report();
    lacking.as_object_mut().unwrap().remove("trials");
    for (text, part) in [
        (newer.to_string(), "schema version 99"),
        (lacking.to_string(), "missing field `trials`"),
        ("{".to_owned(), "not a report of lrfind"),
        (String::new(), "not a report of lrfind"),
    ] {
        fs::write(dir.path().join("report.json"), text).unwrap();
        for command in ["schedule", "plot"] {
            let (code, stdout, stderr) = run(dir.path(), &[command, "report.json"]);
            assert_eq!((code, stdout.as_str()), (2, ""), "{command}");
            assert!(stderr.starts_with("error: report.json: ") && stderr.contains(part), "{stderr}");
        }
    }
    let (code, _, stderr) = run(dir.path(), &["plot", "nowhere.json"]);
    assert_eq!(code, 2);
    assert!(stderr.starts_with("error: cannot read nowhere.json: "), "{stderr}");
    assert_eq!(stderr.matches("No such file").count(), 1, "the reason is given once: {stderr}");
}

#[test]
fn plot_redraws_from_the_report_alone() {
    let dir = folder();
    write_report(dir.path(), &report());
    let (code, stdout, stderr) = run(dir.path(), &["plot", "report.json", "--out", "plots"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.lines().count() >= 1);
    for file in stdout.lines() {
        assert!(file.starts_with("plots/"), "{file}");
        assert!(fs::metadata(dir.path().join(file)).unwrap().len() > 0, "{file}");
    }
    fs::write(dir.path().join("file"), "").unwrap();
    let (code, _, stderr) = run(dir.path(), &["plot", "report.json", "--out", "file/plots"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("file/plots"), "{stderr}");
}

/// With a limit of 0 on the size of files, every write to a file fails as on a full disk.
#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_written_stays_as_it_was() {
    let dir = folder();
    fs::write(dir.path().join("x.toml"), "kept").unwrap();
    let script = r#"trap '' XFSZ; ulimit -f 0 || exit 77; exec "$0" init x.toml --force"#;
    let output = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_lrfind")])
        .current_dir(dir.path())
        .output()
        .unwrap();
    if output.status.code() == Some(77) {
        eprintln!("skipped: this shell cannot limit the size of files");
        return;
    }
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.starts_with("error: cannot write x.toml: "), "{stderr}");
    assert_eq!(fs::read_to_string(dir.path().join("x.toml")).unwrap(), "kept");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file stays behind");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_standard_output_ends_with_2() {
    let dir = folder();
    write_report(dir.path(), &report());
    let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else {
        eprintln!("skipped: this system has no /dev/full");
        return;
    };
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_lrfind"))
        .args(["schedule", "report.json"])
        .current_dir(dir.path())
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("standard output"));
}

#[cfg(unix)]
#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let dir = folder();
    write_report(dir.path(), &report());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_lrfind"))
        .args(["schedule", "report.json"])
        .current_dir(dir.path())
        .stdout(writer)
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0));
}
