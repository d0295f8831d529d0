//! Secrets Manager.

use serde_json::{Map, Value, json};

use super::reply::{Reaction, answer, denied, not_authorized, refuse};
use super::{ACCOUNT, Call, Inner, Stored};
use crate::encode::base64;

/// The most secrets that one batch names.
const MOST_IN_BATCH: usize = 20;

/// The most secrets that one page of a listing has.
const MOST_IN_PAGE: usize = 100;

/// When a secret that is marked for deletion goes, in seconds since 1970: 2033-05-18.
const DELETION: u64 = 2_000_000_000;

const MISSING: &str = "Secrets Manager can't find the specified secret.";
const DELETED: &str = "You can't perform this operation on the secret because it was marked for deletion.";

/// Returns an ARN with the six characters that AWS adds to a name.
pub(super) fn arn(region: &str, name: &str) -> String {
    format!("arn:aws:secretsmanager:{region}:{ACCOUNT}:secret:{name}-AbCdEf")
}

/// Why one secret is not answered: a code and a message.
type Refusal = (&'static str, String);

impl Inner {
    pub(super) fn get_secret_value(&self, call: &Call) -> Reaction {
        let Some(id) = call.text("SecretId") else {
            return refuse("ValidationException", "SecretId must not be null");
        };
        let known = ["AWSCURRENT", VERSION_ID];
        let version = call.text("VersionId").or_else(|| call.text("VersionStage")).unwrap_or("AWSCURRENT");
        if !known.contains(&version) {
            let message =
                format!("Secrets Manager can't find the specified secret value for VersionId: {version}");
            return refuse("ResourceNotFoundException", &message);
        }
        match self.entry(call, id) {
            Ok(entry) => answer(&Value::Object(entry)),
            Err((code, message)) => refuse(code, &message),
        }
    }

    pub(super) fn batch_get_secret_value(&mut self, call: &Call) -> Reaction {
        let mut ids = call.list("SecretIdList");
        if ids.len() > MOST_IN_BATCH || ids.is_empty() {
            let message = "1 validation error detected: Value at 'secretIdList' failed to satisfy constraint: \
                Member must have length less than or equal to 20";
            return refuse("ValidationException", message);
        }
        if call.body.get("MaxResults").is_some() {
            return refuse("InvalidParameterException", "You can't use MaxResults with SecretIdList.");
        }
        ids.sort_unstable();
        ids.dedup();
        let ids = self.ordered(ids);
        let all = ids.len();
        let (ids, next) = match self.page(call, ids, all) {
            Ok(page) => page,
            Err(reaction) => return reaction,
        };
        let (mut values, mut errors) = (Vec::new(), Vec::new());
        for id in ids {
            // As the real service, where it is not told to be generous: a batch does not reach into other accounts.
            let is_far = self.no_batches_elsewhere
                && self.find(call, id).is_some_and(|found| self.shared.contains_key(&found.arn));
            let entry = if is_far {
                Err(("AccessDeniedException", MISSING.to_owned()))
            } else {
                self.entry(call, id)
            };
            match entry {
                Ok(entry) => values.push(Value::Object(entry)),
                Err((code, message)) => {
                    errors.push(json!({ "SecretId": id, "ErrorCode": code, "Message": message }))
                }
            }
        }
        answer(&next.named_in(json!({ "SecretValues": values, "Errors": errors })))
    }

    /// Lists in the order of the names, which the real service does not promise.
    pub(super) fn list_secrets(&mut self, call: &Call) -> Reaction {
        let filters = match name_filters(call) {
            Ok(filters) => filters,
            Err(reaction) => return reaction,
        };
        let deleted_too = call.body["IncludePlannedDeletion"].as_bool() == Some(true);
        let listed = self.stored.iter().filter(|(name, stored)| {
            let is_there = deleted_too || !matches!(stored, Stored::Deleted);
            is_there && filters.iter().all(|values| values.iter().any(|value| lets_through(value, name)))
        });
        let entries = listed.map(|(name, stored)| entry_of(call, name, stored)).collect();
        match self.limited_page(call, entries, MOST_IN_PAGE) {
            Ok((entries, next)) => answer(&next.named_in(json!({ "SecretList": entries }))),
            Err(reaction) => reaction,
        }
    }

    pub(super) fn describe_secret(&self, call: &Call) -> Reaction {
        let id = call.text("SecretId").unwrap_or_default();
        match self.find(call, id) {
            Some(Found { arn, stored: Stored::Denied, .. }) => denied(call, &arn, "identity-based"),
            Some(Found { name, stored, .. }) => answer(&entry_of(call, name, stored)),
            None => refuse("ResourceNotFoundException", MISSING),
        }
    }

    fn entry(&self, call: &Call, id: &str) -> Result<Map<String, Value>, Refusal> {
        let Found { arn, name, stored } =
            self.find(call, id).ok_or(("ResourceNotFoundException", MISSING.to_owned()))?;
        let mut entry = Map::new();
        match stored {
            Stored::Text(text) => entry.insert("SecretString".to_owned(), json!(text)),
            Stored::Binary(bytes) => entry.insert("SecretBinary".to_owned(), json!(base64(bytes))),
            Stored::Denied => {
                let message = not_authorized(call, "GetSecretValue", &arn, "identity-based");
                return Err(("AccessDeniedException", message));
            }
            Stored::Locked => {
                let message =
                    "Secrets Manager can't decrypt the protected secret text using the provided KMS key.";
                return Err(("DecryptionFailure", message.to_owned()));
            }
            Stored::Deleted => return Err(("InvalidRequestException", DELETED.to_owned())),
        };
        entry.insert("ARN".to_owned(), json!(arn));
        entry.insert("Name".to_owned(), json!(name));
        entry.insert("VersionId".to_owned(), json!(VERSION_ID));
        entry.insert("VersionStages".to_owned(), json!(["AWSCURRENT"]));
        Ok(entry)
    }

    /// Finds a secret by its ARN, by its name, or by its ARN without the six characters at the end, in this order. An ARN of
    /// another region names nothing here.
    fn find(&self, call: &Call, id: &str) -> Option<Found<'_>> {
        let own = self.stored.iter().map(|(name, stored)| (arn(&call.region, name), name.as_str(), stored));
        let shared = self.shared.iter().filter_map(|(arn, stored)| {
            let (owner, resource) = arn.split_once(":secret:")?;
            let is_here = owner.split(':').nth(3) == Some(call.region.as_str());
            is_here
                .then(|| (arn.clone(), resource.rsplit_once('-').map_or(resource, |(name, _)| name), stored))
        });
        let own: Vec<_> = own.map(|found| (found, true)).collect();
        let all = || own.iter().cloned().chain(shared.clone().map(|found| (found, false)));
        let found = all()
            .find(|((arn, ..), _)| arn == id)
            .or_else(|| all().find(|((_, name, _), is_own)| *is_own && *name == id))
            .or_else(|| {
                all().find(|((arn, ..), _)| arn.rsplit_once('-').map(|(partial, _)| partial) == Some(id))
            });
        found.map(|((arn, name, stored), _)| Found { arn, name, stored })
    }
}

