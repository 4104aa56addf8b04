//! Whole training runs: the cost against iterations, a thick line for the mean of each rate and thin ones for its seeds.

use crate::analysis::median;
use crate::lr::format_significant;
use crate::record::Outcome;
use crate::report::Status;
use crate::report::text::{counted, grouped, percent, rate};
use crate::report::verification::{Answer, RateReport, Role, RunReport, Verification, headline};

use super::axis::{self, Range, Scale};
use super::canvas::{Area, BLUE, Canvas, GREEN, GREY, INK, ORANGE, PURPLE, Point, RED, Rgb, SMALL, tint};
use super::data;
use super::frame;
use super::loss_by_rate::below_top;
use super::text::{self, TextStyle};
use super::{Plot, PlotError};

const AREA: Area = Area { left: 170.0, top: 180.0, right: 1180.0, bottom: 812.0 };
/// Left edge of the list of rates, and the height of an entry.
const LIST: f64 = 1220.0;
const ENTRY: f64 = 96.0;

/// Draws `verification.png`.
///
/// # Errors
/// When the picture cannot be drawn or encoded.
pub fn verification(verification: &Verification) -> Result<Plot, PlotError> {
    let mut canvas = Canvas::new();
    frame::draw_header(&mut canvas, &verification.name, &title(verification), &subtitle(verification));
    let last = verification.run.iterations as f64;
    match costs(verification).filter(|_| last > 0.0) {
        Some(costs) => {
            let x = Scale::new(Range { low: 0.0, high: last, log: false }, AREA.left, AREA.right);
            let y = Scale::new(costs, AREA.bottom, AREA.top);
            draw(&mut canvas, verification, &x, &y);
        }
        None => frame::draw_empty(&mut canvas, "No full run has finished with a finite cost."),
    }
    Ok(Plot { file_name: "verification.png", png: canvas.finish()? })
}

fn title(verification: &Verification) -> String {
    let recommended = frame::rate(verification.verdict.learning_rate);
    let answer = match verification.verdict.answer {
        Answer::Held => format!("{recommended} held"),
        Answer::Behind => format!("{recommended} is stable, but behind"),
        Answer::Unstable if verification.rate_of(Role::Recommended).is_some_and(|row| row.unstable == 0) => {
            "the configured rate is unstable".to_owned()
        }
        Answer::Unstable => format!("{recommended} is unstable"),
        Answer::Inconclusive => "full runs do not tell".to_owned(),
    };
    if verification.status == Status::Partial { format!("{answer} (partial)") } else { answer }
}

fn subtitle(verification: &Verification) -> String {
    let run = &verification.run;
    let share = if run.fraction < 1.0 { format!(", {} of the planned run", percent(run.fraction)) } else { String::new() };
    let (seeds, length) = (counted(run.seeds.len() as u64, "seed"), counted(run.iterations, "iteration"));
    match (verification.verdict.answer, verification.verdict.regret) {
        (Answer::Held | Answer::Behind, Some(regret)) => {
            format!("whole runs of {length}{share} · {seeds} · its regret is {}", percent(regret))
        }
        _ => headline(verification),
    }
}

/// The costs worth showing.
fn costs(verification: &Verification) -> Option<Range> {
    let runs = || verification.rates.iter().flat_map(|row| &row.runs);
    let all = runs().flat_map(|run| run.training_costs.iter().flatten().copied());
    let firsts: Vec<f64> = runs().filter_map(|run| run.training_costs.first().copied().flatten()).collect();
    data::loss_range(all, median(&firsts), 10.0)
}

fn draw(canvas: &mut Canvas, verification: &Verification, x: &Scale, y: &Scale) {
    axis::draw_y(canvas, AREA, y, if y.range.log { "training cost (log scale)" } else { "training cost" });
    let labels: Vec<_> = axis::ticks(x.range, 6).into_iter().map(|(v, _)| (v, grouped(v as u64))).collect();
    axis::draw_x(canvas, AREA, x, &labels, "iterations");
    let steps = &verification.run.evaluated_at;
    let mut requested = REQUESTED.into_iter().cycle();
    let rows: Vec<(&RateReport, Rgb)> = verification.rates.iter().map(|row| (row, color(row, &mut requested))).collect();
    // All seeds before all means, and the recommended rate last, so that it lies above the others.
    for (row, color) in &rows {
        for run in &row.runs {
            draw_line(canvas, steps, &run.training_costs, (x, y), tint(*color, 0.38), 1.6);
            draw_end(canvas, steps, run, (x, y), *color);
        }
    }
    let is_recommended = |row: &RateReport| row.roles.contains(&Role::Recommended);
    for recommended in [false, true] {
        for (row, color) in rows.iter().filter(|(row, _)| is_recommended(row) == recommended) {
            draw_line(canvas, steps, &mean_costs(row), (x, y), *color, if recommended { 5.0 } else { 3.6 });
        }
    }
    axis::draw_base(canvas, AREA);
    draw_list(canvas, &rows);
    let lost = verification.rates.iter().flat_map(|row| &row.runs).any(diverged);
    let cross = if lost { " · cross: no longer finite" } else { "" };
    let key = format!("thick: the mean over the seeds · thin: each seed{cross}");
    canvas.text(key, (frame::LEFT, frame::KEY), TextStyle::new(SMALL, GREY));
}

/// Colours of requested rates, one after the other.
const REQUESTED: [Rgb; 4] = [BLUE, (0, 150, 160), (140, 86, 75), (125, 125, 125)];

/// The colour of the first of a rate's roles.
fn color(row: &RateReport, requested: &mut impl Iterator<Item = Rgb>) -> Rgb {
    match row.roles.first() {
        Some(Role::Recommended) => INK,
        Some(Role::Configured) => PURPLE,
        Some(Role::BestEarly) => GREEN,
        Some(Role::BelowThreshold) => ORANGE,
        Some(Role::Requested) | None => requested.next().unwrap_or(BLUE),
    }
}

