//! What is kept comes back, whatever happens to the file meanwhile.

use std::fs;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::lr::LearningRate;
use crate::record::ProbePoint;

fn spec(rate: f64, seed: u64) -> TrialSpec {
    TrialSpec::steady(LearningRate::new(rate).unwrap(), seed, 4)
}

/// A trial that ended, of which no two are alike.
fn record(seed: u64) -> TrialRecord {
    let spec = spec(0.1, seed);
    let losses = (1..5).map(|step| 0.1 / (step + seed) as f64).collect();
    let probe = vec![ProbePoint { iteration: 4, loss: None }];
    TrialRecord { losses, probe, ..TrialRecord::blank(spec, Outcome::Completed) }
}

/// A folder and in it a journal of `trials` trials of "own", closed again.
fn kept(trials: u64) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trials.journal");
    let journal = Journal::open(&path).unwrap();
    journal.keep("own", &(0..trials).map(record).collect::<Vec<_>>()).unwrap();
    drop(journal);
    (dir, path)
}

fn faults(journal: &Journal) -> Vec<String> {
    journal.faults().iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_kept_is_found_again_by_content() {
    let (_dir, path) = kept(3);
    let journal = Journal::open(&path).unwrap();
    assert_eq!((journal.len(), faults(&journal)), (3, vec![]));
    assert_eq!(journal.get("own", &record(1).spec), Some(record(1)));
    assert_eq!(journal.get("other", &record(1).spec), None);
    let other = [
        spec(0.2, 1),
        TrialSpec { iterations: 5, ..record(1).spec },
        TrialSpec { warmup: 1, ..record(1).spec },
        TrialSpec { evaluations: 1, ..record(1).spec },
    ];
    for spec in other {
        assert_eq!(journal.get("own", &spec), None, "{spec:?}");
    }
}

#[test]
fn only_results_are_kept_and_each_once() {
    let (_dir, path) = kept(2);
    let before = fs::read(&path).unwrap();
    let journal = Journal::open(&path).unwrap();
    let failed = Outcome::Failed { message: "no memory".into() };
    let useless = [failed, Outcome::Cancelled].map(|outcome| TrialRecord { outcome, ..record(7) });
    journal.keep("own", &useless).unwrap();
    journal.keep("own", &[record(0), record(1)]).unwrap();
    assert_eq!((journal.len(), fs::read(&path).unwrap()), (2, before.clone()));
    let diverged = Outcome::Diverged { step: 4, reason: "the loss became inf".into() };
    let longer = TrialSpec { iterations: 9, ..record(8).spec };
    journal.keep("own", &[TrialRecord { spec: longer, outcome: diverged, ..record(8) }]).unwrap();
    assert!(journal.get("own", &longer).is_some());
    assert!(fs::read(&path).unwrap().starts_with(&before), "lines are added, never changed");
}

#[test]
fn a_record_that_is_no_whole_result_is_not_reused() {
    let (_dir, path) = kept(0);
    let journal = Journal::open(&path).unwrap();
    let short = TrialRecord { losses: vec![0.5], ..record(1) };
    journal.keep("own", std::slice::from_ref(&short)).unwrap();
    assert_eq!(journal.get("own", &short.spec), None);
}

#[test]
fn a_line_that_is_cut_off_is_dropped_and_the_rest_kept() {
    let (_dir, path) = kept(3);
    let whole = fs::read(&path).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|&byte| byte == b'\n').unwrap() + 1;
    for length in [last + 1, last + 40, whole.len() - 2] {
        fs::write(&path, &whole[..length]).unwrap();
        let journal = Journal::open(&path).unwrap();
        assert_eq!((journal.len(), faults(&journal).len()), (2, 1), "{length}");
        assert!(faults(&journal)[0].contains("cut off"), "{:?}", faults(&journal));
        journal.keep("own", &[record(2)]).unwrap();
        assert_eq!(fs::read(&path).unwrap(), whole);
    }
    // Without its line break only, the last line is still whole.
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let journal = Journal::open(&path).unwrap();
    assert_eq!((journal.len(), faults(&journal)), (3, vec![]));
    assert_eq!(fs::read(&path).unwrap(), whole);
}

#[test]
fn lines_of_another_version_are_left_alone() {
    let (_dir, path) = kept(2);
    let mut text = fs::read_to_string(&path).unwrap();
    text.insert_str(0, "{\"v\":2,\"something\":\"else\"}\n");
    text.push_str("not a trial\n");
    fs::write(&path, &text).unwrap();
    let journal = Journal::open(&path).unwrap();
    assert_eq!(journal.len(), 2);
    let faults = faults(&journal);
    assert!(faults[0].contains("line 4") && faults[1].ends_with("another version of lrfind are left alone: 1"), "{faults:?}");
    journal.keep("own", &[record(2)]).unwrap();
    assert!(fs::read_to_string(&path).unwrap().starts_with(&text));
}

#[test]
fn a_journal_is_open_once_at_a_time() {
    let (_dir, path) = kept(1);
    let first = Journal::open(&path).unwrap();
    assert!(matches!(Journal::open(&path), Err(OpenError::Busy(_))));
    std::thread::scope(|scope| {
        let second = scope.spawn(|| Journal::wait_and_open(&path).unwrap().len());
        first.keep("own", &[record(1), record(2)]).unwrap();
        drop(first);
        assert_eq!(second.join().unwrap(), 3);
    });
}

