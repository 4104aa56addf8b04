//! Loss at the end of the trials against the learning rate: where training is fast, where it breaks, and where to start.

use crate::report::Report;
use crate::report::text::{counted, grouped};

use super::axis::{self, Scale};
use super::canvas::{Area, BLUE, Canvas, GREEN, GREY, INK, ORANGE, PURPLE, Point, RED, Rgb, SMALL, WHITE, mix, tint};
use super::data::{self, End};
use super::frame::{self, Sign};
use super::text::TextStyle;
use super::{Plot, PlotError};

const AREA: Area = Area { left: 170.0, top: 240.0, right: 1500.0, bottom: 812.0 };

/// Where losses and rates lie on the picture.
struct Place {
    x: Scale,
    y: Scale,
}

impl Place {
    fn at(&self, rate: f64, loss: f64) -> Point {
        (self.x.at(rate), self.y.at(loss))
    }
}

/// The losses to show.
struct Ends {
    short: Vec<End>,
    /// Empty where they would make no line.
    long: Vec<End>,
    /// Those on fresh seeds, and their length.
    confirmed: Option<(End, u64)>,
}

impl Ends {
    fn of(report: &Report) -> Self {
        let long = Some(data::long_ends(report)).filter(|long| long.len() >= 2).unwrap_or_default();
        Self { short: data::short_ends(report), long, confirmed: data::confirmation(report) }
    }

    fn all(&self) -> impl Iterator<Item = &End> {
        self.short.iter().chain(&self.long).chain(self.confirmed.as_ref().map(|(end, _)| end))
    }
}

/// Draws `loss-vs-rate.png`.
///
/// # Errors
/// When the picture cannot be drawn or encoded.
pub fn loss_by_rate(report: &Report) -> Result<Plot, PlotError> {
    let mut canvas = Canvas::new();
    frame::draw_header(&mut canvas, &report.name, &frame::answer(report), &frame::subtitle(report));
    let ends = Ends::of(report);
    let initial = data::initial_loss(report);
    let losses = ends.all().flat_map(|e| [e.low, e.middle]);
    match (frame::rate_range(report), data::loss_range(losses, initial, 20.0)) {
        (Some(rates), Some(losses)) => {
            let x = Scale::new(rates, AREA.left, AREA.right);
            let y = Scale::new(losses, AREA.bottom, AREA.top);
            draw(&mut canvas, report, &Place { x, y }, &ends, initial);
        }
        _ if ends.all().next().is_none() => frame::draw_empty(&mut canvas, "No trial finished, so there is no loss to show."),
        _ => frame::draw_empty(&mut canvas, "No trial ended with a finite loss: try lower learning rates."),
    }
    Ok(Plot { file_name: "loss-vs-rate.png", png: canvas.finish()? })
}

fn draw(canvas: &mut Canvas, report: &Report, place: &Place, ends: &Ends, initial: Option<f64>) {
    draw_unstable(canvas, report, place);
    axis::draw_y(canvas, AREA, &place.y, "loss at the end of a trial");
    axis::draw_x(canvas, AREA, &place.x, &axis::ticks(place.x.range, 9), "learning rate");
    if let Some(start) = initial {
        let y = place.y.at(start);
        canvas.dashed(&[(AREA.left, y), (AREA.right, y)], 2.2, (3.0, 6.0), GREY);
        canvas.text("start", (AREA.right + 12.0, y), TextStyle::new(SMALL, GREY));
    }
    draw_line_marks(canvas, report, place);
    draw_band(canvas, place, &ends.short);
    draw_ends(canvas, place, &ends.short, BLUE, false);
    draw_ends(canvas, place, &ends.long, ORANGE, true);
    draw_best(canvas, report, place, &ends.short);
    if let Some((end, _)) = &ends.confirmed {
        canvas.diamond(place.at(end.rate, end.middle), 30.0, WHITE);
        canvas.diamond(place.at(end.rate, end.middle), 22.0, INK);
    }
    axis::draw_base(canvas, AREA);
    draw_good_span(canvas, report, place);
    axis::draw_marks(canvas, &frame::marks(report), |r| place.x.at(r), frame::MARKS, AREA.top, AREA);
    frame::draw_key(canvas, &key(report, place, ends));
}

