//! The filters a template may use: chosen ones of minijinja, and ours that quote.
//!
//! Those of minijinja take anything for a text, a list as Python writes it and none as `None`. Here only texts and numbers are
//! taken for texts.

use minijinja::value::{StringInput, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value, filters};
use zeroize::Zeroizing;

use super::error::Refusal;
use super::quote;
use super::value::{Octets, Text, describe, is_bytes};
use crate::coding::Coding;

/// The names of all.
pub(super) const NAMES: [&str; 19] = [
    "base64",
    "base64url",
    "default",
    "docker",
    "dotenv",
    "first",
    "hex",
    "join",
    "json",
    "last",
    "length",
    "lower",
    "replace",
    "shell",
    "split",
    "toml",
    "trim",
    "upper",
    "url",
];

/// How deep lists and maps may be nested that are written as JSON.
const DEEPEST_JSON: usize = 100;

/// The most bytes that `join` and `json` write. The engine counts what they have written only afterwards, and a list of lists
/// of the same list takes little memory until then.
const LARGEST_TEXT: usize = 4 << 20;

/// The most pieces that `split` makes and `join` takes, as many as a range has numbers.
const MOST_PIECES: usize = 100_000;

/// Adds all of them.
pub(super) fn add_to(environment: &mut Environment<'_>) {
    environment.add_filter("default", filters::default);
    environment.add_filter("first", |value: &Value| of_list(value, filters::first(value)));
    environment.add_filter("join", join);
    environment.add_filter("last", |value: Value| of_list(&value, filters::last(value.clone())));
    environment.add_filter("length", length);
    environment.add_filter("lower", |text: Text<'_>| text.as_str().to_lowercase());
    environment.add_filter("replace", replace);
    environment.add_filter("split", split);
    environment.add_filter("trim", |text: Text<'_>| text.as_str().trim().to_owned());
    environment.add_filter("upper", |text: Text<'_>| text.as_str().to_uppercase());

    environment.add_filter("docker", |text: Text<'_>| quoted(quote::docker(text.as_str())));
    environment.add_filter("dotenv", |text: Text<'_>| quoted(quote::dotenv(text.as_str())));
    environment.add_filter("json", json);
    environment.add_filter("shell", |text: Text<'_>| quoted(quote::shell(text.as_str())));
    environment.add_filter("toml", |text: Text<'_>| quoted(Ok(quote::toml(text.as_str()))));
    environment.add_filter("url", |octets: Octets<'_>| quoted(Ok(quote::url(octets.as_bytes()))));

    environment.add_filter("base64", |octets: Octets<'_>| coded(Coding::Base64, &octets));
    environment.add_filter("base64url", |octets: Octets<'_>| coded(Coding::Base64Url, &octets));
    environment.add_filter("hex", |octets: Octets<'_>| coded(Coding::Hex, &octets));
}

fn quoted(text: Result<Zeroizing<String>, quote::QuoteError>) -> Result<Value, Error> {
    Ok(Value::from(text.map_err(Refusal::Quote)?.as_str()))
}

fn coded(coding: Coding, octets: &Octets<'_>) -> Value {
    let text = coding.encode(octets.as_bytes());
    // Always borrowed: a coding writes ASCII.
    Value::from(&*String::from_utf8_lossy(&text))
}

fn length(value: &Value) -> Result<usize, Error> {
    if value.is_undefined() {
        return Err(ErrorKind::UndefinedError.into());
    }
    value.len().ok_or_else(|| no_list(value))
}

/// Says in our words that something was not done because a value is no list.
fn of_list<T>(value: &Value, done: Result<T, Error>) -> Result<T, Error> {
    done.map_err(|error| match error.kind() {
        ErrorKind::InvalidOperation => no_list(value),
        _ => error,
    })
}

fn no_list(value: &Value) -> Error {
    if is_bytes(value) { Refusal::NotUtf8.into() } else { Refusal::NoList(describe(value)).into() }
}

fn join(list: &Value, joiner: Option<Text<'_>>) -> Result<Value, Error> {
    if list.is_undefined() {
        return Err(ErrorKind::UndefinedError.into());
    }
    let joiner = joiner.as_ref().map_or("", Text::as_str);
    let mut joined = Zeroizing::new(String::new());
    for (index, item) in of_list(list, list.try_iter())?.enumerate() {
        if index >= MOST_PIECES {
            return Err(Refusal::TooLarge.into());
        }
        for part in [if index == 0 { "" } else { joiner }, Text::of(&item)?.as_str()] {
            append(&mut joined, part)?;
        }
    }
    Ok(Value::from(joined.as_str()))
}

/// Appends to a text that may not become too large. What it outgrows is wiped.
fn append(text: &mut Zeroizing<String>, more: &str) -> Result<(), Error> {
    let needed = text.len() + more.len();
    if needed > LARGEST_TEXT {
        return Err(Refusal::TooLarge.into());
    }
    if needed > text.capacity() {
        let mut larger = Zeroizing::new(String::with_capacity(needed.max(2 * text.capacity())));
        larger.push_str(text);
        *text = larger;
    }
    text.push_str(more);
    Ok(())
}

fn replace(state: &mut State<'_, '_>, text: Text<'_>, from: Text<'_>, to: Text<'_>) -> Result<Value, Error> {
    let [text, from, to] = [text, from, to].map(|text| Value::from(text.as_str()));
    let [text, from, to] = [&text, &from, &to].map(|text| StringInput::new(state, text));
    filters::replace(state, text?, from?, to?)
}

fn split(text: Text<'_>, separator: Option<Text<'_>>) -> Result<Value, Error> {
    let pieces: Vec<_> = match &separator {
        None => text.as_str().split_whitespace().take(MOST_PIECES + 1).map(Value::from).collect(),
        Some(separator) => {
            text.as_str().split(separator.as_str()).take(MOST_PIECES + 1).map(Value::from).collect()
        }
    };
    if pieces.len() > MOST_PIECES { Err(Refusal::TooLarge.into()) } else { Ok(Value::from(pieces)) }
}

fn json(value: &Value) -> Result<Value, Error> {
    let mut text = Zeroizing::new(String::new());
    write_json(value, DEEPEST_JSON, &mut text)?;
    Ok(Value::from(text.as_str()))
}

/// Writes a value that may be nested so many times more.
fn write_json(value: &Value, depth: usize, text: &mut Zeroizing<String>) -> Result<(), Error> {
    if let Some(value) = value.as_str() {
        return append(text, &quote::json(value));
    }
    match value.kind() {
        ValueKind::Undefined => Err(ErrorKind::UndefinedError.into()),
        ValueKind::None => append(text, "null"),
        ValueKind::Bool => append(text, if value.is_true() { "true" } else { "false" }),
        ValueKind::Number => match f64::try_from(value.clone()) {
            Ok(number) if !number.is_finite() => Err(Refusal::NotJson.into()),
            _ => append(text, &value.to_string()),
        },
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => {
            let depth = depth.checked_sub(1).ok_or(Refusal::TooDeep)?;
            write_json_parts(value, depth, text)
        }
        _ if is_bytes(value) => Err(Refusal::NotUtf8.into()),
        _ => Err(Refusal::NotJson.into()),
    }
}

fn write_json_parts(value: &Value, depth: usize, text: &mut Zeroizing<String>) -> Result<(), Error> {
    let is_map = value.kind() == ValueKind::Map;
    append(text, if is_map { "{" } else { "[" })?;
    for (index, item) in value.try_iter()?.enumerate() {
        append(text, if index == 0 { "" } else { "," })?;
        if is_map {
            append(text, &quote::json(item.as_str().ok_or(Refusal::NotJson)?))?;
            append(text, ":")?;
            write_json(&value.get_item(&item)?, depth, text)?;
        } else {
            write_json(&item, depth, text)?;
        }
    }
    append(text, if is_map { "}" } else { "]" })
}
