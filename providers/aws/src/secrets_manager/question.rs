//! Parses a request to Secrets Manager: which secret, and which version of it.

use secretdir_provider::{SecretRequest, SourceError, SourceErrorKind};

use super::label::names_behind;
use crate::grouping::ConflictKey;

/// The maximum lengths of a name and of an ARN, in characters.
const LONGEST_NAME: usize = 512;
const LONGEST_ARN: usize = 2048;

/// The maximum length of a staging label, in characters.
const LONGEST_STAGE: usize = 256;

/// The length of a version ID, in characters.
const VERSION_ID_LENGTHS: std::ops::RangeInclusive<usize> = 32..=64;

const NAME_HINT: &str = "a name has ASCII letters, digits and /_+=.@-! only; \
    a key of a JSON secret is named by `field`, a version by `version`";
const ARN_HINT: &str = "an ARN is arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME; \
    a key of a JSON secret is named by `field`, a version by `version`";
const PREFIX_HINT: &str = "write the beginning of the names: for arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME, \
    the beginning of NAME";
const VERSION_HINT: &str = "leave `version` out for the current one, or give a staging label \
    (AWSPREVIOUS) or id:VERSION-ID";

/// A well-formed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Question<'a> {
    /// A name or an ARN.
    pub(crate) secret_id: &'a str,
    pub(crate) version: Version<'a>,
}

/// The version of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version<'a> {
    Current,
    /// The version with this staging label.
    Stage(&'a str),
    Id(&'a str),
}

impl<'a> Version<'a> {
    /// Returns the label or the ID; none for the current version.
    pub(crate) fn name(self) -> Option<&'a str> {
        match self {
            Self::Current => None,
            Self::Stage(name) | Self::Id(name) => Some(name),
        }
    }
}

impl<'a> Question<'a> {
    /// Parses a request, and refuses names and versions that Secrets Manager never accepts.
    pub(crate) fn read(request: &'a SecretRequest) -> Result<Self, SourceError> {
        check_secret_id(request.name())?;
        let version = request.version().map_or(Ok(Version::Current), read_version)?;
        Ok(Self { secret_id: request.name(), version })
    }

    /// Returns what decides which requests can share a call with this one.
    pub(super) fn likeness(&self) -> ConflictKey<'a> {
        ConflictKey { asked: (self.secret_id, self.version.name()), names: names_behind(self.secret_id) }
    }

    /// Returns the region in an ARN.
    pub(crate) fn arn_region(&self) -> Option<&'a str> {
        self.secret_id.strip_prefix("arn:")?.split(':').nth(2)
    }
}

/// Checks a prefix of names.
pub(super) fn check_prefix(prefix: &str) -> Result<(), SourceError> {
    if prefix.starts_with("arn:") {
        return Err(refused("secrets are listed by name, not by ARN", PREFIX_HINT));
    }
    check_name(prefix)
}

fn check_secret_id(id: &str) -> Result<(), SourceError> {
    match id.strip_prefix("arn:") {
        _ if id.is_empty() => Err(refused("the name is empty", NAME_HINT)),
        Some(rest) => check_arn(id, rest),
        None => check_name(id),
    }
}

fn check_name(name: &str) -> Result<(), SourceError> {
    if name.len() > LONGEST_NAME {
        return Err(refused(format!("the name has more than {LONGEST_NAME} characters"), NAME_HINT));
    }
    if !is_name(name) {
        return Err(refused("the name has a character that no secret's name has", NAME_HINT));
    }
    Ok(())
}

fn check_arn(arn: &str, rest: &str) -> Result<(), SourceError> {
    if arn.len() > LONGEST_ARN {
        return Err(refused(format!("the ARN has more than {LONGEST_ARN} characters"), ARN_HINT));
    }
    match rest.splitn(6, ':').collect::<Vec<_>>().as_slice() {
        [partition, "secretsmanager", region, account, "secret", name] => {
            let parts = [partition, region, account, name];
            if parts.iter().all(|part| !part.is_empty()) && is_name(name) {
                return Ok(());
            }
            Err(refused("the ARN has an empty part, or a name that no secret has", ARN_HINT))
        }
        _ => Err(refused("the ARN is not one of a secret", ARN_HINT)),
    }
}

/// Returns whether all characters are valid in a name. The exclamation mark occurs in names that AWS services give.
fn is_name(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || "/_+=.@-!".contains(c))
}

fn read_version(version: &str) -> Result<Version<'_>, SourceError> {
    match version.strip_prefix("id:") {
        Some(id) if VERSION_ID_LENGTHS.contains(&id.chars().count()) => Ok(Version::Id(id)),
        Some(_) => Err(refused("the version id does not have 32 to 64 characters", VERSION_HINT)),
        None if version.is_empty() => Err(refused("the version is empty", VERSION_HINT)),
        None if version.chars().count() > LONGEST_STAGE => {
            Err(refused(format!("the staging label has more than {LONGEST_STAGE} characters"), VERSION_HINT))
        }
        None => Ok(Version::Stage(version)),
    }
}

