//! An error answer of the service: its code and its message.

use aws_sdk_secretsmanager::error::{ErrorMetadata, ProvideErrorMetadata};
use aws_smithy_runtime_api::http::Headers;
use serde_json::{Map, Value};

/// An error answer. `Display` does not show its texts: [`crate::error`] first removes parts that may hold a credential.
#[derive(Debug, thiserror::Error)]
#[error("the service refused the call")]
pub(crate) struct Refusal(ErrorMetadata);

impl Refusal {
    /// Parses an error answer. It need not be JSON or have a code: it may come from a proxy, or from a front end that
    /// writes XML.
    pub(super) fn read(headers: &Headers, body: &[u8]) -> Self {
        let members: Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
        let text = |keys: &[&str]| keys.iter().find_map(|key| members.get(*key)?.as_str());
        let mut refusal = ErrorMetadata::builder();
        if let Some(code) = headers.get("x-amzn-errortype").or_else(|| text(&["code", "__type"])) {
            refusal = refusal.code(without_namespace(code));
        }
        if let Some(message) = text(&["message", "Message", "errorMessage"]) {
            refusal = refusal.message(message);
        }
        Self(refusal.build())
    }
}

impl ProvideErrorMetadata for Refusal {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

/// Returns `Code` of `com.amazonaws.ssm#Code:http://…`.
fn without_namespace(code: &str) -> &str {
    let code = code.split_once(':').map_or(code, |(code, _)| code);
    code.split_once('#').map_or(code, |(_, code)| code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: Option<&'static str>, body: &str) -> (Option<String>, Option<String>) {
        let mut headers = Headers::new();
        if let Some(code) = header {
            headers.insert("x-amzn-errortype", code);
        }
        let refusal = Refusal::read(&headers, body.as_bytes());
        (refusal.code().map(str::to_owned), refusal.message().map(str::to_owned))
    }

    #[test]
    fn code_and_message_are_found_wherever_aws_writes_them() {
        for body in [
            r#"{"__type":"ThrottlingException","message":"slow"}"#,
            r#"{"__type":"com.amazonaws.ssm#ThrottlingException","Message":"slow"}"#,
            r#"{"code":"ThrottlingException","__type":"Other","errorMessage":"slow"}"#,
            r#"{"code":429,"__type":"ThrottlingException","message":"slow","Errors":[{"a":null}]}"#,
        ] {
            assert_eq!(read(None, body), (Some("ThrottlingException".into()), Some("slow".into())), "{body}");
        }
        let header = "InternalServerError:http://internal.amazon.com/coral/#/";
        assert_eq!(read(Some(header), r#"{"__type":"Other"}"#), (Some("InternalServerError".into()), None));
        assert_eq!(read(Some("a#AccessDenied"), "<html>"), (Some("AccessDenied".into()), None));
    }

    #[test]
    fn what_is_no_error_of_aws_has_neither() {
        for body in ["", "{}", "[1]", "hunter2", r#"{"__type":null,"message":{}}"#] {
            assert_eq!(read(None, body), (None, None), "{body}");
        }
    }
}
