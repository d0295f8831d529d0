//! Filters that quote, beside quotes and text.

use super::{Declared, Sandbox, Shape, Template};

fn wrong(template: &str) -> Vec<String> {
    let declared: Vec<_> = ["pw", "x", "items"]
        .map(|name| Declared { name: name.to_owned(), shape: Shape::Structured })
        .to_vec();
    let errors = Template::parse(template, &declared, &Sandbox::default()).err().unwrap_or_default();
    errors.iter().map(|error| format!("{}: {error}", error.place)).collect()
}

#[test]
fn a_value_that_is_quoted_stands_alone() {
    for template in [
        "P={{ pw|shell }}\nexport Q={{ pw | trim | shell }} R={{ pw|shell }}; run --pw={{ pw|shell }} {{ x|shell }}|cat\n",
        "P=\"$(printf %s {{ pw|shell }})\"\nQ=`printf {{ pw|shell }}`\n(echo {{ pw|shell }})\n",
        "# don't worry\nP={{ pw|shell }} # it's fine\nQ='a'\nR={{ pw|shell }}\nrun \\\n  {{ pw|shell }}",
        "P=\"a\\\"b\"\nQ={{ pw|shell }}",
        "P={{ pw|dotenv }}\n# it's\nexport Q={{ pw|dotenv }} # note\nR={{ ('x' + pw)|dotenv }}",
        "{% for i in items %}{{ i }}={{ x|dotenv }}\n{% endfor %}",
        "{% for i in items %}{{ i|shell }} {% endfor %}",
        "P={% if x %}{{ pw|dotenv }}{% else %}{{ x|dotenv }}{% endif %}\nQ={{ pw|dotenv if x else 'none' }}\n",
        "{% set q = pw|dotenv %}P={{ q }}\n{% set q = pw %}Q={{ q }}x\n",
        "P={% filter dotenv %}a \"{{ pw }}\" b{% endfilter %}\n",
        "{{ 'P=' }}{{ pw|dotenv }}{{ '\\n' }}{{ 'Q=' + (pw|dotenv) }}",
        "P={{ pw|docker }}x\nQ=x{{ pw|docker }}\n# \"{{ pw|docker }}\"\n",
        "{\"a\": {{ pw|json }}, \"it's\": [{{ x|json }},{{ x|json }}], {{ x|json }}: 1}\n",
        "key: don't\nother: {{ pw|json }} # say \"no\n- {{ pw|json }}\n",
        "{% for i in items %}{{ i|json }}{{ ',' if not loop.last }}{% endfor %}",
        "[a]\nb = {{ pw|toml }} # it's\nc = [{{ pw|toml }}, {{ x|toml }}]\nd = \"\"\"\nit's\n\"\"\"\ne = {{ x|toml }}",
        "P=\"{{ pw|base64 }}\" {{ (pw|shell)|json }} '{{ (pw|shell)|url }}'",
        "// it's\nconst x = {{ pw|json }};",
    ] {
        assert!(wrong(template).is_empty(), "{template}\n{:?}", wrong(template));
    }
}

