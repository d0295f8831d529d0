//! Whatever stands in the variables and files that every AWS tool reads: it is heeded, or refused by name. Nothing panics.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use secretdir_testkit::{REGION, Reply, Strict, Stub};

use crate::environment::{ANY_KEY, Files, SERVICE, answer, borrowed, run};

pub(crate) const VALUE: &str = "value: hunter2";

pub(crate) fn server() -> Strict {
    let server = Strict::start();
    server.put("app/db", "hunter2");
    server
}

/// Fetches from a server with a key, a region, and these variables.
pub(crate) fn with(server: &Strict, variables: &[(&str, &str)]) -> String {
    let environment = [&ANY_KEY, [("AWS_REGION", REGION)].as_slice(), variables].concat();
    answer(&[("endpoint-url", &server.endpoint())], &environment)
}

/// Fetches from a server with these files, and nothing in the environment.
pub(crate) fn with_files(
    server: &Strict,
    settings: &[(&str, &str)],
    config: &str,
    credentials: &str,
) -> String {
    let files = Files::new(config, credentials);
    let endpoint = server.endpoint();
    let settings = [&[("endpoint-url", endpoint.as_str())], settings].concat();
    answer(&settings, &borrowed(&files.environment()))
}

pub(crate) const KEYS: &str = "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = any\n";

/// Each of them is wrong somewhere, and right elsewhere.
const NASTY: [&str; 9] =
    ["", " ", "0", "true", "nonsense", "http://", "a b\u{7}", "%zz\\\"'[]{}", "\u{fc}\u{1f600}"];

const VARIABLES: [&str; 38] = [
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ACCOUNT_ID",
    "AWS_RETRY_MODE",
    "AWS_MAX_ATTEMPTS",
    "AWS_NEW_RETRIES_2026",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_SDK_UA_APP_ID",
    "AWS_DEFAULTS_MODE",
    "AWS_REQUEST_CHECKSUM_CALCULATION",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE",
    "AWS_AUTH_SCHEME_PREFERENCE",
    "AWS_SIGV4A_SIGNING_REGION_SET",
    "AWS_DISABLE_REQUEST_COMPRESSION",
    "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES",
    "HOME",
];

/// Calls something with each number below this, on some threads.
fn each(count: usize, call: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(number) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).filter(|number| *number < count)
                {
                    call(number);
                }
            });
        }
    });
}

#[test]
fn no_value_of_a_variable_panics_or_blames_something_else() {
    let server = server();
    each(VARIABLES.len() * NASTY.len(), |number| {
        let (variable, value) = (VARIABLES[number / NASTY.len()], NASTY[number % NASTY.len()]);
        let told = with(&server, &[(variable, value)]);
        // A key id that is empty is none; what is said then names both variables.
        assert!(told == VALUE || told.contains(variable), "{variable}={value:?}: {told}");
        // Without a region or a key there is nothing to fetch with.
        let is_needed = ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].contains(&variable);
        assert!(!value.is_empty() || is_needed || told == VALUE, "{variable} is empty, not set: {told}");
    });
}

const PROFILE_KEYS: [&str; 27] = [
    "region",
    "output",
    "retry_mode",
    "max_attempts",
    "use_fips_endpoint",
    "use_dualstack_endpoint",
    "ignore_configured_endpoint_urls",
    "endpoint_url",
    "services",
    "ec2_metadata_service_endpoint",
    "ec2_metadata_service_endpoint_mode",
    "aws_session_token",
    "aws_security_token",
    "aws_account_id",
    "role_session_name",
    "external_id",
    "duration_seconds",
    "mfa_serial",
    "credential_process",
    "web_identity_token_file",
    "sdk_ua_app_id",
    "request_checksum_calculation",
    "account_id_endpoint_mode",
    "sigv4a_signing_region_set",
    "parameter_validation",
    "cli_pager",
    "s3",
];

