//! Scripts as trials: what they may print, how they may fail, and that nothing of them is left behind.
#![cfg(unix)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use common::process::{alive, is_child};
use lrfind::LearningRate;
use lrfind::command::Script;
use lrfind::config::{CommandPlan, Config, parse_any};
use lrfind::record::{Event, Observer, Outcome, Recovery, Silent, TrialRecord, TrialSpec};
use lrfind::schedule::{Decay, Schedule};
use lrfind::trial::{Cancel, Objective, drive};
use tempfile::TempDir;

/// A folder with a shell script in it, and the objective that a config makes of it.
struct Fixture {
    folder: TempDir,
    script: Script,
}

fn plan(folder: &Path, keys: &str) -> CommandPlan {
    let text = format!("[command]\nrun = [\"sh\", \"script.sh\", \"{{lr}}\", \"{{seed}}\", \"{{steps}}\"]\n{keys}");
    match parse_any(&text, &folder.join("x.toml")) {
        Ok(Config::Command(plan)) => plan,
        other => panic!("{other:?}"),
    }
}

impl Fixture {
    /// `body` sees the rate, the seed and the number of steps as `$1`, `$2` and `$3`; `keys` go under `[command]`.
    fn new(body: &str, keys: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("script.sh"), body).unwrap();
        let script = Script::new(&plan(folder.path(), keys)).unwrap();
        Self { folder, script }
    }

    fn trial(&self, steps: u64) -> TrialRecord {
        let spec = TrialSpec::steady(LearningRate::new(0.5).unwrap(), 7, steps);
        drive(&self.script, &[spec], 1, &Cancel::default(), &Silent).remove(0)
    }

    /// The losses of a trial that completes.
    fn losses(&self, steps: u64) -> Vec<f64> {
        let record = self.trial(steps);
        assert_eq!(record.outcome, Outcome::Completed, "{record:?}");
        record.losses
    }

    /// Why a trial failed.
    fn failure(&self, steps: u64) -> String {
        match self.trial(steps).outcome {
            Outcome::Failed { message } => message,
            other => panic!("{other:?}"),
        }
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// The process numbers that a script wrote to this file, once it has.
    fn pids(&self, name: &str, count: usize) -> Vec<u32> {
        let started = Instant::now();
        loop {
            let text = fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
            let pids: Vec<u32> = text.lines().filter_map(|line| line.parse().ok()).collect();
            if pids.len() >= count && text.ends_with('\n') {
                return pids;
            }
            assert!(started.elapsed() < Duration::from_mins(1), "{name}: {text:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Waits until a process that was killed is gone, whoever has to reap it.
#[track_caller]
fn gone(pid: u32) {
    let started = Instant::now();
    while alive(pid) {
        assert!(started.elapsed() < Duration::from_mins(1), "process {pid} still runs");
        std::thread::sleep(Duration::from_millis(5));
    }
}

const COUNT: &str = "i=1; while [ $i -le $3 ]; do echo loss: $i; i=$((i+1)); done";

#[test]
fn rate_seed_and_steps_reach_the_script_where_it_runs() {
    let fixture =
        Fixture::new("echo $* $LIMIT >said; pwd >where; echo loss: 1; echo loss: 2", "environment = { LIMIT = \"{steps}\" }\n");
    assert_eq!(fixture.losses(2), [1.0, 2.0]);
    assert_eq!(fixture.file("said"), "0.5 7 2 2\n");
    let here = fs::canonicalize(fixture.folder.path()).unwrap();
    assert_eq!(fixture.file("where").trim(), here.to_str().unwrap());
}

#[test]
fn a_script_may_read_the_rate_of_each_step_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let run = "run = [\"sh\", \"-c\", \"echo $0 >>names; sed 's/^/loss: /' $0\", \"{rates}\"]";
    let Ok(Config::Command(plan)) = parse_any(&format!("[command]\n{run}\n"), &folder.path().join("x.toml")) else { panic!() };
    let script = Script::new(&plan).unwrap();
    assert!(script.can_change_rate());
    let trial = |spec: TrialSpec| drive(&script, &[spec], 1, &Cancel::default(), &Silent).remove(0);
    let rate = |value| LearningRate::new(value).unwrap();
    let gentle = Recovery { learning_rate: rate(0.125), iterations: 4 };
    let tail = trial(TrialSpec { warmup: 2, recovery: Some(gentle), ..TrialSpec::steady(rate(0.5), 0, 3) });
    assert_eq!(tail.losses, [0.25, 0.5, 0.5, 0.25, 0.125, 0.125, 0.125], "{tail:?}");
    // The losses stand for the probe: the first, that after its own steps, and the last half of the tail.
    let probes: Vec<_> = tail.probe.iter().map(|point| (point.iteration, point.loss)).collect();
    assert_eq!(probes, [(0, Some(0.25)), (3, Some(0.5)), (7, Some(0.125))]);
    let decay = Decay::Linear { final_fraction: 0.0 };
    let schedule = Schedule { decay, warmup_iterations: 0, decay_iterations: 4, iterations_per_epoch: 4 };
    let full = trial(TrialSpec::full(rate(1.0), 0, schedule, 4, 2));
    assert_eq!(full.losses, [1.0, 0.75, 0.5, 0.25]);
    let costs: Vec<_> = full.evaluations.iter().map(|point| (point.iteration, point.train)).collect();
    assert_eq!(costs, [(0, Some(1.0)), (2, Some(0.875)), (4, Some(0.375))]);
    let names = fs::read_to_string(folder.path().join("names")).unwrap();
    assert!(names.lines().count() == 2 && names.lines().all(|name| !Path::new(name).exists()), "{names}");
}

/// Where the disk is slow, a loss is looked at long after it came.
#[test]
fn what_was_said_in_time_counts_however_late_it_is_looked_at() {
    let fixture = Fixture::new("printf 'loss: 1\\nloss: 2\\n'; sleep 60", "timeout = 0.4\nstep-timeout = 0.4\n");
    let spec = TrialSpec::steady(LearningRate::new(0.5).unwrap(), 7, 3);
    let mut run = fixture.script.start(&[spec]).unwrap();
    assert_eq!(run.step(&[0.5]).unwrap(), [1.0]);
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(run.step(&[0.5]).unwrap(), [2.0]);
    assert!(run.step(&[0.5]).is_err());
}

#[test]
fn a_script_may_show_its_loss_on_a_probe_set() {
    let folder = tempfile::tempdir().unwrap();
    let script = |body: &str| {
        fs::write(folder.path().join("script.sh"), body).unwrap();
        let text = "[command]\nrun = [\"sh\", \"script.sh\", \"{lr}\", \"{steps}\", \"{probe}\"]\n";
        let Ok(Config::Command(plan)) = parse_any(text, &folder.path().join("x.toml")) else { panic!() };
        let spec = TrialSpec::steady(LearningRate::new(0.5).unwrap(), 0, 3);
        drive(&Script::new(&plan).unwrap(), &[spec], 1, &Cancel::default(), &Silent).remove(0)
    };
    let record = script("echo probe $3 >told; echo probe: 9; for i in 1 2 3; do echo loss: $i; done; echo probe_loss=0.25\n");
    assert_eq!(fs::read_to_string(folder.path().join("told")).unwrap(), "probe 0,3\n");
    assert_eq!((record.outcome, record.losses), (Outcome::Completed, vec![1.0, 2.0, 3.0]));
    let probes: Vec<_> = record.probe.iter().map(|point| (point.iteration, point.loss)).collect();
    assert_eq!(probes, [(0, Some(9.0)), (3, Some(0.25))]);

    for (body, part) in [
        ("for i in 1 2 3; do echo loss: $i; done\n", "printed no loss of a probe before the first step: print a line"),
        ("echo probe: 9; for i in 1 2 3; do echo loss: $i; done\n", "printed no loss of a probe after 3 of 3 losses"),
        ("echo probe: 9; for i in 1 2 3; do echo loss: $i; done; exit 4\n", "the script failed (exit code 4) after 3 of 3"),
    ] {
        let Outcome::Failed { message } = script(body).outcome else { panic!("{body}") };
        assert!(message.contains(part), "{message}");
    }
    // What is not finite on the probe set alone is no divergence of the training loss, and is kept as what it is.
    let record = script("echo probe: 9; for i in 1 2 3; do echo loss: $i; done; echo probe: nan\n");
    assert_eq!((record.outcome, record.probe[1].loss), (Outcome::Completed, None));
}

#[test]
fn a_script_without_that_file_keeps_its_rate() {
    let fixture = Fixture::new(COUNT, "");
    let rate = LearningRate::new(0.5).unwrap();
    let schedule = |decay| Schedule { decay, warmup_iterations: 0, decay_iterations: 4, iterations_per_epoch: 4 };
    let run = |decay| {
        let spec = TrialSpec::full(rate, 0, schedule(decay), 4, 2);
        drive(&fixture.script, &[spec], 1, &Cancel::default(), &Silent).remove(0)
    };
    let steady = run(Decay::Constant);
    let costs: Vec<_> = steady.evaluations.iter().map(|point| (point.iteration, point.train)).collect();
    assert_eq!(costs, [(0, Some(1.0)), (2, Some(1.5)), (4, Some(3.5))]);
    assert!(steady.probe.is_empty());
    let Outcome::Failed { message } = run(Decay::Linear { final_fraction: 0.0 }).outcome else { panic!() };
    assert_eq!(message, "a script without `{rates}` runs at the one rate that it is given");
}

#[test]
fn a_shell_reads_the_command_where_it_is_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[command]\nshell = true\nrun = \"for i in 1 2 3; do echo loss: $i; done | sed 's/3/{lr}/'\"\n";
    let Ok(Config::Command(plan)) = parse_any(text, &folder.path().join("x.toml")) else { panic!("{text}") };
    let spec = TrialSpec::steady(LearningRate::new(0.5).unwrap(), 0, 3);
    let record = drive(&Script::new(&plan).unwrap(), &[spec], 1, &Cancel::default(), &Silent).remove(0);
    assert_eq!(record.losses, [1.0, 2.0, 0.5], "{record:?}");
}

#[test]
fn progress_bars_line_ends_and_rubbish_are_survived() {
    let body = r"printf '  0%%|   | loss=9\r 50%%|== | loss=8\r'
printf 'loss: 1\r\n'
printf '\377\376\000rubbish\n' ; echo 'loss: 77' >&2
printf '\r100%%|===| loss=7\r\nloss: 3'";
    assert_eq!(Fixture::new(body, "").losses(3), [1.0, 7.0, 3.0]);
}

#[test]
fn losses_may_come_on_either_stream() {
    let body = "echo loss: 1 >&2; echo loss: 2 >&2; echo done";
    assert_eq!(Fixture::new(body, "stream = \"stderr\"\n").losses(2), [1.0, 2.0]);
    assert_eq!(Fixture::new(body, "stream = \"both\"\n").losses(2), [1.0, 2.0]);
    let message = Fixture::new(body, "").failure(2);
    assert!(message.contains("write `stream = \"stderr\"`"), "{message}");
}

#[test]
fn both_streams_are_drained_however_much_comes() {
    // 4 MiB on each, which no pipe holds.
    let noise = "head -c 4194304 /dev/zero | tr '\\0' x";
    let body = format!("{noise} >&2 & {noise}; echo; wait; echo loss: 1; {noise}; echo; echo loss: 2");
    assert_eq!(Fixture::new(&body, "").losses(2), [1.0, 2.0]);
}

#[test]
fn what_is_not_finite_is_divergence_and_ends_the_script() {
    for spelling in ["nan", "NaN", "-nan", "-nan(ind)", "1.#QNAN", "-1.#IND", "inf", "-inf", "Infinity", "1.#INF"] {
        let fixture = Fixture::new(&format!("echo $$ >pid; echo loss: 2; echo 'loss: {spelling}'; sleep 600"), "");
        let record = fixture.trial(5);
        assert!(matches!(record.outcome, Outcome::Diverged { step: 1, .. }), "{spelling}: {record:?}");
        assert_eq!(record.losses, [2.0]);
        assert!(!alive(fixture.pids("pid", 1)[0]), "{spelling}");
    }
    let json = Fixture::new("echo '{\"loss\": 2}'; echo '{\"loss\": null}'; exit 1", "loss = \"json\"\n");
    assert!(matches!(json.trial(5).outcome, Outcome::Diverged { step: 1, .. }));
}

#[test]
fn a_crash_is_told_from_divergence() {
    let crash = Fixture::new("echo loss: 1; echo Traceback >&2; echo 'KeyError: 3' >&2; exit 3", "").failure(5);
    assert!(crash.starts_with("the script failed (exit code 3) after 1 of 5 losses; if this is how"), "{crash}");
    assert!(crash.ends_with("`diverged` of [command]\n  | Traceback\n  | KeyError: 3"), "{crash}");
    let early = Fixture::new("echo 'KeyError: 3' >&2; exit 3", "").failure(5);
    assert_eq!(early, "the script failed (exit code 3) after 0 of 5 losses\n  | KeyError: 3");
    let after = Fixture::new("echo loss: 1; echo loss: nan; exit 3", "").trial(5);
    assert!(matches!(after.outcome, Outcome::Diverged { step: 1, .. }), "{after:?}");
    let killed = Fixture::new("echo loss: 1; kill -9 $$", "").failure(5);
    assert_eq!(killed, "the script failed (signal 9) after 1 of 5 losses\n  | loss: 1");
}

#[test]
fn a_crash_may_be_declared_to_be_divergence() {
    let body = "echo loss: 1; echo 'FloatingPointError: overflow in multiply' >&2; exit 1";
    let message = Fixture::new(body, "").failure(5);
    assert!(message.contains("put a part of that line into `diverged`"), "{message}");
    let record = Fixture::new(body, "diverged = [\"FloatingPointError\"]\n").trial(5);
    assert!(matches!(record.outcome, Outcome::Diverged { step: 1, .. }), "{record:?}");
    // What it says while all goes well counts for nothing.
    let fine = Fixture::new("echo FloatingPointError; echo loss: 1; echo loss: 2", "diverged = [\"FloatingPointError\"]\n");
    assert_eq!(fine.losses(2), [1.0, 2.0]);
}

#[test]
fn what_is_missing_is_named() {
    let few = Fixture::new("echo loss: 1; echo loss: 2; echo bye", "").failure(5);
    assert_eq!(
        few,
        "the script ended (exit code 0) after 2 of 5 losses: it must print one for each step\n  | loss: 1\n  | loss: 2\n  | bye"
    );
    let none = Fixture::new("echo accuracy 0.5", "").failure(5);
    assert!(none.contains("printed no loss (exit code 0); print a line such as `loss: 0.53`"), "{none}");
    let other = Fixture::new("echo accuracy 0.5", "loss = \"json\"\n").failure(5);
    assert!(other.contains("printed no loss (exit code 0); no line has what `loss` in [command] describes"), "{other}");
    let overwritten = Fixture::new("printf 'loss: 1\\rloss: 2\\rloss: 3'", "").failure(3);
    assert!(overwritten.contains("after 1 of 3 losses") && overwritten.contains("carriage return"), "{overwritten}");
    let nothing = Fixture::new(":", "").failure(5);
    assert_eq!(nothing, "the script printed no loss (exit code 0), and nothing else");
    let folder = tempfile::tempdir().unwrap();
    let mut missing = plan(folder.path(), "");
    let spec = TrialSpec::steady(LearningRate::new(0.5).unwrap(), 0, 3);
    let mut failure = |program: &str| {
        missing.command.run[0] = lrfind::config::Template::literal(program);
        match drive(&Script::new(&missing).unwrap(), &[spec], 1, &Cancel::default(), &Silent).remove(0).outcome {
            Outcome::Failed { message } => message,
            other => panic!("{other:?}"),
        }
    };
    let message = "cannot run `no-such-program`: there is no such program, here or on the PATH";
    assert_eq!(failure("no-such-program"), message);
    for (first_line, executable, why) in [
        ("#!/no/such/interpreter", true, "the interpreter that its first line names is not there"),
        ("echo loss: 1", true, "nor begins with a line such as `#!/bin/sh`"),
        ("#!/bin/sh", false, "is it executable?"),
    ] {
        let path = folder.path().join("script");
        fs::write(&path, first_line).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(if executable { 0o755 } else { 0o644 })).unwrap();
        let message = failure("./script");
        assert!(message.starts_with("cannot run `./script`: ") && message.contains(why), "{message}");
    }
    missing.command.directory = folder.path().join("no-such-folder");
    assert!(Script::new(&missing).unwrap_err().to_string().contains("no-such-folder"));
}

#[test]
fn half_a_number_of_a_script_that_was_cut_off_is_no_loss() {
    let message = Fixture::new("echo loss: 1; printf 'loss: 0.5'; kill -9 $$", "").failure(2);
    assert!(message.contains("after 1 of 2 losses"), "{message}");
    assert_eq!(Fixture::new("echo loss: 1; printf 'loss: 0.5'", "").losses(2), [1.0, 0.5]);
}

#[test]
fn time_limits_end_scripts_that_hang() {
    let silent = Fixture::new("echo $$ >pid; echo loss: 1; sleep 600", "step-timeout = 0.3\n");
    let message = silent.failure(5);
    assert!(message.starts_with("no loss came for 0.3 seconds after 1 of 5 losses: see `step-timeout`"), "{message}");
    assert!(!alive(silent.pids("pid", 1)[0]));
    let slow = Fixture::new("while :; do echo loss: 1; sleep 0.05; done", "timeout = 0.5\n");
    let message = slow.failure(1000);
    assert!(message.contains("took more than 0.5 seconds") && message.contains("see `timeout`"), "{message}");
    let closed = Fixture::new("exec >&- 2>&-; sleep 600", "step-timeout = 0.3\n").failure(5);
    assert!(closed.contains("no loss came for 0.3 seconds"), "{closed}");
}

#[test]
fn nothing_is_left_of_a_script_that_is_ended() {
    // The script and a child of its own; both ignore the request to end.
    let stubborn = "trap '' TERM; echo $$ >>pid; (trap '' TERM; sh -c 'echo $$ >>pid; exec sleep 600') & \
                    while [ $(wc -l <pid) -lt 2 ]; do sleep 0.01; done; echo loss: nan; sleep 600; sleep 600";
    let fixture = Fixture::new(stubborn, "");
    assert!(matches!(fixture.trial(5).outcome, Outcome::Diverged { step: 0, .. }));
    let pids = fixture.pids("pid", 2);
    assert_eq!(pids.len(), 2);
    assert!(!alive(pids[0]));
    gone(pids[1]);
}

#[test]
fn what_a_script_leaves_running_does_not_hold_the_trial() {
    // The child keeps both pipes open for ten minutes.
    let fixture =
        Fixture::new("sh -c 'echo $$ >pid; exec sleep 600' & while [ ! -s pid ]; do sleep 0.01; done; echo loss: 1", "");
    let message = fixture.failure(2);
    assert!(message.contains("after 1 of 2 losses"), "{message}");
    gone(fixture.pids("pid", 1)[0]);
}

#[test]
fn a_script_that_knows_its_steps_may_put_its_affairs_in_order() {
    let fixture = Fixture::new(&format!("{COUNT}; sleep 0.05; echo saved >saved"), "");
    assert_eq!(fixture.losses(3), [1.0, 2.0, 3.0]);
    assert_eq!(fixture.file("saved"), "saved\n");
}

/// Its shell ends at once, and it speaks before it saves.
#[test]
fn a_script_behind_a_shell_may_put_its_affairs_in_order_too() {
    let body = "cat >inner.sh <<'END'\ntrap 'echo saving; sleep 0.3; echo yes >saved; exit' TERM\necho loss: 1\necho loss: nan\n\
                while :; do sleep 0.01; done\nEND\nsh inner.sh\necho end\n";
    let fixture = Fixture::new(body, "");
    assert!(matches!(fixture.trial(9).outcome, Outcome::Diverged { step: 1, .. }));
    assert_eq!(fixture.file("saved"), "yes\n");
}

#[test]
fn a_script_that_prints_more_than_is_asked_loses_nothing() {
    let endless = Fixture::new("echo $$ >pid; i=1; while :; do echo loss: $i; i=$((i+1)); done", "");
    assert_eq!(endless.losses(4), [1.0, 2.0, 3.0, 4.0]);
    assert!(!alive(endless.pids("pid", 1)[0]));
}

#[test]
fn a_script_that_says_nothing_can_be_interrupted() {
    let fixture = Fixture::new("echo $$ >pid; sleep 600", "");
    let cancel = Cancel::default();
    let spec = TrialSpec::steady(LearningRate::new(0.5).unwrap(), 0, 3);
    let record = std::thread::scope(|scope| {
        let trial = scope.spawn(|| drive(&fixture.script, &[spec], 1, &cancel, &Silent).remove(0));
        fixture.pids("pid", 1);
        cancel.cancel();
        trial.join().unwrap()
    });
    assert_eq!(record.outcome, Outcome::Cancelled);
    assert!(!alive(fixture.pids("pid", 1)[0]));
}

#[test]
fn a_run_that_is_dropped_takes_its_script_with_it() {
    let fixture = Fixture::new("echo $$ >pid; sleep 600", "");
    let spec = TrialSpec::steady(LearningRate::new(0.5).unwrap(), 0, 3);
    let run = fixture.script.start(&[spec]).unwrap();
    let pid = fixture.pids("pid", 1)[0];
    assert!(alive(pid));
    drop(run);
    assert!(!alive(pid));
}

#[test]
fn hundreds_of_ended_scripts_leave_no_zombies() {
    let fixture = Fixture::new("echo $$ >>pids; echo loss: nan; sleep 600", "");
    let specs: Vec<TrialSpec> = (0..200).map(|seed| TrialSpec::steady(LearningRate::new(0.5).unwrap(), seed, 3)).collect();
    let records = drive(&fixture.script, &specs, 1, &Cancel::default(), &Silent);
    assert!(records.iter().all(|record| matches!(record.outcome, Outcome::Diverged { step: 0, .. })));
    let pids = fixture.pids("pids", 200);
    let left: Vec<u32> = pids.into_iter().filter(|&pid| alive(pid) || is_child(pid)).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn devices_and_threads_are_shared_out() {
    let keys = "devices = [\"gpu-a\", \"gpu-b\"]\nthreads = 3\nenvironment = { CARD = \"{device}\" }\n";
    let fixture =
        Fixture::new("echo $CARD $OMP_NUM_THREADS $MKL_NUM_THREADS >>cards; echo loss: 1; sleep 0.2; echo loss: 2", keys);
    let spec = |seed| TrialSpec::steady(LearningRate::new(0.5).unwrap(), seed, 2);
    std::thread::scope(|scope| {
        let first = fixture.script.start(&[spec(0)]).unwrap();
        let second = scope.spawn(|| drive(&fixture.script, &[spec(1)], 1, &Cancel::default(), &Silent).remove(0));
        assert_eq!(second.join().unwrap().outcome, Outcome::Completed);
        drop(first);
    });
    assert_eq!(fixture.losses(2), [1.0, 2.0]);
    let mut cards: Vec<String> = fixture.file("cards").lines().map(str::to_owned).collect();
    assert_eq!(cards.pop().as_deref(), Some("gpu-a 3 3"), "the first is free again");
    assert!(cards.contains(&"gpu-b 3 3".to_owned()), "{cards:?}");
}

#[test]
fn losses_arrive_while_the_script_runs() {
    struct FirstProgress(mpsc::Sender<()>);
    impl Observer for FirstProgress {
        fn observe(&self, event: &Event<'_>) {
            if matches!(event, Event::Progress { .. }) {
                // Nobody listens any more after the first.
                let _ = self.0.send(());
            }
        }
    }
    // It goes on only when it is told that its first losses were taken.
    let fixture = Fixture::new(
        "i=0; while [ $i -lt 20 ]; do echo loss: 1; i=$((i+1)); done; while [ ! -e go ]; do sleep 0.01; done; echo loss: 2",
        "",
    );
    let (sender, receiver) = mpsc::channel();
    let observer = FirstProgress(sender);
    let spec = TrialSpec::steady(LearningRate::new(0.5).unwrap(), 0, 21);
    std::thread::scope(|scope| {
        let trial = scope.spawn(|| drive(&fixture.script, &[spec], 1, &Cancel::default(), &observer).remove(0));
        receiver.recv_timeout(Duration::from_mins(1)).unwrap();
        fs::write(fixture.folder.path().join("go"), "").unwrap();
        assert_eq!(trial.join().unwrap().outcome, Outcome::Completed);
    });
}

#[test]
fn what_a_trial_had_done_before_it_failed_is_kept_and_counted() {
    let fixture = Fixture::new("echo loss: 3; echo loss: 2; echo broken >&2; exit 1", "");
    let record = fixture.trial(5);
    assert!(record.outcome.failure().is_some_and(|message| message.contains("broken")), "{record:?}");
    assert_eq!((record.losses.as_slice(), record.cost()), ([3.0, 2.0].as_slice(), 2));
}
