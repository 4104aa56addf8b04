//! `lrfind` on training scripts, as a user runs it.
#![cfg(unix)]

mod common;

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::cli::{Folder, Ran};
use common::process::alive;
use serde_json::Value;

/// The example that needs nothing but awk. Its threshold is 2 / 20 = 0.1.
fn awk(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/command").join(name)).unwrap()
}

/// A folder with the awk script and its config.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("train.awk", awk("train.awk"));
    folder.write("awk.toml", awk("awk.toml"));
    folder
}

/// A folder with a shell script and a config that runs it; `$1`, `$2` and `$3` are the rate, the seed and the number of steps.
fn with_script(body: &str) -> Folder {
    let folder = Folder::new();
    folder.write("script.sh", body);
    let run =
        "[command]\nrun = [\"sh\", \"script.sh\", \"{lr}\", \"{seed}\", \"{steps}\"]\njobs = 2\n[search]\niterations = 10\n";
    folder.write("x.toml", run);
    folder
}

/// Prints as many losses as asked, each the value of an awk expression in `lr`, `seed` and the step `k`.
fn losses(expression: &str) -> String {
    format!("awk -v lr=$1 -v seed=$2 -v n=$3 'BEGIN {{ for (k = 0; k < n; k++) print \"loss:\", {expression} }}'")
}

fn warnings(report: &Value) -> Vec<&str> {
    report["warnings"].as_array().unwrap().iter().map(|warning| warning["code"].as_str().unwrap()).collect()
}

#[test]
fn finds_the_threshold_of_a_script_whatever_the_number_of_jobs() {
    let folder = folder();
    let ran = folder.lrfind("find awk.toml --quiet --jobs 2 --out a").ends_with(0);
    assert!(ran.stdout.contains("recommended learning rate") && ran.stdout.contains("next            lrfind check awk.toml"));
    let report = folder.report("a");
    let threshold = report["instability"]["threshold"].as_f64().unwrap();
    assert!((0.08..0.125).contains(&threshold), "{threshold}");
    let rate = report["recommendation"]["learning_rate"].as_f64().unwrap();
    assert!((0.02..0.08).contains(&rate), "{rate}");
    assert_eq!((report["device"].as_str(), report["schedule"]["decay_iterations"].as_u64()), (Some("command"), Some(10_000)));
    assert_eq!(report["config"]["command"]["run"][2], "rates={rates}");
    assert_eq!(warnings(&report), [] as [&str; 0], "{report}");
    folder.lrfind("find awk.toml --quiet --jobs 1 --out b").ends_with(0);
    assert_eq!(folder.files("a")["report.json"], folder.files("b")["report.json"]);
    // However many scripts run at a time, each is told to use as many threads.
    let ran = folder.lrfind("find awk.toml --jobs 3 --out a").ends_with(0);
    let said: Vec<&str> = ran.stderr.lines().find(|line| line.starts_with("reused ")).unwrap().split(' ').collect();
    assert_eq!(said[1], said[3], "{ran:?}");
}

#[test]
fn judges_the_rate_of_a_script() {
    let folder = folder();
    folder.lrfind("check awk.toml --quiet").ends_with(0);
    assert_eq!(folder.report("reports/awk-check")["check"]["verdict"], "safe");
    let ran = folder.lrfind("check awk.toml --lr 0.2 --format github --quiet").ends_with(1);
    assert!(ran.stdout.starts_with("::error title=lrfind%3A learning rate unstable,file=awk.toml,line="), "{ran:?}");
    let marginal = folder.lrfind("check awk.toml --lr 0.085 --quiet").ends_with(1);
    assert!(marginal.stdout.starts_with("TOO CLOSE"), "{marginal:?}");
}

#[test]
fn needs_no_config() {
    let folder = folder();
    let script = "-- awk -v lr={lr} -v seed={seed} -v steps={steps} -f train.awk";
    let ran = folder.lrfind(&format!("find --seeds 2 --planned 5000 --range 1e-3 1 {script}")).ends_with(0);
    assert!(ran.stderr.starts_with("train: `awk -v lr={lr}"), "{ran:?}");
    let report = folder.report("reports/train");
    assert_eq!(report["schedule"]["decay_iterations"], 5000);
    assert!((0.08..0.125).contains(&report["instability"]["threshold"].as_f64().unwrap()));
    folder.lrfind(&format!("check --lr 0.3 --quiet {script}")).ends_with(1);
    assert!(folder.path("reports/train-check/report.json").exists());
    folder.lrfind(&format!("check {script}")).ends_with(2).complains_of(&["no learning rate to check: give --lr"]);
    folder.lrfind("find awk.toml -- awk").ends_with(2).complains_of(&["cannot be used with"]);
    folder.lrfind("find").ends_with(2).complains_of(&["CONFIG"]);
    folder.lrfind("find --lr-flag --rate awk.toml").ends_with(2).complains_of(&["'--lr-flag <FLAG>' cannot be used with"]);
}

