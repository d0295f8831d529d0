//! What to do where too much is asked at once: wait as long as is asked for.
//!
//! The SDK asks the service for credentials of a container once more only if that has a fault. The agents of ECS and EKS throttle,
//! however: each task and pod of a host that starts at the same time asks the same one.

use std::time::{Duration, SystemTime};

use aws_sdk_secretsmanager::config::http::HttpRequest;
use aws_smithy_runtime_api::client::http::{HttpConnector as _, HttpConnectorFuture, SharedHttpConnector};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use tokio::time::sleep;

/// The status of an answer that says so.
pub(crate) const TOO_MANY: u16 = 429;

/// How often it is asked in all, and how long it is waited for at the most. Loading credentials has a time-out of its own.
const ATTEMPTS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Makes a request for credentials, again and again while it is throttled.
pub(super) fn call(connector: SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture {
    HttpConnectorFuture::new(async move {
        let mut request = request;
        let mut attempt = 1;
        loop {
            let Some(again) = request.try_clone().filter(|_| attempt < ATTEMPTS) else {
                return connector.call(request).await;
            };
            let answer = connector.call(request).await?;
            if answer.status().as_u16() != TOO_MANY {
                return Ok(answer);
            }
            let asked_for = answer.headers().get("retry-after").and_then(retry_after);
            sleep(asked_for.unwrap_or(FIRST_PAUSE.saturating_mul(1 << attempt)).min(LONGEST_PAUSE)).await;
            (request, attempt) = (again, attempt + 1);
        }
    })
}

/// Reads how long to wait: seconds, or a date.
pub(crate) fn retry_after(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTime::from_str(text, Format::HttpDate).ok()?;
    let date = SystemTime::try_from(date).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_in_seconds_or_as_a_date() {
        assert_eq!(retry_after(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        let later = retry_after("Fri, 31 Dec 2299 23:59:59 GMT").unwrap();
        assert!(later > Duration::from_secs(3_600));
        for text in ["", "soon", "-1", "2015-10-21T07:28:00Z"] {
            assert_eq!(retry_after(text), None, "{text}");
        }
    }
}
