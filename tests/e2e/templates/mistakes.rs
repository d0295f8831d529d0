//! Mistakes in templates: each with its place, and none with a value.

use std::fs;

use secretdir_testkit::Canary;

use super::{site, write};
use crate::support::Ran;

/// What is declared, a template, the exit code, and what is said of it.
const MISTAKES: &[(&str, &str, i32, &str)] = &[
    (
        "x = { S, secret = 'bd' }",
        "{{ x }}",
        3,
        "error: file `out` (secrets.x): secret `bd` of source `local`: not found",
    ),
    (
        "x = { source = 'loacl', secret = 'db' }",
        "{{ x }}",
        2,
        "files.out.secrets.x.source: there is no source `loacl`; did you mean `local`?",
    ),
    (
        "x = { S, secret = 'db', field = 'usr' }",
        "{{ x }}",
        3,
        "error: file `out` (secrets.x): secret `db` of source `local`: the secret has no field `usr`",
    ),
    (
        "db = { S, secret = 'db' }",
        "a\nb {{ db | shel }}",
        2,
        "out.tmpl:2:11: there is no filter `shel`; did you mean `shell`?",
    ),
    ("db = { S, secret = 'db' }", "{{ dbb }}", 2, "out.tmpl:1:4: `dbb` is not defined"),
    (
        "db = { S, secret = 'db' }",
        "{{ secret('local', 'db', field='user') }}",
        2,
        "as `NAME = { source = \"local\", secret = \"db\", field = \"user\" }`",
    ),
    (
        "db = { S, secret = 'db' }",
        "{{ db.user }}",
        2,
        "out.tmpl:1:4: `db` is a text and has no parts; if the secret is JSON, declare it with `expand = \"json\"`",
    ),
    (
        "db = { S, secret = 'db', expand = 'json' }",
        "{{ db.usr }}",
        3,
        "(out.tmpl:1:4): `db.usr` is not defined here",
    ),
    (
        "plain = { S, secret = 'plain', expand = 'json' }",
        "{{ plain }}",
        3,
        "(secrets.plain): secret `plain` of source `local`: the secret is not JSON",
    ),
    (
        "x = { S, secret = 'none', expand = 'json', default = 'no' }",
        "{{ x }}",
        2,
        "files.out.secrets.x.default: is expanded like the secret: it is not JSON",
    ),
    (
        "x-y = { S, secret = 'db' }",
        "{{ x_y }}",
        2,
        "cannot be a name in a template: use only ASCII letters, digits and `_`, no digit first, and no reserved word: write `x_y`",
    ),
    ("loop = { S, secret = 'db' }", "{{ 1 }}", 2, "files.out.secrets.loop: cannot be a name in a template"),
    (
        "x = 'db'",
        "{{ x }}",
        2,
        "files.out.secrets.x: expected a table such as { source = \"NAME\", secret = \"NAME\" }, found a string",
    ),
    ("x = { S }", "{{ x }}", 2, "files.out.secrets.x.secret: missing; this, or `prefix` for many secrets"),
    (
        "x = { S, secret = 'db', prefix = 'd' }",
        "{{ x }}",
        2,
        "files.out.secrets.x.prefix: cannot be combined with `secret`",
    ),
    (
        "x = { S, secret = 'db', strip-prefix = 'd' }",
        "{{ x }}",
        2,
        "files.out.secrets.x.strip-prefix: is only for a `prefix`",
    ),
    (
        "x = { S, prefix = 'd', field = 'user' }",
        "{{ x }}",
        2,
        "files.out.secrets.x.field: cannot be combined with `prefix`",
    ),
    ("x = { S, secret = 'db', encode = 'hex' }", "{{ x }}", 2, "files.out.secrets.x.encode: unknown key"),
    (
        "x = { S, secret = 'db', optional = true, default = 'x' }",
        "{{ x }}",
        2,
        "files.out.secrets.x.default: cannot be combined with `optional`",
    ),
    (
        "x = { S, prefix = 'none/' }",
        "{% for y in x %}{% endfor %}",
        3,
        "files.out.secrets.x: the secrets below `none/` of source `local`: there is nothing to import",
    ),
    ("", "{% if %}", 2, "out.tmpl:1:"),
    ("", "a\n{% if true %}\nb\n", 2, "out.tmpl:"),
    ("db = { S, secret = 'db' }", "A={{ db | shell }} \r\n", 2, "out.tmpl:1:20: here is a carriage return"),
    (
        "db = { S, secret = 'db' }",
        "A=\"{{ db | shell }}\"\n",
        2,
        "out.tmpl:1:12: `shell` writes its own quotes",
    ),
    (
        "db = { S, secret = 'db' }",
        "\u{feff}A={{ db | dotenv }}\n",
        2,
        "out.tmpl:1:1: the template begins with a byte order mark",
    ),
    ("", "{{ \"C:\\xyz\" }}", 2, "a text in quotes near here has a `\\` that begins no escape"),
    ("", "{{ 1 / 0 }}", 2, "out.tmpl:1:4: this cannot be calculated: it divides by zero"),
];

