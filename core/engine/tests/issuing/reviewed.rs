//! What a hostile review has found: sets that were half, leases that piled up, times that were wrong.

use std::time::Duration;

use secretdir_engine::{DifferenceState, State};

use super::PAIR;
use super::mint::Site;

const IMPORT: &str = "[[import]]\nsource = \"mint\"\nsecret = \"new/app\"\nexpand = \"json\"\n";

#[tokio::test]
async fn whatever_becomes_of_imported_keys_they_are_of_one_answer() {
    let override_of_user = format!("[files]\nuser = {{ source = \"mint\", secret = \"plain\" }}\n{IMPORT}");
    let only_user = format!("{IMPORT}include = [\"user\"]\n");
    let twice = format!("{IMPORT}{IMPORT}into = \"again\"\n");
    for (before, after, names) in [
        (override_of_user.as_str(), IMPORT, &["user", "password"][..]),
        (IMPORT, override_of_user.as_str(), &["password"]),
        (only_user.as_str(), IMPORT, &["user", "password"]),
        (IMPORT, only_user.as_str(), &["user"]),
        (IMPORT, twice.as_str(), &["user", "password", "again/user", "again/password"]),
        (twice.as_str(), IMPORT, &["user", "password"]),
    ] {
        let mut site = Site::new(before);
        site.sync().await.unwrap();
        site.configure(after);
        assert_eq!(site.diff().await.state, DifferenceState::Changed, "{after}");
        site.sync().await.unwrap();
        for name in names {
            let (_, key) = name.rsplit_once('/').unwrap_or(("", name));
            assert_eq!(site.read(name), format!("{key}-2"), "{before} then {after}");
        }
        assert_eq!(site.sync().await.unwrap().state, State::Unchanged);
        assert_eq!(site.store.made(), 2);
    }
}

#[tokio::test]
async fn a_secret_that_a_store_does_not_make_is_no_reason_to_make_another_anew() {
    let site = Site::new(
        "[files.env]\ntemplate-text = \"{{ db.user }} {{ other }}\"\n[files.env.secrets]\n\
         db = { source = \"mint\", secret = \"new/app\", expand = \"json\" }\n\
         other = { source = \"mint\", secret = \"new/none\", default = \"-\" }\n",
    );
    site.sync().await.unwrap();
    assert_eq!(site.read("env"), "user-1 -");
    for _ in 0..2 {
        assert_eq!(site.sync().await.unwrap().state, State::Unchanged);
    }
    assert_eq!(site.store.made(), 1);
}

#[tokio::test]
async fn times_that_a_wrong_clock_has_noted_do_not_count() {
    let site = Site::new(PAIR);
    site.pass(Duration::from_secs(86_400));
    site.sync().await.unwrap();
    site.store.turn_back(Duration::from_secs(80_000));
    assert_eq!(site.diff().await.state, DifferenceState::Changed);
    site.sync().await.unwrap();
    assert_eq!(site.store.made(), 2);
}

#[tokio::test]
async fn what_has_ended_would_be_made_anew() {
    let site = Site::new(PAIR);
    site.sync().await.unwrap();
    site.pass(Duration::from_secs(101));
    let difference = site.diff().await;
    assert_eq!((difference.state, difference.to_issue.len()), (DifferenceState::Changed, 1));
}

#[tokio::test]
async fn beside_what_would_be_made_anew_only_what_changes_is_named() {
    let pair = PAIR.replace("user =", "\"db/user\" =").replace("password =", "\"db/password\" =");
    let keys = format!("{IMPORT}into = \"db\"\n");
    let user = "\"db/user\" = { source = \"mint\", secret = \"plain\" }\n";
    let removed = pair.lines().filter(|line| !line.contains("db/user")).collect::<Vec<_>>().join("\n");
    let replaced = format!("{removed}\n{user}");
    let overridden = format!("[files]\n{user}{keys}");
    for (before, after, issued, changed) in [
        (&pair, &pair, &["db/password", "db/user"][..], &[][..]),
        (&keys, &keys, &["db/password", "db/user"], &[]),
        (&pair, &removed, &["db/password"], &["db/user"]),
        (&pair, &replaced, &["db/password"], &["db/user"]),
        (&keys, &overridden, &["db/password"], &["db/user"]),
        (&keys, &format!("{keys}exclude = [\"user\"]\n"), &["db/password"], &["db/user"]),
    ] {
        let mut site = Site::new(before);
        site.sync().await.unwrap();
        site.configure(after);
        site.pass(Duration::from_secs(101));
        let difference = site.diff().await;
        assert_eq!(difference.to_issue.len(), 1, "{difference}");
        assert_eq!(difference.to_issue[0].file_names, issued, "{before} then {after}: {difference}");
        let changes: Vec<_> = difference.changes.iter().map(|change| &change.name).collect();
        assert_eq!(changes, changed, "{before} then {after}: {difference}");
    }
}

#[tokio::test]
async fn a_lease_that_comes_to_no_file_is_given_back() {
    let site = Site::new(&format!(
        "{IMPORT}include = [\"nothing\"]\nallow-empty = true\n[files]\na = {{ source = \"mint\", secret = \"plain\" }}\n"
    ));
    for _ in 0..3 {
        site.sync().await.unwrap();
    }
    assert_eq!(site.store.released().len(), site.store.made());
}

#[tokio::test]
async fn a_lease_that_another_replaces_without_a_change_is_given_back() {
    let site = Site::new(
        "[files]\nport = { source = \"mint\", secret = \"new/app\", field = \"port\", default = \"1\" }\n",
    );
    site.sync().await.unwrap();
    site.pass(Duration::from_secs(70));
    assert_eq!(site.sync().await.unwrap().state, State::Unchanged);
    assert_eq!((site.store.made(), site.store.released()), (2, vec!["lease-1".to_owned()]));
}

#[tokio::test]
async fn leases_of_a_source_that_is_gone_are_warned_of() {
    let mut site = Site::new(PAIR);
    site.sync().await.unwrap();
    site.configure(
        "[sources.other]\nprovider = \"mint\"\n[files]\na = { source = \"other\", secret = \"plain\" }\n",
    );
    site.remove_source();
    site.sync().await.unwrap();
    site.pass(Duration::from_secs(10));
    let warnings = site.sync().await.unwrap().warnings;
    let told = |text: &str| warnings.iter().any(|warning| warning.message.contains(text));
    assert!(told("1 lease of source `mint`, which is no longer configured"), "{warnings:?}");
}

#[tokio::test]
async fn a_store_that_replaces_a_secret_by_itself_is_not_warned_of() {
    let site = Site::new("[files]\na = { source = \"mint\", secret = \"rotating\" }\n");
    site.sync().await.unwrap();
    site.pass(Duration::from_secs(90));
    assert!(site.sync().await.unwrap().warnings.is_empty());
}

#[tokio::test]
async fn a_published_file_that_is_made_huge_is_not_read() {
    let site = Site::new(PAIR);
    site.sync().await.unwrap();
    std::fs::OpenOptions::new().write(true).open(site.path("user")).unwrap().set_len(1 << 40).unwrap();
    site.sync().await.unwrap();
    assert_eq!((site.read("user"), site.store.made()), ("user-2".into(), 2));
}
