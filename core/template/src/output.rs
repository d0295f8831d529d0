//! The output of a template, and its readers.

use secretdir_quote::{Finding, Format, Readers};
use zeroize::Zeroizing;

use crate::budget::Budget;
use crate::error::Fault;
use crate::value::{Origin, Piece, Text};

/// The maximum size of a result in bytes.
pub(crate) const LARGEST_RESULT: usize = 16 << 20;

/// The position in the template of a printed text.
#[derive(Clone, Copy)]
pub(crate) enum At {
    /// It is the text of the template that begins there.
    Text(usize),
    /// A tag prints it.
    Tag(usize),
}

impl At {
    fn of_byte(self, index: usize) -> usize {
        match self {
            Self::Text(start) => start + index,
            Self::Tag(at) => at,
        }
    }
}

#[derive(Clone)]
pub(crate) struct Output {
    /// None in a check, which needs no result.
    pieces: Option<Vec<Piece>>,
    length: usize,
    /// None for output that is dropped.
    readers: Option<Readers>,
    /// The key of a map that was printed last in this line. The inner option is none if the key must not be shown.
    key: Option<Option<Text>>,
}

impl Output {
    /// Returns the output for a file with readers of these formats. In a check, there are no pieces.
    pub(crate) fn of_file(formats: &[Format], pieces: Option<Vec<Piece>>) -> Self {
        Self { pieces, length: 0, readers: Some(Readers::at_start(formats)), key: None }
    }

    /// Returns one for a text that becomes a value. The name of its variable may be elsewhere, so readers of variables are left out.
    pub(crate) fn of_value() -> Self {
        Self::of_file(&[Format::Json, Format::Shell, Format::Toml], Some(Vec::new()))
    }

    /// Returns one that is dropped.
    pub(crate) fn of_nothing() -> Self {
        Self { pieces: None, length: 0, readers: None, key: None }
    }

    pub(crate) fn key(&self) -> Option<&Option<Text>> {
        self.key.as_ref()
    }

    /// Prints a piece, and returns the findings of the readers.
    pub(crate) fn print(
        &mut self,
        piece: &Piece,
        at: At,
        budget: &mut Budget,
    ) -> Result<Vec<Finding>, Fault> {
        self.length = self.length.saturating_add(piece.text.len());
        if self.length > LARGEST_RESULT {
            return Err(Fault::ResultTooLarge { most: LARGEST_RESULT });
        }
        let mut found = Vec::new();
        if let Some(readers) = &mut self.readers {
            let mark = piece.mark();
            mark.into_iter().for_each(|mark| readers.value(mark.format, at.of_byte(0), &mut found));
            let beside = mark.map(|mark| mark.format);
            match piece.origin {
                Origin::Unknown(_) => readers.unknown(beside, at.of_byte(0), &mut found),
                _ => read(readers, &piece.text, beside, at, &mut found, budget)?,
            }
        }
        match &piece.origin {
            Origin::Key(key) => self.key = Some(key.clone()),
            _ if piece.text.contains('\n') => self.key = None,
            _ => {}
        }
        self.pieces.iter_mut().for_each(|pieces| pieces.push(piece.clone()));
        Ok(found)
    }

    /// Returns the number of its pieces, which a copy of it has to copy.
    pub(crate) fn piece_count(&self) -> usize {
        self.pieces.as_ref().map_or(0, Vec::len)
    }

    /// Joins the output of another branch, which had the same beginning. Only the readers of both are kept; the other fields are those of
    /// the other branch, which was taken.
    pub(crate) fn merge(&mut self, mut other: Self) {
        match (&mut self.readers, other.readers.take()) {
            (Some(_), None) => return,
            (Some(readers), Some(others)) => readers.merge(others),
            (readers, others) => *readers = others,
        }
        *self = Self { readers: self.readers.take(), ..other };
    }

    pub(crate) fn into_pieces(self) -> Vec<Piece> {
        self.pieces.unwrap_or_default()
    }

    /// Concatenates the pieces, in a buffer that is wiped.
    pub(crate) fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.length));
        self.pieces.iter().flatten().for_each(|piece| bytes.extend_from_slice(piece.text.as_bytes()));
        bytes
    }
}

/// Reads a text part by part: the number of ways, and so the cost of a character, may grow while it is read.
fn read(
    readers: &mut Readers,
    text: &str,
    beside: Option<Format>,
    at: At,
    found: &mut Vec<Finding>,
    budget: &mut Budget,
) -> Result<(), Fault> {
    const PART: usize = 4096;
    let mut start = 0;
    while let Some(rest) = text.get(start..).filter(|rest| !rest.is_empty()) {
        let part = rest.get(..rest.floor_char_boundary(PART)).unwrap_or_default();
        // A part of a tag has the position of the tag.
        let at_part = match at {
            At::Text(begin) => At::Text(begin + start),
            At::Tag(begin) => At::Tag(begin),
        };
        budget.spend_text(part.len().saturating_mul(readers.count().max(1)))?;
        readers.text(part, beside, |index| at_part.of_byte(index), found);
        start += part.len();
    }
    Ok(())
}
