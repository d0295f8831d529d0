//! How servers throttle: the status, and the header `Retry-After`.

use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

/// The HTTP status of a throttled request.
pub(crate) const TOO_MANY: u16 = 429;

/// Parses the time to wait: seconds, or a date. `now` is the current date.
pub(crate) fn retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTime::from_str(text, Format::HttpDate).ok()?;
    let date = SystemTime::try_from(date).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_in_seconds_or_as_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_445_412_475);
        let retry_after = |text| retry_after(text, now);
        assert_eq!(retry_after(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:27:54 GMT"), Some(Duration::ZERO));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::from_secs(5)));
        for text in ["", "soon", "-1", "2015-10-21T07:28:00Z"] {
            assert_eq!(retry_after(text), None, "{text}");
        }
    }
}
