//! Parts of lists, maps and texts: `x.a`, `x["a"]`, `x[0]`, `x[1:3]`.

use minijinja::machinery::ast::{Expr, Slice};

use super::{Done, Interpreter};
use crate::error::Fault;
use crate::value::{Origin, Value};

impl<'t> Interpreter<'t> {
    pub(super) fn attribute(&mut self, object: &Expr<'t>, name: &str) -> Done<Value> {
        let value = self.value(object)?;
        self.budget.spend(value.pieces().len())?;
        has_parts(&value, object)?;
        Ok(value.get(name))
    }

    /// Returns the part with this key: a text is a key of a map, a number the index of an item. A negative index counts from the end.
    pub(super) fn item(&mut self, object: &Expr<'t>, key: &Expr<'t>) -> Done<Value> {
        let (value, key) = (self.value(object)?, self.value(key)?);
        if let Value::Text(_) = key {
            self.budget.spend(value.pieces().len())?;
            has_parts(&value, object)?;
            return Ok(value.get(&key.as_text(&mut self.budget)?));
        }
        let index = key.as_integer()?;
        let picked = match (&value, index) {
            // Only this item is cloned.
            (Value::List(items), Some(index)) => pick(items, index),
            (Value::Text(_), Some(index)) => pick(&value.items(&mut self.budget)?, index),
            (Value::Unknown, _) => return Err(Fault::NotKnown.into()),
            (Value::Bytes(_), _) => return Err(Fault::NotUtf8.into()),
            _ => None,
        };
        Ok(picked.unwrap_or(Value::Undefined))
    }

    /// Slices as Python does: negative bounds count from the end, and bounds outside are clamped.
    pub(super) fn slice(&mut self, slice: &Slice<'t>) -> Done<Value> {
        let whole = self.value(&slice.expr)?;
        let (start, stop, step) =
            (self.bound(&slice.start)?, self.bound(&slice.stop)?, self.bound(&slice.step)?);
        let step = usize::try_from(step.unwrap_or(1)).ok().filter(|step| *step > 0);
        let step = step.ok_or(Fault::Wrong { wanted: "a step of at least 1", found: "a smaller number" })?;
        if let Value::Map(..) = whole {
            return Err(whole.instead_of("a list or a text to slice").into());
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
            text.push_str(&item.as_text(&mut self.budget)?);
        }
        Ok(Value::text(text).keyed(whole.key()))
    }

    fn bound(&mut self, bound: &Option<Expr<'t>>) -> Done<Option<i128>> {
        match bound.as_ref().map_or(Ok(Value::None), |bound| self.value(bound))? {
            Value::None => Ok(None),
            bound => match bound.as_integer()? {
                None => Err(bound.instead_of("a whole number as a bound").into()),
                number => Ok(number),
            },
        }
    }
}

/// Reports that a declared text has no parts. A check knows that without a value.
fn has_parts(value: &Value, object: &Expr<'_>) -> Result<(), Fault> {
    let is_declared = value.pieces().iter().any(|piece| matches!(piece.origin, Origin::Unknown(None)));
    match object {
        Expr::Var(of) if is_declared => Err(Fault::NoParts(of.id.to_owned())),
        _ if is_declared || matches!(value, Value::Unknown) => Err(Fault::NotKnown),
        _ => Ok(()),
    }
}

fn pick(items: &[Value], index: i128) -> Option<Value> {
    from_start(index, items.len()).and_then(|index| items.get(index).cloned())
}

fn from_start(index: i128, length: usize) -> Option<usize> {
    let from_end = if index < 0 { i128::try_from(length).ok()? } else { 0 };
    usize::try_from(index.checked_add(from_end)?).ok()
}
