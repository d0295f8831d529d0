//! The error in a reply of AWS.

use std::fmt;

use aws_sdk_secretsmanager::config::http::HttpResponse;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;

/// The maximum length of a quoted message, in characters.
const LONGEST_MESSAGE: usize = 600;

/// A reply that is not an answer: its error, without its body.
#[derive(Debug, Default)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) request_id: Option<String>,
    /// The length of the body in bytes.
    pub(super) length: usize,
}

impl Reply {
    /// Takes the error that the SDK parsed from a reply. If the SDK found none, it parses the reply itself.
    ///
    /// Front ends of AWS (and moto) refuse some calls in XML, whatever the protocol of the service. The SDK then finds
    /// no code.
    pub(super) fn read(
        error: &impl ProvideErrorMetadata,
        raw: &HttpResponse,
        request_id: Option<&str>,
    ) -> Self {
        let body = raw.body().bytes().unwrap_or_default();
        let status = raw.status().as_u16();
        let mut reply = Self {
            status,
            code: error.code().map(str::to_owned),
            message: error.message().map(one_line),
            request_id: request_id.map(one_line),
            length: body.len(),
        };
        if reply.code.is_none() && !reply.claims_success() {
            let text = String::from_utf8_lossy(body);
            reply.code = xml_element(&text, "Code").filter(|code| is_code(code)).map(str::to_owned);
            reply.message = reply.code.as_ref().and_then(|_| xml_element(&text, "Message")).map(one_line);
        }
        reply
    }

    /// Describes a reply that cannot be parsed.
    pub(super) fn unreadable(raw: &HttpResponse) -> Self {
        let length = raw.body().bytes().map_or(0, <[u8]>::len);
        Self { status: raw.status().as_u16(), length, ..Self::default() }
    }

    /// Returns the reply that one more attempt of a throttled call would have got.
    pub(super) fn throttled() -> Self {
        Self {
            status: 400,
            code: Some("ThrottlingException".to_owned()),
            message: Some("throttled until the time was up".to_owned()),
            ..Self::default()
        }
    }

    /// Takes the error for a secret that is not in an answer.
    pub(super) fn of_entry(code: Option<&str>, message: Option<&str>) -> Self {
        Self { status: 400, code: code.map(one_line), message: message.map(one_line), ..Self::default() }
    }

    /// Returns whether the status says success. The body of such a reply can hold a secret, and is not quoted.
    pub(super) fn claims_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.code, &self.message) {
            _ if self.claims_success() => {
                write!(f, "a reply that cannot be read: HTTP {}, {} bytes", self.status, self.length)?;
            }
            (Some(code), Some(message)) => write!(f, "{code}: {message}")?,
            (Some(code), None) => write!(f, "{code} (HTTP {})", self.status)?,
            (None, _) => write!(f, "HTTP {} without an error code of AWS", self.status)?,
        }
        match &self.request_id {
            Some(id) => write!(f, " (request id {id})"),
            None => Ok(()),
        }
    }
}

/// Phrases after which a message can hold a credential, so the rest is left out. The first one precedes the request as
/// AWS read it, with its session token. The second precedes the output of a credential process. The others precede a
/// part of that output, or of a reply, that cannot be parsed.
const CUTS: [&str; 4] = ["The Canonical String", "Stderr:", "Error at offset", "error parsing XML"];

/// Returns the first line of a message, without parts that may hold a credential.
pub(crate) fn one_line(message: &str) -> String {
    let end = CUTS.iter().filter_map(|cut| message.find(cut)).min().unwrap_or(message.len());
    let message = message.get(..end).unwrap_or_default();
    let line = message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let line = line.trim_end_matches([':', ' ']);
    line.chars().filter(|c| !c.is_control()).take(LONGEST_MESSAGE).collect()
}

fn xml_element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (content, _) = rest.split_once(&format!("</{name}>"))?;
    Some(content.trim())
}

fn is_code(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 100
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    const XML: &str = "<ErrorResponse><Errors><Error><Code>AccessDenied</Code><Message>not\n allowed</Message>\
        </Error></Errors></ErrorResponse>";

    #[test]
    fn an_element_of_xml_is_found() {
        assert_eq!(xml_element(XML, "Code"), Some("AccessDenied"));
        assert_eq!(xml_element(XML, "Other"), None);
        assert_eq!(xml_element("<Code>cut off", "Code"), None);
    }

    #[test]
    fn what_is_no_code_is_not_taken_for_one() {
        assert!(is_code("ExpiredToken"));
        assert!(!is_code("") && !is_code("a code") && !is_code("<b>") && !is_code(&"a".repeat(101)));
    }

    #[test]
    fn the_request_that_aws_repeats_is_left_out_with_its_token() {
        let message = "The signature does not match.\n\nThe Canonical String for this request should have been\n\
            'POST\nx-amz-security-token:canary'";
        assert_eq!(one_line(message), "The signature does not match.");
        let joined = message.replace('\n', " ");
        assert_eq!(one_line(&joined), "The signature does not match.");
    }

    #[test]
    fn what_a_credential_process_printed_is_left_out() {
        assert_eq!(one_line("exited with 3. Stderr: canary"), "exited with 3.");
        assert_eq!(
            one_line("invalid JSON in response: Error at offset 0: unexpected 'c'"),
            "invalid JSON in response"
        );
    }

    #[test]
    fn a_message_is_one_short_line() {
        assert_eq!(one_line("\n  a\u{7}b \r\nc"), "ab");
        assert_eq!(one_line(&"é".repeat(1000)).chars().count(), LONGEST_MESSAGE);
        assert_eq!(one_line(""), "");
    }

    #[test]
    fn a_reply_tells_code_message_and_request_id() {
        let mut reply = Reply {
            status: 400,
            code: Some("DecryptionFailure".to_owned()),
            message: Some("no key".to_owned()),
            request_id: Some("r-1".to_owned()),
            length: 9,
        };
        assert_eq!(reply.to_string(), "DecryptionFailure: no key (request id r-1)");
        reply.message = None;
        assert_eq!(reply.to_string(), "DecryptionFailure (HTTP 400) (request id r-1)");
        reply.code = None;
        reply.request_id = None;
        assert_eq!(reply.to_string(), "HTTP 400 without an error code of AWS");
        reply.status = 200;
        reply.message = Some("canary".to_owned());
        assert_eq!(reply.to_string(), "a reply that cannot be read: HTTP 200, 9 bytes");
    }
}
