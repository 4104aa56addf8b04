//! The bound on memory, what is said of it, and that it changes no number.

mod common;

use common::cli::{Folder, QUADRATIC};
use serde_json::Value;

/// The `memory` of the plan.
fn planned(folder: &Folder, flags: &str) -> Value {
    let ran = folder.on_digits("find", &format!("--dry-run --format json {flags}")).ends_with(0);
    serde_json::from_str::<Value>(&ran.stdout).unwrap()["memory"].clone()
}

fn bytes(memory: &Value, key: &str) -> u64 {
    memory[key].as_u64().unwrap_or_else(|| panic!("no {key} in {memory}"))
}

#[test]
fn the_result_is_the_same_however_little_memory_there_is() {
    let folder = Folder::new();
    let memory = planned(&folder, "--jobs 2");
    let (trial, data) = (bytes(&memory, "trial_bytes"), bytes(&memory, "data_bytes"));
    assert!(memory["lanes"].as_u64() > Some(1) && memory["workers"] == 2, "{memory}");
    // Room for a single trial leaves none for the states of finished ones.
    let least = format!("--jobs 2 --max-memory {}", data + trial);
    let bounded = planned(&folder, &least);
    assert_eq!((bytes(&bounded, "lanes"), bytes(&bounded, "workers")), (1, 1));
    assert_eq!((bytes(&bounded, "total_bytes"), bytes(&bounded, "allowed_bytes")), (data + trial, data + trial));
    let three = format!("--jobs 2 --max-memory {}", data + 7 * trial);
    assert_eq!((bytes(&planned(&folder, &three), "lanes"), bytes(&planned(&folder, &three), "workers")), (3, 2));
    let find = |dir: &str, flags: &str| {
        folder.on_digits("find", &format!("--seeds 2 --iterations 30 --quiet --fresh --out {dir} {flags}")).ends_with(0);
        let mut files = folder.files(dir);
        files.remove("trials.journal");
        files
    };
    let usual = find("usual", "--jobs 2");
    assert!(usual.contains_key("report.json"));
    for (dir, flags) in [("least", &least), ("three", &three)] {
        assert!(find(dir, flags) == usual, "{flags}");
    }
}

#[test]
fn a_trial_that_does_not_fit_is_refused_before_it_is_tried() {
    let folder = Folder::new();
    let memory = planned(&folder, "");
    let short = bytes(&memory, "data_bytes") + bytes(&memory, "trial_bytes") - 1;
    for command in ["find", "check", "sweep"] {
        let ran = folder.on_digits(command, &format!("--out out --max-memory {short}")).ends_with(2);
        ran.complains_of(&[
            "digits-mlp.toml: one trial would need about",
            "make smaller the ",
            "or allow more with --max-memory",
        ]);
    }
    folder.on_digits("find", "--max-memory 100KiB").ends_with(2).complains_of(&["the examples take", "with `share` in [data]"]);
    assert!(!folder.path("out").exists());
}

#[test]
fn a_size_must_be_one() {
    let folder = Folder::new();
    folder.write("q.toml", QUADRATIC);
    for size in ["much", "8G", "-1", "0"] {
        let ran = folder.lrfind(&format!("find q.toml --max-memory {size}")).ends_with(2);
        ran.complains_of(&["--max-memory", "write a size such as 8GiB"]);
    }
    folder.lrfind("find q.toml --dry-run --max-memory 1.5GiB").ends_with(0);
}

#[test]
fn the_plan_states_the_memory() {
    let folder = Folder::new();
    folder.write("q.toml", QUADRATIC);
    let said = "memory about ";
    for command in ["find", "sweep", "verify"] {
        let ran = folder.lrfind(&format!("{command} q.toml --dry-run --jobs 2 --max-memory 1GiB")).ends_with(0);
        assert!(ran.stdout.contains(said) && ran.stdout.contains(" of 1 GiB: 16 trials of "), "{ran:#?}");
        let ran = folder.lrfind(&format!("{command} q.toml --dry-run --format json")).ends_with(0);
        assert!(serde_json::from_str::<Value>(&ran.stdout).unwrap()["memory"]["total_bytes"].is_u64(), "{ran:#?}");
    }
    let ran = folder.lrfind("find q.toml --out out --iterations 20").ends_with(0);
    assert!(ran.stderr.contains(said), "{ran:#?}");
}

#[test]
fn verbose_says_what_was_chosen_and_why() {
    let folder = Folder::new();
    folder.write("q.toml", QUADRATIC);
    for command in ["find", "check --lr 0.05", "sweep", "verify"] {
        let ran = folder.lrfind(&format!("{command} q.toml --verbose --dry-run --lanes 3 --jobs 2")).ends_with(0);
        ran.complains_of(&[
            "lanes        3, as asked for",
            "workers      2\n",
            "one trial    ",
            "cache        ",
            "working set  ",
        ]);
    }
    let quiet = folder.lrfind("find q.toml --dry-run").ends_with(0);
    assert!(!quiet.stderr.contains("working set"), "{quiet:#?}");
    folder.lrfind("find q.toml --verbose --quiet").ends_with(2).complains_of(&["cannot be used with"]);
}

#[test]
fn of_a_script_only_the_number_is_told() {
    let folder = Folder::new();
    let ran = folder.lrfind("find --dry-run --verbose --jobs 2 -- sh script.sh").ends_with(0);
    ran.complains_of(&["2 scripts at a time", "lanes        1: a script trains one model"]);
    let ran = folder.lrfind("find --dry-run --max-memory 1GiB -- sh script.sh").ends_with(2);
    ran.complains_of(&["--max-memory is for models that are trained here"]);
}
