//! A source that asks a server, and what it is told.

use std::error::Error as _;
use std::sync::OnceLock;
use std::time::Duration;

use secretdir_provider::{
    Provider as _, RunContext, Secret, SecretRequest, SecretSource, Settings, SourceError, SourceErrorKind,
    Table, Value, Warnings,
};
use secretdir_provider_vault::VaultProvider;
use secretdir_testkit::{Bao, Forwarder, ROOT_TOKEN};
use serde_json::json;

/// The server that most tests share. Each has paths of its own.
pub(crate) fn bao() -> &'static Bao {
    static BAO: OnceLock<Bao> = OnceLock::new();
    BAO.get_or_init(Bao::start)
}

/// Makes a table of TOML, whose keys may be dotted.
pub(crate) fn table(text: &str) -> Table {
    let table: toml::Table = text.parse().unwrap();
    converted(table)
}

fn converted(table: toml::Table) -> Table {
    table.into_iter().map(|(key, value)| (key, value_of(value))).collect()
}

fn value_of(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::Integer(number),
        toml::Value::Float(number) => Value::Float(number),
        toml::Value::Boolean(boolean) => Value::Boolean(boolean),
        toml::Value::Array(items) => Value::Array(items.into_iter().map(value_of).collect()),
        toml::Value::Table(table) => Value::Table(converted(table)),
        toml::Value::Datetime(_) => panic!("no setting is a date"),
    }
}

/// Makes a source.
pub(crate) fn source(settings: &str) -> Box<dyn SecretSource> {
    VaultProvider.source(Settings::new(table(settings), std::env::temp_dir())).unwrap()
}

/// What is wrong with settings: each with its key.
pub(crate) fn problems(settings: &str) -> Vec<(String, String)> {
    let Err(error) = VaultProvider.source(Settings::new(table(settings), std::env::temp_dir())) else {
        panic!("they are good")
    };
    let problems = error.problems().iter();
    problems.map(|problem| (problem.path().to_string(), problem.message().to_owned())).collect()
}

/// A file that holds a credential.
pub(crate) struct Credential(tempfile::NamedTempFile);

impl Credential {
    pub(crate) fn new(value: &str) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), value).unwrap();
        Self(file)
    }

    pub(crate) fn set(&self, value: &str) {
        std::fs::write(self.0.path(), value).unwrap();
    }

    /// Returns `{ file = "…" }`.
    pub(crate) fn setting(&self) -> String {
        format!("{{ file = {:?} }}", self.0.path().display().to_string())
    }
}

/// Settings with the token that may do everything.
pub(crate) struct Root(Credential);

impl Root {
    pub(crate) fn new() -> Self {
        Self(Credential::new(ROOT_TOKEN))
    }

    pub(crate) fn settings(&self, endpoint: &str) -> String {
        format!("address = \"{endpoint}\"\nauth = {{ method = \"token\", token = {} }}\n", self.0.setting())
    }
}

/// An AppRole of the shared server.
pub(crate) struct Role {
    mount: &'static str,
    pub(crate) role_id: String,
    pub(crate) secret_id: Credential,
}

impl Role {
    /// Makes one with these policies, and more settings of the role.
    pub(crate) fn make(name: &str, policy: &str, more: &serde_json::Value) -> Self {
        Self::make_at("approle", name, policy, more)
    }

    /// Makes one of a method that is mounted elsewhere.
    pub(crate) fn make_at(mount: &'static str, name: &str, policy: &str, more: &serde_json::Value) -> Self {
        let bao = bao();
        bao.request_as(ROOT_TOKEN, "POST", &format!("sys/auth/{mount}"), &json!({ "type": "approle" }));
        bao.write(&format!("sys/policies/acl/{name}"), &json!({ "policy": policy }));
        let mut role = json!({ "token_policies": [name] });
        role.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let path = format!("auth/{mount}/role/{name}");
        bao.write(&path, &role);
        let role_id = bao.request("GET", &format!("{path}/role-id"), &json!(null));
        let role_id = role_id["data"]["role_id"].as_str().unwrap().to_owned();
        let made = bao.write(&format!("{path}/secret-id"), &json!({}));
        let secret_id = Credential::new(made["data"]["secret_id"].as_str().unwrap());
        Self { mount, role_id, secret_id }
    }

    pub(crate) fn settings(&self, endpoint: &str) -> String {
        format!(
            "address = \"{endpoint}\"\nauth = {{ method = \"approle\", mount = \"{}\", role-id = \"{}\", secret-id = {} }}\n",
            self.mount,
            self.role_id,
            self.secret_id.setting()
        )
    }
}

pub(crate) fn run() -> (RunContext, Warnings) {
    let warnings = Warnings::default();
    let run = RunContext::builder().timeout(Duration::from_secs(20)).warnings(warnings.clone()).build();
    (run, warnings)
}

/// Asks for one secret in a run of its own.
pub(crate) async fn fetch(source: &dyn SecretSource, name: &str) -> Result<Secret, SourceError> {
    fetch_version(source, name, None).await
}

pub(crate) async fn fetch_version(
    source: &dyn SecretSource,
    name: &str,
    version: Option<&str>,
) -> Result<Secret, SourceError> {
    let request = SecretRequest::new(name);
    let request = version.map_or(request.clone(), |version| request.with_version(version));
    source.fetch(&run().0, &request).await
}

pub(crate) fn text(secret: &Secret) -> String {
    String::from_utf8(secret.expose_secret().to_vec()).unwrap()
}

/// Tells an error as a person reads it.
pub(crate) fn told(error: &SourceError) -> (SourceErrorKind, String) {
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    let hint = error.hint().map(|hint| format!(" [{hint}]")).unwrap_or_default();
    (error.kind(), format!("{cause}{hint}"))
}

#[track_caller]
pub(crate) fn assert_told(result: Result<Secret, SourceError>, kind: SourceErrorKind, parts: &[&str]) {
    let Err(error) = result else { panic!("it was answered") };
    let (found, text) = told(&error);
    assert_eq!(found, kind, "{text}");
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
    assert!(!text.contains(ROOT_TOKEN) && !text.contains("canary"), "{text}");
}

/// A hundred years, in seconds: the longest that anything is taken to live.
pub(crate) const LONGEST: u64 = 36_525 * 24 * 60 * 60;

pub(crate) fn forwarder() -> Forwarder {
    Forwarder::before(&bao().endpoint())
}

/// A forwarder whose server has an engine for databases, as far as it is only asked for that.
pub(crate) fn forwarder_with_database() -> Forwarder {
    let forwarder = forwarder();
    let mount = r#"{"data":{"path":"database/","type":"database","options":null}}"#;
    forwarder.answer("GET /v1/sys/internal/ui/mounts/database/", 1000, crate::issuing::ok(mount));
    forwarder
}
