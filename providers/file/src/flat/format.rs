//! The formats of a file that contains all secrets.

use std::path::Path;

use serde::Deserialize;

use super::fault::{Mistake, Position, TextFault};
use super::{Contents, dotenv, json, toml};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum Format {
    Toml,
    Json,
    Dotenv,
}

impl Format {
    /// The names of the formats in the settings.
    pub(crate) const WORDS: [&str; 3] = ["toml", "json", "dotenv"];

    /// Returns the format that the name of a file shows. Returns `None` if it shows none, or two.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let is_dotenv = name.ends_with(".env") || name.starts_with(".env.");
        match (name.ends_with(".toml"), name.ends_with(".json"), is_dotenv) {
            (true, false, false) => Some(Self::Toml),
            (false, true, false) => Some(Self::Json),
            (false, false, true) => Some(Self::Dotenv),
            _ => None,
        }
    }

    /// Parses a whole file. A byte order mark at its beginning is ignored, except in dotenv. Some readers of dotenv
    /// take it as a part of the first name.
    pub(super) fn parse(self, bytes: &[u8]) -> Result<Contents, TextFault> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            TextFault::new(Mistake::NotUtf8, Position::in_bytes(bytes, error.valid_up_to()))
        })?;
        let unmarked = text.strip_prefix('\u{feff}').unwrap_or(text);
        match self {
            Self::Toml => toml::parse(unmarked),
            Self::Json => json::parse(unmarked),
            Self::Dotenv if unmarked != text => {
                Err(TextFault::new(Mistake::ByteOrderMark, Position { line: 1, column: 1 }))
            }
            Self::Dotenv => dotenv::parse(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_one_format_or_none() {
        for (name, format) in [
            ("a.toml", Some(Format::Toml)),
            ("a.json", Some(Format::Json)),
            ("a.env", Some(Format::Dotenv)),
            (".env", Some(Format::Dotenv)),
            (".env.local", Some(Format::Dotenv)),
            (".env.json", None),
            (".envrc", None),
            ("env", None),
            ("a.env.bak", None),
            ("a.JSON", None),
            ("a.toml/b", None),
            ("a.yaml", None),
            ("..", None),
        ] {
            assert_eq!(Format::of(Path::new(name)), format, "{name}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text_and_other_bytes_have_a_position() {
        for (format, text) in [(Format::Toml, "\u{feff}a = 1"), (Format::Json, "\u{feff}{\"a\": 1}")] {
            let contents = format.parse(text.as_bytes()).unwrap();
            assert_eq!(contents["a"].as_ref().unwrap().expose_secret(), b"1");
            let fault = format.parse(b"# a\nb\xff").unwrap_err();
            assert_eq!(fault, TextFault::new(Mistake::NotUtf8, Position { line: 2, column: 2 }));
        }
        let fault = Format::Dotenv.parse("\u{feff}a=1".as_bytes()).unwrap_err();
        assert_eq!(fault, TextFault::new(Mistake::ByteOrderMark, Position { line: 1, column: 1 }));
    }
}
