//! Loss against iterations, one line for each learning rate.

use crate::report::Report;
use crate::report::text::grouped;

use super::axis::{self, Range, Scale};
use super::canvas::{Area, BODY, Canvas, GREY, INK, Point, RED, Rgb, SMALL, WHITE, mix};
use super::data::{self, Curve};
use super::frame::{self, Sign};
use super::loss_by_rate::below_top;
use super::text::{self, TextStyle};
use super::{Plot, PlotError};

const AREA: Area = Area { left: 170.0, top: 180.0, right: 1360.0, bottom: 812.0 };
const BAR: Area = Area { left: 1410.0, top: 220.0, right: 1450.0, bottom: 812.0 };

/// Colour of the lines of unstable rates.
const UNSTABLE: Rgb = (205, 118, 98);

/// Anchors of the perceptual palette viridis (van der Walt & Smith 2015), without its yellow end, which is too pale on white.
const VIRIDIS: [Rgb; 6] = [(68, 1, 84), (65, 68, 135), (42, 120, 142), (34, 168, 132), (122, 209, 81), (190, 215, 50)];

/// The colour `share` of the way, 0 to 1, along the palette.
fn shade(share: f64) -> Rgb {
    let at = share.clamp(0.0, 1.0) * (VIRIDIS.len() - 1) as f64;
    let k = (at as usize).min(VIRIDIS.len() - 2);
    mix(VIRIDIS[k], VIRIDIS[k + 1], at - k as f64)
}

/// Draws `learning-curves.png`.
///
/// # Errors
/// When the picture cannot be drawn or encoded.
pub fn learning_curves(report: &Report) -> Result<Plot, PlotError> {
    let mut canvas = Canvas::new();
    let (short, last) = (data::short_length(report), data::longest(report));
    // When the longer trials are much longer, the short ones would shrink to the left edge.
    let log = last > 4 * short;
    let first = if log { (short / 50).max(5).min(last) } else { 1 };
    let stride = report.steps_per_loss();
    let steps = data::steps(last / stride, 360, log).into_iter().map(|losses| losses * stride);
    let steps: Vec<u64> = steps.filter(|s| *s >= first).collect();
    let all = data::curves(report, &steps);
    let tried = all.len();
    let curves = data::thinned(all, &named(report));
    frame::draw_header(&mut canvas, &report.name, "how the loss falls at each rate", &subtitle(report, &curves, tried));
    let stable = curves.iter().filter(|c| !c.unstable).flat_map(|c| c.points.iter().map(|p| p.1));
    let all = curves.iter().flat_map(|c| c.points.iter().map(|p| p.1));
    let initial = data::initial_loss(report);
    match data::loss_range(stable, initial, 10.0).or_else(|| data::loss_range(all, initial, 10.0)) {
        Some(losses) => {
            let iterations = Range { low: if log { first as f64 } else { 0.0 }, high: last as f64, log };
            let iterations = if iterations.low < iterations.high { iterations } else { iterations.padded(0.0) };
            let x = Scale::new(iterations, AREA.left, AREA.right);
            let y = Scale::new(losses, AREA.bottom, AREA.top);
            draw(&mut canvas, report, &curves, x, y);
        }
        None if curves.is_empty() => frame::draw_empty(&mut canvas, "No trial finished, so there is no curve to show."),
        None => frame::draw_empty(&mut canvas, "No trial had a finite loss: try lower learning rates."),
    }
    Ok(Plot { file_name: "learning-curves.png", png: canvas.finish()? })
}

/// The rates that the answer names.
fn named(report: &Report) -> Vec<f64> {
    let best = report.best_early.value.as_ref().map(|best| best.learning_rate);
    let configured = report.check.as_ref().map(|check| check.learning_rate);
    [best, report.recommendation.learning_rate, configured, report.instability.first_unstable].into_iter().flatten().collect()
}

fn subtitle(report: &Report, curves: &[Curve], tried: usize) -> String {
    let loss = if report.curves.is_some() { "recorded loss" } else { "loss on the mini-batch" };
    let over = if curves.iter().any(|c| c.seeds > 1) { ", median over seeds" } else { "" };
    let shown = if curves.len() < tried { format!(" · {} of {tried} rates shown", curves.len()) } else { String::new() };
    format!("{loss}, smoothed by a running median{over}{shown}")
}

fn draw(canvas: &mut Canvas, report: &Report, curves: &[Curve], x: Scale, y: Scale) {
    axis::draw_y(canvas, AREA, &y, "loss");
    let labels: Vec<_> = axis::ticks(x.range, 7).into_iter().map(|(v, _)| (v, grouped(v as u64))).collect();
    axis::draw_x(canvas, AREA, &x, &labels, if x.range.log { "iterations (log scale)" } else { "iterations" });
    let chosen = nearest(curves, report.recommendation.learning_rate);
    let named = named(report);
    for (k, curve) in curves.iter().enumerate().filter(|(k, _)| Some(*k) != chosen) {
        let width = if named.iter().any(|rate| data::same(*rate, curve.rate)) { 3.2 } else { 1.8 };
        draw_curve(canvas, curve, (x, y), color(curves, k), width);
    }
    if let Some(k) = chosen {
        draw_curve(canvas, &curves[k], (x, y), INK, 5.0);
        draw_name(canvas, report, curves, k, (x, y));
    }
    axis::draw_base(canvas, AREA);
    draw_bar(canvas, curves, chosen);
    if curves.iter().any(|c| c.unstable) {
        frame::draw_key(
            canvas,
            &[(Sign::Dashed, "unstable rates; a line that leaves the plot rises above it or is no longer finite".into())],
        );
    }
}

