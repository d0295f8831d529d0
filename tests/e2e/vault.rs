//! What an operator sees of the provider `vault`, with a real OpenBao server.

#[path = "vault/database.rs"]
mod database;
#[path = "vault/ended.rs"]
mod ended;
#[path = "vault/killed.rs"]
mod killed;
#[path = "vault/pair.rs"]
mod pair;
#[path = "vault/renewals.rs"]
mod renewals;

use std::fs;
use std::process::Command;
use std::sync::OnceLock;

use secretdir_testkit::{Bao, Forwarder, ROOT_TOKEN, Ran, python};
use serde_json::{Value, json};

use crate::support::Site;

/// The server that all tests of this file share.
fn bao() -> &'static Bao {
    static BAO: OnceLock<Bao> = OnceLock::new();
    BAO.get_or_init(Bao::start)
}

/// Makes an engine for certificates, with a role that allows any name below `internal`.
fn pki(mount: &str, more: &Value) {
    let bao = bao();
    bao.write(&format!("sys/mounts/{mount}"), &json!({ "type": "pki" }));
    let root = json!({ "common_name": "root of the tests", "ttl": "24h", "key_type": "ec", "key_bits": 256 });
    bao.write(&format!("{mount}/root/generate/internal"), &root);
    let mut role = json!({ "allowed_domains": ["internal"], "allow_subdomains": true, "key_type": "ec", "key_bits": 256 });
    role.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    bao.write(&format!("{mount}/roles/web"), &role);
}

/// An AppRole with a policy.
struct Role {
    role_id: String,
    secret_id: String,
}

impl Role {
    fn make(name: &str, policy: &str, more: &Value) -> Self {
        let bao = bao();
        bao.request_as(ROOT_TOKEN, "POST", "sys/auth/approle", &json!({ "type": "approle" }));
        bao.write(&format!("sys/policies/acl/{name}"), &json!({ "policy": policy }));
        let mut role = json!({ "token_policies": [name] });
        role.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let path = format!("auth/approle/role/{name}");
        bao.write(&path, &role);
        let text = |answer: Value, key: &str| answer["data"][key].as_str().unwrap().to_owned();
        let role_id = text(bao.request("GET", &format!("{path}/role-id"), &Value::Null), "role_id");
        let secret_id = text(bao.write(&format!("{path}/secret-id"), &json!({})), "secret_id");
        Self { role_id, secret_id }
    }
}

/// A site whose source `vault` logs in with a role.
fn site(role: &Role, endpoint: &str, rest: &str) -> Site {
    let site = Site::new();
    fs::write(site.path().join("secret-id"), &role.secret_id).unwrap();
    site.config(&format!(
        "[directory]\npath = \"out/app\"\nretain = \"0s\"\n\n[sources.vault]\nprovider = \"vault\"\naddress = \"{endpoint}\"\n\
         auth = {{ method = \"approle\", role-id = \"{}\", secret-id = {{ file = \"secret-id\" }} }}\n{rest}",
        role.role_id
    ));
    site
}

fn issue(mount: &str) -> String {
    format!(
        "[sources.vault.issue.web]\npath = \"{mount}/issue/web\"\nparameters = {{ common_name = \"web.internal\", ttl = \"1h\" }}\n\
         [files]\n\"tls/cert.pem\" = {{ source = \"vault\", secret = \"web\", field = \"certificate\" }}\n\
         \"tls/key.pem\" = {{ source = \"vault\", secret = \"web\", field = \"private_key\" }}\n\
         \"tls/chain.pem\" = {{ source = \"vault\", secret = \"web\", field = \"ca_chain\", join = \"\\n\" }}\n"
    )
}

fn issuing(mount: &str) -> String {
    format!(
        "path \"{mount}/issue/web\" {{ capabilities = [\"update\"] }} path \"sys/leases/revoke\" {{ capabilities = [\"update\"] }}"
    )
}

/// Counts the requests whose first line has a text. Questions about the mount of a path do not count.
fn seen(forwarder: &Forwarder, text: &str) -> usize {
    forwarder.seen().iter().filter(|line| line.contains(text) && !line.contains("ui/mounts")).count()
}

#[test]
fn what_is_published_is_what_another_client_reads() {
    let bao = bao();
    let value = json!({ "user": "app", "password": "p\u{e4}ss \"word\"\n", "port": 5432 });
    bao.write("secret/data/e2e/db", &json!({ "data": value }));
    let role = Role::make("e2e-read", "path \"secret/data/e2e/*\" { capabilities = [\"read\"] }", &json!({}));
    let files = "[files]\nall = { source = \"vault\", secret = \"secret/e2e/db\" }\n\
                 password = { source = \"vault\", secret = \"secret/e2e/db\", field = \"password\" }\n\
                 port = { source = \"vault\", secret = \"secret/e2e/db\", field = \"port\" }\n";
    let site = site(&role, &bao.endpoint(), files);
    site.run(&["check", "--fetch"]).expect_exit(0);
    site.run(&["sync"]).expect_exit(0);
    let script = "import hvac,json,sys\nclient=hvac.Client(url=sys.argv[1],token=sys.argv[2])\n\
                  print(json.dumps(client.secrets.kv.v2.read_secret_version(path='e2e/db',raise_on_deleted_version=True)['data']['data']))";
    let read = Command::new(python()).args(["-c", script, &bao.endpoint(), ROOT_TOKEN]).output().unwrap();
    let read: Value = serde_json::from_slice(&read.stdout).unwrap();
    assert_eq!(read, value);
    assert_eq!(serde_json::from_slice::<Value>(&site.read("all")).unwrap(), value);
    assert_eq!(site.read("password"), value["password"].as_str().unwrap().as_bytes());
    assert_eq!(site.read("port"), b"5432");
    let status = site.run(&["status"]).expect_exit(0).stdout;
    assert!(status.contains("vault: secret/e2e/db, revision 1 of 20"), "{status}");
}

