//! The comparison on a terminal, and as an annotation of GitHub Actions.

use serde_json::Value;

use super::{Answer, CheckMovement, Comparison, Difference, INPUTS, Movement, RateMovement, Reach};
use crate::report::CheckVerdict;
use crate::report::github::workflow_command;
use crate::report::text::{counted, factor, rate, table, wrapped};

/// Column at which the facts begin, and the width to which sentences are broken.
const INDENT: usize = 16;
const WIDTH: usize = 100;

/// Of many differences the first ones are shown: two different configs differ in most keys.
const SHOWN: usize = 12;

/// The answer, the table of what moved, and what else differs; with a newline at the end.
pub fn render(comparison: &Comparison) -> String {
    let word = match comparison.answer {
        Answer::Unchanged => "UNCHANGED",
        Answer::Fell => "FELL",
        Answer::Rose => "ROSE",
        Answer::Inconclusive => "INCONCLUSIVE",
    };
    let room = WIDTH - word.len() - 2;
    let mut text = format!("{word}  {}\n\n", wrapped(&headline(comparison), room).join("\n"));
    let names = if comparison.old.name == comparison.new.name {
        ["old".to_owned(), "new".to_owned()]
    } else {
        [&comparison.old.name, &comparison.new.name].map(Clone::clone)
    };
    let [old, new] = names;
    let mut rows = vec![vec![String::new(), old, new, "new ÷ old".to_owned(), String::new()]];
    rows.extend(comparison.rates.iter().map(row));
    rows.extend(comparison.check.as_ref().map(check_row));
    text.push_str(&table(&rows));
    let differences = &comparison.differences;
    for (k, difference) in differences.iter().take(SHOWN).enumerate() {
        let label = match k {
            0 => "\nalso differ",
            _ => "",
        };
        let indent = INDENT + usize::from(k == 0);
        let lines = wrapped(&change(difference), WIDTH - INDENT).join(&format!("\n{:INDENT$}", ""));
        text.extend([format!("{label:indent$}"), lines, "\n".to_owned()]);
    }
    if differences.len() > SHOWN {
        let more = differences.len() - SHOWN;
        text.extend([" ".repeat(INDENT), format!("and {more} more: --format json has them all\n")]);
    }
    text
}

/// The answer in a sentence, without a full stop.
pub fn headline(comparison: &Comparison) -> String {
    let within = format!("by more than a factor of {}", factor(comparison.tolerance));
    match comparison.answer {
        Answer::Inconclusive => comparison.reasons.join("; "),
        Answer::Unchanged => {
            let only = comparison
                .rates
                .iter()
                .find(|rate| !rate.decides() && rate.movement != Movement::Unchanged && rate.movement != Movement::Unclear);
            let but = only.map(|rate| format!(" but the {} rate, which decides nothing", rate.of.words())).unwrap_or_default();
            format!("nothing moved {within}{but}")
        }
        Answer::Fell => sentence(comparison, Movement::Fell, "; what was safe before may not be any more"),
        Answer::Rose => sentence(comparison, Movement::Rose, "; the old report is out of date"),
    }
}

/// What went that way, and what follows.
fn sentence(comparison: &Comparison, movement: Movement, so: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    for moved in comparison.rates.iter().filter(|moved| moved.decides() && moved.movement == movement) {
        parts.push(format!("{} {} → {}", moved.of.words(), reach(moved.old), reach(moved.new)));
    }
    if let Some(check) = comparison.check.as_ref().filter(|check| check.movement == movement) {
        parts.push(format!("verdict {} → {}", verdict(check.old), verdict(check.new)));
    }
    format!("{}{so}", parts.join(", "))
}

fn row(moved: &RateMovement) -> Vec<String> {
    let change = moved.factor.map_or_else(|| "-".to_owned(), factor);
    vec![moved.of.words().to_owned(), reach(moved.old), reach(moved.new), change, way(moved.movement).to_owned()]
}

fn check_row(check: &CheckMovement) -> Vec<String> {
    let cell = |at, found| format!("{} at {}", verdict(found), rate(at));
    let way = match check.movement {
        Movement::Fell => "worse",
        Movement::Rose => "better",
        other => way(other),
    };
    let (old, new) = (cell(check.old_learning_rate, check.old), cell(check.new_learning_rate, check.new));
    vec!["verdict".to_owned(), old, new, "-".to_owned(), way.to_owned()]
}

fn way(movement: Movement) -> &'static str {
    match movement {
        Movement::Fell => "fell",
        Movement::Unchanged => "unchanged",
        Movement::Rose => "rose",
        Movement::Unclear => "not known",
    }
}

