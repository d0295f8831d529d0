//! The way of one request: the host, and the proxy before it. Network errors name both.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;

use aws_sdk_secretsmanager::error::ConnectorError;
use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

/// Whether a request uses the proxies of the environment.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Route {
    Direct,
    Proxied,
}

/// Whether a request is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Plain,
    Tls,
}

/// Where a request goes.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    scheme: Scheme,
    to: String,
    proxy: Option<String>,
}

/// The error of a request that failed on its way. An error without it comes from a request that never left this machine.
#[derive(Debug)]
pub(crate) struct Blocked {
    way: Way,
    source: ConnectorError,
}

impl Way {
    /// Returns the way to a URL.
    pub(crate) fn of(url: &str, route: Route) -> Self {
        let Ok(url) = url.parse::<Uri>() else {
            return Self { scheme: Scheme::Tls, to: "an unreadable URL".to_owned(), proxy: None };
        };
        let proxy = match route {
            Route::Direct => None,
            Route::Proxied => Matcher::from_env().intercept(&url),
        };
        let scheme = if url.scheme_str() == Some("http") { Scheme::Plain } else { Scheme::Tls };
        Self { scheme, to: place(&url), proxy: proxy.map(|proxy| place(proxy.uri())) }
    }

    /// Returns whether the request is in plain text, and goes through no proxy.
    pub(super) fn is_plain(&self) -> bool {
        self.scheme == Scheme::Plain && self.proxy.is_none()
    }

    /// Adds this way to an error, and keeps the kind of the error.
    pub(super) fn blocked(self, error: ConnectorError) -> ConnectorError {
        let (is_timeout, is_user, is_io, other) =
            (error.is_timeout(), error.is_user(), error.is_io(), error.as_other());
        let blocked = Box::new(Blocked { way: self, source: error });
        match () {
            () if is_timeout => ConnectorError::timeout(blocked),
            () if is_user => ConnectorError::user(blocked),
            () if is_io => ConnectorError::io(blocked),
            () => ConnectorError::other(blocked, other),
        }
    }
}

impl Blocked {
    pub(crate) fn behind<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e Self> {
        std::iter::successors(Some(error), |&error| error.source()).find_map(|error| error.downcast_ref())
    }

    pub(crate) fn way(&self) -> &Way {
        &self.way
    }

    pub(crate) fn has_proxy(&self) -> bool {
        self.way.proxy.is_some()
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

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be reached", self.way)
    }
}

impl Error for Blocked {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

/// Returns host and port, without the other parts of a URL.
fn place(url: &Uri) -> String {
    let host = url.host().unwrap_or("an unnamed host");
    let port = url.port_u16().unwrap_or(if url.scheme_str() == Some("http") { 80 } else { 443 });
    format!("{host}:{port}")
}

/// Returns whether an address belongs to this machine or to its local link.
pub(super) fn is_near(url: &str) -> bool {
    let Ok(url) = url.parse::<Uri>() else { return false };
    let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    match host.parse() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_link_local(),
        // AWS's own addresses for instances and pods are unique local addresses.
        Ok(IpAddr::V6(address)) => {
            let of_aws = ["fd00:ec2::254", "fd00:ec2::23"].iter().any(|own| own.parse() == Ok(address));
            address.is_loopback() || address.is_unicast_link_local() || of_aws
        }
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_told_from_what_is_far() {
        for url in [
            "http://169.254.169.254/latest",
            "http://169.254.170.2/a?b",
            "http://169.254.170.23/v1/credentials",
            "http://127.0.0.1:8080",
            "http://127.1.2.3",
            "http://localhost/",
            "http://[::1]:80/",
            "http://[fe80::1]/",
            "http://[fd00:ec2::254]/",
            "http://[fd00:ec2::23]/v1",
        ] {
            assert!(is_near(url), "{url}");
        }
        for url in [
            "https://sts.eu-west-1.amazonaws.com/",
            "http://10.0.0.1",
            "http://[fd00::1]",
            "http://localhost.example.com",
            "",
        ] {
            assert!(!is_near(url), "{url}");
        }
    }

    #[test]
    fn an_error_names_host_and_port() {
        for (url, to) in [("https://a/b?c", "a:443"), ("http://a:81", "a:81"), ("http://[::1]/", "[::1]:80")]
        {
            assert_eq!(Way::of(url, Route::Direct).to_string(), to);
        }
        let way = Way { scheme: Scheme::Tls, to: "a:443".to_owned(), proxy: Some("b:3128".to_owned()) };
        let error = way.blocked(ConnectorError::io("refused".into()));
        assert!(error.is_io());
        assert_eq!(Blocked::behind(&error).unwrap().way().to_string(), "a:443 through the proxy b:3128");
    }
}
