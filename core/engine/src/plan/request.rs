//! What is asked of each source.

use std::collections::BTreeSet;

use crate::config::values::Refresh;
use secretdir_provider::{SecretRequest, SecretSource};

/// A source, and what is asked of it: each request once, in the order of the files that use it first.
#[derive(Debug)]
pub(crate) struct PlannedSource {
    pub(crate) name: String,
    pub(crate) provider: &'static str,
    pub(crate) source: Box<dyn SecretSource>,
    pub(crate) requests: Vec<SecretRequest>,
    /// The positions of those that make something each time.
    pub(crate) issuing: BTreeSet<usize>,
    /// Of its settings.
    pub(crate) fingerprint: u64,
    /// How often it causes a turn of `watch`, if that is not as `[watch]` says.
    pub(crate) refresh: Option<Refresh>,
}

/// Where in the plan a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RequestId {
    /// The position of its source.
    pub(crate) source: usize,
    /// Its position in the source.
    pub(crate) request: usize,
}