fn verdict(verdict: CheckVerdict) -> &'static str {
    match verdict {
        CheckVerdict::Safe => "safe",
        CheckVerdict::Marginal => "too close",
        CheckVerdict::Unstable => "unstable",
        CheckVerdict::Inconclusive => "inconclusive",
    }
}

fn reach(reach: Reach) -> String {
    match (reach.rate(), reach.low, reach.high) {
        (Some(known), ..) => rate(known),
        (None, Some(low), _) => format!("above {}", rate(low)),
        (None, None, Some(high)) => format!("below {}", rate(high)),
        (None, None, None) => "none".to_owned(),
    }
}

/// What differs, in a line.
fn change(difference: &Difference) -> String {
    if difference.key == INPUTS {
        return "what the trials read: the data, or a script's files, have changed".to_owned();
    }
    format!("{}: {} → {}", difference.key, value(&difference.old), value(&difference.new))
}

/// A value of a config for a person.
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "none".to_owned(),
        // Without the `.0` that tells JSON's fractions from its integers.
        Value::Number(number) if number.is_f64() => number.as_f64().map_or_else(|| number.to_string(), |n| n.to_string()),
        other => other.to_string(),
    }
}

/// The answer as one workflow command of GitHub Actions, with a newline at the end: an error where something fell, a warning where
/// the reports do not tell, else a notice.
pub fn annotation(comparison: &Comparison) -> String {
    let (level, title) = match comparison.answer {
        Answer::Fell => ("error", "lrfind: the stable learning rates fell"),
        Answer::Inconclusive => ("warning", "lrfind: the reports cannot be compared"),
        Answer::Rose => ("notice", "lrfind: the stable learning rates rose"),
        Answer::Unchanged => ("notice", "lrfind: the learning rates did not move"),
    };
    let mut lines = vec![headline(comparison)];
    let shown = comparison.differences.iter().take(SHOWN);
    lines.extend(shown.map(change));
    if comparison.differences.len() > SHOWN {
        lines.push(format!("and {}", counted((comparison.differences.len() - SHOWN) as u64, "more difference")));
    }
    workflow_command(level, &[("title", title)], &lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Censored, Report, sample};

    fn fell() -> Comparison {
        let mut old = Report { config: serde_json::json!({ "training": { "momentum": 0.9 } }), ..sample::found() };
        let mut new = Report { config: serde_json::json!({ "training": { "momentum": 0.99 } }), ..sample::found() };
        new.instability.threshold = Some(0.05955);
        old.recommendation.learning_rate = Some(0.12);
        new.recommendation.learning_rate = Some(0.03);
        Comparison::new(&old, &new, 2.0)
    }

    #[test]
    fn the_answer_comes_first_then_the_rates_and_what_else_differs() {
        assert_eq!(
            render(&fell()),
            "\
FELL  threshold 0.5955 → 0.05955, recommended 0.12 → 0.03; what was safe before may not be any more

             old     new      new ÷ old
threshold    0.5955  0.05955  0.1        fell
recommended  0.12    0.03     0.25       fell
best early   0.05    0.05     1          unchanged

also differ     training.momentum: 0.9 → 0.99
"
        );
    }

    #[test]
    fn bounds_and_verdicts_are_named() {
        let mut safe = sample::checked();
        safe.check.as_mut().unwrap().verdict = CheckVerdict::Safe;
        safe.instability.censored = Some(Censored::AboveRange);
        let text = render(&Comparison::new(&safe, &sample::checked(), 2.0));
        assert!(text.starts_with("FELL  verdict safe → unstable; what was safe"), "{text}");
        assert!(text.contains("\nthreshold  above 10     above 10         -          unchanged\n"), "{text}");
        assert!(text.contains("\nverdict    safe at 0.5  unstable at 0.5  -          worse\n"), "{text}");
    }

    #[test]
    fn many_differences_are_cut_short() {
        let mut comparison = fell();
        comparison.differences = vec![comparison.differences[0].clone(); 20];
        let text = render(&comparison);
        assert_eq!(text.matches("momentum").count(), SHOWN);
        assert!(text.ends_with("and 8 more: --format json has them all\n"), "{text}");
        assert!(annotation(&comparison).ends_with("%0Aand 8 more differences\n"));
    }

    #[test]
    fn one_annotation() {
        assert_eq!(
            annotation(&fell()),
            "::error title=lrfind%3A the stable learning rates fell::threshold 0.5955 → 0.05955, recommended 0.12 → 0.03; what was \
             safe before may not be any more%0Atraining.momentum: 0.9 → 0.99\n"
        );
    }
}
