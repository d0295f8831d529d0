//! The sources of a plan, and their requests.

use std::collections::BTreeSet;

use crate::config::values::Refresh;
use secretdir_provider::{SecretRequest, SecretSource};

/// A source and its distinct requests, in the order of the files that use them first.
#[derive(Debug)]
pub(crate) struct PlannedSource {
    pub(crate) name: String,
    pub(crate) provider: &'static str,
    pub(crate) source: Box<dyn SecretSource>,
    pub(crate) requests: Vec<SecretRequest>,
    /// The positions of the requests that issue something.
    pub(crate) issuing: BTreeSet<usize>,
    /// The fingerprint of its settings.
    pub(crate) fingerprint: u64,
    /// The interval at which it causes a turn of `watch`, if it differs from that of `[watch]`.
    pub(crate) refresh: Option<Refresh>,
}

/// The position of a request in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RequestId {
    /// The position of its source.
    pub(crate) source: usize,
    /// Its position among the requests of the source.
    pub(crate) request: usize,
}