#[test]
fn flags_are_appended_where_there_are_no_placeholders() {
    let folder = with_script(&format!(
        "echo \"$@\" >>said; set -- \"$2\" \"${{3#*=}}\" \"$5\"; {}",
        losses("(1 - lr * 3) ^ (2 * k) + seed / 100")
    ));
    let ran = folder.lrfind("find --dry-run --lr-flag --rate --seed-flag seed= --steps-flag -n -- sh script.sh").ends_with(0);
    assert!(ran.stdout.starts_with("script: `sh script.sh --rate {lr} seed={seed} -n {steps}`; optimiser not told"), "{ran:?}");
    folder.lrfind("find --quiet --seeds 1 --lr-flag --rate --seed-flag seed= --steps-flag -n -- sh script.sh").ends_with(0);
    let said = fs::read_to_string(folder.path("said")).unwrap();
    assert!(said.lines().any(|line| line == "--rate 0.01 seed=0 -n 100"), "{said}");
}

#[test]
fn a_script_that_ignores_its_rate_is_an_error() {
    let folder = with_script(&losses("1 / (k + 1 + seed)"));
    let ran = folder.lrfind("find x.toml --quiet").ends_with(2);
    let ran = ran.complains_of(&["the losses are the same at every rate from 1e-5 to 1: the script ignores its learning rate"]);
    assert!(ran.stdout.is_empty() && !folder.path("reports/x/report.json").exists());
    folder.lrfind("check x.toml --lr 0.1 --quiet").ends_with(2).complains_of(&["the script ignores its learning rate"]);
}

#[test]
fn a_script_whose_rates_differ_no_more_than_chance_is_an_error() {
    // How many trials there were before decides.
    let chance = losses("1 / (k + 1) + 0.1 * sin(seed * 12.9898 + k * k)");
    let folder = with_script(&format!("echo >>count; set -- $1 $(wc -l <count) $3; {chance}"));
    let ran = folder.lrfind("find x.toml --quiet --jobs 1 --iterations 100").ends_with(2);
    ran.complains_of(&[
        "from 1e-5 to ",
        "differ no more than those of the same rate and seed: the script ignores its learning rate",
    ]);
    assert!(!folder.path("reports/x/report.json").exists());
}

#[test]
fn a_script_that_ignores_its_seed_earns_a_warning() {
    let folder = with_script(&losses("(1 - lr * 3) ^ (2 * k)"));
    folder.lrfind("find x.toml --quiet").ends_with(0);
    assert_eq!(warnings(&folder.report("reports/x")), ["seed-ignored"]);
}

#[test]
fn a_script_that_cannot_be_reproduced_earns_a_warning() {
    // How many trials there were before decides.
    let folder =
        with_script(&format!("echo >>count; set -- $1 $(wc -l <count) $3; {}", losses("(1 - lr * 3) ^ (2 * k) + seed / 1e2")));
    folder.lrfind("find x.toml --quiet --jobs 1").ends_with(0);
    assert!(warnings(&folder.report("reports/x")).contains(&"not-reproducible"));
    folder.lrfind("check x.toml --lr 0.1 --quiet --jobs 1");
    assert!(warnings(&folder.report("reports/x-check")).contains(&"not-reproducible"));
    // The rate that falls over the number of steps is no constant one.
    let folder = with_script(&losses("(1 - lr * (1 - k / n)) ^ 2 + seed / 1e2"));
    folder.lrfind("find x.toml --quiet --iterations 20 --range 0.1 1");
    assert!(warnings(&folder.report("reports/x")).contains(&"not-reproducible"));
}

#[test]
fn a_command_without_a_seed_earns_a_warning() {
    let folder = folder();
    folder.write("awk.toml", awk("awk.toml").replace("seed={seed}", "seed=1"));
    folder.lrfind("check awk.toml --quiet").ends_with(0);
    assert_eq!(warnings(&folder.report("reports/awk-check")), ["no-seed", "seed-ignored"]);
}

