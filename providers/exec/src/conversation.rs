//! The conversation with a plug-in: the order of the messages, and the end.
//!
//! The provider greets, and then the plug-in. The plug-in gets all requests at once, and answers in any order. Its
//! standard input is closed after the last request, and it should end after the last answer. Any message out of place
//! ends the conversation: a plug-in that is wrong about one thing is not trusted in another.

use secretdir_provider::{Secret, SecretRequest, SourceErrorKind};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{ChildStdin, ChildStdout};
use tokio::time::{Duration, timeout};
use zeroize::Zeroizing;

use crate::excerpt::Excerpt;
use crate::failure::Failure;
use crate::message::{self, PluginError, Reply, Request};
use crate::output::Lines;

/// How long a plug-in may take to end after its last answer.
pub(crate) const GRACE: Duration = Duration::from_secs(1);

/// The maximum number of warnings from a plug-in.
const MOST_WARNINGS: usize = 100;

/// The maximum size of all messages, hints and warnings together: 256 KiB.
const MOST_TEXT: usize = 256 << 10;

/// The maximum size of a line without its value.
const AROUND_VALUE: usize = 64 << 10;

/// How many characters one byte of a value can take in JSON, at most: some are written as `\u0000`.
const LONGEST_ESCAPE: usize = 6;

/// A conversation, and its results so far.
pub(crate) struct Conversation<'r> {
    requests: &'r [SecretRequest],
    lines: Lines<ChildStdout>,
    received: Received<'r>,
}

/// The maximum sizes of secrets, in bytes.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// For each of them.
    pub(crate) each: usize,
    /// For all of them together, without those of other sources.
    pub(crate) together: u64,
}

/// The messages of a plug-in so far.
pub(crate) struct Received<'r> {
    program: &'r str,
    bounds: Bounds,
    /// The size of all secrets so far, in bytes.
    together: u64,
    line: usize,
    missing: usize,
    pub(crate) answers: Vec<Option<Answer>>,
    pub(crate) warnings: Vec<Excerpt>,
    /// How many more bytes of text are kept.
    room: usize,
}

/// An answer to one request.
pub(crate) enum Answer {
    Secret(Secret),
    Error(PluginError),
}

impl<'r> Conversation<'r> {
    pub(crate) fn new(
        program: &'r str,
        bounds: Bounds,
        requests: &'r [SecretRequest],
        stdout: ChildStdout,
    ) -> Self {
        let longest = bounds.each.saturating_mul(LONGEST_ESCAPE).saturating_add(AROUND_VALUE);
        let answers = requests.iter().map(|_| None).collect();
        let received = Received {
            program,
            bounds,
            together: 0,
            line: 0,
            missing: requests.len(),
            answers,
            warnings: Vec::new(),
            room: MOST_TEXT,
        };
        Self { requests, lines: Lines::new(stdout, longest), received }
    }

    /// Talks until the plug-in closes its output, or its grace period after the last answer is over.
    pub(crate) async fn run(&mut self, mut stdin: ChildStdin, hello: &Request<'_>) -> Result<(), Failure> {
        say(&mut stdin, std::slice::from_ref(hello)).await;
        let Some(line) = self.lines.next().await.map_err(|fault| self.received.unread(&fault))? else {
            return Ok(());
        };
        self.received.greeting(line)?;
        let fetches: Vec<_> = self.requests.iter().enumerate().map(fetch).collect();
        let asking = async {
            say(&mut stdin, &fetches).await;
            drop(stdin);
            Ok(())
        };
        tokio::try_join!(asking, self.received.listen(&mut self.lines)).map(|_| ())
    }

    /// Returns the messages, and the last bytes that were read, which may be a part of a value.
    pub(crate) fn end(self) -> (Received<'r>, Zeroizing<Vec<u8>>) {
        (self.received, Zeroizing::new(self.lines.rest().to_owned()))
    }
}

