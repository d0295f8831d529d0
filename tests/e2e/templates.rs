//! Files that are rendered out of several secrets.

use std::fs;
use std::process::Command;
use std::time::Instant;

use secretdir_testkit::{Canary, programs};

use crate::support::{HEAD, PATIENCE, Ran, Site};

const PAGE: &str = include_str!("../../docs/templates.md");

/// A site with these secrets, whose file `out` is rendered from this template.
fn site(secrets: &[(&str, &str)], template: &str) -> Site {
    let site = Site::new();
    for (name, value) in secrets {
        site.secret(name, value);
    }
    let declared = secrets.iter().map(|(name, _)| declared(name, name));
    write(&site, &declared.collect::<String>(), template);
    site
}

/// Declares a secret of the template.
fn declared(name: &str, secret: &str) -> String {
    format!("{name} = {{ source = \"local\", secret = \"{secret}\" }}\n")
}

fn write(site: &Site, declared: &str, template: &str) {
    fs::write(site.path().join("out.tmpl"), template).unwrap();
    let file = "[files.out]\ntemplate = \"out.tmpl\"\n[files.out.secrets]\n";
    site.config(&format!("{HEAD}\n{file}{declared}"));
}

/// Values that somebody who quotes carelessly breaks.
const AWKWARD: [&str; 13] = [
    "plain",
    "",
    "it's",
    "\"quoted\"",
    "$HOME and ${HOME} and $(id) and $$",
    "two\nlines\n",
    "back\\slash \\n \\\\ \\",
    "a # no comment",
    "#",
    "  blanks  ",
    "all of it: ' \" $x \\ # =\nmore",
    "\u{fc}n\u{ef}c\u{f6}de \u{1f511}",
    "; & | < > * ? [ ] { } ! ~ %",
];

/// Renders a file of one variable for each value, quoted for a reader.
fn env_file(values: &[&str], filter: &str) -> Site {
    let names: Vec<_> = (0..values.len()).map(|number| format!("v{number}")).collect();
    let secrets: Vec<_> = names.iter().map(String::as_str).zip(values.iter().copied()).collect();
    let line = |name: &String| format!("V_{name}={{{{ {name} | {filter} }}}}\n");
    let site = site(&secrets, &names.iter().map(line).collect::<String>());
    site.sync();
    site
}

/// Reads the variables as a shell that sources the file.
fn by_sh(site: &Site, count: usize) -> Vec<String> {
    let values: String = (0..count).map(|number| format!(" \"$V_v{number}\"")).collect();
    let script = format!(". ./app/out && printf '%s\\0'{values}");
    let ran = Ran::of(Command::new("sh").args(["-c", &script]).current_dir(site.path().join("out")));
    ran.expect_exit(0).stdout.split_terminator('\0').map(str::to_owned).collect()
}

/// Reads the variables as `docker run --env-file` documents it: a line is a name and a value, which is taken as it is; a
/// line that begins with `#` is a comment.
fn by_docker(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once('=').unwrap().1.to_owned()).collect()
}

fn by_a_library(text: &str) -> Vec<String> {
    dotenvy::from_read_iter(text.as_bytes()).map(|pair| pair.unwrap().1).collect()
}

#[test]
fn an_env_file_is_read_back_unchanged_by_sh() {
    for filter in ["shell", "dotenv"] {
        assert_eq!(by_sh(&env_file(&AWKWARD, filter), AWKWARD.len()), AWKWARD, "{filter}");
    }
    // Which no escape of all readers' stands for.
    assert_eq!(by_sh(&env_file(&["it's `id`"], "shell"), 1), ["it's `id`"]);
}

#[test]
fn an_env_file_is_read_back_unchanged_by_a_library() {
    let site = env_file(&AWKWARD, "dotenv");
    assert_eq!(by_a_library(&String::from_utf8(site.read("out")).unwrap()), AWKWARD);
}

/// Reads the variables by python-dotenv, in the order of the file.
fn by_python(site: &Site) -> Vec<String> {
    let script = "import dotenv, sys\n\
        for value in dotenv.dotenv_values(sys.argv[1]).values(): sys.stdout.write(value + '\\0')";
    let file = site.link().join("out");
    let ran = Ran::of(Command::new(programs().join("python")).args(["-X", "utf8", "-c", script]).arg(file));
    ran.expect_exit(0).stdout.split_terminator('\0').map(str::to_owned).collect()
}

