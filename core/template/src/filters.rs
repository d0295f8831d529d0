//! The filters, tests and functions of a template. They accept a number as a text, but no other value.

use std::sync::Arc;

use secretdir_helpers::coding::Coding;
use secretdir_quote::{Format, json, url};

use crate::budget::Budget;
use crate::error::Fault;
use crate::value::{Mark, Origin, Piece, Value};

/// All filters, with the minimum and the maximum number of their arguments.
pub(crate) const FILTERS: [(&str, usize, usize); 20] = [
    ("base64", 0, 0),
    ("base64url", 0, 0),
    ("default", 0, 2),
    ("docker", 0, 0),
    ("dotenv", 0, 0),
    ("first", 0, 0),
    ("hex", 0, 0),
    ("indent", 1, 1),
    ("join", 0, 1),
    ("json", 0, 0),
    ("last", 0, 0),
    ("length", 0, 0),
    ("lower", 0, 0),
    ("replace", 2, 2),
    ("shell", 0, 0),
    ("split", 0, 1),
    ("toml", 0, 0),
    ("trim", 0, 0),
    ("upper", 0, 0),
    ("url", 0, 0),
];

/// The names of all tests.
pub(crate) const TESTS: [&str; 8] =
    ["defined", "even", "mapping", "none", "number", "odd", "string", "undefined"];

/// The maximum width of `indent`.
const WIDEST: usize = 1000;

/// The maximum length of a range.
const LONGEST_RANGE: usize = 100_000;

/// How many bytes one byte may become. JSON and TOML write a control character as `\u0000`.
const LONGEST: usize = 6;

/// The line ends of YAML 1.1. `indent` must see them all, or a line of a value could leave its block.
const LINE_ENDS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

/// Applies the filter at a position of the template. If the result is made of a key, it stays marked as such.
pub(crate) fn apply(
    (name, at): (&str, usize),
    value: &Value,
    arguments: &[Value],
    budget: &mut Budget,
) -> Result<Value, Fault> {
    if let Some(format) = Format::named(name) {
        let text = match format {
            Format::Json => {
                let mut text = String::new();
                write_json(value, &mut text, budget)?;
                text
            }
            _ => {
                let text = value.as_text(budget)?;
                budget.ensure_text(text.len().saturating_mul(LONGEST))?;
                format.write(&text).map_err(Fault::Quote)?
            }
        };
        budget.spend_text(text.len())?;
        return Ok(Value::piece(text, Origin::Filter(Mark { format, at })));
    }
    let result = match (name, arguments) {
        ("default", _) => return default(value, arguments, budget),
        ("base64", _) => return coded(|octets| text_of(Coding::Base64, octets), value, budget),
        ("base64url", _) => return coded(|octets| text_of(Coding::Base64Url, octets), value, budget),
        ("hex", _) => return coded(|octets| text_of(Coding::Hex, octets), value, budget),
        ("url", _) => return coded(url, value, budget),
        ("first" | "last" | "length", _) => of_items(name, value, budget),
        ("join", _) => join(value, arguments.first(), budget),
        ("indent", [width]) => {
            let width = width_of(width)?;
            indent(&value.as_unquoted_text(budget)?, width, budget)
        }
        _ => {
            let others = arguments.iter().map(|argument| argument.as_unquoted_text(budget));
            let others = others.collect::<Result<Vec<_>, _>>()?;
            let text = value.as_unquoted_text(budget)?;
            match (name, others.as_slice()) {
                ("split", others) => split(&text, others.first().map(AsRef::as_ref), budget),
                ("replace", [from, to]) => replace(&text, from, to, budget),
                _ => changed(name, &text, budget),
            }
        }
    };
    let mut given = std::iter::once(value).chain(arguments);
    budget.spend(given.clone().map(|value| value.pieces().len()).sum())?;
    Ok(result?.keyed(given.find_map(Value::key)))
}

fn changed(name: &str, text: &str, budget: &mut Budget) -> Result<Value, Fault> {
    budget.ensure_text(text.len().saturating_mul(LONGEST))?;
    let text = match name {
        "lower" => text.to_lowercase(),
        "upper" => text.to_uppercase(),
        _ => text.trim().to_owned(),
    };
    budget.spend_text(text.len())?;
    Ok(Value::text(text))
}

