//! The range test: the loss along the ramp, raw and as the tools see it, and below it what each rule suggests.

use crate::report::Status;
use crate::report::range_test::{RangeTest, RuleSummary};
use crate::report::text::counted;

use super::axis::{self, Range, Scale};
use super::canvas::{Area, BLUE, Canvas, GREEN, GREY, GRID, INK, ORANGE, PURPLE, Point, RED, Rgb, SMALL, WHITE, tint};
use super::data;
use super::frame;
use super::text::{self, TextStyle};
use super::{Plot, PlotError};

/// Where the curves are drawn.
const CURVES: Area = Area { left: 330.0, top: 180.0, right: 1400.0, bottom: 500.0 };
/// Where the rules stand, one row each.
const RULES: Area = Area { top: 524.0, bottom: 812.0, ..CURVES };
/// Height of the key.
const KEY: f64 = 952.0;
/// Colours of the ways in which tools smooth, in the order in which they come.
const SMOOTHED: [Rgb; 4] = [BLUE, ORANGE, PURPLE, GREEN];

/// Draws `range-test.png`.
///
/// # Errors
/// When the picture cannot be drawn or encoded.
pub fn range_test(test: &RangeTest) -> Result<Plot, PlotError> {
    let mut canvas = Canvas::new();
    frame::draw_header(&mut canvas, &test.name, &title(test), &subtitle(test));
    let rates = Range { low: test.ramp.start, high: test.ramp.end, log: true };
    let sane = data::is_rate(rates.low) && data::is_rate(rates.high) && rates.low < rates.high;
    match losses(test) {
        Some(losses) if sane => {
            let x = Scale::new(shown_rates(test, rates), CURVES.left, CURVES.right);
            let y = Scale::new(losses, CURVES.bottom, CURVES.top);
            draw(&mut canvas, test, &x, &y);
        }
        _ => frame::draw_empty(&mut canvas, "No loss along the ramp was finite."),
    }
    Ok(Plot { file_name: "range-test.png", png: canvas.finish()? })
}

fn title(test: &RangeTest) -> String {
    let partial = if test.status == Status::Partial { " (partial)" } else { "" };
    format!("what a range test suggests{partial}")
}

fn subtitle(test: &RangeTest) -> String {
    let suggested: Vec<&RuleSummary> = test.rules.iter().filter(|rule| rule.suggested > 0).collect();
    let ends = suggested.iter().filter_map(|r| r.low.zip(r.high));
    let (low, high) = ends.fold((f64::INFINITY, 0.0f64), |(low, high), (l, h)| (low.min(l), high.max(h)));
    let span = if suggested.is_empty() {
        "no rule suggests a rate".to_owned()
    } else {
        let verb = if suggested.len() == 1 { "suggests" } else { "suggest" };
        format!("{} {verb} {} to {}", counted(suggested.len() as u64, "rule"), frame::rate(low), frame::rate(high))
    };
    let (ramps, steps) = (counted(test.ramps.len() as u64, "ramp"), counted(test.ramp.iterations, "iteration"));
    match test.ramps[..] {
        [ref first, _, ..] => format!("{span} · {ramps} of {steps}, that of seed {} shown smoothed", first.seed),
        _ => format!("{span} · {ramps} of {steps}"),
    }
}

/// The rates of the ramp, and the suggestions that lie beyond it.
fn shown_rates(test: &RangeTest, ramp: Range) -> Range {
    let suggested = test.rules.iter().flat_map(|rule| [rule.low, rule.high]).flatten().filter(|r| data::is_rate(*r));
    let widened = suggested.fold(ramp, |range, r| Range { low: range.low.min(r), high: range.high.max(r), ..range });
    widened.padded(0.02)
}

