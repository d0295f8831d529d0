//! Dotted paths of keys.

use std::fmt;

/// The path from the top of a configuration to one value, such as `files."db/password".mode`.
///
/// ```
/// use secretdir_provider::{KeyPath, Segment};
///
/// let path = KeyPath::from(["sources", "prod"]).key("a b").index(0);
/// assert_eq!(path.to_string(), r#"sources.prod."a b"[0]"#);
/// assert_eq!(path.segments().last(), Some(&Segment::Index(0)));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyPath(Vec<Segment>);

/// One segment of a [`KeyPath`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Segment {
    /// A key of a table.
    Key(String),
    /// A position in an array, counted from 0.
    Index(usize),
}

impl KeyPath {
    /// Returns this path with a key after it.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.0.push(Segment::Key(key.into()));
        self
    }

    /// Returns this path with the position in an array after it, counted from 0.
    #[must_use]
    pub fn index(mut self, index: usize) -> Self {
        self.0.push(Segment::Index(index));
        self
    }

    /// Returns the segments from the top down.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Returns this path with another one after it.
    #[must_use]
    pub fn join(&self, rest: &KeyPath) -> Self {
        Self(self.0.iter().chain(&rest.0).cloned().collect())
    }

    pub(super) fn under(mut self, segment: Segment) -> Self {
        self.0.insert(0, segment);
        self
    }
}

impl From<&[Segment]> for KeyPath {
    fn from(segments: &[Segment]) -> Self {
        Self(segments.to_vec())
    }
}

/// The path of one key. Dots in the text are part of the key.
impl From<&str> for KeyPath {
    fn from(key: &str) -> Self {
        Self::default().key(key)
    }
}

impl<const N: usize> From<[&str; N]> for KeyPath {
    fn from(keys: [&str; N]) -> Self {
        keys.into_iter().collect()
    }
}

impl<K: Into<String>> FromIterator<K> for KeyPath {
    fn from_iter<I: IntoIterator<Item = K>>(keys: I) -> Self {
        keys.into_iter().fold(Self::default(), Self::key)
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) => {
                    f.write_str(if position == 0 { "" } else { "." })?;
                    write_key(key, f)?;
                }
            }
        }
        Ok(())
    }
}

/// Writes a key in the syntax of TOML: bare if possible, otherwise quoted.
fn write_key(key: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(bare) {
        return f.write_str(key);
    }
    f.write_str("\"")?;
    for c in key.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            c if c.is_control() => write!(f, "\\u{:04X}", u32::from(c))?,
            c => write!(f, "{c}")?,
        }
    }
    f.write_str("\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_quoted_where_toml_needs_it() {
        let path = KeyPath::from(["files", "db/password", "a\"b\n", "", "x-1"]);
        assert_eq!(path.to_string(), r#"files."db/password"."a\"b\u000A"."".x-1"#);
    }

    #[test]
    fn an_index_stands_in_brackets() {
        let path = KeyPath::from("args").join(&KeyPath::default().under(Segment::Index(3)));
        assert_eq!(path.to_string(), "args[3]");
    }
}
