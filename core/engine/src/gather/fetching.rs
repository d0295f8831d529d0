//! Asks one source: first for its listings, then for all secrets together.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use secretdir_provider::{
    Allowance, Answer, Answers, Deadline, Listed, Secret, SecretRequest, SourceError, SourceErrorKind,
};
use tracing::Instrument as _;

use super::backoff::Backoff;
use super::source_run::SourceRun;
use super::wanted::{Listings, Making, Wanted};
use crate::catch_panic::{self, Panicked};
use crate::deadline::within;
use crate::host::{Event, Host};
use crate::plan::{Plan, PlannedSource};

/// The result of a request. `None` is a missing secret that no file requires.
type Reply = Result<Option<Secret>, SourceError>;

/// The state of fetching from one source.
pub(super) struct Fetching<'p> {
    plan: &'p Plan,
    number: usize,
    source: &'p PlannedSource,
    host: &'p dyn Host,
    deadline: Deadline,
    allowance: Allowance,
    run: SourceRun,
}

/// The result of fetching from one source.
pub(super) struct Fetched {
    pub(super) requests: Vec<SecretRequest>,
    pub(super) positions: BTreeMap<SecretRequest, usize>,
    pub(super) outcomes: Vec<Reply>,
    pub(super) listings: Listings,
    /// The time that it took.
    pub(super) duration: Duration,
}

impl<'p> Fetching<'p> {
    pub(super) fn new(
        plan: &'p Plan,
        number: usize,
        host: &'p dyn Host,
        deadline: Deadline,
        allowance: &Allowance,
    ) -> Option<Self> {
        let source = plan.sources.get(number)?;
        let run = SourceRun::new(plan, host, &deadline);
        Some(Self { plan, number, source, host, deadline, allowance: allowance.clone(), run })
    }

    pub(super) async fn run(self) -> (SourceRun, Fetched) {
        let begun = self.host.clock().now();
        let listings = self.list_all().await;
        let wanted = Wanted::of(self.plan, self.number, self.source, &listings);
        let retries =
            if listings.values().all(Result::is_ok) { RetryPolicy::Retry } else { RetryPolicy::Once };
        if !listings.is_empty() && retries == RetryPolicy::Retry {
            let secrets = wanted.requests.len() - self.source.requests.len();
            self.host.event(Event::Listed { source: &self.source.name, secrets });
        }
        let outcomes = self.fetch_all(&wanted, retries).await;
        let secrets = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Some(_)))).count();
        self.host.event(Event::Fetched { source: &self.source.name, secrets });
        let Wanted { requests, positions, .. } = wanted;
        let duration = self.host.clock().now().saturating_sub(begun);
        (self.run, Fetched { requests, positions, outcomes, listings, duration })
    }

    /// Lists the secrets below each prefix that the plan imports from this source, each once. If the source is down, the
    /// other prefixes are not listed: the run fails anyway, and each listing would take as long to fail.
    async fn list_all(&self) -> Listings {
        let mut listings = Listings::new();
        for prefix in self.plan.prefixes(self.number) {
            if !listings.contains_key(prefix) {
                let listed = self.list(prefix).await;
                let down = listed.as_ref().is_err_and(is_down);
                listings.insert(prefix.to_owned(), listed);
                if down {
                    break;
                }
            }
        }
        listings
    }

    /// Lists the secrets below one prefix. If the deadline cuts off a retry, the earlier error is returned.
    async fn list(&self, prefix: &str) -> Result<Vec<String>, SourceError> {
        let mut backoff = Backoff::new(self.host, &self.deadline);
        let mut listed = self.list_once(prefix).await.unwrap_or_else(|| Err(late()));
        while let Err(error) = &listed
            && backoff.pause([error].into_iter()).await.is_some()
        {
            let Some(fresh) = self.list_once(prefix).await else { break };
            listed = fresh;
        }
        listed.map(|listed| listed.into_iter().map(Listed::into_name).collect())
    }

    /// Lists once. Returns `None` if the deadline passed first.
    async fn list_once(&self, prefix: &str) -> Option<Result<Vec<Listed>, SourceError>> {
        let PlannedSource { name, provider, .. } = self.source;
        tracing::debug!(source = name, provider, prefix, "listing");
        let list = async { self.source.source.list(&self.run.context, prefix).await };
        let list = list.instrument(tracing::debug_span!("source", name));
        let listed = within(&self.deadline, self.host, catch_panic::wait(provider, list)).await?;
        Some(listed.unwrap_or_else(|panicked| Err(panicked.into())))
    }

    /// Fetches everything, and retries failed requests as long as that may help. Requests that issue something come later,
    /// after all others.
    async fn fetch_all(&self, wanted: &Wanted, retries: RetryPolicy) -> Vec<Reply> {
        let plain = wanted.requests.iter().zip(&wanted.making);
        let plain: Vec<_> =
            plain.filter(|(_, making)| **making == Making::Nothing).map(|it| it.0.clone()).collect();
        let Attempt { answers, ending } = self.attempt(&plain).await;
        let mut answers = answers.into_iter();
        let outcome = |answer: Option<Answer>| answer.unwrap_or_else(|| Err(ending.error()));
        let whether = wanted.making.iter().zip(&wanted.optional_requests);
        let mut outcomes: Vec<_> = whether
            .map(|(making, may)| match making {
                Making::Nothing => without(outcome(answers.next().flatten()), *may),
                Making::Later => Ok(None),
                Making::Refused => Err(not_to_be_listed()),
            })
            .collect();
        let mut backoff = Backoff::new(self.host, &self.deadline);
        while retries == RetryPolicy::Retry
            && backoff.pause(outcomes.iter().filter_map(|outcome| outcome.as_ref().err())).await.is_some()
        {
            self.again(wanted, &mut outcomes).await;
        }
        outcomes
    }

    /// Retries the failed requests once. If the deadline cuts off a request, it keeps its earlier error, which says more
    /// than that the time ran out.
    async fn again(&self, wanted: &Wanted, outcomes: &mut [Reply]) {
        let requests = wanted.requests.iter().zip(outcomes.iter());
        let failed: Vec<_> =
            requests.filter(|(_, outcome)| outcome.is_err()).map(|(request, _)| request.clone()).collect();
        let Attempt { answers, ending } = self.attempt(&failed).await;
        let open = outcomes.iter_mut().zip(&wanted.optional_requests).filter(|(outcome, _)| outcome.is_err());
        for ((outcome, may), answer) in open.zip(answers) {
            match (answer, &ending) {
                (None, Ending::Late) => {}
                (answer, ending) => *outcome = without(answer.unwrap_or_else(|| Err(ending.error())), *may),
            }
        }
    }

    /// Fetches once, until the deadline.
    async fn attempt(&self, requests: &[SecretRequest]) -> Attempt<'p> {
        if requests.is_empty() {
            return Attempt { answers: Vec::new(), ending: Ending::Complete };
        }
        let PlannedSource { name, provider, .. } = self.source;
        tracing::debug!(source = name, provider, requests = requests.len(), "fetching");
        let answers =
            Answers::new(requests.len()).with_allowance(self.allowance.clone()).with_clock(self.host.clock());
        let fetch = async { self.source.source.fetch_all(&self.run.context, requests, &answers).await };
        let fetch = catch_panic::wait(provider, fetch.instrument(tracing::debug_span!("source", name)));
        let ending = match within(&self.deadline, self.host, self.counted(fetch, &answers)).await {
            Some(Ok(())) => Ending::Complete,
            Some(Err(panicked)) => Ending::Panicked(panicked),
            None => Ending::Late,
        };
        if answers.is_mixed_up() {
            // If one position is wrong, none can be trusted. So all answers are dropped.
            let answers = requests.iter().map(|_| None).collect();
            return Attempt { answers, ending: Ending::MixedUp };
        }
        Attempt { answers: answers.into_vec(), ending }
    }

    /// Waits for a fetch, and reports each secret that arrives to the host.
    async fn counted<T>(&self, fetch: impl Future<Output = T>, answers: &Answers) -> T {
        let mut fetch = pin!(fetch);
        let told = Cell::new(0);
        poll_fn(|task| {
            let polled = fetch.as_mut().poll(task);
            let secrets = answers.secret_count();
            let more = secrets.saturating_sub(told.replace(secrets));
            if more > 0 {
                self.host.event(Event::Arrived { secrets: more });
            }
            polled
        })
        .await
    }
}

