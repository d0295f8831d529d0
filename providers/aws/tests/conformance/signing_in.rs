//! What is said of signing in: in errors, and with `-v`.

use std::fs;

use secretdir_testkit::{Canary, REGION, Reply, Strict, Stub};
use tempfile::TempDir;

use crate::environment::{Files, TRACES, answer, borrowed, run};
use crate::surroundings::{KEYS, VALUE, server};

fn agent(status: u16, body: &str) -> Stub {
    Stub::start(Reply::Answer { status, headers: Vec::new(), body: body.into() })
}

#[test]
fn an_agent_is_told_in_its_own_words_and_no_token_is() {
    for (status, body, words) in [
        (
            400,
            r#"{"code":"AccessDenied","message":"the role cannot be assumed"}"#,
            ": AccessDenied: the role cannot be assumed",
        ),
        (404, "no such task\n", ": no such task"),
        (403, "t0k3n is not good", ""),
        (500, "", ""),
    ] {
        let agent = agent(status, body);
        let endpoint = agent.endpoint();
        let environment = [
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &*endpoint),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "t0k3n"),
        ];
        let told = answer(&[("region", REGION)], &environment);
        let host = endpoint.trim_start_matches("http://");
        let expected = format!("unauthenticated: no credentials: {host} answered {status}{words}; hint: ");
        assert!(told.starts_with(&expected), "{told}");
        assert!(!told.contains("t0k3n"), "{told}");
    }
}

/// Many pods of a host start at one time, and ask the same agent.
#[test]
fn an_agent_that_throttles_is_asked_again() {
    let server = server();
    let throttled = || Reply::Answer { status: 429, headers: Vec::new(), body: "slow down".into() };
    let good = r#"{"AccessKeyId":"AKIAIOSFODNN7EXAMPLE","SecretAccessKey":"any","Token":"any","Expiration":"2099-01-01T00:00:00Z"}"#;
    let replies = (0..3).map(|_| throttled()).chain([Reply::json(200, good)]);
    let agent = Stub::in_turn(replies.collect());
    let told = answer(
        &[("region", REGION), ("endpoint-url", &server.endpoint())],
        &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &agent.endpoint())],
    );
    assert_eq!((&*told, agent.requests()), (VALUE, 4));
}

#[test]
fn a_token_file_that_cannot_be_read_is_named() {
    let role = ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/app");
    let web = ("AWS_WEB_IDENTITY_TOKEN_FILE", "/no/such/token");
    let config = "[default]\nrole_arn = arn:aws:iam::123456789012:role/app\nweb_identity_token_file = /no/such/token\n";
    let files = Files::new(config, "");
    let files = files.environment();
    let container = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/no/such/token"),
    ];
    for (environment, by) in [
        (&[web, role][..], "AWS_WEB_IDENTITY_TOKEN_FILE"),
        (&container, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
        (&borrowed(&files), "`web_identity_token_file` of the profile `default`"),
    ] {
        let told = answer(&[("region", REGION)], environment);
        let expected = format!(
            "unauthenticated: no credentials: the token file /no/such/token ({by}) cannot be read: No such file or directory"
        );
        assert!(told.starts_with(&expected), "{told}");
    }
    let told = answer(&[("region", REGION)], &[web]);
    assert!(told.starts_with("unauthenticated: no credentials: AWS_WEB_IDENTITY_TOKEN_FILE is set in the environment, but not AWS_ROLE_ARN or `role_arn`"), "{told}");
}

/// The true cause is the connection, and another file is none of it.
#[test]
fn a_token_file_that_is_not_in_use_is_not_blamed() {
    let config = "[profile r]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = k\n\
        [profile k]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = any\n";
    let files = Files::new(config, "");
    let files = files.environment();
    let environment = [
        borrowed(&files),
        vec![
            ("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "/no/such/token"),
            ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/x"),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/no/such/token"),
        ],
    ]
    .concat();
    let told = answer(&[("region", REGION), ("profile", "r")], &environment);
    assert!(told.starts_with("unavailable: no credentials: ") && told.contains("127.0.0.1:1"), "{told}");
    assert!(!told.contains("/no/such/token"), "{told}");
}

