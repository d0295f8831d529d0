//! Gathering: every distinct request once, all sources side by side, all or nothing, until the run's deadline.
//!
//! Of each source what is below the prefixes of the imports is listed first, and then everything is fetched together.
//! Failures of one source do not end the others, so that one run reports all of them.

mod error;
mod fetching;
mod pauses;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use secretdir_provider::{Allowance, Secret, SecretRequest, SourceError};
use tokio::time::Instant;

use crate::host::{Event, Host};
use crate::plan::{Plan, RequestId};

pub(crate) use error::Unmade;
pub use error::{GatherError, GatherFailure};
use fetching::Fetching;

/// What all sources said, in the order of the plan.
pub(crate) struct Answers {
    pub(crate) sources: Vec<Answered>,
    /// When the whole gathering is to end, the making of files included.
    pub(crate) deadline: Instant,
}

/// What one source said.
pub(crate) struct Answered {
    /// The requests of the plan, and after them those that were listed.
    requests: Vec<SecretRequest>,
    /// The position of each.
    places: BTreeMap<SecretRequest, usize>,
    /// For each request: `None` is a secret that is not there, and that no file needs.
    pub(crate) secrets: Vec<Option<Arc<Secret>>>,
    /// By prefix: the names of the secrets below it.
    listings: BTreeMap<String, Vec<String>>,
}

/// What came of a request; `None` for a secret that is not there and need not be.
type Answer = Result<Option<Secret>, SourceError>;

/// What came of each listing, by its prefix.
type Listings = BTreeMap<String, Result<Vec<String>, SourceError>>;

/// What came of one source.
struct Fetched {
    requests: Vec<SecretRequest>,
    places: BTreeMap<SecretRequest, usize>,
    answers: Vec<Answer>,
    listings: Listings,
    warnings: Vec<String>,
}

impl Answers {
    /// Returns how long it is to the deadline of the whole gathering.
    pub(crate) fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

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
        let request = *self.sources.get(source)?.places.get(&SecretRequest::new(name))?;
        Some(RequestId { source, request })
    }
}

/// What came of a gathering.
pub(crate) struct Gathered {
    pub(crate) result: Result<Answers, GatherError>,
    /// What the sources warned of: a warning may well explain a failure.
    pub(crate) warnings: Vec<String>,
}

/// Lists what is imported, and fetches every distinct request.
pub(crate) async fn gather(plan: &Plan, host: &dyn Host) -> Gathered {
    host.event(Event::Gathering { secrets: plan.secret_count() });
    let deadline = Instant::now() + plan.gather.timeout;
    let allowance = Allowance::new(plan.gather.max_bytes);
    let fetching = |source| Fetching::new(plan, source, host, deadline, &allowance);
    let fetched = join_all((0..plan.sources.len()).filter_map(fetching).map(Fetching::run)).await;
    let warnings = fetched.iter().flat_map(|fetched| fetched.warnings.iter().cloned()).collect();
    // One cause for however many secrets that there was no room for.
    if allowance.is_exceeded() || total(&fetched) > plan.gather.max_bytes {
        let failure = GatherFailure::too_large(plan.gather.max_bytes);
        return Gathered { result: Err(GatherError::new(vec![failure])), warnings };
    }
    Gathered { result: collect(plan, fetched, deadline), warnings }
}

/// Adds up the secrets, those of sources too that do not count them.
fn total(all: &[Fetched]) -> u64 {
    let secrets =
        all.iter().flat_map(|fetched| &fetched.answers).filter_map(|answer| answer.as_ref().ok()?.as_ref());
    secrets.map(|secret| secret.expose_secret().len() as u64).sum()
}

/// All or nothing: every secret, or every failure.
fn collect(plan: &Plan, all: Vec<Fetched>, deadline: Instant) -> Result<Answers, GatherError> {
    let mut failures = Vec::new();
    let mut answers = Answers { sources: Vec::new(), deadline };
    for (source, fetched) in all.into_iter().enumerate() {
        let Fetched { requests, places, .. } = fetched;
        let mut answered = Answered { requests, places, secrets: Vec::new(), listings: BTreeMap::new() };
        for (prefix, listing) in fetched.listings {
            match listing {
                Ok(names) => drop(answered.listings.insert(prefix, names)),
                Err(error) => failures.extend(GatherFailure::listing(plan, source, &prefix, error)),
            }
        }
        for (request, answer) in answered.requests.iter().zip(fetched.answers) {
            match answer {
                Ok(secret) => answered.secrets.push(secret.map(Arc::new)),
                Err(error) => failures.push(GatherFailure::fetch(plan, source, request, error)),
            }
        }
        answers.sources.push(answered);
    }
    if failures.is_empty() { Ok(answers) } else { Err(GatherError::new(failures)) }
}

#[cfg(test)]
mod tests;
