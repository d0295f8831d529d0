//! Positions in a text.

use std::fmt;

/// A line and a column. Both count from 1. The column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl Position {
    /// The start of a text. It is also the position of errors that have none, such as a result that is too large.
    pub const START: Self = Self { line: 1, column: 1 };

    /// Returns the position after a text that begins here.
    pub fn after(mut self, text: &str) -> Self {
        for c in text.chars() {
            if c == '\n' {
                self = Self { line: self.line + 1, column: 1 };
            } else {
                self.column += 1;
            }
        }
        self
    }

    /// Returns the position of a byte offset in a text.
    pub fn of(text: &str, offset: usize) -> Self {
        Self::START.after(text.get(..offset).unwrap_or(text))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_characters_and_lines_end_with_a_newline() {
        let text = "aé\r\n{{";
        for (offset, place) in [(0, "1:1"), (1, "1:2"), (3, "1:3"), (5, "2:1"), (6, "2:2"), (99, "2:3")] {
            assert_eq!(Position::of(text, offset).to_string(), place, "{offset}");
        }
    }
}
