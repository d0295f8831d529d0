//! The real command against real files, real servers and real faults.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

mod aws;
mod bad_input;
mod concurrency;
mod configuration;
mod full_disk;
mod kills;
mod modes;
mod on_change;
mod output;
mod privileges;
mod protocol;
mod quickstart;
mod secrecy;
mod signals;
mod system_calls;
