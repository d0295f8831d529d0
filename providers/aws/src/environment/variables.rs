//! The environment variables that count. An empty one counts as not set.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use secretdir_provider::SourceError;

use super::{refused, rules, rules::Rule};

/// Each variable with its rule. If two have the same meaning, the first one counts.
const SUPPORTED: &[(&str, Rule)] = &[
    ("AWS_REGION", rules::region),
    ("AWS_DEFAULT_REGION", rules::region),
    // botocore looks at this one first.
    ("AWS_DEFAULT_PROFILE", rules::anything),
    ("AWS_PROFILE", rules::anything),
    ("AWS_CONFIG_FILE", rules::anything),
    ("AWS_SHARED_CREDENTIALS_FILE", rules::anything),
    ("AWS_ACCESS_KEY_ID", rules::credential),
    ("AWS_SECRET_ACCESS_KEY", rules::credential),
    ("AWS_SESSION_TOKEN", rules::credential),
    ("AWS_SECURITY_TOKEN", rules::credential),
    ("AWS_ACCOUNT_ID", rules::credential),
    ("AWS_RETRY_MODE", rules::retry_mode),
    ("AWS_MAX_ATTEMPTS", rules::attempts),
    ("AWS_USE_FIPS_ENDPOINT", rules::boolean),
    ("AWS_USE_DUALSTACK_ENDPOINT", rules::boolean),
    ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", rules::boolean),
    ("AWS_ENDPOINT_URL", rules::endpoint),
    ("AWS_ENDPOINT_URL_SECRETS_MANAGER", rules::endpoint),
    ("AWS_ENDPOINT_URL_SSM", rules::endpoint),
    ("AWS_ENDPOINT_URL_STS", rules::endpoint),
    ("AWS_ENDPOINT_URL_SSO", rules::endpoint),
    ("AWS_ENDPOINT_URL_SSO_OIDC", rules::endpoint),
    ("AWS_ROLE_ARN", rules::arn),
    ("AWS_ROLE_SESSION_NAME", rules::line),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", rules::anything),
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", rules::path_of_url),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI", rules::url),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN", rules::header),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", rules::anything),
    ("AWS_EC2_METADATA_DISABLED", rules::boolean),
    ("AWS_EC2_METADATA_V1_DISABLED", rules::boolean),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT", rules::url),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", rules::endpoint_mode),
    ("AWS_CA_BUNDLE", rules::anything),
    ("HTTPS_PROXY", rules::proxy),
    ("https_proxy", rules::proxy),
    ("HTTP_PROXY", rules::proxy),
    ("http_proxy", rules::proxy),
    ("ALL_PROXY", rules::proxy),
    ("all_proxy", rules::proxy),
];