/// The result of one attempt.
struct Attempt<'p> {
    /// The answer to each request, if there is one.
    answers: Vec<Option<Answer>>,
    ending: Ending<'p>,
}

/// How an attempt ended. This explains why requests have no answer.
enum Ending<'p> {
    Complete,
    Late,
    Panicked(Panicked<'p>),
    MixedUp,
}

impl Ending<'_> {
    /// Returns the error of a request without an answer.
    fn error(&self) -> SourceError {
        match self {
            Self::Complete => SourceError::unanswered(),
            Self::Late => late(),
            Self::Panicked(panicked) => SourceError::from(*panicked),
            Self::MixedUp => SourceError::new(SourceErrorKind::Other)
                .with_cause("the provider answered a request that was not made"),
        }
    }
}

/// Whether failed requests are retried.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RetryPolicy {
    Retry,
    /// The run has failed already. One attempt shows the other failures.
    Once,
}

/// Converts "not found" into a missing secret, if no file requires it. Other errors stay: a secret to which access is
/// denied may well exist.
pub(super) fn without(answer: Answer, is_optional: bool) -> Reply {
    match answer {
        Err(error) if is_optional && error.kind() == SourceErrorKind::NotFound => Ok(None),
        answer => answer.map(Some),
    }
}

pub(super) fn late() -> SourceError {
    SourceError::new(SourceErrorKind::TimedOut)
        .with_cause("the deadline of the run passed")
        .with_hint("raise `timeout` under [gather] if the source is only slow")
}

fn not_to_be_listed() -> SourceError {
    SourceError::new(SourceErrorKind::InvalidRequest)
        .with_cause("each request makes the store create something new")
        .with_hint("map it under [files], and exclude it from the import with `exclude`")
}

/// Returns whether a source is down, so that all other requests to it would fail too.
pub(crate) fn is_down(error: &SourceError) -> bool {
    matches!(error.kind(), SourceErrorKind::Unavailable | SourceErrorKind::TimedOut)
}