fn refused(cause: impl Into<String>, hint: &str) -> SourceError {
    SourceError::new(SourceErrorKind::InvalidRequest).with_cause(cause.into()).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/db-AbCdEf";
    const ID: &str = "01234567-89ab-cdef-0123-456789abcdef";

    fn refusal(request: &SecretRequest) -> String {
        let error = Question::read(request).unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::InvalidRequest);
        assert!(error.hint().is_some());
        error.source().unwrap().to_string()
    }

    #[test]
    fn names_and_arns_that_aws_accepts_are_accepted() {
        for name in [
            "a",
            "App/db_1+2=3.4@5-6",
            "/leading/slash",
            "..",
            "rds!db-01234567-89ab-cdef-0123-456789abcdef",
            &"n".repeat(512),
            ARN,
            "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:without-suffix",
            "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:a@b-AbCdEf",
        ] {
            assert_eq!(Question::read(&SecretRequest::new(name)).unwrap().secret_id, name);
        }
    }

    #[test]
    fn names_that_aws_cannot_have_are_refused() {
        for (name, cause) in [
            ("", "the name is empty"),
            ("a b", "the name has a character that no secret's name has"),
            ("a:b", "the name has a character that no secret's name has"),
            ("pässword", "the name has a character that no secret's name has"),
            ("a\n", "the name has a character that no secret's name has"),
            (&"n".repeat(513), "the name has more than 512 characters"),
        ] {
            assert_eq!(refusal(&SecretRequest::new(name)), cause);
        }
    }

    #[test]
    fn a_prefix_is_what_a_name_can_begin_with() {
        for prefix in ["", "a", "app/", "!", "arn", &"n".repeat(512)] {
            assert!(check_prefix(prefix).is_ok(), "{prefix}");
        }
        for (prefix, cause) in [
            ("app/ ", "the name has a character that no secret's name has"),
            ("app*", "the name has a character that no secret's name has"),
            (ARN, "secrets are listed by name, not by ARN"),
            (&"n".repeat(513), "the name has more than 512 characters"),
        ] {
            let error = check_prefix(prefix).unwrap_err();
            assert_eq!(error.kind(), SourceErrorKind::InvalidRequest);
            assert!(error.hint().is_some());
            assert_eq!(error.source().unwrap().to_string(), cause);
        }
    }

    #[test]
    fn arns_that_are_not_of_a_secret_are_refused() {
        for arn in [
            "arn:",
            "arn:aws:s3:::bucket",
            "arn:aws:ssm:eu-west-1:123456789012:parameter:x",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:",
            "arn:aws:secretsmanager::123456789012:secret:name",
            &format!("{ARN}:field::"),
        ] {
            assert!(refusal(&SecretRequest::new(arn)).starts_with("the ARN "), "{arn}");
        }
        let long = format!("{ARN}{}", "n".repeat(2048));
        assert_eq!(refusal(&SecretRequest::new(long)), "the ARN has more than 2048 characters");
    }

    #[test]
    fn a_version_is_a_stage_or_an_id() {
        let version = |text: &str| {
            Question::read(&SecretRequest::new("a").with_version(text)).map(|question| {
                match question.version {
                    Version::Current => "current".to_owned(),
                    Version::Stage(stage) => format!("stage {stage}"),
                    Version::Id(id) => format!("id {id}"),
                }
            })
        };
        assert_eq!(version("AWSPREVIOUS").unwrap(), "stage AWSPREVIOUS");
        assert_eq!(version("my label").unwrap(), "stage my label");
        assert_eq!(version(&format!("id:{ID}")).unwrap(), format!("id {ID}"));
        assert_eq!(Question::read(&SecretRequest::new("a")).unwrap().version, Version::Current);
    }

    #[test]
    fn a_version_that_aws_cannot_have_is_refused() {
        let refusal = |version: &str| refusal(&SecretRequest::new("a").with_version(version));
        assert_eq!(refusal(""), "the version is empty");
        assert_eq!(refusal("id:"), "the version id does not have 32 to 64 characters");
        assert_eq!(refusal("id:3"), "the version id does not have 32 to 64 characters");
        assert_eq!(refusal(&"s".repeat(257)), "the staging label has more than 256 characters");
    }

    #[test]
    fn the_region_of_an_arn_is_known() {
        assert_eq!(Question::read(&SecretRequest::new(ARN)).unwrap().arn_region(), Some("eu-west-1"));
        assert_eq!(Question::read(&SecretRequest::new("a")).unwrap().arn_region(), None);
    }
}
