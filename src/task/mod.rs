//! Data, models and optimisers: turns a checked plan into something that can be trained. burn lives here.

pub mod data;
pub(crate) mod random;
