//! Evaluates expressions.

use minijinja::machinery::ast::{
    BinOp, BinOpKind, Call, CallArg, Compare, CompareOpKind, Expr, Filter, Test, UnaryOpKind,
};
use minijinja::value::ValueKind;
use secretdir_quote::Format;

use super::{Done, Interpreter, names, offset};
use crate::error::{Failure, Fault};
use crate::filters::{self, FILTERS, TESTS};
use crate::operators;
use crate::value::{Keys, Mark, Origin, Value};

impl<'t> Interpreter<'t> {
    /// Evaluates an expression. An undefined result is an error.
    pub(super) fn value(&mut self, expression: &Expr<'t>) -> Done<Value> {
        match self.evaluate(expression)? {
            Value::Undefined => {
                let undefined = self.undefined(expression);
                self.recover(Err(undefined))
            }
            value => Ok(value),
        }
    }

    /// Evaluates an expression that may be an undefined name. An undefined part is an error.
    pub(super) fn maybe(&mut self, expression: &Expr<'t>) -> Done<Value> {
        match expression {
            Expr::Var(_) => self.evaluate(expression),
            Expr::BinOp(sides) if matches!(sides.op, BinOpKind::ScAnd | BinOpKind::ScOr) => {
                self.evaluate(expression)
            }
            _ => self.value(expression),
        }
    }

    /// Evaluates an expression. Its result may be undefined.
    fn evaluate(&mut self, expression: &Expr<'t>) -> Done<Value> {
        // The span of a comparison does not begin at its left side.
        let span = match expression {
            Expr::BinOp(operation) if comparison(operation.op).is_some() => operation.left.span(),
            Expr::Compare(compare) => compare.expr.span(),
            other => other.span(),
        };
        let value = self.nested(span, |it| it.expression(expression));
        self.recover(value)
    }

    fn expression(&mut self, expression: &Expr<'t>) -> Done<Value> {
        Ok(match expression {
            Expr::Var(name) => self.variable(name.id)?,
            Expr::Const(constant) => of_constant(&constant.value)?,
            Expr::List(list) => Value::list(self.values(&list.items)?),
            Expr::Tuple(tuple) => Value::list(self.values(&tuple.items)?),
            Expr::Map(map) => {
                let (keys, values) = (self.values(&map.keys)?, self.values(&map.values)?);
                let entries =
                    keys.iter().zip(values).map(|(key, value)| Ok((key.as_key(&mut self.budget)?, value)));
                Value::map(entries.collect::<Result<Vec<_>, Fault>>()?, Keys::Values)
            }
            Expr::UnaryOp(operation) if matches!(operation.op, UnaryOpKind::Not) => {
                self.condition(&operation.expr)?.map_or(Value::Unknown, |holds| Value::Bool(!holds))
            }
            Expr::UnaryOp(operation) => operators::negated(&self.value(&operation.expr)?)?,
            Expr::BinOp(operation) => self.operation(operation)?,
            Expr::Compare(compare) => self.comparisons(compare)?,
            Expr::IfExpr(choice) => {
                let holds = self.condition(&choice.test_expr)?;
                let other = choice.false_expr.as_ref();
                self.evaluate_both(
                    holds,
                    |it| it.evaluate(&choice.true_expr),
                    |it| other.map_or(Ok(Value::text("")), |other| it.evaluate(other)),
                )?
            }
            Expr::Filter(filter) => self.filter(filter, None, offset(expression.span().start_offset))?,
            Expr::Test(test) => self.test(test)?,
            Expr::GetAttr(part) => self.attribute(&part.expr, part.name)?,
            Expr::GetItem(part) => self.item(&part.expr, &part.subscript_expr)?,
            Expr::Slice(slice) => self.slice(slice)?,
            Expr::Call(call) => self.call(call)?,
        })
    }

