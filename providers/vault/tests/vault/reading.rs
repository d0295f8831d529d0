//! Secrets of the key-value engine, both versions, and their lists.

use secretdir_provider::{SecretRequest, SourceErrorKind};
use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn a_secret_is_the_json_that_the_server_has_with_its_version() {
    let (bao, root) = (bao(), Root::new());
    bao.write("secret/data/app/db", &json!({ "data": { "user": "app", "port": 5432, "pi": 3.50 } }));
    bao.write(
        "secret/data/app/db",
        &json!({ "data": { "user": "app-2", "deep": { "a": [1, "b\u{e4}\n"] } } }),
    );
    let source = source(&root.settings(&bao.endpoint()));
    let secret = fetch(&*source, "secret/app/db").await.unwrap();
    assert_eq!(text(&secret), r#"{"deep":{"a":[1,"bä\n"]},"user":"app-2"}"#);
    assert_eq!((secret.valid_until(), secret.lease()), (None, None));
    assert!(secret.revision().unwrap().starts_with("2 of 20"), "{:?}", secret.revision());
    let old = fetch_version(&*source, "secret/app/db", Some("1")).await.unwrap();
    assert_eq!(text(&old), r#"{"pi":3.5,"port":5432,"user":"app"}"#);
    assert!(old.revision().unwrap().starts_with("1 of 20"), "{:?}", old.revision());
}

#[tokio::test]
async fn a_secret_that_was_deleted_and_made_again_has_another_revision() {
    let (bao, root) = (bao(), Root::new());
    let source = source(&root.settings(&bao.endpoint()));
    let mut revisions = Vec::new();
    for value in ["one", "two"] {
        bao.write("secret/data/again", &json!({ "data": { "v": value } }));
        revisions.push(fetch(&*source, "secret/again").await.unwrap().revision().unwrap().to_owned());
        assert_eq!(
            fetch(&*source, "secret/again").await.unwrap().revision(),
            Some(&*revisions[revisions.len() - 1])
        );
        bao.request("DELETE", "secret/metadata/again", &json!(null));
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    }
    // Both are version 1.
    assert!(revisions.iter().all(|revision| revision.starts_with("1 of ")), "{revisions:?}");
    assert_ne!(revisions[0], revisions[1]);
}

#[tokio::test]
async fn version_1_is_found_by_itself() {
    let (bao, root) = (bao(), Root::new());
    bao.write("sys/mounts/team/kv", &json!({ "type": "kv", "options": { "version": "1" } }));
    bao.write("team/kv/a/b", &json!({ "value": "canary-1", "ttl": "7s" }));
    let source = source(&root.settings(&bao.endpoint()));
    let secret = fetch(&*source, "team/kv/a/b").await.unwrap();
    assert_eq!(text(&secret), r#"{"ttl":"7s","value":"canary-1"}"#);
    // A `ttl` there is advice, and no lease.
    assert_eq!((secret.revision(), secret.valid_until(), secret.lease()), (None, None, None));
    assert_told(
        fetch_version(&*source, "team/kv/a/b", Some("1")).await,
        SourceErrorKind::Unsupported,
        &["the engine at `team/kv/` has no versions"],
    );
    assert_told(
        fetch(&*source, "team/kv/none").await,
        SourceErrorKind::NotFound,
        &["nothing at `team/kv/none`"],
    );
}

#[tokio::test]
async fn what_is_not_there_is_told_apart_from_what_is_no_more_and_from_no_store() {
    let (bao, root) = (bao(), Root::new());
    for value in ["canary-1", "canary-2", "canary-3"] {
        bao.write("secret/data/gone", &json!({ "data": { "v": value } }));
    }
    bao.write("secret/delete/gone", &json!({ "versions": [2] }));
    bao.write("secret/destroy/gone", &json!({ "versions": [3] }));
    let source = source(&root.settings(&bao.endpoint()));
    let not_found = SourceErrorKind::NotFound;
    assert_told(fetch(&*source, "secret/never").await, not_found, &["nothing at `secret/never`"]);
    assert_told(
        fetch_version(&*source, "secret/gone", Some("9")).await,
        not_found,
        &["nothing at `secret/gone`"],
    );
    assert_told(
        fetch_version(&*source, "secret/gone", Some("2")).await,
        not_found,
        &["version 2 of `secret/gone` was deleted at 20", "undelete"],
    );
    assert_told(
        fetch(&*source, "secret/gone").await,
        not_found,
        &["version 3 of `secret/gone` was destroyed"],
    );
    assert_told(fetch(&*source, "secret/data/gone").await, not_found, &["is `secret/gone` meant?"]);
    assert_told(
        fetch(&*source, "nowhere/app").await,
        // The server says the same to a mount that it does not have as to one that it hides.
        SourceErrorKind::PermissionDenied,
        &["there is no mount at the beginning of `nowhere/app`"],
    );
    let elsewhere = format!("{}namespace = \"nobody/has/it\"\n", root.settings(&bao.endpoint()));
    assert_told(
        fetch(&*crate::support::source(&elsewhere), "secret/app").await,
        SourceErrorKind::Unavailable,
        &["no such namespace"],
    );
}

#[tokio::test]
async fn a_mount_that_is_not_there_is_told_as_far_as_the_server_tells_it() {
    let (bao, root) = (bao(), Root::new());
    // Who may do everything is told so where the server is asked to make something.
    let issue = "[issue.app]\npath = \"nowhere/creds/app\"\n";
    let source = source(&format!("{}{issue}", root.settings(&bao.endpoint())));
    assert_told(
        fetch(&*source, "app").await,
        SourceErrorKind::Unavailable,
        &["no secrets engine is mounted at `nowhere/`", "secrets list"],
    );
    // Everybody else hears the same of a mount that is there and of one that is not.
    bao.write("sys/mounts/hidden", &json!({ "type": "kv" }));
    let policy = r#"path "secret/data/app/*" { capabilities = ["read"] }"#;
    let role = Role::make("reading-mounts", policy, &json!({}));
    let source = crate::support::source(&format!("{}{issue}", role.settings(&bao.endpoint())));
    for path in ["nowhere/app", "hidden/app", "nowhere/creds/app"] {
        assert_told(
            fetch(&*source, path).await,
            SourceErrorKind::PermissionDenied,
            &[&format!("there is no mount at the beginning of `{path}`, or no policy")],
        );
    }
    assert_told(
        fetch(&*source, "app").await,
        SourceErrorKind::PermissionDenied,
        &["do not allow `read` on `nowhere/creds/app`"],
    );
}

#[tokio::test]
async fn a_key_value_secret_with_the_name_of_something_made_is_never_taken_for_missing() {
    let (bao, root) = (bao(), Root::new());
    bao.write("sys/mounts/named-1", &json!({ "type": "kv", "options": { "version": "1" } }));
    bao.write("named-1/app/creds/db", &json!({ "v": "one" }));
    bao.write("secret/data/app/creds/db", &json!({ "data": { "v": "two" } }));
    let forwarder = forwarder();
    let settings = root.settings(&forwarder.endpoint());
    let source = source(&settings);
    let (run, _) = run();
    for (mount, end) in [("secret", "creds/db"), ("secret", "sts/none"), ("named-1", "creds/db")] {
        assert_told(
            source.fetch(&run, &SecretRequest::new(format!("{mount}/app/{end}"))).await,
            SourceErrorKind::InvalidRequest,
            &[
                &format!("`{mount}/` is a mount of the key-value engine"),
                &format!("kv-mounts = [\"{mount}\"]"),
            ],
        );
    }
    // Each mount is asked for once in a run, and nothing else is asked.
    let seen = forwarder.seen();
    assert!(seen.len() == 2 && seen.iter().all(|line| line.contains("ui/mounts/")), "{seen:?}");
    let listed = crate::support::source(&format!("{settings}kv-mounts = [\"secret\", \"named-1\"]\n"));
    assert_eq!(text(&fetch(&*listed, "secret/app/creds/db").await.unwrap()), r#"{"v":"two"}"#);
    assert_eq!(text(&fetch(&*listed, "named-1/app/creds/db").await.unwrap()), r#"{"v":"one"}"#);
    // What is described is asked for as it is. The server warns of such a path, and then it has not said that there is nothing.
    let issue = format!("{settings}[issue.db]\npath = \"secret/app/creds/db\"\n");
    assert_told(
        fetch(&*crate::support::source(&issue), "db").await,
        SourceErrorKind::Unavailable,
        &["the server warns that the engine there has no path `secret/app/creds/db`", "kv-mounts"],
    );
}

#[tokio::test]
async fn a_namespace_is_a_server_of_its_own() {
    let (bao, root) = (bao(), Root::new());
    bao.write("sys/namespaces/shop", &json!({}));
    bao.write("shop/sys/mounts/kv", &json!({ "type": "kv-v2" }));
    bao.write("shop/kv/data/app", &json!({ "data": { "v": "of the shop" } }));
    let settings = format!("{}namespace = \"shop/\"\n", root.settings(&bao.endpoint()));
    assert_eq!(text(&fetch(&*source(&settings), "kv/app").await.unwrap()), r#"{"v":"of the shop"}"#);
    let path = fetch(&*source(&root.settings(&bao.endpoint())), "shop/kv/app").await.unwrap();
    assert_eq!(text(&path), r#"{"v":"of the shop"}"#);
}

#[tokio::test]
async fn a_listing_goes_into_every_folder() {
    let (bao, root) = (bao(), Root::new());
    for name in ["x/a", "x/b/c", "x/b/c/d", "x/b/e f?g", "x/b2", "y"] {
        bao.write(
            &format!("secret/data/list/{}", name.replace(' ', "%20").replace('?', "%3F")),
            &json!({ "data": {} }),
        );
    }
    let source = source(&root.settings(&bao.endpoint()));
    let list = async |prefix: &str| {
        let listed = source.list(&run().0, prefix).await.unwrap();
        let mut names: Vec<_> = listed.into_iter().map(|listed| listed.into_name()).collect();
        names.sort();
        names
    };
    let all = [
        "secret/list/x/a",
        "secret/list/x/b/c",
        "secret/list/x/b/c/d",
        "secret/list/x/b/e f?g",
        "secret/list/x/b2",
    ];
    assert_eq!(list("secret/list/x/").await, all);
    assert_eq!(list("secret/list/x/b").await, all[1..]);
    assert_eq!(list("secret/list/x/b/c").await, all[1..3]);
    assert_eq!(list("secret/list/none/").await, Vec::<String>::new());
    assert_eq!(text(&fetch(&*source, "secret/list/x/b/e f?g").await.unwrap()), "{}");
    for (prefix, why) in [
        ("secret", "begins with the mount"),
        ("secret//a", "none of them empty"),
        ("secret/..", "no name begins so"),
    ] {
        let error = source.check_prefix(prefix).unwrap_err();
        assert!(told(&error).1.contains(why), "{prefix}: {error:?}");
    }
}

#[tokio::test]
async fn a_folder_that_may_not_be_listed_is_an_error_and_no_shorter_list() {
    let bao = bao();
    bao.write("secret/data/partly/open/a", &json!({ "data": {} }));
    bao.write("secret/data/partly/closed/b", &json!({ "data": {} }));
    let policy = r#"path "secret/metadata/partly" { capabilities = ["list"] } path "secret/metadata/partly/open" { capabilities = ["list"] } path "secret/data/partly/*" { capabilities = ["read"] }"#;
    let role = Role::make("partly", policy, &json!({}));
    let error = source(&role.settings(&bao.endpoint())).list(&run().0, "secret/partly/").await.unwrap_err();
    let (kind, text) = told(&error);
    assert_eq!(kind, SourceErrorKind::PermissionDenied);
    assert!(text.contains("do not allow `list` on `secret/metadata/partly/closed`"), "{text}");
}

#[tokio::test]
async fn two_hundred_secrets_take_two_hundred_and_three_calls_on_few_connections() {
    let bao = bao();
    for number in 0..200 {
        bao.write(&format!("secret/data/many/{number}"), &json!({ "data": { "n": number } }));
    }
    let policy = r#"path "secret/data/many/*" { capabilities = ["read"] }"#;
    let role = Role::make("many", policy, &json!({}));
    let forwarder = forwarder();
    let source = source(&role.settings(&forwarder.endpoint()));
    let requests: Vec<_> =
        (0..200).map(|number| SecretRequest::new(format!("secret/many/{number}"))).collect();
    let (run, _) = run();
    let answers = secretdir_provider::Answers::new(requests.len());
    source.fetch_all(&run, &requests, &answers).await;
    assert_eq!(answers.secret_count(), 200);
    source.close(&run).await;
    let seen = forwarder.seen();
    assert!(seen.len() <= 203, "{}", seen.len());
    assert_eq!(seen.iter().filter(|line| line.contains("/login")).count(), 1);
    assert!(seen.last().unwrap().contains("revoke-self"), "{:?}", seen.last());
    assert!(forwarder.connections() <= run.concurrency().get(), "{}", forwarder.connections());
}

#[tokio::test]
async fn names_that_the_server_cannot_have_are_refused_offline() {
    let source = source("[issue.other]\npath = \"pki/issue/other\"\n");
    for (name, why) in [
        ("", "must not be empty"),
        ("/secret/a", "none of them empty"),
        ("v1/secret/a", "leave out `v1/`"),
        ("secret/../sys/raw", "`..`"),
        ("web", "no [sources.NAME.issue.web] either"),
    ] {
        let named = source.check(&SecretRequest::new(name)).unwrap_err();
        let text = told(&named).1;
        assert!(text.contains(why), "{name}: {text}");
    }
    for version in ["0", "01", "latest", "-1", "1.5", ""] {
        source.check(&SecretRequest::new("secret/a").with_version(version)).unwrap_err();
    }
    source.check(&SecretRequest::new("secret/a").with_version("12")).unwrap();
    assert_told(
        fetch(&*source, "secret/a").await,
        SourceErrorKind::Unavailable,
        &["the address of the server is not set", "BAO_ADDR"],
    );
}
