//! Converts the SDK's errors into [`SourceError`]. Only this module looks into them.
//!
//! `Debug` of an [`SdkError`] shows the reply, and so the secret: never format it. Nothing is quoted from a reply that
//! claims success, not even the parser's message.

mod denial;
mod fault;
mod regions;
mod reply;

use std::error::Error;
use std::iter;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_secretsmanager::error::{ConnectorError, ErrorMetadata, ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::operation::RequestId;
use secretdir_provider::{SourceError, SourceErrorKind};

pub(crate) use self::fault::Fault;
pub(crate) use self::regions::{again, in_both, not_replicated, told};
use self::reply::Reply;
pub(crate) use self::reply::one_line;
use crate::attempts::Seen;
use crate::environment::readable;
use crate::http::{Blocked, Refusal, TooLong};
use crate::settings::AwsSettings;

const REGION_HINT: &str =
    "set `region` in the source, AWS_REGION in the environment, or region in the profile";
const CREDENTIALS_HINT: &str = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a `profile`, or sign in \
    with `aws sso login`, or give the instance, container or pod a role";
const CONFIGURED_CREDENTIALS_HINT: &str =
    "check the profile, role or credential process that the credentials come from";
const NETWORK_HINT: &str =
    "is the network path to the endpoint open, and are `region` and `endpoint-url` right?";
const PROXY_HINT: &str =
    "is the proxy of HTTPS_PROXY or HTTP_PROXY right and running, or should NO_PROXY name the endpoint?";
const SETTINGS_HINT: &str = "no request was made: check `region`, `endpoint-url`, FIPS and dual-stack, here and in the variables of AWS";
const CERTIFICATE_HINT: &str = "is the authority behind that certificate trusted here? AWS_CA_BUNDLE or SSL_CERT_FILE can name \
    a file of such authorities, and the package ca-certificates has the usual ones";
const PARTIAL_HINT: &str = "AWS takes the six characters at the end of this ARN for those that it adds itself: if they are a part \
    of the name, give the complete ARN, or the name";
const TIME_HINT: &str = "raise `timeout` under [gather], or check the network path to the endpoint";
const ENDPOINT_HINT: &str = "is `endpoint-url` one of this service, or is there a proxy in between?";

/// The context of a call, for its errors: service, region, identity and version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// The name of the service.
    pub(crate) service: &'static str,
    pub(crate) region: &'a str,
    /// The profile that the settings name.
    pub(crate) profile: Option<&'a str>,
    /// The region in the requested ARN, if it differs from the first region of the source.
    pub(crate) arn_region: Option<&'a str>,
    pub(crate) version: Option<&'a str>,
}

impl<'a> Asked<'a> {
    /// Describes a listing, which has no name to ask for.
    pub(crate) fn of_listing(service: &'static str, region: &'a str, settings: &'a AwsSettings) -> Self {
        Self { service, region, profile: settings.profile.as_deref(), arn_region: None, version: None }
    }

    /// Returns the region in the ARN, if it differs from the region that was asked.
    fn other_region(&self) -> Option<&'a str> {
        self.arn_region.filter(|named| *named != self.region)
    }
}

/// Why a call failed, or why an answer lacks one secret: the error and its fault.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: SourceError,
    /// The fault that AWS reported; `None` if AWS reported none.
    pub(crate) fault: Option<Fault>,
}

/// Returns the error for a source without a region.
pub(crate) fn no_region() -> SourceError {
    new(SourceErrorKind::InvalidRequest, "no region is configured".to_owned(), REGION_HINT)
}

/// Returns the error for an answer with neither a string nor binary data.
pub(crate) fn no_value() -> SourceError {
    SourceError::new(SourceErrorKind::InvalidData)
        .with_cause("the answer holds neither a string nor binary data")
}

/// Returns the error for an answer that does not mention a request.
pub(crate) fn no_answer() -> SourceError {
    SourceError::new(SourceErrorKind::InvalidData).with_cause("the answer says nothing of this name")
}

/// Returns the error for an answer that does not mention this secret.
pub(crate) fn no_answer_about(id: &str) -> SourceError {
    new(SourceErrorKind::InvalidData, format!("the answer says nothing of `{id}`"), ENDPOINT_HINT)
}

/// Returns the error for an answer about another secret or parameter than the requested one.
pub(crate) fn of_another(what: &str, id: &str) -> SourceError {
    new(
        SourceErrorKind::InvalidData,
        format!("the answer is about another {what} than `{id}`"),
        ENDPOINT_HINT,
    )
}

/// Returns the error for an answer with another version than the requested one.
pub(crate) fn of_another_version(version: &str, id: &str) -> SourceError {
    let cause = format!("the answer has another version than {version} of `{id}`");
    new(SourceErrorKind::InvalidData, cause, ENDPOINT_HINT)
}

/// Returns the error for an answer whose pages do not end.
pub(crate) fn endless() -> SourceError {
    bad_listing("the answer does not end: each page names a next one")
}

