//! Renders a template: goes through what minijinja has read, statement by statement.
//!
//! minijinja could do this, too, but it counts neither the comparison of lists of lists nor that of long texts, so that a
//! rendering may take years and cannot be ended; it takes a text and a number for unequal without a word; and it leaves
//! copies of values behind. So only its parser is used, and everything that is done is paid for
//! ([`Budget`](super::budget::Budget)).
//!
//! | file | what it does |
//! |---|---|
//! | `mod.rs` | statements and output |
//! | [`expressions`] | expressions |
//! | [`parts`] | parts of lists, maps and texts |
//! | [`scopes`] | variables |

mod expressions;
mod parts;
mod scopes;

use std::collections::BTreeSet;
use std::io::Write as _;

use minijinja::machinery::Span;
use minijinja::machinery::ast::{Expr, ForLoop, Stmt};
use zeroize::Zeroizing;

use self::scopes::Scopes;
use super::ast::{self, span_of};
use super::budget::{Budget, Stop};
use super::error::{Fault, Refusal, TemplateError};
use super::given::Given;
use super::limits::{FUEL, LARGEST_RESULT};
use super::output::Output;
use super::parser;
use super::value::{Mark, Value};

/// How deep statements and expressions may be nested; a chain of operators counts as nested. They are walked by recursion.
const DEEPEST: usize = 1000;

/// Renders a template, until it is done or told to stop.
pub(super) fn render(
    values: &[(String, Given)],
    (text, names_variables): (&str, bool),
    stop: Stop,
) -> Result<Zeroizing<Vec<u8>>, TemplateError> {
    let template = parser::parse(text)?;
    let mut scopes = Scopes::default();
    for (name, given) in values {
        scopes.set(name, given.0.clone());
    }
    let mut renderer = Renderer {
        text,
        keys: keys(values),
        names_variables,
        scopes,
        output: Output::of_at_most(LARGEST_RESULT),
        budget: Budget::new(FUEL, stop),
        depth: 0,
    };
    renderer.statement(&template)?;
    Ok(renderer.output.into_bytes())
}

/// Returns the keys of the maps that a template is given: names that it has not chosen itself.
fn keys(values: &[(String, Given)]) -> BTreeSet<&str> {
    let maps = values.iter().filter_map(|(_, given)| match &given.0 {
        Value::Map(map) => Some(map.entries().iter().map(|(key, _)| key.as_str())),
        _ => None,
    });
    maps.flatten().collect()
}

/// A rendering.
struct Renderer<'t> {
    text: &'t str,
    keys: BTreeSet<&'t str>,
    /// The template writes a file of variables: it uses `docker`, `dotenv` or `shell`.
    names_variables: bool,
    scopes: Scopes<'t>,
    output: Output,
    budget: Budget,
    depth: usize,
}

