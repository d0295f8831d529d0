//! What a configuration says of a source.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use secretdir_provider::{CredentialSettings, Settings, SettingsError};
use serde::Deserialize;
use serde_json::Value;

use crate::path::Path;
use crate::time::LONGEST;

/// Where Vault or OpenBao is, how to log in, and what is to be issued.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(extend("x-secret-name" = "secret/app/password"))]
pub(crate) struct VaultSettings {
    /// The address of the server, or `unix://` and the path of its socket. Without it that of BAO_ADDR or VAULT_ADDR.
    #[schemars(
        regex(pattern = "^([Hh][Tt][Tt][Pp][Ss]?|unix)://"),
        extend("examples" = ["https://vault.internal:8200", "unix:///run/vault/agent.sock"])
    )]
    pub(crate) address: Option<String>,
    /// The namespace. Without it that of BAO_NAMESPACE or VAULT_NAMESPACE.
    #[schemars(length(min = 1), extend("examples" = ["team/shop"]))]
    pub(crate) namespace: Option<String>,
    /// How to log in. Without it the token of BAO_TOKEN, VAULT_TOKEN or `~/.vault-token` is used.
    pub(crate) auth: Option<AuthSettings>,
    /// A PEM file with the authorities to trust instead of those of the machine. Without it that of BAO_CACERT or VAULT_CACERT.
    #[schemars(extend("examples" = ["/etc/ssl/vault-ca.pem"]))]
    pub(crate) ca_certificate: Option<String>,
    /// A PEM file with the certificate to show to the server. Without it that of BAO_CLIENT_CERT or VAULT_CLIENT_CERT.
    #[schemars(extend("examples" = ["/etc/ssl/host.pem"]))]
    pub(crate) client_certificate: Option<String>,
    /// A PEM file with the key of that certificate. Without it that of BAO_CLIENT_KEY or VAULT_CLIENT_KEY.
    #[schemars(extend("examples" = ["/etc/ssl/private/host.key"]))]
    pub(crate) client_key: Option<String>,
    /// Whether to allow `http://` for other hosts than this machine, where everybody on the way can read what is sent.
    #[serde(default)]
    pub(crate) allow_plain_http: bool,
    /// The share of a life after which a lease is renewed, and a certificate replaced; 0.66 by default.
    #[schemars(range(min = 0.1, max = 0.95), extend("examples" = [0.66]))]
    pub(crate) renew_at: Option<f64>,
    /// Mounts of the key-value engine whose secrets have names like those of dynamic ones, such as `kv/creds/app`.
    #[serde(default)]
    #[schemars(extend("examples" = [["kv"]]))]
    pub(crate) kv_mounts: Vec<String>,
    /// What the server is to make, by the name that files use for it: certificates, and what else needs parameters.
    #[serde(default)]
    pub(crate) issue: BTreeMap<String, IssueSettings>,
}

/// How to log in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct AuthSettings {
    /// The method.
    pub(crate) method: Method,
    /// Where the method is mounted, if that is not its usual place.
    #[schemars(length(min = 1), extend("examples" = ["approle"]))]
    pub(crate) mount: Option<String>,
    /// The role: of `kubernetes` and `jwt`, and the name of the role of `cert`.
    #[schemars(length(min = 1), extend("examples" = ["shop"]))]
    pub(crate) role: Option<String>,
    /// The ID of the role of `approle`. Not a secret.
    #[schemars(length(min = 1), extend("examples" = ["3fd2c1a0-0d3c-4a41-8a63-0f3c0d1e2b4a"]))]
    pub(crate) role_id: Option<String>,
    /// The secret ID of `approle`.
    #[serde(default)]
    #[schemars(schema_with = "credential")]
    pub(crate) secret_id: Option<CredentialSettings>,
    /// A wrapping token for the secret ID of `approle`. It can be used once, so it is for `secretdir watch`.
    #[serde(default)]
    #[schemars(schema_with = "credential")]
    pub(crate) wrapped_secret_id: Option<CredentialSettings>,
    /// The token of `token`.
    #[serde(default)]
    #[schemars(schema_with = "credential")]
    pub(crate) token: Option<CredentialSettings>,
    /// The JSON Web Token of `jwt` and `kubernetes`. By default that of the pod's service account.
    #[serde(default)]
    #[schemars(schema_with = "credential")]
    pub(crate) jwt: Option<CredentialSettings>,
}

/// A method to log in.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Method {
    /// A token that somebody else has got.
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

/// One thing that the server is to make.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct IssueSettings {
    /// The path that makes it.
    #[schemars(length(min = 1), extend("examples" = ["pki/issue/web"]))]
    pub(crate) path: String,
    /// What is sent with the request. With parameters the request is a POST, without them a GET.
    #[serde(default)]
    #[schemars(extend("examples" = [{"common_name": "web.internal", "ttl": "72h"}]))]
    pub(crate) parameters: BTreeMap<String, Value>,
    /// How long it is good, if the answer has neither a lease nor an end.
    #[schemars(
        regex(pattern = r"^(?=.*[1-9])(\s*[0-9]+\s*[a-zA-Z]+)+\s*$"),
        extend("examples" = ["1h"])
    )]
    pub(crate) life: Option<String>,
}

impl IssueSettings {
    /// Returns how long it is good, or what is wrong with what is said of that.
    pub(crate) fn life(&self) -> Result<Option<Duration>, &'static str> {
        let Some(text) = &self.life else { return Ok(None) };
        match humantime::parse_duration(text) {
            Ok(Duration::ZERO) => Err("must be longer than zero"),
            Ok(life) if life > LONGEST => Err("must not be longer than a hundred years"),
            Ok(life) => Ok(Some(life)),
            Err(_) => Err("expected a duration such as \"30m\" or \"1h\""),
        }
    }
}

impl VaultSettings {
    /// Reads the settings and reports everything that is wrong with them, as far as it is no matter of logging in.
    pub(crate) fn read(settings: &Settings) -> Result<Self, SettingsError> {
        let parsed: Self = settings.parse()?;
        let mut problems = Vec::new();
        if parsed.renew_at.is_some_and(|share| !(0.1..=0.95).contains(&share)) {
            problems.push(SettingsError::new("renew-at", "must be between 0.1 and 0.95"));
        }
        if parsed.namespace.as_deref().is_some_and(|name| name.trim_matches('/').is_empty()) {
            problems.push(SettingsError::new(
                "namespace",
                "must not be empty; leave it out for the root namespace",
            ));
        }
        for (name, issue) in &parsed.issue {
            let at = |key: &str| secretdir_provider::KeyPath::from(["issue", name.as_str()]).key(key);
            if let Err(why) = Path::parse(&issue.path) {
                problems.push(SettingsError::new(at("path"), why.to_string()));
            }
            if let Err(why) = issue.life() {
                problems.push(SettingsError::new(at("life"), why));
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
                    "must be a name without `/`, so that it is no path of the server",
                ));
            }
        }
        problems.into_iter().reduce(SettingsError::and).map_or(Ok(parsed), Err)
    }
}

fn credential(_: &mut SchemaGenerator) -> Schema {
    // It is a JSON object, as its own tests say.
    serde_json::from_str(CredentialSettings::SCHEMA).unwrap_or_default()
}
