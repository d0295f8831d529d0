//! Evaluates expressions.

use std::cmp::Ordering;

use minijinja::machinery::Span;
use minijinja::machinery::ast::{
    BinOp, BinOpKind, Call, CallArg, CallType, Compare, CompareOpKind, Expr, Filter, Map as MapExpr, Test,
    UnaryOpKind,
};
use minijinja::value::ValueKind;
use secretdir_helpers::Position;

use super::super::error::{Fault, TemplateError};
use super::super::filters;
use super::super::functions;
use super::super::operators::{self, Arithmetic};
use super::super::value::{List, Map, Value};
use super::Renderer;

impl<'t> Renderer<'t> {
    /// Evaluates an expression that must give something.
    pub(super) fn value(&mut self, expression: &Expr<'t>) -> Result<Value, TemplateError> {
        match self.evaluate(expression)? {
            Value::Undefined => Err(self.undefined(expression)),
            value => Ok(value),
        }
    }

    /// Says whether an `if` is taken. A name that has no value, such as that of an optional secret, is false; a part that is not
    /// there is an error.
    pub(super) fn condition(&mut self, expression: &Expr<'t>) -> Result<bool, TemplateError> {
        let value = match expression {
            Expr::Var(_) => self.evaluate(expression),
            Expr::BinOp(sides) if matches!(sides.op, BinOpKind::ScAnd | BinOpKind::ScOr) => {
                self.descend(expression.span())?;
                let is_or = matches!(sides.op, BinOpKind::ScOr);
                let holds = match self.condition(&sides.left)? {
                    left if left == is_or => left,
                    _ => self.condition(&sides.right)?,
                };
                self.depth -= 1;
                return Ok(holds);
            }
            _ => self.value(expression),
        };
        value.map(|value| value.is_true())
    }

    /// Evaluates an expression that may give nothing.
    fn evaluate(&mut self, expression: &Expr<'t>) -> Result<Value, TemplateError> {
        self.descend(expression.span())?;
        let value = self.expression(expression)?;
        self.depth -= 1;
        Ok(value)
    }

    fn expression(&mut self, expression: &Expr<'t>) -> Result<Value, TemplateError> {
        let span = expression.span();
        match expression {
            Expr::Var(name) => Ok(self.variable(name.id)),
            Expr::Const(constant) => self.placed(span, constant_value(&constant.value)),
            Expr::List(list) => self.list(&list.items, span),
            Expr::Tuple(tuple) => self.list(&tuple.items, span),
            Expr::Map(map) => self.map(map, span),
            Expr::UnaryOp(operation) => match operation.op {
                UnaryOpKind::Not => Ok(Value::Bool(!self.condition(&operation.expr)?)),
                UnaryOpKind::Neg => {
                    let value = self.value(&operation.expr)?;
                    self.placed(span, operators::negated(&value))
                }
            },
            Expr::BinOp(operation) => self.operation(operation, span),
            Expr::Compare(compare) => self.comparison(compare, compare.expr.span()),
            Expr::IfExpr(choice) => match (self.condition(&choice.test_expr)?, &choice.false_expr) {
                (true, _) => self.evaluate(&choice.true_expr),
                (false, Some(other)) => self.evaluate(other),
                (false, None) => Ok(Value::text("")),
            },
            Expr::Filter(filter) => self.filter(filter, None, span),
            Expr::Test(test) => self.test(test, span),
            Expr::GetAttr(part) => {
                let whole = self.value(&part.expr)?;
                let found = self.named_part(&whole, part.name);
                self.placed(span, found)
            }
            Expr::GetItem(part) => {
                let (whole, key) = (self.value(&part.expr)?, self.value(&part.subscript_expr)?);
                let found = self.part(&whole, &key);
                self.placed(span, found)
            }
            Expr::Slice(slice) => self.slice(slice),
            Expr::Call(call) => self.call(call, span),
        }
    }

    fn variable(&self, name: &str) -> Value {
        match self.scopes.get(name) {
            Some(value) => value.clone(),
            None if functions::NAMES.contains(&name) => Value::Function,
            None => Value::Undefined,
        }
    }

