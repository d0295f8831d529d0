//! The contract of `--json`: every object that the command prints in this suite is one of its own schema.

use std::process::Command;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

use super::{COMMAND, Ran};

/// What `secretdir schema --output` prints.
pub(crate) static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let output = Command::new(COMMAND).args(["schema", "--output"]).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
});

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    assert!(jsonschema::meta::is_valid(&SCHEMA));
    jsonschema::validator_for(&SCHEMA).unwrap()
});

/// What every object of the command begins with. That each command prints it, a test says.
pub(crate) const MARK: &str = "schema_version";

/// Fails if a process has printed an object of the command that its schema does not know, or that tells of another end than its
/// exit code.
#[track_caller]
pub(super) fn hold(ran: &Ran) {
    let Ok(object) = serde_json::from_str::<Value>(&ran.stdout) else { return };
    if object.get(MARK).is_none() {
        return;
    }
    if let Err(complaint) = validate(&object) {
        panic!("{complaint}: {object:#}");
    }
    if let Some(code) = ran.status.code() {
        assert_eq!(object["exit_code"], code, "{object:#}");
    }
}

/// Says what the schema does not know.
pub(crate) fn validate(object: &Value) -> Result<(), String> {
    VALIDATOR.validate(object).map_err(|error| format!("{}: {error}", error.instance_path()))
}