/// The variables that are set and valid.
#[derive(Default, PartialEq)]
pub(super) struct Variables(BTreeMap<&'static str, String>);

impl Variables {
    /// Reads the environment of this process.
    pub(super) fn read() -> Result<Self, SourceError> {
        Self::of(|name| env::var_os(name))
    }

    fn of(get: impl Fn(&str) -> Option<OsString>) -> Result<Self, SourceError> {
        let mut set = BTreeMap::new();
        for (name, rule) in SUPPORTED {
            let Some(value) = get(name).filter(|value| !value.is_empty()) else { continue };
            let checked = value.to_str().ok_or("text in UTF-8").and_then(rule);
            let value = checked.map_err(|what| {
                let cause = format!("{name} in the environment is not {what}");
                refused(cause, "correct the variable, or unset it")
            })?;
            set.insert(*name, value);
        }
        let variables = Self(set);
        variables.check_key()?;
        Ok(variables)
    }

    /// Refuses an access key ID without its secret, which is a mistake and not a missing key. botocore also ignores a
    /// secret alone.
    fn check_key(&self) -> Result<(), SourceError> {
        let (id, secret) = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
        if self.get(id).is_none() || self.get(secret).is_some() {
            return Ok(());
        }
        Err(super::no_credentials(
            &format!("{id} is set in the environment, but not {secret}"),
            "set both variables, or neither",
        ))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Returns the first of these variables that is set, with its name.
    pub(super) fn first<'n>(&self, names: &[&'n str]) -> Option<(&'n str, &str)> {
        names.iter().find_map(|name| Some((*name, self.get(name)?)))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Returns the path of one of AWS's files: the value of this variable, or a file in `.aws` in the home directory.
    pub(super) fn file(&self, variable: &str, name: &str) -> Option<PathBuf> {
        match self.get(variable) {
            Some(path) => Some(expanded(path)),
            None => Some(home()?.join(".aws").join(name)),
        }
    }
}

/// Expands a path: `~` is the home directory, and `$NAME` or `${NAME}` a variable, if it is set.
pub(super) fn expanded(path: &str) -> PathBuf {
    let path = with_variables(path, |name| env::var(name).ok());
    let below_home = path.strip_prefix("~/").and_then(|rest| Some(home()?.join(rest)));
    below_home.unwrap_or_else(|| PathBuf::from(path))
}

/// Expands variables in a text, as Python's `os.path.expandvars` does. A variable that is not set stays as it is written.
fn with_variables(text: &str, get: impl Fn(&str) -> Option<String>) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        let in_name = |c: char| c.is_alphanumeric() || c == '_';
        let (name, written) = match after.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some((name, _)) => (name, name.len() + "{}".len()),
            None => {
                let length = after.find(|c| !in_name(c)).unwrap_or(after.len());
                (after.get(..length).unwrap_or_default(), length)
            }
        };
        match get(name).filter(|_| !name.is_empty()) {
            Some(value) => expanded.push_str(&value),
            None => expanded.extend(["$", after.get(..written).unwrap_or_default()]),
        }
        rest = after.get(written..).unwrap_or_default();
    }
    expanded + rest
}

/// Returns the home directory. Without HOME, as in a systemd unit, it comes from the user database.
pub(super) fn home() -> Option<PathBuf> {
    env::home_dir().filter(|path| !path.as_os_str().is_empty())
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    fn read(name: &'static str, value: &'static str) -> Result<Option<String>, String> {
        let variables = Variables::of(|asked| (asked == name).then(|| value.into()));
        let variables = variables.map_err(|error| error.source().unwrap().to_string())?;
        Ok(variables.get(name).map(str::to_owned))
    }

    #[test]
    fn variables_stand_in_a_path_as_python_has_them() {
        let get = |name: &str| (name == "A").then(|| "x/y".to_owned());
        for (text, expected) in [
            ("/a/$A/b", "/a/x/y/b"),
            ("${A}b", "x/yb"),
            ("$Ab", "$Ab"),
            ("$A.b", "x/y.b"),
            ("${B}/$B", "${B}/$B"),
            ("$", "$"),
            ("a$$A", "a$x/y"),
            ("${A", "${A"),
            ("${}", "${}"),
        ] {
            assert_eq!(with_variables(text, get), expected, "{text}");
        }
    }

    #[test]
    fn an_empty_variable_is_not_set() {
        for (name, _) in SUPPORTED {
            assert_eq!(read(name, ""), Ok(None), "{name}");
        }
    }

    #[test]
    fn a_variable_that_cannot_be_used_is_named_without_its_value() {
        for (name, rule) in SUPPORTED {
            if rule("canary value\u{7}").is_err() {
                let told = read(name, "canary value\u{7}").unwrap_err();
                assert!(told.starts_with(&format!("{name} in the environment is not ")), "{told}");
                assert!(!told.contains("canary"), "{told}");
            }
        }
        assert_eq!(read("AWS_RETRY_MODE", "legacy"), Ok(Some("standard".to_owned())));
    }

    #[test]
    fn half_a_key_is_a_mistake() {
        let told = read("AWS_ACCESS_KEY_ID", "AKIA").unwrap_err();
        assert_eq!(
            told,
            "no credentials: AWS_ACCESS_KEY_ID is set in the environment, but not AWS_SECRET_ACCESS_KEY"
        );
        assert!(read("AWS_SECRET_ACCESS_KEY", "s").is_ok());
    }
}
