//! A source that starts one plug-in for all of its secrets.

use std::pin::pin;
use std::process::{ExitStatus, Stdio};

use secretdir_provider::{
    Answers, RunContext, Secret, SecretRequest, SecretSource, SourceError, SourceErrorKind, async_trait,
};
use tokio::process::ChildStdin;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::conversation::{Answer, Bounds, Conversation, GRACE, Received};
use crate::excerpt::Excerpt;
use crate::failure::{self, Failure, Limit};
use crate::message::{Request, VERSION};
use crate::process::Process;
use crate::redact::Redaction;
use crate::settings::Setup;
use crate::stderr::Stderr;

pub(crate) struct PluginSource {
    program: String,
    arguments: Vec<String>,
    setup: Setup,
}

/// How the plug-in ended after a complete conversation.
enum Ending {
    Ended(ExitStatus),
    /// It was killed after its grace period.
    KilledAfterGrace,
}

/// The result of one plug-in.
struct PluginResult<'r> {
    received: Received<'r>,
    /// The last bytes that were read. They may be a part of a message that was not understood.
    rest: Zeroizing<Vec<u8>>,
    stderr: Stderr,
    ending: Result<Ending, Unfinished>,
}

/// Why a conversation is not complete.
enum Unfinished {
    /// The time was up. Answers that have arrived count.
    Late(Failure),
    /// The plug-in cannot be trusted, so no answer counts.
    Wrong(Failure),
}

impl PluginSource {
    pub(crate) fn new(program: String, arguments: Vec<String>, setup: Setup) -> Self {
        Self { program, arguments, setup }
    }

    /// Starts the plug-in and talks to it, unless no time is left.
    async fn ask<'r>(
        &'r self,
        run: &RunContext,
        requests: &'r [SecretRequest],
        max_together: u64,
    ) -> Result<PluginResult<'r>, Failure> {
        let limit = Limit::of(&self.setup, run).ok_or_else(|| Failure::no_time(&self.program))?;
        let hello = Request::Hello {
            protocol: VERSION,
            concurrency: run.concurrency().get(),
            timeout_ms: limit.time.as_millis().try_into().unwrap_or(u64::MAX),
        };
        self.talk(max_together, limit, &hello, requests).await
    }

    async fn talk<'r>(
        &'r self,
        max_together: u64,
        limit: Limit,
        hello: &Request<'_>,
        requests: &'r [SecretRequest],
    ) -> Result<PluginResult<'r>, Failure> {
        let (mut process, mut pipes) =
            Process::start(&self.program, &self.arguments, &self.setup, Stdio::piped())
                .map_err(|error| Failure::start(&self.program, &error, &self.setup))?;
        let bounds = Bounds { each: self.setup.max_bytes.get(), together: max_together };
        let mut talk = Conversation::new(&self.program, bounds, requests, pipes.stdout);
        let mut stderr = Stderr::new(self.setup.stderr);
        let work = self.converse(&mut talk, &mut process, pipes.stdin, hello);
        let done = timeout(limit.time, stderr.during(&mut pipes.stderr, work)).await;
        // A process that still runs is not waited for any longer.
        process.kill().await;
        stderr.last_words(&mut pipes.stderr).await;
        let ending = match done {
            Ok(ending) => ending.map_err(Unfinished::Wrong),
            Err(_) => Err(Unfinished::Late(Failure::timed_out(&self.program, limit))),
        };
        let (received, rest) = talk.end();
        Ok(PluginResult { received, rest, stderr, ending })
    }

    async fn converse(
        &self,
        talk: &mut Conversation<'_>,
        process: &mut Process,
        stdin: Option<ChildStdin>,
        hello: &Request<'_>,
    ) -> Result<Ending, Failure> {
        let lost = |error| Failure::lost(&self.program, &error);
        let stdin = stdin.ok_or_else(|| lost(std::io::ErrorKind::BrokenPipe.into()))?;
        let mut running = pin!(talk.run(stdin, hello));
        tokio::select! {
            talked = &mut running => {
                talked?;
                match timeout(GRACE, process.end()).await {
                    Ok(status) => status.map(Ending::Ended).map_err(lost),
                    Err(_) => Ok(Ending::KilledAfterGrace),
                }
            }
            // When the plug-in ends, every process that it left running is killed. So the output that is still to be
            // read has an end.
            status = process.end() => {
                running.await?;
                status.map(Ending::Ended).map_err(lost)
            }
        }
    }
}

