//! What both benches measure: each case done by atomicdir, and done by the bare system calls of the same protocol.

mod bare;
mod case;
mod contest;
mod medium;
mod place;

pub(crate) use case::{Case, Work};
pub(crate) use contest::{Contest, Who};
pub(crate) use medium::{Medium, conditions};
pub(crate) use place::Ground;
