//! The profiles of `~/.aws/config` and `~/.aws/credentials`, named as botocore names them. `[profile "two words"]` in
//! the first file is `[two words]` in the second. A key in the second file takes precedence over the same key in the
//! first.

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secretdir_provider::SourceError;

use super::ini::{self, Entry, Section};
use super::rules::{self, Rule};
use super::variables::Variables;
use super::{no_credentials, refused};

/// The keys of a profile that count, each with its rule.
const SUPPORTED: &[(&str, Rule)] = &[
    ("region", rules::region),
    ("retry_mode", rules::retry_mode),
    ("max_attempts", rules::attempts),
    ("use_fips_endpoint", rules::boolean),
    ("use_dualstack_endpoint", rules::boolean),
    ("ignore_configured_endpoint_urls", rules::boolean),
    ("endpoint_url", rules::endpoint),
    ("services", rules::line),
    ("ec2_metadata_service_endpoint", rules::url),
    ("ec2_metadata_service_endpoint_mode", rules::endpoint_mode),
    ("ec2_metadata_v1_disabled", rules::boolean),
    ("aws_access_key_id", rules::credential),
    ("aws_secret_access_key", rules::credential),
    ("aws_session_token", rules::credential),
    ("aws_security_token", rules::credential),
    ("aws_account_id", rules::credential),
    ("role_arn", rules::arn),
    ("source_profile", rules::line),
    ("credential_source", rules::credential_source),
    ("external_id", rules::line),
    ("role_session_name", rules::line),
    ("web_identity_token_file", rules::line),
    ("credential_process", rules::command),
    ("sso_session", rules::line),
    ("sso_account_id", rules::line),
    ("sso_role_name", rules::line),
    ("sso_region", rules::region),
    ("sso_start_url", rules::url),
    ("login_session", rules::line),
    ("ca_bundle", rules::line),
];

const FILE_HINT: &str =
    "correct the file, or let AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name others";

/// A value of a profile, and its position in a file.
#[derive(Clone, PartialEq)]
pub(super) struct Key {
    pub(super) value: String,
    file: Arc<Path>,
    line: usize,
    of: Which,
    pub(super) below: BTreeMap<String, Entry>,
}

/// One of the two files.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Config,
    Credentials,
}

impl Key {
    /// Returns whether it is in `~/.aws/credentials`.
    pub(super) fn is_of_credentials(&self) -> bool {
        self.of == Which::Credentials
    }
}

/// The keys of a profile, or of a section that profiles refer to. An empty key counts as not set.
pub(super) type Keys = BTreeMap<String, Key>;

/// The content of both files.
#[derive(Default, PartialEq)]
pub(super) struct Profiles {
    pub(super) profiles: BTreeMap<String, Keys>,
    pub(super) sso_sessions: BTreeMap<String, Keys>,
    pub(super) services: BTreeMap<String, Keys>,
}

impl Profiles {
    /// Reads both files, if they exist.
    pub(super) fn read(variables: &Variables) -> Result<Self, SourceError> {
        let mut profiles = Self::default();
        if let Some(path) = variables.file("AWS_CONFIG_FILE", "config") {
            let file = Arc::from(path.as_path());
            sections(&path)?.into_iter().for_each(|section| profiles.add_config(section, &file));
        }
        if let Some(path) = variables.file("AWS_SHARED_CREDENTIALS_FILE", "credentials") {
            let file = Arc::from(path.as_path());
            for Section { name, keys } in sections(&path)? {
                profiles.profiles.entry(name).or_default().extend(located(keys, &file, Which::Credentials));
            }
        }
        Ok(profiles)
    }

    pub(super) fn add_config(&mut self, section: Section, file: &Arc<Path>) {
        // As in botocore, the beginning of a section's name is its type, and a name with a type has two words.
        let (sections, name) = match (section.name.as_str(), words(&section.name).as_slice()) {
            ("default", _) => (&mut self.profiles, section.name.clone()),
            (kind, [_, name]) if kind.starts_with("profile") => (&mut self.profiles, name.clone()),
            (kind, [_, name]) if kind.starts_with("sso-session") => (&mut self.sso_sessions, name.clone()),
            (kind, [_, name]) if kind.starts_with("services") => (&mut self.services, name.clone()),
            _ => return,
        };
        // If two names are the same but for their spelling, such as with and without quotes, the later one counts.
        sections.insert(name, located(section.keys, file, Which::Config));
    }

