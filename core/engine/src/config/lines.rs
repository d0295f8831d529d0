//! Which line a key is on.

use std::collections::BTreeMap;

use secretdir_provider::{KeyPath, Segment};

/// The offsets at which the lines of a text begin.
pub(super) struct LineStarts(Vec<usize>);

impl LineStarts {
    pub(super) fn of(text: &[u8]) -> Self {
        let newlines = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        Self(newlines.map(|(offset, _)| offset + 1).collect())
    }

    /// Returns the line of an offset, counted from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        1 + self.0.partition_point(|start| *start <= offset)
    }
}

/// The line of every key and array element.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(BTreeMap<KeyPath, usize>);

impl Lines {
    pub(super) fn insert(&mut self, path: &[Segment], line: usize) {
        self.0.insert(KeyPath::from(path), line);
    }

    /// Lets what is below one path have the lines of what is below another.
    pub(super) fn graft(&mut self, from: &[Segment], to: &[Segment]) {
        let gone: Vec<_> = self.below(to).map(|(path, _)| path.clone()).collect();
        for path in &gone {
            self.0.remove(path);
        }
        let moved: Vec<_> = self
            .below(from)
            .filter_map(|(path, line)| {
                let rest = path.segments().strip_prefix(from)?;
                Some((KeyPath::from(&[to, rest].concat()[..]), *line))
            })
            .collect();
        self.0.extend(moved);
    }

    /// Returns what is at a path and below it: in the order of paths that stands together.
    fn below<'p>(&self, path: &'p [Segment]) -> impl Iterator<Item = (&KeyPath, &usize)> + use<'_, 'p> {
        let from_there = self.0.range(KeyPath::from(path)..);
        from_there.take_while(move |(found, _)| found.segments().starts_with(path))
    }

    /// Returns the line of a key or, if it is not there, of the nearest one around it; the first line if there is none.
    pub(crate) fn of(&self, path: &KeyPath) -> usize {
        let segments = path.segments();
        let longest_first = (1..=segments.len()).rev().filter_map(|length| segments.get(..length));
        longest_first.filter_map(|part| self.0.get(&KeyPath::from(part))).next().copied().unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_on_the_line_that_began_last() {
        let starts = LineStarts::of(b"a\n\nbc\n");
        assert_eq!([0, 1, 2, 3, 5, 6, 99].map(|offset| starts.line(offset)), [1, 1, 2, 3, 3, 4, 4]);
        assert_eq!(LineStarts::of(b"").line(0), 1);
    }

    #[test]
    fn what_is_not_there_is_on_the_line_of_what_is_around_it() {
        let key = |key: &str| Segment::Key(key.to_owned());
        let mut lines = Lines::default();
        lines.insert(&[key("a")], 3);
        lines.insert(&[key("a"), key("b")], 5);
        lines.insert(&[key("a"), key("b"), Segment::Index(1)], 6);
        for (path, line) in
            [(&["a", "b"][..], 5), (&["a", "b", "c", "d"], 5), (&["a", "c"], 3), (&["x", "b"], 1), (&[], 1)]
        {
            assert_eq!(lines.of(&path.iter().copied().collect()), line, "{path:?}");
        }
        assert_eq!(lines.of(&KeyPath::from(&[key("a"), key("b"), Segment::Index(1)][..])), 6);
    }
}
