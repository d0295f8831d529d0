//! Where the provider asks, and as whom, by its settings: what needs variables of the environment needs a process.

use secretdir_testkit::{Moto, REGION, Reply, Stub};

use crate::environment::{ANY_KEY, SERVICE, answer, run};

const ROLE: &str = "arn:aws:iam::123456789012:role/reader";

#[test]
fn a_role_of_the_settings_is_assumed_with_the_usual_credentials() {
    let moto = Moto::start();
    moto.create_string("app/db", "hunter2");
    let role = moto.add_role("reader", &["secretsmanager:GetSecretValue"]);
    let caller = moto.add_user("caller", &["sts:AssumeRole"]);
    let endpoint = moto.endpoint();
    let environment = [
        ("AWS_ACCESS_KEY_ID", &*caller.id),
        ("AWS_SECRET_ACCESS_KEY", &*caller.secret),
        ("AWS_ENDPOINT_URL_STS", &*endpoint),
    ];
    let settings = [("region", REGION), ("endpoint-url", &*endpoint)];
    let without = answer(&settings, &environment);
    assert!(without.starts_with("permission denied: AccessDenied"), "{without}");
    let with = answer(&[&settings[..], &[("role-arn", &*role)]].concat(), &environment);
    assert_eq!(with, "value: hunter2");
}

#[test]
fn the_external_id_and_the_name_of_the_session_are_sent_and_a_refusal_is_told() {
    let refusal = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>\
        <Message>not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>";
    for (more, session) in
        [(vec![], "secretdir"), (vec![("role-session-name", "host-7"), ("external-id", "a:b")], "host-7")]
    {
        let stub = Stub::start(Reply::Answer { status: 403, headers: Vec::new(), body: refusal.into() });
        let settings = [vec![("region", REGION), ("role-arn", ROLE)], more].concat();
        let endpoint = stub.endpoint();
        let environment = [ANY_KEY.to_vec(), vec![("AWS_ENDPOINT_URL_STS", &*endpoint)]].concat();
        let told = answer(&settings, &environment);
        assert!(told.starts_with("unauthenticated: no credentials: AccessDenied: not authorized"), "{told}");
        let seen = stub.seen();
        let (_, body) = &seen[0];
        assert!(body.contains(&format!("RoleSessionName={session}")), "{body}");
        assert_eq!(body.contains("ExternalId=a%3Ab"), session == "host-7", "{body}");
    }
}

/// Runs where a proxy is the only way out, and returns the host that was to be reached.
fn host_asked(settings: &[(&str, &str)], service: &str) -> String {
    let proxy = Stub::start(Reply::Answer { status: 502, headers: Vec::new(), body: Vec::new() });
    let endpoint = proxy.endpoint();
    let environment =
        [ANY_KEY.to_vec(), vec![("HTTPS_PROXY", &*endpoint), ("AWS_MAX_ATTEMPTS", "1"), (SERVICE, service)]];
    // A name in both services.
    let output = run(&[&[("region", REGION)], settings].concat(), "/app/db", &environment.concat());
    assert!(output.answers.iter().all(|told| told.starts_with("unavailable: ")), "{:?}", output.answers);
    let seen = proxy.seen();
    seen[0].0.split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn fips_and_dual_stack_endpoints_are_asked() {
    for (settings, host) in [
        (vec![], "secretsmanager.eu-west-1.amazonaws.com:443"),
        (vec![("use-fips-endpoint", "true")], "secretsmanager-fips.eu-west-1.amazonaws.com:443"),
        // The ordinary endpoints of Secrets Manager have both kinds of addresses.
        (vec![("use-dualstack-endpoint", "true")], "secretsmanager.eu-west-1.amazonaws.com:443"),
        (vec![("endpoint-url", "https://vpce.{region}.example")], "vpce.eu-west-1.example:443"),
    ] {
        assert_eq!(host_asked(&settings, "secrets"), host);
    }
    let parameters = |settings: &[(&str, &str)]| host_asked(settings, "parameters");
    assert_eq!(parameters(&[]), "ssm.eu-west-1.amazonaws.com:443");
    assert_eq!(parameters(&[("use-fips-endpoint", "true")]), "ssm-fips.eu-west-1.amazonaws.com:443");
    assert_eq!(parameters(&[("use-dualstack-endpoint", "true")]), "ssm.eu-west-1.api.aws:443");
}
