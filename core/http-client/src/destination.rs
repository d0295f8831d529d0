//! The destination of a request: the host, and the proxy before it. Network errors name both.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;

/// The kind of connection that a request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// A connection without TLS.
    Plain,
    /// TLS: to the server, or to the proxy.
    Tls,
}

/// Whether a request uses the proxies of the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// To this machine itself, without a proxy: an unencrypted request must not leave the machine.
    Direct,
    Proxied,
}

/// The destination of a request.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    need: Encryption,
    route: Route,
    to: String,
    proxy: Option<String>,
}

impl Destination {
    /// Returns the way to a URL, over a Unix socket if one is given.
    pub(crate) fn of(url: &Url, socket: Option<&Path>) -> Self {
        let need = if url.scheme() == "http" { Encryption::Plain } else { Encryption::Tls };
        if let Some(socket) = socket {
            return Self { need, route: Route::Direct, to: format!("the socket {socket:?}"), proxy: None };
        }
        let (to, route) = (host_and_port(url), if is_loopback(url) { Route::Direct } else { Route::Proxied });
        let proxy = match route {
            Route::Direct => None,
            Route::Proxied => {
                url.as_str().parse().ok().and_then(|uri: Uri| Matcher::from_env().intercept(&uri))
            }
        };
        let has_tls = proxy.as_ref().is_some_and(|proxy| proxy.uri().scheme_str() == Some("https"));
        let need = if has_tls { Encryption::Tls } else { need };
        Self { need, route, to, proxy: proxy.map(|proxy| place(proxy.uri())) }
    }

    pub(crate) fn need(&self) -> Encryption {
        self.need
    }

    pub(crate) fn route(&self) -> Route {
        self.route
    }

    pub(crate) fn has_proxy(&self) -> bool {
        self.proxy.is_some()
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.proxy {
            Some(proxy) => write!(f, "{} through the proxy {proxy}", self.to),
            None => f.write_str(&self.to),
        }
    }
}

/// Says whether a URL leads to this machine.
///
/// ```
/// use secretdir_http_client::is_loopback;
///
/// assert!(is_loopback(&"http://localhost:8200/v1".parse().unwrap()));
/// assert!(!is_loopback(&"http://localhost.example.com".parse().unwrap()));
/// ```
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost" || host == "localhost.",
    }
}

/// Returns the host and port of a URL, without its other parts.
pub fn host_and_port(url: &Url) -> String {
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
        let way = Destination::of(&url, Some(Path::new("/run/agent.sock")));
        assert_eq!(
            (way.to_string().as_str(), way.need()),
            ("the socket \"/run/agent.sock\"", Encryption::Plain)
        );
    }

    #[test]
    fn what_leads_to_this_machine_is_told_from_what_does_not() {
        for url in [
            "http://127.0.0.1:81",
            "http://127.1.2.3",
            "https://localhost/",
            "http://[::1]/a",
            "http://LOCALHOST",
        ] {
            assert!(is_loopback(&url.parse().unwrap()), "{url}");
        }
        for url in [
            "http://10.0.0.1",
            "http://169.254.169.254",
            "http://[::2]",
            "http://localhost.test",
            "http://0.0.0.0",
        ] {
            assert!(!is_loopback(&url.parse().unwrap()), "{url}");
        }
    }

    #[test]
    fn a_proxy_is_named_too() {
        let proxy = Some(place(&"http://name:word@proxy.test:3128".parse().unwrap()));
        let way = Destination {
            need: Encryption::Tls,
            route: Route::Proxied,
            to: "store.test:443".to_owned(),
            proxy,
        };
        assert_eq!(way.to_string(), "store.test:443 through the proxy proxy.test:3128");
    }
}
