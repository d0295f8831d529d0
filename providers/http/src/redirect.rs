//! Follows redirects.
//!
//! A redirect is followed only to the same scheme, host and port, so credentials never reach another server. The
//! request must also stay the same: a POST that would become a GET is another request.

use secretdir_http_client::{Method, Response, Url, host_and_port};
use secretdir_provider::{SourceError, SourceErrorKind};

const COUNT_HINT: &str = "a redirect often leads to a sign-in page; if this one is correct, set `redirects`";
const ELSEWHERE_HINT: &str =
    "a credential is never sent to another server; if that server is correct, name it in `url`";
const PLACE_HINT: &str = "a redirect needs the header `Location`: is `url` correct?";
const METHOD_HINT: &str = "with `method = \"POST\"`, only 307 and 308 are followed";

/// Returns the target of a redirect; `None` if the answer is no redirect.
pub(crate) fn target(from: &Url, answer: &Response, method: Method) -> Result<Option<Url>, SourceError> {
    let status = answer.status();
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let place = host_and_port(from);
    let to = answer.header("location").and_then(|location| from.join(location).ok());
    let Some(mut to) = to else {
        return Err(refused(format!("{place} answered {status} without a `Location`"), PLACE_HINT));
    };
    to.set_fragment(None);
    if to.origin() != from.origin() || to.password().is_some() || !to.username().is_empty() {
        let (from, to) = (origin(from), origin(&to));
        return Err(refused(format!("{from} redirects to {to}"), ELSEWHERE_HINT));
    }
    if method != Method::Get && !matches!(status, 307 | 308) {
        return Err(refused(format!("{place} answered {status}, a redirect to GET"), METHOD_HINT));
    }
    Ok(Some(to))
}

/// Reports one redirect too many.
pub(crate) fn too_many(from: &Url, to: &Url, followed: u8) -> SourceError {
    let (from, to) = (origin(from), origin(to));
    let after = if followed == 0 { String::new() } else { format!(" again, after {followed}") };
    refused(format!("{from} redirects to {to}{after}"), COUNT_HINT)
}

fn refused(cause: String, hint: &str) -> SourceError {
    SourceError::new(SourceErrorKind::Unavailable).with_cause(cause).with_hint(hint)
}

/// Returns scheme, host and port, because the rest of a redirect may contain a token.
fn origin(url: &Url) -> String {
    format!("{}://{}", url.scheme(), host_and_port(url))
}