#[test]
fn each_mistake_has_file_line_and_column_and_changes_nothing() {
    let site = site(&[("db", r#"{"user": "u"}"#)], "good");
    site.sync();
    let before = site.fingerprint();
    site.secret("plain", "hunter2");
    for (declared, template, exit, words) in MISTAKES {
        write(&site, &declared.replace("S", "source = 'local'"), template);
        let ran = site.run(&["sync"]).expect_exit(*exit).expect_error(&[words]);
        let errors = ran.stderr.lines().filter(|line| line.starts_with("error: "));
        assert_eq!(errors.count(), 1, "{ran:?}");
        assert!(!ran.stderr.contains("\"u\""), "{ran:?}");
        site.run(&["check"]).expect_exit(if *exit == 2 { 2 } else { 0 });
        assert_eq!(site.fingerprint().without_folder(), before.clone().without_folder(), "{template}");
    }
    fs::remove_file(site.path().join("out.tmpl")).unwrap();
    site.run(&["check"]).expect_exit(2).expect_error(&["files.out.template: cannot read ", "No such file"]);
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let site = site(&[], "");
    let declared =
        "a = { source = \"loacl\", secret = \"db\" }\nb = { source = \"local\", secret = \"a/../b\" }\n";
    write(&site, declared, "{{ user }}{{ a }}\n{{ 1 | jsno }}{{ b }}\nA=x{{ b | dotenv }}");
    let ran = site.run(&["check"]).expect_exit(2).expect_error(&[
        "out.tmpl:1:4: `user` is not defined",
        "files.out.secrets.a.source: there is no source `loacl`; did you mean `local`?",
        "out.tmpl:2:8: there is no filter `jsno`; did you mean `json`?",
        "files.out.secrets.b: source `local` cannot have a secret `a/../b`",
        "out.tmpl:3:11: `dotenv` writes a whole value",
    ]);
    assert_eq!(ran.stderr.matches("error: /").count(), 5, "{ran:?}");
}

#[test]
fn a_secret_that_no_template_uses_is_warned_of() {
    let site = site(&[("a", "1")], "A=1\n");
    let ran = site.run(&["check"]).expect_exit(0);
    assert!(ran.stderr.contains("files.out.secrets.a: is not used by the template"), "{ran:?}");
}

#[test]
fn no_mistake_in_a_template_shows_a_value() {
    const VALUE: &str = "canary'of`the\\template\r\n\"$x";
    let canary = Canary::new("of the template", VALUE);
    for expression in [
        "docker",
        "dotenv",
        "no_such_filter",
        "join(1, 2, 3)",
        "split",
        "replace",
        "length + \"x\"",
        "first(1)",
        "upper | nothing",
    ] {
        for template in [
            format!("{{{{ a | {expression} }}}}"),
            format!("{{% set x = a %}}{{{{ x + 1 }}}}{{{{ x | {expression} }}}}"),
            format!("{{{{ (a)[0].b | {expression} }}}}"),
        ] {
            let site = site(&[("a", VALUE)], &template);
            let mut command = site.command(&["sync", "-vv"]);
            let ran = Ran::of(command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full"));
            assert!(matches!(ran.status.code(), Some(2 | 3)), "{template}: {ran:?}");
            canary.assert_absent("standard error", &ran.stderr);
            canary.assert_absent("standard output", &ran.stdout);
        }
    }
    let site = site(&[("a", "")], "{{ a }}");
    fs::write(site.path().join("source/a"), [VALUE.as_bytes(), b"\xff"].concat()).unwrap();
    let ran = site.run(&["sync"]).expect_exit(3).expect_error(&["(out.tmpl:1:4): ", "not UTF-8"]);
    canary.assert_absent("standard error", &ran.stderr);
}
