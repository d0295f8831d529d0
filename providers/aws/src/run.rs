//! One run against one service. It makes as few calls as the service allows, and retries only as the budget and the
//! deadline allow.
//!
//! 1. The open requests are split into calls. The calls run concurrently, as many as the context allows.
//! 2. If the service refuses a call as a whole, but might answer parts of it, the call is split and made again at once.
//! 3. If a region is unavailable, or does not answer in its share of the time, the next one is asked. One call goes
//!    first, and the others follow if it is answered. A region's own error, such as denied or throttled, is final. Not
//!    found is final only if no earlier region was down, because a region may have only some of the replicas.
//! 4. Throttled requests are retried after a backoff, with one call first, until the deadline.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use secretdir_provider::{
    Answers, Deadline, RunContext, Secret, SecretRequest, SourceError, SourceErrorKind,
};
use tokio::time::sleep;

use crate::budget::Budget;
use crate::error;

/// The result of a request: a secret, or the names of a listing.
pub(crate) type Answer<T = Secret> = Result<T, SourceError>;

/// How long before the deadline a run must end, so that its own error comes before the engine cancels it.
const RESERVE: Duration = Duration::from_millis(500);

/// The requests of one call, as positions among all requests.
pub(crate) type Call = Vec<usize>;

/// The result of a call.
pub(crate) enum CallResult<T = Secret> {
    /// An answer to each request of the call.
    Answered(Vec<(usize, Answer<T>)>, Option<Duration>),
    /// Answers to some requests of the call. The others stay open, to be split in another way.
    Partly(Vec<(usize, Answer<T>)>, Call, Option<Duration>),
    /// The call was refused as a whole. Its requests stay open, to be split in another way.
    Refused(Call),
}

impl<T> CallResult<T> {
    /// Returns this error for each request of a call that could not be made.
    pub(crate) fn failed(call: Call, error: &SourceError) -> Self {
        Self::Answered(call.into_iter().map(|place| (place, Err(error::again(error)))).collect(), None)
    }
}

/// The receiver of the answers. A later answer to a request replaces the earlier one.
pub(crate) trait Sink<T> {
    fn put(&self, position: usize, answer: Answer<T>);
}

impl Sink<Secret> for Answers {
    fn put(&self, position: usize, answer: Answer) {
        self.put(position, answer);
    }
}

/// The limits of a call.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// When the call must end.
    pub(crate) until: Deadline,
    /// When the run must end, whatever region is asked.
    pub(crate) deadline: Deadline,
    pub(crate) budget: Arc<Budget>,
}

/// A service of AWS, asked for one kind of result.
pub(crate) trait Api: Sync {
    /// The result of a request.
    type Found: Send;

    /// Splits requests into calls.
    fn split(&self, open: Vec<usize>) -> Vec<Call>;

    /// Makes one call to the region with this number; 0 is the first region.
    fn ask(
        &self,
        region: usize,
        call: Call,
        limits: Limits,
    ) -> impl Future<Output = CallResult<Self::Found>> + Send;
}

/// Parses requests. Returns the well-formed ones, and the errors of the others.
pub(crate) fn read_all<'a, Q>(
    requests: &'a [SecretRequest],
    read: impl Fn(&'a SecretRequest) -> Result<Q, SourceError>,
) -> (Vec<Option<Q>>, Vec<Option<SourceError>>) {
    let read = requests.iter().map(|request| match read(request) {
        Ok(question) => (Some(question), None),
        Err(error) => (None, Some(error)),
    });
    read.unzip()
}

/// The state of one run.
pub(crate) struct Run<'a, S: Api, K> {
    service: &'a S,
    context: &'a RunContext,
    sink: &'a K,
    deadline: Deadline,
    /// The time that the last call before the deadline needs.
    reserve: Duration,
    budget: Arc<Budget>,
    regions: usize,
    states: Vec<State>,
    /// The positions of requests that the last region did not answer at all.
    unanswered: BTreeSet<usize>,
    /// The wait that a throttling store asked for.
    retry_after: Option<Duration>,
}

/// The state of a request.
enum State {
    Open,
    /// It is answered. The sink has the answer.
    Answered,
    Failed(SourceError),
}

