//! The answers of the sources, which everything after the gathering is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use secretdir_provider::{Deadline, Held, Secret, SecretRequest};

use super::holdings::Lease;
use crate::plan::{Imported, RequestId, Selection};

/// The answers of all sources, in the order of the plan.
pub(crate) struct Answers {
    pub(crate) sources: Vec<Answered>,
    /// The deadline of the whole gathering, which includes making the files.
    pub(crate) deadline: Deadline,
    /// The held secrets that are kept as they are published.
    pub(crate) kept: BTreeMap<RequestId, Kept>,
    /// The secrets that were not requested, because that would have issued something.
    pub(crate) unasked: BTreeSet<RequestId>,
    /// The files that may be carried over. None stands for a file that was left out.
    pub(crate) carried: BTreeMap<String, Option<Arc<Secret>>>,
    /// The leases that this run has received.
    pub(crate) issued: Vec<Lease>,
}

/// A held secret that is kept as it is published.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) held: Held,
    /// The keys that imports made files of, each with the label of its import.
    pub(crate) keys: Vec<(String, String)>,
}

/// The answers of one source.
#[derive(Default)]
pub(crate) struct Answered {
    /// The requests of the plan, and then those for listed secrets.
    pub(crate) requests: Vec<SecretRequest>,
    /// The position of each request. It is empty if nothing is listed.
    pub(crate) positions: BTreeMap<SecretRequest, usize>,
    /// The secret for each request. `None` is a missing secret that no file requires.
    pub(crate) secrets: Vec<Option<Arc<Secret>>>,
    /// The names of the listed secrets, by prefix.
    pub(crate) listings: BTreeMap<String, Vec<String>>,
    /// The time that the source took to answer.
    pub(crate) duration: Duration,
}

impl Answers {
    pub(crate) fn request(&self, id: RequestId) -> Option<&SecretRequest> {
        self.sources.get(id.source)?.requests.get(id.request)
    }

    pub(crate) fn secret(&self, id: RequestId) -> Option<&Arc<Secret>> {
        self.sources.get(id.source)?.secrets.get(id.request)?.as_ref()
    }

    /// Sets the answer to a request that issues something.
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

/// Returns the requests for the secrets that a template gets by a prefix.
pub(crate) fn selected(selection: &Selection, answers: &Answers) -> Vec<RequestId> {
    let Imported::Below { source, prefix } = &selection.what else { return Vec::new() };
    let wanted = answers.listing(*source, prefix).iter().filter(|name| selection.naming.wants(name));
    wanted.filter_map(|name| answers.find(*source, name)).collect()
}
