//! The figures as Markdown tables.

use std::fmt::Write as _;

use lrfind::analysis::range_test::Rule;
use lrfind::report::text::counted;

use super::checks::Verdicts;
use super::{Agreement, Bin, Calibration, Coverage, Line, Multiple, Summary};

/// Rules of our own that the short table shows, and how many published ones.
const SHOWN: [&str; 4] = ["lrfind", "best early", "threshold / 2", "grid of full runs"];
const RIVALS_SHOWN: usize = 3;

const REGRET_HEAD: &str = "\
| rule | regret: mean (90 % interval) | median | p90 | worst | J/J* (90 % interval) | the same, costs above 0.1 % | unstable runs | bias | above 0.1 % | iterations |
|---|---|---|---|---|---|---|---|---|---|---|
";

const MORE_HEAD: &str = "\
| rule | regret above ours | J/J* above ours | above 0.1 % | within 4×, area | above 0.1 % | held-out cost | reaches 1.05 J* | time to it | spread, median / worst | beyond 0.1 % | share of a run |
|---|---|---|---|---|---|---|---|---|---|---|---|
";

/// All tables; `command` is what printed them.
pub(crate) fn markdown(summary: &Summary, command: &str) -> String {
    let mut text = format!("# Regret: how much worse a full run ends than at the best rate of hindsight\n\n`{command}`\n");
    text += "\nWhat the columns mean is told in the README, under \"Is the recommendation right?\".\n";
    for half in ["all", "A", "B"] {
        let lines: Vec<&Line> = summary.lines.iter().filter(|l| l.half == half).collect();
        let Some(first) = lines.first() else { continue };
        let what = if half == "all" { String::new() } else { format!(", half {half}") };
        let _ = write!(text, "\n## {}{what}\n\n{REGRET_HEAD}", counted(first.tasks as u64, "task"));
        text.extend(lines.iter().map(|line| regret_row(line)));
        let _ = write!(text, "\n{MORE_HEAD}");
        text.extend(lines.iter().map(|line| more_row(line)));
    }
    text.extend(summary.agreement.iter().map(exhaustive));
    text += "\n## Threshold and order\n\n";
    text += &thresholds(summary);
    text += "\n## Stated risk\n\n";
    text += &risks(summary);
    text += "\n## `check`\n\n";
    text += &checks(summary);
    if !summary.doubts.is_empty() {
        text += "\n## Tasks whose ground truth is doubtful\n\n";
        for (task, doubts) in &summary.doubts {
            let _ = writeln!(text, "- {task}: {}", doubts.join("; "));
        }
    }
    text
}

/// The table that the README quotes: ours, what it could have said instead, and the published rules with the least regret.
pub(crate) fn short(summary: &Summary, command: &str) -> String {
    let lines: Vec<&Line> = summary.lines.iter().filter(|l| l.half == "all").collect();
    let is_published = |line: &&&Line| Rule::ALL.iter().any(|rule| rule.label() == line.contestant);
    let mut rivals: Vec<&Line> = lines.iter().filter(is_published).copied().collect();
    rivals.sort_by(|a, b| a.regret.mean.total_cmp(&b.regret.mean));
    rivals.truncate(RIVALS_SHOWN);
    let own = lines.iter().filter(|line| SHOWN.contains(&line.contestant.as_str()));
    let rows: String = own.chain(&rivals).map(|line| regret_row(line)).collect();
    let tasks = counted(lines.first().map_or(0, |line| line.tasks) as u64, "task");
    format!("`{command}`, {tasks}:\n\n{REGRET_HEAD}{rows}")
}

fn regret_row(line: &Line) -> String {
    let Line { regret, ratio, visible_ratio, .. } = line;
    format!(
        "| {} | {:.3} ({:.3} to {:.3}) | {:.3} | {:.3} | {:.3} | {:.2} ({:.2} to {:.2}) | {:.2} ({:.2} to {:.2}) | {} of {} (< {:.1} %) | {:+.2} | {:+.2} | {:.0} |\n",
        line.contestant,
        regret.mean,
        regret.interval[0],
        regret.interval[1],
        regret.median,
        regret.p90,
        regret.worst,
        ratio.mean,
        ratio.interval[0],
        ratio.interval[1],
        visible_ratio.mean,
        visible_ratio.interval[0],
        visible_ratio.interval[1],
        line.unstable,
        line.runs,
        100.0 * line.unstable_at_most,
        line.bias,
        line.visible_bias,
        line.trial_iterations,
    )
}

fn more_row(line: &Line) -> String {
    let spread = |of: Option<[f64; 2]>| of.map_or("–".to_owned(), |[middle, worst]| format!("{middle:.2} / {worst:.2}"));
    // Ours compared with itself says nothing.
    let beaten = |share: f64| if line.contestant == SHOWN[0] { "–".to_owned() } else { percent(share) };
    format!(
        "| {} | {} | {} | {} | {:.2} | {:.2} | {} | {} of {} | {} | {} | {} | {} |\n",
        line.contestant,
        beaten(line.regret.beaten),
        beaten(line.ratio.beaten),
        beaten(line.visible_ratio.beaten),
        line.ratio.area,
        line.visible_ratio.area,
        times(line.held_out),
        line.reaching,
        line.tasks,
        times(line.time),
        spread(line.spread),
        spread(line.visible_spread),
        percent(line.share_of_run),
    )
}

