//! Colours: in the labels of messages, on a terminal.

use crate::support::{Site, on_a_terminal};

/// What warns, and then fails with a hint.
fn site() -> Site {
    let site = Site::with_secrets(&[("a", b"1")]);
    let config = std::fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.config(&config.replace("path = \"out/app\"", "path = \"out/app\"\nfile-mode = \"0440\""));
    std::fs::remove_dir_all(site.path().join("source")).unwrap();
    site
}

/// Returns what a command shows that fails.
fn shown(site: &Site, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let ran = on_a_terminal(site, arguments, variables);
    assert!(ran.status.code().is_some_and(|code| code > 1) && ran.stdout.contains("error:"), "{ran:?}");
    ran.stdout
}

#[test]
fn labels_are_coloured_on_a_terminal() {
    let site = site();
    let first = shown(&site, &["sync"], &[]);
    for label in ["\u{1b}[1m\u{1b}[31merror:", "\u{1b}[1m\u{1b}[33mwarning:", "\u{1b}[1m\u{1b}[36mhint:"] {
        assert!(first.contains(&format!("{label}\u{1b}[0m ")), "{label:?}: {first:?}");
    }
    let shown = shown(&site, &["synk"], &[("NO_COLOR", "")]);
    assert_eq!(shown.matches('\u{1b}').count(), 3, "{shown:?}");
    assert!(shown.starts_with("\u{1b}[1m\u{1b}[31merror:\u{1b}[0m unrecognized subcommand"), "{shown:?}");
}

#[test]
fn nothing_is_coloured_where_that_is_not_wanted_or_seen() {
    let site = site();
    for variable in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let shown = shown(&site, &["check", "--config", "nowhere"], &[variable]);
        assert!(!shown.contains('\u{1b}'), "{variable:?}: {shown:?}");
    }
    let ran = site.run(&["sync"]).expect_exit(3).expect_error(&["error: ", "warning: ", "hint: "]);
    assert!(!ran.stderr.contains('\u{1b}'), "{ran:?}");
}
