//! What a process is given: of everything that this one has, only what it was meant to have.

use std::fs;
use std::path::Path;
use std::process::Command;

use secretdir_provider::Value;
use secretdir_testkit::Ran;
use tempfile::TempDir;

use crate::support::{ask, ask_in, context, list, plugin, shell, table};

/// The descriptor that the test below leaves open for its child.
const INHERITED: &str = "9";

/// Prints its environment, exactly.
fn environment(names: Option<&[&str]>) -> String {
    let command = list(&["cat", "/proc/self/environ", "/dev/{secret}"]);
    let mut settings = table([("command", command), ("allow-empty", Value::Boolean(true))]);
    if let Some(names) = names {
        settings.extend(table([("environment", list(names))]));
    }
    let value = ask(settings, &["null"]).remove(0).unwrap();
    String::from_utf8(value.expose_secret().to_owned()).unwrap()
}

/// Runs in a process that the test below starts, with an environment and descriptors of its own.
#[test]
#[ignore = "is run by `only_what_is_named_is_passed_on`"]
fn in_a_process_of_its_own() {
    assert!(Path::new("/proc/self/fd").join(INHERITED).exists());
    // Whoever lists its descriptors has one more: that of the list.
    let listed = "open_now = sorted(map(int, os.listdir('/proc/self/fd')))";
    let command = format!("exec python3 -c \"import os; {listed}; print(open_now, end='')\"");
    let program = format!("{listed}\nsay(type='secret', id=0, text=str(open_now))\n");
    for settings in [shell(&command), plugin(&program)] {
        let answers = ask(settings, &["a"]);
        assert_eq!(answers[0].as_ref().unwrap().expose_secret(), b"[0, 1, 2, 3]");
    }

    let path = std::env::var("PATH").unwrap();
    let mut usual: Vec<_> = environment(None).split_terminator('\0').map(str::to_owned).collect();
    usual.sort();
    assert_eq!(usual, ["HOME=/nowhere".to_owned(), format!("PATH={path}")]);
    assert_eq!(environment(Some(&[])), "");
    assert_eq!(
        environment(Some(&["SECRETDIR_TEST_TOKEN", "SECRETDIR_TEST_UNSET"])),
        "SECRETDIR_TEST_TOKEN=t0ken-t0ken\0"
    );

    // A variable that is passed on is taken for a secret.
    let mut settings = shell("echo \"bad $SECRETDIR_TEST_TOKEN in $HOME\" >&2; exit 1");
    settings.extend(table([("environment", list(&["SECRETDIR_TEST_TOKEN", "HOME"]))]));
    let story = crate::support::story(&ask(settings, &["a"])[0]);
    assert!(story.ends_with("standard error: bad [redacted] in /nowhere"), "{story}");
}

#[test]
fn only_what_is_named_is_passed_on() {
    let script =
        format!("exec {INHERITED}</dev/null; exec \"$0\" --exact given::in_a_process_of_its_own --ignored");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).arg(std::env::current_exe().unwrap());
    command.env("HOME", "/nowhere").env("SECRETDIR_TEST_TOKEN", "t0ken-t0ken");
    let ran = Ran::of(&mut command);
    assert!(ran.status.success() && ran.stdout.contains("1 passed"), "{ran:?}");
}

#[test]
fn it_starts_in_the_folder_of_the_configuration_and_is_found_from_there() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("bin")).unwrap();
    for (program, text) in [
        ("bin/command", "#!/bin/sh\nprintf '%s' \"$PWD $(cat) $(cat data)\""),
        (
            "bin/plugin",
            "#!/bin/sh\nread hello\necho '{\"type\":\"hello\",\"protocol\":1}'\nread fetch\n\
             echo '{\"type\":\"secret\",\"id\":0,\"text\":\"'\"$PWD  $(cat data)\"'\"}'",
        ),
    ] {
        let file = folder.path().join(program);
        secretdir_testkit::write_program(&file, text);
    }
    fs::write(folder.path().join("data"), "beside it").unwrap();
    let expected = format!("{}  beside it", folder.path().canonicalize().unwrap().display());
    for before in ["", "./", "../"] {
        let above = folder.path().file_name().unwrap().to_str().unwrap();
        let before = if before == "../" { format!("../{above}/") } else { before.to_owned() };
        for settings in [
            table([("command", list(&[&format!("{before}bin/command"), "{secret}"]))]),
            table([("plugin", list(&[&format!("{before}bin/plugin")]))]),
        ] {
            let answers = ask_in(&context(), settings, folder.path(), &["a"]);
            assert_eq!(answers[0].as_ref().unwrap().expose_secret(), expected.as_bytes());
        }
    }
}
