//! What the command makes of the protocol: owners, and a flip that may not last. The order of the calls themselves is on
//! trial in `tests/trials`.

use std::fs;

use crate::support::{Call, Site, inject, is_root, trace};

const SECRETS: &[(&str, &[u8])] = &[("a", b"1"), ("d/b", b"2"), ("d/e/c", b"3")];
const SETTLED: &[&str] = &[".app.gen", "app", "state/lock", "state/made", "state/note"];

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
fn an_owner_that_everything_has_anyway_costs_no_call() {
    let calls = publish(&site(&format!("owner = {}", rustix::process::geteuid().as_raw())));
    assert!(positions(&calls, "fchown").is_empty(), "{calls:#?}");
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
    let before = site.run(&["status", "--json"]).json()["last_success_at"].clone();
    let ran = inject(&site, &["sync"], &[settle.fault("error=EIO")]).expect_exit(6);
    assert!(ran.stdout.starts_with("published 3 files"), "{ran:?}");
    ran.expect_error(&[
        "error: cannot sync ",
        "(step 10, make the flip durable): Input/output error",
        "hint: the new set is current",
    ]);
    assert_eq!(site.read("a"), b"new");
    assert_eq!(
        site.names(),
        [".app.gen", ".app.gen", "app", "state/lock", "state/made", "state/made", "state/note", "state/note"]
    );
    assert_eq!(site.run(&["status", "--json"]).json()["last_success_at"], before);

    // A run that cannot settle it either says so again.
    inject(&site, &["sync"], &["fsync:error=EIO:when=1".to_owned()])
        .expect_exit(6)
        .expect_error(&["(step 10, "]);
    assert_eq!(site.names().len(), 8);

    // The next run finds nothing to change, settles what was not settled, and only then retires.
    let trace = trace(&site, &["sync"], &[]);
    assert!(trace.ran.stdout.starts_with("unchanged"), "{:?}", trace.ran);
    let calls = trace.since(".app.state");
    assert!(only(calls, "fsync") < positions(calls, "unlinkat")[0], "{calls:#?}");
    assert_eq!(site.names(), SETTLED);
}
