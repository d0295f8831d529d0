//! Mistakes in a configuration: all at once, each with its line and dotted path, before anything is fetched or written.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{COMMAND, HEAD, Ran, Site};

#[test]
fn five_mistakes_are_five_errors_with_line_and_path() {
    let site = Site::new();
    site.config(
        r#"[directory]
path = "out/app"
mod = "0750"
retain = "soon"

[sources.local]
provider = "fil"

[sources.other]
provider = "file"
root = 3

[files]
"db/../password" = { source = "other", secret = "a" }
"token" = { source = "local", secret = "a", mode = "rw" }
"#,
    );
    let ran = site.run(&["check"]).expect_exit(2);
    let file = site.path().join("secretdir.toml");
    let expected = [
        ("3:1", "directory.mod: unknown key; did you mean `mode`?"),
        ("4:1", "directory.retain: "),
        ("7:1", "sources.local.provider: "),
        ("11:1", "sources.other.root: expected a string, found a whole number"),
        ("14:1", "files.\"db/../password\": "),
        ("15:45", "files.token.mode: "),
    ];
    let lines: Vec<_> = ran.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(lines.len(), expected.len(), "{}", ran.stderr);
    for (line, (place, text)) in lines.iter().zip(expected) {
        assert!(
            line.starts_with(&format!("error: {}:{place}: {text}", file.display())),
            "{line}\nis not {place}: {text}"
        );
    }
    assert_eq!(ran.stdout, "");
    assert!(!site.path().join("out").exists());
    site.run(&["sync"]).expect_exit(2);
    assert!(!site.path().join("out").exists());
}

#[test]
fn bad_file_names_are_refused() {
    let site = Site::new();
    for (names, expected) in [
        (vec!["../a"], "`..`"),
        (vec!["a/../b"], "`..`"),
        (vec!["/a"], "relative"),
        (vec!["a//b"], "empty component"),
        (vec!["a/"], "empty component"),
        (vec!["a/b", "a//b"], "`a/b`"),
        (vec!["./a", "a"], "`a`"),
        (vec!["caf\u{e9}", "cafe\u{301}"], "caf\u{e9}"),
        (vec!["a", "a/b"], "`a/b`"),
        (vec![".app.state"], ".app."),
    ] {
        let entries =
            names.iter().map(|name| format!("{name:?} = {{ source = \"local\", secret = \"s\" }}\n"));
        // TOML writes an escape as Rust's Debug does, but for the combining accent.
        let entries = entries.collect::<String>().replace("\\u{301}", "\u{301}");
        site.config(&format!("{HEAD}\n[files]\n{entries}"));
        let ran = site.run(&["check"]).expect_exit(2);
        assert!(
            ran.stderr.contains(expected) && ran.stderr.contains("secretdir.toml:"),
            "{names:?}: {ran:?}"
        );
    }
}

#[test]
fn a_file_without_files_says_so() {
    let site = Site::new();
    site.config(HEAD);
    site.run(&["check"]).expect_exit(2).expect_error(&["[files]"]);
}

#[test]
fn what_cannot_work_is_warned_of() {
    let site = Site::with_secrets(&[("a", b"1")]);
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.config(&config.replace("path = \"out/app\"", "path = \"out/app\"\nfile-mode = \"0440\""));
    let ran = site.run(&["check"]).expect_exit(0);
    assert!(ran.stderr.starts_with("warning: "), "{ran:?}");
}

#[test]
fn every_example_loads_and_plans() {
    let site = Site::new();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config-examples");
    let mut seen = 0;
    for entry in fs::read_dir(&examples).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            // Its owners need not be known on this machine.
            let ran =
                site.run(&["check", "--all-profiles", "--config", path.to_str().unwrap()]).expect_exit(0);
            assert!(ran.stdout.starts_with("ok: "), "{ran:?}");
            seen += 1;
        }
    }
    assert!(seen >= 4, "{seen} examples");
}

/// The defaults that the reference shows in its comments are good, and are the defaults.
#[test]
fn every_default_in_the_reference_may_be_written_out() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config-examples");
    let reference = fs::read_to_string(examples.join("reference.toml")).unwrap();
    let site = Site::new();
    let written_out = written_out(&reference);
    let written: Vec<_> = written_out
        .lines()
        .filter(|line| {
            !["owner", "group", "profile"].iter().any(|key| line.starts_with(&format!("{key} = ")))
        })
        .collect();
    site.config(&written.join("\n"));
    fs::copy(examples.join("app.env.tmpl"), site.path().join("app.env.tmpl")).unwrap();
    let (short, long) = (
        reference.lines().filter(|line| is_key(line)).count(),
        written.iter().filter(|line| is_key(line)).count(),
    );
    assert!(long >= short + 10, "{short} keys, and {long} with the defaults");
    site.run(&["check"]).expect_exit(0);
}

