//! Parses lines of `KEY=VALUE`, in the part of the syntax that all its readers understand alike.
//!
//! This is a parser of our own. Libraries replace `$NAME` by variables of the environment. None of them refuses a text
//! that another library or a shell would read differently. Here, ambiguous text is an error. The README has the
//! grammar, and `tests.rs` compares with the other readers.

use std::collections::BTreeMap;

use secretdir_provider::SecretBuffer;

use super::Contents;
use super::fault::{Mistake, Position, TextFault};

type Bytes = SecretBuffer;

/// Parses a text.
pub(super) fn parse(text: &str) -> Result<Contents, TextFault> {
    let mut reader = Reader { text, rest: text, places: BTreeMap::new(), contents: Contents::new() };
    if let Some((_, after)) = text.split_once('\0') {
        return Err(reader.fault(Mistake::Nul, reader.offset(after) - 1));
    }
    while !reader.rest.is_empty() {
        reader.line()?;
    }
    Ok(reader.contents)
}

struct Reader<'t> {
    text: &'t str,
    /// The rest of the text.
    rest: &'t str,
    /// The offset of each key so far.
    places: BTreeMap<&'t str, usize>,
    contents: Contents,
}

impl<'t> Reader<'t> {
    fn line(&mut self) -> Result<(), TextFault> {
        self.skip_blanks();
        let is_comment = self.rest.starts_with('#');
        if !self.at_end_of_line() && !is_comment {
            let place = self.offset(self.rest);
            let key = self.key()?;
            if let Some(first) = self.places.insert(key, place) {
                return Err(self.duplicate(key, first, place));
            }
            let value = self.value()?;
            self.contents.insert(key.to_owned(), Ok(value));
        }
        match self.rest.split_once('\n') {
            Some((_, next)) => self.rest = next,
            None if is_comment => self.rest = "",
            None => self.end()?,
        }
        Ok(())
    }

