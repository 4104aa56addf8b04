//! From each task's figures to the tables.

use std::fmt::Write as _;

use lrfind::report::CheckVerdict;
use serde::Serialize;

/// One rule on one task.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    pub(crate) contestant: String,
    pub(crate) rate: Option<f64>,
    pub(crate) regret: f64,
    pub(crate) ratio: f64,
    pub(crate) held_out: Option<f64>,
    pub(crate) reached: Option<u64>,
    pub(crate) unstable: u64,
    pub(crate) runs: u64,
    pub(crate) cost: u64,
    /// log₁₀ of the answers of all repetitions.
    pub(crate) logs: Vec<f64>,
    /// Regrets of all repetitions; those after the first interpolated between full runs.
    pub(crate) regrets: Vec<f64>,
}

/// All that is known of one task.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct TaskFigures {
    pub(crate) half: char,
    pub(crate) name: String,
    pub(crate) iterations: u64,
    pub(crate) best: f64,
    pub(crate) costs: [f64; 3],
    pub(crate) threshold: Option<[f64; 2]>,
    pub(crate) interval: Option<[f64; 2]>,
    pub(crate) measured: Option<f64>,
    pub(crate) p_unstable: Option<f64>,
    pub(crate) rows: Vec<Row>,
    pub(crate) checks: Vec<(Option<f64>, u64, CheckVerdict)>,
}

/// One rule over many tasks.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Line {
    pub(crate) half: String,
    pub(crate) contestant: String,
    pub(crate) tasks: usize,
    /// Normalised regret: mean with its 90 % bootstrap interval over tasks, median, 90 % quantile, worst.
    pub(crate) mean: f64,
    pub(crate) interval: [f64; 2],
    pub(crate) median: f64,
    pub(crate) p90: f64,
    pub(crate) worst: f64,
    /// Geometric mean of J/J*.
    pub(crate) ratio: f64,
    /// Unstable full runs, runs, and the upper end of Wilson's 95 % interval.
    pub(crate) unstable: u64,
    pub(crate) runs: u64,
    pub(crate) wilson: f64,
    /// Mean of log₁₀(answer ÷ best rate), and the median and worst standard deviation over repetitions.
    pub(crate) bias: f64,
    pub(crate) spread: f64,
    pub(crate) worst_spread: f64,
    /// Median trial-iterations.
    pub(crate) cost: f64,
}

/// The lines, and what is known of threshold and checks.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Summary {
    pub(crate) lines: Vec<Line>,
    /// Tasks whose full runs show a threshold and whose trials gave an interval; of these, covered; median width in decades;
    /// mean of log₁₀(measured ÷ true).
    pub(crate) thresholds: (usize, usize, f64, f64),
    /// Verdicts by what the full runs did. Order: safe, marginal, unstable, inconclusive.
    pub(crate) checks_failing: [usize; 4],
    /// At rates at least a factor of 2 below the threshold of the full runs.
    pub(crate) checks_well_below: [usize; 4],
    pub(crate) checks_all: [usize; 4],
    /// "Marginal" further than 0.2 decades from the threshold of the full runs.
    pub(crate) marginal_far: usize,
}

pub(crate) fn summary(tasks: &[TaskFigures]) -> Summary {
    let mut lines = Vec::new();
    for half in ["all", "A", "B"] {
        let of: Vec<&TaskFigures> = tasks.iter().filter(|t| half == "all" || half.starts_with(t.half)).collect();
        let count = of.first().map_or(0, |t| t.rows.len());
        lines.extend((0..count).map(|i| line(half, &of, i)));
    }
    let mut checks = [[0; 4]; 3];
    let mut marginal_far = 0;
    for (distance, unstable, verdict) in tasks.iter().flat_map(|t| &t.checks) {
        let column = match verdict {
            CheckVerdict::Safe => 0,
            CheckVerdict::Marginal => 1,
            CheckVerdict::Unstable => 2,
            CheckVerdict::Inconclusive => 3,
        };
        checks[2][column] += 1;
        checks[0][column] += usize::from(*unstable > 0);
        checks[1][column] += usize::from(distance.is_none_or(|d| d < -0.301) && *unstable == 0);
        marginal_far += usize::from(column == 1 && distance.is_none_or(|d| d.abs() > 0.2));
    }
    let [checks_failing, checks_well_below, checks_all] = checks;
    Summary { lines, thresholds: thresholds(tasks), checks_failing, checks_well_below, checks_all, marginal_far }
}

fn thresholds(tasks: &[TaskFigures]) -> (usize, usize, f64, f64) {
    let known: Vec<_> = tasks.iter().filter_map(|t| t.threshold.zip(t.interval).zip(t.measured)).collect();
    // The full runs' threshold lies somewhere in its bracket: an interval that meets the bracket covers it.
    let covered = known.iter().filter(|(([low, high], [from, to]), _)| from <= high && to >= low).count();
    let widths: Vec<f64> = known.iter().map(|((_, [from, to]), _)| (to / from).log10()).collect();
    let errors: Vec<f64> = known.iter().map(|(([low, high], _), m)| m.log10() - (low * high).sqrt().log10()).collect();
    (known.len(), covered, quantile(&widths, 0.5), mean(&errors))
}

