//! The names of published files, and maps keyed by them.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;

/// The longest component of a name, in bytes: what Linux filesystems allow.
pub(crate) const COMPONENT_MAX: usize = 255;

/// The longest name, in bytes.
const NAME_MAX: usize = 4096;

/// The most components of a name. Each takes up to two descriptors while it is read back, and a process has 1,024.
pub(crate) const DEPTH_MAX: usize = 64;

/// The name of a published file: a relative path in which `/` makes subdirectories.
///
/// UTF-8; no empty, `.` or `..` component, so no leading, trailing or doubled `/`; no control character; at most 255
/// bytes a component, 64 components and 4096 bytes in all. Names order by their bytes, so that the files of a directory stand together.
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

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// It is empty.
    #[error("the name is empty")]
    Empty,
    /// It starts with `/`.
    #[error("the name must be relative, without a leading `/`")]
    Absolute,
    /// It has `//` in it, or ends with `/`.
    #[error("the name has an empty component (`//`, or a `/` at its end)")]
    EmptyComponent,
    /// A component is `.` or `..`.
    #[error("the name has a `{0}` component")]
    DotComponent(&'static str),
    /// It has a NUL or another control character in it.
    #[error("the name has a control character (U+{0:04X})")]
    ControlCharacter(u32),
    /// A component is too long.
    #[error("the name has a component of {0} bytes; at most {max} are allowed", max = COMPONENT_MAX)]
    ComponentTooLong(usize),
    /// It is too long.
    #[error("the name is {0} bytes long; at most {NAME_MAX} are allowed")]
    TooLong(usize),
    /// It has too many components.
    #[error("the name has {0} components; at most {DEPTH_MAX} are allowed")]
    TooDeep(usize),
    /// It is not UTF-8.
    #[error("the name is not UTF-8")]
    NotUtf8,
    /// It starts like the names that are kept beside the link.
    #[error("the name starts with `{0}`, which is kept for generations, notes and locks")]
    Reserved(String),
    /// The path has no last component to name a link by.
    #[error("the path does not end in a name")]
    NoName,
    /// The link's own name leaves no room for the names derived from it.
    #[error("the link's name is {0} bytes long; at most {1} are allowed")]
    LinkTooLong(usize, usize),
}

impl FileName {
    /// Validates a name.
    ///
    /// # Errors
    ///
    /// The first rule that the text breaks.
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

    /// Returns the names of the directories that the file is in, outermost first, and its own last component.
    pub(crate) fn split(&self) -> (impl Iterator<Item = &str>, &str) {
        let (directories, last) = self.0.rsplit_once('/').unwrap_or(("", &self.0));
        (directories.split('/').filter(|component| !component.is_empty()), last)
    }
}

fn check_component(component: &str) -> Result<(), NameError> {
    match component {
        "" => Err(NameError::EmptyComponent),
        "." => Err(NameError::DotComponent(".")),
        ".." => Err(NameError::DotComponent("..")),
        long if long.len() > COMPONENT_MAX => Err(NameError::ComponentTooLong(long.len())),
        _ => Ok(()),
    }
}

/// Sound because a name orders and compares as its text does.
impl Borrow<str> for FileName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Something for each of a set of file names that can exist side by side: no name twice, and none that is a file here
/// and a directory there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileMap<T>(BTreeMap<FileName, T>);

/// Two names that cannot exist side by side.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameConflict {
    /// The name is there already.
    #[error("`{0}` is there already")]
    Duplicate(FileName),
    /// One name is a file and also a directory that the other is in.
    #[error("`{file}` cannot be a file, as `{inside}` is inside it")]
    FileAndDirectory {
        /// The shorter name.
        file: FileName,
        /// The longer name.
        inside: FileName,
    },
}

impl<T> FileMap<T> {
    /// Makes an empty map.
    pub fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds a name.
    ///
    /// # Errors
    ///
    /// A name of the map that this one cannot stand beside; the map is unchanged then.
    pub fn insert(&mut self, name: FileName, value: T) -> Result<(), NameConflict> {
        if self.0.contains_key(&name) {
            return Err(NameConflict::Duplicate(name));
        }
        let ancestors = name.0.match_indices('/').filter_map(|(end, _)| name.0.get(..end));
        if let Some(ancestor) = ancestors.into_iter().find(|ancestor| self.0.contains_key(*ancestor)) {
            return Err(NameConflict::FileAndDirectory { file: FileName(ancestor.to_owned()), inside: name });
        }
        if let Some(inside) = self.first_inside(name.as_str()) {
            return Err(NameConflict::FileAndDirectory { file: name, inside });
        }
        self.0.insert(name, value);
        Ok(())
    }

