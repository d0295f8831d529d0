//! Parses the answers of the server in place. Values stay the bytes that were sent, and are copied once.

use std::borrow::Cow;

use secretdir_provider::{SecretBuffer, SourceError, SourceErrorKind};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};
use serde_json::value::RawValue;

/// An answer with any status.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: SecretBuffer,
    /// The time to wait, if the server names one.
    pub(crate) retry_after: Option<std::time::Duration>,
}

/// The common fields of all answers.
#[derive(Deserialize)]
pub(crate) struct Frame<'a> {
    #[serde(borrow, default)]
    pub(crate) data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) lease_id: Option<Cow<'a, str>>,
    #[serde(default)]
    pub(crate) lease_duration: Option<u64>,
    #[serde(borrow, default)]
    pub(crate) auth: Option<Auth<'a>>,
}

/// A new token.
#[derive(Deserialize)]
pub(crate) struct Auth<'a> {
    #[serde(borrow)]
    pub(crate) client_token: Cow<'a, str>,
    #[serde(default)]
    pub(crate) lease_duration: u64,
    #[serde(default)]
    pub(crate) renewable: bool,
    #[serde(borrow, default)]
    pub(crate) token_type: Cow<'a, str>,
}

/// A version of a secret of the key-value engine, version 2.
#[derive(Deserialize)]
pub(crate) struct Versioned<'a> {
    #[serde(borrow, default)]
    pub(crate) data: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) metadata: Metadata<'a>,
}

/// The metadata of that version.
#[derive(Deserialize)]
pub(crate) struct Metadata<'a> {
    pub(crate) version: u64,
    #[serde(default, deserialize_with = "text")]
    created_time: Option<String>,
    #[serde(borrow, default)]
    pub(crate) deletion_time: Cow<'a, str>,
    #[serde(default)]
    pub(crate) destroyed: bool,
}

impl Metadata<'_> {
    /// Returns the revision. The number of the version is not enough: it starts again at 1 after the secret's metadata
    /// is deleted.
    pub(crate) fn revision(&self) -> String {
        match self.created_time.as_deref().and_then(to_seconds) {
            Some(created) => format!("{} of {created}Z", self.version),
            None => self.version.to_string(),
        }
    }
}

/// Cuts a time such as `2026-11-30T07:00:01.123Z` to seconds. Returns `None` for another text.
fn to_seconds(text: &str) -> Option<&str> {
    const FORM: &str = "0000-00-00T00:00:00";
    let (moment, rest) = text.strip_suffix('Z')?.split_at_checked(FORM.len())?;
    let is_same =
        |(found, form): (char, char)| if form == '0' { found.is_ascii_digit() } else { found == form };
    let is_fraction = |rest: &str| rest.chars().all(|digit| digit.is_ascii_digit());
    let has_form = moment.chars().zip(FORM.chars()).all(is_same);
    (has_form && (rest.is_empty() || rest.strip_prefix('.').is_some_and(is_fraction))).then_some(moment)
}

/// The expiry of a secret that an engine has made. Each engine has its own keys and types, so values of unknown types
/// are left out.
#[derive(Deserialize, Default)]
pub(crate) struct Ends {
    /// The expiry of a certificate, in seconds since 1970.
    #[serde(default, deserialize_with = "number")]
    pub(crate) expiration: Option<u64>,
    #[serde(default, deserialize_with = "text")]
    pub(crate) serial_number: Option<String>,
    /// The time until the next rotation of a static role, in seconds.
    #[serde(default, deserialize_with = "number")]
    pub(crate) ttl: Option<u64>,
    #[serde(default, deserialize_with = "text")]
    pub(crate) last_vault_rotation: Option<String>,
}

/// Parses a text. Returns `None` for other values.
fn text<'a, D: Deserializer<'a>>(value: D) -> Result<Option<String>, D::Error> {
    let value = <&RawValue>::deserialize(value)?;
    Ok(serde_json::from_str(value.get()).ok())
}

/// Parses a number, or a text that is one.
fn number<'a, D: Deserializer<'a>>(value: D) -> Result<Option<u64>, D::Error> {
    let value = <&RawValue>::deserialize(value)?;
    let inner = value.get().trim_matches('"');
    Ok(inner.parse().ok())
}

/// The error messages of the server. They are only compared and never shown, because they may quote confidential data.
#[derive(Deserialize, Default)]
pub(crate) struct Errors<'a> {
    #[serde(borrow, default)]
    errors: Vec<Cow<'a, str>>,
    #[serde(default)]
    warnings: Option<Vec<IgnoredAny>>,
}

impl Errors<'_> {
    fn warns(&self) -> bool {
        self.warnings.as_ref().is_some_and(|warnings| !warnings.is_empty())
    }
}

impl Reply {
    pub(crate) fn frame(&self) -> Result<Frame<'_>, SourceError> {
        serde_json::from_slice(self.body.expose_secret()).map_err(|_| strange())
    }

    /// Says whether one of the server's messages contains this text.
    pub(crate) fn says(&self, part: &str) -> bool {
        let errors: Errors<'_> = serde_json::from_slice(self.body.expose_secret()).unwrap_or_default();
        errors.errors.iter().any(|error| error.contains(part))
    }

    /// Says whether the server gives neither a reason nor a warning.
    pub(crate) fn is_silent(&self) -> bool {
        let errors = serde_json::from_slice::<Errors<'_>>(self.body.expose_secret());
        errors.is_ok_and(|errors| errors.errors.is_empty() && !errors.warns())
    }

    /// Says whether the server gives a warning, as for a request that makes no sense at its path.
    pub(crate) fn warns(&self) -> bool {
        let errors = serde_json::from_slice::<Errors<'_>>(self.body.expose_secret());
        errors.is_ok_and(|errors| errors.warns())
    }
}

/// Parses a part of an answer.
pub(crate) fn parse<'a, T: Deserialize<'a>>(part: &'a RawValue) -> Result<T, SourceError> {
    serde_json::from_str(part.get()).map_err(|_| strange())
}

/// The error for an answer that does not follow the API.
pub(crate) fn strange() -> SourceError {
    SourceError::new(SourceErrorKind::InvalidData)
        .with_cause("the server has answered something that is not of its API")
        .with_hint("is `address` that of Vault or OpenBao, and not of a proxy or of its user interface?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_has_the_moment_of_its_version_if_there_is_one() {
        let of = |created: &str| {
            let text = format!(r#"{{"version":3,"created_time":"{created}"}}"#);
            serde_json::from_str::<Metadata<'_>>(&text).unwrap().revision()
        };
        for created in ["2026-11-30T07:00:01.123456789Z", "2026-11-30T07:00:01Z"] {
            assert_eq!(of(created), "3 of 2026-11-30T07:00:01Z");
        }
        for odd in [
            "",
            "Z",
            "2026-11-30T07:00:01",
            "2026-11-30T07:00:01+01:00",
            "2026-11-30 07:00:01Z",
            "2026-11-30T07:00:0äZ",
            "2026-11-30T07:00:01.xZ",
            "2026-11-30T07:00:01 of the canary Z",
        ] {
            assert_eq!(of(odd), "3", "{odd}");
        }
        assert_eq!(serde_json::from_str::<Metadata<'_>>(r#"{"version":3}"#).unwrap().revision(), "3");
    }
}
