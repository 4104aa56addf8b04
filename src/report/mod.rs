//! The report and its renderers. Every renderer returns bytes or text; nothing here writes a file or prints.

pub mod comparison;
mod model;
pub mod plots;
pub mod range_test;
pub mod verification;

pub mod export;
pub mod github;
pub mod json;
pub mod markdown;
pub mod summary;
pub mod text;

#[cfg(test)]
pub(crate) mod sample;

pub use model::*;
