use super::*;

#[test]
fn five_different_mistakes_are_five_problems_with_line_and_path() {
    let found = mistakes(
        r#"[directory]
path = "run/app"
mode = "rwxr-x---"

[sources.prod]
provider = "tyni"

[sources.dev]
provider = "tiny"
root = "/"
max-sise = 3

[files]
"../etc/passwd" = { source = "dev", secret = "x" }
"db/password" = { source = "dve", secret = "app/db" }
"from/prod" = { source = "prod", secret = "not reported as unknown" }
"#,
    );
    assert_eq!(
        found,
        [
            r#"3: directory.mode: expected permission bits in quotes, from "0000" to "0777""#,
            "6: sources.prod.provider: there is no provider `tyni`; did you mean `tiny`? known: `other-kind`, `tiny`",
            "11: sources.dev.max-sise: unknown key; did you mean `max-size`?",
            "14: files.\"../etc/passwd\": the name has a `..` component",
            "15: files.\"db/password\".source: there is no source `dve`; did you mean `dev`? known: `dev`, `prod`",
        ]
    );
}

#[test]
fn an_empty_file_lacks_what_is_required() {
    assert_eq!(
        mistakes(""),
        [
            "1: directory: missing; [directory] names the path to publish at",
            "1: files: missing; [files] maps file names to secrets, and [[import]] makes files of many (an empty [files] publishes an empty directory)",
        ]
    );
}

#[test]
fn a_mistake_at_the_top_or_in_a_source_is_one_problem() {
    one_by_one(&[
        ("fils = 1\nfiles = {}", "3: fils: unknown key; did you mean `files`?"),
        (
            "unheard-of = []\nfiles = {}",
            "3: unheard-of: unknown key; known here: `directory`, `verify`, `on-change`, `watch`, `gather`, `sources`, `files`, `import`, `profiles`",
        ),
        ("files = 3", "3: files: expected a table, found a whole number"),
        ("gather = true\n[files]", "3: gather: expected a table, found a boolean"),
        ("on-change = []\n[files]", "3: on-change: expected a table, found an array"),
        ("sources.t = 1\n[files]", "3: sources.t: expected a table, found a whole number"),
        ("sources.t = {}\n[files]", "3: sources.t.provider: missing; known: `other-kind`, `tiny`"),
        ("sources.t.provider = 1\n[files]", "3: sources.t.provider: expected a string, found a whole number"),
        ("sources.t.provider = 'tiny'\n[files]", "3: sources.t.root: missing"),
        ("sources.t = {provider = 'tiny', root = ''}\n[files]", "3: sources.t.root: is empty"),
        (
            "sources.'a b' = {provider = 'tiny', root = '/'}\n[files]\nx = {source = 'a b', secret = 'x'}",
            "3: sources.\"a b\": the name of a source has only letters (a to z, A to Z), digits, `-` and `_`",
        ),
    ]);
}

#[test]
fn a_mistake_in_the_directory_is_one_problem() {
    let span = r#"such as "60s" or "1m 30s""#;
    one_by_one(&[
        (
            "directory.mode = 750\n[files]",
            r#"3: directory.mode: expected permission bits in quotes, from "0000" to "0777", found a whole number"#,
        ),
        (
            "directory.mode = '0300'\n[files]",
            "3: directory.mode: must include 0500: secretdir lists and enters the directory to compare and remove it",
        ),
        (
            "directory.file-mode = '0040'\n[files]",
            "3: directory.file-mode: must include 0400: secretdir reads the file to compare it",
        ),
        (
            "directory.owner = -1\n[files]",
            "3: directory.owner: expected a name or a number from 0 to 4294967294",
        ),
        (
            "directory.group = ''\n[files]",
            "3: directory.group: expected a name or a number from 0 to 4294967294",
        ),
        (
            "directory.retain = 60\n[files]",
            &format!(
                "3: directory.retain: expected a duration of at most 1000 years, {span}, found a whole number"
            ),
        ),
        (
            "directory.durability = 'fsync'\n[files]",
            r#"3: directory.durability: expected "filesystem", "per-file" or "none""#,
        ),
    ]);
}

