//! The benchmark of speed: its figures from known cases, and the committed table from the committed measurements.

mod common;

use std::fs;
use std::path::Path;

#[path = "../benches/throughput/figures.rs"]
mod figures;
#[path = "../benches/throughput/plot.rs"]
mod plot;

use common::readme::assert_quotes;
use figures::{Measured, Measurement, Round, markdown};

fn measured(pytorch: bool) -> Measured {
    // The machine was half as fast in the second round, and for PyTorch in the third only.
    let round = |ours: f64, eager: f64| Round { ours, ours_alone: ours / 2.0, eager: pytorch.then_some(eager), stacked: None };
    let case = Measurement {
        name: "mlp".into(),
        label: "MLP".into(),
        parameters: 4810,
        lanes: 16,
        operations: 1e6,
        rounds: vec![round(12_000.0, 1000.0), round(6000.0, 500.0), round(12_000.0, 500.0)],
        not_stacked: pytorch.then(|| "no rule.".into()),
    };
    let pytorch = pytorch.then(|| "2.15.0".into());
    Measured { schema_version: 1, command: "it".into(), pytorch, peak: vec![1e10, 2e10, 2e10], cases: vec![case] }
}

#[test]
fn ratios_are_medians_over_rounds() {
    let measured = measured(true);
    assert_eq!(measured.cases[0].over_eager(), Some(12.0));
    let table = markdown(&measured);
    assert!(
        table.contains("| MLP | 4,810 | 16 | 12,000 | 500 | 12.00× | – | – | 2.00× | 60 % |"),
        "12,000 steps of 10⁶ operations of 2·10¹⁰: {table}"
    );
    assert!(table.contains("The peak is 20 GFLOP/s") && table.contains("“no rule”"), "{table}");
}

#[test]
fn without_pytorch_our_side_is_told() {
    let measured = measured(false);
    assert_eq!(measured.cases[0].over_eager(), None);
    let table = markdown(&measured);
    assert!(table.contains("no PyTorch was found") && table.contains("| 12,000 | – | – | – | – | 2.00× | 60 % |"), "{table}");
    for measured in [measured, self::measured(true)] {
        assert!(plot::draw(&measured).unwrap().starts_with(b"\x89PNG"));
    }
}

#[test]
fn the_committed_table_is_what_was_measured_and_the_readme_quotes_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // The published package leaves the reports out.
    let Ok(text) = fs::read_to_string(root.join("reports/benchmark/throughput.json")) else {
        assert!(!root.join("reports").exists(), "no results are committed");
        return;
    };
    let table = markdown(&serde_json::from_str(&text).unwrap());
    let committed = fs::read_to_string(root.join("reports/benchmark/throughput.md")).unwrap();
    assert_eq!(committed, table, "`cargo bench --bench throughput -- --redraw` makes it anew");
    assert_quotes("throughput", &table, "throughput");
}
