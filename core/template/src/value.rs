//! The values of a template.

use std::cmp::Ordering;
use std::sync::Arc;

use indexmap::IndexMap;
use secretdir_quote::Format;

use crate::budget::Budget;
use crate::error::Fault;

/// 17 significant digits identify every float. With more, two different numbers could become the same float.
const MOST_DIGITS: usize = 17;

pub(crate) type Text = Arc<str>;

#[derive(Clone)]
pub(crate) enum Value {
    /// The value of a missing variable or part. Only `default`, `defined`, `undefined` and `if` accept it.
    Undefined,
    /// In a check: any value.
    Unknown,
    None,
    Bool(bool),
    /// A number in the syntax of JSON. It is printed with these digits.
    Number(Text),
    Text(Arc<Vec<Piece>>),
    /// A secret that is not UTF-8.
    Bytes(Arc<[u8]>),
    List(Arc<Vec<Value>>),
    /// In the order of the document.
    Map(Arc<IndexMap<Text, Value>>, Keys),
}

/// The kind of the keys of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// They are names of secrets, which may be shown.
    Names,
    /// They may be parts of values.
    Values,
}

/// The numeric value of a number.
#[derive(Clone, Copy)]
pub(crate) enum Number {
    Integer(i128),
    Float(f64),
}

impl Number {
    #[expect(clippy::cast_precision_loss, reason = "a float is as near to a whole number as floats are")]
    pub(crate) fn as_float(self) -> f64 {
        match self {
            Self::Integer(number) => number as f64,
            Self::Float(number) => number,
        }
    }

    /// Compares exactly: an integer is not rounded to a float.
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and small enough")]
    pub(crate) fn partial_cmp(self, other: Self) -> Option<Ordering> {
        let is_whole = |float: f64| float.fract() == 0.0 && float.abs() < 1e38;
        match (self, other) {
            (Self::Integer(one), Self::Integer(other)) => Some(one.cmp(&other)),
            (Self::Integer(one), Self::Float(other)) if is_whole(other) => Some(one.cmp(&(other as i128))),
            (Self::Float(one), Self::Integer(other)) if is_whole(one) => Some((one as i128).cmp(&other)),
            (one, other) => one.as_float().partial_cmp(&other.as_float()),
        }
    }
}

/// A part of a text, and its origin.
#[derive(Clone)]
pub(crate) struct Piece {
    pub(crate) text: Text,
    pub(crate) origin: Origin,
}

#[derive(Clone)]
pub(crate) enum Origin {
    Plain,
    /// It was made of a key of a map, which somebody else has filtered_items: this one, if it may be shown.
    Key(Option<Text>),
    Filter(Mark),
    /// In a check: any text. The mark is that of the filter that has written it, if there was one.
    Unknown(Option<Mark>),
}

/// The filter that has quoted a text, and its position in the template.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    pub(crate) format: Format,
    pub(crate) at: usize,
}

impl Piece {
    pub(crate) fn of(text: impl Into<Text>, origin: Origin) -> Self {
        Self { text: text.into(), origin }
    }

    /// Returns any text, for a check.
    pub(crate) fn unknown() -> Self {
        Self::of("", Origin::Unknown(None))
    }

    pub(crate) fn mark(&self) -> Option<Mark> {
        match self.origin {
            Origin::Filter(mark) => Some(mark),
            Origin::Unknown(mark) => mark,
            Origin::Plain | Origin::Key(_) => None,
        }
    }
}

impl Value {
    /// Returns a text if the bytes are UTF-8, otherwise bytes.
    pub(crate) fn of_secret(value: &[u8]) -> Self {
        std::str::from_utf8(value).map_or_else(|_| Self::Bytes(value.into()), Self::text)
    }

    pub(crate) fn text(text: impl Into<Text>) -> Self {
        Self::piece(text, Origin::Plain)
    }

    pub(crate) fn piece(text: impl Into<Text>, origin: Origin) -> Self {
        Self::Text(Arc::new(vec![Piece::of(text, origin)]))
    }

    pub(crate) fn integer(number: impl ToString) -> Self {
        Self::Number(number.to_string().into())
    }

    /// Returns the shortest form that JSON can read, such as `1.0` or `1e308`.
    pub(crate) fn float(number: f64) -> Self {
        Self::Number(format!("{number:?}").into())
    }

