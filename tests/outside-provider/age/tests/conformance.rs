//! The provider keeps the contract, with files that the age tool has encrypted, and says what is wrong with others.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::error::Error as _;
use std::fs;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{Command, Stdio};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use secretdir_conformance::{BadSettings, Fixture, Skip, conformance_tests};
use secretdir_provider::{
    Provider as _, RunContext, SecretRequest, Settings, SourceError, SourceErrorKind, Table,
};
use secretdir_provider_age::AgeProvider;
use tempfile::TempDir;

/// Runs a program of age with this input. Fails with a hint if it is not installed.
fn run(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().map_err(|error| format!("{program}: {error}: `tests/run` installs it"));
    let mut child = child.unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A folder of encrypted files, `secrets`, and the identity that can decrypt them, `identities.txt`.
struct Encrypted {
    folder: TempDir,
    recipient: String,
    puts: usize,
}

impl Encrypted {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let key = run("age-keygen", &[], b"");
        fs::write(folder.path().join("identities.txt"), &key).unwrap();
        let recipient = String::from_utf8(run("age-keygen", &["-y"], &key)).unwrap().trim().to_owned();
        Self { folder, recipient, puts: 0 }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("secrets").join(format!("{name}.age"))
    }

    /// Writes what is meant to be an encrypted file.
    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn identities(&self) -> PathBuf {
        self.folder.path().join("identities.txt")
    }
}

fn table(root: &str, identities: &str) -> Table {
    Table::from([("root", root), ("identities", identities)])
}

impl Fixture for Encrypted {
    type Provider = AgeProvider;

    async fn start() -> Self {
        Self::new()
    }

    /// Encrypts binary and with armor by turns.
    async fn put(&mut self, name: &str, value: &[u8]) {
        self.puts += 1;
        let arguments: &[&str] = if self.puts.is_multiple_of(2) { &["-a", "-r"] } else { &["-r"] };
        self.write(name, &run("age", &[arguments, &[&self.recipient]].concat(), value));
    }

    fn provider(&self) -> AgeProvider {
        AgeProvider
    }

    fn settings(&self) -> Table {
        table("secrets", "identities.txt")
    }

    fn settings_of_no_store(&self) -> Table {
        table("no-such-folder", "no-such-file")
    }

    fn settings_of_later_store(&mut self) -> Option<Table> {
        Some(table("later", "identities.txt"))
    }

    async fn open_later_store(&mut self, name: &str, value: &[u8]) {
        self.put(name, value).await;
        fs::rename(self.folder.path().join("secrets"), self.folder.path().join("later")).unwrap();
    }

    /// A file that nobody has encrypted.
    fn settings_of_damaged_store(&mut self, value: &str) -> Option<Table> {
        self.write(&self.name("damaged"), format!("age-encryption.org/v1\n-> {value}").as_bytes());
        Some(self.settings())
    }

    fn settings_with_relative_path(&mut self) -> Option<Table> {
        Some(self.settings())
    }

