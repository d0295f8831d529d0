//! Maps the status of an answer to an error. The body is never shown, because it may contain anything.

use std::time::{Duration, SystemTime};

use http::StatusCode;
use secretdir_http_client::Response;
use secretdir_provider::{Retry, SourceError, SourceErrorKind};

const MISSING_HINT: &str = "is `url` correct? If this is the answer for a secret that does not exist, add the status to \
    `not-found`";
const LOGIN_HINT: &str =
    "do the `headers` contain the credential that the store expects, and is it still valid?";
const DENIED_HINT: &str = "does the credential in `headers` have permission to read this secret?";
const REQUEST_HINT: &str =
    "check the name of the secret, and `url`, `method`, `headers` and `body` of the source";
const SERVER_HINT: &str = "the server has failed: see its log";

/// Returns an error unless the answer contains the secret.
pub(crate) fn check(
    place: &str,
    answer: &Response,
    not_found: &[u16],
    now: SystemTime,
) -> Result<(), SourceError> {
    let status = answer.status();
    if matches!(status, 200 | 203) {
        return Ok(());
    }
    let cause = format!("{place} answered {}", describe(status));
    if not_found.contains(&status) {
        return Err(SourceError::new(SourceErrorKind::NotFound).with_cause(cause));
    }
    let error = SourceError::new(kind(status)).with_cause(cause).with_retry(retry(answer, now));
    Err(match hint(status) {
        Some(hint) => error.with_hint(hint),
        None => error,
    })
}

/// Returns a status with its usual name, not with the server's own, which may contain anything.
fn describe(status: u16) -> String {
    let known = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    known.map_or_else(|| status.to_string(), |name| format!("{status} {name}"))
}

fn kind(status: u16) -> SourceErrorKind {
    match status {
        401 => SourceErrorKind::Unauthenticated,
        403 => SourceErrorKind::PermissionDenied,
        // Unless the settings say so, it is unknown whether the secret is missing or the store.
        404 | 410 => SourceErrorKind::Unavailable,
        407 => SourceErrorKind::Unavailable,
        408 => SourceErrorKind::TimedOut,
        425 | 429 => SourceErrorKind::Throttled,
        400..=499 => SourceErrorKind::InvalidRequest,
        500..=599 => SourceErrorKind::Unavailable,
        _ => SourceErrorKind::InvalidData,
    }
}

fn hint(status: u16) -> Option<&'static str> {
    match status {
        401 => Some(LOGIN_HINT),
        403 => Some(DENIED_HINT),
        204 | 404 | 410 => Some(MISSING_HINT),
        407 => Some("the proxy requires a user and a password in HTTPS_PROXY or HTTP_PROXY"),
        408 | 425 | 429 | 502..=504 => None,
        400..=499 => Some(REQUEST_HINT),
        500..=599 => Some(SERVER_HINT),
        _ => Some("only the statuses 200 and 203 carry a secret"),
    }
}

/// Advises a retry for temporary failures, not before the time that the server names.
fn retry(answer: &Response, now: SystemTime) -> Retry {
    match answer.status() {
        501 | 505 | 511 => Retry::No,
        408 | 425 | 429 | 500..=599 => {
            Retry::After(answer.header("retry-after").and_then(|text| pause(text, now)).unwrap_or_default())
        }
        _ => Retry::No,
    }
}

/// Parses the time to wait: seconds, or a date.
fn pause(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    Some(httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_told_in_seconds_or_as_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_445_412_475);
        let pause = |text| pause(text, now);
        assert_eq!(pause(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(pause("Wed, 21 Oct 2015 07:27:54 GMT"), Some(Duration::ZERO));
        assert_eq!(pause("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::from_secs(5)));
        for text in ["", "soon", "-1", "2015-10-21T07:28:00Z"] {
            assert_eq!(pause(text), None, "{text}");
        }
    }

    #[test]
    fn a_status_has_its_usual_name() {
        assert_eq!(describe(404), "404 Not Found");
        assert_eq!(describe(599), "599");
    }
}