#[test]
fn a_certificate_is_issued_once_and_shown_with_its_end() {
    pki("e2e-once", &json!({}));
    let role = Role::make("e2e-once", &issuing("e2e-once"), &json!({}));
    let forwarder = Forwarder::before(&bao().endpoint());
    let site = site(&role, &forwarder.endpoint(), &issue("e2e-once"));

    // Whoever only looks makes nothing, and does not even log in.
    let check = site.run(&["check", "--fetch"]).expect_exit(0);
    assert!(check.stderr.contains("secret `web` of source `vault` was not asked for"), "{check:?}");
    let diff = site.run(&["diff"]).expect_exit(10).stdout;
    assert!(diff.contains("would be issued"), "{diff}");
    assert_eq!(forwarder.seen(), Vec::<String>::new());

    site.run(&["sync"]).expect_exit(0);
    let published = site.fingerprint();
    forwarder.forget();
    let again = site.run(&["sync"]).expect_exit(0).stdout;
    assert!(again.contains("unchanged"), "{again}");
    site.run(&["diff"]).expect_exit(0);
    assert_eq!(forwarder.seen(), Vec::<String>::new());
    assert_eq!(site.fingerprint(), published);

    let status = site.run(&["status", "--json"]).expect_exit(0).json();
    let end = status["generation"]["valid_until"].as_u64().unwrap();
    let left = end - std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    assert!((3500..=3600).contains(&left), "{left}");
    let text = site.run(&["status"]).expect_exit(0).stdout;
    assert!(text.contains("good until 20"), "{text}");
    site.run(&["sync", "--metrics", "metrics.prom"]).expect_exit(0);
    let metrics = fs::read_to_string(site.path().join("metrics.prom")).unwrap();
    assert!(
        metrics.contains("secretdir_earliest_expiry_timestamp_seconds{")
            && metrics.contains(&format!("}} {end}")),
        "{metrics}"
    );
}

#[test]
fn a_run_that_fails_after_it_got_a_lease_gives_it_back() {
    pki("e2e-back", &json!({ "generate_lease": true }));
    let role = Role::make("e2e-back", &issuing("e2e-back"), &json!({ "token_ttl": "2h" }));
    let forwarder = Forwarder::before(&bao().endpoint());
    let site = site(
        &role,
        &forwarder.endpoint(),
        &issue("e2e-back").replace("\"private_key\"", "\"no_such_field\""),
    );
    site.run(&["sync"]).expect_exit(3);
    assert_eq!(
        (seen(&forwarder, "issue/web"), seen(&forwarder, "leases/revoke")),
        (1, 1),
        "{:?}",
        forwarder.seen()
    );
    assert_eq!(leases("e2e-back"), 0);
}

/// Counts the leases of certificates of an engine.
fn leases(mount: &str) -> usize {
    let listed =
        bao().request_as(ROOT_TOKEN, "LIST", &format!("sys/leases/lookup/{mount}/issue/web"), &Value::Null);
    listed.body["data"]["keys"].as_array().map_or(0, Vec::len)
}

#[test]
fn a_replaced_lease_is_given_back_when_its_last_set_is_gone() {
    pki("e2e-replaced", &json!({ "generate_lease": true }));
    let role = Role::make("e2e-replaced", &issuing("e2e-replaced"), &json!({ "token_ttl": "2h" }));
    let site = site(&role, &bao().endpoint(), &issue("e2e-replaced"));
    site.run(&["sync"]).expect_exit(0);
    assert_eq!(leases("e2e-replaced"), 1);
    // Somebody has changed a file, so its secret is made anew. Nothing is retained, so the old one goes at once.
    fs::write(site.link().join("tls/cert.pem"), "forged").unwrap();
    site.run(&["sync"]).expect_exit(0);
    assert_eq!(leases("e2e-replaced"), 1);
    assert!(site.read("tls/cert.pem").starts_with(b"-----BEGIN CERTIFICATE-----"));
}

#[test]
fn nothing_that_was_sent_or_received_is_shown() {
    pki("e2e-shown", &json!({ "generate_lease": true }));
    let role = Role::make("e2e-shown", &issuing("e2e-shown"), &json!({ "token_ttl": "2h" }));
    let site = site(&role, &bao().endpoint(), &issue("e2e-shown"));
    let mut command = site.command(&["sync", "-vvv"]);
    command.env("RUST_LOG", "trace");
    let ran = Ran::of(&mut command).expect_exit(0);
    let shown = format!("{}{}", ran.stdout, ran.stderr);
    let key = String::from_utf8(site.read("tls/key.pem")).unwrap();
    for secret in [role.secret_id.as_str(), key.lines().nth(1).unwrap(), "hvs.", "s."] {
        let is_there =
            if secret.len() > 4 { shown.contains(secret) } else { shown.contains(&format!("\"{secret}")) };
        assert!(!is_there, "{secret:?} is in {shown}");
    }
    let status = site.run(&["status", "--json"]).expect_exit(0).stdout;
    assert!(status.contains("\"lease\": \"…"), "{status}");
}

#[test]
fn a_provider_that_was_left_out_of_a_build_is_listed_as_such() {
    let site = Site::new();
    let json = site.run(&["providers", "--json"]).expect_exit(0).json();
    // This build has all.
    assert_eq!(json["left_out"], json!([]));
    let names: Vec<_> =
        json["providers"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"vault") && names.contains(&"http"), "{names:?}");
}
