//! From TOML text to a checked [`Plan`].

mod plan;

pub use plan::*;
