//! The learning rate over the planned run, and how far it stays below the instability.

use crate::lr::format_significant;
use crate::report::text::{counted, factor, grouped};
use crate::report::{Report, ScheduleReport};

use super::axis::{self, Range, Scale};
use super::canvas::{Area, BLUE, BODY, Canvas, GREY, INK, Point, RED, SMALL, WHITE, tint};
use super::data;
use super::frame;
use super::text::{self, SUB, TextStyle};
use super::{Plot, PlotError};

const AREA: Area = Area { left: 170.0, top: 180.0, right: 1550.0, bottom: 852.0 };
/// A threshold further than this above ε₀ is named, not drawn: drawn, it would flatten the schedule.
const FAR: f64 = 8.0;
/// Strength of the red over what is unstable.
const UNSTABLE: f64 = 0.08;

/// Draws `schedule.png`; `None` when the report has no schedule.
///
/// # Errors
/// When the picture cannot be drawn or encoded.
pub fn schedule(report: &Report) -> Result<Option<Plot>, PlotError> {
    let Some(plan) = &report.schedule else { return Ok(None) };
    let mut canvas = Canvas::new();
    let title = format!("{} schedule from {}", plan.kind, frame::rate(plan.initial));
    frame::draw_header(&mut canvas, &report.name, &title, &subtitle(report, plan));
    if data::is_rate(plan.initial) {
        draw(&mut canvas, report, plan);
    } else {
        frame::draw_empty(&mut canvas, "The schedule's initial learning rate is not a positive number.");
    }
    Ok(Some(Plot { file_name: "schedule.png", png: canvas.finish()? }))
}

fn subtitle(report: &Report, plan: &ScheduleReport) -> String {
    let mut parts = Vec::new();
    if plan.shape.warmup_iterations > 0 {
        parts.push(format!("warm-up over {}", counted(plan.shape.warmup_iterations, "iteration")));
    }
    if let Some(threshold) = frame::threshold(report) {
        let margin = threshold / plan.initial;
        let threshold = frame::rate(threshold);
        parts.push(if margin > 1.0 {
            format!("ε₀ stays {}× below the instability threshold, {threshold}", factor(margin))
        } else {
            format!("ε₀ is not below the instability threshold, {threshold}")
        });
    }
    parts.join(" · ")
}

/// Iterations shown: the planned run, or the decay if that is longer.
fn shown(report: &Report, plan: &ScheduleReport) -> u64 {
    plan.decay_iterations.max(plan.shape.decay_iterations).max(report.run.planned_iterations.unwrap_or(0)).max(1)
}

/// The rate at about 1200 iterations, and at the end of the warm-up, in order.
fn rates_over(plan: &ScheduleReport, last: u64) -> Vec<(u64, f64)> {
    let mut steps = data::steps(last, 1200, false);
    steps.extend([0, plan.shape.warmup_iterations, plan.shape.decay_iterations]);
    steps.sort_unstable();
    steps.dedup();
    let rate = |k: u64| (k, plan.initial * plan.shape.factor(k));
    steps.into_iter().filter(|k| *k <= last).map(rate).filter(|(_, r)| r.is_finite()).collect()
}

fn draw(canvas: &mut Canvas, report: &Report, plan: &ScheduleReport) {
    let last = shown(report, plan);
    let line = rates_over(plan, last);
    let most = line.iter().map(|p| p.1).fold(plan.initial, f64::max);
    let drawn = frame::threshold(report).filter(|r| *r <= FAR * most);
    let high = 1.12 * drawn.map_or(most, |r| r.max(most));
    let x = Scale::new(Range { low: 0.0, high: last as f64 * 1.02, log: false }, AREA.left, AREA.right);
    let y = Scale::new(Range { low: 0.0, high, log: false }, AREA.bottom, AREA.top);
    if let Some(threshold) = drawn {
        canvas.rect(Area { bottom: y.at(threshold), ..AREA }, tint(RED, UNSTABLE), 1.0);
    }
    axis::draw_y(canvas, AREA, &y, "learning rate");
    draw_x(canvas, &x, plan);
    draw_end_of_decay(canvas, plan, &x, last, drawn.map_or(AREA.top, |r| y.at(r)));
    let points: Vec<Point> = line.iter().map(|(k, r)| (x.at(*k as f64), y.at(*r))).collect();
    canvas.line(&points, 5.5, BLUE);
    axis::draw_base(canvas, AREA);
    draw_threshold(canvas, plan, drawn, &x, &y);
    draw_values(canvas, plan, &points, &x, &y);
}

/// Iterations below the axis, and epochs below those.
fn draw_x(canvas: &mut Canvas, x: &Scale, plan: &ScheduleReport) {
    let labels: Vec<_> = axis::ticks(x.range, 8).into_iter().map(|(v, _)| (v, grouped(v as u64))).collect();
    axis::draw_x(canvas, AREA, x, &labels, "");
    let end = TextStyle::new(SMALL, INK).right();
    let left = AREA.left - 34.0;
    canvas.text("iterations", (left, AREA.bottom + 30.0), end);
    let per_epoch = plan.shape.iterations_per_epoch;
    if per_epoch == 0 || plan.epochs().is_none() {
        return;
    }
    canvas.text("epochs", (left, AREA.bottom + 76.0), end);
    let epochs = Range { low: 0.0, high: x.range.high / per_epoch as f64, log: false };
    for (epoch, label) in axis::ticks(epochs, 8) {
        let at = x.at(epoch * per_epoch as f64);
        canvas.text(label, (at, AREA.bottom + 76.0), TextStyle::new(SMALL, GREY).centred());
    }
}