fn losses(test: &RangeTest) -> Option<Range> {
    let raw = || test.ramps.iter().flat_map(|ramp| ramp.losses.iter().flatten().copied());
    let first: Vec<f64> = test.ramps.iter().filter_map(|ramp| ramp.losses.first().copied().flatten()).collect();
    // Room above the first loss: there the tools see the rise that stops them.
    let start = first.iter().copied().reduce(f64::max).map(|most| most.max(most + 0.5 * most.abs()));
    data::loss_range(raw(), start, f64::INFINITY)
}

fn draw(canvas: &mut Canvas, test: &RangeTest, x: &Scale, y: &Scale) {
    axis::draw_y(canvas, CURVES, y, "loss");
    let ticks = axis::ticks(x.range, 9);
    for (rate, _) in &ticks {
        canvas.line(&[(x.at(*rate), CURVES.top), (x.at(*rate), CURVES.bottom)], 1.2, GRID);
    }
    axis::draw_x(canvas, RULES, x, &ticks, "learning rate");
    let rates = &test.ramp.learning_rates;
    for ramp in &test.ramps {
        draw_line(canvas, rates, &ramp.losses, (x, y), tint(GREY, if test.ramps.len() == 1 { 0.6 } else { 0.3 }), 1.8);
    }
    // Of several ramps only the first is shown smoothed: the others would hide it.
    let readings = test.ramps.first().map_or(&[][..], |ramp| &ramp.readings);
    let smoothed: Vec<_> = readings.iter().filter(|r| r.tools != ["keras_lr_finder"]).zip(SMOOTHED).collect();
    let mut key = vec![(tint(GREY, 0.6), "raw".to_owned())];
    // Some lie nearly on each other: the later ones are wider, and lie below.
    for (k, (reading, color)) in smoothed.iter().enumerate().rev() {
        draw_line(canvas, rates, &reading.smoothed, (x, y), *color, 2.6 + 1.7 * k as f64);
    }
    for (reading, color) in &smoothed {
        draw_stop(canvas, rates, &reading.smoothed, reading.stopped, (x, y), *color);
        let verb = if reading.tools.len() == 1 { "smooths" } else { "smooth" };
        key.push((*color, format!("as {} {verb} it", reading.tools.join(" and "))));
    }
    axis::draw_base(canvas, CURVES);
    draw_rules(canvas, test, x);
    axis::draw_base(canvas, RULES);
    draw_key(canvas, test, &key);
}

/// A curve, broken where it is not finite or leaves the plot at the top.
fn draw_line(canvas: &mut Canvas, rates: &[f64], losses: &[Option<f64>], (x, y): (&Scale, &Scale), color: Rgb, width: f64) {
    let points: Vec<Option<Point>> = rates
        .iter()
        .zip(losses)
        .map(|(rate, loss)| loss.map(|loss| (x.at(*rate), y.beyond(loss).min(CURVES.bottom))))
        .collect();
    for pair in points.windows(2) {
        if let [Some(a), Some(b)] = pair[..]
            && let Some((a, b)) = super::loss_by_rate::below_top(a, b, CURVES.top)
        {
            canvas.line(&[a, b], width, color);
        }
    }
}

/// A cross where the tools stop.
fn draw_stop(
    canvas: &mut Canvas,
    rates: &[f64],
    smoothed: &[Option<f64>],
    stopped: bool,
    (x, y): (&Scale, &Scale),
    color: Rgb,
) {
    let last = smoothed.len().checked_sub(1).and_then(|k| rates.get(k).zip(smoothed[k]));
    if let (true, Some((rate, loss))) = (stopped, last) {
        canvas.cross((x.at(*rate), y.at(loss).max(CURVES.top + 8.0)), 15.0, 3.4, color);
    }
}