#[test]
fn a_script_that_never_works_is_given_up_soon() {
    let folder = with_script("echo x >>count; echo 'ModuleNotFoundError: torch' >&2; exit 1");
    let ran = folder.lrfind("find x.toml --quiet").ends_with(2);
    ran.complains_of(&[
        "error: no trial could be run: the script failed (exit code 1) after 0 of 10 losses\n  | ModuleNotFoundError: torch\n",
    ]);
    // Three that fail, and those that had begun by then.
    assert!(fs::read_to_string(folder.path("count")).unwrap().lines().count() <= 5);
    let none = folder.lrfind("check --lr 0.1 --quiet -- no-such-program").ends_with(2);
    none.complains_of(&["cannot run `no-such-program`: there is no such program, here or on the PATH"]);
    folder.write("y.toml", "[command]\nrun = [\"a\", \"{lr}\"]\ndirectory = \"missing\"\n");
    folder.lrfind("find y.toml").ends_with(2).complains_of(&["y.toml: there is no folder missing"]);
}

#[test]
fn a_rerun_makes_only_what_is_missing() {
    let body = format!("echo >>count; {}", losses("(1 - lr * 3) ^ (2 * k) + seed / 1e4"));
    let folder = with_script(&body);
    let count = || fs::read_to_string(folder.path("count")).unwrap().lines().count();
    folder.lrfind("find x.toml --out a").ends_with(0);
    let report = || folder.report("a");
    let (made, first) = (count(), report());
    folder.lrfind("find x.toml --out a").ends_with(0).complains_of(&[&format!("reused {made} of {made} trials")]);
    assert_eq!((count(), report()), (made, first.clone()));
    // Another script is another training.
    folder.write("script.sh", format!("{body} # changed"));
    let ran = folder.lrfind("find x.toml --out a").ends_with(0);
    ran.complains_of(&["of the same rates and seeds are kept from earlier runs", "script have changed since: they run anew"]);
    let again = report();
    assert_ne!(again["inputs_sha256"], first["inputs_sha256"]);
    assert_eq!((count(), &again["trials"]), (2 * made, &first["trials"]));
}

#[test]
fn what_a_script_depends_on_is_watched_where_it_is_told() {
    let folder = with_script(&format!("echo >>count; factor=$(cat factor); {}", losses("(1 - lr * 3) ^ (2 * k) + seed / 1e4")));
    let config = fs::read_to_string(folder.path("x.toml")).unwrap();
    folder.write("x.toml", config.replace("jobs = 2", "jobs = 2\ndepends = [\"factor\"]"));
    folder.lrfind("find x.toml").ends_with(2).complains_of(&["x.toml: there is no file or folder ./factor: see `depends`"]);
    folder.write("factor", "1");
    let count = || fs::read_to_string(folder.path("count")).unwrap().lines().count();
    folder.lrfind("find x.toml --quiet").ends_with(0);
    let made = count();
    folder.lrfind("find x.toml --quiet").ends_with(0);
    assert_eq!(count(), made);
    folder.write("factor", "2");
    folder.lrfind("find x.toml --quiet").ends_with(0);
    assert_eq!(count(), 2 * made);
}

#[test]
fn what_a_script_cannot_do_is_said() {
    let folder = folder();
    folder.write("awk.toml", awk("awk.toml").replace("rates={rates}", "lr={lr}"));
    let refused = folder.lrfind("sweep awk.toml").ends_with(2);
    refused.complains_of(&["awk.toml: a range test raises the rate at every step", "from the file `{rates}`", "`lrfind find`"]);
    folder.lrfind("find awk.toml --device flex").ends_with(2).complains_of(&["see `devices` in [command]"]);
    let script = "-- awk -v lr={lr} -v seed={seed} -v steps={steps} -f train.awk";
    folder.lrfind(&format!("find --quiet {script}")).ends_with(0);
    folder.lrfind(&format!("verify {script}")).ends_with(2).complains_of(&["how long is a full run?", "--planned"]);
}

fn verification(folder: &Folder, dir: &str) -> Value {
    serde_json::from_slice(&fs::read(folder.path(dir).join("verify.json")).unwrap()).unwrap()
}

