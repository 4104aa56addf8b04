//! Finds the initial learning rate ε₀ for a long training run.

pub mod config;
pub mod error;
pub mod lr;
pub mod record;
pub mod report;
pub mod schedule;
pub mod task;
pub mod trial;