    pub(crate) fn list(items: Vec<Self>) -> Self {
        Self::List(Arc::new(items))
    }

    /// Takes keys and values. If a key occurs twice, the later value replaces the earlier one, in its position.
    pub(crate) fn map(entries: impl IntoIterator<Item = (Text, Self)>, keys: Keys) -> Self {
        Self::Map(Arc::new(entries.into_iter().collect()), keys)
    }

    /// Returns the value of a key. Only maps have some.
    pub(crate) fn get(&self, name: &str) -> Self {
        let Self::Map(entries, _) = self else { return Self::Undefined };
        entries.get(name).cloned().unwrap_or(Self::Undefined)
    }

    pub(crate) fn pieces(&self) -> &[Piece] {
        if let Self::Text(pieces) = self { pieces } else { &[] }
    }

    pub(crate) fn mark(&self) -> Option<Mark> {
        self.pieces().iter().find_map(Piece::mark)
    }

    /// Returns the origin of the first piece that was made of a key.
    pub(crate) fn key(&self) -> Option<&Origin> {
        self.pieces().iter().map(|piece| &piece.origin).find(|origin| matches!(origin, Origin::Key(_)))
    }

    /// Marks all texts as made of a key, if there is one.
    pub(crate) fn keyed(self, key: Option<&Origin>) -> Self {
        let Some(key) = key else { return self };
        match self {
            Self::Text(pieces) => {
                let keyed = |piece: &Piece| match piece.origin {
                    Origin::Plain => Piece::of(Arc::clone(&piece.text), key.clone()),
                    _ => piece.clone(),
                };
                Self::Text(Arc::new(pieces.iter().map(keyed).collect()))
            }
            Self::List(items) => Self::list(items.iter().map(|item| item.clone().keyed(Some(key))).collect()),
            other => other,
        }
    }

    /// Returns what a check knows of a value that is one of two: the common value, or a quoted text, or nothing.
    pub(crate) fn or(self, other: Self) -> Self {
        let is_same = match (&self, &other) {
            (Self::Text(one), Self::Text(other)) => Arc::ptr_eq(one, other),
            (Self::List(one), Self::List(other)) => Arc::ptr_eq(one, other),
            (Self::Map(one, _), Self::Map(other, _)) => Arc::ptr_eq(one, other),
            (Self::Number(one), Self::Number(other)) => one == other,
            (Self::Bool(one), Self::Bool(other)) => one == other,
            _ => false,
        };
        match (self, other) {
            (one, other) if is_same || one.mark().is_some() || matches!(other, Self::Undefined) => one,
            (one, other) if other.mark().is_some() || matches!(one, Self::Undefined) => other,
            _ => Self::Unknown,
        }
    }

    /// Returns the numeric value of a number.
    ///
    /// # Errors
    ///
    /// The number has more digits than a float, or is too large or too small for one. Or it is an integer of more than 38 digits.
    pub(crate) fn as_number(&self) -> Result<Option<Number>, Fault> {
        let number = match self {
            Self::Number(number) => number,
            Self::Unknown => return Err(Fault::NotKnown),
            _ => return Ok(None),
        };
        if let Ok(whole) = number.parse() {
            return Ok(Some(Number::Integer(whole)));
        }
        let is_whole = !number.contains(['.', 'e', 'E']);
        match number.parse::<f64>() {
            Ok(float) if is_whole || !float.is_finite() => Err(Fault::NumberTooLarge),
            Ok(float) if float == 0.0 && significant_digits(number) > 0 => Err(Fault::NumberTooLarge),
            Ok(float) if significant_digits(number) <= MOST_DIGITS => Ok(Some(Number::Float(float))),
            _ => Err(Fault::NumberTooLarge),
        }
    }

    pub(crate) fn as_integer(&self) -> Result<Option<i128>, Fault> {
        Ok(if let Some(Number::Integer(number)) = self.as_number()? { Some(number) } else { None })
    }

