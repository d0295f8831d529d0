//! The settings under `[sources.NAME]`.

mod target;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use schemars::JsonSchema;
use secretdir_http_client::{Client, HeaderName, Method, Tls, TlsSettings};
use secretdir_provider::{Settings, SettingsError};
use serde::Deserialize;

pub(crate) use self::target::Target;
use crate::header::{self, Header, HeaderSettings};
use crate::template::{TextTemplate, Word};

/// The default maximum size of one secret: 1 MiB.
const MOST_BYTES: NonZeroUsize = NonZeroUsize::MIN.saturating_add((1 << 20) - 1);

/// The highest value for the number of redirects.
const MOST_REDIRECTS: u8 = 5;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct HttpSettings {
    /// The URL of each secret. `{secret}` in the path or the query stands for the percent-encoded name of the secret,
    /// `{version}` for its version.
    #[schemars(
        regex(pattern = "^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@{}]"),
        extend("examples" = ["https://store.example.com/v1/secrets/{secret}"])
    )]
    url: String,
    /// "GET", or "POST" with a body. A request may be repeated, so it must only read.
    #[serde(default)]
    #[schemars(extend("default" = "GET"))]
    method: MethodSetting,
    /// With "POST": the JSON body. `{secret}` and `{version}` may stand inside strings, and are escaped.
    #[schemars(extend("examples" = ["{\"name\": \"{secret}\"}"]))]
    body: Option<String>,
    /// The headers of each request: a text, or a table with the location of a credential and a prefix. Each run reads the
    /// credential.
    #[serde(default)]
    #[schemars(extend("examples" = [{ "Authorization": { "prefix": "Bearer ", "file": "/etc/secretdir/token" } }]))]
    headers: BTreeMap<String, HeaderSettings>,
    /// The statuses that mean only that the store has no such secret.
    #[serde(default)]
    #[schemars(inner(range(min = 204, max = 499)), extend("examples" = [[404]]))]
    not_found: Vec<u16>,
    /// The response header with the version of a secret. `status` shows it, so never use one that is derived from the value.
    #[schemars(extend("examples" = ["ETag"]))]
    revision_header: Option<String>,
    /// Maximum number of redirects to follow. Each must lead to the same host and port.
    #[serde(default)]
    #[schemars(range(max = 5))]
    redirects: u8,
    /// Maximum size of one secret in bytes.
    #[serde(default = "default_max_bytes")]
    max_bytes: NonZeroUsize,
    /// A PEM file with the certificate authorities to trust, instead of those of this machine.
    #[schemars(length(min = 1), extend("examples" = ["ca.pem"]))]
    ca_certificate: Option<String>,
    /// A PEM file with the client certificate. It needs `client-key`.
    #[schemars(length(min = 1), extend("examples" = ["client.pem"]))]
    client_certificate: Option<String>,
    /// A PEM file with the key of the client certificate.
    #[schemars(length(min = 1), extend("examples" = ["client-key.pem"]))]
    client_key: Option<String>,
    /// Send the requests to this Unix socket instead of the host of `url`.
    #[schemars(length(min = 1), extend("examples" = ["/run/agent.sock"]))]
    unix_socket: Option<String>,
    /// Allow `http://` for hosts other than this machine. Secrets then cross the network unencrypted.
    #[serde(default)]
    allow_plain_http: bool,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
enum MethodSetting {
    #[default]
    Get,
    Post,
}

/// Validated settings.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) client: Client,
    pub(crate) target: Target,
    pub(crate) method: Method,
    pub(crate) body: Option<TextTemplate>,
    pub(crate) headers: Vec<Header>,
    pub(crate) not_found: Vec<u16>,
    pub(crate) revision_header: Option<HeaderName>,
    pub(crate) redirects: u8,
    pub(crate) max_bytes: usize,
}

fn default_max_bytes() -> NonZeroUsize {
    MOST_BYTES
}

impl HttpSettings {
    /// Checks the rules that the types do not express, and reports every problem.
    pub(crate) fn checked(self, settings: &Settings) -> Result<Checked, SettingsError> {
        let body = self.checked_body();
        let target = Target::checked(&self.url)
            .and_then(|target| self.check_placeholders(target, body.as_ref().ok()))
            .and_then(|target| self.check_scheme(target))
            .map_err(|message| SettingsError::new("url", message));
        let headers = header::checked(&self.headers, settings);
        let transport = both(self.client(settings), self.check_numbers());
        let revision = self.checked_revision();
        let (((target, body), headers), ((client, ()), revision_header)) =
            both(both(both(target, body), headers), both(transport, revision))?;
        Ok(Checked {
            client,
            target,
            method: self.method.into(),
            body,
            headers,
            not_found: self.not_found,
            revision_header,
            redirects: self.redirects,
            max_bytes: self.max_bytes.get(),
        })
    }