#[test]
fn no_value_of_a_profile_panics_or_blames_something_else() {
    let server = server();
    each(PROFILE_KEYS.len() * NASTY.len(), |number| {
        let (key, value) = (PROFILE_KEYS[number / NASTY.len()], NASTY[number % NASTY.len()]);
        let config = format!("[default]\n{KEYS}{key} = {value}\n");
        let told = with_files(&server, &[("region", REGION)], &config, "");
        let words = if key == "credential_process" { "credential process" } else { key };
        assert!(told == VALUE || told.contains(words) || told.contains(key), "{key} = {value:?}: {told}");
        assert!(!value.trim().is_empty() || told == VALUE, "{key} is empty, not set: {told}");
    });
}

#[test]
fn no_answer_with_credentials_panics() {
    let server = server();
    let good = r#"{"AccessKeyId":"AKIAIOSFODNN7EXAMPLE","SecretAccessKey":"any","Token":"any","Expiration":"2099-01-01T00:00:00Z"}"#;
    let mut answers: Vec<String> = ["", "{", "[]", "null", "\u{fc}", "{}"].map(str::to_owned).into();
    for part in ["AKIAIOSFODNN7EXAMPLE", "\"any\"", "2099-01-01T00:00:00Z"] {
        for nasty in ["", "\\n", "\\u0007 x", "\\ud83d\\ude00", "9999999999999-01-01T00:00:00Z", "-1"] {
            let nasty = if part.starts_with('"') { format!("\"{nasty}\"") } else { nasty.to_owned() };
            answers.push(good.replacen(part, &nasty, 1));
        }
    }
    each(answers.len(), |number| {
        let container = Stub::start(Reply::json(200, answers[number].clone()));
        let endpoint = server.endpoint();
        let output = run(
            &[("region", REGION), ("endpoint-url", &endpoint)],
            "app/db",
            &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &container.endpoint())],
        );
        assert_eq!(
            output.answers.len(),
            1,
            "{}: {}",
            answers[number],
            String::from_utf8_lossy(&output.traces)
        );
    });
}

#[test]
fn what_boto3_has_by_default_is_known() {
    let server = server();
    for mode in ["legacy", "standard", "adaptive", "LEGACY"] {
        assert_eq!(with(&server, &[("AWS_RETRY_MODE", mode)]), VALUE, "{mode}");
        let config = format!("[default]\n{KEYS}retry_mode = {mode}\n");
        assert_eq!(with_files(&server, &[("region", REGION)], &config, ""), VALUE, "{mode}");
    }
}

#[test]
fn a_variable_that_cannot_be_used_is_an_invalid_request_with_its_name_and_no_other_region_is_asked() {
    let server = server();
    let endpoint = server.endpoint();
    let settings = [("endpoint-url", endpoint.as_str())];
    let environment = [&ANY_KEY, [("AWS_REGION", "eu-west-1 ")].as_slice()].concat();
    let told = answer(&settings, &environment);
    assert!(
        told.starts_with("invalid request: AWS_REGION in the environment is not the name of a region"),
        "{told}"
    );
    let told = with(&server, &[("AWS_MAX_ATTEMPTS", "0")]);
    assert!(
        told.starts_with("invalid request: AWS_MAX_ATTEMPTS in the environment is not a number"),
        "{told}"
    );
    assert_eq!(server.all_calls(), 0);
}

