//! What the server answers, taken apart where it lies: values stay the bytes that were sent, and are copied once.

use std::borrow::Cow;

use secretdir_provider::{SecretBuffer, SourceError, SourceErrorKind};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};
use serde_json::value::RawValue;

/// An answer of any status.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: SecretBuffer,
    /// How long to wait, if the server has said so.
    pub(crate) retry_after: Option<std::time::Duration>,
}

/// The frame of all answers.
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

/// A token that was made.
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

/// What is known of that version.
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
    /// Names the version. Its number alone is no name: it begins again at 1 when somebody deletes all that is known of a secret.
    pub(crate) fn revision(&self) -> String {
        match self.created_time.as_deref().and_then(to_seconds) {
            Some(created) => format!("{} of {created}Z", self.version),
            None => self.version.to_string(),
        }
    }
}

/// Cuts a moment to seconds, such as `2026-11-30T07:00:01.123Z`, if a text is one.
fn to_seconds(text: &str) -> Option<&str> {
    const FORM: &str = "0000-00-00T00:00:00";
    let (moment, rest) = text.strip_suffix('Z')?.split_at_checked(FORM.len())?;
    let is_same =
        |(found, form): (char, char)| if form == '0' { found.is_ascii_digit() } else { found == form };
    let is_fraction = |rest: &str| rest.chars().all(|digit| digit.is_ascii_digit());
    let has_form = moment.chars().zip(FORM.chars()).all(is_same);
    (has_form && (rest.is_empty() || rest.strip_prefix('.').is_some_and(is_fraction))).then_some(moment)
}

/// What an engine says of the end of what it has made. Each engine has its own keys and types, so what is of no known one is left out.
#[derive(Deserialize, Default)]
pub(crate) struct Ends {
    /// Of a certificate: in seconds since 1970.
    #[serde(default, deserialize_with = "number")]
    pub(crate) expiration: Option<u64>,
    #[serde(default, deserialize_with = "text")]
    pub(crate) serial_number: Option<String>,
    /// Of a static role: seconds until the next rotation.
    #[serde(default, deserialize_with = "number")]
    pub(crate) ttl: Option<u64>,
    #[serde(default, deserialize_with = "text")]
    pub(crate) last_vault_rotation: Option<String>,
}

/// Reads a text, if it is one.
fn text<'a, D: Deserializer<'a>>(value: D) -> Result<Option<String>, D::Error> {
    let value = <&RawValue>::deserialize(value)?;
    Ok(serde_json::from_str(value.get()).ok())
}

/// Reads a number, or a text that is one.
fn number<'a, D: Deserializer<'a>>(value: D) -> Result<Option<u64>, D::Error> {
    let value = <&RawValue>::deserialize(value)?;
    let inner = value.get().trim_matches('"');
    Ok(inner.parse().ok())
}

/// What went wrong, in the words of the server. Only compared: they may quote what nobody should see.
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

    /// Says whether the server gives one of these reasons.
    pub(crate) fn says(&self, part: &str) -> bool {
        let errors: Errors<'_> = serde_json::from_slice(self.body.expose_secret()).unwrap_or_default();
        errors.errors.iter().any(|error| error.contains(part))
    }

    /// Says whether the server gives no reason at all, and warns of nothing.
    pub(crate) fn is_silent(&self) -> bool {
        let errors = serde_json::from_slice::<Errors<'_>>(self.body.expose_secret());
        errors.is_ok_and(|errors| errors.errors.is_empty() && !errors.warns())
    }

    /// Says whether the server warns that the request makes no sense there.
    pub(crate) fn warns(&self) -> bool {
        let errors = serde_json::from_slice::<Errors<'_>>(self.body.expose_secret());
        errors.is_ok_and(|errors| errors.warns())
    }
}

/// Takes a part of an answer apart.
pub(crate) fn parse<'a, T: Deserialize<'a>>(part: &'a RawValue) -> Result<T, SourceError> {
    serde_json::from_str(part.get()).map_err(|_| strange())
}

/// The error of an answer that is not what the API says.
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
