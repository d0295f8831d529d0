//! A model of how Docker Compose 2 reads a file of variables (the package `dotenv` of compose-go 2): what it does, in our words.
//!
//! - A statement begins behind white space, new lines included, and behind comments. A comment begins with `#` there.
//! - `export` and white space before a key are left out. A key goes up to `=`, or to `:` as in YAML.
//! - A value outside quotes goes to the end of the line, or to a blank and `#`. White space around it is left out.
//! - In quotes a backslash keeps the quote from ending the value. In double quotes escapes are read, and then variables.

use std::collections::BTreeMap;

/// Reads a file; none if Compose refuses it, or puts variables into it.
pub(super) fn read(text: &str) -> Option<BTreeMap<String, String>> {
    let mut read = BTreeMap::new();
    let mut rest = text;
    while let Some(statement) = statement(rest) {
        let (key, value) = key(statement)?;
        let (value, after) = value_of(value.trim_start_matches(is_space))?;
        read.insert(key.to_owned(), value);
        rest = after;
    }
    Some(read)
}

/// White space other than the end of a line.
fn is_space(character: char) -> bool {
    matches!(character, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}')
}

fn statement(text: &str) -> Option<&str> {
    let text = text.trim_start();
    if text.is_empty() {
        return None;
    }
    match text.strip_prefix('#') {
        Some(comment) => statement(&comment[comment.find('\n')?..]),
        None => Some(text),
    }
}

fn key(text: &str) -> Option<(&str, &str)> {
    let exported = text.strip_prefix("export").filter(|rest| rest.starts_with(char::is_whitespace));
    let text = exported.map_or(text, |rest| rest.trim_start_matches(is_space));
    let end = text.find(|c: char| !(is_space(c) || c.is_alphanumeric() || "_.-[]".contains(c)))?;
    let (key, rest) = text.split_at(end);
    let value = rest.strip_prefix(['=', ':'])?;
    let key = key.trim_end();
    (!key.contains(' ')).then_some((key, value))
}

fn value_of(text: &str) -> Option<(String, &str)> {
    if let Some(quote @ ('\'' | '"')) = text.chars().next() {
        let (inside, rest) = quoted(&text[1..], quote)?;
        let value = if quote == '"' { interpolated(&unescaped(&inside))? } else { inside };
        return Some((value, rest));
    }
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    let value = line.split_once(" #").map_or(line, |(value, _)| value);
    Some((interpolated(value.trim_end())?, rest))
}

fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut inside = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => {
                let (_, next) = characters.next()?;
                inside.extend((next != quote).then_some('\\'));
                inside.push(next);
            }
            _ if character == quote => return Some((inside, &text[at + quote.len_utf8()..])),
            _ => inside.push(character),
        }
    }
    None
}

/// Reads the escapes that it knows; `\$` becomes `$$`, which stands for the character. Of octal numbers there are none in the tests.
fn unescaped(text: &str) -> String {
    let mut read = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let letter = characters.peek().copied().filter(|_| character == '\\');
        let escaped = match letter {
            Some('n') => "\n",
            Some('r') => "\r",
            Some('t') => "\t",
            Some('"') => "\"",
            Some('\\') => "\\",
            Some('$') => "$$",
            _ => {
                read.push(character);
                continue;
            }
        };
        read.push_str(escaped);
        characters.next();
    }
    read
}

fn interpolated(text: &str) -> Option<String> {
    let mut parts = text.split("$$").map(|part| (!part.contains('$')).then_some(part));
    parts.by_ref().collect::<Option<Vec<_>>>().map(|parts| parts.join("$"))
}

#[test]
fn the_model_reads_what_the_documentation_of_compose_has() {
    for (text, value) in [
        ("VAR=VAL", "VAL"),
        ("VAR=\"VAL\"", "VAL"),
        ("VAR='VAL'", "VAL"),
        ("VAR: VAL", "VAL"),
        ("VAR = VAL  ", "VAL"),
        ("VAR=VAL # comment", "VAL"),
        ("VAR=VAL# not a comment", "VAL# not a comment"),
        ("VAR=\"VAL # not a comment\"", "VAL # not a comment"),
        ("VAR=\"VAL\" # comment", "VAL"),
        ("VAR='Let\\'s go!'", "Let's go!"),
        ("VAR=\"{\\\"hello\\\": \\\"json\\\"}\"", "{\"hello\": \"json\"}"),
        ("VAR='$OTHER'", "$OTHER"),
        ("VAR='${OTHER}'", "${OTHER}"),
        ("VAR=\"some\\tvalue\"", "some\tvalue"),
        ("VAR='some\\tvalue'", "some\\tvalue"),
        ("VAR=some\\tvalue", "some\\tvalue"),
        ("VAR=\"\\$A $$B\"", "$A $B"),
        ("VAR= # x", "# x"),
        ("VAR=x\t# y", "x\t# y"),
        ("VAR=\"a\\`b\"", "a\\`b"),
    ] {
        assert_eq!(read(text).unwrap()["VAR"], value, "{text:?}");
    }
    for text in ["VAR=$A", "VAR=\"${A}\"", "VAR='a", "A B=c", "VAR"] {
        assert_eq!(read(text), None, "{text:?}");
    }
}
