//! The best rate of a full run, and what was recommended, against the best early rate.

use lrfind::report::plots::PlotError;
use lrfind::report::plots::draw::{
    Area, BLUE, Canvas, GREY, INK, RED, Range, Scale, WHITE, draw_base, draw_x, draw_y, ticks, tint,
};

use crate::figures::Task;

const PLOT: Area = Area { left: 170.0, top: 176.0, right: 1560.0, bottom: 806.0 };

/// Rates this much apart, as a factor, are the same on a grid of 8 rates a decade.
const SAME: f64 = 1.1;

/// One task.
struct Rates {
    early: f64,
    best: f64,
    recommended: Option<f64>,
    unstable: Option<f64>,
}

pub(super) fn draw(tasks: &[&Task]) -> Result<Vec<u8>, PlotError> {
    let mut canvas = Canvas::new();
    let rates = |task: &&Task| {
        let report = task.reports.first()?;
        Some(Rates {
            early: report.best_early?,
            best: task.hindsight.best,
            recommended: report.recommended,
            unstable: task.hindsight.threshold.map(|[_, unstable]| unstable),
        })
    };
    let all: Vec<Rates> = tasks.iter().filter_map(rates).collect();
    let above = all.iter().filter(|r| r.best > SAME * r.early).count();
    let below = all.iter().filter(|r| r.early > SAME * r.best).count();
    let title = format!("The best rate lies above best early on {above} of {} tasks", all.len());
    super::header(&mut canvas, &title, &format!("below it on {below}; each column is a task, its full runs made in hindsight"));
    let early = || all.iter().map(|r| r.early);
    let (low, high) = (early().fold(f64::INFINITY, f64::min), early().fold(0.0, f64::max));
    let others = || all.iter().flat_map(|r| [Some(r.best), r.recommended, r.unstable]).flatten().chain(early());
    let (least, most) = (others().fold(f64::INFINITY, f64::min), others().fold(0.0, f64::max));
    let x = Scale::new(Range { low, high, log: true }.padded(0.04), PLOT.left, PLOT.right);
    let y = Scale::new(Range { low: least, high: most, log: true }.padded(0.04), PLOT.bottom, PLOT.top);
    draw_y(&mut canvas, PLOT, &y, "learning rate");
    draw_x(&mut canvas, PLOT, &x, &ticks(x.range, 8), "best early rate");
    let diagonal = |value: f64| (x.at(value), y.at(value));
    canvas.line(&[diagonal(x.range.low.max(y.range.low)), diagonal(x.range.high.min(y.range.high))], 2.0, tint(GREY, 0.6));
    for (rates, at) in all.iter().zip(columns(&all, &x)) {
        let ends = [rates.early, rates.best, rates.recommended.unwrap_or(rates.early)].map(|rate| y.at(rate));
        let (top, bottom) = ends.iter().fold((f64::INFINITY, 0.0f64), |(top, bottom), end| (top.min(*end), bottom.max(*end)));
        canvas.line(&[(at, top), (at, bottom)], 2.0, tint(GREY, 0.5));
        if let Some(unstable) = rates.unstable {
            canvas.line(&[(at - 8.0, y.at(unstable)), (at + 8.0, y.at(unstable))], 4.0, tint(RED, 0.75));
        }
        canvas.disc((at, y.at(rates.best)), 8.0, INK);
        if let Some(recommended) = rates.recommended {
            canvas.disc((at, y.at(recommended)), 8.5, BLUE);
            canvas.disc((at, y.at(recommended)), 4.5, WHITE);
        }
    }
    draw_base(&mut canvas, PLOT);
    super::key(
        &mut canvas,
        &[
            (&|c, at| c.disc(at, 8.0, INK), "best rate of a full run"),
            (
                &|c, at| {
                    c.disc(at, 8.5, BLUE);
                    c.disc(at, 4.5, WHITE);
                },
                "recommended",
            ),
            (&|c, (x, y)| c.line(&[(x - 8.0, y), (x + 8.0, y)], 4.0, tint(RED, 0.75)), "full runs unstable from here"),
            (&|c, (x, y)| c.line(&[(x - 14.0, y + 7.0), (x + 14.0, y - 7.0)], 2.0, tint(GREY, 0.6)), "best early"),
        ],
    );
    canvas.finish()
}

/// The column of each task: many share a best early rate, so neighbours are moved apart a little.
fn columns(all: &[Rates], x: &Scale) -> Vec<f64> {
    const APART: f64 = 15.0;
    let place = |(k, rates): (usize, &Rates)| {
        let alike = |other: &Rates| (x.at(other.early) - x.at(rates.early)).abs() < 1.0;
        let before = all[..k].iter().filter(|r| alike(r)).count();
        let count = all.iter().filter(|r| alike(r)).count();
        x.at(rates.early) + APART * (before as f64 - (count - 1) as f64 / 2.0)
    };
    all.iter().enumerate().map(place).collect()
}
