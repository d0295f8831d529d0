//! Parameter Store.

use serde_json::{Value, json};

use super::reply::{Reaction, answer, denied, refuse};
use super::{ACCOUNT, Call, Inner, Stored};

/// The most parameters that one call names.
const MOST_IN_CALL: usize = 10;

/// The most parameters that one page of a listing has.
const MOST_IN_PAGE: usize = 10;

impl Inner {
    pub(super) fn get_parameters(&self, call: &Call) -> Reaction {
        let names = call.list("Names");
        if names.len() > MOST_IN_CALL || names.is_empty() {
            let message = "1 validation error detected: Value at 'names' failed to satisfy constraint: \
                Member must have length less than or equal to 10";
            return refuse("ValidationException", message);
        }
        let (mut found, mut invalid) = (Vec::new(), Vec::new());
        for asked in self.ordered(names) {
            match self.parameter(call, asked) {
                Ok(Some(parameter)) => found.push(parameter),
                Ok(None) => invalid.push(asked),
                Err(reaction) => return reaction,
            }
        }
        answer(&json!({ "Parameters": found, "InvalidParameters": invalid }))
    }

    /// Lists what is below a level, in the order of the names.
    pub(super) fn get_parameters_by_path(&mut self, call: &Call) -> Reaction {
        let path = call.text("Path").unwrap_or_default();
        if !path.starts_with('/') {
            let message = "The parameter doesn't meet the parameter name requirements. The parameter name must begin with \
                a forward slash \"/\".";
            return refuse("ValidationException", message);
        }
        let level = format!("{}/", path.trim_end_matches('/'));
        let recursive = call.body["Recursive"].as_bool() == Some(true);
        let listed = self.stored.iter().filter_map(|(name, stored)| {
            // Whoever may list a level sees all that is below it, also what is denied by its own name.
            let text = match stored {
                Stored::Text(text) => text.as_str(),
                Stored::Denied => "unreadable by name",
                Stored::Binary(_) | Stored::Deleted | Stored::Locked => return None,
            };
            let rest = name.strip_prefix(&level)?;
            (recursive || !rest.contains('/')).then(|| described(call, name, text))
        });
        let entries = listed.collect();
        match self.limited_page(call, entries, MOST_IN_PAGE) {
            Ok((entries, next)) => answer(&next.named_in(json!({ "Parameters": entries }))),
            Err(reaction) => reaction,
        }
    }

    /// Returns one parameter, `None` if there is none, or what becomes of the whole call.
    fn parameter(&self, call: &Call, asked: &str) -> Result<Option<Value>, Reaction> {
        let own = self.stored.iter().map(|(name, stored)| (name.as_str(), arn(call, name), stored));
        // The name of what another account shares is its ARN.
        let shared = self.shared.iter().map(|(arn, stored)| (arn.as_str(), arn.clone(), stored));
        let found = own.chain(shared).find_map(|(name, arn, stored)| {
            let rest = asked.strip_prefix(name).or_else(|| asked.strip_prefix(&*arn))?;
            (rest.is_empty() || rest.starts_with(':')).then_some((name, arn, stored, rest))
        });
        let Some((name, arn, stored, selector)) = found else { return Ok(None) };
        if !matches!(selector, "" | ":3" | ":live") {
            return Ok(None);
        }
        match stored {
            Stored::Text(text) => {
                let mut parameter = described(call, name, text);
                (parameter["ARN"], parameter["Selector"]) = (json!(arn), json!(selector));
                Ok(Some(parameter))
            }
            // As does one whose key is disabled.
            Stored::Locked => {
                let key =
                    format!("arn:aws:kms:{}:{ACCOUNT}:key/01234567-89ab-cdef-0123-456789abcdef", call.region);
                Err(refuse(
                    "InvalidKeyId",
                    &format!("{key} is disabled. (Service: AWSKMS; Status Code: 400)"),
                ))
            }
            // One parameter that may not be read fails the whole call.
            Stored::Denied => Err(denied(call, &arn, "identity-based")),
            Stored::Binary(_) | Stored::Deleted => Ok(None),
        }
    }
}

fn arn(call: &Call, name: &str) -> String {
    format!("arn:aws:ssm:{}:{ACCOUNT}:parameter/{}", call.region, name.trim_start_matches('/'))
}

/// Returns a parameter with its value, which only a call that asks for it gets in the clear.
fn described(call: &Call, name: &str, text: &str) -> Value {
    let decrypted = call.body["WithDecryption"].as_bool() == Some(true);
    json!({
        "Name": name, "ARN": arn(call, name), "Type": "SecureString", "Version": 3,
        "Value": if decrypted { text } else { "AQICAHhencrypted" },
    })
}
