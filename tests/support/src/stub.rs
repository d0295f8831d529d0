//! A server that answers everything alike: for faults that a real server does not have.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::http::{self, Message, PATIENCE};

/// What a [`Stub`] does with a request.
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

/// A server on 127.0.0.1 that gives every request the same reply, or one after another, and counts them. Ends when dropped.
#[derive(Debug)]
pub struct Stub {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

/// Which reply a request gets.
#[derive(Debug)]
enum Replies {
    /// One for each request; the last one stays.
    InTurn(Vec<Reply>),
    /// The first one whose text occurs in the body, or in the first line.
    ByText(Vec<(&'static str, Reply)>),
}

impl Replies {
    fn to(&self, number: usize, message: &Message) -> Option<&Reply> {
        match self {
            Self::InTurn(replies) => replies.get(number).or(replies.last()),
            Self::ByText(replies) => {
                let body = String::from_utf8_lossy(&message.body);
                let occurs = |text: &str| body.contains(text) || message.first_line.contains(text);
                replies.iter().find(|(text, _)| occurs(text)).map(|(_, reply)| reply)
            }
        }
    }
}

#[derive(Debug)]
struct Shared {
    replies: Replies,
    pause: Duration,
    connections: AtomicUsize,
    requests: AtomicUsize,
    /// How many bytes of endless answers were sent.
    sent: AtomicUsize,
    seen: Mutex<Vec<Message>>,
    now: AtomicUsize,
    most: AtomicUsize,
    ended: AtomicBool,
    /// Connections that are kept open without an answer.
    silent: Mutex<Vec<TcpStream>>,
}

impl Stub {
    /// Starts a server on a free port.
    pub fn start(reply: Reply) -> Self {
        Self::slow(reply, Duration::ZERO)
    }

    /// Starts a server on a free port that gives each request the next reply, and the last one again and again.
    pub fn in_turn(replies: Vec<Reply>) -> Self {
        Self::with(replies, Duration::ZERO)
    }

    /// Starts a server on a free port that pauses before each reply.
    pub fn slow(reply: Reply, pause: Duration) -> Self {
        Self::with(vec![reply], pause)
    }

    /// Starts a server on a free port whose reply is the first one of those whose text occurs in the body of the request, or in
    /// its first line.
    pub fn by_text(replies: Vec<(&'static str, Reply)>) -> Self {
        Self::listen(TcpListener::bind("127.0.0.1:0").unwrap(), Replies::ByText(replies), Duration::ZERO)
    }

    /// Starts a server at an address where nobody listens.
    pub fn at(address: SocketAddr, reply: Reply) -> Self {
        Self::listen(TcpListener::bind(address).unwrap(), Replies::InTurn(vec![reply]), Duration::ZERO)
    }

    fn with(replies: Vec<Reply>, pause: Duration) -> Self {
        Self::listen(TcpListener::bind("127.0.0.1:0").unwrap(), Replies::InTurn(replies), pause)
    }

    fn listen(listener: TcpListener, replies: Replies, pause: Duration) -> Self {
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            replies,
            pause,
            connections: AtomicUsize::default(),
            requests: AtomicUsize::default(),
            sent: AtomicUsize::default(),
            seen: Mutex::default(),
            now: AtomicUsize::default(),
            most: AtomicUsize::default(),
            ended: AtomicBool::default(),
            silent: Mutex::default(),
        });
        let acceptor = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.accept(&listener)
        });
        Self { address, shared, acceptor: Some(acceptor) }
    }

    /// Returns `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns how many connections were made.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Returns how many requests have come.
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// Returns how many bytes of endless answers the clients, and the buffers on the way to them, have taken.
    pub fn sent(&self) -> usize {
        self.shared.sent.load(Ordering::SeqCst)
    }

    /// Returns the first line and the body of each request so far.
    pub fn seen(&self) -> Vec<(String, String)> {
        let seen = self.shared.seen.lock().unwrap();
        let told = |message: &Message| {
            (message.first_line.clone(), String::from_utf8_lossy(&message.body).into_owned())
        };
        seen.iter().map(told).collect()
    }

    /// Returns a header of each request so far; the name is in any case.
    pub fn headers(&self, name: &str) -> Vec<Option<String>> {
        let seen = self.shared.seen.lock().unwrap();
        seen.iter().map(|message| message.header(name).map(str::to_owned)).collect()
    }

