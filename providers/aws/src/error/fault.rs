//! Classifies AWS's error codes by what an operator must do.

use secretdir_provider::SourceErrorKind;

use super::reply::Reply;
use super::{Asked, CREDENTIALS_HINT, ENDPOINT_HINT, TIME_HINT, denial};

/// A group of error codes that need the same action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Missing,
    /// Deleted, but not yet gone.
    Deleted,
    Denied,
    /// The secret may be read, but its key may not be used.
    KeyDenied,
    UnknownAccessKey,
    BadSignature,
    /// The time of the signature differs from AWS's clock.
    ClockSkew,
    Expired,
    Unsigned,
    Throttled,
    Unavailable,
    TimedOut,
    Invalid,
    Unsupported,
    /// Not a reply of AWS.
    Foreign,
    Unknown,
}

#[cfg(test)]
pub(super) const ALL: [Fault; 16] = [
    Fault::Missing,
    Fault::Deleted,
    Fault::Denied,
    Fault::KeyDenied,
    Fault::UnknownAccessKey,
    Fault::BadSignature,
    Fault::ClockSkew,
    Fault::Expired,
    Fault::Unsigned,
    Fault::Throttled,
    Fault::Unavailable,
    Fault::TimedOut,
    Fault::Invalid,
    Fault::Unsupported,
    Fault::Foreign,
    Fault::Unknown,
];

/// Codes without the suffix `Exception`, which AWS does not always send.
const FAULTS: &[(Fault, &[&str])] = &[
    // Systems Manager sends the second code for a reference to a missing secret.
    (Fault::Missing, &["ResourceNotFound", "ParameterNotFound", "ParameterVersionNotFound"]),
    (Fault::Denied, &["AccessDenied", "NotAuthorized", "UnauthorizedOperation", "OptInRequired"]),
    (
        Fault::KeyDenied,
        &[
            "DecryptionFailure",
            "KMSAccessDenied",
            "KMSDisabled",
            "KMSInvalidState",
            "KMSNotFound",
            // Codes of KMS that services pass on.
            "Disabled",
            "IncorrectKey",
            "InvalidCiphertext",
            "InvalidGrantToken",
            "InvalidKeyId",
            "InvalidKeyUsage",
            "KeyUnavailable",
        ],
    ),
    (
        Fault::UnknownAccessKey,
        &["UnrecognizedClient", "InvalidClientTokenId", "InvalidAccessKeyId", "InvalidToken", "AuthFailure"],
    ),
    (Fault::BadSignature, &["InvalidSignature", "SignatureDoesNotMatch", "IncompleteSignature"]),
    (Fault::ClockSkew, &["RequestTimeTooSkewed", "RequestInTheFuture", "RequestExpired"]),
    (Fault::Expired, &["ExpiredToken", "TokenRefreshRequired"]),
    (Fault::Unsigned, &["MissingAuthenticationToken"]),
    (
        Fault::Throttled,
        &[
            "Throttling",
            "Throttled",
            "RequestThrottled",
            "TooManyRequests",
            "RequestLimitExceeded",
            "BandwidthLimitExceeded",
            "LimitExceeded",
            "ProvisionedThroughputExceeded",
            "PriorRequestNotComplete",
            "SlowDown",
        ],
    ),
    (
        Fault::Unavailable,
        &[
            "InternalServiceError",
            "InternalFailure",
            "InternalServerError",
            "InternalServer",
            "InternalError",
            "ServiceUnavailable",
            "Unavailable",
        ],
    ),
    (Fault::TimedOut, &["RequestTimeout"]),
    (
        Fault::Invalid,
        &["InvalidParameter", "InvalidParameterValue", "InvalidRequest", "Validation", "ValidationError"],
    ),
    (Fault::Unsupported, &["UnknownOperation", "InvalidAction"]),
];

const NO_VALUE_HINT: &str =
    "the secret exists, but has no value yet: set one with `aws secretsmanager put-secret-value`";

impl Fault {
    /// Classifies a reply by its code. The HTTP status decides only if the code is unknown or missing, because AWS also
    /// throttles with 400.
    pub(super) fn of(reply: &Reply) -> Self {
        let message = reply.message.as_deref().unwrap_or_default();
        match reply.code.as_deref().map(Self::of_code) {
            Some(Self::Invalid) if is_of_a_deleted_secret(message) => Self::Deleted,
            // A missing key must not count as a missing secret.
            Some(Self::Denied | Self::Missing | Self::Invalid | Self::Unknown)
                if is_of_a_key(message) && reply.status < 500 =>
            {
                Self::KeyDenied
            }
            Some(Self::BadSignature) if is_of_a_clock(message) => Self::ClockSkew,
            // A proxy or a front end throttles without a code of AWS.
            Some(Self::Unknown) | None if reply.status == 429 => Self::Throttled,
            Some(Self::Unknown) | None if reply.status >= 500 => Self::Unavailable,
            Some(fault) => fault,
            None => Self::Foreign,
        }
    }

