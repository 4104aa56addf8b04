//! Axes: from values to pixels, which ticks to show, and labels that keep clear of each other.

use crate::lr::{format_significant, significant};

use super::canvas::{Area, BODY, Canvas, GREY, GRID, INK, Rgb, SMALL};
use super::text::{self, TextStyle};

/// The largest size of a number that is drawn: beyond it differences would overflow.
pub(super) const LARGEST: f64 = 1e300;

/// An interval of values to show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The least.
    pub low: f64,
    /// The largest.
    pub high: f64,
    /// Whether equal factors get equal room, rather than equal differences.
    pub log: bool,
}

impl Range {
    /// The range widened by `share` of its length at both ends; never empty.
    #[must_use]
    pub fn padded(self, share: f64) -> Self {
        let (a, b) = (self.warp(self.low), self.warp(self.high));
        // A single value gets room enough that its ticks differ.
        let size = a.abs().max(b.abs());
        let least = if self.log || size == 0.0 { 0.5 } else { 0.05 * size };
        let pad = if b - a < 1e-9 * least { least } else { share * (b - a) };
        Self { low: self.unwarp(a - pad), high: self.unwarp(b + pad), log: self.log }
    }

    fn warp(&self, value: f64) -> f64 {
        if self.log { value.max(1e-300).log10() } else { value.clamp(-LARGEST, LARGEST) }
    }

    fn unwarp(&self, value: f64) -> f64 {
        if self.log { 10f64.powf(value.clamp(-300.0, 300.0)) } else { value }
    }
}

/// Places the values of a range on pixels.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// The values shown.
    pub range: Range,
    from: f64,
    to: f64,
}

impl Scale {
    /// The low end of `range` at pixel `from`, the high end at `to`.
    pub fn new(range: Range, from: f64, to: f64) -> Self {
        Self { range, from, to }
    }

    /// The pixel of `value`, held inside the range.
    pub fn at(&self, value: f64) -> f64 {
        self.beyond(value).clamp(self.from.min(self.to), self.from.max(self.to))
    }

    /// The pixel of `value`, even outside the range, though no more than ten times its length.
    pub fn beyond(&self, value: f64) -> f64 {
        let (a, b) = (self.range.warp(self.range.low), self.range.warp(self.range.high));
        let share = (self.range.warp(value) - a) / (b - a);
        let share = if share.is_nan() { 0.5 } else { share.clamp(-10.0, 10.0) };
        self.from + share * (self.to - self.from)
    }
}

/// Round values inside a range, about `count` of them, and their labels.
pub fn ticks(range: Range, count: usize) -> Vec<(f64, String)> {
    let decades = if range.log { (range.high / range.low).log10() } else { 0.0 };
    if range.log && decades > 0.7 { log_ticks(range, decades, count) } else { linear_ticks(range, count) }
}

fn log_ticks(range: Range, decades: f64, count: usize) -> Vec<(f64, String)> {
    let steps: &[f64] = if decades < 2.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let every = (decades / count as f64).ceil().max(1.0) as i32;
    let (first, last) = (range.low.log10().floor() as i32, range.high.log10().ceil() as i32);
    (first..=last)
        .filter(|k| k.rem_euclid(every) == 0)
        .flat_map(|k| steps.iter().map(move |s| significant(s * 10f64.powi(k), 1)))
        .filter(|v| (range.low..=range.high).contains(v))
        .map(|v| (v, format_significant(v, 3)))
        .collect()
}

fn linear_ticks(range: Range, count: usize) -> Vec<(f64, String)> {
    let rough = (range.high - range.low) / count.max(1) as f64;
    if !(rough.is_finite() && rough > 0.0) {
        return Vec::new();
    }
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|s| s * power).find(|s| *s >= rough * 0.999).unwrap_or(10.0 * power);
    let digits = ((range.high.abs().max(range.low.abs()) / step).log10().ceil().clamp(0.0, 13.0)) as usize + 1;
    let first = (range.low / step - 1e-9).ceil();
    (0..=2 * count)
        .map(|k| (first + k as f64) * step)
        .take_while(|v| *v <= range.high + 1e-9 * step)
        // Counting up from below 0 may miss 0 by a rounding error.
        .map(|v| if v.abs() < 1e-9 * step { 0.0 } else { v })
        .map(|v| (v, format_significant(v, digits)))
        .collect()
}