#[test]
fn a_script_that_reads_its_rates_does_all_that_a_model_does() {
    let folder = folder();
    let ran = folder.lrfind("verify awk.toml --fraction 0.2 --seeds 2").ends_with(0).complains_of(&["comes first", "finished"]);
    assert!(ran.stdout.starts_with("HELD") && ran.stdout.contains("printed in its last 50 steps"), "{ran:?}");
    let report = folder.report("reports/awk");
    let recovered = |trial: &Value| !trial["recovery"].is_null();
    assert!(report["trials"].as_array().unwrap().iter().any(recovered), "long trials have a tail");
    let found = verification(&folder, "reports/awk");
    assert_eq!((&found["run"]["costs_of"], &found["run"]["iterations"]), (&"steps".into(), &2000.into()));
    assert_eq!((&found["run"]["schedule"]["decay"]["kind"], &found["warnings"]), (&"linear".into(), &Value::Array(vec![])));
    let costs = found["rates"][0]["runs"][0]["training_costs"].as_array().unwrap();
    assert!(costs.len() == 41 && costs[40].as_f64() < costs[0].as_f64(), "{costs:?}");
    // Half the seeds are there already.
    let ran = folder.lrfind("verify awk.toml --fraction 0.2 --seeds 4").ends_with(0);
    let runs = found["rates"].as_array().unwrap().len() * 2;
    ran.complains_of(&[&format!("{runs} of them kept from before"), &format!("reused {runs} of {} trials", 2 * runs)]);
    // A changed script may be another one, or the same with a word more about it.
    let body = String::from_utf8(fs::read(folder.path("train.awk")).unwrap()).unwrap();
    folder.write("train.awk", format!("{body}\n# a word more\n"));
    let ran = folder.lrfind("verify awk.toml --fraction 0.2 --seeds 1 --dry-run").ends_with(0);
    ran.complains_of(&["the script, or what it depends on, has changed since"]);
    let ran = folder.lrfind("sweep awk.toml").ends_with(0);
    assert!(ran.stdout.starts_with("range test of awk: 1e-7 to 10 in 100 iterations"), "{ran:?}");
    let ramp: Value = serde_json::from_slice(&folder.files("reports/awk")["range-test.json"]).unwrap();
    let rates = ramp["ramp"]["learning_rates"].as_array().unwrap();
    let losses = ramp["ramps"][0]["losses"].as_array().unwrap();
    // At first the rate is too low to change anything, and in the end far above the threshold, 0.1.
    assert!((rates.len(), losses.len()) == (100, 100) && losses[99].as_f64() > losses[0].as_f64(), "{ramp}");
}

#[test]
fn full_runs_of_a_script_at_a_steady_rate_say_so() {
    let folder = folder();
    let script = "--planned 1000 -- awk -v lr={lr} -v seed={seed} -v steps={steps} -f train.awk";
    folder.lrfind(&format!("find --quiet {script}")).ends_with(0);
    let ran = folder.lrfind(&format!("verify --quiet --seeds 1 --lr 0.01 {script}")).ends_with(0);
    assert!(
        ran.stdout.replace("\n                ", " ").contains("have the script read the rate of each step from"),
        "{ran:?}"
    );
    let found = verification(&folder, "reports/train");
    assert_eq!((&found["run"]["schedule"]["decay"]["kind"], &found["run"]["iterations"]), (&"constant".into(), &1000.into()));
    assert_eq!(warnings(&found), ["steady-runs"]);
    // A rate far above the threshold fails here too.
    let ran = folder.lrfind(&format!("verify --quiet --seeds 1 --lr 0.01 --lr 0.3 --timing t.json {script}")).ends_with(0);
    assert!(ran.stdout.contains("1 of 1"), "{ran:?}");
    assert!(folder.path("t.json").exists());
    // Another command is another training, and so is another line that a script is sent.
    let stays = |line: &str| {
        let run = format!("run = [\"awk\", \"-f\", \"train.awk\"]\nsend = \"{line}\"\n");
        folder.write("stays.toml", format!("[command]\n{run}[training]\niterations = 1000\n"));
    };
    stays("{lr} {seed} {steps}");
    let named = folder.lrfind("verify stays.toml --report reports/train --dry-run").ends_with(2);
    named.complains_of(&["command.send is null in the report"]);
    let other =
        "verify --planned 1000 --report reports/train -- awk -v lr={lr} -v seed={seed} -v steps={steps} -v x=1 -f train.awk";
    folder.lrfind(other).ends_with(2).complains_of(&["command.run is ["]);
}

