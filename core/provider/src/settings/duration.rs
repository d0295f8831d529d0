//! Durations in settings.

use std::fmt;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// The longest duration: a hundred years. Adding it to a date is still far from an overflow.
const LONGEST: Duration = Duration::from_secs(36_525 * 24 * 60 * 60);

/// A duration in the settings of a source: above zero, at most a hundred years, and written with units.
///
/// Use it as the type of a field. The units are those of the crate `humantime`, from `ns` to `years`.
///
/// ```
/// use std::time::Duration;
/// use secretdir_provider::{DurationSetting, Settings, Table};
///
/// #[derive(serde::Deserialize)]
/// struct MySettings {
///     timeout: DurationSetting,
/// }
///
/// let settings = |value: &str| Settings::new(Table::from([("timeout", value)]), "/etc/app");
/// let parsed: MySettings = settings("1m 30s").parse().unwrap();
/// assert_eq!(parsed.timeout.get(), Duration::from_secs(90));
/// assert!(settings("90").parse::<MySettings>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DurationSetting(Duration);

impl DurationSetting {
    /// A regular expression for a JSON Schema: a duration that is not zero.
    pub const PATTERN: &str = r"^(?=.*[1-9])(\s*[0-9]+\s*[a-zA-Z]+)+\s*$";

    /// Returns the duration.
    pub fn get(self) -> Duration {
        self.0
    }
}

impl<'de> Deserialize<'de> for DurationSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl Visitor<'_> for Reader {
    type Value = DurationSetting;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(r#"a duration above zero and of at most 100 years, such as "500ms" or "1m 30s""#)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<DurationSetting, E> {
        let parsed = humantime::parse_duration(text).ok();
        let parsed = parsed.filter(|duration| !duration.is_zero() && *duration <= LONGEST);
        parsed.map(DurationSetting).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use crate::{DurationSetting, Settings, Table, Value};

    #[derive(Debug, serde::Deserialize)]
    struct Parsed {
        timeout: DurationSetting,
    }

    fn parse(value: Value) -> Result<u64, String> {
        let parsed = Settings::new(Table::from([("timeout", value)]), "/").parse::<Parsed>();
        parsed.map(|parsed| parsed.timeout.get().as_secs()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_duration_has_units_and_is_not_zero() {
        for (text, seconds) in [("90s", 90), ("1m 30s", 90), ("2h", 7_200), ("100 years", 3_155_760_000)] {
            assert_eq!(parse(text.into()), Ok(seconds), "{text}");
        }
        let expected = r#"timeout: expected a duration above zero and of at most 100 years, such as "500ms" or "1m 30s""#;
        for text in ["", "0s", "90", "soon", "-1s", "101 years", "1 fortnight", "99999999999999999999s"] {
            assert_eq!(parse(text.into()), Err(expected.to_owned()), "{text}");
        }
        assert_eq!(parse(Value::Integer(90)), Err(format!("{expected}, found a whole number")));
        assert_eq!(parse(Value::Boolean(true)), Err(format!("{expected}, found a boolean")));
    }
}
