//! The location of the credential that a source logs in with. The configuration itself never contains it.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::{KeyPath, Settings, SettingsError};
use crate::{Secret, SecretBuffer, SourceError, SourceErrorKind};

/// The variable with the directory of the credentials of a service (systemd.exec(5)).
const DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

/// The largest credential that is read: 1 MiB, which is also the limit of systemd.
const MAX_BYTES: usize = 1 << 20;

const KEYS: &[&str] = &["file", "env", "credential"];

const EXPECTED: &str =
    "a table such as { file = \"/run/token\" }, { env = \"TOKEN\" } or { credential = \"token\" }";

/// The settings of a credential: a table with one of three keys.
///
/// | key | the credential is |
/// |---|---|
/// | `file` | the content of this file; a relative path starts at the folder of the configuration |
/// | `env` | the value of this environment variable |
/// | `credential` | the credential that systemd passes to the service under this name, for instance by `LoadCredential=` |
///
/// A plain text is an error, so that nobody writes the credential itself into the configuration. Use this as the type of a
/// field, and resolve it with [`Settings::credential`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CredentialSettings {
    file: Option<String>,
    env: Option<String>,
    credential: Option<String>,
}

/// The location of a credential. `Display` prints the location, for errors, but never the credential itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential(Location);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Location {
    File(PathBuf),
    Variable(String),
    Systemd(String),
}

impl CredentialSettings {
    /// A JSON Schema of these settings, to be used in the schema of a provider.
    pub const SCHEMA: &str = r#"{
        "type": "object",
        "description": "The location of the credential: a file, an environment variable, or a credential of systemd.",
        "properties": {
            "file": { "type": "string", "description": "The file with the credential. A relative path starts at the folder of the configuration file." },
            "env": { "type": "string", "description": "The environment variable with the credential." },
            "credential": { "type": "string", "description": "The name of a credential of systemd, as in LoadCredential=." }
        },
        "minProperties": 1,
        "maxProperties": 1
    }"#;

    pub(super) fn locate(&self, settings: &Settings, key: KeyPath) -> Result<Credential, SettingsError> {
        let Self { file, env, credential } = self;
        let place = match (file, env, credential) {
            (Some(file), None, None) => Location::File(settings.path(key.key("file"), file)?),
            (None, Some(name), None) if is_variable(name) => Location::Variable(name.clone()),
            (None, None, Some(name)) if is_file_name(name) => Location::Systemd(name.clone()),
            (None, Some(_), None) => {
                return Err(SettingsError::new(
                    key.key("env"),
                    "is not a valid name for an environment variable",
                ));
            }
            (None, None, Some(_)) => {
                return Err(SettingsError::new(
                    key.key("credential"),
                    "is not a valid name for a credential: it must be a file name",
                ));
            }
            _ => return Err(SettingsError::new(key, "expected one of `file`, `env` and `credential`")),
        };
        Ok(Credential(place))
    }
}

impl Credential {
    /// Reads the credential, without one line end behind it.
    ///
    /// Call it in each run, because credentials are rotated.
    ///
    /// # Errors
    ///
    /// [`Unauthenticated`](SourceErrorKind::Unauthenticated): it is missing, cannot be read, is empty, or is larger than 1 MiB.
    pub fn read(&self) -> Result<Secret, SourceError> {
        let mut bytes = self.bytes().map_err(|cause| self.unreadable(cause))?;
        if bytes.expose_secret().ends_with(b"\n") {
            bytes.pop();
            if bytes.expose_secret().ends_with(b"\r") {
                bytes.pop();
            }
        }
        if bytes.is_empty() {
            return Err(self.unreadable("it is empty".to_owned()));
        }
        Ok(Secret::new(bytes))
    }

    fn bytes(&self) -> Result<SecretBuffer, String> {
        match &self.0 {
            Location::File(path) => read(path).map_err(|error| error.to_string()),
            Location::Variable(name) => {
                let value = std::env::var_os(name).ok_or("it is not set")?;
                Ok(SecretBuffer::from(OsString::into_vec(value)))
            }
            Location::Systemd(name) => {
                let directory = std::env::var_os(DIRECTORY).ok_or_else(|| {
                    format!("{DIRECTORY} is not set: no service of systemd, or one without credentials")
                })?;
                read(&Path::new(&directory).join(name)).map_err(|error| error.to_string())
            }
        }
    }

    fn unreadable(&self, cause: String) -> SourceError {
        let error = SourceError::new(SourceErrorKind::Unauthenticated).with_cause(format!("{self}: {cause}"));
        match &self.0 {
            Location::File(_) => error.with_hint("the current user must be able to read that file"),
            Location::Variable(_) => error.with_hint("export it to the process that runs this"),
            Location::Systemd(_) => {
                error.with_hint("pass it on with LoadCredential= in the unit of the service")
            }
        }
    }
}

/// Reads a regular file. Other files may never end, or block.
fn read(path: &Path) -> io::Result<SecretBuffer> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut buffer = SecretBuffer::with_capacity(4096);
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    io::copy(&mut File::open(path)?.take(limit), &mut buffer)?;
    if buffer.len() > MAX_BYTES {
        return Err(io::Error::other("it has more than 1 MiB"));
    }
    Ok(buffer)
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}

fn is_file_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\0'])
}

impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Location::File(path) => write!(f, "the file {path:?}"),
            Location::Variable(name) => write!(f, "the environment variable {name:?}"),
            Location::Systemd(name) => write!(f, "the credential {name:?} of systemd"),
        }
    }
}

impl<'de> Deserialize<'de> for CredentialSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct("CredentialSettings", KEYS, Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = CredentialSettings;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<CredentialSettings, A::Error> {
        let mut found = CredentialSettings::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "file" => found.file = Some(map.next_value()?),
                "env" => found.env = Some(map.next_value()?),
                "credential" => found.credential = Some(map.next_value()?),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
