use std::path::Path;

use super::*;
use crate::config;

const MIB: u64 = 1 << 20;

/// Momentum, so four copies of each parameter.
fn plan() -> Plan {
    let text =
        "[data]\nkind = \"synthetic\"\nproblem = \"spirals\"\n[model]\nkind = \"mlp\"\n[training]\noptimizer = \"momentum\"\n";
    config::parse(text, Path::new("x.toml")).unwrap()
}

/// A task that touches so many bytes in a step, a quarter of them values.
fn size(step: u64) -> Size {
    let quarter = step as f64 / 4.0;
    Size { parameters: 3.0 * quarter / 16.0, values: quarter / 4.0, evaluated: 0.0, data: 0 }
}

fn machine(cache: Option<u64>, memory: Option<u64>) -> Machine {
    Machine { cache, memory }
}

fn limits(memory: u64, lanes: Option<usize>, workers: usize) -> Limits {
    Limits { memory: Some(memory), lanes, workers: Some(workers) }
}

fn of(step: u64, cache: Option<u64>, limits: Limits) -> Footprint {
    Footprint::on(machine(cache, None), &plan(), size(step), limits).unwrap()
}

#[test]
fn lanes_follow_the_cache_of_the_machine() {
    for (cache, lanes) in [(Some(256 << 10), 2), (Some(MIB), 8), (Some(2 * MIB), 16), (None, 8)] {
        let found = of(MIB / 2, cache, Limits::default());
        assert_eq!(found.lanes, lanes, "{cache:?}");
        assert_eq!(found.bound, if lanes == 16 { Bound::Gain } else { Bound::Cache });
    }
    // A trial that fits no cache runs alone.
    assert_eq!(of(64 * MIB, Some(MIB), Limits::default()).lanes, 1);
}

#[test]
fn memory_takes_lanes_first_and_then_workers() {
    let within = |memory, lanes, workers| {
        let found = of(MIB, Some(8 * MIB), limits(memory, lanes, workers));
        assert!(found.total() <= memory, "{found:?}");
        (found.lanes, found.workers, found.bound)
    };
    assert_eq!(within(1000 * MIB, None, 3), (16, 3, Bound::Gain));
    assert_eq!(within(1000 * MIB, Some(40), 3), (40, 3, Bound::Asked));
    assert_eq!(within(47 * MIB, None, 3), (15, 3, Bound::Memory));
    assert_eq!(within(3 * MIB, None, 3), (1, 3, Bound::Memory));
    assert_eq!(within(2 * MIB, None, 3), (1, 2, Bound::Memory));
    assert_eq!(within(MIB, Some(1), 3), (1, 1, Bound::Asked));
}

#[test]
fn without_a_word_it_is_eight_gibibytes_or_what_there_is() {
    let allowed = |memory| Footprint::on(machine(None, memory), &plan(), size(MIB), Limits::default()).unwrap().allowed;
    assert_eq!(allowed(None), 8 << 30);
    assert_eq!(allowed(Some(64 << 30)), 8 << 30);
    assert_eq!(allowed(Some(2 << 30)), 2 << 30);
}

fn refused(plan: &Plan, size: Size, memory: u64) -> String {
    Footprint::on(machine(None, None), plan, size, limits(memory, None, 1)).unwrap_err().to_string()
}

#[test]
fn a_trial_that_does_not_fit_is_refused_with_what_to_make_smaller() {
    let weights = refused(&plan(), size(3 * MIB), 2 * MIB);
    assert!(weights.contains("about 3 MiB") && weights.contains("no more than 2 MiB is allowed"), "{weights}");
    assert!(weights.contains("make smaller the layers, or allow more with --max-memory"), "{weights}");
    let batch = Size { values: MIB as f64, ..size(MIB) };
    assert!(refused(&plan(), batch, MIB).contains("in parts with `accumulate`"));
    let mut parts = plan();
    parts.training.accumulate = 2;
    assert!(refused(&parts, batch, MIB).contains("the batch size, or raise `accumulate`"));
    let examples = Size { evaluated: MIB as f64, ..size(MIB) };
    assert!(refused(&plan(), examples, MIB).contains("the layers or the examples"));
    let beside = refused(&plan(), Size { data: 3 * MIB, ..size(2 * MIB) }, 4 * MIB);
    assert!(beside.contains("beside 3 MiB of data"), "{beside}");
    let data = refused(&plan(), Size { data: 5 * MIB, ..size(MIB) }, 4 * MIB);
    assert!(data.contains("the examples take 5 MiB") && data.contains("with `share` in [data]"), "{data}");
    // Exactly so much fits.
    assert_eq!(of(MIB, None, limits(MIB, None, 1)).lanes, 1);
}

#[test]
fn a_size_beyond_all_memory_is_refused_too() {
    assert!(refused(&plan(), Size { parameters: 1e30, ..size(MIB) }, 8 << 30).contains("the layers"));
}

#[test]
fn what_is_left_is_for_finished_trials() {
    let found = of(MIB, Some(8 * MIB), limits(20 * MIB, Some(4), 2));
    let room = found.room();
    assert!(room.take(13 * MIB).is_none() && room.take(12 * MIB).is_some());
}

#[test]
fn bytes_read_well() {
    for (bytes, words) in [
        (512, "0.5 KiB"),
        (640 << 10, "640 KiB"),
        (1023 << 10, "1023 KiB"),
        (MIB, "1 MiB"),
        (3 * MIB / 2, "1.5 MiB"),
        (8 << 30, "8 GiB"),
        (100_000_000, "95 MiB"),
        (u64::MAX, "16384 PiB"),
    ] {
        assert_eq!(in_words(bytes), words);
    }
}