/// Returns a configuration with every key that it shows only in a comment.
pub(crate) fn written_out(text: &str) -> String {
    let lines = text.lines().map(|line| line.strip_prefix("# ").filter(|rest| is_key(rest)).unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

fn is_key(line: &str) -> bool {
    line.split_once(" = ")
        .is_some_and(|(key, _)| key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'))
}

#[test]
fn no_path_of_a_configuration_is_expanded() {
    let site = Site::new();
    site.secret("a", "1");
    let file = "[files]\na = { source = \"local\", secret = \"a\" }\n";
    for path in ["~/x", "$HOME/x", "%t/x"] {
        for (table, key) in [
            (format!("[sources.s]\nprovider = \"file\"\nroot = \"{path}\""), "sources.s.root"),
            (format!("[sources.s]\nprovider = \"file\"\npath = \"{path}.env\""), "sources.s.path"),
            (format!("[sources.s]\nprovider = \"exec\"\nplugin = [\"{path}\"]"), "sources.s.plugin"),
            (
                format!("[sources.s]\nprovider = \"exec\"\ncommand = [\"{path}\", \"{{secret}}\"]"),
                "sources.s.command",
            ),
            (format!("[on-change]\ncommand = [\"{path}\"]"), "on-change.command"),
            (format!("[profiles.p.directory]\npath = \"{path}\""), "directory.path"),
        ] {
            site.config(&format!("{HEAD}\n{table}\n{file}"));
            site.run(&["check", "--all-profiles"]).expect_exit(2).expect_error(&[
                &format!("{key}: begins with `{}`", &path[..1]),
                "write the whole path, or put `./`",
            ]);
        }
    }
    site.config(&format!("{HEAD}\n{file}").replace("out/app", "./~x"));
    site.sync();
    assert_eq!(fs::read(site.path().join("~x/a")).unwrap(), b"1");
}

/// Runs a command with a configuration that comes in through a descriptor or a pipe.
fn streamed(site: &Site, text: &str, from: &str, arguments: &str) -> Ran {
    fs::write(site.path().join("text"), text).unwrap();
    let mut shell = Command::new("bash");
    let config = match from {
        "fifo" => "mkfifo pipe 2>/dev/null; cat text > pipe & exec \"$0\" --config pipe",
        "pipe" => "cat text | \"$0\" --config /dev/stdin",
        "file" => "exec \"$0\" --config /dev/stdin < text",
        "/dev/fd" => "exec \"$0\" --config /dev/fd/7 7< text",
        _ => "exec \"$0\" --config /proc/self/fd/7 7< text",
    };
    site.prepare(shell.args(["-c", &format!("{config} {arguments}"), COMMAND]));
    Ran::of(&mut shell)
}

#[test]
fn a_configuration_that_is_no_file_in_a_folder_has_absolute_paths_alone() {
    let site = Site::new();
    site.secret("a", "1");
    fs::write(site.path().join("t"), "x").unwrap();
    let file = "[files]\na = { source = \"local\", secret = \"a\" }\n";
    let text = format!("{HEAD}\n{file}b = {{ template = \"t\" }}\n[on-change]\ncommand = [\"./hook\"]\n");
    let absolute = text
        .replace("\"out", &format!("\"{}/out", site.path().display()))
        .replace("\"source\"", &format!("\"{}/source\"", site.path().display()))
        .replace("\"t\"", &format!("\"{}/t\"", site.path().display()))
        .replace("./hook", "true");
    for from in ["fifo", "pipe", "file", "/dev/fd", "/proc"] {
        let ran = streamed(&site, &text, from, "check").expect_exit(2);
        for key in ["directory.path", "sources.local.root", "files.b.template", "on-change.command"] {
            assert!(ran.stderr.contains(&format!("{key}: is relative")), "{from}: {ran:?}");
        }
        streamed(&site, &text, from, "status").expect_exit(2).expect_error(&["write the whole path"]);
        streamed(&site, &absolute, from, "sync").expect_exit(0);
        streamed(&site, &absolute, from, "status").expect_exit(0);
        assert_eq!(site.read("a"), b"1", "{from}");
    }
    // A file beside others that are no files is a file.
    fs::copy(site.path().join("text"), site.path().join("plain.toml")).unwrap();
    site.run(&["check", "--config", "plain.toml"]).expect_exit(0);
}

#[test]
fn a_variable_that_names_a_profile_does_not_keep_all_from_being_checked() {
    let site = Site::with_secrets(&[("a", b"1")]);
    let mut command = site.command(&["check", "--all-profiles"]);
    Ran::of(command.env("SECRETDIR_PROFILE", "dev")).expect_exit(0);
    for arguments in [
        &["check", "--all-profiles", "--profile", "dev"][..],
        &["--profile", "dev", "check", "--all-profiles"],
    ] {
        site.run(arguments).expect_exit(2).expect_error(&["'--all-profiles' cannot be used with '--profile"]);
    }
}
