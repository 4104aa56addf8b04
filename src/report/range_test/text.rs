//! The range test on a terminal: a table of the rules.

use std::path::PathBuf;

use super::{RangeTest, RuleSummary};
use crate::lr::format_significant;
use crate::record::Outcome;
use crate::report::Status;
use crate::report::text::{counted, rate, wrapped};

/// Width to which sentences are broken.
const WIDTH: usize = 100;

/// The table of rules with what they suggest; with a newline at the end.
pub fn render(test: &RangeTest, files: &[PathBuf]) -> String {
    let ramp = &test.ramp;
    let mut text = format!(
        "range test of {}: {} to {} in {}, {}\n\n",
        test.name,
        rate(ramp.start),
        rate(ramp.end),
        counted(ramp.iterations, "iteration"),
        if let [seed] = ramp.seeds[..] { format!("seed {seed}") } else { counted(ramp.seeds.len() as u64, "seed") },
    );
    text += &table(test);
    text.extend(["\n", &ends(test), "\n"]);
    if ramp.seeds.len() == 1 {
        text += "one run, one seed: --seeds 5 shows how far each rule moves from run to run\n";
    }
    if test.status == Status::Partial {
        text += "interrupted: the ramps were stopped before their end\n";
    }
    for (k, file) in files.iter().enumerate() {
        let label = if k == 0 { "files    " } else { "         " };
        text.extend([label, &file.display().to_string(), "\n"]);
    }
    text
}

fn table(test: &RangeTest) -> String {
    let several = test.ramps.len() > 1;
    let mut rows = vec![["rule", "suggests", if several { "lowest to highest" } else { "" }, "note"].map(str::to_owned)];
    rows.extend(test.rules.iter().map(|rule| [rule.label.clone(), middle(rule), spread(rule), note(test, rule)]));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let gap = |width: usize| if width == 0 { 0 } else { width + 2 };
    let widths = [gap(width(0)), gap(width(1)), gap(width(2))];
    let indent: usize = widths.iter().sum();
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        let note = wrapped(&row[3], WIDTH.saturating_sub(indent).max(30)).join(&format!("\n{:indent$}", ""));
        text.extend([(cells.concat() + &note).trim_end(), "\n"]);
    }
    text
}

fn middle(rule: &RuleSummary) -> String {
    rule.median.map_or_else(|| "none".to_owned(), rate)
}

/// `0.001 to 0.1 (2 decades)`; empty where there is nothing to compare.
fn spread(rule: &RuleSummary) -> String {
    match (rule.low, rule.high) {
        (Some(low), Some(high)) if rule.suggested > 1 => {
            format!("{} to {} ({} decades)", rate(low), rate(high), format_significant((high / low).log10(), 2))
        }
        _ => String::new(),
    }
}

/// The commonest message of the rule, and for how many seeds it holds where that is not all.
fn note(test: &RangeTest, rule: &RuleSummary) -> String {
    let all = || test.ramps.iter().flat_map(|ramp| &ramp.suggestions).filter(|s| s.rule == rule.rule);
    let count = |message: &str| all().filter(|s| s.message.as_deref() == Some(message)).count();
    let commonest = all().rev().filter_map(|s| s.message.as_deref()).max_by_key(|message| count(message));
    let Some(message) = commonest else { return String::new() };
    match (count(message), test.ramps.len()) {
        (told, of) if told < of => format!("{told} of {of} seeds: {message}"),
        _ => message.to_owned(),
    }
}

/// How the ramps ended.
fn ends(test: &RangeTest) -> String {
    let lost = test.ramps.iter().filter(|r| matches!(r.outcome, Outcome::Diverged { .. })).count();
    let of = counted(test.ramps.len() as u64, "ramp");
    match lost {
        0 => format!("the loss stayed finite to the end of {}", if test.ramps.len() == 1 { "the ramp" } else { "all ramps" }),
        _ if test.ramps.len() == 1 => "the loss stopped being finite before the end of the ramp".to_owned(),
        lost => format!("the loss stopped being finite before the end in {lost} of {of}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::range_test::sample;

    #[test]
    fn the_table_is_aligned_and_says_what_is_missing() {
        let text = render(&sample::one_seed(), &[PathBuf::from("a.json"), PathBuf::from("b.png")]);
        assert_eq!(
            text,
            "\
range test of digits: 1e-7 to 10 in 100 iterations, seed 3

rule           suggests  note
fastai valley  0.003162
ignite         none      the curve is not U-shaped: the loss is lowest within the first two steps

the loss stayed finite to the end of the ramp
one run, one seed: --seeds 5 shows how far each rule moves from run to run
files    a.json
         b.png
"
        );
    }

    #[test]
    fn several_seeds_show_their_spread() {
        let text = render(&sample::two_seeds(), &[]);
        let row = text.lines().find(|line| line.starts_with("fastai valley")).unwrap();
        assert_eq!(row, "fastai valley  0.01      0.003162 to 0.03162 (1 decades)");
        assert!(text.contains("2 seeds") && !text.contains("one run"), "{text}");
    }
}
