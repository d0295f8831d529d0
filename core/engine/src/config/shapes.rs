//! The schemas of values that are more than a plain string. [`values`](crate::config::values) parses them.

use std::time::Duration;

use schemars::{Schema, SchemaGenerator, json_schema};

/// The units that `humantime` accepts.
const UNITS: &str = "nanos|nsec|ns|micros|usec|us|millis|msec|ms|seconds|second|secs|sec|s|minutes|minute|mins|min|m\
                     |hours|hour|hrs|hr|h|days|day|d|weeks|week|wks|wk|w|months|month|M|years|year|yrs|yr|y";

pub(crate) fn mode(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": "^0*[0-7]{1,3}$" })
}

pub(crate) fn principal(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "integer"], "minLength": 1, "minimum": 0, "maximum": u32::MAX - 1 })
}

pub(crate) fn duration(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": pattern("") })
}

/// The schema of a duration above zero.
pub(crate) fn some_duration(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": pattern("(?=.*[1-9])") })
}

pub(crate) fn durability(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["filesystem", "per-file", "none"] })
}

pub(crate) fn parents(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["strict", "trusted"] })
}

pub(crate) fn coding(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["base64", "base64url", "hex"] })
}

pub(crate) fn trim(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["newline"] })
}

pub(crate) fn pem(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["key", "leaf", "chain", "certificates"] })
}

pub(crate) fn expand(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["json"] })
}

/// The schema of the time over which turns are spread.
pub(crate) fn splay(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": format!("^interval$|{}", pattern("")) })
}

/// The schema of the interval at which a source is polled.
pub(crate) fn refresh() -> serde_json::Value {
    serde_json::json!({
        "type": "string",
        "pattern": format!("^never$|{}", pattern("(?=.*[1-9])")),
        "description": "How often this source causes a run of `secretdir watch`, instead of the interval of [watch]. Each run \
            fetches all sources. \"never\": this source causes no run, and is fetched when another one does.",
    })
}

fn pattern(also: &str) -> String {
    format!(r"^{also}(\s*[0-9]+\s*({UNITS})(?![a-zA-Z]))+\s*$")
}

/// Returns a duration as it is written in a configuration.
pub(crate) fn text(duration: Duration) -> String {
    format!("{}s", duration.as_secs())
}
