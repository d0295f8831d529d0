//! The recipes of the provider `http`, each against a server that answers as the store does.

use std::fs;
use std::process::Command;

use secretdir_testkit::{Block, Canary, Message, Reply, Stub, programs};

use crate::support::{Ran, Site};

const PAGE: &str = include_str!("../../providers/http/README.md");

/// What the store wants to be shown.
const TOKEN: &str = "dp.st.prd.not-a-real-token-7Hq2";

/// Makes a site with a recipe of the page, whose store is this one instead.
fn site(recipe: &str, store: &str, stub: &Stub) -> Site {
    let [block] = Block::all_after(PAGE, recipe).try_into().unwrap();
    let text = block.text();
    assert!(text.contains(store) && text.contains("/etc/secretdir/"), "{text}");
    let site = Site::new();
    fs::write(site.path().join("connect-token"), TOKEN).unwrap();
    fs::write(site.path().join("doppler-token"), format!("{TOKEN}\n")).unwrap();
    let text = text.replace(store, &stub.endpoint()).replace("/etc/secretdir/", "");
    site.config(&format!("[directory]\npath = \"out/app\"\n\n{text}"));
    site
}

fn is_signed_in(message: &Message) -> bool {
    message.header("authorization") == Some(&format!("Bearer {TOKEN}"))
}

/// An item as the API of 1Password Connect 1.8.1 describes it.
const ITEM: &str = r#"{
    "id": "2fcbqwe9ndg175zg2dzwftvkpa", "title": "shop", "category": "DATABASE", "version": 3,
    "vault": { "id": "ftz4pm2xxwmwrsd7rjqn7grzfz" },
    "fields": [
        { "id": "username", "type": "STRING", "purpose": "USERNAME", "label": "username", "value": "shop" },
        { "id": "password", "type": "CONCEALED", "purpose": "PASSWORD", "label": "password", "value": "not-a-real-password" }
    ],
    "files": [{ "id": "6r65pjq33banznomn7q22sj44e", "name": "key.pem", "size": 8 }]
}"#;

