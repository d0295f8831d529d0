//! The names beside the link. Each is derived from the name of the link, and only an exact match is parsed back.
//!
//! A run finds what it may remove by these names alone. So it must never mistake a similar name, or a name of another
//! link, for one of ours. Each name is parsed as a whole, and an ID has one length and one alphabet.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::file_name::COMPONENT_MAX;
use crate::{FileName, NameError};

/// The number of random characters in an ID.
const ID_LENGTH: usize = 16;

const ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const BASE: u128 = ALPHABET.len() as u128;

/// The ID of a generation, its record, its note and its temporary link: 16 random letters and digits.
///
/// No ID is used twice at a link. The order of IDs does not tell which generation is newer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(String);

impl Id {
    /// Parses an ID: exactly 16 ASCII letters and digits.
    fn parse(text: &str) -> Option<Self> {
        let exact = text.len() == ID_LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        exact.then(|| Self(text.to_owned()))
    }

    /// Makes an ID from a random number. With 128 random bits, each of the 62^16 IDs is equally likely, up to one part
    /// in 2^32.
    pub(crate) fn of(mut number: u128) -> Self {
        let characters = (0..ID_LENGTH).filter_map(|_| {
            let digit = usize::try_from(number % BASE).ok();
            number /= BASE;
            ALPHABET.get(digit?).copied().map(char::from)
        });
        Self(characters.collect())
    }

    /// Returns the 16 letters and digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The role of a name beside the link. While an ID is unfinished, it has a name in both roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// `.NAME.gen-ID`, a directory.
    Generation,
    /// `.NAME.tmp-ID`, a symbolic link: the mark of a run that did not finish.
    Mark,
}

impl Role {
    const ALL: [Self; 2] = [Self::Generation, Self::Mark];

    /// Returns the word between the name of the link and the ID.
    fn word(self) -> &'static str {
        match self {
            Self::Generation => "gen",
            Self::Mark => "tmp",
        }
    }
}

/// The name of the lock file in the state directory.
pub(crate) const LOCK: &str = "lock";

/// The name of the keeper's lock file, which the process that keeps the set current holds.
pub(crate) const KEEPER: &str = "keeper";

/// The prefix of the names of notes.
pub(crate) const NOTE: &str = "note-";

/// The prefix of the names of records.
const RECORD: &str = "made-";

/// A name in the state directory, `.NAME.state`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StateName {
    /// `lock`, a regular file.
    Lock,
    /// `keeper`, a regular file.
    Keeper,
    /// `note-ID`, a regular file.
    Note(Id),
    /// `made-ID`, a symbolic link whose text is a number, so it leads nowhere.
    Record(Id),
}

impl StateName {
    /// Parses a name. Only an exact match is ours.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        if name == LOCK {
            return Some(Self::Lock);
        }
        if name == KEEPER {
            return Some(Self::Keeper);
        }
        let note = name.strip_prefix(NOTE).and_then(Id::parse).map(Self::Note);
        note.or_else(|| name.strip_prefix(RECORD).and_then(Id::parse).map(Self::Record))
    }
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lock => f.write_str(LOCK),
            Self::Keeper => f.write_str(KEEPER),
            Self::Note(id) => write!(f, "{NOTE}{id}"),
            Self::Record(id) => write!(f, "{RECORD}{id}"),
        }
    }
}

/// The name of the link, from which all names beside it are derived.
///
/// ```
/// use atomicdir::{FileName, LinkName};
///
/// let (parent, link) = LinkName::split("/run/app/current".as_ref())?;
/// assert_eq!((parent.as_path(), link.as_str()), ("/run/app".as_ref(), "current"));
/// assert!(link.check_reserved(&FileName::new(".current.gen-x")?).is_err());
/// # Ok::<(), atomicdir::NameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkName(String);

