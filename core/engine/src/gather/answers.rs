//! What the sources have answered: what everything after the gathering is made of.

use std::collections::BTreeMap;
use std::sync::Arc;

use secretdir_provider::{Deadline, Secret, SecretRequest};

use crate::plan::RequestId;

/// What all sources said, in the order of the plan.
pub(crate) struct Answers {
    pub(crate) sources: Vec<Answered>,
    /// When the whole gathering is to end, the making of files included.
    pub(crate) deadline: Deadline,
}

/// What one source said.
#[derive(Default)]
pub(crate) struct Answered {
    /// The requests of the plan, and after them those that were listed.
    pub(crate) requests: Vec<SecretRequest>,
    /// The position of each.
    pub(crate) positions: BTreeMap<SecretRequest, usize>,
    /// For each request: `None` is a secret that is not there, and that no file needs.
    pub(crate) secrets: Vec<Option<Arc<Secret>>>,
    /// By prefix: the names of the secrets below it.
    pub(crate) listings: BTreeMap<String, Vec<String>>,
}

impl Answers {
    pub(crate) fn request(&self, id: RequestId) -> Option<&SecretRequest> {
        self.sources.get(id.source)?.requests.get(id.request)
    }

    pub(crate) fn secret(&self, id: RequestId) -> Option<&Arc<Secret>> {
        self.sources.get(id.source)?.secrets.get(id.request)?.as_ref()
    }

    /// Returns the names of a source's secrets below a prefix.
    pub(crate) fn listing(&self, source: usize, prefix: &str) -> &[String] {
        let listing = self.sources.get(source).and_then(|source| source.listings.get(prefix));
        listing.map_or(&[], Vec::as_slice)
    }

    /// Finds the request for the current version of a secret.
    pub(crate) fn find(&self, source: usize, name: &str) -> Option<RequestId> {
        let request = *self.sources.get(source)?.positions.get(&SecretRequest::new(name))?;
        Some(RequestId { source, request })
    }
}
