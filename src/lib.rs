//! Finds the initial learning rate ε₀ for a long training run.

pub mod analysis;
pub mod config;
pub mod error;
pub mod lr;
pub mod record;
pub mod report;
pub mod schedule;
pub mod search;
pub mod study;
pub mod task;
pub mod trial;

pub use lr::LearningRate;
pub use report::Report;
pub use search::RunOptions;
pub use study::Study;
