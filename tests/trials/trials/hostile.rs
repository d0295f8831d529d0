//! A folder that is not ours alone: what was planted in it, and somebody who goes on planting.
//!
//! Beside the link, and outside the folder, are trees that nobody asked us to touch; under our names are links to them,
//! hard links, FIFOs, sockets, and directories of others. Whatever a run does then, it ends, it does not panic, and no
//! byte, mode, owner or time of those trees changes. All of it needs root.

mod plant;
mod planted;
mod races;
mod stopped;
mod swapped;
mod swapper;
mod tree;
mod windows;