/// The curve of the rate nearest to `rate`, counted in decades; never an unstable one.
fn nearest(curves: &[Curve], rate: Option<f64>) -> Option<usize> {
    let rate = rate.filter(|r| data::is_rate(*r))?;
    let distance = |c: &Curve| (c.rate / rate).ln().abs();
    let stable = curves.iter().enumerate().filter(|(_, c)| !c.unstable);
    stable.min_by(|a, b| distance(a.1).total_cmp(&distance(b.1))).map(|(k, _)| k)
}

fn color(curves: &[Curve], k: usize) -> Rgb {
    if curves[k].unstable {
        return UNSTABLE;
    }
    let stable = || curves.iter().filter(|c| !c.unstable).map(|c| c.rate.ln());
    let (low, high) = (stable().fold(f64::INFINITY, f64::min), stable().fold(f64::NEG_INFINITY, f64::max));
    if high > low { shade((curves[k].rate.ln() - low) / (high - low)) } else { shade(0.4) }
}

fn draw_curve(canvas: &mut Canvas, curve: &Curve, (x, y): (Scale, Scale), color: Rgb, width: f64) {
    for run in runs(curve, x, y) {
        if curve.unstable {
            canvas.dashed(&run, width, (12.0, 8.0), color);
        } else {
            canvas.line(&run, width, color);
        }
    }
}

/// The parts of the curve that lie inside the plot.
fn runs(curve: &Curve, x: Scale, y: Scale) -> Vec<Vec<Point>> {
    let mut runs: Vec<Vec<Point>> = Vec::new();
    for pair in curve.points.windows(2).filter(|p| p.iter().all(|q| q.1.is_finite())) {
        let place = |(step, loss): (f64, f64)| (x.at(step), y.beyond(loss).min(AREA.bottom));
        let Some((a, b)) = below_top(place(pair[0]), place(pair[1]), AREA.top) else { continue };
        match runs.last_mut().filter(|r| r.last() == Some(&a)) {
            Some(run) => run.push(b),
            None => runs.push(vec![a, b]),
        }
    }
    runs
}

/// Names the recommended curve, tied to it by a thin line, where the name hides least of the curves.
fn draw_name(canvas: &mut Canvas, report: &Report, curves: &[Curve], chosen: usize, (x, y): (Scale, Scale)) {
    let curve = &curves[chosen];
    let recommended = report.recommendation.learning_rate.unwrap_or(curve.rate);
    let name = if data::same(recommended, curve.rate) {
        format!("recommended {}", frame::rate(curve.rate))
    } else {
        format!("{}, nearest to the recommended {}", frame::rate(curve.rate), frame::rate(recommended))
    };
    let style = TextStyle::new(BODY, INK).bold().centred();
    let line: Vec<Point> = runs(curve, x, y).concat();
    let others: Vec<Point> = curves.iter().flat_map(|c| runs(c, x, y)).flatten().collect();
    if let Some((tie, at)) = free_place(&line, &others, text::width(&name, &style)) {
        let half = text::width(&name, &style) / 2.0 + 8.0;
        let edge = (tie.0.clamp(at.0 - half, at.0 + half), tie.1.clamp(at.1 - 20.0, at.1 + 20.0));
        canvas.line(&[tie, edge], 2.0, INK);
        canvas.rect(Area { left: at.0 - half, top: at.1 - 20.0, right: at.0 + half, bottom: at.1 + 20.0 }, WHITE, 0.86);
        canvas.text(name, at, style);
    }
}

/// A point of `line` and a place near it for the middle of a text of this width, chosen for the fewest `points` beneath the text;
/// among equals far along the line, and near to it.
fn free_place(line: &[Point], points: &[Point], width: f64) -> Option<(Point, Point)> {
    let half = width / 2.0 + 12.0;
    let ties = [0.92, 0.84, 0.72, 0.6, 0.48, 0.36, 0.24].map(|share| line.get((share * line.len() as f64) as usize));
    let places = ties.into_iter().flatten().flat_map(|tie| {
        let held = |x: f64| x.max(AREA.left + half).min(AREA.right - half);
        // First to the lower left, which a falling line leaves free, then below and above.
        let beside = (held(tie.0 - half - 20.0), tie.1 + 32.0);
        let under = [60.0, -60.0, 90.0, -90.0, 130.0, -130.0, 190.0].map(|dy| (held(tie.0), tie.1 + dy));
        std::iter::once(beside).chain(under).map(move |at| (*tie, at))
    });
    let inside = places.filter(|(_, at)| at.1 - 24.0 > AREA.top && at.1 + 24.0 < AREA.bottom);
    let hidden = |at: Point| points.iter().filter(|p| (p.0 - at.0).abs() < half && (p.1 - at.1).abs() < 26.0).count();
    inside.min_by_key(|(_, at)| hidden(*at))
}

