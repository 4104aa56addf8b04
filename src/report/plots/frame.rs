//! What the figures share: the words above them, the marks of the answer, the key below, and the sentence where there is no data.

use crate::lr::format_significant;
use crate::report::text::factor;
use crate::report::{Censored, CheckVerdict, Report, Status};

use super::axis::{Mark, Range};
use super::canvas::{BLUE, BODY, Canvas, GREEN, GREY, HEIGHT, INK, PURPLE, Point, RED, SMALL, TITLE, WIDTH};
use super::data;
use super::text::{self, TextStyle};

/// Left edge of title, subtitle and key.
pub(super) const LEFT: f64 = 170.0;
/// Height of the row of marks above a plot.
pub(super) const MARKS: f64 = 186.0;
/// Height of the key.
pub(super) const KEY: f64 = 952.0;

/// A rate as text: three significant digits.
pub(super) fn rate(value: f64) -> String {
    format_significant(value, 3)
}

/// The answer in a few words.
pub(super) fn answer(report: &Report) -> String {
    let answer = match (&report.check, report.recommendation.learning_rate) {
        (Some(check), _) => {
            let verdict = match check.verdict {
                CheckVerdict::Safe => "is safe",
                CheckVerdict::Marginal => "is safe, with little margin",
                CheckVerdict::Unstable => "is unstable",
                CheckVerdict::Inconclusive => "could not be judged",
            };
            format!("{} {verdict}", rate(check.learning_rate))
        }
        (None, Some(best)) => format!("start at {}", rate(best)),
        (None, None) => "no rate to recommend".to_owned(),
    };
    if report.status == Status::Partial { format!("{answer} (partial)") } else { answer }
}

/// What the answer rests on, in one line.
pub(super) fn subtitle(report: &Report) -> String {
    let mut parts = Vec::new();
    if let (None, None, Some(why)) = (&report.check, report.recommendation.learning_rate, report.recommendation.because.first())
    {
        return why.clone();
    }
    if let (Some(_), Some(safe)) = (&report.check, report.check.as_ref().and_then(|c| c.safe_learning_rate)) {
        parts.push(format!("safe: {}", rate(safe)));
    }
    if let Some(best) = &report.best_early.value {
        parts.push(format!("best early {}", rate(best.learning_rate)));
    }
    let instability = &report.instability;
    match (instability.first_unstable, instability.censored) {
        (Some(first), _) => parts.push(format!("unstable from {}", rate(first))),
        (None, Some(Censored::AboveRange)) => parts.push("no rate tried was unstable".to_owned()),
        (None, _) => {}
    }
    if let Some(headroom) = report.recommendation.headroom {
        let threshold = instability.threshold.map(|t| format!(", {}", rate(t))).unwrap_or_default();
        parts.push(format!("{}× below the threshold{threshold}", factor(headroom)));
    }
    parts.join(" · ")
}

/// The rate above which some seed is unstable: the middle of the bracket, or its upper end where it has no lower one.
pub(super) fn threshold(report: &Report) -> Option<f64> {
    let ends = [report.instability.threshold, report.instability.first_unstable];
    ends.into_iter().flatten().find(|r| data::is_rate(*r))
}

/// Writes the title, "name: what", and the subtitle. Where there is not room for both, the name is cut.
pub(super) fn draw_header(canvas: &mut Canvas, name: &str, what: &str, subtitle: &str) {
    let room = f64::from(WIDTH) - LEFT - 50.0;
    let style = TextStyle::new(TITLE, INK).bold();
    let name: String = name.chars().map(|c| if c == text::SUB { ' ' } else { c }).collect();
    let name = text::fitted(&name, &style, room - text::width(&format!(": {what}"), &style));
    let title = if name.is_empty() { what.to_owned() } else { format!("{name}: {what}") };
    canvas.text(text::fitted(&title, &style, room), (LEFT, 58.0), style);
    let style = TextStyle::new(BODY, GREY);
    canvas.text(text::fitted(subtitle, &style, room), (LEFT, 116.0), style);
}

/// A figure that has nothing to show, and says why.
pub(super) fn draw_empty(canvas: &mut Canvas, sentence: &str) {
    let style = TextStyle::new(34.0, GREY).centred();
    let at = (f64::from(WIDTH) / 2.0, f64::from(HEIGHT) / 2.0);
    canvas.text(text::fitted(sentence, &style, f64::from(WIDTH) - 100.0), at, style);
}

