//! The command with a provider more, and how one comes to write it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod beside_others;
mod guide;