#[test]
fn init_writes_a_config_for_a_script() {
    let folder = Folder::new();
    folder.lrfind("init --command mine.toml").ends_with(0);
    let ran = folder.lrfind("find mine.toml --dry-run").ends_with(0);
    assert!(ran.stdout.starts_with("mine: `python train.py --lr {lr} --seed {seed} --steps {steps}`"), "{ran:?}");
}

/// The program at work.
fn at_work(folder: &Folder) -> Child {
    folder.command().args(["find", "x.toml"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The process numbers that the first two scripts have written.
fn pids(folder: &Folder) -> Vec<u32> {
    let started = Instant::now();
    loop {
        let text = fs::read_to_string(folder.path("pids")).unwrap_or_default();
        let pids: Vec<u32> = text.lines().filter_map(|line| line.parse().ok()).collect();
        if pids.len() >= 2 && text.ends_with('\n') {
            return pids;
        }
        assert!(started.elapsed() < Duration::from_mins(1), "{text:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn signal(pid: u32, name: &str) {
    assert!(Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status().unwrap().success());
}

/// Waits for processes that nobody is left to wait for.
fn all_gone(pids: &[u32]) {
    let started = Instant::now();
    while pids.iter().any(|&pid| alive(pid)) {
        assert!(started.elapsed() < Duration::from_mins(1), "{pids:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn an_interrupted_search_leaves_no_script_behind() {
    for name in ["INT", "TERM"] {
        let folder = with_script("echo loss: 1; echo $$ >>pids; sleep 600");
        let child = at_work(&folder);
        let pids = pids(&folder);
        signal(child.id(), name);
        let ran = Ran::of(&child.wait_with_output().unwrap()).ends_with(130);
        ran.complains_of(&["interrupted"]);
        all_gone(&pids);
        assert_eq!(folder.report("reports/x")["status"], "partial");
    }
}

#[test]
fn an_impatient_user_leaves_no_script_behind_either() {
    // The scripts ignore the request to end, so that the second signal comes while the first is obeyed.
    let folder = with_script("trap '' TERM INT; echo $$ >>pids; while :; do sleep 1; done");
    let mut child = at_work(&folder);
    let pids = pids(&folder);
    signal(child.id(), "INT");
    let mut said = [0; 11];
    let stderr = child.stderr.as_mut().unwrap();
    // The plan and the stage come first.
    while &said != b"interrupted" {
        said.rotate_left(1);
        stderr.read_exact(&mut said[10..]).unwrap();
    }
    signal(child.id(), "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    all_gone(&pids);
}

#[test]
fn the_step_for_ci_in_the_readme_works() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let (_, rest) = readme.split_once("<!-- script-step:begin -->").unwrap();
    let (step, _) = rest.split_once("<!-- script-step:end -->").unwrap();
    let (_, shell) = step.split_once("  run: ").unwrap();
    let shell = shell.lines().next().unwrap();
    let folder = Folder::new();
    fs::create_dir(folder.path("configs")).unwrap();
    folder.write("configs/train.awk", awk("train.awk"));
    let config = awk("awk.toml").replace("name = \"awk\"\n", "");
    let line = 1 + config.lines().position(|line| line.starts_with("learning-rate")).unwrap();
    folder.write("configs/my-script.toml", &config);
    let program = Path::new(env!("CARGO_BIN_EXE_lrfind")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    // As GitHub runs a step.
    let run = |shell: &str| {
        let mut command = Command::new("sh");
        command.args(["-e", "-c", shell]).current_dir(folder.path(".")).env("PATH", &path);
        command.env("GITHUB_WORKSPACE", folder.path(".")).env("GITHUB_STEP_SUMMARY", folder.path("summary.md"));
        Ran::of(&command.output().unwrap())
    };
    let ran = run(shell).ends_with(0);
    let place = format!("::notice title=lrfind%3A learning rate safe,file=configs/my-script.toml,line={line}::");
    assert!(ran.stdout.starts_with(&place), "{ran:?}");
    assert!(fs::read_to_string(folder.path("summary.md")).unwrap().contains("my-script: learning rate safe"));
    folder.write("configs/my-script.toml", config.replace("learning-rate = 0.03", "learning-rate = 0.3"));
    let ran = run(shell).ends_with(1);
    assert!(ran.stdout.starts_with("::error title=lrfind%3A learning rate unstable,file=configs/my-script.toml,"), "{ran:?}");
}
