//! A secret that is JSON, and a field of it: what is picked is what another parser finds there.

#![no_main]

use libfuzzer_sys::fuzz_target;
use secretdir_engine::{Field, FieldError};
use serde_json::Value;

// The first line is the field.
fuzz_target!(|input: &str| {
    let (field, secret) = input.split_once('\n').unwrap_or(("a", input));
    let Ok(field) = Field::parse(field) else { return };
    let other = serde_json::from_str::<Value>(secret);
    match field.pick(secret.as_bytes()) {
        Ok(picked) => {
            // Half a surrogate pair elsewhere in the secret is no business of a field, and no text to the other parser.
            let Ok(other) = other else { return };
            let found = match field.as_str().starts_with('/') {
                true => other.pointer(field.as_str()),
                false => other.get(field.as_str()),
            };
            assert_same(found.expect("the other parser finds it, too"), &picked);
        }
        Err(FieldError::NotJson { .. }) => assert!(other.is_err() || is_deep(secret)),
        Err(_) => {}
    }
});

fn assert_same(found: &Value, picked: &[u8]) {
    match found {
        Value::String(text) => assert_eq!(picked, text.as_bytes()),
        Value::Null => panic!("null was picked"),
        // Of equal keys the last one counts, and a number keeps its digits: the value is the same as the other reads it.
        other => assert_eq!(&serde_json::from_slice::<Value>(picked).expect("it is JSON"), other),
    }
}

/// Both parsers give up at a depth of their own.
fn is_deep(secret: &str) -> bool {
    secret.matches(['[', '{']).count() > 100
}
