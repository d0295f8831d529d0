//! `watch`: the same run again and again, for as long as the host is up.

pub(crate) mod phase;
pub(crate) mod schedule;
