//! The operators. They do not convert types: a text is not a number.

use std::cmp::Ordering;
use std::sync::Arc;

use minijinja::machinery::ast::{BinOpKind, CompareOpKind};

use crate::budget::Budget;
use crate::error::Fault;
use crate::value::{Number, Piece, Value};

/// Calculates, joins or repeats.
pub(crate) fn calculate(
    how: BinOpKind,
    left: &Value,
    right: &Value,
    budget: &mut Budget,
) -> Result<Value, Fault> {
    match (how, left, right) {
        (BinOpKind::Add, Value::Text(_), Value::Unknown) => {
            return joined(left.pieces(), &[Piece::unknown()], budget);
        }
        (BinOpKind::Add, Value::Unknown, Value::Text(_)) => {
            return joined(&[Piece::unknown()], right.pieces(), budget);
        }
        _ => {}
    }
    if let (Some(left), Some(right)) = (left.as_number()?, right.as_number()?) {
        return match (left, right) {
            (Number::Integer(left), Number::Integer(right)) => of_integers(how, left, right),
            _ => of_floats(how, left.as_float(), right.as_float()),
        };
    }
    match (how, left, right) {
        (BinOpKind::Add, Value::Text(left), Value::Text(right)) => joined(left, right, budget),
        (BinOpKind::Add, Value::List(left), Value::List(right)) => {
            budget.spend(left.len() + right.len())?;
            Ok(Value::list([left.as_slice(), right.as_slice()].concat()))
        }
        (BinOpKind::Mul, value, times @ Value::Number(_))
        | (BinOpKind::Mul, times @ Value::Number(_), value) => {
            let times = times.as_integer()?.ok_or_else(|| times.instead_of("a whole number"))?;
            repeated(value, usize::try_from(times.max(0)).unwrap_or(usize::MAX), budget)
        }
        (_, Value::Bytes(_), _) | (_, _, Value::Bytes(_)) => Err(Fault::NotUtf8),
        (_, left, right) => Err(Fault::Mixed { left: left.describe(), right: right.describe() }),
    }
}

fn joined(left: &[Piece], right: &[Piece], budget: &mut Budget) -> Result<Value, Fault> {
    budget.spend(left.len() + right.len())?;
    budget.spend_text(left.iter().chain(right).map(|piece| piece.text.len()).sum())?;
    Ok(Value::Text(Arc::new([left, right].concat())))
}

fn of_integers(how: BinOpKind, left: i128, right: i128) -> Result<Value, Fault> {
    let whole = match how {
        BinOpKind::Add => left.checked_add(right),
        BinOpKind::Sub => left.checked_sub(right),
        BinOpKind::Mul => left.checked_mul(right),
        BinOpKind::FloorDiv => div_mod_floor(left, right).map(|(quotient, _)| quotient),
        BinOpKind::Rem => div_mod_floor(left, right).map(|(_, rest)| rest),
        BinOpKind::Pow if right >= 0 => {
            u32::try_from(right).ok().and_then(|exponent| left.checked_pow(exponent))
        }
        _ => return of_floats(how, Number::Integer(left).as_float(), Number::Integer(right).as_float()),
    };
    whole.map(Value::integer).ok_or(Fault::Calculation)
}

fn of_floats(how: BinOpKind, left: f64, right: f64) -> Result<Value, Fault> {
    let result = match how {
        BinOpKind::Add => left + right,
        BinOpKind::Sub => left - right,
        BinOpKind::Mul => left * right,
        BinOpKind::Div => left / right,
        BinOpKind::FloorDiv => float_div_mod(left, right).0,
        BinOpKind::Rem => float_div_mod(left, right).1,
        _ => left.powf(right),
    };
    // A division by zero is not finite.
    if result.is_finite() { Ok(Value::float(result)) } else { Err(Fault::Calculation) }
}

/// Divides and rounds down, as `float_divmod` of CPython does: the remainder is exact, and the quotient fits it.
fn float_div_mod(left: f64, right: f64) -> (f64, f64) {
    let rest = left % right;
    let rest = if rest != 0.0 && (rest < 0.0) != (right < 0.0) { rest + right } else { rest };
    let quotient = (left - rest) / right;
    let whole = quotient.floor();
    (if quotient - whole > 0.5 { whole + 1.0 } else { whole }, rest)
}

/// Divides and rounds down, as Python does: the remainder has the sign of the divisor.
fn div_mod_floor(left: i128, right: i128) -> Option<(i128, i128)> {
    let (quotient, rest) = (left.checked_div(right)?, left.checked_rem(right)?);
    let is_below = rest != 0 && (rest < 0) != (right < 0);
    Some(if is_below { (quotient - 1, rest + right) } else { (quotient, rest) })
}

fn repeated(value: &Value, times: usize, budget: &mut Budget) -> Result<Value, Fault> {
    match value {
        Value::Text(_) => {
            let text = value.as_unquoted_text(budget)?;
            budget.spend_text(text.len().saturating_mul(times))?;
            Ok(Value::text(text.repeat(times)).keyed(value.key()))
        }
        Value::List(items) if items.is_empty() => Ok(value.clone()),
        Value::List(items) => {
            budget.spend(items.len().saturating_mul(times))?;
            Ok(Value::list(std::iter::repeat_n(items.iter(), times).flatten().cloned().collect()))
        }
        Value::Bytes(_) => Err(Fault::NotUtf8),
        other => Err(Fault::Mixed { left: other.describe(), right: "a number" }),
    }
}