/// A secret that was found.
struct Found<'s> {
    arn: String,
    name: &'s str,
    stored: &'s Stored,
}

/// Returns what is said of a secret besides its value.
fn entry_of(call: &Call, name: &str, stored: &Stored) -> Value {
    let mut entry = json!({ "ARN": arn(&call.region, name), "Name": name });
    if matches!(stored, Stored::Deleted) {
        entry["DeletedDate"] = json!(DELETION);
    }
    entry
}

/// Reads the filters, of which the tests need only those of names: each one's values, of which one must fit.
fn name_filters(call: &Call) -> Result<Vec<Vec<&str>>, Reaction> {
    let filters = call.body["Filters"].as_array().into_iter().flatten();
    let read = filters.map(|filter| match (filter["Key"].as_str(), filter["Values"].as_array()) {
        (Some("name"), Some(values)) => Ok(values.iter().filter_map(Value::as_str).collect()),
        _ => Err(refuse("ValidationException", "1 validation error detected: Value at 'filters' failed")),
    });
    read.collect()
}

/// Compares as the service does: by the beginning and the case, turned round by an exclamation mark.
fn lets_through(value: &str, name: &str) -> bool {
    match value.strip_prefix('!') {
        Some(value) => !name.starts_with(value),
        None => name.starts_with(value),
    }
}

/// The id of every version.
const VERSION_ID: &str = "01234567-89ab-cdef-0123-456789abcdef";
