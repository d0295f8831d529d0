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
        let asked = Asked { service: "Secrets Manager", region, profile: None, arn_region, version: None };
        (missing_kind(asked), Fault::Missing.hint(&Reply::default(), asked).unwrap())
    };
    let both = "us-east-1 was asked, with the account of the credentials: are both right?".to_owned();
    assert_eq!(told(None, "us-east-1"), (SourceErrorKind::NotFound, both.clone()));
    assert_eq!(told(Some("us-east-1"), "us-east-1"), (SourceErrorKind::NotFound, both));
    let other = "the ARN is of eu-west-1, but us-east-1 was asked: set `region`".to_owned();
    assert_eq!(told(Some("eu-west-1"), "us-east-1"), (SourceErrorKind::InvalidRequest, other));
}
