//! What a run would change, without making it.

use serde_json::json;

use crate::support::{HEAD, Site};

#[test]
fn before_the_first_run_everything_would_be_added_and_nothing_is_made() {
    let site = Site::with_secrets(&[("a", b"12"), ("b/c", b""), ("one", b"1")]);
    let ran = site.run(&["diff"]).expect_exit(10);
    let expected = format!(
        "4 changes would be made at {}\n  added      .\n  added      a  2 bytes\n  added      b/c  0 bytes\n  added      one  1 byte\n",
        site.link().display()
    );
    assert_eq!((ran.stdout, ran.stderr), (expected, String::new()));
    assert!(!site.path().join("out").exists());
}

#[test]
fn it_is_what_sync_then_does_and_afterwards_nothing_is_left_to_do() {
    let site = Site::with_secrets(&[("same", b"1"), ("longer", b"1"), ("other", b"1"), ("gone", b"1")]);
    site.sync();
    let before = site.fingerprint();
    site.secret("longer", b"12345");
    site.secret("other", b"2");
    site.secret("new", b"123");
    let entry = |name: &str| format!("{name} = {{ source = \"local\", secret = \"{name}\" }}\n");
    let files = ["longer", "other", "new"].map(entry).concat();
    site.config(&format!(
        "{HEAD}\n[files]\n{files}same = {{ source = \"local\", secret = \"same\", mode = \"0440\" }}\n"
    ));

    let difference = site.run(&["diff", "--json"]).expect_exit(10).json();
    let version = |size: u64| json!({ "size": size, "revision": null });
    let change = |name: &str, kind: &str, before: Option<u64>, after: Option<u64>| json!({ "name": name, "kind": kind, "before": before.map(version), "after": after.map(version) });
    let expected = json!([
        change("gone", "removed", Some(1), None),
        change("longer", "content", Some(1), Some(5)),
        change("new", "added", None, Some(3)),
        change("other", "content", Some(1), Some(1)),
        change("same", "attributes", Some(1), Some(1)),
    ]);
    assert_eq!((&difference["state"], &difference["changes"]), (&json!("changed"), &expected));
    assert_eq!(site.fingerprint(), before);
    let dry = site.run(&["sync", "--dry-run", "--json"]).expect_exit(10).json();
    assert_eq!((dry, site.fingerprint()), (difference.clone(), before));

    let outcome = site.run(&["sync", "--json"]).expect_exit(0).json();
    let done = |changes: &serde_json::Value| {
        let changes = changes.as_array().unwrap().iter();
        changes.map(|change| (change["name"].clone(), change["kind"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(done(&outcome["changes"]), done(&difference["changes"]));
    let after = site.run(&["diff"]).expect_exit(0);
    assert!(after.stdout.starts_with("nothing would change at "), "{after:?}");
    assert_eq!(site.run(&["diff", "--json"]).expect_exit(0).json()["state"], "unchanged");
}

#[test]
fn a_source_that_fails_fails_it_and_another_run_does_not_keep_it_waiting() {
    let site = Site::with_secrets(&[("a", b"1")]);
    site.sync();
    let lock = std::fs::File::open(site.path().join("out/.app.state/lock")).unwrap();
    lock.lock().unwrap();
    site.run(&["diff"]).expect_exit(0);
    std::fs::remove_file(site.path().join("source/a")).unwrap();
    site.run(&["diff"]).expect_exit(3).expect_error(&["secret `a` of source `local`: not found"]);
    site.run(&["sync", "--dry-run", "--wait", "1s"]).expect_exit(2).expect_error(&["cannot be used with"]);
}

#[test]
fn no_value_is_shown() {
    let site = Site::with_secrets(&[("a", b"canary-before")]);
    site.sync();
    site.secret("a", b"canary-after-it");
    for arguments in [&["diff"][..], &["diff", "--json", "-vv"]] {
        let ran = site.run(arguments).expect_exit(10);
        assert!(!format!("{ran:?}").contains("canary"), "{ran:?}");
    }
}
