//! What is done to values before they are files, and what becomes of those that are not there.

use crate::support::{HEAD, Site};

/// Writes a configuration of these files, each `NAME = { source = "local", REST }`.
fn config(site: &Site, files: &[(&str, &str)]) {
    let lines = files.iter().map(|(name, rest)| format!("{name:?} = {{ source = \"local\", {rest} }}\n"));
    site.config(&format!("{HEAD}\n[files]\n{}", lines.collect::<String>()));
}

#[test]
fn values_are_trimmed_decoded_and_encoded() {
    let site = Site::new();
    site.secret("key", b"AP8=\r\n");
    site.secret("bytes", [0, 255]);
    site.secret("json", br#"{"key": "ff00", "url": "-_8"}"#);
    config(
        &site,
        &[
            ("raw", "secret = \"key\""),
            ("trimmed", "secret = \"key\", trim = \"newline\""),
            ("decoded", "secret = \"key\", trim = \"newline\", decode = \"base64\""),
            ("again", "secret = \"key\", trim = \"newline\", decode = \"base64\", encode = \"hex\""),
            ("encoded", "secret = \"bytes\", encode = \"base64url\""),
            ("field", "secret = \"json\", field = \"key\", decode = \"hex\""),
            ("url", "secret = \"json\", field = \"url\", decode = \"base64url\""),
        ],
    );
    site.sync();
    assert_eq!(site.read("raw"), b"AP8=\r\n");
    assert_eq!(site.read("trimmed"), b"AP8=");
    assert_eq!(site.read("decoded"), [0, 255]);
    assert_eq!(site.read("again"), b"00ff");
    assert_eq!(site.read("encoded"), b"AP8");
    assert_eq!(site.read("field"), [255, 0]);
    assert_eq!(site.read("url"), [251, 255]);
}

#[test]
fn what_cannot_be_decoded_fails_the_run_and_is_not_shown() {
    let site = Site::with_secrets(&[("a", b"1")]);
    site.sync();
    let before = site.fingerprint();
    site.secret("odd", "Kd83hfQ-zz1-Lm5v!");
    for (coding, column) in [("base64", 8), ("base64url", 17), ("hex", 1)] {
        config(&site, &[("a", &format!("secret = \"odd\", decode = {coding:?}"))]);
        let ran = site.run(&["sync"]).expect_exit(3);
        let expected = format!(
            "error: file `a`: secret `odd` of source `local`: the value is not {coding}: error at line 1, column {column}\n"
        );
        assert_eq!(ran.stderr, expected);
    }
    assert_eq!(site.fingerprint().without_folder(), before.without_folder());
}

#[test]
fn what_is_optional_and_not_found_is_left_out_and_listed() {
    let site = Site::new();
    site.secret("json", br#"{"here": "1", "none": null}"#);
    let files = [
        ("here", "secret = \"json\", field = \"here\", optional = true"),
        ("no-secret", "secret = \"none\", optional = true"),
        ("no-field", "secret = \"json\", field = \"nowhere\", optional = true"),
        ("level", "secret = \"level\", default = \"info\", decode = \"base64\""),
    ];
    config(&site, &files);
    let outcome = site.run(&["sync", "--json"]).expect_exit(0).json();
    assert_eq!(outcome["file_count"], 2);
    let left_out = serde_json::json!([
        { "file_name": "no-field", "source": "local", "secret_name": "json", "field": "nowhere" },
        { "file_name": "no-secret", "source": "local", "secret_name": "none" },
    ]);
    let defaulted = serde_json::json!([{ "file_name": "level", "source": "local", "secret_name": "level" }]);
    assert_eq!((&outcome["left_out"], &outcome["defaulted"]), (&left_out, &defaulted));
    assert_eq!((site.read("here"), site.read("level")), (b"1".to_vec(), b"info".to_vec()));
    assert!(!site.link().join("no-secret").exists());
    let text = site.sync().stdout;
    let expected = "\nleft out: no-field (field `nowhere` of secret `json` of source `local` not found)\n\
        left out: no-secret (secret `none` of source `local` not found)\n\
        by default: level (secret `level` of source `local` not found)\n";
    assert!(text.ends_with(expected), "{text}");

    // It is there now: the next run publishes it.
    site.secret("none", b"now");
    site.secret("level", b"ZGVidWc=");
    site.sync();
    assert_eq!((site.read("no-secret"), site.read("level")), (b"now".to_vec(), b"debug".to_vec()));
}

#[test]
fn only_what_is_not_found_is_left_out() {
    let site = Site::new();
    site.secret("json", br#"{"null": null, "a": {"b": 1}}"#);
    std::fs::create_dir(site.path().join("source/folder")).unwrap();
    for (rest, words) in [
        ("secret = \"folder\", optional = true", "is a directory"),
        ("secret = \"json\", field = \"null\", optional = true", "is null"),
        ("secret = \"json\", field = \"a.b\", default = \"y\"", "write field = \"/a/b\""),
        ("secret = \"json\", field = \"/null/x\", default = \"y\"", "is neither an object nor an array"),
    ] {
        config(&site, &[("a", rest)]);
        site.run(&["sync"]).expect_exit(3).expect_error(&[words]);
    }
    // A secret that another file needs is an error of that file.
    config(&site, &[("a", "secret = \"none\", optional = true"), ("b", "secret = \"none\"")]);
    site.run(&["sync"]).expect_exit(3).expect_error(&["secret `none`", "not found"]);
}

/// An unmounted volume or a misspelt path would quietly replace values by defaults.
#[test]
fn a_store_that_is_not_there_is_neither_optional_nor_has_it_defaults() {
    let site = Site::new();
    let rest = ["secret = \"a\", optional = true", "secret = \"b\", default = \"guessed\""];
    let tree = (HEAD.to_owned(), "there is no directory");
    let flat = (HEAD.replace("root = \"source\"", "path = \"source/all.env\""), "there is no file");
    site.secret("all.env", "a=1\nb=2\n");
    site.secret("a", b"1");
    site.secret("b", b"2");
    for (head, words) in [tree, flat] {
        let files = ["a", "b"]
            .iter()
            .zip(rest)
            .map(|(name, rest)| format!("{name} = {{ source = \"local\", {rest} }}\n"));
        site.config(&format!("{head}\n[files]\n{}", files.collect::<String>()));
        site.sync();
        let before = site.fingerprint();

        std::fs::rename(site.path().join("source"), site.path().join("elsewhere")).unwrap();
        let ran = site.run(&["sync"]).expect_exit(3);
        ran.expect_error(&["secrets `a` and `b` of source", "unavailable", words, "hint: create"]);
        assert_eq!(site.fingerprint().without_folder(), before.without_folder(), "{head}");
        assert_eq!((site.read("a"), site.read("b")), (b"1".to_vec(), b"2".to_vec()));

        std::fs::rename(site.path().join("elsewhere"), site.path().join("source")).unwrap();
        site.sync();
    }
}

#[test]
fn a_file_cannot_be_both_optional_and_have_a_default() {
    let site = Site::new();
    config(&site, &[("a", "secret = \"x\", optional = true, default = \"y\"")]);
    site.run(&["check"])
        .expect_exit(2)
        .expect_error(&["files.a.default: cannot be combined with `optional`"]);
    for mistake in ["decode = \"base32\"", "encode = 7", "trim = \"all\"", "optional = \"yes\""] {
        config(&site, &[("a", &format!("secret = \"x\", {mistake}"))]);
        site.run(&["check"]).expect_exit(2).expect_error(&[mistake.split(' ').next().unwrap()]);
    }
}
