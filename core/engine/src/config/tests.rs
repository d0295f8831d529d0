use std::fs;

use super::*;
use crate::problem::without_columns;
use secretdir_provider::Value;

fn problems(text: &str) -> Vec<String> {
    let error = Config::parse(text, Path::new("x.toml")).unwrap_err();
    error.problems().iter().map(|problem| without_columns(&problem.to_string())).collect()
}

#[test]
fn what_is_no_toml_is_reported_with_every_line_and_without_quoting_it() {
    let found = problems("a = \n[files]\nb = canary\ndb/password = 3\nc = 1\nc = \"canary\"\nd = 0750\n");
    assert_eq!(
        found,
        [
            "x.toml:1: string values must be quoted, expected literal string",
            "x.toml:3: a text goes in quotes: key = \"text\"",
            "x.toml:4: a name with anything but letters (a to z, A to Z), digits, `-` and `_` goes in quotes: \"db/password\"",
            "x.toml:6: duplicate key `c`",
            r#"x.toml:7: a number has no leading zero; a mode goes in quotes, such as "0440""#,
        ]
    );
    assert_eq!(problems("[a]\n[b]\n[a]"), ["x.toml:3: duplicate key `a`"]);
}

#[test]
fn depth_is_bounded() {
    for open in ["a.", "{a=", "["] {
        let found = problems(&format!("a = 1\nb = {}", open.repeat(100_000)));
        assert!(found.len() < 10, "{found:?}");
    }
    assert_eq!(
        problems(&format!("{}a = 1", "a.".repeat(100_000))),
        ["x.toml: tables, arrays or dotted keys are nested too deeply"]
    );
}

#[test]
fn values_keep_their_type_and_their_line() {
    let text = "\u{feff}yes = true\r\nhex = 0x1_F\nhalf = 0.5\nnan = -nan\ndate = 1979-05-27\n\n[t.inner]\nlist = [\n  1,\n  \"x\",\n]\n\"a/b\" = {c.d = ''}\n[[many]]\n[[many]]\nx = 1";
    let config = Config::parse(text, Path::new("dir/x.toml")).unwrap();
    let value = |keys: &[&str]| {
        let (first, rest) = keys.split_first().unwrap();
        rest.iter().fold(config.table.get(first).unwrap(), |value, key| match value {
            Value::Table(table) => table.get(key).unwrap(),
            _ => panic!("{key}"),
        })
    };
    assert_eq!(value(&["yes"]), &Value::Boolean(true));
    assert_eq!(value(&["hex"]), &Value::Integer(31));
    assert_eq!(value(&["half"]), &Value::Float(0.5));
    assert!(matches!(value(&["nan"]), Value::Float(nan) if nan.is_nan()));
    assert_eq!(value(&["date"]), &Value::from("1979-05-27"));
    assert_eq!(value(&["t", "inner", "a/b", "c", "d"]), &Value::from(""));
    assert_eq!(value(&["t", "inner", "list"]), &Value::Array(vec![Value::Integer(1), "x".into()]));
    let lines: &[(&[&str], usize)] = &[
        (&["yes"], 1),
        (&["date"], 5),
        (&["t"], 7),
        (&["t", "inner", "list"], 8),
        (&["t", "inner", "a/b", "c"], 12),
    ];
    for (path, line) in lines {
        assert_eq!(config.positions.of(&path.iter().copied().collect()).line, *line, "{path:?}");
    }
    assert_eq!(config.path("path", "a").unwrap(), Path::new("dir/a"));
    assert_eq!(config.file(), Path::new("dir/x.toml"));
}

#[test]
fn numbers_that_do_not_fit_are_reported_with_their_path() {
    assert_eq!(
        problems("a = 9223372036854775807\n[b]\nc = [1,\n 9223372036854775808]\nd = 1e999\ne = inf"),
        [
            "x.toml:4: b.c[1]: the number does not fit into 64 bits",
            "x.toml:5: b.d: the number does not fit into 64 bits",
        ]
    );
}

#[test]
fn a_file_that_cannot_be_read_is_a_problem_without_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none.toml");
    let latin = folder.path().join("latin.toml");
    fs::write(&latin, b"a = 1\nb = \"\xfc\"").unwrap();
    let cases = [
        (
            missing.as_path(),
            "there is no such file; check the path and the current folder, or write one with `init`",
            None,
        ),
        (folder.path(), "is a directory; name the TOML file in it", None),
        (latin.as_path(), "is not UTF-8", Some(2)),
    ];
    for (path, message, line) in cases {
        let error = Config::read(path).unwrap_err();
        assert_eq!((error.problems()[0].message(), error.problems()[0].line()), (message, line));
        assert_eq!((error.problems().len(), error.problems()[0].file()), (1, path));
    }
}

#[test]
fn debug_shows_no_value() {
    let config = Config::parse("[sources.a]\ntoken = \"canary\"", Path::new("x.toml")).unwrap();
    assert!(!format!("{config:?}").contains("canary"));
}

proptest::proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in ".{0,80}") {
        let _ = Config::parse(&text, Path::new("x.toml"));
    }

    #[test]
    fn almost_toml_never_panics(
        parts in proptest::collection::vec(proptest::sample::select(vec![
            "[", "]", "[[", "{", "}", "=", ".", ",", "\n", "a", "b", "\"", "'", "\"\"\"", "1", "-", "0x", "1979-05-27", "\\u", "#", " ",
        ]), 0..24),
    ) {
        let _ = Config::parse(&parts.concat(), Path::new("x.toml"));
    }
}

#[test]
fn what_is_no_toml_is_explained_where_a_habit_from_elsewhere_shows() {
    let told =
        |text: &str| without_columns(&Config::parse(text, Path::new("x.toml")).unwrap_err().to_string());
    let quotes = "a name with anything but letters (a to z, A to Z), digits, `-` and `_` goes in quotes";
    for (text, expected) in [
        (
            "[directory]\nfile-mode = 0440\n",
            r#"x.toml:2: a number has no leading zero; a mode goes in quotes, such as "0440""#.to_owned(),
        ),
        (
            "a = {mode = 0400}",
            r#"x.toml:1: a number has no leading zero; a mode goes in quotes, such as "0440""#.to_owned(),
        ),
        ("[files]\ndb/password = { source = 'a' }\n", format!("x.toml:2: {quotes}: \"db/password\"")),
        ("[files]\ntls key = { source = 'a' }\n", format!("x.toml:2: {quotes}: \"tls key\"")),
        ("[files.db/password]\nsource = 'a'\n", format!("x.toml:1: {quotes}: \"db/password\"")),
    ] {
        assert_eq!(told(text), expected, "{text}");
    }
    for (text, language) in [("{\n\"a\": 1\n}", "JSON"), ("# x\n\na:\n  b: c\n", "YAML")] {
        let told = told(text);
        assert!(told.contains(&format!("this looks like {language}, but a configuration is TOML")), "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
}
