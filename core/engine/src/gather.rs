//! Gathering: every distinct request once, all sources side by side, all or nothing, until the run's deadline.
//!
//! Failures of one source do not end the others, so that one run reports all of them. A request is asked again only
//! where its error advises so and nothing else of its source has failed for good. The pause is exponential with full
//! jitter, as described in "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015), and never shorter than what
//! the error asks for.

mod error;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use secretdir_provider::{FetchContext, Retry, Secret, SecretRequest, SourceError, SourceErrorKind};
use tokio::time::{Instant, sleep, timeout_at};

use crate::contain;
use crate::host::{Event, Host};
use crate::plan::{Plan, PlannedSource};

pub use error::{GatherError, GatherFailure};

/// The pause before a second attempt is at most this long; each further one at most twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// No pause that an error did not ask for is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The answers of all sources: for each source of the plan, for each of its requests. `None` is a secret that is not there,
/// and that no file needs.
pub(crate) struct Answers {
    pub(crate) secrets: Vec<Vec<Option<Arc<Secret>>>>,
    pub(crate) warnings: Vec<String>,
}

/// Fetches every distinct request of the plan.
pub(crate) async fn gather(plan: &Plan, host: &dyn Host) -> Result<Answers, GatherError> {
    let secrets = plan.sources.iter().map(|source| source.requests.len()).sum();
    host.event(Event::Gathering { secrets });
    let deadline = Instant::now() + plan.gather.timeout;
    let fetches = plan.sources.iter().map(|source| Fetching::new(plan, source, host, deadline).run());
    collect(plan, join_all(fetches).await)
}

/// What came of a request; `None` for a secret that is not there and need not be.
type Answer = Result<Option<Secret>, SourceError>;

/// What came of one source.
struct Fetched {
    answers: Vec<Answer>,
    warnings: Vec<String>,
}

/// The fetching from one source.
struct Fetching<'p> {
    source: &'p PlannedSource,
    /// Of each request, whether all of its files can do without the secret.
    dispensable: Vec<bool>,
    host: &'p dyn Host,
    deadline: Instant,
    context: FetchContext,
}

impl<'p> Fetching<'p> {
    fn new(plan: &'p Plan, source: &'p PlannedSource, host: &'p dyn Host, deadline: Instant) -> Self {
        let context = FetchContext::new(deadline.into_std(), plan.gather.concurrency);
        Self { source, dispensable: plan.dispensable(source), host, deadline, context }
    }

    async fn run(self) -> Fetched {
        let requests = &self.source.requests;
        let answers = self.attempt(requests).await;
        let answers = answers.unwrap_or_else(|| requests.iter().map(|_| Err(late())).collect());
        let mut answers: Vec<_> =
            answers.into_iter().zip(&self.dispensable).map(|(answer, may)| without(answer, *may)).collect();
        let mut longest_pause = FIRST_PAUSE;
        while let Some(pause) = self.pause(&answers, longest_pause) {
            if Instant::now().checked_add(pause).is_none_or(|then| then >= self.deadline) {
                break;
            }
            sleep(pause).await;
            self.again(&mut answers).await;
            longest_pause = (longest_pause * 2).min(LONGEST_PAUSE);
        }
        let secrets = answers.iter().filter(|answer| matches!(answer, Ok(Some(_)))).count();
        self.host.event(Event::Fetched { source: &self.source.name, secrets });
        let warnings = self.context.warnings();
        let warnings = warnings.into_iter().map(|text| format!("source `{}`: {text}", self.source.name));
        Fetched { answers, warnings: warnings.collect() }
    }

    /// Asks once: as many answers as requests, whatever the source does; `None` if the deadline came first.
    async fn attempt(&self, requests: &[SecretRequest]) -> Option<Vec<Result<Secret, SourceError>>> {
        if requests.is_empty() {
            return Some(Vec::new());
        }
        let PlannedSource { name, provider, .. } = self.source;
        tracing::debug!(source = name, provider, requests = requests.len(), "fetching");
        let fetch = self.source.source.fetch_all(&self.context, requests);
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
    async fn again(&self, answers: &mut [Answer]) {
        let requests = self.source.requests.iter().zip(answers.iter());
        let failed: Vec<_> =
            requests.filter(|(_, answer)| answer.is_err()).map(|(request, _)| request.clone()).collect();
        let Some(fresh) = self.attempt(&failed).await else { return };
        let open = answers.iter_mut().zip(&self.dispensable).filter(|(answer, _)| answer.is_err());
        for ((answer, may), fresh) in open.zip(fresh) {
            *answer = without(fresh, *may);
        }
    }

    /// Returns how long to wait before asking again; `None` if that cannot make the run succeed.
    fn pause(&self, answers: &[Answer], longest: Duration) -> Option<Duration> {
        let advice =
            answers.iter().filter_map(|answer| answer.as_ref().err()).map(|error| match error.retry() {
                Retry::After(pause) => Some(pause),
                // What a later version of the interface may advise is no reason to ask again now.
                _ => None,
            });
        let asked = advice.collect::<Option<Vec<_>>>()?.into_iter().max()?;
        Some(asked.max(self.host.jitter(longest)))
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

/// All or nothing: every secret, or every failure.
fn collect(plan: &Plan, all: Vec<Fetched>) -> Result<Answers, GatherError> {
    let mut failures = Vec::new();
    let mut answers = Answers { secrets: Vec::new(), warnings: Vec::new() };
    for (source, fetched) in all.into_iter().enumerate() {
        answers.warnings.extend(fetched.warnings);
        let mut secrets = Vec::new();
        for (request, answer) in fetched.answers.into_iter().enumerate() {
            match answer {
                Ok(secret) => secrets.push(secret.map(Arc::new)),
                Err(error) => failures.push(GatherFailure::fetch(plan, source, request, error)),
            }
        }
        answers.secrets.push(secrets);
    }
    if failures.is_empty() { Ok(answers) } else { Err(GatherError::new(failures)) }
}

#[cfg(test)]
mod tests;
