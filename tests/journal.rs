//! No trial is lost, and none is run twice: reruns, other settings, two runs at once, damaged journals and full disks.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use common::cli::{Folder, QUADRATIC, Ran};
use lrfind::config;
use lrfind::report::json;
use lrfind::search::Journal;
use lrfind::task::{self, Task};
use lrfind::{RunOptions, Study};
use proptest::prelude::*;

/// A folder with a quadratic, and the report of its undisturbed search in `whole`.
fn searched() -> Folder {
    let folder = Folder::new();
    folder.write("q.toml", format!("{QUADRATIC}[training]\nlearning-rate = 0.02\n"));
    find(&folder, "whole", "");
    folder
}

/// Runs `find`, with its progress.
fn find(folder: &Folder, dir: &str, flags: &str) -> Ran {
    folder.lrfind(&format!("find q.toml --out {dir} {flags}")).ends_with(0)
}

/// Reused trials, all trials, reused iterations, all iterations; nothing where none was reused.
fn reused(ran: &Ran) -> Option<[u64; 4]> {
    let line = ran.stderr.lines().find(|line| line.starts_with("reused "))?;
    let number = |word: &str| word.replace(',', "").parse().ok();
    let numbers: Vec<u64> = line.split_whitespace().filter_map(number).collect();
    Some(numbers.try_into().unwrap())
}

fn lines(folder: &Folder, dir: &str) -> Vec<String> {
    let text = fs::read_to_string(folder.path(dir).join("trials.journal")).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(str::to_owned).collect()
}

#[track_caller]
fn same_report(folder: &Folder, dir: &str) {
    let [whole, other] = ["whole", dir].map(|dir| fs::read_to_string(folder.path(dir).join("report.json")).unwrap());
    assert!(whole == other, "the report in {dir} differs from the one of an undisturbed run");
}

#[test]
fn a_rerun_reuses_everything_and_gives_the_same_bytes() {
    let folder = searched();
    let before = folder.files("whole");
    let trials = lines(&folder, "whole").len() as u64;
    let ran = find(&folder, "whole", "");
    let iterations = folder.report("whole")["cost"]["trial_iterations"].as_u64().unwrap();
    assert_eq!(reused(&ran), Some([trials, trials, iterations, iterations]), "{ran:#?}");
    let (_, stages) = ran.stderr.split_once("planned run of 100 iterations\n").unwrap();
    assert!(stages.starts_with("scan: ") && stages.lines().all(|line| line.contains("reused")), "nothing runs: {ran:#?}");
    assert_eq!(folder.files("whole"), before, "the journal included");
    let quiet = find(&folder, "whole", "--quiet");
    assert_eq!(quiet.stderr, "");
}

#[test]
fn fresh_starts_over() {
    let folder = searched();
    let before = lines(&folder, "whole");
    let ran = find(&folder, "whole", "--fresh");
    assert_eq!(reused(&ran), None, "{ran:#?}");
    let [before, after] = [before, lines(&folder, "whole")].map(BTreeSet::from_iter);
    assert_eq!(before, after);
    find(&folder, "whole", "--fresh --dry-run");
    assert_eq!(lines(&folder, "whole").len(), after.len(), "a dry run forgets nothing");
}

