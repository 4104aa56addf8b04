//! The ratios as a picture, in the style of the reports.

use lrfind::report::plots::PlotError;
use lrfind::report::plots::draw::{
    Area, BLUE, BODY, Canvas, GREEN, GREY, GRID, INK, Range, SMALL, Scale, TITLE, TextStyle, draw_base, draw_x, ticks, tint,
};

use crate::figures::{Measured, Measurement};

const PLOT: Area = Area { left: 640.0, top: 176.0, right: 1440.0, bottom: 826.0 };

/// How many times as fast as PyTorch each case is.
pub(crate) fn draw(measured: &Measured) -> Result<Vec<u8>, PlotError> {
    let mut canvas = Canvas::new();
    let style = |size, color| TextStyle::new(size, color);
    let least = measured.cases.iter().filter_map(Measurement::over_eager).fold(f64::INFINITY, f64::min);
    let most = measured.cases.iter().filter_map(Measurement::over_eager).fold(0.0, f64::max);
    let title = if measured.pytorch.is_some() {
        format!("Trials run {} to {} times as fast as PyTorch's", figure(least), figure(most))
    } else {
        "No PyTorch was found to compare with".to_owned()
    };
    canvas.text(title, (40.0, 58.0), style(TITLE, INK).bold());
    let subtitle = "two cores each, alternating on one machine; medians, and every round as a dot";
    canvas.text(subtitle, (40.0, 116.0), style(BODY, GREY));
    let ratios = |case: &Measurement| -> Vec<f64> {
        case.rounds
            .iter()
            .flat_map(|round| [round.eager, round.stacked].into_iter().flatten().map(|r| round.ours / r))
            .collect()
    };
    let all: Vec<f64> = measured.cases.iter().flat_map(ratios).collect();
    let (low, high) = (all.iter().copied().fold(1.0, f64::min), all.iter().copied().fold(1.0, f64::max));
    let x = Scale::new(Range { low, high: high * 1.01, log: true }.padded(0.04), PLOT.left, PLOT.right);
    draw_x(&mut canvas, PLOT, &x, &ticks(x.range, 6), "trial-iterations a second ÷ PyTorch's");
    canvas.line(&[(x.at(1.0), PLOT.top), (x.at(1.0), PLOT.bottom)], 3.0, tint(INK, 0.5));
    let pitch = PLOT.height() / measured.cases.len().max(1) as f64;
    for (i, case) in measured.cases.iter().enumerate() {
        let middle = PLOT.top + (i as f64 + 0.5) * pitch;
        if i > 0 {
            canvas.line(&[(40.0, middle - pitch / 2.0), (1560.0, middle - pitch / 2.0)], 1.0, GRID);
        }
        canvas.text(case.label.clone(), (40.0, middle), style(SMALL, INK));
        for round in &case.rounds {
            let dots = [(round.eager, middle - 12.0, BLUE), (round.stacked, middle + 12.0, GREEN)];
            for (rival, y, color) in dots.into_iter().filter_map(|(rival, y, color)| Some((rival?, y, color))) {
                canvas.disc((x.at(round.ours / rival), y), 5.0, tint(color, 0.45));
            }
        }
        let medians = [(case.over_eager(), middle - 12.0, BLUE), (case.over_stacked(), middle + 12.0, GREEN)];
        for (ratio, y, color) in medians.into_iter().filter_map(|(ratio, y, color)| Some((ratio?, y, color))) {
            canvas.line(&[(x.at(ratio), y - 11.0), (x.at(ratio), y + 11.0)], 5.0, color);
            canvas.text(format!("{}×", figure(ratio)), (1560.0, y), style(SMALL, color).bold_if(color == BLUE).right());
        }
    }
    draw_base(&mut canvas, PLOT);
    for (at, color, name) in
        [(60.0, BLUE, "one PyTorch process for each core"), (620.0, GREEN, "the same, stacked by torch.func.vmap")]
    {
        canvas.line(&[(at, 934.0), (at, 956.0)], 5.0, color);
        canvas.text(name, (at + 18.0, 945.0), style(SMALL, GREY));
    }
    canvas.finish()
}

/// A ratio near 1 to the hundredth, so that slower is told from as fast.
fn figure(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.2}") } else { format!("{ratio:.1}") }
}
