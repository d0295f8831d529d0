//! Records what the agent of a container says when it refuses credentials. The SDK reports only the status.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_sdk_secretsmanager::config::http::HttpResponse;
use aws_sdk_secretsmanager::error::ConnectorError;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt as _;

use super::retry_after::{TOO_MANY, retry_after};
use crate::error::one_line;

/// The maximum number of bytes of a refusal that are examined.
const MOST: usize = 4096;

/// The last refusal of an agent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Agent(Arc<Mutex<Option<Refusal>>>);

/// The answer of an agent that refuses credentials.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{place} answered {status}{words}")]
pub(crate) struct Refusal {
    place: String,
    status: u16,
    words: String,
    /// The header `Retry-After`, if the answer has one.
    retry_after: Option<String>,
}

impl Refusal {
    /// Returns whether the agent throttled.
    pub(crate) fn is_throttling(&self) -> bool {
        self.status == TOO_MANY
    }

    /// Returns the wait that the agent asks for. `now` is the current date.
    pub(crate) fn retry_after(&self, now: SystemTime) -> Option<Duration> {
        retry_after(self.retry_after.as_deref()?, now)
    }
}

impl Agent {
    /// Returns the last refusal, and forgets it.
    pub(crate) fn take(&self) -> Option<Refusal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Records a refusal, and passes the answer on. `token` is the token that was sent; the record never repeats it.
    pub(super) async fn note(
        &self,
        mut answer: HttpResponse,
        place: &str,
        token: Option<&str>,
    ) -> Result<HttpResponse, ConnectorError> {
        let mut refusal = None;
        if !answer.status().is_success() {
            let body = std::mem::replace(answer.body_mut(), SdkBody::taken());
            let bytes = body.collect().await.map_err(|error| ConnectorError::other(error, None))?.to_bytes();
            refusal = Some(Refusal {
                place: place.to_owned(),
                status: answer.status().as_u16(),
                words: words(&bytes, token).map(|words| format!(": {words}")).unwrap_or_default(),
                retry_after: answer.headers().get("retry-after").map(str::to_owned),
            });
            *answer.body_mut() = SdkBody::from(bytes.to_vec());
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
        Ok(answer)
    }
}

/// Names of fields that hold a credential. A text with one of them is not shown.
const CREDENTIALS: [&str; 4] = ["accesskeyid", "secretaccesskey", "\"token\"", "sessiontoken"];

/// This many consecutive bytes of the token count as the token.
const PIECE: usize = 12;

/// Returns the message of a refusal, on one line: a code and a message in JSON, or a short text. Returns none if it may
/// hold a credential.
fn words(body: &[u8], token: Option<&str>) -> Option<String> {
    let text = std::str::from_utf8(body.get(..MOST).unwrap_or(body)).ok()?;
    let plain = text.to_ascii_lowercase();
    if CREDENTIALS.iter().any(|name| plain.contains(name)) || token.is_some_and(|token| repeats(text, token))
    {
        return None;
    }
    let json = serde_json::from_str::<serde_json::Value>(text).ok();
    let part = |names: [&str; 2]| {
        let json = json.as_ref()?;
        names.iter().find_map(|name| json.get(name)?.as_str())
    };
    let told = match (part(["code", "Code"]), part(["message", "Message"])) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(only), None) | (None, Some(only)) => only.to_owned(),
        // Other JSON, or a part of it, may hold anything. A page is not a message.
        (None, None) if json.is_some() || text.trim_start().starts_with(['<', '{', '[', '"']) => return None,
        (None, None) => text.to_owned(),
    };
    Some(one_line(&told)).filter(|told| !told.is_empty())
}

/// Returns whether a text has the token that was sent, or a long piece of it. The scheme may be missing, and the token
/// may be cut off or in quotes.
fn repeats(text: &str, token: &str) -> bool {
    token.split_whitespace().any(|word| {
        let pieces = word.as_bytes().windows(PIECE.min(word.len().max(1)));
        pieces.filter_map(|piece| std::str::from_utf8(piece).ok()).any(|piece| text.contains(piece))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_message_or_a_text_are_told_and_no_token() {
        for (body, expected) in [
            (r#"{"code": "AccessDenied", "message": "not allowed"}"#, Some("AccessDenied: not allowed")),
            (r#"{"Message": "no\n role"}"#, Some("no")),
            ("plain words\r\nand more", Some("plain words")),
            ("<html>", None),
            (r#"{"AccessKeyId": "AKIA", "SecretAccessKey": "hunter2"}"#, None),
            ("\"hunter2\"", None),
            ("", None),
            ("the token t0k3n is bad", None),
            ("\u{7}bell", Some("bell")),
            (r#"{"AccessKeyId":"AKIA","SecretAccessKey":"hunter2","Token":"tt""#, None),
            ("{\"SecretAccessKey\":\"hunter2\"}\n{}", None),
            ("AccessKeyId=AKIA SecretAccessKey=hunter2", None),
            (r#"{"message": "SecretAccessKey hunter2 is bad"}"#, None),
            (r#"{"message": "the token has expired"}"#, Some("the token has expired")),
        ] {
            assert_eq!(words(body.as_bytes(), Some("t0k3n")).as_deref(), expected, "{body}");
        }
        assert_eq!(words(b"\xff", None), None);
        let long = "0123456789abcdefghij".repeat(60);
        for body in [
            format!("bad token <{long}>"),
            format!("bad: {}...", &long[7..30]),
            format!(r#"{{"message": "{long}"}}"#),
        ] {
            assert_eq!(words(body.as_bytes(), Some(&long)), None, "{body}");
        }
        assert_eq!(words(b"token canary-t0k3n is bad", Some("Bearer canary-t0k3n")), None);
    }
}
