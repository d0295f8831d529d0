//! Converts a whole JSON secret into a value whose parts a template can use.

use secretdir_template::Given;
use serde_json::value::RawValue;

use super::error::FieldError;
use super::json::{self, Kind};

/// The maximum nesting depth of a document, because it is walked by recursion.
const DEEPEST: usize = 100;

/// Parses a document. Numbers keep their spelling. If an object has equal keys, the last one counts.
///
/// # Errors
///
/// The secret is not JSON, is nested too deeply, or contains half of a surrogate pair in a key or a string.
pub(crate) fn document(secret: &[u8]) -> Result<Given, FieldError> {
    value(json::parse(secret)?, DEEPEST)
}

fn value(found: &RawValue, levels: usize) -> Result<Given, FieldError> {
    if levels == 0 {
        return Err(FieldError::TooDeep);
    }
    match Kind::of(found) {
        Kind::Null => Ok(Given::null()),
        Kind::String => json::text(found).map(|text| Given::bytes(&text)).ok_or(FieldError::NotUnicode),
        Kind::Scalar => Ok(match found.get() {
            "true" => Given::boolean(true),
            "false" => Given::boolean(false),
            number => Given::number(number),
        }),
        Kind::Array => {
            let items = json::elements(found)?.into_iter().map(|item| value(item, levels - 1));
            Ok(Given::list(items.collect::<Result<_, _>>()?))
        }
        Kind::Object => {
            let members = json::members(found)?.into_iter().map(|(key, found)| {
                let key = key.ok_or(FieldError::KeyNotUnicode)?;
                Ok((key, value(found, levels - 1)?))
            });
            Ok(Given::map(members.collect::<Result<_, FieldError>>()?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_document_is_refused() {
        let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        assert!(document(nested(99).as_bytes()).is_ok());
        for (secret, expected) in [
            (nested(100), FieldError::TooDeep),
            (nested(100_000), FieldError::TooDeep),
            (r#"["\ud800"]"#.to_owned(), FieldError::NotUnicode),
            (r#"{"\ud800": 1}"#.to_owned(), FieldError::KeyNotUnicode),
        ] {
            assert_eq!(document(secret.as_bytes()).unwrap_err(), expected);
        }
        assert!(matches!(document(b"hunter2").unwrap_err(), FieldError::NotJson { .. }));
    }
}
