//! `lrfind compare` on reports that real searches wrote.

mod common;

use common::cli::{Folder, QUADRATIC};
use serde_json::Value;

/// A search of the quadratic, which is unstable from 0.1 on, whose report lies in the folder `out`.
fn find(folder: &Folder, out: &str, training: &str) {
    folder.write(&format!("{out}.toml"), format!("name = \"q\"\n{QUADRATIC}[training]\n{training}\n"));
    folder.lrfind(&format!("find {out}.toml --quiet --seeds 2 --out {out}")).ends_with(0);
}

#[test]
fn the_same_task_has_not_moved_and_another_momentum_raises_the_threshold() {
    let folder = Folder::new();
    find(&folder, "plain", "optimizer = \"sgd\"");
    find(&folder, "heavy", "optimizer = { kind = \"sgd\", momentum = 0.9 }");
    let ran = folder.lrfind("compare plain plain/report.json").ends_with(0);
    assert!(ran.stdout.starts_with("UNCHANGED") && !ran.stdout.contains("also differ"), "{ran:#?}");

    // 2(1 + β)/λ instead of 2/λ: within a factor of 2.
    folder.lrfind("compare plain heavy").ends_with(0);
    let up = "compare plain heavy --tolerance 1.5";
    let ran = folder.lrfind(up).ends_with(0);
    assert!(ran.stdout.starts_with("ROSE  threshold"), "{ran:#?}");
    assert!(ran.stdout.contains("training.optimizer.rule.momentum: 0 → 0.9"), "{ran:#?}");
    folder.lrfind(&format!("{up} --fail-on move")).ends_with(1);

    let down = "compare heavy plain --tolerance 1.5";
    let ran = folder.lrfind(down).ends_with(1);
    assert!(ran.stdout.starts_with("FELL  threshold"), "{ran:#?}");
    let ran = folder.lrfind(&format!("{down} --format github")).ends_with(1);
    assert!(ran.stdout.starts_with("::error title=") && ran.stdout.matches('\n').count() == 1, "{ran:#?}");
    let ran = folder.lrfind(&format!("{down} --format json")).ends_with(1);
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&json["answer"], &json["rates"][0]["of"]), (&"fell".into(), &"threshold".into()), "{json}");
    let factor = json["rates"][0]["factor"].as_f64().unwrap();
    assert!((0.45..0.62).contains(&factor), "{factor}");
}

#[test]
fn verdicts_are_compared_and_other_optimizers_are_not() {
    let folder = Folder::new();
    folder.write("q.toml", format!("{QUADRATIC}[training]\noptimizer = \"sgd\"\nlearning-rate = 0.02\n"));
    folder.write("adam.toml", format!("{QUADRATIC}[training]\noptimizer = \"adam\"\nlearning-rate = 0.02\n"));
    folder.lrfind("check q.toml --quiet --out good").ends_with(0);
    folder.lrfind("check q.toml --quiet --lr 0.3 --out bad").ends_with(1);
    let ran = folder.lrfind("compare good bad").ends_with(1);
    assert!(ran.stdout.starts_with("FELL") && ran.stdout.contains("verdict safe → unstable"), "{ran:#?}");
    folder.lrfind("compare bad good").ends_with(0);

    folder.lrfind("find q.toml --quiet --seeds 2 --out sgd").ends_with(0);
    folder.lrfind("find adam.toml --quiet --seeds 2 --out adam").ends_with(0);
    let ran = folder.lrfind("compare sgd adam").ends_with(3);
    assert!(ran.stdout.starts_with("INCONCLUSIVE  the optimizer was sgd and is adam"), "{ran:#?}");
}

#[test]
fn what_is_no_report_is_refused() {
    let folder = Folder::new();
    folder.write("empty.json", "{}");
    folder.lrfind("compare empty.json absent").ends_with(2).complains_of(&["empty.json", "not a report"]);
    folder.lrfind("compare absent empty.json").ends_with(2).complains_of(&["absent"]);
    folder.lrfind("compare empty.json").ends_with(2).complains_of(&["<NEW>"]);
    folder.lrfind("compare a b --tolerance 0.5").ends_with(2).complains_of(&["at least 1"]);
}

#[test]
fn a_report_of_one_command_that_replaces_that_of_another_says_so() {
    let folder = Folder::new();
    folder.write("q.toml", format!("{QUADRATIC}[training]\nlearning-rate = 0.02\n"));
    std::fs::create_dir(folder.path("mine")).unwrap();
    folder.write("mine/schedule.png", "not ours");
    folder.lrfind("check q.toml --quiet --out mine").ends_with(0);
    assert!(folder.path("mine/schedule.png").exists(), "no report of ours was there");
    folder.lrfind("find q.toml --quiet --out r").ends_with(0);
    let ran = folder.lrfind("check q.toml --quiet --out r").ends_with(0);
    ran.complains_of(&["report.json was a report of `lrfind find` and is one of `lrfind check` now"]);
    assert!(!folder.path("r/schedule.png").exists(), "a check that is passed has no schedule");
    assert_eq!(folder.lrfind("check q.toml --quiet --out r").ends_with(0).stderr, "");
}
