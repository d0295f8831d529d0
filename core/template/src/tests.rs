mod budget;
mod operators;
mod placement;
mod properties;
mod rendered;
mod secrecy;
mod shells;
mod steps;
mod values;
mod worker;

use super::value::Value;
use super::*;

/// However busy the machine is.
const FOREVER: Duration = Duration::from_secs(3600);

/// Renders a template; the first value is called `v`, the second `w`.
fn render(template: &str, values: &[&[u8]]) -> Result<String, TemplateError> {
    let values: Vec<_> = ["v", "w"].into_iter().zip(values.iter().map(|value| Given::bytes(value))).collect();
    render_given(template, &values)
}

/// Renders a template with these values, or says what is wrong first.
fn render_given(template: &str, values: &[(&str, Given)]) -> Result<String, TemplateError> {
    let declared: Vec<_> = values.iter().map(|(name, value)| declared(name, value)).collect();
    let template =
        Template::parse(template, &declared).map_err(|errors| errors.into_iter().next().unwrap())?;
    let values = values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Ok(String::from_utf8(template.render(values, FOREVER)?.to_vec()).unwrap())
}

fn declared(name: &str, value: &Given) -> Declared {
    let shape = match value.0 {
        Value::Text(_) | Value::Bytes(_) => Shape::Text,
        _ => Shape::Structured,
    };
    Declared { name: name.to_owned(), shape }
}

/// Returns what is declared as texts.
fn texts(names: &[&str]) -> Vec<Declared> {
    names.iter().map(|name| Declared { name: (*name).to_owned(), shape: Shape::Text }).collect()
}

/// What is wrong with a template that uses `v` and `w`.
fn wrong(template: &str) -> Vec<String> {
    let errors = Template::parse(template, &texts(&["v", "w"])).err().unwrap_or_default();
    errors.iter().map(|error| format!("{}: {error}", error.place)).collect()
}

/// The values of a template with one secret.
fn given(value: &[u8]) -> Vec<(String, Given)> {
    vec![("v".to_owned(), Given::bytes(value))]
}

#[test]
fn values_are_put_where_they_are_named() {
    let template = "a={{ v }}\nb={{ w }}\n{{ v }}\r\n\n";
    assert_eq!(render(template, &[b"1", b"2"]).unwrap(), "a=1\nb=2\n1\r\n\n");
    let template = Template::parse("{{ v }}", &texts(&["v", "w"])).unwrap();
    assert_eq!(template.unused(), ["w"]);
}

#[test]
fn the_language_is_that_of_jinja() {
    let secret: &[u8] = b"b,a";
    for (template, values, expected) in [
        ("", &[][..], ""),
        ("{% if 1 > 2 %}x{% elif 2 is even %}y{% else %}z{% endif %}", &[], "y"),
        ("{% for x in v|split(',') %}{{ loop.index }}{{ x }}{% endfor %}", &[secret], "1b2a"),
        ("{% set x = v %}{{ x }}{{ x|length }}", &[secret], "b,a3"),
        ("{% set x %}<{{ v }}>{% endset %}{{ x }}", &[secret], "<b,a>"),
        ("{% with x = 1 %}{{ x + 1 }}{% endwith %}", &[], "2"),
        ("{% filter upper|shell %}it's {{ v }}{% endfilter %}", &[secret], r"'IT'\''S B,A'"),
        ("a {{- ' b ' -}} c {%- raw -%} {{ d }} {%- endraw %}", &[], "a b c{{ d }}"),
        ("{{ 'é' if true else 'x' }}{{ 'x' if false }}", &[], "é"),
        ("{{ '<&>' }}{{ 5 }}{{ -1.5 }}", &[], "<&>5-1.5"),
        ("{{ ['a', 1]|join('-') }}{{ ['a', 'b']|first }}{{ ['a', 'b']|last }}", &[], "a-1ab"),
        ("{{ ' a '|trim }}{{ 'a'|upper }}{{ 'A'|lower }}{{ 'abc'|replace('b', '-') }}", &[], "aAaa-c"),
        ("{{ 'a  b'|split|json }}, {{ ['x']|length }}", &[], "[\"a\",\"b\"], 1"),
        (
            "{% for i in range(3) %}{{ i }}{% endfor %}{% for i in range(4, 0, -2) %}{{ i }}{% endfor %}",
            &[],
            "01242",
        ),
        ("{% for x in [{'a': 1}] %}{{ x.b|default('-') }}{{ x.a|default('-') }}{% endfor %}", &[], "-1"),
        (
            "{{ {'k': [1, 1.5, true, none, 'é\"'], 'l': {}}|json }}",
            &[],
            r#"{"k":[1,1.5,true,null,"é\""],"l":{}}"#,
        ),
        ("{{ v|url }} {{ v|base64 }} {{ 1|hex }}", &[secret], "b%2Ca Yixh 31"),
    ] {
        assert_eq!(render(template, values).ok().as_deref(), Some(expected), "{template}");
    }
}

