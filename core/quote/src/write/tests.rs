use std::fmt::Write as _;
use std::process::{Command, Output};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Values with everything in them that some reader finds special.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~\n\t]{0,20}",
        "['\"`$\\\\#\n {}!a=é]{0,12}",
        "[ \t]{0,3}[a#$'\"\\\\]{0,4}[ \t\n]{0,3}",
    ]
}

/// Runs a script of a real shell, which prints values that end with NUL.
fn shell_prints(script: &str, count: usize) -> Vec<String> {
    let Output { status, stdout, stderr } = Command::new("sh").arg("-c").arg(script).output().unwrap();
    assert!(status.success() && stderr.is_empty(), "{}", String::from_utf8_lossy(&stderr));
    let mut values: Vec<_> =
        stdout.split(|byte| *byte == 0).map(|value| String::from_utf8(value.to_vec()).unwrap()).collect();
    assert_eq!(values.pop().as_deref(), Some(""));
    assert_eq!(values.len(), count);
    values
}

/// Reads a value as the documentation of Docker Compose has it: single quotes keep all, double quotes know escapes, `$` is
/// interpolated. In both a backslash before the quote keeps it from ending the value.
fn compose_reads(written: &str) -> String {
    let quote = written.chars().next().unwrap();
    let (mut read, mut chars) = (String::new(), written.chars().skip(1));
    loop {
        match chars.next().unwrap() {
            c if c == quote => break,
            '\\' => match (quote, chars.next().unwrap()) {
                ('\'', '\'') => read.push('\''),
                ('\'', c) => read.extend(['\\', c]),
                (_, c) if "\\\"$".contains(c) => read.push(c),
                (_, c) => panic!("not an escape that all readers know: {c:?}"),
            },
            '$' if quote == '"' => panic!("interpolated"),
            c => read.push(c),
        }
    }
    assert_eq!(chars.next(), None);
    read
}

/// Decodes `%XX`.
fn url_reads(written: &str) -> Vec<u8> {
    let mut parts = written.split('%');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    bytes
}

#[test]
fn docker_takes_what_fits_on_a_line_that_is_read() {
    // The name, `=` and the line end have the rest of 64 KiB.
    let longest = "a".repeat(65_000);
    assert_eq!(docker(&longest).unwrap().as_str(), longest);
    assert_eq!(docker(&(longest + "a")).map(drop), Err(LONG_LINE));
}