    pub(super) fn values(&mut self, expressions: &[Expr<'t>]) -> Done<Vec<Value>> {
        expressions.iter().map(|expression| self.value(expression)).collect()
    }

    fn operation(&mut self, operation: &BinOp<'t>) -> Done<Value> {
        if let BinOpKind::ScAnd | BinOpKind::ScOr = operation.op {
            // The result is one of the sides.
            let left = self.maybe(&operation.left)?;
            let is_or = matches!(operation.op, BinOpKind::ScOr);
            let holds = match left.is_true(&mut self.budget) {
                Err(Fault::NotKnown) => None,
                holds => Some(holds? == is_or),
            };
            return self.evaluate_both(holds, |_| Ok(left), |it| it.maybe(&operation.right));
        }
        let (left, right) = (self.value(&operation.left)?, self.value(&operation.right)?);
        match comparison(operation.op) {
            Some(how) => Ok(Value::Bool(operators::compare(&left, how, &right, &mut self.budget)?)),
            None if matches!(operation.op, BinOpKind::Concat) => Err(Fault::Tilde.into()),
            None => operators::calculate(operation.op, &left, &right, &mut self.budget).map_err(|fault| {
                match fault {
                    // In a chain of operators, this is the link that fails.
                    Fault::Mixed { .. } => Failure::from(fault).at(begin(&operation.right)),
                    fault => fault.into(),
                }
            }),
        }
    }

    /// Compares several values, each with the next: `1 < x < 5`.
    fn comparisons(&mut self, compare: &Compare<'t>) -> Done<Value> {
        let (mut left, mut result) = (self.value(&compare.expr)?, Value::Bool(true));
        for step in &compare.ops {
            let right = self.value(&step.expr)?;
            let holds = operators::compare(&left, step.op, &right, &mut self.budget).map(Value::Bool);
            let holds = holds.map_err(|fault| Failure::from(fault).at(begin(&compare.expr)));
            match self.recover(holds)? {
                Value::Bool(true) => {}
                Value::Bool(false) if self.check.is_none() => return Ok(Value::Bool(false)),
                other => result = other,
            }
            left = right;
        }
        Ok(result)
    }

    /// Applies filters, the first of them to the text of a block.
    pub(super) fn filtered(&mut self, filter: &Expr<'t>, block: Option<Value>) -> Done<Value> {
        let Expr::Filter(applied) = filter else { return self.value(filter) };
        let value =
            self.nested(filter.span(), |it| it.filter(applied, block, offset(filter.span().start_offset)));
        self.recover(value)
    }

    fn filter(&mut self, filter: &Filter<'t>, block: Option<Value>, at: usize) -> Done<Value> {
        let value = match &filter.expr {
            Some(inner) if block.is_some() => self.filtered(inner, block)?,
            Some(inner) if filter.name == "default" => self.evaluate(inner)?,
            Some(inner) => self.value(inner)?,
            None => block.unwrap_or(Value::Undefined),
        };
        let arguments = self.arguments(&filter.args)?;
        let known = FILTERS.into_iter().find(|(name, ..)| *name == filter.name);
        let Some((name, least, most)) = known else {
            return Err(Fault::unknown("filter", filter.name, &FILTERS.map(|(name, ..)| name)).into());
        };
        takes(name, &filter.args, (least, most))?;
        let result = filters::apply((name, at), &value, &arguments, &mut self.budget);
        match (Format::named(name), &mut self.check) {
            (Some(format), Some(found)) if matches!(result, Ok(_) | Err(Fault::NotKnown)) => {
                found.formats.insert(format);
                Ok(Value::piece("", Origin::Unknown(Some(Mark { format, at }))))
            }
            _ => Ok(result?),
        }
    }

    fn test(&mut self, test: &Test<'t>) -> Done<Value> {
        let allows_nothing = matches!(test.name, "defined" | "undefined");
        let value = if allows_nothing { self.evaluate(&test.expr)? } else { self.value(&test.expr)? };
        self.arguments(&test.args)?;
        if !TESTS.contains(&test.name) {
            return Err(Fault::unknown("test", test.name, &TESTS).into());
        }
        takes(test.name, &test.args, (0, 0))?;
        Ok(Value::Bool(filters::test(test.name, &value)?))
    }

    fn call(&mut self, call: &Call<'t>) -> Done<Value> {
        match &call.expr {
            Expr::GetAttr(method) => {
                self.value(&method.expr)?;
                self.arguments(&call.args)?;
                Err(Fault::Method.into())
            }
            Expr::Var(name) if name.id == "secret" && !self.is_set(name.id) => {
                Err(Fault::SecretCall(names::declaration(&call.args)).into())
            }
            Expr::Var(name) if name.id == "range" && !self.is_set(name.id) => {
                let arguments = self.arguments(&call.args)?;
                takes(name.id, &call.args, (1, 3))?;
                if self.check.is_some() {
                    // A check takes only a few turns, whatever the length is.
                    filters::range_of(&arguments)?;
                    return Err(Fault::NotKnown.into());
                }
                Ok(filters::range(&arguments, &mut self.budget)?)
            }
            Expr::Var(name) if !self.is_set(name.id) => {
                self.arguments(&call.args)?;
                Err(Fault::unknown("function", name.id, &["range"]).into())
            }
            callee => {
                self.value(callee)?;
                self.arguments(&call.args)?;
                Err(Fault::NotCallable.into())
            }
        }
    }

    fn arguments(&mut self, given: &[CallArg<'t>]) -> Done<Vec<Value>> {
        let values = given.iter().map(|argument| match argument {
            CallArg::Pos(value)
            | CallArg::Kwarg(_, value)
            | CallArg::PosSplat(value)
            | CallArg::KwargSplat(value) => self.value(value),
        });
        values.collect()
    }

    /// Returns the error about an undefined expression.
    fn undefined(&self, expression: &Expr<'t>) -> Failure {
        // The span of a part of a part begins behind the first part.
        let (start, end) = (begin(expression), offset(expression.span().end_offset));
        let written = self.text.get(start..end).unwrap_or_default();
        let is_name = written.chars().all(|c| names::is_word(c) || c == '.');
        let fault = match expression {
            Expr::Var(name) => Fault::UndefinedName(name.id.to_owned()),
            Expr::GetAttr(_) | Expr::GetItem(_) if is_name => Fault::UndefinedPart(written.to_owned()),
            Expr::GetAttr(_) | Expr::GetItem(_) => Fault::NoSuchPart,
            _ => Fault::UndefinedHere,
        };
        Failure::from(fault).at(start)
    }
}

/// Ensures that arguments have no names and no `*`, and that their number is right.
fn takes(name: &str, given: &[CallArg<'_>], (least, most): (usize, usize)) -> Result<(), Fault> {
    let fault = given.iter().find_map(|argument| match argument {
        CallArg::Pos(_) => None,
        CallArg::Kwarg(name, _) => Some(Fault::Keyword((*name).to_owned())),
        CallArg::PosSplat(_) | CallArg::KwargSplat(_) => Some(Fault::Splat),
    });
    let fits = (least..=most).contains(&given.len());
    match fault {
        Some(fault) => Err(fault),
        None if fits => Ok(()),
        None => Err(Fault::Arguments { name: name.to_owned(), least, most }),
    }
}

fn comparison(operator: BinOpKind) -> Option<CompareOpKind> {
    Some(match operator {
        BinOpKind::Eq => CompareOpKind::Eq,
        BinOpKind::Ne => CompareOpKind::Ne,
        BinOpKind::Lt => CompareOpKind::Lt,
        BinOpKind::Lte => CompareOpKind::Lte,
        BinOpKind::Gt => CompareOpKind::Gt,
        BinOpKind::Gte => CompareOpKind::Gte,
        BinOpKind::In => CompareOpKind::In,
        _ => return None,
    })
}

/// Says whether an expression can give nothing but a boolean.
pub(super) fn is_boolean(expression: &Expr<'_>) -> bool {
    match expression {
        Expr::UnaryOp(operation) => matches!(operation.op, UnaryOpKind::Not),
        Expr::BinOp(operation) => comparison(operation.op).is_some(),
        other => matches!(other, Expr::Compare(_) | Expr::Test(_)),
    }
}

/// Returns where an expression begins. Its span may begin later.
pub(super) fn begin(expression: &Expr<'_>) -> usize {
    let parts = std::iter::successors(Some(expression), |part| match part {
        Expr::GetAttr(part) => Some(&part.expr),
        Expr::GetItem(part) => Some(&part.expr),
        Expr::BinOp(operation) => Some(&operation.left),
        Expr::Compare(compare) => Some(&compare.expr),
        Expr::IfExpr(choice) => Some(&choice.true_expr),
        _ => None,
    });
    let last = parts.last().unwrap_or(expression);
    offset(last.span().start_offset)
}

/// Converts a constant of the parser.
fn of_constant(constant: &minijinja::Value) -> Result<Value, Fault> {
    match constant.kind() {
        ValueKind::None => Ok(Value::None),
        ValueKind::Bool => Ok(Value::Bool(constant.is_true())),
        ValueKind::Number if constant.is_integer() => {
            i128::try_from(constant.clone()).map(Value::integer).map_err(|_| Fault::Calculation)
        }
        ValueKind::Number => match f64::try_from(constant.clone()) {
            Ok(number) if number.is_finite() => Ok(Value::float(number)),
            _ => Err(Fault::Calculation),
        },
        _ => constant.as_str().map(Value::text).ok_or(Fault::Calculation),
    }
}
