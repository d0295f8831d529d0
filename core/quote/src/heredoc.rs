//! Here-documents of a shell: `<<END`, and the lines up to `END`. Only plain ones, which all shells read alike.

/// What a character has been.
pub(super) enum Read {
    /// A part of it.
    Part,
    /// The first behind the word that it ends with.
    Rest,
    /// The end of its last line.
    End,
    /// `<<<`, which takes a word.
    Word,
    /// Shells may disagree.
    Unclear,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Heredoc {
    part: Part,
    end: String,
    /// `<<-`, to which tabs before a line are nothing.
    skips_tabs: bool,
    /// Nothing in it is expanded.
    is_quoted: bool,
    /// The line so far, no further than it can be the last one.
    line: String,
    before: char,
    /// `${` is open.
    is_in_braces: bool,
}

/// How far it is read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Part {
    /// `<<`, and blanks.
    #[default]
    Operator,
    End,
    Quoted(char),
    /// The rest of the line.
    Rest,
    Body,
}

impl Heredoc {
    /// Says whether it has not begun, and commands go on.
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
            // A number may also have been shifted, by arithmetic that only some shells have.
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
