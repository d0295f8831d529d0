//! What holds for all templates.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{FOREVER, render};
use crate::template::Sandbox;
use crate::template::error::{Fault, Refusal};
use crate::template::{Template, lexer, parser, syntax};

/// Pieces of templates, such as come right and wrong beside each other.
const PIECES: [&str; 49] = [
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "-",
    "+",
    " ",
    "\n",
    "secret",
    "secret('s', 'x')",
    "secret(\"s\", 'y', field='f')",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "'",
    "\"",
    "\\",
    "'a'",
    "\"}}\"",
    "1",
    "1.",
    "1.5e",
    ".",
    ",",
    "|",
    "upper",
    "=",
    "==",
    "if ",
    "endif",
    "for x in ",
    "endfor",
    "set x ",
    "x",
    " is ",
    "not ",
    "else",
    "elif 1",
    "filter upper",
    "endset",
    "“",
    "raw %}",
    "{% endraw %}",
    "é",
];

/// Templates that are mostly in order.
const TAGS: [&str; 21] = [
    "{{ secret('s', 'x') }}",
    "{{- secret('s', 'y')|upper -}}",
    "{% if secret('s', 'x') == 'a' %}",
    "{% else %}",
    "{% endif %}",
    "{# {{ secret('s', 'z') }} #}",
    "{% raw %}{{ secret('s', 'z') }}{% endraw %}",
    "{{ '{{' + \"%}\" }}",
    "{{ {'a': {'b': secret('s', 'x')}}|json }}",
    "{% set x = [secret(\"s\", 'x', field='}}')] %}",
    "{% for x in [1] %}",
    "{% endfor %}",
    "{% elif 1 %}",
    "{% set y %}",
    "{% set y|trim %}",
    "{% endset %}",
    "{% with z = 1 %}",
    "{% endwith %}",
    "{% filter upper %}{% endfilter %}",
    " { text } ",
    "{{ 1.5 }}{{ 'a\\'b' }}",
];

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text: String, pieces in vec(select(&PIECES[..]), 0..30)) {
        let _ = Template::parse(&text, &Sandbox::default());
        let _ = Template::parse(&pieces.concat(), &Sandbox::default());
    }

    #[test]
    fn minijinja_calls_what_was_found(tags in vec(select(&TAGS[..]), 0..20), pieces in vec(select(&PIECES[..]), 0..12)) {
        for text in [tags.concat(), pieces.concat(), format!("{{{{ {} }}}}", pieces.concat())] {
            if let Ok(template) = Template::parse(&text, &Sandbox::default()) {
                let values = vec![b"a".as_slice(); template.calls().len()];
                let result = template.render(&values, FOREVER, &Sandbox::default()).map(drop);
                let not_scanned = matches!(&result, Err(error) if error.fault == Fault::Refused(Refusal::NotScanned));
                prop_assert!(!not_scanned, "{text}");
            }
        }
    }

    #[test]
    fn what_minijinja_reads_is_read_and_nothing_else(
        tags in vec(select(&TAGS[..]), 0..12),
        pieces in vec(select(&PIECES[..]), 0..12),
    ) {
        for text in [tags.concat(), pieces.concat(), tags.concat() + &pieces.concat()] {
            let text = Arc::<str>::from(text);
            let fault = syntax::check(&text, &lexer::scan(&text).unwrap(), &Sandbox::default()).fault;
            prop_assert_eq!(fault.is_some(), parser::undeclared(&text).is_err(), "{}", text);
        }
    }

    #[test]
    fn text_without_tags_is_kept(text in "[^{]{0,40}") {
        prop_assert_eq!(render(&text, &[]).unwrap(), text);
    }

    #[test]
    fn values_are_printed_as_they_are(value: String) {
        prop_assert_eq!(render("{{ secret('s', 'x') }}", &[value.as_bytes()]).unwrap(), value);
    }
}
