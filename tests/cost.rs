//! The benchmark of cost: its figures from known cases, and the committed tables from the committed measurements.

mod common;

use std::fs;
use std::path::Path;

#[path = "../benches/cost/figures.rs"]
mod figures;
#[path = "../benches/cost/plot.rs"]
mod plot;

use common::readme::assert_quotes;
use figures::{Case, Measured, Workers, curves, markdown, short};

fn measured() -> Measured {
    let case = |command: &str, size: f64, iterations: u64, search: [f64; 3]| Case {
        search: search.to_vec(),
        whole: search.map(|seconds| seconds + 1.0).to_vec(),
        ..Case::new("seeds".into(), command.into(), size, iterations)
    };
    let workers = Workers {
        name: "find digits".into(),
        one: vec![2.0, 4.0, 3.0],
        two: vec![1.0, 2.5, 1.5],
        iterations_a_second: vec![3000.0, 1000.0, 2000.0],
        peak_mib: vec![60.0, 61.4],
    };
    // The machine was half as fast in the second round, and in the third only for the larger case.
    let cases = vec![
        case("find", 1.0, 1000, [1.0, 2.0, 1.0]),
        case("check", 1.0, 500, [0.5, 1.0, 0.5]),
        case("find", 2.5, 3000, [4.0, 8.0, 8.0]),
        case("check", 2.5, 500, [0.5, 1.0, 1.0]),
    ];
    Measured { schema_version: 1, command: "it".into(), workers: vec![workers], cases }
}

#[test]
fn growth_is_against_the_smallest_case_of_the_same_round() {
    let measured = measured();
    let curves = curves(&measured);
    assert_eq!(curves.iter().map(|curve| curve.command).collect::<Vec<_>>(), ["find", "check"]);
    let last = curves[0].points[1];
    assert_eq!((last.size, last.total, last.iterations, last.search), (2.5, 3000, 3.0, 4.0));
    assert_eq!(last.whole, 3.0);
    assert_eq!(curves[1].points[1].search, 1.0);
}

#[test]
fn the_tables_tell_all_of_it() {
    let table = markdown(&measured());
    for row in [
        "| find digits | 3.00 s | 1.50 s | 2.00× | 2,000 | 61 MiB |",
        "| seeds | `find` | 1 | 1,000 | 1.00× | 1.00× | 1.00× |",
        "| seeds | `find` | 2.5 | 3,000 | 3.00× | 4.00× | 3.00× |",
    ] {
        assert!(table.contains(row), "{row}: {table}");
    }
    assert!(short(&measured()).contains("| seeds | 1 | 2.5 | 3.00× | 4.00× | 1.00× | 1.00× |"), "{}", short(&measured()));
    let alone = Measured { cases: Vec::new(), ..measured() };
    assert!(!markdown(&alone).contains("How the cost grows"));
    for measured in [measured(), alone] {
        assert!(plot::draw(&measured).unwrap().starts_with(b"\x89PNG"));
    }
}

#[test]
fn the_committed_tables_are_what_was_measured_and_the_readme_quotes_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // The published package leaves the reports out.
    let Ok(text) = fs::read_to_string(root.join("reports/benchmark/cost.json")) else {
        assert!(!root.join("reports").exists(), "no results are committed");
        return;
    };
    let measured: Measured = serde_json::from_str(&text).unwrap();
    let committed = fs::read_to_string(root.join("reports/benchmark/cost.md")).unwrap();
    assert_eq!(committed, markdown(&measured), "`cargo bench --bench cost -- --redraw` makes it anew");
    let quoted = short(&measured);
    assert_quotes("cost", &quoted, "cost");
}
