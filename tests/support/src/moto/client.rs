//! The calls that fill a moto server, unsigned.

use std::net::SocketAddr;

use super::REGION;
use crate::http::{self, Message};

/// Asks a moto server without a signature: works as long as moto lets calls through.
#[derive(Debug)]
pub(super) struct Client {
    address: SocketAddr,
}

impl Client {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    /// Says how many of the next calls need no signature.
    pub(super) fn let_through(&self, calls: u32) {
        let body = calls.to_string();
        let answer = self.post("/moto-api/reset-auth", &[("content-type", "text/plain")], &body);
        assert_eq!(answer.status(), Some(200), "moto refused to change how it checks: {answer:?}");
    }

    /// Calls Secrets Manager, and returns the JSON of the answer.
    pub(super) fn secrets_manager(&self, action: &str, request: &str) -> String {
        succeeded(action, &self.try_secrets_manager(action, request))
    }

    pub(super) fn try_secrets_manager(&self, action: &str, request: &str) -> Message {
        self.json("secretsmanager", &format!("secretsmanager.{action}"), request)
    }

    /// Calls Parameter Store.
    pub(super) fn parameter_store(&self, action: &str, request: &str) -> String {
        succeeded(action, &self.json("ssm", &format!("AmazonSSM.{action}"), request))
    }

    fn json(&self, service: &str, target: &str, request: &str) -> Message {
        let authorization = authorization(service);
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", target),
            ("authorization", authorization.as_str()),
        ];
        self.post("/", &headers, request)
    }

    /// Calls IAM, and returns the XML of the answer.
    pub(super) fn iam(&self, parameters: &[(&str, &str)]) -> String {
        let pairs = parameters.iter().map(|(name, value)| format!("{name}={}", url_encoded(value)));
        let form = pairs.chain(["Version=2010-05-08".to_owned()]).collect::<Vec<_>>().join("&");
        let authorization = authorization("iam");
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("authorization", authorization.as_str()),
        ];
        succeeded("IAM", &self.post("/", &headers, &form))
    }

    fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Message {
        http::post(self.address, path, headers, body.as_bytes()).unwrap()
    }
}

/// Names the service and the region, which is all that moto reads when it checks nothing.
fn authorization(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=none/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=none"
    )
}

fn succeeded(action: &str, answer: &Message) -> String {
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status(), Some(200), "{action}: {body}");
    body
}

fn url_encoded(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            },
        )
        .collect()
}

/// Writes a text as a JSON string.
pub(super) fn json_string(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|c| match c {
            '"' | '\\' => format!("\\{c}"),
            c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
            c => c.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}

/// Returns a text of a JSON object, one without escapes such as moto's ARNs and ids.
pub(super) fn json_text(json: &str, key: &str) -> String {
    between(json, &format!("\"{key}\": \""), "\"")
}

/// Returns the text of an XML element.
pub(super) fn xml_text(xml: &str, name: &str) -> String {
    between(xml, &format!("<{name}>"), &format!("</{name}>"))
}

fn between(text: &str, before: &str, after: &str) -> String {
    let found = text.split_once(before).and_then(|(_, rest)| rest.split_once(after));
    let Some((content, _)) = found else { panic!("moto's answer has no {before}: {text}") };
    content.to_owned()
}
