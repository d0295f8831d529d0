//! Finds filters that quote where their reader would misread the quotes.
//!
//! `shell`, `dotenv`, `json` and `toml` write their own quotes, so what they write must stand alone: not inside other quotes, not in a
//! comment, and not beside other text of the same word. `docker` writes none, and its reader knows none.
//!
//! For each such filter the text of the template is read as its reader would read it, in the order in which it would be printed, by
//! all ways that lead through the template. A value is written by somebody else: a way that is not followed may be one by which it
//! leaves its quotes. So what cannot be followed is refused.
//!
//! | file | what it does |
//! |---|---|
//! | `mod.rs` | statements |
//! | [`print`](mod@print) | expressions that are printed |
//! | [`variables`] | what variables may hold |
//! | [`state`] | all ways that led to a place |
//! | [`reader`] | the readers, and what may stand behind a value |
//! | [`name`] | what may stand before a value of a variable |
//! | [`shell`], [`heredoc`], [`systemd`], [`yaml`], [`toml`], [`docker`] | what each reader makes of a text |

mod docker;
mod heredoc;
mod name;
mod print;
mod reader;
mod shell;
mod state;
mod systemd;
mod toml;
mod variables;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};

use minijinja::machinery::Span;
use minijinja::machinery::ast::{ForLoop, Stmt};

use self::print::{Turn, asks_for_turn, offset};
use self::reader::Reader;
pub(crate) use self::state::Misplaced;
use self::state::{MOST_WAYS, States};
use self::variables::Variables;
use crate::ast;
use crate::budget::Budget;
use crate::error::{Fault, TemplateError};
use crate::given::Declared;

/// The filters whose readers know no line end but a newline, and no byte order mark.
const OF_LINES: [Reader; 3] = [Reader::Docker, Reader::Dotenv, Reader::Shell];