#[test]
fn a_value_that_is_not_utf8_is_only_coded() {
    let value: &[u8] = b"\xff\x00a";
    for (filter, expected) in
        [("url", "%FF%00a"), ("base64", "/wBh"), ("base64url", "_wBh"), ("hex", "ff0061")]
    {
        let template = format!("{{{{ v|{filter} }}}}");
        assert_eq!(render(&template, &[value]).unwrap(), expected);
    }
    let others = filters::FILTERS.into_iter().map(|(name, ..)| name);
    let others = others.filter(|name| !["url", "base64", "base64url", "hex", "default"].contains(name));
    for filter in others {
        let arguments = match filter {
            "replace" => "('a', 'b')",
            "indent" => "(1)",
            _ => "",
        };
        let template = format!("A={{{{ v|{filter}{arguments} }}}}");
        let error = render(&template, &[value]).unwrap_err();
        assert_eq!(error.fault, Fault::NotUtf8, "{template}");
    }
    for template in ["{{ v }}", "{{ v|default('a', true) }}", "{{ ['a', v]|join }}", "{{ [v]|json }}"] {
        assert_eq!(render(template, &[value]).unwrap_err().fault, Fault::NotUtf8, "{template}");
    }
    for expression in ["x + 'a'", "'a' + x", "x * 2", "x[0]", "x[1:]", "'a' in x", "-x"] {
        let template = format!("{{% set x = v %}}{{{{ {expression} }}}}");
        assert!(render(&template, &[value]).is_err(), "{template}");
    }
}

#[test]
fn everything_wrong_is_said_at_once_and_in_order() {
    let template = "{{ vv }}\n{{ x }}{{ 'a'|shel }}\n{{ lenght(1) }}{{ 1 is oddd }}\n{{ v.a }}{{ secret('s', \"x\", field='f') }}{% do range(1) %}";
    assert_eq!(
        wrong(template),
        [
            "1:4: `vv` is not defined: declare it under `secrets` of this file",
            "2:4: `x` is not defined: declare it under `secrets` of this file",
            "2:15: there is no filter `shel`; did you mean `shell`?",
            "3:4: there is no function `lenght`; known: range",
            "3:24: there is no test `oddd`; did you mean `odd`?",
            "4:4: `v` is a text and has no parts; if the secret is JSON, declare it with `expand = \"json\"`",
            "4:13: the function `secret` no longer exists: declare the secret under `secrets` of this file, as \
             `NAME = { source = \"s\", secret = \"x\", field = \"f\" }`, and write `NAME` here",
            "4:46: there is no statement `do`; known: elif, else, filter, for, if, raw, set, with",
        ]
    );
}

#[test]
fn the_form_of_the_first_versions_is_shown_in_that_of_today() {
    for (template, form) in [
        ("{{ secret('x') }}", "source = \"x\", secret = \"…\""),
        ("{{ secret() }}", "source = \"…\", secret = \"…\""),
        ("{{ secret(v, 'x') }}", "source = \"…\", secret = \"x\""),
        ("{{ secret(secret='x', version='2') }}", "source = \"…\", secret = \"x\", version = \"2\""),
    ] {
        assert!(wrong(template)[0].contains(&format!("`NAME = {{ {form} }}`")), "{:?}", wrong(template));
    }
    let both = wrong("{{ secret('s', 'a') ~ secret('s', 'b') }}");
    assert!(both.len() == 3 && both[0].starts_with("1:4: ") && both[1].starts_with("1:4: "), "{both:?}");
    assert!(wrong("{{ secret.db }}")[0].contains("there is no variable `secret`"));
}

