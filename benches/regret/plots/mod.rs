//! The figures as pictures, in the style of the reports.

mod optimum;
mod profile;
mod regret;
mod reliability;

use lrfind::report::plots::PlotError;
use lrfind::report::plots::draw::{BLUE, BODY, Canvas, GREEN, GREY, INK, ORANGE, Point, Rgb, SMALL, TITLE, TextStyle, width};

use crate::figures::{Summary, Task};

/// Left edge of title, subtitle and key.
const LEFT: f64 = 170.0;
/// Height of the key.
const KEY: f64 = 945.0;

/// All pictures, each as PNG with its name.
pub(crate) fn all(tasks: &[Task], summary: &Summary) -> Result<Vec<(&'static str, Vec<u8>)>, PlotError> {
    let tasks: Vec<&Task> = tasks.iter().collect();
    Ok(vec![
        ("rules", regret::draw(&tasks, summary)?),
        ("optimum", optimum::draw(&tasks)?),
        ("risk", reliability::draw(summary)?),
        ("profile", profile::draw(&tasks, summary)?),
    ])
}

fn header(canvas: &mut Canvas, title: &str, subtitle: &str) {
    canvas.text(title, (LEFT, 58.0), TextStyle::new(TITLE, INK).bold());
    canvas.text(subtitle, (LEFT, 116.0), TextStyle::new(BODY, GREY));
}

/// What is ours, or could have been, has a colour of its own.
fn color(contestant: &str) -> Rgb {
    match contestant {
        "lrfind" => BLUE,
        "best early" => GREEN,
        "threshold / 2" => ORANGE,
        _ => GREY,
    }
}

/// Draws a sign at a point.
type Sign<'a> = &'a dyn Fn(&mut Canvas, Point);

/// One row of signs and what they mean.
fn key(canvas: &mut Canvas, entries: &[(Sign<'_>, &str)]) {
    let style = TextStyle::new(SMALL, GREY);
    let mut x = LEFT;
    for (sign, name) in entries {
        sign(canvas, (x + 14.0, KEY));
        canvas.text(*name, (x + 40.0, KEY), style);
        x += 40.0 + width(name, &style) + 44.0;
    }
}
