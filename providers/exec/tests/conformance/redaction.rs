//! What a program says is shown without the values that it was asked for.

use crate::support::{ask, ask_in, context, plugin, shell, story};

/// A value that occurs in no text by chance.
const VALUE: &str = "Kd83hfQ-zz1-Lm5v";

#[test]
fn a_command_that_prints_its_value_on_both_outputs_shows_none() {
    let script = format!("printf {VALUE}; echo 'have {VALUE} and {}' >&2; exit 1", &VALUE[3..11]);
    assert_eq!(
        story(&ask(shell(&script), &["a"])[0]),
        "failed: `sh` failed: exit status: 1; standard error: have [redacted] and [redacted]"
    );
}

#[test]
fn a_plugin_that_quotes_its_values_in_messages_shows_none() {
    let answers = ask(
        plugin(&format!(
            r#"
value = "{VALUE}"
coded = base64.b64encode(value.encode()).decode()
say(type="secret", id=0, text=value)
say(type="error", id=1, kind="other", message=f"not {{value}} but {{coded}}", hint=f"try {{value}}")
say(type="warning", message=f"saw {{value}}")
print(f"had {{value}}", file=sys.stderr)
sys.exit(1)
"#
        )),
        &["a", "b", "c"],
    );
    assert_eq!(answers[0].as_ref().unwrap().expose_secret(), VALUE.as_bytes());
    assert_eq!(story(&answers[1]), "failed: not [redacted] but [redacted] (try [redacted])");
    assert_eq!(
        story(&answers[2]),
        "failed: `python3` failed: exit status: 1; standard error: had [redacted]"
    );
}

#[test]
fn a_warning_is_passed_on_without_values() {
    let context = context();
    let program = plugin(&format!(
        "say(type='warning', message='{VALUE} is old', since=3)\nsay(type='secret', id=0, text='{VALUE}')\n"
    ));
    let answers = ask_in(&context, program, std::path::Path::new("."), &["a"]);
    assert!(answers[0].is_ok());
    assert_eq!(context.warnings(), ["[redacted] is old"]);
}

#[test]
fn what_could_not_be_understood_is_taken_for_a_value() {
    let garbage = format!("{{\"type\":\"secret\",\"id\":0,\"text\":\"{VALUE}\"");
    let answers = ask(
        // In this order: it is killed as soon as the line is read.
        plugin(&format!("print('{VALUE}', file=sys.stderr)\nprint('{garbage}', flush=True)\nsys.exit(2)\n")),
        &["a"],
    );
    let story = story(&answers[0]);
    assert!(
        story.contains("line 2 of its output is no message of it; standard error: [redacted]"),
        "{story}"
    );
}

#[test]
fn half_an_answer_is_taken_for_a_value_too() {
    let program = format!(
        "sys.stdout.write('{{\"type\":\"secret\",\"id\":0,\"text\":\"{VALUE}')\nsys.stdout.flush()\nprint('{VALUE}', file=sys.stderr, flush=True)\ntime.sleep(600)\n"
    );
    let mut settings = plugin(&program);
    settings.insert("timeout".to_owned(), "800ms".into());
    let story = story(&ask(settings, &["a"])[0]);
    assert!(story.contains("did not end within 800ms"), "{story}");
    assert!(!story.contains(&VALUE[..6]), "{story}");
}
