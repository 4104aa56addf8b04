//! Stated risks of instability against the shares of full runs that were unstable.

use lrfind::report::plots::PlotError;
use lrfind::report::plots::draw::{
    Area, BLUE, Canvas, GREY, GRID, INK, ORANGE, Point, Range, Rgb, SMALL, Scale, TextStyle, WHITE, draw_base, draw_x, draw_y,
    tint,
};

use crate::figures::{Bin, Calibration, Multiple, Summary, wilson};

/// Shares against stated risks, and both against the multiple of the recommendation.
const BINS: Area = Area { left: 170.0, top: 196.0, right: 800.0, bottom: 806.0 };
const FACTORS: Area = Area { left: 920.0, right: 1550.0, ..BINS };

pub(super) fn draw(summary: &Summary) -> Result<Vec<u8>, PlotError> {
    let mut canvas = Canvas::new();
    let risks = &summary.risks;
    let brier = |c: &Calibration| c.brier.map_or("–".to_owned(), |b| format!("{b:.3}"));
    let subtitle = format!(
        "Brier score {} around what find recommends, {} at rates given to check · bars: 95 % intervals",
        brier(&risks.find),
        brier(&risks.check)
    );
    super::header(&mut canvas, "Is the stated risk of instability right?", &subtitle);
    let share = Range { low: 0.0, high: 1.0, log: false };
    let y = Scale::new(Range { low: -0.03, high: 1.03, log: false }, BINS.bottom, BINS.top);
    draw_bins(&mut canvas, summary, share, &y);
    draw_factors(&mut canvas, &risks.factors, &y);
    super::key(
        &mut canvas,
        &[
            (&|c, at| c.disc(at, 9.0, BLUE), "find"),
            (&|c, at| c.disc(at, 9.0, ORANGE), "check"),
            (&|c, (x, y)| c.line(&[(x - 14.0, y), (x + 14.0, y)], 4.0, INK), "as stated"),
            (&|c, at| c.text("27", at, TextStyle::new(19.0, GREY).centred()), "full runs"),
        ],
    );
    canvas.finish()
}

fn draw_bins(canvas: &mut Canvas, summary: &Summary, share: Range, y: &Scale) {
    let x = Scale::new(Range { low: -0.09, high: 1.07, ..share }, BINS.left, BINS.right);
    draw_y(canvas, BINS, y, "share of full runs that were unstable");
    let labels: Vec<(f64, String)> = (0..=5).map(|k| f64::from(k) / 5.0).map(|v| (v, v.to_string())).collect();
    draw_x(canvas, BINS, &x, &labels, "stated risk, in five bins");
    canvas.line(&[(x.at(0.0), y.at(0.0)), (x.at(1.0), y.at(1.0))], 3.0, tint(INK, 0.6));
    let series = [(&summary.risks.find, BLUE, -7.0), (&summary.risks.check, ORANGE, 7.0)];
    for (calibration, color, aside) in series {
        let place = |bin: &Bin| x.at(bin.stated) + aside;
        for bin in &calibration.bins {
            let observed = bin.unstable as f64 / bin.runs as f64;
            whisker(canvas, (place(bin), y.at(observed)), bin.interval.map(|end| y.at(end)), color);
        }
        for bin in &calibration.bins {
            let style = TextStyle::new(19.0, color).on(WHITE);
            let style = if aside < 0.0 { style.right() } else { style };
            let at = (place(bin) + 2.2 * aside, y.at(bin.unstable as f64 / bin.runs as f64));
            canvas.text(bin.runs.to_string(), at, style);
        }
    }
    draw_base(canvas, BINS);
}

fn draw_factors(canvas: &mut Canvas, factors: &[Multiple], y: &Scale) {
    for share in (0..=5).map(|k| f64::from(k) / 5.0) {
        canvas.line(&[(FACTORS.left, y.at(share)), (FACTORS.right, y.at(share))], 1.2, GRID);
    }
    let x = Scale::new(Range { low: 0.18, high: 5.6, log: true }, FACTORS.left, FACTORS.right);
    let name = |factor: f64| match factor {
        0.25 => "ε₀ / 4".to_owned(),
        0.5 => "ε₀ / 2".to_owned(),
        1.0 => "ε₀".to_owned(),
        _ => format!("{factor} ε₀"),
    };
    for Multiple { factor, stated, unstable, runs } in factors.iter().filter(|f| f.runs > 0) {
        let at = x.at(*factor);
        let observed = *unstable as f64 / *runs as f64;
        whisker(canvas, (at, y.at(observed)), wilson(*unstable, *runs).map(|end| y.at(end)), BLUE);
        if let Some(stated) = stated {
            canvas.line(&[(at - 30.0, y.at(*stated)), (at + 30.0, y.at(*stated))], 4.0, INK);
        }
        canvas.text(name(*factor), (at, FACTORS.bottom + 30.0), TextStyle::new(SMALL, GREY).centred());
        canvas.text(format!("{runs} runs"), (at, FACTORS.top - 18.0), TextStyle::new(19.0, GREY).centred());
    }
    let style = TextStyle::new(28.0, INK).centred();
    canvas.text("rate, with ε₀ the recommendation of find", (FACTORS.centre().0, FACTORS.bottom + 76.0), style);
    draw_base(canvas, FACTORS);
}

/// A share with its interval.
fn whisker(canvas: &mut Canvas, (x, y): Point, [low, high]: [f64; 2], color: Rgb) {
    canvas.line(&[(x, low), (x, high)], 3.0, tint(color, 0.6));
    canvas.disc((x, y), 9.0, color);
}