    /// Returns the profile with this name, and those that it builds on, each with its keys.
    ///
    /// `by` is the setting that names it, for the error.
    pub(super) fn chain(&self, name: &str, by: &str) -> Result<Vec<(String, Keys)>, SourceError> {
        let mut chain: Vec<(String, Keys)> = Vec::new();
        let mut next = Some(name.to_owned());
        while let Some(name) = next {
            let by =
                chain.last().map_or(by.to_owned(), |(earlier, _)| format!("source_profile of `{earlier}`"));
            let keys = self.profiles.get(&name).ok_or_else(|| unknown(&name, &by))?;
            let keys = checked(&name, keys)?;
            // Without a role, the credentials of another profile have no use.
            let assumes = keys.get("role_arn").and(keys.get("source_profile"));
            let source = assumes.map(|key| key.value.clone());
            chain.push((name, keys));
            // The SDK finds out whether a loop is a mistake.
            next = source.filter(|source| chain.iter().all(|(earlier, _)| earlier != source));
        }
        Ok(chain)
    }
}

/// Returns the error for a profile that is not defined.
fn unknown(name: &str, by: &str) -> SourceError {
    no_credentials(
        &format!("profile `{name}` was not defined"),
        &format!("is the profile `{name}` in ~/.aws/config complete, and signed in? It is named by {by}"),
    )
}

/// Returns the keys that count and are set, with values that the SDK knows.
pub(super) fn checked(profile: &str, keys: &Keys) -> Result<Keys, SourceError> {
    let mut checked = Keys::new();
    for (name, rule) in SUPPORTED {
        let Some(key) = keys.get(*name).filter(|key| !(key.value.is_empty() && key.below.is_empty())) else {
            continue;
        };
        let value = rule(&key.value).map_err(|what| {
            refused(format!("`{name}` of the profile `{profile}` ({key}) is not {what}"), FILE_HINT)
        })?;
        checked.insert((*name).to_owned(), Key { value, ..key.clone() });
    }
    if let Some(token) = checked.remove("aws_security_token") {
        checked.entry("aws_session_token".to_owned()).or_insert(token);
    }
    Ok(checked)
}

impl fmt::Display for Key {
    /// Writes the position of the key: its file and line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}", self.file.display(), self.line)
    }
}

fn located(keys: BTreeMap<String, Entry>, file: &Arc<Path>, of: Which) -> Keys {
    let located = keys.into_iter().map(|(name, Entry { value, line, below, .. })| {
        (name, Key { value, file: Arc::clone(file), line, of, below })
    });
    located.collect()
}

/// Reads a file, which need not exist.
fn sections(path: &PathBuf) -> Result<Vec<Section>, SourceError> {
    let file = path.display();
    // Like botocore, this reads only regular files. A FIFO or a device may have no end.
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Ok(Vec::new());
    }
    let text = match std::fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes)
            .map_err(|_| no_credentials(&format!("{file} is not UTF-8"), FILE_HINT))?,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(no_credentials(&format!("{file} cannot be read: {error}"), FILE_HINT)),
    };
    ini::parse(&text).map_err(|malformed| {
        no_credentials(&format!("{file}, line {}, {}", malformed.line, malformed.what), FILE_HINT)
    })
}

/// Splits a text as Python's `shlex` does. Returns nothing if a quote is not closed, or if the text ends with a backslash.
pub(super) fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let escapes = match quote {
            None => c == '\\',
            Some('"') => c == '\\' && characters.peek().is_none_or(|next| matches!(next, '"' | '\\')),
            Some(_) => false,
        };
        match (quote, c) {
            _ if escapes => match characters.next() {
                Some(escaped) => word.get_or_insert_default().push(escaped),
                None => return Vec::new(),
            },
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ' | '\t' | '\r' | '\n') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    if quote.is_some() { Vec::new() } else { words }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_as_a_shell_does() {
        for (text, expected) in [
            ("profile a", vec!["profile", "a"]),
            ("profile \"two words\"", vec!["profile", "two words"]),
            ("profile 'it''s' b", vec!["profile", "its", "b"]),
            ("profile two\\ words", vec!["profile", "two words"]),
            ("profile \"\"", vec!["profile", ""]),
            ("profile ü", vec!["profile", "ü"]),
            ("profile \"open", vec![]),
            ("a \"C:\\dir\\x\" \"it\\'s\" \"a\\$b\"", vec!["a", "C:\\dir\\x", "it\\'s", "a\\$b"]),
            ("a \"\\\"\\\\\"", vec!["a", "\"\\"]),
            ("a 'b\\'", vec!["a", "b\\"]),
            ("a\\", vec![]),
            ("a\u{a0}b\tc\nd", vec!["a\u{a0}b", "c", "d"]),
            ("  ", vec![]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }
}