#[test]
fn other_settings_reuse_what_still_applies_and_nothing_else() {
    for (flags, config) in [
        ("--seeds 4", ""),
        ("--range 1e-5 100", ""),
        ("--budget 9000", ""),
        ("", "[search]\nresolution = 0.03\n"),
        ("", "[search]\nsafety = 3.0\n"),
        ("", "epochs = 7\nschedule = \"cosine\"\n"),
    ] {
        let folder = searched();
        folder.write("q.toml", format!("{QUADRATIC}[training]\nlearning-rate = 0.02\n{config}"));
        let before = lines(&folder, "whole");
        let ran = folder.lrfind(&format!("find q.toml --out whole {flags}"));
        let [some, all, _, _] = reused(&ran).unwrap();
        assert!(some > 0, "{flags} {config}: {ran:#?}");
        let after = lines(&folder, "whole");
        assert_eq!(after[..before.len()], before, "{flags} {config}: nothing kept is lost");
        assert_eq!((after.len() - before.len()) as u64, all - some, "{flags} {config}: only what is missing is run");
        folder.lrfind(&format!("find q.toml --out alone {flags}")).ends_with(ran.code.unwrap());
        let [shared, alone] = ["whole", "alone"].map(|dir| fs::read(folder.path(dir).join("report.json")).unwrap());
        assert!(shared == alone, "{flags} {config}: the report is that of a search without a journal");
    }
    for config in ["optimizer = \"momentum\"\n", "clip-norm = 3.0\n"] {
        let folder = searched();
        folder.write("q.toml", format!("{QUADRATIC}[training]\n{config}"));
        let ran = folder.lrfind("find q.toml --out whole");
        assert_eq!(reused(&ran), None, "{config}: {ran:#?}");
    }
}

#[test]
fn check_and_sweep_keep_their_trials_too() {
    let folder = searched();
    for (command, file) in [("check q.toml", "report.json"), ("sweep q.toml --seeds 3", "range-test.json")] {
        let run = || folder.lrfind(&format!("{command} --out whole")).ends_with(0);
        run();
        let first = fs::read(folder.path("whole").join(file)).unwrap();
        let before = lines(&folder, "whole");
        let [some, all, iterations, cost] = reused(&run()).unwrap();
        assert_eq!((some, iterations), (all, cost), "{command}");
        assert_eq!(fs::read(folder.path("whole").join(file)).unwrap(), first, "{command}");
        assert_eq!(lines(&folder, "whole"), before, "{command}");
    }
}

/// The journal may have been cut off anywhere; `kill.rs` does it for real.
#[test]
fn a_search_goes_on_wherever_it_was_ended() {
    let folder = searched();
    let whole = fs::read(folder.path("whole").join("trials.journal")).unwrap();
    let all: BTreeSet<String> = lines(&folder, "whole").into_iter().collect();
    fs::create_dir(folder.path("again")).unwrap();
    for part in 0..12 {
        // Mostly within a line, and at the ends.
        let length = (whole.len() * part / 11).saturating_sub(part % 3 * 50);
        let journal = folder.path("again").join("trials.journal");
        fs::write(&journal, &whole[..length]).unwrap();
        let left = std::str::from_utf8(&whole[..length]).unwrap().matches('\n').count() as u64;
        let ran = find(&folder, "again", "");
        same_report(&folder, "again");
        assert_eq!(reused(&ran).map_or(0, |[some, ..]| some), left);
        let again = lines(&folder, "again");
        assert_eq!((again.len(), BTreeSet::from_iter(again)), (all.len(), all.clone()));
        let cut_off = length > 0 && whole[length - 1] != b'\n';
        assert_eq!(ran.stderr.contains("warning: again/trials.journal: the last line is cut off"), cut_off, "{ran:#?}");
    }
}

#[test]
fn a_damaged_line_is_told_and_runs_again() {
    let folder = searched();
    let path = folder.path("whole").join("trials.journal");
    let mut bytes = fs::read(&path).unwrap();
    let third = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(1).unwrap().0 + 300;
    bytes[third] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let before = fs::read(folder.path("whole").join("report.json")).unwrap();
    // A warning is no progress: `--quiet` leaves it.
    let ran = find(&folder, "whole", "--quiet").complains_of(&["warning: whole/trials.journal: damaged and ignored: line 3"]);
    assert_eq!(ran.stderr.lines().count(), 1, "{ran:#?}");
    assert_eq!(fs::read(folder.path("whole").join("report.json")).unwrap(), before);
    let [some, all, _, _] = reused(&find(&folder, "whole", "")).unwrap();
    assert_eq!(some, all, "it was run again once");
}

