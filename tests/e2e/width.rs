//! Lines: on a terminal no wider than it is, anywhere else one for each message.

use crate::support::{HEAD, Ran, Site, on_a_terminal};

const TOO_WIDE: usize = 100;

/// All of them.
pub(crate) const COMMANDS: [&str; 11] =
    ["init", "sync", "watch", "diff", "check", "status", "exec", "providers", "schema", "completions", "man"];

/// What begins a message.
const LABELS: [&str; 4] = ["error:", "warning:", "hint:", "panic:"];

/// Returns what a command shows on a terminal without colours, of a width if that is given.
fn shown(site: &Site, arguments: &[&str], width: Option<usize>) -> String {
    let width = width.map(|width| width.to_string());
    let mut variables = vec![("NO_COLOR", "1")];
    variables.extend(width.as_deref().map(|width| ("COLUMNS", width)));
    on_a_terminal(site, arguments, &variables).stdout.replace("\r\n", "\n")
}

/// Asserts that each line has less than so many columns, unless it is one word.
#[track_caller]
fn assert_narrower(text: &str, width: usize) {
    for line in text.lines().filter(|line| line.chars().count() >= width) {
        assert!(!line.trim().contains(' '), "{line}");
    }
}

#[track_caller]
fn assert_narrow(text: &str) {
    assert_narrower(text, TOO_WIDE);
}

/// Asserts that messages are narrow, and that only what goes on is indented. Returns how many lines do.
#[track_caller]
fn continued(shown: &str, width: usize) -> usize {
    assert_narrower(shown, width);
    let (begun, continued): (Vec<_>, Vec<_>) = shown.lines().partition(|line| !line.starts_with("    "));
    assert!(begun.iter().all(|line| LABELS.iter().any(|label| line.starts_with(label))), "{shown}");
    assert!(continued.iter().all(|line| !line.starts_with("     ")), "{shown}");
    continued.len()
}

/// Asserts that every line is a message, in a pipe. Returns them.
#[track_caller]
fn messages(ran: &Ran) -> Vec<&str> {
    let lines: Vec<_> = ran.stderr.lines().collect();
    assert!(lines.iter().all(|line| LABELS.iter().any(|label| line.starts_with(label))), "{ran:?}");
    lines
}

/// A site whose `check` has much to say.
fn with_mistakes() -> Site {
    let site = Site::new();
    let files = "[files]\n\"a\" = { source = \"locl\", secret = 1 }\nb.txt = { source = \"local\", secret = \"x\" }\n";
    site.config(&format!(
        "[directry]\n[gather]\ntimeout = \"soon\"\n{HEAD}rot = \"x\"\n[sources.s3]\nprovider = \"aws-secret-manager\"\n{files}"
    ));
    site
}

#[test]
fn in_a_pipe_each_message_is_one_line() {
    let site = with_mistakes();
    let ran = site.run(&["check"]).expect_exit(2);
    let messages = messages(&ran);
    assert!(messages.len() >= 5 && messages.iter().any(|message| message.len() > TOO_WIDE), "{ran:?}");
    let json = site.run(&["check", "--json"]).expect_exit(2).json();
    let told: Vec<_> =
        json["errors"].as_array().unwrap().iter().map(|error| error["message"].clone()).collect();
    let said: Vec<_> = messages.iter().filter_map(|message| message.strip_prefix("error: ")).collect();
    assert_eq!(told, said);

    let long = "many words ".repeat(20);
    let ran = site.run(&["sync", "--wait", &long]).expect_exit(2);
    let first = ran.stderr.lines().next().unwrap();
    assert!(first.starts_with("error: invalid value 'many words ") && first.ends_with("\"2m\""), "{ran:?}");
}

#[test]
fn on_a_terminal_messages_are_as_narrow_as_it_is() {
    let site = with_mistakes();
    assert!(continued(&shown(&site, &["check"], None), TOO_WIDE) >= 3);
    let narrow = continued(&shown(&site, &["check"], Some(60)), 60);
    assert!(narrow > continued(&shown(&site, &["check"], Some(90)), 90));
    assert_eq!(continued(&shown(&site, &["check"], Some(2000)), 2000), 0);
}

#[test]
fn what_a_source_says_is_one_line_in_a_pipe_and_in_json() {
    let site = Site::new();
    site.config(
        "[directory]\npath = \"out/app\"\n[sources.aws]\nprovider = \"aws-secrets-manager\"\nregion = \"eu-west-1\"\n\
         [files]\na = { source = \"aws\", secret = \"a\" }\n",
    );
    let ran = site.run(&["sync", "--json"]).expect_exit(3);
    let hint = ran.json()["errors"][0]["hint"].as_str().unwrap().to_owned();
    assert!(hint.len() > TOO_WIDE && messages(&ran).contains(&format!("hint: {hint}").as_str()), "{ran:?}");
}

#[test]
fn a_word_that_is_too_long_stays_whole() {
    let site = Site::new();
    let path = format!("no/{}.toml", "x".repeat(150));
    let shown = shown(&site, &["check", "--config", &path], None);
    assert_eq!(shown.lines().next(), Some("error:"), "{shown}");
    assert!(shown.contains(&format!("\n    {path}:\n    there is no such file")), "{shown}");
    let ran = site.run(&["check", "--config", &path]).expect_exit(2);
    assert!(ran.stderr.starts_with(&format!("error: {path}: there is no such file")), "{ran:?}");
}

#[test]
fn mistakes_in_the_arguments_are_broken_too() {
    let site = Site::new();
    let long = "many words ".repeat(20);
    let said = shown(&site, &["sync", "--wait", &long], None);
    assert!(said.starts_with("error: invalid value 'many words ") && said.lines().count() > 3, "{said}");
    assert_narrow(&said);
    assert_narrow(&shown(&site, &["completions", "cmd"], None));
    let forged = shown(&site, &["a\u{1b}[31mb\nerror: forged"], None);
    assert!(!forged.contains('\u{1b}'), "{forged}");
}

#[test]
fn help_and_lists_are_narrow() {
    let site = Site::new();
    // Help fits a terminal of 80 columns.
    assert_narrower(&site.run(&["--help"]).expect_exit(0).stdout, 81);
    assert_narrower(&site.run(&[]).stderr, 81);
    for command in COMMANDS {
        assert_narrower(&site.run(&[command, "--help"]).expect_exit(0).stdout, 81);
        assert_narrower(&site.run(&[command, "-h"]).expect_exit(0).stdout, 81);
    }
    let list = site.run(&["providers"]).expect_exit(0).stdout;
    assert_narrow(&list);
    for provider in list.lines().filter(|line| !line.is_empty() && !line.starts_with(' ')) {
        assert_narrow(&site.run(&["providers", provider]).expect_exit(0).stdout);
    }
    assert_narrow(&site.run(&["init", "exec", "aws-secrets-manager"]).expect_exit(0).stdout);
    assert_narrow(&std::fs::read_to_string(site.path().join("secretdir.toml")).unwrap());
}