/// A vertical line at τ, named to its left below the threshold, where the rate has fallen far.
fn draw_end_of_decay(canvas: &mut Canvas, plan: &ScheduleReport, x: &Scale, last: u64, top: f64) {
    if plan.shape.decay_iterations == 0 || plan.shape.decay_iterations > last {
        return;
    }
    let at = x.at(plan.shape.decay_iterations as f64);
    canvas.dashed(&[(at, AREA.top), (at, AREA.bottom)], 2.0, (7.0, 6.0), GREY);
    let epochs = match plan.epochs() {
        None => String::new(),
        Some(epochs) if epochs < 100.0 => format!(" ({} epochs)", format_significant(epochs, 3)),
        Some(epochs) => format!(" ({} epochs)", grouped(epochs.round() as u64)),
    };
    let label = format!("τ = {}{epochs}", counted(plan.decay_iterations, "iteration"));
    let style = TextStyle::new(BODY, GREY).right().on(WHITE);
    let right = (at - 16.0).max(AREA.left + 16.0 + text::width(&label, &style));
    canvas.text(label, (right, top + 32.0), style);
}

/// The line above which training was unstable, and the distance to it.
fn draw_threshold(canvas: &mut Canvas, plan: &ScheduleReport, threshold: Option<f64>, x: &Scale, y: &Scale) {
    let Some(threshold) = threshold else { return };
    let (top, bottom) = (y.at(threshold), y.at(plan.initial));
    canvas.dashed(&[(AREA.left, top), (AREA.right, top)], 3.0, (14.0, 9.0), RED);
    let label = format!("unstable above {}", frame::rate(threshold));
    canvas.text(label, (AREA.left + 16.0, top - 26.0), TextStyle::new(BODY, RED).on(tint(RED, UNSTABLE)));
    // The arrow needs room for its heads and its label.
    if bottom - top > 70.0 {
        let at = x.at(plan.shape.warmup_iterations as f64).min(AREA.right - 120.0);
        canvas.line(&[(at, top + 6.0), (at, bottom - 20.0)], 2.2, GREY);
        for (tip, base) in [(top + 4.0, top + 18.0), (bottom - 18.0, bottom - 32.0)] {
            canvas.polygon(&[(at, tip), (at + 7.0, base), (at - 7.0, base)], GREY, 1.0);
        }
        let middle = f64::midpoint(top, bottom);
        let style = TextStyle::new(BODY, GREY).bold().on(WHITE);
        canvas.text(format!("{}×", factor(threshold / plan.initial)), (at + 18.0, middle), style);
    }
}

/// The first rate and the last, named above the line.
fn draw_values(canvas: &mut Canvas, plan: &ScheduleReport, line: &[Point], x: &Scale, y: &Scale) {
    let mut value = |at: Point, label: String, right: bool| {
        canvas.disc(at, 13.0, WHITE);
        canvas.disc(at, 10.0, INK);
        let style = TextStyle::new(30.0, INK).bold().on(WHITE);
        let width = text::width(&label, &style);
        let left = if right { (at.0 - 20.0 - width).max(AREA.left + 8.0) } else { at.0 + 26.0 };
        // The line is highest where it passes below either end of the label.
        let highest = line.iter().filter(|p| p.0 >= left && p.0 <= left + width).map(|p| p.1).fold(at.1, f64::min);
        canvas.text(label, (left, (highest - 34.0).max(AREA.top + 20.0)), style);
    };
    let begin = (x.at(plan.shape.warmup_iterations as f64), y.at(plan.initial));
    value(begin, format!("ε₀ = {}", frame::rate(plan.initial)), false);
    if plan.final_rate.is_finite() {
        let end = (x.at(plan.shape.decay_iterations as f64), y.at(plan.final_rate));
        value(end, format!("ε{SUB}τ = {}", frame::rate(plan.final_rate)), true);
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_line_starts_at_the_warm_up_and_holds_its_peak() {
        let report = sample::report();
        let plan = report.schedule.as_ref().unwrap();
        let line = rates_over(plan, shown(&report, plan));
        assert_eq!(line[0].0, 0);
        assert!(line.contains(&(plan.shape.warmup_iterations, plan.initial)));
        assert_eq!(line.last().unwrap().0, 12_000);
        assert!(line.len() > 1000 && line.windows(2).all(|p| p[0].0 < p[1].0));
    }

    #[test]
    fn the_subtitle_tells_on_which_side_of_the_threshold_the_rate_lies() {
        let mut report = sample::report();
        let plan = report.schedule.clone().unwrap();
        assert_eq!(
            subtitle(&report, &plan),
            "warm-up over 400 iterations · ε₀ stays 4.1× below the instability threshold, 0.49"
        );
        report.instability.threshold = Some(0.1);
        assert!(subtitle(&report, &plan).ends_with("ε₀ is not below the instability threshold, 0.1"));
        // Without a lower end of the bracket the upper one stands for the threshold.
        report.instability.threshold = None;
        assert!(subtitle(&report, &plan).ends_with("ε₀ stays 5× below the instability threshold, 0.6"));
    }

    #[test]
    fn there_is_no_plot_without_a_schedule() {
        let mut report = sample::report();
        report.schedule = None;
        assert!(schedule(&report).unwrap().is_none());
    }
}
