//! Finds the calls of `secret` in a template.

use std::fmt;

use minijinja::Environment;
use secretdir_helpers::nearest;

use super::error::{CallFault, TemplateError};
use super::names::is_name_of_a_part;
use super::token::{Kind, Token};
use crate::position::Position;

/// The function that gives a secret.
pub(super) const SECRET: &str = "secret";

/// The keywords that it has.
pub(super) const KEYWORDS: &[&str] = &["version", "field", "default"];

/// A call of `secret`, and where it first is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SecretCall {
    pub(crate) arguments: Arguments,
    pub(crate) place: Position,
}

/// What `secret` is called with. `Debug` leaves out the default, which may stand in for a value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Arguments {
    pub(crate) source: String,
    pub(crate) secret: String,
    pub(crate) version: Option<String>,
    pub(crate) field: Option<String>,
    pub(crate) default: Option<String>,
}

impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arguments")
            .field("source", &self.source)
            .field("secret", &self.secret)
            .field("version", &self.version)
            .field("field", &self.field)
            .finish_non_exhaustive()
    }
}

/// Returns the distinct calls in order of appearance, and what is wrong with others.
pub(super) fn find(tokens: &[Token<'_>]) -> (Vec<SecretCall>, Vec<TemplateError>) {
    let (mut calls, mut errors) = (Vec::<SecretCall>::new(), Vec::new());
    for (index, token) in tokens.iter().enumerate() {
        if token.kind != Kind::Name(SECRET) || is_name_of_a_part(tokens, index) {
            continue;
        }
        match call(tokens.get(index + 1..).unwrap_or_default(), token.place) {
            Ok(Some(call)) if calls.iter().all(|known| known.arguments != call.arguments) => calls.push(call),
            Ok(_) => {}
            Err(error) => errors.push(error),
        }
    }
    (calls, errors)
}

/// Reads what follows the name. `None` where the words end early, which the scanner reports.
fn call(tokens: &[Token<'_>], place: Position) -> Result<Option<SecretCall>, TemplateError> {
    let rest = match tokens {
        [] => return Ok(None),
        [Token { kind: Kind::Symbol("("), .. }, rest @ ..] => rest,
        _ => return Err(fault(place, CallFault::NotCalled)),
    };
    let Some((given, after)) = given(rest, place)? else { return Ok(None) };
    let arguments = given.arguments().map_err(|wrong| fault(place, wrong))?;
    check_use(after)?;
    Ok(Some(SecretCall { arguments, place }))
}

/// Reads the arguments. Returns what comes after them, too.
fn given<'a, 't>(
    mut rest: &'a [Token<'t>],
    call: Position,
) -> Result<Option<(Given, &'a [Token<'t>])>, TemplateError> {
    let mut given = Given::default();
    loop {
        let (keyword, value, after) = match rest {
            [Token { kind: Kind::Symbol(")"), .. }, after @ ..] => return Ok(Some((given, after))),
            [] | [_, Token { kind: Kind::Symbol("="), .. }] => return Ok(None),
            [name, Token { kind: Kind::Symbol("="), .. }, value, after @ ..] => (Some(name), value, after),
            [value, after @ ..] => (None, value, after),
        };
        let text = match argument(value, after) {
            Argument::Text(text) => text,
            Argument::CutOff => return Ok(None),
            Argument::NotClosed => return Err(fault(call, CallFault::NotClosed)),
            Argument::NotText => return Err(fault(value.place, CallFault::NotText)),
        };
        given.take(keyword, text).map_err(|wrong| fault(keyword.unwrap_or(value).place, wrong))?;
        rest = after_comma(after);
    }
}

fn fault(place: Position, fault: CallFault) -> TemplateError {
    TemplateError { place, fault: fault.into() }
}

/// What stands where an argument belongs.
enum Argument {
    /// A text in quotes, and nothing else.
    Text(String),
    NotText,
    /// A text, after which a `)` is missing.
    NotClosed,
    /// A text, after which nothing can be read.
    CutOff,
}

fn argument(value: &Token<'_>, rest: &[Token<'_>]) -> Argument {
    match (value.kind, rest.first().map(|token| token.kind)) {
        (Kind::Text(literal), Some(Kind::Symbol("," | ")"))) => {
            unquote(literal).map_or(Argument::NotText, Argument::Text)
        }
        (Kind::Text(_), Some(Kind::Symbol("}" | "]" | "{"))) => Argument::NotClosed,
        (Kind::Text(_), None) => Argument::CutOff,
        _ => Argument::NotText,
    }
}

/// Lets minijinja itself read a text in quotes, with its escapes.
fn unquote(literal: &str) -> Option<String> {
    let environment = Environment::empty();
    let value = environment.compile_expression(literal).ok()?.eval(()).ok()?;
    value.as_str().map(str::to_owned)
}

