//! Parses a request to Parameter Store: which parameter, and which version of it.

use secretdir_provider::{SecretRequest, SourceError, SourceErrorKind};

use super::label::path_of;
use crate::grouping::ConflictKey;

/// The maximum lengths of a parameter's name with its ARN, and of a label, in characters (API reference of
/// PutParameter, and of LabelParameterVersion).
const LONGEST_NAME: usize = 2048;
const LONGEST_LABEL: usize = 100;

/// The maximum number of levels in a hierarchy.
const MOST_LEVELS: usize = 15;

const NAME_HINT: &str = "a name has ASCII letters, digits and _.- only, in at most 15 levels with a / before each; \
    a version is named by `version`, and a key of a JSON value by `field`";
const ARN_HINT: &str =
    "an ARN is arn:PARTITION:ssm:REGION:ACCOUNT:parameter/NAME; a version is named by `version`";
const PREFIX_HINT: &str = "write the beginning of the names, with the / before the first level: parameters without it \
    cannot be listed";
const VERSION_HINT: &str = "leave `version` out for the latest one, or give its number or one of its labels";

/// A well-formed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Question<'a> {
    /// A name or an ARN.
    pub(crate) name: &'a str,
    /// A number or a label.
    pub(crate) version: Option<&'a str>,
}

/// The prefix of parameters that refer to a secret of Secrets Manager.
const REFERENCE: &str = "/aws/reference/secretsmanager/";

/// Returns the name of the secret that a parameter refers to. Its name, labels and version IDs follow the rules of
/// Secrets Manager.
pub(super) fn secret_behind(name: &str) -> Option<&str> {
    name.strip_prefix(REFERENCE).filter(|secret| !secret.is_empty())
}

impl<'a> Question<'a> {
    /// Parses a request, and refuses names and versions that Parameter Store never accepts.
    pub(crate) fn read(request: &'a SecretRequest) -> Result<Self, SourceError> {
        check_name(request.name()).map_err(|(cause, hint)| refused(cause, hint))?;
        if let Some(version) = request.version() {
            let check =
                if secret_behind(request.name()).is_some() { check_secret_version } else { check_version };
            check(version).map_err(|cause| refused(cause, VERSION_HINT))?;
        }
        Ok(Self { name: request.name(), version: request.version() })
    }

    /// Returns what decides which requests can share a call with this one.
    pub(super) fn likeness(&self) -> ConflictKey<'a> {
        ConflictKey { asked: (self.name, self.version), names: vec![path_of(self.name)] }
    }

    /// Returns the region in an ARN.
    pub(crate) fn arn_region(&self) -> Option<&'a str> {
        self.name.strip_prefix("arn:")?.split(':').nth(2)
    }
}

/// Checks a prefix of names, and returns the level above it: `/app` for `/app/` and for `/app/d`.
pub(super) fn path_above(prefix: &str) -> Result<&str, SourceError> {
    check_prefix(prefix).map_err(|(cause, hint)| refused(cause, hint))?;
    match prefix.rsplit_once('/') {
        Some((path, _)) if !path.is_empty() => Ok(path),
        _ => Ok("/"),
    }
}

fn check_prefix(prefix: &str) -> Result<(), (&'static str, &'static str)> {
    if prefix.starts_with("arn:") {
        return Err(("parameters are listed by name, not by ARN", PREFIX_HINT));
    }
    if !prefix.starts_with('/') {
        return Err(("the prefix does not begin with /", PREFIX_HINT));
    }
    // With one more character, the prefix is a name.
    check_name(&format!("{prefix}x"))
}

fn check_name(name: &str) -> Result<(), (&'static str, &'static str)> {
    if name.len() > LONGEST_NAME {
        return Err(("the name has more than 2048 characters", NAME_HINT));
    }
    let Some(rest) = name.strip_prefix("arn:") else {
        return check_path(name).map_err(|cause| (cause, NAME_HINT));
    };
    match rest.splitn(5, ':').collect::<Vec<_>>().as_slice() {
        [partition, "ssm", region, account, resource]
            if [partition, region, account].iter().all(|part| !part.is_empty()) =>
        {
            let path = resource.strip_prefix("parameter").filter(|path| path.starts_with('/'));
            check_path(path.unwrap_or_default()).map_err(|cause| (cause, ARN_HINT))
        }
        _ => Err(("the ARN is not one of a parameter", ARN_HINT)),
    }
}

fn check_path(path: &str) -> Result<(), &'static str> {
    if let Some(secret) = secret_behind(path) {
        let may_stand = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-!".contains(c);
        let is_name = secret.chars().all(may_stand);
        return if is_name { Ok(()) } else { Err("the name has a character that no secret's name has") };
    }
    let levels = path.strip_prefix('/').unwrap_or(path);
    if levels.is_empty() {
        return Err("the name is empty");
    }
    if !path.chars().all(|c| c.is_ascii_alphanumeric() || "/_.-".contains(c)) {
        return Err("the name has a character that no parameter's name has");
    }
    if levels.split('/').any(str::is_empty) {
        return Err("the name has an empty level");
    }
    if levels.len() < path.len() || !levels.contains('/') {
        let deep = levels.split('/').count() > MOST_LEVELS;
        return if deep { Err("the name has more than 15 levels") } else { Ok(()) };
    }
    Err("the name has several levels, but no / before the first one")
}

