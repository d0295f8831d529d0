//! The client, and the connections of a run.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::redirect::Policy;
use secretdir_provider::RunContext;

use crate::error::ClientError;
use crate::request::Request;
use crate::response::{Failure, Response};
use crate::time::{CONNECT_TIMEOUT, time_left};
use crate::tls::{self, Tls};
use crate::way::{Need, Route, Way};

/// What the servers of stores see in their logs.
const USER_AGENT: &str = concat!("secretdir/", env!("CARGO_PKG_VERSION"));

/// How often other tasks have a turn before an answer is handed over: the one that reads from a connection, and the one that puts it
/// back.
const TURNS_TO_BE_FREE: usize = 4;

/// An HTTP client. Making one does no I/O. Clones are the same client.
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
    need: Need,
    route: Route,
    client: reqwest::Client,
}

impl Client {
    /// Makes a client that goes where the URL of a request leads, through the proxies of the environment.
    pub fn new(tls: Tls) -> Self {
        Self(Arc::new(Setup { tls, socket: None }))
    }

    /// Makes a client that sends everything over a Unix socket. Host and scheme of a URL are what the server behind it is told.
    pub fn over_unix_socket(socket: impl Into<PathBuf>, tls: Tls) -> Self {
        Self(Arc::new(Setup { tls, socket: Some(socket.into()) }))
    }

    /// Sends a request and reads all of its answer, whatever its status. No redirect is followed.
    ///
    /// A connection is kept until the run is over. Dropping the future closes the connection.
    ///
    /// # Errors
    ///
    /// There is no whole answer: see [`Fault`](crate::Fault).
    pub async fn send(&self, run: &RunContext, request: Request) -> Result<Response, ClientError> {
        let way = Way::of(request.url(), self.0.socket.as_deref());
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
        // The task of the connection notices only now that it is free. Whoever asks next is to find it so, and not to open another.
        for _ in 0..TURNS_TO_BE_FREE {
            tokio::task::yield_now().await;
        }
        answer
    }

    /// Returns the client of this run. The first time it is made, and the files for TLS are read.
    fn opened(&self, run: &RunContext, way: &Way) -> Result<reqwest::Client, ClientError> {
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

    fn open(&self, run: &RunContext, way: &Way) -> Result<reqwest::Client, ClientError> {
        // Loading the authorities of the machine takes more work than all the rest of a small run.
        let tls = match way.need() {
            Need::Plain => tls::without_trust(),
            Need::Tls => self.0.tls.read(),
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
        builder.build().map_err(|error| ClientError::of_building(&error))
    }
}