/// Adds a hint to the error about a missing ARN: the ARN may be incomplete.
pub(crate) fn maybe_partial(error: SourceError) -> SourceError {
    let hint = error.hint().map(|hint| format!("{hint} Besides, ")).unwrap_or_default();
    error.with_hint(format!("{hint}{PARTIAL_HINT}"))
}

/// Returns the error for an answer that is not a page of a listing, or for a listing that does not end.
pub(crate) fn bad_listing(cause: &'static str) -> SourceError {
    new(SourceErrorKind::InvalidData, cause.to_owned(), ENDPOINT_HINT)
}

/// Returns the error for a parameter, or a version of it, that the service does not have.
pub(crate) fn missing(asked: Asked<'_>, cause: &str) -> SourceError {
    new(fault::missing_kind(asked), cause.to_owned(), &fault::missing_hint(asked))
}

/// Returns the error for a secret that is marked for deletion, with the date until which it can be restored.
pub(crate) fn restorable_until(date: &str) -> SourceError {
    let hint = "`aws secretsmanager restore-secret` brings it back until then";
    new(SourceErrorKind::NotFound, format!("the secret is marked for deletion at {date}"), hint)
}

/// Converts the failure of a call. It advises no retry, because the SDK has already retried.
pub(crate) fn of_call<E>(failure: &SdkError<E>, asked: Asked<'_>, seen: Seen) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match failure {
        SdkError::ServiceError(refusal) => {
            let reply = Reply::read(refusal.err(), refusal.raw(), failure.request_id());
            of_reply(&reply, asked)
        }
        // The whole reply came, and the parser's message may quote it. If a reply breaks off, it has no body here.
        SdkError::ResponseError(unread) if unread.raw().body().bytes().is_some() => {
            of_reply(&Reply::unreadable(unread.raw()), asked)
        }
        // The time ran out during a backoff between two attempts.
        SdkError::TimeoutError(_) if seen.throttled => of_reply(&Reply::throttled(), asked),
        SdkError::TimeoutError(_) => {
            let cause = format!("{} in {} did not answer in time", asked.service, asked.region);
            let way = seen.way.map(|way| format!(" {way}")).unwrap_or_default();
            without_fault(new(SourceErrorKind::TimedOut, cause, &format!("{TIME_HINT}{way}")))
        }
        SdkError::ConstructionFailure(_) => without_fault(of_transport(failure, Phase::Construction, asked)),
        _ => without_fault(of_transport(failure, Phase::Transport, asked)),
    }
}

/// How far a call came that has no reply.
#[derive(Clone, Copy)]
enum Phase {
    Construction,
    Transport,
}

/// Converts the error of one of several secrets in an answer.
pub(crate) fn of_entry(code: Option<&str>, message: Option<&str>, asked: Asked<'_>) -> Failure {
    of_reply(&Reply::of_entry(code, message), asked)
}

fn without_fault(error: SourceError) -> Failure {
    Failure { error, fault: None }
}

fn of_reply(reply: &Reply, asked: Asked<'_>) -> Failure {
    if reply.claims_success() {
        return without_fault(new(SourceErrorKind::InvalidData, reply.to_string(), ENDPOINT_HINT));
    }
    let fault = Fault::of(reply);
    let kind = if fault == Fault::Missing { fault::missing_kind(asked) } else { fault.kind() };
    let error = SourceError::new(kind).with_cause(reply.to_string());
    let error = match fault.hint(reply, asked) {
        Some(hint) => error.with_hint(hint),
        None => error,
    };
    Failure { error, fault: Some(fault) }
}

/// Converts the failure of a call without a reply. The cause is missing credentials, the network, or an answer that was
/// cut off.
fn of_transport(failure: &(dyn Error + 'static), phase: Phase, asked: Asked<'_>) -> SourceError {
    if let Some(credentials) = chain(failure).filter_map(|e| e.downcast_ref::<CredentialsError>()).last() {
        return of_credentials(credentials, asked.profile);
    }
    let way = Blocked::behind(failure);
    let at = way.map(|blocked| format!(", at {}", blocked.way())).unwrap_or_default();
    let cause = format!("{} in {}: {}{at}", asked.service, asked.region, root(failure));
    if TooLong::behind(failure).is_some() {
        return new(SourceErrorKind::InvalidData, cause, ENDPOINT_HINT);
    }
    match connection(failure) {
        Some(connection) if way.is_none() && !connection.is_timeout() => never_sent(cause),
        Some(connection) if connection.is_timeout() => new(SourceErrorKind::TimedOut, cause, TIME_HINT),
        None if matches!(phase, Phase::Construction) => never_sent(cause),
        Some(_) if is_of_a_certificate(&cause) => new(SourceErrorKind::Unavailable, cause, CERTIFICATE_HINT),
        // The reply broke off, if there is no connection error.
        _ => new(SourceErrorKind::Unavailable, cause, network_hint(way)),
    }
}

/// Returns the error for settings that give no valid request. Another region would fail in the same way.
fn never_sent(cause: String) -> SourceError {
    new(SourceErrorKind::InvalidRequest, cause, SETTINGS_HINT)
}

/// Returns whether rustls refused the server's certificate.
fn is_of_a_certificate(cause: &str) -> bool {
    cause.contains("invalid peer certificate")
}

/// Returns the outermost error of a connection.
fn connection<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e ConnectorError> {
    chain(error).find_map(|e| e.downcast_ref())
}

fn network_hint(way: Option<&Blocked>) -> &'static str {
    if way.is_some_and(Blocked::has_proxy) { PROXY_HINT } else { NETWORK_HINT }
}

