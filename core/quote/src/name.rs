//! Decides whether the text before the first `=` of a line may be the name of a variable.

use crate::UNKNOWN;

/// The keyword that a shell allows before a name.
const EXPORT: &[u8] = b"export ";

/// The state of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Name {
    /// Only blanks so far.
    #[default]
    Blank,
    /// This many letters of `export `, which may also be the letters of a name.
    Exporting(usize),
    /// `export `
    Export,
    /// A name so far, perhaps after `export `.
    Word(Exported),
    /// Text that cannot be a name.
    Other,
    /// `=` after a name, or (`None`) after other text.
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
