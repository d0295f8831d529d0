//! Sends the requests that issue something. They come last, each at most once, and only if a held secret cannot be kept.
//!
//! 1. They begin when all other requests have been answered. So a run that fails for another reason issues nothing.
//! 2. A held secret that is not due is kept, without a request. If it is due, its source renews or replaces it.
//! 3. A template may also use other secrets. If one of them has changed, the template is rendered again. That needs the
//!    value of the held secret, which exists only in the published file. So the held secret is issued again. The revision
//!    of another secret shows whether it has changed. A secret without a revision is refused in such a template, or each
//!    run would issue something.
//! 4. No request is retried, even if an error advises it: the store may have issued something nevertheless. A request that
//!    the deadline cuts off may leave such a secret behind. It expires by itself.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::{Either, select};
use secretdir_provider::{
    Allowance, Answers as Sink, Deadline, Held, Refreshed, RunContext, Secret, SecretRequest, SourceError,
    SourceErrorKind,
};

use super::answers::{self, Answers, Kept};
use super::fault::GatherFault;
use super::fetching::{late, without};
use super::holdings::{HeldSecrets, Holding, Lease, Noted};
use super::source_run::SourceRun;
use crate::catch_panic;
use crate::deadline::within;
use crate::host::{Event, Host};
use crate::plan::{Content, Plan, PlannedSource, RequestId};

/// The purpose of a gathering, which decides whether sources may issue something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// All requests that the set needs.
    Publish,
    /// No requests that issue something.
    ReadOnly,
}

/// The state of sending the requests that issue something.
pub(super) struct Issuing<'g> {
    pub(super) plan: &'g Plan,
    pub(super) host: &'g dyn Host,
    /// One run for each source.
    pub(super) runs: &'g [SourceRun],
    pub(super) deadline: Deadline,
    pub(super) allowance: &'g Allowance,
    pub(super) answers: &'g mut Answers,
    pub(super) holdings: HeldSecrets,
    pub(super) faults: Vec<GatherFault>,
}

