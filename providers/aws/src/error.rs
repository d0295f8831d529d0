//! The SDK's errors, turned into this workspace's: the only place that looks into one.
//!
//! `Debug` of an [`SdkError`] shows the reply, and so the secret: it is never formatted. Of a reply that claims success
//! nothing is quoted either, not even the parser's complaint.

mod fault;
mod reply;

use std::error::Error;
use std::iter;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_secretsmanager::error::{ConnectorError, ErrorMetadata, ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::operation::RequestId;
use secretdir_provider::{SourceError, SourceErrorKind};

use self::fault::Fault;
use self::reply::Reply;
use crate::question::Question;

const REGION_HINT: &str =
    "set `region` in the source, AWS_REGION in the environment, or region in the profile";
const CREDENTIALS_HINT: &str = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a `profile`, or sign in \
    with `aws sso login`, or give the instance, container or pod a role";
const CONFIGURED_CREDENTIALS_HINT: &str =
    "look at the profile, role or credential process that the credentials come from";
const NETWORK_HINT: &str =
    "is the network path to the endpoint open, and are `region` and `endpoint-url` right?";
const TIME_HINT: &str = "raise `timeout` of [gather], or look at the network path to the endpoint";
const ENDPOINT_HINT: &str = "is `endpoint-url` one of Secrets Manager, or is there a proxy in between?";

/// What was asked, where, and as whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) question: Question<'a>,
    pub(crate) region: &'a str,
    /// The profile that the settings name.
    pub(crate) profile: Option<&'a str>,
}

/// Says that nothing names a region.
pub(crate) fn no_region() -> SourceError {
    new(SourceErrorKind::InvalidRequest, "no region is configured".to_owned(), REGION_HINT)
}

/// Says that an answer holds neither a string nor bytes.
pub(crate) fn no_value() -> SourceError {
    SourceError::new(SourceErrorKind::InvalidData)
        .with_cause("the answer holds neither a string nor binary data")
}

/// Says why a call failed. No retry is advised: the SDK has made its own.
pub(crate) fn of_call<E>(failure: SdkError<E>, asked: Asked<'_>) -> SourceError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match &failure {
        SdkError::ServiceError(refusal) => {
            let reply = Reply::read(refusal.err(), refusal.raw(), failure.request_id());
            of_reply(&reply, asked)
        }
        SdkError::TimeoutError(_) => new(
            SourceErrorKind::TimedOut,
            format!("Secrets Manager in {} did not answer in time", asked.region),
            TIME_HINT,
        ),
        _ => of_transport(&failure, asked),
    }
}

fn of_reply(reply: &Reply, asked: Asked<'_>) -> SourceError {
    if reply.claims_success() {
        return new(SourceErrorKind::InvalidData, reply.to_string(), ENDPOINT_HINT);
    }
    let fault = Fault::of(reply);
    let error = SourceError::new(fault.kind()).with_cause(reply.to_string());
    match fault.hint(asked) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// Sorts out a call that has no reply: credentials that could not be loaded, or a network that does not carry.
fn of_transport(failure: &(dyn Error + 'static), asked: Asked<'_>) -> SourceError {
    if let Some(credentials) = chain(failure).filter_map(|e| e.downcast_ref::<CredentialsError>()).last() {
        return of_credentials(credentials, asked.profile);
    }
    let cause = format!("Secrets Manager in {}: {}", asked.region, root(failure));
    let connection = chain(failure).find_map(|e| e.downcast_ref::<ConnectorError>());
    match connection.map(kind_of_connection) {
        Some(SourceErrorKind::TimedOut) => new(SourceErrorKind::TimedOut, cause, TIME_HINT),
        // Without a connection the reply broke off, or no request could be made.
        _ => new(SourceErrorKind::Unavailable, cause, NETWORK_HINT),
    }
}

fn of_credentials(error: &CredentialsError, profile: Option<&str>) -> SourceError {
    let connection = chain(error).find_map(|e| e.downcast_ref::<ConnectorError>());
    let kind = match (error, connection) {
        (CredentialsError::ProviderTimedOut(_), _) => SourceErrorKind::TimedOut,
        (CredentialsError::CredentialsNotLoaded(_), _) | (_, None) => SourceErrorKind::Unauthenticated,
        (_, Some(connection)) => kind_of_connection(connection),
    };
    let tell = if connection.is_some() { root } else { story };
    let found_none = matches!(error, CredentialsError::CredentialsNotLoaded(_));
    let error = SourceError::new(kind).with_cause(match error.source() {
        Some(reason) if !found_none || profile.is_some() => format!("no credentials: {}", tell(reason)),
        _ if found_none => "no credentials were found".to_owned(),
        _ => format!("no credentials: {}", tell(error)),
    });
    match profile {
        Some(name) => {
            error.with_hint(format!("is the profile `{name}` in ~/.aws/config complete, and signed in?"))
        }
        None if found_none => error.with_hint(CREDENTIALS_HINT),
        None => error.with_hint(CONFIGURED_CREDENTIALS_HINT),
    }
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

/// Returns what the innermost error says, on one line: the others say where it happened.
fn root(error: &(dyn Error + 'static)) -> String {
    let innermost = chain(error).last().unwrap_or(error);
    reply::one_line(&innermost.to_string())
}

/// Returns what an error and its causes say, on one line, each thing once; a refusal by AWS says it alone.
fn story(error: &(dyn Error + 'static)) -> String {
    let refusal = chain(error).find_map(|e| e.downcast_ref::<ErrorMetadata>());
    if let Some((code, message)) = refusal.and_then(|refusal| refusal.code().zip(refusal.message())) {
        return format!("{code}: {}", reply::one_line(message));
    }
    let mut told: Vec<String> = Vec::new();
    for text in chain(error).map(|error| reply::one_line(&error.to_string())) {
        if !told.iter().any(|earlier| earlier.contains(&text)) {
            told.retain(|earlier| !text.contains(earlier));
            told.push(text);
        }
    }
    told.join(": ")
}
