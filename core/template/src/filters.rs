//! The filters a template may use. They take texts, and numbers for texts; nothing else becomes a text by itself.

use zeroize::Zeroizing;

use super::budget::Budget;
use super::error::{Fault, Refusal};
use super::quote::{self, QuoteError};
use super::value::{List, Mark, Value};
use secretdir_helpers::coding::Coding;

/// The filter that takes what is not defined.
pub(super) const DEFAULT: &str = "default";

/// The names of all.
pub(super) const NAMES: [&str; 20] = [
    "base64",
    "base64url",
    DEFAULT,
    "docker",
    "dotenv",
    "first",
    "hex",
    "indent",
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

/// Returns how many arguments a filter takes, at the least and at the most.
pub(super) fn arity(name: &str) -> (usize, usize) {
    match name {
        DEFAULT => (0, 2),
        "indent" => (1, 1),
        "join" | "split" => (0, 1),
        "replace" => (2, 2),
        _ => (0, 0),
    }
}

/// How far `indent` goes.
const WIDEST: usize = 1000;

/// How many bytes one byte may become: in JSON and TOML a control character is written as `\u0000`.
const LONGEST: usize = 6;

/// Applies a filter. What keeps a part of a key is one, too.
pub(super) fn apply(
    name: &str,
    value: &Value,
    arguments: Vec<Value>,
    budget: &mut Budget,
) -> Result<Value, Fault> {
    let result = applied(name, value, &arguments, budget)?;
    let keeps = matches!(
        name,
        "first" | "indent" | "join" | "last" | "lower" | "replace" | "split" | "trim" | "upper"
    );
    let is_of_key = value.is_key() || arguments.iter().any(Value::is_key);
    Ok(if keeps && is_of_key { result.keyed() } else { result })
}

fn applied(name: &str, value: &Value, arguments: &[Value], budget: &mut Budget) -> Result<Value, Fault> {
    match (name, arguments) {
        (DEFAULT, rest) => default(value, rest),
        ("join", []) => join(value, "", budget),
        ("join", [joiner]) => join(value, &joiner.as_text()?, budget),
        ("split", []) => split(&value.as_text()?, None, budget),
        ("split", [separator]) => split(&value.as_text()?, Some(&separator.as_text()?), budget),
        ("replace", [from, to]) => replace(&value.as_text()?, &from.as_text()?, &to.as_text()?, budget),
        ("indent", [width]) => indent(&value.as_text()?, width, budget),
        ("indent", []) => Err(Fault::MissingArgument),
        ("replace", [] | [_]) => Err(Fault::MissingArgument),
        (_, [_, ..]) => Err(Fault::TooManyArguments),
        ("first" | "last" | "length", []) => of_items(name, value, budget),
        ("json", []) => json(value, budget),
        ("base64", []) => coded(Coding::Base64, value, budget),
        ("base64url", []) => coded(Coding::Base64Url, value, budget),
        ("hex", []) => coded(Coding::Hex, value, budget),
        ("url", []) => {
            let octets = value.as_octets()?;
            budget.ensure_text(octets.len().saturating_mul(LONGEST))?;
            made(quote::url(&octets), budget)
        }
        _ => written(name, &value.as_text()?, budget),
    }
}

/// Applies a filter that makes a text of a text.
fn written(name: &str, text: &str, budget: &mut Budget) -> Result<Value, Fault> {
    budget.ensure_text(text.len().saturating_mul(LONGEST))?;
    let text = match name {
        "lower" => quote::collect(text.chars().flat_map(char::to_lowercase)),
        "upper" => quote::collect(text.chars().flat_map(char::to_uppercase)),
        "trim" => Zeroizing::new(text.trim().to_owned()),
        "docker" => return variable("docker", quote::docker(text), budget),
        "dotenv" => return variable("dotenv", quote::dotenv(text), budget),
        "shell" => return variable("shell", quote::shell(text), budget),
        "toml" => quote::toml(text),
        _ => return Err(Fault::Other),
    };
    made(text, budget)
}

/// Marks the value of a variable: where it is printed, its name stands before it.
fn variable(
    filter: &'static str,
    text: Result<Zeroizing<String>, QuoteError>,
    budget: &mut Budget,
) -> Result<Value, Fault> {
    let text = text.map_err(Refusal::Quote)?;
    budget.spend_text(text.len())?;
    Ok(Value::quoted(text, vec![Mark { offset: 0, filter }]))
}

/// Pays for a text of which it was only known how long it is at the most.
fn made(text: Zeroizing<String>, budget: &mut Budget) -> Result<Value, Fault> {
    budget.spend_text(text.len())?;
    Ok(Value::of_text(text))
}

fn coded(coding: Coding, value: &Value, budget: &mut Budget) -> Result<Value, Fault> {
    let octets = value.as_octets()?;
    budget.ensure_text(octets.len().saturating_mul(LONGEST))?;
    let mut text = coding.encode(&octets);
    // A coding writes ASCII. The bytes move: nothing of them is left behind.
    let text = String::from_utf8(std::mem::take(&mut *text)).map_err(|_| Fault::Other)?;
    made(Zeroizing::new(text), budget)
}

/// Gives something else for what is not defined, and if the second argument says so, for what is empty or false.
fn default(value: &Value, arguments: &[Value]) -> Result<Value, Fault> {
    let (other, also_for_empty) = match arguments {
        [] => (None, false),
        [other] => (Some(other), false),
        [other, also_for_empty] => (Some(other), also_for_empty.is_true()),
        _ => return Err(Fault::TooManyArguments),
    };
    if matches!(value, Value::Undefined) || also_for_empty && !value.is_true() {
        return Ok(other.cloned().unwrap_or_else(|| Value::text("")));
    }
    Ok(value.clone())
}

/// Gives an item of a list, a key of a map or a character of a text, or says how many there are.
fn of_items(name: &str, value: &Value, budget: &mut Budget) -> Result<Value, Fault> {
    let last = name == "last";
    let (found, length) = match &value.plain() {
        Value::List(list) => {
            let items = list.items();
            (if last { items.last() } else { items.first() }.cloned(), items.len())
        }
        Value::Map(map) => {
            let entries = map.entries();
            (
                if last { entries.last() } else { entries.first() }.map(|(key, _)| Value::Key(key.clone())),
                entries.len(),
            )
        }
        Value::Text(text) => {
            budget.spend_text(text.len())?;
            let c = if last { text.chars().next_back() } else { text.chars().next() };
            (c.map(|c| Value::text(c.encode_utf8(&mut [0; 4]))), text.chars().count())
        }
        Value::Bytes(_) => return Err(Refusal::NotUtf8.into()),
        other => return Err(Refusal::NoList(other.describe()).into()),
    };
    if name == "length" { Ok(Value::count(length)) } else { Ok(found.unwrap_or(Value::Undefined)) }
}

/// Joins texts: the items of a list, the keys of a map, the characters of a text.
fn join(value: &Value, joiner: &str, budget: &mut Budget) -> Result<Value, Fault> {
    let items: Vec<_> = match &value.plain() {
        Value::List(list) => list.items().to_vec(),
        Value::Map(map) => map.entries().iter().map(|(key, _)| Value::Key(key.clone())).collect(),
        Value::Text(text) if joiner.is_empty() => return Ok(Value::Text(text.clone())),
        Value::Text(text) => return join(&split(text, Some(""), budget)?, joiner, budget),
        Value::Bytes(_) => return Err(Refusal::NotUtf8.into()),
        other => return Err(Refusal::NoList(other.describe()).into()),
    };
    budget.spend(items.len())?;
    let texts = items.iter().map(|item| item.as_text()).collect::<Result<Vec<_>, _>>()?;
    let length = texts.iter().map(|text| text.len()).sum::<usize>();
    let length = length.saturating_add(joiner.len().saturating_mul(texts.len().saturating_sub(1)));
    budget.spend_text(length)?;
    let mut joined = Zeroizing::new(String::with_capacity(length));
    let mut marks = Vec::new();
    for (index, (item, text)) in items.iter().zip(&texts).enumerate() {
        joined.push_str(if index == 0 { "" } else { joiner });
        marks.extend(item.marks().iter().map(|mark| mark.behind(joined.len())));
        joined.push_str(text);
    }
    budget.spend(marks.len())?;
    let joined = Value::quoted(joined, marks);
    Ok(if items.iter().any(Value::is_key) { joined.keyed() } else { joined })
}

/// Takes a text apart: where there are blanks, if it is not said where. An empty separator gives its characters.
fn split(text: &str, separator: Option<&str>, budget: &mut Budget) -> Result<Value, Fault> {
    budget.spend_text(text.len())?;
    match separator {
        None => pieces(text.split_whitespace(), budget),
        Some("") => pieces(text.split("").filter(|piece| !piece.is_empty()), budget),
        Some(separator) => pieces(text.split(separator), budget),
    }
}

fn pieces<'a>(pieces: impl Iterator<Item = &'a str> + Clone, budget: &mut Budget) -> Result<Value, Fault> {
    budget.spend(pieces.clone().count())?;
    Ok(Value::List(List::of(pieces.map(Value::text).collect())?))
}

