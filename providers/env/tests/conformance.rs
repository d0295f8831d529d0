//! The provider keeps the contract, with variables that are given to it and with those of a process.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::num::NonZeroUsize;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::pin::pin;
use std::process::Command;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use secretdir_conformance::{BadSettings, Fixture, Skip, conformance_tests};
use secretdir_provider::{
    Provider as _, RunContext, SecretRequest, SecretSource, Settings, SourceError, SourceErrorKind, Table,
    Warnings,
};
use secretdir_provider_env::EnvProvider;

struct Variables(BTreeMap<OsString, OsString>);

impl Fixture for Variables {
    type Provider = EnvProvider;

    async fn start() -> Self {
        Self(BTreeMap::new())
    }

    async fn put(&mut self, name: &str, value: &[u8]) {
        self.0.insert(format!("APP_{name}").into(), OsString::from_vec(value.to_owned()));
    }

    fn provider(&self) -> EnvProvider {
        EnvProvider::with_variables(self.0.clone())
    }

    fn settings(&self) -> Table {
        prefix("APP_")
    }

    fn settings_of_no_store(&self) -> Table {
        prefix("NO_SUCH_PREFIX_")
    }

    fn bad_settings(&self) -> Vec<BadSettings> {
        ["A=", "A\0"].map(|text| BadSettings::new(prefix(text), "prefix")).into()
    }

    fn name(&self, label: &str) -> String {
        label.to_uppercase().replace('-', "_")
    }

    fn good_names(&self) -> Vec<String> {
        ["TOKEN", "lower", "1", "with-hyphen", "ü"].map(str::to_owned).into()
    }

    fn bad_names(&self) -> Vec<String> {
        ["", "=", "A=B", "A\0B"].map(str::to_owned).into()
    }

    fn skips() -> Vec<Skip> {
        let reason = "a variable is in memory: asking for it takes no time";
        vec![
            // Without variables of its prefix it has no secrets: what is not there is covered by the rule of absent secrets.
            Skip::new("an_absent_store_is_an_error", "a process always has an environment"),
            Skip::new("all_256_byte_values_survive", "an environment variable cannot hold a NUL"),
            Skip::new("throttling_is_reported_as_such", reason),
            Skip::new("a_store_that_hangs_is_a_time_out", reason),
            Skip::new("what_arrived_before_the_deadline_counts", reason),
            Skip::new("a_store_that_appears_later_is_found", "a process always has an environment"),
            Skip::new("a_later_run_sees_what_has_changed", "the environment of a process stays as it is"),
            Skip::new("no_more_requests_are_in_flight_than_allowed", reason),
            Skip::new("damaged_data_is_not_shown", "a variable is a value, whatever is in it"),
            Skip::new("a_relative_path_counts_from_the_configuration", "no setting is a path"),
        ]
    }
}

conformance_tests!(Variables);

fn prefix(text: &str) -> Table {
    Table::from([("prefix", text)])
}

fn source(provider: EnvProvider, table: Table) -> Box<dyn SecretSource> {
    provider.source(Settings::new(table, "/")).unwrap()
}

fn context() -> RunContext {
    RunContext::builder().timeout(Duration::from_secs(60)).concurrency(NonZeroUsize::MIN).build()
}

/// Returns what comes of a future that never has to wait.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => unreachable!("an environment takes no time"),
    }
}

/// Fetches a secret from the environment of this process; without a prefix, if none is given.
fn fetch_from_process(table: Table, name: &str) -> Option<Vec<u8>> {
    let answer = at_once(source(EnvProvider::new(), table).fetch(&context(), &SecretRequest::new(name)));
    answer.ok().map(|secret| secret.expose_secret().to_owned())
}

/// Lists what is below a prefix, where these variables are set. Returns the warnings too.
fn list(variables: &[&[u8]], table: Table, prefix: &str) -> (Result<Vec<String>, SourceError>, Vec<String>) {
    let variables = variables.iter().map(|name| (OsStr::from_bytes(name).to_owned(), "value"));
    let warnings = Warnings::default();
    let context = RunContext::builder().warnings(warnings.clone()).build();
    let source = source(EnvProvider::with_variables(variables), table);
    let listed = at_once(secretdir_conformance::list(&*source, &context, prefix));
    (listed, warnings.to_vec())
}

#[test]
fn a_listing_has_the_names_behind_the_prefix_of_the_source() {
    let variables: [&[u8]; 6] = [b"APP_DB_USER", b"APP_DB_", b"APP_DBX", b"APP_", b"DB_USER", b"=APP_DB_"];
    for (table, below, expected) in [
        (prefix("APP_"), "", &["DBX", "DB_", "DB_USER"][..]),
        (prefix("APP_"), "DB_", &["DB_", "DB_USER"]),
        (prefix("APP_DB_"), "", &["USER"]),
        (prefix("APP_"), "db_", &[]),
        (Table::new(), "", &["APP_", "APP_DBX", "APP_DB_", "APP_DB_USER", "DB_USER"]),
    ] {
        let (listed, warnings) = list(&variables, table, below);
        assert_eq!(listed.unwrap(), expected, "{below:?}");
        assert_eq!(warnings, [""; 0]);
    }
}

#[test]
fn a_variable_that_nobody_can_ask_for_is_told_and_not_listed() {
    let variables: [&[u8]; 3] = [b"APP_A", b"APP_\xff", b"OTHER_\xff"];
    let (listed, warnings) = list(&variables, prefix("APP_"), "");
    assert_eq!(listed.unwrap(), ["A"]);
    assert_eq!(
        warnings,
        [r#"the name of the environment variable "APP_\xFF" is not UTF-8: it is not listed"#]
    );
}

#[test]
fn a_prefix_that_no_variable_can_have_is_an_invalid_request() {
    for below in ["=", "A=", "A\0"] {
        let error = list(&[b"APP_A"], prefix("APP_"), below).0.unwrap_err();
        let checked = source(EnvProvider::new(), prefix("APP_")).check_prefix(below).unwrap_err();
        assert_eq!([error.kind(), checked.kind()], [SourceErrorKind::InvalidRequest; 2], "{below:?}");
    }
}

/// Runs in a process that the test below starts: an environment can be set safely for a new process only.
#[test]
#[ignore = "is run by `the_environment_of_the_process_is_read`"]
fn in_a_process_of_its_own() {
    assert_eq!(fetch_from_process(prefix("SECRETDIR_"), "TEST").unwrap(), b" \xff\n");
    assert_eq!(fetch_from_process(Table::new(), "SECRETDIR_TEST").unwrap(), b" \xff\n");
    assert_eq!(fetch_from_process(Table::new(), "SECRETDIR_EMPTY").unwrap(), b"");
    assert_eq!(fetch_from_process(Table::new(), "TEST"), None);
    let source = source(EnvProvider::new(), prefix("SECRETDIR_"));
    let listed = at_once(secretdir_conformance::list(&*source, &context(), "TES"));
    assert_eq!(listed.unwrap(), ["TEST"]);
}

#[test]
fn the_environment_of_the_process_is_read() {
    let this = std::env::current_exe().unwrap();
    let output = Command::new(this)
        .args(["--exact", "in_a_process_of_its_own", "--ignored"])
        .env_clear()
        .env("SECRETDIR_TEST", OsStr::from_bytes(b" \xff\n"))
        .env("SECRETDIR_EMPTY", "")
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && report.contains("1 passed"), "{report}");
}
