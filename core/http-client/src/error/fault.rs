//! Kinds of failures, recognised by the types in the chain of an error.

use std::error::Error;
use std::io;
use std::iter;
use std::time::Duration;

use rustls::AlertDescription;
use secretdir_provider::SourceErrorKind;

use crate::destination::Destination;
use crate::response::Failure;
use crate::time::CONNECT_TIMEOUT;

const NAME_HINT: &str = "is the host name correct, and does DNS work on this machine?";
const NETWORK_HINT: &str = "is the server running, is the port correct, and is the network path open?";
const PROXY_HINT: &str =
    "is the proxy in HTTPS_PROXY or HTTP_PROXY correct and running, or should NO_PROXY name the host?";
const TRUST_HINT: &str =
    "if a private authority has issued that certificate, name its file with `ca-certificate`";
/// TLS 1.2 has no alert for a missing client certificate, so the hint also asks about that.
const TLS_HINT: &str = "does the server speak TLS on this port, and does it require a `client-certificate`?";
const IDENTITY_HINT: &str =
    "the server requires a client certificate that it trusts: check `client-certificate` and `client-key`";
const TIME_HINT: &str = "raise `timeout` under [gather], or check the network path to the server";
const SIZE_HINT: &str = "raise the limit if values are that large, or look for a wrong path or a proxy";
const HTTP_HINT: &str = "does the server speak HTTP on this port, or should the URL begin with https://?";
const FILES_HINT: &str = "the current user must be able to read that file, and it must be in PEM format";
const AUTHORITIES_HINT: &str =
    "install the package ca-certificates, or name a file with `ca-certificate` or SSL_CERT_FILE";

/// The kind of a failed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The host name has no address.
    Unresolved,
    /// The connection is not accepted.
    Unreachable,
    /// The connection is not accepted in time.
    ConnectTimedOut,
    /// The run has no time left for the answer.
    TimedOut,
    /// The certificate of the server is not trusted.
    Untrusted,
    /// The server rejects the client's certificate, or requires one.
    ClientCertificate,
    /// TLS with the server fails.
    Tls,
    /// The connection ended before the answer began.
    BrokenOff,
    /// The connection ended in the middle of the answer.
    Truncated,
    /// The answer has neither a length nor TLS, so a truncated answer could not be noticed.
    Unbounded,
    /// The answer is larger than the request allows.
    TooLarge,
    /// The answer is not HTTP.
    NotHttp,
    /// The file of certificate authorities cannot be used.
    Authorities,
    /// The machine has no certificate authorities.
    NoAuthorities,
    /// The certificate or the key of the client cannot be used.
    Identity,
    /// The request itself cannot be sent.
    Unusable,
}

impl Fault {
    pub(super) fn of(failure: &Failure) -> Self {
        match failure {
            Failure::TooLarge(_) => Self::TooLarge,
            Failure::Unbounded => Self::Unbounded,
            Failure::Body(error) if error.is_timeout() => Self::TimedOut,
            Failure::Body(_) => Self::Truncated,
            Failure::Call(error) => Self::of_call(error),
        }
    }

    fn of_call(error: &reqwest::Error) -> Self {
        match error {
            _ if error.is_builder() => Self::Unusable,
            _ if error.is_timeout() && error.is_connect() => Self::ConnectTimedOut,
            _ if error.is_timeout() => Self::TimedOut,
            _ if error.is_dns() => Self::Unresolved,
            _ => chain(error).find_map(of_link).unwrap_or(match error.is_connect() {
                true => Self::Unreachable,
                false => Self::BrokenOff,
            }),
        }
    }

    pub(super) fn kind(self) -> SourceErrorKind {
        match self {
            Self::ConnectTimedOut | Self::TimedOut => SourceErrorKind::TimedOut,
            Self::ClientCertificate | Self::Identity => SourceErrorKind::Unauthenticated,
            Self::Unbounded | Self::TooLarge | Self::NotHttp => SourceErrorKind::InvalidData,
            Self::Unusable => SourceErrorKind::InvalidRequest,
            _ => SourceErrorKind::Unavailable,
        }
    }

    /// Says whether a retry of the same request may succeed.
    pub(super) fn may_pass(self) -> bool {
        matches!(
            self,
            Self::Unresolved | Self::Unreachable | Self::ConnectTimedOut | Self::BrokenOff | Self::Truncated
        )
    }

    pub(super) fn hint(self, way: &Destination) -> Option<&'static str> {
        Some(match self {
            Self::Unresolved | Self::Unreachable | Self::BrokenOff if way.has_proxy() => PROXY_HINT,
            Self::Unresolved => NAME_HINT,
            Self::Unreachable | Self::ConnectTimedOut => NETWORK_HINT,
            Self::TimedOut => TIME_HINT,
            Self::Untrusted => TRUST_HINT,
            Self::ClientCertificate => IDENTITY_HINT,
            Self::Tls => TLS_HINT,
            Self::TooLarge => SIZE_HINT,
            Self::NotHttp => HTTP_HINT,
            _ => return self.hint_about_files(),
        })
    }

    pub(super) fn hint_about_files(self) -> Option<&'static str> {
        match self {
            Self::Authorities | Self::Identity => Some(FILES_HINT),
            Self::NoAuthorities => Some(AUTHORITIES_HINT),
            _ => None,
        }
    }
}

/// Returns the kind of failure that one error of a chain stands for.
fn of_link(error: &(dyn Error + 'static)) -> Option<Fault> {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(match error {
            rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => Fault::Untrusted,
            rustls::Error::AlertReceived(alert) if is_about_certificates(*alert) => Fault::ClientCertificate,
            _ => Fault::Tls,
        });
    }
    let error = error.downcast_ref::<hyper::Error>()?;
    error.is_parse().then_some(Fault::NotHttp)
}

fn is_about_certificates(alert: AlertDescription) -> bool {
    use AlertDescription as Alert;
    matches!(
        alert,
        Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
    )
}

/// Describes the failure, without the destination.
pub(super) fn describe(fault: Fault, failure: &Failure, within: Duration) -> String {
    let inner = match failure {
        Failure::Call(error) | Failure::Body(error) => innermost(error),
        Failure::TooLarge(most) => return format!("the answer is larger than {most} bytes"),
        Failure::Unbounded => {
            return "the answer has no length, so a truncated answer could not be noticed".to_owned();
        }
    };
    match fault {
        Fault::TimedOut => format!("no answer within {within:.1?}"),
        Fault::ConnectTimedOut => format!("no connection within {CONNECT_TIMEOUT:?}"),
        Fault::Unresolved => format!("the name cannot be resolved: {inner}"),
        Fault::Unreachable => format!("cannot connect: {inner}"),
        Fault::Truncated => format!("the answer broke off: {inner}"),
        Fault::BrokenOff => format!("the connection broke off: {inner}"),
        Fault::NotHttp => format!("the answer is not HTTP: {inner}"),
        _ => inner,
    }
}

/// Returns the text of the innermost error. It drops the link to a manual for programmers that rustls adds.
pub(super) fn innermost(error: &reqwest::Error) -> String {
    let text = chain(error).last().map(ToString::to_string).unwrap_or_default();
    text.split_once(": https://").map_or(text.as_str(), |(before, _)| before).to_owned()
}

/// Returns the errors below an error of reqwest, whose own text quotes the URL. An I/O error may contain another error
/// without returning it as its source.
fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    iter::successors(error.source(), |&error| {
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source())
    })
}
