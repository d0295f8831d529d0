//! What can be wrong with settings, all of it offline.

use secretdir_provider::{Provider as _, Settings, Table, Value};
use secretdir_provider_http::HttpProvider;

use crate::support::{bearer, settings};

const STORE: &str = "https://store.test";

fn header<V: Into<Value>>(name: &str, value: V) -> Value {
    Table::from([(name, value.into())]).into()
}

fn posting(body: &str) -> Table {
    settings(STORE, [("method", "POST".into()), ("body", body.into())])
}

/// Settings with one fault, its place, and what is said of it.
type Bad = (Table, &'static str, &'static str);

pub(crate) fn bad() -> Vec<Bad> {
    [bad_ones(), bad_headers()].concat()
}

fn bad_ones() -> Vec<Bad> {
    let with = |key: &'static str, value: Value| settings(STORE, [(key, value)]);
    let statuses = |status| Value::Array(vec![Value::Integer(status)]);
    let plain = "would send secrets unencrypted";
    vec![
        (Table::from([("url", "https://store.test/app")]), "url", "needs the placeholder `{secret}`"),
        (settings("http://store.test", []), "url", plain),
        (settings("http://10.0.0.1:8200", []), "url", plain),
        (settings("http://localhost.store.test", []), "url", plain),
        (settings("ftp://store.test", []), "url", "must begin with https://"),
        (with("method", "PATCH".into()), "method", "expected one of `GET`, `POST`"),
        (with("body", "{}".into()), "body", "goes with `method = \"POST\"`"),
        (posting("{secret}"), "body", "must be JSON"),
        (posting("name={secret}"), "body", "must be JSON"),
        (with("not-found", statuses(403)), "not-found", "expected statuses such as 404"),
        (with("not-found", statuses(503)), "not-found", "expected statuses such as 404"),
        (with("not-found", statuses(200)), "not-found", "expected statuses such as 404"),
        (with("revision-header", "a b".into()), "revision-header", "not a valid name for a header"),
        (with("redirects", Value::Integer(6)), "redirects", "from 0 to 5"),
        (with("max-bytes", Value::Integer(0)), "max-bytes", "at least 1"),
        (with("client-key", "a.pem".into()), "client-key", "needs `client-certificate`"),
        (with("client-certificate", "a.pem".into()), "client-certificate", "needs `client-key`"),
        (with("ca-certificate", "~/a.pem".into()), "ca-certificate", "~"),
        (with("unix-socket", "".into()), "unix-socket", "empty"),
    ]
}

fn bad_headers() -> Vec<Bad> {
    let with = |headers: Value| settings(STORE, [("headers", headers)]);
    let credential = |prefix: &str| Table::from([("prefix", prefix), ("env", "TOKEN")]);
    let text = "which must not be in a configuration";
    vec![
        (with(header("A b", "c")), "headers.\"A b\"", "not a valid name for a header"),
        (with(header("Host", "c")), "headers.Host", "by the HTTP client itself"),
        (with(header("Accept-Encoding", "gzip")), "headers.Accept-Encoding", "by the HTTP client itself"),
        (
            with(header("Proxy-Authorization", "Basic x")),
            "headers.Proxy-Authorization",
            "by the HTTP client itself",
        ),
        (with(header("X-A", "b\nc")), "headers.X-A", "no header can have"),
        (with(header("Authorization", "Bearer x")), "headers.Authorization", text),
        (with(header("x-api-key", "x")), "headers.x-api-key", text),
        (with(header("X-Vault-Token", "x")), "headers.X-Vault-Token", text),
        (with(header("Cookie", "x")), "headers.Cookie", text),
        (with(header("X-A", Table::new())), "headers.X-A", "expected one of `file`, `env`"),
        (with(header("X-A", Table::from([("fil", "x")]))), "headers.X-A.fil", "did you mean `file`?"),
        (with(header("X-A", Value::Integer(1))), "headers.X-A", "expected a text, or a table"),
        (
            with(header("Authorization", credential("Bearer"))),
            "headers.Authorization.prefix",
            "must end with a space",
        ),
        (with(header("X-A", credential("a\n"))), "headers.X-A.prefix", "no header can have"),
        (
            with(Table::from([("X-A", "1"), ("x-a", "2")]).into()),
            "headers.x-a",
            "upper and lower case are the same",
        ),
    ]
}

#[test]
fn each_fault_is_told_at_its_place() {
    for (table, place, why) in bad() {
        let error = HttpProvider.source(Settings::new(table, "/")).unwrap_err();
        let found = error.problems().iter().find(|problem| problem.path().to_string() == place);
        assert!(found.is_some_and(|problem| problem.message().contains(why)), "{place}: {error}");
    }
}

#[test]
fn several_faults_are_told_together() {
    let table = settings(
        "http://store.test",
        [
            ("body", "{}".into()),
            ("headers", header("Cookie", "a")),
            ("redirects", Value::Integer(9)),
            ("not-found", Value::Array(vec![Value::Integer(1)])),
            ("client-key", "a".into()),
            ("unix-socket", "".into()),
            ("revision-header", "".into()),
        ],
    );
    let error = HttpProvider.source(Settings::new(table, "/")).unwrap_err();
    let mut places: Vec<_> = error.problems().iter().map(|problem| problem.path().to_string()).collect();
    places.sort();
    let expected =
        ["body", "client-key", "headers.Cookie", "not-found", "redirects", "revision-header", "unix-socket"];
    // A socket was named, though a bad one, so the URL is not sent over a network.
    assert_eq!(places, expected);
}

#[test]
fn what_stays_on_this_machine_or_is_meant_so_may_be_in_the_clear() {
    let folder = tempfile::tempdir().unwrap();
    for table in [
        settings("http://localhost:8080", []),
        settings("http://[::1]", [("headers", bearer(folder.path()))]),
        settings("http://store.test", [("unix-socket", "/run/agent.sock".into())]),
        settings("http://store.test", [("allow-plain-http", true.into())]),
        posting(r#"{"a": "{secret}"}"#),
        settings(STORE, [("not-found", Value::Array([204, 404, 410].map(Value::Integer).into()))]),
    ] {
        assert!(HttpProvider.source(Settings::new(table, "/")).is_ok());
    }
}
