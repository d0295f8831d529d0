//! The way to an endpoint: which proxy, which of AWS's endpoints, and what is said where it is blocked.

use std::fs;

use secretdir_testkit::{REGION, Reply, Stub};

use crate::environment::{ANY_KEY, Files, answer, borrowed};
use crate::surroundings::{KEYS, VALUE, server, with};

#[test]
fn what_is_said_of_endpoints_holds_for_sts_too() {
    let proxy = Stub::start(Reply::json(502, ""));
    let config = format!(
        "[profile r]\nregion = us-east-1\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = k\n[profile k]\n{KEYS}"
    );
    let files = Files::new(&config, "");
    let files = files.environment();
    let proxy_url = proxy.endpoint();
    for settings in [&[("profile", "r"), ("use-fips-endpoint", "true")][..], &[("profile", "r")]] {
        let fips = [("AWS_USE_FIPS_ENDPOINT", "true")];
        let by_variable = if settings.len() == 1 { &fips[..] } else { &[] };
        let environment =
            [&borrowed(&files), [("HTTPS_PROXY", proxy_url.as_str())].as_slice(), by_variable].concat();
        answer(settings, &environment);
    }
    let asked: Vec<_> = proxy.seen().into_iter().map(|(line, _)| line).collect();
    assert!(
        !asked.is_empty() && asked.iter().all(|line| line.contains("sts-fips.us-east-1.amazonaws.com")),
        "{asked:?}"
    );
}

#[test]
fn the_container_is_never_asked_through_a_proxy() {
    let server = server();
    let credentials = r#"{"AccessKeyId":"AKIAIOSFODNN7EXAMPLE","SecretAccessKey":"any","Token":"any","Expiration":"2099-01-01T00:00:00Z"}"#;
    let (container, proxy) =
        (Stub::start(Reply::json(200, credentials)), Stub::start(Reply::json(200, credentials)));
    for variable in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        let told = answer(
            &[("region", REGION), ("endpoint-url", &server.endpoint())],
            &[
                (variable, &proxy.endpoint()),
                ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &container.endpoint()),
                ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "canary-of-the-token"),
            ],
        );
        // The service is another matter: it is asked as the variable says.
        assert!(told == VALUE || !variable.eq_ignore_ascii_case("HTTPS_PROXY"), "{variable}: {told}");
    }
    assert_eq!(container.requests(), 6);
    assert!(proxy.seen().iter().all(|(line, _)| line.starts_with("POST ")), "{:?}", proxy.seen());
}

#[test]
fn the_instance_is_never_asked_through_a_proxy() {
    let (instance, proxy) = (Stub::start(Reply::json(404, "")), Stub::start(Reply::json(404, "")));
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        answer(
            &[("region", REGION)],
            &[
                (variable, &proxy.endpoint()),
                ("AWS_EC2_METADATA_DISABLED", "false"),
                ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &instance.endpoint()),
            ],
        );
    }
    assert!(instance.requests() >= 4 && proxy.requests() == 0, "{:?}", proxy.seen());
}

#[test]
fn a_malformed_proxy_is_not_passed_by() {
    let server = server();
    for variable in ["HTTPS_PROXY", "http_proxy", "ALL_PROXY"] {
        let told = with(&server, &[(variable, "http://proxy:port")]);
        assert!(
            told.starts_with(&format!(
                "invalid request: {variable} in the environment is not the URL of a proxy"
            )),
            "{told}"
        );
    }
}

#[test]
fn an_error_of_the_network_names_host_port_and_proxy() {
    let nobody = crate::support::endpoint_of_nobody();
    let place = nobody.trim_start_matches("http://");
    let environment = [&ANY_KEY, [("AWS_REGION", REGION)].as_slice()].concat();
    let told = answer(&[("endpoint-url", &nobody)], &environment);
    assert!(
        told.contains(&format!(
            "Secrets Manager in {REGION}: Connection refused (os error 111), at {place}; "
        )),
        "{told}"
    );
    let environment = [environment.as_slice(), &[("HTTPS_PROXY", nobody.as_str())]].concat();
    let told = answer(&[], &environment);
    let at = format!(", at secretsmanager.{REGION}.amazonaws.com:443 through the proxy {place}; ");
    assert!(told.contains(&at) && told.contains("hint: is the proxy of HTTPS_PROXY"), "{told}");
    let token = tempfile::NamedTempFile::new().unwrap();
    fs::write(token.path(), "token").unwrap();
    let environment = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.path().to_str().unwrap()),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/app"),
        ("AWS_ENDPOINT_URL_STS", &nobody),
    ];
    let told = answer(&[("region", REGION)], &environment);
    assert!(told.contains(&format!("(os error 111), at {place}; ")), "{told}");
}