fn replace(text: &str, from: &str, to: &str, budget: &mut Budget) -> Result<Value, Fault> {
    budget.spend_text(text.len())?;
    let count = text.matches(from).count();
    let length = text.len().saturating_add(count.saturating_mul(to.len()));
    budget.spend_text(length)?;
    let mut replaced = Zeroizing::new(String::with_capacity(length));
    let mut rest = 0;
    for (start, found) in text.match_indices(from) {
        replaced.push_str(text.get(rest..start).unwrap_or_default());
        replaced.push_str(to);
        rest = start + found.len();
    }
    replaced.push_str(text.get(rest..).unwrap_or_default());
    Ok(Value::of_text(replaced))
}

/// What ends a line to YAML: to version 1.1 the last three, too. A line that a value begins must not get out of its block.
const LINE_ENDS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

/// Puts blanks before each line but the first, and before none that is empty, as Jinja does.
fn indent(text: &str, width: &Value, budget: &mut Budget) -> Result<Value, Fault> {
    let Value::Int(width) = width.calculable()? else { return Err(Refusal::NoWidth.into()) };
    let width = usize::try_from(width).ok().filter(|width| *width <= WIDEST).ok_or(Refusal::NoWidth)?;
    let lines = text.split_inclusive(LINE_ENDS);
    let length = text.len().saturating_add(width.saturating_mul(lines.clone().count()));
    budget.spend_text(length)?;
    let mut indented = Zeroizing::new(String::with_capacity(length));
    for (index, line) in lines.enumerate() {
        let is_indented = index > 0 && !line.starts_with(LINE_ENDS);
        indented.extend(std::iter::repeat_n(' ', if is_indented { width } else { 0 }));
        indented.push_str(line);
    }
    Ok(Value::of_text(indented))
}