    /// Says whether an `if` is taken: not for zero, nor for an empty text, list or map.
    pub(crate) fn is_true(&self, budget: &mut Budget) -> Result<bool, Fault> {
        budget.spend(self.pieces().len())?;
        Ok(match self {
            Self::Unknown => return Err(Fault::NotKnown),
            Self::Undefined | Self::None => false,
            Self::Bool(value) => *value,
            Self::Number(number) => significant_digits(number) > 0,
            Self::Text(pieces) => {
                ensure_known(pieces)?;
                pieces.iter().any(|piece| !piece.text.is_empty())
            }
            Self::Bytes(bytes) => !bytes.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Map(entries, _) => !entries.is_empty(),
        })
    }

    /// Returns the text, or the digits of a number. Nothing else becomes a text by itself.
    pub(crate) fn as_text(&self, budget: &mut Budget) -> Result<Text, Fault> {
        match self {
            Self::Text(pieces) => concatenated(pieces, budget),
            Self::Number(number) => Ok(Arc::clone(number)),
            Self::Unknown => Err(Fault::NotKnown),
            Self::Bytes(_) => Err(Fault::NotUtf8),
            other => Err(other.instead_of("a text or a number (`json` makes a text of other values)")),
        }
    }

    /// Returns a text that a filter or an operator may change: one that no filter has quoted.
    pub(crate) fn as_unquoted_text(&self, budget: &mut Budget) -> Result<Text, Fault> {
        budget.spend(self.pieces().len())?;
        self.mark().map_or_else(|| self.as_text(budget), |mark| Err(Fault::Changed(mark.format)))
    }

    /// Returns the key of a map.
    pub(crate) fn as_key(&self, budget: &mut Budget) -> Result<Text, Fault> {
        match self {
            Self::Text(_) | Self::Unknown => self.as_unquoted_text(budget),
            other => Err(other.instead_of("a text as a key")),
        }
    }

    /// Returns the items of a list, the keys of a map or the characters of a text. Characters of a key stay marked.
    pub(crate) fn items(&self, budget: &mut Budget) -> Result<Vec<Self>, Fault> {
        let items: Vec<_> = match self {
            Self::List(items) => items.to_vec(),
            Self::Map(entries, keys) => {
                let shown = |key: &Text| (*keys == Keys::Names).then(|| Arc::clone(key));
                entries.keys().map(|key| Self::piece(Arc::clone(key), Origin::Key(shown(key)))).collect()
            }
            Self::Text(_) => {
                let (text, key) = (self.as_unquoted_text(budget)?, self.key());
                budget.spend(text.len())?;
                text.chars().map(|c| Self::text(c.to_string()).keyed(key)).collect()
            }
            Self::Unknown => return Err(Fault::NotKnown),
            Self::Bytes(_) => return Err(Fault::NotUtf8),
            other => return Err(other.instead_of("a list, a map or a text")),
        };
        budget.spend(items.len())?;
        Ok(items)
    }

    /// Returns the error that another type is needed.
    pub(crate) fn instead_of(&self, wanted: &'static str) -> Fault {
        Fault::Wrong { wanted, found: self.describe() }
    }

    /// Names the type, for an error.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Self::Undefined | Self::Unknown => "what is not defined",
            Self::None => "none",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::Bytes(_) => "a value that is not UTF-8",
            Self::List(_) => "a list",
            Self::Map(..) => "a map",
        }
    }
}

fn ensure_known(pieces: &[Piece]) -> Result<(), Fault> {
    let is_unknown = pieces.iter().any(|piece| matches!(piece.origin, Origin::Unknown(_)));
    if is_unknown { Err(Fault::NotKnown) } else { Ok(()) }
}

fn concatenated(pieces: &[Piece], budget: &mut Budget) -> Result<Text, Fault> {
    budget.spend(pieces.len())?;
    ensure_known(pieces)?;
    if let [piece] = pieces {
        return Ok(Arc::clone(&piece.text));
    }
    budget.spend_text(pieces.iter().map(|piece| piece.text.len()).sum())?;
    Ok(pieces.iter().map(|piece| piece.text.as_ref()).collect::<String>().into())
}

/// Counts the digits of a number from the first to the last that is not zero. It works for numbers of any size.
fn significant_digits(number: &str) -> usize {
    let digits = number.split(['e', 'E']).next().unwrap_or_default();
    let digits = digits.trim_matches(|c: char| !matches!(c, '1'..='9'));
    digits.bytes().filter(u8::is_ascii_digit).count()
}
