#![doc = include_str!("../README.md")]

#[cfg(feature = "process")]
pub mod interpreter;
mod json;
mod nearest;
#[cfg(feature = "process")]
mod process_group;

pub use json::compact_json;
pub use nearest::nearest;
#[cfg(feature = "process")]
pub use process_group::ProcessGroup;