#[test]
fn a_mistake_in_gathering_or_the_command_is_one_problem() {
    let span = r#"such as "60s" or "1m 30s""#;
    one_by_one(&[
        (
            "gather.timeout = '0s'\n[files]",
            &format!("3: gather.timeout: expected a duration over zero and of at most 1000 years, {span}"),
        ),
        ("gather.concurrency = 0\n[files]", "3: gather.concurrency: expected a whole number of at least 1"),
        ("on-change.timeout = '1s'\n[files]", "3: on-change.command: missing; this, `units` or `stamp`"),
        (
            "on-change.command = 'x'\n[files]",
            "3: on-change.command: expected an array, found a string: write [\"x\"]",
        ),
        (
            "on-change.command = 'systemctl reload app'\n[files]",
            r#"3: on-change.command: expected an array, found a string: write ["systemctl", "reload", "app"]"#,
        ),
        (
            "on-change.command = ['systemctl reload app']\n[files]",
            r#"3: on-change.command: the program and its arguments are one string, which no shell splits: write ["systemctl", "reload", "app"]"#,
        ),
        (
            "on-change.command = 'a && b'\n[files]",
            r#"3: on-change.command: expected an array, found a string: write the program and each argument as separate strings, such as ["nginx", "-s", "reload"], or start a shell: ["sh", "-c", "…"]"#,
        ),
        (
            "on-change.command = [\n'x',\n1]\n[files]",
            "5: on-change.command[1]: expected a string, found a whole number",
        ),
        (
            "on-change.command = [\n'x',\n\"\\u0000\"]\n[files]",
            "5: on-change.command[1]: has a NUL character",
        ),
        (
            "on-change.command = []\n[files]",
            r#"3: on-change.command: names no program; expected one and its arguments, such as ["nginx", "-s", "reload"]"#,
        ),
        (
            "on-change.command = ['', 'x']\n[files]",
            r#"3: on-change.command: names no program; expected one and its arguments, such as ["nginx", "-s", "reload"]"#,
        ),
    ]);
}

#[test]
fn a_mistake_in_a_file_is_one_problem() {
    let entry = r#"expected a table such as { source = "NAME", secret = "NAME" }, found a string"#;
    one_by_one(&[
        ("[files]\na = 'b'", &format!("4: files.a: {entry}")),
        (
            "[files]\ntls.key = {source = 's', secret = 'x'}",
            "4: files.tls.key: a file name with a dot needs quotes: \"tls.key\"",
        ),
        ("[files]\na = {secret = 'x'}", "4: files.a.source: missing"),
        ("[files.a]\nsource = 's'", "3: files.a.secret: missing"),
        (
            "[files]\na = {source = 's', secret = 'x', moed = '0400'}",
            "4: files.a.moed: unknown key; did you mean `mode`?",
        ),
        (
            "[files.a]\nsource = 's'\nsecret = 'x'\nmode = '0200'",
            "6: files.a.mode: must include 0400: secretdir reads the file to compare it",
        ),
        (
            "[files.a]\nsource = 's'\nsecret = 'x'\nfield = ''",
            "6: files.a.field: the field is empty; omit it to get the whole secret",
        ),
        (
            "[files.a]\nsource = 's'\nsecret = 'x'\nfield = '/~'",
            "6: files.a.field: in a JSON pointer `~` must be followed by `0` or `1`: `~0` stands for `~`, `~1` for `/`",
        ),
        (
            "[files]\na = {source = 's', secret = '../x'}\nb = {source = 's', secret = '../x'}",
            "4: files.a: source `s` cannot have a secret `../x`: invalid request: the name has `..` in it",
        ),
        (
            "[files]\na = {source = 's', secret = 'x', version = '1'}",
            "4: files.a: source `s` cannot have a secret `x`: unsupported: there are no versions here; leave out `version`",
        ),
        (
            "[files]\na = {source = 'zzz', secret = 'x'}",
            "4: files.a.source: there is no source `zzz`; known: `s`",
        ),
        (
            "[files]\n'.app.x' = {source = 's', secret = 'x'}",
            "4: files.\".app.x\": the name starts with `.app.`, which is reserved for generations, notes and locks",
        ),
        (
            "[files]\na = {source = 's', secret = 'x'}\n'a/b' = {source = 's', secret = 'x'}",
            "5: files.\"a/b\": `a` cannot be a file, because `a/b` is inside it",
        ),
        (
            "[files]\n\"\\u00e9\" = {source = 's', secret = 'x'}\n\"e\\u0301\" = {source = 's', secret = 'x'}",
            "5: files.\"e\u{301}\": `e\u{301}` and `\u{e9}` are the same name, written differently",
        ),
    ]);
}

