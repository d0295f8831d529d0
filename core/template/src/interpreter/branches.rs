//! The branches of an `if`, and the turns of a loop.

use std::collections::BTreeMap;

use minijinja::machinery::ast::{Expr, ForLoop};

use super::{Done, Interpreter};
use crate::error::Fault;
use crate::output::Output;
use crate::value::{Keys, Value};

/// The longest list of which a check takes all items.
const LONGEST_CHECKED: usize = 8;

/// Inside this many scopes, a check takes only one turn of a loop.
const DEEPEST_CHECKED: usize = 5;

impl<'t> Interpreter<'t> {
    /// Takes one of two branches. A check takes both. If it knows which one is taken, it drops the output of the other.
    pub(super) fn branch(
        &mut self,
        holds: Option<bool>,
        taken: impl FnOnce(&mut Self) -> Done,
        other: impl FnOnce(&mut Self) -> Done,
    ) -> Done {
        match holds.filter(|_| self.check.is_none()) {
            Some(true) => return taken(self),
            Some(false) => return other(self),
            None => {}
        }
        self.budget
            .spend(self.scopes.iter().map(BTreeMap::len).sum::<usize>() + self.output.piece_count())?;
        let (scopes, output) = (self.scopes.clone(), self.output.clone());
        self.way(holds != Some(false), taken)?;
        let scopes = std::mem::replace(&mut self.scopes, scopes);
        let output = std::mem::replace(&mut self.output, output);
        self.way(holds != Some(true), other)?;
        self.output.merge(output);
        for (scope, others) in self.scopes.iter_mut().zip(scopes) {
            for (name, other) in others {
                let known = scope.remove(name).unwrap_or(Value::Undefined);
                scope.insert(name, other.or(known));
            }
        }
        Ok(())
    }

    fn way(&mut self, is_printed: bool, way: impl FnOnce(&mut Self) -> Done) -> Done {
        if !is_printed {
            self.output = Output::of_nothing();
        }
        way(self)
    }

    /// Evaluates one of two expressions. A check evaluates both.
    pub(super) fn evaluate_both(
        &mut self,
        holds: Option<bool>,
        taken: impl FnOnce(&mut Self) -> Done<Value>,
        other: impl FnOnce(&mut Self) -> Done<Value>,
    ) -> Done<Value> {
        match holds.filter(|_| self.check.is_none()) {
            Some(true) => taken(self),
            Some(false) => other(self),
            None => {
                let (taken, other) = (taken(self)?, other(self)?);
                Ok(holds.map_or(taken.clone().or(other.clone()), |holds| if holds { taken } else { other }))
            }
        }
    }

    /// Says whether an `if` is taken, or `None` if a check cannot know. A name without a value, such as that of an optional secret, is
    /// false. A missing part is an error.
    pub(super) fn condition(&mut self, expression: &Expr<'t>) -> Done<Option<bool>> {
        let value = self.maybe(expression)?;
        match value.is_true(&mut self.budget) {
            Err(Fault::NotKnown) => Ok(None),
            holds => Ok(Some(holds?)),
        }
    }

    pub(super) fn repeat(&mut self, repeated: &ForLoop<'t>) -> Done {
        if repeated.recursive {
            self.refuse(repeated.iter.span(), Fault::Recursive)?;
        }
        let list = self.value(&repeated.iter)?;
        let items = match list.items(&mut self.budget) {
            Ok(items) => Some(items),
            Err(Fault::NotKnown) => None,
            Err(fault) => {
                self.refuse(repeated.iter.span(), fault)?;
                None
            }
        };
        let otherwise =
            |it: &mut Self| it.in_scope(repeated.iter.span(), |it| it.statements(&repeated.else_body));
        match items {
            Some(items) if self.check.is_none() => {
                let items = self.filtered_items(items, repeated)?;
                if items.is_empty() { otherwise(self) } else { self.turns(items, repeated) }
            }
            Some(items) if items.is_empty() => {
                self.branch(Some(false), |it| it.unknown_turns(1, repeated), otherwise)
            }
            Some(items) if items.len() <= LONGEST_CHECKED => {
                self.branch(Some(true), |it| it.turns(items, repeated), otherwise)
            }
            _ if self.scopes.len() > DEEPEST_CHECKED => {
                self.branch(None, |it| it.unknown_turns(1, repeated), otherwise)
            }
            _ => self.branch(
                None,
                |it| it.branch(None, |it| it.unknown_turns(1, repeated), |it| it.unknown_turns(2, repeated)),
                otherwise,
            ),
        }
    }

    fn turns(&mut self, items: Vec<Value>, repeated: &ForLoop<'t>) -> Done {
        let length = items.len();
        let mut items = items.into_iter().enumerate();
        items.try_for_each(|(index, item)| {
            let numbers = [index + 1, index, length - index, length - index - 1, length].map(Value::integer);
            self.turn(item, position(index == 0, index + 1 == length, numbers), repeated)
        })
    }

    /// Takes this many turns with unknown items.
    fn unknown_turns(&mut self, length: usize, repeated: &ForLoop<'t>) -> Done {
        (1..=length).try_for_each(|turn| {
            let numbers = [(); 5].map(|()| Value::Unknown);
            self.turn(Value::Unknown, position(turn == 1, turn == length, numbers), repeated)
        })
    }

    fn turn(&mut self, item: Value, turn: Value, repeated: &ForLoop<'t>) -> Done {
        self.in_scope(repeated.iter.span(), |it| {
            it.assign(&repeated.target, item)?;
            if let (Some(condition), Some(_)) = (&repeated.filter_expr, &it.check) {
                it.condition(condition)?;
            }
            it.scopes.last_mut().map(|scope| scope.insert("loop", turn));
            it.statements(&repeated.body)
        })
    }

    /// Returns the items for which the condition of a loop holds, if it has one.
    fn filtered_items(&mut self, items: Vec<Value>, repeated: &ForLoop<'t>) -> Done<Vec<Value>> {
        let Some(condition) = &repeated.filter_expr else { return Ok(items) };
        let mut filtered_items = Vec::new();
        for item in items {
            self.in_scope(condition.span(), |it| {
                it.assign(&repeated.target, item.clone())?;
                filtered_items.extend((it.condition(condition)? == Some(true)).then_some(item));
                Ok(())
            })?;
        }
        Ok(filtered_items)
    }
}

/// Returns the map `loop`: whether this turn is the first and the last, and its numbers.
fn position(is_first: bool, is_last: bool, numbers: [Value; 5]) -> Value {
    let names = ["index", "index0", "revindex", "revindex0", "length", "first", "last"].map(Into::into);
    let flags = [is_first, is_last].map(Value::Bool);
    Value::map(names.into_iter().zip(numbers.into_iter().chain(flags)), Keys::Names)
}