#[test]
fn an_env_file_is_read_back_unchanged_by_python_as_far_as_the_page_says() {
    let claim = "python-dotenv and the libraries of Node.js read a value as above if it has no `'`, no `\\` and no `${`.";
    assert!(PAGE.contains(claim));
    let (others, alike): (Vec<_>, Vec<_>) =
        AWKWARD.iter().partition(|value| value.contains(['\'', '\\']) || value.contains("${"));
    assert!(alike.len() > 6, "{alike:?}");
    assert_eq!(by_python(&env_file(&alike, "dotenv")), alike);
    // What is left out of the claim is left out with reason.
    assert_ne!(by_python(&env_file(&others, "dotenv")), others);
}

#[test]
fn an_env_file_is_read_back_unchanged_by_the_file_provider() {
    let rendered = env_file(&AWKWARD, "dotenv");
    let site = Site::new();
    fs::copy(rendered.link().join("out"), site.path().join("dev.env")).unwrap();
    let entries = (0..AWKWARD.len())
        .map(|number| format!("f{number} = {{ source = \"flat\", secret = \"V_v{number}\" }}\n"));
    site.config(&format!(
        "{HEAD}\n[sources.flat]\nprovider = \"file\"\npath = \"dev.env\"\n[files]\n{}",
        entries.collect::<String>()
    ));
    site.sync();
    for (number, value) in AWKWARD.iter().enumerate() {
        assert_eq!(site.read(&format!("f{number}")), value.as_bytes(), "{value:?}");
    }
}

#[test]
fn an_env_file_is_read_back_unchanged_by_docker_or_refused() {
    let (lines, one): (Vec<_>, Vec<_>) = AWKWARD.iter().partition(|value| value.contains('\n'));
    let site = env_file(&one, "docker");
    assert_eq!(by_docker(&String::from_utf8(site.read("out")).unwrap()), one);
    for value in lines {
        let site = self::site(&[("a", value)], "A={{ a | docker }}\n");
        let ran = site.run(&["sync"]).expect_exit(3);
        ran.expect_error(&["error: file `out` (out.tmpl:1:", "line"]);
    }
}

