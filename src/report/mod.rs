//! The report and its renderers. Every renderer returns bytes or text; nothing here writes a file or prints.

mod model;
pub mod plots;

pub use model::*;
