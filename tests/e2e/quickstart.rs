//! The first command of the README, and what comes after it.

use std::fs;
use std::path::Path;

use crate::support::{Fingerprint, Site};

/// Copies the example, so that its link is not shared with whoever tries it by hand.
fn quickstart() -> Site {
    let site = Site::new();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config-examples");
    let config = fs::read_to_string(examples.join("quickstart.toml")).unwrap();
    site.config(&config.replace("../target/quickstart/app", "out/app"));
    fs::create_dir(site.path().join("quickstart-secrets")).unwrap();
    for file in ["db.json", "tls-key.pem"] {
        fs::copy(
            examples.join("quickstart-secrets").join(file),
            site.path().join("quickstart-secrets").join(file),
        )
        .unwrap();
    }
    site
}

#[test]
fn it_publishes_then_says_unchanged_and_moves_nothing() {
    let site = quickstart();
    let first = site.sync();
    assert!(first.stdout.starts_with("published 4 files at "), "{first:?}");
    assert_eq!(first.stderr, "");
    assert_eq!(site.read("db/password"), b"not-a-real-password");
    assert_eq!(site.read("db/port"), b"5432");
    assert_eq!(site.read("home"), site.path().as_os_str().as_encoded_bytes());
    assert!(site.read("tls/key.pem").ends_with(b"-----END EXAMPLE-----\n"));

    let before = site.fingerprint();
    let second = site.sync();
    assert!(second.stdout.starts_with("unchanged: 4 files at "), "{second:?}");
    assert_eq!(site.fingerprint(), before);
}

#[test]
fn a_changed_secret_flips_the_link_once() {
    let site = quickstart();
    site.sync();
    let before = fs::read_link(site.link()).unwrap();
    fs::write(site.path().join("quickstart-secrets/db.json"), r#"{"password": "another", "port": 5432}"#)
        .unwrap();
    let changed = site.run(&["sync", "--json"]).expect_exit(0).json();
    assert_eq!(changed["state"], "published");
    assert_eq!(changed["changes"], serde_json::json!([{ "name": "db/password", "kind": "content" }]));
    assert_eq!(site.read("db/password"), b"another");
    let after = fs::read_link(site.link()).unwrap();
    assert_ne!(before, after);

    let fingerprint = site.fingerprint();
    assert_eq!(site.run(&["sync", "--json"]).expect_exit(0).json()["state"], "unchanged");
    assert_eq!(site.fingerprint(), fingerprint);
    // The old generation stays for its last readers.
    assert_eq!(
        site.names(),
        [".app.gen", ".app.gen", "app", "state/lock", "state/made", "state/made", "state/note", "state/note"]
    );
}

#[test]
fn status_names_the_generation_its_age_and_its_files() {
    let site = quickstart();
    let nothing = site.run(&["status", "--json"]).expect_exit(0).json();
    assert_eq!(
        (&nothing["generation"], &nothing["last_success_at"]),
        (&serde_json::Value::Null, &serde_json::Value::Null)
    );

    assert_eq!(nothing["state"], "nothing-published");

    site.sync();
    let before = Fingerprint::of(&site.link());
    let status = site.run(&["status", "--json"]).expect_exit(0).json();
    let generation = &status["generation"];
    assert_eq!((&status["state"], &generation["on_change"]), (&"published".into(), &"not-configured".into()));
    assert!(status["last_success_at"].as_u64() >= generation["published_at"].as_u64(), "{status}");
    let target = fs::read_link(site.link()).unwrap();
    assert_eq!(format!(".app.gen-{}", generation["id"].as_str().unwrap()), target.to_str().unwrap());
    assert!(generation["age_seconds"].as_u64().unwrap() < 3600);
    assert!(status["last_success_age_seconds"].as_u64().unwrap() < 3600);
    let files = generation["files"].as_array().unwrap();
    let names: Vec<_> = files.iter().map(|file| file["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["db/password", "db/port", "home", "tls/key.pem"]);
    let secret = &files[0]["secrets"][0];
    assert_eq!((&files[0]["mode"], &secret["source"]), (&"0400".into(), &"local".into()));
    assert_eq!(secret["secret_name"], "db.json");

    let text = site.run(&["status"]).expect_exit(0);
    for part in ["generation ", "last success: ", "  0400 db/password  from local: db.json"] {
        assert!(text.stdout.contains(part), "{text:?}");
    }
    assert_eq!(site.fingerprint(), before);
}

#[test]
fn check_fetch_asks_every_source_and_publishes_nothing() {
    let site = quickstart();
    let ran = site.run(&["check", "--fetch"]).expect_exit(0);
    assert!(ran.stdout.starts_with("ok: 4 files from 2 sources"), "{ran:?}");
    assert!(!site.path().join("out").exists());
    fs::remove_file(site.path().join("quickstart-secrets/tls-key.pem")).unwrap();
    site.run(&["check", "--fetch"]).expect_exit(3).expect_error(&[
        "tls/key.pem",
        "tls-key.pem",
        "`local`",
        "not found",
    ]);
    site.run(&["check"]).expect_exit(0);
}
