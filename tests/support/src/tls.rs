//! TLS before a server that speaks none.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// Takes TLS off connections, and carries them to another port. Of clients it may want a certificate.
const PROGRAM: &str = include_str!("tls/front.py");

/// A certificate of its own authority, for 127.0.0.1, and its key. Nobody trusts it who is not told to.
#[derive(Debug)]
pub struct Certificate(TempDir);

/// A TLS server on 127.0.0.1 that hands everything on to a server without TLS. Ends when dropped.
#[derive(Debug)]
pub struct TlsFront {
    certificate: Certificate,
    endpoint: String,
    child: Child,
}

impl Certificate {
    /// Makes a certificate.
    pub fn make() -> Self {
        let made = Self(TempDir::new().unwrap());
        let output = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=secretdir"])
            .args(["-addext", "subjectAltName=IP:127.0.0.1"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .arg("-keyout")
            .arg(made.key())
            .arg("-out")
            .arg(made.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        made
    }

    /// Returns the file with the certificate.
    pub fn path(&self) -> PathBuf {
        self.0.path().join("certificate.pem")
    }

    /// Returns the file with the key.
    pub fn key(&self) -> PathBuf {
        self.0.path().join("key.pem")
    }

    /// Returns the folder of both, for further files.
    pub fn folder(&self) -> &Path {
        self.0.path()
    }
}

impl TlsFront {
    /// Starts before the server at this endpoint, such as that of a [`Stub`](crate::Stub).
    pub fn before(endpoint: &str) -> Self {
        Self::start(endpoint, &[])
    }

    /// Starts before a server, and serves only clients that show this certificate.
    pub fn for_client(endpoint: &str, client: &Certificate) -> Self {
        Self::start(endpoint, &[client.path()])
    }

    fn start(endpoint: &str, clients: &[PathBuf]) -> Self {
        let certificate = Certificate::make();
        let port = endpoint.rsplit(':').next().unwrap();
        let mut child = Command::new("python3")
            .args(["-c", PROGRAM])
            .args([certificate.path(), certificate.key()])
            .arg(port)
            .args(clients)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut own = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut own).unwrap();
        Self { certificate, endpoint: format!("https://127.0.0.1:{}", own.trim()), child }
    }

    /// Returns `https://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns the certificate that the server shows.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Kills the server: its connections end without a goodbye.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.kill();
    }
}
