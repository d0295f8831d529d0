//! The messages of the protocol, one JSON object per line. PROTOCOL.md explains them.

use std::borrow::Cow;
use std::time::Duration;

use base64::Engine as _;
use base64::decoded_len_estimate;
use base64::engine::general_purpose::STANDARD;
use secretdir_provider::{Retry, Secret, SourceErrorKind};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use crate::excerpt::{self, Excerpt};

/// The version of the protocol that this provider speaks.
pub(crate) const VERSION: u32 = 1;

/// A message to a plug-in.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub(crate) enum Request<'a> {
    Hello {
        protocol: u32,
        concurrency: usize,
        timeout_ms: u64,
    },
    Fetch {
        id: usize,
        secret: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        version: Option<&'a str>,
    },
}

/// A message from a plug-in.
pub(crate) enum Reply {
    Hello { protocol: u32 },
    Secret { id: usize, secret: Secret },
    Error { id: usize, error: PluginError },
    Warning { message: Excerpt },
}

/// An error from a plug-in. Its texts may hold a value until they are redacted.
pub(crate) struct PluginError {
    pub(crate) kind: SourceErrorKind,
    pub(crate) message: Excerpt,
    pub(crate) hint: Option<Excerpt>,
    pub(crate) retry: Retry,
}

impl PluginError {
    /// Returns the texts of the error.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &Excerpt> {
        std::iter::once(&self.message).chain(&self.hint)
    }
}

/// One line. It is a struct with every key, because serde would parse an enum through a copy that is not wiped.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Line<'a> {
    r#type: Type,
    protocol: Option<u32>,
    id: Option<usize>,
    #[serde(borrow)]
    text: Option<Text<'a>>,
    #[serde(borrow)]
    base64: Option<Text<'a>>,
    #[serde(borrow)]
    revision: Option<Text<'a>>,
    #[serde(borrow)]
    origin: Option<Text<'a>>,
    #[serde(borrow)]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    message: Option<Text<'a>>,
    #[serde(borrow)]
    hint: Option<Text<'a>>,
    retry_after_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Type {
    Hello,
    Secret,
    Error,
    Warning,
}

/// A text that borrows from the line, unless it has escapes. Then it is a copy, which is wiped.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Drop for Text<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(copy) = &mut self.0 {
            copy.zeroize();
        }
    }
}

/// Parses a line. The error says what is wrong with it, and quotes nothing.
pub(crate) fn read(line: &[u8]) -> Result<Reply, &'static str> {
    let line: Line<'_> = serde_json::from_slice(line).map_err(|_| "is not a message of the protocol")?;
    match line.r#type {
        Type::Hello => {
            let protocol = line.protocol.ok_or("is a greeting without a version")?;
            Ok(Reply::Hello { protocol })
        }
        Type::Secret => {
            let id = line.id.ok_or("is a secret without an id")?;
            Ok(Reply::Secret { id, secret: line.secret()? })
        }
        Type::Error => {
            let id = line.id.ok_or("is an error without an id")?;
            Ok(Reply::Error { id, error: line.error()? })
        }
        Type::Warning => {
            let message = line.message.ok_or("is a warning without a message")?;
            Ok(Reply::Warning { message: Excerpt::beginning(&message.0) })
        }
    }
}

impl Line<'_> {
    fn secret(self) -> Result<Secret, &'static str> {
        let bytes = match (&self.text, &self.base64) {
            (Some(text), None) => text.0.as_bytes().to_owned(),
            (None, Some(base64)) => decoded(&base64.0).ok_or("is a secret whose base64 is damaged")?,
            _ => return Err("is a secret without exactly one of `text` and `base64`"),
        };
        let mut secret = Secret::new(bytes);
        if let Some(revision) = self.revision {
            secret = secret.with_revision(excerpt::kept(&revision.0));
        }
        if let Some(origin) = self.origin {
            secret = secret.with_origin(excerpt::kept(&origin.0));
        }
        Ok(secret)
    }

    fn error(self) -> Result<PluginError, &'static str> {
        let kind = kind(self.kind.as_ref().map_or("other", |kind| &kind.0));
        let message = self.message.ok_or("is an error without a message")?;
        let retry = self.retry_after_ms.map(Duration::from_millis).map_or(Retry::No, Retry::After);
        let hint = self.hint.as_ref().map(|hint| Excerpt::beginning(&hint.0));
        Ok(PluginError { kind, message: Excerpt::beginning(&message.0), hint, retry })
    }
}

/// Decodes into a buffer that is wiped if the text is damaged.
fn decoded(base64: &str) -> Option<Vec<u8>> {
    let mut bytes = Zeroizing::new(vec![0; decoded_len_estimate(base64.len())]);
    let length = STANDARD.decode_slice(base64, &mut bytes).ok()?;
    bytes.truncate(length);
    Some(std::mem::take(&mut *bytes))
}

/// Parses the kind of an error. A later version of the protocol may have more kinds, which become `Other`.
fn kind(word: &str) -> SourceErrorKind {
    match word {
        "not-found" => SourceErrorKind::NotFound,
        "permission-denied" => SourceErrorKind::PermissionDenied,
        "unauthenticated" => SourceErrorKind::Unauthenticated,
        "throttled" => SourceErrorKind::Throttled,
        "unavailable" => SourceErrorKind::Unavailable,
        "timed-out" => SourceErrorKind::TimedOut,
        "invalid-request" => SourceErrorKind::InvalidRequest,
        "invalid-data" => SourceErrorKind::InvalidData,
        "unsupported" => SourceErrorKind::Unsupported,
        _ => SourceErrorKind::Other,
    }
}
