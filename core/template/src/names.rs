//! Finds what a template names and nobody knows: filters, tests, functions and variables. It needs no value.
//!
//! Variables follow the scopes of rendering: a loop, a `with` and a block have their own. A variable that only one branch of an
//! `if` sets counts as known; rendering tells if that branch was not taken.

use std::collections::BTreeSet;

use minijinja::machinery::Span;
use minijinja::machinery::ast::{BinOpKind, Call, CallArg, Expr, ForLoop, Stmt};
use secretdir_helpers::nearest;

use crate::ast;
use crate::budget::Budget;
use crate::error::{Fault, Named, TemplateError};
use crate::given::{Declared, Shape};
use crate::{filters, functions};

/// What has a meaning of its own in a tag.
const RESERVED: [&str; 14] =
    ["and", "else", "false", "False", "if", "in", "is", "loop", "none", "None", "not", "or", "true", "True"];

/// What a loop calls itself.
const LOOP: &str = "loop";

/// The function of the first versions.
const SECRET: &str = "secret";

/// Says whether a text can be the name of a value in a template: letters of ASCII, digits and `_`, with no digit first.
pub fn is_name(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let begins = text.starts_with(|c: char| is_word(c) && !c.is_ascii_digit());
    let is_taken = RESERVED.contains(&text) || functions::NAMES.contains(&text) || text == SECRET;
    begins && text.chars().all(is_word) && !is_taken
}

/// What a template names.
pub(super) struct Names {
    /// The declared names that it does not use.
    pub(super) unused: Vec<String>,
    /// The filters that it uses.
    pub(super) filters: BTreeSet<String>,
    pub(super) errors: Vec<TemplateError>,
}

/// Walks a template. The error is that of a walk that was ended.
pub(super) fn check(
    text: &str,
    template: &Stmt<'_>,
    declared: &[Declared],
    budget: &mut Budget,
) -> Result<Names, TemplateError> {
    let mut walk = Walk {
        text,
        declared,
        scopes: vec![BTreeSet::new()],
        used: BTreeSet::new(),
        filters: BTreeSet::new(),
        errors: Vec::new(),
        budget,
    };
    walk.statement(template)?;
    let unused = declared.iter().filter(|declared| !walk.used.contains(declared.name.as_str()));
    Ok(Names {
        unused: unused.map(|declared| declared.name.clone()).collect(),
        filters: walk.filters.iter().map(|name| (*name).to_owned()).collect(),
        errors: walk.errors,
    })
}

struct Walk<'t, 'a> {
    text: &'a str,
    declared: &'a [Declared],
    scopes: Vec<BTreeSet<&'t str>>,
    used: BTreeSet<&'t str>,
    filters: BTreeSet<&'t str>,
    errors: Vec<TemplateError>,
    budget: &'a mut Budget,
}

type Walked = Result<(), TemplateError>;