#[test]
fn a_search_without_a_usable_journal_goes_on() {
    let folder = searched();
    // A folder of that name can be neither read nor written as a file, whoever tries.
    fs::create_dir_all(folder.path("again/trials.journal")).unwrap();
    let ran = find(&folder, "again", "--quiet").complains_of(&["warning: cannot open the journal again/trials.journal: "]);
    assert_eq!(ran.stderr.lines().count(), 1, "{ran:#?}");
    same_report(&folder, "again");
}

#[cfg(target_os = "linux")]
#[test]
fn a_device_in_place_of_the_journal_is_left_alone() {
    let folder = searched();
    fs::create_dir(folder.path("again")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.path("again/trials.journal")).unwrap();
    find(&folder, "again", "--quiet").complains_of(&["not a regular file"]);
    same_report(&folder, "again");
}

#[test]
fn a_second_run_in_the_same_folder_waits_and_reuses() {
    let folder = searched();
    fs::create_dir(folder.path("again")).unwrap();
    let journal = Journal::open(&folder.path("again").join("trials.journal")).unwrap();
    let mut command = folder.command();
    command.args(["find", "q.toml", "--out", "again"]).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut heard = String::new();
    stderr.read_line(&mut heard).unwrap();
    assert_eq!(heard, "another lrfind works in again: waiting until it is done\n");
    assert_eq!(child.try_wait().unwrap(), None);
    drop(journal);
    stderr.read_to_string(&mut heard).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{heard}");
    same_report(&folder, "again");
}

#[test]
fn many_runs_at_once_leave_one_whole_journal() {
    let folder = searched();
    let start =
        |_| folder.command().args(["find", "q.toml", "--quiet", "--out", "again"]).stdout(Stdio::null()).spawn().unwrap();
    let children: Vec<_> = (0..5).map(start).collect();
    for mut child in children {
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    same_report(&folder, "again");
    let [mut whole, mut again] = ["whole", "again"].map(|dir| lines(&folder, dir));
    whole.sort();
    again.sort();
    assert_eq!(whole, again, "each trial was run once");
}

/// Runs a shell script as the root of its own mounts, with the program as `$0`; `None`, and a word to say so, where the system does
/// not allow that or the script ends with 77.
#[cfg(target_os = "linux")]
fn with_mounts(folder: &Folder, script: &str) -> Option<Ran> {
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", script, env!("CARGO_BIN_EXE_lrfind")]).current_dir(folder.path("."));
    let ran = command.output().ok().map(|output| Ran::of(&output));
    let ran = ran.filter(|ran| ran.code != Some(77) && !ran.stderr.starts_with("unshare: "));
    if ran.is_none() {
        eprintln!("skipped: this system lets nobody mount anything");
    }
    ran
}

/// A memory disk too small for the journal, then made larger.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fills_up_costs_no_trial_that_was_on_it() {
    let folder = searched();
    let script = r#"
        mkdir full && mount -t tmpfs -o size=32k tmpfs full || exit 77
        code=0; "$0" find q.toml --quiet --out full 2>full.log || code=$?
        cp full/trials.journal full.journal
        mount -o remount,size=32m full || exit 77
        "$0" find q.toml --out full 2>again.log || exit 78
        mkdir again && cp full/report.json full/trials.journal again
        exit $code"#;
    // The report does not fit either.
    let Some(_) = with_mounts(&folder, script).map(|ran| ran.ends_with(2)) else { return };
    let first = fs::read_to_string(folder.path("full.log")).unwrap();
    assert!(first.starts_with("warning: cannot write to the journal full/trials.journal: No space left"), "{first}");
    // Once while it goes on, however many trials are not kept, and once when it is too late.
    assert_eq!(first.matches("the search goes on").count(), 1, "{first}");
    assert_eq!(first.matches("may have to repeat").count(), 1, "{first}");
    assert_eq!(first.matches("warning").count(), 2, "{first}");
    assert!(first.contains("error: cannot write full/report.json"), "{first}");
    let kept = fs::read_to_string(folder.path("full.journal")).unwrap();
    assert!(kept.ends_with('\n') && kept.lines().count() > 3, "{} whole lines", kept.lines().count());
    let again = lines(&folder, "again");
    assert!(again.iter().map(String::as_str).take(kept.lines().count()).eq(kept.lines()));
    let log = fs::read_to_string(folder.path("again.log")).unwrap();
    assert!(log.contains(&format!("reused {} of {} trials", kept.lines().count(), again.len())), "{log}");
    same_report(&folder, "again");
}

