//! Paths of the server, such as `secret/app/db`.

use std::fmt;

/// A path that can be requested: segments separated by `/`, none of them empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path(String);

/// The reason why a text is not a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadPath {
    Empty,
    /// A part of it is empty, `.` or `..`.
    Part,
    /// It begins with the version of the API.
    Version,
    /// It has a control character.
    Control,
    /// It names a mount, and nothing in it.
    OnlyMount,
}

impl Path {
    pub(crate) fn parse(text: &str) -> Result<Self, BadPath> {
        let parts = || text.split('/');
        match text {
            "" => Err(BadPath::Empty),
            _ if text.chars().any(char::is_control) => Err(BadPath::Control),
            _ if parts().any(|part| matches!(part, "" | "." | "..")) => Err(BadPath::Part),
            _ if text.starts_with("v1/") => Err(BadPath::Version),
            _ if parts().count() < 2 => Err(BadPath::OnlyMount),
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// Says whether each request for this path makes a new secret. It goes by the names that the server's own engines
    /// use: `creds` of databases, message brokers, clouds and directories, and `sts` of clouds.
    pub(crate) fn is_dynamic(&self) -> bool {
        let parts: Vec<_> = self.0.split('/').skip(1).collect();
        let last_but_one = parts.len().checked_sub(2).and_then(|number| parts.get(number));
        matches!(last_but_one, Some(&("creds" | "sts")))
    }

    /// Says whether the path lies in a mount.
    pub(crate) fn is_below(&self, mount: &str) -> bool {
        self.0.strip_prefix(mount.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
    }
}

impl fmt::Display for BadPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "must not be empty",
            Self::Part => "must have parts with one `/` between, none of them empty, `.` or `..`",
            Self::Version => "begins with the mount, such as `secret/app`: leave out `v1/`",
            Self::Control => "must not have control characters",
            Self::OnlyMount => "must name something in a mount, such as `secret/app`",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_lead_elsewhere_is_no_path() {
        for good in ["secret/app", "team/kv/a b/c?d#e", "secret/ä", "a/b/%2e%2e/c"] {
            assert_eq!(Path::parse(good).unwrap().0, good);
        }
        for (bad, why) in [
            ("", BadPath::Empty),
            ("/secret/app", BadPath::Part),
            ("secret/app/", BadPath::Part),
            ("secret//app", BadPath::Part),
            ("secret/../sys/mounts", BadPath::Part),
            ("secret/./app", BadPath::Part),
            ("v1/secret/app", BadPath::Version),
            ("secret/a\nb", BadPath::Control),
            ("secret", BadPath::OnlyMount),
        ] {
            assert_eq!(Path::parse(bad), Err(why), "{bad:?}");
        }
    }

    #[test]
    fn credentials_of_engines_are_made_each_time() {
        for (path, dynamic) in [
            ("database/creds/app", true),
            ("team/database/creds/app", true),
            ("aws/sts/deploy", true),
            ("database/static-creds/app", false),
            ("secret/app", false),
            ("secret/creds", false),
            ("creds/app", false),
        ] {
            assert_eq!(Path::parse(path).unwrap().is_dynamic(), dynamic, "{path}");
        }
        assert!(Path::parse("kv/creds/app").unwrap().is_below("kv/"));
        assert!(!Path::parse("kv2/creds/app").unwrap().is_below("kv"));
    }
}