fn line(half: &str, tasks: &[&TaskFigures], i: usize) -> Line {
    let rows: Vec<&Row> = tasks.iter().map(|t| &t.rows[i]).collect();
    let regrets: Vec<f64> = rows.iter().map(|r| r.regret).collect();
    let ratios: Vec<f64> = rows.iter().map(|r| r.ratio.ln()).filter(|r| r.is_finite()).collect();
    let biases: Vec<f64> = tasks.iter().filter_map(|t| Some(t.rows[i].rate?.log10() - t.best.log10())).collect();
    let spreads: Vec<f64> = rows.iter().filter(|r| r.logs.len() > 1).map(|r| deviation(&r.logs)).collect();
    let (unstable, runs) = (rows.iter().map(|r| r.unstable).sum(), rows.iter().map(|r| r.runs).sum());
    Line {
        half: half.into(),
        contestant: rows[0].contestant.clone(),
        tasks: rows.len(),
        mean: mean(&regrets),
        interval: bootstrap(&regrets),
        median: quantile(&regrets, 0.5),
        p90: quantile(&regrets, 0.9),
        worst: quantile(&regrets, 1.0),
        ratio: mean(&ratios).exp(),
        unstable,
        runs,
        wilson: wilson_upper(unstable as f64, runs as f64),
        bias: mean(&biases),
        spread: quantile(&spreads, 0.5),
        worst_spread: quantile(&spreads, 1.0),
        cost: quantile(&rows.iter().map(|r| r.cost as f64).collect::<Vec<_>>(), 0.5),
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn deviation(values: &[f64]) -> f64 {
    let middle = mean(values);
    (values.iter().map(|v| (v - middle).powi(2)).sum::<f64>() / (values.len() - 1) as f64).sqrt()
}

fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = share * sorted.len().saturating_sub(1) as f64;
    let (below, above) = (at.floor() as usize, at.ceil() as usize);
    sorted.get(below).zip(sorted.get(above)).map_or(f64::NAN, |(a, b)| a + (b - a) * at.fract())
}

/// 5 % and 95 % quantiles of the mean over tasks drawn with replacement; the draws are the same every time.
fn bootstrap(values: &[f64]) -> [f64; 2] {
    let mut state = 1u64;
    let mut draw = || {
        // Knuth's MMIX generator: fixed, and good enough to draw tasks.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        values[(state >> 33) as usize % values.len()]
    };
    let means: Vec<f64> = (0..2000).map(|_| (0..values.len()).map(|_| draw()).sum::<f64>() / values.len() as f64).collect();
    [quantile(&means, 0.05), quantile(&means, 0.95)]
}

/// The upper end of Wilson's (1927) 95 % score interval.
fn wilson_upper(k: f64, n: f64) -> f64 {
    let z2 = 1.96 * 1.96;
    let p = k / n;
    (p + z2 / (2.0 * n) + (z2 * (p * (1.0 - p) / n + z2 / (4.0 * n * n))).sqrt()) / (1.0 + z2 / n)
}

pub(crate) fn markdown(summary: &Summary) -> String {
    let mut text = String::new();
    for half in ["all", "A", "B"] {
        let lines: Vec<&Line> = summary.lines.iter().filter(|l| l.half == half).collect();
        let Some(first) = lines.first() else { continue };
        let _ = write!(text, "\n{} tasks ({half})\n\n", first.tasks);
        text += "| rule | regret: mean (90 % interval) | median | p90 | worst | J/J* | unstable runs | bias | spread, median / worst | cost |\n";
        text += "|---|---|---|---|---|---|---|---|---|---|\n";
        for l in lines {
            let _ = writeln!(
                text,
                "| {} | {:.3} ({:.3} to {:.3}) | {:.3} | {:.3} | {:.3} | {:.2} | {} of {} (< {:.1} %) | {:+.2} | {:.2} / {:.2} | {:.0} |",
                l.contestant,
                l.mean,
                l.interval[0],
                l.interval[1],
                l.median,
                l.p90,
                l.worst,
                l.ratio,
                l.unstable,
                l.runs,
                100.0 * l.wilson,
                l.bias,
                l.spread,
                l.worst_spread,
                l.cost
            );
        }
    }
    let (known, covered, width, error) = summary.thresholds;
    let _ = write!(
        text,
        "\nThreshold: the 90 % interval covers that of the full runs on {covered} of {known} tasks; median width {width:.2} decades; mean error {error:+.2} decades.\n"
    );
    text += "\n| `check` at rates | safe | marginal | unstable | inconclusive |\n|---|---|---|---|---|\n";
    let rows = [
        ("whose full runs fail", summary.checks_failing),
        ("at least 2× below the full runs' threshold", summary.checks_well_below),
        ("all", summary.checks_all),
    ];
    for (name, [safe, marginal, unstable, inconclusive]) in rows {
        let _ = writeln!(text, "| {name} | {safe} | {marginal} | {unstable} | {inconclusive} |");
    }
    let _ = write!(text, "\n\"Marginal\" further than 0.2 decades from the full runs' threshold: {}.\n", summary.marginal_far);
    text
}