/// Returns the number with the other sign.
pub(crate) fn negated(value: &Value) -> Result<Value, Fault> {
    match value.as_number()? {
        Some(Number::Integer(number)) => number.checked_neg().map(Value::integer).ok_or(Fault::Calculation),
        Some(Number::Float(number)) => Ok(Value::float(-number)),
        None => Err(value.instead_of("a number behind the `-`")),
    }
}

/// Says whether a comparison holds.
pub(crate) fn compare(
    left: &Value,
    how: CompareOpKind,
    right: &Value,
    budget: &mut Budget,
) -> Result<bool, Fault> {
    Ok(match how {
        CompareOpKind::Eq => equal(left, right, budget)?,
        CompareOpKind::Ne => !equal(left, right, budget)?,
        CompareOpKind::In => contains(right, left, budget)?,
        CompareOpKind::NotIn => !contains(right, left, budget)?,
        CompareOpKind::Lt => order(left, right, budget)?.is_lt(),
        CompareOpKind::Lte => order(left, right, budget)?.is_le(),
        CompareOpKind::Gt => order(left, right, budget)?.is_gt(),
        CompareOpKind::Gte => order(left, right, budget)?.is_ge(),
    })
}

/// Says whether two values are equal. Comparing values that can never be equal, such as a text and a number, is an error. Only none
/// equals none.
fn equal(left: &Value, right: &Value, budget: &mut Budget) -> Result<bool, Fault> {
    budget.spend(1)?;
    match (left, right) {
        (Value::Unknown, _) | (_, Value::Unknown) => Err(Fault::NotKnown),
        (Value::None, other) | (other, Value::None) => Ok(matches!(other, Value::None)),
        (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
        (Value::Number(one), Value::Number(other)) => Ok(one == other || order(left, right, budget)?.is_eq()),
        (Value::Text(_), Value::Text(_)) => Ok(order(left, right, budget)?.is_eq()),
        (Value::Bytes(left), Value::Bytes(right)) => {
            budget.spend_text(left.len().min(right.len()))?;
            Ok(left == right)
        }
        (Value::Bytes(_), Value::Text(_)) | (Value::Text(_), Value::Bytes(_)) => Ok(false),
        (Value::List(left), Value::List(right)) if left.len() == right.len() => {
            all(left.iter().zip(right.iter()), |(left, right)| equal(left, right, budget))
        }
        // Keys are distinct, so maps of one size are equal if one has the entries of the other.
        (Value::Map(left, _), Value::Map(right, _)) if left.len() == right.len() => {
            all(left.iter(), |(key, value)| {
                right.get(key).map_or(Ok(false), |other| equal(value, other, budget))
            })
        }
        (Value::List(_), Value::List(_)) | (Value::Map(..), Value::Map(..)) => Ok(false),
        _ => Err(Fault::NeverEqual { left: left.describe(), right: right.describe() }),
    }
}

/// Says whether all items hold. It stops at the first that does not.
fn all<T>(
    items: impl Iterator<Item = T>,
    mut holds: impl FnMut(T) -> Result<bool, Fault>,
) -> Result<bool, Fault> {
    for item in items {
        if !holds(item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Orders numbers by size, and texts by their bytes.
fn order(left: &Value, right: &Value, budget: &mut Budget) -> Result<Ordering, Fault> {
    let no_order = || Fault::NoOrder { left: left.describe(), right: right.describe() };
    if let (Value::Text(_), Value::Text(_)) = (left, right) {
        let (left, right) = (left.as_text(budget)?, right.as_text(budget)?);
        budget.spend_text(left.len().min(right.len()))?;
        return Ok(left.cmp(&right));
    }
    let (Some(left), Some(right)) = (left.as_number()?, right.as_number()?) else { return Err(no_order()) };
    left.partial_cmp(right).ok_or_else(no_order)
}

/// Says whether a list has an item, a map a key, or a text a part.
fn contains(container: &Value, value: &Value, budget: &mut Budget) -> Result<bool, Fault> {
    match (container, value) {
        (Value::Unknown, _) | (_, Value::Unknown) => Err(Fault::NotKnown),
        (Value::List(items), value) => {
            all(items.iter(), |item| equal(value, item, budget).map(|equal| !equal)).map(|all| !all)
        }
        (Value::Map(..), Value::Text(_)) => {
            Ok(!matches!(container.get(&value.as_text(budget)?), Value::Undefined))
        }
        (Value::Text(_), Value::Text(_)) => {
            let (text, part) = (container.as_text(budget)?, value.as_text(budget)?);
            budget.spend_text(text.len() + part.len())?;
            Ok(text.contains(part.as_ref()))
        }
        (Value::Bytes(_), _) | (Value::Text(_) | Value::Map(..), Value::Bytes(_)) => Err(Fault::NotUtf8),
        (Value::Text(_) | Value::Map(..), value) => Err(value.instead_of("a text before the `in`")),
        _ => Err(container.instead_of("a list, a map or a text behind the `in`")),
    }
}
