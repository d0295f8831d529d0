//! The provider keeps the contract, with variables that are given to it and with those of a process.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::num::NonZeroUsize;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::pin::pin;
use std::process::Command;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use secretdir_conformance::{BadSettings, Fixture, Skip, conformance_tests};
use secretdir_provider::{FetchContext, Provider as _, SecretRequest, Settings, Table, Value};
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
            Skip::new("all_256_byte_values_survive", "an environment variable cannot hold a NUL"),
            Skip::new("throttling_is_reported_as_such", reason),
            Skip::new("a_store_that_hangs_is_a_time_out", reason),
            Skip::new("no_more_requests_are_in_flight_than_allowed", reason),
        ]
    }
}

conformance_tests!(Variables);

fn prefix(text: &str) -> Table {
    Table::from([("prefix".to_owned(), Value::from(text))])
}

/// Fetches a secret from the environment of this process; without a prefix, if none is given.
fn fetch_from_process(table: Table, name: &str) -> Option<Vec<u8>> {
    let source = EnvProvider::new().source(Settings::new(table, "/")).unwrap();
    let context = FetchContext::new(Instant::now() + Duration::from_secs(60), NonZeroUsize::MIN);
    let request = SecretRequest::new(name);
    let answer = pin!(source.fetch(&context, &request)).poll(&mut Context::from_waker(Waker::noop()));
    match answer {
        Poll::Ready(answer) => answer.ok().map(|secret| secret.expose_secret().to_owned()),
        Poll::Pending => None,
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
}

#[test]
fn the_environment_of_the_process_is_read() {
    let this = std::env::current_exe().unwrap();
    let output = Command::new(this)
        .args(["--exact", "in_a_process_of_its_own", "--ignored"])
        .env("SECRETDIR_TEST", OsStr::from_bytes(b" \xff\n"))
        .env("SECRETDIR_EMPTY", "")
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && report.contains("1 passed"), "{report}");
}
