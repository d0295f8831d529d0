//! The variables of a rendering.

use std::collections::BTreeMap;

use super::super::value::Value;

/// Variables, those of the innermost loop or `with` last. There is always one scope.
#[derive(Default)]
pub(super) struct Scopes<'t> {
    outer: BTreeMap<&'t str, Value>,
    inner: Vec<BTreeMap<&'t str, Value>>,
}

impl<'t> Scopes<'t> {
    pub(super) fn open(&mut self) {
        self.inner.push(BTreeMap::new());
    }

    pub(super) fn close(&mut self) {
        self.inner.pop();
    }

    /// Sets a variable of the innermost scope. One of the same name further out is hidden, not changed.
    pub(super) fn set(&mut self, name: &'t str, value: Value) {
        self.inner.last_mut().unwrap_or(&mut self.outer).insert(name, value);
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.inner.iter().rev().chain([&self.outer]).find_map(|scope| scope.get(name))
    }
}
