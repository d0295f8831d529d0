//! Logging in: each method, each refusal, and a token that ends.

use std::time::Duration;

use secretdir_provider::{Answers, Retry, SecretRequest, SourceErrorKind};
use secretdir_testkit::ROOT_TOKEN;
use serde_json::json;

use crate::support::*;

pub(crate) const UNAUTHENTICATED: SourceErrorKind = SourceErrorKind::Unauthenticated;

/// Everybody may read this.
pub(crate) fn shared() -> &'static str {
    bao().write("secret/data/login/shared", &json!({ "data": { "v": "shared" } }));
    r#"path "secret/data/login/*" { capabilities = ["read"] }"#
}

pub(crate) const NAME: &str = "secret/login/shared";

#[tokio::test]
async fn a_token_of_a_file_is_read_by_each_run() {
    shared();
    let token = Credential::new("no-token-canary");
    let address = bao().endpoint();
    let source = source(&format!(
        "address = \"{address}\"\nauth = {{ method = \"token\", token = {} }}\n",
        token.setting()
    ));
    assert_told(fetch(&*source, NAME).await, UNAUTHENTICATED, &["refuses the token", "see `auth`"]);
    token.set(&format!("{ROOT_TOKEN}\n"));
    fetch(&*source, NAME).await.unwrap();
    source.close(&run().0).await;
    // A token of somebody else is not revoked.
    fetch(&*source, NAME).await.unwrap();
    token.set("");
    fetch(&*source, NAME).await.unwrap_err();
}

#[tokio::test]
async fn an_approle_logs_in_once_for_all_runs_and_ends_its_token() {
    let role = Role::make("login-approle", shared(), &json!({ "token_ttl": "1h" }));
    let forwarder = forwarder();
    let source = source(&role.settings(&forwarder.endpoint()));
    for _ in 0..3 {
        fetch(&*source, NAME).await.unwrap();
    }
    let logins = || forwarder.seen().iter().filter(|line| line.contains("approle/login")).count();
    assert_eq!(logins(), 1);
    source.close(&run().0).await;
    assert!(forwarder.seen().last().unwrap().contains("revoke-self"));
    fetch(&*source, NAME).await.unwrap();
    assert_eq!(logins(), 2);
}

#[tokio::test]
async fn a_refused_login_is_told_of_each_secret_and_not_tried_again() {
    let role = Role::make("login-refused", shared(), &json!({}));
    role.secret_id.set("canary-no-secret-id");
    let forwarder = forwarder();
    let source = source(&role.settings(&forwarder.endpoint()));
    let (run, _) = run();
    for _ in 0..3 {
        assert_told(
            source.fetch(&run, &SecretRequest::new(NAME)).await,
            UNAUTHENTICATED,
            &["does not accept the role ID or the secret ID"],
        );
    }
    assert_eq!(forwarder.seen().len(), 1, "{:?}", forwarder.seen());
}

