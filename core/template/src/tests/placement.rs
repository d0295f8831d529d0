//! Filters that quote, beside quotes and text.

use super::{Declared, Shape, Template};

fn wrong(template: &str) -> Vec<String> {
    let declared: Vec<_> = ["pw", "x", "items"]
        .map(|name| Declared { name: name.to_owned(), shape: Shape::Structured })
        .to_vec();
    let errors = Template::parse(template, &declared).err().unwrap_or_default();
    errors.iter().map(|error| format!("{}: {error}", error.place)).collect()
}

#[test]
fn a_value_that_is_quoted_stands_alone() {
    for template in [
        "P={{ pw|shell }}\nexport Q={{ pw | trim | shell }} R={{ pw|shell }}; run --pw={{ pw|shell }} {{ x|shell }}|cat\n",
        "P=\"$(printf %s {{ pw|shell }})\"\n(echo {{ pw|shell }})\n",
        "# don't worry\nP={{ pw|shell }} # it's fine\nQ='a'\nR={{ pw|shell }}\nrun \\\n  {{ pw|shell }}",
        "P=\"a\\\"b\"\nQ={{ pw|shell }}",
        "P={{ pw|dotenv }}\n# it's\nexport Q={{ pw|dotenv }} \nR={{ ('x' + pw)|dotenv }}",
        "{% for i in items %}{{ i }}={{ x|dotenv }}\n{% endfor %}",
        "{% for i in items %}{{ i|shell }} {% endfor %}",
        "P={% if x %}{{ pw|dotenv }}{% else %}{{ x|dotenv }}{% endif %}\nQ={{ pw|dotenv if x else 'none' }}\n",
        "{% set q = pw|dotenv %}P={{ q }}\n{% set r = pw %}Q={{ r }}x\n",
        "P={% filter dotenv %}a \"{{ pw }}\" b{% endfilter %}\n",
        "{{ 'P=' }}{{ pw|dotenv }}{{ '\\n' }}{{ 'Q=' + (pw|dotenv) }}",
        "P={{ pw|docker }}x/y#z\n# a comment\nQ=x{{ pw|docker }} don't\n",
        "{\"a\": {{ pw|json }}, \"it's\": [{{ x|json }},{{ x|json }}], {{ x|json }}: 1}\n",
        "key: don't\nother: {{ pw|json }} # say \"no\n- {{ pw|json }}\n",
        "{% for i in items %}{{ i|json }}{{ ',' if not loop.last }}{% endfor %}",
        "[a]\nb = {{ pw|toml }} # it's\nc = [{{ pw|toml }}, {{ x|toml }}]\nd = \"\"\"\nit's\n\"\"\"\ne = {{ x|toml }}",
        "P=\"{{ pw|base64 }}\", {{ (pw|shell)|json }}, '{{ (pw|shell)|url }}'",
        "// it's\nx = {{ pw|json }};",
        "{\n  \"a\": [\n    {{ pw|json }},\n    {{ x|json }}\n  ]\n}\n",
        "const a = [\n  {{ pw|json }},\n];\nf(a, {{ x|json }});\nserver {\n  {{ pw|json }};\n}\n",
        "a:\n  - {{ pw|json }}\n  - b: {{ x|json }}\n    c: d\n# e\nf: [{{ pw|json }}, g, {{ x|json }}]\nh: i j\n{{ pw|json }}: k\n",
        "%YAML 1.2\n---\n- {{ pw|json }}\n---\n{{ x|json }}\n",
        "x\n---\n- {{ pw|json }}\n- a: x\n  b: {{ x|json }}\n- {{ pw|json }}\n",
        "[[ $# -gt 0 && -n $y || -z {{ pw|shell }} ]] && [[ $1 =~ ^[0-9]+$ ]]\nwhile read -r l; do x; done < <(ls)\ndiff <(a {{ pw|shell }}) {{ x|shell }}",
        "case $1 in\n  (a|-b) A={{ pw|shell }} ;;\n  (*) exit ;;\nesac\nrun {{ x|shell }}",
        "(\n  echo {{ pw|shell }} # it's\n) && f () { g; } && [[ -n {{ pw|shell }} ]]\necho {{ x|shell }}\n",
        "{% with q = pw|shell %}{% endwith %}{% set q = x %}P='{{ q }}'",
        "P={{ x|default(pw|shell) }} {{ {'a': pw|shell}.a }}",
        "{% for a, b in [[pw|shell, 1]] %}{{ a }}{% endfor %}",
        "{% for i in items %}{{ ' ' if not loop.first }}{{ pw|shell }}{% endfor %}",
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
        ("P=\"${x} `echo '{{ pw|shell }}'`\"", "1:22", "stands in a backquote"),
        ("P=x{{ pw|shell }}", "1:10", "text stands directly before it"),
        ("P={{ pw|shell }}x", "1:9", "stands directly behind it"),
        ("P={{ pw|shell }}{{ x }}", "1:9", "stands directly behind it"),
        ("P={{ x }}{{ pw|shell }}", "1:16", "text stands directly before it"),
        ("P={{ pw|shell }}{{ pw|shell }}", "1:9", "stands directly behind it"),
        ("P=\"{{ pw | dotenv }}\"", "1:12", "writes its own quotes"),
        ("U=x{{ pw | dotenv }}", "1:12", "directly behind `NAME=`"),
        ("U={{ pw | dotenv }}y", "1:11", "stands directly behind it"),
        ("U={{ pw | dotenv }} y", "1:11", "stands directly behind it"),
        ("U= {{ pw | dotenv }}", "1:12", "directly behind `NAME=`"),
        ("U: {{ pw | dotenv }}", "1:12", "directly behind `NAME=`"),
        ("U={{ 'x' + (pw|dotenv) }}", "1:16", "directly behind `NAME=`"),
        ("U={{ pw|dotenv if x else 'a' }}b", "1:9", "stands directly behind it"),
        ("{% set q = pw|shell %}P=\"{{ q }}\"", "1:29", "writes its own quotes"),
        ("{% set q = [pw|shell, x] %}P=\"{{ q|join(' ') }}\"", "1:36", "writes its own quotes"),
        ("{% for q in [pw|shell] %}'{{ q }}'{% endfor %}", "1:30", "writes its own quotes"),
        ("{% for i in items %}\"{{ pw|shell }}\"{% endfor %}", "1:28", "writes its own quotes"),
        ("{% for i in items %}{{ pw|dotenv }}{% endfor %}", "1:27", "directly behind `NAME=`"),
        ("{% for i in items %}{{ pw|shell }}\"{% endfor %}", "1:27", "stands directly behind it"),
        ("{% if x %}\"{% endif %}{{ pw|shell }}", "1:29", "writes its own quotes"),
        ("{% set q %}P=x{{ pw|shell }}{% endset %}", "1:21", "text stands directly before it"),
        ("{% set q %}{{ pw|shell }}{% endset %}\"{{ q }}\"", "1:42", "writes its own quotes"),
        ("P=\"{% filter shell %}a{% endfilter %}\"", "1:14", "writes its own quotes"),
        ("{% with q = pw|toml %}a = \"{{ q }}\"{% endwith %}", "1:31", "writes its own quotes"),
        ("{\"a\": \"{{ pw | json }}\"}", "1:16", "writes its own quotes"),
        ("a: '{{ pw|json }}'", "1:11", "writes its own quotes"),
        ("{\"a\": x{{ pw|json }}}", "1:14", "text stands directly before it"),
        ("a: {{ pw|json }}x", "1:10", "stands directly behind it"),
        ("A='{\"a\": {{ pw|json }} }'", "1:16", "writes its own quotes"),
        ("a = \"{{ pw|toml }}\"", "1:12", "writes its own quotes"),
        ("a = \"\"\"\n{{ pw|toml }}\n\"\"\"", "2:7", "writes its own quotes"),
        ("a = x{{ pw|toml }}", "1:12", "text stands directly before it"),
        ("P=\"{{ pw|docker }}\"", "1:10", "`docker` has quotes around it"),
        ("P='a {{ pw|docker }}'", "1:12", "`docker` has quotes around it"),
        ("P={{ pw|docker }}\"", "1:9", "`docker` writes a whole value"),
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
        assert_eq!(errors.len(), 2, "{errors:?}");
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

/// Texts that each reader reads in its own way, and what may follow them.
#[test]
fn each_reader_has_its_own_quotes() {
    for template in [
        "cat <<EOF\nit's\nEOF\nP={{ pw|shell }}",
        "cat <<-'EF' && run {{ pw|shell }}\n\tit's $( \"\n\tEF\nP={{ pw|shell }}",
        "a <<A\n'\nA\nb << \"B\"\n\"\nB\nP={{ pw|shell }}",
        "cat <<< {{ pw|shell }}\n",
        "P=$((1 + (2 * 3)))\nQ={{ pw|shell }}",
        "P=${x:-a b} Q={{ pw|shell }} R=${P%.x}\n",
        "x=\"${XDG_CONFIG_HOME:-$HOME/.config}\" y=${a:-$b} z=\"${y:-${z}}\"\nX={{ pw|shell }}",
        "P=`echo \"` Q={{ pw|shell }}",
        "a[0]={{ pw|shell }} b[$i]={{ x|shell }}; rm lib[a-z] {{ pw|shell }}; [ {{ pw|shell }} = x ]",
        "for i in {{ x }} {{ pw|shell }}; do echo {{ x }}{{ x }} {{ pw|shell }}; done",
        "conf[$i]={{ x|shell }}; arr[0]={{ pw|shell }} # it's",
        "f() { run \"$@\"; }\ncase $x in a) f {{ pw|shell }};; esac; until [ {{ x|shell }} = $P ]; do f {{ pw|shell }}; done",
        "# {{ x }} {{ x }} {{ x }} {{ x }} {{ x }} {{ x }} {{ x }} {{ x }} {{ x }}\nA={{ pw|dotenv }}",
        "# {% for i in items %}{{ i }} {% endfor %}\n{% for i in items %}{{ i|upper }}_{% endfor %}PW={{ pw|dotenv }}",
        "PATHS {% for i in items %}x{% endfor %}\nA={{ pw|docker }}",
        "{{ x }}{{ pw|docker }}\nexp={{ pw|docker }}\nexport={{ pw|docker }}",
        "{{ x }}={{ pw|dotenv }}\n; it's\n# it's\nA={{ x }}\n B={{ pw|dotenv }}",
        "P=\"$(cat '{' {{ pw|shell }} # it's )\n)\"\nQ={{ pw|shell }}",
        "{% set d = '\"' %}X={{ d }}a{{ d }} Y={{ pw|shell }}",
        "{% set body %}A={{ pw|dotenv }}\n{% endset %}{{ body }}B={{ pw|dotenv }}",
        "A={{ [pw|shell, x|shell]|join(' ') }}\n",
        "{% for q in [pw|shell, x|shell] %}A={{ q }}\n{% endfor %}",
        "{% for i in items %}{{ ' ' if not loop.first }}{{ i|shell }}{% endfor %}",
        "[{% for i in items %}{% if not loop.first %}, {% endif %}{{ i|json }}{% endfor %}]",
        "{% for i in items %}{% if loop.first %}a: [{% endif %}{{ i|json }}{% if loop.last %}]{% else %},{% endif %}{% endfor %}",
        "a: 'it''s'\nb: {{ pw|json }}",
        "a: |\n  'tis\n   \"x\nb: {{ pw|json }}",
        "config: |\n  {\"a\": {{ pw|json }}}\nb: {{ pw|json }}\n",
        "- 'a\\'\n- {{ pw|json }}\n- a: {{ pw|json }}\n",
        "--- 'x'\na: {{ pw|json }}",
        "a: b\n'c': {{ pw|json }}\n",
        "a: see it, don't\nb: (c) {d}\ne: {{ pw|json }}",
        "f({{ pw|json }}, \"x\");\nname = {{ pw|json }};\n",
        "a = '''it's\n\"'''\nb = {{ pw|toml }}",
        "a = \"\"\"\"x\\\"\"\"\"\"\"\nb = {{ pw|toml }}",
        "P={{ pw|docker }}\n  # it's\nQ={{ pw|docker }}#\n",
    ] {
        assert!(wrong(template).is_empty(), "{template}\n{:?}", wrong(template));
    }
}

/// Templates by which a value would leave its quotes, and what is said of them.
const WAYS_OUT: &[(&str, &str)] = &[
    ("# X={{ pw | dotenv }}\n", "stands in a comment"),
    ("run # {{ pw|shell }}\n", "stands in a comment"),
    ("a = 1 # {{ pw|toml }}\n", "stands in a comment"),
    ("a: 1 # {{ pw|json }}\n", "stands in a comment"),
    ("  # A={{ pw|docker }}\n", "stands in a comment"),
    ("cat <<EOF\n{{ pw|shell }}\nEOF\n", "stands in a here-document"),
    ("cat <<-\"EOF\"\n\t{{ pw|shell }}\n\tEOF\n", "stands in a here-document"),
    ("cat << {{ pw|shell }}\n", "stands in a here-document"),
    ("cat <\\\n<EOF\n{{ pw|shell }}\nEOF\n", "stands in a here-document"),
    ("P=`echo {{ pw|shell }}`", "stands in a backquote"),
    ("P=$(( 1 + {{ pw|shell }} ))", "stands in a backquote"),
    ("P=${x:-{{ pw|shell }}}", "stands in a backquote"),
    ("P=${x:-'}'} Q={{ pw|shell }}", "not all shells"),
    ("P=${x:-$y[}]} Q={{ pw|shell }}", "not all shells"),
    (": || echo ${x:${y} # } {{ pw|shell }}", "not all "),
    (": || echo ${${x} # } {{ pw|shell }}", "not all "),
    (": || echo ${x${y} #/%%}} {{ pw|shell }}", "not all "),
    (": || echo ${@:-$y} {{ pw|shell }}", "not all "),
    (": || echo ${x::=$y} {{ pw|shell }}", "not all "),
    (": || echo ${x%$y} {{ pw|shell }}", "not all "),
    (": || echo ${:-$y} {{ pw|shell }}", "not all "),
    ("P=${x:-$(date)} Q={{ pw|shell }}", "not all shells"),
    ("P=${x:-$y'}'} Q={{ pw|shell }}", "not all shells"),
    ("P=\"${x:-$y}{{ pw|shell }}\"", "stands inside quotes"),
    ("P=${x:-$y{{ pw|shell }}}", "stands in a backquote"),
    ("a=(x) P={{ pw|shell }}", "not all "),
    ("ls x(e:'it) {{ pw|shell }}", "not all "),
    ("P=$'a {{ pw|shell }}'", "not all "),
    ("P=$'it\\'s' Q={{ pw|shell }}", "not all "),
    ("P=\"$(case x in x) echo \" {{ pw|shell }}\";; esac)\"", "not all "),
    ("(( x = {{ pw|shell }} ))", "not all "),
    ("for (( i = {{ pw|shell }}; i < 1; i++ )); do :; done", "not all "),
    ("a[ {{ pw|shell }} ]=1", "not all "),
    ("{{ x }}[ {{ pw|shell }} ]=1", "not all "),
    ("a['x ]' {{ pw|shell }} ']=1", "not all "),
    ("a=([ {{ pw|shell }} ]=1)", "not all "),
    ("local a+=(x\n  [ {{ pw|shell }} ]=1)", "not all "),
    ("a[b[0] + {{ pw|shell }} ]=1", "not all "),
    ("a=(;{{ pw|shell }}", "not all "),
    ("'it'a=(# it's\n{{ pw|shell }}", "not all "),
    ("a=(x | y)\nb={{ pw|shell }}", "not all "),
    ("a=((x) {{ pw|shell }})", "not all "),
    ("a[${b[0]} + {{ pw|shell }} ]=1", "not all "),
    ("echo x[\n'{{ pw|shell }}'", "not all "),
    ("={{ pw|dotenv }}", "behind the name of a variable"),
    ("={{ pw|docker }}", "behind the name of a variable"),
    (" export={{ pw|dotenv }} x", "a comment a line of its own"),
    ("{{ pw|docker }}", "behind the name of a variable"),
    ("X = {{ pw|docker }}", "behind the name of a variable"),
    ("X-Y={{ pw|docker }}", "behind the name of a variable"),
    ("export X={{ pw|docker }}", "behind the name of a variable"),
    ("A=1\nx{{ pw|docker }}", "behind the name of a variable"),
    ("9X={{ pw|dotenv }}", "behind the name of a variable"),
    ("A-B={{ pw|dotenv }}", "behind the name of a variable"),
    ("A+={{ pw|dotenv }}", "behind the name of a variable"),
    ("export\tX={{ pw|dotenv }}", "behind the name of a variable"),
    ("a {{ x }}={{ pw|dotenv }}", "behind the name of a variable"),
    ("A={{ pw|dotenv }} # note", "a comment a line of its own"),
    ("A={{ pw|dotenv }} #it's\nB={{ x|dotenv }}", "a comment a line of its own"),
    ("# in C:\\temp\\\nA={{ pw|dotenv }}", "shells and systemd"),
    ("  ; in C:\\temp\\\nA={{ pw|dotenv }}", "shells and systemd"),
    ("B=b # C:\\tmp\\\nA={{ pw|dotenv }}", "shells and systemd"),
    ("set -a # e.g. X='1\nA={{ pw|dotenv }}", "shells and systemd"),
    ("P=$(x)#it's {{ pw|shell }}", "writes its own quotes"),
    ("P=a\u{a0}#it's\nQ={{ pw|shell }}", "writes its own quotes"),
    ("P=$\\\n{{ pw|shell }}", "text stands directly before it"),
    ("{% set d = '\"' %}X={{ d }}{{ pw|shell }}{{ d }}", "writes its own quotes"),
    ("{% set q %}P='{{ pw|shell }}'{% endset %}{{ q|json }}", "writes its own quotes"),
    (
        "{% for i in items %}{{ ' ' if loop.index > 1 }}{{ pw|shell }}{% endfor %}",
        "text stands directly before it",
    ),
    (
        "{% for i in items %}{% if loop.index == 3 %}X=\"{{ pw|dotenv }}\"{% endif %}{% endfor %}",
        "writes its own quotes",
    ),
    ("\"$(\\\ncase x in x) echo \" {{ pw|shell }} \";; esac)\"", "not all "),
    ("\"$(ca\\\nse x in x) echo \" {{ pw|shell }} \";; esac)\"", "not all "),
    ("\"$(case\\\n x in x) echo \" {{ pw|shell }} \";; esac)\"", "not all "),
    ("cat <\0<E\n{{ pw|shell }}\nE\n", "not all "),
    ("echo x\\{{ '\\x00' }}' x ' {{ pw|shell }} '", "not all "),
    ("[[ a =~ ( #' )\necho {{ pw|shell }} ') ]]", "not all "),
    ("[[ a =~ a|#' ]]\n{{ pw|shell }} ' ]]", "not all "),
    ("echo (a #' )\necho {{ pw|shell }} ')", "not all "),
    ("case a in (a #' b)\n{{ pw|shell }} ') ;; esac", "not all "),
    ("case a in\n(a #' b)\n{{ pw|shell }} ') ;; esac", "not all "),
    ("case a in ({{ pw|shell }}) ;; esac", "stands in a backquote"),
    ("case a in b) ;; (a #' b)\n{{ pw|shell }} ') ;; esac", "not all "),
    ("case a in\n(a|b # it's )\n{{ pw|shell }} ') ;; esac", "not all "),
    ("[[ a =~ | #' ]]\n{{ pw|shell }} ' ]]", "not all "),
    ("echo <1-5>(a #' )\necho {{ pw|shell }} ')", "not all "),
    ("export A=(a #' )\necho {{ pw|shell }} ')", "not all "),
    ("echo ( # it's\n\nprintf x {{ pw|shell }} ' ) ", "not all "),
    ("$(echo (a #' )\necho {{ pw|shell }} '))", "not all "),
    ("echo *({{ pw|shell }})", "stands in a backquote"),
    ("echo ({{ pw|shell }})", "stands in a backquote"),
    ("(s)({{ pw|shell }})", "not all "),
    ("# {{ '\\r' }}B='\nP={{ pw|dotenv }}\nC={{ pw|dotenv }}", "that shells and systemd"),
    ("A=b\n\u{feff}P={{ pw|dotenv }}", "behind the name of a variable"),
    ("\u{fffc}P={{ pw|dotenv }}", "behind the name of a variable"),
    ("A\\\nB={{ pw|dotenv }}", "shells and systemd"),
    ("A=\\\nB={{ pw|dotenv }}", "shells and systemd"),
    ("A='\0'a\nB={{ pw|dotenv }}", "shells and systemd"),
    ("A='\u{fdd0}'\nB={{ pw|dotenv }}", "shells and systemd"),
    ("a: b\n  {{ pw|json }}", "text stands directly before it"),
    ("- x\n  {{ pw|json }}", "text stands directly before it"),
    ("x\n{{ pw|json }}", "text stands directly before it"),
    ("a: x\n  - {{ pw|json }}", "text stands directly before it"),
    ("a:\n  x\n  {{ pw|json }}", "text stands directly before it"),
    ("a: # c\n  x\n\n  {{ pw|json }}", "text stands directly before it"),
    ("-\n  it's\n  {{ pw|json }}", "text stands directly before it"),
    ("---\nx\n{{ pw|json }}", "text stands directly before it"),
    ("--- x\n{{ pw|json }}", "text stands directly before it"),
    ("-x\n{{ pw|json }}", "text stands directly before it"),
    ("----\n{{ pw|json }}", "text stands directly before it"),
    ("- --- {{ pw|json }}", "text stands directly before it"),
    ("  --- {{ pw|json }}", "text stands directly before it"),
    ("a: x {y}\n - z\n ? {{ pw|json }}", "text stands directly before it"),
    ("a: b\n  x = {{ pw|json }}", "text stands directly before it"),
    ("a: [x\n{{ pw|json }}\n]", "text stands directly before it"),
    ("a: {b: c\n {{ pw|json }}}", "text stands directly before it"),
    ("a: b\n  c, {{ pw|json }}", "text stands directly before it"),
    ("- a, {{ pw|json }}", "text stands directly before it"),
    ("- f({{ pw|json }})", "text stands directly before it"),
    ("a: f({{ pw|json }})", "text stands directly before it"),
    ("a: \"b\"#, {{ pw|json }}", "not all "),
    ("{{ (pw|shell)|trim }}", "is changed afterwards"),
    ("{{ (pw|shell)|replace('x', '') }}", "is changed afterwards"),
    ("{{ (pw|shell)[1:] }}", "is changed afterwards"),
    ("{{ (pw|shell)|indent(2) }}", "is changed afterwards"),
    ("{{ (pw|shell)|upper }}", "is changed afterwards"),
    ("{{ (pw|shell + 'x')|lower }}", "is changed afterwards"),
    ("{{ [pw|shell, x]|join(x) }}", "stands directly behind it"),
    ("{% filter indent(2) %}P={{ pw|shell }}{% endfilter %}", "is changed afterwards"),
    ("{% set q|upper %}P={{ pw|shell }}{% endset %}{{ q }}", "is changed afterwards"),
    ("{% for i in items %}{{ '\"' if loop.first }}{{ pw|shell }} {% endfor %}", "writes its own quotes"),
    ("{% for i in items %}{{ '\"' if loop.last }}{% endfor %}{{ pw|shell }}", "writes its own quotes"),
    ("{% set a = '\"' + x %}P={{ a }} {{ pw|shell }}", "writes its own quotes"),
    ("a: x {{ pw|json }}", "text stands directly before it"),
    ("a:{{ pw|json }}", "text stands directly before it"),
    ("a: {{ pw|json }} x", "stands directly behind it"),
    ("a: ''' {{ pw|json }}", "writes its own quotes"),
    ("a: b, 'c\nx: 'y: {{ pw|json }}'", "writes its own quotes"),
    ("a: b\n  'tis\nx: 'y: {{ pw|json }}'", "writes its own quotes"),
    ("a: !!str 'it: {{ pw|json }}'", "writes its own quotes"),
    ("key: |\n  'abc\nother: 'y: {{ pw|json }}'", "writes its own quotes"),
    ("a: b\r'c: {{ pw|json }}'", "writes its own quotes"),
    ("{'a':'x: {{ pw|json }}'}", "writes its own quotes"),
    ("{[a] :'x: {{ pw|json }}'}", "writes its own quotes"),
    ("? 'x: {{ pw|json }}'", "writes its own quotes"),
    ("- - 'x: {{ pw|json }}'", "writes its own quotes"),
    ("a: b, !c 'x: {{ pw|json }}'", "stands directly behind it"),
    ("--- 'x: {{ pw|json }}'", "writes its own quotes"),
    ("--- |\n'abc\n---\na: 'y: {{ pw|json }}'", "not all "),
    ("|\n'abc\n...\na: 'y: {{ pw|json }}'", "not all "),
    ("const x = {{ pw|json }}", "text stands directly before it"),
    ("a = '''x''{{ pw|toml }}'''", "writes its own quotes"),
    ("a = \"\"\"x\\\"\"\" {{ pw|toml }}", "writes its own quotes"),
    ("{{ pw|dotenv }}", "directly behind `NAME=`"),
    ("A=$({{ pw|dotenv }})", "stands in a backquote"),
    ("P={{ pw|docker }} # note\n", "neither quotes nor comments"),
    ("P=http://{{ pw|docker }}/x # note\n", "neither quotes nor comments"),
];

#[test]
fn what_lets_a_value_out_of_its_quotes_is_refused() {
    let accepted = WAYS_OUT.iter().map(|(template, what)| (template, what, wrong(template)));
    let accepted =
        accepted.filter(|(_, what, errors)| !errors.first().is_some_and(|error| error.contains(*what)));
    assert_eq!(accepted.collect::<Vec<_>>(), []);
}

/// Once, with the line of the text.
#[test]
fn what_is_unclear_is_told_with_its_line() {
    for (template, line) in [
        (
            "a=1\n\nb=(x)\nc={{ pw|shell }}\nd={{ pw|shell }}\n",
            "4:9: `shell` stands behind text in line 3 that",
        ),
        (
            "{% if x -%}\n\n  x=$'a'\n{%- endif %}\n\nd={{ pw|shell }}\n",
            "6:9: `shell` stands behind text in line 3 that",
        ),
        ("a=b\n{{ '((' }}\nd={{ pw|shell }}\n", "3:9: `shell` stands behind text in line 2 that"),
        ("# C:\\\nA=b\nd={{ pw|dotenv }}\n", "3:9: `dotenv` stands behind text in line 1 that"),
    ] {
        let errors = wrong(template);
        assert!(errors.len() == 1 && errors[0].starts_with(line), "{template}\n{errors:?}");
    }
}

/// Brackets count where no quote is open, so that each quote that may be one doubles the ways.
#[test]
fn a_text_of_very_many_ways_is_not_clear() {
    let text = (0..100).map(|at| format!("f(, {}'", "[".repeat(at % 7))).collect::<String>();
    let errors = wrong(&format!("{text}\na: {{{{ pw|json }}}}"));
    assert!(errors.len() == 1 && errors[0].contains("not all readers of YAML"), "{errors:?}");
}

#[test]
fn of_very_many_ways_some_are_followed() {
    let open = "{% if x %}$({% else %}({% endif %}".repeat(12);
    let errors = wrong(&format!("{open}{{{{ pw|shell }}}}"));
    assert!(errors.len() == 1 && errors[0].contains("`shell` stands "), "{errors:?}");
}
