//! A source that starts a command for each secret. Its standard output is the value.

use std::process::{ExitStatus, Stdio};

use secretdir_provider::{
    RunContext, Secret, SecretBuffer, SecretRequest, SecretSource, SourceError, async_trait,
};

use crate::failure::{self, Failure, Limit};
use crate::output;
use crate::process::{Pipes, Process};
use crate::redact::Redaction;
use crate::settings::{Newline, Nothing, Reading, Setup};
use crate::stderr::Stderr;
use crate::template::CommandTemplate;

pub(crate) struct CommandSource {
    template: CommandTemplate,
    reading: Reading,
    setup: Setup,
}

impl CommandSource {
    pub(crate) fn new(template: CommandTemplate, reading: Reading, setup: Setup) -> Self {
        Self { template, reading, setup }
    }

    /// Runs the command until it ends. Then `value` and `noise` have its output, even if it failed.
    async fn run(
        &self,
        process: &mut Process,
        mut pipes: Pipes,
        limit: Limit,
        value: &mut SecretBuffer,
        noise: &mut Stderr,
    ) -> Result<ExitStatus, Failure> {
        let program = self.template.program();
        let reading = async {
            let read = output::whole(pipes.stdout, self.setup.max_bytes, value).await;
            read.map_err(|fault| Failure::unread(program, &fault))
        };
        let ending = async { process.end().await.map_err(|error| Failure::lost(program, &error)) };
        let work = noise.during(&mut pipes.stderr, async { tokio::try_join!(reading, ending) });
        let done = tokio::time::timeout(limit.time, work).await;
        // A process that still runs is not waited for any longer.
        process.kill().await;
        noise.last_words(&mut pipes.stderr).await;
        match done {
            Ok(done) => done.map(|((), status)| status),
            Err(_) => Err(Failure::timed_out(program, limit)),
        }
    }

    fn says_not_found(&self, status: ExitStatus) -> bool {
        self.reading.not_found.is_some_and(|code| status.code() == Some(code.get().into()))
    }

    /// Makes a secret from the output of the command; none if it is empty and must not be.
    fn secret(&self, value: &mut SecretBuffer) -> Option<Secret> {
        let mut bytes = std::mem::take(value);
        let printed_nothing = matches!(bytes.expose_secret(), b"" | b"\n");
        if self.reading.newline == Newline::Trimmed && bytes.expose_secret().ends_with(b"\n") {
            bytes.pop();
        }
        (!printed_nothing || self.reading.nothing == Nothing::Value).then(|| Secret::new(bytes))
    }
}

#[async_trait]
impl SecretSource for CommandSource {
    fn check(&self, request: &SecretRequest) -> Result<(), SourceError> {
        self.template.check(request)
    }

    fn check_prefix(&self, _: &str) -> Result<(), SourceError> {
        Err(failure::cannot_list())
    }

    async fn fetch(&self, run: &RunContext, request: &SecretRequest) -> Result<Secret, SourceError> {
        self.check(request)?;
        let program = self.template.program();
        let limit = Limit::of(&self.setup, run).ok_or_else(|| Failure::no_time(program).error())?;
        let arguments = self.template.arguments(request);
        let (mut process, pipes) = Process::start(program, &arguments, &self.setup, Stdio::null())
            .map_err(|error| Failure::start(program, &error, &self.setup).error())?;
        let (mut value, mut noise) = (SecretBuffer::new(), Stderr::new(self.setup.stderr));
        let failure = match self.run(&mut process, pipes, limit, &mut value, &mut noise).await {
            Ok(status) if status.success() => match self.secret(&mut value) {
                Some(secret) => return Ok(secret),
                None => Failure::nothing(program),
            },
            Ok(status) if self.says_not_found(status) => Failure::not_found(program, status),
            Ok(status) => Failure::ended(program, status),
            Err(failure) => failure,
        };
        let variables = self.setup.variables();
        let values = variables.iter().map(|value| value.as_slice()).chain([value.expose_secret()]);
        let shown = Redaction::new([noise.excerpt()], values);
        let noise = shown.of(noise.excerpt());
        Err(failure.with_noise(&noise).with_advice(program, &noise, &self.setup).error())
    }
}
