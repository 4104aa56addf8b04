//! The verdict as one GitHub Actions annotation.
//!
//! One only: GitHub shows at most ten of a kind per step.

use super::summary::{verdict_sentence, verdict_words};
use super::{CheckVerdict, Report};
use crate::report::text;

/// The workflow command for the verdict of `check`, with a newline at the end: `::error` when unstable, `::warning` when too
/// close or inconclusive, `::notice` when safe. `None` for a report without a verdict.
///
/// `file` is the config file relative to the repository, `line` the 1-based line of its learning rate.
pub fn annotation(report: &Report, file: &str, line: Option<usize>) -> Option<String> {
    let check = report.check.as_ref()?;
    let level = match check.verdict {
        CheckVerdict::Unstable => "error",
        CheckVerdict::Marginal | CheckVerdict::Inconclusive => "warning",
        CheckVerdict::Safe => "notice",
    };
    let mut lines = vec![verdict_sentence(report, check)];
    lines.extend(check.findings.iter().cloned());
    if let (Some(rate), false) = (check.safe_learning_rate, check.verdict == CheckVerdict::Safe) {
        lines.push(format!("safe learning rate: {}", text::rate(rate)));
    }
    let title = format!("lrfind: learning rate {}", verdict_words(check.verdict));
    let line = line.unwrap_or(1).to_string();
    Some(workflow_command(level, &[("title", &title), ("file", file), ("line", &line)], &lines.join("\n")))
}

/// A workflow command with these properties, with a newline at the end.
pub(super) fn workflow_command(level: &str, properties: &[(&str, &str)], message: &str) -> String {
    let property = |(key, value): &(&str, &str)| format!("{key}={}", escaped_property(value));
    let properties: Vec<String> = properties.iter().map(property).collect();
    format!("::{level} {}::{}\n", properties.join(","), escaped_data(message))
}

/// The text of a workflow command: a raw line break would end it.
fn escaped_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command: a raw `:` or `,` would end it.
fn escaped_property(text: &str) -> String {
    escaped_data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn one_line_with_title_file_and_line() {
        let text = annotation(&sample::checked(), "configs/digits.toml", Some(7)).unwrap();
        assert_eq!(
            text,
            "::error title=lrfind%3A learning rate unstable,file=configs/digits.toml,line=7::learning rate 0.5: 2 of 3 seeds \
             unstable (1 not finite, 1 collapsed)%0A2 of 3 seeds became unstable within 100 iterations%0Asafe learning rate: 0.12\n"
        );
        assert_eq!(annotation(&sample::found(), "x", None), None);
    }

    #[test]
    fn what_could_end_the_command_is_escaped() {
        assert_eq!(escaped_property("50%,a:b\r\n"), "50%25%2Ca%3Ab%0D%0A");
        assert_eq!(escaped_data("50%,a:b\r\n"), "50%25,a:b%0D%0A");
        let mut report = sample::checked();
        report.check.as_mut().unwrap().findings = vec!["x\n::error::forged %0A".into()];
        let text = annotation(&report, "a,b:c\n.toml", None).unwrap();
        assert_eq!(text.matches('\n').count(), 1);
        assert!(text.contains("file=a%2Cb%3Ac%0A.toml,line=1::"), "{text}");
        assert!(text.contains("x%0A::error::forged %250A"), "{text}");
    }
}
