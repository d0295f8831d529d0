//! No error, and no `Debug`, shows a value.

use std::error::Error as _;
use std::iter::successors;

use super::{Declared, FOREVER, Given, Shape, Template, TemplateError, given, texts};

/// What may go wrong with a value: operators, filters, functions, tests, of every type.
const EXPRESSIONS: &str = "x + 1; 1 - x; x * x; x / 2; x // 2; x % 2; x ** 2; -x; x()(); x.foo; x.foo(); x[9]; x['a']; x[x]; x[x:];
    {x: 1}[x].a; [x]; {x: x}; [x] + 1; [x] * x; [x]|first|last|length|first|foo; x|shell; x|dotenv; x|docker; [x]|shell; [x]|upper;
    {x: none}|upper; x|upper(x); x|replace(x); x|replace([x], x); [x, [x]]|join; 1|join(x); x|join([x]); x|split([x]); range(x);
    range(1, x); x|first(x); x|default(1, 2, 3); x * 100000000; x is even(x); x|json(x); {1: x}|json; x in 1; [x]|length + x;
    x|hex|base64|length + x; x if x.foo else x.bar; {x: x}|json|foo; (x, x)|trim; x|trim(x); x(x); {x: 1e999}|json; x|url|hex|length(x)";

#[test]
fn no_error_holds_a_value() {
    let canary = b"hunter2-'`-canary";
    let mut failed = 0;
    for expression in EXPRESSIONS.split(';') {
        let template = format!("{{% set x = v %}}{{{{ {expression} }}}}");
        // Of what may be anything a check knows nothing, so that all is left to the rendering.
        let declared = [Declared { name: "v".to_owned(), shape: Shape::Structured }];
        let template = match Template::parse(&template, &declared) {
            Ok(template) => template,
            Err(_) => continue,
        };
        for value in [canary.to_vec(), [canary, &b"\0\n\r"[..]].concat(), [canary, &b"\xff"[..]].concat()] {
            if let Err(error) = template.render(given(&value), FOREVER) {
                assert_silent(&error);
                failed += 1;
            }
        }
    }
    assert!(failed >= 70, "{failed}");
}

/// A value that picks a part of `loop` is not shown as the name of a part.
#[test]
fn no_error_holds_a_value_that_picks_a_part_of_a_loop() {
    for template in [
        "{% for x in [1] %}{{ loop[v] }}{% endfor %}",
        "{% for x in [1] %}{% if loop[v] == 1 %}{% endif %}{% endfor %}",
        "{% for x in [1] %}{% set q = loop %}{{ q[v] }}{% endfor %}",
        "{% for x in [1] %}{{ loop[v].a }}{{ range(loop[v]) }}{% endfor %}",
    ] {
        let template = Template::parse(template, &texts(&["v"])).unwrap();
        assert_silent(&template.render(given(b"hunter2"), FOREVER).unwrap_err());
    }
}

/// Only names of secrets are shown: other keys may be parts of values.
#[test]
fn no_error_holds_a_key_of_a_document() {
    let declared = ["v", "c"].map(|name| Declared { name: name.to_owned(), shape: Shape::Structured });
    let document = Given::map(vec![("hunter2;".to_owned(), Given::null())]);
    for template in [
        "{% for k in {v: 1} %}{{ k }}=1\n{% endfor %}",
        "{{ c|first }}",
        "{{ (c|first)[7:] }}",
        "{{ c|join('-')|upper }}={{ 'a'|dotenv }}",
    ] {
        let template = Template::parse(&format!("{template}\nA={{{{ 'a'|shell }}}}"), &declared).unwrap();
        let values = vec![("v".to_owned(), Given::bytes(b"hunter2-")), ("c".to_owned(), document.clone())];
        let error = template.render(values, FOREVER).unwrap_err();
        assert!(error.to_string().contains("a key of a map that is printed here cannot be"), "{error}");
        assert_silent(&error);
    }
}

#[test]
fn debug_shows_no_text() {
    let template = Template::parse("hunter2{{ 'hunter2' }}{{ v }}", &texts(&["v"])).unwrap();
    assert!(!format!("{template:?}{template:#?}").contains("hunter2"));
}

/// Checks that nothing of a value is in an error, however it is shown.
fn assert_silent(error: &TemplateError) {
    let causes = successors(error.source(), |error| (*error).source());
    let shown: String = causes.map(|error| format!("{error} {error:?}")).collect();
    let shown = format!("{error} {error:?} {error:#?} {shown}");
    assert!(!shown.contains("hunter2") && !shown.contains("canary"), "{shown}");
}
