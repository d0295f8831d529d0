//! What a template prints, and what its readers make of it.

use secretdir_quote::{Finding, Format, Readers};
use zeroize::Zeroizing;

use crate::error::Fault;
use crate::value::{Origin, Piece, Text};

/// The most bytes of a result.
pub(crate) const LARGEST_RESULT: usize = 16 << 20;

/// Where in the template something is that is printed.
#[derive(Clone, Copy)]
pub(crate) enum At {
    /// It is the text that begins there.
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
    /// None where only a check looks at it.
    pieces: Option<Vec<Piece>>,
    length: usize,
    /// None for what is never printed.
    readers: Option<Readers>,
    /// The key of a map that was printed last, in this line, and whether it may be shown.
    key: Option<Option<Text>>,
}

impl Output {
    /// Returns the output for a file that is to be written, or only checked, for readers of these formats.
    pub(crate) fn of_file(formats: &[Format], pieces: Option<Vec<Piece>>) -> Self {
        Self { pieces, length: 0, readers: Some(Readers::at_start(formats)), key: None }
    }

    /// Returns one for a text that becomes a value. It may be a part of any line, so variables have their names outside.
    pub(crate) fn of_value() -> Self {
        Self::of_file(&[Format::Json, Format::Shell, Format::Toml], Some(Vec::new()))
    }

    /// Returns one for what is never printed.
    pub(crate) fn of_nothing() -> Self {
        Self { pieces: Some(Vec::new()), length: 0, readers: None, key: None }
    }

    /// Returns how many characters are read for one that is printed.
    pub(crate) fn readers(&self) -> usize {
        self.readers.as_ref().map_or(0, Readers::count)
    }

    pub(crate) fn key(&self) -> Option<&Option<Text>> {
        self.key.as_ref()
    }

    /// Prints a piece, and returns what its readers find, by its place.
    pub(crate) fn print(&mut self, piece: &Piece, at: At) -> Result<Vec<Finding>, Fault> {
        self.length = self.length.saturating_add(piece.text.len());
        if self.length > LARGEST_RESULT {
            return Err(Fault::ResultTooLarge { most: LARGEST_RESULT });
        }
        let mut found = Vec::new();
        if let Some(readers) = &mut self.readers {
            match &piece.origin {
                Origin::Plain | Origin::Key(_) => {
                    readers.text(&piece.text, |index| at.of_byte(index), &mut found)
                }
                Origin::Filter(mark) => {
                    readers.value(mark.format, Some(&piece.text), at.of_byte(0), &mut found)
                }
                Origin::Unknown(Some(mark)) => readers.value(mark.format, None, at.of_byte(0), &mut found),
                Origin::Unknown(None) => readers.unknown(at.of_byte(0), &mut found),
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

    /// Takes in another that had the same beginning. Of what they printed, the other's counts.
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

    /// Puts the pieces together, in a buffer that is wiped.
    pub(crate) fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.length));
        self.pieces.iter().flatten().for_each(|piece| bytes.extend_from_slice(piece.text.as_bytes()));
        bytes
    }
}
