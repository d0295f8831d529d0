//! Here-documents of a shell: `<<END`, and the lines up to `END`.

/// What a character has been.
pub(super) enum Read {
    More,
    Ended,
    /// `<<<`, which takes a word.
    NoHeredoc,
    /// Shells may disagree.
    Unclear,
}

/// How far the word behind `<<` is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// Nothing but `<<`.
    #[default]
    Operator,
    Blanks,
    Word,
    Quote(char),
    /// Behind the closing quote.
    Closed,
}

/// What a here-document ends with.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Delimiter {
    part: Part,
    text: String,
    is_quoted: bool,
    /// `<<-`, to which tabs before a line are nothing.
    skips_tabs: bool,
}

impl Delimiter {
    pub(super) fn character(&mut self, c: char) -> Read {
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        match (self.part, c) {
            (Part::Operator, '<') => return Read::NoHeredoc,
            (Part::Operator, '-') if !self.skips_tabs => self.skips_tabs = true,
            (Part::Operator | Part::Blanks, ' ' | '\t') => self.part = Part::Blanks,
            (Part::Operator | Part::Blanks, '\'' | '"') => {
                (self.part, self.is_quoted) = (Part::Quote(c), true);
            }
            (Part::Operator | Part::Blanks, '\\') => (self.part, self.is_quoted) = (Part::Word, true),
            (Part::Operator | Part::Blanks | Part::Word, c) if is_word(c) => {
                self.part = Part::Word;
                self.text.push(c);
            }
            (Part::Quote(quote), c) if c == quote => self.part = Part::Closed,
            (Part::Quote(_), c) if is_word(c) || c == ' ' => self.text.push(c),
            (Part::Word | Part::Closed, ' ' | '\t' | '\n' | ';' | '&' | '|' | '<' | '>') => {
                return self.ended();
            }
            _ => return Read::Unclear,
        }
        Read::More
    }

    /// A number may also have been shifted, by arithmetic that only some shells have.
    fn ended(&self) -> Read {
        let is_number = self.text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { Read::Unclear } else { Read::Ended }
    }
}

/// Here-documents that follow each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Body {
    delimiter: Delimiter,
    /// Those that come later.
    later: Vec<Delimiter>,
    /// The line so far, no further than it can be the last one.
    line: String,
    last: char,
    is_escaped: bool,
    /// The line before goes on in this one.
    is_continued: bool,
    /// How many `$(`, `${` and backquotes are open: shells disagree about a last line in them.
    open: [u8; 3],
}

impl Body {
    pub(super) fn of(mut delimiters: Vec<Delimiter>) -> Option<Self> {
        if delimiters.is_empty() {
            return None;
        }
        let delimiter = delimiters.remove(0);
        Some(Self {
            delimiter,
            later: delimiters,
            line: String::new(),
            last: '\n',
            is_escaped: false,
            is_continued: false,
            open: [0; 3],
        })
    }

    pub(super) fn character(&mut self, c: char) -> Read {
        if c == '\n' {
            return self.line_end();
        }
        let is_first = self.line.is_empty();
        if !(c == '\t' && is_first && self.delimiter.skips_tabs)
            && self.line.len() <= self.delimiter.text.len()
        {
            self.line.push(c);
        }
        if !self.delimiter.is_quoted {
            self.expanded(c);
        }
        self.last = c;
        Read::More
    }

    fn expanded(&mut self, c: char) {
        if std::mem::take(&mut self.is_escaped) {
            return;
        }
        let [brackets, braces, backquotes] = &mut self.open;
        match c {
            '\\' => self.is_escaped = true,
            '(' if self.last == '$' || *brackets > 0 => *brackets = brackets.saturating_add(1),
            ')' => *brackets = brackets.saturating_sub(1),
            '{' if self.last == '$' => *braces = braces.saturating_add(1),
            '}' => *braces = braces.saturating_sub(1),
            '`' => *backquotes ^= 1,
            _ => {}
        }
    }

    fn line_end(&mut self) -> Read {
        let line = std::mem::take(&mut self.line);
        self.last = '\n';
        let may_be_joined = self.is_continued && self.delimiter.text.ends_with(&line);
        if self.open != [0; 3] || may_be_joined {
            return Read::Unclear;
        }
        self.is_continued = std::mem::take(&mut self.is_escaped);
        if line != self.delimiter.text {
            return Read::More;
        }
        match Self::of(std::mem::take(&mut self.later)) {
            Some(next) => {
                *self = next;
                Read::More
            }
            None => Read::Ended,
        }
    }
}
