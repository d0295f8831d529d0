//! The protocol, step by step, on a real filesystem.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(
    clippy::disallowed_methods,
    reason = "the tests make and plant things by path, as a stranger would"
)]

mod clock;
mod faults;
mod heal;
mod notes;
mod parents;
mod place;
mod publish;
mod readers;
mod refusals;
mod support;
mod trust;
mod trusted;
mod umask;
