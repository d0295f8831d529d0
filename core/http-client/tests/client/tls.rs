//! Whom a client trusts, and how it shows who it is.

use std::fs;
use std::io::{self, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use secretdir_http_client::{Fault, TlsSettings};
use secretdir_provider::{Retry, Settings, SourceErrorKind, Table};
use secretdir_testkit::{Certificate, Framing, PATIENCE, Reply, Stub, TlsFront};

use crate::support::{SOON, body, client, failure, get, plain, run, told, trusting};

fn stub() -> Stub {
    Stub::start(Reply::json(200, "hunter2"))
}

#[tokio::test]
async fn an_authority_that_is_named_is_trusted() {
    let stub = stub();
    let front = TlsFront::before(&stub.endpoint());
    assert_eq!(body(&trusting(front.certificate()), front.endpoint()).await, b"hunter2");
}

#[tokio::test]
async fn an_unknown_authority_is_said_to_be_one() {
    let stub = stub();
    let front = TlsFront::before(&stub.endpoint());
    let other = Certificate::make();
    for client in [plain(), trusting(&other)] {
        let told = failure(&client, front.endpoint()).await;
        assert_eq!(
            (told.fault, told.kind, told.retry),
            (Fault::Untrusted, SourceErrorKind::Unavailable, Retry::No)
        );
        assert!(
            told.cause.starts_with("127.0.0.1:") && told.cause.contains("invalid peer certificate"),
            "{told:?}"
        );
        assert!(told.hint.contains("`ca-certificate`"), "{}", told.hint);
    }
    assert_eq!(stub.requests(), 0);
}

#[tokio::test]
async fn a_certificate_for_another_host_is_not_trusted() {
    let stub = stub();
    let front = TlsFront::before(&stub.endpoint());
    let endpoint = front.endpoint().replace("127.0.0.1", "localhost");
    let told = failure(&trusting(front.certificate()), &endpoint).await;
    assert_eq!(told.fault, Fault::Untrusted);
    assert!(told.cause.contains("not valid for name \"localhost\""), "{}", told.cause);
}

#[tokio::test]
async fn a_client_shows_its_certificate() {
    let (stub, own) = (stub(), Certificate::make());
    let front = TlsFront::for_client(&stub.endpoint(), &own);
    let (server, certificate, key) = (front.certificate().path(), own.path(), own.key());
    let showing = client(TlsSettings {
        ca_certificate: server.to_str(),
        client_certificate: certificate.to_str(),
        client_key: key.to_str(),
    });
    assert_eq!(body(&showing, front.endpoint()).await, b"hunter2");
    let told = failure(&trusting(front.certificate()), front.endpoint()).await;
    assert_eq!(
        (told.fault, told.kind),
        (Fault::ClientCertificate, SourceErrorKind::Unauthenticated),
        "{told:?}"
    );
    assert!(told.hint.contains("`client-certificate`"), "{}", told.hint);
}

/// Answers whatever comes first with these bytes.
fn server(answer: &'static [u8]) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        client.write_all(answer).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        io::copy(&mut client, &mut io::sink()).unwrap();
    });
    (address, server)
}

