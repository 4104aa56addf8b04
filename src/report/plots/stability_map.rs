//! Which rates trained for which seeds: one cell for each.

use crate::report::{Report, Verdict};

use super::axis::{self, Mark};
use super::canvas::{Area, BODY, Canvas, GREY, INK, Point, Rgb, SMALL, WHITE};
use super::data;
use super::frame::{self, KEY, LEFT};
use super::text::{self, TextStyle};
use super::{Plot, PlotError};

const AREA: Area = Area { left: 170.0, top: 180.0, right: 1550.0, bottom: 740.0 };
/// Height of the row of marks below the plot.
const MARKS: f64 = 858.0;

/// Draws `stability-map.png`.
///
/// # Errors
/// When the picture cannot be drawn or encoded.
pub fn stability_map(report: &Report) -> Result<Plot, PlotError> {
    let mut canvas = Canvas::new();
    let title = match report.instability.first_unstable {
        Some(first) => format!("unstable from {}", frame::rate(first)),
        None => "no instability seen".to_owned(),
    };
    let (rates, seeds) = (data::rates(report), data::seeds(report));
    frame::draw_header(&mut canvas, &report.name, &title, &subtitle(report));
    if rates.is_empty() {
        frame::draw_empty(&mut canvas, "No trial was run, so there is nothing to map.");
    } else {
        draw(&mut canvas, report, &rates, &seeds);
    }
    Ok(Plot { file_name: "stability-map.png", png: canvas.finish()? })
}

fn subtitle(report: &Report) -> String {
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let tried = format!(
        "{} at {} with {}",
        count(report.trials.len(), "trial"),
        count(data::rates(report).len(), "rate"),
        count(data::seeds(report).len(), "seed")
    );
    match report.instability.last_stable {
        Some(last) => format!("{tried} · stable for every seed up to {}", frame::rate(last)),
        None => tried,
    }
}

fn draw(canvas: &mut Canvas, report: &Report, rates: &[f64], seeds: &[u64]) {
    let step = (AREA.width() / rates.len() as f64, AREA.height() / seeds.len() as f64);
    let gap = |step: f64| if step > 12.0 { 2.0 } else { 0.0 };
    let cell = |column: usize, row: usize| Area {
        left: AREA.left + column as f64 * step.0 + gap(step.0),
        right: AREA.left + (column + 1) as f64 * step.0 - gap(step.0),
        top: AREA.top + row as f64 * step.1 + gap(step.1),
        bottom: AREA.top + (row + 1) as f64 * step.1 - gap(step.1),
    };
    for (rate, seed, verdict) in data::verdicts(report) {
        let column = rates.iter().position(|r| data::same(*r, rate));
        let row = seeds.iter().position(|s| *s == seed);
        if let (Some(column), Some(row)) = (column, row) {
            draw_cell(canvas, cell(column, row), verdict);
        }
    }
    draw_seeds(canvas, seeds, step.1);
    draw_rates(canvas, rates, step.0);
    let marks: Vec<Mark> = frame::marks(report);
    axis::draw_marks(canvas, &marks, |r| column_of(rates, r, step.0), MARKS, AREA.bottom + 44.0, AREA);
    draw_key(canvas, &data::verdicts(report).into_iter().map(|v| v.2).collect::<Vec<_>>());
}

/// The pixel of a rate among the columns: on its own, or between its neighbours as far as it lies between them in decades.
fn column_of(rates: &[f64], rate: f64, step: f64) -> f64 {
    let centre = |k: f64| AREA.left + (k + 0.5) * step;
    let above = rates.partition_point(|r| *r < rate);
    let at = match (above.checked_sub(1).map(|k| rates[k]), rates.get(above)) {
        (_, Some(r)) if data::same(*r, rate) => above as f64,
        (Some(low), Some(high)) => (above - 1) as f64 + (rate / low).ln() / (high / low).ln(),
        (None, _) => -0.5,
        (_, None) => rates.len() as f64 - 0.5,
    };
    centre(at)
}

/// The colour of a verdict: blue for what trains, sand for what trains badly, reds for what breaks.
fn color(verdict: Verdict) -> Rgb {
    match verdict {
        Verdict::Good => (58, 134, 190),
        Verdict::Slow => (188, 215, 234),
        Verdict::Degraded => (243, 212, 128),
        Verdict::Collapsed => (232, 142, 108),
        Verdict::BlowUp => (196, 58, 44),
        Verdict::NonFinite => (110, 8, 34),
        Verdict::Unjudged => (214, 216, 220),
    }
}

