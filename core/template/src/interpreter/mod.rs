//! Interprets the syntax tree of a template, to render it or to check it.
//!
//! 1. A rendering has a value for each name, and ends with the first fault.
//! 2. A check has no values. It is an abstract interpretation: an unknown value is [`Value::Unknown`]. Where such a value decides, the
//!    check takes both branches, and joins their states. It collects all faults, except those that depend on values
//!    ([`Fault::NotKnown`]).
//!
//! So the same code checks and renders. If a check misses a misplaced value, the rendering still refuses it, because the readers
//! of [`Output`] see each byte that is written.
//!
//! minijinja's own interpreter is not used, for two reasons. It does not count the comparison of nested lists and of long texts, so
//! a rendering could take years and could not be ended. And it compares a text with a number without an error. Here, every
//! operation is counted ([`Budget`]).

mod branches;
mod expressions;
mod names;
mod parts;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use minijinja::machinery::Span;
use minijinja::machinery::ast::{Expr, Stmt};
use secretdir_helpers::Position;
use secretdir_quote::{Finding, Format, Misplaced};

pub use self::names::is_name;
use crate::budget::Budget;
use crate::error::{Failure, Fault};
use crate::output::{At, Output};
use crate::parser::STATEMENTS;
use crate::value::{Origin, Piece, Value};

/// The maximum depth of nested statements and expressions, which are walked by recursion. A chain of operators counts as nested.
const DEEPEST: usize = 1000;

type Done<T = ()> = Result<T, Failure>;

/// The result of a check.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) failures: Vec<Failure>,
    /// The declared names that the template uses.
    pub(crate) used: BTreeSet<String>,
    /// The formats of its filters for readers.
    pub(crate) formats: BTreeSet<Format>,
}

pub(crate) struct Interpreter<'t> {
    text: &'t str,
    /// The variables, with those of the innermost loop or `with` last. The first scope has the declared names.
    scopes: Vec<BTreeMap<&'t str, Value>>,
    output: Output,
    /// Whether the file has variables. Then a printed key must be a part of a name.
    has_variables: bool,
    budget: Budget,
    depth: usize,
    /// None while rendering.
    check: Option<Found>,
}

impl<'t> Interpreter<'t> {
    /// Returns one that renders a template with these values. A check has found that it writes these formats.
    pub(crate) fn rendering(
        text: &'t str,
        values: BTreeMap<&'t str, Value>,
        formats: &[Format],
        budget: Budget,
    ) -> Self {
        let has_variables = formats.iter().any(|format| format.has_variables());
        let output = Output::of_file(&named_in(text), Some(Vec::new()));
        let scopes = vec![values, BTreeMap::new()];
        Self { text, scopes, output, has_variables, budget, depth: 0, check: None }
    }

    /// Returns one that checks a template.
    pub(crate) fn checking(text: &'t str, values: BTreeMap<&'t str, Value>, budget: Budget) -> Self {
        let output = Output::of_file(&named_in(text), None);
        Self { output, check: Some(Found::default()), ..Self::rendering(text, values, &[], budget) }
    }

    /// Interprets the template, and returns the output and the findings.
    pub(crate) fn run(mut self, template: &Stmt<'t>) -> Result<(Output, Found), Failure> {
        self.statement(template)?;
        Ok((self.output, self.check.unwrap_or_default()))
    }

