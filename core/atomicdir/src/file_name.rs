//! The names of published files.
//!
//! A name is validated once, when it is made. So a function that takes a [`FileName`] may use it as a path below a
//! directory. The path never leaves that directory, and no component of it is special to the kernel.

use std::borrow::Borrow;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// The longest component of a name, in bytes. This is the limit of Linux filesystems.
pub(crate) const COMPONENT_MAX: usize = 255;

/// The longest name, in bytes.
const NAME_MAX: usize = 4096;

/// The maximum number of components of a name. Each takes a descriptor while it is read back, and the usual limit of a
/// process is 1,024.
pub(crate) const DEPTH_MAX: usize = 64;

/// The name of a published file: a relative path in which `/` makes subdirectories.
///
/// These are the rules:
///
/// - It is UTF-8 and has no control characters.
/// - It has no empty, `.` or `..` component. So it has no leading, trailing or doubled `/`.
/// - It has at most 255 bytes a component, 64 components, and 4096 bytes in all.
///
/// Names are sorted by their bytes, so the files of a directory are next to each other.
///
/// Nothing is normalized: `a//b` is an error, not `a/b`. Two names that look alike but have different bytes are two
/// names.
///
/// ```
/// use atomicdir::FileName;
///
/// assert_eq!(FileName::new("db/password")?.as_str(), "db/password");
/// assert!(FileName::new("../etc/passwd").is_err());
/// # Ok::<(), atomicdir::NameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(String);

/// The reason why a text is not a valid name. It does not contain the text: the caller knows where that came from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The name is empty.
    #[error("the name is empty")]
    Empty,
    /// The name starts with `/`.
    #[error("the name must be relative, without a leading `/`")]
    Absolute,
    /// The name contains `//`, or ends with `/`.
    #[error("the name has an empty component (`//`, or a `/` at its end)")]
    EmptyComponent,
    /// A component is `.` or `..`.
    #[error("the name has a `{0}` component")]
    DotComponent(&'static str),
    /// The name contains a NUL or another control character.
    #[error("the name has a control character (U+{0:04X})")]
    ControlCharacter(u32),
    /// A component is too long.
    #[error("the name has a component of {0} bytes; at most {max} are allowed", max = COMPONENT_MAX)]
    ComponentTooLong(usize),
    /// The name is too long.
    #[error("the name is {0} bytes long; at most {NAME_MAX} are allowed")]
    TooLong(usize),
    /// The name has too many components.
    #[error("the name has {0} components; at most {DEPTH_MAX} are allowed")]
    TooDeep(usize),
    /// The name is not UTF-8.
    #[error("the name is not UTF-8")]
    NotUtf8,
    /// A file with this name cannot be beside the link.
    #[error("the name must be a plain name, without `/`, and different from the name of the link")]
    NotBeside,
    /// The name starts like the names that this crate keeps beside the link.
    #[error("the name starts with `{0}`, which is reserved for generations, notes and locks")]
    Reserved(String),
    /// The path has no last component, which would be the name of the link.
    #[error("the path does not end in a name")]
    NoName,
    /// The name of the link is too long for the names that are derived from it.
    #[error("the link's name is {0} bytes long; at most {1} are allowed")]
    LinkTooLong(usize, usize),
}

impl FileName {
    /// Validates a name.
    ///
    /// # Errors
    ///
    /// The first rule that the name breaks.
    pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
        let text = text.into();
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.starts_with('/') {
            return Err(NameError::Absolute);
        }
        if text.len() > NAME_MAX {
            return Err(NameError::TooLong(text.len()));
        }
        if let Some(c) = text.chars().find(|c| c.is_control()) {
            return Err(NameError::ControlCharacter(c.into()));
        }
        text.split('/').try_for_each(check_component)?;
        let depth = text.split('/').count();
        if depth > DEPTH_MAX {
            return Err(NameError::TooDeep(depth));
        }
        Ok(Self(text))
    }

    /// Returns the whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the directories that contain the file, outermost first, each as a full name.
    pub(crate) fn directories(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').filter_map(|(end, _)| self.0.get(..end))
    }

    /// Returns the length of the innermost directory that contains both files: 0 if there is none.
    pub(crate) fn shared(&self, other: &Self) -> usize {
        let same = self.0.bytes().zip(other.0.bytes()).take_while(|(one, other)| one == other).count();
        self.0
            .as_bytes()
            .get(..same)
            .and_then(|same| same.iter().rposition(|byte| *byte == b'/'))
            .unwrap_or(0)
    }

    /// Returns the components of the file's directories, outermost first, and the last component.
    pub(crate) fn split(&self) -> (impl Iterator<Item = &str>, &str) {
        let (directories, last) = self.0.rsplit_once('/').unwrap_or(("", &self.0));
        (directories.split('/').filter(|component| !component.is_empty()), last)
    }
}

