//! Operators: what they take, and what they make of it. Nothing is guessed: a text is no number.

use std::cmp::Ordering;

use zeroize::Zeroizing;

use super::budget::Budget;
use super::error::{Fault, Refusal};
use super::value::{List, Map, Mark, Value};

/// An operator of arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    DivideWhole,
    Remainder,
    Power,
}

impl Arithmetic {
    /// Calculates, joins or repeats.
    pub(super) fn apply(self, left: &Value, right: &Value, budget: &mut Budget) -> Result<Value, Fault> {
        let is_key = left.is_key() || right.is_key();
        let marks = [left, right].map(Value::marks);
        let (left, right) = (&left.calculable()?, &right.calculable()?);
        let result = self.of_plain((left, right), marks, budget)?;
        Ok(if is_key { result.keyed() } else { result })
    }

    fn of_plain(
        self,
        (left, right): (&Value, &Value),
        marks: [&[Mark]; 2],
        budget: &mut Budget,
    ) -> Result<Value, Fault> {
        match (self, left, right) {
            (_, Value::Int(left), Value::Int(right)) => self.of_whole(*left, *right),
            (_, Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => {
                self.of_floats(as_float(left), as_float(right))
            }
            (Self::Add, Value::Text(left), Value::Text(right)) => joined(left, right, marks, budget),
            (Self::Add, Value::List(left), Value::List(right)) => {
                budget.spend(left.items().len() + right.items().len())?;
                Ok(Value::List(List::of([left.items(), right.items()].concat())?))
            }
            (Self::Multiply, value, Value::Int(times)) | (Self::Multiply, Value::Int(times), value) => {
                repeated(value, usize::try_from(*times).unwrap_or_default(), budget)
            }
            (_, Value::Bytes(_), _) | (_, _, Value::Bytes(_)) => Err(Refusal::NotUtf8.into()),
            _ => Err(Fault::Mixed { left: left.describe(), right: right.describe() }),
        }
    }

    fn of_whole(self, left: i128, right: i128) -> Result<Value, Fault> {
        let whole = match self {
            Self::Add => left.checked_add(right),
            Self::Subtract => left.checked_sub(right),
            Self::Multiply => left.checked_mul(right),
            Self::DivideWhole => floor(left, right).map(|(quotient, _)| quotient),
            Self::Remainder => floor(left, right).map(|(_, rest)| rest),
            Self::Power if right >= 0 => {
                u32::try_from(right).ok().and_then(|exponent| left.checked_pow(exponent))
            }
            Self::Divide | Self::Power => {
                return self.of_floats(as_float(&Value::Int(left)), as_float(&Value::Int(right)));
            }
        };
        whole.map(Value::Int).ok_or(Fault::Calculation)
    }

    fn of_floats(self, left: f64, right: f64) -> Result<Value, Fault> {
        if right == 0.0 && matches!(self, Self::Divide | Self::DivideWhole | Self::Remainder) {
            return Err(Fault::Calculation);
        }
        let result = match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
            Self::DivideWhole => floor_floats(left, right).0,
            Self::Remainder => floor_floats(left, right).1,
            Self::Power => left.powf(right),
        };
        if result.is_finite() { Ok(Value::Float(result)) } else { Err(Fault::Calculation) }
    }
}

/// Divides downwards as `float_divmod` of CPython does: the rest is exact, and the quotient is what fits it.
fn floor_floats(left: f64, right: f64) -> (f64, f64) {
    let mut rest = left % right;
    if rest != 0.0 && (rest < 0.0) != (right < 0.0) {
        rest += right;
    }
    let quotient = (left - rest) / right;
    let whole = quotient.floor();
    (if quotient - whole > 0.5 { whole + 1.0 } else { whole }, rest)
}

