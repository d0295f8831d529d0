//! What clients that are not ours make of the server's answers.

use std::process::Command;

use serde_json::json;

use super::*;
use crate::python;

/// Prints what boto3 reads, as one JSON document.
const READ: &str = r#"
import base64, json, sys
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

def client(service):
    return boto3.client(service, endpoint_url=sys.argv[1], region_name="eu-west-1", aws_access_key_id="a",
        aws_secret_access_key="b", config=Config(retries={"max_attempts": 0}))

def refusal(call, **arguments):
    try:
        call(**arguments)
        return "answered"
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return [status, error.response["Error"]["Code"], error.response["Error"]["Message"]]

secrets, parameters = client("secretsmanager"), client("ssm")
batch = secrets.batch_get_secret_value(SecretIdList=["text", "binary", "none", "denied"])
def names(service, action, key, **arguments):
    pages = service.get_paginator(action).paginate(**arguments)
    return [[entry["Name"] for entry in page[key]] for page in pages]

def listed(*values, **more):
    filters = [{"Key": "name", "Values": [value]} for value in values]
    return names(secrets, "list_secrets", "SecretList", Filters=filters, **more)

def below(path, **more):
    return names(parameters, "get_parameters_by_path", "Parameters", Path=path, **more)

first = secrets.list_secrets(MaxResults=1)
found = parameters.get_parameters(Names=["text", "text:3", "none"], WithDecryption=True)
print(json.dumps({
    "text": secrets.get_secret_value(SecretId="text")["SecretString"],
    "binary": list(secrets.get_secret_value(SecretId="binary")["SecretBinary"]),
    "by arn": secrets.get_secret_value(SecretId=batch["SecretValues"][0]["ARN"])["Name"],
    "batch": {value["Name"]: [value.get("SecretString"), value["VersionId"]] for value in batch["SecretValues"]},
    "errors": {error["SecretId"]: error["ErrorCode"] for error in batch["Errors"]},
    "too many": refusal(secrets.batch_get_secret_value, SecretIdList=[str(n) for n in range(21)]),
    "missing": refusal(secrets.get_secret_value, SecretId="none"),
    "denied": refusal(secrets.get_secret_value, SecretId="denied")[1],
    "deleted": refusal(secrets.get_secret_value, SecretId="deleted")[:2],
    "deletion": secrets.describe_secret(SecretId="deleted")["DeletedDate"].timestamp(),
    "parameters": sorted([p["Name"] + p["Selector"], p["Type"], p["Version"], p["Value"]] for p in found["Parameters"]),
    "invalid": found["InvalidParameters"],
    "too many parameters": refusal(parameters.get_parameters, Names=[str(n) for n in range(11)])[:2],
    "listed": listed(),
    "listed by name": [listed("/app/"), listed("/App/"), listed("!/app/"), listed("/app/", "!/app/d")],
    "with deleted": listed("d", IncludePlannedDeletion=True),
    "pages": listed("/app/", PaginationConfig={"PageSize": 2}),
    "too many in a page": refusal(secrets.list_secrets, MaxResults=101)[:2],
    "wrong token": refusal(secrets.list_secrets, NextToken="none")[1],
    "token of another listing": refusal(secrets.list_secrets, NextToken=first["NextToken"], MaxResults=2)[1],
    "below": [below("/app", Recursive=True), below("/app/"), below("/", Recursive=True), below("/ap", Recursive=True)],
    "pages below": below("/app", Recursive=True, PaginationConfig={"PageSize": 2}),
    "encrypted": parameters.get_parameters_by_path(Path="/app")["Parameters"][0]["Value"],
    "decrypted": parameters.get_parameters_by_path(Path="/app", WithDecryption=True)["Parameters"][0]["Value"],
    "too many below": refusal(parameters.get_parameters_by_path, Path="/app", MaxResults=11)[:2],
    "no path": refusal(parameters.get_parameters_by_path, Path="app")[:2],
}))
"#;

#[test]
fn boto3_reads_it_as_the_service() {
    let server = Strict::start();
    server.put("text", "a \"value\"\n");
    server.put_binary("binary", &[0, 255]);
    server.deny("denied");
    server.delete("deleted");
    for name in ["/app/a", "/app/deep/b", "/app/deep/c"] {
        server.put(name, "parameter");
    }
    let output = Command::new(python()).args(["-c", READ]).arg(server.endpoint()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read: Value = serde_json::from_slice(&output.stdout).unwrap();
    let version = "01234567-89ab-cdef-0123-456789abcdef";
    let too_many = "1 validation error detected: Value at 'secretIdList' failed to satisfy constraint: Member must \
        have length less than or equal to 20";
    let expected = json!({
        "text": "a \"value\"\n",
        "binary": [0, 255],
        "by arn": "text",
        "batch": { "text": ["a \"value\"\n", version], "binary": [null, version] },
        "errors": { "none": "ResourceNotFoundException", "denied": "AccessDeniedException" },
        "too many": [400, "ValidationException", too_many],
        "missing": [400, "ResourceNotFoundException", "Secrets Manager can't find the specified secret."],
        "denied": "AccessDeniedException",
        "deleted": [400, "InvalidRequestException"],
        "deletion": 2_000_000_000.0,
        "parameters": [["text", "SecureString", 3, "a \"value\"\n"], ["text:3", "SecureString", 3, "a \"value\"\n"]],
        "invalid": ["none"],
        "too many parameters": [400, "ValidationException"],
        "listed": [["/app/a", "/app/deep/b", "/app/deep/c", "binary", "denied", "text"]],
        "listed by name": [
            [["/app/a", "/app/deep/b", "/app/deep/c"]], [[]], [["binary", "denied", "text"]], [["/app/a"]],
        ],
        "with deleted": [["deleted", "denied"]],
        "pages": [["/app/a", "/app/deep/b"], ["/app/deep/c"]],
        "too many in a page": [400, "ValidationException"],
        "wrong token": "InvalidNextTokenException",
        "token of another listing": "InvalidNextTokenException",
        "below": [
            [["/app/a", "/app/deep/b", "/app/deep/c"]], [["/app/a"]], [["/app/a", "/app/deep/b", "/app/deep/c"]], [[]],
        ],
        "pages below": [["/app/a", "/app/deep/b"], ["/app/deep/c"]],
        "encrypted": "AQICAHhencrypted",
        "decrypted": "parameter",
        "too many below": [400, "ValidationException"],
        "no path": [400, "ValidationException"],
    });
    assert_eq!(read, expected);
}

#[test]
fn each_fault_is_one_to_boto3_too() {
    let server = Strict::start();
    server.put("text", "value");
    let read = |fault| {
        server.set_fault(fault);
        let output = Command::new(python()).args(["-c", READ]).arg(server.endpoint()).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(read(Fault::Throttle).contains("An error occurred (ThrottlingException)"));
    assert!(
        read(Fault::Deny(vec!["BatchGetSecretValue"]))
            .contains("is not authorized to perform: secretsmanager:Batch")
    );
    assert!(read(Fault::Unknown(vec!["BatchGetSecretValue"])).contains("(UnknownOperationException)"));
    assert!(read(Fault::Reset("eu-west-1")).contains("Error"));
    assert!(read(Fault::Malformed).contains("Error"));
}
