//! Follows a YAML or JSON file: where scalars begin, and what is in quotes.
//!
//! In some positions, such as after a comma, only the rest of the document shows whether a quote begins a scalar. Then
//! both ways are followed.

use crate::Misplaced;
use crate::{BYTE_ORDER_MARK, UNKNOWN};

/// How many nested lists and maps in brackets are counted.
const DEEPEST: u8 = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Nothing,
    Comment,
    Single,
    Double,
    /// Unclear text, such as a block scalar that is the whole document, which no indentation ends.
    Unclear,
}

/// The last token, without blanks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Context {
    /// A scalar begins here.
    Start,
    /// A scalar begins here, or the last token goes on.
    Maybe,
    /// A tag or an anchor, after which a scalar begins.
    Property,
    MaybeProperty,
    /// `-` at the start of an item, or `?` before a key. A scalar begins after it, or, if not sure, the last token may
    /// go on.
    Dash {
        is_sure: bool,
    },
    /// A line after one with a plain scalar, which may go on here.
    Continued,
    /// `|` or `>`, with its indicators: the lines after it are a block scalar.
    Block,
    /// A plain scalar: one without quotes.
    Plain,
    /// A scalar that has ended, or a bracket.
    Closed,
}

/// The kind of the line so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Blank,
    /// One or more `-`, each of which is an item.
    Items,
    /// Dashes without blanks.
    Dashes(u8),
    Word,
    /// A word and blanks.
    WordAndBlanks,
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Yaml {
    open: Open,
    place: Context,
    line: Line,
    before: char,
    /// The quote that has just been closed.
    closed: Option<Open>,
    is_escaped: bool,
    /// The number of open brackets.
    depth: u8,
    column: u16,
    /// The column of the last line that surely begins something. Text that continues it is further to the right.
    indent: u16,
    /// The column of the line's key, or of the `-` of an item without one.
    key: u16,
    /// Lines further to the right than this column are a block scalar.
    block: Option<u16>,
    /// The line has a key or an item of YAML, or continues a scalar. Brackets and commas in its scalars begin nothing.
    is_of_yaml: bool,
    /// Some line of the document had a key or an item.
    is_collection: bool,
    /// The line at `indent` had a key or an item.
    is_of_collection: bool,
}

impl Yaml {
    pub(super) fn at_start() -> Self {
        Self {
            open: Open::Nothing,
            place: Context::Start,
            line: Line::Blank,
            before: '\n',
            closed: None,
            is_escaped: false,
            depth: 0,
            column: 0,
            indent: 0,
            key: 0,
            block: None,
            is_of_yaml: false,
            is_collection: false,
            is_of_collection: false,
        }
    }

    pub(super) fn misplaced(&self) -> Option<Misplaced> {
        let mut here = self.clone();
        here.begin_line(UNKNOWN);
        match (here.open, here.place) {
            (Open::Comment, _) => Some(Misplaced::InComment),
            (Open::Unclear, _) => Some(Misplaced::Unclear),
            (Open::Single | Open::Double, _) => Some(Misplaced::InsideQuotes),
            (Open::Nothing, Context::Start | Context::Maybe) => None,
            (Open::Nothing, Context::Dash { .. } | Context::Property | Context::MaybeProperty)
                if self.is_after_blank() =>
            {
                None
            }
            (Open::Nothing, _) => Some(Misplaced::AfterText),
        }
    }

    pub(super) fn is_unclear(&self) -> bool {
        self.open == Open::Unclear
    }

    pub(super) fn give_up(&mut self) {
        (self.open, self.block) = (Open::Unclear, None);
    }

    /// Notes that a whole scalar stands here.
    pub(super) fn scalar(&mut self) {
        self.begin_line(UNKNOWN);
        self.behind_blank();
        if self.open == Open::Nothing {
            self.begin_key(UNKNOWN);
            (self.place, self.line) = (Context::Closed, Line::Other);
        }
        // A text ends with a quote, and may be a key.
        (self.before, self.closed, self.is_escaped) = (UNKNOWN, Some(Open::Double), false);
        self.column = 0;
    }

