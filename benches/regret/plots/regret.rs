//! The regret of every rule on every task.

use lrfind::report::plots::PlotError;
use lrfind::report::plots::draw::{
    Area, BLUE, Canvas, GREY, GRID, INK, RED, Range, SMALL, Scale, TextStyle, WHITE, draw_base, draw_x, ticks, tint,
};

use crate::figures::{Line, Summary, Task, regrets};

const PLOT: Area = Area { left: 330.0, top: 196.0, right: 1290.0, bottom: 826.0 };
/// Where the mean and the count of unstable runs stand.
const MEAN: f64 = 1390.0;
const UNSTABLE: f64 = 1560.0;
/// Regrets below this are drawn here.
const LEAST: f64 = 1e-4;

pub(super) fn draw(tasks: &[&Task], summary: &Summary) -> Result<Vec<u8>, PlotError> {
    let mut canvas = Canvas::new();
    let lines: Vec<&Line> = summary.lines.iter().filter(|l| l.half == "all").collect();
    let title = lines.first().map_or(String::new(), |ours| {
        format!("Regret by rule: {} ends {:.3} above the best on average", ours.contestant, ours.regret.mean)
    });
    let subtitle = "0 is the best rate of hindsight; at 1, nine tenths of the training are lost";
    super::header(&mut canvas, &title, &format!("{} tasks · {subtitle}", tasks.len()));
    let most = (0..lines.len()).flat_map(|i| regrets(tasks, i)).fold(1.0, f64::max);
    let x = Scale::new(Range { low: LEAST, high: 1.5 * most, log: true }, PLOT.left + 14.0, PLOT.right);
    let label = |(value, label): (f64, String)| (value, if value == LEAST { "≤ 0.0001".to_owned() } else { label });
    let labels: Vec<_> = ticks(x.range, 8).into_iter().map(label).collect();
    draw_x(&mut canvas, PLOT, &x, &labels, "normalised regret (J − J*) / (J at a tenth of the best run − J*)");
    canvas.dashed(&[(x.at(1.0), PLOT.top), (x.at(1.0), PLOT.bottom)], 2.0, (9.0, 7.0), tint(RED, 0.6));
    let heading = TextStyle::new(SMALL, GREY).right();
    canvas.text("mean", (MEAN, PLOT.top - 24.0), heading);
    canvas.text("unstable", (UNSTABLE, PLOT.top - 24.0), heading);
    let pitch = PLOT.height() / lines.len().max(1) as f64;
    for (i, line) in lines.iter().enumerate() {
        let row = Area { top: PLOT.top + i as f64 * pitch, bottom: PLOT.top + (i + 1) as f64 * pitch, ..PLOT };
        draw_row(&mut canvas, row, &x, line, &regrets(tasks, i));
        if i > 0 {
            canvas.line(&[(40.0, row.top), (UNSTABLE, row.top)], 1.0, GRID);
        }
    }
    draw_base(&mut canvas, PLOT);
    super::key(
        &mut canvas,
        &[
            (&|c, at| c.disc(at, 6.0, tint(BLUE, 0.5)), "a task"),
            (&|c, (x, y)| c.line(&[(x, y - 13.0), (x, y + 13.0)], 5.0, INK), "median"),
            (&|c, at| c.diamond(at, 22.0, INK), "mean"),
        ],
    );
    canvas.finish()
}

fn draw_row(canvas: &mut Canvas, row: Area, x: &Scale, line: &Line, regrets: &[f64]) {
    let (color, y) = (super::color(&line.contestant), row.centre().1);
    let is_ours = color == BLUE;
    // Dots one above the other would hide each other: they take turns in four heights.
    for (k, regret) in regrets.iter().enumerate() {
        let height = y + ((k % 4) as f64 - 1.5) * 0.2 * row.height();
        canvas.disc((x.at(regret.max(LEAST)), height), 5.5, tint(color, 0.5));
    }
    let at = |value: f64| x.at(value.max(LEAST));
    let (median, mean) = (at(line.regret.median), at(line.regret.mean));
    let half = 0.42 * row.height();
    canvas.line(&[(median, y - half), (median, y + half)], 7.0, WHITE);
    canvas.line(&[(median, y - half), (median, y + half)], 5.0, if color == GREY { INK } else { color });
    canvas.diamond((mean, y), 28.0, WHITE);
    canvas.diamond((mean, y), 22.0, if color == GREY { INK } else { color });
    let ink = if color == GREY { INK } else { color };
    canvas.text(line.contestant.clone(), (PLOT.left - 18.0, y), TextStyle::new(SMALL, ink).bold_if(is_ours).right());
    canvas.text(format!("{:.3}", line.regret.mean), (MEAN, y), TextStyle::new(SMALL, ink).bold_if(is_ours).right());
    let unstable = format!("{} of {}", line.unstable, line.runs);
    let alarm = if line.unstable > 0 { RED } else { GREY };
    canvas.text(unstable, (UNSTABLE, y), TextStyle::new(SMALL, alarm).bold_if(is_ours).right());
}
