//! Finds filters that quote where their reader would misread the quotes.
//!
//! `shell`, `dotenv`, `json` and `toml` write their own quotes, so what they write must stand alone: not inside other quotes, and
//! not beside other text of the same word. `docker` writes none, and its reader knows none.
//!
//! For each such filter the text of the template is read as its reader would read it ([`reader`]), in the order in which it would be
//! printed. Both branches of an `if` are followed, but for a separator between the items of a loop, and the body of a loop as often as something new comes of it. A variable that
//! was made with the filter counts like the filter. What another expression prints is not known: nothing may stand directly beside it.
//!
//! | step | what happens |
//! |---|---|
//! | text | each character changes the state: which quotes are open, what stands directly before |
//! | the filter | an error if a quote is open, or if what stands before is part of the same word |
//! | the text after it | an error if its first character is part of the same word |

mod reader;
mod state;

use std::collections::{BTreeMap, BTreeSet};

use minijinja::machinery::Span;
use minijinja::machinery::ast::{BinOpKind, Expr, ForLoop, Stmt};

use self::reader::Reader;
pub(crate) use self::state::Misplaced;
use self::state::States;
use crate::ast;
use crate::budget::Budget;
use crate::error::{Fault, TemplateError};

/// The filters whose readers know no line end but a newline, and no byte order mark.
const OF_LINES: [Reader; 3] = [Reader::Docker, Reader::Dotenv, Reader::Shell];

/// Walks a template that uses these filters. The error is that of a walk that was ended.
pub(super) fn check(
    text: &str,
    template: &Stmt<'_>,
    filters: &BTreeSet<String>,
    budget: &mut Budget,
) -> Result<Vec<TemplateError>, TemplateError> {
    let mut errors = Vec::new();
    for reader in Reader::ALL.into_iter().filter(|reader| filters.contains(reader.filter())) {
        let mut walk = Walk {
            text,
            reader,
            states: States::at_start(),
            quoted: BTreeMap::new(),
            found: BTreeMap::new(),
            budget,
        };
        walk.statement(template)?;
        let filter = reader.filter();
        errors.extend(walk.found.into_iter().map(|(offset, misplaced)| TemplateError {
            place: secretdir_helpers::Position::of(text, offset),
            fault: Fault::Misplaced { filter, misplaced },
        }));
    }
    let of_lines = OF_LINES.into_iter().find(|reader| filters.contains(reader.filter()));
    errors.extend(of_lines.into_iter().flat_map(|reader| line_ends(text, reader.filter())));
    Ok(errors)
}

/// Finds bytes of the template that a reader of lines takes for a part of a value.
fn line_ends(text: &str, filter: &'static str) -> impl Iterator<Item = TemplateError> {
    let mark = text.starts_with('\u{feff}').then_some((0, Fault::ByteOrderMark { filter }));
    let carriage_return = text.find('\r').map(|offset| (offset, Fault::CarriageReturn { filter }));
    let found: Vec<_> = [mark, carriage_return].into_iter().flatten().collect();
    found.into_iter().map(move |(offset, fault)| TemplateError {
        place: secretdir_helpers::Position::of(text, offset),
        fault,
    })
}

/// Follows a template as one reader reads it.
struct Walk<'t, 'a> {
    text: &'a str,
    reader: Reader,
    states: States,
    /// Whether each variable so far was made with the filter.
    quoted: BTreeMap<&'t str, bool>,
    /// By offset, so that each is told once.
    found: BTreeMap<usize, Misplaced>,
    budget: &'a mut Budget,
}

type Walked = Result<(), TemplateError>;