    fn statements(&mut self, statements: &[Stmt<'t>]) -> Done {
        statements.iter().try_for_each(|statement| self.statement(statement))
    }

    fn statement(&mut self, statement: &Stmt<'t>) -> Done {
        match statement {
            Stmt::Template(template) => self.statements(&template.children),
            Stmt::EmitRaw(raw) => self.nested(raw.span(), |it| {
                it.print_piece(&Piece::of(raw.raw, Origin::Plain), At::Text(offset(raw.span().start_offset)))
            }),
            Stmt::EmitExpr(emit) => {
                let told = self.failure_count();
                let value = match self.value(&emit.expr)? {
                    Value::Unknown if told == self.failure_count() && expressions::is_boolean(&emit.expr) => {
                        Value::Bool(true)
                    }
                    value => value,
                };
                self.print(&value, expressions::begin(&emit.expr), emit.span())
            }
            Stmt::IfCond(choice) => self.nested(choice.expr.span(), |it| {
                let holds = it.condition(&choice.expr)?;
                it.branch(
                    holds,
                    |it| it.statements(&choice.true_body),
                    |it| it.statements(&choice.false_body),
                )
            }),
            Stmt::ForLoop(repeated) => self.nested(repeated.span(), |it| it.repeat(repeated)),
            Stmt::WithBlock(with) => {
                let values = with.assignments.iter().map(|(_, value)| self.value(value));
                let values = values.collect::<Done<Vec<_>>>()?;
                self.in_scope(with.span(), |it| {
                    let mut targets = with.assignments.iter().zip(values);
                    targets.try_for_each(|((target, _), value)| it.assign(target, value))?;
                    it.statements(&with.body)
                })
            }
            Stmt::Set(set) => {
                let value = self.value(&set.expr)?;
                self.assign(&set.target, value)
            }
            Stmt::SetBlock(set) => {
                let value = self.captured(&set.body, set.filter.as_ref(), set.span())?;
                self.assign(&set.target, value)
            }
            Stmt::FilterBlock(block) => {
                let value = self.captured(&block.body, Some(&block.filter), block.span())?;
                self.print(&value, offset(block.span().start_offset), block.span())
            }
            Stmt::AutoEscape(block) => {
                self.refuse(block.span(), Fault::unknown("statement", "autoescape", &STATEMENTS))
            }
            Stmt::Do(block) => self.refuse(block.span(), Fault::unknown("statement", "do", &STATEMENTS)),
        }
    }

    /// Does something one level deeper. A failure in it without an offset gets this one.
    fn nested<T>(&mut self, span: Span, work: impl FnOnce(&mut Self) -> Done<T>) -> Done<T> {
        self.nested_at(offset(span.start_offset), work)
    }

    fn nested_at<T>(&mut self, at: usize, work: impl FnOnce(&mut Self) -> Done<T>) -> Done<T> {
        let work = |it: &mut Self| {
            it.budget.spend(1)?;
            if it.depth == DEEPEST {
                return Err(Fault::TooDeep { most: DEEPEST }.into());
            }
            it.depth += 1;
            let done = work(it);
            it.depth -= 1;
            done
        };
        work(self).map_err(|failure| failure.at(at))
    }

    /// Does something in a new scope.
    fn in_scope(&mut self, span: Span, work: impl FnOnce(&mut Self) -> Done) -> Done {
        self.scopes.push(BTreeMap::new());
        self.nested(span, work)?;
        self.scopes.pop();
        Ok(())
    }

    /// Assigns a value to a name, or the items of a list to as many names.
    fn assign(&mut self, target: &Expr<'t>, value: Value) -> Done {
        let targets = match target {
            Expr::Var(name) => {
                self.scopes.last_mut().map(|scope| scope.insert(name.id, value));
                return Ok(());
            }
            Expr::List(list) => &list.items,
            Expr::Tuple(tuple) => &tuple.items,
            _ => return self.refuse(target.span(), Fault::NotAssignable),
        };
        let items = match value {
            Value::List(items) if items.len() == targets.len() => items.to_vec(),
            Value::Unknown => vec![Value::Unknown; targets.len()],
            _ => {
                self.refuse(target.span(), Fault::Unpack)?;
                vec![Value::Unknown; targets.len()]
            }
        };
        self.nested(target.span(), |it| {
            targets.iter().zip(items).try_for_each(|(target, item)| it.assign(target, item))
        })
    }

    /// Returns the output of statements as a text, after the filters of the block.
    fn captured(&mut self, body: &[Stmt<'t>], filter: Option<&Expr<'t>>, span: Span) -> Done<Value> {
        let outer = std::mem::replace(&mut self.output, Output::of_value());
        self.in_scope(span, |it| it.statements(body))?;
        let inner = std::mem::replace(&mut self.output, outer);
        let value = Value::Text(Arc::new(inner.into_pieces()));
        filter.map_or(Ok(value.clone()), |filter| self.filtered(filter, Some(value)))
    }

    /// Prints a text or a number. Other values cannot be printed.
    fn print(&mut self, value: &Value, here: usize, tag: Span) -> Done {
        // The failure is at the filter if that is in this tag. If the text was quoted elsewhere, it is at the tag.
        let is_in_tag = |at: &usize| (offset(tag.start_offset)..=offset(tag.end_offset)).contains(at);
        let printed = self.nested_at(here, |it| match value {
            Value::Unknown => it.print_piece(&Piece::unknown(), At::Tag(here)),
            Value::Text(pieces) => pieces.iter().try_for_each(|piece| {
                it.print_piece(
                    piece,
                    At::Tag(piece.mark().map(|mark| mark.at).filter(is_in_tag).unwrap_or(here)),
                )
            }),
            Value::Number(number) => {
                it.print_piece(&Piece::of(Arc::clone(number), Origin::Plain), At::Tag(here))
            }
            Value::Bytes(_) => Err(Fault::NotUtf8.into()),
            other => Err(Fault::NotPrintable(other.describe()).into()),
        });
        self.recover(printed.map(|()| Value::None)).map(drop)
    }

    fn print_piece(&mut self, piece: &Piece, at: At) -> Done {
        if let Origin::Key(key) = &piece.origin {
            // Other characters could end the name, and begin a line.
            let is_part = !piece.text.is_empty() && piece.text.chars().all(names::is_word);
            if self.has_variables && !is_part {
                return Err(Fault::no_variable_name(key.as_deref()).into());
            }
        }
        self.budget.spend_text(piece.text.len().max(1))?;
        let found = self.output.print(piece, at, &mut self.budget)?;
        found.into_iter().try_for_each(|finding| self.misplaced(finding))
    }

    fn misplaced(&mut self, Finding { at, format, misplaced, cause }: Finding) -> Done {
        let fault = match self.output.key() {
            Some(key) if misplaced == Misplaced::Nameless => Fault::no_variable_name(key.as_deref()),
            _ => {
                let line = cause.map(|cause| Position::of(self.text, cause).line);
                Fault::Misplaced { format, misplaced, line }
            }
        };
        self.recover(Err(Failure::from(fault).at(at))).map(drop)
    }

    fn failure_count(&self) -> usize {
        self.check.as_ref().map_or(0, |found| found.failures.len())
    }

    fn refuse(&mut self, span: Span, fault: Fault) -> Done {
        self.recover(Err(Failure::from(fault).at(offset(span.start_offset)))).map(drop)
    }

    /// Ends a rendering that has failed. A check records the failure, and goes on with an unknown value.
    fn recover(&mut self, result: Done<Value>) -> Done<Value> {
        match (result, &mut self.check) {
            (Err(failure), Some(found)) if !failure.fault.is_of_budget() => {
                let is_told = failure.fault == Fault::NotKnown
                    || found.failures.iter().any(|told| told.is_like(&failure));
                found.failures.extend((!is_told).then_some(failure));
                Ok(Value::Unknown)
            }
            (result, _) => result,
        }
    }
}

/// Returns the formats that a template can write: those of all filters whose names are in its text.
fn named_in(text: &str) -> Vec<Format> {
    Format::ALL.into_iter().filter(|format| text.contains(format.name())).collect()
}

fn offset(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or_default()
}
