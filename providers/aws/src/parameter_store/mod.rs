//! Parameter Store: the source, and how requests become calls.
//!
//! One call asks for up to ten parameters, each with its version. The service answers in any order, and lists the names
//! for which it has nothing. It refuses the whole call if one of its parameters may not be read. Then each is requested
//! alone, so that each gets its own error.

mod api;
mod label;
mod list;
mod question;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use secretdir_provider::{
    Answers, Deadline, Listed, RunContext, Secret, SecretRequest, SecretSource, SourceError, async_trait,
};

use crate::attempts::Attempts;
use crate::clients::Clients;
use crate::error::{self, Asked, Failure, Fault};
use crate::grouping::{group, owner};
use crate::listing;
use crate::quota;
use crate::region_clients::{self, RegionClient};
use crate::run::{self, Answer, Api, Call, CallResult, Limits, Run};
use crate::settings::AwsSettings;

use api::{Client, GetParameters, Parameter};
use label::Label;
use question::Question;

/// The maximum number of parameters in one call (API reference of GetParameters).
const MOST_IN_CALL: usize = 10;

/// A configured source. The first fetch that needs clients makes them, and later ones use them too.
pub(crate) struct ParameterStore {
    clients: Clients<Client>,
}

type Regional = crate::clients::Regional<Client>;

/// The requests of one run.
struct Asking<'a> {
    source: &'a ParameterStore,
    context: &'a RunContext,
    questions: &'a [Option<Question<'a>>],
    /// The positions of requests whose call was refused because of one of them.
    alone: Mutex<BTreeSet<usize>>,
}

impl ParameterStore {
    pub(crate) fn new(settings: AwsSettings, credentials: Option<SharedCredentialsProvider>) -> Self {
        Self { clients: Clients::new(settings, credentials) }
    }

    async fn regional(
        &self,
        run: &RunContext,
        region: usize,
        until: &Deadline,
    ) -> Result<Arc<Regional>, SourceError> {
        self.clients.get(run, region, client, until).await
    }
}

#[async_trait]
impl SecretSource for ParameterStore {
    fn shortest_interval(&self) -> Option<Duration> {
        Some(quota::SHORTEST_INTERVAL)
    }

    fn check(&self, request: &SecretRequest) -> Result<(), SourceError> {
        Question::read(request).map(drop)
    }

    fn check_prefix(&self, prefix: &str) -> Result<(), SourceError> {
        question::path_above(prefix).map(drop)
    }

    async fn fetch(&self, run: &RunContext, request: &SecretRequest) -> Result<Secret, SourceError> {
        let only = Answers::new(1);
        self.fetch_all(run, std::slice::from_ref(request), &only).await;
        only.into_only()
    }

    async fn fetch_all(&self, context: &RunContext, requests: &[SecretRequest], answers: &Answers) {
        let trial = self.clients.trial();
        let (questions, refused) = run::read_all(requests, Question::read);
        let asking = Asking { source: self, context, questions: &questions, alone: Mutex::default() };
        trial.end(Run::new(&asking, context, answers, self.clients.count()).answer(refused).await);
    }

    async fn list(&self, context: &RunContext, prefix: &str) -> Result<Vec<Listed>, SourceError> {
        let path = question::path_above(prefix)?;
        let parameters = list::Parameters { source: self, context, prefix, path };
        let trial = self.clients.trial();
        let listed = listing::list(&parameters, context).await;
        trial.end(listed.as_ref().err().map(SourceError::kind));
        listed
    }
}

fn client(place: &RegionClient) -> Client {
    Client::new(&place.config, place.endpoint_url.clone())
}

impl Api for Asking<'_> {
    type Found = Secret;

    fn split(&self, open: Vec<usize>) -> Vec<Call> {
        let alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
        let (alone, together): (Vec<_>, Vec<_>) = open.into_iter().partition(|place| alone.contains(place));
        let calls = self
            .groups(together)
            .into_iter()
            .flat_map(|apart| apart.chunks(MOST_IN_CALL).map(<[usize]>::to_vec).collect::<Vec<_>>());
        calls.chain(alone.into_iter().map(|place| vec![place])).collect()
    }

    async fn ask(&self, region: usize, call: Call, limits: Limits) -> CallResult {
        let regional = match self.source.regional(self.context, region, &limits.deadline).await {
            Ok(regional) => regional,
            Err(error) => return CallResult::failed(call, &error),
        };
        let attempts = Attempts::new(&limits, regional.attempts);
        match self.get(&regional, &call, &limits, &attempts).await {
            Some(answers) => CallResult::Answered(answers, attempts.seen().retry_after),
            None => {
                self.alone.lock().unwrap_or_else(PoisonError::into_inner).extend(&call);
                CallResult::Refused(call)
            }
        }
    }
}

