//! Which authorities are trusted.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use secretdir_testkit::{REGION, Reply, Stub, TlsFront};
use tempfile::TempDir;

use crate::environment::{ANY_KEY, Files, answer, borrowed, run_by};

/// A server whose certificate nobody knows, and which answers every call with a secret.
struct Unknown {
    front: TlsFront,
    _stub: Stub,
}

impl Unknown {
    fn start() -> Self {
        let stub = Stub::start(Reply::json(200, r#"{"SecretString": "hunter2"}"#));
        Self { front: TlsFront::before(&stub.endpoint()), _stub: stub }
    }

    fn certificate(&self) -> PathBuf {
        self.front.certificate().path()
    }

    /// Returns the folder of the certificate, for others beside it.
    fn folder(&self) -> &Path {
        self.front.certificate().folder()
    }

    fn endpoint(&self) -> &str {
        self.front.endpoint()
    }

    fn fetched_with(&self, variables: &[(&str, &str)]) -> String {
        let environment = [&ANY_KEY, [("AWS_REGION", REGION)].as_slice(), variables].concat();
        answer(&[("endpoint-url", self.endpoint())], &environment)
    }
}

#[test]
fn a_bundle_of_authorities_is_heeded() {
    let server = Unknown::start();
    let path = server.certificate();
    let path = path.to_str().unwrap();
    assert_eq!(server.fetched_with(&[("AWS_CA_BUNDLE", path)]), "value: hunter2");
    let files = Files::new(&format!("[default]\nca_bundle = {path}\n"), "");
    let files = files.environment();
    assert_eq!(server.fetched_with(&borrowed(&files)), "value: hunter2");
}

/// Carries connections to that server, whatever host they are meant for: as a proxy does that looks into what it carries, and
/// so shows a certificate of its own.
fn proxy(server: &Unknown) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = server.endpoint().trim_start_matches("https://").to_owned();
    thread::spawn(move || {
        for client in listener.incoming().take(8).flatten() {
            let server = server.clone();
            thread::spawn(move || carry(&client, &server));
        }
    });
    format!("http://{address}")
}

fn carry(client: &TcpStream, server: &str) {
    let mut head = BufReader::new(client.try_clone().unwrap()).lines();
    assert!(head.next().unwrap().unwrap().starts_with("CONNECT "));
    while !head.next().unwrap().unwrap().is_empty() {}
    let server = TcpStream::connect(server).unwrap();
    (&*client).write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let back = thread::spawn(move || io::copy(&mut from, &mut to).ok());
    drop(io::copy(&mut &*client, &mut &server));
    drop(server.shutdown(Shutdown::Write));
    drop(back.join());
}

#[test]
fn a_bundle_is_heeded_behind_a_proxy_too() {
    let server = Unknown::start();
    let (proxy, path) = (proxy(&server), server.certificate());
    // The certificate is for 127.0.0.1, where nobody else listens at this port.
    let settings = [("endpoint-url", "https://127.0.0.1:1")];
    let fetched = |more: &[(&str, &str)]| {
        let environment =
            [&ANY_KEY, [("AWS_REGION", REGION), ("HTTPS_PROXY", &*proxy)].as_slice(), more].concat();
        answer(&settings, &environment)
    };
    assert_eq!(fetched(&[("AWS_CA_BUNDLE", path.to_str().unwrap())]), "value: hunter2");
    let told = fetched(&[]);
    assert!(told.contains("invalid peer certificate") && told.contains("hint: is the authority"), "{told}");
}

#[test]
fn an_unknown_authority_is_said_to_be_one() {
    let server = Unknown::start();
    let told = server.fetched_with(&[]);
    assert!(told.starts_with("unavailable: ") && told.contains("invalid peer certificate: "), "{told}");
    assert!(
        told.contains("hint: is the authority behind that certificate trusted here? AWS_CA_BUNDLE"),
        "{told}"
    );
}

#[test]
fn a_bundle_that_cannot_be_read_is_named() {
    let server = Unknown::start();
    let broken = server.folder().join("broken.pem");
    fs::write(&broken, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    let empty = server.folder().join("empty.pem");
    fs::write(&empty, "").unwrap();
    for path in [broken.to_str().unwrap(), empty.to_str().unwrap(), "/nowhere/at-all.pem"] {
        let told = server.fetched_with(&[("AWS_CA_BUNDLE", path)]);
        assert!(told.starts_with(&format!("invalid request: AWS_CA_BUNDLE: {path} ")), "{told}");
    }
}

#[test]
fn a_machine_without_certificates_trusts_nobody_and_says_so() {
    let server = Unknown::start();
    let empty = server.folder().join("empty.pem");
    fs::write(&empty, "").unwrap();
    let told = server.fetched_with(&[("SSL_CERT_FILE", empty.to_str().unwrap())]);
    assert!(told.starts_with("unavailable: ") && told.contains("hint: is the authority behind"), "{told}");
    let path = server.certificate();
    assert_eq!(server.fetched_with(&[("SSL_CERT_FILE", path.to_str().unwrap())]), "value: hunter2");
    // One that is broken does not hide the others.
    let mixed = server.folder().join("mixed.pem");
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    fs::write(&mixed, format!("{broken}{}", fs::read_to_string(&path).unwrap())).unwrap();
    assert_eq!(server.fetched_with(&[("SSL_CERT_FILE", mixed.to_str().unwrap())]), "value: hunter2");
}

/// Returns how often certificates were opened for a fetch from there.
fn opened(endpoint: &str, variables: &[(&str, &str)]) -> usize {
    let folder = TempDir::new().unwrap();
    let trace = folder.path().join("trace");
    let environment = [&ANY_KEY, [("AWS_REGION", REGION)].as_slice(), variables].concat();
    let mut strace = Command::new("strace");
    strace.args(["-f", "-e", "trace=open,openat,openat2", "-o"]).arg(&trace);
    run_by(strace, &[("endpoint-url", endpoint)], "app/db", &environment);
    let is_certificate =
        |line: &&str| line.contains(".pem") || line.contains(".crt") || line.contains("/certs");
    fs::read_to_string(&trace).unwrap().lines().filter(is_certificate).count()
}

/// Loading them takes more work than everything else in a run with one secret.
#[test]
fn certificates_are_loaded_once_and_only_for_tls() {
    let plain = Stub::start(Reply::json(200, r#"{"SecretString": "hunter2"}"#));
    assert_eq!(opened(&plain.endpoint(), &[]), 0);
    let server = Unknown::start();
    // The bundle of the machine alone, and not each of its certificates.
    assert!((1..=2).contains(&opened(server.endpoint(), &[])), "{}", opened(server.endpoint(), &[]));
    let path = server.certificate();
    assert_eq!(opened(server.endpoint(), &[("AWS_CA_BUNDLE", path.to_str().unwrap())]), 1);
}
