//! `lrfind analyze`: formats, columns, what cannot be said, and what is refused.

mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;

use common::Quadratic;
use common::cli::{Folder, Ran};
use flate2::{Compression, write::GzEncoder};
use lrfind::analysis::Verdict;
use lrfind::curves::{ColumnNames, Recording, read};
use lrfind::record::Outcome;
use lrfind::study::Analysis;
use lrfind::{Report, RunOptions, Study};
use proptest::prelude::*;
use serde_json::Value;

/// A logged loss: rate, seed, step, loss.
type Row = (f64, u64, u64, f64);

/// Gradient descent on a quadratic with curvatures 20 and 2, from a start set by the seed: unstable above 2 / 20 = 0.1, and not
/// finite at 1 after a hundred steps or so.
fn curve(rate: f64, seed: u64, steps: u64) -> Vec<Row> {
    let start = 1.0 + 0.1 * seed as f64;
    let loss = |step: u64| {
        // To the square, the sign of what is left of the start does not matter.
        let left = |curvature: f64| start * (1.0 - rate * curvature).abs().powf(step as f64);
        [20.0, 2.0].iter().map(|&curvature| 0.5 * curvature * left(curvature).powi(2)).sum()
    };
    (0..steps).map(|step| (rate, seed, step, loss(step))).collect()
}

const RATES: [f64; 9] = [0.001, 0.003, 0.01, 0.03, 0.06, 0.09, 0.12, 0.3, 1.0];

/// Three seeds at nine rates, 130 steps each.
fn rows() -> Vec<Row> {
    RATES.iter().flat_map(|&rate| (0..3).flat_map(move |seed| curve(rate, seed, 130))).collect()
}

fn csv_with(header: &str, delimiter: char, rows: &[Row]) -> String {
    let mut text = format!("{header}\n");
    for (rate, seed, step, loss) in rows {
        writeln!(text, "{rate}{delimiter}{seed}{delimiter}{step}{delimiter}{loss}").unwrap();
    }
    text
}

fn csv(rows: &[Row]) -> String {
    csv_with("lr,seed,step,loss", ',', rows)
}

