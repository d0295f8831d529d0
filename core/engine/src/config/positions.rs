//! The positions of keys in the text of a configuration.

use secretdir_provider::{KeyPath, Segment};

use secretdir_helpers::Position;

/// A text, and the offsets at which its lines begin.
pub(super) struct LineStarts<'t> {
    text: &'t [u8],
    starts: Vec<usize>,
}

impl<'t> LineStarts<'t> {
    pub(super) fn of(text: &'t [u8]) -> Self {
        let newlines = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let starts = std::iter::once(0).chain(newlines.map(|(offset, _)| offset + 1)).collect();
        Self { text, starts }
    }

    /// Returns the line and column of an offset.
    pub(super) fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|last| self.starts.get(last)).copied().unwrap_or_default();
        let before = self.text.get(start..offset.min(self.text.len())).unwrap_or_default();
        // Each character has exactly one byte that is not a continuation byte.
        let characters = before.iter().filter(|byte| (**byte & 0b1100_0000) != 0b1000_0000).count();
        Position { line, column: characters + 1 }
    }
}

/// The position of every key and array element, in a tree like that of the values.
#[derive(Clone, Debug)]
pub(crate) struct Positions {
    position: Position,
    /// In the order of the keys.
    keys: Vec<(String, Positions)>,
    elements: Vec<Positions>,
}

impl Positions {
    /// Makes a tree with one position and nothing below it.
    pub(super) fn at(position: Position) -> Self {
        Self { position, keys: Vec::new(), elements: Vec::new() }
    }

    /// Reserves capacity for this many keys.
    pub(super) fn reserve_keys(&mut self, count: usize) {
        self.keys.reserve_exact(count);
    }

    /// Adds a key. Keys mostly arrive in order, so this is usually a push.
    pub(super) fn push_key(&mut self, key: String, below: Self) {
        match self.keys.last() {
            Some((last, _)) if *last >= key => self.replace(key, below),
            _ => self.keys.push((key, below)),
        }
    }

    pub(super) fn push_element(&mut self, below: Self) {
        self.elements.push(below);
    }

    /// Copies the positions below one path to another path.
    pub(super) fn graft(&mut self, from: &[Segment], to: &[Segment]) {
        if let Some(moved) = self.below(from).cloned() {
            self.put(to, moved);
        }
    }

    fn put(&mut self, path: &[Segment], moved: Self) {
        match path {
            [Segment::Key(last)] => self.replace(last.clone(), moved),
            [Segment::Key(key), rest @ ..] => {
                let place = self.find(key).unwrap_or_else(|place| {
                    self.keys.insert(place, (key.clone(), Self::at(moved.position)));
                    place
                });
                if let Some((_, below)) = self.keys.get_mut(place) {
                    below.put(rest, moved);
                }
            }
            _ => {}
        }
    }

    fn replace(&mut self, key: String, below: Self) {
        match self.find(&key) {
            Ok(found) => {
                if let Some((_, old)) = self.keys.get_mut(found) {
                    *old = below;
                }
            }
            Err(place) => self.keys.insert(place, (key, below)),
        }
    }

    fn find(&self, key: &str) -> Result<usize, usize> {
        self.keys.binary_search_by(|(other, _)| other.as_str().cmp(key))
    }

    fn step(&self, segment: &Segment) -> Option<&Self> {
        match segment {
            Segment::Key(key) => Some(&self.keys.get(self.find(key).ok()?)?.1),
            Segment::Index(index) => self.elements.get(*index),
            _ => None,
        }
    }

    fn below(&self, path: &[Segment]) -> Option<&Self> {
        path.iter().try_fold(self, |here, segment| here.step(segment))
    }

    /// Returns the position of the value at the top of this tree.
    pub(super) fn own(&self) -> Position {
        self.position
    }

    /// Returns the position of a key or, if the key is missing, of the nearest key around it.
    pub(crate) fn of(&self, path: &KeyPath) -> Position {
        let mut here = self;
        for segment in path.segments() {
            let Some(next) = here.step(segment) else { break };
            here = next;
        }
        here.position
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(line: usize, column: usize) -> Position {
        Position { line, column }
    }

    fn key(key: &str) -> Segment {
        Segment::Key(key.to_owned())
    }

    #[test]
    fn an_offset_is_on_the_line_that_began_last_and_columns_are_characters() {
        let starts = LineStarts::of(b"a\n\nbc\n");
        let found = [0, 1, 2, 3, 4, 6, 99].map(|offset| starts.position(offset));
        let expected = [(1, 1), (1, 2), (2, 1), (3, 1), (3, 2), (4, 1), (4, 1)];
        assert_eq!(found, expected.map(|(line, column)| position(line, column)));
        assert_eq!(LineStarts::of(b"").position(0), position(1, 1));
        assert_eq!(LineStarts::of("\"äß\" = 1".as_bytes()).position(6), position(1, 5));
    }

    #[test]
    fn what_is_not_there_is_where_what_is_around_it_is() {
        let mut positions = Positions::at(position(1, 1));
        for (path, line) in [(&["a"][..], 3), (&["a", "b"], 5), (&["a", "c", "d"], 9)] {
            let path: Vec<_> = path.iter().map(|name| key(name)).collect();
            positions.put(&path, Positions::at(position(line, 2)));
        }
        for (path, line) in [
            (&["a", "b"][..], 5),
            (&["a", "b", "c"], 5),
            (&["a", "x"], 3),
            (&["a", "c", "d"], 9),
            (&["x"], 1),
            (&[], 1),
        ] {
            assert_eq!(positions.of(&path.iter().copied().collect()).line, line, "{path:?}");
        }
        positions.graft(&[key("a"), key("c")], &[key("b")]);
        assert_eq!(positions.of(&KeyPath::from(["b", "d"])), position(9, 2));
    }
}