/// An agent that throttles once costs a pause, also where a role is assumed with what it gives, and however many secrets there are.
#[test]
fn one_throttled_answer_costs_one_pause() {
    let server = Strict::start();
    let names: Vec<_> = (0..40).map(|number| format!("app/{number}")).collect();
    names.iter().for_each(|name| server.put(name, "hunter2"));
    let sts = Stub::start(Reply::Answer { status: 200, headers: Vec::new(), body: ROLE.into() });
    let good = r#"{"AccessKeyId":"AKIAIOSFODNN7EXAMPLE","SecretAccessKey":"any","Token":"any","Expiration":"2099-01-01T00:00:00Z"}"#;
    let throttled = Reply::Answer { status: 429, headers: Vec::new(), body: Vec::new() };
    let agent = Stub::in_turn(vec![throttled, Reply::json(200, good)]);
    let (endpoint, agent_endpoint, sts_endpoint) = (server.endpoint(), agent.endpoint(), sts.endpoint());
    let settings = [
        ("region", REGION),
        ("endpoint-url", &*endpoint),
        ("role-arn", "arn:aws:iam::210987654321:role/app"),
    ];
    let environment =
        [("AWS_CONTAINER_CREDENTIALS_FULL_URI", &*agent_endpoint), ("AWS_ENDPOINT_URL_STS", &sts_endpoint)];
    let output = run(&settings, &names.join(" "), &environment);
    assert_eq!(output.answers, vec![VALUE; 40]);
    assert_eq!((agent.requests(), sts.requests()), (2, 1));
}

