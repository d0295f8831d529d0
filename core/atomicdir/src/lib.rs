#![doc = include_str!("../README.md")]
//!
//! ## Where to begin
//!
//! | you want to | use |
//! |---|---|
//! | publish a few files, once | [`fill`] |
//! | publish only what has changed, with owners and modes | [`Options::open`], [`AtomicDir::lock`], [`Locked::compare`], [`Locked::stage`], [`Staging::publish`] |
//! | keep some bytes with a generation, or do something once for each | [`Locked::note`], [`Locked::claim_note`], [`Locked::replace_note`] |
//! | read files that belong together | [`Snapshot::open`] |
//! | let another program rely on what is published | [`Options::open_snapshot`] |
//! | see what is published, and how old it is | [`Status::of`] |
//! | see what a run would change, without a lock | [`Options::compare`] |
//! | find out early whether a run could publish | [`Options::inspect`], [`Owner::ensure_permitted`] |
//!
//! ## What will and will not change
//!
//! Within a major version, names and signatures stay, and so do the names on disk. Each version reads the data that an
//! earlier version of the same major version has published. Structs and enums that are `#[non_exhaustive]` may grow.
//! These may change in any version: texts of errors and hints, traces, and the system calls of a step. The numbers of
//! the steps do not change.
//!
//! The oldest supported Rust version is in `Cargo.toml`. A minor version may raise it.
//!
//! ## What it does not do
//!
//! - It starts no thread, installs no signal handler, and changes neither the umask nor the current directory. It
//!   blocks.
//! - It does not encrypt, and does not overwrite the files that it removes: their data may still be found on the disk.
//! - It reads no environment variable.

mod acl;
mod attributes;
mod clock;
mod compare;
mod comparison;
mod dir;
mod error;
mod file_map;
mod file_name;
mod fill;
mod flock;
mod generation;
mod groups;
mod keeper;
mod locked;
mod names;
mod new_directory;
mod note;
mod options;
mod parent;
mod platform;
mod publish;
mod random;
mod removal;
mod remove_contents;
mod resolve;
mod snapshot;
mod staging;
mod stamp;
mod state;
mod status;
mod status_reader;
mod step;
mod sweep;
mod trust;
mod unfinished;
mod walk;

pub use attributes::{Attributes, Mode, ModeError, NewFile, Owner};
pub use comparison::{AttributesChange, Change, ChangeKind, Changed, Compared, Comparison};
pub use dir::AtomicDir;
pub use error::{Error, Refusal};
pub use file_map::{FileMap, NameConflict};
pub use file_name::{FileName, NameError};
pub use fill::{Filling, fill};
pub use keeper::Keeper;
pub use locked::Locked;
pub use names::{Id, LinkName};
pub use note::NoteClaim;
pub use options::{Durability, Options};
pub use publish::Published;
pub use snapshot::Snapshot;
pub use staging::Staging;
pub use status::{FileStatus, GenerationStatus, Listing, Pin, Status, SupersededStatus, View};
pub use step::Step;
pub use sweep::Sweep;
pub use trust::{Parents, Replaceable, ensure_trusted};

use error::Result;
