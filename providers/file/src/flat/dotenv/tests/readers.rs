//! What is accepted, other readers read alike: dotenvy and Compose whatever the text is, and a real shell.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use proptest::prelude::*;
use tempfile::TempDir;

use super::super::parse;
use super::compose;

type Read = BTreeMap<String, String>;

/// What begins, ends, escapes or joins something for one of the readers, and a letter.
const NASTY: &[char] = &['a', '\'', '"', '`', '$', '\\', '#', ' ', '\t', '\n', '=', '+', ':', '~'];

fn read_here(text: &str) -> Option<Read> {
    let contents = parse(text).ok()?.into_iter();
    let text = |value: Vec<u8>| String::from_utf8(value).unwrap();
    Some(contents.map(|(key, value)| (key, text(value.unwrap().expose_secret().to_vec()))).collect())
}

fn read_by_dotenvy(text: &str) -> Option<Read> {
    dotenvy::from_read_iter(text.as_bytes()).collect::<Result<_, _>>().ok()
}

/// Runs a shell that reads a file of variables. Returns what it finds in these.
fn read_by_shell(text: &str, keys: &Read) -> Option<Read> {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("file.env"), text).unwrap();
    let keys: Vec<_> = keys.keys().map(String::as_str).collect();
    let prints: String = keys.iter().map(|key| format!(" \"${{{key}}}\"")).collect();
    let mut shell = Command::new("/bin/sh");
    let script = format!("set -eu; . ./file.env; printf '%s\\0'{prints}");
    let output = shell.args(["-c", &script]).env_clear().current_dir(folder.path()).output().unwrap();
    let printed = output.stdout.split(|byte| *byte == 0);
    let values = printed.map(|value| String::from_utf8_lossy(value).into_owned());
    (output.status.success() && output.stderr.is_empty())
        .then(|| keys.iter().map(|key| (*key).to_owned()).zip(values).collect())
}

/// Says whether all keys are names of variables. Others cannot be read elsewhere, which the README says.
fn are_names(read: &Read) -> bool {
    let is_name = |key: &str| key.chars().all(|c| c.is_ascii_alphabetic() || c == '_');
    read.keys().all(|key| is_name(key))
}

fn check_against_parsers(text: &str) {
    if let Some(read) = read_here(text).filter(are_names) {
        assert_eq!(read_by_dotenvy(text).as_ref(), Some(&read), "dotenvy: {text:?}");
        assert_eq!(compose::read(text).as_ref(), Some(&read), "Compose: {text:?}");
    }
}

/// Makes every text of so many nasty characters.
fn every(length: usize) -> impl Iterator<Item = String> {
    let count = NASTY.len().pow(u32::try_from(length).unwrap());
    (0..count).map(move |number| {
        let digit = |place| NASTY[number / NASTY.len().pow(place) % NASTY.len()];
        (0..u32::try_from(length).unwrap()).map(digit).collect()
    })
}

#[test]
fn whatever_is_accepted_of_short_texts_dotenvy_and_compose_read_alike() {
    for text in (0..=4).flat_map(every) {
        check_against_parsers(&format!("K={text}"));
        check_against_parsers(&format!("K={text}\nZ='z'\n"));
        check_against_parsers(&format!("{text}K=z\n"));
        check_against_parsers(&format!("export K=a {text}\nZ=\"z\"\n"));
        check_against_parsers(&format!("K='a'{text}\nZ=z"));
        check_against_parsers(&format!("K=\"{text}\"\nZ=z"));
    }
}

fn nasty_text() -> impl Strategy<Value = String> {
    let characters = prop::sample::select(
        [
            NASTY,
            &[
                ';', '&', '|', '<', '(', ')', '*', '?', '[', '!', '{', '}', ',', '%', '-', '^', 'é', '\r',
                '\u{a0}',
            ][..],
        ]
        .concat(),
    );
    prop::collection::vec(characters, 0..14).prop_map(|text| text.into_iter().collect())
}

/// A line, or a part of one.
fn line() -> impl Strategy<Value = String> {
    let key =
        prop::sample::select(&["K=", "export K=", "export\tK=", " K=", "K", "K+=", "K =", "", "K:"][..]);
    let quote = prop::sample::select(&["", "'", "\""][..]);
    let end = prop::sample::select(&["", " ", " # it's", "  # x", "\t# \"", " #", "\r"][..]);
    (key, quote, nasty_text(), end)
        .prop_map(|(key, quote, text, end)| format!("{key}{quote}{text}{quote}{end}"))
}

fn file() -> impl Strategy<Value = String> {
    (line(), prop::sample::select(&["", "\n", "\n\n# it's\n", "\nZ=z\n", "\nZ='z'"][..]))
        .prop_map(|(line, end)| line + end)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_accepted_dotenvy_and_compose_read_alike(text in file()) {
        check_against_parsers(&text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_accepted_a_shell_reads_alike(text in file()) {
        if let Some(read) = read_here(&text).filter(|read| are_names(read) && !read.is_empty()) {
            prop_assert_eq!(read_by_shell(&text, &read), Some(read), "{:?}", text);
        }
    }
}