#[tokio::test]
async fn a_login_that_a_busy_server_did_not_answer_is_tried_again_in_the_same_run() {
    let role = Role::make("login-busy", shared(), &json!({}));
    let forwarder = forwarder();
    forwarder.answer("approle/login", 1, crate::issuing::status(429, r#"{"errors":["quota"]}"#));
    let source = source(&role.settings(&forwarder.endpoint()));
    let (run, _) = run();
    let requests = [SecretRequest::new(NAME), SecretRequest::new("secret/login/other")];
    let answers = Answers::new(2);
    source.fetch_all(&run, &requests, &answers).await;
    // One failure is that of all that were waiting for it.
    assert_eq!(forwarder.seen().len(), 1, "{:?}", forwarder.seen());
    for answer in answers.into_vec() {
        let error = answer.unwrap().unwrap_err();
        assert_eq!((error.kind(), error.retry()), (SourceErrorKind::Throttled, Retry::After(Duration::ZERO)));
    }
    source.fetch(&run, &requests[0]).await.unwrap();
}

#[tokio::test]
async fn a_method_that_is_not_mounted_is_told() {
    let role = Role::make("login-unmounted", shared(), &json!({}));
    let settings = role.settings(&bao().endpoint()).replace("mount = \"approle\"", "mount = \"elsewhere\"");
    let error = fetch(&*source(&settings), NAME).await.unwrap_err();
    assert_eq!(error.kind(), UNAUTHENTICATED);
    assert!(told(&error).1.contains("see `mount` of `auth`"), "{error:?}");
}

pub(crate) fn python(arguments: &[&str]) -> String {
    let ran =
        std::process::Command::new(secretdir_testkit::python()).arg("-c").args(arguments).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

#[tokio::test]
async fn a_json_web_token_logs_in_for_its_audience() {
    shared();
    let (key, public) = key_pair();
    let bao = bao();
    bao.write("sys/policies/acl/login-jwt", &json!({ "policy": shared() }));
    bao.write("sys/auth/jwt", &json!({ "type": "jwt" }));
    bao.write("auth/jwt/config", &json!({ "jwt_validation_pubkeys": [public] }));
    let role = json!({ "role_type": "jwt", "user_claim": "sub", "bound_audiences": ["secretdir"], "token_policies": ["login-jwt"] });
    bao.write("auth/jwt/role/host", &role);
    let token = Credential::new(&json_web_token(&key, "secretdir"));
    let settings = format!(
        "address = \"{}\"\nauth = {{ method = \"jwt\", role = \"host\", jwt = {} }}\n",
        bao.endpoint(),
        token.setting()
    );
    fetch(&*source(&settings), NAME).await.unwrap();
    token.set(&json_web_token(&key, "somebody-else"));
    assert_told(
        fetch(&*source(&settings), NAME).await,
        UNAUTHENTICATED,
        &["does not accept the JSON Web Token"],
    );
    // In a pod it is the same, with the token of the service account.
    let kubernetes = settings.replace("method = \"jwt\"", "method = \"kubernetes\", mount = \"jwt\"");
    token.set(&json_web_token(&key, "secretdir"));
    fetch(&*source(&kubernetes), NAME).await.unwrap();
    let usual =
        format!("address = \"{}\"\nauth = {{ method = \"kubernetes\", role = \"host\" }}\n", bao.endpoint());
    assert_told(
        fetch(&*source(&usual), NAME).await,
        UNAUTHENTICATED,
        &["the token of the service account cannot be read"],
    );
}

fn key_pair() -> (String, String) {
    let openssl = |arguments: &[&str], input: &str| {
        use std::io::Write as _;
        let mut child = std::process::Command::new("openssl")
            .args(arguments)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    };
    let key = openssl(&["genrsa", "2048"], "");
    let public = openssl(&["rsa", "-pubout"], &key);
    (key, public)
}

/// Signs with a tool that is not ours.
fn json_web_token(key: &str, audience: &str) -> String {
    let script = "import base64,json,subprocess,sys,tempfile,time
encode=lambda data: base64.urlsafe_b64encode(data).rstrip(b'=').decode()
now=int(time.time())
claims={'sub':'host','aud':sys.argv[2],'iat':now,'exp':now+300}
text='.'.join(encode(json.dumps(part).encode()) for part in [{'alg':'RS256'},claims])
with tempfile.NamedTemporaryFile() as key:
    key.write(sys.argv[1].encode())
    key.flush()
    sign=['openssl','dgst','-sha256','-sign',key.name]
    signature=subprocess.run(sign,input=text.encode(),stdout=subprocess.PIPE,check=True).stdout
print(text+'.'+encode(signature),end='')";
    python(&[script, key, audience])
}

#[tokio::test]
async fn a_token_that_ends_between_two_requests_is_replaced() {
    let role = Role::make_at("approle-ended", "login-ended", shared(), &json!({ "token_ttl": "1h" }));
    let forwarder = forwarder();
    let source = source(&role.settings(&forwarder.endpoint()));
    let (run, _) = run();
    source.fetch(&run, &SecretRequest::new(NAME)).await.unwrap();
    revoke_all("approle-ended");
    source.fetch(&run, &SecretRequest::new(NAME)).await.unwrap();
    let logins = forwarder.seen().iter().filter(|line| line.contains("approle-ended/login")).count();
    assert_eq!(logins, 2);
    // Once in a run: then somebody revokes on purpose, or so it seems.
    revoke_all("approle-ended");
    assert_told(
        source.fetch(&run, &SecretRequest::new(NAME)).await,
        SourceErrorKind::PermissionDenied,
        &["do not allow `read` on `secret/data/login/shared`", "or was revoked"],
    );
    // The next run logs in again.
    fetch(&*source, NAME).await.unwrap();
}

#[tokio::test]
async fn a_token_without_the_policy_default_is_told_what_it_may_not_do() {
    let more = json!({ "token_no_default_policy": true });
    let role = Role::make("login-no-default", shared(), &more);
    let forwarder = forwarder();
    let source = source(&role.settings(&forwarder.endpoint()));
    let (run, _) = run();
    fetch(&*source, NAME).await.unwrap();
    bao().write("secret/data/closed/a", &json!({ "data": { "v": 1 } }));
    for _ in 0..3 {
        assert_told(
            source.fetch(&run, &SecretRequest::new("secret/closed/a")).await,
            SourceErrorKind::PermissionDenied,
            &[
                "do not allow `read` on `secret/data/closed/a`",
                "path \"secret/data/closed/a\" { capabilities = [\"read\"] }",
                "lacks the policy `default`",
            ],
        );
    }
    // The token is still used for what it may do, and there is one new login at most.
    source.fetch(&run, &SecretRequest::new(NAME)).await.unwrap();
    let logins = forwarder.seen().iter().filter(|line| line.contains("approle/login")).count();
    assert_eq!(logins, 2, "{:?}", forwarder.seen());
    // A token that somebody else keeps is never replaced, so nobody knows.
    let policies = json!({ "policies": ["login-no-default"], "no_default_policy": true });
    let given = bao().write("auth/token/create", &policies);
    let given = Credential::new(given["auth"]["client_token"].as_str().unwrap());
    let settings = format!(
        "address = \"{}\"\nauth = {{ method = \"token\", token = {} }}\n",
        bao().endpoint(),
        given.setting()
    );
    let source = crate::support::source(&settings);
    fetch(&*source, NAME).await.unwrap();
    assert_told(
        fetch(&*source, "secret/closed/a").await,
        UNAUTHENTICATED,
        &["it has probably expired", "get a new token", "lacks the policy `default`"],
    );
}

/// Revokes every token that a method has given.
fn revoke_all(mount: &str) {
    bao().write(&format!("sys/leases/revoke-prefix/auth/{mount}/login"), &json!({}));
}

#[tokio::test]
async fn a_token_is_renewed_while_it_lives() {
    let role = Role::make("login-renewed", shared(), &json!({ "token_ttl": "30s", "token_max_ttl": "10m" }));
    let forwarder = forwarder();
    let settings = format!("{}renew-at = 0.1\n", role.settings(&forwarder.endpoint()));
    let source = source(&settings);
    fetch(&*source, NAME).await.unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    fetch(&*source, NAME).await.unwrap();
    let seen = forwarder.seen();
    assert_eq!(seen.iter().filter(|line| line.contains("renew-self")).count(), 1, "{seen:?}");
    assert_eq!(seen.iter().filter(|line| line.contains("approle/login")).count(), 1, "{seen:?}");
}

#[tokio::test]
async fn a_policy_that_is_missing_is_told_with_the_line_that_it_needs() {
    let role =
        Role::make("login-denied", r#"path "secret/data/other" { capabilities = ["read"] }"#, &json!({}));
    assert_told(
        fetch(&*source(&role.settings(&bao().endpoint())), NAME).await,
        SourceErrorKind::PermissionDenied,
        &[
            "do not allow `read` on `secret/data/login/shared`",
            "path \"secret/data/login/shared\" { capabilities = [\"read\"] }",
        ],
    );
}

#[test]
fn settings_that_make_no_sense_are_told_by_their_key() {
    let at = |settings: &str| problems(settings).into_iter().map(|(key, _)| key).collect::<Vec<_>>();
    assert_eq!(at("auth = { method = \"approle\" }"), ["auth.role-id"]);
    assert_eq!(at("auth = { method = \"token\" }"), ["auth.token"]);
    assert_eq!(at("auth = { method = \"kubernetes\" }"), ["auth.role"]);
    assert_eq!(at("auth = { method = \"jwt\" }"), ["auth.jwt"]);
    assert_eq!(
        at("auth = { method = \"cert\", role-id = \"x\", jwt = { env = \"X\" } }"),
        ["auth.role-id", "auth.jwt"]
    );
    let two = "secret-id = { env = \"A\" }, wrapped-secret-id = { env = \"B\" }";
    assert_eq!(
        at(&format!("auth = {{ method = \"approle\", role-id = \"x\", {two} }}")),
        ["auth.wrapped-secret-id"]
    );
    assert_eq!(at("auth = { method = \"cert\", mount = \"a/../b\" }"), ["auth.mount"]);
    assert_eq!(
        at("auth = { method = \"approle\", role-id = \"x\", secret-id = \"literal\" }"),
        ["auth.secret-id"]
    );
    assert_eq!(at("auth = { method = \"ldap\" }"), ["auth.method"]);
    assert_eq!(at("address = \"ftp://x\""), ["address"]);
    assert_eq!(at("address = \"https://user:word@x\""), ["address"]);
    assert_eq!(at("address = \"https://x?y\""), ["address"]);
    assert_eq!(at("address = \"unix://relative\""), ["address"]);
    assert_eq!(at("address = \"http://vault.internal:8200\""), ["address"]);
    source("address = \"http://vault.internal:8200\"\nallow-plain-http = true");
    source("address = \"http://localhost:8200\"");
    source("address = \"unix:///run/agent.sock\"");
    assert_eq!(at("renew-at = 1.0"), ["renew-at"]);
    assert_eq!(at("namespace = \"/\""), ["namespace"]);
    assert_eq!(at("client-key = \"/x\""), ["client-key"]);
    assert_eq!(at("[issue.web]\npath = \"pki//issue\""), ["issue.web.path"]);
    assert_eq!(
        at("[issue.\"a/b\"]\npath = \"pki/issue/web\""),
        ["issue.a/b"].map(|_| at("[issue.\"a/b\"]\npath = \"pki/issue/web\"")[0].clone())
    );
    assert_eq!(
        at("[issue.web]\npath = \"pki/issue/web\"\nparameters = { a = { b = 1 } }"),
        ["issue.web.parameters.a"]
    );
}