/// One row for each rule: its name, a dot for each seed, and the middle one as a number.
fn draw_rules(canvas: &mut Canvas, test: &RangeTest, x: &Scale) {
    let pitch = RULES.height() / test.rules.len().max(1) as f64;
    for (k, rule) in test.rules.iter().enumerate() {
        let y = RULES.top + (k as f64 + 0.5) * pitch;
        if k % 2 == 0 {
            let stripe = Area { top: y - pitch / 2.0, bottom: y + pitch / 2.0, ..RULES };
            canvas.rect(stripe, GREY, 0.05);
        }
        canvas.text(rule.label.clone(), (RULES.left - 16.0, y), TextStyle::new(SMALL, INK).right());
        let beside = (RULES.right + 16.0, y);
        let Some(median) = rule.median.filter(|r| data::is_rate(*r)) else {
            canvas.text("none", beside, TextStyle::new(SMALL, RED));
            continue;
        };
        if let (Some(low), Some(high)) = (rule.low, rule.high) {
            canvas.line(&[(x.at(low), y), (x.at(high), y)], 5.0, tint(INK, 0.25));
        }
        let suggestions = test.ramps.iter().flat_map(|ramp| &ramp.suggestions).filter(|s| s.rule == rule.rule);
        let dots: Vec<_> = suggestions.filter_map(|s| Some((x.at(s.learning_rate?), s.caveat.is_some()))).collect();
        // All grounds before all dots: close dots must not cut each other up.
        for (x, _) in &dots {
            canvas.disc((*x, y), 8.0, WHITE);
        }
        for (x, doubtful) in &dots {
            canvas.disc((*x, y), 6.0, if *doubtful { RED } else { INK });
        }
        let missing = if rule.suggested < test.ramps.len() { format!(" ({})", rule.suggested) } else { String::new() };
        canvas.text(format!("{}{missing}", frame::rate(median)), beside, TextStyle::new(SMALL, INK).bold());
    }
    let heading = if test.ramps.len() > 1 { "median" } else { "suggests" };
    canvas.text(heading, (RULES.right + 16.0, RULES.top - 22.0), TextStyle::new(SMALL, GREY));
}

/// Lines in their colours with their names, then the cross and the dot where they occur.
fn draw_key(canvas: &mut Canvas, test: &RangeTest, lines: &[(Rgb, String)]) {
    let style = TextStyle::new(21.0, GREY);
    let mut at = 60.0;
    let mut entry = |canvas: &mut Canvas, name: &str, sign: &dyn Fn(&mut Canvas, Point)| {
        sign(canvas, (at + 18.0, KEY));
        canvas.text(name, (at + 44.0, KEY), style);
        at += 44.0 + text::width(name, &style) + 26.0;
    };
    for (color, name) in lines {
        entry(canvas, name, &|canvas, (x, y)| canvas.line(&[(x - 18.0, y), (x + 18.0, y)], 3.6, *color));
    }
    if test.ramps.first().is_some_and(|ramp| ramp.readings.iter().any(|reading| reading.stopped)) {
        entry(canvas, "stops", &|canvas, at| canvas.cross(at, 15.0, 3.4, INK));
    }
    if test.ramps.iter().flat_map(|ramp| &ramp.suggestions).any(|suggestion| suggestion.caveat.is_some()) {
        entry(canvas, "doubtful", &|canvas, at| canvas.disc(at, 6.0, RED));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::range_test::sample;

    #[test]
    fn the_subtitle_gives_the_span_of_the_rules() {
        assert_eq!(
            subtitle(&sample::two_seeds()),
            "1 rule suggests 0.00316 to 0.0316 · 2 ramps of 100 iterations, that of seed 3 shown smoothed"
        );
    }

    #[test]
    fn any_range_test_can_be_drawn() {
        let mut lost = sample::one_seed();
        lost.ramps[0].losses.fill(None);
        let mut none = sample::one_seed();
        none.rules.iter_mut().for_each(|rule| (rule.median, rule.low, rule.high, rule.suggested) = (None, None, None, 0));
        let mut empty = sample::one_seed();
        empty.ramps.clear();
        for test in [sample::one_seed(), sample::two_seeds(), lost, none, empty] {
            assert!(range_test(&test).unwrap().png.starts_with(b"\x89PNG"));
        }
    }
}