impl<'t> Walk<'t, '_> {
    fn statements(&mut self, statements: &[Stmt<'t>]) -> Walked {
        statements.iter().try_for_each(|statement| self.statement(statement))
    }

    fn statement(&mut self, statement: &Stmt<'t>) -> Walked {
        self.spend(ast::span_of(statement))?;
        match statement {
            Stmt::Template(template) => self.statements(&template.children)?,
            Stmt::EmitRaw(raw) => {
                let paid = self.budget.spend_text(raw.raw.len());
                paid.map_err(|fault| ast::error(self.text, raw.span(), fault))?;
                self.text(raw.raw);
            }
            Stmt::EmitExpr(emit) => self.print(&emit.expr)?,
            Stmt::IfCond(condition) => {
                let before = self.states.clone();
                self.statements(&condition.true_body)?;
                if !condition.false_body.is_empty() || !separates(&condition.expr) {
                    let taken = std::mem::replace(&mut self.states, before);
                    self.statements(&condition.false_body)?;
                    self.states.merge(taken);
                }
            }
            Stmt::ForLoop(repeated) => self.repeated(repeated)?,
            Stmt::WithBlock(with) => {
                with.assignments.iter().for_each(|(target, value)| self.assign(target, self.quotes(value)));
                self.statements(&with.body)?;
            }
            Stmt::Set(set) => self.assign(&set.target, self.quotes(&set.expr)),
            Stmt::SetBlock(set) => {
                let quotes = self.block(&set.body)?;
                let quotes = set.filter.as_ref().map_or(quotes, |filter| self.filters(filter, quotes));
                self.assign(&set.target, quotes);
            }
            Stmt::FilterBlock(block) => {
                let quotes = self.block(&block.body)?;
                let quotes = self.filters(&block.filter, quotes);
                self.printed(quotes, block.span());
            }
            Stmt::AutoEscape(_) | Stmt::Do(_) => {}
        }
        Ok(())
    }

    /// Follows the body until nothing new comes of it: three times at the most, as what is before an item can be what was before the
    /// first, or what another item left.
    fn repeated(&mut self, repeated: &ForLoop<'t>) -> Walked {
        let before = self.states.clone();
        self.assign(&repeated.target, self.quotes(&repeated.iter));
        for _ in 0..3 {
            let seen = self.states.clone();
            self.statements(&repeated.body)?;
            let is_old = self.states.are_within(&seen);
            self.states.merge(seen);
            if is_old {
                break;
            }
        }
        let after = std::mem::replace(&mut self.states, before);
        self.statements(&repeated.else_body)?;
        self.states.merge(after);
        Ok(())
    }

    /// Follows a block whose text is taken elsewhere. Returns whether the filter wrote some of it.
    fn block(&mut self, statements: &[Stmt<'t>]) -> Result<bool, TemplateError> {
        let outer = std::mem::replace(&mut self.states, States::at_start());
        self.statements(statements)?;
        Ok(std::mem::replace(&mut self.states, outer).have_quoted())
    }

    fn assign(&mut self, target: &Expr<'t>, quotes: bool) {
        match target {
            Expr::Var(name) => drop(self.quoted.insert(name.id, quotes)),
            other => ast::children(other).into_iter().for_each(|part| self.assign(part, quotes)),
        }
    }

    /// Says whether what an expression gives has been written by the filter, in a whole or in part.
    fn quotes(&self, expression: &Expr<'t>) -> bool {
        match expression {
            Expr::Var(name) => self.quoted.get(name.id).copied().unwrap_or(false),
            Expr::Filter(filter) if hides(filter.name) => filter.name == self.reader.filter(),
            Expr::Test(_) | Expr::Compare(_) => false,
            Expr::IfExpr(choice) => {
                self.quotes(&choice.true_expr)
                    || choice.false_expr.as_ref().is_some_and(|other| self.quotes(other))
            }
            other => ast::children(other).into_iter().any(|child| self.quotes(child)),
        }
    }

    /// Says so of what filters make of a block.
    fn filters(&self, filter: &Expr<'t>, block: bool) -> bool {
        match filter {
            Expr::Filter(filter) if hides(filter.name) => filter.name == self.reader.filter(),
            Expr::Filter(filter) => filter.expr.as_ref().map_or(block, |inner| self.filters(inner, block)),
            _ => block,
        }
    }

    fn print(&mut self, expression: &Expr<'t>) -> Walked {
        self.spend(expression.span())?;
        match expression {
            Expr::Const(constant) if constant.value.as_str().is_some() => {
                self.text(constant.value.as_str().unwrap_or_default());
            }
            Expr::IfExpr(choice) => {
                let before = self.states.clone();
                self.print(&choice.true_expr)?;
                if choice.false_expr.is_some() || !separates(&choice.test_expr) {
                    let taken = std::mem::replace(&mut self.states, before);
                    choice.false_expr.iter().try_for_each(|other| self.print(other))?;
                    self.states.merge(taken);
                }
            }
            Expr::BinOp(sum) if matches!(sum.op, BinOpKind::Add) && self.quotes(expression) => {
                self.print(&sum.left)?;
                self.print(&sum.right)?;
            }
            other => self.printed(self.quotes(other), other.span()),
        }
        Ok(())
    }

    fn printed(&mut self, quotes: bool, span: Span) {
        let offset = usize::try_from(span.start_offset).unwrap_or_default();
        let found =
            if quotes { self.states.quoted(self.reader, offset) } else { self.states.unknown(self.reader) };
        self.add(found);
    }

    fn text(&mut self, text: &str) {
        let found = self.states.text(self.reader, text);
        self.add(found);
    }

    /// Keeps the first finding of each place.
    fn add(&mut self, found: Vec<(usize, Misplaced)>) {
        for (offset, misplaced) in found {
            self.found.entry(offset).or_insert(misplaced);
        }
    }

    fn spend(&mut self, span: Span) -> Walked {
        let paid = self.budget.spend(self.states.count());
        paid.map_err(|fault| ast::error(self.text, span, fault))
    }
}

/// Says whether a condition is about the turn of a loop, as that of a separator between items is: without an `else`, what it prints is
/// there between any two.
fn separates(condition: &Expr<'_>) -> bool {
    matches!(condition, Expr::Var(name) if name.id == "loop")
        || ast::children(condition).into_iter().any(separates)
}

/// Says whether quotes of another filter are no quotes any more behind this one: it writes them in a form of its own.
fn hides(filter: &str) -> bool {
    Reader::ALL.iter().any(|reader| reader.filter() == filter)
        || matches!(filter, "base64" | "base64url" | "hex" | "length" | "url")
}
