//! The configuration of the page about consul-template, with a real OpenBao server.

use std::fs;
use std::os::unix::fs::MetadataExt;

use secretdir_testkit::Bao;
use serde_json::json;

use super::{configurations, folder};
use crate::support::{Site, is_root};

/// A site with the configuration of the page: only its addresses and paths are those of the test.
fn site(bao: &Bao) -> Site {
    let site = Site::new();
    let policy = "path \"secret/data/shop/*\" { capabilities = [\"read\"] }";
    bao.write("sys/policies/acl/shop", &json!({ "policy": policy }));
    let token = bao.write("auth/token/create", &json!({ "policies": ["shop"] }));
    fs::write(site.path().join("token"), token["auth"]["client_token"].as_str().unwrap()).unwrap();
    let page = fs::read_to_string(folder().join("consul-template.md")).unwrap();
    let mut text = configurations(&page)[0].to_owned();
    for (theirs, ours) in [
        ("\"/run/secretdir/shop\"", "\"out/app\""),
        ("https://vault.example.com:8200", &bao.endpoint()),
        ("/run/vault-agent/token", "token"),
        ("units = [\"shop.service\"]", "command = [\"sh\", \"-c\", \"echo >> told\"]"),
    ] {
        assert_eq!(text.matches(theirs).count(), 1, "{theirs} in {text}");
        text = text.replace(theirs, ours);
    }
    site.config(&text);
    site
}

#[test]
fn the_page_about_consul_template_tells_the_truth() {
    if !is_root("the_page_about_consul_template_tells_the_truth") {
        return;
    }
    let bao = Bao::start();
    let db = |password: &str| json!({ "data": { "user": "shop", "password": password } });
    bao.write("secret/data/shop/db", &db("p'a $s"));
    bao.write("secret/data/shop/tls", &json!({ "data": { "key": "-----BEGIN PRIVATE KEY-----\n" } }));
    let site = site(&bao);
    let told = || fs::read_to_string(site.path().join("told")).unwrap().lines().count();
    site.sync();
    let env = String::from_utf8(site.read("shop.env")).unwrap();
    assert_eq!(env, "DB_USER='shop'\nDB_PASSWORD=\"p'a \\$s\"\n");
    assert_eq!(site.read("tls/key.pem"), b"-----BEGIN PRIVATE KEY-----\n");
    let found = fs::metadata(site.link().join("tls/key.pem")).unwrap();
    assert_eq!((found.mode() & 0o7777, found.gid()), (0o440, 10001));
    assert_eq!(told(), 1);

    assert!(site.sync().stdout.contains("unchanged"));
    bao.write("secret/data/shop/db", &db("another"));
    assert!(site.sync().stdout.contains("published"));
    assert!(String::from_utf8(site.read("shop.env")).unwrap().contains("another"));
    assert_eq!(told(), 2);

    // A key that is missing changes nothing.
    let published = site.fingerprint();
    bao.write("secret/data/shop/tls", &json!({ "data": { "kye": "canary" } }));
    let failed = site.run(&["sync"]).expect_exit(3);
    assert!(failed.stderr.contains("`key`") && !failed.stderr.contains("canary"), "{failed:?}");
    assert_eq!(site.fingerprint(), published);
}

#[test]
fn a_missing_secret_is_told_from_a_server_that_is_down_as_the_page_says() {
    if !is_root("a_missing_secret_is_told_from_a_server_that_is_down_as_the_page_says") {
        return;
    }
    let bao = Bao::start();
    bao.write("secret/data/shop/db", &json!({ "data": { "user": "shop", "password": "1" } }));
    let site = site(&bao);
    let file = site.path().join("secretdir.toml");
    let config = fs::read_to_string(&file).unwrap();
    let config = config.replace("field = \"key\" }", "field = \"key\", optional = true }");
    site.config(&format!("[gather]\ntimeout = \"3s\"\n\n{config}"));
    site.sync();
    assert!(!site.link().join("tls/key.pem").exists());
    drop(bao);
    site.run(&["sync"]).expect_exit(3);
    assert!(site.link().join("shop.env").exists());
}
