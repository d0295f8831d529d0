//! Secrets Manager: the source, and how requests become calls.
//!
//! Requests for current versions go into batches. They are sent one by one if the caller may not use the batch call, or
//! if the endpoint does not know it. Requests with a version are always sent one by one, because a batch has no
//! versions.
//!
//! A batch does not reach into other accounts ("Access AWS Secrets Manager secrets from a different account", AWS
//! Secrets Manager User Guide). If all ARNs of a run have the same account, it counts as the caller's own. If the batch
//! then has an error for an ARN, that ARN is requested alone. If the ARNs have several accounts, each is requested
//! alone.

mod batch;
mod dates;
mod deleted;
mod label;
mod list;
mod question;
mod single;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::{Builder, Config};
use aws_sdk_secretsmanager::primitives::Blob;
use secretdir_provider::{
    Answers, Deadline, Listed, RunContext, Secret, SecretRequest, SecretSource, SourceError, async_trait,
};

use crate::attempts::Attempts;
use crate::clients::Clients;
use crate::error::{self, Asked};
use crate::grouping::{group, owner};
use crate::listing;
use crate::quota;
use crate::region_clients::{self, RegionClient, timeouts};
use crate::run::{self, Api, Call, CallResult, Limits, Run};
use crate::settings::AwsSettings;

use label::Label;
pub(crate) use question::{Question, Version};

/// The maximum number of secrets in one batch (API reference of BatchGetSecretValue).
const MOST_IN_BATCH: usize = 20;

const NO_BATCHES: &str =
    "secrets are fetched one by one, which takes more calls: secretsmanager:BatchGetSecretValue";

/// A configured source. The first fetch that needs clients makes them, and later ones use them too.
pub(crate) struct SecretsManager {
    clients: Clients<Client>,
}

/// Whether batches are refused in this run.
#[derive(Default)]
struct Batches {
    /// Set at the first refusal: the run makes no more batches. The next run tries again: it may be allowed by then.
    are_refused: AtomicBool,
}

type Regional = crate::clients::Regional<Client>;

/// The requests of one run.
struct Asking<'a> {
    source: &'a SecretsManager,
    context: &'a RunContext,
    questions: &'a [Option<Question<'a>>],
    batches: Arc<Batches>,
    /// The beginning of the ARNs whose account counts as the caller's own.
    ours: Option<&'a str>,
    /// The positions of requests whose batch was refused.
    alone: Mutex<BTreeSet<usize>>,
}

/// A call that is ready to be made: where, what, and its limits.
struct Prepared<'a> {
    regional: &'a Regional,
    profile: Option<&'a str>,
    /// The questions of the call, with their positions.
    questions: Vec<(usize, Question<'a>)>,
    limits: Limits,
    attempts: Attempts,
}

impl SecretsManager {
    pub(crate) fn new(settings: AwsSettings, credentials: Option<SharedCredentialsProvider>) -> Self {
        Self { clients: Clients::new(settings, credentials) }
    }
}

#[async_trait]
impl SecretSource for SecretsManager {
    fn shortest_interval(&self) -> Option<Duration> {
        Some(quota::SHORTEST_INTERVAL)
    }

    fn check(&self, request: &SecretRequest) -> Result<(), SourceError> {
        Question::read(request).map(drop)
    }

    fn check_prefix(&self, prefix: &str) -> Result<(), SourceError> {
        question::check_prefix(prefix)
    }

    async fn fetch(&self, run: &RunContext, request: &SecretRequest) -> Result<Secret, SourceError> {
        let only = Answers::new(1);
        self.fetch_all(run, std::slice::from_ref(request), &only).await;
        only.into_only()
    }

    async fn fetch_all(&self, context: &RunContext, requests: &[SecretRequest], answers: &Answers) {
        let trial = self.clients.trial();
        let (questions, refused) = run::read_all(requests, Question::read);
        let ours = only_owner(&questions);
        let (batches, alone) = (context.state(), Mutex::default());
        let asking = Asking { source: self, context, questions: &questions, batches, ours, alone };
        trial.end(Run::new(&asking, context, answers, self.clients.count()).answer(refused).await);
    }

    async fn list(&self, context: &RunContext, prefix: &str) -> Result<Vec<Listed>, SourceError> {
        self.check_prefix(prefix)?;
        let secrets = list::Secrets { source: self, context, prefix };
        let trial = self.clients.trial();
        let listed = listing::list(&secrets, context).await;
        trial.end(listed.as_ref().err().map(SourceError::kind));
        listed
    }
}

fn client(place: &RegionClient) -> Client {
    let mut config = Builder::from(&place.config).interceptor(dates::TextDates);
    if place.endpoint_url.is_some() {
        config.set_endpoint_url(place.endpoint_url.clone());
    }
    Client::from_conf(config.build())
}

/// Returns the common owner of all ARNs, if they have only one.
fn only_owner<'a>(questions: &[Option<Question<'a>>]) -> Option<&'a str> {
    let mut owners = questions.iter().flatten().filter_map(|question| owner(question.secret_id));
    let first = owners.next()?;
    owners.all(|other| other == first).then_some(first)
}

