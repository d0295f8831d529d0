//! The provider against servers of this machine, good ones and those with a fault.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "conformance/redirects.rs"]
mod redirects;
#[path = "conformance/requests.rs"]
mod requests;
#[path = "conformance/settings.rs"]
mod settings;
#[path = "conformance/statuses.rs"]
mod statuses;
#[path = "conformance/support.rs"]
mod support;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secretdir_conformance::{BadSettings, Fixture, Skip, conformance_tests};
use secretdir_provider::{Table, Value};
use secretdir_provider_http::HttpProvider;
use secretdir_testkit::{Message, Reply, Stub};
use tempfile::TempDir;

use support::{TOKEN, bearer, table};

/// The secrets of a store, by the path that each is asked for.
type Secrets = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// A store with a token, and other servers that the rules ask for.
struct Store {
    secrets: Secrets,
    stub: Stub,
    other: Option<Stub>,
    /// Where a server is to listen later.
    later: Option<SocketAddr>,
    folder: TempDir,
}

impl Store {
    /// Answers as a good store does.
    fn answer(secrets: &Secrets, message: &Message) -> Reply {
        if message.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return Reply::json(401, "{}");
        }
        let path = message.first_line.split(' ').nth(1).unwrap_or_default();
        match secrets.lock().unwrap().get(path) {
            Some(value) => Reply::Kept(value.clone()),
            None => Reply::json(404, r#"{"message": "no such item"}"#),
        }
    }

    fn settings_of(&self, endpoint: &str) -> Table {
        let mut settings = table(&format!("{endpoint}/v1/{{secret}}?of=tests"));
        settings.insert("headers", bearer(self.folder.path()));
        settings.insert("not-found", Value::Array(vec![Value::Integer(404)]));
        settings
    }

    fn settings_of_other(&mut self, stub: Stub) -> Option<Table> {
        let endpoint = self.other.insert(stub).endpoint();
        Some(self.settings_of(&endpoint))
    }
}

impl Fixture for Store {
    type Provider = HttpProvider;

    async fn start() -> Self {
        let secrets = Secrets::default();
        let shared = Arc::clone(&secrets);
        let stub = Stub::answering(move |message| Self::answer(&shared, message));
        Self { secrets, stub, other: None, later: None, folder: TempDir::new().unwrap() }
    }

    async fn put(&mut self, name: &str, value: &[u8]) {
        self.secrets.lock().unwrap().insert(format!("/v1/{name}?of=tests"), value.to_vec());
    }

    fn provider(&self) -> HttpProvider {
        HttpProvider
    }

    fn settings(&self) -> Table {
        self.settings_of(&self.stub.endpoint())
    }

    fn settings_of_no_store(&self) -> Table {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        self.settings_of(&format!("http://{free}"))
    }

    fn settings_of_throttling_store(&mut self) -> Option<Table> {
        self.settings_of_other(Stub::start(Reply::json(429, "{}")))
    }

    fn settings_of_hanging_store(&mut self) -> Option<Table> {
        self.settings_of_other(Stub::start(Reply::Silence))
    }

    fn settings_of_stalling_store(&mut self) -> Option<Table> {
        let replies = vec![("first", Reply::Kept(b"first".to_vec())), ("second", Reply::Silence)];
        self.settings_of_other(Stub::by_text(replies))
    }

    fn settings_of_later_store(&mut self) -> Option<Table> {
        // Nobody else uses this address, so the port stays free.
        let address = TcpListener::bind("127.0.0.3:0").unwrap().local_addr().unwrap();
        self.later = Some(address);
        Some(self.settings_of(&format!("http://{address}")))
    }

    async fn open_later_store(&mut self, _: &str, value: &[u8]) {
        self.other = Some(Stub::at(self.later.unwrap(), Reply::Kept(value.to_vec())));
    }

    fn settings_of_counting_store(&mut self) -> Option<Table> {
        let slow = Stub::slow(Reply::Kept(b"value".to_vec()), Duration::from_millis(30));
        self.settings_of_other(slow)
    }

    fn most_at_once(&self) -> usize {
        self.other.as_ref().map_or(0, Stub::most_at_once)
    }

    fn settings_with_relative_path(&mut self) -> Option<Table> {
        let mut settings = self.settings();
        let credential = Table::from([("prefix", "Bearer "), ("file", "token")]);
        settings.insert("headers", Table::from([("Authorization", Value::from(credential))]));
        Some(settings)
    }

    fn base_dir(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    fn bad_settings(&self) -> Vec<BadSettings> {
        settings::bad().into_iter().map(|(table, path, _)| BadSettings::new(table, path)).collect()
    }

    fn good_names(&self) -> Vec<String> {
        ["a/b", "a b", "ü", "a?b#c", "%2e", "...", "a:b@c"].map(str::to_owned).into()
    }

    fn bad_names(&self) -> Vec<String> {
        ["", "/a", "a/", "a//b", "..", "a/../b", ".", "a\nb"].map(str::to_owned).into()
    }

    fn credentials(&self) -> Vec<String> {
        vec![TOKEN.to_owned()]
    }

    fn skips() -> Vec<Skip> {
        vec![Skip::new("damaged_data_is_not_shown", "the body of an answer is a value, whatever is in it")]
    }
}

conformance_tests!(Store);
