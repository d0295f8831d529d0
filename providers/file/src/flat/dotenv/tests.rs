//! The grammar, what is refused, and what a real shell reads.

use std::fs;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::flat::fault::StoreFault;

mod compose;
mod readers;

fn pairs(text: &str) -> Vec<(String, String)> {
    let contents = parse(text).unwrap();
    let text = |value: Bytes| String::from_utf8(value.expose_secret().to_vec()).unwrap();
    contents.into_iter().map(|(key, value)| (key, text(value.unwrap()))).collect()
}

#[test]
fn what_is_documented_is_read() {
    for (text, key, value) in [
        ("K=value", "K", "value"),
        ("K=value\n", "K", "value"),
        ("\n# comment\n \t# another\r\n\n  K=value", "K", "value"),
        ("export K=value", "K", "value"),
        ("export \t K=value", "K", "value"),
        ("export=value", "export", "value"),
        ("exported=value", "exported", "value"),
        ("app/db.user-1=value", "app/db.user-1", "value"),
        ("K=", "K", ""),
        ("K=   \n", "K", ""),
        ("K=value\t # comment", "K", "value"),
        ("K='value'\t# comment", "K", "value"),
        ("K=value   # comment", "K", "value"),
        ("K=value \t\n", "K", "value"),
        ("K=value # it's a \"comment\" with $ and `", "K", "value"),
        ("K=a=b==", "K", "a=b=="),
        ("K=a~b:c/d,e%f^g*h?i[j]m!n@o+p=:q", "K", "a~b:c/d,e%f^g*h?i[j]m!n@o+p=:q"),
        ("K=''", "K", ""),
        ("K='' # comment", "K", ""),
        ("K='='", "K", "="),
        ("K=' $a `b` \"c\" \\n #d '", "K", " $a `b` \"c\" \\n #d "),
        ("K='two\nlines' # comment", "K", "two\nlines"),
        ("K=\"\"", "K", ""),
        (r#"K=" it's \"a\" \\ \$b \n\r\t# ""#, "K", " it's \"a\" \\ $b \n\r\t# "),
        ("K=\"two\nlines\"\t\n", "K", "two\nlines"),
        ("K=naïve", "K", "naïve"),
    ] {
        assert_eq!(pairs(text), [(key.to_owned(), value.to_owned())], "{text:?}");
    }
    assert_eq!(pairs(""), []);
    let several = pairs("B='2\n'\nA=1\n\nC=3");
    assert_eq!(several.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["A", "B", "C"]);
}

#[test]
fn the_example_of_the_readme_is_read() {
    let readme = include_str!("../../../README.md");
    let (_, example) = readme.split_once("```text\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let expected = [
        ("API_TOKEN", "x7/Kd+=="),
        ("GREETING", "hello, $world #1"),
        ("PEM", "-----BEGIN…\n…"),
        ("app/db", "hunter2"),
    ];
    assert_eq!(pairs(example), expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
}

#[test]
fn what_is_ambiguous_is_refused_where_it_is() {
    for (text, mistake, column) in [
        ("K", Mistake::NotAnAssignment, 2),
        ("export K", Mistake::NotAnAssignment, 9),
        ("export", Mistake::NotAnAssignment, 7),
        ("=value", Mistake::NotAnAssignment, 1),
        ("K =value", Mistake::NotAnAssignment, 2),
        ("K'=value", Mistake::NotAnAssignment, 2),
        ("K#=value", Mistake::NotAnAssignment, 2),
        ("\r", Mistake::CarriageReturn, 1),
        ("K=value\r", Mistake::CarriageReturn, 8),
        ("K='value'\r", Mistake::CarriageReturn, 10),
        ("K=value \r", Mistake::CarriageReturn, 9),
        ("K=two words", Mistake::Blank, 7),
        ("K=a\u{a0}b", Mistake::Blank, 4),
        ("K=a\0", Mistake::Nul, 4),
        ("K='a\0'", Mistake::Nul, 5),
        ("K= value", Mistake::Blank, 4),
        ("K==", Mistake::Padding, 3),
        ("K==value", Mistake::Padding, 3),
        ("K=a:=b", Mistake::Special, 5),
        ("K={a,b}", Mistake::Special, 3),
        ("K=a}", Mistake::Special, 4),
        ("K=~", Mistake::Special, 3),
        ("K=a:~", Mistake::Special, 5),
        ("K=a#b", Mistake::Special, 4),
        ("K=#b", Mistake::Special, 3),
        ("K=it's", Mistake::SingleQuote, 5),
        ("K=a\"b\"", Mistake::DoubleQuote, 4),
        ("K=$A", Mistake::Special, 3),
        ("K=`a`", Mistake::Special, 3),
        ("K=a\\", Mistake::Special, 4),
        ("K=a;b", Mistake::Special, 4),
        ("K=a&b", Mistake::Special, 4),
        ("K=a|b", Mistake::Special, 4),
        ("K=a<b", Mistake::Special, 4),
        ("K=(a)", Mistake::Special, 3),
        ("K='value", Mistake::Unclosed, 3),
        ("K=\"value", Mistake::Unclosed, 3),
        ("K=\"value\\\"", Mistake::Unclosed, 3),
        ("K='a\\'", Mistake::BackslashAtEnd, 5),
        ("K='it\\'s'", Mistake::BackslashAtEnd, 6),
        ("K=\"\\a\"", Mistake::Escape, 4),
        ("K=\"\\", Mistake::Escape, 4),
        ("K=\"a\\\nb\"", Mistake::Escape, 5),
        ("K=\"$A\"", Mistake::Substitution, 4),
        ("K=\"`a`\"", Mistake::Backquote, 4),
        ("K=\"a\\`\"", Mistake::Backquote, 5),
        ("K='a''b'", Mistake::AfterQuote, 6),
        ("K='a'b", Mistake::AfterQuote, 6),
        ("K='a'#b", Mistake::AfterQuote, 6),
        ("K=\"a\" b", Mistake::AfterQuote, 7),
    ] {
        expect_refused(text, mistake, column);
    }
}

#[test]
fn what_other_readers_take_for_something_else_is_refused_where_it_is() {
    for (text, mistake, column) in [
        ("K= # x", Mistake::CommentAfterNothing, 4),
        ("K=\t# x", Mistake::CommentAfterNothing, 4),
        ("K=a\t# x", Mistake::TabBeforeComment, 4),
        ("K=a \t# x", Mistake::TabBeforeComment, 5),
        ("K=a  # it's", Mistake::QuoteInComment, 10),
        ("K='a'  # \"x\"", Mistake::QuoteInComment, 10),
        ("K=a # \\", Mistake::OpenEnd, 7),
        ("K=a ", Mistake::OpenEnd, 4),
        ("K='a'\t", Mistake::OpenEnd, 6),
        ("K=a # x ", Mistake::OpenEnd, 8),
        (" ", Mistake::OpenEnd, 1),
        ("K+=a", Mistake::Append, 2),
        ("K:a=b", Mistake::SpecialInKey, 2),
        ("K;A=b", Mistake::SpecialInKey, 2),
        ("$(id)=b", Mistake::SpecialInKey, 1),
    ] {
        expect_refused(text, mistake, column);
    }
}

/// Expects a mistake in the third line of a file.
fn expect_refused(text: &str, mistake: Mistake, column: usize) {
    let fault = TextFault::new(mistake, Position { line: 3, column });
    assert_eq!(parse(&format!("A='\n'\n{text}")).unwrap_err(), fault, "{text:?}");
}

#[test]
fn base64_that_was_wrapped_is_refused_however_it_ends_and_not_quoted() {
    for (end, mistake) in
        [("U0VDUkVUVEFJTA==", Mistake::Padding), ("U0VDUkVUVEFJTAoK", Mistake::NotAnAssignment)]
    {
        let fault = parse(&format!("KEY=c2VjcmV0c2VjcmV0\n{end}\n")).unwrap_err();
        let column = end.find('=').map_or(end.len() + 1, |equals| equals + 2);
        assert_eq!(fault, TextFault::new(mistake, Position { line: 2, column }));
        assert!(!format!("{fault} {fault:?}").contains("U0VD"), "{fault}");
        let error = StoreFault::Text(fault).error(Path::new("file.env"));
        assert!(error.hint().is_some_and(|hint| hint.contains("into quotes")));
    }
}

#[test]
fn a_quote_in_the_wrong_place_is_told_with_what_to_do() {
    for (text, hint) in [
        ("K=it's", "put the whole value into double quotes"),
        ("K=say \"a\"", "put the value into single quotes"),
        ("K=a\"b", "put the whole value into single quotes"),
        ("K='it's'", "of the kind that is not in it"),
        ("K='it''s'", "of the kind that is not in it"),
        ("K='its", "end the value with the same quote"),
        ("K=\"its", "end the value with the same quote"),
    ] {
        let error = StoreFault::Text(parse(text).unwrap_err()).error(Path::new("file.env"));
        assert!(error.hint().is_some_and(|told| told.contains(hint)), "{text}: {:?}", error.hint());
    }
}

#[test]
fn a_key_that_is_there_twice_is_told_with_both_lines() {
    let fault = parse("# comment\nA=1\nB='\n'\nexport A=2\n").unwrap_err();
    assert_eq!(fault.to_string(), "line 5, column 1: the key \"A\" occurs twice, first in line 2");
}

/// Quotes a value as the README says: in single quotes if it can be, else in double quotes.
fn quoted(value: &str) -> String {
    if !value.contains('\'') && !value.ends_with('\\') {
        return format!("'{value}'");
    }
    let escape = |text: String, character: char| text.replace(character, &format!("\\{character}"));
    format!("\"{}\"", ['\\', '"', '$'].into_iter().fold(value.to_owned(), escape))
}

/// Says whether a value can be written.
fn can_be_quoted(value: &str) -> bool {
    !value.contains('`') || !quoted(value).starts_with('"')
}

/// Texts of what matters to a parser or a shell. There is no letter that would be an escape in double quotes.
fn odd_text() -> impl Strategy<Value = String> {
    let characters = "'\"$`\\#;&|<>()~:= \t\nab*?[!{},%".chars().collect::<Vec<_>>();
    prop::collection::vec(prop::sample::select(characters), 0..9).prop_map(|text| text.into_iter().collect())
}

/// Runs a shell that reads a file of variables. Returns what it finds in `K`.
fn read_by_shell(text: &str) -> Vec<u8> {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("file.env"), text).unwrap();
    let mut shell = Command::new("/bin/sh");
    let script = r#"set -e; . ./file.env; printf %s "$K""#;
    let output = shell.args(["-c", script]).env_clear().current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{text:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_parser_panic(text in prop_oneof![any::<String>(), odd_text()]) {
        for text in [text.clone(), format!("K={text}"), format!("K='{text}"), format!("K=\"{text}")] {
            drop(parse(&text));
        }
    }

    #[test]
    fn what_is_quoted_is_read_back(value in prop_oneof!["[^\0]*", odd_text()].prop_filter("backquote", |value| can_be_quoted(value))) {
        let read = pairs(&format!("A=1\nK={} # comment\nZ=1\n", quoted(&value)));
        prop_assert_eq!(&read[1], &("K".to_owned(), value));
    }

    #[test]
    fn no_error_holds_a_part_of_a_value(text in odd_text()) {
        const CANARY: &str = "Zq7Wx4Kv2Tm8";
        for text in [format!("K={text}{CANARY}"), format!("K={CANARY}{text}"), format!("K=\"{CANARY}{text}\"")] {
            if let Err(fault) = parse(&text) {
                prop_assert!(!format!("{fault} {fault:?}").contains("Zq7"), "{}", text);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_accepted_a_shell_reads_alike(text in odd_text(), quote in prop::sample::select(&["", "'", "\""][..])) {
        let text = format!("K={quote}{text}{quote}\n");
        if let Ok(contents) = parse(&text) && contents.len() == 1 {
            let value = contents["K"].as_ref().unwrap();
            prop_assert_eq!(value.expose_secret(), read_by_shell(&text), "{}", text);
        }
    }

    #[test]
    fn what_is_quoted_a_shell_reads_alike(value in prop_oneof!["[^\0]{0,9}", odd_text()].prop_filter("backquote", |value| can_be_quoted(value))) {
        let text = format!("K={}\n", quoted(&value));
        prop_assert_eq!(read_by_shell(&text), value.as_bytes(), "{}", text);
    }
}
