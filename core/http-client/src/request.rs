//! The requests.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Body, Url};
use secretdir_provider::SecretBuffer;
use zeroize::Zeroizing;

/// The default limit for an answer: 1 MiB.
const MAX_BYTES: usize = 1 << 20;

/// The HTTP method of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    #[default]
    Get,
    /// Sends a body.
    Post,
    /// Also sends a body.
    Put,
    /// Lists. Only Vault and OpenBao have this method.
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

/// The error for a header value with a control character, such as a line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("holds a character that a header cannot have, such as the end of a line")]
pub struct BadHeaderValue;

/// Makes a header value from a secret. Dropping it wipes the bytes, and `Debug` does not show them.
///
/// # Errors
///
/// The secret contains a character that a header cannot have.
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

/// Shares bytes, and wipes them when the last reference is dropped.
fn wiped(bytes: Vec<u8>) -> Bytes {
    Bytes::from_owner(Zeroizing::new(bytes))
}

impl Request {
    /// Makes a request without headers and body. Its answer may have up to 1 MiB.
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: None, max_bytes: MAX_BYTES }
    }

    /// Adds a header. Make a secret value with [`secret_header`].
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// Adds a body, which is wiped once it is sent.
    #[must_use]
    pub fn with_body(self, body: impl Into<SecretBuffer>) -> Self {
        Self { body: Some(body.into()), ..self }
    }

    /// Limits the answer to this many bytes.
    #[must_use]
    pub fn with_max_bytes(self, max_bytes: usize) -> Self {
        Self { max_bytes, ..self }
    }

    /// Returns the URL.
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
            // This cannot fail, because `LIST` is a valid method name. Otherwise GET would be the nearest method.
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
