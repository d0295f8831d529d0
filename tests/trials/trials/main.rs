//! What atomicdir is put through. Each trial says at its top what it does and what must hold.
//!
//! Linux only: strace, tmpfs at /dev/shm and, for some, root.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod audit;
mod documented;
mod failures;
mod flip;
mod hostile;
mod kills;
mod memory;
mod model;
mod order;
mod parents;
mod power_cut;
mod readers;
mod scenarios;
mod settling;
mod support;
mod writers;
mod written_down;
