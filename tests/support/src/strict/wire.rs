//! HTTP/1.1 with connections that are kept open.

use std::io::{self, BufReader, Write};
use std::net::TcpStream;

use super::Call;
use super::reply::Reaction;
use crate::http::{self, Message, PATIENCE};

/// Answers the calls of one connection, one after another, until the client closes it.
pub(super) fn serve(stream: &TcpStream, react: impl Fn(Call) -> Reaction) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    loop {
        let call = read_call(&http::read(&mut reader)?)?;
        match react(call) {
            Reaction::Reply { status, headers, body } => {
                writer.write_all(&response(status, &headers, &body))?
            }
            Reaction::Break(bytes) => return writer.write_all(&bytes),
            // Reads on: the client gives up some time, and closes.
            Reaction::Silence => {}
        }
    }
}

fn read_call(message: &Message) -> io::Result<Call> {
    let header = |name: &str| message.header(name).ok_or_else(|| invalid(name));
    // Credential=KEY/DATE/REGION/SERVICE/aws4_request
    let scope = header("authorization")?.split_once("Credential=").ok_or_else(|| invalid("scope"))?.1;
    Ok(Call {
        target: header("x-amz-target")?.to_owned(),
        region: scope.split('/').nth(2).ok_or_else(|| invalid("region"))?.to_owned(),
        body: serde_json::from_slice(&message.body)?,
    })
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn response(status: u16, headers: &[(&str, String)], body: &[u8]) -> Vec<u8> {
    let mut head = format!(
        "HTTP/1.1 {status} Strict\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    [head.as_bytes(), b"\r\n", body].concat()
}