impl Issuing<'_> {
    /// Issues or keeps every such secret. Issued secrets are added to the answers.
    pub(super) async fn run(mut self, purpose: Purpose) -> Vec<GatherFault> {
        let ids: Vec<_> = self.plan.issuing().collect();
        if ids.is_empty() {
            return self.faults;
        }
        if purpose == Purpose::ReadOnly {
            ids.into_iter().for_each(|id| self.plan_without_issuing(id));
            self.answers.carried = self.holdings.carried;
            return self.faults;
        }
        for id in &ids {
            self.refuse_unrevised(*id);
        }
        for id in &ids {
            if !self.faults.is_empty() {
                break;
            }
            self.ask(*id).await;
        }
        // Each pass issues one more secret again.
        for _ in &ids {
            let changed = ids.iter().copied().find(|id| self.faults.is_empty() && self.must_be_made(*id));
            let Some(id) = changed else { break };
            self.answers.kept.remove(&id);
            self.make(id).await;
        }
        self.answers.carried = self.holdings.carried;
        self.faults
    }

    /// Keeps the secret if it may be kept. Otherwise it counts as not requested.
    fn plan_without_issuing(&mut self, id: RequestId) {
        let now = self.host.clock().date();
        match self.holdings.held.get(&id) {
            Some(holding) if is_usable(&holding.held, now) && !self.must_be_remade(holding) => {
                let kept = Kept { held: holding.held.clone(), keys: holding.keys.clone() };
                self.answers.kept.insert(id, kept);
            }
            _ => drop(self.answers.unasked.insert(id)),
        }
    }

    /// Requests one secret, unless the held one can be kept.
    async fn ask(&mut self, id: RequestId) {
        let now = self.host.clock().date();
        let Some(holding) = self.holdings.held.get(&id).cloned() else { return self.make(id).await };
        let Holding { held, keys, .. } = holding;
        if !is_usable(&held, now) {
            self.make(id).await;
        } else if is_good(held.renew_at(), now) {
            self.answers.kept.insert(id, Kept { held, keys });
        } else {
            match self.refresh(id, &held).await {
                Some(Ok(Refreshed::Keep(held))) => {
                    let held = asked_later(held, now);
                    self.answers.kept.insert(id, Kept { held, keys });
                }
                Some(Ok(Refreshed::New(secret))) => self.answer(id, Ok(secret)),
                Some(Ok(_)) => self.answer(id, Err(SourceError::unanswered())),
                Some(Err(error)) => self.answer(id, Err(error)),
                None => self.answer(id, Err(self.unanswered())),
            }
        }
    }

    async fn refresh(&self, id: RequestId, held: &Held) -> Option<Result<Refreshed, SourceError>> {
        let (source, run, request) = self.of(id)?;
        tracing::debug!(source = source.name, secret = request.name(), "renewing");
        self.begin()?;
        let refresh = catch_panic::wait(source.provider, source.source.refresh(run, request, held));
        let refreshed = self.waited(refresh).await?;
        Some(refreshed.unwrap_or_else(|panicked| Err(panicked.into())))
    }

    /// Lets the source issue a secret.
    async fn make(&mut self, id: RequestId) {
        let answer = match self.of(id) {
            Some((source, run, request)) => {
                tracing::debug!(source = source.name, secret = request.name(), "issuing");
                let fetch = catch_panic::wait(source.provider, source.source.fetch(run, request));
                let fetched = match self.begin() {
                    Some(()) => self.waited(fetch).await,
                    None => None,
                };
                fetched.map_or_else(
                    || Err(self.unanswered()),
                    |fetched| fetched.unwrap_or_else(|it| Err(it.into())),
                )
            }
            None => Err(SourceError::unanswered()),
        };
        self.answer(id, answer);
    }

    /// Reports that a store is about to issue something. Returns `None` if the host has asked the run to end. The event
    /// comes first, because a host that asks for the end then checks whether such a request is in flight.
    fn begin(&self) -> Option<()> {
        self.host.event(Event::Issuing);
        (!self.host.interrupted()).then_some(())
    }

    /// Waits for a store until the deadline, or until the host asks the run to end. The leases received by then can be
    /// revoked.
    async fn waited<T>(&self, asked: impl Future<Output = T>) -> Option<T> {
        let mut asked = pin!(within(&self.deadline, self.host, asked));
        loop {
            match select(asked.as_mut(), self.host.sleep(BETWEEN_LOOKS)).await {
                Either::Left((answer, _)) => return answer,
                Either::Right(_) if self.host.interrupted() => return None,
                Either::Right(_) => {}
            }
        }
    }

    /// Returns the error for a request that the run no longer waits for.
    fn unanswered(&self) -> SourceError {
        if self.host.interrupted() {
            return SourceError::new(SourceErrorKind::Other).with_cause("the run was told to end");
        }
        late()
    }

    /// Takes an answer. Its lease is added at once, because it must be revoked even if the run fails later.
    fn answer(&mut self, id: RequestId, answer: Result<Secret, SourceError>) {
        if let Ok(secret) = &answer {
            let handle = secret.lease().map(str::to_owned);
            self.answers.issued.extend(handle.map(|handle| Lease { source: id.source, handle }));
            self.host.event(Event::Arrived { secrets: 1 });
        }
        let sink = Sink::new(1).with_allowance(self.allowance.clone()).with_clock(self.host.clock());
        sink.put(0, answer);
        let answer = sink.into_only();
        let is_optional = self.plan.optional_requests(id.source).get(id.request).copied().unwrap_or(false);
        match without(answer, is_optional) {
            Ok(secret) => self.answers.set(id, secret.map(Arc::new)),
            Err(error) => self.fail(id, error),
        }
    }

    fn fail(&mut self, id: RequestId, error: SourceError) {
        let request = self.plan.request(id).cloned();
        let fault = request.map(|request| GatherFault::Fetch { source: id.source, request, error });
        self.faults.extend(fault);
    }

    /// Returns whether a kept secret must be issued again, because a file with it must be made again.
    fn must_be_made(&self, id: RequestId) -> bool {
        self.answers.kept.contains_key(&id)
            && self.holdings.held.get(&id).is_some_and(|holding| self.must_be_remade(holding))
    }

    /// Returns whether a file of a held secret also uses another secret that has changed.
    fn must_be_remade(&self, holding: &Holding) -> bool {
        let templates = holding.files.iter().filter_map(|name| Some((name, self.template(name)?)));
        templates.into_iter().any(|(name, content)| {
            let is_kept = |id: &RequestId| {
                self.answers.kept.contains_key(id) || self.is_open(*id) || self.is_absent_still(name, *id)
            };
            let issued = content.requests().into_iter().filter(|id| self.plan.issues(*id));
            let mut noted = self.holdings.beside.get(name).cloned().unwrap_or_default();
            let mut now = self.beside(content);
            noted.sort();
            now.sort();
            noted != now || !issued.into_iter().all(|id| is_kept(&id))
        })
    }

    /// Returns whether a store still lacks a secret to issue, as it did when the file was published.
    fn is_absent_still(&self, file: &str, id: RequestId) -> bool {
        self.answers.secret(id).is_none() && self.holdings.absent.contains(&(file.to_owned(), id))
    }

    /// Returns whether it is not yet decided what happens to a held secret.
    fn is_open(&self, id: RequestId) -> bool {
        self.holdings.held.contains_key(&id)
            && self.answers.secret(id).is_none()
            && !self.answers.unasked.contains(&id)
    }

    /// Returns the secrets of a template that are not issued for this host.
    fn beside(&self, content: &Content) -> Vec<Noted> {
        let ids = self.others(content);
        ids.into_iter().filter_map(|id| self.noted(id)).collect()
    }

    fn others(&self, content: &Content) -> BTreeSet<RequestId> {
        let selected = content.selections();
        let selected = selected.flat_map(|selection| answers::selected(selection, self.answers));
        content.requests().into_iter().chain(selected).filter(|id| !self.plan.issues(*id)).collect()
    }

    fn noted(&self, id: RequestId) -> Option<Noted> {
        let request = self.answers.request(id)?;
        Some(Noted {
            source: self.plan.sources.get(id.source)?.name.clone(),
            secret: request.name().to_owned(),
            version: request.version().map(str::to_owned),
            revision: self.answers.secret(id).and_then(|secret| secret.revision()).map(str::to_owned),
        })
    }

    /// Refuses a template with another secret that has no revision, because nothing would show whether that secret has
    /// changed.
    fn refuse_unrevised(&mut self, id: RequestId) {
        let files = self.plan.files.iter().filter(|(_, file)| matches!(file.content, Content::Template(_)));
        let mut files = files.filter(|(_, file)| file.content.requests().contains(&id));
        let unrevised = files.find_map(|(name, file)| {
            let others = self.others(&file.content);
            let unrevised = others
                .into_iter()
                .find(|other| self.answers.secret(*other).is_some_and(|secret| secret.revision().is_none()));
            Some((name.to_string(), self.noted(unrevised?)?))
        });
        if let Some((file, Noted { source, secret, .. })) = unrevised {
            let cause = format!(
                "it is issued for this host, but the template `{file}` also needs `{secret}` of source `{source}`, which has no revision, so a change of that secret could not be noticed"
            );
            let error = SourceError::new(SourceErrorKind::Unsupported)
                .with_cause(cause)
                .with_hint("write the two secrets to separate files");
            self.fail(id, error);
        }
    }

    fn template(&self, file: &str) -> Option<&Content> {
        let content = &self.plan.files.get(file)?.content;
        matches!(content, Content::Template(_)).then_some(content)
    }

    fn of(&self, id: RequestId) -> Option<(&PlannedSource, &RunContext, &SecretRequest)> {
        let run = &self.runs.get(id.source)?.context;
        Some((self.plan.sources.get(id.source)?, run, self.plan.request(id)?))
    }
}

/// How long it takes at most to notice that the run must end.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// The tolerated difference between the clocks of now and of when the secret was obtained.
const CLOCKS: Duration = Duration::from_secs(60);

/// Returns whether the dates of a held secret say that it is valid. A secret that was obtained in the future is not usable:
/// the clock was wrong then, so its dates mean nothing.
fn is_usable(held: &Held, now: SystemTime) -> bool {
    let is_of_the_future = held.obtained_at().duration_since(now).is_ok_and(|ahead| ahead > CLOCKS);
    is_good(held.valid_until(), now) && !is_of_the_future
}

/// Sets a renewal date for a secret that its source keeps without one: after a third of its remaining life.
fn asked_later(held: Held, now: SystemTime) -> Held {
    match held.valid_until() {
        Some(end) if !is_good(held.renew_at(), now) => {
            let left = end.duration_since(now).unwrap_or_default();
            held.with_renew_at(now + left / 3)
        }
        _ => held,
    }
}

/// Returns whether a moment is in the future, or never comes.
fn is_good(until: Option<SystemTime>, now: SystemTime) -> bool {
    until.is_none_or(|until| until > now)
}