/// As for boto3: each of the three is of the environment, or else of the profile.
#[test]
fn a_web_identity_of_the_environment_counts_before_that_of_the_profile() {
    let server = server();
    let body = ROLE.replace("AssumeRole", "AssumeRoleWithWebIdentity");
    let sts = Stub::start(Reply::Answer { status: 200, headers: Vec::new(), body: body.into() });
    let folder = TempDir::new().unwrap();
    let token = |name: &str| {
        let path = folder.path().join(name);
        fs::write(&path, name).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (of_profile, of_env) = (token("tok-profile"), token("tok-env"));
    let role = |name: &str| format!("arn:aws:iam::123456789012:role/{name}");
    let config =
        format!("[default]\nrole_arn = {}\nweb_identity_token_file = {of_profile}\n", role("of-profile"));
    let files = Files::new(&config, "");
    let (files, endpoint, sts_endpoint) = (files.environment(), server.endpoint(), sts.endpoint());
    let of_env_role = role("of-env");
    for (variables, expected) in [
        (
            &[("AWS_ROLE_ARN", &*of_env_role), ("AWS_WEB_IDENTITY_TOKEN_FILE", &of_env)][..],
            ["of-env", "tok-env"],
        ),
        (&[("AWS_ROLE_ARN", &of_env_role)], ["of-env", "tok-profile"]),
        (&[("AWS_WEB_IDENTITY_TOKEN_FILE", &of_env)], ["of-profile", "tok-env"]),
        (&[("AWS_ROLE_SESSION_NAME", "sess-env")], ["of-profile", "sess-env"]),
        (&[], ["of-profile", "tok-profile"]),
    ] {
        let environment =
            [&borrowed(&files)[..], &[("AWS_ENDPOINT_URL_STS", &sts_endpoint)], variables].concat();
        assert_eq!(
            answer(&[("region", REGION), ("endpoint-url", &endpoint)], &environment),
            VALUE,
            "{variables:?}"
        );
        let (_, asked) = sts.seen().pop().unwrap();
        assert!(expected.iter().all(|part| asked.contains(part)), "{variables:?}: {asked}");
    }
}

/// The SDK would cut it off there, without a word.
#[test]
fn a_value_with_a_comment_behind_it_is_refused_where_the_sdk_reads_it() {
    let server = server();
    let config = format!("[default]\n{KEYS}external_id = a #1\n");
    let files = Files::new(&config, "");
    let told =
        answer(&[("region", REGION), ("endpoint-url", &server.endpoint())], &borrowed(&files.environment()));
    assert!(
        told.starts_with("invalid request: `external_id` of a profile (/") && told.contains("line 4"),
        "{told}"
    );
}

#[test]
fn names_of_profiles_are_told_as_they_are_written() {
    let role = "role_arn = arn:aws:iam::123456789012:role/x\n";
    let config = format!(
        "[profile \"two words\"]\nregion = {REGION}\n[profile \"b\u{fc}ro x\"]\n{role}source_profile = two words\n\
         [profile s]\nsso_session = a b\nsso_account_id = 1\nsso_role_name = r\n\
         [sso-session \"a b\"]\nsso_region = {REGION}\nsso_start_url = https://127.0.0.1:1/\n"
    );
    let files = Files::new(&config, "");
    let files = files.environment();
    let told = answer(&[("region", REGION), ("profile", "b\u{fc}ro x")], &borrowed(&files));
    assert!(told.contains("profile `two words` did not contain credential information"), "{told}");
    assert!(told.contains("hint: is the profile `b\u{fc}ro x` in"), "{told}");
    let told = answer(&[("region", REGION), ("profile", "s")], &borrowed(&files));
    assert!(
        told.contains("the name of the section `sso-session a b` cannot be used; hint: give it a name of"),
        "{told}"
    );
}

/// With these traces, which `-v` shows.
fn traced(settings: &[(&str, &str)], environment: &[(&str, &str)]) -> String {
    let environment = [environment, &[(TRACES, "secretdir_provider_aws=debug")]].concat();
    let output = run(settings, "app/db", &environment);
    assert_eq!(output.answers, ["value: hunter2-hunter2"]);
    let traces = String::from_utf8(output.traces).unwrap();
    for (name, value) in [
        ("key", "AKIAIOSFODNN7EXAMPLE"),
        ("secret key", "canary-of-a-key"),
        ("token", "canary-of-a-token"),
        ("value", "hunter2-hunter2"),
    ] {
        Canary::new(name, value).assert_absent("the traces", &traces);
    }
    traces
}

fn assert_told(traces: &str, parts: &[&str]) {
    for part in parts {
        assert!(traces.contains(part), "{part:?} is not in {traces}");
    }
}

#[test]
fn the_traces_tell_endpoint_source_account_and_role_and_no_key() {
    let server = Strict::start();
    server.put("app/db", "hunter2-hunter2");
    let endpoint = server.endpoint();
    let host = endpoint.trim_start_matches("http://");
    let settings = [("region", REGION), ("endpoint-url", &*endpoint)];
    let key = [("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "canary-of-a-key")];

    let traces = traced(&settings, &[&key[..], &[("AWS_ACCOUNT_ID", "123456789012")]].concat());
    assert_told(
        &traces,
        &[
            "signing in region=\"eu-west-1\"",
            "credentials from=\"environment\" account=\"123456789012\"",
            &format!("asking endpoint={host:?}"),
        ],
    );

    let credentials = r#"{"AccessKeyId":"AKIAIOSFODNN7EXAMPLE","SecretAccessKey":"canary-of-a-key","Token":"canary-of-a-token","Expiration":"2099-01-01T00:00:00Z"}"#;
    let container = Stub::start(Reply::json(200, credentials));
    let traces = traced(&settings, &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &container.endpoint())]);
    assert_told(&traces, &["credentials from=\"container\""]);

    let sts = Stub::start(Reply::Answer { status: 200, headers: Vec::new(), body: ROLE.into() });
    let role = "arn:aws:iam::210987654321:role/app";
    let (sts_endpoint, with_role) = (sts.endpoint(), [&settings[..], &[("role-arn", role)]].concat());
    let traces = traced(&with_role, &[&key[..], &[("AWS_ENDPOINT_URL_STS", &sts_endpoint)]].concat());
    let sts_host = format!("asking endpoint={:?}", sts_endpoint.trim_start_matches("http://"));
    assert_told(
        &traces,
        &[
            "role=\"arn:aws:iam::210987654321:role/app\"",
            "credentials from=\"environment\"",
            "credentials from=\"assumed role\" account=\"210987654321\"",
            &sts_host,
        ],
    );

    let folder = TempDir::new().unwrap();
    let printed = folder.path().join("printed");
    fs::write(
        &printed,
        r#"{"Version": 1, "AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "canary-of-a-key"}"#,
    )
    .unwrap();
    for (config, from) in [
        (format!("[default]\n{}", KEYS.replace("= any", "= canary-of-a-key")), "profile"),
        (format!("[default]\ncredential_process = cat {}\n", printed.display()), "credential process"),
    ] {
        let files = Files::new(&config, "");
        let traces = traced(&settings, &borrowed(&files.environment()));
        assert_told(&traces, &["profile=\"default\"", &format!("credentials from={from:?}")]);
    }
}

const ROLE: &str = "<AssumeRoleResponse><AssumeRoleResult><AssumedRoleUser>\
    <Arn>arn:aws:sts::210987654321:assumed-role/app/secretdir</Arn><AssumedRoleId>AROA:secretdir</AssumedRoleId></AssumedRoleUser>\
    <Credentials><AccessKeyId>AKIAIOSFODNN7EXAMPLE</AccessKeyId><SecretAccessKey>canary-of-a-key</SecretAccessKey>\
    <SessionToken>canary-of-a-token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
    </AssumeRoleResult></AssumeRoleResponse>";