impl<'a> Asking<'a> {
    fn question(&self, place: usize) -> Option<Question<'a>> {
        self.questions.get(place).copied().flatten()
    }

    /// Groups requests by the account of their ARNs. No group has two versions of one parameter, because an answer does
    /// not always say which version it has.
    fn groups(&self, open: Vec<usize>) -> Vec<Vec<usize>> {
        let mut owners: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for place in open {
            let owner = self.question(place).and_then(|question| owner(question.name));
            owners.entry(owner).or_default().push(place);
        }
        let likeness = |place| Some(self.question(place)?.likeness());
        owners.into_values().flat_map(|open| group(open, likeness)).collect()
    }

    /// Makes one call. Returns `None` if it was refused because of one of several parameters.
    async fn get(
        &self,
        regional: &Regional,
        call: &[usize],
        limits: &Limits,
        attempts: &Attempts,
    ) -> Option<Vec<(usize, Answer)>> {
        let mut open = Open::new(self, regional, call);
        let question = GetParameters { names: open.names(), with_decryption: true };
        match regional.client.ask(question, &limits.until, attempts).await {
            Ok(found) => {
                found.parameters.into_iter().flatten().for_each(|parameter| open.found(parameter));
                found.invalid_parameters.into_iter().flatten().for_each(|name| open.missing(&name));
                Some(open.unanswered())
            }
            Err(failure) => {
                let failure = |asked| error::of_call(&failure, asked, attempts.seen());
                let is_of_one = open.first().map(failure).is_some_and(|failure| is_of_one(&failure));
                (!is_of_one || call.len() == 1).then(|| open.fail(|asked| failure(asked).error))
            }
        }
    }

    fn asked<'r>(&'r self, regional: &'r Regional, question: Question<'r>) -> Asked<'r> {
        Asked {
            service: "Parameter Store",
            region: &regional.region,
            profile: self.source.clients.settings().profile.as_deref(),
            arn_region: question.arn_region().filter(|region| *region != regional.home),
            version: question.version,
        }
    }
}

fn is_of_one(failure: &Failure) -> bool {
    matches!(
        failure.fault,
        Some(Fault::Denied | Fault::KeyDenied | Fault::Missing | Fault::Invalid | Fault::Unknown)
    )
}

/// The parameters of a call that have no answer yet, and the answers so far.
struct Open<'r> {
    asking: &'r Asking<'r>,
    regional: &'r Regional,
    open: BTreeMap<usize, Wanted<'r>>,
    answers: Vec<(usize, Answer)>,
}

/// A request, as it is sent to one region.
struct Wanted<'r> {
    question: Question<'r>,
    /// The name or ARN in this region.
    name: String,
    /// The name or ARN with the version after a colon.
    selector: String,
}

impl<'r> Wanted<'r> {
    fn of(question: Question<'r>, regional: &Regional) -> Self {
        let name =
            region_clients::in_region(question.name, question.arn_region(), &regional.home, &regional.region);
        let selector = match question.version {
            Some(version) => format!("{name}:{version}"),
            None => name.clone(),
        };
        Self { question, name, selector }
    }
}

impl<'r> Open<'r> {
    fn new(asking: &'r Asking<'_>, regional: &'r Regional, call: &[usize]) -> Self {
        let question = |place: &usize| Some((*place, asking.question(*place)?));
        let open = call.iter().filter_map(question);
        let open = open.map(|(place, question)| (place, Wanted::of(question, regional))).collect();
        Self { asking, regional, open, answers: Vec::new() }
    }

    /// Returns the parameters to request, each once.
    fn names(&self) -> Vec<String> {
        let names: BTreeSet<_> = self.open.values().map(|wanted| wanted.selector.clone()).collect();
        names.into_iter().collect()
    }

    fn first(&self) -> Option<Asked<'r>> {
        let wanted = self.open.values().next()?;
        Some(self.asking.asked(self.regional, wanted.question))
    }

    fn take(&mut self, is_about: impl Fn(&Wanted<'r>) -> bool) -> Vec<(usize, Question<'r>)> {
        let taken = self.open.extract_if(.., |_, wanted| is_about(wanted));
        taken.map(|(place, wanted)| (place, wanted.question)).collect()
    }

    fn found(&mut self, mut parameter: Parameter) {
        let mut value = parameter.value.take();
        let label = Label::of(&parameter);
        let mut about = self.take(|wanted| label.names(&wanted.name));
        while let Some((place, question)) = about.pop() {
            // The last request gets the value itself, the others a copy.
            let copy = || value.as_ref().map(|value| Secret::new(value.expose_secret()));
            let value = if about.is_empty() { value.take() } else { copy() };
            let answer = label.check(question).and_then(|()| value.ok_or_else(error::no_value));
            let described = |secret: Secret| {
                secret.with_origin(&self.regional.region).with_revision(label.version.to_string())
            };
            self.answers.push((place, answer.map(described)));
        }
    }

    fn missing(&mut self, name: &str) {
        // Usually the service repeats the requested text. Only if not, it names the parameter in another form.
        let repeats = self.open.values().any(|wanted| wanted.selector == name);
        let is_about = |wanted: &Wanted<'r>| {
            if repeats { wanted.selector == name } else { label::is_same(&wanted.name, name) }
        };
        for (place, question) in self.take(is_about) {
            let asked = self.asking.asked(self.regional, question);
            let cause = "Parameter Store has no such parameter, or no such version of it";
            self.answers.push((place, Err(error::missing(asked, cause))));
        }
    }

    /// Finishes with an error for each request that the answer does not mention.
    fn unanswered(mut self) -> Vec<(usize, Answer)> {
        let left = self.open.into_iter();
        let silence = left.map(|(place, wanted)| (place, Err(error::no_answer_about(wanted.question.name))));
        self.answers.extend(silence);
        self.answers
    }

    /// Finishes with this error for each request without an answer.
    fn fail(mut self, error: impl Fn(Asked<'r>) -> SourceError) -> Vec<(usize, Answer)> {
        let (asking, regional) = (self.asking, self.regional);
        let left = self.open.into_iter();
        self.answers
            .extend(left.map(|(place, wanted)| (place, Err(error(asking.asked(regional, wanted.question))))));
        self.answers
    }
}
