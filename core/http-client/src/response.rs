//! The answers.

use std::fmt;

use http::HeaderMap;
use http::header::TRANSFER_ENCODING;
use secretdir_provider::SecretBuffer;

/// The most bytes reserved before any have arrived. A server may announce more than any memory has.
const MAX_INITIAL_CAPACITY: usize = 1 << 16;

/// An answer, whatever its status. `Debug` shows only the status and the length of the body.
pub struct Response {
    status: u16,
    headers: HeaderMap,
    body: SecretBuffer,
}

/// The reason why there is no answer, or only a part of one.
#[derive(Debug)]
pub(crate) enum Failure {
    Call(reqwest::Error),
    /// The body could not be read to its end.
    Body(reqwest::Error),
    /// The body has more than this many bytes.
    TooLarge(usize),
    /// The end of the body cannot be recognised.
    Unbounded,
}

impl Response {
    /// Reads the whole answer, up to a limit.
    pub(crate) async fn read(mut answer: reqwest::Response, max_bytes: usize) -> Result<Self, Failure> {
        let length = answer.content_length();
        if is_endless(&answer) {
            return Err(Failure::Unbounded);
        }
        let bound = u64::try_from(max_bytes).unwrap_or(u64::MAX);
        if length.is_some_and(|length| length > bound) {
            return Err(Failure::TooLarge(max_bytes));
        }
        let room = length.and_then(|all| usize::try_from(all).ok()).unwrap_or(0);
        let mut body = SecretBuffer::with_capacity(room.min(MAX_INITIAL_CAPACITY));
        while let Some(chunk) = answer.chunk().await.map_err(Failure::Body)? {
            if chunk.len() > max_bytes - body.len() {
                return Err(Failure::TooLarge(max_bytes));
            }
            body.extend_from_slice(&chunk);
        }
        let status = answer.status().as_u16();
        Ok(Self { status, headers: std::mem::take(answer.headers_mut()), body })
    }

    /// Returns the status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns the first header of this name, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the body, which may be a secret.
    pub fn body(&self) -> &SecretBuffer {
        &self.body
    }

    /// Returns the body without a copy.
    pub fn into_body(self) -> SecretBuffer {
        self.body
    }
}

/// Says whether only the end of the connection marks the end of the body. Without TLS, a connection that breaks looks
/// the same. TLS has a message for the end.
fn is_endless(answer: &reqwest::Response) -> bool {
    let is_framed = answer.content_length().is_some() || answer.headers().contains_key(TRANSFER_ENCODING);
    !is_framed && answer.url().scheme() == "http"
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
