//! The regret benchmark: its figures from known cases, and the committed tables from the committed measurements.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use lrfind::report::CheckVerdict;

#[path = "../benches/regret/figures/mod.rs"]
mod figures;
#[path = "../benches/regret/plots/mod.rs"]
mod plots;

use common::readme::assert_quotes;
use figures::{
    Agreement, Answer, Check, Costs, EXHAUSTIVE, FACTORS, Hindsight, OwnReport, Risk, Row, Task, markdown, short, summary,
};

/// What the README quotes: the longest benchmark that was committed.
const QUOTED: [&str; 2] = ["regret.json", "regret-quick.json"];

/// Rules in the order of the benchmark: ours first.
const RULES: [&str; 4] = ["lrfind", "best early", "threshold / 2", "fastai valley"];

const COSTS: Costs = Costs { initial: 2.0, tenth: 0.5, least: 0.1 };

fn answer(rate: f64, cost: f64) -> Answer {
    Answer { rate: Some(rate), cost, interpolated: false, trial_iterations: 1000 }
}

fn row(contestant: &str, answers: Vec<Answer>) -> Row {
    Row { contestant: contestant.into(), answers, runs: 3, unstable: 0, held_out: Some(0.6), reached: Some(1000) }
}

/// A task whose best rate is 0.1, with a threshold between 0.4 and 0.5, on which each rule ends at one of these costs.
fn task(name: &str, half: char, costs: [f64; 4]) -> Task {
    let hindsight = Hindsight {
        iterations: 2000,
        seeds: 3,
        grid: [0.01, 1.0],
        best: 0.1,
        as_good: [0.1, 0.2],
        costs: COSTS,
        held_out: Some(0.3),
        reached: Some(500),
        threshold: Some([0.4, 0.5]),
        half_threshold: Some([0.5, 0.6]),
    };
    let report = OwnReport {
        best_early: Some(0.05),
        recommended: Some(0.1),
        first_unstable: Some(0.4),
        threshold: Some(0.3),
        interval: Some([0.2, 0.45]),
        full_run_interval: Some([0.3, 0.45]),
        lower_because: None,
    };
    let check =
        |rate, verdict, unstable| Check { rate, verdict, p: Some(0.5), unstable, violent: 0, runs: 3, trial_iterations: 2000 };
    Task {
        half,
        name: name.into(),
        hindsight,
        rows: RULES.iter().zip(costs).map(|(rule, cost)| row(rule, vec![answer(0.1, cost), answer(0.2, cost)])).collect(),
        reports: vec![report],
        risks: FACTORS
            .map(|factor| Risk { factor, p: Some(factor / 5.0), unstable: u64::from(factor > 1.0), runs: 3 })
            .to_vec(),
        checks: vec![
            check(0.1, CheckVerdict::Safe, 0),
            check(0.3, CheckVerdict::Marginal, 0),
            check(0.9, CheckVerdict::Marginal, 3),
            check(1.0, CheckVerdict::Safe, 1),
        ],
    }
}

