//! Finds names in a template that nothing has, before it is rendered: filters, tests, functions, statements, variables.

use std::collections::{BTreeMap, BTreeSet};

use secretdir_helpers::nearest;

use super::error::{Fault, Named, TemplateError};
use super::token::{Kind, Token};

/// The statements a template may have.
pub(super) const STATEMENTS: [&str; 14] = [
    "if",
    "elif",
    "else",
    "endif",
    "for",
    "endfor",
    "set",
    "endset",
    "with",
    "endwith",
    "filter",
    "endfilter",
    "raw",
    "endraw",
];

/// Says whether a name belongs to an attribute, a filter or a test rather than being a variable.
pub(super) fn is_name_of_a_part(tokens: &[Token<'_>], index: usize) -> bool {
    matches!(role(tokens, index), Some(Role::Attribute | Role::Filter | Role::Test))
}

/// Says whether a name is that of a filter.
pub(super) fn is_filter(tokens: &[Token<'_>], index: usize) -> bool {
    role(tokens, index) == Some(Role::Filter)
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Attribute,
    Filter,
    Test,
    Statement,
    /// A variable, a function, or an operator such as `and`.
    Variable,
}

fn role(tokens: &[Token<'_>], index: usize) -> Option<Role> {
    let before = |distance| Some(tokens.get(index.checked_sub(distance)?)?.kind);
    let Some(Kind::Name(name)) = before(0) else { return None };
    let is_after_operand = |distance| {
        matches!(
            before(distance),
            Some(Kind::Name(_) | Kind::Text(_) | Kind::Number | Kind::Symbol(")" | "]" | "}"))
        )
    };
    Some(match before(1)? {
        Kind::Statement => Role::Statement,
        Kind::Symbol(".") => Role::Attribute,
        Kind::Symbol("|") => Role::Filter,
        Kind::Name("filter") if before(2) == Some(Kind::Statement) => Role::Filter,
        Kind::Name("is") if is_after_operand(2) && name != "not" => Role::Test,
        Kind::Name("not") if before(2) == Some(Kind::Name("is")) && is_after_operand(3) => Role::Test,
        _ => Role::Variable,
    })
}

/// Checks the names of filters, tests and statements, and that nothing is joined by `~`.
pub(super) fn check(tokens: &[Token<'_>]) -> Vec<TemplateError> {
    let mut errors = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if token.kind == Kind::Symbol("~") {
            errors.push(TemplateError { place: token.place, fault: Fault::Tilde });
        }
        let what = match role(tokens, index) {
            Some(Role::Filter) => Named::Filter,
            Some(Role::Test) => Named::Test,
            Some(Role::Statement) => Named::Statement,
            Some(Role::Attribute | Role::Variable) | None => continue,
        };
        if let Kind::Name(name) = token.kind
            && !what.known().contains(&name)
        {
            errors.push(unknown(what, name, token));
        }
    }
    errors
}

fn unknown(what: Named, name: &str, token: &Token<'_>) -> TemplateError {
    let nearest = nearest(name, what.known().iter().copied());
    TemplateError { place: token.place, fault: Fault::Unknown { what, name: name.to_owned(), nearest } }
}

/// Checks the names that minijinja finds undeclared. What is assigned anywhere in the template is left alone: whether that
/// comes first is only known when the template is rendered.
pub(super) fn check_variables(tokens: &[Token<'_>], undeclared: &BTreeSet<String>) -> Vec<TemplateError> {
    let assigned = assigned(tokens);
    let mut first = BTreeMap::new();
    for (index, token) in tokens.iter().enumerate() {
        let next = tokens.get(index + 1).map(|token| token.kind);
        if let Kind::Name(name) = token.kind
            && role(tokens, index) == Some(Role::Variable)
            && next != Some(Kind::Symbol("="))
            && undeclared.contains(name)
            && !assigned.contains(name)
            && !Named::Function.known().contains(&name)
        {
            first.entry(name).or_insert_with(|| match next {
                Some(Kind::Symbol("(")) => unknown(Named::Function, name, token),
                _ => TemplateError { place: token.place, fault: Fault::Undefined(name.to_owned()) },
            });
        }
    }
    first.into_values().collect()
}

/// Returns at least the names that something is assigned to.
fn assigned<'t>(tokens: &[Token<'t>]) -> BTreeSet<&'t str> {
    let statements = tokens.split(|token| matches!(token.kind, Kind::Statement | Kind::Expression));
    let mut names = BTreeSet::new();
    for statement in statements {
        let end = match statement.first().map(|token| token.kind) {
            Some(Kind::Name("set")) => Kind::Symbol("="),
            Some(Kind::Name("for")) => Kind::Name("in"),
            Some(Kind::Name("with")) => Kind::Close,
            _ => continue,
        };
        let targets = statement.iter().take_while(|token| token.kind != end);
        names.extend(targets.filter_map(|token| match token.kind {
            Kind::Name(name) => Some(name),
            _ => None,
        }));
    }
    names
}

#[cfg(test)]
mod tests {
    use crate::template::{Sandbox, Template};

    #[test]
    fn names_that_nothing_has_are_found_offline() {
        for (template, expected) in [
            ("{{ 'a'|shel }}", "1:8: there is no filter `shel`; did you mean `shell`?"),
            ("{{ 'a'|trim|a.b }}", "1:13: there is no filter `a`; there are base64, "),
            ("{% filter uper %}{% endfilter %}", "1:11: there is no filter `uper`; did you mean `upper`?"),
            ("{% set x | uper %}{% endset %}", "1:12: there is no filter `uper`"),
            ("{{ 'a'|escape }}", "1:8: there is no filter `escape`"),
            ("{{ 1 is od }}", "1:9: there is no test `od`; did you mean `odd`?"),
            ("{{ 1 is not od }}", "1:13: there is no test `od`"),
            ("{% autoescape true %}", "1:4: there is no statement `autoescape`"),
            ("{% include 'a' %}", "1:4: there is no statement `include`"),
            ("{% macro a() %}", "1:4: there is no statement `macro`"),
            ("{{ env('A') }}", "1:4: there is no function `env`; there are range, secret"),
            ("{{ debug() }}", "1:4: there is no function `debug`"),
            ("{{ 'a' ~ 'b' }}", "1:8: there is no operator `~`"),
            ("{{ user }}", "1:4: `user` is not defined"),
            ("{% for x in xs %}{% endfor %}", "1:13: `xs` is not defined"),
            ("{{ loop.index }}", "1:4: `loop` is not defined"),
        ] {
            let errors = Template::parse(template, &Sandbox::default()).unwrap_err().errors;
            let error = format!("{}: {}", errors[0].place, errors[0]);
            assert!(error.starts_with(expected), "{template}: {error}");
        }
    }

    #[test]
    fn names_that_something_has_are_not() {
        for template in [
            "{% set x = 1 %}{{ x }}",
            "{% if 1 %}{% set x = 1 %}{% endif %}{{ x }}",
            "{% set x %}a{% endset %}{{ x }}{% set (y, z) = (1, 2) %}{{ y + z }}",
            "{% for k, v in [(1, 2)] if k is odd and not v is none %}{{ k }}{{ loop.index }}{% endfor %}",
            "{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}",
            "{{ {'a': 1}.a }}{{ [1].is }}{{ 1 if true else 2 }}{{ 1 is not odd }}",
        ] {
            assert!(
                Template::parse(template, &Sandbox::default()).is_ok(),
                "{template}: {:?}",
                Template::parse(template, &Sandbox::default())
            );
        }
    }
}
