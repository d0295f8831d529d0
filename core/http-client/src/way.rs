//! The way of one request: the host, and the proxy before it. Errors of the network name both.

use std::fmt;
use std::path::Path;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;

/// What a request needs to get through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// A connection in the clear.
    Plain,
    /// TLS: to the server, or to the proxy.
    Tls,
}

/// Where a request goes.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    need: Need,
    to: String,
    proxy: Option<String>,
}

impl Way {
    /// Finds the way to a URL, over a socket of this machine if one is named.
    pub(crate) fn of(url: &Url, socket: Option<&Path>) -> Self {
        let need = if url.scheme() == "http" { Need::Plain } else { Need::Tls };
        if let Some(socket) = socket {
            return Self { need, to: format!("the socket {socket:?}"), proxy: None };
        }
        let proxy = url.as_str().parse().ok().and_then(|uri: Uri| Matcher::from_env().intercept(&uri));
        let has_tls = proxy.as_ref().is_some_and(|proxy| proxy.uri().scheme_str() == Some("https"));
        let need = if has_tls { Need::Tls } else { need };
        Self { need, to: host_and_port(url), proxy: proxy.map(|proxy| place(proxy.uri())) }
    }

    pub(crate) fn need(&self) -> Need {
        self.need
    }

    pub(crate) fn has_proxy(&self) -> bool {
        self.proxy.is_some()
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.proxy {
            Some(proxy) => write!(f, "{} through the proxy {proxy}", self.to),
            None => f.write_str(&self.to),
        }
    }
}

/// Returns host and port, without what else a URL may hold.
fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or("an unnamed host");
    match url.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn place(proxy: &Uri) -> String {
    let host = proxy.host().unwrap_or("an unnamed host");
    let port = proxy.port_u16().unwrap_or(if proxy.scheme_str() == Some("https") { 443 } else { 80 });
    format!("{host}:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_names_host_and_port_alone() {
        for (url, to) in [
            ("https://name:word@store.test/a?token=b#c", "store.test:443"),
            ("http://127.0.0.1:81/", "127.0.0.1:81"),
            ("http://[::1]/", "[::1]:80"),
        ] {
            assert_eq!(host_and_port(&url.parse().unwrap()), to);
        }
        let url = "http://localhost/v1/secret?b=c".parse().unwrap();
        let way = Way::of(&url, Some(Path::new("/run/agent.sock")));
        assert_eq!((way.to_string().as_str(), way.need()), ("the socket \"/run/agent.sock\"", Need::Plain));
    }

    #[test]
    fn a_proxy_is_named_too() {
        let proxy = Some(place(&"http://name:word@proxy.test:3128".parse().unwrap()));
        let way = Way { need: Need::Tls, to: "store.test:443".to_owned(), proxy };
        assert_eq!(way.to_string(), "store.test:443 through the proxy proxy.test:3128");
    }
}
