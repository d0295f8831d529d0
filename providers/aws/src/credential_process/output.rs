//! Parses the output of a credential process.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::credential_feature::AwsCredentialFeature;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::{Map, Value};

/// Parses output in the format of <https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html>.
/// Errors quote none of it.
pub(super) fn credentials(printed: &[u8]) -> Result<Credentials, String> {
    let mut output: Map<String, Value> =
        serde_json::from_slice(printed).map_err(|_| "does not print a JSON object")?;
    if output.get("Version").and_then(Value::as_f64) != Some(1.0) {
        return Err("does not print the `Version` 1".to_owned());
    }
    let mut text = |key: &str| match output.get_mut(key).map(Value::take) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
        Some(Value::Number(number)) if key == "AccountId" => Ok(Some(number.to_string())),
        Some(_) => Err(format!("prints a `{key}` that is not a text")),
    };
    let needed = |value: Option<String>, key: &str| value.ok_or_else(|| format!("prints no `{key}`"));
    let mut credentials = Credentials::builder()
        .access_key_id(needed(text("AccessKeyId")?, "AccessKeyId")?)
        .secret_access_key(needed(text("SecretAccessKey")?, "SecretAccessKey")?)
        .provider_name("credential process");
    credentials.set_session_token(text("SessionToken")?);
    if let Some(account) = text("AccountId")? {
        credentials = credentials.account_id(account);
    }
    let expiration =
        text("Expiration")?.map(|text| expiry(&text).ok_or("prints an `Expiration` that is not a time"));
    credentials.set_expiry(expiration.transpose()?);
    let mut credentials = credentials.build();
    credentials.set_property(vec![AwsCredentialFeature::CredentialsProcess]);
    Ok(credentials)
}

/// Parses a time. It may have a blank instead of `T`, and an offset without a colon, as `date` prints it.
fn expiry(text: &str) -> Option<SystemTime> {
    let mut text = text.replacen(' ', "T", 1);
    let colon = text.len().checked_sub(2)?;
    let offset = text.rsplit_once(['+', '-']).map(|(_, offset)| offset);
    if text.contains('T')
        && offset.is_some_and(|offset| offset.len() == 4 && offset.bytes().all(|b| b.is_ascii_digit()))
    {
        text.insert(colon, ':');
    }
    SystemTime::try_from(DateTime::from_str(&text, Format::DateTimeWithOffset).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_boto3_takes_is_taken() {
        let printed = |rest: &str| {
            let text = format!(r#"{{"Version": 1.0, "AccessKeyId": "AKID", "SecretAccessKey": "x"{rest}}}"#);
            credentials(text.as_bytes()).map_err(|error| error.to_string())
        };
        assert_eq!(
            printed(r#", "AccountId": 123456789012"#).unwrap().account_id().unwrap().as_str(),
            "123456789012"
        );
        assert_eq!(printed(r#", "SecretAccessKey": "y""#).unwrap().secret_access_key(), "y");
        for time in [
            "2099-01-01T00:00:00Z",
            "2099-01-01T00:00:00+00:00",
            "2099-01-01T00:00:00+0000",
            "2099-01-01 02:00:00+0200",
            "2098-12-31T23:00:00.5-01:00",
        ] {
            let expiry = printed(&format!(r#", "Expiration": "{time}""#)).unwrap().expiry().unwrap();
            let year = expiry.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
            assert_eq!(year, 4_070_908_800, "{time}");
        }
        for time in ["", "2099-01-01", "+", "T", "12", "2099-01-01T00:00:00+000"] {
            let told = printed(&format!(r#", "Expiration": "{time}""#));
            assert!(time.is_empty() == told.is_ok(), "{time}");
        }
        for (rest, told) in [
            (r#", "SessionToken": 7"#, "prints a `SessionToken` that is not a text"),
            (r#", "Version": "1""#, "does not print the `Version` 1"),
        ] {
            assert_eq!(printed(rest).unwrap_err(), told);
        }
    }
}
