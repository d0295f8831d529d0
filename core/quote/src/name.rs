//! What stands in a line before its first `=`: whether it may be the name of a variable.

use crate::UNKNOWN;

/// What a shell may have before a name.
const EXPORT: &[u8] = b"export ";

/// How far a line is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Name {
    /// Nothing but blanks.
    #[default]
    Blank,
    /// So many letters of `export `, which may be those of a name.
    Exporting(usize),
    /// `export `
    Export,
    /// A name so far, perhaps behind `export `.
    Word(Exported),
    /// What cannot be one.
    Other,
    /// A `=` behind what was a name, or not.
    Ended(Option<Exported>),
}

/// Whether a name has `export` before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exported {
    No,
    Yes,
}

impl Name {
    pub(super) fn read(&mut self, c: char) {
        let is_letter = c.is_ascii_alphabetic() || matches!(c, '_' | UNKNOWN);
        let is_word = is_letter || c.is_ascii_digit();
        *self = match (*self, c) {
            (_, '\n') => Self::Blank,
            (Self::Blank, ' ' | '\t') => Self::Blank,
            (Self::Blank, 'e') => Self::Exporting(1),
            (Self::Exporting(_), '=') => Self::Ended(Some(Exported::No)),
            (Self::Exporting(read), c) if EXPORT.get(read).is_some_and(|next| char::from(*next) == c) => {
                if c == ' ' { Self::Export } else { Self::Exporting(read + 1) }
            }
            (Self::Exporting(_) | Self::Word(Exported::No), _) if is_word => Self::Word(Exported::No),
            (Self::Blank, _) if is_letter => Self::Word(Exported::No),
            (Self::Export, _) if is_letter => Self::Word(Exported::Yes),
            (Self::Word(Exported::Yes), _) if is_word => Self::Word(Exported::Yes),
            (Self::Word(exported), '=') => Self::Ended(Some(exported)),
            (Self::Ended(_), _) => *self,
            (_, '=') => Self::Ended(None),
            _ => Self::Other,
        };
    }

    /// Says whether the line has a name and `=`, without `export`.
    pub(super) fn is_plain(self) -> bool {
        self == Self::Ended(Some(Exported::No))
    }

    /// Says whether the line has a name and `=`.
    pub(super) fn is_variable(self) -> bool {
        matches!(self, Self::Ended(Some(_)))
    }

    pub(super) fn has_ended(self) -> bool {
        matches!(self, Self::Ended(_))
    }
}
