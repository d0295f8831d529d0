//! Tools that ask a server, which is a stub here: doppler, kubectl.

use secretdir_testkit::{Reply, Stub};
use serde_json::json;

use super::Recipe;
use crate::pem::Authority;

fn reply(status: u16, body: &serde_json::Value) -> Reply {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Reply::Answer { status, headers, body: body.to_string().into_bytes() }
}

#[test]
fn doppler_downloads_a_config_once_for_all_its_fields() {
    const DOWNLOAD: &str = "GET /v3/configs/config/secrets/download?config=prd&format=json";
    let mut recipe = Recipe::of("doppler");
    let secrets = json!({ "DB_PASSWORD": "hunter2", "API_TOKEN": "a\nb" });
    let stub = Stub::by_text(vec![(DOWNLOAD, reply(200, &secrets))]);
    recipe.variables = vec![("DOPPLER_TOKEN", "dp.st.prd.example".to_owned())];
    recipe.shell(&format!("doppler configure set api-host {} --scope / --no-check-version", stub.endpoint()));
    recipe.publishes(&[("db/password", "hunter2"), ("api-token", "a\nb")]);
    let seen = stub.seen();
    assert!(seen.len() == 1 && seen[0].0.contains("project=shop"), "{seen:?}");
    assert_eq!(stub.headers("authorization"), [Some("Bearer dp.st.prd.example".to_owned())]);

    // Nothing is answered out of a file when the server is gone.
    drop(stub);
    recipe.run("sync").expect_exit(3).expect_error(&["secret `prd`", "`doppler` failed: exit status: 1"]);
}

/// What kubectl asks before it asks for an object.
fn discovery() -> Vec<(&'static str, Reply)> {
    let secrets = json!({ "name": "secrets", "singularName": "secret", "namespaced": true, "kind": "Secret", "verbs": ["get"] });
    let resources = json!({ "kind": "APIResourceList", "groupVersion": "v1", "resources": [secrets] });
    vec![
        ("GET /api?", reply(200, &json!({ "kind": "APIVersions", "versions": ["v1"] }))),
        ("GET /apis?", reply(200, &json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": [] }))),
        ("GET /api/v1?", reply(200, &resources)),
    ]
}

fn object(data: &serde_json::Value) -> Reply {
    reply(200, &json!({ "kind": "Secret", "apiVersion": "v1", "metadata": { "name": "x" }, "data": data }))
}

#[test]
fn kubectl_gives_the_data_of_secrets() {
    let mut recipe = Recipe::of("kubectl");
    let Authority { root, issuer, key, .. } = Authority::new(&recipe.site);
    let encoded = |file: &str| recipe.shell(&format!("base64 -w 0 {file}")).stdout;
    recipe.shell("cat leaf.pem issuer.pem root.pem > all.pem");
    let tls = json!({ "tls.key": encoded("leaf.key"), "tls.crt": encoded("all.pem") });
    let mut replies = discovery();
    let none = json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "secrets \"db\" not found", "reason": "NotFound", "code": 404 });
    replies.extend([
        ("/api/v1/namespaces/shop/secrets/shop-tls", object(&tls)),
        ("/api/v1/namespaces/shop/secrets/db", object(&json!({ "password": "aHVudGVyMg==" }))),
    ]);
    let stub = Stub::by_text(replies);
    let config = recipe.site.path().join("kubeconfig");
    recipe.variables = vec![("KUBECONFIG", config.to_str().unwrap().to_owned())];
    let aim = |stub: &Stub| {
        recipe.shell(&format!(
            "kubectl config set-cluster c --server {} && kubectl config set-context c --cluster c && kubectl config use-context c",
            stub.endpoint()
        ))
    };
    aim(&stub);
    recipe.publishes(&[
        ("db/password", "hunter2"),
        ("tls/key.pem", &key),
        ("tls/chain.pem", &format!("{issuer}{root}")),
    ]);

    let gone = Stub::by_text([discovery(), vec![("", reply(404, &none))]].concat());
    aim(&gone);
    recipe.run("sync").expect_exit(3).expect_error(&["`kubectl` failed: exit status: 1", "NotFound"]);
}