/// As Python writes it: with `NaN` and `Infinity`, which are no JSON.
fn jsonl(rows: &[Row]) -> String {
    let mut text = String::new();
    for (lr, seed, step, loss) in rows {
        let loss = format!("{loss}").replace("inf", "Infinity");
        writeln!(text, r#"{{"lr": {lr}, "seed": {seed}, "other": {{"loss": [1]}}, "step": {step}, "loss": {loss}}}"#).unwrap();
    }
    text
}

fn gzipped(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Runs the program with `input` on its standard input.
fn piped(folder: &Folder, arguments: &str, input: &[u8]) -> Ran {
    let mut command = folder.command();
    command.args(arguments.split_whitespace()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    Ran::of(&child.wait_with_output().unwrap())
}

/// The report without what names its source.
fn answer(mut report: Value) -> Value {
    for key in ["name", "config", "config_sha256"] {
        report.as_object_mut().unwrap().remove(key);
    }
    report["curves"].as_object_mut().unwrap().remove("columns");
    report
}

fn codes(report: &Value) -> BTreeSet<String> {
    report["warnings"].as_array().unwrap().iter().map(|w| w["code"].as_str().unwrap().to_owned()).collect()
}

/// The report on these rows in a file, and its exit code.
fn analysed(rows: &[Row], flags: &str) -> (Value, i32) {
    let folder = Folder::new();
    folder.write("x.csv", csv(rows));
    let ran = folder.lrfind(&format!("analyze x.csv --out out {flags}"));
    assert_eq!(ran.stderr, "", "{ran:#?}");
    (folder.report("out"), ran.code.unwrap())
}

#[test]
fn finds_best_rate_threshold_and_recommendation_and_draws_the_plots() {
    let folder = Folder::new();
    folder.write("x.csv", csv(&rows()));
    let ran = folder.lrfind("analyze x.csv").ends_with(0);
    let report = folder.report("reports/x");
    let names: Vec<String> = folder.files("reports/x").into_keys().collect();
    assert_eq!(names, ["learning-curves.png", "loss-vs-rate.png", "report.json", "stability-map.png"]);
    assert_eq!(report["best_early"]["learning_rate"], 0.09);
    assert_eq!((&report["instability"]["last_stable"], &report["instability"]["first_unstable"]), (&0.09.into(), &0.12.into()));
    let rate = report["recommendation"]["learning_rate"].as_f64().unwrap();
    assert!((0.05..0.08).contains(&rate), "{rate}");
    let because = report["recommendation"]["because"].to_string();
    assert!(because.contains("not confirmed: recorded curves cannot be tried on fresh seeds"), "{because}");
    for words in ["27 curves in 3,510 rows of one file", "rate from \"lr\"", "reports/x/stability-map.png"] {
        assert!(ran.stdout.contains(words), "no {words:?} in {ran:#?}");
    }
    assert!(report["trials"].as_array().unwrap().iter().all(|t| t["losses"].as_array().unwrap().len() <= 100));
    // `plot` draws the same from the report alone.
    folder.lrfind("plot reports/x --out again").ends_with(0);
    let drawn = folder.files("again");
    assert!(drawn.len() == 3 && drawn.iter().all(|(name, png)| folder.files("reports/x")[name] == *png));
}

#[test]
fn every_format_gives_the_same_answer() {
    let folder = Folder::new();
    let rows = rows();
    let (csv, jsonl) = (csv(&rows), jsonl(&rows));
    let others = [
        ("b.tsv", csv_with("lr\tseed\tstep\tloss", '\t', &rows).into_bytes()),
        ("c.csv", csv.replace('\n', "\r\n").into_bytes()),
        ("d.csv", format!("\u{feff}{}", csv_with("loss;step;seed;lr", ';', &[])).into_bytes()),
        ("e.csv.gz", gzipped(&csv)),
        ("f.jsonl", jsonl.clone().into_bytes()),
        ("g.ndjson.gz", gzipped(&jsonl)),
        ("h.log", jsonl.into_bytes()),
    ];
    folder.write("a.csv", &csv);
    folder.lrfind("analyze a.csv --out a").ends_with(0);
    let expected = answer(folder.report("a"));
    for (name, mut bytes) in others {
        if name == "d.csv" {
            for (lr, seed, step, loss) in &rows {
                writeln!(bytes, "{loss};{step};{seed};{lr}").unwrap();
            }
        }
        folder.write(name, &bytes);
        folder.lrfind(&format!("analyze {name} --out out")).ends_with(0);
        assert!(answer(folder.report("out")) == expected, "{name} gives another report");
        piped(&folder, "analyze - --out piped", &bytes).ends_with(0);
        assert!(answer(folder.report("piped")) == expected, "{name} gives another report from standard input");
    }
}

#[test]
fn the_order_of_rows_and_files_changes_no_byte() {
    let rows = rows();
    let reports = [1, 617, 3509].map(|step| {
        // Each is prime to 3510, the number of rows.
        let mixed: Vec<Row> = (0..rows.len()).map(|k| rows[k * step % rows.len()]).collect();
        let (one, two) = mixed.split_at(1000 + step % 100);
        let folder = Folder::new();
        folder.write("a.csv", csv(one));
        folder.write("b.csv", csv(two));
        folder.lrfind("analyze a.csv b.csv --out ab").ends_with(0);
        folder.lrfind("analyze b.csv a.csv --out ba").ends_with(0);
        assert!(folder.files("ab") == folder.files("ba"));
        folder.files("ab")["report.json"].clone()
    });
    assert!(reports[0] == reports[1] && reports[0] == reports[2]);
}

#[test]
fn a_folder_is_all_the_files_in_it() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path("runs/deep")).unwrap();
    for (k, rate) in RATES.iter().enumerate() {
        let rows: Vec<Row> = (0..3).flat_map(|seed| curve(*rate, seed, 130)).collect();
        folder.write(&format!("runs/{}{k}.csv", if k % 2 == 0 { "deep/" } else { "" }), csv(&rows));
    }
    folder.write("runs/notes.txt", "no curves");
    folder.write("x.csv", csv(&rows()));
    folder.lrfind("analyze runs").ends_with(0);
    folder.lrfind("analyze x.csv").ends_with(0);
    let (mut many, mut one) = (answer(folder.report("reports/runs")), answer(folder.report("reports/x")));
    assert_eq!((many["curves"]["files"].take(), one["curves"]["files"].take()), (9.into(), 1.into()));
    assert!(many == one);
}

#[test]
fn columns_are_found_by_usual_names_or_named() {
    let folder = Folder::new();
    let rows = rows();
    for (header, flags) in [
        ("learning_rate,run_id,iteration,train/loss", ""),
        ("Learning Rate,Trial,Global-Step,Training Loss", ""),
        ("eps,run,_step,train_loss", ""),
        ("a,b,c,d", "--lr-column a --seed-column b --step-column c --loss-column d"),
        ("lr,worker,step,loss", "--seed-column worker"),
    ] {
        folder.write("x.csv", csv_with(header, ',', &rows));
        folder.lrfind(&format!("analyze x.csv --out out {flags}")).ends_with(0);
        let report = folder.report("out");
        assert_eq!(report["best_early"]["learning_rate"], 0.09, "{header}");
        let columns = &report["curves"]["columns"][0];
        let used = ["learning_rate", "seed", "step", "loss"].map(|role| columns[role].as_str().unwrap()).join(",");
        assert_eq!(used, header);
    }
}

#[test]
fn a_missing_column_is_named_beside_those_that_are_there() {
    let folder = Folder::new();
    folder.write("x.csv", csv_with("rate,seed,step,value", ',', &rows()));
    let parts = ["error: x.csv:1: ", "--lr-column", "--loss-column", r#"the columns are "rate", "seed", "step", "value""#];
    folder.lrfind("analyze x.csv").ends_with(2).complains_of(&parts);
    folder.write("x.jsonl", "{\"lr\": 1, \"step\": 0}\n{\"val\": 2}\n");
    let parts = ["x.jsonl: ", "--loss-column", r#"the columns are "lr", "step", "val""#];
    folder.lrfind("analyze x.jsonl").ends_with(2).complains_of(&parts);
    let parts = [r#"no column "seeed" for the seed"#, "--seed-column"];
    folder.lrfind("analyze x.csv --seed-column seeed").ends_with(2).complains_of(&parts);
    assert!(!folder.path("reports").exists());
}

#[test]
fn bad_rows_are_reported_together_with_their_lines() {
    let folder = Folder::new();
    let text = "lr,seed,step,loss\n0.1,0,0,1\n0.1,0,x,1\n\n-1,0,1,1\n0.1,0,2,high\n0.1,,3,1\n0.1,0,4\n0.1,0,5,2\n";
    let parts = [
        "x.csv:3: column \"step\": \"x\" is no step",
        "x.csv:5: column \"lr\": -1.0 is not a usable learning rate",
        "x.csv:6: column \"loss\": \"high\" is no loss: write a number, nan or inf",
        "x.csv:7: column \"seed\": the seed is empty",
        "x.csv:8: the row has 3 cells, but the first line names 4 columns",
    ];
    for text in [text.to_owned(), text.replace('\n', "\r\n")] {
        folder.write("x.csv", text);
        let ran = folder.lrfind("analyze x.csv").ends_with(2).complains_of(&parts);
        assert_eq!(ran.stderr.lines().count(), 5, "{ran:#?}");
    }
    folder.write("y.jsonl", "{\"lr\": 0.1, \"step\": 0, \"loss\": 1}\n{\"lr\": 0.1, \"step\": 1, \"loss\": [1]}\n{oops\n");
    let parts = ["y.jsonl:2: column \"loss\": a list is no loss", "y.jsonl:3: column 2: key must be a string"];
    folder.lrfind("analyze y.jsonl").ends_with(2).complains_of(&parts);
    folder.write("many.csv", format!("lr,seed,step,loss\n{}", "0,0,0,0\n".repeat(100)));
    let ran = folder.lrfind("analyze many.csv").ends_with(2).complains_of(&["there may be more: only the first 20"]);
    assert_eq!(ran.stderr.lines().count(), 21, "{ran:#?}");
}

#[test]
fn a_step_that_occurs_twice_is_refused_with_both_lines() {
    let folder = Folder::new();
    let text = "lr,seed,step,loss\n0.1,0,0,1\n0.1,0,1,1\n0.1,0,1,1\n";
    folder.write("x.csv", text);
    let parts = ["x.csv:4: learning rate 0.1, seed 0, step 1 stands on line 3 already", "--seed-column"];
    folder.lrfind("analyze x.csv").ends_with(2).complains_of(&parts);
    folder.write("a.csv", "lr,seed,step,loss\n0.1,0,0,1\n");
    folder.write("b.csv", "lr,seed,step,loss\n0.1,0,1,1\n0.1,0,0,2\n");
    folder.lrfind("analyze b.csv a.csv").ends_with(2).complains_of(&["b.csv:3: ", "stands on line 2 of a.csv already"]);
    // The same file by two paths is one file.
    folder.write("c.csv", csv(&rows()));
    folder.lrfind("analyze c.csv ./c.csv --out out").ends_with(0);
}

#[test]
fn what_is_no_set_of_curves_is_refused() {
    let folder = Folder::new();
    folder.write("array.json", r#"[{"lr": 0.1, "step": 0, "loss": 1}]"#);
    folder.write("empty.csv", "");
    folder.write("header.csv", "lr,seed,step,loss\n");
    folder.write("numbers.csv", "0.1,0,0,1\n0.1,0,1,1\n");
    folder.write("with.csv", csv(&rows()));
    folder.write("without.csv", csv_with("lr,x,step,loss", ',', &curve(0.1, 0, 20)));
    folder.write("schedule.csv", csv(&(0..50).map(|k| (0.1 / (k + 1) as f64, 0, k, 1.0)).collect::<Vec<_>>()));
    std::fs::create_dir(folder.path("nothing")).unwrap();
    for (arguments, part) in [
        ("array.json", "array.json:1: column 0: invalid type: sequence"),
        ("empty.csv", "the file is empty"),
        ("header.csv", "there is no row with a loss"),
        ("numbers.csv", "numbers.csv:1: the first line must name the columns, but holds only numbers"),
        ("with.csv without.csv", "without.csv: has no column for the seed, but with.csv has \"seed\""),
        ("schedule.csv", "the rate seems to move within the runs"),
        ("nowhere.csv", "nowhere.csv: cannot be read"),
        ("nothing", "the folder holds no curves"),
        ("with.csv --safety 0.5", "--safety"),
        ("with.csv --iterations 3", "--iterations"),
        ("", "PATH"),
    ] {
        folder.lrfind(&format!("analyze {arguments}")).ends_with(2).complains_of(&[part]);
    }
}

#[test]
fn a_loss_that_is_not_finite_is_a_divergence_however_it_is_spelled() {
    let folder = Folder::new();
    let rows: Vec<Row> = rows().into_iter().filter(|row| row.0 < 0.1).collect();
    for word in ["nan", "NaN", "-nan", "inf", "-Infinity", "1.#IND", "1e999", "nan(snan)"] {
        let lost: String = (0..3).fold(String::new(), |text, seed| text + &format!("0.5,{seed},0,11\n0.5,{seed},1,{word}\n"));
        folder.write("x.csv", csv(&rows) + &lost);
        folder.lrfind("analyze x.csv --out out").ends_with(0);
        let report = folder.report("out");
        let trial = report["trials"].as_array().unwrap().iter().find(|t| t["learning_rate"] == 0.5).unwrap().clone();
        assert_eq!((&trial["verdict"], &trial["outcome"]["step"]), (&"non_finite".into(), &1.into()), "{word}");
        assert_eq!(report["instability"]["first_unstable"], 0.5);
    }
    // A loss that was not logged is no divergence, but is spoken of.
    folder.write("x.csv", csv(&rows) + "0.5,0,0,11\n0.5,0,1,\n");
    folder.lrfind("analyze x.csv --out out").ends_with(0);
    let report = folder.report("out");
    assert!(report["instability"]["first_unstable"].is_null());
    assert!(codes(&report).is_superset(&["losses-missing", "curves-cut-short"].map(str::to_owned).into()), "{report:#}");
}

#[test]
fn seeds_may_be_names_or_files() {
    let folder = Folder::new();
    let text = csv(&rows());
    folder.write("numbers.csv", &text);
    let named = ["wild-sun", "calm-sky", "10"];
    let mut names = String::from("lr,run,step,loss\n");
    let mut files = vec![String::from("lr,step,loss\n"); 3];
    for (lr, seed, step, loss) in rows() {
        writeln!(names, "{lr},{},{step},{loss}", named[seed as usize]).unwrap();
        writeln!(files[seed as usize], "{lr},{step},{loss}").unwrap();
    }
    folder.write("names.csv", names);
    folder.lrfind("analyze names.csv --out names").ends_with(0);
    let report = folder.report("names");
    assert_eq!(report["curves"]["seed_names"], serde_json::json!(["10", "calm-sky", "wild-sun"]));
    assert_eq!(report["seeds"], serde_json::json!([0, 1, 2]));
    let of_first = report["trials"].as_array().unwrap().iter().find(|t| t["seed"] == 2).unwrap();
    assert_eq!(of_first["losses"][0], 11.0, "the seed of \"wild-sun\" is the last, and starts where seed 0 does");

    for (k, text) in files.iter().enumerate() {
        folder.write(&format!("run{k}.csv"), text);
    }
    folder.lrfind("analyze run2.csv run0.csv run1.csv --out files").ends_with(0);
    folder.lrfind("analyze numbers.csv --out numbers").ends_with(0);
    let (mut files, mut numbers) = (answer(folder.report("files")), answer(folder.report("numbers")));
    assert_eq!((files["curves"]["files"].take(), numbers["curves"]["files"].take()), (3.into(), 1.into()));
    assert!(files == numbers);
}

#[test]
fn losses_logged_now_and_then_are_counted_in_true_iterations() {
    let every_tenth: Vec<Row> =
        RATES.iter().flat_map(|&r| (0..3).flat_map(move |s| curve(r / 10.0, s, 4000))).filter(|row| row.2 % 10 == 0).collect();
    let (report, code) = analysed(&every_tenth, "");
    assert_eq!(code, 0);
    assert_eq!((&report["curves"]["steps_per_loss"], &report["run"]["short_iterations"]), (&10.into(), &1000.into()));
    assert_eq!((&report["run"]["long_iterations"], &report["best_early"]["iterations"]), (&4000.into(), &1000.into()));
    assert!(codes(&report).contains("logged-sparsely"));
    // Short trials at nine rates, and longer ones that go on where these ended.
    let longer = report["trials"].as_array().unwrap().iter().filter(|t| t["iterations"] == 4000);
    let taken = |trial: &Value| trial["losses"].as_array().unwrap().len() as u64 * 10;
    let cost: u64 = report["trials"].as_array().unwrap().iter().map(taken).sum::<u64>() - 1000 * longer.count() as u64;
    assert_eq!(report["cost"]["trial_iterations"], cost);
    let of = |iterations: u64| report["trials"].as_array().unwrap().iter().filter(move |t| t["iterations"] == iterations);
    assert!(of(1000).all(|t| t["losses"].as_array().unwrap().len() == 100), "a hundred losses are a thousand iterations");
    assert!(of(4000).count() > 0 && of(4000).all(|t| t["losses"].as_array().unwrap().len() == 400));
    let (report, _) = analysed(&every_tenth, "--iterations 500");
    assert_eq!((&report["run"]["short_iterations"], &report["run"]["long_iterations"]), (&500.into(), &2000.into()));
}

#[test]
fn what_was_learnt_and_lost_again_counts_however_sparsely_it_was_logged() {
    // It learns as the others do, and forgets all of it after 2,000 steps.
    let forgets = |(rate, seed, step, loss): Row| {
        let lost = rate <= 0.006 && step >= 2000;
        (rate, seed, step, if lost { 10.0 } else { loss + 0.01 })
    };
    let all: Vec<Row> = RATES.iter().flat_map(|&r| (0..3).flat_map(move |s| curve(r / 10.0, s, 4000))).map(forgets).collect();
    let every = |stride: u64| {
        let rows: Vec<Row> = all.iter().copied().filter(|row| row.2 % stride == 0).collect();
        let (report, _) = analysed(&rows, "--iterations 1000");
        let longer = report["trials"].as_array().unwrap().iter().filter(|t| t["iterations"] == 4000);
        let verdict = |t: &Value| (t["learning_rate"].to_string(), t["verdict"].to_string());
        let verdicts: BTreeSet<_> = longer.map(verdict).collect();
        (verdicts, report["instability"]["first_unstable"].clone())
    };
    let dense = every(1);
    assert!(dense.0.iter().any(|(_, verdict)| verdict.contains("collapsed")), "{dense:?}");
    assert_eq!(every(10), dense);
}

#[test]
fn nested_keys_are_columns_where_they_are_named() {
    let folder = Folder::new();
    let mut text = String::new();
    for (lr, seed, step, loss) in rows() {
        let loss = format!("{loss}").replace("inf", "Infinity");
        writeln!(
            text,
            r#"{{"config": {{"lr": {lr}}}, "seed": {seed}, "step": {step}, "train": {{"loss": {loss}}}, "loss": 1}}"#
        )
        .unwrap();
    }
    folder.write("x.jsonl", &text);
    folder.write("x.csv", csv(&rows()));
    let ran = folder.lrfind("analyze x.jsonl").ends_with(2);
    ran.complains_of(&["no column for the learning rate", "within them, to be named so, \"config.lr\", \"train.loss\""]);
    folder.lrfind("analyze x.jsonl --lr-column config.lr --loss-column train.loss --out nested").ends_with(0);
    folder.lrfind("analyze x.csv --out flat").ends_with(0);
    assert_eq!(folder.report("nested")["trials"], folder.report("flat")["trials"]);
    // What is not named may be anything.
    let flat = text.replace(r#""config": {"lr": "#, r#""lr": "#).replace("}, \"seed\"", ", \"run\": {\"id\": 7}, \"seed\"");
    folder.write("y.jsonl", flat);
    folder.lrfind("analyze y.jsonl --loss-column train.loss --out named").ends_with(0);
    assert_eq!(folder.report("named")["trials"], folder.report("flat")["trials"]);
}

#[test]
fn gaps_in_the_steps_are_filled_and_spoken_of() {
    let gaps: Vec<Row> = rows().into_iter().filter(|row| row.2 % 10 != 7).collect();
    let (report, code) = analysed(&gaps, "");
    assert_eq!((code, &report["best_early"]["learning_rate"]), (0, &0.09.into()));
    assert!(codes(&report).contains("steps-missing"));
    let losses = report["trials"][0]["losses"].as_array().unwrap();
    assert!(losses.len() == 100 && losses[7] == losses[6] && losses[8] != losses[7]);
}

#[test]
fn what_cannot_be_said_is_said() {
    let of = |keep: fn(&Row) -> bool| rows().into_iter().filter(keep).collect::<Vec<_>>();
    let has = |report: &Value, code: &str| assert!(codes(report).contains(code), "no {code} among {:?}", codes(report));
    let (report, code) = analysed(&of(|row| row.1 == 0), "");
    has(&report, "few-seeds");
    assert_eq!(code, 0);
    let (report, _) = analysed(&of(|row| [0.001, 0.01, 0.09, 1.0].contains(&row.0)), "");
    has(&report, "coarse-grid");
    let (report, code) = analysed(&of(|row| row.0 < 0.1), "");
    has(&report, "no-threshold");
    has(&report, "best-at-edge");
    assert_eq!((code, &report["instability"]["censored"]), (0, &"above-range".into()));
    let (report, _) = analysed(&of(|row| row.2 < 40), "");
    has(&report, "curves-too-short");
    has(&report, "no-longer-curves");
    assert_eq!((&report["run"]["short_iterations"], &report["run"]["long_iterations"]), (&40.into(), &0.into()));
    let (report, _) = analysed(&of(|row| row.0 != 0.003 || row.2 < 50), "");
    has(&report, "curves-cut-short");
    let (report, _) = analysed(&of(|row| row.0 != 0.003 || row.2 > 50), "");
    has(&report, "curves-start-late");
    let (report, _) = analysed(&rows(), "");
    has(&report, "constant-rate-assumed");
    let (good, code) = analysed(&rows(), "--iterations 30");
    assert_eq!((code, &good["run"]["long_iterations"]), (0, &120.into()));
    let about_the_answer =
        ["few-seeds", "best-at-edge", "curves-too-short", "no-longer-curves", "coarse-grid", "steps-missing"];
    assert!(codes(&good).is_disjoint(&about_the_answer.map(str::to_owned).into()), "{:?}", codes(&good));
}

#[test]
fn three_when_there_is_no_rate_to_recommend() {
    for (rows, reason) in [
        (rows().into_iter().filter(|row| row.0 == 0.01).collect::<Vec<_>>(), "nothing to compare it with"),
        (rows().into_iter().filter(|row| row.2 < 6).collect(), "fewer than 10 show nothing"),
        (
            rows().into_iter().filter(|row| row.0 == 1.0 || row.0 == 0.3).map(|r| (r.0, r.1, r.2, f64::NAN)).collect(),
            "diverged",
        ),
    ] {
        let (report, code) = analysed(&rows, "");
        assert_eq!(code, 3);
        assert!(report["recommendation"]["learning_rate"].is_null());
        assert!(report["recommendation"]["because"].to_string().contains(reason), "{}", report["recommendation"]);
    }
}

#[test]
fn the_readme_names_every_key_of_what_was_read() {
    let readme = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let (_, section) = readme.split_once("\n## report.json\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let (report, _) = analysed(&rows(), "");
    for key in report.as_object().unwrap().keys().chain(report["curves"].as_object().unwrap().keys()) {
        assert!(section.contains(&format!("`{key}`")), "README.md does not describe `{key}` of report.json");
    }
    for code in codes(&report) {
        assert!(readme.contains(&format!("`{code}`")), "README.md does not describe the warning {code}");
    }
}

/// The curves of a folder with one file.
fn recorded(name: &str, content: &[u8]) -> Option<Recording> {
    let folder = Folder::new();
    let path = folder.write(name, content);
    read(&[path], &ColumnNames::default(), Analysis::new("x").most_losses()).ok()
}

/// The short trials of a search as somebody might have logged them.
fn exported(report: &Report) -> String {
    let mut text = String::from("seed,learning_rate,loss,step\n");
    for trial in report.trials.iter().filter(|t| t.iterations == report.run.short_iterations) {
        let own = trial.losses.iter().take(trial.iterations as usize);
        for (step, loss) in own.enumerate() {
            writeln!(text, "{},{},{loss},{step}", trial.seed, trial.learning_rate).unwrap();
        }
        if let Outcome::Diverged { step, .. } = trial.outcome
            && step < trial.iterations
        {
            writeln!(text, "{},{},nan,{step}", trial.seed, trial.learning_rate).unwrap();
        }
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn curves_exported_from_a_search_give_its_best_early_rate(
        curvatures in prop::collection::vec(0.1..30.0f64, 1..4),
        noise in prop::sample::select(vec![0.0, 0.05]),
        first_seed in 0..1000u64,
    ) {
        let problem = Quadratic { noise, ..Quadratic::sgd(&curvatures) };
        let mut study = Study::new("quadratic", &problem);
        study.search.first_seed = first_seed;
        let found = study.find(&RunOptions::default());
        let recording = recorded("x.csv", exported(&found).as_bytes()).unwrap();
        let analysis = Analysis { iterations: Some(found.run.short_iterations), ..Analysis::new("x") };
        let report = analysis.of(&recording);
        prop_assert_eq!(&report.best_early, &found.best_early);
        let unstable = |report: &Report| report.trials.iter().filter(|t| t.verdict == Verdict::NonFinite).count();
        prop_assert_eq!(unstable(&report) > 0, unstable(&found) > 0);
    }
}

/// Pieces of files, to be put together at random.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "lr,seed,step,loss\n",
        "lr",
        "step",
        "loss",
        ",",
        ";",
        "\t",
        "\n",
        "\r\n",
        "\"",
        "{",
        "}",
        "[",
        "]",
        ":",
        "\"lr\":",
        "\"step\":",
        "\"loss\":",
        "0.1",
        "1",
        "0",
        "-1",
        "1e9",
        "4294967295",
        "4294967296",
        "nan",
        "NaN",
        "-Infinity",
        "null",
        "\u{feff}",
        "0.1,0,0,1\n",
        "0.1,0,1,nan\n",
        "{\"lr\":0.1,\"step\":0,\"loss\":1}\n",
        "{\"lr\":0.2,\"step\":4294967295,\"loss\":NaN}\n",
        "\u{1f}\u{8b}",
        "é",
    ];
    prop_oneof![
        4 => prop::sample::select(words.to_vec()).prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_file_makes_it_panic(pieces in prop::collection::vec(piece(), 0..30), packed in any::<bool>(), cut in any::<bool>()) {
        let mut bytes = pieces.concat();
        if packed {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&bytes).unwrap();
            bytes = encoder.finish().unwrap();
        }
        if cut {
            bytes.truncate(bytes.len() / 2);
        }
        if let Some(recording) = recorded("x", &bytes) {
            prop_assert!(!recording.curves.is_empty());
            let report = Analysis::new("x").of(&recording);
            prop_assert!(lrfind::report::json::render(&report).is_ok());
        }
    }
}
