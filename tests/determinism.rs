//! The same config gives the same bytes, however the work is spread.

mod common;

use std::collections::BTreeMap;

use common::cli::{Folder, digits};

/// Name and content of every file; the journal's lines, which come in the order in which trials finish, in the order of their text.
fn files(folder: &Folder, dir: &str) -> BTreeMap<String, Vec<u8>> {
    let mut files = folder.files(dir);
    if let Some(journal) = files.get_mut("trials.journal") {
        let mut lines: Vec<&[u8]> = journal.split(|&byte| byte == b'\n').collect();
        lines.sort_unstable();
        *journal = lines.join(&b'\n');
    }
    files
}

/// Runs `find` in every way that must not matter, and compares all files, plots included.
fn same_in_every_way(folder: &Folder, config: &str, short: &str) {
    let find = |dir: &str, flags: &str| {
        folder.lrfind(&format!("find {config} {short} --quiet --out {dir} {flags}")).ends_with(0);
        files(folder, dir)
    };
    let first = find("first", "--jobs 1");
    let names: Vec<&str> = first.keys().map(String::as_str).collect();
    let plots = ["learning-curves.png", "loss-vs-rate.png", "schedule.png", "stability-map.png"];
    assert!(names.len() == 6 && plots.iter().chain(&["report.json", "trials.journal"]).all(|n| names.contains(n)), "{names:?}");
    for (dir, flags) in [
        ("again", "--jobs 1"),
        ("one", "--jobs 2 --lanes 1"),
        ("four", "--jobs 2 --lanes 4"),
        ("sixteen", "--jobs 2 --lanes 16"),
    ] {
        let other = find(dir, flags);
        let differing: Vec<_> = first.iter().filter(|(name, bytes)| other.get(*name) != Some(bytes)).map(|(n, _)| n).collect();
        assert!(differing.is_empty() && first.len() == other.len(), "{differing:?} differ with {flags}");
    }
}

#[test]
fn a_classifier_under_momentum() {
    same_in_every_way(&Folder::new(), digits().to_str().unwrap(), "--seeds 2 --iterations 30");
}

#[test]
fn a_classifier_under_adam() {
    let folder = Folder::new();
    folder.write(
        "adam.toml",
        "[data]\nkind = \"synthetic\"\nproblem = \"spirals\"\nsamples = 200\n[model]\nkind = \"mlp\"\nhidden = [16]\n\
         [training]\noptimizer = \"adam\"\nschedule = { kind = \"cosine\", warmup-iterations = 5 }\n",
    );
    same_in_every_way(&folder, "adam.toml", "--seeds 2 --iterations 40");
}

#[test]
fn a_linear_regression() {
    let folder = Folder::new();
    folder.write(
        "teacher.toml",
        "[data]\nkind = \"synthetic\"\nproblem = \"teacher-student\"\nsamples = 200\nhidden = 0\n[model]\nkind = \"linear\"\n\
         [training]\nbatch-size = 20\n",
    );
    same_in_every_way(&folder, "teacher.toml", "--seeds 3 --iterations 50");
}
