//! Here-documents of a shell: `<<END`, and the lines up to `END`. Only plain ones are accepted, which all shells read
//! alike.

/// The role of a character.
pub(super) enum Read {
    /// A part of the here-document.
    Part,
    /// The first character after the word that ends the here-document.
    Rest,
    /// The end of the last line.
    End,
    /// `<<<`, which takes a word instead.
    Word,
    /// Shells may read it differently.
    Unclear,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Heredoc {
    part: Part,
    end: String,
    /// `<<-`, which ignores tabs at the start of a line.
    skips_tabs: bool,
    /// The word is quoted, so nothing in the here-document is expanded.
    is_quoted: bool,
    /// The current line, as long as it can still be the last one.
    line: String,
    before: char,
    /// `${` is open.
    is_in_braces: bool,
}

/// The part that is being read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Part {
    /// `<<`, and blanks.
    #[default]
    Operator,
    End,
    Quoted(char),
    /// The rest of the line with `<<`.
    Rest,
    Body,
}

impl Heredoc {
    /// Says whether the here-document has not begun yet, so that commands go on.
    pub(super) fn is_awaited(&self) -> bool {
        self.part == Part::Rest
    }

    pub(super) fn begin(&mut self) {
        self.part = Part::Body;
    }

    pub(super) fn character(&mut self, c: char) -> Read {
        let is_word = c.is_ascii_alphanumeric() || c == '_';
        match (self.part, c) {
            (Part::Operator, '<') if self.before == '\0' => return Read::Word,
            (Part::Operator, '-') if self.before == '\0' => self.skips_tabs = true,
            (Part::Operator, ' ' | '\t') => {}
            (Part::Operator, '\'' | '"') => (self.part, self.is_quoted) = (Part::Quoted(c), true),
            // A digit may also follow a shift operator, in arithmetic that only some shells have.
            (Part::Operator, _) if is_word && !c.is_ascii_digit() => {
                self.part = Part::End;
                self.end.push(c);
            }
            (Part::End | Part::Quoted(_), _) if is_word => self.end.push(c),
            (Part::Quoted(quote), _) if c == quote && !self.end.is_empty() => self.part = Part::End,
            (Part::End, ' ' | '\t' | '\n' | ';' | '&' | '|' | '<' | '>') => {
                self.part = Part::Rest;
                return Read::Rest;
            }
            (Part::Body, _) => return self.in_body(c),
            _ => return Read::Unclear,
        }
        self.before = c;
        Read::Part
    }

    fn in_body(&mut self, c: char) -> Read {
        let before = std::mem::replace(&mut self.before, c);
        match c {
            '\n' if self.is_in_braces => return Read::Unclear,
            '\n' => {
                let is_end = self.line == self.end;
                self.line.clear();
                return if is_end { Read::End } else { Read::Part };
            }
            '\\' | '`' if !self.is_quoted => return Read::Unclear,
            '(' if before == '$' && !self.is_quoted => return Read::Unclear,
            '{' if before == '$' && !self.is_quoted => self.is_in_braces = true,
            '}' => self.is_in_braces = false,
            _ => {}
        }
        let is_skipped = c == '\t' && self.skips_tabs && self.line.is_empty();
        if !is_skipped && self.line.len() <= self.end.len() {
            self.line.push(c);
        }
        Read::Part
    }
}
