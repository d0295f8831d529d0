//! TLS with private authorities and client certificates, and a Unix socket: each before the real server.

use secretdir_provider::SourceErrorKind;
use secretdir_testkit::{Bao, Certificate, TlsFront, UnixFront};
use serde_json::json;

use crate::support::*;

use SourceErrorKind::{Unauthenticated, Unavailable};

const NAME: &str = "secret/tls";

/// Writes what all read.
fn written(bao: &Bao) {
    bao.write("secret/data/tls", &json!({ "data": { "v": 1 } }));
}

/// The settings for a certificate of the server, and one of the client.
fn files(authority: &Certificate, client: Option<&Certificate>) -> String {
    let client = client
        .map(|client| format!("client-certificate = {:?}\nclient-key = {:?}\n", client.path(), client.key()));
    format!("ca-certificate = {:?}\n{}", authority.path(), client.unwrap_or_default())
}

#[tokio::test]
async fn a_private_authority_is_trusted_if_it_is_named_and_nobody_else_then() {
    written(bao());
    let (front, root) = (TlsFront::before(&bao().endpoint()), Root::new());
    let settings = root.settings(front.endpoint());
    let named = files(front.certificate(), None) + &settings;
    assert_eq!(text(&fetch(&*source(&named), NAME).await.unwrap()), r#"{"v":1}"#);
    assert_told(fetch(&*source(&settings), NAME).await, Unavailable, &["certificate", "`ca-certificate`"]);
    let another = Certificate::make();
    let wrong = files(&another, None) + &settings;
    assert_told(fetch(&*source(&wrong), NAME).await, Unavailable, &["certificate", "`ca-certificate`"]);
    std::fs::write(another.path(), "no certificate").unwrap();
    assert_told(fetch(&*source(&wrong), NAME).await, Unavailable, &["has no certificates"]);
    // A server without TLS at that port.
    let plain = settings.replace(front.endpoint(), &bao().endpoint().replace("http://", "https://"));
    assert_told(fetch(&*source(&plain), NAME).await, Unavailable, &["does the server speak TLS"]);
}

#[tokio::test]
async fn a_server_that_wants_a_certificate_gets_it() {
    written(bao());
    let client = Certificate::make();
    let (front, root) = (TlsFront::for_client(&bao().endpoint(), &client), Root::new());
    let settings = root.settings(front.endpoint());
    let shown = files(front.certificate(), Some(&client)) + &settings;
    fetch(&*source(&shown), NAME).await.unwrap();
    let without = files(front.certificate(), None) + &settings;
    assert_told(fetch(&*source(&without), NAME).await, Unauthenticated, &["`client-certificate`"]);
    let another = Certificate::make();
    let wrong = files(front.certificate(), Some(&another)) + &settings;
    assert_told(fetch(&*source(&wrong), NAME).await, Unauthenticated, &["`client-certificate`"]);
    std::fs::copy(another.key(), client.key()).unwrap();
    assert_told(fetch(&*source(&shown), NAME).await, Unauthenticated, &["cannot be used together"]);
}

#[tokio::test]
async fn a_client_certificate_logs_in() {
    let (server, client) = (Certificate::make(), Certificate::make());
    let bao = Bao::start_with_tls(&server);
    written(&bao);
    let policy = r#"path "secret/data/tls" { capabilities = ["read"] }"#;
    bao.write("sys/policies/acl/tls", &json!({ "policy": policy }));
    bao.write("sys/auth/cert", &json!({ "type": "cert" }));
    let pem = std::fs::read_to_string(client.path()).unwrap();
    bao.write("auth/cert/certs/host", &json!({ "certificate": pem, "token_policies": ["tls"] }));
    let address = format!("address = \"{}\"\n", bao.tls_endpoint());
    for role in ["", ", role = \"host\""] {
        let settings =
            format!("{address}{}auth = {{ method = \"cert\"{role} }}\n", files(&server, Some(&client)));
        assert_eq!(text(&fetch(&*source(&settings), NAME).await.unwrap()), r#"{"v":1}"#);
    }
    let another = Certificate::make();
    for shown in [None, Some(&another)] {
        let settings = format!("{address}{}auth = {{ method = \"cert\" }}\n", files(&server, shown));
        assert_told(
            fetch(&*source(&settings), NAME).await,
            Unauthenticated,
            &["does not accept the client certificate", "the roles of the method `cert`"],
        );
    }
    let unknown = format!(
        "{address}{}auth = {{ method = \"cert\", role = \"none\" }}\n",
        files(&server, Some(&client))
    );
    assert_told(fetch(&*source(&unknown), NAME).await, Unauthenticated, &["client certificate"]);
}

#[tokio::test]
async fn a_unix_socket_is_an_address() {
    written(bao());
    let (front, root) = (UnixFront::before(&bao().endpoint()), Root::new());
    let address = format!("unix://{}", front.path().display());
    fetch(&*source(&root.settings(&address)), NAME).await.unwrap();
    let nobody = root.settings(&address.replace("/socket", "/nobody"));
    assert_told(fetch(&*source(&nobody), NAME).await, Unavailable, &["/nobody"]);
}
