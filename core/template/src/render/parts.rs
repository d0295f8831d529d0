//! Parts of lists, maps and texts: `x.a`, `x["a"]`, `x[0]`, `x[1:3]`, and the items that a loop goes through.

use minijinja::machinery::ast::{Expr, Slice};

use super::super::budget::Budget;
use super::super::error::{Fault, Refusal, TemplateError};
use super::super::value::{List, Value};
use super::Renderer;

impl<'t> Renderer<'t> {
    /// Returns the part of this name.
    pub(super) fn named_part(&mut self, whole: &Value, name: &str) -> Result<Value, Fault> {
        match whole {
            Value::Map(map) => map.get(name, &mut self.budget),
            Value::Loop { index, length } => Ok(part_of_loop(*index, *length, name)),
            _ => Ok(Value::Undefined),
        }
    }

    /// Returns the part that a value picks: a text the value of a map, a number an item. Below zero it counts from the end.
    pub(super) fn part(&mut self, whole: &Value, key: &Value) -> Result<Value, Fault> {
        let part = self.plain_part(&whole.plain(), key)?;
        Ok(if whole.is_key() { part.keyed() } else { part })
    }

    fn plain_part(&mut self, whole: &Value, key: &Value) -> Result<Value, Fault> {
        match (whole, &key.calculable()?) {
            (_, Value::Text(name)) => self.named_part(whole, name),
            (Value::List(list), Value::Int(index)) => {
                let index = from_start(*index, list.items().len());
                Ok(index.and_then(|index| list.items().get(index).cloned()).unwrap_or(Value::Undefined))
            }
            (Value::Text(text), Value::Int(index)) => {
                let items = characters(text, &mut self.budget)?;
                let index = from_start(*index, items.len());
                Ok(index.and_then(|index| items.get(index).cloned()).unwrap_or(Value::Undefined))
            }
            (Value::Bytes(_), _) => Err(Refusal::NotUtf8.into()),
            _ => Ok(Value::Undefined),
        }
    }

    /// Returns what a loop goes through: the items of a list, the keys of a map, the characters of a text.
    pub(super) fn items(&mut self, expression: &Expr<'t>) -> Result<Vec<Value>, TemplateError> {
        let value = self.value(expression)?;
        let items = items(&value, &mut self.budget);
        self.placed(expression.span(), items)
    }

    /// Returns a part of a list or a text, from one place to before another.
    pub(super) fn slice(&mut self, slice: &Slice<'t>) -> Result<Value, TemplateError> {
        let whole = self.value(&slice.expr)?;
        let start = self.bound(slice.start.as_ref())?;
        let stop = self.bound(slice.stop.as_ref())?;
        let step = self.bound(slice.step.as_ref())?;
        let cut = cut(&whole, [start, stop, step], &mut self.budget);
        self.placed(slice.expr.span(), cut)
    }

    fn bound(&mut self, bound: Option<&Expr<'t>>) -> Result<Option<i128>, TemplateError> {
        let Some(bound) = bound else { return Ok(None) };
        let value = self.value(bound)?;
        match self.placed(bound.span(), value.calculable())? {
            Value::Int(number) => Ok(Some(number)),
            Value::None => Ok(None),
            _ => Err(self.error(bound.span(), Fault::Operation)),
        }
    }
}

fn part_of_loop(index: usize, length: usize, name: &str) -> Value {
    match name {
        "index" => Value::count(index + 1),
        "index0" => Value::count(index),
        "revindex" => Value::count(length - index),
        "revindex0" => Value::count(length - index - 1),
        "length" => Value::count(length),
        "first" => Value::Bool(index == 0),
        "last" => Value::Bool(index + 1 == length),
        _ => Value::Undefined,
    }
}

fn from_start(index: i128, length: usize) -> Option<usize> {
    let from_end = if index < 0 { i128::try_from(length).ok()? } else { 0 };
    usize::try_from(index.checked_add(from_end)?).ok()
}

fn items(value: &Value, budget: &mut Budget) -> Result<Vec<Value>, Fault> {
    match value {
        Value::List(list) => {
            budget.spend(list.items().len())?;
            Ok(list.items().to_vec())
        }
        Value::Map(map) => {
            budget.spend(map.entries().len())?;
            Ok(map.entries().iter().map(|(key, _)| Value::Key(key.clone())).collect())
        }
        Value::Text(text) | Value::Quoted(text, _) => characters(text, budget),
        Value::Key(text) => Ok(characters(text, budget)?.into_iter().map(Value::keyed).collect()),
        Value::Bytes(_) => Err(Refusal::NotUtf8.into()),
        _ => Err(Fault::NotIterable),
    }
}

fn characters(text: &str, budget: &mut Budget) -> Result<Vec<Value>, Fault> {
    budget.spend(text.len())?;
    Ok(text.chars().map(|c| Value::text(c.encode_utf8(&mut [0; 4]))).collect())
}

/// Cuts as Python does: bounds below zero count from the end, and those outside are moved to it.
fn cut(whole: &Value, [start, stop, step]: [Option<i128>; 3], budget: &mut Budget) -> Result<Value, Fault> {
    let step = usize::try_from(step.unwrap_or(1)).ok().filter(|step| *step > 0).ok_or(Fault::Operation)?;
    if !matches!(whole, Value::List(_) | Value::Bytes(_)) && whole.text_of().is_none() {
        return Err(Fault::Operation);
    }
    let items = items(whole, budget)?;
    let place = |bound: i128| match from_start(bound, items.len()) {
        Some(place) => place.min(items.len()),
        None if bound < 0 => 0,
        None => items.len(),
    };
    let (start, stop) = (place(start.unwrap_or(0)), stop.map_or(items.len(), place));
    let cut = items.get(start..stop.max(start)).unwrap_or_default().iter().step_by(step);
    if matches!(whole, Value::List(_)) {
        return Ok(Value::List(List::of(cut.cloned().collect())?));
    }
    let mut text = zeroize::Zeroizing::new(String::with_capacity(4 * items.len()));
    for item in cut {
        text.push_str(&item.as_text()?);
    }
    let text = Value::of_text(text);
    Ok(if whole.is_key() { text.keyed() } else { text })
}
