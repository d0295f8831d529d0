//! Counts the steps of a rendering, so that it ends by itself, or when its caller no longer waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::Fault;

/// How many steps a template may take. A step is an operation, or 64 bytes of text that are written or made. So a template may make
/// 64 MB of text, nearly four times the largest result, or loop a million times.
pub(crate) const FUEL: u64 = 1_000_000;

/// The bytes of text in a step.
const BYTES: usize = 64;

/// Tells work on another thread to stop.
#[derive(Clone, Debug, Default)]
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The steps that are left.
///
/// Each operation is counted before it is done: one step for an expression, a statement, or an item, and one for 64 bytes of text.
/// So nothing takes long without being counted, and memory is bounded by the steps.
#[derive(Debug)]
pub(super) struct Budget {
    most: u64,
    left: u64,
    stop: Stop,
}

impl Budget {
    /// Returns a budget of this many steps. It ends at once when it is told to stop.
    pub(super) fn new(most: u64, stop: Stop) -> Self {
        Self { most, left: most, stop }
    }

    /// Counts this many steps.
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), Fault> {
        if self.stop.is_set() {
            return Err(Fault::Stopped);
        }
        let left = u64::try_from(steps).ok().and_then(|steps| self.left.checked_sub(steps));
        self.left = left.ok_or(Fault::OutOfFuel { fuel: self.most })?;
        Ok(())
    }

    /// Counts the reading or making of a text of this many bytes.
    pub(super) fn spend_text(&mut self, bytes: usize) -> Result<(), Fault> {
        self.spend(bytes.div_ceil(BYTES))
    }

    /// Ensures that a text of this many bytes fits. Call it before making a text whose exact length is not known yet.
    pub(super) fn ensure_text(&self, bytes: usize) -> Result<(), Fault> {
        let steps = u64::try_from(bytes.div_ceil(BYTES)).unwrap_or(u64::MAX);
        if steps > self.left { Err(Fault::OutOfFuel { fuel: self.most }) } else { Ok(()) }
    }
}
