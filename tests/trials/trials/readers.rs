//! Readers, while sets flip under them (step 12): whoever reads through a [`Snapshot`](atomicdir::Snapshot) sees one set
//! and all of it, at the cost of one generation for as long as he holds it, and of nothing once he is dead. Whoever
//! reopens by path does not ([`by_path`]), and whoever locks what he can costs the publisher space, never a publish.

mod by_path;
mod grabbed;
mod killed;
mod ledger;
mod rounds;
mod snapshots;

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// Says that it is over for everyone when one of them ends, however that is.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}
