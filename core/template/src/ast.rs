//! What minijinja has read, for those who walk it.

use minijinja::machinery::Span;
use minijinja::machinery::ast::{CallArg, Expr, Stmt};

use crate::error::{Fault, TemplateError};
use secretdir_helpers::Position;

/// Returns where a statement is.
pub(super) fn span_of(statement: &Stmt<'_>) -> Span {
    match statement {
        Stmt::Template(statement) => statement.span(),
        Stmt::EmitExpr(statement) => statement.span(),
        Stmt::EmitRaw(statement) => statement.span(),
        Stmt::ForLoop(statement) => statement.span(),
        Stmt::IfCond(statement) => statement.span(),
        Stmt::WithBlock(statement) => statement.span(),
        Stmt::Set(statement) => statement.span(),
        Stmt::SetBlock(statement) => statement.span(),
        Stmt::AutoEscape(statement) => statement.span(),
        Stmt::FilterBlock(statement) => statement.span(),
        Stmt::Do(statement) => statement.span(),
    }
}

/// Returns the position of a part of a template.
pub(super) fn position(text: &str, span: Span) -> Position {
    Position::of(text, usize::try_from(span.start_offset).unwrap_or_default())
}

pub(super) fn error(text: &str, span: Span, fault: Fault) -> TemplateError {
    TemplateError { place: position(text, span), fault }
}

/// Returns the expressions that an expression is made of.
pub(super) fn children<'e, 't>(expression: &'e Expr<'t>) -> Vec<&'e Expr<'t>> {
    match expression {
        Expr::Var(_) | Expr::Const(_) => Vec::new(),
        Expr::Slice(slice) => {
            let bounds = [&slice.start, &slice.stop, &slice.step];
            std::iter::once(&slice.expr).chain(bounds.into_iter().flatten()).collect()
        }
        Expr::UnaryOp(operation) => vec![&operation.expr],
        Expr::BinOp(operation) => vec![&operation.left, &operation.right],
        Expr::Compare(compare) => {
            std::iter::once(&compare.expr).chain(compare.ops.iter().map(|step| &step.expr)).collect()
        }
        Expr::IfExpr(choice) => {
            [&choice.test_expr, &choice.true_expr].into_iter().chain(&choice.false_expr).collect()
        }
        Expr::Filter(filter) => filter.expr.iter().chain(arguments(&filter.args)).collect(),
        Expr::Test(test) => std::iter::once(&test.expr).chain(arguments(&test.args)).collect(),
        Expr::GetAttr(part) => vec![&part.expr],
        Expr::GetItem(part) => vec![&part.expr, &part.subscript_expr],
        Expr::Call(call) => std::iter::once(&call.expr).chain(arguments(&call.args)).collect(),
        Expr::List(list) => list.items.iter().collect(),
        Expr::Tuple(tuple) => tuple.items.iter().collect(),
        Expr::Map(map) => map.keys.iter().chain(&map.values).collect(),
    }
}

/// Returns the names of filters that follow each other, the last one first.
pub(super) fn filters_of<'e, 't>(filter: &'e Expr<'t>) -> impl Iterator<Item = &'t str> + use<'e, 't> {
    let filters = std::iter::successors(Some(filter), |filter| match filter {
        Expr::Filter(filter) => filter.expr.as_ref(),
        _ => None,
    });
    filters.filter_map(|filter| match filter {
        Expr::Filter(filter) => Some(filter.name),
        _ => None,
    })
}

/// Returns the values of arguments.
pub(super) fn arguments<'e, 't>(given: &'e [CallArg<'t>]) -> impl Iterator<Item = &'e Expr<'t>> {
    given.iter().map(|argument| match argument {
        CallArg::Pos(value)
        | CallArg::Kwarg(_, value)
        | CallArg::PosSplat(value)
        | CallArg::KwargSplat(value) => value,
    })
}
