//! Maps whose keys are the names of files that can coexist.
//!
//! A map is sorted by the bytes of its names. A name is followed by all names that begin with it. So the contents of a
//! directory are where the name of the directory would be. They need not follow at once: `a-b` and `a.b` come between
//! `a` and `a/b`, because `-` and `.` sort before `/`.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::FileName;

/// A map from file names that can coexist to values. No name occurs twice, and no name is both a file and a directory.
///
/// ```
/// use atomicdir::{FileMap, FileName};
///
/// let mut sizes = FileMap::new();
/// sizes.insert(FileName::new("db/password")?, 12)?;
/// assert!(sizes.insert(FileName::new("db")?, 0).is_err());
/// assert_eq!(sizes.get("db/password"), Some(&12));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileMap<T>(BTreeMap<FileName, T>);

/// Two names that cannot coexist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameConflict {
    /// The name is in the map already.
    #[error("`{0}` is there already")]
    Duplicate(FileName),
    /// One name is a file, and also a directory that contains the other.
    #[error("`{file}` cannot be a file, because `{inside}` is inside it")]
    FileAndDirectory {
        /// The shorter name.
        file: FileName,
        /// The longer name.
        inside: FileName,
    },
}

impl<T> FileMap<T> {
    /// Returns an empty map.
    pub fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Makes a map of names and values, which may come in any order. Sorted names are fastest.
    ///
    /// # Errors
    ///
    /// The first name that conflicts with one before it.
    pub fn try_from_iter(entries: impl IntoIterator<Item = (FileName, T)>) -> Result<Self, NameConflict> {
        let mut map = Self::new();
        for (name, value) in entries {
            map.insert(name, value)?;
        }
        Ok(map)
    }

    /// Adds a name. If it sorts after all others, this costs one look-up.
    ///
    /// # Errors
    ///
    /// The name conflicts with one in the map. The map is then unchanged.
    pub fn insert(&mut self, name: FileName, value: T) -> Result<(), NameConflict> {
        match self.conflict(&name) {
            None => {
                self.0.insert(name, value);
                Ok(())
            }
            Some(Conflict::Same) => Err(NameConflict::Duplicate(name)),
            Some(Conflict::Above(file)) => Err(NameConflict::FileAndDirectory { file, inside: name }),
            Some(Conflict::Inside(inside)) => Err(NameConflict::FileAndDirectory { file: name, inside }),
        }
    }

    /// Returns the conflict that a new name would cause.
    fn conflict(&self, name: &FileName) -> Option<Conflict> {
        let is_last = self.0.last_key_value().is_none_or(|(last, _)| last < name);
        // Names inside `name` would come after it.
        let before =
            if is_last { self.0.last_key_value() } else { self.0.range::<FileName, _>(..=name).next_back() };
        let before = before.map(|(before, _)| before);
        if before == Some(name) {
            return Some(Conflict::Same);
        }
        if let Some(file) = self.file_above(name, before) {
            return Some(Conflict::Above(file));
        }
        if is_last { None } else { self.first_inside(name.as_str()).cloned().map(Conflict::Inside) }
    }

    /// Returns a file of the map that would have to be a directory for this name, outermost first. The directories that
    /// `name` and the name before it share are known not to be files.
    fn file_above(&self, name: &FileName, before: Option<&FileName>) -> Option<FileName> {
        let shared = before.map_or(0, |before| name.shared(before));
        let above = name.directories().filter(|directory| directory.len() > shared);
        above.filter_map(|directory| self.0.get_key_value(directory)).map(|(file, _)| file.clone()).next()
    }

    /// Returns whether any name is inside this directory.
    pub(crate) fn has_directory(&self, directory: &str) -> bool {
        self.first_inside(directory).is_some()
    }

    /// Returns the first name inside a directory. It is nearly always the next name.
    fn first_inside(&self, directory: &str) -> Option<&FileName> {
        let next = self.after(directory)?;
        match next.as_str().strip_prefix(directory)?.as_bytes().first()? {
            b'/' => Some(next),
            // No later name has a slash there.
            other if *other > b'/' => None,
            // Such as `a-b`, which comes before `a/b`.
            _ => {
                let prefix = format!("{directory}/");
                self.after(&prefix).filter(|next| next.as_str().starts_with(&prefix))
            }
        }
    }