#[test]
fn inside_quotes_or_beside_text_it_is_misplaced() {
    for (template, place, what) in [
        ("P=\"{{ pw | shell }}\"", "1:12", "writes its own quotes"),
        ("P='a {{ pw|shell }}'", "1:12", "writes its own quotes"),
        ("P=\"a\nb {{ pw|shell }}\n\"", "2:9", "writes its own quotes"),
        ("P=\"$(echo \"{{ pw|shell }}\")\"", "1:18", "writes its own quotes"),
        ("P=\"${x} `echo '{{ pw|shell }}'`\"", "1:22", "writes its own quotes"),
        ("P=x{{ pw|shell }}", "1:10", "text stands directly before it"),
        ("P={{ pw|shell }}x", "1:9", "text stands directly behind it"),
        ("P={{ pw|shell }}{{ x }}", "1:9", "text stands directly behind it"),
        ("P={{ x }}{{ pw|shell }}", "1:16", "text stands directly before it"),
        ("P={{ pw|shell }}{{ pw|shell }}", "1:9", "text stands directly behind it"),
        ("P=\"{{ pw | dotenv }}\"", "1:12", "writes its own quotes"),
        ("U=x{{ pw | dotenv }}", "1:12", "directly behind `NAME=`"),
        ("U={{ pw | dotenv }}y", "1:11", "text stands directly behind it"),
        ("U={{ pw | dotenv }} y", "1:11", "text stands directly behind it"),
        ("U= {{ pw | dotenv }}", "1:12", "directly behind `NAME=`"),
        ("U: {{ pw | dotenv }}", "1:12", "directly behind `NAME=`"),
        ("U={{ 'x' + (pw|dotenv) }}", "1:16", "directly behind `NAME=`"),
        ("U={{ pw|dotenv if x else 'a' }}b", "1:9", "text stands directly behind it"),
        ("{% set q = pw|shell %}P=\"{{ q }}\"", "1:29", "writes its own quotes"),
        ("{% set q = [pw|shell, x] %}P=\"{{ q|join(' ') }}\"", "1:36", "writes its own quotes"),
        ("{% for q in [pw|shell] %}'{{ q }}'{% endfor %}", "1:30", "writes its own quotes"),
        ("{% for i in items %}\"{{ pw|shell }}\"{% endfor %}", "1:28", "writes its own quotes"),
        ("{% for i in items %}{{ pw|dotenv }}{% endfor %}", "1:27", "text stands directly behind it"),
        ("{% for i in items %}{{ pw|shell }}\"{% endfor %}", "1:27", "text stands directly behind it"),
        ("{% if x %}\"{% endif %}{{ pw|shell }}", "1:29", "writes its own quotes"),
        ("{% set q %}P=x{{ pw|shell }}{% endset %}", "1:21", "text stands directly before it"),
        ("{% set q %}{{ pw|shell }}{% endset %}\"{{ q }}\"", "1:42", "writes its own quotes"),
        ("P=\"{% filter shell %}a{% endfilter %}\"", "1:7", "writes its own quotes"),
        ("{% with q = pw|toml %}a = \"{{ q }}\"{% endwith %}", "1:31", "writes its own quotes"),
        ("{\"a\": \"{{ pw | json }}\"}", "1:16", "writes its own quotes"),
        ("a: '{{ pw|json }}'", "1:11", "writes its own quotes"),
        ("{\"a\": x{{ pw|json }}}", "1:14", "text stands directly before it"),
        ("a: {{ pw|json }}x", "1:10", "text stands directly behind it"),
        ("A='{\"a\": {{ pw|json }} }'", "1:16", "writes its own quotes"),
        ("a = \"{{ pw|toml }}\"", "1:12", "writes its own quotes"),
        ("a = \"\"\"\n{{ pw|toml }}\n\"\"\"", "2:7", "writes its own quotes"),
        ("a = x{{ pw|toml }}", "1:12", "text stands directly before it"),
        ("P=\"{{ pw|docker }}\"", "1:10", "quotes around `docker`"),
        ("P='a {{ pw|docker }}'", "1:12", "quotes around `docker`"),
        ("P={{ pw|docker }}\"", "1:9", "quotes around `docker`"),
    ] {
        let errors = wrong(template);
        assert!(
            errors.len() == 1 && errors[0].starts_with(&format!("{place}: ")) && errors[0].contains(what),
            "{template}\n{errors:?}"
        );
    }
    assert_eq!(
        wrong("U=x{{ pw | dotenv }}"),
        [
            "1:12: `dotenv` writes a whole value, so it belongs directly behind `NAME=`; join other text first: `(\"x\" + pw) | dotenv`"
        ]
    );
}

#[test]
fn loops_in_loops_end() {
    let (open, close) =
        ("{% for i in items %}{% if x %}\"{% endif %}".repeat(40), "'{% endfor %}".repeat(40));
    let _ = wrong(&format!("{open}{{{{ pw|shell }}}}{close}"));
}

#[test]
fn what_a_reader_of_variables_misunderstands_is_refused() {
    for quoted in ["{{ 'a'|shell }}", "{{ 'a'|trim|dotenv }}", "{% filter docker %}a{% endfilter %}"] {
        let errors = wrong(&format!("\u{feff}A=b\nB={quoted}\r\nC=d\r\n"));
        assert!(errors[0].starts_with("1:1: the template begins with a byte order mark"), "{errors:?}");
        assert!(
            errors.iter().any(|error| error.starts_with("2:") && error.contains("carriage return")),
            "{errors:?}"
        );
        assert!(wrong(&format!("A=b\nB={quoted}\nC=d\n\u{feff}")).is_empty(), "{quoted}");
    }
    for template in
        ["\u{feff}{{ 'a'|json }}\r\n", "\u{feff}{{ {'shell': 1}.shell }}\r", "{{ 'a\\r'|shell }}\n"]
    {
        assert!(wrong(template).is_empty(), "{template:?}: {:?}", wrong(template));
    }
}