/// Half a journal that may only be read, then a folder that may only be read.
#[cfg(target_os = "linux")]
#[test]
fn a_read_only_journal_is_read_and_a_read_only_folder_refused() {
    let folder = searched();
    let all = lines(&folder, "whole");
    fs::create_dir(folder.path("again")).unwrap();
    let half = all[..all.len() / 2].join("\n") + "\n";
    let journal = folder.path("again").join("trials.journal");
    fs::write(&journal, &half).unwrap();
    let script = r#"
        mount --bind again/trials.journal again/trials.journal && mount -o remount,bind,ro again/trials.journal || exit 77
        "$0" find q.toml --out again >/dev/null 2>again.log || exit 78
        mount --bind whole whole && mount -o remount,bind,ro whole || exit 77
        exec "$0" find q.toml --out whole"#;
    let Some(ran) = with_mounts(&folder, script) else { return };
    ran.ends_with(2).complains_of(&["error: cannot write to the folder whole", "Read-only file system"]);
    let log = fs::read_to_string(folder.path("again.log")).unwrap();
    assert!(log.contains("warning: again/trials.journal: cannot be written, so the trials of this run are not kept"), "{log}");
    assert!(log.contains(&format!("reused {} of {} trials", all.len() / 2, all.len())), "{log}");
    assert_eq!(fs::read_to_string(journal).unwrap(), half);
    same_report(&folder, "again");
}

/// The task of a small quadratic, and its study's plan.
fn small() -> (config::Plan, Task) {
    let text = format!("{QUADRATIC}[search]\niterations = 12\nseeds = 2\n");
    let plan = config::parse(&text, Path::new("small.toml")).unwrap();
    let task = task::build(&plan).unwrap();
    (plan, task)
}

fn report(plan: &config::Plan, task: &Task, journal: Option<&Journal>) -> String {
    let options = RunOptions { jobs: 1, journal, ..RunOptions::default() };
    json::render(&Study::of_plan(plan, task).find(&options)).unwrap()
}

#[test]
fn a_library_user_keeps_trials_in_a_journal_of_their_own() {
    let (plan, task) = small();
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(&dir.path().join("mine")).unwrap();
    let first = report(&plan, &task, Some(&journal));
    let trials = journal.len();
    assert!(trials > 10);
    assert_eq!(report(&plan, &task, Some(&journal)), first);
    assert_eq!(report(&plan, &task, None), first);
    assert_eq!(journal.len(), trials);
    // An objective that does not say what it is has nothing kept.
    let anonymous = common::Quadratic::sgd(&[4.0]);
    Study::new("anonymous", &anonymous).find(&RunOptions { journal: Some(&journal), ..RunOptions::default() });
    assert_eq!(journal.len(), trials);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Random bytes over random places of a real journal: the report is the same, and the next run finds all trials again.
    #[test]
    fn no_damage_makes_another_report(
        places in prop::collection::vec((any::<prop::sample::Index>(), 0..200usize, prop::collection::vec(any::<u8>(), 0..200)), 1..6)
    ) {
        let (plan, task) = small();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("trials.journal");
        let whole = report(&plan, &task, Some(&Journal::open(&path).unwrap()));
        let trials = Journal::open(&path).unwrap().len();
        let mut bytes = fs::read(&path).unwrap();
        for (place, length, new) in places {
            let start = place.index(bytes.len() + 1);
            let end = (start + length).min(bytes.len());
            bytes.splice(start..end, new);
        }
        fs::write(&path, bytes).unwrap();
        let journal = Journal::open(&path).unwrap();
        prop_assert_eq!(report(&plan, &task, Some(&journal)), whole);
        drop(journal);
        prop_assert_eq!(Journal::open(&path).unwrap().len(), trials);
    }
}
