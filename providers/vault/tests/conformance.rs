//! The provider keeps the contract of all providers, with a real server.
//!
//! A value of this store is always a JSON object, and the rules want any bytes. So the provider under test is the real one with one field
//! picked, as the engine does it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::net::{SocketAddr, TcpListener};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use secretdir_conformance::{BadSettings, Fixture, conformance_tests};
use secretdir_provider::{
    Held, Listed, Provider, Refreshed, RunContext, Secret, SecretRequest, SecretSource, Settings,
    SettingsError, SettingsSchema, SourceError, Table, async_trait,
};
use secretdir_provider_vault::VaultProvider;
use secretdir_testkit::{Bao, ROOT_TOKEN, Reply, Stub};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

/// The provider, with the only field of each secret, which is hexadecimal.
struct OneField(VaultProvider);

struct OneFieldSource(Box<dyn SecretSource>);

impl Provider for OneField {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn source(&self, settings: Settings) -> Result<Box<dyn SecretSource>, SettingsError> {
        Ok(Box::new(OneFieldSource(self.0.source(settings)?)))
    }

    fn settings_schema(&self) -> Option<SettingsSchema> {
        self.0.settings_schema()
    }
}

#[async_trait]
impl SecretSource for OneFieldSource {
    fn check(&self, request: &SecretRequest) -> Result<(), SourceError> {
        self.0.check(request)
    }

    fn check_prefix(&self, prefix: &str) -> Result<(), SourceError> {
        self.0.check_prefix(prefix)
    }

    async fn fetch(&self, run: &RunContext, request: &SecretRequest) -> Result<Secret, SourceError> {
        let secret = self.0.fetch(run, request).await?;
        if self.0.issues(request) {
            return Ok(secret);
        }
        let object: Value = serde_json::from_slice(secret.expose_secret()).unwrap();
        let text = object["hex"].as_str().unwrap().as_bytes();
        let digits = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        let picked = Secret::new(text.chunks(2).map(digits).collect::<Vec<_>>());
        Ok(match secret.revision() {
            Some(revision) => picked.with_revision(revision),
            None => picked,
        })
    }

    fn issues(&self, request: &SecretRequest) -> bool {
        self.0.issues(request)
    }

    async fn refresh(
        &self,
        run: &RunContext,
        request: &SecretRequest,
        held: &Held,
    ) -> Result<Refreshed, SourceError> {
        self.0.refresh(run, request, held).await
    }

    async fn release(&self, run: &RunContext, leases: &[String]) -> Result<(), SourceError> {
        self.0.release(run, leases).await
    }

    async fn close(&self, run: &RunContext) {
        self.0.close(run).await;
    }

    async fn list(&self, run: &RunContext, prefix: &str) -> Result<Vec<Listed>, SourceError> {
        self.0.list(run, prefix).await
    }
}

/// A folder of a server that all fixtures share.
struct Folder {
    number: usize,
    token: NamedTempFile,
    other: Option<Stub>,
    /// Where a server is to listen later.
    later: Option<SocketAddr>,
}

fn hex(value: &[u8]) -> String {
    value.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a server says to whoever asks for the engine, and to whoever asks for a secret.
fn answer(value: &[u8]) -> String {
    json!({ "data": { "path": "secret/", "type": "kv", "options": { "version": "1" }, "hex": hex(value) } })
        .to_string()
}

fn bao() -> &'static Bao {
    static BAO: OnceLock<Bao> = OnceLock::new();
    BAO.get_or_init(Bao::start)
}

impl Folder {
    fn settings_of(&self, endpoint: &str) -> Table {
        let token = Table::from([("file", self.token.path().display().to_string())]);
        let mut auth = Table::from([("method", "token")]);
        auth.insert("token", token);
        let mut settings = Table::from([("address", endpoint)]);
        settings.insert("auth", auth);
        settings
    }
}

impl Fixture for Folder {
    type Provider = OneField;

