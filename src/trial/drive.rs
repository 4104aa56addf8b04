//! The loop.
/// A flag that asks running trials to stop soon.
#[derive(Debug, Clone, Default)]
pub struct Cancel(std::sync::Arc<std::sync::atomic::AtomicBool>);
/// x
pub fn drive() {}
