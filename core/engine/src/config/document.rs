//! TOML into a tree of values.

use std::ops::Range;
use std::path::Path;

use secretdir_provider::{KeyPath, Segment, Table, Value};
use toml::Spanned;
use toml::de::{DeFloat, DeInteger, DeTable, DeValue};

use super::lines::{LineStarts, Lines};
use super::syntax;
use crate::problem::{ConfigError, Problem};

/// Reads a text: its values, and the line of each.
pub(super) fn read(text: &str, file: &Path) -> Result<(Table, Lines), ConfigError> {
    let starts = LineStarts::of(text.as_bytes());
    let (document, errors) = DeTable::parse_recoverable(text);
    ConfigError::unless_empty(syntax::problems(text, file, &starts, &errors))?;
    let mut reader = Reader { file, starts, lines: Lines::default(), path: Vec::new(), problems: Vec::new() };
    let table = reader.table(document.get_ref());
    ConfigError::unless_empty(reader.problems)?;
    Ok((table, reader.lines))
}

/// The walk through a document.
struct Reader<'f> {
    file: &'f Path,
    starts: LineStarts,
    lines: Lines,
    path: Vec<Segment>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>) -> Table {
        let mut read = Table::new();
        for (key, value) in table {
            let name = key.get_ref().to_string();
            let value = self.below(Segment::Key(name.clone()), key.span(), value);
            read.insert(name, value);
        }
        read
    }

    fn below(&mut self, segment: Segment, span: Range<usize>, value: &Spanned<DeValue<'_>>) -> Value {
        self.path.push(segment);
        self.lines.insert(&self.path, self.starts.line(span.start));
        let value = self.value(value);
        self.path.pop();
        value
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>) -> Value {
        match value.get_ref() {
            DeValue::Boolean(flag) => Value::Boolean(*flag),
            DeValue::Integer(number) => self.number(integer(number)),
            DeValue::Float(number) => self.number(float(number)),
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Datetime(date) => Value::String(date.to_string()),
            DeValue::Table(table) => Value::Table(self.table(table)),
            DeValue::Array(elements) => {
                let elements = elements.iter().enumerate();
                Value::Array(
                    elements
                        .map(|(index, value)| self.below(Segment::Index(index), value.span(), value))
                        .collect(),
                )
            }
        }
    }

    fn number(&mut self, number: Option<Value>) -> Value {
        number.unwrap_or_else(|| {
            let path = KeyPath::from(self.path.as_slice());
            let line = self.lines.of(&path);
            self.problems.push(Problem::new(
                self.file,
                Some(line),
                path,
                "the number does not fit into 64 bits",
            ));
            Value::Integer(0)
        })
    }
}

fn integer(number: &DeInteger<'_>) -> Option<Value> {
    i64::from_str_radix(number.as_str(), number.radix()).ok().map(Value::Integer)
}

/// Reads a fraction. One that only becomes infinite because it is so large does not fit.
fn float(number: &DeFloat<'_>) -> Option<Value> {
    let text = number.as_str();
    let number = text.parse::<f64>().ok()?;
    (number.is_finite() || text.contains("inf") || text.contains("nan")).then_some(Value::Float(number))
}
