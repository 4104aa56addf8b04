//! The answer in Markdown, for the summary of a CI job. Headings start at the third level: the summary has its own above.

use super::summary::{cost, headroom, read, threshold, verdict_sentence, verdict_words};
use super::text::{self, counted, number, percent};
use super::{CheckVerdict, Report, Status, export};

/// The report in Markdown: the answer, the facts in a table, and the trials folded away.
pub fn render(report: &Report) -> String {
    let mut text = heading(report);
    let reasons = report.check.as_ref().map_or(&report.recommendation.because, |check| &check.findings);
    text.extend(reasons.iter().map(|reason| format!("- {}\n", escaped(reason))));
    text += "\n| | |\n|---|---|\n";
    text.extend(facts(report).iter().map(|(label, value)| format!("| {label} | {} |\n", escaped(value))));
    text += &warnings(report);
    text += &evidence(report);
    text
}

fn heading(report: &Report) -> String {
    let name = escaped(&report.name);
    let partial = if report.status == Status::Partial { "\nInterrupted: only the finished trials are in here.\n" } else { "" };
    let answer = match &report.check {
        Some(check) => {
            let mark = match check.verdict {
                CheckVerdict::Safe => "✅",
                CheckVerdict::Unstable => "❌",
                CheckVerdict::Marginal | CheckVerdict::Inconclusive => "⚠️",
            };
            format!(
                "### {mark} {name}: learning rate {}\n\n{}\n",
                verdict_words(check.verdict),
                escaped(&verdict_sentence(report, check))
            )
        }
        None => match report.recommendation.learning_rate {
            Some(rate) => format!("### {name}: learning rate {}\n", text::rate(rate)),
            None => format!("### ⚠️ {name}: no learning rate recommended\n"),
        },
    };
    format!("{answer}{partial}\n")
}

fn facts(report: &Report) -> Vec<(&'static str, String)> {
    let run = &report.run;
    let parameters =
        if run.parameters == 0 { String::new() } else { format!(", {}", counted(run.parameters as u64, "parameter")) };
    let batch_size = if run.batch_size == 0 { String::new() } else { format!(", batch size {}", run.batch_size) };
    let mut facts = Vec::new();
    if report.curves.is_none() {
        facts.push(("model", format!("{}{parameters}", run.model)));
        facts.push(("optimiser", format!("{}{batch_size}", run.optimizer)));
    }
    if let Some(check) = &report.check {
        facts.push(("configured rate", text::rate(check.learning_rate)));
        if let (Some(rate), false) = (check.safe_learning_rate, check.verdict == CheckVerdict::Safe) {
            facts.push(("safe rate", text::rate(rate)));
        }
    }
    if let Some(best) = &report.best_early.value {
        facts.push((
            "best early rate",
            format!("{} after {}", number(best.learning_rate), counted(best.iterations, "iteration")),
        ));
    }
    facts.push(("unstable from", threshold(&report.instability)));
    if let Some(headroom) = headroom(report) {
        facts.push(("headroom", headroom));
    }
    if let Some(p) = report.recommendation.p_unstable {
        facts.push(("chance of instability", percent(p)));
    }
    if let Some(schedule) = &report.schedule {
        facts.push(("schedule", export::describe(schedule)));
    }
    match &report.curves {
        Some(curves) => facts.push(("read", read(curves))),
        None => facts.push(("cost", cost(report))),
    }
    facts
}

fn warnings(report: &Report) -> String {
    let lines = report.warnings.iter().map(|w| format!("\n> ⚠️ {}; {}\n", escaped(&w.message), escaped(&w.hint)));
    lines.collect()
}

fn evidence(report: &Report) -> String {
    if report.instability.evidence.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "\n<details><summary>Trials by learning rate</summary>\n\n| learning rate | iterations | unstable seeds |\n|---|---|---|\n",
    );
    text.extend(report.instability.evidence.iter().map(|row| {
        let rate = text::rate(row.learning_rate);
        format!("| {rate} | {} | {} of {} |\n", row.iterations, row.unstable, row.seeds)
    }));
    text + "\n</details>\n"
}

/// `text` on one line, with nothing in it that Markdown or HTML would act on.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' => safe.extend(['\\', c]),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_verdict_leads() {
        let text = render(&sample::checked());
        assert!(
            text.starts_with("### ❌ digits: learning rate unstable\n\nlearning rate 0.5: 2 of 3 seeds unstable"),
            "{text}"
        );
        assert!(text.contains("| safe rate | 0.12 |\n"), "{text}");
        assert!(text.contains("> ⚠️ only 3 seeds were tried; give --seeds 5\n"), "{text}");
    }

    #[test]
    fn a_recommendation_leads_with_its_rate() {
        let text = render(&sample::found());
        assert!(text.starts_with("### digits: learning rate 0.12\n"), "{text}");
        assert!(text.contains("| 0.631 | 100 | 2 of 3 |\n\n</details>\n"), "{text}");
        assert!(render(&sample::nothing_found()).starts_with("### ⚠️ digits: no learning rate recommended\n"));
    }

    #[test]
    fn names_cannot_break_out() {
        let mut report = sample::found();
        report.name = "a|b</details>\n# x".into();
        let text = render(&report);
        assert!(text.starts_with("### a\\|b&lt;/details&gt; \\# x: learning rate 0.12\n"), "{text}");
    }
}
