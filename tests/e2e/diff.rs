//! What a run would change, without making it.

use serde_json::json;

use crate::support::{HEAD, Site, is_root};

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
    let expected = json!([
        { "name": "gone", "kind": "removed", "before": { "size": 1 } },
        { "name": "longer", "kind": "content", "before": { "size": 1 }, "after": { "size": 5 } },
        { "name": "new", "kind": "added", "after": { "size": 3 } },
        { "name": "other", "kind": "content", "before": { "size": 1 }, "after": { "size": 1 } },
        { "name": "same", "kind": "attributes", "before": { "size": 1, "mode": "0400" }, "after": { "size": 1, "mode": "0440" } },
    ]);
    assert_eq!((&difference["state"], &difference["changes"]), (&json!("changed"), &expected));
    assert_eq!(site.fingerprint(), before);
    let dry = site.run(&["sync", "--dry-run", "--json"]).expect_exit(10).json();
    assert_eq!((dry, site.fingerprint()), (difference.clone(), before));

    let text = site.run(&["diff"]).expect_exit(10).stdout;
    assert!(text.ends_with("  attributes same  1 byte  mode 0400 -> 0440\n"), "{text}");

    let outcome = site.run(&["sync", "--json"]).expect_exit(0).json();
    let same = json!({ "name": "same", "kind": "attributes", "before": { "mode": "0400" }, "after": { "mode": "0440" } });
    assert_eq!(outcome["changes"][4], same);
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

#[test]
fn a_change_of_the_owner_and_of_the_directory_says_from_what_to_what() {
    if !is_root("a_change_of_the_owner_and_of_the_directory_says_from_what_to_what") {
        return;
    }
    let site = Site::with_secrets(&[("a", b"1")]);
    site.sync();
    let config = std::fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    let directory = "path = \"out/app\"\nmode = \"0750\"\nowner = 1000\ngroup = 1001";
    site.config(&config.replace("path = \"out/app\"", directory));
    let text = site.run(&["diff"]).expect_exit(10).stdout;
    for line in [
        "\n  attributes .  mode 0700 -> 0750, owner 0 -> 1000, group 0 -> 1001\n",
        "\n  attributes a  1 byte  owner 0 -> 1000, group 0 -> 1001\n",
    ] {
        assert!(text.contains(line), "{line} {text}");
    }
    let before = json!({ "mode": "0700", "owner": 0, "group": 0 });
    let after = json!({ "mode": "0750", "owner": 1000, "group": 1001 });
    let expected = json!({ "name": ".", "kind": "attributes", "before": before, "after": after });
    for command in ["diff", "sync"] {
        let json = site.run(&[command, "--json"]).json();
        assert_eq!(json["changes"][0], expected, "{command}");
    }
}
