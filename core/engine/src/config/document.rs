//! Parses TOML into a tree of values.

use std::ops::Range;
use std::path::Path;

use secretdir_provider::{KeyPath, Segment, Table, Value};
use toml::Spanned;
use toml::de::{DeFloat, DeInteger, DeTable, DeValue};

use super::positions::{LineStarts, Positions};
use super::syntax;
use crate::problem::{ConfigError, Problem};
use secretdir_helpers::Position;

/// Parses a text. Returns its values, and the position of each.
pub(super) fn read(text: &str, file: &Path) -> Result<(Table, Positions), ConfigError> {
    let starts = LineStarts::of(text.as_bytes());
    let (document, errors) = DeTable::parse_recoverable(text);
    ConfigError::unless_empty(syntax::problems(text, file, &starts, &errors))?;
    let mut reader = Reader { file, starts, path: Vec::new(), problems: Vec::new() };
    let mut positions = Positions::at(Position::START);
    let table = reader.table(document.get_ref(), &mut positions);
    ConfigError::unless_empty(reader.problems)?;
    Ok((table, positions))
}

/// The walk through a document.
struct Reader<'f> {
    file: &'f Path,
    starts: LineStarts<'f>,
    path: Vec<Step<'f>>,
    problems: Vec<Problem>,
}

/// A step down in a document. It is converted to a segment only for a message.
#[derive(Clone, Copy)]
enum Step<'f> {
    Key(&'f str),
    Index(usize),
}

impl From<Step<'_>> for Segment {
    fn from(step: Step<'_>) -> Self {
        match step {
            Step::Key(key) => Self::Key(key.to_owned()),
            Step::Index(index) => Self::Index(index),
        }
    }
}

impl<'f> Reader<'f> {
    fn table(&mut self, table: &'f DeTable<'f>, positions: &mut Positions) -> Table {
        let mut read = Table::new();
        positions.reserve_keys(table.len());
        for (key, value) in table {
            let name = key.get_ref();
            let (value, below) = self.below(Step::Key(name), key.span(), value);
            positions.push_key(name.to_string(), below);
            read.insert(name.to_string(), value);
        }
        read
    }

    fn below(
        &mut self,
        step: Step<'f>,
        span: Range<usize>,
        value: &'f Spanned<DeValue<'f>>,
    ) -> (Value, Positions) {
        let mut positions = Positions::at(self.starts.position(span.start));
        self.path.push(step);
        let value = self.value(value, &mut positions);
        self.path.pop();
        (value, positions)
    }

    fn value(&mut self, value: &'f Spanned<DeValue<'f>>, positions: &mut Positions) -> Value {
        match value.get_ref() {
            DeValue::Boolean(flag) => Value::Boolean(*flag),
            DeValue::Integer(number) => self.number(integer(number), positions),
            DeValue::Float(number) => self.number(float(number), positions),
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Datetime(date) => Value::String(date.to_string()),
            DeValue::Table(table) => Value::Table(self.table(table, positions)),
            DeValue::Array(elements) => {
                let mut read = Vec::with_capacity(elements.len());
                for (index, value) in elements.iter().enumerate() {
                    let (value, below) = self.below(Step::Index(index), value.span(), value);
                    positions.push_element(below);
                    read.push(value);
                }
                Value::Array(read)
            }
        }
    }

    fn number(&mut self, number: Option<Value>, positions: &Positions) -> Value {
        number.unwrap_or_else(|| {
            let path: Vec<Segment> = self.path.iter().copied().map(Segment::from).collect();
            let path = KeyPath::from(path.as_slice());
            let message = "the number does not fit into 64 bits";
            self.problems.push(Problem::new(self.file, Some(positions.own()), path, message));
            Value::Integer(0)
        })
    }
}

fn integer(number: &DeInteger<'_>) -> Option<Value> {
    i64::from_str_radix(number.as_str(), number.radix()).ok().map(Value::Integer)
}

/// Parses a floating-point number. A number that overflows to infinity does not fit.
fn float(number: &DeFloat<'_>) -> Option<Value> {
    let text = number.as_str();
    let number = text.parse::<f64>().ok()?;
    (number.is_finite() || text.contains("inf") || text.contains("nan")).then_some(Value::Float(number))
}
