//! What each format holds, what is refused, and that one run sees one state of the file.

use std::error::Error as _;
use std::fs;
use std::num::NonZeroUsize;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use proptest::prelude::*;
use secretdir_provider::SourceErrorKind;
use tempfile::TempDir;

use super::fault::{Mistake, Position, TextFault};
use super::*;

fn value(format: Format, text: &str, key: &str) -> Result<String, ValueFault> {
    let contents = format.parse(text.as_bytes()).unwrap();
    contents[key]
        .as_ref()
        .map(|value| String::from_utf8(value.expose_secret().to_vec()).unwrap())
        .map_err(|fault| *fault)
}

#[test]
fn a_value_of_toml_is_its_text_or_json() {
    for (toml, expected) in [
        (r#""text""#, Ok("text")),
        ("'C:\\new'", Ok("C:\\new")),
        (r#""\u00e9\n\"""#, Ok("é\n\"")),
        ("'''\n two\nlines\n'''", Ok(" two\nlines\n")),
        ("5432", Ok("5432")),
        ("1_000", Ok("1_000")),
        ("0xFF", Ok("0xFF")),
        ("+1", Ok("+1")),
        ("1.50", Ok("1.50")),
        ("inf", Ok("inf")),
        ("true", Ok("true")),
        ("1979-05-27 07:32:00Z", Ok("1979-05-27 07:32:00Z")),
        ("[]", Ok("[]")),
        ("{}", Ok("{}")),
        ("[ 1, 'two', [ true ], 1.50 ]", Ok(r#"[1,"two",[true],1.50]"#)),
        (
            r#"{ b = 1979-05-27, a.c = "\"\\\u007f\u00e9" }"#,
            Ok("{\"a\":{\"c\":\"\\\"\\\\\u{7f}é\"},\"b\":\"1979-05-27\"}"),
        ),
        (r#"["\b\f\n\r\t\u0001"]"#, Ok(r#"["\u0008\u000c\n\r\t\u0001"]"#)),
        ("[1_000]", Err(ValueFault::Number)),
        ("{ a = [0xFF] }", Err(ValueFault::Number)),
        ("[+1]", Err(ValueFault::Number)),
        ("[nan]", Err(ValueFault::Number)),
    ] {
        let text = format!("# comment\nkey = {toml} # another\nother = 1\n");
        assert_eq!(value(Format::Toml, &text, "key"), expected.map(str::to_owned), "{toml}");
    }
    let tables =
        "[\"app/db\"]\npassword = \"x\"\nhosts = [{ port = 1 }]\n[other]\n[[many]]\na = 1\n[[many]]\n";
    for (key, expected) in
        [("app/db", r#"{"hosts":[{"port":1}],"password":"x"}"#), ("other", "{}"), ("many", r#"[{"a":1},{}]"#)]
    {
        assert_eq!(value(Format::Toml, tables, key).as_deref(), Ok(expected), "{key}");
    }
}

#[test]
fn a_value_of_json_is_its_text_or_json() {
    for (json, expected) in [
        (r#""text""#, Ok("text")),
        (r#""\u00e9\ud83d\ude00\n\"\/""#, Ok("é😀\n\"/")),
        ("5432", Ok("5432")),
        ("1.50E+3", Ok("1.50E+3")),
        ("false", Ok("false")),
        ("123456789012345678901234567890", Ok("123456789012345678901234567890")),
        ("[ ]", Ok("[]")),
        ("{ \"b\" : [ 1.0 , \" a \\\" b \" ] ,\n \"a\" : null }", Ok(r#"{"b":[1.0," a \" b "],"a":null}"#)),
        ("null", Err(ValueFault::Null)),
        (r#""\ud83d""#, Err(ValueFault::Surrogate)),
    ] {
        let text = format!("{{ \"key\" : {json} ,\n\"other\": 1 }}\n");
        assert_eq!(value(Format::Json, &text, "key"), expected.map(str::to_owned), "{json}");
    }
}

#[test]
fn what_is_no_store_is_refused_where_it_is() {
    let twice = |key: &str| Mistake::Duplicate(key.to_owned());
    for (format, text, mistake, line, column) in [
        (Format::Toml, "a = 1\nb = ?\n", Mistake::NotToml, 2, 5),
        (Format::Toml, "a = 1\n'a' = 2\n", twice("a"), 2, 1),
        (Format::Toml, "a = 1\na/b = 2\n", Mistake::BareKey, 2, 2),
        (Format::Toml, "[a/b]\nc = 2\n", Mistake::BareKey, 1, 3),
        (Format::Toml, "a = b/c\n", Mistake::NotToml, 1, 5),
        (Format::Toml, "a.b = 1\na.b = 2\n", twice("b"), 2, 3),
        (Format::Json, "{\"a\": 1,\n ?}", Mistake::NotJson, 2, 2),
        (Format::Json, "{\"a\": 1} 2", Mistake::NotJson, 1, 10),
        (Format::Json, "{\"a\": \"x\n\"}", Mistake::NotJson, 1, 8),
        (Format::Json, "{\"a\": 1,", Mistake::EndsEarly, 1, 9),
        (Format::Json, "{\"a\": 1,\n", Mistake::EndsEarly, 2, 1),
        (Format::Json, "", Mistake::EndsEarly, 1, 1),
        (Format::Json, "[1]", Mistake::NotAnObject, 1, 1),
        (Format::Json, "\n  \"text\"", Mistake::NotAnObject, 2, 3),
        (Format::Json, " 12", Mistake::NotAnObject, 1, 2),
        (Format::Json, "{\"a\": 1,\n \"\\u0061\": 2}", twice("a"), 2, 2),
        (Format::Json, "{\"a\": 1, \"a\"\n :2}", twice("a"), 1, 10),
        (Format::Json, "{\"a\": 1, \"a\"}", twice("a"), 1, 10),
        (Format::Json, r#"{"a\"\\": 1, "a\"\\": 2}"#, twice("a\"\\"), 1, 14),
    ] {
        let fault = TextFault::new(mistake, Position { line, column });
        assert_eq!(format.parse(text.as_bytes()).unwrap_err(), fault, "{text}");
    }
}

/// A source of a file in a folder, and the folder.
fn source(name: &str, text: &str) -> (TempDir, FlatSource) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    let format = Format::of(&path).unwrap();
    (folder, FlatSource::new(path, format))
}

fn context() -> RunContext {
    RunContext::builder().timeout(Duration::from_secs(60)).concurrency(NonZeroUsize::MIN).build()
}

/// Returns what comes of a future that never has to wait.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("a file is read in one turn"),
    }
}

fn fetch(source: &FlatSource, name: &str) -> Result<Vec<u8>, SourceError> {
    let fetched = at_once(source.fetch(&context(), &SecretRequest::new(name)));
    fetched.map(|secret| secret.expose_secret().to_owned())
}

/// Tells an error with its cause and hint; the folder of the file is left out.
fn story(folder: &TempDir, error: &SourceError) -> String {
    let hint = error.hint().unwrap_or("none");
    let story = format!("{error}: {}; hint: {hint}", error.source().unwrap());
    story.replace(folder.path().to_str().unwrap(), "")
}

#[test]
fn an_error_names_the_file_and_the_place_or_the_key() {
    for (name, text, key, expected) in [
        ("a.env", "A=1", "B", r#"not found: there is no key "B" in "/a.env"; hint: none"#),
        (
            "a.env",
            "A=1\nB=two words",
            "A",
            r#"invalid data: "/a.env", line 2, column 7: white space in a value outside quotes; hint: put the value into single quotes"#,
        ),
        (
            "a.json",
            "{\"A\": null}",
            "A",
            r#"invalid data: the value of "A" in "/a.json" is null; hint: remove the key, or give it a value; `""` is an empty value"#,
        ),
        (
            "a.toml",
            "A = \"two\nlines\"",
            "A",
            r#"invalid data: "/a.toml", line 1, column 9: not valid TOML; hint: write `NAME = "value"`, with texts in quotes, or in `"""` over several lines; for JSON or an env file set `format`"#,
        ),
        ("a.env", "A=1", "", "invalid request: the name is empty; hint: none"),
        (
            "a.env",
            "A = 1",
            "A",
            r#"invalid data: "/a.env", line 1, column 2: not KEY=VALUE, with no white space around the `=`; hint: a value over several lines is put into quotes; for a file in TOML or JSON set `format`"#,
        ),
        (
            "a.json",
            "A = 1",
            "A",
            r#"invalid data: "/a.json", line 1, column 1: not valid JSON; hint: write {"NAME": "value"}; for TOML or an env file set `format`"#,
        ),
        (
            "a.toml",
            "a/b = 'x'",
            "a/b",
            r#"invalid data: "/a.toml", line 1, column 2: not valid TOML: a key has this character only in quotes; hint: in TOML a name with `/` or `.` needs quotes, and `=` stands behind it: "a/b" = "value""#,
        ),
        (
            "a.toml",
            "a.b = 'x'",
            "a.b",
            r#"not found: there is no key "a.b" in "/a.toml"; hint: in TOML a name with `/` or `.` needs quotes: "a/b""#,
        ),
        ("a.toml", "a = {}", "b.a", r#"not found: there is no key "b.a" in "/a.toml"; hint: none"#),
        (
            "a.json",
            r#"{"a": {"b": 1}}"#,
            "a.b",
            r#"not found: there is no key "a.b" in "/a.json"; hint: none"#,
        ),
    ] {
        let (folder, source) = source(name, text);
        assert_eq!(story(&folder, &fetch(&source, key).unwrap_err()), expected);
    }
}

#[test]
fn a_file_that_is_not_there_is_unavailable_however_it_is_missing() {
    let (folder, source) = source("a.env", "");
    fs::remove_file(&source.path).unwrap();
    assert_eq!(
        story(&folder, &fetch(&source, "A").unwrap_err()),
        r#"unavailable: there is no file "/a.env"; hint: create it, or correct `path`: a relative path starts at the folder of the configuration file"#
    );
    for (target, told) in [
        (
            "none",
            r#"unavailable: there is no file "/a.env": the symbolic link "/a.env" leads nowhere; hint: create it, or correct `path`: a relative path starts at the folder of the configuration file"#,
        ),
        (
            "a.env",
            r#"unavailable: there are too many symbolic links on the way to "/a.env", perhaps in a circle; hint: let the link name the file itself"#,
        ),
    ] {
        symlink(target, &source.path).unwrap();
        assert_eq!(story(&folder, &fetch(&source, "A").unwrap_err()), told);
        fs::remove_file(&source.path).unwrap();
    }
    fs::create_dir(&source.path).unwrap();
    let told = story(&folder, &fetch(&source, "A").unwrap_err());
    assert_eq!(told, r#"invalid data: "/a.env" is a directory, not a regular file; hint: none"#);
}

#[test]
fn a_value_that_is_none_leaves_the_others() {
    let (_folder, source) = source("a.json", r#"{"null": null, "good": "value"}"#);
    assert_eq!(fetch(&source, "good").unwrap(), b"value");
    assert_eq!(fetch(&source, "null").unwrap_err().kind(), SourceErrorKind::InvalidData);
}

#[test]
fn the_file_may_be_a_link_to_anywhere_and_is_read_anew_for_each_run() {
    let (folder, real) = source("real.env", "A=1");
    let link = folder.path().join("link.env");
    symlink(&real.path, &link).unwrap();
    let source = FlatSource::new(link, Format::Dotenv);
    assert_eq!(fetch(&source, "A").unwrap(), b"1");
    fs::write(&real.path, "A=2").unwrap();
    assert_eq!(fetch(&source, "A").unwrap(), b"2");
}

#[test]
fn one_run_sees_one_state_of_the_file() {
    let (folder, source) = source("a.env", "A=0\nB=0\n");
    let requests = ["A", "B"].map(SecretRequest::new);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let new = folder.path().join("new");
            for number in 0_u64.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                fs::write(&new, format!("A={number}\nB={number}\n")).unwrap();
                fs::rename(&new, &source.path).unwrap();
            }
        });
        let runs =
            (0..2_000).map(|_| at_once(secretdir_conformance::fetch_all(&source, &context(), &requests)));
        // Nothing here may panic, for the other thread would go on.
        let mixed = runs.filter(|answers| {
            let mut values = answers.iter().map(|answer| answer.as_ref().ok().map(Secret::expose_secret));
            let first = values.next().flatten();
            first.is_none() || values.any(|other| other != first)
        });
        let mixed = mixed.count();
        done.store(true, Ordering::Relaxed);
        assert_eq!(mixed, 0);
    });
}

#[test]
fn a_listing_has_the_keys_that_can_be_asked_for() {
    let (_folder, source) = source("a.json", r#"{"b/c": 1, "a": null, "": 1, "x\u0000": 1, "b/a": {}}"#);
    let list = |prefix: &str| at_once(secretdir_conformance::list(&source, &context(), prefix));
    assert_eq!(list("").unwrap(), ["a", "b/a", "b/c"]);
    assert_eq!(list("b/").unwrap(), ["b/a", "b/c"]);
    assert_eq!(list("c").unwrap(), [""; 0]);
    for refused in [list("\0").map(drop), source.check_prefix("\0")] {
        assert_eq!(refused.unwrap_err().kind(), SourceErrorKind::InvalidRequest);
    }
    fs::write(&source.path, "{").unwrap();
    assert_eq!(
        at_once(secretdir_conformance::list(&source, &context(), "")).unwrap_err().kind(),
        SourceErrorKind::InvalidData
    );
}

const CANARY: &str = "Zq7Wx4Kv2Tm8Ph5Rd9Lc";

/// A text of any format that holds a canary, and has been damaged in one place.
fn damaged() -> impl Strategy<Value = String> {
    let whole = prop::sample::select(
        &[
            "A = \"CANARY\"\n[B]\nc = 'CANARY'\n",
            "{\"A\": \"CANARY\", \"B\": {\"c\": [\"CANARY\"]}}",
            "A='CANARY'\nB=CANARY\n",
        ][..],
    );
    let damage =
        prop::sample::select(&["", "\"", "'", "=", "\n", "{", "]", "\\", "\\u", "=1\n", "é", "1979-13-"][..]);
    (whole, any::<prop::sample::Index>(), damage, 0..2_usize).prop_map(|(whole, place, damage, lost)| {
        let text = whole.replace("CANARY", CANARY);
        let at = place.index(text.len());
        let rest = text.get(at + lost..).unwrap_or_default();
        format!("{}{damage}{rest}", &text[..at])
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_error_quotes_the_file(text in damaged()) {
        for format in [Format::Toml, Format::Json, Format::Dotenv] {
            if let Err(fault) = format.parse(text.as_bytes()) {
                let error = StoreFault::Text(fault).error(Path::new("file"));
                let told = format!("{error:?} {:?} {}", error.hint(), error.source().unwrap());
                let shown = (0..CANARY.len() - 5).any(|at| told.contains(&CANARY[at..at + 6]));
                prop_assert!(!shown, "{} in {}", told, text);
            }
        }
    }
}

#[test]
fn what_a_run_lists_and_fetches_is_of_one_state_of_the_file() {
    let (folder, source) = source("a.json", r#"{"a": "old", "b": "old"}"#);
    let run = context();
    assert_eq!(at_once(secretdir_conformance::list(&source, &run, "")).unwrap(), ["a", "b"]);
    fs::write(folder.path().join("new"), r#"{"a": "new", "c": "new"}"#).unwrap();
    fs::rename(folder.path().join("new"), folder.path().join("a.json")).unwrap();
    assert_eq!(at_once(secretdir_conformance::list(&source, &run, "b")).unwrap(), ["b"]);
    let answers =
        at_once(secretdir_conformance::fetch_all(&source, &run, &["a", "b"].map(SecretRequest::new)));
    for answer in &answers {
        assert_eq!(answer.as_ref().unwrap().expose_secret(), b"old");
    }
    // Another run sees what there is then, also while this one has not ended.
    assert_eq!(at_once(secretdir_conformance::list(&source, &context(), "")).unwrap(), ["a", "c"]);
}
