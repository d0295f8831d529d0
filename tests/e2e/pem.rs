//! Keys and certificates that are cut out of a bundle. The judge is `openssl`, which also makes them.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::support::{HEAD, Ran, Site};

/// A root, an issuer below it, a certificate of a server, and its key.
pub(crate) struct Authority {
    pub(crate) root: String,
    pub(crate) issuer: String,
    pub(crate) leaf: String,
    pub(crate) key: String,
}

/// Makes them in the folder of a shell.
const MAKE: &str = r#"
ca() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "$@"; }
ca -subj /CN=root -keyout root.key -out root.pem
ca -subj /CN=issuer -CA root.pem -CAkey root.key -addext basicConstraints=critical,CA:TRUE -keyout issuer.key -out issuer.pem
openssl req -new -newkey rsa:2048 -nodes -subj /CN=shop.example -keyout leaf.key -out leaf.csr
openssl x509 -req -in leaf.csr -CA issuer.pem -CAkey issuer.key -CAcreateserial -days 2 -out leaf.pem
"#;

fn shell(folder: &Path, script: &str) -> Ran {
    let mut sh = Command::new("bash");
    Ran::of(sh.args(["-c", &format!("set -euo pipefail\n{script}")]).current_dir(folder)).expect_exit(0)
}

impl Authority {
    pub(crate) fn new(site: &Site) -> Self {
        shell(site.path(), MAKE);
        let read = |name: &str| fs::read_to_string(site.path().join(name)).unwrap();
        Self {
            root: read("root.pem"),
            issuer: read("issuer.pem"),
            leaf: read("leaf.pem"),
            key: read("leaf.key"),
        }
    }
}

/// Writes a configuration of these files, each `NAME = { source = "local", REST }`.
fn config(site: &Site, files: &[(&str, &str)]) {
    let lines = files.iter().map(|(name, rest)| format!("{name:?} = {{ source = \"local\", {rest} }}\n"));
    site.config(&format!("{HEAD}\n[files]\n{}", lines.collect::<String>()));
}

const PARTS: &[(&str, &str)] = &[
    ("key.pem", "secret = \"bundle\", pem = \"key\""),
    ("leaf.pem", "secret = \"bundle\", pem = \"leaf\""),
    ("chain.pem", "secret = \"bundle\", pem = \"chain\""),
    ("fullchain.pem", "secret = \"bundle\", pem = \"certificates\""),
];

/// Lets `openssl` verify the chain and the key, and say which certificates there are, in their order.
fn judge(site: &Site) {
    let said = shell(
        site.path(),
        "cd out/app
        openssl verify -CAfile ../../root.pem -untrusted chain.pem leaf.pem
        cmp <(openssl pkey -in key.pem -pubout) <(openssl x509 -in leaf.pem -pubkey -noout)
        openssl crl2pkcs7 -nocrl -certfile fullchain.pem | openssl pkcs7 -print_certs -noout | grep ^subject=",
    );
    assert_eq!(
        said.stdout,
        "leaf.pem: OK\nsubject=CN = shop.example\nsubject=CN = issuer\nsubject=CN = root\n"
    );
}

#[test]
fn openssl_verifies_what_is_cut_out_of_every_kind_of_bundle() {
    let site = Site::new();
    let Authority { root, issuer, leaf, key } = Authority::new(&site);
    let with_text = "openssl pkcs12 -export -in leaf.pem -inkey leaf.key -certfile <(cat root.pem issuer.pem) -passout pass:x -out all.p12
        openssl pkcs12 -in all.p12 -passin pass:x -nodes";
    let exported = shell(site.path(), with_text).stdout;
    assert!(exported.contains("Bag Attributes"));
    config(&site, PARTS);
    for bundle in [
        format!("{key}{leaf}{issuer}{root}"),
        format!("{root}{issuer}{leaf}{key}"),
        // Vault joins with a newline, and ends without one.
        [&key, &leaf, &issuer, &root].map(|pem| pem.trim_end()).join("\n"),
        exported,
    ] {
        site.secret("bundle", &bundle);
        site.sync();
        judge(&site);
        assert_eq!(site.read("leaf.pem"), leaf.as_bytes());
        assert_eq!(site.read("chain.pem"), format!("{issuer}{root}").as_bytes());
        assert_eq!(site.read("key.pem"), key.as_bytes());
    }
    site.secret("bundle", format!("{key}{leaf}{issuer}{root}").replace('\n', "\r\n"));
    site.sync();
    judge(&site);
    assert_eq!(site.read("key.pem"), key.replace('\n', "\r\n").as_bytes());
}

#[test]
fn older_and_encrypted_keys_stay_as_they_are() {
    let site = Site::new();
    let script = "openssl genrsa 2048 > plain.pem
        openssl rsa -in plain.pem -traditional -aes256 -passout pass:x -out encrypted-rsa.pem
        openssl rsa -in plain.pem -traditional -out rsa.pem
        openssl pkcs8 -topk8 -in plain.pem -passout pass:x -out encrypted.pem
        openssl ecparam -name prime256v1 -genkey -out ec.pem";
    shell(site.path(), script);
    config(&site, &[("key.pem", "secret = \"bundle\", pem = \"key\"")]);
    for (name, label) in [
        ("rsa", "RSA PRIVATE KEY"),
        ("encrypted-rsa", "RSA PRIVATE KEY"),
        ("encrypted", "ENCRYPTED PRIVATE KEY"),
        ("ec", "EC PRIVATE KEY"),
    ] {
        let text = fs::read_to_string(site.path().join(format!("{name}.pem"))).unwrap();
        site.secret("bundle", format!("a key:\n{text}the end"));
        site.sync();
        let begin = text.find(&format!("-----BEGIN {label}-----")).unwrap();
        assert_eq!(site.read("key.pem"), &text.as_bytes()[begin..], "{name}");
        shell(site.path(), "openssl pkey -in out/app/key.pem -passin pass:x -pubout");
    }
}