/// The mean over the finished runs, as far as all of them go.
fn mean_costs(row: &RateReport) -> Vec<Option<f64>> {
    let runs = row.runs.iter().filter(|run| matches!(run.outcome, Outcome::Completed | Outcome::Diverged { .. }));
    let costs: Vec<&[Option<f64>]> = runs.map(|run| run.training_costs.as_slice()).collect();
    let most = costs.iter().map(|costs| costs.len()).max().unwrap_or(0);
    let at = |k: usize| {
        let costs: Option<Vec<f64>> = costs.iter().map(|costs| costs.get(k).copied().flatten()).collect();
        costs.map(|costs| costs.iter().sum::<f64>() / costs.len() as f64)
    };
    (0..most).map(at).collect()
}

fn place(step: u64, cost: f64, (x, y): (&Scale, &Scale)) -> Point {
    (x.at(step as f64), y.beyond(cost).min(AREA.bottom))
}

/// A curve, broken where it is not finite or leaves the plot at the top.
fn draw_line(canvas: &mut Canvas, steps: &[u64], costs: &[Option<f64>], scales: (&Scale, &Scale), color: Rgb, width: f64) {
    let points: Vec<Option<Point>> =
        steps.iter().zip(costs).map(|(step, cost)| cost.map(|cost| place(*step, cost, scales))).collect();
    for pair in points.windows(2) {
        if let [Some(a), Some(b)] = pair[..]
            && let Some((a, b)) = below_top(a, b, AREA.top)
        {
            canvas.line(&[a, b], width, color);
        }
    }
}

/// A cross at the last finite cost of a run that diverged.
fn draw_end(canvas: &mut Canvas, steps: &[u64], run: &RunReport, scales: (&Scale, &Scale), color: Rgb) {
    let costs = steps.iter().zip(&run.training_costs);
    let known = costs.rev().find_map(|(step, cost)| cost.map(|cost| place(*step, cost, scales)));
    if let (true, Some((x, y))) = (diverged(run), known) {
        canvas.cross((x, y.max(AREA.top + 8.0)), 15.0, 3.4, color);
    }
}

fn diverged(run: &RunReport) -> bool {
    matches!(run.outcome, Outcome::Diverged { .. })
}

/// The rates in their colours, from high to low, with what they are and how they ended.
fn draw_list(canvas: &mut Canvas, rows: &[(&RateReport, Rgb)]) {
    let entry = ENTRY.min((AREA.height() + 60.0) / rows.len().max(1) as f64);
    for (k, (row, color)) in rows.iter().rev().enumerate() {
        let y = AREA.top + 14.0 + k as f64 * entry;
        canvas.line(&[(LIST, y), (LIST + 40.0, y)], 5.0, *color);
        let style = TextStyle::new(SMALL, INK).bold_if(row.roles.contains(&Role::Recommended));
        canvas.text(rate(row.learning_rate), (LIST + 54.0, y), style);
        let small = TextStyle::new(20.0, GREY);
        let words = |role: &Role| if *role == Role::BelowThreshold { "near the threshold" } else { role.words() };
        let roles = row.roles.iter().map(words).collect::<Vec<_>>().join(", ");
        let room = f64::from(super::WIDTH) - LIST - 54.0 - 10.0;
        canvas.text(text::fitted(&roles, &small, room), (LIST + 54.0, y + 29.0), small);
        let (end, color) = match (row.unstable, row.training_cost) {
            (0, Some(cost)) => (format!("ends at {}", format_significant(cost, 3)), GREY),
            (0, None) => ("no end to compare".to_owned(), GREY),
            (unstable, _) => (format!("{unstable} of {} unstable", row.finished), RED),
        };
        if entry > 80.0 {
            canvas.text(end, (LIST + 54.0, y + 54.0), TextStyle::new(20.0, color));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::verification::sample;

    #[test]
    fn the_title_states_the_answer() {
        assert_eq!(title(&sample::held()), "0.12 held");
        assert_eq!(title(&sample::unstable()), "0.12 is unstable");
        let mut configured = sample::unstable();
        for row in &mut configured.rates {
            row.unstable = usize::from(row.roles.contains(&Role::Configured));
        }
        configured.status = Status::Partial;
        assert_eq!(title(&configured), "the configured rate is unstable (partial)");
    }

    #[test]
    fn the_mean_goes_as_far_as_every_run() {
        let mut row = sample::held().rates[0].clone();
        row.runs.truncate(2);
        row.runs[0].training_costs = vec![Some(2.0), Some(1.0), Some(1.0)];
        row.runs[1].training_costs = vec![Some(4.0), Some(3.0), None];
        assert_eq!(mean_costs(&row), [Some(3.0), Some(2.0), None]);
        row.runs[1].training_costs.truncate(1);
        assert_eq!(mean_costs(&row), [Some(3.0), None, None]);
        row.runs[1].outcome = Outcome::Cancelled;
        assert_eq!(mean_costs(&row), [Some(2.0), Some(1.0), Some(1.0)]);
    }

    #[test]
    fn any_verification_can_be_drawn() {
        let mut lost = sample::held();
        lost.rates.iter_mut().flat_map(|row| &mut row.runs).for_each(|run| run.training_costs.fill(None));
        let mut empty = sample::held();
        empty.rates.clear();
        let mut many = sample::held();
        many.rates = (0..12).map(|_| many.rates[0].clone()).collect();
        for case in [sample::held(), sample::unstable(), lost, empty, many] {
            assert!(verification(&case).unwrap().png.starts_with(b"\x89PNG"));
        }
    }
}
