//! How YAML and JSON are read: where a scalar begins, and what is in quotes.
//!
//! Where only the rest of a document shows whether a quote begins a scalar, such as behind a comma, both are followed.

use super::Misplaced;
use super::state::{BYTE_ORDER_MARK, UNKNOWN};

/// The deepest lists and maps in brackets that are counted.
const DEEPEST: u8 = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Open {
    Nothing,
    Comment,
    Single,
    Double,
    /// A text in lines that no indentation ends: a document that is nothing else.
    Unclear,
}

/// What stands before, blanks skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
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
    /// `|` or `>`, and what belongs to it: the lines after it are a text.
    Block,
    /// A scalar without quotes.
    Plain,
    /// A scalar that has ended, or a bracket.
    Closed,
}

/// What a line is so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Yaml {
    open: Open,
    place: Place,
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
}

impl Yaml {
    pub(super) fn at_start() -> Self {
        Self {
            open: Open::Nothing,
            place: Place::Start,
            line: Line::Blank,
            before: '\n',
            closed: None,
            is_escaped: false,
            depth: 0,
            column: 0,
            indent: 0,
            key: 0,
            block: None,
        }
    }

    pub(super) fn misplaced(&self) -> Option<Misplaced> {
        match (self.open, self.place) {
            (Open::Comment, _) => Some(Misplaced::InComment),
            (Open::Unclear, _) => Some(Misplaced::Unclear),
            (Open::Single | Open::Double, _) => Some(Misplaced::InsideQuotes),
            (Open::Nothing, Place::Start | Place::Maybe) => None,
            (Open::Nothing, Place::Dash { .. } | Place::Property | Place::MaybeProperty)
                if self.is_after_blank() =>
            {
                None
            }
            (Open::Nothing, _) => Some(Misplaced::AfterText),
        }
    }

    /// Keeps that a whole scalar stands here.
    pub(super) fn scalar(&mut self) {
        self.begin_line(UNKNOWN);
        self.behind_blank();
        if self.open == Open::Nothing {
            self.begin_key(UNKNOWN);
            (self.place, self.line) = (Place::Closed, Line::Other);
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
                (self.place, self.line) = (Place::Closed, Line::Other);
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
            ' ' | '\t' | '\n' if self.before == ':' => self.place = Place::Start,
            ' ' | '\t' if self.line == Line::Dashes(3) => self.place = Place::Start,
            _ => {}
        }
        match c {
            '\n' => self.line_end(),
            ' ' | '\t' if self.line == Line::Word => self.line = Line::WordAndBlanks,
            ' ' | '\t' => {}
            '#' if is_after_blank => self.open = Open::Comment,
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
            Place::Start => self.open = quote,
            Place::Maybe => {
                other = Some(Self { open: quote, ..self.clone() });
                self.place = Place::Plain;
            }
            _ => self.place = Place::Plain,
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
        if is_document && matches!(c, '|' | '>') && place == Place::Start && self.depth == 0 {
            self.open = Open::Unclear;
        }
        self.place = match c {
            '-' if begins_item => Place::Dash { is_sure: place == Place::Start },
            '=' if matches!(self.line, Line::Word | Line::WordAndBlanks) => Place::Maybe,
            ':' if closed == Some(Open::Double) => Place::Start,
            // In brackets a value may follow directly.
            ':' if place == Place::Closed => Place::Maybe,
            '?' if matches!(place, Place::Start | Place::Maybe) => {
                Place::Dash { is_sure: place == Place::Start }
            }
            '[' | '{' if place == Place::Start => {
                self.depth = self.depth.saturating_add(1).min(DEEPEST);
                Place::Start
            }
            '[' | '{' | '(' => Place::Maybe,
            ',' if self.depth > 0 => Place::Start,
            ',' => Place::Maybe,
            ']' | '}' => {
                self.depth = self.depth.saturating_sub(1);
                Place::Closed
            }
            '!' | '&' if place == Place::Start => Place::Property,
            '!' | '&' if place == Place::Maybe => Place::MaybeProperty,
            _ if place == Place::MaybeProperty => Place::MaybeProperty,
            _ if place == Place::Property => Place::Property,
            '|' | '>' if place == Place::Start && self.depth == 0 => Place::Block,
            '0'..='9' | '+' | '-' if place == Place::Block => Place::Block,
            _ => Place::Plain,
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

    /// Settles what begins behind a `-`, a tag or an anchor.
    fn behind_blank(&mut self) {
        self.place = match self.place {
            Place::Dash { is_sure: true } | Place::Property if self.is_after_blank() => Place::Start,
            Place::Dash { is_sure: false } | Place::MaybeProperty if self.is_after_blank() => Place::Maybe,
            place => place,
        };
    }

    fn line_end(&mut self) {
        if self.place == Place::Block && self.block.is_none() {
            self.block = Some(self.key);
            (self.place, self.depth) = (Place::Start, 0);
        }
        self.place = match self.place {
            Place::Plain | Place::Maybe | Place::MaybeProperty | Place::Dash { is_sure: false } => {
                Place::Maybe
            }
            _ => Place::Start,
        };
        self.line = Line::Blank;
    }

    /// Settles with the first character of a line what the line belongs to. A text that is written in lines ends with those that are
    /// further to the right, quotes in it included.
    fn begin_line(&mut self, c: char) {
        if self.line != Line::Blank || matches!(c, ' ' | '\n') {
            return;
        }
        if self.block.is_some_and(|block| self.column <= block) {
            (self.block, self.open, self.place, self.depth) = (None, Open::Nothing, Place::Start, 0);
            (self.closed, self.is_escaped) = (None, false);
        }
        if self.open == Open::Nothing && self.depth == 0 {
            if self.place == Place::Maybe && self.column <= self.indent {
                self.place = Place::Start;
            }
            if self.place == Place::Start {
                self.indent = self.column;
            }
        }
    }

    fn is_after_blank(&self) -> bool {
        matches!(self.before, ' ' | '\t' | '\n')
    }
}
