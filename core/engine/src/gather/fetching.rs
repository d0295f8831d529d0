//! What is asked of one source: first its listings, then all secrets together.

use std::collections::BTreeMap;

use secretdir_provider::{Allowance, FetchContext, Secret, SecretRequest, SourceError, SourceErrorKind};
use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;

use super::pauses::Pauses;
use super::{Answer, Fetched, Listings};
use crate::contain;
use crate::host::{Event, Host};
use crate::import;
use crate::plan::{Imported, Plan, PlannedSource};

/// The fetching from one source.
pub(super) struct Fetching<'p> {
    plan: &'p Plan,
    number: usize,
    source: &'p PlannedSource,
    host: &'p dyn Host,
    deadline: Instant,
    context: FetchContext,
}

impl<'p> Fetching<'p> {
    pub(super) fn new(
        plan: &'p Plan,
        number: usize,
        host: &'p dyn Host,
        deadline: Instant,
        allowance: &Allowance,
    ) -> Option<Self> {
        let source = plan.sources.get(number)?;
        let context = FetchContext::new(deadline.into_std(), plan.gather.concurrency);
        let context = context.with_allowance(allowance.clone());
        Some(Self { plan, number, source, host, deadline, context })
    }

    pub(super) async fn run(self) -> Fetched {
        let listings = self.list_all().await;
        let wanted = Wanted::of(self.plan, self.number, self.source, &listings);
        let persistence =
            if listings.values().all(Result::is_ok) { Persistence::Retry } else { Persistence::Once };
        if !listings.is_empty() && persistence == Persistence::Retry {
            let secrets = wanted.requests.len() - self.source.requests.len();
            self.host.event(Event::Listed { source: &self.source.name, secrets });
        }
        let answers = self.fetch_all(&wanted, persistence).await;
        let secrets = answers.iter().filter(|answer| matches!(answer, Ok(Some(_)))).count();
        self.host.event(Event::Fetched { source: &self.source.name, secrets });
        let warnings = self.context.warnings();
        let warnings = warnings.into_iter().map(|text| format!("source `{}`: {text}", self.source.name));
        let Wanted { requests, places, .. } = wanted;
        Fetched { requests, places, answers, listings, warnings: warnings.collect() }
    }

    /// Lists what is below each prefix that an import has of this source, each once.
    async fn list_all(&self) -> Listings {
        let mut listings = Listings::new();
        for prefix in self.plan.prefixes(self.number) {
            if !listings.contains_key(prefix) {
                listings.insert(prefix.to_owned(), self.list(prefix).await);
            }
        }
        listings
    }

    /// Lists what is below one prefix. An attempt that the deadline cuts off leaves the error as it was before.
    async fn list(&self, prefix: &str) -> Result<Vec<String>, SourceError> {
        let mut pauses = Pauses::new(self.host, self.deadline);
        let mut listed = self.list_once(prefix).await.unwrap_or_else(|| Err(late()));
        while let Err(error) = &listed
            && pauses.pause([error].into_iter()).await.is_some()
        {
            let Some(fresh) = self.list_once(prefix).await else { break };
            listed = fresh;
        }
        listed
    }

    /// Asks once; `None` if the deadline came first.
    async fn list_once(&self, prefix: &str) -> Option<Result<Vec<String>, SourceError>> {
        let PlannedSource { name, provider, .. } = self.source;
        tracing::debug!(source = name, provider, prefix, "listing");
        let list = async { self.source.source.list(&self.context, prefix).await };
        let list = list.instrument(tracing::debug_span!("source", name));
        let listed = timeout_at(self.deadline, contain::wait(provider, list)).await.ok()?;
        Some(listed.unwrap_or_else(|panicked| Err(panicked.into())))
    }

    /// Fetches everything, and what failed again as long as that may help.
    async fn fetch_all(&self, wanted: &Wanted, persistence: Persistence) -> Vec<Answer> {
        let answers = self.attempt(&wanted.requests).await;
        let answers = answers.unwrap_or_else(|| wanted.requests.iter().map(|_| Err(late())).collect());
        let answers = answers.into_iter().zip(&wanted.dispensable);
        let mut answers: Vec<_> = answers.map(|(answer, may)| without(answer, *may)).collect();
        let mut pauses = Pauses::new(self.host, self.deadline);
        while persistence == Persistence::Retry
            && pauses.pause(answers.iter().filter_map(|answer| answer.as_ref().err())).await.is_some()
        {
            self.again(wanted, &mut answers).await;
        }
        answers
    }

