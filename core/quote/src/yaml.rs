//! How YAML and JSON are read: where a scalar begins, and what is in quotes.
//!
//! Where only the rest of a document shows whether a quote begins a scalar, such as behind a comma, both are followed.

use crate::Misplaced;
use crate::{BYTE_ORDER_MARK, UNKNOWN};

/// The deepest lists and maps in brackets that are counted.
const DEEPEST: u8 = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Nothing,
    Comment,
    Single,
    Double,
    /// A text in lines that no indentation ends: a document that is nothing else.
    Unclear,
}

/// What stands before, blanks skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Context {
    /// A scalar begins here.
    Start,
    /// A scalar begins here, or what stands before goes on.
    Maybe,
    /// A tag or an anchor, behind which a scalar begins.
    Property,
    MaybeProperty,
    /// `-` at the start of an item, or `?` before a key: a scalar begins behind it, or what stands before may go on.
    Dash {
        is_sure: bool,
    },
    /// A line behind one that a scalar without quotes was in, which may go on here.
    Continued,
    /// `|` or `>`, and what belongs to it: the lines after it are a text.
    Block,
    /// A scalar without quotes.
    Plain,
    /// A scalar that has ended, or a bracket.
    Closed,
}

/// What a line is so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Blank,
    /// `-`, once or more, each an item.
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
    /// How many brackets are open.
    depth: u8,
    column: u16,
    /// Where the last line begins that surely begins something: what goes on is further to the right.
    indent: u16,
    /// Where the key of the line is, or the `-` of an item that has none.
    key: u16,
    /// The lines that are further to the right than this are a text.
    block: Option<u16>,
    /// The line has a key or an item of YAML, or goes on with a scalar: brackets and commas in its scalars begin nothing.
    is_of_yaml: bool,
    /// Some line of the document had one.
    is_collection: bool,
    /// The line at `indent` had one.
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

    /// Keeps that a whole scalar stands here.
    pub(super) fn scalar(&mut self) {
        self.begin_line(UNKNOWN);
        self.behind_blank();
        if self.open == Open::Nothing {
            self.begin_key(UNKNOWN);
            (self.place, self.line) = (Context::Closed, Line::Other);
        }
        // A text, as which it may be a key, ends with a quote.
        (self.before, self.closed, self.is_escaped) = (UNKNOWN, Some(Open::Double), false);
        self.column = 0;
    }

    /// Reads a character. Returns the other way in which it can be read, if there is one.
    pub(super) fn character(&mut self, c: char) -> Option<Self> {
        match c {
            BYTE_ORDER_MARK if self.before == '\n' => None,
            // These end a line of YAML 1.1 only.
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
            // Behind the first word it does not matter any more.
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
            // In quotes nothing else counts, but in a text that ends with its lines.
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
            // A document begins.
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

    /// Keeps where the first word of a line begins, or the `-` before what is no word.
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

    /// Settles what begins behind a `-`, a tag or an anchor.
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

    /// Settles with the first character of a line what the line belongs to. A text that is written in lines ends with those that are
    /// further to the right, quotes in it included.
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