#[test]
fn a_cleared_journal_is_empty_on_disk_too() {
    let (_dir, path) = kept(2);
    fs::write(&path, [fs::read(&path).unwrap(), b"torn".to_vec()].concat()).unwrap();
    let mut journal = Journal::open(&path).unwrap();
    journal.clear().unwrap();
    assert_eq!((journal.len(), faults(&journal), fs::read(&path).unwrap()), (0, vec![], vec![]));
    journal.keep("own", &[record(0)]).unwrap();
    drop(journal);
    assert_eq!(Journal::open(&path).unwrap().len(), 1);
}

#[test]
fn what_could_not_be_written_is_written_later() {
    let (_dir, path) = kept(1);
    let journal = Journal::open(&path).unwrap();
    let appender = || locked(journal.appender.as_ref().unwrap());
    // A handle that cannot write stands in for a disk that is full for a while.
    let good = appender().swap_file(fs::File::open(&path).unwrap());
    let error = journal.keep("own", &[record(1)]).unwrap_err();
    assert!(error.to_string().contains("trials.journal"), "{error}");
    assert!(journal.confirm().is_err());
    assert_eq!(journal.get("own", &record(1).spec), Some(record(1)), "it is still known");
    appender().swap_file(good);
    journal.keep("own", &[record(2)]).unwrap();
    journal.confirm().unwrap();
    drop(journal);
    let journal = Journal::open(&path).unwrap();
    assert_eq!((journal.len(), faults(&journal)), (3, vec![]));
}

#[test]
fn what_is_no_file_is_refused() {
    let (dir, _path) = kept(0);
    assert!(matches!(Journal::open(dir.path()), Err(OpenError::File(_))));
    assert!(matches!(Journal::open(&dir.path().join("absent/trials.journal")), Err(OpenError::File(_))));
    #[cfg(target_os = "linux")]
    assert!(matches!(Journal::open(Path::new("/dev/zero")), Err(OpenError::File(_))), "it would be read without end");
}

/// What may happen to bytes.
#[derive(Debug, Clone)]
enum Damage {
    Flip(Index, u8),
    Cut(Index),
    Remove(Index, usize),
    Insert(Index, Vec<u8>),
    Overwrite(Index, Vec<u8>),
    Repeat(Index, usize, Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let bytes = || prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b'"'), Just(b'0')], 1..80);
    prop_oneof![
        4 => (any::<Index>(), 0..8u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        1 => any::<Index>().prop_map(Damage::Cut),
        1 => (any::<Index>(), 1..600usize).prop_map(|(at, length)| Damage::Remove(at, length)),
        1 => (any::<Index>(), bytes()).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        1 => (any::<Index>(), bytes()).prop_map(|(at, bytes)| Damage::Overwrite(at, bytes)),
        1 => (any::<Index>(), 1..900usize, any::<Index>()).prop_map(|(from, length, to)| Damage::Repeat(from, length, to)),
    ]
}

fn suffer(bytes: &mut Vec<u8>, damage: &Damage) {
    let at = |index: &Index| index.index(bytes.len() + 1);
    match damage {
        Damage::Flip(index, bit) if !bytes.is_empty() => {
            let at = index.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        Damage::Flip(..) => {}
        Damage::Cut(index) => bytes.truncate(at(index)),
        Damage::Remove(index, length) => {
            let start = at(index);
            bytes.drain(start..(start + length).min(bytes.len()));
        }
        Damage::Insert(index, new) => {
            let at = at(index);
            bytes.splice(at..at, new.iter().copied());
        }
        Damage::Overwrite(index, new) => {
            let start = at(index);
            let end = (start + new.len()).min(bytes.len());
            bytes.splice(start..end, new.iter().copied());
        }
        Damage::Repeat(from, length, to) => {
            let (start, to) = (at(from), at(to));
            let piece = bytes[start..(start + length).min(bytes.len())].to_vec();
            bytes.splice(to..to, piece);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens to the bytes, a trial comes back as it was or not at all, what is gone is told, and the journal goes on
    /// working.
    #[test]
    fn no_damage_makes_another_result(damages in prop::collection::vec(damage(), 1..4)) {
        let (_dir, path) = kept(8);
        let whole = fs::read(&path).unwrap();
        let mut bytes = whole.clone();
        for damage in &damages {
            suffer(&mut bytes, damage);
        }
        fs::write(&path, &bytes).unwrap();
        let journal = Journal::open(&path).unwrap();
        for seed in 0..8 {
            let found = journal.get("own", &record(seed).spec);
            prop_assert!(found.is_none() || found == Some(record(seed)));
        }
        let left: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').collect();
        let odd = left.iter().any(|line| !line.is_empty() && !whole.split(|&byte| byte == b'\n').any(|own| own == *line));
        prop_assert_eq!(odd, !journal.faults().is_empty());
        journal.keep("own", &(0..8).map(record).collect::<Vec<_>>()).unwrap();
        drop(journal);
        let journal = Journal::open(&path).unwrap();
        prop_assert_eq!(journal.len(), 8);
        for seed in 0..8 {
            prop_assert_eq!(journal.get("own", &record(seed).spec), Some(record(seed)));
        }
    }
}