    fn list(&mut self, items: &[Expr<'t>], span: Span) -> Result<Value, TemplateError> {
        let items = items.iter().map(|item| self.value(item)).collect::<Result<_, _>>()?;
        Ok(Value::List(self.placed(span, List::of(items))?))
    }

    fn map(&mut self, map: &MapExpr<'t>, span: Span) -> Result<Value, TemplateError> {
        let entries = map.keys.iter().zip(&map.values);
        let entries = entries.map(|(key, value)| Ok((self.value(key)?, self.value(value)?)));
        let entries = entries.collect::<Result<_, TemplateError>>()?;
        Ok(Value::Map(self.placed(span, Map::of(entries))?))
    }

    fn operation(&mut self, operation: &BinOp<'t>, span: Span) -> Result<Value, TemplateError> {
        if let BinOpKind::ScAnd | BinOpKind::ScOr = operation.op {
            return self.connected(operation);
        }
        let left = self.value(&operation.left)?;
        // The parser says of a comparison that it begins before what is compared.
        let compared_at = operation.left.span();
        let arithmetic = match operation.op {
            BinOpKind::ScAnd | BinOpKind::ScOr => return Err(self.error(span, Fault::Other)),
            BinOpKind::Add => Arithmetic::Add,
            BinOpKind::Sub => Arithmetic::Subtract,
            BinOpKind::Mul => Arithmetic::Multiply,
            BinOpKind::Div => Arithmetic::Divide,
            BinOpKind::FloorDiv => Arithmetic::DivideWhole,
            BinOpKind::Rem => Arithmetic::Remainder,
            BinOpKind::Pow => Arithmetic::Power,
            BinOpKind::Concat => return Err(self.error(span, Fault::Tilde)),
            BinOpKind::Eq => return self.compared(&left, CompareOpKind::Eq, &operation.right, compared_at),
            BinOpKind::Ne => return self.compared(&left, CompareOpKind::Ne, &operation.right, compared_at),
            BinOpKind::Lt => return self.compared(&left, CompareOpKind::Lt, &operation.right, compared_at),
            BinOpKind::Lte => return self.compared(&left, CompareOpKind::Lte, &operation.right, compared_at),
            BinOpKind::Gt => return self.compared(&left, CompareOpKind::Gt, &operation.right, compared_at),
            BinOpKind::Gte => return self.compared(&left, CompareOpKind::Gte, &operation.right, compared_at),
            BinOpKind::In => return self.compared(&left, CompareOpKind::In, &operation.right, compared_at),
        };
        let right = self.value(&operation.right)?;
        match arithmetic.apply(&left, &right, &mut self.budget) {
            // Of a chain, it is this link.
            Err(fault @ Fault::Mixed { .. }) => {
                Err(TemplateError { place: Position::of(self.text, begin(&operation.right)), fault })
            }
            result => self.placed(span, result),
        }
    }

    /// `and` and `or` give one of their sides.
    fn connected(&mut self, operation: &BinOp<'t>) -> Result<Value, TemplateError> {
        let left = if let Expr::Var(_) = operation.left {
            self.evaluate(&operation.left)
        } else {
            self.value(&operation.left)
        };
        let left = left?;
        if left.is_true() == matches!(operation.op, BinOpKind::ScOr) {
            Ok(left)
        } else {
            self.evaluate(&operation.right)
        }
    }

    fn compared(
        &mut self,
        left: &Value,
        how: CompareOpKind,
        right: &Expr<'t>,
        span: Span,
    ) -> Result<Value, TemplateError> {
        let right = self.value(right)?;
        let holds = self.compare(left, how, &right);
        self.placed(span, holds.map(Value::Bool))
    }

    /// Compares several values, each with the next: `1 < x < 5`.
    fn comparison(&mut self, compare: &Compare<'t>, span: Span) -> Result<Value, TemplateError> {
        let mut left = self.value(&compare.expr)?;
        for step in &compare.ops {
            let right = self.value(&step.expr)?;
            let holds = self.compare(&left, step.op, &right);
            if !self.placed(span, holds)? {
                return Ok(Value::Bool(false));
            }
            left = right;
        }
        Ok(Value::Bool(true))
    }

    fn compare(&mut self, left: &Value, how: CompareOpKind, right: &Value) -> Result<bool, Fault> {
        let budget = &mut self.budget;
        let mut order = || operators::order(left, right, budget);
        match how {
            CompareOpKind::Lt => Ok(order()? == Some(Ordering::Less)),
            CompareOpKind::Lte => Ok(matches!(order()?, Some(Ordering::Less | Ordering::Equal))),
            CompareOpKind::Gt => Ok(order()? == Some(Ordering::Greater)),
            CompareOpKind::Gte => Ok(matches!(order()?, Some(Ordering::Greater | Ordering::Equal))),
            CompareOpKind::Eq => operators::equal(left, right, budget),
            CompareOpKind::Ne => operators::equal(left, right, budget).map(|equal| !equal),
            CompareOpKind::In => operators::contains(right, left, budget),
            CompareOpKind::NotIn => operators::contains(right, left, budget).map(|is_in| !is_in),
        }
    }

    /// Applies filters to what a block has written.
    pub(super) fn filtered(&mut self, filter: &Expr<'t>, block: Value) -> Result<Value, TemplateError> {
        match filter {
            Expr::Filter(filter) => {
                self.descend(filter.span())?;
                let value = self.filter(filter, Some(block), filter.span())?;
                self.depth -= 1;
                Ok(value)
            }
            other => Err(self.error(other.span(), Fault::Other)),
        }
    }

    fn filter(
        &mut self,
        filter: &Filter<'t>,
        block: Option<Value>,
        span: Span,
    ) -> Result<Value, TemplateError> {
        let value = match (&filter.expr, block) {
            (Some(inner), Some(block)) => self.filtered(inner, block)?,
            (Some(inner), None) if filter.name == filters::DEFAULT => self.evaluate(inner)?,
            (Some(inner), None) => self.value(inner)?,
            (None, Some(block)) => block,
            (None, None) => return Err(self.error(span, Fault::Other)),
        };
        let arguments = self.arguments(&filter.args, span)?;
        let result = filters::apply(filter.name, &value, arguments, &mut self.budget);
        self.placed(span, result)
    }

    fn test(&mut self, test: &Test<'t>, span: Span) -> Result<Value, TemplateError> {
        let value = match test.name {
            "defined" | "undefined" => self.evaluate(&test.expr)?,
            _ => self.value(&test.expr)?,
        };
        if !test.args.is_empty() {
            return Err(self.error(span, Fault::TooManyArguments));
        }
        self.placed(span, functions::test(test.name, &value).map(Value::Bool))
    }

    fn call(&mut self, call: &Call<'t>, span: Span) -> Result<Value, TemplateError> {
        match call.identify_call() {
            CallType::Function(name) if matches!(self.variable(name), Value::Function) => {
                let arguments = self.arguments(&call.args, span)?;
                let range = functions::range(&arguments, &mut self.budget);
                self.placed(span, range)
            }
            CallType::Method(..) => {
                self.value(&call.expr).ok();
                Err(self.error(span, Fault::Method))
            }
            CallType::Function(_) | CallType::Object(_) => {
                self.value(&call.expr)?;
                Err(self.error(span, Fault::Operation))
            }
        }
    }

    /// Evaluates arguments, which are written out one by one, without names.
    fn arguments(&mut self, given: &[CallArg<'t>], span: Span) -> Result<Vec<Value>, TemplateError> {
        let values = given.iter().map(|argument| match argument {
            CallArg::Pos(value) => self.value(value),
            CallArg::Kwarg(name, _) => Err(self.error(span, Fault::Keyword((*name).to_owned()))),
            CallArg::PosSplat(_) | CallArg::KwargSplat(_) => Err(self.error(span, Fault::Splat)),
        });
        values.collect()
    }

    /// Names what is not defined.
    fn undefined(&self, expression: &Expr<'t>) -> TemplateError {
        // The parser says of a part of a part that it begins behind the first one.
        let (start, end) = (begin(expression), usize::try_from(expression.span().end_offset));
        let written = end.ok().and_then(|end| self.text.get(start..end)).unwrap_or_default();
        let is_name = written.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
        let fault = match expression {
            Expr::Var(name) => Fault::UndefinedName(name.id.to_owned()),
            Expr::GetAttr(_) | Expr::GetItem(_) if is_name => Fault::UndefinedPart(written.to_owned()),
            Expr::GetAttr(_) | Expr::GetItem(_) => Fault::NoSuchPart,
            _ => Fault::UndefinedHere,
        };
        TemplateError { place: Position::of(self.text, start), fault }
    }
}

/// Returns where an expression begins that takes parts of something.
fn begin(expression: &Expr<'_>) -> usize {
    let whole = std::iter::successors(Some(expression), |part| match part {
        Expr::GetAttr(part) => Some(&part.expr),
        Expr::GetItem(part) => Some(&part.expr),
        _ => None,
    });
    let starts = whole.filter_map(|part| usize::try_from(part.span().start_offset).ok());
    starts.min().unwrap_or_default()
}

/// Takes over what the parser has read.
fn constant_value(constant: &minijinja::Value) -> Result<Value, Fault> {
    match constant.kind() {
        ValueKind::None => Ok(Value::None),
        ValueKind::Bool => Ok(Value::Bool(constant.is_true())),
        ValueKind::Number if constant.is_integer() => {
            i128::try_from(constant.clone()).map(Value::Int).map_err(|_| Fault::Calculation)
        }
        ValueKind::Number => match f64::try_from(constant.clone()) {
            Ok(number) if number.is_finite() => Ok(Value::Float(number)),
            _ => Err(Fault::Calculation),
        },
        _ => constant.as_str().map(Value::text).ok_or(Fault::Other),
    }
}