/// The rates of the answer, to be marked on the axis.
pub(super) fn marks(report: &Report) -> Vec<Mark> {
    let mark = |value: Option<f64>, name: &str, color, bold| {
        let label = |r: f64| format!("{name} {}", rate(r));
        value.filter(|r| data::is_rate(*r)).map(|r| Mark { rate: r, label: label(r), color, bold })
    };
    let best = report.best_early.value.as_ref().map(|b| b.learning_rate);
    let checked = report.check.as_ref().map(|c| c.learning_rate);
    [
        mark(best, "best early", GREEN, false),
        mark(report.recommendation.learning_rate, "recommended", INK, true),
        mark(checked, "configured", PURPLE, report.recommendation.learning_rate.is_none()),
        mark(report.instability.first_unstable, "unstable from", RED, false),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The learning rates to show: all that were tried and all that are marked.
pub(super) fn rate_range(report: &Report) -> Option<Range> {
    let mut shown = data::rates(report);
    shown.extend(marks(report).iter().map(|m| m.rate));
    shown.sort_by(f64::total_cmp);
    Some(Range { low: *shown.first()?, high: *shown.last()?, log: true }.padded(0.04))
}

/// A sign in the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// A line with dots and a band.
    Band,
    /// A line with hollow dots.
    Long,
    /// A diamond.
    Diamond,
    /// A bar on the axis.
    Bar,
    /// A triangle at the top edge.
    Above,
    /// A cross at the top edge.
    Lost,
    /// A dashed red line.
    Dashed,
}

/// Draws the key: signs and what they mean, in one row, smaller where that is needed to fit.
pub(super) fn draw_key(canvas: &mut Canvas, entries: &[(Sign, String)]) {
    let room = f64::from(WIDTH) - LEFT - 40.0;
    let length = |size: f64| -> f64 {
        entries.iter().map(|(_, name)| 56.0 + text::width(name, &TextStyle::new(size, GREY)) + 36.0).sum()
    };
    let size = [SMALL, 23.0, 21.0, 19.0].into_iter().find(|s| length(*s) <= room).unwrap_or(17.0);
    let mut x = LEFT;
    for (sign, name) in entries {
        draw_sign(canvas, *sign, (x + 22.0, KEY));
        let style = TextStyle::new(size, GREY);
        canvas.text(name.clone(), (x + 56.0, KEY), style);
        x += 56.0 + text::width(name, &style) + 36.0;
    }
}

fn draw_sign(canvas: &mut Canvas, sign: Sign, (x, y): Point) {
    let (a, b) = ((x - 22.0, y), (x + 22.0, y));
    match sign {
        Sign::Band => {
            canvas.rect(super::canvas::Area { left: a.0, top: y - 11.0, right: b.0, bottom: y + 11.0 }, BLUE, 0.16);
            canvas.line(&[a, b], 4.0, BLUE);
            canvas.disc((x, y), 6.0, BLUE);
        }
        Sign::Long => {
            canvas.line(&[a, b], 3.0, super::canvas::ORANGE);
            canvas.disc((x, y), 6.5, super::canvas::ORANGE);
            canvas.disc((x, y), 3.5, super::canvas::WHITE);
        }
        Sign::Diamond => canvas.diamond((x, y), 22.0, INK),
        Sign::Bar => canvas.line(&[a, b], 9.0, super::canvas::tint(INK, 0.45)),
        Sign::Above => canvas.triangle((x, y), 18.0, RED),
        Sign::Lost => canvas.cross((x, y), 16.0, 3.4, RED),
        Sign::Dashed => canvas.dashed(&[a, b], 3.0, (11.0, 8.0), super::canvas::mix(RED, GREY, 0.25)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_title_states_the_answer() {
        let mut report = sample::report();
        assert_eq!(answer(&report), "start at 0.12");
        assert_eq!(subtitle(&report), "best early 0.05 · unstable from 0.6 · 4.1× below the threshold, 0.49");
        report.check = Some(sample::check());
        assert_eq!(answer(&report), "0.4 is safe, with little margin");
        report.check = None;
        report.recommendation.learning_rate = None;
        report.status = Status::Partial;
        assert_eq!(answer(&report), "no rate to recommend (partial)");
        report.recommendation.because = vec!["every trial diverged".into()];
        assert_eq!(subtitle(&report), "every trial diverged");
    }

    #[test]
    fn marks_leave_out_what_is_unknown_or_no_rate() {
        let mut report = sample::report();
        assert_eq!(marks(&report).len(), 3);
        report.instability.first_unstable = Some(f64::NAN);
        report.best_early.value = None;
        let left: Vec<_> = marks(&report).into_iter().map(|m| m.label).collect();
        assert_eq!(left, ["recommended 0.12"]);
    }
}