    async fn start() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let token = NamedTempFile::new().unwrap();
        std::fs::write(token.path(), ROOT_TOKEN).unwrap();
        Self { number: COUNT.fetch_add(1, Ordering::SeqCst), token, other: None, later: None }
    }

    async fn put(&mut self, name: &str, value: &[u8]) {
        let hex = hex(value);
        let rest = name.strip_prefix("secret/").unwrap();
        bao().write(&format!("secret/data/{rest}"), &json!({ "data": { "hex": hex } }));
    }

    fn provider(&self) -> OneField {
        OneField(VaultProvider)
    }

    fn settings(&self) -> Table {
        self.settings_of(&bao().endpoint())
    }

    fn settings_of_no_store(&self) -> Table {
        self.settings_of("http://127.0.0.1:1")
    }

    fn settings_of_throttling_store(&mut self) -> Option<Table> {
        let stub = self.other.insert(Stub::start(Reply::json(429, r#"{"errors":["quota"]}"#)));
        let endpoint = stub.endpoint();
        Some(self.settings_of(&endpoint))
    }

    fn settings_of_hanging_store(&mut self) -> Option<Table> {
        let endpoint = self.other.insert(Stub::start(Reply::Silence)).endpoint();
        Some(self.settings_of(&endpoint))
    }

    fn settings_of_stalling_store(&mut self) -> Option<Table> {
        let replies = vec![
            ("ui/mounts", Reply::Kept(answer(b"").into())),
            ("first", Reply::Kept(answer(b"first").into())),
            ("second", Reply::Silence),
        ];
        let endpoint = self.other.insert(Stub::by_text(replies)).endpoint();
        Some(self.settings_of(&endpoint))
    }

    fn settings_of_later_store(&mut self) -> Option<Table> {
        // Nobody else uses this address, so the port stays free.
        let address = TcpListener::bind("127.0.0.3:0").unwrap().local_addr().unwrap();
        self.later = Some(address);
        Some(self.settings_of(&format!("http://{address}")))
    }

    async fn open_later_store(&mut self, _: &str, value: &[u8]) {
        self.other = Some(Stub::at(self.later.unwrap(), Reply::Kept(answer(value).into())));
    }

    fn settings_of_damaged_store(&mut self, value: &str) -> Option<Table> {
        let replies = vec![
            ("ui/mounts", Reply::Kept(answer(b"").into())),
            ("damaged", Reply::json(200, format!(r#"{{"data":{{"hex":"{value}"#))),
        ];
        let endpoint = self.other.insert(Stub::by_text(replies)).endpoint();
        Some(self.settings_of(&endpoint))
    }

    /// The token is a file in the folder for temporary files, which is the one that paths count from.
    fn settings_with_relative_path(&mut self) -> Option<Table> {
        let name = self.token.path().file_name()?.to_str()?;
        let mut auth = Table::from([("method", "token")]);
        auth.insert("token", Table::from([("file", name)]));
        let mut settings = self.settings();
        settings.insert("auth", auth);
        Some(settings)
    }

    fn settings_of_counting_store(&mut self) -> Option<Table> {
        let slow = Stub::slow(Reply::Kept(answer(b"value").into()), Duration::from_millis(30));
        let endpoint = self.other.insert(slow).endpoint();
        Some(self.settings_of(&endpoint))
    }

    fn most_at_once(&self) -> usize {
        self.other.as_ref().map_or(0, Stub::most_at_once)
    }

    fn making_request(&mut self) -> Option<(Table, SecretRequest)> {
        let (bao, mount) = (bao(), format!("pki-{}", self.number));
        bao.write(&format!("sys/mounts/{mount}"), &json!({ "type": "pki" }));
        let root = json!({ "common_name": "root of the tests", "key_type": "ec", "key_bits": 256 });
        bao.write(&format!("{mount}/root/generate/internal"), &root);
        let role =
            json!({ "allow_any_name": true, "generate_lease": true, "key_type": "ec", "key_bits": 256 });
        bao.write(&format!("{mount}/roles/web"), &role);
        let mut settings = self.settings();
        let mut web = Table::from([("path", format!("{mount}/issue/web"))]);
        web.insert("parameters", Table::from([("common_name", "web.internal"), ("ttl", "600s")]));
        settings.insert("issue", Table::from([("web", web)]));
        Some((settings, SecretRequest::new("web")))
    }

    fn bad_settings(&self) -> Vec<BadSettings> {
        ["ftp://x", "https://", "http://vault.internal"]
            .map(|address| BadSettings::new(Table::from([("address", address)]), "address"))
            .into()
    }

    fn name(&self, label: &str) -> String {
        format!("secret/conformance/{}/{label}", self.number)
    }

    fn good_names(&self) -> Vec<String> {
        ["secret/a", "team/kv/a b", "database/creds/app"].map(str::to_owned).into()
    }

    fn bad_names(&self) -> Vec<String> {
        ["", "secret", "/secret/a", "secret/a/", "secret//a", "secret/../a", "v1/secret/a", "secret/a\nb"]
            .map(str::to_owned)
            .into()
    }

    fn good_versions(&self) -> Vec<String> {
        ["1", "12"].map(str::to_owned).into()
    }

    fn credentials(&self) -> Vec<String> {
        vec![ROOT_TOKEN.to_owned()]
    }
}

conformance_tests!(Folder);
