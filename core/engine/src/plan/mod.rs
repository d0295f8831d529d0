//! The plan: what a configuration asks for, checked as far as that can be done without looking anywhere.
//!
//! [`Config::resolve`](crate::Config::resolve) makes it. Nothing is read but the templates, which are a part of the configuration,
//! and nothing is fetched: an owner's name is a name still, and a source has only been built. Everything else that a configuration can get wrong has been found, so
//! whoever holds a plan need not look at the configuration again.

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