    /// Returns the first name that comes after a text.
    fn after(&self, text: &str) -> Option<&FileName> {
        let mut after = self.0.range::<str, _>((Bound::Excluded(text), Bound::Unbounded));
        after.next().map(|(name, _)| name)
    }

    /// Returns the value of a name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.get(name)
    }

    /// Returns the map's own copy of a name, and its value.
    pub(crate) fn get_entry(&self, name: &str) -> Option<(&FileName, &T)> {
        self.0.get_key_value(name)
    }

    /// Returns names and values, sorted by name. The files of a directory are next to each other.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&FileName, &T)> {
        self.0.iter()
    }

    /// Makes another map from this one. It has the same names, except those for which the closure returns `None`.
    ///
    /// A subset of names that can coexist can also coexist, so this cannot fail.
    pub fn map_files<'m, U>(&'m self, mut value: impl FnMut(&'m FileName, &'m T) -> Option<U>) -> FileMap<U> {
        // Collected first: a map that is made of an iterator of unknown length copies it again and again.
        let mut made = Vec::with_capacity(self.0.len());
        made.extend(self.0.iter().filter_map(|(name, old)| Some((name.clone(), value(name, old)?))));
        FileMap(made.into_iter().collect())
    }

    /// Returns the number of names.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether the map is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The reason why a name cannot be added to a map.
enum Conflict {
    /// The name is in the map already.
    Same,
    /// This file would have to be a directory.
    Above(FileName),
    /// This file is inside the new name, which would have to be a directory.
    Inside(FileName),
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
    fn a_map_says_what_it_holds_and_makes_another_of_fewer_names() {
        let mut map = FileMap::new();
        assert!(map.is_empty());
        for (number, name) in ["a", "b", "c"].into_iter().enumerate() {
            map.insert(FileName::new(name).unwrap(), number).unwrap();
        }
        assert!(!map.is_empty());
        let fewer = map.map_files(|name, number| (name.as_str() != "b").then_some(number * 10));
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
            assert_eq!(conflict.to_string(), "`a` cannot be a file, because `a/b/c` is inside it");
            assert_eq!(map.len(), 2);
        }
        let mut map = FileMap::new();
        map.insert(name("a"), ()).unwrap();
        assert_eq!(map.insert(name("a"), ()).unwrap_err(), NameConflict::Duplicate(name("a")));
    }

    #[test]
    fn a_map_of_an_iterator_is_that_of_its_entries_in_any_order() {
        let entries =
            |names: &[&str]| names.iter().map(|name| (FileName::new(*name).unwrap(), ())).collect::<Vec<_>>();
        let map = FileMap::try_from_iter(entries(&["b", "a/c", "a-b"])).unwrap();
        assert_eq!(map.iter().map(|(name, ())| name.as_str()).collect::<Vec<_>>(), ["a-b", "a/c", "b"]);
        let conflict = FileMap::try_from_iter(entries(&["a/c", "a-b", "a"])).unwrap_err();
        assert_eq!(conflict.to_string(), "`a` cannot be a file, because `a/c` is inside it");
    }

    /// Compares two names at a time: slow, and plainly right.
    fn conflict_by_pairs(names: &[FileName], name: &FileName) -> bool {
        let inside = |one: &FileName, other: &FileName| one.as_str().starts_with(&format!("{other}/"));
        names.iter().any(|other| other == name || inside(name, other) || inside(other, name))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn a_name_is_taken_if_it_conflicts_with_no_other(texts in prop::collection::vec("[ab0-]{1,2}(/[ab.]{1,2}){0,3}", 1..20)) {
            let (mut map, mut names) = (FileMap::new(), Vec::new());
            for name in texts.into_iter().filter_map(|text| FileName::new(text).ok()) {
                let conflicts = conflict_by_pairs(&names, &name);
                prop_assert_eq!(map.insert(name.clone(), ()).is_err(), conflicts, "{} into {:?}", name, names);
                for directory in name.directories().chain([name.as_str()]) {
                    let prefix = format!("{directory}/");
                    let is_there = map.iter().any(|(name, ())| name.as_str().starts_with(&prefix));
                    prop_assert_eq!(map.has_directory(directory), is_there);
                }
                if !conflicts {
                    names.push(name);
                }
            }
        }

        /// The files of each directory are next to each other, so each directory can be filled and closed before the
        /// next.
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
    }
}
