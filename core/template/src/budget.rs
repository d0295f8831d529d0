//! Counts what a rendering does, so that it ends: by itself, or when nobody waits for it any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::Fault;

/// How many steps a template may take. One is an operation, or 64 bytes that are written or made: 64 MB of texts in all, nearly
/// four times what a result may have, or a million turns of a loop that does nothing. Either takes well under a second.
pub(crate) const FUEL: u64 = 1_000_000;

/// How many bytes of text are a step.
const BYTES: usize = 64;

/// Tells work on another thread to end.
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
/// Whoever does something pays for it before: a step for an expression, a statement, or an item that is looked at, and one
/// for 64 bytes of text. So nothing takes longer than a step without being counted, and memory grows with what was paid.
#[derive(Debug)]
pub(super) struct Budget {
    most: u64,
    left: u64,
    stop: Stop,
}

impl Budget {
    /// Returns one of so many steps, which ends at once when it is told to.
    pub(super) fn new(most: u64, stop: Stop) -> Self {
        Self { most, left: most, stop }
    }

    /// Pays for so many steps.
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), Fault> {
        if self.stop.is_set() {
            return Err(Fault::Stopped);
        }
        let left = u64::try_from(steps).ok().and_then(|steps| self.left.checked_sub(steps));
        self.left = left.ok_or(Fault::OutOfFuel { fuel: self.most })?;
        Ok(())
    }

    /// Pays for looking at a text of so many bytes, or for making it.
    pub(super) fn spend_text(&mut self, bytes: usize) -> Result<(), Fault> {
        self.spend(bytes.div_ceil(BYTES))
    }

    /// Ensures that a text of so many bytes could be paid for: before one is made whose length is known only then.
    pub(super) fn ensure_text(&self, bytes: usize) -> Result<(), Fault> {
        let steps = u64::try_from(bytes.div_ceil(BYTES)).unwrap_or(u64::MAX);
        if steps > self.left { Err(Fault::OutOfFuel { fuel: self.most }) } else { Ok(()) }
    }
}