/// Writes the bytes of a text, of a number, or of a secret that is not UTF-8.
fn coded(write: impl Fn(&[u8]) -> String, value: &Value, budget: &mut Budget) -> Result<Value, Fault> {
    let octets: Arc<[u8]> = match value {
        Value::Bytes(bytes) => Arc::clone(bytes),
        _ => value.as_text(budget)?.into(),
    };
    budget.ensure_text(octets.len().saturating_mul(LONGEST))?;
    let text = write(&octets);
    budget.spend_text(text.len())?;
    Ok(Value::text(text))
}

fn text_of(coding: Coding, octets: &[u8]) -> String {
    // A coding writes ASCII.
    coding.encode(octets).iter().map(|byte| char::from(*byte)).collect()
}

/// Replaces an undefined value and, if the second argument is true, an empty or false one.
fn default(value: &Value, arguments: &[Value], budget: &mut Budget) -> Result<Value, Fault> {
    let other = || arguments.first().cloned().unwrap_or_else(|| Value::text(""));
    if let Value::Unknown = value {
        return Ok(Value::Unknown.or(other()));
    }
    let also_for_empty = arguments.get(1).map_or(Ok(false), |also| also.is_true(budget))?;
    let is_replaced = matches!(value, Value::Undefined) || also_for_empty && !value.is_true(budget)?;
    Ok(if is_replaced { other() } else { value.clone() })
}

fn of_items(name: &str, value: &Value, budget: &mut Budget) -> Result<Value, Fault> {
    let mut items = value.items(budget)?.into_iter();
    Ok(match name {
        "length" => Value::integer(items.len()),
        "first" => items.next().unwrap_or(Value::Undefined),
        _ => items.next_back().unwrap_or(Value::Undefined),
    })
}

/// Joins the items of a list, the keys of a map or the characters of a text. Quoted texts stay marked.
fn join(value: &Value, joiner: Option<&Value>, budget: &mut Budget) -> Result<Value, Fault> {
    let mut pieces: Vec<Piece> = Vec::new();
    for (index, item) in value.items(budget)?.iter().enumerate() {
        for part in joiner.filter(|_| index > 0).into_iter().chain([item]) {
            let text = match part {
                Value::Unknown => vec![Piece::unknown()],
                Value::Text(pieces) => pieces.to_vec(),
                other => vec![Piece::of(other.as_text(budget)?, Origin::Plain)],
            };
            budget.spend(text.len())?;
            budget.spend_text(text.iter().map(|piece| piece.text.len()).sum())?;
            pieces.extend(text);
        }
    }
    Ok(Value::Text(Arc::new(pieces)))
}

/// Splits a text at a separator, or at white space without one. An empty separator gives the characters.
fn split(text: &str, separator: Option<&str>, budget: &mut Budget) -> Result<Value, Fault> {
    budget.ensure_text(text.len().saturating_mul(LONGEST))?;
    let parts: Vec<_> = match separator {
        None => text.split_whitespace().collect(),
        Some("") => text.split("").filter(|piece| !piece.is_empty()).collect(),
        Some(separator) => text.split(separator).collect(),
    };
    budget.spend(parts.len())?;
    Ok(Value::list(parts.into_iter().map(Value::text).collect()))
}

fn replace(text: &str, from: &str, to: &str, budget: &mut Budget) -> Result<Value, Fault> {
    budget.spend_text(text.len())?;
    let count = text.matches(from).count();
    let length = text.len().saturating_add(count.saturating_mul(to.len()));
    budget.spend_text(length)?;
    Ok(Value::text(text.replace(from, to)))
}

fn width_of(width: &Value) -> Result<usize, Fault> {
    let columns = width.as_integer()?.and_then(|columns| usize::try_from(columns).ok());
    let columns = columns.filter(|columns| *columns <= WIDEST);
    columns.ok_or_else(|| width.instead_of("a whole number of at most 1000 spaces"))
}