impl<'a, S: Api, K: Sink<S::Found>> Run<'a, S, K> {
    /// Takes the number of regions that can be asked.
    pub(crate) fn new(service: &'a S, context: &'a RunContext, sink: &'a K, regions: usize) -> Self {
        let reserve = RESERVE.min(context.remaining() / 10);
        let deadline = context.deadline().earlier_by(reserve);
        let budget = Arc::new(Budget::new(0, 0));
        Self {
            service,
            context,
            sink,
            deadline,
            reserve,
            budget,
            regions,
            states: Vec::new(),
            unanswered: BTreeSet::new(),
            retry_after: None,
        }
    }

    /// Answers all requests. `known` has the errors of those that are not well formed. Returns the kinds of all failures.
    pub(crate) async fn answer(mut self, known: Vec<Option<SourceError>>) -> Vec<SourceErrorKind> {
        self.states = known.iter().map(|_| State::Open).collect();
        for (place, error) in known.into_iter().enumerate().filter_map(|(place, known)| Some((place, known?)))
        {
            self.put(place, Err(error));
        }
        let open: Vec<_> = (0..self.states.len()).filter(|place| self.is_open(*place)).collect();
        let calls = self.service.split(open.clone()).len();
        self.budget = Arc::new(Budget::new(calls, self.regions.saturating_sub(1)));
        let mut open = open;
        for region in 0..self.regions {
            open = self.ask_region(region, open).await;
            if open.is_empty() {
                break;
            }
        }
        let region_clients = 0..self.states.len();
        region_clients.filter_map(|place| self.end(place)).collect()
    }

    /// Makes sure that a request has an answer. Returns the kind of its failure, if it failed.
    fn end(&mut self, place: usize) -> Option<SourceErrorKind> {
        if self.is_open(place) {
            self.put(place, Err(error::no_answer()));
        }
        self.error(place).map(SourceError::kind)
    }

    fn is_open(&self, place: usize) -> bool {
        self.states.get(place).is_some_and(|state| matches!(state, State::Open))
    }

    fn error(&self, place: usize) -> Option<&SourceError> {
        match self.states.get(place)? {
            State::Failed(error) => Some(error),
            State::Open | State::Answered => None,
        }
    }

    /// Asks one region. Returns the requests for the next one.
    async fn ask_region(&mut self, region: usize, open: Vec<usize>) -> Vec<usize> {
        let until = self.until(region);
        let mut throttled = if region == 0 {
            self.make_calls(region, open.clone(), &until).await;
            self.with_kind(&open, SourceErrorKind::Throttled)
        } else {
            self.make_one_call_first(region, open.clone(), &until).await
        };
        let mut futile_retries = 0;
        while !throttled.is_empty() {
            let Some(pause) = self.pause(futile_retries) else { break };
            sleep(pause).await;
            let before = throttled.len();
            let deadline = self.deadline.clone();
            throttled = self.make_one_call_first(region, throttled, &deadline).await;
            futile_retries = if throttled.len() < before { 0 } else { futile_retries + 1 };
        }
        if region + 1 == self.regions {
            return Vec::new();
        }
        let mut failed = self.with_kind(&open, SourceErrorKind::Unavailable);
        failed.extend(self.with_kind(&open, SourceErrorKind::TimedOut));
        self.warn_of_failover(&failed);
        failed
    }

    /// Warns that the next region is asked, and why.
    fn warn_of_failover(&self, failed: &[usize]) {
        if let Some(error) = failed.first().and_then(|place| self.error(*place)) {
            self.context.warn(format!("{}: the next region is asked", error::told(error)));
        }
    }

    /// Returns when a region must have answered, so that the regions after it have time too.
    fn until(&self, region: usize) -> Deadline {
        let shares = u32::try_from(self.regions - region).unwrap_or(u32::MAX);
        self.deadline.at_most(self.deadline.remaining() / shares)
    }

    fn pause(&self, futile_retries: u32) -> Option<Duration> {
        let last = self.deadline.remaining().saturating_sub(self.reserve);
        let pause =
            self.budget.pause(futile_retries, last, |longest| self.context.jitter().up_to(longest))?;
        // If the store asks for more time than is left, it would only refuse again.
        let pause = pause.max(self.retry_after.unwrap_or_default());
        (pause <= last && !last.is_zero()).then_some(pause)
    }

