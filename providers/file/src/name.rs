//! Checks the names of secrets, and their prefixes.

/// The reason why a text is neither a path below the root nor a key. `Display` continues a sentence after "the name".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameFault {
    #[error("is empty")]
    Empty,
    #[error("holds a NUL character")]
    Nul,
    #[error("is an absolute path")]
    Absolute,
    #[error("has an empty component")]
    EmptyComponent,
    #[error("has a `.` or `..` component")]
    DotComponent,
}

impl NameFault {
    /// Returns the fault of a file's name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        if name.is_empty() { Some(Self::Empty) } else { Self::of_path(name) }
    }

    /// Returns the fault of a key's name.
    pub(crate) fn of_key(key: &str) -> Option<Self> {
        if key.is_empty() {
            Some(Self::Empty)
        } else if key.contains('\0') {
            Some(Self::Nul)
        } else {
            None
        }
    }

    /// Returns the fault of a prefix of files' names. Its last component may be incomplete: `.` is the beginning of
    /// `.hidden`.
    pub(crate) fn of_prefix(prefix: &str) -> Option<Self> {
        let (whole, rest) = prefix.rsplit_once('/').unwrap_or(("", prefix));
        if prefix.starts_with('/') {
            Some(Self::Absolute)
        } else if rest.contains('\0') {
            Some(Self::Nul)
        } else if whole.is_empty() {
            None
        } else {
            Self::of_path(whole)
        }
    }

    fn of_path(path: &str) -> Option<Self> {
        if path.contains('\0') {
            Some(Self::Nul)
        } else if path.starts_with('/') {
            Some(Self::Absolute)
        } else {
            path.split('/').find_map(Self::of_component)
        }
    }

    fn of_component(component: &str) -> Option<Self> {
        match component {
            "" => Some(Self::EmptyComponent),
            "." | ".." => Some(Self::DotComponent),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_the_beginning_of_a_name() {
        for prefix in ["", "a", "a/", "a/b", "a/b/", ".", "..", "..data/", "a/.", "a b", "ü", "a\nb"] {
            assert_eq!(NameFault::of_prefix(prefix), None, "{prefix:?}");
        }
        for (prefix, fault) in [
            ("/", NameFault::Absolute),
            ("/a", NameFault::Absolute),
            ("//", NameFault::Absolute),
            ("a//", NameFault::EmptyComponent),
            ("a//b", NameFault::EmptyComponent),
            ("./", NameFault::DotComponent),
            ("../a", NameFault::DotComponent),
            ("a/../", NameFault::DotComponent),
            ("a\0", NameFault::Nul),
            ("a\0/b", NameFault::Nul),
        ] {
            assert_eq!(NameFault::of_prefix(prefix), Some(fault), "{prefix:?}");
        }
    }
}