    /// Reads a character. If it can be read in two ways, returns the second one.
    pub(super) fn character(&mut self, c: char) -> Option<Self> {
        match c {
            BYTE_ORDER_MARK if self.before == '\n' => None,
            // Only YAML 1.1 ends a line with these.
            '\u{85}' | '\u{2028}' | '\u{2029}' => {
                let mut other = self.clone();
                other.step('\n');
                self.step(c);
                Some(other)
            }
            '\r' => self.step('\n'),
            _ => self.step(c),
        }
    }

    fn step(&mut self, c: char) -> Option<Self> {
        self.begin_line(c);
        let mut other = None;
        if self.open == Open::Nothing {
            other = self.outside(c);
        } else {
            self.inside(c);
        }
        for way in std::iter::once(self).chain(&mut other) {
            way.before = c;
            // After the first word, the column does not matter any more.
            let counts = c != '\n' && matches!(way.line, Line::Blank | Line::Items);
            way.column = if counts { way.column.saturating_add(1) } else { 0 };
        }
        other
    }

    fn inside(&mut self, c: char) {
        let is_escaped = std::mem::take(&mut self.is_escaped);
        match (self.open, c) {
            (Open::Comment, '\n') => {
                self.open = Open::Nothing;
                self.line_end();
            }
            (Open::Double, _) if is_escaped => {}
            (Open::Double, '\\') => self.is_escaped = true,
            (Open::Double, '"') | (Open::Single, '\'') => {
                (self.closed, self.open) = (Some(self.open), Open::Nothing);
                (self.place, self.line) = (Context::Closed, Line::Other);
            }
            // In quotes nothing else is special, except line ends in a block scalar, which ends by indentation.
            (Open::Single | Open::Double, '\n') if self.block.is_some() => self.line = Line::Blank,
            _ => {}
        }
    }

    fn outside(&mut self, c: char) -> Option<Self> {
        let closed = self.closed.take();
        let is_after_blank = self.is_after_blank();
        self.behind_blank();
        match c {
            ' ' | '\t' | '\n' if self.before == ':' => {
                self.place = Context::Start;
                self.keep_collection();
            }
            // A new document begins.
            ' ' | '\t' | '\n' if self.line == Line::Dashes(3) && self.key == 0 => {
                self.place = Context::Start;
                (self.is_of_yaml, self.is_collection, self.is_of_collection) = (false, false, false);
            }
            _ => {}
        }
        match c {
            '\n' => self.line_end(),
            ' ' | '\t' if self.line == Line::Word => self.line = Line::WordAndBlanks,
            ' ' | '\t' => {}
            '#' if is_after_blank => self.open = Open::Comment,
            // Some readers take it for a comment.
            '#' if closed.is_some() => self.open = Open::Unclear,
            '\'' if closed == Some(Open::Single) => self.open = Open::Single,
            '\'' | '"' => return self.quote(if c == '"' { Open::Double } else { Open::Single }),
            _ => self.other(c, closed),
        }
        None
    }

    fn quote(&mut self, quote: Open) -> Option<Self> {
        self.begin_key(if quote == Open::Double { '"' } else { '\'' });
        self.line = Line::Other;
        let mut other = None;
        match self.place {
            Context::Start => self.open = quote,
            Context::Maybe | Context::Continued => {
                other = Some(Self { open: quote, ..self.clone() });
                self.place = Context::Plain;
            }
            _ => self.place = Context::Plain,
        }
        other
    }

