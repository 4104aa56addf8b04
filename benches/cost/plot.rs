//! How the cost grows, as a picture in the style of the reports: a panel for each thing that grows.

use lrfind::report::plots::PlotError;
use lrfind::report::plots::draw::{
    Area, BLUE, BODY, Canvas, GREY, GRID, INK, ORANGE, Range, SMALL, Scale, TITLE, TextStyle, WHITE, draw_base, tint,
};
use lrfind::report::text::{grouped, number};

use crate::figures::{Curve, Measured, Point, curves};

const LEFT: f64 = 60.0;
/// Where the panels lie, two in a row.
const PANELS: [Area; 4] = [
    Area { left: 130.0, top: 196.0, right: 740.0, bottom: 456.0 },
    Area { left: 920.0, top: 196.0, right: 1530.0, bottom: 456.0 },
    Area { left: 130.0, top: 586.0, right: 740.0, bottom: 846.0 },
    Area { left: 920.0, top: 586.0, right: 1530.0, bottom: 846.0 },
];

/// Multiples that get a line.
const LINES: [f64; 9] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];

/// Iterations and time of both commands along each growth.
pub(crate) fn draw(measured: &Measured) -> Result<Vec<u8>, PlotError> {
    let mut canvas = Canvas::new();
    let curves = curves(measured);
    let title = "What makes an answer dearer";
    canvas.text(title, (LEFT, 58.0), TextStyle::new(TITLE, INK).bold());
    let subtitle = "times the smallest case: trial-iterations and time of the search, on made-up tasks";
    canvas.text(subtitle, (LEFT, 112.0), TextStyle::new(BODY, GREY));
    let all = || curves.iter().flat_map(|curve| &curve.points).flat_map(|point| [point.iterations, point.search]);
    let (low, high) = (all().fold(0.8, f64::min), all().fold(2.0, f64::max));
    let mut growths: Vec<&str> = curves.iter().map(|curve| curve.growth).collect();
    growths.dedup();
    for (area, growth) in PANELS.into_iter().zip(growths) {
        let own: Vec<&Curve<'_>> = curves.iter().filter(|curve| curve.growth == growth).collect();
        let y = Scale::new(Range { low, high, log: true }.padded(0.06), area.bottom, area.top);
        panel(&mut canvas, area, growth, &own, &y);
    }
    key(&mut canvas);
    canvas.finish()
}

fn panel(canvas: &mut Canvas, area: Area, growth: &str, curves: &[&Curve<'_>], y: &Scale) {
    canvas.text(growth.to_owned(), (area.left, area.top - 26.0), TextStyle::new(BODY, INK).bold());
    let style = TextStyle::new(SMALL, GREY);
    for value in LINES.into_iter().filter(|value| (y.range.low..=y.range.high).contains(value)) {
        let color = if value == 1.0 { tint(GREY, 0.6) } else { GRID };
        canvas.line(&[(area.left, y.at(value)), (area.right, y.at(value))], 1.2, color);
        canvas.text(format!("{}×", number(value)), (area.left - 14.0, y.at(value)), style.right());
    }
    let sizes: Vec<f64> = curves.first().map(|curve| curve.points.iter().map(|point| point.size).collect()).unwrap_or_default();
    let (Some(first), Some(last)) = (sizes.first(), sizes.last()) else { return };
    let x = Scale::new(Range { low: *first, high: *last, log: true }.padded(0.05), area.left, area.right);
    for &size in &sizes {
        canvas.line(&[(x.at(size), area.bottom), (x.at(size), area.bottom + 8.0)], 1.6, GREY);
        let label = if size.fract() == 0.0 { grouped(size as u64) } else { number(size) };
        canvas.text(label, (x.at(size), area.bottom + 30.0), style.centred());
    }
    draw_base(canvas, area);
    for curve in curves {
        let color = color(curve.command);
        let along = |value: fn(&Point) -> f64| -> Vec<(f64, f64)> {
            curve.points.iter().map(|point| (x.at(point.size), y.at(value(point)))).collect()
        };
        let (iterations, search) = (along(|point| point.iterations), along(|point| point.search));
        canvas.line(&iterations, 4.0, color);
        canvas.dashed(&search, 3.0, (11.0, 8.0), color);
        for &at in &iterations {
            canvas.disc(at, 6.0, color);
        }
        for &at in &search {
            canvas.disc(at, 6.5, color);
            canvas.disc(at, 3.5, WHITE);
        }
    }
}

fn color(command: &str) -> (u8, u8, u8) {
    if command == "find" { BLUE } else { ORANGE }
}

fn key(canvas: &mut Canvas) {
    let at = 948.0;
    let mut left = LEFT;
    for command in ["find", "check"] {
        let color = color(command);
        for (what, dashed) in [("iterations", false), ("time", true)] {
            let (from, to) = ((left, at), (left + 60.0, at));
            if dashed {
                canvas.dashed(&[from, to], 3.0, (11.0, 8.0), color);
                canvas.disc((left + 30.0, at), 6.5, color);
                canvas.disc((left + 30.0, at), 3.5, WHITE);
            } else {
                canvas.line(&[from, to], 4.0, color);
                canvas.disc((left + 30.0, at), 6.0, color);
            }
            canvas.text(format!("{command}: {what}"), (left + 78.0, at), TextStyle::new(SMALL, GREY));
            left += 310.0;
        }
    }
}