/// Puts spaces before each line except the first and empty ones, as Jinja does.
fn indent(text: &str, width: usize, budget: &mut Budget) -> Result<Value, Fault> {
    let lines = text.split_inclusive(LINE_ENDS);
    let length = text.len().saturating_add(width.saturating_mul(lines.clone().count()));
    budget.spend_text(length)?;
    let mut indented = String::with_capacity(length);
    for (index, line) in lines.enumerate() {
        let is_indented = index > 0 && !line.starts_with(LINE_ENDS);
        indented.extend(std::iter::repeat_n(' ', if is_indented { width } else { 0 }));
        indented.push_str(line);
    }
    Ok(Value::text(indented))
}

fn write_json(value: &Value, written: &mut String, budget: &mut Budget) -> Result<(), Fault> {
    budget.spend(1)?;
    match value {
        Value::None => written.push_str("null"),
        Value::Bool(value) => written.push_str(if *value { "true" } else { "false" }),
        Value::Text(_) => write_json_text(&value.as_text(budget)?, written, budget)?,
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                written.push(if index == 0 { '[' } else { ',' });
                write_json(item, written, budget)?;
            }
            written.push_str(if items.is_empty() { "[]" } else { "]" });
        }
        Value::Map(entries, _) => {
            for (index, (key, value)) in entries.iter().enumerate() {
                written.push(if index == 0 { '{' } else { ',' });
                write_json_text(key, written, budget)?;
                written.push(':');
                write_json(value, written, budget)?;
            }
            written.push_str(if entries.is_empty() { "{}" } else { "}" });
        }
        other => written.push_str(&other.as_text(budget)?),
    }
    Ok(())
}

fn write_json_text(text: &str, written: &mut String, budget: &mut Budget) -> Result<(), Fault> {
    budget.ensure_text(text.len().saturating_mul(LONGEST))?;
    let text = json(text);
    budget.spend_text(text.len())?;
    written.push_str(&text);
    Ok(())
}

/// Returns the first number, the step and the length of a range. Its bounds are 32-bit integers, so nothing overflows.
pub(crate) fn range_of(arguments: &[Value]) -> Result<(i128, i128, usize), Fault> {
    let number = |value: &Value| {
        let number = value.as_integer()?.and_then(|number| i32::try_from(number).ok());
        number.map(i128::from).ok_or_else(|| value.instead_of("a whole number of at most nine digits"))
    };
    let (first, end, step) = match arguments {
        [end] => (0, number(end)?, 1),
        [first, end] => (number(first)?, number(end)?, 1),
        [first, end, step] => (number(first)?, number(end)?, number(step)?),
        _ => return Err(Fault::Arguments { name: "range".to_owned(), least: 1, most: 3 }),
    };
    if step == 0 {
        return Err(Fault::ZeroStep);
    }
    let length = usize::try_from((end - first + step - step.signum()) / step).unwrap_or_default();
    if length > LONGEST_RANGE {
        Err(Fault::LongRange { most: LONGEST_RANGE })
    } else {
        Ok((first, step, length))
    }
}

/// Returns the numbers of a range.
pub(crate) fn range(arguments: &[Value], budget: &mut Budget) -> Result<Value, Fault> {
    let (first, step, length) = range_of(arguments)?;
    budget.spend(length)?;
    let numbers = std::iter::successors(Some(first), |number| Some(number + step));
    Ok(Value::list(numbers.take(length).map(Value::integer).collect()))
}

/// Says whether a value passes a test.
pub(crate) fn test(name: &str, value: &Value) -> Result<bool, Fault> {
    Ok(match (name, value) {
        (_, Value::Unknown) => return Err(Fault::NotKnown),
        ("defined", _) => !matches!(value, Value::Undefined),
        ("undefined", _) => matches!(value, Value::Undefined),
        ("none", _) => matches!(value, Value::None),
        ("string", _) => matches!(value, Value::Text(_)),
        ("number", _) => matches!(value, Value::Number(_)),
        ("mapping", _) => matches!(value, Value::Map(..)),
        _ => {
            let number = value.as_integer()?.ok_or_else(|| value.instead_of("a whole number"))?;
            number.rem_euclid(2) == i128::from(name == "odd")
        }
    })
}