fn of_credentials(error: &CredentialsError, profile: Option<&str>) -> SourceError {
    let connection = connection(error);
    let kind = match (error, connection) {
        (CredentialsError::ProviderTimedOut(_), _) => SourceErrorKind::TimedOut,
        _ if is_throttled(error) => SourceErrorKind::Throttled,
        (CredentialsError::CredentialsNotLoaded(_), _) | (_, None) => SourceErrorKind::Unauthenticated,
        (_, Some(connection)) => kind_of_connection(connection),
    };
    let found_none = matches!(error, CredentialsError::CredentialsNotLoaded(_));
    let way = connection.and_then(|connection| Blocked::behind(connection));
    let tell = |reason: &(dyn Error + 'static)| match way {
        Some(way) => format!("{}, at {}", root(reason), way.way()),
        None if connection.is_some() => root(reason),
        None => story(reason),
    };
    let error = SourceError::new(kind).with_cause(match error.source() {
        Some(reason) if !found_none || profile.is_some() => {
            format!("no credentials: {}", readable(&tell(reason)))
        }
        _ if found_none => "no credentials were found".to_owned(),
        _ => format!("no credentials: {}", readable(&tell(error))),
    });
    match profile {
        _ if is_of_a_certificate(&told(&error)) => error.with_hint(CERTIFICATE_HINT),
        _ if way.is_some_and(Blocked::has_proxy) => error.with_hint(PROXY_HINT),
        Some(name) => {
            error.with_hint(format!("is the profile `{name}` in ~/.aws/config complete, and signed in?"))
        }
        None if found_none => error.with_hint(CREDENTIALS_HINT),
        None => error.with_hint(CONFIGURED_CREDENTIALS_HINT),
    }
}

/// Returns whether the agent of a container throttled.
fn is_throttled(error: &CredentialsError) -> bool {
    chain(error).filter_map(|e| e.downcast_ref::<Refusal>()).any(Refusal::is_throttling)
}

fn kind_of_connection(connection: &ConnectorError) -> SourceErrorKind {
    if connection.is_timeout() { SourceErrorKind::TimedOut } else { SourceErrorKind::Unavailable }
}

fn new(kind: SourceErrorKind, cause: String, hint: &str) -> SourceError {
    SourceError::new(kind).with_cause(cause).with_hint(hint)
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| error.source())
}

/// Returns the message of the innermost error, on one line. The outer ones only say where it happened.
fn root(error: &(dyn Error + 'static)) -> String {
    let innermost = chain(error).last().unwrap_or(error);
    one_line(&innermost.to_string())
}

/// Returns the messages of an error and its causes, on one line, without repetitions. If AWS refused, only that message
/// counts.
fn story(error: &(dyn Error + 'static)) -> String {
    let refusal = chain(error).find_map(|e| e.downcast_ref::<ErrorMetadata>());
    if let Some((code, message)) = refusal.and_then(|refusal| refusal.code().zip(refusal.message())) {
        return format!("{code}: {}", one_line(message));
    }
    let mut told: Vec<String> = Vec::new();
    for text in chain(error).map(|error| one_line(&error.to_string())) {
        if !told.iter().any(|earlier| earlier.contains(&text)) {
            told.retain(|earlier| !text.contains(earlier));
            told.push(text);
        }
    }
    told.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The README must have every hint that does not depend on the request.
    #[test]
    fn the_readme_has_every_hint() {
        let readme = include_str!("../README.md").replace('\\', "");
        let asked =
            Asked { service: "Secrets Manager", region: "r", profile: None, arn_region: None, version: None };
        let hints = fault::ALL.iter().filter_map(|fault| fault.hint(&Reply::default(), asked));
        let own = [
            REGION_HINT,
            CREDENTIALS_HINT,
            NETWORK_HINT,
            PROXY_HINT,
            CERTIFICATE_HINT,
            PARTIAL_HINT,
            SETTINGS_HINT,
            TIME_HINT,
            ENDPOINT_HINT,
        ]
        .map(str::to_owned);
        for hint in hints.chain(own) {
            let fixed = hint.trim_start_matches("r was asked, ");
            assert!(readme.contains(fixed), "{hint}");
        }
    }
}
