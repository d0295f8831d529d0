//! Parsers of the values that are more than a plain string. An error says what is expected, not what was found.

use std::fmt;
use std::time::Duration;

use atomicdir::{Durability, Mode, Parents};
use secretdir_provider::Value;
use serde::de::{Deserializer, Error, Unexpected, Visitor};

use super::owner::Principal;
use crate::pem::Part;
use crate::transform::Trim;
use secretdir_helpers::coding::Coding;

/// How a secret becomes many files or values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expand {
    /// It is parsed as JSON. An import makes one file for each top-level key.
    Json,
}

impl Expand {
    /// Parses the spelling of the configuration.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        (text == "json").then_some(Self::Json)
    }
}

/// The time over which the turns of several hosts are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Splay {
    /// Over the whole interval.
    Interval,
    /// Over this part of the interval.
    Within(Duration),
}

/// The interval at which a source causes a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refresh {
    Every(Duration),
    /// It is polled only when another source causes a turn.
    Never,
}

impl Refresh {
    /// Parses the spelling of the configuration.
    pub(crate) fn parse(value: &Value) -> Result<Self, String> {
        let expected = format!("expected \"never\" or {INTERVAL}");
        match value {
            Value::String(text) if text == "never" => Ok(Self::Never),
            Value::String(text) => parse_interval(text).map(Self::Every).ok_or(expected),
            other => Err(format!("{expected}, found {}", other.type_name())),
        }
    }
}

const INTERVAL: &str = r#"a duration of at least one second and at most 1000 years, such as "5m""#;

/// The shortest interval.
const SHORTEST: Duration = Duration::from_secs(1);

/// The longest duration. It is longer than anyone waits, and short enough that adding it to a clock does not overflow.
const LONGEST: Duration = Duration::from_secs(1000 * 365 * 24 * 60 * 60);

/// Parses a mode, such as `"0440"`.
pub(super) fn mode<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Mode>, D::Error> {
    let expected = r#"permission bits in quotes, from "0000" to "0777""#;
    value.deserialize_any(Word { expected, parse: |text| text.parse().ok(), number: None })
}

/// Parses the name or number of a user or group.
pub(super) fn principal<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Principal>, D::Error> {
    let expected = "a name or a number from 0 to 4294967294";
    value.deserialize_any(Word { expected, parse: Principal::parse, number: Some(Principal::from_number) })
}

/// Parses a duration, such as `"60s"`.
pub(super) fn duration<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Duration>, D::Error> {
    let expected = r#"a duration of at most 1000 years, such as "60s" or "1m 30s""#;
    value.deserialize_any(Word { expected, parse: parse_duration, number: None })
}

/// Parses a duration that is not zero.
pub(super) fn some_duration<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Duration>, D::Error> {
    let expected = r#"a duration over zero and of at most 1000 years, such as "60s" or "1m 30s""#;
    let parse = |text: &str| parse_duration(text).filter(|duration| !duration.is_zero());
    value.deserialize_any(Word { expected, parse, number: None })
}

/// Parses an interval.
pub(super) fn interval<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Duration>, D::Error> {
    value.deserialize_any(Word { expected: INTERVAL, parse: parse_interval, number: None })
}

/// Parses the time over which turns are spread.
pub(super) fn splay<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Splay>, D::Error> {
    let parse = |text: &str| match text {
        "interval" => Some(Splay::Interval),
        text => parse_duration(text).map(Splay::Within),
    };
    value.deserialize_any(Word { expected: r#""interval" or a duration such as "30s""#, parse, number: None })
}

/// Parses a durability.
pub(super) fn durability<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Durability>, D::Error> {
    let parse = |text: &str| match text {
        "filesystem" => Some(Durability::Filesystem),
        "per-file" => Some(Durability::PerFile),
        "none" => Some(Durability::None),
        _ => None,
    };
    let expected = r#""filesystem", "per-file" or "none""#;
    value.deserialize_any(Word { expected, parse, number: None })
}

/// Parses whether the directories above the link are verified.
pub(super) fn parents<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Parents>, D::Error> {
    let parse = |text: &str| match text {
        "strict" => Some(Parents::Strict),
        "trusted" => Some(Parents::Trusted),
        _ => None,
    };
    value.deserialize_any(Word { expected: r#""strict" or "trusted""#, parse, number: None })
}

/// Parses a coding.
pub(super) fn coding<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Coding>, D::Error> {
    let expected = r#""base64", "base64url" or "hex""#;
    value.deserialize_any(Word { expected, parse: Coding::parse, number: None })
}

/// Parses the part to take from PEM.
pub(super) fn pem<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Part>, D::Error> {
    let expected = r#""key", "leaf", "chain" or "certificates""#;
    value.deserialize_any(Word { expected, parse: Part::parse, number: None })
}

/// Parses the text to trim.
pub(super) fn trim<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Trim>, D::Error> {
    value.deserialize_any(Word { expected: r#""newline""#, parse: Trim::parse, number: None })
}

/// Parses how a secret is expanded.
pub(super) fn expand<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Expand>, D::Error> {
    value.deserialize_any(Word { expected: r#""json""#, parse: Expand::parse, number: None })
}

fn parse_interval(text: &str) -> Option<Duration> {
    parse_duration(text).filter(|duration| *duration >= SHORTEST)
}

fn parse_duration(text: &str) -> Option<Duration> {
    humantime::parse_duration(text).ok().filter(|duration| *duration <= LONGEST)
}

/// A visitor that parses a string, or perhaps a whole number.
struct Word<T> {
    expected: &'static str,
    parse: fn(&str) -> Option<T>,
    number: Option<fn(i64) -> Option<T>>,
}

impl<T> Visitor<'_> for Word<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<T>, E> {
        (self.parse)(text).map(Some).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Option<T>, E> {
        match self.number {
            Some(read) => {
                read(number).map(Some).ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
            }
            None => Err(E::invalid_type(Unexpected::Signed(number), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::de::IntoDeserializer;
    use serde::de::value::{Error, StrDeserializer};

    use super::*;

    fn text(text: &str) -> StrDeserializer<'_, Error> {
        text.into_deserializer()
    }

    #[test]
    fn durations_are_humane_and_bounded() {
        for (given, seconds) in
            [("60s", 60), ("1m 30s", 90), ("0s", 0), ("2h", 7200), ("1000 days", 86_400_000)]
        {
            assert_eq!(duration(text(given)).unwrap(), Some(Duration::from_secs(seconds)), "{given}");
        }
        for given in ["", "60", "s", "-1s", "1001 years", "99999999999999999999s", "1e3s", "1 fortnight"] {
            assert!(duration(text(given)).is_err(), "{given}");
        }
        assert!(some_duration(text("0ms")).is_err());
        assert_eq!(some_duration(text("1ms")).unwrap(), Some(Duration::from_millis(1)));
    }

    #[test]
    fn words_are_told_from_others() {
        assert_eq!(mode(text("440")).unwrap(), Mode::new(0o440));
        assert_eq!(durability(text("per-file")).unwrap(), Some(Durability::PerFile));
        assert!(durability(text("fsync")).is_err());
        let wrong = mode(text("hunter2")).unwrap_err().to_string();
        assert!(wrong.contains(r#"from "0000" to "0777""#), "{wrong}");
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_text_is_no_trouble(given in ".{0,12}") {
            let _ = (duration(text(&given)), mode(text(&given)), principal(text(&given)), durability(text(&given)));
        }
    }
}
