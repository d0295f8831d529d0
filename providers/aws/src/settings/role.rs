//! The rules of STS for a role (API reference of AssumeRole).

pub(super) fn check_arn(arn: &str) -> Result<(), &'static str> {
    match arn.splitn(6, ':').collect::<Vec<_>>().as_slice() {
        ["arn", partition, "iam", "", account, role]
            if !partition.is_empty()
                && account.len() == 12
                && account.chars().all(|c| c.is_ascii_digit())
                && role.strip_prefix("role/").is_some_and(|name| !name.is_empty()) =>
        {
            Ok(())
        }
        _ => Err("must be the ARN of a role, such as arn:aws:iam::123456789012:role/reader"),
    }
}

pub(super) fn check_external_id(id: &str) -> Result<(), &'static str> {
    let may_stand = |c: char| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c);
    if (2..=1224).contains(&id.len()) && id.chars().all(may_stand) {
        return Ok(());
    }
    Err("must have 2 to 1224 ASCII letters, digits and _+=,.@:/-")
}

pub(super) fn check_session_name(name: &str) -> Result<(), &'static str> {
    let may_stand = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if (2..=64).contains(&name.len()) && name.chars().all(may_stand) {
        return Ok(());
    }
    Err("must have 2 to 64 ASCII letters, digits and _+=,.@-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_one_of_a_role() {
        for arn in ["arn:aws:iam::123456789012:role/a", "arn:aws-cn:iam::123456789012:role/path/a"] {
            assert_eq!(check_arn(arn), Ok(()), "{arn}");
        }
        for arn in [
            "",
            "reader",
            "arn:aws:iam::123456789012:user/a",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::12345678901x:role/a",
            "arn:aws:sts::123456789012:assumed-role/a/b",
        ] {
            assert!(check_arn(arn).is_err(), "{arn}");
        }
    }

    #[test]
    fn names_keep_to_what_sts_takes() {
        assert_eq!((check_external_id("a:/1"), check_session_name("a.b@c")), (Ok(()), Ok(())));
        for text in ["", "a", "a b", "\u{fc}\u{fc}"] {
            assert!(check_external_id(text).is_err() && check_session_name(text).is_err(), "{text}");
        }
        assert!(check_session_name("a:b").is_err());
    }
}
