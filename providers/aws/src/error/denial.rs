//! Parses AWS's message about a denied call: who, which action, on which resource, and which policy is in the way.
//!
//! The message is for people, and its form is not documented as stable ("Troubleshoot access denied error messages",
//! IAM User Guide). A message in another form gives no hint.

const WHO: &str = "User: ";
const WHAT: &str = " is not authorized to perform: ";
const ON: &str = " on resource: ";
const ENDS: [&str; 3] = [" because ", " with an explicit deny", ", because "];

/// A denied call.
struct Denial<'a> {
    who: &'a str,
    action: &'a str,
    /// The ARN or the name, or `*` if the message has neither.
    resource: &'a str,
    reason: &'a str,
}

/// Returns a hint with the missing statement, or with the policy that denies the call.
pub(super) fn hint(message: &str) -> Option<String> {
    let Denial { who, action, resource, reason } = read(message)?;
    if reason.contains("explicit deny") {
        return Some(format!("a policy denies {action} to {who} on {resource}: take that statement out"));
    }
    let policy = ["resource-based", "session", "permissions boundary", "service control", "VPC endpoint"]
        .into_iter()
        .find(|kind| reason.contains(kind))
        .map_or_else(|| format!("a policy of {who}"), |kind| format!("the {kind} policy"));
    Some(format!(r#"{policy} needs {{"Effect": "Allow", "Action": "{action}", "Resource": "{resource}"}}"#))
}

fn read(message: &str) -> Option<Denial<'_>> {
    let (who, rest) = message.strip_prefix(WHO)?.split_once(WHAT)?;
    let end = ENDS.iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len());
    let (what, reason) = rest.split_at_checked(end)?;
    let (action, resource) = what.trim_end_matches('.').split_once(ON).unwrap_or((what, "*"));
    // The hint quotes these texts, so they must not hold a quotation mark.
    let is_plain = |text: &str| !text.is_empty() && !text.contains(['"', '\\', ' ']);
    [who, action, resource].into_iter().all(is_plain).then_some(Denial { who, action, resource, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = "User: arn:aws:iam::123456789012:user/a is not authorized to perform: \
        secretsmanager:GetSecretValue on resource: app/db because ";

    #[test]
    fn the_missing_statement_is_named() {
        let hint = hint(&format!(
            "{MESSAGE}no identity-based policy allows the secretsmanager:GetSecretValue action"
        ));
        let statement =
            r#"{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "app/db"}"#;
        assert_eq!(hint.unwrap(), format!("a policy of arn:aws:iam::123456789012:user/a needs {statement}"));
    }

    #[test]
    fn another_kind_of_policy_is_named() {
        let hint = hint(&format!("{MESSAGE}no resource-based policy allows the action")).unwrap();
        assert!(hint.starts_with("the resource-based policy needs {"), "{hint}");
    }

    #[test]
    fn what_is_denied_outright_is_not_to_be_allowed_once_more() {
        let message = MESSAGE.replace(" because ", " with an explicit deny in a service control policy");
        let hint = hint(&message).unwrap();
        assert!(hint.starts_with("a policy denies secretsmanager:GetSecretValue to arn:aws:iam::"), "{hint}");
        assert!(hint.contains(" on app/db: "), "{hint}");
    }

    #[test]
    fn a_message_without_a_resource_is_understood() {
        let hint = hint("User: a is not authorized to perform: ssm:GetParameters").unwrap();
        assert_eq!(
            hint,
            r#"a policy of a needs {"Effect": "Allow", "Action": "ssm:GetParameters", "Resource": "*"}"#
        );
    }

    #[test]
    fn nothing_is_made_of_another_message() {
        for message in [
            "",
            "Access to KMS is not allowed",
            "User: a is not authorized to perform: ",
            "User: \"x\" is not authorized to perform: a on resource: b",
        ] {
            assert_eq!(hint(message), None, "{message}");
        }
    }
}
