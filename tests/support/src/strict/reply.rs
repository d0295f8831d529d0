//! What becomes of a call, in the form that AWS gives it.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::{ACCOUNT, Call};

/// What becomes of a call.
pub(super) enum Reaction {
    Reply {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
    /// Sends this much of a reply, and closes.
    Break(Vec<u8>),
    Silence,
}

impl Reaction {
    pub(super) fn with_replaced(mut self, from: &str, to: &str) -> Self {
        if let Self::Reply { body, .. } = &mut self {
            *body = String::from_utf8_lossy(body).replace(from, to).into_bytes();
        }
        self
    }

    pub(super) fn with_retry_after(mut self, seconds: u32) -> Self {
        if let Self::Reply { headers, .. } = &mut self {
            headers.push(("retry-after", seconds.to_string()));
        }
        self
    }
}

pub(super) fn reply(status: u16, body: Vec<u8>) -> Reaction {
    static REPLIES: AtomicUsize = AtomicUsize::new(0);
    let id = format!("11112222-3333-{}", REPLIES.fetch_add(1, Ordering::Relaxed));
    Reaction::Reply { status, headers: vec![("x-amzn-requestid", id)], body }
}

pub(super) fn answer(body: &Value) -> Reaction {
    reply(200, body.to_string().into_bytes())
}

/// Every refusal of these services has status 400: only the code tells which.
pub(super) fn refuse(code: &str, message: &str) -> Reaction {
    reply(400, json!({ "__type": code, "Message": message }).to_string().into_bytes())
}

pub(super) fn unknown() -> Reaction {
    reply(400, br#"{"__type":"UnknownOperationException"}"#.to_vec())
}

pub(super) fn denied(call: &Call, resource: &str, policy: &str) -> Reaction {
    refuse("AccessDeniedException", &not_authorized(call, call.action(), resource, policy))
}

/// Says it in AWS's words.
pub(super) fn not_authorized(call: &Call, action: &str, resource: &str, policy: &str) -> String {
    let service = if call.target.starts_with("AmazonSSM") { "ssm" } else { "secretsmanager" };
    format!(
        "User: arn:aws:iam::{ACCOUNT}:user/reader is not authorized to perform: {service}:{action} on resource: {resource} \
         because no {policy} policy allows the {service}:{action} action"
    )
}

pub(super) fn half_a_reply() -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: 1000\r\n\r\n{\"SecretSt"
        .to_vec()
}