/// Divides downwards, as Python does: the rest has the sign of the divisor.
fn floor(left: i128, right: i128) -> Option<(i128, i128)> {
    let (quotient, rest) = (left.checked_div(right)?, left.checked_rem(right)?);
    if rest != 0 && (rest < 0) != (right < 0) {
        Some((quotient - 1, rest + right))
    } else {
        Some((quotient, rest))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a float is as near to a whole number as floats are")]
fn as_float(value: &Value) -> f64 {
    match value {
        Value::Int(value) => *value as f64,
        Value::Float(value) => *value,
        _ => f64::NAN,
    }
}

fn joined(
    left: &str,
    right: &str,
    [of_left, of_right]: [&[Mark]; 2],
    budget: &mut Budget,
) -> Result<Value, Fault> {
    budget.spend(of_left.len() + of_right.len())?;
    let length = left.len() + right.len();
    budget.spend_text(length)?;
    let mut text = Zeroizing::new(String::with_capacity(length));
    text.push_str(left);
    text.push_str(right);
    let of_right = of_right.iter().map(|mark| mark.behind(left.len()));
    Ok(Value::quoted(text, of_left.iter().copied().chain(of_right).collect()))
}

fn repeated(value: &Value, times: usize, budget: &mut Budget) -> Result<Value, Fault> {
    match value {
        Value::Text(text) => {
            budget.spend_text(text.len().saturating_mul(times))?;
            Ok(Value::of_text(Zeroizing::new(text.repeat(times))))
        }
        Value::List(list) if list.items().is_empty() => Ok(Value::List(list.clone())),
        Value::List(list) => {
            budget.spend(list.items().len().saturating_mul(times))?;
            let items = std::iter::repeat_n(list.items(), times).flatten().cloned();
            Ok(Value::List(List::of(items.collect())?))
        }
        Value::Bytes(_) => Err(Refusal::NotUtf8.into()),
        other => Err(Fault::Mixed { left: other.describe(), right: "a number" }),
    }
}

/// Turns a number around.
pub(super) fn negated(value: &Value) -> Result<Value, Fault> {
    match value.calculable()? {
        Value::Int(value) => value.checked_neg().map(Value::Int).ok_or(Fault::Calculation),
        Value::Float(value) => Ok(Value::Float(-value)),
        _ => Err(Fault::Operation),
    }
}

/// Says whether two values are equal. What can never be equal, such as a text and a number, is a mistake; nothing but none
/// is equal to none.
pub(super) fn equal(left: &Value, right: &Value, budget: &mut Budget) -> Result<bool, Fault> {
    budget.spend(1)?;
    match (left, right) {
        (Value::Written(left), Value::Written(right)) if left == right => Ok(true),
        (Value::Written(_) | Value::Key(_) | Value::Quoted(..), _)
        | (_, Value::Written(_) | Value::Key(_) | Value::Quoted(..)) => {
            equal(&left.calculable()?, &right.calculable()?, budget)
        }
        (Value::None, Value::None) => Ok(true),
        (Value::None, _) | (_, Value::None) => Ok(false),
        (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
        (Value::Text(left), Value::Text(right)) => same(left.as_bytes(), right.as_bytes(), budget),
        (Value::Bytes(left), Value::Bytes(right)) => same(left, right, budget),
        (Value::Bytes(_), Value::Text(_)) | (Value::Text(_), Value::Bytes(_)) => Ok(false),
        (Value::List(left), Value::List(right)) => {
            let (left, right) = (left.items(), right.items());
            Ok(left.len() == right.len() && all(left.iter().zip(right), budget)?)
        }
        (Value::Map(left), Value::Map(right)) => same_entries(left, right, budget),
        (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => {
            Ok(order_of_numbers(left, right) == Some(Ordering::Equal))
        }
        _ => Err(Fault::NeverEqual { left: left.describe(), right: right.describe() }),
    }
}

fn same(left: &[u8], right: &[u8], budget: &mut Budget) -> Result<bool, Fault> {
    budget.spend_text(left.len().min(right.len()))?;
    Ok(left == right)
}

fn all<'a>(pairs: impl Iterator<Item = (&'a Value, &'a Value)>, budget: &mut Budget) -> Result<bool, Fault> {
    for (left, right) in pairs {
        if !equal(left, right, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The keys of a map are its own, so that as many of the other's make the same map.
fn same_entries(left: &Map, right: &Map, budget: &mut Budget) -> Result<bool, Fault> {
    if left.entries().len() != right.entries().len() {
        return Ok(false);
    }
    for (key, value) in left.entries() {
        let other = right.get(key, budget)?;
        if matches!(other, Value::Undefined) || !equal(value, &other, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Orders numbers by size, and texts by their bytes.
pub(super) fn order(left: &Value, right: &Value, budget: &mut Budget) -> Result<Option<Ordering>, Fault> {
    match (&left.calculable()?, &right.calculable()?) {
        (Value::Text(left), Value::Text(right)) => {
            budget.spend_text(left.len().min(right.len()))?;
            Ok(Some(left.as_str().cmp(right.as_str())))
        }
        (left @ (Value::Int(_) | Value::Float(_)), right @ (Value::Int(_) | Value::Float(_))) => {
            Ok(order_of_numbers(left, right))
        }
        _ => Err(Fault::NoOrder { left: left.describe(), right: right.describe() }),
    }
}

fn order_of_numbers(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Int(left), Value::Float(right)) => order_of_mixed(*left, *right),
        (Value::Float(left), Value::Int(right)) => order_of_mixed(*right, *left).map(Ordering::reverse),
        _ => as_float(left).partial_cmp(&as_float(right)),
    }
}

/// Compares exactly: no whole number is taken for the float that is next to it.
#[expect(clippy::cast_possible_truncation, reason = "it is whole, and small enough")]
fn order_of_mixed(left: i128, right: f64) -> Option<Ordering> {
    let is_whole = right.fract() == 0.0 && right.abs() < 1e38;
    if is_whole { Some(left.cmp(&(right as i128))) } else { as_float(&Value::Int(left)).partial_cmp(&right) }
}

/// Says whether a list has an item, a map a key, or a text a part.
pub(super) fn contains(container: &Value, value: &Value, budget: &mut Budget) -> Result<bool, Fault> {
    match (&container.plain(), &value.plain()) {
        (Value::List(list), value) => {
            for item in list.items() {
                if equal(item, value, budget)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        (Value::Map(map), Value::Text(name)) => Ok(!matches!(map.get(name, budget)?, Value::Undefined)),
        (Value::Text(text), Value::Text(part)) => {
            budget.spend_text(text.len() + part.len())?;
            Ok(text.contains(part.as_str()))
        }
        (Value::Bytes(_), _) | (Value::Text(_) | Value::Map(_), Value::Bytes(_)) => {
            Err(Refusal::NotUtf8.into())
        }
        (Value::Text(_) | Value::Map(_), value) => Err(Refusal::NotPart(value.describe()).into()),
        _ => Err(Refusal::NoList(container.describe()).into()),
    }
}
