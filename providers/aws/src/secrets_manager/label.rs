//! The label of an answer: which secret it is about, and which version.
//!
//! A proxy, a cache or a server that imitates AWS may send the answer to another request. Everything that an answer
//! says about itself must fit the request. So the value of another secret is never published under this name.

use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use aws_sdk_secretsmanager::types::SecretValueEntry;
use secretdir_provider::SourceError;

use super::Version;
use crate::error;

/// The label of the current version.
const CURRENT: &str = "AWSCURRENT";

/// The number of characters that AWS adds to a name in an ARN: a hyphen and six others.
const SUFFIX: usize = 7;

/// The name, ARN and version in an answer. An empty text counts as missing.
#[derive(Debug, Default)]
pub(super) struct Label {
    name: Option<String>,
    arn: Option<String>,
    pub(super) version_id: Option<String>,
    stages: Vec<String>,
}

impl Label {
    /// Takes the label out of an answer about one secret.
    pub(super) fn of_answer(answer: &mut GetSecretValueOutput) -> Self {
        Self {
            name: answer.name.take(),
            arn: answer.arn.take(),
            version_id: answer.version_id.take(),
            stages: answer.version_stages.take().unwrap_or_default(),
        }
    }

    /// Takes the label out of an entry of a batch.
    pub(super) fn of_entry(entry: &mut SecretValueEntry) -> Self {
        Self {
            name: entry.name.take(),
            arn: entry.arn.take(),
            version_id: entry.version_id.take(),
            stages: entry.version_stages.take().unwrap_or_default(),
        }
    }

    /// Returns whether the answer is about the secret with this name or ARN; `None` if the answer has neither.
    pub(super) fn names(&self, id: &str) -> Option<bool> {
        let name = given(&self.name).map(|name| is_name_of(id, name));
        let arn = given(&self.arn).map(|arn| is_arn_of(id, arn));
        match (name, arn) {
            (Some(name), Some(arn)) => Some(name && arn),
            (either, None) | (None, either) => either,
        }
    }

    /// Checks that the answer is about this secret and this version.
    pub(super) fn check(&self, id: &str, version: Version<'_>) -> Result<(), SourceError> {
        if self.names(id) == Some(false) {
            return Err(error::of_another("secret", id));
        }
        let is_right = match version {
            Version::Id(asked) => given(&self.version_id) == Some(asked),
            Version::Stage(stage) => self.has(stage),
            Version::Current => self.has(CURRENT),
        };
        if is_right { Ok(()) } else { Err(error::of_another_version(version.name().unwrap_or(CURRENT), id)) }
    }

    /// Returns whether the version has this label. An answer without any labels passes.
    fn has(&self, stage: &str) -> bool {
        self.stages.is_empty() || self.stages.iter().any(|label| label == stage)
    }
}

/// Returns the names of the secrets that can answer an identifier. The end of an ARN may be the six characters that AWS
/// adds. In an ARN without them, it may be a part of the name.
pub(super) fn names_behind(id: &str) -> Vec<&str> {
    if !is_arn(id) {
        return vec![id];
    }
    let resource = resource(id);
    let name = resource.len().checked_sub(SUFFIX).and_then(|end| resource.split_at_checked(end));
    let without = name.filter(|(name, suffix)| !name.is_empty() && suffix.starts_with('-'));
    [resource].into_iter().chain(without.map(|(name, _)| name)).collect()
}

/// Returns whether an ARN ends like one with the six characters that AWS adds. AWS then takes it for a complete ARN.
pub(super) fn looks_complete(id: &str) -> bool {
    names_behind(id).len() == 2
}

/// Returns whether an identifier names the same secret as an error entry. The entry repeats the identifier, or has the ARN.
pub(super) fn is_same(id: &str, about: &str) -> bool {
    id == about || if is_arn(about) { is_arn_of(id, about) } else { is_name_of(id, about) }
}

/// Returns whether a secret with this name can be the one that an identifier names.
fn is_name_of(id: &str, name: &str) -> bool {
    if is_arn(id) { is_completed(name, resource(id)) || name == resource(id) } else { id == name }
}

/// Returns whether a secret with this ARN can be the one that an identifier names. A requested ARN may lack the suffix.
fn is_arn_of(id: &str, arn: &str) -> bool {
    if is_arn(id) { id == arn || is_completed(id, arn) } else { is_completed(id, resource(arn)) }
}