impl<'t> Renderer<'t> {
    fn statements(&mut self, statements: &[Stmt<'t>]) -> Result<(), TemplateError> {
        statements.iter().try_for_each(|statement| self.statement(statement))
    }

    fn statement(&mut self, statement: &Stmt<'t>) -> Result<(), TemplateError> {
        self.descend(span_of(statement))?;
        match statement {
            Stmt::Template(template) => self.statements(&template.children)?,
            Stmt::EmitRaw(raw) => self.write(raw.raw, raw.span())?,
            Stmt::EmitExpr(emit) => self.print(&emit.expr)?,
            Stmt::IfCond(condition) => {
                let taken = self.condition(&condition.expr)?;
                self.statements(if taken { &condition.true_body } else { &condition.false_body })?;
            }
            Stmt::ForLoop(loops) => self.repeat(loops)?,
            Stmt::WithBlock(with) => {
                let values = with.assignments.iter().map(|(_, value)| self.value(value));
                let values = values.collect::<Result<Vec<_>, _>>()?;
                self.scopes.open();
                for ((target, _), value) in with.assignments.iter().zip(values) {
                    self.assign(target, value)?;
                }
                self.statements(&with.body)?;
                self.scopes.close();
            }
            Stmt::Set(set) => {
                let value = self.value(&set.expr)?;
                self.assign(&set.target, value)?;
            }
            Stmt::SetBlock(set) => {
                let mut value = self.captured(&set.body, set.span())?;
                if let Some(filter) = &set.filter {
                    value = self.filtered(filter, value)?;
                }
                self.assign(&set.target, value)?;
            }
            Stmt::FilterBlock(block) => {
                let value = self.captured(&block.body, block.span())?;
                let value = self.filtered(&block.filter, value)?;
                self.write_value(&value, block.span())?;
            }
            Stmt::AutoEscape(_) | Stmt::Do(_) => return Err(self.error(span_of(statement), Fault::Other)),
        }
        self.depth -= 1;
        Ok(())
    }

    fn repeat(&mut self, loops: &ForLoop<'t>) -> Result<(), TemplateError> {
        let items = self.items(&loops.iter)?;
        let items = self.chosen(items, loops)?;
        if items.is_empty() {
            return self.in_scope(&loops.else_body);
        }
        let length = items.len();
        for (index, item) in items.into_iter().enumerate() {
            self.scopes.open();
            self.scopes.set("loop", Value::Loop { index, length });
            self.assign(&loops.target, item)?;
            self.statements(&loops.body)?;
            self.scopes.close();
        }
        Ok(())
    }

    /// Returns the items for which the condition of a loop holds, if it has one.
    fn chosen(&mut self, items: Vec<Value>, loops: &ForLoop<'t>) -> Result<Vec<Value>, TemplateError> {
        let Some(condition) = &loops.filter_expr else { return Ok(items) };
        let mut chosen = Vec::new();
        for item in items {
            self.scopes.open();
            self.assign(&loops.target, item.clone())?;
            if self.value(condition)?.is_true() {
                chosen.push(item);
            }
            self.scopes.close();
        }
        Ok(chosen)
    }

    /// Goes through statements whose variables are their own.
    fn in_scope(&mut self, statements: &[Stmt<'t>]) -> Result<(), TemplateError> {
        self.scopes.open();
        self.statements(statements)?;
        self.scopes.close();
        Ok(())
    }

    /// Gives a value to a name, or the items of a list to as many names.
    fn assign(&mut self, target: &Expr<'t>, value: Value) -> Result<(), TemplateError> {
        let paid = self.budget.spend(1);
        self.placed(target.span(), paid)?;
        let targets = match target {
            Expr::Var(name) => {
                self.scopes.set(name.id, value);
                return Ok(());
            }
            Expr::List(list) => &list.items,
            Expr::Tuple(tuple) => &tuple.items,
            _ => return Err(self.error(target.span(), Fault::Operation)),
        };
        match value {
            Value::List(list) if list.items().len() == targets.len() => {
                let mut pairs = targets.iter().zip(list.items());
                pairs.try_for_each(|(target, item)| self.assign(target, item.clone()))
            }
            _ => Err(self.error(target.span(), Fault::Unpack)),
        }
    }

    /// Returns what statements write as a text, instead of writing it.
    fn captured(&mut self, statements: &[Stmt<'t>], span: Span) -> Result<Value, TemplateError> {
        let outer = std::mem::replace(&mut self.output, Output::kept(LARGEST_RESULT));
        self.in_scope(statements)?;
        let mut inner = std::mem::replace(&mut self.output, outer);
        let marks = inner.marks.take().unwrap_or_default();
        match std::str::from_utf8(&inner.into_bytes()) {
            Ok(text) => Ok(Value::quoted(Zeroizing::new(text.to_owned()), marks)),
            Err(_) => Err(self.error(span, Refusal::NotUtf8.into())),
        }
    }

    /// Prints what an expression gives.
    fn print(&mut self, expression: &Expr<'t>) -> Result<(), TemplateError> {
        let value = self.value(expression)?;
        self.write_value(&value, expression.span())
    }

    /// Writes a text or a number. Everything else would be a guess.
    fn write_value(&mut self, value: &Value, span: Span) -> Result<(), TemplateError> {
        if let Value::Key(key) = value {
            self.check_key(key, span)?;
        }
        if !self.output.keep(value.marks()) {
            value.marks().iter().try_for_each(|mark| self.check_name(value, *mark, span))?;
        }
        match value {
            Value::Text(text) | Value::Key(text) | Value::Quoted(text, _) => self.write(text, span),
            Value::Int(_) | Value::Float(_) | Value::Written(_) => {
                self.write(&Zeroizing::new(value.number()), span)
            }
            Value::Bytes(_) => Err(self.error(span, Refusal::NotUtf8.into())),
            other => Err(self.error(span, Refusal::NotPrintable(other.describe()).into())),
        }
    }

    /// Refuses a key that is more than a part of the name of a variable, where such names are written: it could be text of any kind.
    fn check_key(&self, key: &str, span: Span) -> Result<(), TemplateError> {
        let is_part = !key.is_empty() && key.chars().all(is_word);
        if is_part || !self.names_variables {
            return Ok(());
        }
        Err(self.error(span, self.known_key(key).map_or(Fault::NoVariableKey, Fault::NoVariableName)))
    }

    /// Returns the key that a text was made of, as far as that is known: itself, or the only one with the same character that no name
    /// can have. A text may have other parts than those of a key, so it is not shown.
    fn known_key(&self, made: &str) -> Option<String> {
        let known = self.keys.get(made).copied().or_else(|| {
            let odd = made.chars().find(|c| !is_word(*c))?;
            let mut alike = self.keys.iter().filter(|key| key.contains(odd));
            alike.next().filter(|_| alike.next().is_none()).copied()
        });
        known.map(|key| key.escape_debug().to_string())
    }

    /// Ensures that the name of a variable, and nothing else, stands before the value that a filter has written.
    fn check_name(&mut self, value: &Value, mark: Mark, span: Span) -> Result<(), TemplateError> {
        let text = value.text_of().and_then(|text| text.get(..mark.offset)).unwrap_or_default();
        let line = match text.rsplit_once('\n') {
            Some((_, line)) => Zeroizing::new(line.to_owned()),
            None => {
                let line = self.output.last_line();
                let mut whole = Zeroizing::new(String::with_capacity(line.len() + text.len()));
                whole.push_str(line);
                whole.push_str(text);
                whole
            }
        };
        let paid = self.budget.spend_text(text.len() + line.len());
        self.placed(span, paid)?;
        if fits_name(&line, mark.filter) {
            return Ok(());
        }
        let name = line.trim_end_matches('=').trim_start().trim_start_matches("export ");
        let known = self.keys.contains(name).then(|| name.escape_debug().to_string());
        let fault = known.map_or(Fault::NoVariable { filter: mark.filter }, Fault::NoVariableName);
        Err(self.error(span, fault))
    }

    fn write(&mut self, text: &str, span: Span) -> Result<(), TemplateError> {
        let paid = self.budget.spend_text(text.len());
        self.placed(span, paid)?;
        let written = self.output.write_all(text.as_bytes());
        self.placed(span, written.map_err(|_| Fault::ResultTooLarge { most: LARGEST_RESULT }))
    }

    /// Pays for a node, and goes into it.
    fn descend(&mut self, span: Span) -> Result<(), TemplateError> {
        let paid = self.budget.spend(1);
        self.placed(span, paid)?;
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error(span, Fault::TooDeep { most: DEEPEST }));
        }
        Ok(())
    }

    fn placed<T>(&self, span: Span, result: Result<T, Fault>) -> Result<T, TemplateError> {
        result.map_err(|fault| self.error(span, fault))
    }

    fn error(&self, span: Span, fault: Fault) -> TemplateError {
        ast::error(self.text, span, fault)
    }
}

/// Says whether a value of this filter may stand behind a line. A shell takes words anywhere, but behind `=` the name of a variable.
fn fits_name(line: &str, filter: &str) -> bool {
    let is_variable = |name: &str| {
        !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(is_word)
    };
    // Readers skip what a line in an `if` or a loop is indented by.
    let line = line.trim_start_matches([' ', '\t']);
    let name = line.strip_suffix('=').map(|name| name.strip_prefix("export ").unwrap_or(name));
    match filter {
        "docker" => line.split_once('=').is_some_and(|(name, _)| is_variable(name)),
        "dotenv" => name.is_some_and(is_variable),
        _ => name.is_none_or(|name| is_variable(name) || !name.chars().all(is_word)),
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