#[test]
fn a_syntax_error_has_a_place() {
    for (template, place) in [
        ("{{ 'a'|shel }}\n{{ 1 + }}", "2:8: syntax error: unexpected end of variable block"),
        ("{% if v %}\n{% endfor %}", "2:4: syntax error: "),
        ("a\n{{ 'a", "2:6: syntax error: "),
        ("{% foo %}", "1:4: there is no statement `foo`; did you mean `for`?"),
        ("{% macro a() %}{% endmacro %}", "1:4: there is no statement `macro`; known: elif, else"),
        ("{% if v %}\n{% if v %}\n{% endif %}", "3:10: syntax error: a block is not closed: each `if`"),
        ("{% if v %}{% for x in v %}{% endif %}", "1:30: syntax error: this does not belong to the block"),
        ("{% else %}", "1:4: syntax error: this does not belong to the block"),
        ("a\n{{ 'b' }} ${#x}", "2:12: syntax error: a comment is not closed; if `{#` is meant as text"),
        ("a\n{{ “b” }}", "2:4: syntax error: unexpected character"),
        ("{{ 'a\\uZZZZ' }}", "1:1: syntax error: a text in quotes near here has a `\\`"),
    ] {
        let errors = wrong(template);
        assert!(errors.len() == 1 && errors[0].starts_with(place), "{template}: {errors:?}");
    }
}

#[test]
fn a_variable_is_known_where_it_is_set() {
    for template in [
        "{% set x = 1 %}{{ x }}",
        "{% if v %}{% set x = 1 %}{% endif %}{{ x }}",
        "{% for a, (b, c) in [] %}{{ a + b + c + loop.index }}{% endfor %}",
        "{% with x = 1 %}{{ x }}{% endwith %}",
        "{% set x %}{{ v }}{% endset %}{{ x }}",
        "{% for x in [1] if x %}{% endfor %}",
        "{{ range(3)|json }}",
    ] {
        assert!(wrong(template).is_empty(), "{template}: {:?}", wrong(template));
    }
    for template in [
        "{{ x }}{% set x = 1 %}",
        "{% for x in x %}{% endfor %}",
        "{% for x in [] %}{% endfor %}{{ x }}",
        "{% for x in [] %}{% else %}{{ loop.index }}{% endfor %}",
        "{% with x = 1 %}{% endwith %}{{ x }}",
        "{% with x = x %}{% endwith %}",
        "{% filter upper %}{% set x = 1 %}{% endfilter %}{{ x }}",
        "{{ x is defined }}",
        "{{ v|default(x) }}",
        "{{ secret }}",
        "{{ secret.db }}",
    ] {
        assert_eq!(wrong(template).len(), 1, "{template}: {:?}", wrong(template));
    }
}

#[test]
fn calls_are_looked_at_before_there_are_values() {
    for (template, expected) in [
        ("{{ v ~ 'a' }}", "there is no operator `~`"),
        ("{{ v|replace(x='b') }}", "there is no keyword `x` here"),
        ("{{ v|replace(*['b', 'c']) }}", "write each argument separately"),
        ("{{ range(**{'a': 1}) }}", "write each argument separately"),
        ("{{ v.upper() }}", "values have no methods"),
        ("{{ v|upper(1) }}", "`upper` takes no arguments"),
        ("{{ v|default(1, 2, 3) }}", "`default` takes at most 2 arguments"),
        ("{{ v|join('a', 'b') }}", "`join` takes at most one argument"),
        ("{{ v|replace('a') }}", "`replace` takes 2 arguments"),
        ("{{ v|indent }}", "`indent` takes one argument"),
        ("{% filter indent %}{% endfilter %}", "`indent` takes one argument"),
        ("{{ range() }}", "`range` takes 1 to 3 arguments"),
        ("{{ range(1, 2, 3, 4) }}", "`range` takes 1 to 3 arguments"),
        ("{{ v is defined(1) }}", "`defined` takes no arguments"),
        ("{{ v|indent('> ') }}", "expected a whole number of at most 1000 spaces, found a text"),
        (
            "{% for x in range('a') %}{% endfor %}",
            "expected a whole number of at most nine digits, found a text",
        ),
        ("{% for x in range(200000) %}{% endfor %}", "the range is too long"),
        ("{{ foo(a=v) }}", "there is no function `foo`; known: range"),
        ("{{ v|foo(a=1) }}", "there is no filter `foo`; known: base64"),
        (
            "{% for x in v %}{{ loop.previtem }}{% endfor %}",
            "`loop.previtem` is not defined here: the value has no such part",
        ),
        ("{% for x in v %}{{ loop }}{% endfor %}", "a map cannot be printed"),
        ("{{ v == 'a' }}", "a boolean cannot be printed"),
        ("{{ not v }}", "a boolean cannot be printed"),
        ("{{ 'a' < v < 5 }}", "a text and a number have no order"),
        ("{% if 'a' < 1 < v %}{% endif %}", "a text and a number have no order"),
        ("{{ -v }}", "expected a number behind the `-`, found a text"),
        (
            "{{ true|dotenv }}",
            "expected a text or a number (`json` makes a text of other values), found a boolean",
        ),
        ("{{ loop.index }}", "`loop` is known only inside a loop"),
        ("{% for x in [] %}{% else %}{{ loop }}{% endfor %}", "`loop` is known only inside a loop"),
    ] {
        let errors = wrong(template);
        assert!(!errors.is_empty() && errors[0].contains(expected), "{template}: {errors:?}");
    }
}

