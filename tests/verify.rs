//! `lrfind verify`: what it runs, keeps, prints and writes, and how it ends.

mod common;

use std::collections::BTreeSet;
use std::fs;

use common::cli::{Folder, QUADRATIC, Ran};
use serde_json::{Value, json};

/// A folder with a quadratic that is unstable from 0.1 on, and whose run has 100 iterations.
fn quadratic() -> Folder {
    let folder = Folder::new();
    folder.write("q.toml", format!("{QUADRATIC}[training]\nlearning-rate = 0.02\n"));
    folder
}

/// The same, with its report.
fn searched() -> Folder {
    let folder = quadratic();
    folder.lrfind("find q.toml --quiet").ends_with(0);
    folder
}

fn read(folder: &Folder, dir: &str) -> Value {
    serde_json::from_slice(&fs::read(folder.path(dir).join("verify.json")).unwrap()).unwrap()
}

/// The report with one part of it replaced, in a folder of its own.
fn changed(folder: &Folder, part: &str, key: &str, value: Value) -> String {
    let mut report = folder.report("reports/q");
    report[part][key] = value;
    fs::create_dir_all(folder.path("changed")).unwrap();
    folder.write("changed/report.json", report.to_string());
    "changed".to_owned()
}

/// The rate in a role.
fn rate_of(verification: &Value, role: &str) -> f64 {
    let rows = verification["rates"].as_array().unwrap();
    let row = rows.iter().find(|row| row["roles"].as_array().unwrap().contains(&role.into()));
    row.unwrap_or_else(|| panic!("no {role} in {rows:#?}"))["learning_rate"].as_f64().unwrap()
}

#[test]
fn without_a_report_it_searches_first_and_then_runs_every_rate_and_seed() {
    let folder = quadratic();
    let ran = folder.lrfind("verify q.toml").ends_with(0).complains_of(&["comes first", "full runs: ", "runs finished"]);
    for part in ["HELD", "recommended", "configured", "best early", "just below the threshold", "verification.png"] {
        assert!(ran.stdout.contains(part), "no {part} in {ran:#?}");
    }
    let (report, verification) = (folder.report("reports/q"), read(&folder, "reports/q"));
    assert_eq!(rate_of(&verification, "recommended"), report["recommendation"]["learning_rate"]);
    assert_eq!(rate_of(&verification, "best_early"), report["best_early"]["learning_rate"]);
    assert_eq!(rate_of(&verification, "below_threshold"), report["instability"]["last_stable"]);
    assert_eq!(rate_of(&verification, "configured"), 0.02);
    assert_eq!((&verification["run"]["iterations"], &verification["run"]["fraction"]), (&json!(100), &json!(1.0)));
    let seeds = |of: &Value| of.as_array().unwrap().iter().map(|seed| seed.as_u64().unwrap()).collect::<BTreeSet<u64>>();
    assert!(seeds(&report["seeds"]).is_disjoint(&seeds(&verification["run"]["seeds"])));
    for row in verification["rates"].as_array().unwrap() {
        assert_eq!((&row["finished"], &row["unstable"]), (&json!(3), &json!(0)), "{row}");
        for run in row["runs"].as_array().unwrap() {
            let costs = run["training_costs"].as_array().unwrap();
            assert_eq!(costs.len(), verification["run"]["evaluated_at"].as_array().unwrap().len());
            assert!(costs[40].as_f64() < costs[0].as_f64(), "{run}");
        }
    }
    assert!(folder.files("reports/q")["verification.png"].starts_with(b"\x89PNG"));
    assert_eq!(folder.lrfind("verify q.toml --quiet").ends_with(0).stderr, "");
}

