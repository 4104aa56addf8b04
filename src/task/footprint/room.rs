//! Memory for what finished trials leave behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// So many bytes, of which some are taken.
#[derive(Debug)]
pub(crate) struct Room(Arc<AtomicU64>);

/// A part of a [`Room`], until it is dropped.
#[derive(Debug)]
pub(crate) struct Reserved {
    left: Arc<AtomicU64>,
    bytes: u64,
}

impl Room {
    /// An empty room of so many bytes.
    pub(crate) fn new(bytes: u64) -> Self {
        Self(Arc::new(AtomicU64::new(bytes)))
    }

    /// So many bytes of it, if they are left.
    pub(crate) fn take(&self, bytes: u64) -> Option<Reserved> {
        let taken = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        taken.ok().map(|_| Reserved { left: Arc::clone(&self.0), bytes })
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.left.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_can_be_taken_again() {
        let room = Room::new(10);
        let first = room.take(6).unwrap();
        assert!(room.take(5).is_none());
        let second = room.take(4).unwrap();
        assert!(room.take(1).is_none());
        drop(first);
        assert!(room.take(7).is_none() && room.take(6).is_some());
        drop(second);
        assert!(room.take(10).is_some());
    }
}
