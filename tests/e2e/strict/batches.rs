//! Batches: how many calls, and what becomes of each secret in one.

use secretdir_testkit::{Fault, REGION};

use super::{Cloud, errors, warnings};

#[test]
fn twenty_secrets_are_one_call_and_three_files_of_each_are_no_more() {
    let cloud = Cloud::start();
    let mut files = String::new();
    for number in 0..200 {
        cloud.server.put(&format!("app/{number}"), r#"{"user": "u", "password": "p"}"#);
        for (file, field) in
            [("user", ", field = \"user\""), ("password", ", field = \"password\""), ("all", "")]
        {
            files.push_str(&format!(
                "\"{number}/{file}\" = {{ source = \"prod\", secret = \"app/{number}\"{field} }}\n"
            ));
        }
    }
    cloud.config("", &files);
    cloud.sync().expect_exit(0);
    assert_eq!(cloud.server.calls("BatchGetSecretValue"), 10);
    assert_eq!(cloud.server.all_calls(), 10);
    assert_eq!(cloud.site.read("199/password"), b"p");
}

#[test]
fn names_arns_and_partial_arns_are_matched_and_what_could_be_taken_for_another_is_asked_alone() {
    let cloud = Cloud::start();
    let all: Vec<u8> = (0..=255).collect();
    cloud.server.put_binary("app/binary", &all);
    cloud.server.put("app/text", "text\n");
    let arn = cloud.server.arn(REGION, "app/text");
    let partial = arn.trim_end_matches("-AbCdEf");
    let entry = |file: &str, rest: &str| format!("{file} = {{ source = \"prod\", {rest} }}\n");
    let files = [
        entry("name", "secret = \"app/text\""),
        entry("arn", &format!("secret = {arn:?}")),
        entry("partial", &format!("secret = {partial:?}")),
        entry("binary", "secret = \"app/binary\""),
        entry("version", "secret = \"app/text\", version = \"AWSCURRENT\""),
    ];
    cloud.config("", &files.concat());
    cloud.sync().expect_exit(0);
    for file in ["name", "arn", "partial", "version"] {
        assert_eq!(cloud.site.read(file), b"text\n", "{file}");
    }
    assert_eq!(cloud.site.read("binary"), all);
    // One alone for its version, two because an answer could be that of the name, or of the other ARN.
    assert_eq!((cloud.server.calls("BatchGetSecretValue"), cloud.server.calls("GetSecretValue")), (1, 3));
    let status = cloud.site.run(&["status", "--json"]).expect_exit(0).json();
    assert_eq!(
        status["generation"]["files"][0]["secrets"][0]["revision"],
        "01234567-89ab-cdef-0123-456789abcdef"
    );
}

#[test]
fn pages_are_followed() {
    let cloud = Cloud::with_secrets(20);
    cloud.server.set_fault(Fault::Pages(7));
    cloud.sync().expect_exit(0);
    cloud.assert_published(20);
    assert_eq!(cloud.server.calls("BatchGetSecretValue"), 3);
}

#[test]
fn one_missing_one_denied_and_one_deleted_of_200_are_all_named() {
    let cloud = Cloud::with_secrets(200);
    cloud.sync().expect_exit(0);
    let before = cloud.site.fingerprint();
    cloud.reconfigure("secret = \"app/7\" ", "secret = \"app/none\" ");
    cloud.server.deny("app/77");
    cloud.server.delete("app/177");
    let ran = cloud.sync().expect_exit(3);
    let errors = errors(&ran);
    assert_eq!(errors.len(), 3, "{ran:?}");
    for part in [
        "file `app/7`: secret `app/none` of source `prod`: not found: ResourceNotFoundException",
        "file `app/77`: secret `app/77` of source `prod`: permission denied: AccessDeniedException",
        "file `app/177`: secret `app/177` of source `prod`: not found: the secret is marked for deletion at 2033-05-18T03:33:20Z",
    ] {
        assert!(errors.iter().any(|line| line.contains(part)), "{part}: {ran:?}");
    }
    let arn = cloud.server.arn(REGION, "app/77");
    for part in [
        &format!(r#"{{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "{arn}"}}"#),
        "`aws secretsmanager restore-secret` brings it back until then",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {ran:?}");
    }
    assert_eq!(cloud.site.fingerprint().without_folder(), before.without_folder());
}

#[test]
fn where_batches_are_denied_or_unknown_each_secret_is_asked_for_with_one_warning() {
    for fault in [Fault::Deny(vec!["BatchGetSecretValue"]), Fault::Unknown(vec!["BatchGetSecretValue"])] {
        let cloud = Cloud::with_secrets(200);
        cloud.server.set_fault(fault);
        let ran = cloud.sync().expect_exit(0);
        cloud.assert_published(200);
        assert_eq!(cloud.server.calls("GetSecretValue"), 200);
        assert!(cloud.server.calls("BatchGetSecretValue") <= 10);
        assert!(cloud.server.most_at_once() <= 16, "{}", cloud.server.most_at_once());
        let warnings = warnings(&ran);
        assert!(
            matches!(warnings.as_slice(), [one] if one.contains("secretsmanager:BatchGetSecretValue")),
            "{ran:?}"
        );
    }
}

#[test]
fn a_batch_that_breaks_off_or_cannot_be_read_is_an_error_and_is_not_quoted() {
    for (fault, words) in [(Fault::Malformed, "invalid data"), (Fault::Reset(REGION), "unavailable")] {
        let cloud = Cloud::with_secrets(3);
        cloud.server.set_fault(fault);
        let ran = cloud.sync().expect_exit(3);
        // One cause is one error.
        assert_eq!(errors(&ran).len(), 1, "{ran:?}");
        assert!(errors(&ran).iter().all(|line| line.contains(words)), "{ran:?}");
        let is_named = |name: &str| ran.stderr.contains(&format!("`{name}`"));
        assert!(["app/0", "app/1", "app/2"].into_iter().all(is_named), "{ran:?}");
        assert!(!ran.stderr.contains("hunter2"), "{ran:?}");
        assert!(cloud.server.all_calls() <= 2 + 3, "{}", cloud.server.all_calls());
    }
}