/// Shades what lies above the threshold, and hatches the gap in which the threshold itself lies.
fn draw_unstable(canvas: &mut Canvas, report: &Report, place: &Place) {
    let Some(first) = report.instability.first_unstable.filter(|r| data::is_rate(*r)) else { return };
    let left = place.x.at(first);
    canvas.rect(Area { left, ..AREA }, RED, 0.10);
    if let Some(last) = report.instability.last_stable.filter(|r| data::is_rate(*r) && *r < first) {
        let gap = Area { left: place.x.at(last), right: left, ..AREA };
        canvas.rect(gap, RED, 0.035);
        canvas.hatch(gap, 16.0, tint(RED, 0.28));
    }
}

/// The vertical lines of the recommendation, the configured rate and the threshold.
fn draw_line_marks(canvas: &mut Canvas, report: &Report, place: &Place) {
    let mut vertical = |rate: Option<f64>, width: f64, color: Rgb| {
        if let Some(x) = rate.filter(|r| data::is_rate(*r)).map(|r| place.x.at(r)) {
            canvas.line(&[(x, AREA.top), (x, AREA.bottom)], width, color);
        }
    };
    vertical(report.instability.first_unstable, 2.0, RED);
    vertical(report.check.as_ref().map(|c| c.learning_rate), 3.0, PURPLE);
    vertical(report.recommendation.learning_rate, 4.0, INK);
}

/// The span from the lowest to the highest loss over the seeds.
fn draw_band(canvas: &mut Canvas, place: &Place, ends: &[End]) {
    let upper = ends.iter().map(|e| place.at(e.rate, e.high));
    let lower = ends.iter().rev().map(|e| place.at(e.rate, e.low));
    canvas.polygon(&upper.chain(lower).collect::<Vec<_>>(), BLUE, 0.16);
    if let [only] = ends {
        canvas.line(&[place.at(only.rate, only.low), place.at(only.rate, only.high)], 8.0, tint(BLUE, 0.35));
    }
}

/// Their middles: a line with dots while they fit, signs at the top edge where they do not.
fn draw_ends(canvas: &mut Canvas, place: &Place, ends: &[End], color: Rgb, hollow: bool) {
    for pair in ends.windows(2).filter(|p| p.iter().all(|e| e.middle.is_finite())) {
        let beyond = |e: &End| (place.x.at(e.rate), place.y.beyond(e.middle));
        if let Some((a, b)) = below_top(beyond(&pair[0]), beyond(&pair[1]), AREA.top) {
            canvas.line(&[a, b], if hollow { 3.0 } else { 4.5 }, color);
        }
    }
    for end in ends {
        let at = place.at(end.rate, end.middle);
        if end.middle.is_infinite() {
            canvas.cross((at.0, AREA.top + 16.0), 18.0, 3.6, RED);
        } else if is_above(place, end) {
            canvas.triangle((at.0, AREA.top + 16.0), 20.0, RED);
        } else {
            canvas.disc(at, 7.0, color);
            if hollow {
                canvas.disc(at, 3.8, WHITE);
            }
        }
    }
}

fn is_above(place: &Place, end: &End) -> bool {
    end.middle.is_finite() && end.middle > place.y.range.high
}

/// The part of the segment that lies below the height `top`; `None` when there is none.
pub(super) fn below_top(a: Point, b: Point, top: f64) -> Option<(Point, Point)> {
    let cross = |(a, b): (Point, Point)| (a.0 + (b.0 - a.0) * (top - a.1) / (b.1 - a.1), top);
    match (a.1 >= top, b.1 >= top) {
        (true, true) => Some((a, b)),
        (true, false) => Some((a, cross((a, b)))),
        (false, true) => Some((cross((a, b)), b)),
        (false, false) => None,
    }
}

