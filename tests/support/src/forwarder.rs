//! Stands before a server, counts what goes through, and answers some requests itself: for faults that the server does not have.

use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crate::http::{self, Message, PATIENCE};

/// A server on 127.0.0.1 that passes requests on to another. Ends when dropped.
#[derive(Debug)]
pub struct Forwarder {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    target: SocketAddr,
    connections: AtomicUsize,
    seen: Mutex<Vec<String>>,
    /// What is answered to requests whose first line has a text, and how often yet.
    faults: Mutex<Vec<(String, usize, Vec<u8>)>>,
    ended: AtomicBool,
}

impl Forwarder {
    /// Starts one before the server at an endpoint, such as `http://127.0.0.1:8200`.
    pub fn before(endpoint: &str) -> Self {
        let target = endpoint.strip_prefix("http://").unwrap().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            target,
            connections: AtomicUsize::new(0),
            seen: Mutex::default(),
            faults: Mutex::default(),
            ended: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        let acceptor = thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if accepting.ended.load(Ordering::SeqCst) {
                    break;
                }
                accepting.connections.fetch_add(1, Ordering::SeqCst);
                let serving = Arc::clone(&accepting);
                thread::spawn(move || serving.serve(&stream));
            }
        });
        Self { address, shared, acceptor: Some(acceptor) }
    }

    /// Returns `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers the next requests whose first line has a text with these bytes, and passes them on to nobody.
    pub fn answer(&self, text: &str, times: usize, answer: impl Into<Vec<u8>>) {
        self.shared.faults.lock().unwrap().push((text.to_owned(), times, answer.into()));
    }

    /// Returns the first line of every request so far, without the version of HTTP.
    pub fn seen(&self) -> Vec<String> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Forgets what was seen.
    pub fn forget(&self) {
        self.shared.seen.lock().unwrap().clear();
        self.shared.connections.store(0, Ordering::SeqCst);
    }

    /// Counts the connections so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the acceptor.
        drop(TcpStream::connect(self.address));
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

impl Shared {
    /// Serves one connection, request by request, until the client goes away.
    fn serve(&self, client: &TcpStream) {
        let _ = client.set_read_timeout(Some(PATIENCE));
        let mut reader = BufReader::new(client);
        while let Ok(message) = http::read(&mut reader) {
            let line = message.first_line.trim_end_matches(" HTTP/1.1").to_owned();
            self.seen.lock().unwrap().push(line.clone());
            let mut writer = client;
            match self.fault(&line) {
                Some(answer) => {
                    let _ = writer.write_all(&answer);
                    let _ = client.shutdown(std::net::Shutdown::Both);
                    return;
                }
                None => match self.forwarded(&message, &line).map(|answer| writer.write_all(&answer)) {
                    Some(Ok(())) => {}
                    _ => return,
                },
            }
        }
    }

    fn fault(&self, line: &str) -> Option<Vec<u8>> {
        let mut faults = self.faults.lock().unwrap();
        let (_, left, answer) =
            faults.iter_mut().find(|(text, left, _)| *left > 0 && line.contains(text.as_str()))?;
        *left -= 1;
        Some(answer.clone())
    }

    /// Passes a request on, and returns the answer with its length.
    fn forwarded(&self, message: &Message, line: &str) -> Option<Vec<u8>> {
        let mut server = TcpStream::connect_timeout(&self.target, PATIENCE).ok()?;
        server.set_read_timeout(Some(PATIENCE)).ok()?;
        let mut head = format!("{line} HTTP/1.0\r\ncontent-length: {}\r\n", message.body.len());
        for name in ["x-vault-token", "x-vault-namespace", "x-vault-request", "host"] {
            if let Some(value) = message.header(name) {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        head.push_str("\r\n");
        server.write_all(head.as_bytes()).ok()?;
        server.write_all(&message.body).ok()?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer).ok()?;
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
        let (head, body) = answer.split_at(end + 4);
        let head = String::from_utf8_lossy(head);
        let status = head.split(' ').nth(1)?;
        let mut whole =
            format!("HTTP/1.1 {status} Forwarded\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
        whole.extend_from_slice(body);
        Some(whole)
    }
}
