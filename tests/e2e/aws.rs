//! Against a real moto server, with signatures and permissions checked.

use std::fs;
use std::process::Command;

use secretdir_testkit::{Canary, Moto, REGION};

use crate::support::{Ran, Site};

/// A site whose source `prod` is a moto server.
struct Cloud {
    moto: Moto,
    site: Site,
}

impl Cloud {
    fn start() -> Self {
        Self { moto: Moto::start(), site: Site::new() }
    }

    fn config(&self, files: &str) {
        let endpoint = self.moto.endpoint();
        self.site.config(&format!(
            "[directory]\npath = \"out/app\"\n\n[sources.prod]\nprovider = \"aws-secrets-manager\"\n\
             region = \"{REGION}\"\nendpoint-url = \"{endpoint}\"\n\n[files]\n{files}"
        ));
    }

    fn command(&self) -> Command {
        let mut command = self.site.command(&["sync", "-vv"]);
        // With the second of these the SDK traces whole answers.
        command.env("RUST_LOG", "trace").env("LOG_SENSITIVE_BODIES", "true").envs(self.moto.environment());
        command
    }

    /// Runs with everything said that can be said, none of which may be a credential, or come from other people's crates.
    fn sync(&self) -> Ran {
        let ran = Ran::of(&mut self.command());
        let key = self.moto.access_key();
        for (name, value) in [("access key id", &key.id), ("secret key", &key.secret)] {
            let canary = Canary::new(name, value);
            canary.assert_absent("standard error", &ran.stderr);
            canary.assert_absent("standard output", &ran.stdout);
        }
        assert!(ran.stderr.contains(" DEBUG secretdir_engine::gather"), "{ran:?}");
        // Which source that is, where it asks, and as whom.
        for said in ["signing in region=", "credentials from=\"environment\"", "asking endpoint=\"127.0.0.1:"]
        {
            let said_by = |line: &str| {
                line.contains("source{name=\"prod\"}: secretdir_provider_aws::") && line.contains(said)
            };
            assert!(ran.stderr.lines().any(said_by), "{said}: {ran:?}");
        }
        for other in [" aws_", " hyper", " rustls"] {
            let found: Vec<_> = ran.stderr.lines().filter(|line| line.contains(other)).collect();
            assert!(found.is_empty(), "{found:?}");
        }
        ran
    }
}

fn entry(name: &str, rest: &str) -> String {
    format!("{name:?} = {{ source = \"prod\", {rest} }}\n")
}

#[test]
fn fifty_secrets_land_byte_for_byte_and_a_shared_one_is_fetched_once() {
    let cloud = Cloud::start();
    let mut files = String::new();
    let mut expected: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |name: &str, rest: &str, value: &[u8]| {
        files.push_str(&entry(name, rest));
        expected.push((name.to_owned(), value.to_vec()));
    };
    for number in 0..46 {
        let (name, value) = (format!("app/string-{number}"), format!(" value {number} \u{fc}\n"));
        cloud.moto.create_string(&name, &value);
        add(&format!("strings/{number}"), &format!("secret = {name:?}"), value.as_bytes());
    }
    cloud.moto.create_string("app/json", r#"{"user": "u\"\u00fc", "port": 5432, "more": {"a": [1, 2 ]}}"#);
    add("json/user", "secret = \"app/json\", field = \"user\"", "u\"\u{fc}".as_bytes());
    add("json/port", "secret = \"app/json\", field = \"port\"", b"5432");
    add("json/more", "secret = \"app/json\", field = \"/more\"", br#"{"a":[1,2]}"#);
    let all: Vec<u8> = (0..=255).collect();
    cloud.moto.create_binary("app/binary", &all);
    add("binary", "secret = \"app/binary\"", &all);
    let arn = cloud.moto.create_string("app/by-arn", "by arn");
    add("by-arn", &format!("secret = {arn:?}"), b"by arn");
    cloud.moto.create_string("app/shared", "shared by three");
    for name in ["shared/1", "shared/2", "shared/3"] {
        add(name, "secret = \"app/shared\"", b"shared by three");
    }

    cloud.config(&files);
    let ran = cloud.sync().expect_exit(0);
    assert!(ran.stdout.starts_with("published 54 files"), "{}", ran.stdout);
    for (name, value) in &expected {
        assert_eq!(cloud.site.read(name), *value, "{name}");
        if value.len() >= 8 {
            Canary::new(name, value).assert_absent("standard error", &ran.stderr);
        }
    }
    // Fifty in batches of 20.
    assert_eq!((cloud.moto.calls("BatchGetSecretValue"), cloud.moto.calls("GetSecretValue")), (3, 0));

    let before = cloud.site.fingerprint();
    assert!(cloud.sync().expect_exit(0).stdout.starts_with("unchanged"));
    assert_eq!(cloud.site.fingerprint(), before);
    let status = cloud.site.run(&["status", "--json"]).expect_exit(0).json();
    let binary = &status["generation"]["files"][0];
    let secret = &binary["secrets"][0];
    assert_eq!((binary["name"].as_str(), secret["origin"].as_str()), (Some("binary"), Some(REGION)));
    assert!(secret["revision"].as_str().is_some_and(|id| id.len() == 36), "{binary}");
}

#[test]
fn a_wrong_key_or_a_missing_secret_leaves_the_published_set_as_it_is() {
    let cloud = Cloud::start();
    cloud.moto.create_string("app/token", "canary-of-the-token");
    cloud.config(&entry("token", "secret = \"app/token\""));
    cloud.sync().expect_exit(0);
    let before = cloud.site.fingerprint();

    let ran = Ran::of(cloud.command().env("AWS_SECRET_ACCESS_KEY", "wrong-key-0123456789")).expect_exit(3);
    let ran = ran.expect_error(&[
        "error: file `token`: secret `app/token` of source `prod`: unauthenticated",
        "hint: ",
    ]);
    assert!(!ran.stderr.contains("wrong-key"), "{ran:?}");
    assert_eq!(cloud.site.fingerprint(), before);

    cloud.config(
        &[entry("token", "secret = \"app/token\""), entry("tls/key", "secret = \"app/tsl\"")].concat(),
    );
    let ran = cloud.sync().expect_exit(3);
    ran.expect_error(&["error: file `tls/key`: secret `app/tsl` of source `prod`: not found", "hint: "]);
    assert_eq!(cloud.site.fingerprint(), before);
}

#[test]
fn a_server_that_is_gone_is_unavailable_in_good_time() {
    let cloud = Cloud::start();
    cloud.config(&entry("token", "secret = \"app/token\""));
    let Cloud { moto, site } = cloud;
    let environment = moto.environment();
    drop(moto);
    let ran = Ran::of(site.command(&["sync"]).envs(environment)).expect_exit(3);
    ran.expect_error(&["secret `app/token` of source `prod`: unavailable", "onnection refused"]);
    assert!(!site.link().exists());
}

#[test]
fn a_run_without_an_aws_source_makes_no_socket_and_no_thread_and_reads_no_file_of_aws() {
    let site = Site::with_secrets(&[("a", b"1")]);
    let output = site.path().join("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-o"]).arg(&output).arg(crate::support::COMMAND).arg("sync");
    site.prepare(&mut command);
    Ran::of(&mut command).expect_exit(0);
    let trace = fs::read_to_string(output).unwrap();
    for never in ["AF_INET", "clone(", "clone3(", ".aws", "cert"] {
        let found: Vec<_> = trace.lines().filter(|line| line.contains(never)).collect();
        assert!(found.is_empty(), "{never}: {found:?}");
    }
}
