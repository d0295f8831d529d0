//! What a program says is shown without the values that it was asked for.

use crate::support::{ask, ask_in, plugin, shell, story, watched};

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
    let (context, warnings) = watched();
    let program = plugin(&format!(
        "say(type='warning', message='{VALUE} is old', since=3)\nsay(type='secret', id=0, text='{VALUE}')\n"
    ));
    let answers = ask_in(&context, program, std::path::Path::new("."), &["a"]);
    assert!(answers[0].is_ok());
    assert_eq!(warnings.to_vec(), ["[redacted] is old"]);
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
        story.contains("line 2 of its output is not a message of the protocol; standard error: [redacted]"),
        "{story}"
    );
}

#[test]
fn half_an_answer_is_taken_for_a_value_too() {
    let program = format!(
        "sys.stdout.write('{{\"type\":\"secret\",\"id\":0,\"text\":\"{VALUE}')\nsys.stdout.flush()\nprint('{VALUE}', file=sys.stderr, flush=True)\ntime.sleep(600)\n"
    );
    let mut settings = plugin(&program);
    settings.insert("timeout", "800ms");
    let story = story(&ask(settings, &["a"])[0]);
    assert!(story.contains("did not end within 800ms"), "{story}");
    assert!(!story.contains(&VALUE[..6]), "{story}");
}

#[test]
fn texts_without_end_are_cut_and_say_so() {
    let (context, warnings) = watched();
    let program = plugin(
        r#"
flood = 5_000_000
print("e" * flood, file=sys.stderr)
say(type="warning", message="w" * flood)
say(type="error", id=0, message="é" * flood, hint="h" * flood)
say(type="secret", id=1, text="value-of-it", revision="r" * flood, origin="o" * flood)
say(type="error", id=2, kind="k" * flood, message="of an unknown kind")
sys.exit(1)
"#,
    );
    let mut program = program;
    program.insert("timeout", "10m");
    program.insert("max-bytes".to_owned(), secretdir_provider::Value::Integer(6_000_000));
    let answers = ask_in(&context, program, std::path::Path::new("."), &["a", "b", "c"]);
    let cut = |letter: &str, count: usize| format!("{} [cut]", letter.repeat(count));
    assert_eq!(story(&answers[0]), format!("failed: {} ({})", cut("é", 1024), cut("h", 2048)));
    let secret = answers[1].as_ref().unwrap();
    assert_eq!(secret.revision(), Some(cut("r", 2048).as_str()));
    assert_eq!(secret.origin(), Some(cut("o", 2048).as_str()));
    assert_eq!(story(&answers[2]), "failed: of an unknown kind");
    let warnings = warnings.to_vec();
    assert_eq!(warnings[0], cut("w", 2048));
    assert!(warnings[1].ends_with(&format!("exit status: 1: [cut] {}", "e".repeat(2047))), "{}", warnings[1]);
    assert_eq!(warnings.len(), 2);
}

#[test]
fn a_flood_of_messages_is_cut_as_a_whole() {
    let names: Vec<_> = (0..300).map(|number| number.to_string()).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let answers = ask(plugin("for id in range(300): say(type='error', id=id, message='m' * 5000)\n"), &names);
    let whole = answers.iter().filter(|answer| story(answer).len() > 2000).count();
    assert!((100..=128).contains(&whole), "{whole}");
    assert_eq!(story(&answers[299]), "failed: [cut]");
}

#[test]
fn a_value_that_the_cut_goes_through_is_not_shown_in_part() {
    let program = format!(
        r#"
value = "{VALUE}"
say(type="secret", id=0, text=value)
for id in range(1, 10):
    say(type="error", id=id, message="." * (2048 - id) + value)
"#
    );
    let names = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    for answer in &ask(plugin(&program), &names)[1..] {
        let story = story(answer);
        assert!(story.ends_with(".[redacted] [cut]"), "{story}");
    }
}

#[test]
fn a_value_is_redacted_in_every_form() {
    let answers = ask(
        plugin(
            r#"
import urllib.parse
value = 'Kd83/hfQ "zz1"+Lm5v\n'
say(type="secret", id=0, text=value)
raw = value.encode()
forms = [raw.hex(), raw.hex().upper(), urllib.parse.quote(value, safe=""), urllib.parse.quote_plus(value), json.dumps(value)]
forms += ["".join(f"%{byte:02x}" for byte in raw), "".join(f"\\u{byte:04x}" for byte in raw), value.replace("/", "\\/")]
for before in [b"", b"a", b"ab"]:
    coded = base64.b64encode(before + raw + b"c")
    forms += [coded.decode(), base64.urlsafe_b64encode(before + raw + b"c").decode(), coded.rstrip(b"=").decode()]
for id, form in enumerate(forms, 1):
    say(type="error", id=id, message=f"<{form}>")
"#,
        ),
        &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17"],
    );
    for answer in &answers[1..] {
        let story = story(answer);
        let rest = story.replace("[redacted]", "");
        assert!(story.contains("[redacted]") && rest.len() <= "failed: <\"\">".len() + 6, "{story}");
    }
}
