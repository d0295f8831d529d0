//! The order of the protocol's calls, and what happens when the last of them fail.

use std::fs;

use crate::support::{Call, Site, inject, is_root, trace};

const SECRETS: &[(&str, &[u8])] = &[("a", b"1"), ("d/b", b"2"), ("d/e/c", b"3")];
const SETTLED: &[&str] = &[".app.gen", ".app.lock", ".app.note", "app"];

/// Makes a site with more keys under `[directory]`.
fn site(directory: &str) -> Site {
    let site = Site::with_secrets(SECRETS);
    let config = fs::read_to_string(site.path().join("secretdir.toml")).unwrap();
    site.config(&config.replace("\n\n[sources", &format!("\n{directory}\n\n[sources")));
    site
}

/// Returns the calls of a first publish from the temporary link on.
fn publish(site: &Site) -> Vec<Call> {
    let trace = trace(site, &["sync"], &[]);
    assert!(trace.ran.status.success(), "{:?}", trace.ran);
    trace.since("symlinkat").to_vec()
}

fn positions(calls: &[Call], name: &str) -> Vec<usize> {
    let found = calls.iter().enumerate().filter(|(_, call)| call.name == name);
    found.map(|(position, _)| position).collect()
}

fn only(calls: &[Call], name: &str) -> usize {
    let found = positions(calls, name);
    assert_eq!(found.len(), 1, "{name}: {calls:#?}");
    found[0]
}

/// Whatever makes or fills something, up to the flip.
fn makes(call: &Call) -> bool {
    matches!(call.name.as_str(), "mkdirat" | "write" | "fchmod" | "fchown") || call.line.contains("O_CREAT")
}

#[test]
fn everything_is_made_then_synced_then_flipped_then_settled() {
    let calls = publish(&site(""));
    let (synced, flipped, settled) =
        (only(&calls, "syncfs"), only(&calls, "renameat2"), only(&calls, "fsync"));
    assert!(synced < flipped && flipped < settled, "{calls:#?}");
    assert!(calls[flipped].line.contains("RENAME_NOREPLACE"));
    let before = calls.iter().take(synced).filter(|call| makes(call)).count();
    assert!(before >= 3 * 3 + 3 * 2 + 3, "{calls:#?}");
    let after: Vec<_> =
        calls[synced..].iter().filter(|call| makes(call) && !call.line.contains("published")).collect();
    assert!(after.is_empty(), "{after:#?}");
}

#[test]
fn per_file_syncs_each_file_each_directory_the_note_and_the_parent() {
    let calls = publish(&site("durability = \"per-file\""));
    assert!(positions(&calls, "syncfs").is_empty());
    let flipped = only(&calls, "renameat2");
    let synced: Vec<_> =
        positions(&calls, "fsync").into_iter().filter(|position| *position < flipped).collect();
    // Three files, three directories, the note, and the parent, last.
    assert_eq!(synced.len(), 3 + 3 + 1 + 1, "{calls:#?}");
    assert_eq!(positions(&calls, "fsync").len(), synced.len() + 1);
    for position in synced {
        let number = calls[position].line.trim_start_matches("fsync(").split(')').next().unwrap().to_owned();
        let changed_later = calls[position..flipped]
            .iter()
            .take_while(|call| !call.line.starts_with(&format!("close({number})")));
        let changed_later: Vec<_> =
            changed_later.filter(|call| call.line.starts_with(&format!("write({number},"))).collect();
        assert!(changed_later.is_empty(), "{changed_later:#?}");
    }
}

#[test]
fn without_durability_nothing_is_synced() {
    let calls = publish(&site("durability = \"none\""));
    assert!(positions(&calls, "fsync").is_empty() && positions(&calls, "syncfs").is_empty(), "{calls:#?}");
}