    /// Returns the greatest number of requests that have been in flight at once.
    pub fn most_at_once(&self) -> usize {
        self.shared.most.load(Ordering::SeqCst)
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // A connection wakes the acceptor, which then sees that it is over.
        let woken = TcpStream::connect_timeout(&self.address, PATIENCE).is_ok();
        if let (true, Some(acceptor)) = (woken, self.acceptor.take()) {
            let _ = acceptor.join();
        }
    }
}

impl Shared {
    fn accept(self: Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming().flatten() {
            if self.ended.load(Ordering::SeqCst) {
                return;
            }
            let shared = Arc::clone(&self);
            // A client that goes away in mid-request is no matter.
            thread::spawn(move || shared.serve(stream).ok());
        }
    }

    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        self.connections.fetch_add(1, Ordering::SeqCst);
        let mut reader = BufReader::new(stream.try_clone()?);
        loop {
            match self.take(&mut reader)? {
                None => return Ok(()),
                Some(Reply::Kept(body)) => (&stream).write_all(&response(200, &[], "keep-alive", body))?,
                Some(last) => return self.end_with(last, stream),
            }
        }
    }

    /// Takes the next request of a connection, and returns what is to be replied.
    fn take(&self, reader: &mut impl BufRead) -> io::Result<Option<&Reply>> {
        let message = http::read(reader)?;
        let number = self.requests.fetch_add(1, Ordering::SeqCst);
        let reply = self.replies.to(number, &message);
        self.seen.lock().unwrap().push(message);
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        thread::sleep(self.pause);
        // Before the reply: once the client has it, it may well ask again.
        self.now.fetch_sub(1, Ordering::SeqCst);
        Ok(reply)
    }

    /// Sends the last reply of a connection.
    fn end_with(&self, last: &Reply, stream: TcpStream) -> io::Result<()> {
        match last {
            Reply::Kept(_) => Ok(()),
            Reply::Answer { status, headers, body } => {
                (&stream).write_all(&response(*status, headers, "close", body))
            }
            Reply::Raw(bytes) => (&stream).write_all(bytes),
            Reply::Endless { head, chunk } => {
                (&stream).write_all(head)?;
                loop {
                    (&stream).write_all(chunk)?;
                    self.sent.fetch_add(chunk.len(), Ordering::SeqCst);
                }
            }
            Reply::Silence => {
                self.silent.lock().unwrap().push(stream);
                Ok(())
            }
        }
    }
}

fn response(status: u16, headers: &[(String, String)], connection: &str, body: &[u8]) -> Vec<u8> {
    let mut head =
        format!("HTTP/1.1 {status} Stub\r\ncontent-length: {}\r\nconnection: {connection}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    [head.as_bytes(), b"\r\n", body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(stub: &Stub) -> io::Result<Message> {
        http::post(stub.address, "/", &[("x-test", "1")], b"question")
    }

    #[test]
    fn every_request_gets_the_reply_and_is_counted() {
        let stub = Stub::start(Reply::json(418, "{}"));
        for _ in 0..3 {
            let answer = post(&stub).unwrap();
            assert_eq!((answer.status(), answer.body.as_slice()), (Some(418), b"{}".as_slice()));
        }
        assert_eq!(stub.requests(), 3);
    }

    #[test]
    fn requests_in_flight_are_counted() {
        let stub = Stub::slow(Reply::json(200, "{}"), Duration::from_millis(200));
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| post(&stub).unwrap());
            }
        });
        assert!((2..=3).contains(&stub.most_at_once()), "{}", stub.most_at_once());
        let alone = Stub::start(Reply::json(200, "{}"));
        post(&alone).unwrap();
        assert_eq!(alone.most_at_once(), 1);
    }

    #[test]
    fn raw_bytes_are_sent_as_they_are() {
        let stub = Stub::start(Reply::Raw(b"nonsense".to_vec()));
        assert!(post(&stub).is_err());
    }

    #[test]
    fn after_its_end_nobody_listens() {
        let stub = Stub::start(Reply::Silence);
        let address = stub.address;
        drop(stub);
        assert!(TcpStream::connect_timeout(&address, PATIENCE).is_err());
    }
}