/// Moves intervals of the given widths apart until they keep `gap` between them and lie in `low..high`, each as near to its wish
/// (its centre) as the others let it; `wishes` ascend. Where they cannot all fit they run over at `high`.
pub fn spread(wishes: &[f64], widths: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    // Blocks of touching labels: (sum of wished starts, labels, width). Pooling them is isotonic regression.
    let mut blocks: Vec<(f64, usize, f64)> = Vec::new();
    let start = |b: &(f64, usize, f64)| (b.0 / b.1 as f64).min(high - b.2 + gap).max(low);
    for (&wish, &width) in wishes.iter().zip(widths) {
        let mut block = (wish - width / 2.0, 1, width + gap);
        while let Some(last) = blocks.last().copied() {
            if start(&last) + last.2 <= start(&block) {
                break;
            }
            // In the pooled block the later labels start after the earlier ones' width.
            block = (last.0 + block.0 - last.2 * block.1 as f64, last.1 + block.1, last.2 + block.2);
            blocks.pop();
        }
        blocks.push(block);
    }
    let mut centres = Vec::with_capacity(wishes.len());
    for block in &blocks {
        let mut at = start(block);
        for _ in 0..block.1 {
            let width = widths[centres.len()];
            centres.push(at + width / 2.0);
            at += width + gap;
        }
    }
    centres
}

/// Horizontal grid lines with their values to the left, and what they measure, written upwards.
pub fn draw_y(canvas: &mut Canvas, area: Area, scale: &Scale, title: &str) {
    let style = TextStyle::new(SMALL, GREY).right();
    let right = area.left - 16.0;
    // Long labels, such as 3.82e11, push it to the edge.
    let mut title_at: f64 = 46.0;
    for (value, label) in ticks(scale.range, 6) {
        let y = scale.at(value);
        title_at = title_at.min(right - text::width(&label, &style) - 32.0);
        canvas.line(&[(area.left, y), (area.right, y)], 1.2, GRID);
        canvas.text(label, (right, y), style);
    }
    canvas.text(title, (title_at.max(20.0), area.centre().1), TextStyle::new(BODY, INK).centred().upwards());
}

/// Vertical grid lines with their labels below, and what they measure below those.
pub fn draw_x(canvas: &mut Canvas, area: Area, scale: &Scale, labels: &[(f64, String)], title: &str) {
    let style = TextStyle::new(SMALL, GREY).centred();
    let mut taken = f64::NEG_INFINITY;
    for (value, label) in labels {
        let (x, half) = (scale.at(*value), text::width(label, &style) / 2.0);
        canvas.line(&[(x, area.top), (x, area.bottom)], 1.2, GRID);
        canvas.line(&[(x, area.bottom), (x, area.bottom + 8.0)], 1.6, GREY);
        if x - half > taken + 14.0 {
            canvas.text(label.clone(), (x, area.bottom + 30.0), style);
            taken = x + half;
        }
    }
    if scale.range.log && scale.range.high / scale.range.low < 1e9 {
        for k in (scale.range.low.log10().floor() as i32)..=(scale.range.high.log10().ceil() as i32) {
            for value in (2..10).map(|m| f64::from(m) * 10f64.powi(k)) {
                if (scale.range.low..=scale.range.high).contains(&value) {
                    canvas.line(&[(scale.at(value), area.bottom), (scale.at(value), area.bottom + 5.0)], 1.0, GREY);
                }
            }
        }
    }
    canvas.text(title, (area.centre().0, area.bottom + 76.0), TextStyle::new(BODY, INK).centred());
}

/// The line under the plot.
pub fn draw_base(canvas: &mut Canvas, area: Area) {
    canvas.line(&[(area.left, area.bottom), (area.right, area.bottom)], 2.0, GREY);
}

/// A value on the x axis with a name.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mark {
    pub rate: f64,
    pub label: String,
    pub color: Rgb,
    pub bold: bool,
}

