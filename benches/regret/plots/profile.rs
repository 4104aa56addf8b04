//! The performance profile: on what share of the tasks the cost is within a factor of the oracle's.

use lrfind::report::plots::PlotError;
use lrfind::report::plots::draw::{
    Area, Canvas, GREY, INK, Range, SMALL, Scale, TextStyle, draw_base, draw_x, draw_y, spread, ticks, tint,
};

use crate::figures::{LONGEST, Line, Summary, Task, ratios, share_within};

const PLOT: Area = Area { left: 170.0, top: 176.0, right: 1180.0, bottom: 830.0 };

pub(super) fn draw(tasks: &[&Task], summary: &Summary) -> Result<Vec<u8>, PlotError> {
    let mut canvas = Canvas::new();
    let lines: Vec<&Line> = summary.lines.iter().filter(|l| l.half == "all").collect();
    let title = "How often a rule comes near to the best rate of hindsight";
    let subtitle = "costs below 0.1 % of the initial one count as equal · beside the names: the area below the line";
    super::header(&mut canvas, title, subtitle);
    let x = Scale::new(Range { low: 1.0, high: LONGEST, log: false }, PLOT.left, PLOT.right);
    let y = Scale::new(Range { low: 0.0, high: 1.0, log: false }, PLOT.bottom, PLOT.top);
    draw_y(&mut canvas, PLOT, &y, "share of tasks");
    draw_x(&mut canvas, PLOT, &x, &ticks(x.range, 6), "final cost at most this many times the best one");
    // Ours comes last, on top of the others.
    for (i, line) in lines.iter().enumerate().rev() {
        let color = super::color(&line.contestant);
        let width = if color == GREY { 2.0 } else { 4.5 };
        canvas.line(&steps(&ratios(tasks, i, true), &x, &y), width, if color == GREY { tint(GREY, 0.55) } else { color });
    }
    draw_base(&mut canvas, PLOT);
    draw_names(&mut canvas, tasks, &lines, &y);
    canvas.finish()
}

/// ρ(τ) as a staircase.
fn steps(ratios: &[f64], x: &Scale, y: &Scale) -> Vec<(f64, f64)> {
    let mut at: Vec<f64> = ratios.iter().copied().filter(|r| (1.0..LONGEST).contains(r)).collect();
    at.sort_by(f64::total_cmp);
    let mut share = share_within(ratios, 1.0);
    let mut points = vec![(x.at(1.0), y.at(share))];
    for ratio in at {
        points.push((x.at(ratio), y.at(share)));
        share = share_within(ratios, ratio);
        points.push((x.at(ratio), y.at(share)));
    }
    points.push((x.at(LONGEST), y.at(share)));
    points
}

/// The names at the ends of their lines, moved apart as far as they must.
fn draw_names(canvas: &mut Canvas, tasks: &[&Task], lines: &[&Line], y: &Scale) {
    let end = |i: usize| y.at(share_within(&ratios(tasks, i, true), LONGEST));
    let mut order: Vec<usize> = (0..lines.len()).collect();
    let area = |i: usize| lines[i].visible_ratio.area;
    order.sort_by(|&a, &b| end(a).total_cmp(&end(b)).then(area(b).total_cmp(&area(a))));
    let wishes: Vec<f64> = order.iter().map(|&i| end(i)).collect();
    let heights = vec![26.0; lines.len()];
    for (&i, centre) in order.iter().zip(spread(&wishes, &heights, 4.0, PLOT.top, PLOT.bottom)) {
        let color = super::color(&lines[i].contestant);
        canvas.line(&[(PLOT.right, end(i)), (PLOT.right + 34.0, centre)], 1.4, tint(color, 0.6));
        let text = format!("{}  {:.2}", lines[i].contestant, area(i));
        let style = TextStyle::new(SMALL, if color == GREY { INK } else { color });
        canvas.text(text, (PLOT.right + 42.0, centre), style.bold_if(color != GREY));
    }
}