    /// Reads a key and the `=` after it.
    fn key(&mut self) -> Result<&'t str, TextFault> {
        if let Some(exported) = self.rest.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t']))
        {
            self.rest = exported;
            self.skip_blanks();
        }
        let is_over = |c: char| c.is_whitespace() || matches!(c, '=' | '"' | '\'' | '#');
        let (key, rest) = self.rest.split_at(self.rest.find(is_over).unwrap_or(self.rest.len()));
        match rest.strip_prefix('=') {
            Some(value) if !key.is_empty() => {
                self.check_key(key)?;
                self.rest = value;
                Ok(key)
            }
            _ => Err(self.unexpected(Mistake::NotAnAssignment, rest)),
        }
    }

    /// Refuses a key that another reader would read differently, or even run as a command.
    fn check_key(&self, key: &str) -> Result<(), TextFault> {
        let start = self.offset(self.rest);
        if let Some(name) = key.strip_suffix('+') {
            return Err(self.fault(Mistake::Append, start + name.len()));
        }
        match key.find(|c| matches!(c, ':' | '[') || is_of_shells(c)) {
            Some(offset) => Err(self.fault(Mistake::SpecialInKey, start + offset)),
            None => Ok(()),
        }
    }

    /// Reads a value, and the text up to the place where its line may end.
    fn value(&mut self) -> Result<Bytes, TextFault> {
        match self.rest.chars().next() {
            Some('\'') => self.single_quoted(),
            Some('"') => self.double_quoted(),
            _ => self.unquoted(),
        }
    }

    /// Reads up to the first blank. After a value and a blank, only a comment may follow.
    ///
    /// The last line of wrapped Base64 may end with `==`. Read as an assignment, it would put a part of the secret into
    /// a key, which is not secret. A line that ends with a single `=` is an empty value, as for all readers.
    fn unquoted(&mut self) -> Result<Bytes, TextFault> {
        let start = self.offset(self.rest);
        let end = self.rest.find([' ', '\t', '\n']).unwrap_or(self.rest.len());
        let (value, rest) = self.rest.split_at(end);
        if value.starts_with('=') {
            return Err(self.fault(Mistake::Padding, start));
        }
        if let Some((offset, mistake)) = special(value) {
            return Err(self.fault(mistake, start + offset));
        }
        self.rest = rest;
        if value.is_empty() {
            self.skip_blanks();
            if self.rest.starts_with('#') {
                return Err(self.unexpected(Mistake::CommentAfterNothing, self.rest));
            }
        }
        self.end_value(Mistake::Blank, Some(' '))?;
        Ok(SecretBuffer::from(value.as_bytes()))
    }

    fn single_quoted(&mut self) -> Result<Bytes, TextFault> {
        let opening = self.offset(self.rest);
        let inside = self.rest.strip_prefix('\'').unwrap_or_default();
        let (value, rest) = inside.split_once('\'').ok_or_else(|| self.fault(Mistake::Unclosed, opening))?;
        if value.ends_with('\\') {
            return Err(self.fault(Mistake::BackslashAtEnd, opening + value.len()));
        }
        self.rest = rest;
        self.end_value(Mistake::AfterQuote, None)?;
        Ok(SecretBuffer::from(value.as_bytes()))
    }

    fn double_quoted(&mut self) -> Result<Bytes, TextFault> {
        let opening = self.offset(self.rest);
        let mut value = Bytes::default();
        self.take();
        loop {
            let here = self.offset(self.rest);
            match self.take() {
                None => return Err(self.fault(Mistake::Unclosed, opening)),
                Some('"') => break,
                Some('$') => return Err(self.fault(Mistake::Substitution, here)),
                Some('`') => return Err(self.fault(Mistake::Backquote, here)),
                Some('\\') => match self.take() {
                    Some('`') => return Err(self.fault(Mistake::Backquote, here)),
                    letter => match letter.and_then(unescaped) {
                        Some(character) => value.push_char(character),
                        None => return Err(self.fault(Mistake::Escape, here)),
                    },
                },
                Some(character) => value.push_char(character),
            }
        }
        self.end_value(Mistake::AfterQuote, None)?;
        Ok(value)
    }

    /// Reads from the end of a value to the end of the line, or to a comment. Readers disagree whether a `#` without a
    /// blank before it begins a comment. After a value without quotes, some require this particular blank.
    fn end_value(&mut self, otherwise: Mistake, before: Option<char>) -> Result<(), TextFault> {
        let start = self.rest;
        let had_blanks = self.skip_blanks();
        if self.at_end_of_line() {
            return Ok(());
        }
        if !had_blanks || !self.rest.starts_with('#') {
            return Err(self.unexpected(otherwise, self.rest));
        }
        let blanks = start.get(..start.len() - self.rest.len()).unwrap_or_default();
        if before.is_some_and(|before| !blanks.ends_with(before)) {
            return Err(self.fault(Mistake::TabBeforeComment, self.offset(self.rest) - 1));
        }
        // For dotenvy, a second blank ends the state that the first one began, and a quote after it begins a value.
        let comment = self.rest.lines().next().unwrap_or_default();
        match comment.find(['\'', '"']).filter(|_| blanks.len() > 1) {
            Some(offset) => Err(self.fault(Mistake::QuoteInComment, self.offset(self.rest) + offset)),
            None => Ok(()),
        }
    }

    /// Ends a last line without a newline. If it ends with a blank or a backslash, dotenvy does not see its end.
    fn end(&mut self) -> Result<(), TextFault> {
        self.rest = "";
        match self.text.chars().last().filter(|last| last.is_whitespace() || *last == '\\') {
            Some(last) => Err(self.fault(Mistake::OpenEnd, self.text.len() - last.len_utf8())),
            None => Ok(()),
        }
    }

    /// Skips blanks, and returns whether there were any.
    fn skip_blanks(&mut self) -> bool {
        let rest = self.rest.trim_start_matches([' ', '\t']);
        let had_blanks = rest.len() < self.rest.len();
        self.rest = rest;
        had_blanks
    }

    fn at_end_of_line(&self) -> bool {
        self.rest.is_empty() || self.rest.starts_with('\n')
    }

    fn take(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let next = characters.next();
        self.rest = characters.as_str();
        next
    }

    fn offset(&self, rest: &str) -> usize {
        self.text.len() - rest.len()
    }

    /// Reports unexpected text.
    fn unexpected(&self, mistake: Mistake, rest: &str) -> TextFault {
        let mistake = if rest.starts_with('\r') { Mistake::CarriageReturn } else { mistake };
        self.fault(mistake, self.offset(rest))
    }

    fn duplicate(&self, key: &str, first: usize, second: usize) -> TextFault {
        let first = Position::in_bytes(self.text.as_bytes(), first).line;
        self.fault(Mistake::DuplicateOfLine { key: key.to_owned(), first }, second)
    }

    fn fault(&self, mistake: Mistake, offset: usize) -> TextFault {
        TextFault::new(mistake, Position::in_bytes(self.text.as_bytes(), offset))
    }
}

/// Finds a character outside quotes that some reader does not take literally.
fn special(value: &str) -> Option<(usize, Mistake)> {
    let mut before = ':';
    value.char_indices().find_map(|(offset, character)| {
        let mistake = match character {
            '\r' => Some(Mistake::CarriageReturn),
            blank if blank.is_whitespace() => Some(Mistake::Blank),
            // A shell inserts a home directory here, and zsh the path of a program.
            '~' | '=' if before == ':' => Some(Mistake::Special),
            '\'' => Some(Mistake::SingleQuote),
            '"' => Some(Mistake::DoubleQuote),
            '#' => Some(Mistake::Special),
            _ if is_of_shells(character) => Some(Mistake::Special),
            _ => None,
        };
        before = character;
        mistake.map(|mistake| (offset, mistake))
    })
}

/// Says whether a character is special in a shell, anywhere outside quotes.
fn is_of_shells(character: char) -> bool {
    matches!(character, '`' | '$' | '\\' | ';' | '&' | '|' | '<' | '>' | '(' | ')' | '{' | '}')
}

/// Returns the character for a letter after a backslash.
fn unescaped(letter: char) -> Option<char> {
    match letter {
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        '\\' | '"' | '$' => Some(letter),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