/// Checks what stands after a call: a secret has no parts, and it is there, or nothing is rendered.
fn check_use(after: &[Token<'_>]) -> Result<(), TemplateError> {
    match after {
        [Token { kind: Kind::Symbol("." | "["), place, .. }, ..] => Err(fault(*place, CallFault::NoParts)),
        [
            Token { kind: Kind::Symbol("|"), .. },
            Token { kind: Kind::Name("default"), place, .. },
            arguments @ ..,
        ] if !replaces_empty(arguments) => Err(fault(*place, CallFault::LateDefault)),
        _ => Ok(()),
    }
}

/// Says whether `default` has a second argument, by which it may take the place of a text that is empty.
fn replaces_empty(arguments: &[Token<'_>]) -> bool {
    let mut depth = 0;
    for token in arguments {
        match token.kind {
            Kind::Symbol("(" | "[" | "{") => depth += 1,
            Kind::Symbol(")" | "]" | "}") => depth -= 1,
            Kind::Symbol(",") if depth == 1 => return true,
            _ => {}
        }
        if depth == 0 {
            return false;
        }
    }
    false
}

fn after_comma<'a, 't>(tokens: &'a [Token<'t>]) -> &'a [Token<'t>] {
    match tokens {
        [Token { kind: Kind::Symbol(","), .. }, rest @ ..] => rest,
        same => same,
    }
}

/// The arguments so far.
#[derive(Default)]
struct Given {
    positional: Vec<String>,
    version: Option<String>,
    field: Option<String>,
    default: Option<String>,
}

impl Given {
    fn take(&mut self, keyword: Option<&Token<'_>>, text: String) -> Result<(), CallFault> {
        match keyword.map(|token| token.kind) {
            None => self.positional(text),
            Some(Kind::Name(name)) => self.keyword(name, text),
            Some(_) => Err(CallFault::NotText),
        }
    }

    fn positional(&mut self, text: String) -> Result<(), CallFault> {
        self.positional.push(text);
        if self.positional.len() > 2 { Err(CallFault::TooMany) } else { Ok(()) }
    }

    fn keyword(&mut self, keyword: &str, text: String) -> Result<(), CallFault> {
        let slot = match keyword {
            "version" => &mut self.version,
            "field" => &mut self.field,
            "default" => &mut self.default,
            name => {
                let nearest = nearest(name, KEYWORDS.iter().copied());
                return Err(CallFault::UnknownKeyword { name: name.to_owned(), nearest });
            }
        };
        match slot.replace(text) {
            None => Ok(()),
            Some(_) => Err(CallFault::Twice(keyword.to_owned())),
        }
    }