impl Received<'_> {
    fn greeting(&mut self, line: &[u8]) -> Result<(), Failure> {
        self.line += 1;
        match message::read(line) {
            Ok(Reply::Hello { protocol: message::VERSION }) => Ok(()),
            Ok(Reply::Hello { .. }) => Err(self.fault("is a greeting with a protocol version other than 1")),
            Ok(_) => Err(self.fault("is no greeting")),
            Err(fault) => Err(self.fault(fault)),
        }
    }

    async fn listen(&mut self, lines: &mut Lines<ChildStdout>) -> Result<(), Failure> {
        loop {
            let next = match self.missing {
                0 => match timeout(GRACE, lines.next()).await {
                    Ok(next) => next,
                    Err(_) => return Ok(()),
                },
                _ => lines.next().await,
            };
            match next.map_err(|fault| self.unread(&fault))? {
                Some(line) => self.hear(line)?,
                None => return Ok(()),
            }
        }
    }

    fn hear(&mut self, line: &[u8]) -> Result<(), Failure> {
        self.line += 1;
        match message::read(line).map_err(|fault| self.fault(fault))? {
            Reply::Hello { .. } => Err(self.fault("greets again")),
            Reply::Secret { id, secret } => {
                let answer = self.bounded(secret);
                self.answer(id, answer)
            }
            Reply::Error { id, error } => {
                let message = self.kept(error.message);
                let hint = error.hint.map(|hint| self.kept(hint));
                self.answer(id, Answer::Error(PluginError { message, hint, ..error }))
            }
            Reply::Warning { .. } if self.warnings.len() == MOST_WARNINGS => {
                Err(self.fault("is a warning beyond the limit"))
            }
            Reply::Warning { message } => {
                let message = self.kept(message);
                self.warnings.push(message);
                Ok(())
            }
        }
    }

    /// Keeps a text while there is room.
    fn kept(&mut self, text: Excerpt) -> Excerpt {
        match self.room.checked_sub(text.as_bytes().len()) {
            Some(room) => {
                self.room = room;
                text
            }
            None => Excerpt::nothing(),
        }
    }

    fn answer(&mut self, id: usize, answer: Answer) -> Result<(), Failure> {
        match self.answers.get_mut(id) {
            Some(slot @ None) => {
                *slot = Some(answer);
                self.missing -= 1;
                Ok(())
            }
            Some(Some(_)) => Err(self.fault("answers a request for the second time")),
            None => Err(self.fault("answers a request that was not sent")),
        }
    }

    /// Replaces a secret with an error if it is too large, by itself or together with the others of the run.
    fn bounded(&mut self, secret: Secret) -> Answer {
        let bytes = secret.expose_secret().len();
        if bytes > self.bounds.each {
            let message = format!("the secret has more than {} bytes", self.bounds.each);
            return too_large(&message, "raise `max-bytes` if that is intended");
        }
        self.together = self.together.saturating_add(bytes.try_into().unwrap_or(u64::MAX));
        if self.together > self.bounds.together {
            let message = "the secrets of this run are too large together";
            return too_large(message, "raise `max-bytes` under [gather]");
        }
        Answer::Secret(secret)
    }

    fn unread(&self, fault: &crate::output::ReadFault) -> Failure {
        Failure::unread(self.program, fault)
    }

    fn fault(&self, fault: &str) -> Failure {
        Failure::protocol(self.program, self.line, fault)
    }
}

fn fetch((id, request): (usize, &SecretRequest)) -> Request<'_> {
    Request::Fetch { id, secret: request.name(), version: request.version() }
}

/// Sends messages. A plug-in that does not read them is noticed because its answers are missing.
async fn say(stdin: &mut ChildStdin, messages: &[Request<'_>]) {
    let mut lines = Vec::new();
    for message in messages {
        // Names and numbers can always be encoded as JSON.
        if serde_json::to_writer(&mut lines, message).is_ok() {
            lines.push(b'\n');
        }
    }
    let _ = stdin.write_all(&lines).await;
}

fn too_large(message: &str, hint: &str) -> Answer {
    Answer::Error(PluginError {
        kind: SourceErrorKind::InvalidData,
        message: Excerpt::beginning(message),
        hint: Some(Excerpt::beginning(hint)),
        retry: secretdir_provider::Retry::No,
    })
}