impl LinkName {
    /// Splits the path of a link into its directory, `.` if there is none, and its name.
    ///
    /// # Errors
    ///
    /// The last component is missing, is not UTF-8, contains control characters, or is too long. The names that are
    /// derived from it must fit into 255 bytes.
    pub fn split(path: &Path) -> Result<(PathBuf, Self), NameError> {
        let name = path.file_name().ok_or(NameError::NoName)?;
        let name = name.to_str().ok_or(NameError::NotUtf8)?;
        if let Some(c) = name.chars().find(|c| c.is_control()) {
            return Err(NameError::ControlCharacter(c.into()));
        }
        let longest = COMPONENT_MAX - ("..gen-".len() + ID_LENGTH);
        if name.len() > longest {
            return Err(NameError::LinkTooLong(name.len(), longest));
        }
        let parent = match path.parent() {
            Some(parent) if parent != Path::new("") => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        Ok((parent, Self(name.to_owned())))
    }

    /// Returns the name of the link itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Checks whether a published file may have this name. It must not start like the names that this crate keeps
    /// beside the link.
    ///
    /// Such a file does no harm in a generation. But if the set is copied beside the link, this crate would mistake the
    /// file for its own. [`Staging::write`](crate::Staging::write) checks this too. Use this function to find all such
    /// names early.
    ///
    /// # Errors
    ///
    /// [`NameError::Reserved`].
    pub fn check_reserved(&self, file: &FileName) -> Result<(), NameError> {
        let rest = file.as_str().strip_prefix('.').and_then(|rest| rest.strip_prefix(&self.0));
        if rest.is_some_and(|rest| rest.starts_with('.')) {
            return Err(NameError::Reserved(format!(".{}.", self.0)));
        }
        Ok(())
    }

    /// Checks whether a file with this name can be beside the link. The name must have no directory, and must differ
    /// from the link and from all names derived from it.
    ///
    /// # Errors
    ///
    /// [`NameError::NotBeside`] and [`NameError::Reserved`].
    pub fn check_beside(&self, file: &FileName) -> Result<(), NameError> {
        if file.as_str() == self.0 || file.as_str().contains('/') {
            return Err(NameError::NotBeside);
        }
        self.check_reserved(file)
    }

    /// Returns the name of the state directory.
    pub(crate) fn state(&self) -> String {
        format!(".{}.state", self.0)
    }

    /// Returns the prefix of the names of a role.
    pub(crate) fn prefix(&self, role: Role) -> String {
        format!(".{}.{}-", self.0, role.word())
    }

    /// Returns the name of an ID in a role.
    pub(crate) fn name(&self, role: Role, id: &Id) -> String {
        format!("{}{id}", self.prefix(role))
    }

    /// Parses a name. Only an exact match is ours.
    pub(crate) fn parse(&self, name: &str) -> Option<(Role, Id)> {
        let rest = name.strip_prefix('.')?.strip_prefix(&self.0)?.strip_prefix('.')?;
        let (word, id) = rest.split_once('-')?;
        let role = Role::ALL.into_iter().find(|role| role.word() == word)?;
        Some((role, Id::parse(id)?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn link(name: &str) -> LinkName {
        LinkName::split(Path::new(name)).unwrap().1
    }

    #[test]
    fn only_exact_names_are_ours() {
        let app = link("app");
        assert_eq!(
            app.parse(".app.gen-0123456789abcdEF"),
            Some((Role::Generation, Id("0123456789abcdEF".into())))
        );
        for name in [
            "app",
            ".app",
            ".app.state",
            ".app.note-0123456789abcdef",
            ".app.gen-",
            ".app.gen-0123456789abcde",
            ".app.gen-0123456789abcdefg",
            ".app.gen-0123456789abcde_",
            ".app.gem-0123456789abcdef",
            "app.gen-0123456789abcdef",
            ".app.gen-0123456789abcdef/",
            ".appx.gen-0123456789abcdef",
            ".app.gen_0123456789abcdef",
            ".app.gen-0123456789abcdé",
            "..app.gen-0123456789abcdef",
        ] {
            assert_eq!(app.parse(name), None, "{name}");
        }
    }

    #[test]
    fn only_exact_names_in_the_state_directory_are_ours() {
        for name in [
            StateName::Lock,
            StateName::Keeper,
            StateName::Note(Id("0123456789abcdEF".into())),
            StateName::Record(Id("0123456789abcdEF".into())),
        ] {
            assert_eq!(StateName::parse(&name.to_string()), Some(name));
        }
        for name in [
            "",
            "lock-",
            "locks",
            "note-",
            "note-0123456789abcde",
            "made-0123456789abcdefg",
            "made_0123456789abcdef",
        ] {
            assert_eq!(StateName::parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_link_that_looks_like_part_of_another_is_told_apart() {
        let other = link("app.gen-x");
        let name = other.name(Role::Mark, &Id("0123456789abcdef".into()));
        assert_eq!(link("app").parse(&name), None);
        assert!(other.parse(&name).is_some());
    }

    #[test]
    fn paths_are_taken_apart() {
        for (path, parent, name) in
            [("/run/x/app", "/run/x", "app"), ("app", ".", "app"), ("/app", "/", "app")]
        {
            assert_eq!(LinkName::split(Path::new(path)), Ok((parent.into(), LinkName(name.into()))));
        }
        for path in ["/", "..", "a/..", ""] {
            assert_eq!(LinkName::split(Path::new(path)), Err(NameError::NoName), "{path}");
        }
        assert_eq!(LinkName::split(Path::new(&"x".repeat(234))), Err(NameError::LinkTooLong(234, 233)));
        let longest = link(&"x".repeat(233));
        assert_eq!(longest.name(Role::Generation, &Id("0123456789abcdef".into())).len(), COMPONENT_MAX);
    }

    #[test]
    fn an_id_of_any_number_is_read_back() {
        for number in [0, 1, 61, 62, u128::MAX] {
            let id = Id::of(number);
            assert_eq!(Id::parse(id.as_str()), Some(id));
        }
        assert_eq!(Id::of(0).as_str(), "0000000000000000");
        assert_eq!(Id::of(61 + 62).as_str(), "z100000000000000");
    }

    proptest! {
        #[test]
        fn names_are_read_back(name in "[a-z.-]{1,9}[a-z]", id in "[0-9A-Za-z]{16}") {
            let (link, id) = (link(&name), Id(id));
            for role in Role::ALL {
                prop_assert_eq!(link.parse(&link.name(role, &id)), Some((role, id.clone())));
            }
        }
    }
}
