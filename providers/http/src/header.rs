//! The headers of requests: fixed texts, and credentials that each run reads.

mod settings;

use std::collections::{BTreeMap, BTreeSet};

use secretdir_http_client::{HeaderName, HeaderValue, secret_header};
use secretdir_provider::{
    Credential, KeyPath, SecretBuffer, Settings, SettingsError, SourceError, SourceErrorKind,
};

pub(crate) use self::settings::HeaderSettings;

/// The headers that the client sets itself, or whose answers this provider cannot read.
const RESERVED: [&str; 12] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The parts of names that mark headers with credentials.
const SENSITIVE: [&str; 9] =
    ["authorization", "token", "secret", "password", "cookie", "api-key", "apikey", "access-key", "auth-key"];

/// The setting with all headers.
const KEY: &str = "headers";

/// One header.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    name: HeaderName,
    value: Value,
}

#[derive(Clone, Debug)]
enum Value {
    Text(HeaderValue),
    Secret { prefix: String, credential: Credential },
}

/// Checks all headers, and reports every problem.
pub(crate) fn checked(
    headers: &BTreeMap<String, HeaderSettings>,
    settings: &Settings,
) -> Result<Vec<Header>, SettingsError> {
    let mut names = BTreeSet::new();
    let mut good = Vec::new();
    let mut problems = Vec::new();
    for (name, value) in headers {
        let key = KeyPath::from([KEY, name]);
        match Header::checked(name, value, &key, settings) {
            Ok(header) if names.insert(header.name.as_str().to_owned()) => good.push(header),
            Ok(_) => {
                problems.push(SettingsError::new(key, "occurs twice: upper and lower case are the same"))
            }
            Err(error) => problems.push(error),
        }
    }
    problems.into_iter().reduce(SettingsError::and).map_or(Ok(good), Err)
}

impl Header {
    fn checked(
        name: &str,
        value: &HeaderSettings,
        key: &KeyPath,
        settings: &Settings,
    ) -> Result<Self, SettingsError> {
        let wrong = |message: &str| SettingsError::new(key.clone(), message);
        let name =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong("is not a valid name for a header"))?;
        if RESERVED.contains(&name.as_str()) {
            return Err(wrong("is set by the HTTP client itself"));
        }
        let value = match value {
            HeaderSettings::Text(_) if is_sensitive(&name) => {
                return Err(wrong(
                    "is a credential, which must not be in a configuration; write { file = \"…\" }, { env = \"…\" } or \
                     { credential = \"…\" }, with `prefix = \"Bearer \"` if it needs one",
                ));
            }
            HeaderSettings::Text(text) => Value::Text(
                HeaderValue::from_str(text)
                    .map_err(|_| wrong("holds a character that no header can have"))?,
            ),
            HeaderSettings::Secret { prefix, credential } => {
                check_prefix(prefix, &name)
                    .map_err(|message| SettingsError::new(key.clone().key("prefix"), message))?;
                let credential = settings.credential(key.clone(), credential)?;
                Value::Secret { prefix: prefix.clone(), credential }
            }
        };
        Ok(Self { name, value })
    }

    pub(crate) fn name(&self) -> &HeaderName {
        &self.name
    }

    /// Returns the value. If it has a credential, reads it.
    pub(crate) fn read(&self) -> Result<HeaderValue, SourceError> {
        let (prefix, credential) = match &self.value {
            Value::Text(value) => return Ok(value.clone()),
            Value::Secret { prefix, credential } => (prefix, credential),
        };
        let secret = credential.read()?;
        let mut value = SecretBuffer::with_capacity(prefix.len() + secret.expose_secret().len());
        value.extend_from_slice(prefix.as_bytes());
        value.extend_from_slice(secret.expose_secret());
        secret_header(value).map_err(|error| {
            SourceError::new(SourceErrorKind::Unauthenticated)
                .with_cause(format!("{credential} {error}"))
                .with_hint("a credential in a header is one line of text")
        })
    }
}

fn is_sensitive(name: &HeaderName) -> bool {
    SENSITIVE.iter().any(|part| name.as_str().contains(part))
}

fn check_prefix(prefix: &str, name: &HeaderName) -> Result<(), &'static str> {
    if HeaderValue::from_str(prefix).is_err() {
        return Err("holds a character that no header can have");
    }
    if name.as_str() == "authorization" && !prefix.is_empty() && !prefix.ends_with(' ') {
        return Err("must end with a space, as in \"Bearer \": the credential follows directly");
    }
    Ok(())
}