#[test]
fn a_name_is_a_word_without_a_meaning_of_its_own() {
    for name in ["a", "_", "db_2", "A"] {
        assert!(is_name(name), "{name}");
    }
    for name in ["", "2a", "a-b", "a.b", "é", "loop", "range", "not", "secret", "a b"] {
        assert!(!is_name(name), "{name}");
    }
}

#[test]
fn what_goes_wrong_in_rendering_is_said_at_its_place() {
    for (template, expected) in [
        ("\n {{ none }}", "2:5: none cannot be printed; `json` writes it"),
        ("{{ true }}", "1:4: a boolean cannot be printed; `json` writes it"),
        ("{{ [1] }}", "1:4: a list cannot be printed; `json` writes it"),
        ("{{ {} }}", "1:4: a map cannot be printed; `json` writes it"),
        ("{{ range }}", "1:4: `range` is a function: call it, as in `range(3)`"),
        (
            "{{ none|upper }}",
            "1:9: expected a text or a number (`json` makes a text of other values), found none",
        ),
        (
            "{{ [[1]]|join }}",
            "1:10: expected a text or a number (`json` makes a text of other values), found a list",
        ),
        ("{{ {1: 2}|json }}", "1:4: expected a text as a key, found a number"),
        ("{{ range|json }}", "1:4: `range` is a function"),
        ("{% set x = 5 %}{{ x() }}", "1:19: this is not a function; the only function is `range`"),
        ("{% set a.b = 5 %}", "1:10: only a name can be set"),
        ("{{ 'ab'[:'c'] }}", "1:4: expected a whole number as a bound, found a text"),
        ("{{ {}[1:]|json }}", "1:4: expected a list or a text to slice, found a map"),
        ("{{ (1e308 * 10)|json }}", "1:5: this cannot be calculated"),
        ("{{ 0 ** -1 }}", "1:4: this cannot be calculated"),
        ("{{ (-8) ** 0.5 }}", "1:4: this cannot be calculated"),
        ("{{ 1e999 }}", "1:4: this cannot be calculated"),
        ("{% if false %}{% set y = 1 %}{% endif %}{{ y }}", "1:44: `y` is not defined here"),
        ("{% if false %}{% set f = 1 %}{% endif %}{{ f() }}", "1:44: this is not a function"),
        ("{% set x = {} %}{{ x.a }}", "1:20: `x.a` is not defined here"),
        ("{% set x = {'a': {}} %}{{ x.a.b }}", "1:27: `x.a.b` is not defined here"),
        ("{% set x = {'a': {}} %}{{ x.a.b.c }}", "1:27: `x.a.b` is not defined here"),
        ("{% set x = {} %}{{ x['a'] }}", "1:20: the value that is used here has no such part"),
        ("{% set x = 'a' %}{{ (x).a }}", "1:22: the value that is used here has no such part"),
        ("{{ 'a.b'|replace('a.b', '')|first }}", "1:29: this is not defined"),
        ("{% set x = {} %}{{ x.a|length }}", "1:20: `x.a` is not defined here"),
        ("{% set x = {} %}{{ x.a|json }}", "1:20: `x.a` is not defined here"),
        ("{{ ''|first }}", "1:7: this is not defined"),
        ("{{ 1 / 0 }}", "1:4: this cannot be calculated: it divides by zero"),
        ("{{ 1.5 % 0.0 }}", "1:4: this cannot be calculated: it divides by zero"),
        ("{{ 10 ** 99 }}", "1:4: this cannot be calculated: it divides by zero, or a number is too large"),
        ("{% for x in 5 %}{% endfor %}", "1:13: expected a list, a map or a text, found a number"),
        ("{{ -'a' }}", "1:4: expected a number behind the `-`, found a text"),
        ("{{ 5|length }}", "1:6: expected a list, a map or a text, found a number"),
        ("{{ none|first }}", "1:9: expected a list, a map or a text, found none"),
        ("{{ true|last }}", "1:9: expected a list, a map or a text, found a boolean"),
        ("{{ 5|join }}", "1:6: expected a list, a map or a text, found a number"),
        ("{{ range(100001) }}", "1:4: the range is too long: `range` gives at most 100000 numbers"),
        ("{{ range(9, -200000, -1) }}", "1:4: the range is too long"),
        ("{{ range(0, 9, 0) }}", "1:4: the step of `range` cannot be zero"),
        ("{{ range(3000000000) }}", "1:4: expected a whole number of at most nine digits, found a number"),
        ("{{ range(1, 1.5) }}", "1:4: expected a whole number of at most nine digits, found a number"),
        ("{{ range('a') }}", "1:4: expected a whole number of at most nine digits, found a text"),
        ("{{ 'a'|upper(1) }}", "1:8: `upper` takes no arguments"),
        ("{{ 'a'|replace('b') }}", "1:8: `replace` takes 2 arguments"),
        ("{{ 'a'.upper() }}", "1:7: values have no methods; use a filter"),
        ("{% for a, b in [[1]] %}{% endfor %}", "1:8: the value cannot be unpacked into so many names"),
        ("A={{ \"it's `x`\"|dotenv }}", "1:17: the value has a backquote"),
    ] {
        assert_fails(template, expected);
    }
}

