//! What a template works with.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::budget::Budget;
use super::error::{Fault, Refusal};

/// How deep lists and maps may be nested. What compares and writes them walks them by recursion.
const DEEPEST: usize = 100;

/// A value. Texts and bytes are wiped when the last that has them is dropped.
#[derive(Clone)]
pub(super) enum Value {
    /// A part or a variable that is not there. Only `default`, `defined` and `undefined` take it.
    Undefined,
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    /// A number as JSON writes it: it is printed so, and counts as what it stands for.
    Written(Text),
    Text(Text),
    /// A text that is a key of a map, or was made of one: whoever names the secrets has chosen it.
    Key(Text),
    /// A text in which filters have written values of variables.
    Quoted(Text, Arc<Vec<Mark>>),
    /// A secret that is not UTF-8.
    Bytes(Arc<Zeroizing<Vec<u8>>>),
    List(List),
    Map(Map),
    /// Where a loop is: at this item, counted from 0, of so many.
    Loop {
        index: usize,
        length: usize,
    },
    /// A function that is named, but not called.
    Function,
}

/// A list, and how deep it is nested.
#[derive(Clone)]
pub(super) struct List {
    items: Arc<Vec<Value>>,
    depth: usize,
}

impl List {
    /// # Errors
    ///
    /// It would be nested too deeply.
    pub(super) fn of(items: Vec<Value>) -> Result<Self, Fault> {
        let depth = depth_of(items.iter())?;
        Ok(Self { items: Arc::new(items), depth })
    }

    pub(super) fn items(&self) -> &[Value] {
        &self.items
    }
}

/// Where in a text a filter has written the value of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) offset: usize,
    pub(super) filter: &'static str,
}

impl Mark {
    /// Returns the same behind so many bytes.
    pub(super) fn behind(self, bytes: usize) -> Self {
        Self { offset: self.offset + bytes, ..self }
    }
}

/// A text that is wiped.
pub(super) type Text = Arc<Zeroizing<String>>;

/// A map in the order in which it was written, each key once, and how deep it is nested.
#[derive(Clone)]
pub(super) struct Map {
    entries: Arc<Vec<(Text, Value)>>,
    depth: usize,
}

impl Map {
    /// Takes keys and values. Of two with one key the later value counts, at the place of the earlier.
    ///
    /// # Errors
    ///
    /// A key that is no text. It would be nested too deeply.
    pub(super) fn of(entries: Vec<(Value, Value)>) -> Result<Self, Fault> {
        let depth = depth_of(entries.iter().map(|(_, value)| value))?;
        let entries = entries.into_iter().map(|(key, value)| match key.plain() {
            Value::Text(key) => Ok((key, value)),
            other => Err(Fault::KeyNotText(other.describe())),
        });
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        let mut places = BTreeMap::new();
        for (place, (key, _)) in entries.iter().enumerate() {
            places.entry(key.as_str()).or_insert((place, place)).1 = place;
        }
        let mut places: Vec<_> = places.into_values().collect();
        places.sort_unstable();
        let entry = |(first, last): (usize, usize)| {
            Some((Arc::clone(&entries.get(first)?.0), entries.get(last)?.1.clone()))
        };
        let kept = places.into_iter().filter_map(entry).collect();
        Ok(Self { entries: Arc::new(kept), depth })
    }

    pub(super) fn entries(&self) -> &[(Text, Value)] {
        &self.entries
    }

    /// Returns the value of a text.
    pub(super) fn get(&self, name: &str, budget: &mut Budget) -> Result<Value, Fault> {
        budget.spend(self.entries.len())?;
        let found = self.entries.iter().find(|(key, _)| key.as_str() == name);
        Ok(found.map_or(Value::Undefined, |(_, value)| value.clone()))
    }
}

/// The digits of the longest number that a program writes for a float. With more, two numbers would be taken for the same float.
const MOST_DIGITS: usize = 17;

/// Says whether a number in the syntax of JSON is another than zero: it may be too large to be read.
fn is_not_zero(number: &str) -> bool {
    significant_digits(number) > 0
}

/// Counts the digits from the first that is not zero to the last.
fn significant_digits(number: &str) -> usize {
    let digits = number.split(['e', 'E']).next().unwrap_or_default();
    let digits = digits.trim_matches(|c: char| !matches!(c, '1'..='9'));
    digits.bytes().filter(u8::is_ascii_digit).count()
}

fn depth_of<'a>(parts: impl Iterator<Item = &'a Value>) -> Result<usize, Fault> {
    let depth = 1 + parts.map(Value::depth).max().unwrap_or_default();
    if depth > DEEPEST { Err(Fault::TooDeep { most: DEEPEST }) } else { Ok(depth) }
}

impl Value {
    /// Returns a text if the value of a secret is one, bytes otherwise.
    pub(super) fn of_secret(value: &[u8]) -> Self {
        match std::str::from_utf8(value) {
            Ok(text) => Self::text(text),
            Err(_) => Self::Bytes(Arc::new(Zeroizing::new(value.to_vec()))),
        }
    }

    /// Returns a text, of which it makes the one copy.
    pub(super) fn text(text: &str) -> Self {
        Self::of_text(Zeroizing::new(text.to_owned()))
    }