impl Api for Asking<'_> {
    type Found = Secret;

    fn split(&self, open: Vec<usize>) -> Vec<Call> {
        let no_batches = self.batches.are_refused.load(Ordering::Relaxed);
        let alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
        let can_batch = |place: &usize| !no_batches && !alone.contains(place) && self.fits_a_batch(*place);
        let (together, alone): (Vec<_>, Vec<_>) = open.into_iter().partition(can_batch);
        let groups = group(together, |place| Some(self.question(place)?.likeness())).into_iter();
        let batches =
            groups.flat_map(|group| group.chunks(MOST_IN_BATCH).map(<[usize]>::to_vec).collect::<Vec<_>>());
        batches.chain(alone.into_iter().map(|place| vec![place])).collect()
    }

    async fn ask(&self, region: usize, call: Call, limits: Limits) -> CallResult {
        let regional = match self.source.regional(self.context, region, &limits.deadline).await {
            Ok(regional) => regional,
            Err(error) => return CallResult::failed(call, &error),
        };
        let prepared = self.prepare(&regional, &call, limits);
        let answered = match call.as_slice() {
            [_] => single::ask(&prepared).await,
            _ if self.batches.are_refused.load(Ordering::Relaxed) => return CallResult::Refused(call),
            _ => match batch::ask(&prepared).await {
                Ok(batch::Answers { answers, doubtful }) => {
                    self.note(batch::Refusal::OfThis, &doubtful);
                    let answers = answers;
                    return CallResult::Partly(answers, doubtful, prepared.attempts.seen().retry_after);
                }
                Err(refusal) => {
                    self.note(refusal, &call);
                    return CallResult::Refused(call);
                }
            },
        };
        CallResult::Answered(answered, prepared.attempts.seen().retry_after)
    }
}

impl<'a> Asking<'a> {
    fn question(&self, place: usize) -> Option<Question<'a>> {
        self.questions.get(place).copied().flatten()
    }

    fn fits_a_batch(&self, place: usize) -> bool {
        self.question(place).is_some_and(|question| {
            let is_ours = owner(question.secret_id).is_none_or(|owner| self.ours == Some(owner));
            is_ours && question.version == Version::Current
        })
    }

    fn prepare<'r>(&'r self, regional: &'r Regional, call: &[usize], limits: Limits) -> Prepared<'r> {
        let question = |place: &usize| Some((*place, self.question(*place)?));
        let attempts = Attempts::new(&limits, regional.attempts);
        Prepared {
            regional,
            profile: self.source.clients.settings().profile.as_deref(),
            questions: call.iter().filter_map(question).collect(),
            limits,
            attempts,
        }
    }

    /// Remembers a refusal: of all batches, or of these requests in a batch.
    fn note(&self, refusal: batch::Refusal, call: &[usize]) {
        match refusal {
            batch::Refusal::OfBatches(why) => {
                // Concurrent calls are refused concurrently, each with its own request ID. One warning is enough.
                if !self.batches.are_refused.swap(true, Ordering::Relaxed) {
                    self.context.warn(format!("{NO_BATCHES} is refused ({why})"));
                }
            }
            batch::Refusal::OfThis => self.alone.lock().unwrap_or_else(PoisonError::into_inner).extend(call),
        }
    }
}

impl SecretsManager {
    async fn regional(
        &self,
        run: &RunContext,
        region: usize,
        until: &Deadline,
    ) -> Result<Arc<Regional>, SourceError> {
        self.clients.get(run, region, client, until).await
    }
}

impl<'a> Prepared<'a> {
    /// Returns the changes to the client's configuration for one call.
    fn overrides(&self) -> Builder {
        self.attempts.begin();
        Config::builder()
            .timeout_config(timeouts(&self.limits.until))
            .interceptor(self.attempts.clone())
            .retry_classifier(self.attempts.clone())
    }

    fn asked(&self, question: Question<'a>) -> Asked<'a> {
        Asked {
            service: "Secrets Manager",
            region: &self.regional.region,
            profile: self.profile,
            arn_region: question.arn_region().filter(|region| *region != self.regional.home),
            version: question.version.name(),
        }
    }

    /// Returns the name or ARN of a question's secret in this region. The ARN of a replica has another region.
    fn id_of(&self, question: Question<'_>) -> String {
        let Regional { home, region, .. } = self.regional;
        region_clients::in_region(question.secret_id, question.arn_region(), home, region)
    }
}

/// Returns the value of an answer, if it has one.
fn value(text: Option<String>, bytes: Option<Blob>) -> Option<Secret> {
    text.map(Secret::new).or_else(|| bytes.map(|bytes| Secret::new(bytes.into_inner())))
}

/// Adds the region and the version ID to a value, if it is the requested one.
fn described(
    value: Option<Secret>,
    label: &Label,
    id: &str,
    question: Question<'_>,
    region: &str,
) -> Result<Secret, SourceError> {
    label.check(id, question.version)?;
    let secret = value.ok_or_else(error::no_value)?.with_origin(region);
    Ok(match &label.version_id {
        Some(id) => secret.with_revision(id.clone()),
        None => secret,
    })
}