#[test]
fn an_operator_says_what_it_was_given() {
    for (template, expected) in [
        ("{{ 1 + 'a' }}", "1:8: this operator cannot take a number and a text together"),
        ("{{ 'a' - 'b' }}", "1:10: this operator cannot take a text and a text together"),
        ("{{ 'a' * 'b' }}", "1:10: this operator cannot take a text and a text together"),
        ("{{ none * 2 }}", "1:11: this operator cannot take none and a number together"),
        ("{{ 5 in '5' }}", "1:4: expected a text before the `in`, found a number"),
        ("{{ [] in {} }}", "1:4: expected a text before the `in`, found a list"),
        (
            "{% set db = {'p': 1} %}{{ ('a:' + 'b' + db.p) | upper }}",
            "1:41: this operator cannot take a text and a number",
        ),
        (
            "A={{ true|dotenv }}",
            "1:11: expected a text or a number (`json` makes a text of other values), found a boolean",
        ),
    ] {
        assert_fails(template, expected);
    }
}

/// Checks where and how a template fails that has no secret.
fn assert_fails(template: &str, expected: &str) {
    let error = match Template::parse(template, &[]) {
        Ok(template) => template.render(Vec::new(), FOREVER).unwrap_err(),
        Err(errors) => errors.into_iter().next().unwrap(),
    };
    let shown = format!("{}: {error}", error.place);
    assert!(shown.starts_with(expected), "{template}: {shown}");
}

#[test]
fn nesting_is_refused_or_survived() {
    let chain = |before: &str, link: &str, after: &str, words: usize| {
        format!("{before}{}{after}", link.repeat(19_980 / words))
    };
    let nest = "{% set x = [[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]] %}";
    for template in [
        chain("{{ ", "(", "1 }}", 1),
        chain("{{ ", "[", "1 }}", 1),
        chain("{{ ", "not ", "1 }}", 1),
        chain("{{ ", "-", "1 }}", 1),
        chain("{{ 1", "+1", " }}", 2),
        chain("{{ range", ".a", " }}", 2),
        chain("{{ 'a'", "|trim", " }}", 2),
        chain("{{ 1", " if 1 else 1", " }}", 4),
        chain("{{ ", "range(", "1 }}", 2),
        chain("{% if 1 %}", "{% elif 1 %}", "{% endif %}", 4),
        chain("", "{% if 1 %}", "", 4),
        chain("{% set x = 1 %}", nest, "{{ x == [x] }}{{ x|json }}", 38),
        chain("{% set x = [1] %}", "{% set x = x * 1 %}", "{% for y in x %}{% endfor %}", 8),
        "{{ ".to_owned() + &"(".repeat(100_000),
        "{% for x in [1] recursive %}{{ loop([x]) }}{% endfor %}".to_owned(),
    ] {
        if let Ok(template) = Template::parse(&template, &texts(&["v"])) {
            let _ = template.render(Vec::new(), FOREVER);
        }
    }
}