#[test]
fn the_json_has_the_documented_keys_and_is_what_format_json_prints() {
    let folder = searched();
    let ran = folder.lrfind("verify q.toml --seeds 2 --lr 0.01 --lr 0.04 --out out --format json").ends_with(0);
    let verification = read(&folder, "out");
    assert_eq!(serde_json::from_str::<Value>(&ran.stdout).unwrap(), verification);
    assert_eq!(verification["schema_version"], 1);
    let readme = fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let (_, section) = readme.split_once("\n## verify.json\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let row = &verification["rates"][0];
    for part in [&verification, &verification["run"], &verification["verdict"], &verification["claim"], row, &row["runs"][0]] {
        for key in part.as_object().unwrap().keys() {
            assert!(section.contains(&format!("`{key}`")), "README.md does not describe `{key}` of verify.json");
        }
    }
    let rates: Vec<f64> =
        verification["rates"].as_array().unwrap().iter().map(|row| row["learning_rate"].as_f64().unwrap()).collect();
    assert!(rates.is_sorted() && rates.contains(&0.01) && rates.contains(&0.04), "{rates:?}");
    assert_eq!(row["roles"], json!(["requested"]));
}

#[test]
fn an_interrupted_verification_goes_on_where_it_stopped() {
    let folder = searched();
    folder.lrfind("verify q.toml --quiet --out out").ends_with(0);
    let whole = folder.files("out");
    let runs = String::from_utf8(whole["trials.journal"].clone()).unwrap();
    let lines: BTreeSet<&str> = runs.lines().collect();
    // All are there already.
    let ran = folder.lrfind("verify q.toml --out out").ends_with(0);
    let all = lines.len();
    let ran = ran.complains_of(&[&format!("{all} of them kept"), &format!("reused {all} of {all} trials")]);
    assert!(!ran.stderr.contains(", 0 iterations\n") && !ran.stderr.contains("runs finished"), "{ran:#?}");
    assert!(folder.files("out") == whole);
    // Half of them, and then one cut short.
    let half = lines.len() / 2;
    let torn = [runs.lines().take(half).collect::<Vec<_>>().join("\n").as_str(), "\n", &runs.lines().nth(half).unwrap()[..60]]
        .concat();
    folder.write("out/trials.journal", torn);
    let ran = folder.lrfind("verify q.toml --out out").ends_with(0);
    ran.complains_of(&["the last line is cut off", &format!("{half} of them kept"), &format!("reused {half} of {all} trials")]);
    let again = folder.files("out");
    assert!(again["verify.json"] == whole["verify.json"] && again["verification.png"] == whole["verification.png"]);
    let kept = String::from_utf8(again["trials.journal"].clone()).unwrap();
    assert_eq!(kept.lines().collect::<BTreeSet<_>>(), lines);
    // Anew.
    let plan = folder.lrfind("verify q.toml --out out --fresh --dry-run --format json").ends_with(0).stdout;
    assert_eq!(serde_json::from_str::<Value>(&plan).unwrap()["runs_kept"], 0);
    let ran = folder.lrfind("verify q.toml --out out --fresh").ends_with(0);
    assert!(!ran.stderr.contains("reused") && folder.files("out")["verify.json"] == whole["verify.json"], "{ran:#?}");
}

#[test]
fn the_journal_of_the_search_keeps_the_full_runs_too() {
    let folder = searched();
    let lines = || String::from_utf8(folder.files("reports/q")["trials.journal"].clone()).unwrap().lines().count();
    let trials = lines();
    folder.lrfind("verify q.toml --quiet").ends_with(0);
    let both = lines();
    assert!(both > trials);
    folder.lrfind("find q.toml --quiet").ends_with(0);
    assert_eq!(lines(), both);
    // A search that comes first begins anew, and so do the runs, but not the search once more.
    fs::remove_file(folder.path("reports/q/report.json")).unwrap();
    folder.lrfind("verify q.toml --quiet --fresh").ends_with(0);
    assert_eq!(lines(), both);
}

#[test]
fn kept_runs_serve_only_the_training_that_made_them() {
    let folder = Folder::new();
    let row = |slope: f64, k: u32| format!("{k},{}\n", slope * f64::from(k) + f64::from(k % 3));
    let rows = |slope: f64| (0..40).map(|k| row(slope, k)).collect::<Vec<_>>().concat();
    folder.write("d.csv", rows(1.0));
    let config = |rate: f64, batch: u64| {
        let data = "[data]\nkind = \"csv\"\npath = \"d.csv\"\ntask = \"regression\"\n[model]\nkind = \"linear\"\n";
        folder.write("d.toml", format!("{data}[training]\nlearning-rate = {rate}\nbatch-size = {batch}\nepochs = 20\n"));
    };
    config(0.01, 8);
    folder.lrfind("find d.toml --quiet").ends_with(0);
    folder.lrfind("verify d.toml --quiet --seeds 1").ends_with(0);
    let kept = || {
        let ran = folder.lrfind("verify d.toml --dry-run --format json --seeds 1").ends_with(0);
        serde_json::from_str::<Value>(&ran.stdout).unwrap()["runs_kept"].as_u64().unwrap()
    };
    let all = kept();
    assert!(all > 1);
    // Only the runs at the new rate are new, and the old data's runs are none of the new data's.
    config(0.02, 8);
    assert_eq!(kept(), all - 1);
    fs::create_dir(folder.path("before")).unwrap();
    fs::copy(folder.path("reports/d/report.json"), folder.path("before/report.json")).unwrap();
    folder.write("d.csv", rows(2.0));
    let refused = "the examples are not those of the report: the data have changed";
    folder.lrfind("verify d.toml --quiet").ends_with(2).complains_of(&["is about another training", refused]);
    let ran = folder.lrfind("find d.toml --quiet").ends_with(0);
    ran.complains_of(&["verify.json is about the report that this one replaces"]);
    assert_eq!(kept(), 0);
    for format in ["text", "github"] {
        let ran = folder.lrfind(&format!("compare before reports/d --format {format}"));
        assert!(ran.stdout.contains("the data, or a script's files, have changed"), "{ran:#?}");
    }
    // The same once more replaces nothing.
    assert_eq!(folder.lrfind("find d.toml --quiet").ends_with(0).stderr, "");
    // Another training needs another search.
    config(0.02, 4);
    let ran = folder.lrfind("verify d.toml --quiet").ends_with(2);
    ran.complains_of(&["training.batch_size is 8 in the report and 4 in the config", "lrfind find"]);
}

#[test]
fn the_division_of_the_work_does_not_matter() {
    let folder = Folder::new();
    folder.on_digits("find", "--quiet --seeds 2 --iterations 30").ends_with(0);
    let verify = |dir: &str, flags: &str| {
        let ran = folder.on_digits("verify", &format!("--quiet --fraction 0.01 --seeds 2 --out {dir} {flags}"));
        assert!(matches!(ran.code, Some(0 | 1)), "{ran:#?}");
        let mut files = folder.files(dir);
        // The runs are kept in the order in which they finish.
        assert!(files.remove("trials.journal").is_some());
        files
    };
    let first = verify("first", "--jobs 1");
    assert_eq!(first.keys().collect::<Vec<_>>(), ["verification.png", "verify.json"]);
    for (dir, flags) in [("one", "--jobs 2 --lanes 1"), ("two", "--jobs 2"), ("five", "--jobs 5 --lanes 3")] {
        assert!(verify(dir, flags) == first, "{flags}");
    }
    assert_eq!(read(&folder, "first")["run"]["iterations"], 90);
}

#[test]
fn a_report_may_be_named_in_either_way() {
    let folder = searched();
    fs::rename(folder.path("reports/q"), folder.path("elsewhere")).unwrap();
    folder.lrfind("verify q.toml --quiet --report elsewhere --out a").ends_with(0);
    folder.lrfind("verify elsewhere --config q.toml --quiet").ends_with(0);
    folder.lrfind("verify elsewhere/report.json --config q.toml --quiet --out c").ends_with(0);
    let (a, b, c) = (folder.files("a"), folder.files("elsewhere"), folder.files("c"));
    assert!(a["verify.json"] == b["verify.json"] && b["verify.json"] == c["verify.json"]);
    assert!(!folder.path("reports").join("q").exists());
}

#[test]
fn zero_though_the_recommendation_is_far_behind() {
    let folder = searched();
    let report = changed(&folder, "recommendation", "learning_rate", json!(1e-5));
    let ran = folder.lrfind(&format!("verify q.toml --quiet --report {report}")).ends_with(0);
    assert!(ran.stdout.starts_with("STABLE, BUT BEHIND  1e-5 is stable in 3 full runs; "), "{ran:#?}");
    assert_eq!(read(&folder, "changed")["verdict"]["answer"], "behind");
}

#[test]
fn one_when_full_runs_are_unstable() {
    let folder = searched();
    let report = changed(&folder, "recommendation", "learning_rate", json!(0.3));
    let ran = folder.lrfind(&format!("verify q.toml --quiet --report {report}")).ends_with(1);
    assert!(ran.stdout.starts_with("UNSTABLE  recommended 0.3: 3 of 3 full runs unstable ("), "{ran:#?}");
    let verdict = read(&folder, "changed")["verdict"].clone();
    assert_eq!((&verdict["answer"], &verdict["first_unstable"]), (&json!("unstable"), &json!(0.3)));
    // The configured rate counts too; a rate that was only asked for does not.
    folder.lrfind("verify q.toml --quiet --lr 0.3 --out asked").ends_with(0);
    folder.write("q.toml", format!("{QUADRATIC}[training]\nlearning-rate = 0.3\n"));
    let ran = folder.lrfind("verify q.toml --quiet --out configured").ends_with(1);
    assert!(ran.stdout.starts_with("UNSTABLE  configured 0.3: "), "{ran:#?}");
}

#[test]
fn two_when_something_is_wrong() {
    let folder = searched();
    folder.write("file", "");
    folder.write("other.toml", format!("name = \"q\"\n{}", QUADRATIC.replace("20.0", "30.0")));
    for (arguments, part) in [
        ("verify absent.toml", "absent.toml"),
        ("verify reports/q", "--config CONFIG"),
        ("verify reports/q --report reports/q", "is a report already"),
        ("verify q.toml --config q.toml", "is a config already"),
        ("verify reports/q --config q.toml --report reports/q", "--config"),
        ("verify q.toml --report absent", "absent"),
        ("verify other.toml", "data.problem.curvatures is [20.0,2.0,0.5] in the report and [30.0,2.0,0.5] in the config"),
        ("verify q.toml --fraction 0", "--fraction"),
        ("verify q.toml --fraction 0.05", "a run of 5 iterations is too short"),
        ("verify q.toml --seeds 0", "--seeds"),
        ("verify q.toml --lr 0", "--lr"),
        ("verify q.toml --out file/out", "file/out"),
    ] {
        folder.lrfind(arguments).ends_with(2).complains_of(&[part]);
    }
}

#[test]
fn three_when_there_is_nothing_to_verify() {
    let folder = searched();
    let report = changed(&folder, "recommendation", "learning_rate", Value::Null);
    let ran = folder.lrfind(&format!("verify q.toml --report {report}")).ends_with(3);
    ran.complains_of(&["changed/report.json recommends no learning rate"]);
    assert!(!folder.path("changed/verify.json").exists());

    // One feature that is always the same, and targets that cancel: the best prediction is where training starts.
    folder.write("nothing.csv", format!("x,y\n{}", "1,1\n1,-1\n".repeat(32)));
    folder.write(
        "nothing.toml",
        "[data]\nkind = \"csv\"\npath = \"nothing.csv\"\ntask = \"regression\"\nheld-out = 0.0\n\
         [model]\nkind = \"linear\"\n[training]\nbatch-size = 0\n",
    );
    folder.lrfind("find nothing.toml --quiet").ends_with(3);
    let mut report = folder.report("reports/nothing");
    report["recommendation"]["learning_rate"] = json!(0.1);
    folder.write("reports/nothing/report.json", report.to_string());
    let ran = folder.lrfind("verify nothing.toml --quiet").ends_with(3);
    assert!(ran.stdout.starts_with("INCONCLUSIVE  no rate got below the cost where its runs began"), "{ran:#?}");
}

#[test]
fn a_dry_run_tells_the_rates_and_the_cost_and_runs_nothing() {
    let folder = quadratic();
    let ran = folder.lrfind("verify q.toml --dry-run").ends_with(0);
    assert!(ran.stdout.contains("this search comes first") && !folder.path("reports").exists(), "{ran:#?}");
    let plan: Value =
        serde_json::from_str(&folder.lrfind("verify q.toml --dry-run --format json").ends_with(0).stdout).unwrap();
    assert!(plan["rates"].is_null() && plan["search_iterations"].as_u64().unwrap() > 0, "{plan}");
    folder.lrfind("find q.toml --quiet").ends_with(0);
    let before = folder.files("reports/q");
    let ran = folder.lrfind("verify q.toml --dry-run --fraction 0.5 --seeds 4").ends_with(0);
    assert!(ran.stdout.contains("full runs of 50 iterations, 4 seeds at each rate"), "{ran:#?}");
    let flags = "verify q.toml --dry-run --fraction 0.5 --seeds 4 --format json";
    let plan: Value = serde_json::from_str(&folder.lrfind(flags).ends_with(0).stdout).unwrap();
    assert_eq!((&plan["iterations"], &plan["runs_kept"]), (&json!(50), &json!(0)));
    assert_eq!(plan["total_iterations"].as_u64().unwrap(), 50 * plan["runs"].as_u64().unwrap());
    assert!(folder.files("reports/q") == before);
}

#[test]
fn a_partial_report_in_the_usual_place_is_made_anew() {
    let folder = searched();
    let mut report = folder.report("reports/q");
    report["status"] = json!("partial");
    folder.write("reports/q/report.json", report.to_string());
    folder.lrfind("verify q.toml").ends_with(0).complains_of(&["comes first"]);
    assert_eq!(folder.report("reports/q")["status"], "complete");
}

#[cfg(unix)]
#[test]
fn a_hundred_and_thirty_when_interrupted_and_what_is_finished_is_kept() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Command, Stdio};

    let folder = quadratic();
    folder.write("q.toml", format!("{QUADRATIC}[training]\nepochs = 20000\n"));
    folder.lrfind("find q.toml --quiet").ends_with(0);
    let flags = "verify q.toml --seeds 64 --jobs 1 --lanes 1";
    let mut command = folder.command();
    let mut child = command.args(flags.split(' ')).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut heard = String::new();
    while !heard.contains("runs finished") {
        assert_ne!(stderr.read_line(&mut heard).unwrap(), 0, "ended before the first run: {heard}");
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    stderr.read_to_string(&mut heard).unwrap();
    let ran = Ran::of(&child.wait_with_output().unwrap()).ends_with(130);
    assert!(ran.stdout.contains("goes on where this one stopped"), "{ran:#?}");
    assert_eq!(read(&folder, "reports/q")["status"], "partial");
    let plan = folder.lrfind(&format!("{flags} --dry-run --format json")).ends_with(0).stdout;
    assert!(serde_json::from_str::<Value>(&plan).unwrap()["runs_kept"].as_u64().unwrap() >= 1, "{plan}");
}

#[test]
fn the_timing_counts_a_search_that_comes_first() {
    let folder = quadratic();
    folder.lrfind("verify q.toml --quiet --timing both.json").ends_with(0);
    folder.lrfind("verify q.toml --quiet --fresh --timing runs.json").ends_with(0);
    folder.lrfind("find q.toml --quiet --fresh --timing search.json").ends_with(0);
    let iterations = |file: &str| {
        let timing: Value = serde_json::from_slice(&fs::read(folder.path(file)).unwrap()).unwrap();
        assert!(timing["wall_seconds"].as_f64().unwrap() > 0.0 && timing["reused_iterations"] == 0, "{timing}");
        timing["trial_iterations"].as_u64().unwrap()
    };
    assert_eq!(iterations("both.json"), iterations("search.json") + iterations("runs.json"));
}

#[test]
fn the_names_of_all_files_in_a_folder_of_reports_are_known() {
    let folder = searched();
    folder.lrfind("verify q.toml --quiet").ends_with(0);
    folder.lrfind("sweep q.toml --quiet").ends_with(0);
    let written: BTreeSet<String> = folder.files("reports/q").into_keys().collect();
    assert_eq!(written, lrfind::files::ALL.map(str::to_owned).into());
}
