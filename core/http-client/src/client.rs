//! The client, and the connections of a run.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::redirect::Policy;
use secretdir_provider::RunContext;

use crate::destination::{Destination, Encryption, Route};
use crate::error::ClientError;
use crate::request::Request;
use crate::response::{Failure, Response};
use crate::time::{CONNECT_TIMEOUT, time_left};
use crate::tls::{self, Tls};

/// The user agent, which servers write to their logs.
const USER_AGENT: &str = concat!("secretdir/", env!("CARGO_PKG_VERSION"));

/// How often `send` yields before it returns an answer. Two tasks need these turns: one reads from the connection, the
/// other returns it to the pool.
const YIELDS_AFTER_ANSWER: usize = 4;

/// An HTTP client. Creating one does no I/O. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Client(Arc<Setup>);

#[derive(Debug)]
struct Setup {
    tls: Tls,
    socket: Option<PathBuf>,
}

/// The clients that a run has opened, each with its connections.
#[derive(Default)]
struct Opened(Mutex<Vec<Open>>);

struct Open {
    setup: Arc<Setup>,
    need: Encryption,
    route: Route,
    client: reqwest::Client,
}

impl Client {
    /// Makes a client that connects to the host of each URL, through the proxies of the environment.
    pub fn new(tls: Tls) -> Self {
        Self(Arc::new(Setup { tls, socket: None }))
    }

    /// Makes a client that sends all requests over a Unix socket. The host and scheme of a URL do not choose the
    /// server. They are only passed on to it.
    pub fn over_unix_socket(socket: impl Into<PathBuf>, tls: Tls) -> Self {
        Self(Arc::new(Setup { tls, socket: Some(socket.into()) }))
    }

    /// Sends a request and reads the whole answer, whatever its status. Redirects are not followed.
    ///
    /// A connection is kept until the run is over. Dropping the future closes the connection.
    ///
    /// # Errors
    ///
    /// The answer is missing or incomplete: see [`Fault`](crate::Fault).
    pub async fn send(&self, run: &RunContext, request: Request) -> Result<Response, ClientError> {
        let way = Destination::of(request.url(), self.0.socket.as_deref());
        let client = self.opened(run, &way)?;
        let within = time_left(run);
        let max_bytes = request.max_bytes();
        let mut request = request.into_reqwest();
        *request.timeout_mut() = Some(within);
        let answer = async {
            let answer = client.execute(request).await.map_err(Failure::Call)?;
            Response::read(answer, max_bytes).await
        };
        let answer = answer.await.map_err(|failure| ClientError::of(&failure, &way, within));
        // Only now does the connection's task notice that the connection is free. Without these turns, the next request
        // would open another connection.
        for _ in 0..YIELDS_AFTER_ANSWER {
            tokio::task::yield_now().await;
        }
        answer
    }

    /// Returns the client of this run. The first call makes it, and reads the files for TLS.
    fn opened(&self, run: &RunContext, way: &Destination) -> Result<reqwest::Client, ClientError> {
        let opened = run.state::<Opened>();
        let mut opened = opened.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (need, route) = (way.need(), way.route());
        let is_this =
            |open: &&Open| Arc::ptr_eq(&open.setup, &self.0) && open.need == need && open.route == route;
        if let Some(open) = opened.iter().find(is_this) {
            return Ok(open.client.clone());
        }
        tracing::debug!(endpoint = %way, "asking");
        let client = self.open(run, way).map_err(|error| error.before(way))?;
        opened.push(Open { setup: Arc::clone(&self.0), need, route, client: client.clone() });
        Ok(client)
    }

    fn open(&self, run: &RunContext, way: &Destination) -> Result<reqwest::Client, ClientError> {
        // Loading the machine's authorities costs more than the rest of a small run, so plain HTTP skips it.
        let tls = match way.need() {
            Encryption::Plain => tls::without_trust(),
            Encryption::Tls => self.0.tls.read(),
        };
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls?)
            .http1_only()
            .redirect(Policy::none())
            .referer(false)
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_max_idle_per_host(run.concurrency().get());
        if way.route() == Route::Direct {
            builder = builder.no_proxy();
        }
        if let Some(socket) = &self.0.socket {
            builder = builder.unix_socket(socket.as_path());
        }
        builder.build().map_err(|error| ClientError::build_failed(&error))
    }
}
