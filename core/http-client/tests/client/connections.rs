//! Servers that are not there, and connections that are kept.

use std::net::TcpListener;
use std::time::Duration;

use secretdir_http_client::{Client, Fault, Tls};
use secretdir_provider::{Retry, SourceErrorKind};
use secretdir_testkit::{Certificate, Reply, Stub, UnixFront};

use crate::support::{SOON, body, failure, get, plain, run, run_of, told, trusting};

#[tokio::test]
async fn nobody_there_is_said_with_host_and_port() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let told = failure(&plain(), &format!("http://{address}")).await;
    assert_eq!((told.fault, told.kind, told.retry), (Fault::Unreachable, SourceErrorKind::Unavailable, SOON));
    assert_eq!(told.cause, format!("{address}: cannot connect: Connection refused (os error 111)"));
    assert!(told.hint.contains("is the server running"), "{}", told.hint);
}

#[tokio::test]
async fn a_name_without_an_address_is_said_to_have_none() {
    // A label of 64 letters is refused before anybody is asked.
    let host = "a".repeat(64);
    let told = failure(&plain(), &format!("http://{host}:81")).await;
    assert_eq!((told.fault, told.kind, told.retry), (Fault::Unresolved, SourceErrorKind::Unavailable, SOON));
    assert!(told.cause.starts_with(&format!("{host}:81: the name cannot be resolved: ")), "{}", told.cause);
    assert!(told.hint.contains("is the host name correct"), "{}", told.hint);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_a_time_out() {
    let stub = Stub::start(Reply::Silence);
    let run = run_of(Duration::from_millis(400));
    let told = told(plain().send(&run, get(&stub.endpoint())).await.unwrap_err());
    assert_eq!((told.fault, told.kind, told.retry), (Fault::TimedOut, SourceErrorKind::TimedOut, Retry::No));
    assert!(told.cause.contains(": no answer within "), "{}", told.cause);
}

/// The clock of the test goes on to the next timer whenever everybody waits.
#[tokio::test(start_paused = true)]
async fn a_server_that_accepts_no_connection_is_a_time_out_of_its_own() {
    // The kernel takes the connection, and nobody answers the greeting of TLS.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = Certificate::make();
    let told = failure(&trusting(&other), &format!("https://{}", listener.local_addr().unwrap())).await;
    assert_eq!(
        (told.fault, told.kind, told.retry),
        (Fault::ConnectTimedOut, SourceErrorKind::TimedOut, SOON)
    );
    assert!(told.cause.ends_with(": no connection within 10s"), "{}", told.cause);
}

#[tokio::test]
async fn a_run_keeps_its_connections_and_the_next_one_makes_its_own() {
    let stub = Stub::start(Reply::Kept(b"hunter2".to_vec()));
    let client = plain();
    for number in 1..=2 {
        let run = run();
        for _ in 0..5 {
            let answer = client.send(&run, get(&stub.endpoint())).await.unwrap();
            assert_eq!(answer.body().expose_secret(), b"hunter2");
        }
        assert_eq!((stub.connections(), stub.requests()), (number, 5 * number));
    }
}

#[tokio::test]
async fn there_are_no_more_connections_than_requests_in_flight() {
    let stub = Stub::start(Reply::Kept(b"hunter2".to_vec()));
    let (client, run) = (plain(), run());
    for _ in 0..10 {
        let (a, b, c) = tokio::join!(
            client.send(&run, get(&stub.endpoint())),
            client.send(&run, get(&stub.endpoint())),
            client.send(&run, get(&stub.endpoint())),
        );
        assert!([a, b, c].iter().all(Result::is_ok));
    }
    assert!(stub.connections() <= 3, "{}", stub.connections());
    assert_eq!(stub.requests(), 30);
}

#[tokio::test]
async fn clients_of_one_run_do_not_share_what_they_are() {
    let (stub, other) = (Stub::start(Reply::json(200, "1")), Stub::start(Reply::json(200, "2")));
    let front = UnixFront::before(&other.endpoint());
    let (run, socket) = (run(), Client::over_unix_socket(front.path(), Tls::default()));
    for (client, expected) in [(plain(), b"1"), (socket, b"2"), (plain(), b"1")] {
        let answer = client.send(&run, get(&stub.endpoint())).await.unwrap();
        assert_eq!(answer.body().expose_secret(), expected);
    }
}

#[tokio::test]
async fn a_unix_socket_takes_the_place_of_host_and_port() {
    let stub = Stub::start(Reply::json(200, "hunter2"));
    let front = UnixFront::before(&stub.endpoint());
    let client = Client::over_unix_socket(front.path(), Tls::default());
    assert_eq!(body(&client, "http://localhost").await, b"hunter2");
    assert_eq!(stub.headers("host"), [Some("localhost".to_owned())]);
    let nowhere = front.path().with_file_name("nowhere");
    let told = failure(&Client::over_unix_socket(&nowhere, Tls::default()), "http://localhost").await;
    assert_eq!((told.fault, told.kind), (Fault::Unreachable, SourceErrorKind::Unavailable));
    let cause = format!("the socket {nowhere:?}: cannot connect: No such file or directory (os error 2)");
    assert_eq!(told.cause, cause);
}
