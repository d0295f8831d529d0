//! How a shell reads: quotes, comments, substitutions and here-documents, as far as it matters where a word stands.
//!
//! Shells disagree about some texts, and some cannot be read without knowing commands. Behind such a text the place is
//! [`Misplaced::Unclear`]: a wrong guess would let a value out of its quotes.

use super::Misplaced;
use super::heredoc::{Body, Delimiter, Read};
use super::state::UNKNOWN;

/// How deep quotes and substitutions are followed.
const DEEPEST: usize = 64;

/// In a substitution its patterns have brackets that nothing opens.
const CASE: [char; 4] = ['c', 'a', 's', 'e'];

/// What ends a word.
const ENDS: &str = " \t\n;&|()<>";

/// What is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Open {
    Single,
    Double,
    /// `$'`, whose escapes not every shell knows.
    Dollar,
    /// `$(`, in which quotes begin anew.
    Substitution,
    /// A bracket in a substitution.
    Bracket,
    /// `$((`, and how many brackets of it are open.
    Arithmetic(u8),
    /// `${`
    Parameter,
    /// `a[`, which is arithmetic to some shells.
    Subscript,
    /// `a=(`, in which a word may begin with a subscript.
    Array,
    Backquote,
    Comment,
}

/// Where a shell is in a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shell {
    open: Vec<Open>,
    is_escaped: bool,
    /// The two characters directly before; a line that goes on in the next one has none between.
    before: [char; 2],
    /// How many letters of `case` the word so far is, if it is nothing else.
    of_case: Option<usize>,
    delimiter: Option<Delimiter>,
    /// The here-documents that begin with the next line.
    awaited: Vec<Delimiter>,
    body: Option<Body>,
    /// The last character ended something that is a part of a word.
    has_expanded: bool,
    is_unclear: bool,
}

impl Shell {
    pub(super) fn at_start() -> Self {
        Self {
            open: Vec::new(),
            is_escaped: false,
            before: ['\n', '\n'],
            of_case: Some(0),
            delimiter: None,
            awaited: Vec::new(),
            body: None,
            has_expanded: false,
            is_unclear: false,
        }
    }

    /// Says what is wrong with a word that begins here.
    pub(super) fn misplaced(&self) -> Option<Misplaced> {
        if self.is_unclear {
            return Some(Misplaced::Unclear);
        }
        if self.body.is_some() || self.delimiter.is_some() {
            return Some(Misplaced::InHeredoc);
        }
        let takes_quotes_away = |open: &Open| {
            matches!(open, Open::Arithmetic(_) | Open::Parameter | Open::Subscript | Open::Backquote)
        };
        match self.open.last() {
            _ if self.open.iter().any(takes_quotes_away) => Some(Misplaced::InExpansion),
            Some(Open::Comment) => Some(Misplaced::InComment),
            Some(Open::Single | Open::Double | Open::Dollar) => Some(Misplaced::InsideQuotes),
            _ if self.is_escaped || !" \t\n=(;|&<>!".contains(self.before[1]) => Some(Misplaced::AfterText),
            _ => None,
        }
    }

    /// Says what is wrong with a value of a file of variables that begins here.
    pub(super) fn misplaced_value(&self) -> Option<Misplaced> {
        match self.misplaced() {
            None if !self.open.is_empty() => Some(Misplaced::InExpansion),
            None if self.before[1] != '=' => Some(Misplaced::AfterText),
            misplaced => misplaced,
        }
    }

    pub(super) fn character(&mut self, c: char) {
        if self.is_unclear {
            return;
        }
        if self.body.is_some() {
            return self.in_body(c);
        }
        if self.delimiter.is_some() && self.in_delimiter(c) {
            return;
        }
        if std::mem::take(&mut self.is_escaped) {
            return self.escaped(c);
        }
        match self.open.last().copied() {
            None | Some(Open::Substitution | Open::Bracket | Open::Array) => self.in_command(c),
            Some(Open::Single) => self.quoted(c, '\''),
            Some(Open::Dollar) if c == '\\' => self.is_escaped = true,
            Some(Open::Dollar) => self.quoted(c, '\''),
            Some(Open::Double) if c == '"' => self.close(),
            Some(Open::Double) => self.in_double(c),
            Some(Open::Parameter) => self.in_parameter(c),
            Some(Open::Arithmetic(depth)) => self.in_arithmetic(c, depth),
            Some(Open::Subscript) => self.in_subscript(c),
            Some(Open::Backquote) => self.in_backquote(c),
            Some(Open::Comment) if c == '\n' => {
                self.close();
                self.in_command(c);
            }
            Some(Open::Comment) => {}
        }
        self.read(c);
    }