fn json(value: &Value, budget: &mut Budget) -> Result<Value, Fault> {
    let mut parts = Parts { budget, parts: Vec::new() };
    parts.value(value)?;
    let Parts { budget, parts } = parts;
    let length = parts.iter().map(|part| part.len()).sum();
    budget.spend_text(length)?;
    let mut text = Zeroizing::new(String::with_capacity(length));
    parts.iter().for_each(|part| text.push_str(part));
    Ok(Value::of_text(text))
}

/// JSON in parts, which are put together once it is known how long they are. Each is paid for.
struct Parts<'b> {
    budget: &'b mut Budget,
    parts: Vec<Zeroizing<String>>,
}

impl Parts<'_> {
    fn value(&mut self, value: &Value) -> Result<(), Fault> {
        self.budget.spend(1)?;
        match value {
            Value::Text(text) | Value::Key(text) | Value::Quoted(text, _) => self.text(text),
            Value::None => self.plain("null"),
            Value::Bool(value) => self.plain(if *value { "true" } else { "false" }),
            Value::Int(_) | Value::Float(_) | Value::Written(_) => self.plain(&value.as_text()?),
            Value::List(list) => {
                for (index, item) in list.items().iter().enumerate() {
                    self.plain(if index == 0 { "[" } else { "," })?;
                    self.value(item)?;
                }
                self.plain(if list.items().is_empty() { "[]" } else { "]" })
            }
            Value::Map(map) => {
                for (index, (key, value)) in map.entries().iter().enumerate() {
                    self.plain(if index == 0 { "{" } else { "," })?;
                    self.text(key)?;
                    self.plain(":")?;
                    self.value(value)?;
                }
                self.plain(if map.entries().is_empty() { "{}" } else { "}" })
            }
            Value::Bytes(_) => Err(Refusal::NotUtf8.into()),
            _ => Err(Refusal::NotJson.into()),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), Fault> {
        self.budget.ensure_text(text.len().saturating_mul(LONGEST))?;
        self.push(quote::json(text))
    }

    fn plain(&mut self, text: &str) -> Result<(), Fault> {
        self.push(Zeroizing::new(text.to_owned()))
    }

    fn push(&mut self, part: Zeroizing<String>) -> Result<(), Fault> {
        self.budget.spend_text(part.len())?;
        self.parts.push(part);
        Ok(())
    }
}
