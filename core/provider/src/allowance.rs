//! How many bytes of secrets one run may hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The bytes that a run may hold, of all its sources together. Clones share one count.
///
/// The engine makes one for each run; a source never sees it.
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

    /// Returns how many bytes there were at the beginning.
    pub fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    /// Says whether more was asked for than there was.
    pub fn is_exceeded(&self) -> bool {
        self.taken.load(Ordering::Relaxed) > self.max_bytes
    }

    /// Takes bytes out. Returns false if not so many are left; they count as taken all the same.
    pub(crate) fn take(&self, bytes: usize) -> bool {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let add = |taken: u64| Some(taken.saturating_add(bytes));
        let before = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        before.unwrap_or_else(|taken| taken).saturating_add(bytes) <= self.max_bytes
    }
}

impl Default for Allowance {
    /// Makes an allowance without a bound.
    fn default() -> Self {
        Self::new(u64::MAX)
    }
}
