//! Secret IDs in a wrapping, which can be opened once.

use secretdir_testkit::ROOT_TOKEN;
use serde_json::json;

use crate::logins::{NAME, UNAUTHENTICATED, python, shared};
use crate::support::*;

#[tokio::test]
async fn a_wrapped_secret_id_is_opened_once_and_kept() {
    let role = Role::make("login-wrapped", shared(), &json!({ "token_ttl": "1h" }));
    let path = "auth/approle/role/login-wrapped/secret-id";
    let wrapped = wrap(path);
    let settings = role.settings(&bao().endpoint());
    role.secret_id.set(&wrapped);
    let settings = settings.replace("secret-id", "wrapped-secret-id");
    let watching = source(&settings);
    fetch(&*watching, NAME).await.unwrap();
    watching.close(&run().0).await;
    fetch(&*watching, NAME).await.unwrap();
    let another = source(&settings);
    assert_told(fetch(&*another, NAME).await, UNAUTHENTICATED, &["was already used", "secretdir watch"]);
    // Something else in it may have been put there by somebody.
    Role::make_at("approle-other", "login-wrapped", shared(), &json!({}));
    bao().write("sys/mounts/wrapped", &json!({ "type": "kv" }));
    for path in [
        "sys/wrapping/wrap",
        "wrapped/evil/secret-id",
        "wrapped/auth/approle/role/x/secret-id",
        "auth/approle-other/role/login-wrapped/secret-id",
    ] {
        role.secret_id.set(&wrap(path));
        assert_told(fetch(&*source(&settings), NAME).await, UNAUTHENTICATED, &["does not wrap a secret ID"]);
    }
}

#[tokio::test]
async fn a_wrapping_says_exactly_what_is_in_it() {
    let role = Role::make("login-lookup", shared(), &json!({}));
    let forwarder = forwarder();
    let settings = role.settings(&forwarder.endpoint()).replace("secret-id", "wrapped-secret-id");
    for path in [
        "auth/approle/role/secret-id",
        "auth/approle/role//secret-id",
        "auth/approle/role/a/b/secret-id",
        "auth/approle/role/a/secret-id/",
        "auth/approle/role/a/secret-id/lookup",
        "auth/approle2/role/a/secret-id",
        "approle/role/a/secret-id",
        "",
    ] {
        forwarder.forget();
        let answer = json!({ "data": { "creation_path": path, "odd": "x/secret-id" } }).to_string();
        forwarder.answer("wrapping/lookup", 1, crate::issuing::ok(&answer));
        assert_told(fetch(&*source(&settings), NAME).await, UNAUTHENTICATED, &["does not wrap a secret ID"]);
        assert_eq!(forwarder.seen().len(), 1, "{:?}", forwarder.seen());
    }
}

#[tokio::test]
async fn a_wrapping_of_a_namespace_is_opened_there() {
    let bao = bao();
    let name = |path: &str| format!("wrapping-shop/{path}");
    bao.write("sys/namespaces/wrapping-shop", &json!({}));
    bao.write(&name("sys/mounts/kv"), &json!({ "type": "kv" }));
    bao.write(&name("kv/app"), &json!({ "v": 1 }));
    bao.write(&name("sys/auth/approle"), &json!({ "type": "approle" }));
    let policy = r#"path "kv/app" { capabilities = ["read"] }"#;
    bao.write(&name("sys/policies/acl/app"), &json!({ "policy": policy }));
    bao.write(&name("auth/approle/role/app"), &json!({ "token_policies": ["app"] }));
    let role_id = bao.request("GET", &name("auth/approle/role/app/role-id"), &json!(null));
    let wrapped = Credential::new(&wrap(&name("auth/approle/role/app/secret-id")));
    let settings = format!(
        "address = \"{}\"\nnamespace = \"wrapping-shop\"\nauth = {{ method = \"approle\", role-id = {}, wrapped-secret-id = {} }}\n",
        bao.endpoint(),
        role_id["data"]["role_id"],
        wrapped.setting()
    );
    assert_eq!(text(&fetch(&*source(&settings), "kv/app").await.unwrap()), r#"{"v":1}"#);
}

/// Wraps what a path answers, for five minutes.
fn wrap(path: &str) -> String {
    let script = "import hvac,sys\nclient=hvac.Client(url=sys.argv[1],token=sys.argv[2])\npath=sys.argv[3]\n\
                  is_kv=path.startswith('wrapped/')\n\
                  if is_kv: client.write(path,secret_id='canary')\n\
                  made=client.read(path,wrap_ttl='300s') if is_kv else client.write(path,wrap_ttl='300s')\n\
                  print(made['wrap_info']['token'],end='')";
    python(&[script, &bao().endpoint(), ROOT_TOKEN, path])
}