#[test]
fn a_rendered_file_is_a_part_of_the_set_and_tells_its_secrets() {
    let template =
        "{# a comment #}user={{ user }}\n{% if debug == \"yes\" %}debug\n{% endif %}key={{ key | base64 }}\n";
    let site = site(&[("db", r#"{"user": "u", "other": 1}"#), ("key", "k")], "");
    let declared = "user = { source = \"local\", secret = \"db\", field = \"user\" }\n\
        debug = { source = \"local\", secret = \"debug\", default = \"no\" }\n\
        key = { source = \"local\", secret = \"key\" }\n";
    write(&site, declared, template);
    let outcome = site.run(&["sync", "--json"]).expect_exit(0).json();
    assert_eq!(
        outcome["defaulted"],
        serde_json::json!([{ "file_name": "out", "source": "local", "secret_name": "debug" }])
    );
    assert_eq!(String::from_utf8(site.read("out")).unwrap(), "user=u\nkey=aw==\n");
    let status = site.run(&["status", "--json"]).expect_exit(0).json();
    let secrets = status["generation"]["files"][0]["secrets"].as_array().unwrap();
    let names: Vec<_> = secrets.iter().map(|secret| secret["secret_name"].as_str().unwrap()).collect();
    assert_eq!(names, ["debug", "key", "db"]);
    let text = site.run(&["status"]).expect_exit(0).stdout;
    assert!(text.contains("  0400 out  from local: debug; local: key; local: db"), "{text}");

    let before = site.fingerprint();
    assert!(site.sync().stdout.starts_with("unchanged"));
    assert_eq!(site.fingerprint(), before);
    site.secret("debug", "yes");
    site.run(&["diff"]).expect_exit(10);
    site.sync();
    assert_eq!(String::from_utf8(site.read("out")).unwrap(), "user=u\ndebug\nkey=aw==\n");
}

#[test]
fn the_example_of_the_page_is_rendered() {
    let block = |language: &str| {
        let after = PAGE.split_once(&format!("\n```{language}\n")).unwrap().1;
        after.split_once("```").unwrap().0
    };
    let site = Site::new();
    site.secret("shop/db", r#"{"user": "me", "password": "p@ss 'word"}"#);
    site.secret("shop/flags/CART", "new");
    site.secret("shop/flags/SEARCH", "it's");
    fs::write(site.path().join("shop.env.tmpl"), block("jinja")).unwrap();
    site.config(&format!("{HEAD}\n{}", block("toml").replace("\"prod\"", "\"local\"")));
    site.sync();
    let expected = "DB_USER='me'\nDB_PASSWORD=\"p@ss 'word\"\n\
        DB_URL='postgres://me:p%40ss%20%27word@db/shop'\nLOG_LEVEL='info'\nCART='new'\nSEARCH=\"it's\"\n";
    assert_eq!(String::from_utf8(site.read("shop.env")).unwrap(), expected);
}

#[test]
fn the_text_of_a_template_may_stand_in_the_configuration() {
    let site = site(&[("a", "1"), ("b", "2")], "");
    site.config(&format!(
        "{HEAD}\n[files.url]\nmode = \"0600\"\ntemplate-text = \"\"\"\n{{{{ a }}}}/{{{{ b }}}}\n\"\"\"\n[files.url.secrets]\n{}{}",
        declared("a", "a"),
        declared("b", "b")
    ));
    site.sync();
    assert_eq!(site.read("url"), b"1/2\n");
}

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
        "cannot be a name in a template, which has letters of ASCII, digits and `_`, no digit first, and no meaning of its own: write `x_y`",
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
        "files.out.secrets.x.prefix: is of no use beside `secret`",
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
        "files.out.secrets.x.field: is of no use with `prefix`",
    ),
    ("x = { S, secret = 'db', encode = 'hex' }", "{{ x }}", 2, "files.out.secrets.x.encode: unknown key"),
    (
        "x = { S, secret = 'db', optional = true, default = 'x' }",
        "{{ x }}",
        2,
        "files.out.secrets.x.default: with `optional`",
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
fn a_template_has_optional_secrets_documents_and_whole_prefixes() {
    let site = site(&[("app/DB_USER", "it's"), ("app/B", "b"), ("app/old", "o")], "");
    site.secret("db", r#"{"debug": false, "port": 5432, "long": 12345678901234567890, "hosts": ["a", "b"]}"#);
    site.secret("coded", "aGk=\n");
    let declared = "all = { source = 'local', prefix = 'app/', strip-prefix = 'app/', exclude = ['old'] }\n\
        db = { source = 'local', secret = 'db', expand = 'json' }\n\
        absent = { source = 'local', secret = 'none', optional = true }\n\
        coded = { source = 'local', secret = 'coded', trim = 'newline', decode = 'base64' }\n\
        level = { source = 'local', secret = 'level', expand = 'json', default = '{\"a\": 7}' }\n";
    let template = "{% for name in all -%}\n{{ name }}={{ all[name] | dotenv }}\n{% endfor -%}\n\
        {% if absent %}absent{% endif %}{% if db.debug %}debug{% endif %}PORT={{ db.port + 1 }} {{ db.long }} {{ db.hosts | join(',') }} {{ coded }} {{ level.a }}\n";
    write(&site, declared, template);
    let outcome = site.run(&["sync", "--json"]).expect_exit(0).json();
    let expected = "B='b'\nDB_USER=\"it's\"\nPORT=5433 12345678901234567890 a,b hi 7\n";
    assert_eq!(String::from_utf8(site.read("out")).unwrap(), expected);
    let defaulted: Vec<_> =
        outcome["defaulted"].as_array().unwrap().iter().map(|one| &one["secret_name"]).collect();
    assert_eq!(defaulted, ["none", "level"]);
    let status = site.run(&["status", "--json"]).expect_exit(0).json();
    let secrets = status["generation"]["files"][0]["secrets"].as_array().unwrap();
    assert!(secrets.iter().any(|secret| secret["secret_name"] == "app/DB_USER"), "{secrets:?}");

    site.secret("app/not-a-name", "x");
    let ran = site.run(&["sync"]).expect_exit(3);
    ran.expect_error(&["(out.tmpl:2:4)", "`not-a-name` cannot be the name of a variable"]);
}

#[test]
fn line_ends_of_other_files_are_kept() {
    let site = site(&[("a", "1")], "\u{feff}{{ a | json }}\r\n");
    site.sync();
    assert_eq!(site.read("out"), "\u{feff}\"1\"\r\n".as_bytes());
}

#[test]
fn line_ends_of_a_text_in_the_configuration_are_those_of_the_configuration() {
    let site = site(&[("a", "1")], "");
    let configured = |filter: &str| {
        let text = format!("A={{{{ a | {filter} }}}}\nB=2\n");
        let secrets = declared("a", "a");
        let table =
            format!("[files.out]\ntemplate-text = \"\"\"\n{text}\"\"\"\n[files.out.secrets]\n{secrets}");
        site.config(&format!("{HEAD}\n{table}").replace('\n', "\r\n"));
    };
    configured("json");
    site.sync();
    assert_eq!(site.read("out"), b"A=\"1\"\r\nB=2\r\n");
    configured("shell");
    let words = "files.out.template-text: template-text:1:18: here is a carriage return";
    site.run(&["sync"]).expect_exit(2).expect_error(&[words]);
}

/// Nearly all the steps that a template may take.
const STEPS: &str = "{% for x in range(90000) %}{% if x %}{{ '' }}{% endif %}{% endfor %}";

#[test]
fn rendering_counts_against_the_deadline_of_the_run_and_heeds_signals() {
    let site = site(&[("a", "1")], &format!("{{{{ a }}}}{STEPS}"));
    // Minutes of work.
    let files: String = (0..1000)
        .map(|file| {
            let secrets = "secrets.a = { source = \"local\", secret = \"a\" }";
            format!("f{file} = {{ template = \"out.tmpl\", {secrets} }}\n")
        })
        .collect();
    let config = format!("{HEAD}\n[files]\n{files}");
    site.config(&format!("[gather]\ntimeout = \"3s\"\n{config}"));
    site.run(&["sync"])
        .expect_exit(3)
        .expect_error(&["(out.tmpl:1:1)", "the deadline of the run passed before the template was rendered"]);
    assert_eq!(site.names(), ["state/lock"]);

    site.config(&config);
    let mut command = site.command(&["sync", "-v"]);
    let mut run = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(run.stderr.take().unwrap()));
    assert!(lines.any(|line| line.unwrap().contains("fetched 1 secret")));
    rustix::process::kill_process(rustix::process::Pid::from_child(&run), rustix::process::Signal::TERM)
        .unwrap();
    let status = run.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(15), "{status:?}");
}

#[test]
fn what_has_no_end_is_ended_within_limits() {
    let site = site(&[("a", "0123456789abcdef")], "good");
    site.sync();
    let before = site.fingerprint();
    let nested = "{% for a in range(100000) %}{% for b in range(100000) %}{% for c in range(100000) %}";
    let ends = "{% endfor %}{% endfor %}{% endfor %}";
    let text = "{{ a }}";
    for (template, words) in [
        (format!("{nested}{ends}"), "the template does too much"),
        // A thousand megabytes, were there no limit.
        (format!("{{% for a in range(64000) %}}{}{{% endfor %}}", text.repeat(1000)), "the "),
        (format!("{{{{ {}1{} }}}}", "(".repeat(100_000), ")".repeat(100_000)), "out.tmpl:1:"),
        (format!("{{{{ a * {} }}}}", 100_000_000), "out.tmpl:1:"),
    ] {
        write(&site, &declared("a", "a"), &template);
        let start = Instant::now();
        let ran = site.run(&["sync"]).expect_error(&[words]);
        assert!(matches!(ran.status.code(), Some(2 | 3)), "{ran:?}");
        assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
        assert_eq!(site.fingerprint().without_folder(), before.clone().without_folder());
    }
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
