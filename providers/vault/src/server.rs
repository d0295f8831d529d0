//! The server, and one call to it.

use secretdir_http_client::{Client, HeaderName, HeaderValue, Method, Request, Tls, Url};
use secretdir_provider::{RunContext, SecretBuffer, SettingsError, SourceError, SourceErrorKind};

use crate::answer::Reply;
use crate::time::seconds;

/// The maximum size of an answer: 8 MiB. An entry of the server's own storage has at most 1 MiB.
const MAX_BYTES: usize = 8 << 20;

const TOKEN: HeaderName = HeaderName::from_static("x-vault-token");
const NAMESPACE: HeaderName = HeaderName::from_static("x-vault-namespace");
/// Agents may require this header, because a page in a browser cannot send it.
const REQUEST: HeaderName = HeaderName::from_static("x-vault-request");

/// A server, in one namespace.
#[derive(Debug)]
pub(crate) struct Server {
    client: Client,
    base: Url,
    namespace: Option<HeaderValue>,
}

/// One call. It may be repeated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'c> {
    method: Method,
    pub(crate) path: &'c str,
    query: Option<(&'c str, &'c str)>,
    body: Option<&'c SecretBuffer>,
}

impl<'c> Call<'c> {
    pub(crate) fn get(path: &'c str) -> Self {
        Self { method: Method::Get, path, query: None, body: None }
    }

    pub(crate) fn list(path: &'c str) -> Self {
        Self { method: Method::List, ..Self::get(path) }
    }

    pub(crate) fn post(path: &'c str, body: &'c SecretBuffer) -> Self {
        Self { method: Method::Post, path, query: None, body: Some(body) }
    }

    pub(crate) fn with_query(self, key: &'c str, value: &'c str) -> Self {
        Self { query: Some((key, value)), ..self }
    }

    /// Returns the capability that a policy needs for this call.
    pub(crate) fn capability(&self) -> &'static str {
        match self.method {
            Method::Get => "read",
            Method::List => "list",
            Method::Post | Method::Put => "update",
        }
    }
}

impl Server {
    pub(crate) fn new(address: &str, namespace: Option<&str>, tls: Tls) -> Result<Self, SettingsError> {
        let (client, url) = match address.strip_prefix("unix://") {
            Some(socket) if socket.starts_with('/') => {
                (Client::over_unix_socket(socket, tls), "http://localhost")
            }
            Some(_) => return Err(bad_address("must have an absolute path after `unix://`")),
            None => (Client::new(tls), address),
        };
        let base =
            Url::parse(url).map_err(|_| bad_address("must be a URL, such as https://vault.internal:8200"))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(bad_address("must begin with https://, http:// or unix://"));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(bad_address("must not hold a user name or a password"));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(bad_address("must have no `?` and no `#`"));
        }
        let namespace = namespace.map(|name| HeaderValue::from_str(name.trim_matches('/')));
        let namespace = namespace.transpose();
        let namespace =
            namespace.map_err(|_| SettingsError::new("namespace", "must not have control characters"))?;
        Ok(Self { client, base, namespace })
    }

    /// Says whether others can read the requests on their way.
    pub(crate) fn is_unencrypted(&self) -> bool {
        // A URL for a socket has the name of this machine, too.
        self.base.scheme() == "http" && !secretdir_http_client::is_loopback(&self.base)
    }

    /// Makes a call. Returns an answer with any status, except a redirect to another server.
    pub(crate) async fn call(
        &self,
        run: &RunContext,
        token: Option<&HeaderValue>,
        call: Call<'_>,
    ) -> Result<Reply, SourceError> {
        let url = self.url(call.path, call.query)?;
        let answer = self.send(run, token, call, url).await?;
        let Some(target) = self.redirected(&answer)? else { return reply(answer) };
        let answer = self.send(run, token, call, target).await?;
        match self.redirected(&answer)? {
            None => reply(answer),
            Some(_) => Err(unavailable("it redirects more than once")),
        }
    }

    async fn send(
        &self,
        run: &RunContext,
        token: Option<&HeaderValue>,
        call: Call<'_>,
        url: Url,
    ) -> Result<secretdir_http_client::Response, SourceError> {
        let mut request = Request::new(call.method, url)
            .with_max_bytes(MAX_BYTES)
            .with_header(REQUEST, HeaderValue::from_static("true"));
        if let Some(token) = token {
            request = request.with_header(TOKEN, token.clone());
        }
        if let Some(namespace) = &self.namespace {
            request = request.with_header(NAMESPACE, namespace.clone());
        }
        if let Some(body) = call.body {
            request = request.with_body(SecretBuffer::from(body.expose_secret()));
        }
        Ok(self.client.send(run, request).await?)
    }

    fn url(&self, path: &str, query: Option<(&str, &str)>) -> Result<Url, SourceError> {
        let mut url = self.base.clone();
        match url.path_segments_mut() {
            Ok(mut segments) => {
                segments.pop_if_empty().push("v1").extend(path.split('/'));
            }
            Err(()) => return Err(unavailable("its address cannot have a path")),
        }
        if let Some((key, value)) = query {
            url.query_pairs_mut().append_pair(key, value);
        }
        Ok(url)
    }

    /// Returns the target of a redirect. It must be on the same server, because a token must not reach another one.
    fn redirected(&self, answer: &secretdir_http_client::Response) -> Result<Option<Url>, SourceError> {
        if !matches!(answer.status(), 301 | 302 | 307 | 308) {
            return Ok(None);
        }
        let target = answer.header("location").and_then(|location| self.base.join(location).ok());
        let target = target.ok_or_else(|| unavailable("it redirects without a `Location`"))?;
        if target.origin() == self.base.origin() {
            return Ok(Some(target));
        }
        let host = secretdir_http_client::host_and_port(&target);
        Err(unavailable(&format!("it redirects to `{host}`, but the token is not sent to another host"))
            .with_hint("set `address` to the active server, or to a load balancer that finds it"))
    }
}

fn reply(answer: secretdir_http_client::Response) -> Result<Reply, SourceError> {
    let retry_after = answer.header("retry-after").and_then(|text| text.parse().ok()).map(seconds);
    Ok(Reply { status: answer.status(), retry_after, body: answer.into_body() })
}

fn bad_address(why: &str) -> SettingsError {
    SettingsError::new("address", why)
}

fn unavailable(why: &str) -> SourceError {
    SourceError::new(SourceErrorKind::Unavailable).with_cause(format!("the server cannot be used: {why}"))
}
