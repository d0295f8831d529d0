//! Logs in: the requests, and the meaning of the answers.
//!
//! A refused login is not retried in the same run, because each login uses up one use of a secret ID.

mod reading;

use std::path::PathBuf;

use secretdir_http_client::HeaderValue;
use secretdir_provider::{
    Credential, RunContext, Secret, SecretBuffer, Settings, SettingsError, SourceError, SourceErrorKind,
};
use zeroize::Zeroizing;

use self::reading::Reading;
use crate::answer::{Auth, Reply};
use crate::environment;
use crate::error;
use crate::server::{Call, Server};
use crate::settings::AuthSettings;

/// The file with the token of a pod's service account.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// A method to log in.
#[derive(Debug)]
pub(crate) enum Login {
    /// A provided token, which another program gets and renews.
    Given(Given),
    AppRole {
        mount: String,
        role_id: String,
        secret_id: SecretId,
    },
    Jwt {
        mount: String,
        role: Option<String>,
        jwt: Jwt,
    },
    Certificate {
        mount: String,
        name: Option<String>,
    },
}

#[derive(Debug)]
pub(crate) enum Given {
    Credential(Credential),
    /// The token of the environment, or of the server's command line.
    Usual,
}

/// The secret ID of an AppRole.
#[derive(Debug)]
pub(crate) enum SecretId {
    /// The role needs none.
    None,
    Plain(Credential),
    /// In a wrapping, which can be opened only once. The secret ID is kept for later logins.
    Wrapped(Credential, tokio::sync::Mutex<Option<Zeroizing<String>>>),
}

#[derive(Debug)]
pub(crate) enum Jwt {
    Credential(Credential),
    ServiceAccount(PathBuf),
}

impl Login {
    /// Reads the login settings, offline.
    pub(crate) fn read(settings: &Settings, auth: Option<&AuthSettings>) -> Result<Self, SettingsError> {
        let Some(auth) = auth else { return Ok(Self::Given(Given::Usual)) };
        Reading { settings, auth }.login()
    }

    /// Logs in, and returns the answer with the token.
    pub(crate) async fn log_in(&self, run: &RunContext, server: &Server) -> Result<Reply, SourceError> {
        let (path, body) = match self {
            Self::Given(_) => return Err(SourceError::unanswered()),
            Self::AppRole { mount, role_id, secret_id } => {
                let secret_id = secret_id.get(run, server, mount).await?;
                let mut fields = vec![("role_id", role_id.as_bytes())];
                fields.extend(secret_id.as_ref().map(|id| ("secret_id", id.as_slice())));
                (format!("auth/{mount}/login"), object(&fields)?)
            }
            Self::Jwt { mount, role, jwt } => {
                let jwt = jwt.read()?;
                let mut fields = vec![("jwt", jwt.expose_secret())];
                fields.extend(role.as_deref().map(|role| ("role", role.as_bytes())));
                (format!("auth/{mount}/login"), object(&fields)?)
            }
            Self::Certificate { mount, name } => {
                let fields: Vec<_> =
                    name.as_deref().map(|name| ("name", name.as_bytes())).into_iter().collect();
                (format!("auth/{mount}/login"), object(&fields)?)
            }
        };
        let reply = server.call(run, None, Call::post(&path, &body)).await?;
        match reply.status {
            200 => Ok(reply),
            // Servers report a wrong login with 400. If nothing is mounted at a path, they answer 403 to a request
            // without a token.
            403 => Err(refusal(&format!("the server allows no login at `auth/{}/`", self.mount()))
                .with_hint("is the method mounted there? see `mount` of `auth`, and `vault auth list`, or `bao auth list`")),
            400 | 401 => Err(self.refused(&reply)),
            404 if reply.says("namespace not found") => Err(error::no_namespace()),
            404 => Err(refusal(&format!("no such method is mounted at `{}`", self.mount()))
                .with_hint("see `mount` of `auth`, and `vault auth list`, or `bao auth list`")),
            _ => Err(error::general(&reply)),
        }
    }

    fn mount(&self) -> &str {
        match self {
            Self::Given(_) => "",
            Self::AppRole { mount, .. } | Self::Jwt { mount, .. } | Self::Certificate { mount, .. } => mount,
        }
    }

    /// Reports why a login was refused. Servers answer 400 to a wrong login.
    fn refused(&self, reply: &Reply) -> SourceError {
        match self {
            _ if reply.says("no handler for route") || reply.says("unsupported path") => {
                refusal(&format!("no such method is mounted at `auth/{}/`", self.mount()))
                    .with_hint("see `mount` of `auth`, and `vault auth list`, or `bao auth list`")
            }
            Self::AppRole { .. } => refusal("the server does not accept the role ID or the secret ID")
                .with_hint("the secret ID may have expired, or reached its limit of uses"),
            Self::Jwt { .. } => refusal("the server does not accept the JSON Web Token for this role")
                .with_hint("the token may have expired, or be for another audience; see also `role`"),
            Self::Certificate { .. } => refusal("the server does not accept the client certificate")
                .with_hint("see `client-certificate`, and the roles of the method `cert`"),
            Self::Given(_) => error::token_ended(),
        }
    }
}

impl Given {
    /// Reads the token.
    pub(crate) fn read(&self) -> Result<HeaderValue, SourceError> {
        let token = match self {
            Self::Credential(credential) => credential.read()?,
            Self::Usual => environment::token()?,
        };
        token_header(token.expose_secret())
    }
}

