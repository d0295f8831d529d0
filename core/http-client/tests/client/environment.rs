//! What the environment says: the proxies and the authorities of the machine. Each test asks in a process of its own.

use std::io::{self, Write as _};
use std::process::Command;

use secretdir_testkit::{Reply, Stub, TlsFront};

use crate::support::{plain, send, told};

/// Which URL to ask, for [`asked`].
const ENDPOINT: &str = "SECRETDIR_TEST_ENDPOINT";

#[tokio::test]
#[ignore = "is run by the tests below, in a process of its own"]
async fn asked() {
    let Ok(endpoint) = std::env::var(ENDPOINT) else { return };
    let told = match send(&plain(), &endpoint).await {
        Ok(answer) => format!("status: {}", answer.status()),
        Err(error) => format!("{:?}", told(error)),
    };
    writeln!(io::stdout(), "{told}").unwrap();
}

fn ask(endpoint: &str, variables: &[(&str, &str)]) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "environment::asked", "--ignored", "--nocapture"]).env(ENDPOINT, endpoint);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE"] {
        child.env_remove(name).env_remove(name.to_lowercase());
    }
    let output = child.envs(variables.iter().copied()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_proxy_is_asked_and_named() {
    let proxy = Stub::start(Reply::json(200, "{}"));
    let variables = [("HTTP_PROXY", proxy.endpoint()), ("HTTPS_PROXY", proxy.endpoint())];
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert!(ask("http://store.test:81", &variables).contains("status: 200"));
    assert_eq!(proxy.seen()[0].0, "GET http://store.test:81/v1/app?token=canary-in-a-query HTTP/1.1");

    let denied = Stub::start(Reply::json(407, "{}"));
    let told = ask("https://store.test", &[("HTTPS_PROXY", &denied.endpoint())]);
    let place = denied.endpoint().replace("http://", "");
    assert!(told.contains(&format!("store.test:443 through the proxy {place}: cannot connect: ")), "{told}");
    assert!(told.contains("should NO_PROXY name the host?"), "{told}");
    assert!(denied.seen()[0].0.starts_with("CONNECT store.test:443 "), "{:?}", denied.seen());
}

#[test]
fn a_host_of_no_proxy_is_asked_itself() {
    let proxy = Stub::start(Reply::json(500, "{}"));
    // A label of 64 letters has no address, and nobody is asked for one.
    let host = "a".repeat(64);
    let told = ask(&format!("http://{host}"), &[("HTTP_PROXY", &proxy.endpoint()), ("NO_PROXY", &host)]);
    assert!(told.contains("fault: Unresolved"), "{told}");
    assert_eq!(proxy.requests(), 0);
}

#[test]
fn this_machine_is_asked_through_no_proxy() {
    let (proxy, stub) = (Stub::start(Reply::json(500, "{}")), Stub::start(Reply::json(200, "{}")));
    for variable in ["HTTP_PROXY", "ALL_PROXY"] {
        assert!(ask(&stub.endpoint(), &[(variable, &proxy.endpoint())]).contains("status: 200"));
    }
    assert_eq!((proxy.requests(), stub.requests()), (0, 2));
}

#[test]
fn the_authorities_of_the_machine_are_those_of_its_variables() {
    let stub = Stub::start(Reply::json(200, "{}"));
    let front = TlsFront::before(&stub.endpoint());
    let certificate = front.certificate().path();
    let asked = |file: &str| ask(front.endpoint(), &[("SSL_CERT_FILE", file)]);
    assert!(asked(certificate.to_str().unwrap()).contains("status: 200"));
    let told = asked("/dev/null");
    assert!(told.contains("fault: NoAuthorities") && told.contains("kind: Unavailable"), "{told}");
    assert!(told.contains("install the package ca-certificates"), "{told}");
}

/// A request in the clear needs no authorities, through a proxy either.
#[test]
fn what_needs_no_tls_reads_no_authorities() {
    let stub = Stub::start(Reply::json(200, "{}"));
    let endpoint = stub.endpoint();
    for (asked, proxy) in [(endpoint.as_str(), ""), ("http://store.test", &endpoint)] {
        assert!(ask(asked, &[("HTTP_PROXY", proxy), ("SSL_CERT_FILE", "/dev/null")]).contains("status: 200"));
    }
}
