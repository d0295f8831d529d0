//! What a stub replies, and to what.

use std::fmt;

use crate::http::Message;

/// What a [`Stub`](super::Stub) does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answers with a status, headers and a body; the length is added.
    Answer {
        /// The HTTP status.
        status: u16,
        /// Further headers.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// Answers with status 200 and this body, and keeps the connection for the next request.
    Kept(Vec<u8>),
    /// Sends these bytes as they are, and closes.
    Raw(Vec<u8>),
    /// Sends the first bytes, and then the others again and again until the client goes away.
    Endless {
        /// What is sent once.
        head: Vec<u8>,
        /// What is sent for ever.
        chunk: Vec<u8>,
    },
    /// Takes the request and never answers.
    Silence,
}

impl Reply {
    /// Answers with a status and a JSON body.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), "application/x-amz-json-1.1".to_owned())];
        Self::Answer { status, headers, body: body.into() }
    }

    /// Answers with a status and a text that does not end, although the head may say how long it is.
    pub fn endless(status: u16, framing: Framing) -> Self {
        const TEXT: [u8; 0x4000] = [b'x'; 0x4000];
        let (header, chunk) = match framing {
            Framing::Length => ("content-length: 1000000000000000", TEXT.to_vec()),
            Framing::Chunked => {
                ("transfer-encoding: chunked", [&b"4000\r\n"[..], &TEXT, &b"\r\n"[..]].concat())
            }
            Framing::UntilClosed => ("connection: close", TEXT.to_vec()),
        };
        let head = format!("HTTP/1.1 {status} Stub\r\n{header}\r\n\r\n").into_bytes();
        Self::Endless { head, chunk }
    }
}

/// How an answer says where it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// By its length.
    Length,
    /// In chunks, each with its length.
    Chunked,
    /// By closing the connection.
    UntilClosed,
}

/// Which reply a request gets.
pub(super) enum Replies {
    /// One for each request; the last one stays.
    InTurn(Vec<Reply>),
    /// The first one whose text occurs in the body, or in the first line.
    ByText(Vec<(&'static str, Reply)>),
    /// What this makes of the request.
    Made(Box<dyn Fn(&Message) -> Reply + Send + Sync>),
}

impl Replies {
    pub(super) fn to(&self, number: usize, message: &Message) -> Option<Reply> {
        match self {
            Self::InTurn(replies) => replies.get(number).or(replies.last()).cloned(),
            Self::Made(make) => Some(make(message)),
            Self::ByText(replies) => {
                let body = String::from_utf8_lossy(&message.body);
                let occurs = |text: &str| body.contains(text) || message.first_line.contains(text);
                replies.iter().find(|(text, _)| occurs(text)).map(|(_, reply)| reply.clone())
            }
        }
    }
}

impl fmt::Debug for Replies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Replies")
    }
}
