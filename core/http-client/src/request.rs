//! What is sent.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Body, Url};
use secretdir_provider::SecretBuffer;
use zeroize::Zeroizing;

/// How large an answer may be if nothing else is said: 1 MiB.
const MAX_BYTES: usize = 1 << 20;

/// What a request asks the server to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    #[default]
    Get,
    /// Sends a body.
    Post,
    /// Sends a body, too.
    Put,
    /// Lists: a method that only Vault and OpenBao know.
    List,
}

/// One request. `Debug` shows neither headers nor body, nor the query of the URL.
pub struct Request {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<SecretBuffer>,
    max_bytes: usize,
}

/// A value cannot be sent as a header: it holds a control character, such as the end of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("holds a character that a header cannot have, such as the end of a line")]
pub struct BadHeaderValue;

/// Makes the value of a header out of a secret. It is wiped when it is dropped, and `Debug` does not show it.
///
/// # Errors
///
/// The secret holds a character that a header cannot have.
///
/// ```
/// use secretdir_http_client::secret_header;
///
/// let value = secret_header([b"Bearer ", &b"hunter2"[..]].concat()).unwrap();
/// assert_eq!(format!("{value:?}"), "Sensitive");
/// assert!(secret_header("two\nlines").is_err());
/// ```
pub fn secret_header(secret: impl Into<Vec<u8>>) -> Result<HeaderValue, BadHeaderValue> {
    let mut value = HeaderValue::from_maybe_shared(wiped(secret.into())).map_err(|_| BadHeaderValue)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Shares bytes that are wiped when the last user of them is gone.
fn wiped(bytes: Vec<u8>) -> Bytes {
    Bytes::from_owner(Zeroizing::new(bytes))
}

impl Request {
    /// Makes a request without headers and body, whose answer may have 1 MiB.
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: None, max_bytes: MAX_BYTES }
    }

    /// Adds a header. Make the value of one that is secret with [`secret_header`].
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// Adds a body. It is wiped once it is sent.
    #[must_use]
    pub fn with_body(self, body: impl Into<SecretBuffer>) -> Self {
        Self { body: Some(body.into()), ..self }
    }

    /// Bounds the answer to this many bytes.
    #[must_use]
    pub fn with_max_bytes(self, max_bytes: usize) -> Self {
        Self { max_bytes, ..self }
    }

    /// Returns where the request goes.
    pub fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    pub(crate) fn into_reqwest(self) -> reqwest::Request {
        let mut request = reqwest::Request::new(self.method.into(), self.url);
        *request.headers_mut() = self.headers;
        *request.body_mut() = self.body.map(|body| Body::from(wiped(body.into())));
        request
    }
}

impl From<Method> for reqwest::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            // Seven bytes at most are kept in place, so this one cannot fail; GET is the nearest one if it did.
            Method::List => Self::from_bytes(b"LIST").unwrap_or(Self::GET),
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("host", &self.url.host_str())
            .field("path", &self.url.path())
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}