fn exhaustive(agreement: &Agreement) -> String {
    let Agreement { searches, iterations: [middle, most], same_cost, nearer, near } = *agreement;
    format!(
        "\n## Against exhaustive trials\n\n`find` takes {} of their iterations at the median, and at most {}. The costs of full runs at the two rates differ by no more than 0.1 % of the initial one in {}, and the rates by at most 0.05 decades in {} and by at most 0.125 in {}.\n",
        percent(middle),
        percent(most),
        share(same_cost, searches),
        share(nearer, searches),
        share(near, searches),
    )
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

fn share(part: usize, of: usize) -> String {
    if of == 0 { "–".into() } else { format!("{part} of {of} ({:.1} %)", 100.0 * part as f64 / of as f64) }
}

fn times(factor: Option<f64>) -> String {
    match factor {
        None => "–".into(),
        Some(factor) if factor.is_infinite() => "never".into(),
        Some(factor) => format!("{factor:.2}×"),
    }
}

fn decimals(value: Option<f64>) -> String {
    value.map_or("–".into(), |value| format!("{value:.3}"))
}

fn thresholds(summary: &Summary) -> String {
    let (thresholds, order) = (&summary.thresholds, &summary.order);
    let mut text = format!(
        "The threshold of the trials against that of full runs, log₁₀: mean error {}, median absolute error {} ({} reports).\n\n",
        thresholds.error.map_or("–".into(), |e| format!("{e:+.3}")),
        decimals(thresholds.absolute_error),
        thresholds.reports,
    );
    text += "| 90 % interval | holds what full runs show | median width in decades |\n|---|---|---|\n";
    let row = |name: &str, coverage: &Coverage| {
        format!("| {name} | {} | {} |\n", share(coverage.covering, coverage.intervals), decimals(coverage.width))
    };
    text += &row("of the rate at which half of the trials are unstable, against half of the full runs", &thresholds.trials);
    text += &row("of the lowest rate at which a full run is unstable", &thresholds.full_runs);
    let kept = order.held + order.explained + order.refused;
    let _ = writeln!(
        text,
        "\nBest early ≤ recommendation < first unstable, or a stated reason: {}: {} hold, {} say why it is lower, {} recommend nothing and say why.",
        share(kept, order.reports),
        order.held,
        order.explained,
        order.refused
    );
    if !order.broken.is_empty() {
        let _ = writeln!(text, "Broken: {}.", order.broken.join(", "));
    }
    text
}

fn risks(summary: &Summary) -> String {
    let risks = &summary.risks;
    let mut text = "| rate | mean stated risk | unstable full runs |\n|---|---|---|\n".to_owned();
    let row = |f: &Multiple| format!("| {} ε₀ | {} | {} |\n", f.factor, decimals(f.stated), of_runs(f.unstable, f.runs));
    text.extend(risks.factors.iter().map(row));
    for (name, calibration) in [("`find`, at these rates", &risks.find), ("`check`, at the rates below", &risks.check)] {
        let Calibration { brier, brier_of_base_rate, runs, unstated, .. } = calibration;
        let _ = write!(
            text,
            "\n{name}: Brier score {} over {runs} full runs; the overall share of unstable runs, stated everywhere, scores {}. No risk stated for {unstated} runs.\n\n| stated risk | mean | unstable full runs |\n|---|---|---|\n",
            decimals(*brier),
            decimals(*brier_of_base_rate),
        );
        let row = |b: &Bin| format!("| {:.1} to {:.1} | {:.3} | {} |\n", b.low, b.high, b.stated, of_runs(b.unstable, b.runs));
        text.extend(calibration.bins.iter().map(row));
    }
    text
}

fn of_runs(unstable: u64, runs: u64) -> String {
    share(unstable as usize, runs as usize)
}

fn checks(summary: &Summary) -> String {
    let checks = &summary.checks;
    let mut text = "| at rates | safe | marginal | unstable | inconclusive |\n|---|---|---|---|---|\n".to_owned();
    let row =
        |name: &str, v: &Verdicts| format!("| {name} | {} | {} | {} | {} |\n", v.safe, v.marginal, v.unstable, v.inconclusive);
    text += &row("at which some full run is unstable", &checks.failing);
    text += &row("stable in the end, but above the initial cost on the way", &checks.violent);
    text += &row("stable, less than 2× below the first of these", &checks.near);
    text += &row("stable, further below them", &checks.well_below);
    let _ = writeln!(
        text,
        "\nFlagged where full runs fail: {}. Passed where far below: {}. Inconclusive: {}. Marginal further than 0.2 decades from the full runs' threshold: {}. Trial-iterations (median): {} to pass, {} to flag and find a safe rate.",
        share(checks.failing.flagged(), checks.failing.all()),
        share(checks.well_below.safe, checks.well_below.all()),
        share(checks.all.inconclusive, checks.all.all()),
        share(checks.marginal_far, checks.marginal),
        checks.cost_of_passing.unwrap_or(f64::NAN),
        checks.cost_of_flagging.unwrap_or(f64::NAN),
    );
    text
}