#[test]
fn an_empty_region_does_not_hide_another_one() {
    let server = server();
    assert_eq!(with(&server, &[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", REGION)]), VALUE);
    assert_eq!(server.calls_to(REGION), 1);
}

#[test]
fn the_other_names_of_profile_and_token_are_known() {
    let server = server();
    let files = Files::new("", &format!("[prod]\n{KEYS}aws_security_token = any\nregion = {REGION}\n"));
    let files = files.environment();
    let environment = [borrowed(&files), vec![("AWS_DEFAULT_PROFILE", "prod")]].concat();
    assert_eq!(answer(&[("endpoint-url", &server.endpoint())], &environment), VALUE);
    assert_eq!(with(&server, &[("AWS_SECURITY_TOKEN", "any")]), VALUE);
}

#[test]
fn an_endpoint_is_asked_wherever_it_is_written() {
    let server = server();
    let endpoint = server.endpoint();
    for config in [
        format!("[default]\nendpoint_url = {endpoint}\n"),
        format!(
            "[default]\nservices = local\nendpoint_url = http://127.0.0.1:1\n[services local]\nsecrets_manager =\n  endpoint_url = {endpoint}\n"
        ),
    ] {
        let files =
            Files::new(&format!("{config}[profile x]\n"), &format!("[default]\n{KEYS}region = {REGION}\n"));
        assert_eq!(answer(&[], &borrowed(&files.environment())), VALUE, "{config}");
    }
    let inline = format!(
        "[default]\n{KEYS}region = {REGION}\nservices = local\n[services local]\nsecrets_manager = {endpoint}\n"
    );
    let files = Files::new(&inline, "");
    let told = answer(&[], &borrowed(&files.environment()));
    assert!(told.contains("`services local`") && told.contains("endpoint_url = URL"), "{told}");
    let missing = Files::new(&format!("[default]\n{KEYS}region = {REGION}\nservices = local\n"), "");
    let told = answer(&[], &borrowed(&missing.environment()));
    assert!(told.contains("`services local` of the profile does not exist"), "{told}");
    let ours = [("AWS_ENDPOINT_URL", "http://127.0.0.1:1"), ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &endpoint)];
    let environment = [&ANY_KEY, [("AWS_REGION", REGION)].as_slice(), &ours].concat();
    assert_eq!(answer(&[], &environment), VALUE);
}

#[test]
fn fips_and_dual_stack_beside_an_endpoint_are_refused_by_name() {
    let server = server();
    for variable in ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"] {
        let told = with(&server, &[(variable, "true")]);
        assert!(told.starts_with(&format!("invalid request: {variable} chooses")), "{told}");
    }
    // Without `endpoint-url` it is the SDK that finds out, before it asks anything.
    let endpoint = server.endpoint();
    let environment = [
        &ANY_KEY,
        [("AWS_REGION", REGION), ("AWS_USE_FIPS_ENDPOINT", "true"), ("AWS_ENDPOINT_URL", endpoint.as_str())]
            .as_slice(),
    ]
    .concat();
    let told = answer(&[], &environment);
    assert!(told.starts_with("invalid request: ") && told.contains("FIPS"), "{told}");
    assert_eq!(server.all_calls(), 0);
}

#[test]
fn a_profile_of_aws_login_has_a_way_out() {
    let server = server();
    let told = with_files(
        &server,
        &[],
        &format!("[default]\nregion = {REGION}\nlogin_session = arn:aws:iam::1:user/a\n"),
        "",
    );
    assert!(told.contains("`aws login`") && told.contains("aws configure export-credentials"), "{told}");
}

#[test]
fn a_profile_of_the_source_may_refer_to_the_environment() {
    let server = server();
    let role = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>AKIAIOSFODNN7EXAMPLE</AccessKeyId>\
        <SecretAccessKey>any</SecretAccessKey><SessionToken>any</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>\
        </Credentials></AssumeRoleResult></AssumeRoleResponse>";
    let sts = Stub::start(Reply::Answer { status: 200, headers: Vec::new(), body: role.into() });
    let files = Files::new(
        &format!(
            "[profile r]\nregion = {REGION}\nrole_arn = arn:aws:iam::123456789012:role/r\ncredential_source = Environment\n"
        ),
        "",
    );
    let files = files.environment();
    let sts_endpoint = sts.endpoint();
    let environment =
        [borrowed(&files), ANY_KEY.to_vec(), vec![("AWS_ENDPOINT_URL_STS", &sts_endpoint)]].concat();
    let endpoint = server.endpoint();
    assert_eq!(answer(&[("profile", "r"), ("endpoint-url", &endpoint)], &environment), VALUE);
    assert_eq!(sts.requests(), 1);
}

#[test]
fn parameters_are_asked_where_the_profile_says_too() {
    let server = Strict::start();
    server.put("app", "hunter2");
    let endpoint = server.endpoint();
    let files = Files::new(
        &format!(
            "[default]\n{KEYS}region = {REGION}\nservices = s\n[services s]\nssm =\n  endpoint_url = {endpoint}\n"
        ),
        "",
    );
    let files = files.environment();
    let output = run(&[], "app", &[borrowed(&files), vec![(SERVICE, "parameters")]].concat());
    assert_eq!(output.answers, [VALUE]);
}