#[test]
fn each_is_written_in_one_way() {
    type Form = (fn(&str) -> Result<String, QuoteError>, &'static str, Result<&'static str, QuoteError>);
    let cases: &[Form] = &[
        (shell, "", Ok("''")),
        (shell, "it's $x", Ok(r"'it'\''s $x'")),
        (shell, "a\0", Err(NUL_IN_SHELL)),
        (dotenv, "", Ok("''")),
        (dotenv, "a \"b\" $c `d` \\e #f\ng", Ok("'a \"b\" $c `d` \\e #f\ng'")),
        (dotenv, r#"it's "$x" \"#, Ok(r#""it's \"\$x\" \\""#)),
        (dotenv, r"C:\", Ok(r#""C:\\""#)),
        (dotenv, "it's `x`", Err(BACKQUOTE)),
        (dotenv, r"`x`\", Err(BACKQUOTE)),
        (dotenv, "a\r\n", Err(CARRIAGE_RETURN)),
        (dotenv, "a\0", Err(NUL)),
        (dotenv, "a\u{fdef}", Err(NONCHARACTER)),
        (dotenv, "\u{10ffff}", Err(NONCHARACTER)),
        (dotenv, "\u{fffd}\u{fdcf}\u{fdf0}", Ok("'\u{fffd}\u{fdcf}\u{fdf0}'")),
        (docker, " it's \"$x\" # \\", Ok(" it's \"$x\" # \\")),
        (docker, "a\n", Err(LINE_END)),
        (docker, "a\r", Err(LINE_END)),
        (docker, "a\0", Err(NUL)),
        (|text| Ok(json(text)), "a\"\\/</é\n\0\x7f", Ok("\"a\\\"\\\\/</é\\u000A\\u0000\\u007F\"")),
        (
            |text| Ok(json(text)),
            "\u{80}\u{85}\u{9f}\u{a0}\u{2028}\u{2029}\u{feff}\u{fffe}\u{ffff}\u{fffd}",
            Ok("\"\\u0080\\u0085\\u009F\u{a0}\\u2028\\u2029\\uFEFF\\uFFFE\\uFFFF\u{fffd}\""),
        ),
        (|text| Ok(toml(text)), "a\"\\/é\t\r\x7f\u{85}", Ok("\"a\\\"\\\\/é\\u0009\\u000D\\u007F\u{85}\"")),
        (|text| Ok(url(text.as_bytes())), "aZ09-._~ /?&=+é%", Ok("aZ09-._~%20%2F%3F%26%3D%2B%C3%A9%25")),
    ];
    for (form, text, expected) in cases {
        let written = form(text);
        assert_eq!(
            written.as_ref().map(|written| written.as_str()),
            expected.as_ref().map(|text| *text),
            "{text:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_shell_reads_back_what_shell_writes(values in vec(value(), 1..50)) {
        let values: Vec<_> = values.into_iter().filter(|value| !value.contains('\0')).collect();
        let words: Vec<_> = values.iter().map(|value| shell(value).unwrap()).collect();
        let words: Vec<_> = words.iter().map(|word| word.as_str()).collect();
        let script = format!("for value in {}; do printf '%s\\0' \"$value\"; done; printf '\\0'", words.join(" "));
        let mut read = shell_prints(&script, values.len() + 1);
        read.pop();
        prop_assert_eq!(read, values);
    }

    #[test]
    fn a_shell_and_dotenvy_and_compose_read_back_what_dotenv_writes(values in vec(value(), 1..50)) {
        let written: Vec<_> = values.iter().filter_map(|value| Some((value, dotenv(value).ok()?))).collect();
        let mut file = String::new();
        for (index, (_, text)) in written.iter().enumerate() {
            writeln!(file, "V{index}={}", text.as_str()).unwrap();
        }
        let values: Vec<_> = written.iter().map(|(value, _)| (*value).clone()).collect();

        let prints: String = (0..values.len()).fold(String::new(), |all, index| format!("{all} \"$V{index}\""));
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("env");
        std::fs::write(&path, &file).unwrap();
        let mut read = shell_prints(&format!(". '{}'; printf '%s\\0' '' {prints}", path.display()), values.len() + 1);
        prop_assert_eq!(read.remove(0), "");
        prop_assert_eq!(&read, &values);

        let read: Result<Vec<_>, _> = dotenvy::from_read_iter(file.as_bytes()).map(|pair| pair.map(|(_, value)| value)).collect();
        prop_assert_eq!(&read.unwrap(), &values);

        let read: Vec<_> = written.iter().map(|(_, text)| compose_reads(text)).collect();
        prop_assert_eq!(&read, &values);
    }
}

proptest! {
    #[test]
    fn dotenv_refuses_only_what_it_must(value in value()) {
        let refused = dotenv(&value).is_err();
        let special = value.contains('`') && (value.contains('\'') || value.ends_with('\\'));
        prop_assert_eq!(refused, value.contains(['\0', '\r']) || value.contains(is_noncharacter) || special);
    }

    #[test]
    fn json_and_toml_read_back_what_json_and_toml_write(value in value()) {
        prop_assert_eq!(&serde_json::from_str::<String>(&json(&value)).unwrap(), &value);
        let text = format!("a = {}", toml(&value).as_str());
        let document = ::toml::de::DeTable::parse(&text).unwrap();
        prop_assert_eq!(document.get_ref()["a"].get_ref().as_str(), Some(value.as_str()));
    }

    #[test]
    fn docker_reads_back_what_docker_writes(value in value()) {
        // The documentation: a line is NAME=VALUE, nothing in it is special; lines end with a newline, a carriage return before it
        // is dropped.
        if let Ok(written) = docker(&value) {
            let file = format!("NAME={}\n", written.as_str());
            let lines: Vec<_> = file.lines().collect();
            prop_assert_eq!(lines.len(), 1);
            prop_assert_eq!(lines[0].split_once('='), Some(("NAME", value.as_str())));
        } else {
            prop_assert!(value.contains(['\0', '\n', '\r']));
        }
    }

    #[test]
    fn a_url_reads_back_what_url_writes(bytes: Vec<u8>) {
        let written = url(&bytes);
        prop_assert!(written.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
        prop_assert_eq!(url_reads(&written), bytes);
    }
}
