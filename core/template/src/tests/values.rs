//! What is given: values with parts, numbers as they are written, and names that have no value.

use super::{Given, render_given, wrong};

fn map(entries: &[(&str, Given)]) -> Given {
    Given::map(entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
}

fn names(entries: &[(&str, Given)]) -> Given {
    Given::names(entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
}

fn text(text: &str) -> Given {
    Given::bytes(text.as_bytes())
}

fn document() -> Given {
    map(&[
        ("debug", Given::boolean(false)),
        ("workers", Given::number("0")),
        ("port", Given::number("5432")),
        ("long", Given::number("12345678901234567890")),
        ("longer", Given::number("1234567890123456789012345678901234567890")),
        ("ratio", Given::number("1.0")),
        ("huge", Given::number("1e400")),
        ("tiny", Given::number("-1e-400")),
        ("fine", Given::number("1234567890123456789.5")),
        ("sum", Given::number("0.30000000000000004")),
        ("zeros", Given::number("-0.000e999")),
        ("nothing", Given::null()),
        ("hosts", Given::list(vec![text("a"), text("b")])),
        ("flag", text("false")),
        ("empty", text("")),
    ])
}

#[test]
fn a_document_keeps_its_types_and_its_numbers() {
    for (template, expected) in [
        ("{% if c.debug %}x{% endif %}{% if c.workers %}x{% endif %}{% if c.nothing %}x{% endif %}", ""),
        ("{% if c.empty %}x{% endif %}{% if c.flag %}y{% endif %}{% if c.huge %}z{% endif %}", "yz"),
        ("{% if c.port == 5432 %}{{ c.port + 1 }}{% endif %}", "5433"),
        (
            "{{ c.long }} {{ c.longer }} {{ c.ratio }} {{ c.huge }}",
            "12345678901234567890 1234567890123456789012345678901234567890 1.0 1e400",
        ),
        ("{{ [c.long, c.ratio, c.huge]|json }}", "[12345678901234567890,1.0,1e400]"),
        ("{{ [c.tiny == c.tiny, c.sum > 0.3, c.zeros == 0, not c.zeros]|json }}", "[true,true,true,true]"),
        (
            "{{ [c.ratio == 1, c.port > 5431, c.port in [5432], c.huge == c.huge, c.port is even, c.port is number]|json }}",
            "[true,true,true,true,true,true]",
        ),
        (
            "{{ c.long + 1 }} {{ -c.port }} {{ 'ab' * c.port|length if false }}{{ range(c.workers)|length }}",
            "12345678901234567891 -5432 0",
        ),
        ("{{ c.hosts|join(',') }}{{ c['hosts'][c.workers] }}", "a,ba"),
        ("{{ c.nothing == none and c.debug == false and c.debug != true }}", ""),
        ("{% for key in c if key in ['port'] %}{{ key }}={{ c[key] }}{% endfor %}", "port=5432"),
        ("P={{ c.port|dotenv }}", "P='5432'"),
    ] {
        let expected = if template.contains("nothing == none") { None } else { Some(expected) };
        assert_eq!(render_given(template, &[("c", document())]).ok().as_deref(), expected, "{template}");
    }
}

#[test]
fn what_is_never_equal_is_not_compared() {
    for (template, expected) in [
        ("{% if c.flag == 5 %}{% endif %}", "a text is compared with a number"),
        ("{% if c.port == '5432' %}{% endif %}", "a number is compared with a text"),
        ("{% if c.flag == false %}{% endif %}", "a text is compared with a boolean"),
        ("{% if c.debug == 0 %}{% endif %}", "a boolean is compared with a number"),
        ("{% if c.port < '5433' %}{% endif %}", "a number and a text have no order"),
        ("{% if c.port in ['5432'] %}{% endif %}", "a number is compared with a text"),
        ("{% if c.port == c.hosts %}{% endif %}", "a number is compared with a list"),
        ("{{ c.huge + 1 }}", "this number has too many digits, or is too large"),
        ("{% if c.longer == 1 %}{% endif %}", "this number has too many digits, or is too large"),
        ("{{ 1 / c.tiny }}", "this number has too many digits, or is too large or too small"),
        ("{% if c.tiny < 0 %}{% endif %}", "this number has too many digits, or is too large or too small"),
        ("{% if c.fine == 1234567890123456789 %}{% endif %}", "this number has too many digits"),
        ("{{ c.debgu }}", "`c.debgu` is not defined here"),
        ("{% if c.debgu %}{% endif %}", "`c.debgu` is not defined here"),
    ] {
        let error = render_given(template, &[("c", document())]).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{template}: {error}");
    }
}

#[test]
fn an_optional_name_is_asked_for_before_it_is_used() {
    let names = [("x", Given::undefined()), ("y", Given::undefined())];
    for (template, expected) in [
        ("{% if x %}a{% else %}b{% endif %}", "b"),
        ("{{ x|default('c') }}{{ 'd' if x is defined else 'e' }}{{ 'f' if not x }}", "cef"),
        ("{{ x or 'g' }}", "g"),
        ("{% if x and y %}a{% elif x or y %}b{% elif x and x.a %}c{% elif not (x or y) %}d{% endif %}", "d"),
        ("{{ 'a' if x or y or true }}{{ 'b' if y and x }}{% if x or 'c' %}c{% endif %}", "ac"),
    ] {
        assert_eq!(render_given(template, &names).unwrap(), expected, "{template}");
    }
    for template in [
        "{{ x }}",
        "{{ x|upper }}",
        "{{ x + 'a' }}",
        "{% for y in x %}{% endfor %}",
        "{% if x == 'a' %}{% endif %}",
    ] {
        assert_eq!(
            render_given(template, &names).unwrap_err().to_string(),
            "`x` is not defined here; test it with `is defined`, or use `default`",
            "{template}"
        );
    }
}

#[test]
fn lines_are_indented_as_jinja_does() {
    let pem = text("-----BEGIN X-----\nab\n\ncd\n-----END X-----\n");
    let rendered = render_given("key: |\n    {{ pem|indent(4) }}", &[("pem", pem)]).unwrap();
    assert_eq!(rendered, "key: |\n    -----BEGIN X-----\n    ab\n\n    cd\n    -----END X-----\n");
    let ends = "a\rb: 1\r\n\r\nc\u{85}d\u{2028}e\u{2029}f";
    let rendered = render_given("key: |\n  {{ v|indent(2) }}", &[("v", text(ends))]).unwrap();
    assert_eq!(rendered, "key: |\n  a\r  b: 1\r\n\r\n  c\u{85}  d\u{2028}  e\u{2029}  f");
    for template in ["{{ v|indent('a') }}", "{{ v|indent(-1) }}", "{{ v|indent(1001) }}"] {
        assert!(render_given(template, &[("v", text("a"))]).is_err(), "{template}");
    }
}

#[test]
fn a_loop_names_variables_that_their_reader_can_have() {
    let all = map(&[("DB_USER", text("it's")), ("_2", text("b"))]);
    let template = "{% for name in all -%}\n{{ name }}={{ all[name]|dotenv }}\n{% endfor %}";
    assert_eq!(render_given(template, &[("all", all)]).unwrap(), "DB_USER=\"it's\"\n_2='b'\n");
    for name in ["db/user", "a-b", "2a", "", "a b", "é"] {
        let all = map(&[(name, text("b"))]);
        for filter in ["dotenv", "docker", "shell"] {
            for before in ["", "export "] {
                let template = template
                    .replace("dotenv", filter)
                    .replace("{{ name }}", &format!("{before}{{{{ name }}}}"));
                let error = render_given(&template, &[("all", all.clone())]).unwrap_err().to_string();
                // `docker` knows no `export`, which no value is needed to find out.
                let is_known = filter == "docker" && before == "export ";
                let what =
                    if is_known { "belongs behind the name" } else { "cannot be the name of a variable" };
                assert!(error.contains(what), "{name}: {error}");
            }
        }
        let json = "{% for name in all %}{{ name|json }}:{{ all[name]|json }},{% endfor %}";
        assert!(render_given(json, &[("all", all)]).is_ok());
    }
    assert!(wrong("{{ 'db/user' }}={{ v|dotenv }}")[0].contains("behind the name of a variable"));
}

/// Whoever names a secret must not write lines of the file.
#[test]
fn a_key_stays_one_whatever_is_made_of_it() {
    let all = map(&[("a\nPATH=x\nb", text("v"))]);
    for key in [
        "{{ k }}",
        "{{ k|upper }}",
        "{{ k|lower }}",
        "{{ k|trim }}",
        "{{ k|replace('b', 'c') }}",
        "{{ 'x'|replace('x', k) }}",
        "{{ k + 'c' }}",
        "{{ 'c' + k }}",
        "{{ k * 2 }}",
        "{{ k[1:] }}",
        "{{ k[1] }}",
        "{{ k|indent(1) }}",
        "{{ k|split('P')|first }}",
        "{{ k|join('') }}",
        "{{ [k]|join(',') }}",
        "{{ all|join(',') }}",
        "{{ all|first }}",
        "{{ all|last|upper }}",
        "{% set n %}{{ k }}{% endset %}{{ n }}",
        "{% for c in k %}{{ c }}{% endfor %}",
    ] {
        let template = format!("{{% for k in all %}}{key}\nB={{{{ all[k]|shell }}}}\n{{% endfor %}}");
        let error = render_given(&template, &[("all", all.clone())]).unwrap_err().to_string();
        assert!(error.contains("cannot be the name of a variable"), "{template}: {error}");
        let template = template.replace("|shell", "");
        assert!(render_given(&template, &[("all", all.clone())]).is_ok(), "{template}");
    }
    let all = names(&[("a/b-c", text("v")), ("d-e", text("v"))]);
    let template = "{% for k in all %}{{ k|replace('-', '_')|upper }}={{ all[k]|dotenv }}\n{% endfor %}";
    let error = render_given(template, &[("all", all)]).unwrap_err().to_string();
    assert!(error.starts_with("`a/b-c` cannot be the name of a variable"), "{error}");
    let all = names(&[("a/b-c", text("v")), ("d/e", text("v"))]);
    let error = render_given(template, &[("all", all)]).unwrap_err().to_string();
    assert!(error.starts_with("`a/b-c` cannot be the name of a variable"), "{error}");
    let all = names(&[("a/b-c", text("v"))]);
    let template = "{% for k in all if k is string and 'a' in k and k == 'a/b-c' and k < 'b' %}{{ (k|replace('/', '_')|replace('-', '_')|upper) }}={{ all[k]|dotenv }}\n{% endfor %}";
    assert_eq!(render_given(template, &[("all", all.clone())]).unwrap(), "A_B_C='v'\n");
    assert!(render_given("{% for k in all %}A={{ k|dotenv }}\n{% endfor %}", &[("all", all)]).is_ok());
}

#[test]
fn a_value_of_a_variable_has_its_name_before_it() {
    for (template, is_right) in [
        ("{{ n }}={{ v|dotenv }}", true),
        ("export {{ n }}={{ v|dotenv }}", true),
        ("# {{ n }}\nA={% set q = v|dotenv %}{{ q }}", true),
        ("{% set body %}A={{ v|dotenv }}\n{% endset %}{{ body }}B={{ v|dotenv }}", true),
        ("{% set q %}{{ v|dotenv }}{% endset %}A={{ q }}", true),
        ("{{ n + '=' + (v|dotenv) }}", true),
        ("{{ n }}=x{{ v|docker }}", true),
        ("a {{ n }}={{ v|dotenv }}", false),
        ("a-{{ n }}={{ v|dotenv if v }}", false),
        ("A={{ v }}\n={{ v|dotenv }}", false),
        ("2={% set q = v|dotenv %}{{ q }}", false),
        ("{{ 'a-' + n + '=' + (v|dotenv) }}", false),
        ("{% set q %}a-{{ n }}={{ v|dotenv }}{% endset %}{{ q }}", false),
        ("x={{ n }}\n{{ v|docker }}", false),
        ("a-b={{ v|docker }}", false),
        (" A={{ v|docker }}", true),
        ("{% if v %}\n  A={{ v|dotenv }}\n\texport B={{ v|dotenv }}\n{% endif %}", true),
        (" 2={{ v|dotenv }}", false),
        (" a b={{ v|docker }}", false),
    ] {
        let rendered = render_given(template, &[("n", text("NAME")), ("v", text("hunter2"))]);
        assert_eq!(rendered.is_ok(), is_right, "{template}: {rendered:?}");
        assert!(!format!("{:?}", rendered.err()).contains("hunter2"));
    }
}
