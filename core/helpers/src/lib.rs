#![doc = include_str!("../README.md")]

mod json;
mod nearest;

pub use json::compact_json;
pub use nearest::nearest;
