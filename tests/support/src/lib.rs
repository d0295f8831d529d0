//! What the tests of secretdir share: real servers, servers with a fault, and canaries.
//!
//! Blocking and built on the standard library alone, so that a test of any crate can use it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod canary;
mod encode;
mod http;
mod moto;
mod stub;

pub use canary::Canary;
pub use moto::{AccessKey, Moto, REGION};
pub use stub::{Reply, Stub};
