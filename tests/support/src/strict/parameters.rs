//! Parameter Store.

use serde_json::{Value, json};

use super::{ACCOUNT, Call, Inner, Reaction, Stored, answer, denied, refuse};

/// The most parameters that one call names.
const MOST_IN_CALL: usize = 10;

impl Inner {
    pub(super) fn get_parameters(&self, call: &Call) -> Reaction {
        let names = call.list("Names");
        if names.len() > MOST_IN_CALL || names.is_empty() {
            let message = "1 validation error detected: Value at 'names' failed to satisfy constraint: \
                Member must have length less than or equal to 10";
            return refuse("ValidationException", message);
        }
        let (mut found, mut invalid) = (Vec::new(), Vec::new());
        for asked in names.into_iter().rev() {
            match self.parameter(call, asked) {
                Ok(Some(parameter)) => found.push(parameter),
                Ok(None) => invalid.push(asked),
                Err(reaction) => return reaction,
            }
        }
        answer(&json!({ "Parameters": found, "InvalidParameters": invalid }))
    }

    /// Returns one parameter, `None` if there is none, or what becomes of the whole call.
    fn parameter(&self, call: &Call, asked: &str) -> Result<Option<Value>, Reaction> {
        let arn = |name: &str| {
            format!("arn:aws:ssm:{}:{ACCOUNT}:parameter/{}", call.region, name.trim_start_matches('/'))
        };
        let found = self.stored.iter().find_map(|(name, stored)| {
            let rest = asked.strip_prefix(name.as_str()).or_else(|| asked.strip_prefix(&*arn(name)))?;
            (rest.is_empty() || rest.starts_with(':')).then_some((name, stored, rest))
        });
        let Some((name, stored, selector)) = found else { return Ok(None) };
        if !matches!(selector, "" | ":3" | ":live") {
            return Ok(None);
        }
        let decrypted = call.body["WithDecryption"].as_bool() == Some(true);
        match stored {
            Stored::Text(text) => Ok(Some(json!({
                "Name": name, "ARN": arn(name), "Type": "SecureString", "Version": 3, "Selector": selector,
                "Value": if decrypted { text.as_str() } else { "AQICAHhencrypted" },
            }))),
            // One parameter that may not be read fails the whole call.
            Stored::Denied => Err(denied(call, &arn(name), "identity-based")),
            Stored::Binary(_) | Stored::Deleted => Ok(None),
        }
    }
}