    fn checked_body(&self) -> Result<Option<TextTemplate>, SettingsError> {
        let Some(body) = &self.body else { return Ok(None) };
        if self.method == MethodSetting::Get {
            return Err(SettingsError::new("body", "goes with `method = \"POST\"`"));
        }
        let template = TextTemplate::of_json(body);
        let sample = template.fill(&target::sample());
        if serde_json::from_str::<serde::de::IgnoredAny>(&sample).is_err() {
            let message = "must be JSON, with `{secret}` and `{version}` only inside strings";
            return Err(SettingsError::new("body", message));
        }
        Ok(Some(template))
    }

    /// Ensures that different secrets have different requests.
    fn check_placeholders(
        &self,
        target: Target,
        body: Option<&Option<TextTemplate>>,
    ) -> Result<Target, &'static str> {
        let in_body = match body {
            // A wrong body is reported elsewhere.
            None => true,
            Some(body) => body.as_ref().is_some_and(|body| body.has(Word::Secret)),
        };
        if target.template().has(Word::Secret) || in_body {
            return Ok(target);
        }
        Err("needs the placeholder `{secret}` in its path or query, unless `body` has it")
    }

    /// Ensures that no secret crosses a network unencrypted.
    fn check_scheme(&self, target: Target) -> Result<Target, &'static str> {
        let stays_here = target.is_loopback() || self.unix_socket.is_some();
        if target.is_encrypted() || stays_here || self.allow_plain_http {
            return Ok(target);
        }
        Err(
            "would send secrets unencrypted: use https://, or set `allow-plain-http = true` if something else encrypts the connection",
        )
    }

    fn client(&self, settings: &Settings) -> Result<Client, SettingsError> {
        let tls = TlsSettings {
            ca_certificate: self.ca_certificate.as_deref(),
            client_certificate: self.client_certificate.as_deref(),
            client_key: self.client_key.as_deref(),
        };
        let socket = match &self.unix_socket {
            Some(path) => settings.path("unix-socket", path).map(Some),
            None => Ok(None),
        };
        let (tls, socket): (Tls, _) = both(tls.locate(settings), socket)?;
        Ok(match socket {
            Some(socket) => Client::over_unix_socket(socket, tls),
            None => Client::new(tls),
        })
    }

    fn check_numbers(&self) -> Result<(), SettingsError> {
        let redirects = match self.redirects {
            0..=MOST_REDIRECTS => Ok(()),
            _ => Err(SettingsError::new(
                "redirects",
                format!("expected a whole number from 0 to {MOST_REDIRECTS}"),
            )),
        };
        let not_found = match self.not_found.iter().all(|status| can_mean_not_found(*status)) {
            true => Ok(()),
            false => Err(SettingsError::new(
                "not-found",
                "expected statuses such as 404: 204, or one from 400 to 499 except 401, 403, 407, 408, 425 and 429",
            )),
        };
        both(redirects, not_found).map(|_| ())
    }

    fn checked_revision(&self) -> Result<Option<HeaderName>, SettingsError> {
        let Some(name) = &self.revision_header else { return Ok(None) };
        let name = HeaderName::from_bytes(name.as_bytes());
        name.map(Some).map_err(|_| SettingsError::new("revision-header", "is not a valid name for a header"))
    }
}

/// Says whether a status can mean that the store answered and has no such secret.
fn can_mean_not_found(status: u16) -> bool {
    matches!(status, 204 | 400..=499) && !matches!(status, 401 | 403 | 407 | 408 | 425 | 429)
}

/// Combines two results, and keeps the errors of both.
fn both<A, B>(a: Result<A, SettingsError>, b: Result<B, SettingsError>) -> Result<(A, B), SettingsError> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(a), Err(b)) => Err(a.and(b)),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
    }
}

impl From<MethodSetting> for Method {
    fn from(method: MethodSetting) -> Self {
        match method {
            MethodSetting::Get => Self::Get,
            MethodSetting::Post => Self::Post,
        }
    }
}
