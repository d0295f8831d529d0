//! Variables, and the function `secret` of the first versions.

use minijinja::machinery::ast::{CallArg, Expr};
use secretdir_helpers::nearest;

use super::{Done, Interpreter};
use crate::error::Fault;
use crate::value::Value;

/// The reserved words in a tag.
const RESERVED: [&str; 16] = [
    "and", "else", "false", "False", "if", "in", "is", "loop", "none", "None", "not", "or", "range",
    "secret", "true", "True",
];

/// Says whether a text can be the name of a value in a template: letters of ASCII, digits and `_`, with no digit first.
pub fn is_name(text: &str) -> bool {
    let begins = text.starts_with(|c: char| is_word(c) && !c.is_ascii_digit());
    begins && text.chars().all(is_word) && !RESERVED.contains(&text)
}

pub(super) fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

impl<'t> Interpreter<'t> {
    pub(super) fn variable(&mut self, name: &str) -> Done<Value> {
        let mut scopes = self.scopes.iter().enumerate().rev();
        if let Some((depth, value)) = scopes.find_map(|(depth, scope)| Some((depth, scope.get(name)?))) {
            if let (0, Some(found)) = (depth, &mut self.check) {
                found.used.insert(name.to_owned());
            }
            return Ok(value.clone());
        }
        match (name, &self.check) {
            ("range", _) => Err(Fault::NotCalled.into()),
            (_, None) => Ok(Value::Undefined),
            ("loop", _) => Err(Fault::NoLoop.into()),
            ("secret", _) => Err(Fault::NoSecrets.into()),
            _ => {
                let known = self.scopes.first().into_iter().flatten().map(|(name, _)| *name);
                // With two letters, almost any two words are near.
                let nearest = nearest(name, known).filter(|_| name.len() > 2);
                let hint = nearest.map_or(String::new(), |nearest| format!("; did you mean `{nearest}`?"));
                Err(Fault::Undeclared { name: name.to_owned(), hint }.into())
            }
        }
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        self.scopes.iter().any(|scope| scope.contains_key(name))
    }
}

/// Returns the declaration of a secret, from the arguments of the function of the first versions.
pub(super) fn declaration(given: &[CallArg<'_>]) -> String {
    let mut keys = ["source", "secret"].into_iter();
    let shown = |value: &Expr<'_>| match value {
        Expr::Const(constant) => format!("{:?}", constant.value.as_str().unwrap_or("…")),
        _ => "\"…\"".to_owned(),
    };
    let written = given.iter().filter_map(|argument| match argument {
        CallArg::Pos(value) => Some((keys.next()?, shown(value))),
        CallArg::Kwarg(key, value) => Some((*key, shown(value))),
        CallArg::PosSplat(_) | CallArg::KwargSplat(_) => None,
    });
    let mut written: Vec<_> = written.collect();
    for (place, key) in ["source", "secret"].into_iter().enumerate() {
        if !written.iter().any(|(known, _)| *known == key) {
            written.insert(place.min(written.len()), (key, "\"…\"".to_owned()));
        }
    }
    let written: Vec<_> = written.into_iter().map(|(key, value)| format!("{key} = {value}")).collect();
    written.join(", ")
}