/// Walks a template that uses these filters. The error is that of a walk that was ended.
pub(super) fn check(
    text: &str,
    template: &Stmt<'_>,
    (filters, declared): (&BTreeSet<String>, &[Declared]),
    budget: &mut Budget,
) -> Result<Vec<TemplateError>, TemplateError> {
    let mut errors = Vec::new();
    for reader in Reader::ALL.into_iter().filter(|reader| filters.contains(reader.filter())) {
        let filter = reader.filter();
        let variables = Variables::of(template, filter, budget).map_err(TemplateError::at_start)?;
        let mut walk = Walk {
            text,
            reader,
            states: States::at_start(reader),
            variables,
            declared,
            turn: None,
            entered: Vec::new(),
            told: None,
            is_changing: false,
            known: BTreeMap::new(),
            found: BTreeMap::new(),
            budget: &mut *budget,
        };
        walk.statement(template)?;
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
struct Walk<'e, 't, 'a> {
    text: &'a str,
    reader: Reader,
    states: States,
    variables: Variables<'e, 't>,
    declared: &'a [Declared],
    /// The turn of the innermost loop, where it matters.
    turn: Option<Turn>,
    /// The assignments to variables that are being followed.
    entered: Vec<(&'t str, usize)>,
    /// Where what is found is told: at the variable that is printed, not where it was made.
    told: Option<usize>,
    /// A filter changes what is printed.
    is_changing: bool,
    /// Of which expressions it is known whether the filter has written something in them.
    known: BTreeMap<*const (), bool>,
    /// By offset, so that each is told once.
    found: BTreeMap<usize, Misplaced>,
    budget: &'a mut Budget,
}

type Walked = Result<(), TemplateError>;

impl<'e, 't> Walk<'e, 't, '_> {
    fn statements(&mut self, statements: &'e [Stmt<'t>]) -> Walked {
        statements.iter().try_for_each(|statement| self.statement(statement))
    }

    fn statement(&mut self, statement: &'e Stmt<'t>) -> Walked {
        self.spend(ast::span_of(statement))?;
        match statement {
            Stmt::Template(template) => self.statements(&template.children)?,
            Stmt::EmitRaw(raw) => self.text(raw.raw, raw.span())?,
            Stmt::EmitExpr(emit) => self.print(&emit.expr)?,
            Stmt::IfCond(condition) => self.branch(
                &condition.expr,
                |walk| walk.statements(&condition.true_body),
                |walk| walk.statements(&condition.false_body),
            )?,
            Stmt::ForLoop(repeated) => self.repeated(repeated)?,
            Stmt::WithBlock(with) => self.statements(&with.body)?,
            Stmt::SetBlock(set) => self.apart(&set.body)?,
            Stmt::FilterBlock(block) => {
                if ast::filters_of(&block.filter).any(hides) {
                    self.apart(&block.body)?;
                }
                self.block(Some(&block.filter), &block.body, block.span())?;
            }
            Stmt::Set(_) | Stmt::AutoEscape(_) | Stmt::Do(_) => {}
        }
        Ok(())
    }

    /// Follows a block whose text may be taken as a whole, as a text of its own. A value of a file of variables has its name outside.
    fn apart(&mut self, body: &'e [Stmt<'t>]) -> Walked {
        let is_of_variables = matches!(self.reader, Reader::Docker | Reader::Dotenv);
        if is_of_variables || !self.variables.is_written_in(body) {
            return Ok(());
        }
        let outer = std::mem::replace(&mut self.states, States::at_start(self.reader));
        let told = self.told.take();
        let is_changing = std::mem::take(&mut self.is_changing);
        self.statements(body)?;
        (self.told, self.is_changing, self.states) = (told, is_changing, outer);
        Ok(())
    }

    fn repeated(&mut self, repeated: &'e ForLoop<'t>) -> Walked {
        let (before, outer) = (self.states.clone(), self.turn);
        let mut after = before.none();
        if are_asking(&repeated.body) {
            self.turned(&repeated.body, true, true)?;
            after.merge(std::mem::replace(&mut self.states, before.clone()));
            self.turned(&repeated.body, true, false)?;
            self.turn = Some(Turn { is_first: false, is_last: false });
            self.again(&repeated.body)?;
            self.turned(&repeated.body, false, true)?;
        } else {
            self.turn = None;
            self.statements(&repeated.body)?;
            self.again(&repeated.body)?;
        }
        after.merge(std::mem::replace(&mut self.states, before));
        self.turn = outer;
        self.statements(&repeated.else_body)?;
        self.states.merge(after);
        Ok(())
    }

    fn turned(&mut self, body: &'e [Stmt<'t>], is_first: bool, is_last: bool) -> Walked {
        self.turn = Some(Turn { is_first, is_last });
        self.statements(body)
    }

    /// Follows turns of a loop, none or more, until nothing new comes of it. There are only so many ways.
    fn again(&mut self, body: &'e [Stmt<'t>]) -> Walked {
        loop {
            let seen = self.states.clone();
            self.statements(body)?;
            let is_old = self.states.are_within(&seen);
            self.states.merge(seen);
            if is_old {
                return Ok(());
            }
        }
    }

    fn is_declared(&self, name: &str) -> bool {
        self.declared.iter().any(|declared| declared.name == name)
    }

    fn quoted(&mut self, span: Span) {
        if self.is_changing {
            self.add(vec![(offset(span), Misplaced::Changed)]);
            return self.unknown();
        }
        let found = self.states.quoted(self.told.unwrap_or(offset(span)));
        self.add(found);
    }

    fn unknown(&mut self) {
        let found = self.states.unknown();
        self.add(found);
    }

    fn text(&mut self, text: &str, span: Span) -> Walked {
        let paid = self.budget.spend_text(text.len().saturating_mul(self.states.count().max(1)));
        paid.map_err(|fault| ast::error(self.text, span, fault))?;
        let found = self.states.text(text);
        self.add(found);
        Ok(())
    }

    /// Keeps the first finding of each place. What was written earlier has its place already.
    fn add(&mut self, found: Vec<(usize, Misplaced)>) {
        for (offset, misplaced) in found {
            let offset = if misplaced == Misplaced::Changed { self.told.unwrap_or(offset) } else { offset };
            self.found.entry(offset).or_insert(misplaced);
        }
    }

    fn spend(&mut self, span: Span) -> Walked {
        let paid = self.budget.spend(self.states.count().max(1));
        paid.map_err(|fault| ast::error(self.text, span, fault))?;
        if self.states.are_too_many() {
            return Err(ast::error(self.text, span, Fault::TooManyWays { most: MOST_WAYS }));
        }
        Ok(())
    }
}

/// Says whether statements ask which turn of their loop it is. A loop in it has turns of its own.
fn are_asking(statements: &[Stmt<'_>]) -> bool {
    statements.iter().any(|statement| match statement {
        Stmt::Template(template) => are_asking(&template.children),
        Stmt::EmitExpr(emit) => asks_for_turn(&emit.expr),
        Stmt::IfCond(condition) => {
            asks_for_turn(&condition.expr)
                || are_asking(&condition.true_body)
                || are_asking(&condition.false_body)
        }
        Stmt::ForLoop(repeated) => are_asking(&repeated.else_body),
        Stmt::WithBlock(with) => are_asking(&with.body),
        Stmt::SetBlock(set) => are_asking(&set.body),
        Stmt::FilterBlock(block) => are_asking(&block.body),
        Stmt::EmitRaw(_) | Stmt::Set(_) | Stmt::AutoEscape(_) | Stmt::Do(_) => false,
    })
}

/// Says whether quotes of another filter are no quotes any more behind this one: it writes them in a form of its own.
fn hides(filter: &str) -> bool {
    Reader::ALL.iter().any(|reader| reader.filter() == filter)
        || matches!(filter, "base64" | "base64url" | "hex" | "length" | "url")
}
