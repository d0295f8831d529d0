//! The functions and tests that a template may use.

use super::budget::Budget;
use super::error::{Fault, Refusal};
use super::value::{List, Value};

/// The functions there are.
pub(super) const NAMES: [&str; 1] = ["range"];

/// How many arguments a function takes, at the least and at the most.
pub(super) const ARITY: (usize, usize) = (1, 3);

/// The tests there are.
pub(super) const TESTS: [&str; 8] =
    ["defined", "even", "mapping", "none", "number", "odd", "string", "undefined"];

/// The most numbers of a range.
const LONGEST_RANGE: usize = 100_000;

/// The numbers from one to before another. Far from where counting them overflows.
pub(super) fn range(arguments: &[Value], budget: &mut Budget) -> Result<Value, Fault> {
    let number = |value: &Value| match value.calculable()? {
        Value::Int(number) => {
            i32::try_from(number).map(i128::from).map_err(|_| Refusal::NoRangeNumber.into())
        }
        _ => Err(Fault::from(Refusal::NoRangeNumber)),
    };
    let (first, end, step) = match arguments {
        [] => return Err(Fault::MissingArgument),
        [end] => (0, number(end)?, 1),
        [first, end] => (number(first)?, number(end)?, 1),
        [first, end, step] => (number(first)?, number(end)?, number(step)?),
        _ => return Err(Fault::TooManyArguments),
    };
    if step == 0 {
        return Err(Refusal::NoRangeStep.into());
    }
    let length = (end - first + step - step.signum()) / step;
    let length = usize::try_from(length).unwrap_or_default();
    if length > LONGEST_RANGE {
        return Err(Refusal::LongRange { most: LONGEST_RANGE }.into());
    }
    budget.spend(length)?;
    let numbers = std::iter::successors(Some(first), |number| Some(number + step));
    Ok(Value::List(List::of(numbers.take(length).map(Value::Int).collect())?))
}

/// Says whether a value is what a test asks for.
pub(super) fn test(name: &str, value: &Value) -> Result<bool, Fault> {
    Ok(match (name, value) {
        ("even" | "odd", Value::Written(_)) => return test(name, &value.calculable()?),
        ("defined", _) => !matches!(value, Value::Undefined),
        ("undefined", _) => matches!(value, Value::Undefined),
        ("none", _) => matches!(value, Value::None),
        ("string", _) => value.text_of().is_some(),
        ("number", _) => value.is_number(),
        ("mapping", _) => matches!(value, Value::Map(_)),
        ("even", Value::Int(number)) => number % 2 == 0,
        ("odd", Value::Int(number)) => number % 2 != 0,
        ("even" | "odd", _) => return Err(Fault::NotWhole),
        _ => return Err(Fault::Other),
    })
}