/// A cell: the colour of its verdict, and for what broke a sign too, so that no one needs the colour to tell.
fn draw_cell(canvas: &mut Canvas, cell: Area, verdict: Verdict) {
    canvas.rect(cell, color(verdict), 1.0);
    let size = (0.32 * cell.width().min(cell.height())).min(34.0);
    if size >= 6.0 {
        draw_sign(canvas, cell.centre(), size, verdict);
    }
}

fn draw_sign(canvas: &mut Canvas, at: Point, size: f64, verdict: Verdict) {
    match verdict {
        Verdict::NonFinite => canvas.cross(at, size, size / 7.0, WHITE),
        Verdict::BlowUp => canvas.triangle(at, size, WHITE),
        Verdict::Collapsed => canvas.line(&[(at.0 - size / 2.0, at.1), (at.0 + size / 2.0, at.1)], size / 6.0, WHITE),
        Verdict::Unjudged => canvas.disc(at, size / 6.0, GREY),
        Verdict::Good | Verdict::Slow | Verdict::Degraded => {}
    }
}

fn draw_seeds(canvas: &mut Canvas, seeds: &[u64], step: f64) {
    let every = (36.0 / step).ceil().max(1.0) as usize;
    // Seeds may have twenty digits.
    let fits = |size: f64| seeds.iter().all(|s| text::width(&s.to_string(), &TextStyle::new(size, GREY)) <= 90.0);
    let size = [SMALL, 21.0].into_iter().find(|s| fits(*s)).unwrap_or(17.0);
    let style = TextStyle::new(size, GREY).right();
    for (k, seed) in seeds.iter().enumerate().step_by(every) {
        let y = AREA.top + (k as f64 + 0.5) * step;
        canvas.text(text::fitted(&seed.to_string(), &style, 90.0), (AREA.left - 14.0, y), style);
    }
    canvas.text("seed", (46.0, AREA.centre().1), TextStyle::new(BODY, INK).centred().upwards());
}

fn draw_rates(canvas: &mut Canvas, rates: &[f64], step: f64) {
    let style = TextStyle::new(SMALL, GREY).centred();
    let widest = rates.iter().map(|r| text::width(&frame::rate(*r), &style)).fold(0.0, f64::max);
    let every = ((widest + 14.0) / step).ceil().max(1.0) as usize;
    for (k, rate) in rates.iter().enumerate().step_by(every) {
        let x = AREA.left + (k as f64 + 0.5) * step;
        canvas.line(&[(x, AREA.bottom + 2.0), (x, AREA.bottom + 9.0)], 1.6, GREY);
        canvas.text(frame::rate(*rate), (x, AREA.bottom + 28.0), style);
    }
    let style = TextStyle::new(SMALL, INK).right();
    canvas.text("learning", (AREA.left - 30.0, AREA.bottom + 28.0), style);
    canvas.text("rate", (AREA.left - 30.0, AREA.bottom + 58.0), style);
}

/// The verdicts that occur, with their cells.
fn draw_key(canvas: &mut Canvas, seen: &[Verdict]) {
    let style = TextStyle::new(SMALL, GREY);
    let mut x = LEFT;
    for (verdict, name) in data::VERDICTS.into_iter().filter(|(v, _)| seen.contains(v)) {
        let cell = Area { left: x, top: KEY - 17.0, right: x + 34.0, bottom: KEY + 17.0 };
        canvas.rect(cell, color(verdict), 1.0);
        draw_sign(canvas, cell.centre(), 15.0, verdict);
        canvas.text(name, (x + 46.0, KEY), style);
        x += 46.0 + text::width(name, &style) + 40.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_find_their_place_among_the_columns() {
        let rates = [0.01, 0.1, 1.0];
        let at = |rate| (column_of(&rates, rate, 100.0) - AREA.left) / 100.0;
        assert_eq!([at(0.01), at(0.1), at(1.0)], [0.5, 1.5, 2.5]);
        assert!((at(0.1f64.sqrt()) - 2.0).abs() < 1e-9);
        assert_eq!([at(0.001), at(10.0)], [0.0, 3.0]);
    }
}
