//! Publishing: from a bundle in memory to a set that readers see, and to those who are told of it.
//!
//! 1. [`owners`]: names become numbers, before the lock is taken.
//! 2. [`run`]: the lock; then the bundle is compared with what is published, staged and flipped, with a note beside it.
//! 3. [`announce`]: when the command of `[on-change]` runs; [`hook`]: how.
//!
//! What came of it is a [`Publication`](publication::Publication).

pub(crate) mod announce;
pub(crate) mod holding;
pub(crate) mod hook;
pub(crate) mod leases;
pub(crate) mod life;
pub(crate) mod manifest;
pub(crate) mod no_dumps;
pub(crate) mod noting;
pub(crate) mod owners;
pub(crate) mod publication;
pub(crate) mod run;