#[test]
fn whatever_is_made_is_new_never_through_a_link_and_closed_to_others() {
    let trace = trace(&site(""), &["sync"], &[]);
    let made: Vec<_> = trace.calls.iter().filter(|call| call.line.contains("O_CREAT")).collect();
    // The lock, three files and the note.
    assert_eq!(made.len(), 5, "{made:#?}");
    for call in made {
        for flag in ["O_EXCL", "O_NOFOLLOW", "O_CLOEXEC", ", 0600)"] {
            assert!(call.line.contains(flag), "no {flag} in {}", call.line);
        }
    }
    let directories = trace.since("symlinkat").iter().filter(|call| call.name == "mkdirat");
    assert!(directories.map(|call| &call.line).all(|line| line.contains(", 0700)")));
}

#[test]
fn an_owner_is_set_before_the_mode() {
    if !is_root("an_owner_is_set_before_the_mode") {
        return;
    }
    let calls = publish(&site("owner = 65534"));
    let owned = positions(&calls, "fchown");
    assert_eq!(owned.len(), 6, "{calls:#?}");
    for position in owned {
        assert_eq!(calls[position + 1].name, "fchmod", "{calls:#?}");
    }
}

#[test]
fn a_flip_that_may_not_last_is_exit_6_and_retires_nothing() {
    let make = || {
        let site = site("retain = \"0s\"");
        site.sync();
        site.secret("a", "new");
        site
    };
    let reference = trace(&make(), &["sync"], &[]);
    let settle = reference.since("renameat(").iter().find(|call| call.name == "fsync").unwrap().clone();
    let site = make();
    let before = site.run(&["status", "--json"]).json()["last_success"].clone();
    let ran = inject(&site, &["sync"], &[settle.fault("error=EIO")]).expect_exit(6);
    assert!(ran.stdout.starts_with("published 3 files"), "{ran:?}");
    ran.expect_error(&[
        "error: cannot sync ",
        "(step 10, make the flip durable): Input/output error",
        "hint: the new set is current",
    ]);
    assert_eq!(site.read("a"), b"new");
    assert_eq!(site.names(), [".app.gen", ".app.gen", ".app.lock", ".app.note", ".app.note", "app"]);
    assert_eq!(site.run(&["status", "--json"]).json()["last_success"], before);

    // A run that cannot settle it either says so again.
    inject(&site, &["sync"], &["fsync:error=EIO:when=1".to_owned()])
        .expect_exit(6)
        .expect_error(&["(step 10, "]);
    assert_eq!(site.names().len(), 6);

    // The next run finds nothing to change, settles what was not settled, and only then retires.
    let trace = trace(&site, &["sync"], &[]);
    assert!(trace.ran.stdout.starts_with("unchanged"), "{:?}", trace.ran);
    let calls = trace.since(".app.lock");
    assert!(only(calls, "fsync") < positions(calls, "unlinkat")[0], "{calls:#?}");
    assert_eq!(site.names(), SETTLED);
}

#[test]
fn where_a_rename_cannot_refuse_to_replace_a_second_name_does() {
    for faults in [
        &["renameat2:error=EINVAL:when=1".to_owned()][..],
        &["renameat2:error=EINVAL:when=1".to_owned(), "unlinkat:error=EIO:when=1".to_owned()][..],
    ] {
        let site = site("");
        inject(&site, &["sync"], faults).expect_exit(0);
        assert_eq!(site.read("d/e/c"), b"3");
        site.sync();
        assert_eq!(site.names(), SETTLED);
        assert_eq!(site.read("d/e/c"), b"3");
    }
}

#[test]
fn a_rename_that_fails_keeps_the_old_set_and_its_time() {
    let site = site("");
    site.sync();
    let before = site.fingerprint().without_folder();
    site.secret("a", "new");
    inject(&site, &["sync"], &["renameat:error=EIO:when=1".to_owned()])
        .expect_exit(4)
        .expect_error(&["(step 9, flip): Input/output error"]);
    assert_eq!(site.fingerprint().without_folder(), before);
    assert_eq!(site.names(), SETTLED);
}
