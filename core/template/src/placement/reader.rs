//! How each reader reads the text around what a filter writes: only as far as quotes, comments and words are concerned.

/// Who reads what a filter writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reader {
    Docker,
    Dotenv,
    Json,
    Shell,
    Toml,
}

/// What is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Open {
    Single,
    Double,
    /// `$(` of a shell, in which quotes begin anew.
    Substitution,
    /// A backquote of a shell: the same.
    Backquote,
    Comment,
}

impl Open {
    /// Says whether what a filter writes would be inside quotes.
    pub(super) fn quotes(self) -> bool {
        matches!(self, Self::Single | Self::Double)
    }
}

impl Reader {
    pub(super) const ALL: [Self; 5] = [Self::Docker, Self::Dotenv, Self::Json, Self::Shell, Self::Toml];

    /// Returns the filter that writes for it.
    pub(super) fn filter(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Dotenv => "dotenv",
            Self::Json => "json",
            Self::Shell => "shell",
            Self::Toml => "toml",
        }
    }

    /// Says whether what a filter writes may stand directly behind a character.
    pub(super) fn may_follow(self, before: char) -> bool {
        match self {
            Self::Docker => !matches!(before, '\'' | '"'),
            Self::Dotenv => matches!(before, '=' | '\n'),
            Self::Json => before.is_whitespace() || ":[,({=>".contains(before),
            Self::Shell => before.is_whitespace() || "=(;|&<>`!".contains(before),
            Self::Toml => before.is_whitespace() || "=[,.{".contains(before),
        }
    }

    /// Says whether a character may stand directly behind what a filter writes.
    pub(super) fn may_precede(self, after: char) -> bool {
        match self {
            Self::Docker => !matches!(after, '\'' | '"'),
            Self::Dotenv => matches!(after, '\n' | ' ' | '\t'),
            Self::Json => after.is_whitespace() || ",]});:<".contains(after),
            Self::Shell => after.is_whitespace() || ";)|&<>`".contains(after),
            Self::Toml => after.is_whitespace() || ",].}=#".contains(after),
        }
    }

    /// Says whether a character may stand behind blanks behind what a filter writes.
    pub(super) fn may_come_later(self, after: char) -> bool {
        self != Self::Dotenv || matches!(after, '\n' | ' ' | '\t' | '#')
    }

    /// Says whether a backslash takes the meaning of the next character.
    pub(super) fn escapes(self, open: Option<Open>) -> bool {
        match self {
            Self::Docker => false,
            Self::Shell | Self::Dotenv => !matches!(open, Some(Open::Single | Open::Comment)),
            Self::Json => matches!(open, Some(Open::Single | Open::Double)),
            Self::Toml => open == Some(Open::Double),
        }
    }

    /// Says what a character opens, where nothing that hides it is open. `before` are the two characters before it.
    pub(super) fn opens(self, c: char, before: [char; 2]) -> Option<Open> {
        let [_, last] = before;
        let at_word = last.is_whitespace();
        match (self, c) {
            (Self::Docker, '\'') if last == '=' => Some(Open::Single),
            (Self::Docker, '"') if last == '=' => Some(Open::Double),
            (Self::Docker, '#') if last == '\n' => Some(Open::Comment),
            (Self::Docker, _) => None,
            (Self::Shell, '#') if at_word || ";(&|`".contains(last) => Some(Open::Comment),
            (Self::Shell, '(') if last == '$' => Some(Open::Substitution),
            (Self::Shell, '`') => Some(Open::Backquote),
            (Self::Toml, '#') => Some(Open::Comment),
            (_, '#') if at_word => Some(Open::Comment),
            (Self::Json, '/') if before_slash(before) => Some(Open::Comment),
            // An apostrophe in a word of YAML is no quote.
            (Self::Json, '\'') if last.is_alphanumeric() => None,
            (_, '\'') => Some(Open::Single),
            (_, '"') => Some(Open::Double),
            _ => None,
        }
    }

    /// Says what a character opens inside what is open.
    pub(super) fn opens_inside(self, open: Open, c: char, before: [char; 2]) -> Option<Open> {
        let [_, last] = before;
        match (self, open, c) {
            (Self::Shell, Open::Substitution | Open::Backquote, _) => {
                // Brackets of its own count, so that the right one ends it.
                let is_bracket = c == '(' && open == Open::Substitution;
                if is_bracket { Some(Open::Substitution) } else { self.opens(c, before) }
            }
            (Self::Shell, Open::Double, '(') if last == '$' => Some(Open::Substitution),
            (Self::Shell, Open::Double, '`') => Some(Open::Backquote),
            _ => None,
        }
    }

    /// Says whether a character ends what is open.
    pub(super) fn closes(self, open: Open, c: char) -> bool {
        match open {
            Open::Single => c == '\'' || self.ends_with_line(c),
            Open::Double => c == '"' || self.ends_with_line(c),
            Open::Substitution => c == ')',
            Open::Backquote => c == '`',
            Open::Comment => c == '\n',
        }
    }

    /// Quotes that a line cannot hold are no quotes in the next one.
    fn ends_with_line(self, c: char) -> bool {
        self == Self::Docker && c == '\n'
    }
}

/// Says whether a second slash begins a comment.
fn before_slash([before, last]: [char; 2]) -> bool {
    last == '/' && before.is_whitespace()
}