/// Writes the marks in one row at height `row`, apart from each other, each tied by a thin line to its place at height `edge`.
pub(super) fn draw_marks(canvas: &mut Canvas, marks: &[Mark], place: impl Fn(f64) -> f64, row: f64, edge: f64, area: Area) {
    let style = |m: &Mark| TextStyle::new(BODY, m.color).bold_if(m.bold).centred();
    let mut sorted: Vec<&Mark> = marks.iter().collect();
    sorted.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    let wishes: Vec<f64> = sorted.iter().map(|m| place(m.rate)).collect();
    let widths: Vec<f64> = sorted.iter().map(|m| text::width(&m.label, &style(m))).collect();
    let centres = spread(&wishes, &widths, 36.0, area.left, area.right);
    let toward = (edge - row).signum();
    for ((mark, &x), &wish) in sorted.iter().zip(&centres).zip(&wishes) {
        canvas.text(mark.label.clone(), (x, row), style(mark));
        canvas.line(&[(x, row + 22.0 * toward), (wish, edge)], if mark.bold { 2.6 } else { 1.6 }, mark.color);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(range: Range, count: usize) -> Vec<f64> {
        ticks(range, count).into_iter().map(|t| t.0).collect()
    }

    #[test]
    fn linear_ticks_are_round_and_inside() {
        assert_eq!(values(Range { low: 0.3, high: 2.4, log: false }, 6), [0.5, 1.0, 1.5, 2.0]);
        assert_eq!(values(Range { low: -1.0, high: 1.0, log: false }, 4), [-1.0, -0.5, 0.0, 0.5, 1.0]);
        let labels: Vec<_> = ticks(Range { low: 1000.0, high: 1010.0, log: false }, 5).into_iter().map(|t| t.1).collect();
        assert_eq!(labels, ["1000", "1002", "1004", "1006", "1008", "1010"]);
    }

    #[test]
    fn log_ticks_are_decades_or_finer_or_thinned() {
        assert_eq!(values(Range { low: 5e-4, high: 20.0, log: true }, 8), [1e-3, 0.01, 0.1, 1.0, 10.0]);
        assert_eq!(values(Range { low: 0.05, high: 2.0, log: true }, 8), [0.05, 0.1, 0.2, 0.5, 1.0, 2.0]);
        assert!(values(Range { low: 1e-12, high: 1e12, log: true }, 8).len() <= 9);
        assert!(values(Range { low: 0.1, high: 0.12, log: true }, 5).len() >= 3);
    }

    #[test]
    fn no_range_hangs_or_overflows_the_ticks() {
        for (low, high) in
            [(0.0, 0.0), (f64::NAN, 1.0), (-LARGEST, LARGEST), (1e30, 1e30 * (1.0 + 1e-15)), (0.0, f64::INFINITY)]
        {
            for log in [false, true] {
                assert!(ticks(Range { low, high, log }, 6).len() < 100, "{low} {high}");
            }
        }
    }

    #[test]
    fn padding_opens_an_empty_range() {
        let padded = Range { low: 0.0, high: 0.0, log: false }.padded(0.05);
        assert!(padded.low < -0.1 && padded.high > 0.1);
        let padded = Range { low: 0.1, high: 0.1, log: true }.padded(0.05);
        assert!(padded.low < 0.05 && padded.high > 0.2);
    }

    #[test]
    fn a_scale_maps_holds_and_extends() {
        let scale = Scale::new(Range { low: 0.01, high: 1.0, log: true }, 100.0, 300.0);
        assert!((scale.at(0.1) - 200.0).abs() < 1e-9);
        assert_eq!((scale.at(5.0), scale.at(f64::INFINITY), scale.at(-1.0)), (300.0, 300.0, 100.0));
        assert!((scale.beyond(10.0) - 400.0).abs() < 1e-9);
    }

    #[test]
    fn labels_are_spread_just_enough() {
        assert_eq!(spread(&[10.0, 100.0], &[20.0, 20.0], 5.0, 0.0, 200.0), [10.0, 100.0]);
        // Two wishes at one place part evenly.
        assert_eq!(spread(&[100.0, 100.0], &[20.0, 20.0], 10.0, 0.0, 200.0), [85.0, 115.0]);
        let held = spread(&[0.0, 195.0, 199.0], &[20.0, 20.0, 20.0], 0.0, 0.0, 200.0);
        assert_eq!(held, [10.0, 170.0, 190.0]);
        assert!(spread(&[], &[], 1.0, 0.0, 1.0).is_empty());
    }
}
