//! Lists of a server that is not what it should be.

use secretdir_provider::SourceErrorKind;
use secretdir_testkit::Forwarder;
use serde_json::json;

use crate::issuing::ok;
use crate::support::*;

/// Lists what is below `secret/`, which has these keys, and returns what went wrong.
async fn refused(forwarder: &Forwarder, keys: &[String]) -> String {
    let answer = json!({ "data": { "keys": keys } }).to_string();
    forwarder.answer("LIST /v1/secret/metadata", 1, ok(&answer));
    let root = Root::new();
    let error = source(&root.settings(&forwarder.endpoint())).list(&run().0, "secret/").await.unwrap_err();
    let (kind, text) = told(&error);
    assert_eq!(kind, SourceErrorKind::InvalidData, "{text}");
    text
}

#[tokio::test]
async fn names_that_no_secret_can_have_are_refused() {
    let forwarder = forwarder();
    for key in ["", "/", ".", "./", "..", "../", "a/b", "a/b/", "/a", "a//", "canary\n", "a\u{7f}/"] {
        let text = refused(&forwarder, &["good".to_owned(), key.to_owned()]).await;
        assert!(text.contains("lists an invalid name in `secret/metadata/`"), "{key:?}: {text}");
        assert!(!text.contains("canary"), "{text}");
    }
}

#[tokio::test]
async fn a_list_has_a_bounded_number_of_names() {
    let keys: Vec<_> = (0..100_001).map(|number| format!("k{number}")).collect();
    let text = refused(&forwarder(), &keys).await;
    assert!(
        text.contains("more than 100000 names below `secret/`") && text.contains("longer prefix"),
        "{text}"
    );
}

#[tokio::test]
async fn a_list_has_a_bounded_number_of_bytes() {
    let forwarder = forwarder();
    let folder = "f".repeat(4000);
    let first = json!({ "data": { "keys": [format!("{folder}/")] } }).to_string();
    let keys: Vec<_> = (0..4200).map(|number| format!("k{number}")).collect();
    let second = json!({ "data": { "keys": keys } }).to_string();
    forwarder.answer(&format!("LIST /v1/secret/metadata/{folder}"), 1, ok(&second));
    forwarder.answer("LIST /v1/secret/metadata", 1, ok(&first));
    let root = Root::new();
    let error = source(&root.settings(&forwarder.endpoint())).list(&run().0, "secret/").await.unwrap_err();
    assert!(told(&error).1.contains("more than 16777216 bytes of names"), "{error:?}");
}
