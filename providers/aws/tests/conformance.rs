//! The provider against a real `moto_server`, and against servers with a fault.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

#[path = "conformance/answers.rs"]
mod answers;
#[path = "conformance/bounds.rs"]
mod bounds;
#[path = "conformance/certificates.rs"]
mod certificates;
#[path = "conformance/dates.rs"]
mod dates;
#[path = "conformance/environment.rs"]
mod environment;
#[path = "conformance/faults.rs"]
mod faults;
#[path = "conformance/files.rs"]
mod files;
#[path = "conformance/listing.rs"]
mod listing;
#[path = "conformance/lookalikes.rs"]
mod lookalikes;
#[path = "conformance/other_answers.rs"]
mod other_answers;
#[path = "conformance/parameters.rs"]
mod parameters;
#[path = "conformance/permissions.rs"]
mod permissions;
#[path = "conformance/places.rs"]
mod places;
#[path = "conformance/printed.rs"]
mod printed;
#[path = "conformance/proxies.rs"]
mod proxies;
#[path = "conformance/refusals.rs"]
mod refusals;
#[path = "conformance/regions.rs"]
mod regions;
#[path = "conformance/patience.rs"]
mod retry_after;
#[path = "conformance/runs.rs"]
mod runs;
#[path = "conformance/signing_in.rs"]
mod signing_in;
#[path = "conformance/support.rs"]
mod support;
#[path = "conformance/surroundings.rs"]
mod surroundings;
#[path = "conformance/traces.rs"]
mod traces;

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use secretdir_conformance::{BadSettings, Fixture, Skip, conformance_tests};
use secretdir_provider::Table;
use secretdir_provider_aws::WithCredentials;
use secretdir_testkit::{Moto, REGION, Reply, Stub};

/// A corner of one moto server that all the rules share.
struct Corner {
    moto: &'static Moto,
    number: usize,
    /// A server with a fault, or one that counts, for a rule that asks for one.
    stub: Option<Stub>,
    /// The names of the secrets that are there.
    put: BTreeSet<String>,
    /// Where a server is to listen later.
    later: Option<SocketAddr>,
}

impl Corner {
    /// Returns settings for a source that asks this server.
    fn settings_of(&mut self, stub: Stub) -> Table {
        let stub = self.stub.insert(stub);
        support::table(&[("region", REGION), ("endpoint-url", &stub.endpoint())])
    }
}

impl Fixture for Corner {
    type Provider = WithCredentials;

    async fn start() -> Self {
        static MOTO: OnceLock<Moto> = OnceLock::new();
        static CORNERS: AtomicUsize = AtomicUsize::new(0);
        Self {
            moto: MOTO.get_or_init(Moto::start),
            number: CORNERS.fetch_add(1, Ordering::Relaxed),
            stub: None,
            put: BTreeSet::new(),
            later: None,
        }
    }

    async fn put(&mut self, name: &str, value: &[u8]) {
        match str::from_utf8(value) {
            Ok(text) if !self.put.insert(name.to_owned()) => self.moto.put_string(name, text),
            Ok(text) => self.moto.create_string(name, text),
            Err(_) => self.moto.create_binary(name, value),
        };
    }

    fn provider(&self) -> WithCredentials {
        support::provider(self.moto.access_key())
    }

    fn settings(&self) -> Table {
        support::table(&[("region", REGION), ("endpoint-url", &self.moto.endpoint())])
    }

    fn settings_of_no_store(&self) -> Table {
        support::table(&[("region", REGION), ("endpoint-url", &support::endpoint_of_nobody())])
    }

    fn settings_of_throttling_store(&mut self) -> Option<Table> {
        Some(self.settings_of(Stub::start(Reply::json(400, r#"{"__type":"ThrottlingException"}"#))))
    }

    fn settings_of_hanging_store(&mut self) -> Option<Table> {
        Some(self.settings_of(Stub::start(Reply::Silence)))
    }

    fn settings_of_stalling_store(&mut self) -> Option<Table> {
        let denied = Reply::json(400, r#"{"__type":"AccessDeniedException"}"#);
        let first = Reply::json(200, r#"{"SecretString":"first","VersionId":"1"}"#);
        let replies = vec![("SecretIdList", denied), ("/first", first), ("/second", Reply::Silence)];
        Some(self.settings_of(Stub::by_text(replies)))
    }

    fn settings_of_later_store(&mut self) -> Option<Table> {
        // Nobody else uses this address, so the port stays free.
        let address = TcpListener::bind("127.0.0.2:0").unwrap().local_addr().unwrap();
        self.later = Some(address);
        Some(support::table(&[("region", REGION), ("endpoint-url", &format!("http://{address}"))]))
    }

    async fn open_later_store(&mut self, _: &str, value: &[u8]) {
        let value = str::from_utf8(value).unwrap();
        let reply = Reply::json(200, format!(r#"{{"SecretString":"{value}","VersionId":"1"}}"#));
        self.stub = Some(Stub::at(self.later.unwrap(), reply));
    }

    fn settings_of_damaged_store(&mut self, value: &str) -> Option<Table> {
        Some(self.settings_of(Stub::start(Reply::json(200, format!(r#"{{"SecretString":"{value}"#)))))
    }

    fn settings_of_counting_store(&mut self) -> Option<Table> {
        let reply = Reply::json(200, r#"{"SecretString":"value","VersionId":"1"}"#);
        Some(self.settings_of(Stub::slow(reply, Duration::from_millis(30))))
    }

    fn most_at_once(&self) -> usize {
        self.stub.as_ref().map_or(0, Stub::most_at_once)
    }

    fn bad_settings(&self) -> Vec<BadSettings> {
        [("region", ""), ("profile", ""), ("endpoint-url", "localhost:4566"), ("endpoint-url", "")]
            .map(|(key, value)| BadSettings::new(Table::from([(key, value)]), key))
            .into()
    }

    fn name(&self, label: &str) -> String {
        format!("corner-{}/{label}", self.number)
    }

    fn good_names(&self) -> Vec<String> {
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/db-AbCdEf";
        ["app/db", "a_b+c=d.e@f-g", "rds!db-1234", arn].map(str::to_owned).into()
    }

    fn bad_names(&self) -> Vec<String> {
        ["", "a b", "a:b", "arn:aws:s3:::bucket"].map(str::to_owned).into()
    }

    fn good_versions(&self) -> Vec<String> {
        ["AWSCURRENT", "AWSPREVIOUS", "id:01234567-89ab-cdef-0123-456789abcdef"].map(str::to_owned).into()
    }

    fn credentials(&self) -> Vec<String> {
        let key = self.moto.access_key();
        vec![key.id.clone(), key.secret.clone()]
    }

    fn skips() -> Vec<Skip> {
        vec![
            Skip::new(
                "an_empty_value_survives",
                "Secrets Manager keeps no empty value: one has at least one byte",
            ),
            Skip::new("a_relative_path_counts_from_the_configuration", "no setting is a path"),
        ]
    }
}

conformance_tests!(Corner);