/// Makes the header with a token.
pub(crate) fn token_header(token: &[u8]) -> Result<HeaderValue, SourceError> {
    if token.is_empty() {
        return Err(refusal("the token is empty"));
    }
    secretdir_http_client::secret_header(token).map_err(|error| refusal(&format!("the token {error}")))
}

impl SecretId {
    async fn get(
        &self,
        run: &RunContext,
        server: &Server,
        mount: &str,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, SourceError> {
        match self {
            Self::None => Ok(None),
            Self::Plain(credential) => Ok(Some(Zeroizing::new(credential.read()?.expose_secret().to_vec()))),
            Self::Wrapped(credential, kept) => {
                let mut kept = kept.lock().await;
                if kept.is_none() {
                    *kept = Some(unwrap(run, server, &credential.read()?, mount).await?);
                }
                Ok(kept.as_ref().map(|id| Zeroizing::new(id.as_bytes().to_vec())))
            }
        }
    }
}

/// Opens a wrapping, after a check of its origin.
async fn unwrap(
    run: &RunContext,
    server: &Server,
    token: &Secret,
    mount: &str,
) -> Result<Zeroizing<String>, SourceError> {
    let body = object(&[("token", token.expose_secret())])?;
    let reply = server.call(run, None, Call::post("sys/wrapping/lookup", &body)).await?;
    let is_secret_id = match reply.status {
        200 => is_of_secret_id(&reply, mount)?,
        400 | 403 | 404 => return Err(opened()),
        _ => return Err(error::general(&reply)),
    };
    if !is_secret_id {
        return Err(refusal("the wrapping token does not wrap a secret ID")
            .with_hint("somebody may have exchanged it: find out who delivered it to this host"));
    }
    let header = token_header(token.expose_secret())?;
    let body = object(&[])?;
    let reply = server.call(run, Some(&header), Call::post("sys/wrapping/unwrap", &body)).await?;
    match reply.status {
        200 => secret_id(&reply),
        400 | 403 | 404 => Err(opened()),
        _ => Err(error::general(&reply)),
    }
}

/// Says whether the wrapped data comes from the path for secret IDs of this very method. Anyone may wrap data that
/// looks similar.
fn is_of_secret_id(reply: &Reply, mount: &str) -> Result<bool, SourceError> {
    #[derive(serde::Deserialize)]
    struct Wrapping {
        creation_path: String,
    }
    let frame = reply.frame()?;
    let wrapping: Wrapping = crate::answer::parse(frame.data.ok_or_else(crate::answer::strange)?)?;
    let rest = wrapping.creation_path.strip_prefix("auth/").and_then(|rest| rest.strip_prefix(mount));
    let role = rest.and_then(|rest| rest.strip_prefix("/role/")?.strip_suffix("/secret-id"));
    Ok(role.is_some_and(|role| !role.is_empty() && !role.contains('/')))
}

fn secret_id(reply: &Reply) -> Result<Zeroizing<String>, SourceError> {
    #[derive(serde::Deserialize)]
    struct Unwrapped<'a> {
        #[serde(borrow)]
        secret_id: std::borrow::Cow<'a, str>,
    }
    let frame = reply.frame()?;
    let data = frame.data.ok_or_else(crate::answer::strange)?;
    let unwrapped: Unwrapped<'_> = crate::answer::parse(data)?;
    Ok(Zeroizing::new(unwrapped.secret_id.into_owned()))
}

fn opened() -> SourceError {
    refusal("the wrapping token of the secret ID has expired, or was already used").with_hint(
        "if no run here has used it, somebody else has: revoke that secret ID. A wrapping token works once, so use it only with `secretdir watch`",
    )
}

impl Jwt {
    fn read(&self) -> Result<Secret, SourceError> {
        match self {
            Self::Credential(credential) => credential.read(),
            Self::ServiceAccount(path) => {
                std::fs::read(path).map(|token| Secret::new(token.trim_ascii())).map_err(|error| {
                    refusal(&format!("the token of the service account cannot be read: {path:?}: {error}"))
                        .with_hint("outside a pod, set the location of the token with `jwt`")
                })
            }
        }
    }
}

/// Writes an object of texts into a buffer that is wiped.
pub(crate) fn object(fields: &[(&str, &[u8])]) -> Result<SecretBuffer, SourceError> {
    let mut body = SecretBuffer::new();
    body.push(b'{');
    for (number, (key, value)) in fields.iter().enumerate() {
        if number > 0 {
            body.push(b',');
        }
        let value = std::str::from_utf8(value).map_err(|_| refusal("the credential is not UTF-8"))?;
        for (text, after) in [(*key, b':'), (value, b' ')] {
            serde_json::to_writer(&mut body, text)
                .map_err(|_| refusal("the login request cannot be written as JSON"))?;
            body.push(after);
        }
    }
    body.push(b'}');
    Ok(body)
}

fn refusal(cause: &str) -> SourceError {
    SourceError::new(SourceErrorKind::Unauthenticated).with_cause(cause.to_owned())
}

/// Says whether a token is a service token. Batch tokens cannot be revoked.
pub(crate) fn is_service(auth: &Auth<'_>) -> bool {
    auth.token_type != "batch"
}
