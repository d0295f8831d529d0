//! A real OpenBao server, which has the API of Vault.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use serde_json::Value;
use tempfile::TempDir;

use crate::http::PATIENCE;
use crate::programs;
use crate::tls::Certificate;

/// How long to wait between two looks at a server that is coming up.
const PAUSE: Duration = Duration::from_millis(50);

/// How often to look for a port that nobody else takes meanwhile.
const TRIES: usize = 3;

/// Runs a server until standard input ends: it then dies with the test process, however that one ends.
const RUNNER: &str = r#""$@" & server=$!; read -r _; kill -9 "$server""#;

/// The token that may do everything.
pub const ROOT_TOKEN: &str = "root-of-the-tests";

/// An OpenBao server of one's own on 127.0.0.1, in memory, with the key-value engine (version 2) at `secret/`. Ends when dropped.
#[derive(Debug)]
pub struct Bao {
    child: Child,
    address: SocketAddr,
    tls: Option<SocketAddr>,
    _folder: TempDir,
}

/// What the server has answered.
#[derive(Debug)]
pub struct BaoAnswer {
    /// The status.
    pub status: u16,
    /// The body: null if there is none.
    pub body: Value,
}

impl Bao {
    /// Starts a server and waits until it answers.
    ///
    /// # Panics
    ///
    /// When it is not installed, or does not come up.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// Starts a server that also speaks TLS, with this certificate, and asks clients for theirs.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start) does.
    pub fn start_with_tls(certificate: &Certificate) -> Self {
        Self::start_with(Some(certificate))
    }

    fn start_with(certificate: Option<&Certificate>) -> Self {
        (0..TRIES).find_map(|_| Self::try_start(certificate)).unwrap_or_else(|| panic!("no port stays free"))
    }

    fn try_start(certificate: Option<&Certificate>) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("secretdir-bao-").tempdir().unwrap();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let (free, free_for_tls) = (free(), free());
        let address = free.local_addr().unwrap();
        let tls = certificate.map(|_| free_for_tls.local_addr().unwrap());
        drop((free, free_for_tls));
        let listener = certificate.zip(tls).map(|(certificate, address)| {
            let file = folder.path().join("tls.hcl");
            fs::write(&file, listener(certificate, address)).unwrap();
            format!("-config={}", file.display())
        });
        let child = Command::new("sh")
            .args(["-c", RUNNER, "sh"])
            .arg(program())
            .args(["server", "-dev", "-dev-no-store-token"])
            .arg(format!("-dev-root-token-id={ROOT_TOKEN}"))
            .arg(format!("-dev-listen-address={address}"))
            .args(listener)
            .env("HOME", folder.path())
            .env_remove("BAO_ADDR")
            .env_remove("VAULT_ADDR")
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let log = folder.path().join("log");
        let mut server = Self { child, address, tls, _folder: folder };
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let text = fs::read_to_string(&log).unwrap_or_default();
            if text.contains("address already in use") {
                return None;
            }
            // It says so when the engine at `secret/` is there.
            if text.contains("Root Token:") && server.try_request("GET", "sys/health", None, None).is_some() {
                return Some(server);
            }
            assert!(server.child.try_wait().unwrap().is_none(), "the server has ended: {text}");
            thread::sleep(PAUSE);
        }
        panic!("bao did not come up in {PATIENCE:?}: {}", fs::read_to_string(&log).unwrap_or_default());
    }

    /// Returns `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns `https://127.0.0.1:PORT`.
    ///
    /// # Panics
    ///
    /// When the server speaks no TLS.
    pub fn tls_endpoint(&self) -> String {
        format!("https://{}", self.tls.unwrap())
    }

    /// Makes a call as root, which must succeed, and returns the body.
    #[track_caller]
    pub fn request(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.request_as(ROOT_TOKEN, method, path, body);
        assert!((200..300).contains(&answer.status), "{method} {path}: {answer:?}");
        answer.body
    }

    /// Writes as root.
    #[track_caller]
    pub fn write(&self, path: &str, body: &Value) -> Value {
        self.request("POST", path, body)
    }

    /// Makes a call with a token, whatever comes of it.
    pub fn request_as(&self, token: &str, method: &str, path: &str, body: &Value) -> BaoAnswer {
        self.try_request(method, path, Some(token), Some(body))
            .unwrap_or_else(|| panic!("{method} {path}: no answer"))
    }

    fn try_request(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Option<BaoAnswer> {
        let body = body.filter(|body| !body.is_null()).map(Value::to_string).unwrap_or_default();
        let token = token.map(|token| format!("x-vault-token: {token}\r\n")).unwrap_or_default();
        let mut stream = TcpStream::connect_timeout(&self.address, PATIENCE).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        // This version of HTTP ends an answer with the connection.
        let head = format!("{method} /v1/{path} HTTP/1.0\r\n{token}content-length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(body.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(BaoAnswer { status, body: serde_json::from_str(body).unwrap_or(Value::Null) })
    }
}

impl Drop for Bao {
    fn drop(&mut self) {
        // Ends the server, and this child only.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Takes a port that nobody has.
fn free() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()
}

/// Configures a listener with TLS.
fn listener(certificate: &Certificate, address: SocketAddr) -> String {
    let (path, key) = (certificate.path(), certificate.key());
    format!(
        "listener \"tcp\" {{\n  address = \"{address}\"\n  tls_cert_file = {path:?}\n  tls_key_file = {key:?}\n}}\n"
    )
}

fn program() -> PathBuf {
    let program = programs().join("bao");
    assert!(
        program.is_file(),
        "{} is not there: run tests/run, which installs what the tests need",
        program.display()
    );
    program
}