fn tasks() -> Vec<Task> {
    vec![task("one", 'A', [0.1, 0.2, 0.3, 2.0]), task("two", 'B', [0.14, 0.1, 0.3, 2.0])]
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

#[test]
fn regret_is_measured_by_the_last_nine_tenths_of_the_best_run() {
    assert!(near(COSTS.regret(0.1), 0.0) && near(COSTS.regret(0.5), 1.0) && near(COSTS.regret(0.3), 0.5));
    // A best run that is worse than nothing after a tenth does not make others stable that end where they began.
    let thrown = Costs { tenth: 1e9, ..COSTS };
    assert!(thrown.regret(2.0) < 1e-6 && near(thrown.lost(), thrown.initial) && near(COSTS.lost(), COSTS.tenth));
    // Nor does one that has nothing left to gain make them infinitely bad.
    let flat = Costs { tenth: 0.1, ..COSTS };
    assert!(near(flat.regret(0.119), 1.0));
}

#[test]
fn ratios_do_not_divide_by_nothing() {
    assert!(near(COSTS.visible_ratio(0.2), 2.0) && (COSTS.ratio(0.2) - 2.0).abs() < 1e-4);
    let exact = Costs { least: 0.0, ..COSTS };
    // 0.1 % of 2 is 0.002: what lies below is the same.
    assert!(near(exact.visible_ratio(0.001), 1.0) && near(exact.visible_ratio(0.004), 2.0));
    assert!(near(exact.ratio(2e-6), 2.0));
    // Nor is a difference of less anything that one would notice, however large the costs are.
    assert!(COSTS.is_as_good(0.1019) && !COSTS.is_as_good(0.1021));
    assert!(near(exact.target(), 1.05 * 0.002) && near(COSTS.target(), 0.105));
}

#[test]
fn lines_compare_the_rules() {
    let summary = summary(&tasks());
    let line = |half: &str, rule: &str| summary.lines.iter().find(|l| l.half == half && l.contestant == rule).unwrap();
    let ours = line("all", "lrfind");
    assert!(near(ours.regret.mean, 0.05) && near(ours.regret.worst, 0.1) && ours.tasks == 2);
    assert!(near(line("A", "lrfind").regret.mean, 0.0) && near(line("B", "lrfind").regret.mean, 0.1));
    let [low, high] = ours.regret.interval;
    assert!(near(low, 0.0) && near(high, 0.1), "two tasks drawn with replacement: {low} to {high}");
    // Every draw has the rule that learns nothing above ours; best early is above where "one" is drawn more often.
    assert!(near(line("all", "fastai valley").regret.beaten, 1.0));
    let draws = line("all", "best early").regret.beaten;
    assert!((0.6..0.9).contains(&draws), "{draws}");
    // 2 / 0.1 is beyond the profile; a ratio of 3 covers a third of it, 1 covers it all.
    assert!(near(line("all", "fastai valley").visible_ratio.area, 0.0));
    assert!(near(line("all", "threshold / 2").visible_ratio.area, 1.0 / 3.0));
    assert!(near(line("A", "lrfind").visible_ratio.area, 1.0));
    assert!(near(ours.bias, 0.0) && near(ours.share_of_run, 0.5));
    let [spread, _] = ours.spread.unwrap();
    assert!((spread - 2f64.log10() / 2f64.sqrt()).abs() < 1e-9);
    assert_eq!(ours.visible_spread, Some([0.0, 0.0]), "0.1 and 0.2 are as good as the best");
    assert!(near(ours.held_out.unwrap(), 2.0) && near(ours.time.unwrap(), 2.0));
}

#[test]
fn a_search_is_compared_with_one_that_leaves_nothing_out() {
    let mut tasks = tasks();
    assert_eq!(summary(&tasks).agreement, None, "nobody searched exhaustively");
    let of = |rate, cost| Answer { trial_iterations: 4000, ..answer(rate, cost) };
    // The costs of "one" are 0.1 at both of our rates, and those of "two" 0.14; 0.1 % of 2 is 0.002.
    tasks[0].rows.push(row(EXHAUSTIVE, vec![of(0.11, 0.1019), of(0.25, 0.2)]));
    tasks[1].rows.push(row(EXHAUSTIVE, vec![of(0.2, 0.14), Answer { rate: None, ..of(0.2, 2.0) }]));
    let agreement = summary(&tasks).agreement.unwrap();
    let expected = Agreement { searches: 4, iterations: [0.25, 0.25], same_cost: 2, nearer: 1, near: 2 };
    assert_eq!(agreement, expected);
}

#[test]
fn bias_is_measured_from_the_best_rate_and_from_those_as_good() {
    let bias = |first: f64| {
        let mut tasks = tasks();
        tasks.truncate(1);
        tasks[0].rows[0].answers[0].rate = Some(first);
        let line = summary(&tasks).lines[0].clone();
        (line.bias, line.visible_bias)
    };
    let (from_best, from_as_good) = bias(0.4);
    assert!(near(from_best, 4f64.log10()) && near(from_as_good, 2f64.log10()));
    let (from_best, from_as_good) = bias(0.15);
    assert!(near(from_best, 1.5f64.log10()) && near(from_as_good, 0.0));
    let (from_best, from_as_good) = bias(0.01);
    assert!(near(from_best, -1.0) && near(from_as_good, -1.0));
}

#[test]
fn a_rule_that_diverges_is_infinitely_late_and_bad() {
    let mut tasks = tasks();
    for task in &mut tasks {
        (task.rows[3].held_out, task.rows[3].reached, task.rows[3].unstable) = (None, None, 3);
    }
    let summary = summary(&tasks);
    let line = summary.lines.iter().find(|l| l.contestant == "fastai valley").unwrap();
    assert!(line.held_out.unwrap().is_infinite() && line.time.unwrap().is_infinite());
    assert_eq!((line.unstable, line.runs, line.reaching), (6, 6, 0));
    assert!(markdown(&summary, "it").contains("never"));
}

#[test]
fn stated_risks_are_scored() {
    let risks = summary(&tasks()).risks;
    // At 0.05, 0.1, 0.2 nothing of 6 runs happens, at 0.4 and 0.8 a third does.
    let squares = 6.0 * (0.05f64.powi(2) + 0.1f64.powi(2) + 0.2f64.powi(2));
    let missed = 2.0 * 0.6f64.powi(2) + 4.0 * 0.4f64.powi(2) + 2.0 * 0.2f64.powi(2) + 4.0 * 0.8f64.powi(2);
    assert!(near(risks.find.brier.unwrap(), (squares + missed) / 30.0));
    assert!(near(risks.find.brier_of_base_rate.unwrap(), (4.0 / 30.0) * (26.0 / 30.0)));
    let bins: Vec<(u64, u64)> = risks.find.bins.iter().map(|b| (b.unstable, b.runs)).collect();
    // 0.2 and 0.4 begin bins of their own; 0.6 to 0.8 is empty.
    assert_eq!(bins, [(0, 12), (0, 6), (2, 6), (2, 6)]);
    assert_eq!(risks.factors.iter().map(|f| f.unstable).collect::<Vec<_>>(), [0, 0, 0, 2, 2]);
    assert_eq!(risks.check.runs, 24);
}

#[test]
fn intervals_are_held_against_what_they_speak_of() {
    let thresholds = summary(&tasks()).thresholds;
    // Half of the full runs fail between 0.5 and 0.6, the first of them between 0.4 and 0.5.
    assert_eq!((thresholds.trials.covering, thresholds.trials.intervals), (0, 2));
    assert_eq!((thresholds.full_runs.covering, thresholds.full_runs.intervals), (2, 2));
    assert!(near(thresholds.error.unwrap(), (0.3 / 0.2f64.sqrt()).log10()));
}

#[test]
fn verdicts_are_counted_by_what_full_runs_did() {
    let checks = summary(&tasks()).checks;
    assert_eq!((checks.failing.flagged(), checks.failing.all()), (2, 4));
    assert_eq!((checks.well_below.safe, checks.well_below.all()), (2, 2));
    // 0.3 is within 0.2 decades of the threshold, 0.447, and 0.9 is not.
    assert_eq!((checks.marginal_far, checks.marginal), (2, 4));
    assert_eq!(checks.near.marginal, 2);
}

#[test]
fn the_order_must_hold_or_be_explained() {
    let mut tasks = tasks();
    let other = |recommended, lower_because: Option<&str>| OwnReport {
        recommended,
        lower_because: lower_because.map(str::to_owned),
        ..tasks[0].reports[0].clone()
    };
    let reports =
        vec![other(None, None), other(Some(0.03), Some("no headroom")), other(Some(0.03), None), other(Some(0.4), None)];
    tasks[0].reports.extend(reports);
    let order = summary(&tasks).order;
    assert_eq!((order.reports, order.held, order.explained, order.refused), (6, 2, 1, 1));
    assert_eq!(order.broken, ["one (4)", "one (5)"]);
}

#[test]
fn doubtful_truths_are_named() {
    assert!(summary(&tasks()).doubts.is_empty());
    let mut tasks = tasks();
    tasks[0].hindsight.grid = [0.09, 1.0];
    tasks[0].hindsight.threshold = None;
    tasks[1].hindsight.costs = Costs { tenth: 3.0, least: 0.0, ..COSTS };
    let doubts = summary(&tasks).doubts;
    assert_eq!(doubts.iter().map(|(name, why)| (name.as_str(), why.len())).collect::<Vec<_>>(), [("one", 2), ("two", 2)]);
}

#[test]
fn pictures_can_be_drawn_of_anything() {
    let mut bare = task("bare", 'A', [0.1; 4]);
    bare.hindsight.threshold = None;
    (bare.reports[0].best_early, bare.reports[0].recommended) = (None, None);
    (bare.risks, bare.checks) = (Vec::new(), Vec::new());
    for tasks in [tasks(), vec![bare]] {
        let drawn = plots::all(&tasks, &summary(&tasks)).unwrap();
        assert_eq!(drawn.len(), 4);
        assert!(drawn.iter().all(|(_, png)| png.starts_with(b"\x89PNG")));
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The command and the tasks of a file of results.
fn measured(path: &Path) -> (String, Vec<Task>) {
    let text = fs::read_to_string(path).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let command = json["command"].as_str().unwrap().to_owned();
    (command, serde_json::from_value(json["tasks"].clone()).unwrap())
}

/// The committed results; none in the published package, which leaves them out.
fn committed() -> Vec<PathBuf> {
    let Ok(folder) = fs::read_dir(root().join("reports/benchmark")) else { return Vec::new() };
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("regret") && name.ends_with(".json")
    };
    folder.map(|entry| entry.unwrap().path()).filter(is_ours).collect()
}

#[test]
fn the_committed_tables_are_what_was_measured() {
    for path in committed() {
        let (command, tasks) = measured(&path);
        let table = fs::read_to_string(path.with_extension("md")).unwrap();
        assert_eq!(table, markdown(&summary(&tasks), &command), "`cargo bench --bench regret -- --redraw` makes it anew");
    }
}

#[test]
fn the_readme_quotes_the_committed_table() {
    let paths: Vec<PathBuf> = QUOTED.iter().map(|name| root().join("reports/benchmark").join(name)).collect();
    let Some(path) = paths.iter().find(|path| path.exists()) else {
        assert!(!root().join("reports").exists(), "no results are committed");
        return;
    };
    let (command, tasks) = measured(path);
    let quoted = short(&summary(&tasks), &command);
    assert_quotes("benchmark", &quoted, "benchmark");
    // Every row stands in the full table too.
    let full = markdown(&summary(&tasks), &command);
    assert!(quoted.lines().filter(|line| line.starts_with("| ")).all(|line| full.contains(line)));
}