    fn other(&mut self, c: char, closed: Option<Open>) {
        let is_first = self.line == Line::Blank || self.line == Line::Items && self.is_after_blank();
        let begins_item = c == '-' && is_first;
        self.begin_key(c);
        let place = self.place;
        let is_document =
            matches!(self.line, Line::Dashes(_)) || self.line == Line::Blank && self.column == 0;
        if is_document && matches!(c, '|' | '>') && place == Context::Start && self.depth == 0 {
            self.open = Open::Unclear;
        }
        self.place = match c {
            '-' if begins_item && place != Context::Continued => {
                Context::Dash { is_sure: place == Context::Start }
            }
            '=' if matches!(self.line, Line::Word | Line::WordAndBlanks) && !self.is_of_yaml => {
                Context::Maybe
            }
            ':' if closed == Some(Open::Double) => Context::Start,
            // In brackets a value may follow directly.
            ':' if place == Context::Closed => Context::Maybe,
            '?' if matches!(place, Context::Start | Context::Maybe) => {
                Context::Dash { is_sure: place == Context::Start }
            }
            '[' | '{' if place == Context::Start => {
                self.depth = self.depth.saturating_add(1).min(DEEPEST);
                Context::Start
            }
            ',' if self.depth > 0 => Context::Start,
            '[' | '{' | '(' | ',' if self.is_of_yaml => Context::Plain,
            '[' | '{' | '(' | ',' => Context::Maybe,
            ']' | '}' if self.depth == 0 => Context::Plain,
            ']' | '}' => {
                self.depth = self.depth.saturating_sub(1);
                Context::Closed
            }
            '!' | '&' if place == Context::Start => Context::Property,
            '!' | '&' if place == Context::Maybe => Context::MaybeProperty,
            _ if place == Context::MaybeProperty => Context::MaybeProperty,
            _ if place == Context::Property => Context::Property,
            '|' | '>' if place == Context::Start && self.depth == 0 => Context::Block,
            '0'..='9' | '+' | '-' if place == Context::Block => Context::Block,
            _ => Context::Plain,
        };
        self.line = match (self.line, c) {
            _ if begins_item => Line::Items,
            (Line::Items, '-') => Line::Dashes(2),
            (Line::Dashes(count), '-') => Line::Dashes(count.saturating_add(1)),
            (Line::Blank | Line::Word, c) if c.is_alphanumeric() || "_-.".contains(c) => Line::Word,
            _ => Line::Other,
        };
    }

    /// Notes the column of the first word of a line, or of the `-` before other text.
    fn begin_key(&mut self, c: char) {
        let is_first = match self.line {
            Line::Blank => true,
            Line::Items => self.is_after_blank() && !matches!(c, '|' | '>' | '!' | '&'),
            _ => false,
        };
        if is_first {
            self.key = self.column;
        }
    }

    fn keep_collection(&mut self) {
        (self.is_of_yaml, self.is_collection, self.is_of_collection) = (true, true, true);
    }

    /// Decides what begins after a `-`, a tag or an anchor.
    fn behind_blank(&mut self) {
        if matches!(self.place, Context::Dash { .. }) && self.is_after_blank() {
            self.keep_collection();
        }
        self.place = match self.place {
            Context::Dash { is_sure: true } | Context::Property if self.is_after_blank() => Context::Start,
            Context::Dash { is_sure: false } | Context::MaybeProperty if self.is_after_blank() => {
                Context::Maybe
            }
            place => place,
        };
    }

    fn line_end(&mut self) {
        if self.place == Context::Block && self.block.is_none() {
            self.block = Some(self.key);
            (self.place, self.depth) = (Context::Start, 0);
        }
        self.place = match self.place {
            Context::Plain | Context::Continued => Context::Continued,
            Context::Maybe | Context::MaybeProperty | Context::Dash { is_sure: false } => Context::Maybe,
            _ => Context::Start,
        };
        self.is_of_yaml = false;
        self.line = Line::Blank;
    }

    /// Decides at the first character of a line what the line belongs to. A block scalar ends at the first line that is
    /// not further to the right, even if a quote in it is open.
    fn begin_line(&mut self, c: char) {
        if self.line != Line::Blank || matches!(c, ' ' | '\n') {
            return;
        }
        if self.block.is_some_and(|block| self.column <= block) {
            (self.block, self.open, self.place, self.depth) = (None, Open::Nothing, Context::Start, 0);
            (self.closed, self.is_escaped) = (None, false);
        }
        if self.open == Open::Nothing && self.depth == 0 {
            let begins_anew = match self.place {
                Context::Maybe => self.column <= self.indent,
                Context::Continued if self.column == self.indent => self.is_of_collection,
                Context::Continued => self.column < self.indent && self.is_collection,
                _ => false,
            };
            if begins_anew {
                self.place = Context::Start;
            }
            self.is_of_yaml = self.place == Context::Continued && self.column > self.indent;
            if self.place == Context::Start {
                (self.indent, self.is_of_collection) = (self.column, false);
            }
        }
    }

    fn is_after_blank(&self) -> bool {
        matches!(self.before, ' ' | '\t' | '\n')
    }
}
