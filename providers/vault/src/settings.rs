//! The settings of a source.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use secretdir_provider::{CredentialSettings, DurationSetting, Settings, SettingsError};
use serde::Deserialize;
use serde_json::Value;

use crate::path::Path;

/// The server (Vault or OpenBao), the login, and the dynamic secrets.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(extend("x-secret-name" = "secret/app/password"))]
pub(crate) struct VaultSettings {
    /// The address of the server, or `unix://` and the path of its socket. If omitted, BAO_ADDR or VAULT_ADDR.
    #[schemars(
        regex(pattern = "^([Hh][Tt][Tt][Pp][Ss]?|unix)://"),
        extend("examples" = ["https://vault.internal:8200", "unix:///run/vault/agent.sock"])
    )]
    pub(crate) address: Option<String>,
    /// The namespace. If omitted, BAO_NAMESPACE or VAULT_NAMESPACE.
    #[schemars(length(min = 1), extend("examples" = ["team/shop"]))]
    pub(crate) namespace: Option<String>,
    /// The login: a table with `method` and the keys of the method. If omitted, the token is in BAO_TOKEN, VAULT_TOKEN or
    /// `~/.vault-token`.
    pub(crate) auth: Option<AuthSettings>,
    /// A PEM file with the certificate authorities to trust, instead of those of this machine. If omitted, BAO_CACERT or
    /// VAULT_CACERT.
    #[schemars(extend("examples" = ["/etc/ssl/vault-ca.pem"]))]
    pub(crate) ca_certificate: Option<String>,
    /// A PEM file with the client certificate. If omitted, BAO_CLIENT_CERT or VAULT_CLIENT_CERT.
    #[schemars(extend("examples" = ["/etc/ssl/host.pem"]))]
    pub(crate) client_certificate: Option<String>,
    /// A PEM file with the key of the client certificate. If omitted, BAO_CLIENT_KEY or VAULT_CLIENT_KEY.
    #[schemars(extend("examples" = ["/etc/ssl/private/host.key"]))]
    pub(crate) client_key: Option<String>,
    /// Allow `http://` for hosts other than this machine. Secrets and tokens then cross the network unencrypted.
    #[serde(default)]
    pub(crate) allow_plain_http: bool,
    /// Share of its life after which a lease is renewed or a certificate replaced. The default is 0.66.
    #[schemars(range(min = 0.1, max = 0.95), extend("examples" = [0.66]))]
    pub(crate) renew_at: Option<f64>,
    /// Mounts of the key-value engine with secrets that look like dynamic ones, such as `kv/creds/app`.
    #[serde(default)]
    #[schemars(extend("examples" = [["kv"]]))]
    pub(crate) kv_mounts: Vec<String>,
    /// Dynamic secrets with parameters, such as certificates, by the names that files use for them.
    #[serde(default)]
    pub(crate) issue: BTreeMap<String, IssueSettings>,
}

/// How to log in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct AuthSettings {
    /// The login method.
    pub(crate) method: Method,
    /// The mount of the method, if it is not the usual one.
    #[schemars(length(min = 1), extend("examples" = ["approle"]))]
    pub(crate) mount: Option<String>,
    /// The role, for `kubernetes`, `jwt` and `cert`.
    #[schemars(length(min = 1), extend("examples" = ["shop"]))]
    pub(crate) role: Option<String>,
    /// The role ID, for `approle`. It is not a secret.
    #[schemars(length(min = 1), extend("examples" = ["3fd2c1a0-0d3c-4a41-8a63-0f3c0d1e2b4a"]))]
    pub(crate) role_id: Option<String>,
    /// The secret ID, for `approle`.
    #[serde(default)]
    #[schemars(schema_with = "credential")]
    pub(crate) secret_id: Option<CredentialSettings>,
    /// A wrapping token of the secret ID, for `approle`. It works only once, so use it with `secretdir watch`.
    #[serde(default)]
    #[schemars(schema_with = "credential")]
    pub(crate) wrapped_secret_id: Option<CredentialSettings>,
    /// The token, for `token`.
    #[serde(default)]
    #[schemars(schema_with = "credential")]
    pub(crate) token: Option<CredentialSettings>,
    /// The JSON Web Token, for `jwt` and `kubernetes`. The default is the token of the service account of the pod.
    #[serde(default)]
    #[schemars(schema_with = "credential")]
    pub(crate) jwt: Option<CredentialSettings>,
}

/// A method to log in.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Method {
    /// A token from elsewhere.
    Token,
    /// A role ID and a secret ID.
    Approle,
    /// The service account of a pod.
    Kubernetes,
    /// A JSON Web Token.
    Jwt,
    /// The client certificate of TLS.
    Cert,
}

/// One dynamic secret.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct IssueSettings {
    /// The path of the request.
    #[schemars(length(min = 1), extend("examples" = ["pki/issue/web"]))]
    pub(crate) path: String,
    /// The parameters of the request. A request with parameters is a POST, otherwise it is a GET.
    #[serde(default)]
    #[schemars(extend("examples" = [{"common_name": "web.internal", "ttl": "72h"}]))]
    pub(crate) parameters: BTreeMap<String, Value>,
    /// Its life, if the answer has neither a lease nor an expiry.
    #[schemars(with = "Option<String>", regex(pattern = DurationSetting::PATTERN), extend("examples" = ["1h"]))]
    pub(crate) life: Option<DurationSetting>,
}

impl VaultSettings {
    /// Reads the settings, and reports every problem except those of the login.
    pub(crate) fn read(settings: &Settings) -> Result<Self, SettingsError> {
        let parsed: Self = settings.parse()?;
        let mut problems = Vec::new();
        if parsed.renew_at.is_some_and(|share| !(0.1..=0.95).contains(&share)) {
            problems.push(SettingsError::new("renew-at", "must be between 0.1 and 0.95"));
        }
        if parsed.namespace.as_deref().is_some_and(|name| name.trim_matches('/').is_empty()) {
            problems
                .push(SettingsError::new("namespace", "must not be empty; omit it to use BAO_NAMESPACE or VAULT_NAMESPACE, or else the root namespace"));
        }
        for (name, issue) in &parsed.issue {
            let at = |key: &str| secretdir_provider::KeyPath::from(["issue", name.as_str()]).key(key);
            if let Err(why) = Path::parse(&issue.path) {
                problems.push(SettingsError::new(at("path"), why.to_string()));
            }
            let nested = issue.parameters.iter().find(|(_, value)| value.is_object() || value.is_null());
            if let Some((key, _)) = nested {
                problems.push(SettingsError::new(
                    at("parameters").key(key.as_str()),
                    "must be a text, a number, a boolean or a list of them",
                ));
            }
            if name.is_empty() || name.contains('/') {
                let at = secretdir_provider::KeyPath::from(["issue", name.as_str()]);
                problems.push(SettingsError::new(
                    at,
                    "must be a name without `/`, to differ from a path of the server",
                ));
            }
        }
        problems.into_iter().reduce(SettingsError::and).map_or(Ok(parsed), Err)
    }
}

fn credential(_: &mut SchemaGenerator) -> Schema {
    // The constant is a JSON object, as its own tests check.
    serde_json::from_str(CredentialSettings::SCHEMA).unwrap_or_default()
}
