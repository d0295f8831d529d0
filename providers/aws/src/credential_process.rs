//! Credentials that a program prints: `credential_process` of a profile.
//!
//! The SDK would wait ten seconds for the program, and then leave it running. Here the program has until the deadline
//! of the run. Then it is killed with every process that it started. As in boto3, no shell parses the words. The output
//! is limited to 64 KiB. A failure counts for the whole run, so that many secrets do not wait for the program again and
//! again.

mod output;

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use secretdir_helpers::ProcessGroup;
use secretdir_provider::{Clock, Deadline, SecretBuffer, SourceError, SourceErrorKind};
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::error;

/// The maximum size of the output, in bytes.
const MOST: usize = 64 << 10;

/// How long before they expire credentials are fetched again.
const MARGIN: Duration = Duration::from_secs(10);

const HINT: &str =
    "run the program by hand to see its output, which is not shown here because it may contain credentials";
const TIME_HINT: &str =
    "raise `timeout` under [gather], or find out why the program waits: it cannot ask on the terminal";

/// A program that prints credentials, and its result. `Debug` shows only where it is configured.
#[derive(Clone)]
pub(crate) struct CredentialProcess {
    words: Vec<String>,
    /// Where it is configured: the profile, the file and the line.
    place: String,
    printed: Arc<Mutex<Option<Printed>>>,
}

/// The result of the program.
enum Printed {
    Credentials(Credentials),
    Failure(SourceError),
}

impl CredentialProcess {
    /// Takes the program with its arguments, and the place where it is configured.
    pub(crate) fn new(words: Vec<String>, place: String) -> Self {
        Self { words, place, printed: Arc::default() }
    }

    /// Runs the program and waits for it up to `until`, unless its last credentials are still valid. A failure is
    /// returned again.
    pub(crate) async fn refresh(&self, until: &Deadline) -> Result<(), SourceError> {
        let mut printed = self.printed.lock().await;
        match &*printed {
            Some(Printed::Credentials(credentials)) if holds(credentials, until.clock()) => return Ok(()),
            Some(Printed::Failure(error)) => return Err(error::again(error)),
            _ => {}
        }
        let done = timeout(until.remaining(), self.run(until.clock())).await.unwrap_or_else(|_| {
            // This is not a time-out of the region, because another region would not help.
            Err(self.failed("did not end before the deadline", TIME_HINT))
        });
        match done {
            Ok(credentials) => {
                *printed = Some(Printed::Credentials(credentials));
                Ok(())
            }
            Err(error) => {
                let told = error::again(&error);
                *printed = Some(Printed::Failure(error));
                Err(told)
            }
        }
    }

    async fn run(&self, clock: &Clock) -> Result<Credentials, SourceError> {
        let unavailable = |what: &str| self.failed(what, HINT);
        let (program, arguments) = self
            .words
            .split_first()
            .ok_or_else(|| unavailable("names no program, or has an unclosed quote"))?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| unavailable(&format!("cannot be started: {error}")))?;
        let mut group = ProcessGroup::of(child.id());
        let output = child.stdout.take().ok_or_else(|| unavailable("has no standard output"))?;
        let mut printed = SecretBuffer::with_capacity(MOST + 1);
        // One byte more than the limit shows that the output is too long.
        let most = u64::try_from(MOST + 1).unwrap_or(u64::MAX);
        let read = output.take(most).read_to_end(printed.reserved(0)).await;
        read.map_err(|error| unavailable(&format!("cannot be read from: {error}")))?;
        if printed.len() > MOST {
            return Err(unavailable(&format!("prints more than {MOST} bytes")));
        }
        let status =
            child.wait().await.map_err(|error| unavailable(&format!("cannot be waited for: {error}")))?;
        group.release();
        if !status.success() {
            return Err(unavailable(&format!("failed: {status}")));
        }
        let printed = output::credentials(printed.expose_secret()).map_err(|what| unavailable(&what))?;
        if holds(&printed, clock) {
            Ok(printed)
        } else {
            Err(unavailable("prints credentials that have expired"))
        }
    }

    fn failed(&self, what: &str, hint: &str) -> SourceError {
        let cause = format!("no credentials: the credential process of {} {what}", self.place);
        SourceError::new(SourceErrorKind::Unauthenticated).with_cause(cause).with_hint(hint)
    }
}

impl std::fmt::Debug for CredentialProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CredentialProcess").field("place", &self.place).finish_non_exhaustive()
    }
}

impl ProvideCredentials for CredentialProcess {
    /// Returns the printed credentials. The caller must [`refresh`](Self::refresh) them before each call of a service.
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            match &*self.printed.lock().await {
                Some(Printed::Credentials(credentials)) => Ok(credentials.clone()),
                _ => Err(CredentialsError::not_loaded("the credential process has not been run")),
            }
        })
    }
}

