use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
struct Sample {
    url: String,
    #[serde(default)]
    max_size: Option<u8>,
    #[serde(default)]
    flag: bool,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    level: Level,
    #[serde(default)]
    nested: Nested,
    #[serde(default)]
    checked: Checked,
}

#[derive(Debug, Deserialize, PartialEq, Default)]
#[serde(rename_all = "kebab-case")]
enum Level {
    #[default]
    Low,
    VeryHigh,
}

#[derive(Debug, Deserialize, PartialEq, Default)]
struct Nested {
    depth: i32,
}

#[derive(Debug, Deserialize, PartialEq, Default)]
#[serde(try_from = "String")]
struct Checked(String);

impl TryFrom<String> for Checked {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.starts_with("secret") { Err(format!("cannot use {text}")) } else { Err("is odd".to_owned()) }
    }
}

fn table(entries: &[(&str, Value)]) -> Table {
    entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

fn problems(entries: &[(&str, Value)]) -> Vec<String> {
    let error = Settings::new(table(entries), "/").parse::<Sample>().unwrap_err();
    error.problems().iter().map(ToString::to_string).collect()
}

#[test]
fn good_settings_parse() {
    let sample: Sample = Settings::new(
        table(&[
            ("url", "u".into()),
            ("max-size", Value::Integer(255)),
            ("flag", Value::Boolean(true)),
            ("args", Value::Array(vec!["a".into()])),
            ("level", "very-high".into()),
            ("nested", Value::Table(table(&[("depth", Value::Integer(-3))]))),
        ]),
        "/",
    )
    .parse()
    .unwrap();
    assert_eq!(sample.max_size, Some(255));
    assert_eq!(sample.level, Level::VeryHigh);
    assert_eq!(sample.nested, Nested { depth: -3 });
    assert_eq!(sample.args, ["a"]);
}

#[test]
fn a_text_in_the_place_of_an_array_shows_how_one_is_written() {
    for text in ["vault kv get", "canary", ""] {
        let found = problems(&[("url", "u".into()), ("args", text.into())]);
        assert_eq!(found, [r#"args: expected an array such as ["one", "two"], found a string"#]);
    }
    let found = problems(&[("url", "u".into()), ("args", Value::Integer(1))]);
    assert_eq!(found, ["args: expected an array, found a whole number"]);
}

#[test]
fn every_bad_value_and_unknown_key_is_reported_in_one_go() {
    let found = problems(&[
        ("args", Value::Array(vec!["a".into(), Value::Integer(1)])),
        ("flag", "canary".into()),
        ("level", "canary".into()),
        ("max-sise", Value::Integer(1)),
        ("max-size", Value::Integer(256)),
        ("nested", Value::Table(table(&[("depth", "canary".into()), ("dept", "canary".into())]))),
        ("url", Value::Table(Table::new())),
    ]);
    assert_eq!(
        found,
        [
            "args[1]: expected a string, found a whole number",
            "flag: expected true or false, found a string",
            "level: expected one of `low`, `very-high`",
            "max-sise: unknown key; did you mean `max-size`?",
            "max-size: expected a whole number from 0 to 255",
            "nested.dept: unknown key; did you mean `depth`?",
            "nested.depth: expected a whole number from -2147483648 to 2147483647, found a string",
            "url: expected a string, found a table",
        ]
    );
}

#[test]
fn a_number_that_is_not_zero_has_its_range_told() {
    #[derive(Debug, serde::Deserialize)]
    struct Status {
        #[expect(dead_code, reason = "only its range is asked for")]
        status: std::num::NonZeroU8,
    }

    for number in [0, 256] {
        let settings = Settings::new(table(&[("status", Value::Integer(number))]), "/");
        let error = settings.parse::<Status>().unwrap_err();
        assert!(error.to_string().contains("expected a whole number from 1 to 255"), "{error}");
    }
}

#[test]
fn a_missing_key_is_named() {
    assert_eq!(problems(&[("flag", Value::Boolean(true))]), ["url: missing"]);
}

#[test]
fn an_unknown_key_without_a_near_one_lists_what_there_is() {
    let found =
        problems(&[("url", "u".into()), ("nested", Value::Table(table(&[("zzzzzz", "canary".into())])))]);
    assert_eq!(found, ["nested.depth: missing", "nested.zzzzzz: unknown key; known here: `depth`"]);
}

#[test]
fn a_custom_message_is_kept_unless_it_quotes_the_value() {
    assert_eq!(problems(&[("url", "u".into()), ("checked", "x9".into())]), ["checked: is odd"]);
    assert_eq!(
        problems(&[("url", "u".into()), ("checked", "secret-canary".into())]),
        ["checked: is not valid"]
    );
}

#[test]
fn a_float_that_is_not_whole_is_no_integer() {
    assert_eq!(
        problems(&[("url", "u".into()), ("max-size", Value::Float(1.5))]),
        ["max-size: expected a whole number from 0 to 255, found a fraction"]
    );
}

#[test]
fn debug_shows_keys_and_types_only() {
    let settings = Settings::new(table(&[("token", "canary".into()), ("n", Value::Integer(4711))]), "/etc");
    let debug = format!("{settings:?}");
    assert_eq!(debug, r#"Settings { table: {"n": a whole number, "token": a string}, base_dir: "/etc" }"#);
}
