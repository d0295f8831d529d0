//! What AWS's error codes mean for the person who reads them.

use secretdir_provider::SourceErrorKind;

use super::reply::Reply;
use super::{Asked, CREDENTIALS_HINT, ENDPOINT_HINT, TIME_HINT, denial};

/// A group of error codes that ask the same of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Missing,
    /// Deleted, but not yet gone.
    Deleted,
    Denied,
    /// The secret may be read, its key not.
    KeyDenied,
    UnknownAccessKey,
    BadSignature,
    /// Signed at a time that is not AWS's.
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

/// Codes without the ending `Exception`, which comes and goes.
const FAULTS: &[(Fault, &[&str])] = &[
    // The second is what Systems Manager says of a reference to a secret that is not there.
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
    "the secret is there, and has no value yet: `aws secretsmanager put-secret-value` gives it one";

impl Fault {
    /// Sorts a reply by its code. The HTTP status counts only where there is none: AWS throttles with 400, too.
    pub(super) fn of(reply: &Reply) -> Self {
        let message = reply.message.as_deref().unwrap_or_default();
        match reply.code.as_deref().map(Self::of_code) {
            Some(Self::Invalid) if is_of_a_deleted_secret(message) => Self::Deleted,
            // A key that is not there must not count as a secret that is not there.
            Some(Self::Denied | Self::Missing | Self::Invalid | Self::Unknown)
                if is_of_a_key(message) && reply.status < 500 =>
            {
                Self::KeyDenied
            }
            Some(Self::BadSignature) if is_of_a_clock(message) => Self::ClockSkew,
            // A proxy or a front throttles without a code of AWS.
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
            Self::Denied => {
                "allow it in a policy of whoever the credentials are of: see the permissions in the README"
            }
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
            Self::Throttled => "ask for less at once: lower `concurrency` of [gather], or spread the runs",
            Self::TimedOut => TIME_HINT,
            Self::Unsupported | Self::Foreign => ENDPOINT_HINT,
            Self::Unavailable | Self::Invalid | Self::Unknown => return None,
        };
        Some(hint.to_owned())
    }
}

/// AWS has no code of its own for this.
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

/// A signature is good for some minutes. SDKs allow for a clock that is wrong, once they know; this is what is left.
fn is_of_a_clock(message: &str) -> bool {
    ["Signature expired", "Signature not yet current", "signature is now earlier", "clock"]
        .iter()
        .any(|text| message.contains(text))
}

/// Returns what it is that AWS has no such secret. Whether there is one with an ARN of another region, it cannot say: that is
/// a mistake of the configuration.
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
mod tests {
    use super::*;

    fn reply(status: u16, code: &str, message: &str) -> Reply {
        Reply {
            status,
            code: (!code.is_empty()).then(|| code.to_owned()),
            message: Some(message.to_owned()),
            ..Reply::default()
        }
    }

    fn kind(status: u16, code: &str, message: &str) -> SourceErrorKind {
        Fault::of(&reply(status, code, message)).kind()
    }

    #[test]
    fn the_code_decides_and_not_the_status() {
        use SourceErrorKind as Kind;
        for (status, code, expected) in [
            (400, "ResourceNotFoundException", Kind::NotFound),
            (404, "ResourceNotFoundException", Kind::NotFound),
            (400, "ParameterNotFound", Kind::NotFound),
            (400, "ParameterVersionNotFound", Kind::NotFound),
            (400, "AccessDeniedException", Kind::PermissionDenied),
            (403, "AccessDenied", Kind::PermissionDenied),
            (400, "DecryptionFailure", Kind::PermissionDenied),
            (400, "UnrecognizedClientException", Kind::Unauthenticated),
            (403, "InvalidClientTokenId", Kind::Unauthenticated),
            (400, "InvalidSignatureException", Kind::Unauthenticated),
            (403, "SignatureDoesNotMatch", Kind::Unauthenticated),
            (400, "IncompleteSignatureException", Kind::Unauthenticated),
            (400, "ExpiredTokenException", Kind::Unauthenticated),
            (403, "ExpiredToken", Kind::Unauthenticated),
            (400, "MissingAuthenticationTokenException", Kind::Unauthenticated),
            (401, "AuthFailure", Kind::Unauthenticated),
            (400, "ThrottlingException", Kind::Throttled),
            (400, "Throttling", Kind::Throttled),
            (503, "SlowDown", Kind::Throttled),
            (400, "TooManyRequestsException", Kind::Throttled),
            (400, "RequestLimitExceeded", Kind::Throttled),
            (500, "InternalServiceError", Kind::Unavailable),
            (503, "ServiceUnavailableException", Kind::Unavailable),
            (400, "RequestTimeoutException", Kind::TimedOut),
            (400, "InvalidParameterException", Kind::InvalidRequest),
            (400, "ValidationException", Kind::InvalidRequest),
            (400, "InvalidRequestException", Kind::InvalidRequest),
            (404, "UnknownOperationException", Kind::Unsupported),
            (418, "SomethingNewException", Kind::Other),
            (500, "SomethingNewException", Kind::Unavailable),
            (502, "", Kind::Unavailable),
            (404, "", Kind::InvalidData),
            (429, "", Kind::Throttled),
            (429, "SomethingNewException", Kind::Throttled),
        ] {
            assert_eq!(kind(status, code, ""), expected, "{status} {code}");
        }
    }

    #[test]
    fn a_deleted_secret_is_not_found_and_can_be_restored() {
        let message = "You can't perform this operation on the secret because it was marked for deletion.";
        let fault = Fault::of(&reply(400, "InvalidRequestException", message));
        assert_eq!((fault, fault.kind()), (Fault::Deleted, SourceErrorKind::NotFound));
    }

    #[test]
    fn a_refusal_by_kms_is_told_from_one_by_secrets_manager() {
        let denied = |message| Fault::of(&reply(400, "AccessDeniedException", message));
        assert_eq!(denied("Access to KMS is not allowed"), Fault::KeyDenied);
        assert_eq!(denied("not authorized to perform: kms:Decrypt"), Fault::KeyDenied);
        let ciphertext = "The ciphertext refers to a customer master key that does not exist, does not exist in this \
            region, or you are not allowed to access.";
        assert_eq!(denied(ciphertext), Fault::KeyDenied);
        for (code, message) in [
            ("InvalidKeyId", ""),
            ("KMSInvalidStateException", "arn:aws:kms:eu-west-1:1:key/a is pending deletion."),
            ("DisabledException", "arn:aws:kms:eu-west-1:1:key/a is disabled."),
            (
                "ValidationException",
                "is disabled. (Service: AWSKMS; Status Code: 400; Error Code: DisabledException)",
            ),
            ("ResourceNotFoundException", "Invalid keyId: arn:aws:kms:eu-west-1:1:key/a"),
            ("NotFoundException", "Key 'arn:aws:kms:eu-west-1:1:key/a' does not exist"),
        ] {
            assert_eq!(Fault::of(&reply(400, code, message)), Fault::KeyDenied, "{code}");
        }
        assert_eq!(denied("not authorized to perform: secretsmanager:GetSecretValue"), Fault::Denied);
    }

    #[test]
    fn a_secret_without_a_value_is_told_from_none() {
        let message = "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT";
        let reply = reply(400, "ResourceNotFoundException", message);
        let asked =
            Asked { service: "Secrets Manager", region: "r", profile: None, arn_region: None, version: None };
        assert_eq!(Fault::of(&reply).hint(&reply, asked).as_deref(), Some(NO_VALUE_HINT));
    }

    #[test]
    fn no_code_stands_for_two_faults() {
        let mut stems: Vec<_> = FAULTS.iter().flat_map(|(_, stems)| stems.iter()).collect();
        let all = stems.len();
        stems.sort();
        stems.dedup();
        assert_eq!(stems.len(), all);
    }

    #[test]
    fn a_missing_secret_names_the_region_that_was_asked() {
        let told = |arn_region, region| {
            let asked =
                Asked { service: "Secrets Manager", region, profile: None, arn_region, version: None };
            (missing_kind(asked), Fault::Missing.hint(&Reply::default(), asked).unwrap())
        };
        let both = "us-east-1 was asked, with the account of the credentials: are both right?".to_owned();
        assert_eq!(told(None, "us-east-1"), (SourceErrorKind::NotFound, both.clone()));
        assert_eq!(told(Some("us-east-1"), "us-east-1"), (SourceErrorKind::NotFound, both));
        let other = "the ARN is of eu-west-1, but us-east-1 was asked: set `region`".to_owned();
        assert_eq!(told(Some("eu-west-1"), "us-east-1"), (SourceErrorKind::InvalidRequest, other));
    }
}