fn holds(credentials: &Credentials, clock: &Clock) -> bool {
    credentials.expiry().is_none_or(|expiry| clock.date() + MARGIN < expiry)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn process(script: &str) -> CredentialProcess {
        let words = ["sh", "-c", script].map(str::to_owned).to_vec();
        CredentialProcess::new(words, "the profile `a` (config, line 2)".to_owned())
    }

    fn soon() -> Deadline {
        within(Duration::from_secs(60))
    }

    fn within(time: Duration) -> Deadline {
        Deadline::after(time, Clock::default())
    }

    const GOOD: &str =
        r#"echo '{"Version": 1, "AccessKeyId": "AKID", "SecretAccessKey": "hunter2", "SessionToken": "t"}'"#;

    #[tokio::test]
    async fn what_is_printed_is_used_until_it_expires() {
        let folder = tempfile::TempDir::new().unwrap();
        let count = folder.path().join("count");
        let counted = |print: &str| process(&format!("echo >> {}; {print}", count.display()));
        let runs = || std::fs::read_to_string(&count).unwrap_or_default().len();

        let lasting = counted(GOOD);
        for _ in 0..3 {
            lasting.refresh(&soon()).await.unwrap();
        }
        assert_eq!(runs(), 1);
        let credentials = lasting.provide_credentials().await.unwrap();
        assert_eq!((credentials.access_key_id(), credentials.session_token()), ("AKID", Some("t")));

        // With the margin of ten seconds, these credentials are valid for two more.
        let brief = counted(&GOOD.replace(
            "\"SessionToken\"",
            "\"Expiration\": \"'$(date -u -d +12sec +%FT%TZ)'\", \"SessionToken\"",
        ));
        brief.refresh(&soon()).await.unwrap();
        let expiry = brief.provide_credentials().await.unwrap().expiry().unwrap();
        assert!(expiry > SystemTime::now() && expiry < SystemTime::now() + Duration::from_secs(12));
        assert_eq!(runs(), 2);
    }

    #[tokio::test]
    async fn what_fails_is_told_without_what_was_printed_and_remembered() {
        for (script, told) in [
            ("echo hunter2; exit 3", "failed: exit status: 3"),
            ("kill -9 $$", "failed: signal: 9 (SIGKILL)"),
            ("echo hunter2", "does not print a JSON object"),
            ("echo '{\"Version\": 2, \"SecretAccessKey\": \"hunter2\"}'", "does not print the `Version` 1"),
            ("echo '{\"Version\": 1, \"SecretAccessKey\": \"hunter2\"}'", "prints no `AccessKeyId`"),
            ("echo '{\"Version\": 1, \"AccessKeyId\": \"hunter2\"}'", "prints no `SecretAccessKey`"),
            (
                &GOOD.replace("\"SessionToken\"", "\"Expiration\": \"hunter2\", \"SessionToken\""),
                "prints an `Expiration` that is not a time",
            ),
            (
                &GOOD.replace(
                    "\"SessionToken\"",
                    "\"Expiration\": \"2020-01-01T00:00:00Z\", \"SessionToken\"",
                ),
                "prints credentials that have expired",
            ),
            ("yes hunter2", "prints more than 65536 bytes"),
        ] {
            let process = process(script);
            let error = process.refresh(&soon()).await.unwrap_err();
            let shown = error::told(&error);
            assert_eq!(
                shown,
                format!("no credentials: the credential process of the profile `a` (config, line 2) {told}"),
                "{script}"
            );
            let again = process.refresh(&soon()).await.unwrap_err();
            assert_eq!(error::told(&again), shown);
            assert!(process.provide_credentials().await.is_err());
            assert!(!format!("{process:?}{error:?}").contains("hunter2"));
        }
        let none = CredentialProcess::new(Vec::new(), "x".to_owned()).refresh(&soon()).await.unwrap_err();
        assert!(error::told(&none).ends_with("x names no program, or has an unclosed quote"));
        let missing = CredentialProcess::new(vec!["/no/such".to_owned()], "x".to_owned());
        assert!(
            error::told(&missing.refresh(&soon()).await.unwrap_err())
                .contains("x cannot be started: No such file")
        );
    }

    #[test]
    fn the_readme_has_the_hints() {
        let readme = include_str!("../README.md").replace('\\', "");
        for hint in [HINT, TIME_HINT] {
            assert!(readme.contains(hint), "{hint}");
        }
    }

    #[tokio::test]
    async fn what_does_not_end_is_killed_with_all_that_it_started() {
        let folder = tempfile::TempDir::new().unwrap();
        let fifo = folder.path().join("fifo");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &fifo,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        // The child of the process keeps the FIFO open as long as it lives.
        let process = process(&format!("sleep 600 > {} & wait", fifo.display()));
        let reader = std::thread::spawn({
            let fifo = fifo.clone();
            move || std::fs::read(fifo)
        });
        let error = process.refresh(&within(Duration::from_secs(2))).await.unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::Unauthenticated);
        assert!(error::told(&error).ends_with("did not end before the deadline"), "{error:?}");
        // The reader ends when no process has the FIFO open any more.
        reader.join().unwrap().unwrap();
    }
}