    fn arguments(self) -> Result<Arguments, CallFault> {
        let mut positional = self.positional.into_iter();
        Ok(Arguments {
            source: positional.next().ok_or(CallFault::Missing("a source"))?,
            secret: positional.next().ok_or(CallFault::Missing("a secret"))?,
            version: self.version,
            field: self.field,
            default: self.default,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::lexer::scan;

    fn found(template: &str) -> (Vec<String>, Vec<String>) {
        let (calls, errors) = find(&scan(template).unwrap().tokens);
        let call = |call: &SecretCall| {
            let Arguments { source, secret, version, field, default } = &call.arguments;
            let keywords = [("v", version), ("f", field), ("d", default)].into_iter();
            let keywords = keywords.filter_map(|(name, text)| Some(format!(" {name}={}", text.as_ref()?)));
            format!("{} {source} {secret}{}", call.place, keywords.collect::<String>())
        };
        let error = |error: &TemplateError| format!("{}: {error}", error.place);
        (calls.iter().map(call).collect(), errors.iter().map(error).collect())
    }

    #[test]
    fn calls_are_found_wherever_an_expression_is() {
        for (template, expected) in [
            (r#"{{ secret("a", "b") }}"#, &["1:4 a b"][..]),
            (r#"{{secret ( 'a' , 'b' , )|upper}}"#, &["1:3 a b"]),
            (r#"{{ secret("a", "b", field="f", default="", version='v') }}"#, &["1:4 a b v=v f=f d="]),
            (
                r#"{% if secret("a", "b") %}{% elif secret("a", "c") == 'x' %}{% endif %}"#,
                &["1:7 a b", "1:34 a c"],
            ),
            (r#"{% for x in [{'k': secret("a", "b")}] %}{% endfor %}"#, &["1:20 a b"]),
            (r#"{{ x[secret("a", "b")] }}{{ f(y=secret("a", "c")) }}"#, &["1:6 a b", "1:33 a c"]),
            ("{{ secret('a', 'b') }}\n{{ secret(\"a\", \"b\") }}", &["1:4 a b"]),
            (r#"{{ secret("\x61", "\"\u00e9\101\q") }}"#, &["1:4 a \"éA\\q"]),
            (r#"{# secret("a", "b") #}{% raw %}{{ secret("a", "b") }}{% endraw %}secret("a", "b")"#, &[]),
            (r#"{{ "secret('a', 'b')" }}"#, &[]),
            (r#"{{ secret("a", "b")|default("c", true) }}"#, &["1:4 a b"]),
            (r#"{{ secret("a", "b")|split(",")|first|default("c") }}"#, &["1:4 a b"]),
            (r#"{{ x.secret("a", "b") }}{{ x|secret("a", "b") }}{{ x is secret("a", "b") }}"#, &[]),
        ] {
            assert_eq!(
                found(template),
                (expected.iter().map(|call| (*call).to_owned()).collect(), vec![]),
                "{template}"
            );
        }
    }

    #[test]
    fn everything_else_is_an_error_at_its_place() {
        for (template, place, words) in [
            ("{{ secret }}", "1:4", "is a function"),
            ("{{ (secret)('a', 'b') }}", "1:5", "is a function"),
            ("{% set secret = 1 %}", "1:8", "is a function"),
            ("{% for secret in [1] %}", "1:8", "is a function"),
            ("{% with secret = 1 %}", "1:9", "is a function"),
            ("{{ secret(a, 'b') }}", "1:11", "texts in quotes"),
            ("{{ secret('a', 1) }}", "1:16", "texts in quotes"),
            ("{{ secret('a', 'b' + 'c') }}", "1:16", "texts in quotes"),
            ("{{ secret('a', 'b' 'c') }}", "1:16", "texts in quotes"),
            ("{{ secret('a', ('b')) }}", "1:16", "texts in quotes"),
            ("{{ secret(*['a', 'b']) }}", "1:11", "texts in quotes"),
            ("{{ secret('a', 'b', field=f) }}", "1:27", "texts in quotes"),
            ("{{ secret('a', 'b', field='f'|upper) }}", "1:27", "texts in quotes"),
            ("{{ secret('\\uzzzz', 'b') }}", "1:11", "texts in quotes"),
            ("{{ secret() }}", "1:4", "a source"),
            ("{{ secret('a') }}", "1:4", "a secret"),
            ("{{ secret('a', field='f') }}", "1:4", "a secret"),
            ("{{ secret('a', 'b', 'c') }}", "1:21", "the rest are keywords"),
            ("{{ secret('a', 'b', feild='f') }}", "1:21", "did you mean `field`?"),
            ("{{ secret('a', 'b', x='f') }}", "1:21", "there are version, field, default"),
            ("{{ secret('a', 'b', field='f', field='g') }}", "1:32", "`field=` is given twice"),
            ("{{ secret('a' }}", "1:4", "not closed"),
            ("{{ secret('a', 'b'\n{{ x }}", "1:4", "not closed"),
            ("{{ secret('a', 'b').c }}", "1:20", "`field=` picks"),
            ("{{ secret('a', 'b') ['c'] }}", "1:21", "`field=` picks"),
            ("{{ secret('a', 'b').0|upper }}", "1:20", "`field=` picks"),
            ("{{ secret('a', 'b')|default('c') }}", "1:21", "`default=` belongs among"),
            ("{{ secret('a', 'b') | default }}", "1:23", "`default=` belongs among"),
            ("{{ secret('a', 'b')|default(['c', 'd']) }}", "1:21", "`default=` belongs among"),
            ("{{ [secret('a', 'b')|default, 'c'] }}", "1:22", "`default=` belongs among"),
        ] {
            let (calls, errors) = found(template);
            assert!(calls.is_empty(), "{template}: {calls:?}");
            let [error] = &errors[..] else { panic!("{template}: {errors:?}") };
            assert!(error.starts_with(&format!("{place}: ")) && error.contains(words), "{template}: {error}");
        }
    }

    #[test]
    fn a_call_in_which_the_words_end_is_left_to_the_scanner() {
        for template in
            ["{{ secret", "{{ secret(", "{{ secret('a'", "{{ secret('a', \"b) }}", "{{ secret('a', field='b"]
        {
            assert_eq!(found(template), (vec![], vec![]), "{template}");
            assert!(scan(template).unwrap().stopped.is_some(), "{template}");
        }
    }

    #[test]
    fn debug_leaves_out_the_default() {
        let (calls, _) = find(&scan("{{ secret('a', 'b', default='hunter2') }}").unwrap().tokens);
        assert!(!format!("{calls:?}").contains("hunter2"));
    }
}
