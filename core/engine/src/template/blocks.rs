//! Finds statements that do not belong together.

use super::brackets::Opening;
use super::error::{Fault, TemplateError};
use super::token::{Kind, Token};
use crate::position::Position;

/// A statement that has an end.
struct Block {
    name: &'static str,
    end: &'static str,
    open: &'static str,
    close: &'static str,
    /// What may stand between.
    branches: &'static [&'static str],
}

const BLOCKS: &[Block] = &[
    Block { name: "if", end: "endif", open: "{% if %}", close: "{% endif %}", branches: &["elif", "else"] },
    Block { name: "for", end: "endfor", open: "{% for %}", close: "{% endfor %}", branches: &["else"] },
    Block { name: "set", end: "endset", open: "{% set %}", close: "{% endset %}", branches: &[] },
    Block { name: "with", end: "endwith", open: "{% with %}", close: "{% endwith %}", branches: &[] },
    Block { name: "filter", end: "endfilter", open: "{% filter %}", close: "{% endfilter %}", branches: &[] },
];

/// A block that has not ended yet.
struct Open {
    block: &'static Block,
    place: Position,
    part: Part,
}

/// How far a block has come.
#[derive(PartialEq, Eq)]
enum Part {
    First,
    Else,
}

/// Returns the blocks that are never closed, the innermost one last.
///
/// # Errors
///
/// The first statement that does not fit what is open there.
pub(super) fn open_in(tokens: &[Token<'_>]) -> Result<Vec<Opening>, TemplateError> {
    let mut open = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let after = tokens.get(index + 1..).unwrap_or_default();
        if let (Kind::Statement, [Token { kind: Kind::Name(name), place, .. }, rest @ ..]) =
            (token.kind, after)
        {
            let place = *place;
            statement(name, place, rest, &mut open).map_err(|fault| TemplateError { place, fault })?;
        }
    }
    let opening = |Open { block, place, .. }| Opening { place, open: block.open, close: block.close };
    Ok(open.into_iter().map(opening).collect())
}

fn statement(name: &str, place: Position, rest: &[Token<'_>], open: &mut Vec<Open>) -> Result<(), Fault> {
    if let Some(block) = BLOCKS.iter().find(|block| block.name == name) {
        if name != "set" || captures(rest) {
            open.push(Open { block, place, part: Part::First });
        }
        return Ok(());
    }
    if let Some(block) = BLOCKS.iter().find(|block| block.end == name) {
        return end(block, open.pop());
    }
    match name {
        "elif" => branch(name, open.last_mut()).ok_or(Fault::MisplacedElif),
        "else" => branch(name, open.last_mut()).ok_or(Fault::MisplacedElse),
        "raw" => Err(Fault::RawNotAlone),
        "endraw" => Err(Fault::ClosesNothing("endraw")),
        _ => Ok(()),
    }
}

/// Ends the innermost block.
fn end(block: &'static Block, innermost: Option<Open>) -> Result<(), Fault> {
    match innermost {
        None => Err(Fault::ClosesNothing(block.end)),
        Some(Open { block: other, place, .. }) if other.end != block.end => {
            Err(Fault::Crossed { end: block.end, open: other.open, close: other.close, line: place.line })
        }
        Some(_) => Ok(()),
    }
}

/// Goes on to another part of the innermost block, if it has one of that name.
fn branch(name: &str, innermost: Option<&mut Open>) -> Option<()> {
    let open = innermost.filter(|open| open.part == Part::First && open.block.branches.contains(&name))?;
    if name == "else" {
        open.part = Part::Else;
    }
    Some(())
}

/// Says whether a `set` takes what follows up to its end, rather than what is assigned in its tag.
fn captures(rest: &[Token<'_>]) -> bool {
    let decides = |token: &&Token<'_>| matches!(token.kind, Kind::Symbol("=" | "|") | Kind::Close);
    rest.iter().find(decides).is_some_and(|token| token.kind != Kind::Symbol("="))
}

#[cfg(test)]
mod tests {
    use crate::template::{Sandbox, Template};

    #[test]
    fn a_statement_that_does_not_belong_is_told_with_what_it_misses() {
        for (template, expected) in [
            ("a\n{% if 1 %}b", "2:4: `{% if %}` is not closed: `{% endif %}` is missing"),
            ("{% for x in [1] %}{", "1:4: `{% for %}` is not closed: `{% endfor %}` is missing"),
            ("{% set x %}", "1:4: `{% set %}` is not closed: `{% endset %}` is missing"),
            ("{% set x | replace('a', 'b') %}", "1:4: `{% set %}` is not closed"),
            ("{% with x = 1 %}", "1:4: `{% with %}` is not closed"),
            ("{% filter upper %}", "1:4: `{% filter %}` is not closed"),
            (
                "{% for x in [1] %}\n{% if 1 %}\n{% endfor %}",
                "3:4: `endfor` stands where `{% if %}` of line 2 is still open: `{% endif %}` is missing",
            ),
            ("{% if 1 %}{% endif %}{% endif %}", "1:25: there is nothing open that `endif` closes"),
            ("{% set x = 1 %}{% endset %}", "1:19: there is nothing open that `endset` closes"),
            ("{% endraw %}", "1:4: there is nothing open that `endraw` closes"),
            ("{% raw x %}{% endraw %}", "1:4: `raw` stands alone in its tag"),
            ("{% else %}", "1:4: `else` does not belong here"),
            ("{% for x in [1] %}{% elif 1 %}{% endfor %}", "1:22: `elif` does not belong here"),
            ("{% if 1 %}{% else %}{% else %}{% endif %}", "1:24: `else` does not belong here"),
            ("{% with x = 1 %}{% else %}{% endwith %}", "1:20: `else` does not belong here"),
        ] {
            let errors = Template::parse(template, &Sandbox::default()).unwrap_err().errors;
            let [error] = &errors[..] else { panic!("{template}: {errors:?}") };
            let error = format!("{}: {error}", error.place);
            assert!(error.starts_with(expected), "{template}: {error}");
        }
    }

    #[test]
    fn all_that_is_not_closed_is_told_and_what_else_is_wrong() {
        let template = "{% for x in [1] %}{{ user }}\n{% if x %}{{ 'a'|shel }}{";
        let errors = Template::parse(template, &Sandbox::default()).unwrap_err().errors;
        let places: Vec<_> = errors.iter().map(|error| error.place.to_string()).collect();
        assert_eq!(places, ["1:4", "1:22", "2:4", "2:18"]);
    }
}
