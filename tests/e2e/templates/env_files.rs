//! Env files: each of their readers gets every value back.

use std::fs;
use std::process::Command;

use secretdir_testkit::programs;

use super::{PAGE, site};
use crate::support::{HEAD, Ran, Site};

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

/// Reads the variables by Node.js, in the order of their names, which is that of the file.
fn by_node(site: &Site) -> Vec<String> {
    let script = "const { parseEnv } = require('node:util');
        const read = parseEnv(require('fs').readFileSync(process.argv[1], 'utf8'));
        const number = (name) => Number(name.slice(3));
        for (const name of Object.keys(read).sort((a, b) => number(a) - number(b))) process.stdout.write(read[name] + '\\0')";
    let file = site.link().join("out");
    let ran = Ran::of(Command::new(programs().join("node")).args(["-e", script]).arg(file));
    ran.expect_exit(0).stdout.split_terminator('\0').map(str::to_owned).collect()
}

#[test]
fn an_env_file_is_read_back_unchanged_by_node_as_far_as_the_page_says() {
    let alike: Vec<_> =
        AWKWARD.into_iter().filter(|value| !value.contains(['\'', '\\']) && !value.contains("${")).collect();
    assert_eq!(by_node(&env_file(&alike, "dotenv")), alike);
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
