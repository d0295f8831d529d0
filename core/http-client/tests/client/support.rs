//! What the tests share.

use std::error::Error as _;
use std::time::Duration;

use secretdir_http_client::{Client, ClientError, Fault, Method, Request, Response, Tls, TlsSettings};
use secretdir_provider::{Retry, RunContext, Settings, SourceError, SourceErrorKind, Table};
use secretdir_testkit::Certificate;

/// Longer than any test takes that goes well.
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) fn run() -> RunContext {
    run_of(LONG)
}

pub(crate) fn run_of(timeout: Duration) -> RunContext {
    RunContext::builder().timeout(timeout).build()
}

pub(crate) fn plain() -> Client {
    Client::new(Tls::default())
}

/// A client that trusts the authority of this certificate, and no other.
pub(crate) fn trusting(server: &Certificate) -> Client {
    let path = server.path();
    client(TlsSettings { ca_certificate: path.to_str(), ..TlsSettings::default() })
}

pub(crate) fn client(settings: TlsSettings<'_>) -> Client {
    Client::new(settings.locate(&Settings::new(Table::new(), "/")).unwrap())
}

/// A request whose query must not be told.
pub(crate) fn get(endpoint: &str) -> Request {
    Request::new(Method::Get, format!("{endpoint}/v1/app?token=canary-in-a-query").parse().unwrap())
}

pub(crate) async fn send(client: &Client, endpoint: &str) -> Result<Response, ClientError> {
    client.send(&run(), get(endpoint)).await
}

pub(crate) async fn body(client: &Client, endpoint: &str) -> Vec<u8> {
    send(client, endpoint).await.unwrap().into_body().into()
}

/// What a person is told, and what becomes of the error.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) fault: Fault,
    pub(crate) kind: SourceErrorKind,
    pub(crate) retry: Retry,
    pub(crate) cause: String,
    pub(crate) hint: String,
}

pub(crate) fn told(error: ClientError) -> Told {
    let fault = error.fault();
    let debug = format!("{error:?}");
    let error = SourceError::from(error);
    let cause = error.source().unwrap().to_string();
    let hint = error.hint().unwrap_or_default().to_owned();
    for text in [&debug, &cause, &hint] {
        assert!(!text.contains("canary"), "{text}");
    }
    Told { fault, kind: error.kind(), retry: error.retry(), cause, hint }
}

pub(crate) async fn failure(client: &Client, endpoint: &str) -> Told {
    told(send(client, endpoint).await.unwrap_err())
}

/// What the engine waits before it asks again, unless it is told more.
pub(crate) const SOON: Retry = Retry::After(Duration::ZERO);