    /// Makes one call, and the others only if the region answers it. Returns the throttled requests.
    async fn make_one_call_first(&mut self, region: usize, open: Vec<usize>, until: &Deadline) -> Vec<usize> {
        let mut calls = self.service.split(open.clone()).into_iter();
        let first = calls.next().unwrap_or_default();
        if !self.budget.take() {
            return Vec::new();
        }
        self.make_calls(region, first.clone(), until).await;
        if !self.with_kind(&first, SourceErrorKind::Throttled).is_empty() {
            return open;
        }
        if first.iter().all(|place| !self.unanswered.contains(place)) {
            let rest = calls.take_while(|_| self.budget.take()).flatten().collect();
            self.make_calls(region, rest, until).await;
        }
        self.with_kind(&open, SourceErrorKind::Throttled)
    }

    /// Makes calls until each request has an answer.
    async fn make_calls(&mut self, region: usize, mut open: Vec<usize>, until: &Deadline) {
        self.retry_after = None;
        while !open.is_empty() {
            let limits = Limits {
                until: until.clone(),
                deadline: self.deadline.clone(),
                budget: Arc::clone(&self.budget),
            };
            let calls = self.service.split(std::mem::take(&mut open)).into_iter();
            let calls = calls.map(|call| self.service.ask(region, call, limits.clone()));
            let outcomes: Vec<_> =
                stream::iter(calls).buffer_unordered(self.context.concurrency().get()).collect().await;
            for outcome in outcomes {
                let (answers, left, retry_after) = match outcome {
                    CallResult::Answered(answers, retry_after) => (answers, Call::new(), retry_after),
                    CallResult::Partly(answers, left, retry_after) => (answers, left, retry_after),
                    CallResult::Refused(call) => (Vec::new(), call, None),
                };
                self.retry_after = self.retry_after.max(retry_after);
                answers.into_iter().for_each(|(place, answer)| self.put(place, answer));
                open.extend(left);
            }
            self.budget.add(self.service.split(open.clone()).len());
        }
    }

    fn put(&mut self, place: usize, answer: Answer<S::Found>) {
        if answer.as_ref().is_err_and(is_down) {
            self.unanswered.insert(place);
        } else {
            self.unanswered.remove(&place);
        }
        let Some(state) = self.states.get_mut(place) else { return };
        *state = match (std::mem::replace(state, State::Answered), answer) {
            (State::Failed(earlier), Err(later)) => State::Failed(merge_errors(earlier, later)),
            (_, Err(error)) => State::Failed(error),
            (_, Ok(found)) => {
                self.sink.put(place, Ok(found));
                return;
            }
        };
        // Another region, or a later attempt, may have a better answer. Until then this one counts.
        if let State::Failed(error) = state {
            self.sink.put(place, Err(error::again(error)));
        }
    }

    fn with_kind(&self, region_clients: &[usize], kind: SourceErrorKind) -> Vec<usize> {
        let is = |place: &&usize| self.error(**place).is_some_and(|error| error.kind() == kind);
        region_clients.iter().filter(is).copied().collect()
    }
}

/// Merges two failures of one request. If no region answered, the error has both reasons. If a region did not answer
/// and the other has no such secret, the secret may exist: the error is that of the first. Throttling tells more than a
/// time-out.
fn merge_errors(earlier: SourceError, later: SourceError) -> SourceError {
    if is_down(&earlier) && is_down(&later) {
        error::in_both(&earlier, &later)
    } else if is_down(&earlier) && later.kind() == SourceErrorKind::NotFound {
        error::not_replicated(&earlier)
    } else if is_throttled(&earlier) && is_down(&later) {
        earlier
    } else {
        later
    }
}

fn is_throttled(error: &SourceError) -> bool {
    error.kind() == SourceErrorKind::Throttled
}

fn is_down(error: &SourceError) -> bool {
    matches!(error.kind(), SourceErrorKind::TimedOut | SourceErrorKind::Unavailable)
}
