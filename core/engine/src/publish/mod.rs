//! Publishing turns a bundle in memory into a set that readers see, and announces it.
//!
//! 1. [`owners`] looks up the names of owners, before the lock is taken.
//! 2. [`run`] takes the lock. Then it compares the bundle with the published set, stages it with its note, and flips the
//!    link.
//! 3. [`announce`] decides when the command of `[on-change]` runs, and [`hook`] runs it.
//!
//! The result is a [`Publication`](publication::Publication).

pub(crate) mod announce;
pub(crate) mod holding;
pub(crate) mod hook;
pub(crate) mod leases;
pub(crate) mod life;
pub(crate) mod manifest;
pub(crate) mod manifest_builder;
pub(crate) mod no_dumps;
pub(crate) mod owners;
pub(crate) mod publication;
pub(crate) mod run;
