//! The report as pictures: four PNG figures, each drawn from the report alone and the same to the byte every time.
//!
//! `data` works out what to show, the modules named after the figures draw it, `canvas` and `text` turn that into pixels.

mod axis;
mod canvas;
mod data;
#[cfg(test)]
mod data_tests;
mod frame;
mod learning_curves;
mod loss_by_rate;
mod range_test;
#[cfg(test)]
mod sample;
mod schedule;
mod stability_map;
#[cfg(test)]
mod tests;
mod text;
mod verification;

pub use canvas::{HEIGHT, WIDTH};
pub use learning_curves::learning_curves;
pub use loss_by_rate::loss_by_rate;
pub use range_test::range_test;
pub use schedule::schedule;
pub use stability_map::stability_map;
pub use verification::verification;

use super::Report;

/// What the figures are drawn with, for others that are to look like them.
pub mod draw {
    pub use super::axis::{Range, Scale, draw_base, draw_x, draw_y, spread, ticks};
    pub use super::canvas::{
        Area, BLUE, BODY, Canvas, GREEN, GREY, GRID, INK, ORANGE, PURPLE, Point, RED, Rgb, SMALL, TITLE, WHITE, tint,
    };
    pub use super::text::{Align, TextStyle, width};
}

/// A figure: its bytes and the name they should be saved under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plot {
    /// Name of the file, without a folder.
    pub file_name: &'static str,
    /// The picture as PNG, [`WIDTH`] × [`HEIGHT`] pixels.
    pub png: Vec<u8>,
}

/// A figure that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// A shape could not be drawn.
    #[error("cannot draw the plot: {0}")]
    Draw(String),
    /// The pixels could not be encoded.
    #[error("cannot encode the plot as PNG: {0}")]
    Encode(#[from] png::EncodingError),
}

/// All figures of a report: loss by rate, learning curves, stability map, and the schedule if the report has one.
///
/// # Errors
/// When a picture cannot be drawn or encoded. That a report lacks data is no error: the figure then says so.
pub fn all(report: &Report) -> Result<Vec<Plot>, PlotError> {
    // Side by side: where trials are small, drawing takes as long as a search.
    let ((losses, curves), (map, schedule)) = rayon::join(
        || rayon::join(|| loss_by_rate(report), || learning_curves(report)),
        || rayon::join(|| stability_map(report), || schedule(report)),
    );
    let mut plots = vec![losses?, curves?, map?];
    plots.extend(schedule?);
    Ok(plots)
}
