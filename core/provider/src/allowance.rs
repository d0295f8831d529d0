//! How many bytes of secrets one run may hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The bytes that a run may still take in, of all its sources together. Clones share them.
#[derive(Clone, Debug)]
pub struct Allowance {
    most: u64,
    taken: Arc<AtomicU64>,
}

impl Allowance {
    /// Makes an allowance of this many bytes.
    pub fn new(most: u64) -> Self {
        Self { most, taken: Arc::default() }
    }

    /// Returns how many bytes there were at the beginning.
    pub fn most(&self) -> u64 {
        self.most
    }

    /// Returns whether more was asked for than there was.
    pub fn is_exceeded(&self) -> bool {
        self.taken.load(Ordering::Relaxed) > self.most
    }

    /// Takes bytes out: false if there are not so many left.
    pub(crate) fn take(&self, bytes: usize) -> bool {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let before = self
            .taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| Some(taken.saturating_add(bytes)));
        before.unwrap_or_else(|taken| taken).saturating_add(bytes) <= self.most
    }
}

impl Default for Allowance {
    /// Makes one without a bound.
    fn default() -> Self {
        Self::new(u64::MAX)
    }
}
