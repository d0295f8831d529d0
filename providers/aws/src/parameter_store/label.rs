//! The label of an answer: which parameter it is about, and which version.
//!
//! As with Secrets Manager, everything that an answer says about itself must fit the request.

use secretdir_provider::SourceError;

use super::Question;
use super::api::Parameter;
use super::question::secret_behind;
use crate::error;

/// The name, ARN and version in an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Label<'a> {
    name: Option<&'a str>,
    arn: Option<&'a str>,
    pub(super) version: i64,
    /// The version number or label from the request, after a colon.
    selector: Option<&'a str>,
}

impl<'a> Label<'a> {
    /// Reads the label of a parameter. An empty text counts as missing.
    pub(super) fn of(parameter: &'a Parameter) -> Self {
        let given = |text: Option<&'a str>| text.filter(|text| !text.is_empty());
        Self {
            name: given(parameter.name.as_deref()),
            arn: given(parameter.arn.as_deref()),
            version: parameter.version.unwrap_or_default(),
            selector: given(parameter.selector.as_deref()),
        }
    }

    /// Returns whether the answer is about the parameter with this name or ARN. An answer with neither is about none.
    pub(super) fn names(&self, asked: &str) -> bool {
        let mut said = [self.name, self.arn].into_iter().flatten().peekable();
        said.peek().is_some() && said.all(|said| is_same(asked, said))
    }

    /// Checks that the answer has the requested version.
    pub(super) fn check(&self, question: Question<'_>) -> Result<(), SourceError> {
        let Some(asked) = question.version else { return Ok(()) };
        // The versions of a secret are labels and IDs, and a reference to it has the version number 0.
        let is_number = asked.parse::<i64>().ok().filter(|_| secret_behind(question.name).is_none());
        let has_number = is_number.is_none_or(|number| number == self.version);
        let has_selector = self.selector.is_none_or(|selector| selector.trim_start_matches(':') == asked);
        if has_number && has_selector { Ok(()) } else { Err(error::of_another_version(asked, question.name)) }
    }
}

/// Returns whether two names or ARNs can mean the same parameter. `db` and `/db` are different names, but their ARNs
/// end alike.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    if let Some(secret) = secret_behind(one).filter(|_| other.contains(":secretsmanager:")) {
        // The ARN is that of the secret behind the reference. It has the characters that AWS adds to the name.
        let rest = other.split_once(":secret:").and_then(|(_, resource)| resource.strip_prefix(secret));
        return rest.is_some_and(|suffix| suffix.is_empty() || suffix.starts_with('-') && suffix.len() == 7);
    }
    let is_arn = |text: &str| text.starts_with("arn:");
    if is_arn(one) == is_arn(other) { one == other } else { path_of(one) == path_of(other) }
}

/// Returns the path of a name, as an ARN ends with it: `app/db` for `/app/db`.
pub(super) fn path_of(name: &str) -> &str {
    let name =
        name.strip_prefix("arn:").and_then(|arn| arn.split_once(":parameter")).map_or(name, |(_, path)| path);
    name.trim_start_matches('/')
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    const ARN: &str = "arn:aws:ssm:eu-west-1:123456789012:parameter/app/db";

    fn parameter(name: &str, arn: &str) -> Parameter {
        let given = |text: &str| Some(text.to_owned());
        Parameter {
            name: given(name),
            arn: given(arn),
            version: Some(3),
            selector: given(":live"),
            ..Parameter::default()
        }
    }

    #[test]
    fn a_parameter_has_one_path_however_it_is_named() {
        for name in ["app/db", "/app/db", ARN] {
            assert_eq!(path_of(name), "app/db", "{name}");
        }
        assert_eq!(path_of("db"), "db");
    }

    #[test]
    fn name_and_arn_must_both_fit() {
        let names = |asked: &str, name: &str, arn: &str| Label::of(&parameter(name, arn)).names(asked);
        for asked in ["/app/db", ARN] {
            assert!(names(asked, "/app/db", ARN) && names(asked, "", ARN) && names(asked, "/app/db", ""));
            // A parameter that another account shares has its ARN as its name.
            assert!(names(asked, ARN, ARN));
            assert!(!names(asked, "", ""));
            for (name, arn) in [("/app/other", ARN), ("/app/db", &ARN.replace("db", "other")), ("/app", "")] {
                assert!(!names(asked, name, arn), "{asked}: {name} {arn}");
            }
        }
        assert!(!names("/db", "db", "") && !names("db", "/db", ""));
        assert!(!names(ARN, "/app/db", &ARN.replace("123456789012", "210987654321")));
        assert!(!names(ARN, "/app/db", &ARN.replace("eu-west-1", "us-east-1")));
    }

    #[test]
    fn a_parameter_that_stands_for_a_secret_has_its_arn() {
        let name = "/aws/reference/secretsmanager/app/db";
        let arn = |secret: &str| format!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:{secret}");
        let names = |secret: &str| Label::of(&parameter(name, &arn(secret))).names(name);
        assert!(names("app/db-AbCdEf"));
        assert!(!names("app/db2-AbCdEf") && !names("app/d-AbCdEf") && !names("other-AbCdEf"));
    }

    #[test]
    fn an_answer_with_another_version_is_refused() {
        let parameter = parameter("/app/db", ARN);
        let check = |version, selector| {
            let label = Label { selector, ..Label::of(&parameter) };
            label
                .check(Question { name: "/app/db", version })
                .map_err(|error| error.source().unwrap().to_string())
        };
        for (version, selector) in [
            (None, None),
            (Some("3"), None),
            (Some("3"), Some(":3")),
            (Some("live"), None),
            (Some("live"), Some(":live")),
        ] {
            assert_eq!(check(version, selector), Ok(()), "{version:?} {selector:?}");
        }
        for (version, selector) in [("2", None), ("3", Some(":2")), ("live", Some(":old"))] {
            let told = format!("the answer has another version than {version} of `/app/db`");
            assert_eq!(check(Some(version), selector), Err(told));
        }
    }
}