#[test]
fn the_path_of_the_link_is_checked_as_it_is_written() {
    for (path, expected) in [
        ("''", "the path does not end in a name"),
        ("'.'", "the path does not end in a name"),
        ("'/'", "the path does not end in a name"),
        ("'a/..'", "the path does not end in a name"),
        (r#""a\u0000/b""#, "must not hold a NUL character"),
        ("1", "expected a string, found a whole number"),
        (&format!("'{}'", "x".repeat(300)), "the link's name is 300 bytes long; at most 233 are allowed"),
    ] {
        let found = mistakes(&format!("[files]\n[directory]\npath = {path}"));
        assert_eq!(found, [format!("3: directory.path: {expected}")], "{path}");
    }
}

#[test]
fn names_that_come_to_the_same_are_named_together() {
    let entry = "{source = 's', secret = 'x'}";
    let found = mistakes(&format!(
        "{HEAD}[files]\n'a/b' = {entry}\n'a//b' = {entry}\n'./a/b' = {entry}\n'/a/b' = {entry}"
    ));
    assert_eq!(
        found,
        [
            "5: files.\"a//b\": `a//b` and `/a/b` are the same name, written differently",
            "5: files.\"a//b\": the name has an empty component (`//`, or a `/` at its end)",
            "6: files.\"./a/b\": `./a/b` and `a/b` are the same name, written differently",
            "6: files.\"./a/b\": the name has a `.` component",
            "7: files.\"/a/b\": `/a/b` and `./a/b` are the same name, written differently",
            "7: files.\"/a/b\": the name must be relative, without a leading `/`",
        ]
    );
}

#[test]
fn whatever_is_wrong_in_one_place_is_found_together() {
    let found = mistakes(&format!(
        "{HEAD}[files.'a/']\nsuorce = 's'\nmode = 'x'\nfield = ''\nowner = 1.5\n[directory2]\n[sources.t]\nprovider = 'tiny'\nroot = 1\nmax-size = 256"
    ));
    assert_eq!(
        found,
        [
            "3: files.\"a/\": the name has an empty component (`//`, or a `/` at its end)",
            "3: files.\"a/\".source: missing",
            "3: files.\"a/\".secret: missing",
            "4: files.\"a/\".suorce: unknown key; did you mean `source`?",
            r#"5: files."a/".mode: expected permission bits in quotes, from "0000" to "0777""#,
            "6: files.\"a/\".field: the field is empty; omit it to get the whole secret",
            "7: files.\"a/\".owner: expected a name or a number from 0 to 4294967294, found a fraction",
            "8: directory2: unknown key; did you mean `directory`?",
            "11: sources.t.root: expected a string, found a whole number",
            "12: sources.t.max-size: expected a whole number from 0 to 255",
        ]
    );
}

#[test]
fn a_source_that_cannot_be_told_is_not_called_unknown() {
    let files = "[files]\na = {source = 't', secret = 'x'}";
    let cases = [
        ("sources = 1\n", "sources: expected a table, found a whole number"),
        ("sources.t = 1\n", "sources.t: expected a table, found a whole number"),
        (
            "sources.t.provider = 'x'\n",
            "sources.t.provider: there is no provider `x`; known: `other-kind`, `tiny`",
        ),
        (
            "sources.t = {provider = 'tiny', root = 1}\n",
            "sources.t.root: expected a string, found a whole number",
        ),
    ];
    for (sources, expected) in cases {
        let found = mistakes(&format!("directory.path = 'a'\n{sources}{files}"));
        assert_eq!(found, [format!("2: {expected}")], "{sources}");
    }
    let none = mistakes(&format!("directory.path = 'a'\n{files}"));
    assert_eq!(none, ["3: files.a.source: there is no source `t`; there are none"]);
}

#[test]
fn no_problem_holds_a_setting_of_a_source() {
    let found = mistakes(&format!(
        "{HEAD}sources.t = {{ provider = 'tiny', root = ['canary'], max-size = 'canary', other = 'canary' }}\n[files]"
    ));
    assert_eq!(found.len(), 3);
    assert!(!found.join("").contains("canary"), "{found:?}");
}

#[test]
fn a_provider_that_panics_is_named_with_its_line_and_its_words_are_not_repeated() {
    let found = mistakes(
        r#"directory.path = "x"
[sources.one]
root = "panics"
provider = "tiny"
[sources.two]
provider = "tiny"
root = "/"
[files]
a = { source = "one", secret = "x" }
b = { source = "two", secret = "panics" }
"#,
    );
    let panicked = "the provider `tiny` panicked: a mistake in the provider, not in the configuration";
    assert_eq!(
        found,
        [
            format!("4: sources.one.provider: {panicked}"),
            format!("10: files.b: source `two` cannot have a secret `panics`: failed: {panicked}"),
        ]
    );
}

#[test]
fn nothing_is_expanded_in_a_path() {
    let not_expanded = |first| {
        format!(
            "begins with `{first}`, and nothing in a path is expanded: write the whole path, or put `./` before a name \
             that really begins so"
        )
    };
    for (path, first) in [("~/x", '~'), ("~", '~'), ("$HOME/x", '$'), ("%t/x", '%')] {
        let message = not_expanded(first);
        let found = mistakes(&format!("[files]\n[directory]\npath = '{path}'"));
        assert_eq!(found, [format!("3: directory.path: {message}")]);
        one_by_one(&[
            (&format!("[files]\na = {{template = '{path}'}}"), &format!("4: files.a.template: {message}")),
            (
                &format!("on-change.command = ['{path}']\n[files]"),
                &format!("3: on-change.command: {message}"),
            ),
        ]);
    }
    resolve("files = {}\n[directory]\npath = './~x'\n[on-change]\ncommand = ['sh', '-c', '~/x']").unwrap();
}