impl<'t> Walk<'t, '_> {
    fn statements(&mut self, statements: &[Stmt<'t>]) -> Walked {
        statements.iter().try_for_each(|statement| self.statement(statement))
    }

    fn statement(&mut self, statement: &Stmt<'t>) -> Walked {
        match statement {
            Stmt::Template(template) => self.statements(&template.children),
            Stmt::EmitRaw(_) => Ok(()),
            Stmt::EmitExpr(emit) => self.expression(&emit.expr),
            Stmt::IfCond(condition) => {
                self.expression(&condition.expr)?;
                self.statements(&condition.true_body)?;
                self.statements(&condition.false_body)
            }
            Stmt::ForLoop(repeated) => self.repeated(repeated, repeated.span()),
            Stmt::WithBlock(with) => {
                with.assignments.iter().try_for_each(|(_, value)| self.expression(value))?;
                self.scopes.push(BTreeSet::new());
                with.assignments.iter().for_each(|(target, _)| self.assign(target));
                self.end_scope(&with.body)
            }
            Stmt::Set(set) => {
                self.expression(&set.expr)?;
                self.assign(&set.target);
                Ok(())
            }
            Stmt::SetBlock(set) => {
                self.in_scope(&set.body)?;
                set.filter.iter().try_for_each(|filter| self.expression(filter))?;
                self.assign(&set.target);
                Ok(())
            }
            Stmt::FilterBlock(block) => {
                self.expression(&block.filter)?;
                self.in_scope(&block.body)
            }
            Stmt::AutoEscape(block) => self.no_statement(block.span(), "autoescape"),
            Stmt::Do(block) => self.no_statement(block.span(), "do"),
        }
    }

    fn no_statement(&mut self, span: Span, name: &str) -> Walked {
        self.error(span, unknown(Named::Statement, name));
        Ok(())
    }

    fn repeated(&mut self, repeated: &ForLoop<'t>, span: Span) -> Walked {
        if repeated.recursive {
            self.error(span, Fault::Recursive);
        }
        self.expression(&repeated.iter)?;
        self.scopes.push(BTreeSet::new());
        self.assign(&repeated.target);
        if let Some(condition) = &repeated.filter_expr {
            self.expression(condition)?;
        }
        self.set(LOOP);
        self.end_scope(&repeated.body)?;
        self.in_scope(&repeated.else_body)
    }

    fn in_scope(&mut self, statements: &[Stmt<'t>]) -> Walked {
        self.scopes.push(BTreeSet::new());
        self.end_scope(statements)
    }

    fn end_scope(&mut self, statements: &[Stmt<'t>]) -> Walked {
        self.statements(statements)?;
        self.scopes.pop();
        Ok(())
    }

    fn assign(&mut self, target: &Expr<'t>) {
        match target {
            Expr::Var(name) => self.set(name.id),
            other => ast::children(other).into_iter().for_each(|part| self.assign(part)),
        }
    }

    fn set(&mut self, name: &'t str) {
        self.scopes.last_mut().into_iter().for_each(|scope| {
            scope.insert(name);
        });
    }

    fn expression(&mut self, expression: &Expr<'t>) -> Walked {
        let span = expression.span();
        self.budget.spend(1).map_err(|fault| ast::error(self.text, span, fault))?;
        match expression {
            Expr::Var(name) => self.variable(name.id, span),
            Expr::Filter(filter) => {
                self.filters.insert(filter.name);
                if filters::NAMES.contains(&filter.name) {
                    self.arguments(&filter.args, filters::arity(filter.name), span);
                } else {
                    self.error(span, unknown(Named::Filter, filter.name));
                }
            }
            Expr::BinOp(operation) if matches!(operation.op, BinOpKind::Concat) => {
                self.error(span, Fault::Tilde);
            }
            Expr::Test(test) if !functions::TESTS.contains(&test.name) => {
                self.error(span, unknown(Named::Test, test.name));
            }
            Expr::Test(test) => self.arguments(&test.args, (0, 0), span),
            Expr::Call(call) => return self.call(call, span),
            Expr::GetAttr(part) => self.part(&part.expr, span),
            Expr::GetItem(part) if matches!(&part.subscript_expr, Expr::Const(key) if key.value.as_str().is_some()) =>
            {
                self.part(&part.expr, span);
            }
            _ => {}
        }
        ast::children(expression).into_iter().try_for_each(|child| self.expression(child))
    }

    fn variable(&mut self, name: &'t str, span: Span) {
        if self.is_set(name) || functions::NAMES.contains(&name) {
        } else if self.declared.iter().any(|declared| declared.name == name) {
            self.used.insert(name);
        } else if name == LOOP {
            self.error(span, Fault::NoLoop);
        } else if name == SECRET {
            self.error(span, Fault::NoSecrets);
        } else {
            let known: Vec<_> = self.declared.iter().map(|declared| declared.name.as_str()).collect();
            // Of two letters almost any two words are near.
            let nearest = nearest(name, known).filter(|_| name.len() > 2).map(str::to_owned);
            self.error(span, Fault::Undeclared { name: name.to_owned(), nearest });
        }
    }

    fn is_set(&self, name: &str) -> bool {
        self.scopes.iter().any(|scope| scope.contains(name))
    }

    /// Reports a part of what has none.
    fn part(&mut self, whole: &Expr<'t>, span: Span) {
        let Expr::Var(name) = whole else { return };
        let is_text = |declared: &Declared| declared.name == name.id && declared.shape == Shape::Text;
        if !self.is_set(name.id) && self.declared.iter().any(is_text) {
            self.error(span, Fault::NoParts(name.id.to_owned()));
        }
    }

    fn call(&mut self, call: &Call<'t>, span: Span) -> Walked {
        match &call.expr {
            Expr::Var(name) if self.is_set(name.id) => {}
            Expr::Var(name) if name.id == SECRET => {
                self.error(span, Fault::SecretCall(declaration(&call.args)));
                return Ok(());
            }
            Expr::Var(name) if functions::NAMES.contains(&name.id) => {
                self.arguments(&call.args, functions::ARITY, span);
            }
            Expr::Var(name) if self.declared.iter().any(|declared| declared.name == name.id) => {
                self.used.insert(name.id);
            }
            Expr::Var(name) => self.error(span, unknown(Named::Function, name.id)),
            Expr::GetAttr(method) => {
                self.error(span, Fault::Method);
                self.expression(&method.expr)?;
            }
            other => self.expression(other)?,
        }
        ast::arguments(&call.args).try_for_each(|argument| self.expression(argument))
    }

    /// Reports arguments that are not written out one by one, or are not as many as there must be.
    fn arguments(&mut self, given: &[CallArg<'t>], (least, most): (usize, usize), span: Span) {
        let faults = given.iter().filter_map(|argument| match argument {
            CallArg::Pos(_) => None,
            CallArg::Kwarg(name, _) => Some(Fault::Keyword((*name).to_owned())),
            CallArg::PosSplat(_) | CallArg::KwargSplat(_) => Some(Fault::Splat),
        });
        let fault = faults.into_iter().next().or(match given.len() {
            count if count < least => Some(Fault::MissingArgument),
            count if count > most => Some(Fault::TooManyArguments),
            _ => None,
        });
        fault.into_iter().for_each(|fault| self.error(span, fault));
    }

    fn error(&mut self, span: Span, fault: Fault) {
        self.errors.push(ast::error(self.text, span, fault));
    }
}

fn unknown(what: Named, name: &str) -> Fault {
    let nearest = nearest(name, what.known().iter().copied());
    Fault::Unknown { what, name: name.to_owned(), nearest }
}

/// Says how a secret is declared that the function of the first versions named.
fn declaration(given: &[CallArg<'_>]) -> String {
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