    fn of_code(code: &str) -> Self {
        let stem = code.strip_suffix("Exception").unwrap_or(code);
        let known = FAULTS.iter().find(|(_, stems)| stems.contains(&stem));
        known.map_or(Self::Unknown, |(fault, _)| *fault)
    }

    pub(super) fn kind(self) -> SourceErrorKind {
        match self {
            Self::Missing | Self::Deleted => SourceErrorKind::NotFound,
            Self::Denied | Self::KeyDenied => SourceErrorKind::PermissionDenied,
            Self::UnknownAccessKey
            | Self::BadSignature
            | Self::ClockSkew
            | Self::Expired
            | Self::Unsigned => SourceErrorKind::Unauthenticated,
            Self::Throttled => SourceErrorKind::Throttled,
            Self::Unavailable => SourceErrorKind::Unavailable,
            Self::TimedOut => SourceErrorKind::TimedOut,
            Self::Invalid => SourceErrorKind::InvalidRequest,
            Self::Unsupported => SourceErrorKind::Unsupported,
            Self::Foreign => SourceErrorKind::InvalidData,
            Self::Unknown => SourceErrorKind::Other,
        }
    }

    pub(super) fn hint(self, reply: &Reply, asked: Asked<'_>) -> Option<String> {
        let message = reply.message.as_deref().unwrap_or_default();
        if matches!(self, Self::Denied | Self::KeyDenied)
            && let Some(hint) = denial::hint(message)
        {
            return Some(hint);
        }
        let hint = match self {
            Self::Missing if message.contains("secret value for staging label: AWSCURRENT") => NO_VALUE_HINT,
            Self::Missing => return Some(missing_hint(asked)),
            Self::Deleted => "it is marked for deletion: `aws secretsmanager restore-secret` brings it back",
            Self::Denied => "allow it in a policy of this identity: see the permissions in the README",
            Self::KeyDenied => "allow kms:Decrypt on the key of this secret, and see that the key is enabled",
            Self::UnknownAccessKey => {
                "AWS does not know the access key: is it active, of this partition, and complete with its session token?"
            }
            Self::BadSignature => "the secret access key is wrong, or this machine's clock is",
            Self::ClockSkew => {
                "this machine's clock is wrong: set it (`timedatectl` shows whether it is kept right)"
            }
            Self::Expired => {
                "the credentials have expired: renew them, or sign in again with `aws sso login`"
            }
            Self::Unsigned => CREDENTIALS_HINT,
            Self::Throttled => {
                "send fewer requests at once: lower `concurrency` under [gather], or spread the runs"
            }
            Self::TimedOut => TIME_HINT,
            Self::Unsupported | Self::Foreign => ENDPOINT_HINT,
            Self::Unavailable | Self::Invalid | Self::Unknown => return None,
        };
        Some(hint.to_owned())
    }
}

/// Returns whether the message is about a deleted secret. AWS has no code of its own for this.
fn is_of_a_deleted_secret(message: &str) -> bool {
    ["marked for deletion", "marked deleted", "scheduled for deletion"]
        .iter()
        .any(|text| message.contains(text))
}

fn is_of_a_key(message: &str) -> bool {
    ["Access to KMS", "kms:", "AWSKMS", "Service: Kms", "KMS key", "customer master key"]
        .iter()
        .any(|text| message.contains(text))
}

/// Returns whether the message is about a wrong clock. A signature is valid for some minutes. The SDK corrects for a
/// wrong clock once it knows, but some errors remain.
fn is_of_a_clock(message: &str) -> bool {
    ["Signature expired", "Signature not yet current", "signature is now earlier", "clock"]
        .iter()
        .any(|text| message.contains(text))
}

/// Returns the kind of error for a missing secret. AWS cannot know an ARN of another region, so that is a mistake in
/// the configuration.
pub(super) fn missing_kind(asked: Asked<'_>) -> SourceErrorKind {
    match asked.other_region() {
        Some(_) => SourceErrorKind::InvalidRequest,
        None => Fault::Missing.kind(),
    }
}

pub(super) fn missing_hint(asked: Asked<'_>) -> String {
    let region = asked.region;
    match (asked.other_region(), asked.version) {
        (Some(home), _) => format!("the ARN is of {home}, but {region} was asked: set `region`"),
        (None, None) => {
            format!("{region} was asked, with the account of the credentials: are both right?")
        }
        (None, Some(version)) => format!(
            "{region} was asked for the version {version}: is there such a secret, and such a version of it?"
        ),
    }
}

#[cfg(test)]
mod tests;
