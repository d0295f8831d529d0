use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn pick(field: &str, secret: &str) -> Result<String, String> {
    let picked = Field::parse(field).unwrap().pick(secret.as_bytes());
    picked.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()).map_err(|error| error.to_string())
}

#[test]
fn a_field_is_picked_as_it_is_written() {
    let cases = [
        ("a", r#"{"a":"x"}"#, "x"),
        ("a", r#"{"a":""}"#, ""),
        ("a", r#" { "a" : 1.0 } "#, "1.0"),
        ("a", r#"{"a":-0}"#, "-0"),
        ("a", r#"{"a":1E+400}"#, "1E+400"),
        ("a", r#"{"a":123456789012345678901234567890.10}"#, "123456789012345678901234567890.10"),
        ("a", r#"{"a":true}"#, "true"),
        ("a", r#"{"a":false}"#, "false"),
        (
            "a",
            "{\"a\": { \"z\" : [ 1.50 ,\n\t\" x \\\" y \" , null ] , \"b\\u0041\" : { } } }",
            r#"{"z":[1.50," x \" y ",null],"b\u0041":{}}"#,
        ),
        ("a", r#"{"a":[ ]}"#, "[]"),
        ("a", r#"{"a":"\"\\\/\b\f\n\r\t\u00e9\u20AC\ud83d\ude00\u0000"}"#, "\"\\/\u{8}\u{c}\n\r\té€😀\0"),
        ("a", r#"{"a":"é€😀"}"#, "é€😀"),
        ("a", r#"{"a":1,"a":2,"b":3}"#, "2"),
        ("aé\"", r#"{"\u0061\u00e9\"":1}"#, "1"),
        ("with-hyphen.and dot", r#"{"with-hyphen.and dot":1}"#, "1"),
        ("a/b", r#"{"a/b":1,"a":{"b":2}}"#, "1"),
        ("/a/b", r#"{"a/b":1,"a":{"b":2}}"#, "2"),
        ("/a~1b", r#"{"a/b":1}"#, "1"),
        ("/~01", r#"{"~1":1}"#, "1"),
        ("/", r#"{"":1}"#, "1"),
        ("//", r#"{"":{"":1}}"#, "1"),
        ("/a/0/b/10", r#"{"a":[{"b":[0,1,2,3,4,5,6,7,8,9,"ten"]}]}"#, "ten"),
        ("/1", r#"["x","y"]"#, "y"),
        ("/01", r#"{"01":"key"}"#, "key"),
    ];
    for (field, secret, expected) in cases {
        assert_eq!(pick(field, secret).as_deref(), Ok(expected), "{field} of {secret}");
    }
}

#[test]
fn what_cannot_be_picked_says_why() {
    let missing = |field: &str| format!("the secret has no field `{field}`");
    let cases = [
        ("b", r#"{"a":1}"#, missing("b")),
        ("/a/b", r#"{"a":{"c":1}}"#, missing("/a/b")),
        ("/2", "[0,1]", missing("/2")),
        ("/-", "[0,1]", missing("/-")),
        ("/01", "[0,1]", missing("/01")),
        ("/+1", "[0,1]", missing("/+1")),
        ("/", "[0,1]", missing("/")),
        ("/99999999999999999999999", "[0]", missing("/99999999999999999999999")),
        ("a", "[1]", missing("a") + ": it is JSON, but not an object"),
        ("0", "\"x\"", missing("0") + ": it is JSON, but not an object"),
        ("/a", "\"x\"", missing("/a") + ": the secret is neither an object nor an array"),
        ("/a/b/c", r#"{"a":{"b":"x"}}"#, missing("/a/b/c") + ": `/a/b` is neither an object nor an array"),
        ("/a/b", r#"{"a":null}"#, missing("/a/b") + ": `/a` is neither an object nor an array"),
        ("a", r#"{"a":null}"#, "field `a` of the secret is null".into()),
        ("a", "", "the secret is not JSON: it ends early at line 1, column 0".into()),
        ("a", "{\"a\":\n\"x", "the secret is not JSON: it ends early at line 2, column 2".into()),
        ("a", "{\n\"a\": canary}", "the secret is not JSON: syntax error at line 2, column 6".into()),
        ("a", r#"{"a":1} x"#, "the secret is not JSON: syntax error at line 1, column 9".into()),
        ("a", "{\"a\":\"\u{1}\"}", "the secret is not JSON: syntax error at line 1, column 6".into()),
    ];
    for (field, secret, expected) in cases {
        assert_eq!(pick(field, secret), Err(expected), "{field} of {secret}");
    }
}

#[test]
fn half_of_a_surrogate_pair_is_an_error_where_it_is_picked() {
    for half in
        [r"\ud800", r"\udc00", r"\ud800x", r"\ud800\n", r"\ud800\u0041", r"\udc00\ud800", r"\ud800\ud800"]
    {
        let secret = format!(r#"{{"{half}":1,"a":"{half}","b":"good"}}"#);
        let expected = "field `a` of the secret is not Unicode: it has half of a surrogate pair";
        assert_eq!(pick("a", &secret).unwrap_err(), expected, "{half}");
        assert_eq!(pick("b", &secret).as_deref(), Ok("good"));
    }
}

#[test]
fn bytes_that_are_not_utf8_are_located() {
    let error = Field::parse("a").unwrap().pick(b"{\"a\":\n \"x\xff\"}").unwrap_err();
    assert_eq!(error.to_string(), "the secret is not JSON: it is not UTF-8 at line 2, column 4");
}

#[test]
fn a_field_that_is_none_says_why() {
    for (text, expected) in [
        ("", FieldSyntaxError::Empty),
        ("/~", FieldSyntaxError::BadEscape),
        ("/a/~2", FieldSyntaxError::BadEscape),
        ("/~0~", FieldSyntaxError::BadEscape),
    ] {
        assert_eq!(Field::parse(text), Err(expected), "{text}");
    }
    assert_eq!(Field::parse("~2").unwrap().as_str(), "~2");
}

#[test]
fn depth_costs_no_stack() {
    const DEPTH: usize = 100_000;
    let [open, close] = ["[", "]"].map(|bracket| bracket.repeat(DEPTH));
    assert!(pick("a", &open).unwrap_err().contains("ends early"));
    assert!(pick("a", &"{\"a\":".repeat(DEPTH)).unwrap_err().contains("ends early"));
    let deep = format!("{open}{close}");
    assert_eq!(pick("a", &format!("{{\"a\":{deep}}}")).unwrap(), deep);
    assert_eq!(pick(&"/0".repeat(300), &deep).unwrap().len(), 2 * (DEPTH - 300));
}

#[test]
fn many_pointers_into_a_nested_object_take_it_apart_once() {
    let members: Vec<_> = (0..2000).map(|number| format!(r#""{number}": {number}"#)).collect();
    let text = format!(r#"{{"a": {{{}}}, "b": [[1, 2], 3]}}"#, members.join(", "));
    let mut secret = JsonSecret::read(text.as_bytes()).unwrap();
    for number in 0..2000 {
        let field = Field::parse(&format!("/a/{number}")).unwrap();
        assert_eq!(&**field.pick_from(&mut secret).unwrap(), number.to_string().as_bytes());
    }
    for (field, value) in [("/b/0/1", "2"), ("/b/1", "3"), ("/b/0", "[1,2]")] {
        assert_eq!(&**Field::parse(field).unwrap().pick_from(&mut secret).unwrap(), value.as_bytes());
    }
    // The whole, `a`, `b` and the array in it.
    assert_eq!(secret.entered_count(), 4);
}

#[test]
fn what_is_picked_is_copied_once_into_a_buffer_that_does_not_grow() {
    for secret in [r#"{"a":"\u0041\ud83d\ude00\n plain"}"#, r#"{"a":[1, 2 ,"\u0041"]}"#, r#"{"a":12345}"#] {
        let picked = Field::parse("a").unwrap().pick(secret.as_bytes()).unwrap();
        let raw = secret.len() - r#"{"a":}"#.len();
        assert_eq!(picked.capacity(), raw, "{secret}");
    }
}

/// Any JSON value, with strings that need all kinds of escapes.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e15..1e15f64).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        r#"["\\/\u{8}\u{c}\n\r\t\u{0}-\u{1f}é€😀\u{2028}a]{0,8}"#.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| Value::from(serde_json::Map::from_iter(members))),
        ]
    })
}

/// What the documentation promises, said with serde_json's own tree.
fn expected(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

proptest! {
    #[test]
    fn picking_agrees_with_serde_json(value in any_json(), key in ".{1,3}") {
        let secret = json!({ "other": [1, "x"], key.clone(): value.clone(), "zz": {} });
        let pointer = format!("/{}", key.replace('~', "~0").replace('/', "~1"));
        for text in [secret.to_string(), serde_json::to_string_pretty(&secret).unwrap()] {
            prop_assert_eq!(pick(&pointer, &text).ok(), expected(&value));
            if !key.starts_with('/') {
                prop_assert_eq!(pick(&key, &text).ok(), expected(&value));
            }
        }
    }

    #[test]
    fn a_string_of_nothing_but_escapes_is_decoded(text in any::<String>(), key in "[^/]{1,3}") {
        let escaped = |text: &str| text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
        let secret = format!(r#"{{"{}":"{}"}}"#, escaped(&key), escaped(&text));
        prop_assert_eq!(pick(&key, &secret), Ok(text));
    }

    #[test]
    fn arbitrary_bytes_never_panic(secret in prop::collection::vec(any::<u8>(), 0..64), field in "[/a01~-]{1,6}") {
        if let Ok(field) = Field::parse(&field) {
            let _ = field.pick(&secret);
        }
    }

    #[test]
    fn almost_json_never_panics_and_errors_quote_nothing(
        parts in prop::collection::vec(
            prop::sample::select(vec!["{", "}", "[", "]", ",", ":", "\"a\"", "\"canary\"", "canary", "\\ud800", "\"", "null", "1", " ", "\n"]),
            0..16,
        ),
        field in "(a|/a|/0|/a/0|/a/a)",
    ) {
        let secret: String = parts.concat();
        match pick(&field, &secret) {
            Ok(picked) => prop_assert!(picked.len() <= secret.len()),
            Err(error) => prop_assert!(!error.contains("canary"), "{error}"),
        }
    }
}

#[test]
fn a_way_that_is_written_as_elsewhere_is_told_as_a_pointer() {
    let secret = br#"{"a": {"b": "x", "c~": [{"d": 1}]}, "e.f": "y"}"#;
    for (field, pointer) in [
        ("a.b", "/a/b"),
        (".a.b", "/a/b"),
        ("$.a.b", "/a/b"),
        ("a/b", "/a/b"),
        ("a.c~[0].d", "/a/c~0/0/d"),
        ("$['a'][\"b\"]", "/a/b"),
    ] {
        let error = Field::parse(field).unwrap().pick(secret).unwrap_err();
        let expected =
            format!("the secret has no field `{field}`, but one below its top: write field = \"{pointer}\"");
        assert_eq!(error.to_string(), expected);
        // Neither a default nor leaving a file out would tell of the mistake.
        assert!(!error.is_missing());
        Field::parse(pointer).unwrap().pick(secret).unwrap();
    }
    for field in ["a.x", "x.b", "...", "$", "a.b.c"] {
        let error = Field::parse(field).unwrap().pick(secret).unwrap_err();
        assert_eq!(error, FieldError::Missing(field.to_owned()));
    }
    assert_eq!(&**Field::parse("e.f").unwrap().pick(secret).unwrap(), b"y");
}