/// Checks one component: it must be a valid name in a directory, and must not lead out of it.
fn check_component(component: &str) -> Result<(), NameError> {
    match component {
        "" => Err(NameError::EmptyComponent),
        "." => Err(NameError::DotComponent(".")),
        ".." => Err(NameError::DotComponent("..")),
        long if long.len() > COMPONENT_MAX => Err(NameError::ComponentTooLong(long.len())),
        _ => Ok(()),
    }
}

/// Sound because names sort and compare as their texts do.
impl Borrow<str> for FileName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for FileName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// The path relative to the published directory.
impl AsRef<Path> for FileName {
    fn as_ref(&self) -> &Path {
        Path::new(&self.0)
    }
}

/// The same as [`FileName::new`].
impl FromStr for FileName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl TryFrom<&str> for FileName {
    type Error = NameError;

    fn try_from(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl TryFrom<String> for FileName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl From<FileName> for String {
    fn from(name: FileName) -> Self {
        name.0
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bad_names_say_why() {
        let long = "x".repeat(256);
        let longest = "x".repeat(4097);
        let deep = "x/".repeat(64) + "x";
        let cases: &[(&str, NameError)] = &[
            ("", NameError::Empty),
            ("/a", NameError::Absolute),
            ("a//b", NameError::EmptyComponent),
            ("a/", NameError::EmptyComponent),
            ("./a", NameError::DotComponent(".")),
            ("a/../b", NameError::DotComponent("..")),
            ("a\0b", NameError::ControlCharacter(0)),
            ("a\u{9b}", NameError::ControlCharacter(0x9b)),
            (&long, NameError::ComponentTooLong(256)),
            (&longest, NameError::TooLong(4097)),
            (&deep, NameError::TooDeep(65)),
        ];
        for (name, expected) in cases {
            assert_eq!(FileName::new(*name).unwrap_err(), *expected, "{name:?}");
        }
    }

    #[test]
    fn a_name_is_made_and_used_as_texts_and_paths_are() {
        let name: FileName = "db/password".parse().unwrap();
        assert_eq!(FileName::try_from("db/password"), Ok(name.clone()));
        assert_eq!(FileName::try_from("db/password".to_owned()), Ok(name.clone()));
        assert_eq!(FileName::try_from("/x"), Err(NameError::Absolute));
        assert_eq!("".parse::<FileName>(), Err(NameError::Empty));
        assert_eq!(Path::new("/run").join(&name), Path::new("/run/db/password"));
        assert_eq!(
            (AsRef::<str>::as_ref(&name), String::from(name.clone())),
            ("db/password", name.to_string())
        );
    }

    #[test]
    fn names_share_the_directories_that_both_are_in() {
        let shared =
            |one: &str, other: &str| FileName::new(one).unwrap().shared(&FileName::new(other).unwrap());
        assert_eq!(shared("a/b/c", "a/b/d"), 3);
        assert_eq!(shared("a/b/c", "a/bc"), 1);
        assert_eq!((shared("a/b", "a-b"), shared("a/b", "a"), shared("a", "a")), (0, 0, 0));
        assert_eq!(FileName::new("a/b/c").unwrap().directories().collect::<Vec<_>>(), ["a", "a/b"]);
    }

    #[test]
    fn odd_but_good_names_are_taken() {
        for name in ["...", ".a", "a b", "ü/ß", "-", "a\\b", &"x".repeat(255), &("x/".repeat(63) + "x")] {
            assert_eq!(FileName::new(name).unwrap().as_str(), name);
        }
    }

    proptest! {
        #[test]
        fn a_name_that_is_taken_never_leaves_its_directory(text in "[a./]{0,12}") {
            if let Ok(name) = FileName::new(text) {
                let path = Path::new(name.as_str());
                prop_assert!(path.components().all(|c| matches!(c, std::path::Component::Normal(_))));
            }
        }
    }
}