    /// Asks once: as many answers as requests, whatever the source does; `None` if the deadline came first.
    async fn attempt(&self, requests: &[SecretRequest]) -> Option<Vec<Result<Secret, SourceError>>> {
        if requests.is_empty() {
            return Some(Vec::new());
        }
        let PlannedSource { name, provider, .. } = self.source;
        tracing::debug!(source = name, provider, requests = requests.len(), "fetching");
        let fetch = async { self.source.source.fetch_all(&self.context, requests).await };
        let fetch = fetch.instrument(tracing::debug_span!("source", name));
        let answers = match timeout_at(self.deadline, contain::wait(provider, fetch)).await.ok()? {
            Ok(answers) if answers.len() == requests.len() => return Some(answers),
            answers => answers,
        };
        let wrong = || match &answers {
            Ok(answers) => {
                let (given, asked) = (answers.len(), requests.len());
                let cause = format!("the provider gave {given} answers to {asked} requests");
                SourceError::new(SourceErrorKind::Other).with_cause(cause)
            }
            Err(panicked) => SourceError::from(*panicked),
        };
        Some(requests.iter().map(|_| Err(wrong())).collect())
    }

    /// Asks for what failed once more. An attempt that the deadline cuts off leaves the errors as they are: they tell
    /// more than that there was no time.
    async fn again(&self, wanted: &Wanted, answers: &mut [Answer]) {
        let requests = wanted.requests.iter().zip(answers.iter());
        let failed: Vec<_> =
            requests.filter(|(_, answer)| answer.is_err()).map(|(request, _)| request.clone()).collect();
        let Some(fresh) = self.attempt(&failed).await else { return };
        let open = answers.iter_mut().zip(&wanted.dispensable).filter(|(answer, _)| answer.is_err());
        for ((answer, may), fresh) in open.zip(fresh) {
            *answer = without(fresh, *may);
        }
    }
}

/// Whether what failed is asked for again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Persistence {
    Retry,
    /// The run has failed already: one more answer tells what else is wrong.
    Once,
}

/// What is fetched from one source.
struct Wanted {
    /// The requests of the plan, and after them those that were listed: each once.
    requests: Vec<SecretRequest>,
    /// The position of each.
    places: BTreeMap<SecretRequest, usize>,
    /// Of each request, whether all that is made of it can do without the secret.
    dispensable: Vec<bool>,
}

impl Wanted {
    fn of(plan: &Plan, number: usize, source: &PlannedSource, listings: &Listings) -> Self {
        let requests = source.requests.clone();
        let places = requests.iter().cloned().enumerate().map(|(place, request)| (request, place)).collect();
        let mut wanted = Self { requests, places, dispensable: plan.dispensable(number) };
        for import in &plan.imports {
            let Imported::Below { source: of, prefix } = &import.what else { continue };
            let listed = listings.get(prefix).filter(|_| *of == number).into_iter().flatten().flatten();
            for name in listed.filter(|name| import::is_made_of(plan, import, name)) {
                wanted.add(SecretRequest::new(name));
            }
        }
        wanted
    }

    /// Adds what was listed. It is there; should it vanish meanwhile, the import is not complete.
    fn add(&mut self, request: SecretRequest) {
        let place = *self.places.entry(request.clone()).or_insert(self.requests.len());
        match self.dispensable.get_mut(place) {
            Some(may) => *may = false,
            None => {
                self.requests.push(request);
                self.dispensable.push(false);
            }
        }
    }
}

/// Turns what is not found into what is not there, if it need not be. Nothing but that: what is denied may well be there.
fn without(answer: Result<Secret, SourceError>, dispensable: bool) -> Answer {
    match answer {
        Err(error) if dispensable && error.kind() == SourceErrorKind::NotFound => Ok(None),
        answer => answer.map(Some),
    }
}

fn late() -> SourceError {
    SourceError::new(SourceErrorKind::TimedOut)
        .with_cause("the deadline of the whole gathering passed")
        .with_hint("raise `timeout` under [gather] if the source is only slow")
}
