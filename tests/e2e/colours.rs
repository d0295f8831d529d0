//! Colours: in the labels of messages, on a terminal.

use std::process::Command;

use crate::support::{COMMAND, Ran, Site};

/// Runs the command with a terminal, which writes what it shows to its own standard output, and then how it ended.
const TERMINAL: &str = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

/// What warns, and then fails with a hint.
fn site() -> Site {
    let site = Site::with_secrets(&[("a", b"1")]);
    let config = std::fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.config(&config.replace("path = \"out/app\"", "path = \"out/app\"\nfile-mode = \"0440\""));
    std::fs::remove_dir_all(site.path().join("source")).unwrap();
    site
}

fn on_a_terminal(site: &Site, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let mut python = Command::new("python3");
    site.prepare(python.args(["-c", TERMINAL, COMMAND]).args(arguments));
    python.env("TERM", "xterm").envs(variables.iter().copied());
    let ran = Ran::of(&mut python);
    assert!(ran.status.code().is_some_and(|code| code > 1) && ran.stdout.contains("error:"), "{ran:?}");
    ran.stdout
}

#[test]
fn labels_are_coloured_on_a_terminal() {
    let site = site();
    let shown = on_a_terminal(&site, &["sync"], &[]);
    for label in ["\u{1b}[1m\u{1b}[31merror:", "\u{1b}[1m\u{1b}[33mwarning:", "\u{1b}[1m\u{1b}[36mhint:"] {
        assert!(shown.contains(&format!("{label}\u{1b}[0m ")), "{label:?}: {shown:?}");
    }
    let shown = on_a_terminal(&site, &["synk"], &[("NO_COLOR", "")]);
    assert_eq!(shown.matches('\u{1b}').count(), 3, "{shown:?}");
    assert!(shown.starts_with("\u{1b}[1m\u{1b}[31merror:\u{1b}[0m unrecognized subcommand"), "{shown:?}");
}

#[test]
fn nothing_is_coloured_where_that_is_not_wanted_or_seen() {
    let site = site();
    for variable in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let shown = on_a_terminal(&site, &["check", "--config", "nowhere"], &[variable]);
        assert!(!shown.contains('\u{1b}'), "{variable:?}: {shown:?}");
    }
    let ran = site.run(&["sync"]).expect_exit(3).expect_error(&["error: ", "warning: ", "hint: "]);
    assert!(!ran.stderr.contains('\u{1b}'), "{ran:?}");
}