fn connect(message: &Message) -> Reply {
    const VAULT: &str = "GET /v1/vaults/ftz4pm2xxwmwrsd7rjqn7grzfz";
    let item = format!("{VAULT}/items/2fcbqwe9ndg175zg2dzwftvkpa");
    match message.first_line.strip_suffix(" HTTP/1.1").unwrap() {
        _ if !is_signed_in(message) => {
            Reply::json(401, r#"{"status": 401, "message": "Invalid token signature"}"#)
        }
        line if line == item => Reply::json(200, ITEM),
        line if line == format!("{item}/files/6r65pjq33banznomn7q22sj44e/content") => {
            Reply::json(200, b"key\x00\xff\n".as_slice())
        }
        _ => Reply::json(404, r#"{"status": 404, "message": "Item not found"}"#),
    }
}

#[test]
fn fields_and_files_of_1password_connect() {
    let stub = Stub::answering(connect);
    let site = site("### 1Password Connect", "https://connect.example.com", &stub);
    site.sync();
    assert_eq!(site.read("db/user"), b"shop");
    assert_eq!(site.read("db/password"), b"not-a-real-password");
    assert_eq!(site.read("tls/key.pem"), b"key\x00\xff\n");
    // One request for each secret, however many of its fields are wanted.
    assert_eq!(stub.requests(), 2);

    fs::write(site.path().join("connect-token"), "another-token-that-nobody-knows").unwrap();
    let ran =
        site.run(&["sync"]).expect_exit(3).expect_error(&["unauthenticated", "401 Unauthorized", "hint: "]);
    let shown = format!("{}{}", ran.stdout, ran.stderr);
    assert!(!shown.contains("another-token") && !shown.contains("signature"), "{shown}");
}

/// A path that is wrong looks like a secret that is missing, unless the settings say what is what.
#[test]
fn a_default_takes_the_place_only_of_what_the_settings_call_missing() {
    let stub = Stub::answering(connect);
    let not_found = "not-found = [404]\n";
    let config = |not_found: &str| {
        format!(
            "[directory]\npath = \"out/app\"\n[sources.connect]\nprovider = \"http\"\n{not_found}\
             url = \"{}/v1/{{secret}}\"\nheaders.Authorization = {{ prefix = \"Bearer \", env = \"TOKEN\" }}\n\
             [files]\na = {{ source = \"connect\", secret = \"gone\", default = \"info\" }}\n",
            stub.endpoint()
        )
    };
    let site = Site::new();
    site.config(&config(""));
    let sync = || Ran::of(site.command(&["sync"]).env("TOKEN", TOKEN));
    sync().expect_exit(3).expect_error(&["unavailable: ", "404 Not Found", "add the status to `not-found`"]);
    site.config(&config(not_found));
    sync().expect_exit(0);
    assert_eq!(site.read("a"), b"info");
}

/// Whatever a person asks to see: the libraries below trace what they send and receive.
#[test]
fn no_trace_shows_a_token_or_a_value() {
    let stub = Stub::answering(connect);
    let site = site("### 1Password Connect", "https://connect.example.com", &stub);
    for token in [TOKEN, "another-token-that-nobody-knows"] {
        fs::write(site.path().join("connect-token"), token).unwrap();
        let ran = Ran::of(site.command(&["sync", "-vv", "--json"]).env("RUST_LOG", "trace"));
        let shown = format!("{}{}", ran.stdout, ran.stderr);
        assert!(
            shown.contains("asking") && shown.contains(&stub.endpoint().replace("http://", "")),
            "{shown}"
        );
        Canary::new("the token", token).assert_absent("the output", &shown);
        Canary::new("the value", "not-a-real-password").assert_absent("the output", &shown);
    }
}

/// A document that each reader of Doppler's API gets, whatever else it adds to the query.
fn doppler(message: &Message) -> Reply {
    let line = &message.first_line;
    let is_download =
        line.starts_with("GET /v3/configs/config/secrets/download?") && line.contains("format=json");
    match (is_signed_in(message), is_download) {
        (true, true) => Reply::json(200, r#"{"DB_PASSWORD": "not-a-real-password", "DB_USER": "shop"}"#),
        (false, _) => Reply::json(401, r#"{"messages": ["Invalid Auth token"], "success": false}"#),
        (true, false) => Reply::json(404, r#"{"messages": ["not found"], "success": false}"#),
    }
}

#[test]
fn a_config_of_doppler() {
    let stub = Stub::answering(doppler);
    let site = site("### Doppler", "https://api.doppler.com", &stub);
    site.sync();
    assert_eq!(site.read("db/password"), b"not-a-real-password");
    assert_eq!(site.read("env/DB_USER"), b"shop");
    let asked = "GET /v3/configs/config/secrets/download?format=json&project=shop&config=prd HTTP/1.1";
    assert_eq!(stub.seen(), [(asked.to_owned(), String::new())]);
}

/// So the server of these tests is one that Doppler's own program takes for Doppler.
#[test]
fn the_program_of_doppler_reads_the_same_from_the_same_server() {
    let stub = Stub::answering(doppler);
    let home = tempfile::tempdir().unwrap();
    let mut program = Command::new(programs().join("doppler"));
    program.args([
        "secrets",
        "download",
        "--no-file",
        "--format",
        "json",
        "--no-fallback",
        "--no-check-version",
    ]);
    program.args(["--attempts", "1", "--project", "shop", "--config", "prd", "--api-host", &stub.endpoint()]);
    program.env_clear().env("HOME", home.path()).env("DOPPLER_TOKEN", TOKEN);
    let read = Ran::of(&mut program).expect_exit(0).json();
    assert_eq!(read["DB_PASSWORD"], "not-a-real-password");
    assert_eq!(stub.requests(), 1);
    for part in ["/v3/configs/config/secrets/download?", "format=json", "project=shop", "config=prd"] {
        assert!(stub.seen()[0].0.contains(part), "{:?}", stub.seen());
    }
    assert_eq!(stub.headers("authorization"), [Some(format!("Bearer {TOKEN}"))]);
}
