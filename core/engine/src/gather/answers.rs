//! What the sources have answered: what everything after the gathering is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use secretdir_provider::{Deadline, Held, Secret, SecretRequest};

use super::holdings::Lease;
use crate::plan::{Imported, RequestId, Selection};

/// What all sources said, in the order of the plan.
pub(crate) struct Answers {
    pub(crate) sources: Vec<Answered>,
    /// When the whole gathering is to end, the making of files included.
    pub(crate) deadline: Deadline,
    /// The secrets that stay as they are published.
    pub(crate) kept: BTreeMap<RequestId, Kept>,
    /// The secrets that were not asked for, since that would have made something.
    pub(crate) unasked: BTreeSet<RequestId>,
    /// The files that may be carried over: none for one that was left out.
    pub(crate) carried: BTreeMap<String, Option<Arc<Secret>>>,
    /// The leases that this run has got.
    pub(crate) issued: Vec<Lease>,
}

/// A secret that stays as it is published.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) held: Held,
    /// The keys that imports have made files of, each with the label of its import.
    pub(crate) keys: Vec<(String, String)>,
}

/// What one source said.
#[derive(Default)]
pub(crate) struct Answered {
    /// The requests of the plan, and after them those that were listed.
    pub(crate) requests: Vec<SecretRequest>,
    /// The position of each; empty where nothing is listed.
    pub(crate) positions: BTreeMap<SecretRequest, usize>,
    /// For each request: `None` is a secret that is not there, and that no file needs.
    pub(crate) secrets: Vec<Option<Arc<Secret>>>,
    /// By prefix: the names of the secrets below it.
    pub(crate) listings: BTreeMap<String, Vec<String>>,
    /// How long it took to answer.
    pub(crate) duration: Duration,
}

impl Answers {
    pub(crate) fn request(&self, id: RequestId) -> Option<&SecretRequest> {
        self.sources.get(id.source)?.requests.get(id.request)
    }

    pub(crate) fn secret(&self, id: RequestId) -> Option<&Arc<Secret>> {
        self.sources.get(id.source)?.secrets.get(id.request)?.as_ref()
    }

    /// Sets what became of a request that makes something.
    pub(super) fn set(&mut self, id: RequestId, secret: Option<Arc<Secret>>) {
        let slot = self.sources.get_mut(id.source).and_then(|source| source.secrets.get_mut(id.request));
        if let Some(slot) = slot {
            *slot = secret;
        }
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

/// Returns the requests for what a template takes of a whole source.
pub(crate) fn selected(selection: &Selection, answers: &Answers) -> Vec<RequestId> {
    let Imported::Below { source, prefix } = &selection.what else { return Vec::new() };
    let wanted = answers.listing(*source, prefix).iter().filter(|name| selection.naming.wants(name));
    wanted.filter_map(|name| answers.find(*source, name)).collect()
}
