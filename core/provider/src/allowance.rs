//! How many bytes of secrets one run may hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The bytes of secrets that all sources of a run may hold together. Clones share one count.
///
/// The engine makes one for each run. A source never sees it.
#[derive(Clone, Debug)]
pub struct Allowance {
    max_bytes: u64,
    taken: Arc<AtomicU64>,
}

impl Allowance {
    /// Makes an allowance of this many bytes.
    pub fn new(max_bytes: u64) -> Self {
        Self { max_bytes, taken: Arc::default() }
    }

    /// Returns the limit in bytes.
    pub fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    /// Says whether the limit was exceeded.
    pub fn is_exceeded(&self) -> bool {
        self.taken.load(Ordering::Relaxed) > self.max_bytes
    }

    /// Takes bytes out. Returns false if fewer are left, but counts them all the same.
    pub(crate) fn take(&self, bytes: usize) -> bool {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let add = |taken: u64| Some(taken.saturating_add(bytes));
        let before = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        before.unwrap_or_else(|taken| taken).saturating_add(bytes) <= self.max_bytes
    }
}

impl Default for Allowance {
    /// Makes an allowance without a limit.
    fn default() -> Self {
        Self::new(u64::MAX)
    }
}
