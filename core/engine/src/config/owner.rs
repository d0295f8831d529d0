//! Owners as they are configured. Names are looked up only when a run starts.

/// A user or group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Principal {
    /// By number.
    Id(u32),
    /// By a name that has not been looked up yet.
    Name(String),
}

/// The configured owner of a file. A missing user or group is neither set nor compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OwnerSpec {
    pub(crate) user: Option<Principal>,
    pub(crate) group: Option<Principal>,
}

impl Principal {
    /// Parses a name, or a number in digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().ok().and_then(Self::from_number);
        }
        // Names of Active Directory contain spaces, and a backslash after the domain.
        let is_name = text.trim() == text && !text.is_empty();
        let has_what_none_has = text.contains(|c: char| c.is_control() || c == ':');
        (is_name && !has_what_none_has).then(|| Self::Name(text.to_owned()))
    }

    /// Converts a number. The highest one is not an ID: for `chown` it means "leave as it is".
    pub(crate) fn from_number(number: i64) -> Option<Self> {
        u32::try_from(number).ok().filter(|id| *id != u32::MAX).map(Self::Id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_a_number_and_the_rest_is_a_name() {
        for (text, expected) in [
            ("0", Some(Principal::Id(0))),
            ("1000", Some(Principal::Id(1000))),
            ("4294967294", Some(Principal::Id(u32::MAX - 1))),
            ("4294967295", None),
            ("99999999999999999999", None),
            ("app", Some(Principal::Name("app".into()))),
            ("9lives", Some(Principal::Name("9lives".into()))),
            ("", None),
            ("domain users", Some(Principal::Name("domain users".into()))),
            (r"DOMAIN\user name", Some(Principal::Name(r"DOMAIN\user name".into()))),
            (" a", None),
            ("a\n", None),
            (" ", None),
            ("a:b", None),
            ("a\0", None),
        ] {
            assert_eq!(Principal::parse(text), expected, "{text}");
        }
        assert_eq!(Principal::from_number(-1), None);
    }
}