fn check_version(version: &str) -> Result<(), &'static str> {
    if version.chars().all(|c| c.is_ascii_digit()) {
        return match version.parse::<i64>() {
            Ok(1..) => Ok(()),
            _ => Err("the version is not a valid version number"),
        };
    }
    let reserved = ["aws", "ssm"]
        .iter()
        .any(|word| version.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(word)));
    let may_stand = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if version.len() > LONGEST_LABEL || reserved || !version.chars().all(may_stand) {
        return Err("the version is neither a number nor a label");
    }
    Ok(())
}

/// Checks a label or version ID of Secrets Manager: any text that can follow the colon.
fn check_secret_version(version: &str) -> Result<(), &'static str> {
    let can_stand = version.chars().all(|c| !c.is_control() && c != ':') && version.chars().count() <= 256;
    if can_stand && !version.is_empty() {
        Ok(())
    } else {
        Err("the version is neither a label nor the id of a version")
    }
}

fn refused(cause: &'static str, hint: &str) -> SourceError {
    SourceError::new(SourceErrorKind::InvalidRequest).with_cause(cause).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    const ARN: &str = "arn:aws:ssm:eu-west-1:123456789012:parameter/app/db";

    fn refusal(request: &SecretRequest) -> String {
        let error = Question::read(request).unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::InvalidRequest);
        assert!(error.hint().is_some());
        error.source().unwrap().to_string()
    }

    #[test]
    fn names_and_arns_that_aws_accepts_are_accepted() {
        for name in ["db", "/app/db", "/a", "A_b.c-d", "/aws/service/ami/id", ARN, &"/a".repeat(15)] {
            assert_eq!(Question::read(&SecretRequest::new(name)).unwrap().name, name);
        }
        assert_eq!(Question::read(&SecretRequest::new(ARN)).unwrap().arn_region(), Some("eu-west-1"));
    }

    #[test]
    fn what_stands_for_a_secret_is_named_as_the_secret() {
        for secret in ["a", "app/db+1@x=y!", "a//b", &"a/".repeat(20), "rds!cluster-1"] {
            let name = format!("{REFERENCE}{secret}");
            for version in ["AWSPREVIOUS", "01234567-89ab-cdef-0123-456789abcdef", "my label", "7"] {
                assert!(
                    Question::read(&SecretRequest::new(&*name).with_version(version)).is_ok(),
                    "{name}: {version}"
                );
            }
        }
        let name = format!("{REFERENCE}a b");
        assert_eq!(refusal(&SecretRequest::new(name)), "the name has a character that no secret's name has");
        let request = SecretRequest::new(format!("{REFERENCE}a")).with_version("a:b");
        assert_eq!(refusal(&request), "the version is neither a label nor the id of a version");
    }

    #[test]
    fn names_that_aws_cannot_have_are_refused() {
        for (name, cause) in [
            ("", "the name is empty"),
            ("/", "the name is empty"),
            ("a b", "the name has a character that no parameter's name has"),
            ("/app/db:3", "the name has a character that no parameter's name has"),
            ("app/db", "the name has several levels, but no / before the first one"),
            ("/app//db", "the name has an empty level"),
            ("/app/", "the name has an empty level"),
            (&"/a".repeat(16), "the name has more than 15 levels"),
            (&"n".repeat(2049), "the name has more than 2048 characters"),
            ("arn:aws:s3:::bucket", "the ARN is not one of a parameter"),
            ("arn:aws:ssm:eu-west-1:123456789012:document/x", "the name is empty"),
        ] {
            assert_eq!(refusal(&SecretRequest::new(name)), cause, "{name}");
        }
    }

    #[test]
    fn a_prefix_is_listed_at_the_level_above() {
        for (prefix, path) in
            [("/", "/"), ("/app", "/"), ("/app/", "/app"), ("/app/d", "/app"), ("/a/b.c/", "/a/b.c")]
        {
            assert_eq!(path_above(prefix).unwrap(), path, "{prefix}");
        }
    }

    #[test]
    fn a_prefix_that_no_name_below_a_level_has_is_refused() {
        for (prefix, cause) in [
            ("", "the prefix does not begin with /"),
            ("app", "the prefix does not begin with /"),
            ("/a b", "the name has a character that no parameter's name has"),
            ("//", "the name has an empty level"),
            (&format!("{}/", "/a".repeat(15)), "the name has more than 15 levels"),
            (ARN, "parameters are listed by name, not by ARN"),
        ] {
            let error = path_above(prefix).unwrap_err();
            assert_eq!(error.kind(), SourceErrorKind::InvalidRequest);
            assert!(error.hint().is_some());
            assert_eq!(error.source().unwrap().to_string(), cause, "{prefix}");
        }
    }

    #[test]
    fn a_version_is_a_number_or_a_label() {
        for version in ["1", "12", "live", "release-1.2_x"] {
            let request = SecretRequest::new("a").with_version(version);
            assert_eq!(Question::read(&request).unwrap().version, Some(version));
        }
        for (version, cause) in [
            ("", "the version is not a valid version number"),
            ("0", "the version is not a valid version number"),
            ("99999999999999999999", "the version is not a valid version number"),
            ("a b", "the version is neither a number nor a label"),
            ("a:b", "the version is neither a number nor a label"),
            ("AWSCURRENT", "the version is neither a number nor a label"),
            ("ssm-1", "the version is neither a number nor a label"),
            (&"l".repeat(101), "the version is neither a number nor a label"),
        ] {
            assert_eq!(refusal(&SecretRequest::new("a").with_version(version)), cause, "{version}");
        }
    }
}
