//! What holds for all templates.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{FOREVER, given, render, texts};
use crate::Template;

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
    "v",
    "w",
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
    "{{ v }}",
    "{{- w|upper -}}",
    "{% if v == 'a' %}",
    "{% else %}",
    "{% endif %}",
    "{# {{ w }} #}",
    "{% raw %}{{ w }}{% endraw %}",
    "{{ '{{' + \"%}\" }}",
    "{{ {'a': {'b': v}}|json }}",
    "{% set x = [v] %}",
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
    fn any_text_is_read_or_refused(text: String, tags in vec(select(&TAGS[..]), 0..20), pieces in vec(select(&PIECES[..]), 0..30)) {
        for text in [text, tags.concat(), pieces.concat(), tags.concat() + &pieces.concat()] {
            if let Ok(template) = Template::parse(&text, &texts(&["v", "w"])) {
                let _ = template.render(given(b"a"), FOREVER);
            }
        }
    }

    #[test]
    fn text_without_tags_is_kept(text in "[^{]{0,40}") {
        prop_assert_eq!(render(&text, &[]).unwrap(), text);
    }

    #[test]
    fn values_are_printed_as_they_are(value: String) {
        prop_assert_eq!(render("{{ v }}", &[value.as_bytes()]).unwrap(), value);
    }
}
