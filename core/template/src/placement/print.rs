//! Follows what an expression prints.

use minijinja::machinery::Span;
use minijinja::machinery::ast::{BinOpKind, Expr, Filter, Stmt, UnaryOpKind};

use super::variables::Assigned;
use super::{Misplaced, Walk, Walked, hides};
use crate::ast;
use crate::filters::DEFAULT;

/// Which turn of a loop it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    pub(super) is_first: bool,
    pub(super) is_last: bool,
}

impl<'e, 't> Walk<'e, 't, '_> {
    pub(super) fn print(&mut self, expression: &'e Expr<'t>) -> Walked {
        self.spend(expression.span())?;
        match expression {
            Expr::Const(constant) if constant.value.as_str().is_some() => {
                self.text(constant.value.as_str().unwrap_or_default(), expression.span())?;
            }
            Expr::IfExpr(choice) => {
                let branches = (&choice.true_expr, choice.false_expr.as_ref());
                self.branch(
                    &choice.test_expr,
                    |walk| walk.print(branches.0),
                    |walk| branches.1.into_iter().try_for_each(|other| walk.print(other)),
                )?;
            }
            Expr::BinOp(sum) if matches!(sum.op, BinOpKind::Add) => {
                self.print(&sum.left)?;
                self.print(&sum.right)?;
            }
            Expr::BinOp(sides) if matches!(sides.op, BinOpKind::ScAnd | BinOpKind::ScOr) => {
                if !self.refuse_changed(expression) {
                    self.ways([&sides.left, &sides.right], Self::print)?;
                }
            }
            Expr::Var(name) => self.variable(name.id, expression.span())?,
            Expr::Filter(filter) => self.filter(filter, expression)?,
            other => self.other(other),
        }
        Ok(())
    }

    fn filter(&mut self, filter: &'e Filter<'t>, expression: &'e Expr<'t>) -> Walked {
        let span = expression.span();
        if filter.name == self.reader.filter() {
            self.quoted(span);
            return Ok(());
        }
        let arguments: Vec<_> = ast::arguments(&filter.args).collect();
        match (filter.name, &filter.expr, arguments.as_slice()) {
            (name, ..) if hides(name) => self.unknown(),
            ("join", Some(list), joiner @ ([] | [Expr::Const(_)])) if self.lists(list).is_some() => {
                let lists = self.lists(list).unwrap_or_default();
                let told = matches!(list, Expr::Var(_)).then(|| offset(span));
                return self.within(told, |walk| {
                    walk.ways(lists, |walk, items| walk.joined(items, joiner.first().copied()))
                });
            }
            (DEFAULT, Some(value), other) if !self.refuse_changed(expression) => {
                let values = std::iter::once(value).chain(other.first().copied());
                return self.ways(values, Self::print);
            }
            (DEFAULT, ..) => {}
            _ => self.other(expression),
        }
        Ok(())
    }

    fn joined(&mut self, items: &'e [Expr<'t>], joiner: Option<&'e Expr<'t>>) -> Walked {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                joiner.into_iter().try_for_each(|joiner| self.print(joiner))?;
            }
            self.print(item)?;
        }
        Ok(())
    }

    /// Returns the lists that an expression may give, if all of them are written out.
    fn lists(&self, expression: &'e Expr<'t>) -> Option<Vec<&'e [Expr<'t>]>> {
        match expression {
            Expr::List(list) => Some(vec![&list.items]),
            Expr::Tuple(tuple) => Some(vec![&tuple.items]),
            Expr::Var(name) if !self.is_declared(name.id) => {
                let assigned = self.variables.of_name(name.id);
                let lists = assigned.iter().map(|assigned| match assigned {
                    Assigned::Value(Expr::List(list)) => Some(list.items.as_slice()),
                    Assigned::Value(Expr::Tuple(tuple)) => Some(tuple.items.as_slice()),
                    _ => None,
                });
                lists.collect::<Option<Vec<_>>>().filter(|lists| !lists.is_empty())
            }
            _ => None,
        }
    }

    /// Follows everything that a variable may hold. One assignment is no part of itself: what it gives comes from those before.
    fn variable(&mut self, name: &'t str, span: Span) -> Walked {
        let assigned = self.variables.of_name(name);
        let assigned: Vec<_> = assigned.into_iter().enumerate().collect();
        let mut ways: Vec<_> = assigned
            .into_iter()
            .filter(|(index, _)| !self.entered.contains(&(name, *index)))
            .map(Some)
            .collect();
        if ways.is_empty() || self.is_declared(name) {
            ways.push(None);
        }
        let turn = self.turn.take();
        let followed = self.within(Some(offset(span)), |walk| {
            walk.ways(ways, |walk, way| {
                let Some((index, assigned)) = way else {
                    walk.unknown();
                    return Ok(());
                };
                walk.entered.push((name, index));
                walk.assigned(assigned, span)?;
                walk.entered.pop();
                Ok(())
            })
        });
        self.turn = turn;
        followed
    }

    fn assigned(&mut self, assigned: Assigned<'e, 't>, span: Span) -> Walked {
        match assigned {
            Assigned::Value(value) => self.print(value),
            Assigned::Item(list) => match self.lists(list) {
                Some(lists) => self.ways(lists.into_iter().flatten(), Self::print),
                None => {
                    self.other(list);
                    Ok(())
                }
            },
            Assigned::Part(whole) => {
                self.other(whole);
                Ok(())
            }
            Assigned::Block(block) => self.block(block.filter.as_ref(), &block.body, span),
        }
    }

    /// Follows what is printed of a block, through filters if there are any.
    pub(super) fn block(&mut self, filter: Option<&'e Expr<'t>>, body: &'e [Stmt<'t>], span: Span) -> Walked {
        let names: Vec<_> = filter.into_iter().flat_map(ast::filters_of).collect();
        let hiding = names.iter().position(|name| hides(name));
        match (hiding.and_then(|place| names.get(place)), hiding) {
            (Some(name), Some(place)) if *name == self.reader.filter() => {
                if place == 0 {
                    self.quoted(span)
                } else {
                    self.add(vec![(offset(span), Misplaced::Changed)])
                }
                Ok(())
            }
            (Some(_), _) => {
                self.unknown();
                Ok(())
            }
            (None, _) => {
                let outer = self.is_changing;
                self.is_changing |= filter.is_some();
                let followed = self.statements(body);
                self.is_changing = outer;
                followed
            }
        }
    }

    /// Follows an expression of which nothing is known but whether the filter has written something in it.
    fn other(&mut self, expression: &Expr<'_>) {
        if !self.refuse_changed(expression) {
            self.unknown();
        }
    }

    /// Refuses an expression that changes what the filter has written. Says whether it does.
    fn refuse_changed(&mut self, expression: &Expr<'_>) -> bool {
        let key = std::ptr::from_ref(expression).cast();
        let is_quoted = match self.known.get(&key) {
            Some(is_quoted) => *is_quoted,
            None => self.variables.is_quoted(expression),
        };
        self.known.insert(key, is_quoted);
        if is_quoted {
            self.add(vec![(offset(expression.span()), Misplaced::Changed)]);
            self.unknown();
        }
        is_quoted
    }

    /// Follows each of several things in the place of the others.
    fn ways<W>(
        &mut self,
        ways: impl IntoIterator<Item = W>,
        mut follow: impl FnMut(&mut Self, W) -> Walked,
    ) -> Walked {
        let before = self.states.clone();
        let mut after = before.none();
        for way in ways {
            self.states = before.clone();
            follow(self, way)?;
            after.merge(self.states.clone());
        }
        self.states = after;
        Ok(())
    }

    /// Follows both branches, or the one that is taken in this turn of a loop.
    pub(super) fn branch(
        &mut self,
        condition: &Expr<'_>,
        taken: impl FnOnce(&mut Self) -> Walked,
        otherwise: impl FnOnce(&mut Self) -> Walked,
    ) -> Walked {
        let holds = self.turn.and_then(|turn| in_turn(condition, turn));
        let before = self.states.clone();
        let mut after = before.none();
        if holds != Some(false) {
            taken(self)?;
            after.merge(std::mem::replace(&mut self.states, before.clone()));
        }
        if holds != Some(true) {
            otherwise(self)?;
            after.merge(std::mem::replace(&mut self.states, before));
        }
        self.states = after;
        Ok(())
    }

    /// Tells what is found at this place, unless it is told further out already.
    fn within(&mut self, told: Option<usize>, follow: impl FnOnce(&mut Self) -> Walked) -> Walked {
        let outer = self.told;
        self.told = outer.or(told);
        let followed = follow(self);
        self.told = outer;
        followed
    }
}

/// Says whether a condition holds in a turn of a loop, if it is about nothing else.
fn in_turn(condition: &Expr<'_>, turn: Turn) -> Option<bool> {
    match condition {
        Expr::UnaryOp(negation) if matches!(negation.op, UnaryOpKind::Not) => {
            if let Expr::GetAttr(_) = negation.expr {
                in_turn(&negation.expr, turn).map(|holds| !holds)
            } else {
                None
            }
        }
        Expr::GetAttr(part) => match (&part.expr, part.name) {
            (Expr::Var(name), "first") if name.id == "loop" => Some(turn.is_first),
            (Expr::Var(name), "last") if name.id == "loop" => Some(turn.is_last),
            _ => None,
        },
        _ => None,
    }
}

/// Says whether an expression asks which turn of a loop it is.
pub(super) fn asks_for_turn(expression: &Expr<'_>) -> bool {
    in_turn(expression, Turn { is_first: true, is_last: true }).is_some()
        || ast::children(expression).into_iter().any(asks_for_turn)
}

pub(super) fn offset(span: Span) -> usize {
    usize::try_from(span.start_offset).unwrap_or_default()
}
