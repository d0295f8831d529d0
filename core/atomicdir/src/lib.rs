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
//! Within a major version names and signatures stay, and so do the names on disk: each version reads what an earlier one of the
//! same major version has published. Structs and enums that are `#[non_exhaustive]` may grow. Texts of errors and hints, traces,
//! and the calls behind a step may change in any version; the numbers of the steps do not.
//!
//! The oldest Rust that it builds with is in its `Cargo.toml`. A newer one may be asked for by a minor version.
//!
//! ## What it does not do
//!
//! - It starts no thread, installs no handler, and changes neither the umask nor the current folder. It blocks.
//! - It never encrypts, and never overwrites what it removes: what a disk had may be found on it.
//! - It reads no environment variable.

mod acl;
mod attributes;
mod clock;
mod compare;
mod comparison;
mod dir;
mod emptying;
mod error;
mod file_map;
mod file_name;
mod fill;
mod flock;
mod generation;
mod groups;
mod keeper;
mod locked;
mod looking;
mod made;
mod names;
mod note;
mod options;
mod parent;
mod platform;
mod publish;
mod random;
mod removal;
mod resolve;
mod snapshot;
mod staging;
mod stamp;
mod state;
mod status;
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
pub use trust::{Parents, Replaceable, ensure_irreplaceable};

use error::Result;
