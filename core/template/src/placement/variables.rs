//! What the variables of a template may hold: everything that any statement assigns to the name, wherever it stands.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::machinery::ast::{Expr, ForLoop, SetBlock, Stmt};

use super::hides;
use crate::ast;
use crate::budget::Budget;
use crate::error::Fault;

/// What an assignment gives to a name.
#[derive(Clone, Copy)]
pub(super) enum Assigned<'e, 't> {
    Value(&'e Expr<'t>),
    /// An item of it.
    Item(&'e Expr<'t>),
    /// It is taken apart.
    Part(&'e Expr<'t>),
    Block(&'e SetBlock<'t>),
}

/// All assignments of a template.
pub(super) struct Variables<'e, 't> {
    filter: &'static str,
    assigned: BTreeMap<&'t str, Vec<Assigned<'e, 't>>>,
    /// The names that may hold what the filter has written.
    quoted: BTreeSet<&'t str>,
}

impl<'e, 't> Variables<'e, 't> {
    /// Collects them, for one filter.
    pub(super) fn of(
        template: &'e Stmt<'t>,
        filter: &'static str,
        budget: &mut Budget,
    ) -> Result<Self, Fault> {
        let mut variables = Self { filter, assigned: BTreeMap::new(), quoted: BTreeSet::new() };
        variables.statement(template);
        // What is assigned to a name may come from another one.
        loop {
            budget.spend(1 + variables.assigned.len())?;
            let holds = |(_, assigned): &(&&'t str, &Vec<Assigned<'e, 't>>)| {
                assigned.iter().any(|assigned| variables.holds(assigned))
            };
            let quoted: BTreeSet<_> =
                variables.assigned.iter().filter(holds).map(|(name, _)| *name).collect();
            if quoted == variables.quoted {
                return Ok(variables);
            }
            variables.quoted = quoted;
        }
    }

    pub(super) fn of_name(&self, name: &str) -> Vec<Assigned<'e, 't>> {
        self.assigned.get(name).cloned().unwrap_or_default()
    }

    fn holds(&self, assigned: &Assigned<'e, 't>) -> bool {
        match assigned {
            Assigned::Value(value) | Assigned::Item(value) | Assigned::Part(value) => self.is_quoted(value),
            Assigned::Block(block) => self.filters(block.filter.as_ref(), &block.body),
        }
    }

    /// Says whether what an expression gives has been written by the filter, in a whole or in part.
    pub(super) fn is_quoted(&self, expression: &Expr<'_>) -> bool {
        match expression {
            Expr::Var(name) => self.quoted.contains(name.id),
            Expr::Filter(filter) if hides(filter.name) => filter.name == self.filter,
            Expr::Test(_) | Expr::Compare(_) => false,
            Expr::IfExpr(choice) => {
                self.is_quoted(&choice.true_expr)
                    || choice.false_expr.as_ref().is_some_and(|other| self.is_quoted(other))
            }
            other => ast::children(other).into_iter().any(|child| self.is_quoted(child)),
        }
    }

    /// Says so of what filters make of a block.
    fn filters(&self, filter: Option<&Expr<'_>>, block: &[Stmt<'_>]) -> bool {
        match filter {
            Some(Expr::Filter(filter)) if hides(filter.name) => filter.name == self.filter,
            Some(Expr::Filter(filter)) => self.filters(filter.expr.as_ref(), block),
            _ => self.is_written_in(block),
        }
    }

    /// Says whether statements print what the filter has written.
    pub(super) fn is_written_in(&self, statements: &[Stmt<'_>]) -> bool {
        statements.iter().any(|statement| match statement {
            Stmt::Template(template) => self.is_written_in(&template.children),
            Stmt::EmitExpr(emit) => self.is_quoted(&emit.expr),
            Stmt::IfCond(condition) => {
                self.is_written_in(&condition.true_body) || self.is_written_in(&condition.false_body)
            }
            Stmt::ForLoop(repeated) => {
                self.is_written_in(&repeated.body) || self.is_written_in(&repeated.else_body)
            }
            Stmt::WithBlock(with) => self.is_written_in(&with.body),
            Stmt::FilterBlock(block) => self.filters(Some(&block.filter), &block.body),
            Stmt::EmitRaw(_) | Stmt::Set(_) | Stmt::SetBlock(_) | Stmt::AutoEscape(_) | Stmt::Do(_) => false,
        })
    }

    fn statements(&mut self, statements: &'e [Stmt<'t>]) {
        statements.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &'e Stmt<'t>) {
        match statement {
            Stmt::Template(template) => self.statements(&template.children),
            Stmt::IfCond(condition) => {
                self.statements(&condition.true_body);
                self.statements(&condition.false_body);
            }
            Stmt::ForLoop(repeated) => self.repeated(repeated),
            Stmt::WithBlock(with) => {
                with.assignments
                    .iter()
                    .for_each(|(target, value)| self.assign(target, Assigned::Value(value)));
                self.statements(&with.body);
            }
            Stmt::Set(set) => self.assign(&set.target, Assigned::Value(&set.expr)),
            Stmt::SetBlock(set) => {
                self.assign(&set.target, Assigned::Block(set));
                self.statements(&set.body);
            }
            Stmt::FilterBlock(block) => self.statements(&block.body),
            Stmt::EmitRaw(_) | Stmt::EmitExpr(_) | Stmt::AutoEscape(_) | Stmt::Do(_) => {}
        }
    }

    fn repeated(&mut self, repeated: &'e ForLoop<'t>) {
        self.assign(&repeated.target, Assigned::Item(&repeated.iter));
        self.statements(&repeated.body);
        self.statements(&repeated.else_body);
    }

    fn assign(&mut self, target: &'e Expr<'t>, assigned: Assigned<'e, 't>) {
        if let Expr::Var(name) = target {
            self.assigned.entry(name.id).or_default().push(assigned);
            return;
        }
        let taken_apart = match assigned {
            Assigned::Value(value) | Assigned::Item(value) | Assigned::Part(value) => Assigned::Part(value),
            Assigned::Block(_) => assigned,
        };
        ast::children(target).into_iter().for_each(|part| self.assign(part, taken_apart));
    }
}