    /// Keeps what stands before the next character.
    fn read(&mut self, c: char) {
        self.before = match self.before {
            // What is open has kept a backslash for itself.
            before if self.is_escaped || self.is_unclear => before,
            // `$$` is a number.
            [_, '$'] if c == '$' => [UNKNOWN, UNKNOWN],
            [_, last] => [last, c],
        };
        if self.has_expanded {
            self.before = [UNKNOWN, UNKNOWN];
            self.has_expanded = false;
        }
    }

    fn escaped(&mut self, c: char) {
        if self.open.last() == Some(&Open::Dollar) && c == '\'' {
            // A shell that does not know `$'` takes this for the end.
            return self.give_up();
        }
        if c != '\n' {
            self.before = [UNKNOWN, UNKNOWN];
            self.of_case = None;
        }
    }

    fn in_command(&mut self, c: char) {
        let ends_word = ENDS.contains(c);
        let is_in_substitution = self.open.contains(&Open::Substitution);
        if ends_word && self.of_case == Some(CASE.len()) && is_in_substitution {
            return self.give_up();
        }
        self.of_case = match self.of_case {
            _ if ends_word => Some(0),
            Some(read) if CASE.get(read) == Some(&c) => Some(read + 1),
            _ => None,
        };
        let [earlier, last] = self.before;
        let is_in_array = self.open.last() == Some(&Open::Array);
        match c {
            // No word: bash gives up the line, and reads on in the next one, whatever was open.
            ';' | '&' | '|' | '<' | '>' if is_in_array => self.give_up(),
            '(' if is_in_array && last != '$' => self.give_up(),
            '\\' => self.is_escaped = true,
            '\'' if last == '$' => self.open(Open::Dollar),
            '\'' => self.open(Open::Single),
            '"' => self.open(Open::Double),
            // Either a comment, or a part of a word that bash or zsh knows.
            '#' if "<>()".contains(last) => self.give_up(),
            '#' if ENDS.contains(last) => self.open(Open::Comment),
            '(' if last == '(' && earlier == '$' && self.open.last() == Some(&Open::Substitution) => {
                self.open.pop();
                self.open(Open::Arithmetic(2));
            }
            // Arithmetic, in which quotes are none, or one subshell in another.
            '(' if last == '(' => self.give_up(),
            '(' if last == '=' => self.open(Open::Array),
            '(' if last != '$' && !self.open.is_empty() => self.open(Open::Bracket),
            '[' if self.is_subscript() => self.open(Open::Subscript),
            // Shells disagree about here-documents that begin behind the end of what opened them; it may also be arithmetic.
            ')' if !self.awaited.is_empty() => self.give_up(),
            ')' if !self.open.is_empty() => self.close(),
            '<' if last == '<' && earlier != '<' => self.delimiter = Some(Delimiter::default()),
            '\n' if !self.awaited.is_empty() => self.body = Body::of(std::mem::take(&mut self.awaited)),
            _ => self.expansion(c),
        }
    }

    /// Reads what is special to a shell wherever it expands something.
    fn expansion(&mut self, c: char) {
        let opened = match (c, self.before[1]) {
            ('`', _) => Open::Backquote,
            ('(', '$') => Open::Substitution,
            ('{', '$') => Open::Parameter,
            // Arithmetic of old, to bash only.
            ('[', '$') => return self.give_up(),
            _ => return,
        };
        if opened != Open::Parameter && !self.awaited.is_empty() {
            return self.give_up();
        }
        self.open(opened);
    }

    fn quoted(&mut self, c: char, end: char) {
        if c == end {
            self.close();
        }
    }

    fn in_double(&mut self, c: char) {
        match c {
            '\\' => self.is_escaped = true,
            _ => self.expansion(c),
        }
    }