#[test]
fn an_array_becomes_a_chain_that_openssl_reads() {
    let site = Site::new();
    let Authority { root, issuer, leaf, key } = Authority::new(&site);
    // As Vault answers: none of them ends with a newline.
    let [issuer, root] = [issuer.trim_end(), root.trim_end()];
    let answer =
        json!({ "private_key": key.trim_end(), "certificate": leaf.trim_end(), "ca_chain": [issuer, root] });
    site.secret("answer", answer.to_string());
    site.secret("all", json!([key.trim_end(), root, issuer, leaf.trim_end()]).to_string());
    config(
        &site,
        &[
            ("key.pem", "secret = \"answer\", field = \"private_key\""),
            ("leaf.pem", "secret = \"answer\", field = \"certificate\""),
            ("chain.pem", r#"secret = "answer", field = "ca_chain", join = "\n""#),
            ("fullchain.pem", r#"secret = "all", join = "\n", pem = "certificates""#),
        ],
    );
    site.sync();
    judge(&site);
    assert_eq!(site.read("chain.pem"), format!("{issuer}\n{root}\n").as_bytes());
}

#[test]
fn imports_and_templates_cut_and_join_too() {
    let site = Site::new();
    let Authority { root, issuer, leaf, key } = Authority::new(&site);
    let bundle = format!("{key}{root}{issuer}{leaf}");
    site.secret("bundle", &bundle);
    site.secret("all/shop.pem", &bundle);
    site.secret("hosts", r#"{"a": ["x", "y"], "b": ["z"]}"#);
    site.secret("encoded", shell(site.path(), "base64 source/bundle").stdout);
    site.config(&format!(
        r#"{HEAD}
        [files."app.conf"]
        template-text = """{{{{ hosts }}}}
{{{{ leaf }}}}{{{{ all["shop.pem"] }}}}"""
        [files."app.conf".secrets]
        hosts = {{ source = "local", secret = "hosts", field = "a", join = "," }}
        leaf = {{ source = "local", secret = "encoded", decode = "base64", pem = "leaf" }}
        all = {{ source = "local", prefix = "all/", strip-prefix = "all/", pem = "chain" }}
        [[import]]
        source = "local"
        secret = "hosts"
        expand = "json"
        into = "hosts"
        join = "\n"
        [[import]]
        source = "local"
        prefix = "all/"
        pem = "key"
        "#
    ));
    site.sync();
    assert_eq!(site.read("app.conf"), format!("x,y\n{leaf}{issuer}{root}").as_bytes());
    assert_eq!((site.read("hosts/a"), site.read("hosts/b")), (b"x\ny\n".to_vec(), b"z\n".to_vec()));
    assert_eq!(site.read("all/shop.pem"), key.as_bytes());
}

#[test]
fn what_is_damaged_or_not_there_fails_the_run_and_is_not_shown() {
    const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
    const END: &str = "-----END PRIVATE KEY-----";
    let site = Site::with_secrets(&[("a", b"1")]);
    site.sync();
    let before = site.fingerprint();
    let at = "error: file `a`: secret `odd` of source `local`: ";
    for (keys, value, message) in [
        (
            "pem = \"key\"",
            format!("{BEGIN}\naHVudGVyMg==\n"),
            "the PEM block at line 1 of the value has no END line\n",
        ),
        (
            "pem = \"key\"",
            format!("{BEGIN}\nhunter2!\n{END}\n"),
            "line 2 of the value is inside a PEM block, and is not base64\n",
        ),
        (
            "pem = \"key\"",
            format!("{BEGIN}\\nhunter2\\n{END}"),
            "line 1 of the value has a BEGIN or END mark of PEM and something else\n\
             hint: each mark needs its own line: are line ends lost, or written as `\\n`?\n",
        ),
        (
            "pem = \"leaf\"",
            format!("{BEGIN}\naHVudGVyMg==\n{END}\n"),
            "the value has no certificate in PEM\nhint: perhaps the value needs `field` or `decode`, which come before `pem`\n",
        ),
        ("join = \"\"", "[\"hunter2\", 7]".to_owned(), "element 1 of the array is not a text\n"),
        ("join = \"\"", "[]".to_owned(), "the array is empty\n"),
        (
            "join = \"\"",
            "\"hunter2\"".to_owned(),
            "the value is JSON, but not an array\nhint: `join` needs an array: does `field` select one?\n",
        ),
    ] {
        site.secret("odd", value);
        config(&site, &[("a", &format!("secret = \"odd\", {keys}"))]);
        let ran = site.run(&["sync"]).expect_exit(3);
        assert_eq!(ran.stderr, format!("{at}{message}"));
        let kind = site.run(&["sync", "--json"]).expect_exit(3).json()["errors"][0]["kind"].clone();
        assert_eq!(kind, "invalid-value", "{keys}");
    }
    assert_eq!(site.fingerprint().without_folder(), before.without_folder());
}

#[test]
fn combinations_without_sense_are_refused_with_their_line() {
    let site = Site::new();
    for (keys, message) in [
        (r#"trim = "newline", pem = "key""#, "files.a.trim: cannot be combined with `pem`"),
        (r#"join = ",", decode = "base64""#, "files.a.join: must be \"\" or \"\\n\" with `decode`"),
        (r#"pem = "cert""#, r#"files.a.pem: expected "key", "leaf", "chain" or "certificates""#),
    ] {
        config(&site, &[("a", &format!("secret = \"x\", {keys}"))]);
        site.run(&["check"]).expect_exit(2).expect_error(&["secretdir.toml:9:", message]);
    }
}