    fn base_dir(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    fn bad_settings(&self) -> Vec<BadSettings> {
        let missing = |key: &str| {
            let mut table = self.settings();
            table.remove(key);
            BadSettings::new(table, key)
        };
        vec![
            BadSettings::new(table("", "identities.txt"), "root"),
            BadSettings::new(table("secrets", ""), "identities"),
            missing("root"),
            missing("identities"),
        ]
    }

    fn name(&self, label: &str) -> String {
        format!("folder/{label}")
    }

    fn bad_names(&self) -> Vec<String> {
        ["", "/", "/etc/hostname", "..", "../x", "a/../b", "./a", "a/", "a\0b"].map(str::to_owned).into()
    }

    fn credentials(&self) -> Vec<String> {
        let key = fs::read_to_string(self.identities()).unwrap();
        key.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    }

    fn skips() -> Vec<Skip> {
        let reason = "files are read one after another, and answer at once";
        vec![
            Skip::new("throttling_is_reported_as_such", reason),
            Skip::new("what_arrived_before_the_deadline_counts", reason),
            Skip::new("a_store_that_hangs_is_a_time_out", reason),
            Skip::new("no_more_requests_are_in_flight_than_allowed", reason),
        ]
    }
}

conformance_tests!(Encrypted);

/// Fetches the secret `a`, which must fail. Files are read without waiting, so one poll is enough.
fn failure(base_dir: &Path) -> SourceError {
    let settings = Settings::new(table("secrets", "identities.txt"), base_dir);
    let source = AgeProvider.source(settings).unwrap();
    let context =
        RunContext::builder().timeout(Duration::from_secs(60)).concurrency(NonZeroUsize::MIN).build();
    let request = SecretRequest::new("a");
    let fetched = pin!(source.fetch(&context, &request)).poll(&mut Context::from_waker(Waker::noop()));
    match fetched {
        Poll::Ready(answer) => answer.unwrap_err(),
        Poll::Pending => unreachable!("there is nothing to wait for"),
    }
}

fn assert_failure(encrypted: &Encrypted, kind: SourceErrorKind, words: &str) {
    let error = failure(encrypted.folder.path());
    let cause = error.source().unwrap().to_string();
    assert_eq!(error.kind(), kind, "{cause}");
    assert!(cause.contains(words), "{cause}");
}

#[test]
fn a_file_for_somebody_else_is_refused() {
    let (encrypted, other) = (Encrypted::new(), Encrypted::new());
    encrypted.write("a", &run("age", &["-r", &other.recipient], b"value"));
    assert_failure(&encrypted, SourceErrorKind::PermissionDenied, "not encrypted for any of the identities");
}

#[test]
fn what_is_damaged_or_no_file_of_age_is_invalid() {
    let encrypted = Encrypted::new();
    let whole = run("age", &["-r", &encrypted.recipient], b"value");
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let short = whole.split_last().unwrap().1;
    for bytes in [&flipped, short, b"", b"plain text\n", &b"plain text\n".repeat(99)] {
        encrypted.write("a", bytes);
        assert_failure(&encrypted, SourceErrorKind::InvalidData, "is damaged, or not a file of age");
    }
}

#[test]
fn what_is_no_regular_file_is_invalid() {
    let encrypted = Encrypted::new();
    fs::create_dir_all(encrypted.path("a")).unwrap();
    assert_failure(&encrypted, SourceErrorKind::InvalidData, "is not a regular file");
}

#[test]
fn a_link_that_leads_nowhere_is_unavailable() {
    let encrypted = Encrypted::new();
    let path = encrypted.path("a");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink("none", &path).unwrap();
    assert_failure(&encrypted, SourceErrorKind::Unavailable, "cannot be read");
    fs::remove_file(&path).unwrap();
    assert_failure(&encrypted, SourceErrorKind::NotFound, "cannot be read");
}

#[test]
fn a_file_without_a_good_identity_is_unauthenticated_and_is_not_quoted() {
    let encrypted = Encrypted::new();
    encrypted.write("a", &run("age", &["-r", &encrypted.recipient], b"value"));
    for (text, words) in [
        ("# only a comment\n", "holds no identity"),
        ("# one\nAGE-SECRET-KEY-1ABCDEFGH\n", "on line 2"),
        ("-----BEGIN AGE ENCRYPTED FILE-----\n", "on line 1"),
    ] {
        fs::write(encrypted.identities(), text).unwrap();
        assert_failure(&encrypted, SourceErrorKind::Unauthenticated, words);
        let shown = format!("{:?}", failure(encrypted.folder.path()));
        assert!(!shown.contains("ABCDEFGH") && !shown.contains("BEGIN"), "{shown}");
    }
    fs::remove_file(encrypted.identities()).unwrap();
    assert_failure(&encrypted, SourceErrorKind::Unauthenticated, "No such file");
}