    fn in_backquote(&mut self, c: char) {
        match c {
            '\\' => self.is_escaped = true,
            '`' => self.close(),
            _ => {}
        }
    }

    fn in_parameter(&mut self, c: char) {
        match c {
            '\\' => self.is_escaped = true,
            '}' => self.close(),
            // Whether these are quotes depends on the operator and on the shell.
            '\'' | '"' if self.is_in_double() => self.give_up(),
            '\'' if self.before[1] == '$' => self.open(Open::Dollar),
            '\'' => self.open(Open::Single),
            '"' => self.open(Open::Double),
            _ => self.expansion(c),
        }
    }

    fn in_arithmetic(&mut self, c: char, depth: u8) {
        let depth = match c {
            '\\' | '\'' | '"' => return self.give_up(),
            '(' if self.before[1] != '$' => depth.saturating_add(1),
            ')' => depth.saturating_sub(1),
            // Brackets that end apart: it was a substitution with a bracket.
            _ if depth == 1 => return self.give_up(),
            _ => return self.expansion(c),
        };
        if depth == 0 {
            return self.close();
        }
        self.open.pop();
        self.open.push(Open::Arithmetic(depth));
    }

    /// Says whether a bracket that opens here may be that of a subscript.
    fn is_subscript(&self) -> bool {
        let last = self.before[1];
        let begins_word = ENDS.contains(last) && self.open.last() == Some(&Open::Array);
        begins_word || last.is_ascii_alphanumeric() || matches!(last, '_' | UNKNOWN)
    }

    fn in_subscript(&mut self, c: char) {
        match c {
            ']' => self.close(),
            '\\' => self.is_escaped = true,
            '\'' if self.before[1] == '$' => self.open(Open::Dollar),
            '\'' => self.open(Open::Single),
            '"' => self.open(Open::Double),
            '(' if self.before[1] == '$' => self.expansion(c),
            // A shell without subscripts reads these as everywhere, and one with them in another way.
            '[' | '(' | ')' | '<' | '#' | '\n' => self.give_up(),
            _ => self.expansion(c),
        }
    }

    /// Says whether the text around is in double quotes, or counts as if it were.
    fn is_in_double(&self) -> bool {
        let begins_anew = |open: &&Open| matches!(open, Open::Substitution | Open::Backquote);
        let around = self.open.iter().rev().take_while(|open| !begins_anew(open));
        around.into_iter().any(|open| matches!(open, Open::Double | Open::Arithmetic(_)))
    }

    /// Reads what a here-document ends with. Says whether that was the whole meaning of the character.
    fn in_delimiter(&mut self, c: char) -> bool {
        let Some(mut delimiter) = self.delimiter.take() else { return false };
        let is_done = match delimiter.character(c) {
            Read::Unclear => {
                self.give_up();
                return true;
            }
            Read::More => {
                self.delimiter = Some(delimiter);
                true
            }
            Read::NoHeredoc => true,
            Read::Ended => {
                self.awaited.push(delimiter);
                false
            }
        };
        self.before = if is_done { [self.before[1], c] } else { [UNKNOWN, UNKNOWN] };
        self.of_case = None;
        is_done
    }

    fn in_body(&mut self, c: char) {
        let Some(body) = &mut self.body else { return };
        match body.character(c) {
            Read::More => {}
            Read::Unclear => self.give_up(),
            Read::Ended | Read::NoHeredoc => {
                self.body = None;
                self.before = ['\n', '\n'];
                self.of_case = Some(0);
            }
        }
    }

    fn open(&mut self, open: Open) {
        if self.open.len() == DEEPEST {
            return self.give_up();
        }
        self.open.push(open);
        self.of_case =
            if matches!(open, Open::Substitution | Open::Bracket | Open::Array) { Some(0) } else { None };
    }

    fn close(&mut self) {
        let closed = self.open.pop();
        if let Some(Open::Substitution | Open::Arithmetic(_)) = closed {
            self.has_expanded = true;
            self.of_case = None;
        }
    }

    fn give_up(&mut self) {
        *self = Self { is_unclear: true, ..Self::at_start() };
    }
}