/// A dot at the best early rate, tied to its mark.
fn draw_best(canvas: &mut Canvas, report: &Report, place: &Place, short: &[End]) {
    let Some(best) = report.best_early.value.as_ref().filter(|b| data::is_rate(b.learning_rate)) else { return };
    // On the line where the line has that rate: two dots a hair apart would only puzzle.
    let drawn = short.iter().find(|e| data::same(e.rate, best.learning_rate)).map(|e| e.middle);
    let at = place.at(best.learning_rate, drawn.unwrap_or(best.loss.median));
    canvas.dashed(&[(at.0, AREA.top), at], 2.0, (7.0, 6.0), GREEN);
    canvas.disc(at, 14.0, WHITE);
    canvas.disc(at, 11.5, GREEN);
}

/// A bar on the axis over the rates that are about as good as the recommendation.
fn draw_good_span(canvas: &mut Canvas, report: &Report, place: &Place) {
    if let Some((low, high)) = good_span(report) {
        let y = AREA.bottom - 6.0;
        canvas.line(&[(place.x.at(low), y), (place.x.at(high), y)], 9.0, mix(WHITE, INK, 0.45));
    }
}

fn good_span(report: &Report) -> Option<(f64, f64)> {
    let (low, high) = (report.recommendation.low?, report.recommendation.high?);
    (data::is_rate(low) && data::is_rate(high) && low < high).then_some((low, high))
}

fn key(report: &Report, place: &Place, ends: &Ends) -> Vec<(Sign, String)> {
    let short = counted(data::short_length(report), "iteration");
    let mut key = vec![(Sign::Band, format!("after {short}{}", spread(&ends.short)))];
    if !ends.long.is_empty() {
        let decay = if data::decays(report) { " and a decay" } else { "" };
        key.push((Sign::Long, format!("after {}{decay}", counted(report.run.long_iterations, "iteration"))));
    }
    if let Some((_, length)) = ends.confirmed {
        key.push((Sign::Diamond, format!("confirmed, {}", grouped(length))));
    }
    if good_span(report).is_some() {
        key.push((Sign::Bar, "about as good".to_owned()));
    }
    if ends.all().any(|e| is_above(place, e)) {
        key.push((Sign::Above, "above the plot".to_owned()));
    }
    if ends.all().any(|e| e.middle.is_infinite()) {
        key.push((Sign::Lost, "not finite".to_owned()));
    }
    key
}

/// What the band spans: `: median and range of up to 3 seeds` where some rates have fewer.
fn spread(ends: &[End]) -> String {
    let counts = || ends.iter().map(|e| e.seeds);
    match (counts().min(), counts().max()) {
        (Some(least), Some(most)) if most > 1 => {
            let up_to = if least < most { "up to " } else { "" };
            format!(": median and range of {up_to}{most} seeds")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::axis::Range;
    use super::super::sample;
    use super::*;

    #[test]
    fn the_key_names_each_length_and_the_most_seeds_at_a_rate() {
        let mut report = sample::report();
        report.trials.push(sample::trial(0.12, 7, 1600));
        let place = Place {
            x: Scale::new(Range { low: 1e-3, high: 1.0, log: true }, AREA.left, AREA.right),
            y: Scale::new(Range { low: 0.0, high: 1e6, log: false }, AREA.bottom, AREA.top),
        };
        let words = |report: &Report| key(report, &place, &Ends::of(report)).into_iter().map(|k| k.1).collect::<Vec<_>>();
        let said = words(&report);
        assert_eq!(
            said[..3],
            ["after 200 iterations: median and range of 3 seeds", "after 800 iterations", "confirmed, 1,600"]
        );
        report.trials.retain(|t| t.learning_rate > 0.001 || t.seed == 0);
        assert!(words(&report)[0].ends_with("of up to 3 seeds"));
        report.trials.retain(|t| t.seed == 0);
        assert_eq!(words(&report)[0], "after 200 iterations");
    }

    #[test]
    fn segments_are_cut_at_the_top() {
        let (low, high) = ((0.0, 100.0), (10.0, 0.0));
        assert_eq!(below_top(low, high, 50.0), Some((low, (5.0, 50.0))));
        assert_eq!(below_top(high, low, 50.0), Some(((5.0, 50.0), low)));
        assert_eq!(below_top(low, low, 50.0), Some((low, low)));
        assert_eq!(below_top(high, high, 50.0), None);
    }
}