    /// Says whether any name is inside this directory.
    pub(crate) fn has_directory(&self, directory: &str) -> bool {
        self.first_inside(directory).is_some()
    }

    fn first_inside(&self, directory: &str) -> Option<FileName> {
        let prefix = format!("{directory}/");
        let (next, _) =
            self.0.range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded)).next()?;
        next.0.starts_with(&prefix).then(|| next.clone())
    }

    /// Returns what a name stands for.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.get(name)
    }

    /// Returns the map's own copy of a name, and what it stands for.
    pub(crate) fn get_entry(&self, name: &str) -> Option<(&FileName, &T)> {
        self.0.get_key_value(name)
    }

    /// Visits names and values in the order of the names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&FileName, &T)> {
        self.0.iter()
    }

    /// Makes another map out of this one: with the same names, or fewer.
    pub fn filter_map<'m, U>(
        &'m self,
        mut value: impl FnMut(&'m FileName, &'m T) -> Option<U>,
    ) -> FileMap<U> {
        FileMap(self.0.iter().filter_map(|(name, old)| Some((name.clone(), value(name, old)?))).collect())
    }

    /// Returns how many names there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Says whether there is no name.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T> Default for FileMap<T> {
    fn default() -> Self {
        Self::new()
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
    fn odd_but_good_names_are_taken() {
        for name in ["...", ".a", "a b", "ü/ß", "-", "a\\b", &"x".repeat(255), &("x/".repeat(63) + "x")] {
            assert_eq!(FileName::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn a_map_says_what_it_holds_and_makes_another_of_fewer_names() {
        let mut map = FileMap::new();
        assert!(map.is_empty());
        for (number, name) in ["a", "b", "c"].into_iter().enumerate() {
            map.insert(FileName::new(name).unwrap(), number).unwrap();
        }
        assert!(!map.is_empty());
        let fewer = map.filter_map(|name, number| (name.as_str() != "b").then_some(number * 10));
        let found: Vec<_> = fewer.iter().map(|(name, number)| (name.as_str(), *number)).collect();
        assert_eq!((found, fewer.len(), map.len()), (vec![("a", 0), ("c", 20)], 2, 3));
    }

    #[test]
    fn conflicts_name_both_sides_in_either_order() {
        let name = |text: &str| FileName::new(text).unwrap();
        for [first, second] in [["a", "a/b/c"], ["a/b/c", "a"]] {
            let mut map = FileMap::new();
            map.insert(name(first), ()).unwrap();
            map.insert(name("a-b"), ()).unwrap();
            let conflict = map.insert(name(second), ()).unwrap_err();
            assert_eq!(conflict.to_string(), "`a` cannot be a file, as `a/b/c` is inside it");
            assert_eq!(map.len(), 2);
        }
        let mut map = FileMap::new();
        map.insert(name("a"), ()).unwrap();
        assert_eq!(map.insert(name("a"), ()).unwrap_err(), NameConflict::Duplicate(name("a")));
    }

    proptest! {
        /// The files of each directory stand together, which lets one be filled and closed before the next.
        #[test]
        fn files_of_a_directory_stand_together(texts in prop::collection::vec("[ab.-]{1,2}(/[ab0]{1,2}){0,2}", 1..20)) {
            let mut map = FileMap::new();
            for name in texts.into_iter().filter_map(|text| FileName::new(text).ok()) {
                let _ = map.insert(name, ());
            }
            let mut left = std::collections::HashSet::new();
            let mut last = None;
            for (name, ()) in map.iter() {
                let directory = name.as_str().rsplit_once('/').map(|(directory, _)| directory.to_owned());
                prop_assert!(!left.contains(&directory) || directory.is_none(), "{name} comes back to a directory");
                if last != Some(directory.clone()) {
                    let inside_last = |d: &Option<String>, l: &Option<String>| match (d, l) {
                        (_, None) => true,
                        (Some(d), Some(l)) => d.starts_with(&format!("{l}/")),
                        _ => false,
                    };
                    if let Some(last) = last.replace(directory.clone()) && !inside_last(&directory, &last) {
                        left.insert(last);
                    }
                }
            }
        }

        #[test]
        fn a_name_that_is_taken_never_leaves_its_directory(text in "[a./]{0,12}") {
            if let Ok(name) = FileName::new(text) {
                let path = std::path::Path::new(name.as_str());
                prop_assert!(path.components().all(|c| matches!(c, std::path::Component::Normal(_))));
            }
        }
    }
}
