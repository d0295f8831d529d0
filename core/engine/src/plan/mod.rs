//! The plan: a configuration that has been validated as far as that is possible offline.
//!
//! [`Config::resolve`](crate::Config::resolve) makes it. Only templates are read, because they are part of the
//! configuration. Nothing is fetched: sources are built but not used, and names of owners are not looked up. Every other
//! mistake in a configuration has been found, so later stages need not validate it again.

mod content;
mod fingerprint;
mod import;
mod location;
pub(crate) mod names;
mod planned;
mod request;
mod resolve;
mod selection;
#[cfg(test)]
mod tests;

pub(crate) use content::{
    Content, Form, IfAbsent, PlannedAttributes, PlannedFile, PlannedTemplate, SecretUse, Slot,
};
pub(crate) use import::PlannedImport;
pub use location::Location;
pub use planned::Plan;
pub(crate) use planned::{HookCommand, OnChange};
pub(crate) use request::{PlannedSource, RequestId};
pub(crate) use selection::{IfNone, Imported, Selection};