    pub(super) fn of_text(text: Zeroizing<String>) -> Self {
        Self::Text(Arc::new(text))
    }

    /// Returns a text with what filters have written in it.
    pub(super) fn quoted(text: Zeroizing<String>, marks: Vec<Mark>) -> Self {
        if marks.is_empty() { Self::of_text(text) } else { Self::Quoted(Arc::new(text), Arc::new(marks)) }
    }

    /// Returns the text of what is one, however it came about.
    pub(super) fn text_of(&self) -> Option<&Text> {
        match self {
            Self::Text(text) | Self::Key(text) | Self::Quoted(text, _) => Some(text),
            _ => None,
        }
    }

    pub(super) fn marks(&self) -> &[Mark] {
        if let Self::Quoted(_, marks) = self { marks } else { &[] }
    }

    /// Returns the same without a memory of how it came about.
    pub(super) fn plain(&self) -> Self {
        self.text_of().map_or_else(|| self.clone(), |text| Self::Text(Arc::clone(text)))
    }

    pub(super) fn is_key(&self) -> bool {
        matches!(self, Self::Key(_))
    }

    /// Returns what is made of a key: each text of it is one, too.
    pub(super) fn keyed(self) -> Self {
        match self {
            Self::Text(text) | Self::Quoted(text, _) => Self::Key(text),
            Self::List(list) => {
                let items = list.items.iter().map(|item| item.clone().keyed()).collect();
                Self::List(List { items: Arc::new(items), depth: list.depth })
            }
            other => other,
        }
    }

    /// Returns a number that keeps the form in which it is written.
    pub(super) fn written(number: &str) -> Self {
        Self::Written(Arc::new(Zeroizing::new(number.to_owned())))
    }

    pub(super) fn is_number(&self) -> bool {
        matches!(self, Self::Int(_) | Self::Float(_) | Self::Written(_))
    }

    /// Returns what can be calculated and compared with: what a written number stands for, anything else as it is.
    ///
    /// # Errors
    ///
    /// A number that is larger than a float can be, or nearer to zero, or has more digits; or a whole one of more than 38 digits.
    pub(super) fn calculable(&self) -> Result<Self, Fault> {
        let Self::Written(number) = self else { return Ok(self.plain()) };
        if let Ok(whole) = number.parse() {
            return Ok(Self::Int(whole));
        }
        let is_whole = !number.contains(['.', 'e', 'E']);
        match number.parse::<f64>() {
            Ok(float) if is_whole || !float.is_finite() => Err(Fault::NumberTooLarge),
            Ok(float) if float == 0.0 && is_not_zero(number) => Err(Fault::NumberTooLarge),
            Ok(float) if significant_digits(number) <= MOST_DIGITS => Ok(Self::Float(float)),
            _ => Err(Fault::NumberTooLarge),
        }
    }

    pub(super) fn count(count: usize) -> Self {
        i128::try_from(count).map_or(Self::Undefined, Self::Int)
    }

    fn depth(&self) -> usize {
        match self {
            Self::List(list) => list.depth,
            Self::Map(map) => map.depth,
            _ => 0,
        }
    }

    /// Names what it is, for an error.
    pub(super) fn describe(&self) -> &'static str {
        match self {
            Self::Undefined => "what is not defined",
            Self::None => "none",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Float(_) | Self::Written(_) => "a number",
            Self::Text(_) | Self::Key(_) | Self::Quoted(..) => "a text",
            Self::Bytes(_) => "a value that is not UTF-8",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Loop { .. } => "a loop",
            Self::Function => "a function",
        }
    }

    /// Says whether an `if` is taken: not for zero, nor for what is empty.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Undefined | Self::None => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Written(number) => is_not_zero(number),
            Self::Text(text) | Self::Key(text) | Self::Quoted(text, _) => !text.is_empty(),
            Self::Bytes(bytes) => !bytes.is_empty(),
            Self::List(list) => !list.items.is_empty(),
            Self::Map(map) => !map.entries.is_empty(),
            Self::Loop { .. } | Self::Function => true,
        }
    }

    /// Takes it for a text, if nothing is guessed by that: it is one, or a number.
    pub(super) fn as_text(&self) -> Result<Cow<'_, str>, Fault> {
        match self {
            Self::Text(text) | Self::Key(text) | Self::Quoted(text, _) => Ok(Cow::Borrowed(text.as_str())),
            Self::Written(number) => Ok(Cow::Borrowed(number.as_str())),
            Self::Int(_) | Self::Float(_) => Ok(Cow::Owned(self.number())),
            Self::Bytes(_) => Err(Refusal::NotUtf8.into()),
            other => Err(Refusal::NotText(other.describe()).into()),
        }
    }

    /// Takes it for bytes: those of a text, of a number, or of a secret that is not UTF-8.
    pub(super) fn as_octets(&self) -> Result<Cow<'_, [u8]>, Fault> {
        if let Self::Bytes(bytes) = self {
            return Ok(Cow::Borrowed(bytes.as_slice()));
        }
        Ok(match self.as_text()? {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        })
    }

    /// Writes a number as the reader of templates writes it: `1`, `1.0`, `inf`.
    pub(super) fn number(&self) -> String {
        match self {
            Self::Written(number) => number.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) => minijinja::Value::from(*value).to_string(),
            _ => String::new(),
        }
    }
}
