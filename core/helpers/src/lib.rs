#![doc = include_str!("../README.md")]

#[cfg(feature = "certificates")]
pub mod certificates;
#[cfg(feature = "coding")]
pub mod coding;
#[cfg(feature = "process")]
pub mod interpreter;
mod json;
mod nearest;
mod position;
#[cfg(feature = "process")]
mod process_group;

pub use json::compact_json;
pub use nearest::nearest;
pub use position::Position;
#[cfg(feature = "process")]
pub use process_group::ProcessGroup;
