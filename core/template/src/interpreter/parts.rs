//! Parts of lists, maps and texts: `x.a`, `x["a"]`, `x[0]`, `x[1:3]`.

use minijinja::machinery::ast::{Expr, Slice};

use super::{Done, Interpreter};
use crate::budget::Budget;
use crate::error::Fault;
use crate::value::{Origin, Value};

impl<'t> Interpreter<'t> {
    pub(super) fn attribute(&mut self, whole: &Expr<'t>, name: &str) -> Done<Value> {
        let value = self.value(whole)?;
        has_parts(&value, whole)?;
        Ok(named(&value, name, &mut self.budget)?)
    }

    /// Returns the part that a value picks: a text the value of a map, a number an item. Below zero it counts from the end.
    pub(super) fn item(&mut self, whole: &Expr<'t>, key: &Expr<'t>) -> Done<Value> {
        let (value, key) = (self.value(whole)?, self.value(key)?);
        if let Value::Text(_) = key {
            has_parts(&value, whole)?;
            return Ok(named(&value, &key.as_text()?, &mut self.budget)?);
        }
        let index = key.as_whole()?;
        let picked = match (&value, index) {
            // No item is copied but this one.
            (Value::List(items), Some(index)) => pick(items, index),
            (Value::Text(_), Some(index)) => pick(&value.items(&mut self.budget)?, index),
            (Value::Unknown, _) => return Err(Fault::NotKnown.into()),
            (Value::Bytes(_), _) => return Err(Fault::NotUtf8.into()),
            _ => None,
        };
        Ok(picked.unwrap_or(Value::Undefined))
    }

    /// Cuts as Python does: bounds below zero count from the end, and those outside are moved to it.
    pub(super) fn slice(&mut self, slice: &Slice<'t>) -> Done<Value> {
        let whole = self.value(&slice.expr)?;
        let (start, stop, step) =
            (self.bound(&slice.start)?, self.bound(&slice.stop)?, self.bound(&slice.step)?);
        let step =
            usize::try_from(step.unwrap_or(1)).ok().filter(|step| *step > 0).ok_or(Fault::Operation)?;
        if let Value::Map(..) = whole {
            return Err(Fault::Operation.into());
        }
        let items = whole.items(&mut self.budget)?;
        let place = |bound: i128| match from_start(bound, items.len()) {
            Some(place) => place.min(items.len()),
            None if bound < 0 => 0,
            None => items.len(),
        };
        let (start, stop) = (place(start.unwrap_or(0)), stop.map_or(items.len(), place));
        let cut = items.get(start..stop.max(start)).unwrap_or_default().iter().step_by(step);
        if let Value::List(_) = whole {
            return Ok(Value::list(cut.cloned().collect()));
        }
        let mut text = String::new();
        for item in cut {
            text.push_str(&item.as_text()?);
        }
        Ok(Value::text(text).keyed(whole.key()))
    }

    fn bound(&mut self, bound: &Option<Expr<'t>>) -> Done<Option<i128>> {
        match bound.as_ref().map_or(Ok(Value::None), |bound| self.value(bound))? {
            Value::None => Ok(None),
            bound => bound.as_whole()?.map_or(Err(Fault::Operation.into()), |number| Ok(Some(number))),
        }
    }
}

/// A check knows of what is declared as a text that it has no parts.
fn has_parts(value: &Value, whole: &Expr<'_>) -> Result<(), Fault> {
    let is_declared = value.pieces().iter().any(|piece| matches!(piece.origin, Origin::Unknown(None)));
    match whole {
        Expr::Var(of) if is_declared => Err(Fault::NoParts(of.id.to_owned())),
        _ if is_declared || matches!(value, Value::Unknown) => Err(Fault::NotKnown),
        _ => Ok(()),
    }
}

/// Returns the part of this name.
fn named(whole: &Value, name: &str, budget: &mut Budget) -> Result<Value, Fault> {
    const OF_LOOP: [&str; 7] = ["first", "index", "index0", "last", "length", "revindex", "revindex0"];
    Ok(match (whole, name) {
        (Value::Loop { .. } | Value::Turn { .. }, _) if !OF_LOOP.contains(&name) => {
            return Err(Fault::unknown("part of `loop`", name, &OF_LOOP));
        }
        (Value::Turn { is_first, .. }, "first") => Value::Bool(*is_first),
        (Value::Turn { is_last, .. }, "last") => Value::Bool(*is_last),
        (Value::Turn { .. }, _) => return Err(Fault::NotKnown),
        (Value::Loop { index, .. }, "index") => Value::whole(index + 1),
        (Value::Loop { index, .. }, "index0") => Value::whole(index),
        (Value::Loop { index, length }, "revindex") => Value::whole(length - index),
        (Value::Loop { index, length }, "revindex0") => Value::whole(length - index - 1),
        (Value::Loop { index, .. }, "first") => Value::Bool(*index == 0),
        (Value::Loop { index, length }, "last") => Value::Bool(index + 1 == *length),
        (Value::Loop { length, .. }, _) => Value::whole(length),
        _ => return whole.get(name, budget),
    })
}

fn pick(items: &[Value], index: i128) -> Option<Value> {
    from_start(index, items.len()).and_then(|index| items.get(index).cloned())
}

fn from_start(index: i128, length: usize) -> Option<usize> {
    let from_end = if index < 0 { i128::try_from(length).ok()? } else { 0 };
    usize::try_from(index.checked_add(from_end)?).ok()
}