#[tokio::test]
async fn a_server_without_tls_is_said_to_have_none() {
    let other = Certificate::make();
    let trusting = trusting(&other);
    for (answer, cause) in [
        // What a server makes of a greeting that it takes for a bad request.
        (&b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"[..], "corrupt message"),
        // The alert of TLS 1.2 that nothing in common was found, such as a certificate of the client.
        (b"\x15\x03\x03\x00\x02\x02\x28", "HandshakeFailure"),
    ] {
        let (address, server) = server(answer);
        let told = failure(&trusting, &format!("https://{address}")).await;
        assert_eq!((told.fault, told.kind), (Fault::Tls, SourceErrorKind::Unavailable), "{told:?}");
        server.join().unwrap();
        assert!(told.cause.contains(cause) && told.hint.contains("speak TLS"), "{told:?}");
    }
}

/// TLS says goodbye, so an answer without a length is whole after it, and only after it.
#[tokio::test]
async fn an_answer_without_a_length_ends_with_a_goodbye() {
    let stub = Stub::start(Reply::Raw(b"HTTP/1.1 200 OK\r\n\r\nhunter2".to_vec()));
    let front = TlsFront::before(&stub.endpoint());
    assert_eq!(body(&trusting(front.certificate()), front.endpoint()).await, b"hunter2");

    let stub = Stub::start(Reply::endless(200, Framing::UntilClosed));
    let mut front = TlsFront::before(&stub.endpoint());
    let (client, endpoint) = (trusting(front.certificate()), front.endpoint().to_owned());
    let request = get(&endpoint).with_max_bytes(usize::MAX);
    let killed = thread::spawn(move || {
        let deadline = Instant::now() + PATIENCE;
        // More than what fits into all buffers on the way, so some of it has arrived.
        while stub.sent() < 64 << 20 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
        front.kill();
    });
    let told = told(client.send(&run(), request).await.unwrap_err());
    killed.join().unwrap();
    assert_eq!((told.fault, told.retry), (Fault::Truncated, SOON), "{told:?}");
    assert!(
        told.cause
            .ends_with(": the answer broke off: peer closed connection without sending TLS close_notify"),
        "{told:?}"
    );
}

#[tokio::test]
async fn files_are_read_again_by_each_run() {
    let stub = stub();
    let front = TlsFront::before(&stub.endpoint());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let client = client(TlsSettings { ca_certificate: path.to_str(), ..TlsSettings::default() });
    let told = failure(&client, front.endpoint()).await;
    assert_eq!((told.fault, told.kind), (Fault::Authorities, SourceErrorKind::Unavailable));
    assert!(
        told.cause.contains(&format!("the file {path:?} cannot be read: No such file")),
        "{}",
        told.cause
    );
    fs::copy(Certificate::make().path(), &path).unwrap();
    assert_eq!(failure(&client, front.endpoint()).await.fault, Fault::Untrusted);
    fs::copy(front.certificate().path(), &path).unwrap();
    assert_eq!(body(&client, front.endpoint()).await, b"hunter2");
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named_and_not_quoted() {
    let (own, other, stub) = (Certificate::make(), Certificate::make(), stub());
    let broken = own.folder().join("broken.pem");
    fs::write(&broken, "-----BEGIN PRIVATE KEY-----\ncanary\n").unwrap();
    let (certificate, broken, folder) =
        (own.path(), broken.to_str().unwrap(), own.folder().to_str().unwrap());
    let other = other.key();
    for (ca, key, fault, cause) in [
        (Some(broken), None, Fault::Authorities, "broken.pem\" has no certificates, or damaged ones"),
        (Some(folder), None, Fault::Authorities, "cannot be read: it is not a regular file"),
        (certificate.to_str(), Some(broken), Fault::Identity, "has no private key, or one that is damaged"),
        (certificate.to_str(), other.to_str(), Fault::Identity, "cannot be used together: "),
    ] {
        let client_certificate = key.and(certificate.to_str());
        let client = client(TlsSettings { ca_certificate: ca, client_certificate, client_key: key });
        let told = failure(&client, &stub.endpoint().replace("http://", "https://")).await;
        assert_eq!(told.fault, fault, "{told:?}");
        assert!(told.cause.contains(cause), "{}", told.cause);
    }
}

#[test]
fn settings_are_checked_without_reading() {
    let settings = Settings::new(Table::new(), "/etc/app");
    let located = |ca, certificate, key| {
        let tls = TlsSettings { ca_certificate: ca, client_certificate: certificate, client_key: key };
        tls.locate(&settings).map_err(|error| error.to_string())
    };
    assert!(located(Some("ca.pem"), Some("/a"), Some("b")).is_ok());
    assert_eq!(
        located(Some("~/ca.pem"), Some("a"), None).unwrap_err().matches("; ").count(),
        1,
        "both problems are told"
    );
    assert_eq!(
        located(None, Some("a"), None).unwrap_err(),
        "client-certificate: needs `client-key` beside it"
    );
    assert_eq!(
        located(None, None, Some("a")).unwrap_err(),
        "client-key: needs `client-certificate` beside it"
    );
}
