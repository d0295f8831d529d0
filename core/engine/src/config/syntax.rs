//! Messages for a text that is not TOML: the parser's own, or a better one for a habit from another language.

use std::collections::BTreeSet;
use std::path::Path;

use secretdir_provider::KeyPath;
use toml::de::Error;

use super::positions::LineStarts;
use crate::problem::Problem;
use secretdir_helpers::Position;

/// Reports the first mistake of each line. Later mistakes on the same line mostly follow from it.
pub(super) fn problems(text: &str, file: &Path, starts: &LineStarts<'_>, errors: &[Error]) -> Vec<Problem> {
    let problem = |position: Option<Position>, message: String| {
        Problem::new(file, position, KeyPath::default(), message)
    };
    if let Some((offset, language)) = other_language(text).filter(|_| !errors.is_empty()) {
        let message = format!(
            "this looks like {language}, but a configuration is TOML: tables such as [directory] with keys such as \
             path = \"/run/secretdir/app\""
        );
        return vec![problem(Some(starts.position(offset)), message)];
    }
    let mut told = BTreeSet::new();
    let located = errors.iter().map(|error| (error.span().map(|span| starts.position(span.start)), error));
    let firsts = located.filter(|(position, _)| told.insert(position.map(|position| position.line)));
    firsts.map(|(position, error)| problem(position, explain(text, error))).collect()
}

fn explain(text: &str, error: &Error) -> String {
    let span = error.span().unwrap_or_default();
    match error.message() {
        "duplicate key" => format!("duplicate key `{}`", text.get(span).unwrap_or_default()),
        "recursion limit" => "tables, arrays or dotted keys are nested too deeply".to_owned(),
        message if message.starts_with("unexpected leading zero") => {
            r#"a number has no leading zero; a mode goes in quotes, such as "0440""#.to_owned()
        }
        message
            if message.starts_with("invalid unquoted key") || message.starts_with("key with no value") =>
        {
            match unquoted(text, span.start) {
                Some(name) => format!(
                    "a name with anything but letters (a to z, A to Z), digits, `-` and `_` goes in quotes: \"{name}\""
                ),
                None => message.to_owned(),
            }
        }
        message => value(text, span.start).map_or_else(|| message.to_owned(), str::to_owned),
    }
}

/// Explains the mistake in the value at an offset, if its quotes are missing or contain a backslash. The message repeats no
/// part of the value, because a file that was given by mistake may contain secrets.
fn value(text: &str, offset: usize) -> Option<&'static str> {
    let (before, after) = text.split_at_checked(offset)?;
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let end = after.find('\n').map_or(text.len(), |end| offset + end);
    let (_, value) = text.get(start..end)?.split_once('=')?;
    match value.trim_start().chars().next()? {
        '"' if value.contains('\\') => {
            Some(r#"in "…" a backslash begins an escape: write `\\`, or put the text into '…'"#)
        }
        '"' | '\'' | '[' | '{' | '#' => None,
        _ => Some(r#"a text goes in quotes: key = "text""#),
    }
}

/// Returns the name without quotes at an offset. It is everything before the `=`, or the part of a table header after the
/// name of the section.
fn unquoted(text: &str, offset: usize) -> Option<&str> {
    let (before, after) = text.split_at_checked(offset)?;
    let start = before.rfind(['\n', '{', ',']).map_or(0, |end| end + 1);
    let end = after.find(['\n', '=', ']']).map_or(text.len(), |end| offset + end);
    let ending = text.get(end..)?.chars().next();
    let name = match text.get(start..end)?.trim().strip_prefix('[') {
        Some(table) if ending == Some(']') => table.split_once('.').map_or(table, |(_, name)| name),
        None if ending == Some('=') => text.get(start..end)?,
        _ => return None,
    };
    let is_odd = |c: char| c.is_control() || matches!(c, '"' | '\'' | '#' | '[' | ']' | '{' | '}' | ':');
    Some(name.trim()).filter(|name| !name.is_empty() && !name.contains(is_odd))
}

/// Returns the language that a text seems to be in, if it is not TOML, and the offset that shows it. The first line that is
/// neither empty nor a comment decides.
fn other_language(text: &str) -> Option<(usize, &'static str)> {
    let is_telling = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let line = text.trim_start_matches('\u{feff}').lines().find(is_telling)?;
    let offset = line.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    let line = line.trim();
    let is_array =
        line == "[" || line.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with('{'));
    if line.starts_with('{') || is_array {
        return Some((offset, "JSON"));
    }
    let is_mark = ["---", "%YAML", "- "].iter().any(|mark| line.starts_with(mark));
    (is_mark || has_yaml_key(line)).then_some((offset, "YAML"))
}

/// Returns whether a line begins like a YAML mapping: a word, a colon, and then a space or the end of the line.
fn has_yaml_key(line: &str) -> bool {
    let Some((key, rest)) = line.split_once(':') else { return false };
    let key = key.trim_matches(['"', '\'']);
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    !key.is_empty() && key.chars().all(is_word) && (rest.is_empty() || rest.starts_with(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_told_that_lacks_its_quotes() {
        for (text, at, name) in [
            ("a = 1\ndb/password = {}\n", "/", Some("db/password")),
            ("tls key = {}", "tls", Some("tls key")),
            ("[files.db/password]\n", "/", Some("db/password")),
            ("x = { a/b = 1 }", "/", Some("a/b")),
            ("gr\u{fc}n = 1", "\u{fc}", Some("gr\u{fc}n")),
            ("just words\n", "just", None),
            ("\"a\"b = 1", "b", None),
        ] {
            assert_eq!(unquoted(text, text.find(at).unwrap()), name, "{text}");
        }
    }

    #[test]
    fn a_value_is_told_that_lacks_its_quotes_or_has_a_backslash_in_them() {
        for (text, words) in [
            ("path = ./o", "a text goes in quotes: "),
            ("x = 1\npath = ~/o\n", "a text goes in quotes: "),
            ("timeout = 10s", "a text goes in quotes: "),
            ("mode = rw", "a text goes in quotes: "),
            ("A=it's", "a text goes in quotes: "),
            (r#"path = "C:\x""#, "in \"…\" a backslash begins an escape: "),
            (r#"path = "\d""#, "in \"…\" a backslash begins an escape: "),
        ] {
            let (_, errors) = toml::de::DeTable::parse_recoverable(text);
            let told = explain(text, errors.first().unwrap());
            assert!(told.starts_with(words), "{text}: {told}");
        }
        for text in ["path = [1 2]", "path = \"open", "path = {"] {
            let (_, errors) = toml::de::DeTable::parse_recoverable(text);
            let told = explain(text, errors.first().unwrap());
            assert!(!told.contains("quotes:") && !told.contains("backslash"), "{text}: {told}");
        }
    }

    #[test]
    fn other_languages_are_known_by_how_they_begin() {
        for (text, language) in [
            ("{\"directory\": 1}", Some("JSON")),
            ("\n [ {\"a\": 1} ]", Some("JSON")),
            ("[\n1]", Some("JSON")),
            ("# x\n---\n", Some("YAML")),
            ("directory:\n  path: x", Some("YAML")),
            ("\"directory\": x", Some("YAML")),
            ("- a\n", Some("YAML")),
            ("[directory]\n", None),
            ("[[import]]\n", None),
            ("path = \"a: b\"", None),
            ("directory.path = 1", None),
            ("# a: b\n", None),
        ] {
            assert_eq!(other_language(text).map(|(_, language)| language), language, "{text}");
        }
    }
}
