//! Finds bytes around the tags that a reader would take for a part of a value.
//!
//! An editor may end lines with a carriage return and a newline, and begin a file with a byte order mark. Text is kept byte for
//! byte, so that they come to the rendered file too. A shell and the readers of files of variables take them for what they are:
//! a character like any other.

use super::error::{Fault, TemplateError};
use super::names::is_filter;
use super::token::{Kind, Token};
use crate::position::Position;

/// The filters whose readers know no line end but a newline.
const FILTERS: [&str; 3] = ["docker", "dotenv", "shell"];

/// Checks that a template which quotes for such a reader has nothing in it that this reader misunderstands.
pub(super) fn check(text: &str, tokens: &[Token<'_>]) -> Vec<TemplateError> {
    let Some(filter) = filter_in(tokens) else { return Vec::new() };
    let mark = text.starts_with('\u{feff}').then_some((0, Fault::ByteOrderMark { filter }));
    let carriage_return = text.find('\r').map(|offset| (offset, Fault::CarriageReturn { filter }));
    let faults = [mark, carriage_return].into_iter().flatten();
    faults.map(|(offset, fault)| TemplateError { place: Position::of(text, offset), fault }).collect()
}

fn filter_in(tokens: &[Token<'_>]) -> Option<&'static str> {
    let mut filters = tokens.iter().enumerate().filter(|(index, _)| is_filter(tokens, *index));
    filters.find_map(|(_, token)| FILTERS.into_iter().find(|filter| token.kind == Kind::Name(filter)))
}

#[cfg(test)]
mod tests {
    use crate::template::{Sandbox, Template};

    fn wrong(template: &str) -> Vec<String> {
        let errors = Template::parse(template, &Sandbox::default())
            .map(drop)
            .err()
            .map(|unreadable| unreadable.errors);
        errors.into_iter().flatten().map(|error| format!("{}: {error}", error.place)).collect()
    }

    #[test]
    fn what_a_reader_of_variables_misunderstands_is_refused() {
        for quoted in ["{{ 'a'|shell }}", "{{ 'a'|trim|dotenv }}", "{% filter docker %}a{% endfilter %}"] {
            let errors = wrong(&format!("\u{feff}A=b\nB={quoted}\r\nC=d\r\n"));
            assert_eq!(errors.len(), 2, "{errors:?}");
            assert!(errors[0].starts_with("1:1: the template begins with a byte order mark"), "{errors:?}");
            let column = "B=".len() + quoted.len() + 1;
            assert!(errors[1].starts_with(&format!("2:{column}: ")), "{errors:?}");
            assert!(errors[1].contains("carriage return"), "{errors:?}");
            assert!(wrong(&format!("A=b\nB={quoted}\nC=d\n\u{feff}")).is_empty(), "{quoted}");
        }
    }

    #[test]
    fn every_other_file_keeps_them() {
        for template in
            ["\u{feff}{{ 'a'|json }}\r\n", "\u{feff}{{ {'shell': 1}.shell }}\r", "{{ 'a\\r'|shell }}\n"]
        {
            assert!(wrong(template).is_empty(), "{template:?}: {:?}", wrong(template));
        }
    }
}