impl PluginResult<'_> {
    /// Converts the conversation into answers, with every text redacted. Passes the warnings on.
    fn answers(self, setup: &Setup, program: &str, run: &RunContext) -> Vec<Answered> {
        let labels: Vec<_> = self.received.answers.iter().map(Labels::of).collect();
        let shown = self.redaction(setup, &labels);
        for warning in &self.received.warnings {
            run.warn(shown.of(warning));
        }
        let stderr = shown.of(self.stderr.excerpt());
        let answers = self.received.answers.iter();
        let errors: Vec<_> = answers.map(|answer| plugin_error(answer.as_ref(), &shown)).collect();
        let labels: Vec<_> = labels.iter().map(|labels| labels.told(&shown)).collect();
        drop(shown);
        let failure = match self.ending {
            Err(Unfinished::Wrong(failure)) => {
                let failure = failure.with_noise(&stderr);
                return errors.iter().map(|_| Err(failure.error())).collect();
            }
            Err(Unfinished::Late(failure)) => failure.with_noise(&stderr),
            Ok(ending) => {
                if self.received.answers.iter().all(Option::is_some) {
                    ending.warn(program, &stderr, run);
                }
                ending.failure(program).with_noise(&stderr).with_advice(program, &stderr, setup)
            }
        };
        let answers = self.received.answers.into_iter().zip(errors).zip(labels);
        answers.map(|((answer, error), labels)| settle(answer, error, labels, &failure)).collect()
    }

    /// Collects every text that may be shown, and every value that may not.
    fn redaction(&self, setup: &Setup, labels: &[Labels]) -> Redaction {
        let answers = || self.received.answers.iter().flatten();
        let errors = answers().filter_map(|answer| match answer {
            Answer::Error(error) => Some(error.texts()),
            Answer::Secret(_) => None,
        });
        let secrets = answers().filter_map(|answer| match answer {
            Answer::Secret(secret) => Some(secret.expose_secret()),
            Answer::Error(_) => None,
        });
        let texts =
            std::iter::once(self.stderr.excerpt()).chain(&self.received.warnings).chain(errors.flatten());
        let texts = texts.chain(labels.iter().flat_map(Labels::texts));
        let variables = setup.variables();
        let variables = variables.iter().map(|value| value.as_slice());
        Redaction::new(texts, variables.chain(secrets).chain([self.rest.as_slice()]))
    }
}

/// The revision and the origin of a secret. They are shown and recorded, so they must not hold a value either.
struct Labels<T = Excerpt> {
    revision: Option<T>,
    origin: Option<T>,
}

impl Labels {
    fn of(answer: &Option<Answer>) -> Self {
        let (revision, origin) = match answer {
            Some(Answer::Secret(secret)) => (secret.revision(), secret.origin()),
            _ => (None, None),
        };
        Self { revision: revision.map(Excerpt::beginning), origin: origin.map(Excerpt::beginning) }
    }

    fn texts(&self) -> impl Iterator<Item = &Excerpt> {
        self.revision.iter().chain(&self.origin)
    }

    fn told(&self, shown: &Redaction) -> Labels<String> {
        let told = |label: &Option<Excerpt>| label.as_ref().map(|label| shown.of_label(label));
        Labels { revision: told(&self.revision), origin: told(&self.origin) }
    }
}

impl Labels<String> {
    fn on(self, secret: Secret) -> Secret {
        let secret = self.revision.into_iter().fold(secret, Secret::with_revision);
        self.origin.into_iter().fold(secret, Secret::with_origin)
    }
}

/// The result of one request.
type Answered = Result<Secret, SourceError>;

fn settle(
    answer: Option<Answer>,
    error: Option<SourceError>,
    labels: Labels<String>,
    failure: &Failure,
) -> Answered {
    match (answer, error) {
        (Some(Answer::Secret(secret)), _) => Ok(labels.on(secret)),
        (_, Some(error)) => Err(error),
        _ => Err(failure.error()),
    }
}

fn plugin_error(answer: Option<&Answer>, shown: &Redaction) -> Option<SourceError> {
    let Some(Answer::Error(error)) = answer else { return None };
    let told = SourceError::new(error.kind).with_retry(error.retry).with_cause(shown.of(&error.message));
    Some(match &error.hint {
        Some(hint) => told.with_hint(shown.of(hint)),
        None => told,
    })
}

impl Ending {
    /// Returns the failure of the requests without an answer.
    fn failure(&self, program: &str) -> Failure {
        match self {
            Self::Ended(status) => Failure::unanswered(program, Some(*status)),
            Self::KilledAfterGrace => Failure::unanswered(program, None),
        }
    }

    /// Warns if the plug-in did not end well although it answered everything.
    fn warn(&self, program: &str, stderr: &str, run: &RunContext) {
        match self {
            Self::Ended(status) if status.success() => {}
            Self::Ended(status) => {
                let stderr = if stderr.is_empty() { String::new() } else { format!(": {stderr}") };
                run.warn(format!("`{program}` answered everything, and then failed: {status}{stderr}"));
            }
            Self::KilledAfterGrace => {
                run.warn(format!(
                    "`{program}` answered everything, but did not end within {GRACE:?}, and was killed"
                ));
            }
        }
    }
}

#[async_trait]
impl SecretSource for PluginSource {
    /// Checks only that there is a name. The plug-in itself checks the request when it is asked.
    fn check(&self, request: &SecretRequest) -> Result<(), SourceError> {
        if request.name().is_empty() {
            return Err(SourceError::new(SourceErrorKind::InvalidRequest).with_cause("the name is empty"));
        }
        Ok(())
    }

    fn check_prefix(&self, _: &str) -> Result<(), SourceError> {
        Err(failure::cannot_list())
    }

    async fn fetch(&self, run: &RunContext, request: &SecretRequest) -> Answered {
        let only = Answers::new(1);
        self.fetch_all(run, std::slice::from_ref(request), &only).await;
        only.into_only()
    }

    /// Puts the answers after the plug-in has ended, because its texts are redacted with all of its values. If it
    /// breaks the protocol, none of its answers count.
    async fn fetch_all(&self, run: &RunContext, requests: &[SecretRequest], answers: &Answers) {
        let answered = match self.ask(run, requests, answers.max_bytes()).await {
            Ok(told) => told.answers(&self.setup, &self.program, run),
            Err(failure) => requests.iter().map(|_| Err(failure.error())).collect(),
        };
        answered.into_iter().enumerate().for_each(|(position, answer)| answers.put(position, answer));
    }
}
