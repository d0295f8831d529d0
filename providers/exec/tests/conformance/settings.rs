//! Settings that are refused, and why.

use secretdir_conformance::BadSettings;
use secretdir_provider::{Provider as _, Settings, SourceErrorKind, Table, Value};
use secretdir_provider_exec::ExecProvider;

use crate::support::{list, table};

pub(crate) fn bad() -> Vec<BadSettings> {
    let command = || ("command", list(&["cat", "{secret}"]));
    [
        (table([]), "command"),
        (table([("command", list(&[]))]), "command"),
        (table([("command", list(&["", "{secret}"]))]), "command"),
        (table([("command", list(&["cat"]))]), "command"),
        (table([("command", list(&["{secret}", "{secret}"]))]), "command"),
        (table([("command", list(&["cat", "{secret}\0"]))]), "command"),
        (table([("plugin", list(&[]))]), "plugin"),
        (table([command(), ("plugin", list(&["x"]))]), "plugin"),
        (table([("plugin", list(&["x"])), ("trim-newline", Value::Boolean(true))]), "trim-newline"),
        (table([("plugin", list(&["x"])), ("allow-empty", Value::Boolean(true))]), "allow-empty"),
        (table([("plugin", list(&["x"])), ("not-found-status", Value::Integer(1))]), "not-found-status"),
        (table([command(), ("not-found-status", Value::Integer(0))]), "not-found-status"),
        (table([command(), ("timeout", "soon".into())]), "timeout"),
        (table([command(), ("timeout", "0s".into())]), "timeout"),
        (table([command(), ("max-bytes", Value::Integer(0))]), "max-bytes"),
        (table([command(), ("stderr", "hide".into())]), "stderr"),
        (table([command(), ("environment", list(&["A=B"]))]), "environment"),
        (table([command(), ("environment", list(&[""]))]), "environment"),
    ]
    .map(|(table, path)| BadSettings::new(table, path))
    .into()
}

fn refusal(settings: Table) -> String {
    ExecProvider.source(Settings::new(settings, "/")).unwrap_err().to_string()
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let settings =
        table([("command", list(&["cat"])), ("timeout", "1s".into()), ("environment", list(&["A=B"]))]);
    assert_eq!(
        refusal(settings),
        "command: no argument has the placeholder `{secret}`; \
         environment: expected names of variables, without `=`: their values come from the environment of this run"
    );
}

#[test]
fn a_command_in_one_string_shows_how_its_words_are_written() {
    for key in ["command", "plugin"] {
        let told = refusal(table([(key, "vault kv get -token=hunter2 {secret}".into())]));
        let expected = format!(r#"{key}: expected an array such as ["one", "two"], found a string"#);
        assert!(told.starts_with(&expected), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
    for line in ["vault kv get", "vault kv get {secret}"] {
        let told = refusal(table([("command", list(&[line]))]));
        assert!(told.contains(r#"write each as a separate string: ["tool", "show", "{secret}"]"#), "{told}");
    }
}

#[test]
fn a_source_has_one_form() {
    assert_eq!(refusal(table([])), "command: missing; a source needs a `command` or a `plugin`");
}

#[test]
fn no_prefix_can_be_imported_which_is_told_before_anything_is_started() {
    for settings in [table([("command", list(&["cat", "{secret}"]))]), table([("plugin", list(&["x"]))])] {
        let source = ExecProvider.source(Settings::new(settings, "/")).unwrap();
        let error = source.check_prefix("app/").unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::Unsupported);
        assert!(error.hint().unwrap().contains("import its keys"));
    }
}