/// The rates in their colours, from low at the bottom to high at the top.
fn draw_bar(canvas: &mut Canvas, curves: &[Curve], chosen: Option<usize>) {
    canvas.text("learning rate", (BAR.left - 4.0, BAR.top - 34.0), TextStyle::new(SMALL, INK));
    let step = BAR.height() / curves.len() as f64;
    let every = (34.0 / step).ceil().max(1.0) as usize;
    for (k, curve) in curves.iter().enumerate() {
        let bottom = BAR.bottom - k as f64 * step;
        let gap = if step > 8.0 { 2.0 } else { 0.0 };
        let cell = Area { top: bottom - step + gap, bottom, ..BAR };
        if curve.unstable {
            canvas.rect(cell, UNSTABLE, 0.35);
            canvas.hatch(cell, 9.0, UNSTABLE);
        } else {
            canvas.rect(cell, if Some(k) == chosen { INK } else { color(curves, k) }, 1.0);
        }
        let crowded = chosen.is_some_and(|c| k != c && k.abs_diff(c) < every);
        if Some(k) == chosen || (k % every == 0 && !crowded) {
            let style = TextStyle::new(SMALL, if curve.unstable { RED } else { GREY });
            let style = if Some(k) == chosen { TextStyle { color: INK, ..style.bold() } } else { style };
            canvas.text(frame::rate(curve.rate), (BAR.right + 14.0, cell.centre().1), style);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(rate: f64, unstable: bool, losses: &[f64]) -> Curve {
        Curve { rate, unstable, seeds: 1, points: losses.iter().enumerate().map(|(k, l)| (k as f64, *l)).collect() }
    }

    #[test]
    fn the_palette_runs_through_its_anchors() {
        assert_eq!((shade(0.0), shade(1.0), shade(0.2)), (VIRIDIS[0], VIRIDIS[5], VIRIDIS[1]));
        assert_eq!((shade(-1.0), shade(7.0)), (VIRIDIS[0], VIRIDIS[5]));
    }

    #[test]
    fn the_subtitle_says_what_is_left_out() {
        let curves = [curve(0.01, false, &[]), Curve { seeds: 3, ..curve(0.1, false, &[]) }];
        let begin = "loss on the mini-batch, smoothed by a running median";
        let report = super::super::sample::report();
        assert_eq!(subtitle(&report, &curves, 5), format!("{begin}, median over seeds · 2 of 5 rates shown"));
        assert_eq!(subtitle(&report, &curves[..1], 1), begin);
    }

    #[test]
    fn the_nearest_stable_rate_is_chosen() {
        let curves = [curve(0.01, false, &[]), curve(0.1, false, &[]), curve(0.13, true, &[])];
        assert_eq!(nearest(&curves, Some(0.12)), Some(1));
        assert_eq!(nearest(&curves, Some(0.02)), Some(0));
        assert_eq!((nearest(&curves, None), nearest(&curves[2..], Some(0.1))), (None, None));
    }

    #[test]
    fn a_name_goes_where_it_hides_nothing() {
        let line: Vec<Point> = (0..100).map(|k| (AREA.left + 12.0 * f64::from(k), 500.0)).collect();
        let (tie, at) = free_place(&line, &line, 200.0).unwrap();
        assert_eq!((tie, at), (line[92], (line[92].0 - 132.0, 532.0)));
        // A curve just below sends the name above, held inside the plot.
        let both: Vec<Point> = line.iter().copied().chain(line.iter().map(|p| (p.0, 550.0))).collect();
        assert_eq!(free_place(&line, &both, 200.0).unwrap().1, (AREA.right - 112.0, 440.0));
        assert_eq!(free_place(&[], &both, 200.0), None);
    }

    #[test]
    fn curves_break_where_they_leave_the_plot() {
        let x = Scale::new(Range { low: 0.0, high: 10.0, log: false }, AREA.left, AREA.right);
        let y = Scale::new(Range { low: 0.0, high: 1.0, log: false }, AREA.bottom, AREA.top);
        let whole = runs(&curve(0.1, false, &[0.9, 0.5, 0.2]), x, y);
        assert_eq!((whole.len(), whole[0].len()), (1, 3));
        let broken = runs(&curve(0.1, false, &[0.9, 0.5, 3.0, 0.4, 0.3, f64::INFINITY]), x, y);
        assert_eq!(broken.len(), 2);
        assert!(broken.iter().flatten().all(|p| p.1 >= AREA.top && p.1 <= AREA.bottom));
    }
}