/// Returns whether `completed` is `text` with the suffix that AWS adds.
fn is_completed(text: &str, completed: &str) -> bool {
    let suffix = |rest: &str| rest.len() == SUFFIX && rest.starts_with('-');
    !text.is_empty() && completed.strip_prefix(text).is_some_and(suffix)
}

fn is_arn(id: &str) -> bool {
    id.starts_with("arn:")
}

/// Returns the name in an ARN, with the suffix that AWS adds.
fn resource(arn: &str) -> &str {
    arn.split_once(":secret:").map_or("", |(_, resource)| resource)
}

fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use secretdir_provider::SourceErrorKind;

    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/db-AbCdEf";
    const PARTIAL: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/db";
    const ID: &str = "01234567-89ab-cdef-0123-456789abcdef";

    fn label(name: &str, arn: &str) -> Label {
        Label { name: Some(name.to_owned()), arn: Some(arn.to_owned()), ..Label::default() }
    }

    #[test]
    fn an_answer_is_matched_by_name_arn_and_partial_arn() {
        for id in ["app/db", ARN, PARTIAL] {
            for (name, arn) in [("app/db", ARN), ("app/db", ""), ("", ARN)] {
                assert_eq!(label(name, arn).names(id), Some(true), "{id}: {name} {arn}");
            }
            assert_eq!(label("", "").names(id), None);
            assert!(is_same(id, id) && is_same(id, ARN) && is_same(id, "app/db"), "{id}");
        }
        for id in [
            "app/d",
            "app/db-AbCdEf",
            "app",
            "",
            PARTIAL.trim_end_matches("/db"),
            &format!("{ARN}-AbCdEf"),
            &ARN.replace("eu-west-1", "us-east-1"),
        ] {
            assert_eq!(label("app/db", ARN).names(id), Some(false), "{id}");
            assert!(!is_same(id, ARN), "{id}");
        }
    }

    #[test]
    fn name_and_arn_must_both_fit() {
        let other = ARN.replace("app/db", "app/other");
        let account = ARN.replace("123456789012", "210987654321");
        for id in ["app/db", ARN, PARTIAL] {
            for (name, arn) in
                [("app/other", ARN), ("app/db", other.as_str()), ("app/other", ""), ("", &other)]
            {
                assert_eq!(label(name, arn).names(id), Some(false), "{id}: {name} {arn}");
            }
        }
        assert_eq!(label("app/db", &account).names(ARN), Some(false));
    }

    #[test]
    fn an_arn_may_stand_for_two_names() {
        assert_eq!(names_behind("app/db-AbCdEf"), ["app/db-AbCdEf"]);
        assert_eq!(names_behind(ARN), ["app/db-AbCdEf", "app/db"]);
        assert_eq!(names_behind(PARTIAL), ["app/db"]);
        assert_eq!(names_behind("arn:aws:secretsmanager:eu-west-1:1:secret:-AbCdEf"), ["-AbCdEf"]);
    }

    #[test]
    fn an_answer_with_another_version_is_refused() {
        let labelled = |id: &str, stages: &[&str]| Label {
            version_id: Some(id.to_owned()),
            stages: stages.iter().map(|stage| (*stage).to_owned()).collect(),
            ..label("app/db", ARN)
        };
        let told = |label: Label, version| {
            label.check("app/db", version).map_err(|error| {
                assert_eq!(error.kind(), SourceErrorKind::InvalidData);
                error.source().unwrap().to_string()
            })
        };
        assert_eq!(told(labelled(ID, &[]), Version::Id(ID)), Ok(()));
        assert_eq!(told(labelled("1", &[]), Version::Current), Ok(()));
        assert_eq!(told(labelled("1", &["x", "AWSCURRENT"]), Version::Current), Ok(()));
        assert_eq!(told(labelled("1", &["x", "AWSCURRENT"]), Version::Stage("x")), Ok(()));
        let expected = |version| Err(format!("the answer has another version than {version} of `app/db`"));
        assert_eq!(told(labelled("1", &["AWSCURRENT"]), Version::Id(ID)), expected(ID));
        assert_eq!(told(labelled("", &["AWSCURRENT"]), Version::Id(ID)), expected(ID));
        assert_eq!(told(labelled("1", &["AWSPREVIOUS"]), Version::Current), expected("AWSCURRENT"));
        assert_eq!(
            told(labelled("1", &["AWSCURRENT"]), Version::Stage("AWSPREVIOUS")),
            expected("AWSPREVIOUS")
        );
    }
}
