//! Follows a script as a shell reads it: quotes, comments, substitutions and here-documents, as far as a word's
//! position depends on them.
//!
//! Shells read some texts differently. Others cannot be read without knowledge of the commands: arrays, patterns in
//! brackets, `$'…'`. After such a text the position is [`Misplaced::Unclear`], because a wrong guess would let a value
//! out of its quotes. A script must set its variables before it.

use crate::heredoc::{Heredoc, Read};
use crate::{Misplaced, UNKNOWN};

/// How many nested quotes and substitutions are followed.
const DEEPEST: usize = 64;

/// The characters that end a word.
const ENDS: &str = " \t\n;&|()<>";

/// The characters allowed in `$((…))` besides letters, digits and parentheses.
const OPERATORS: &str = " \t_$+-*/%<>=!&|^~?:,";

/// An open construct.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Open {
    Single,
    Double,
    /// `$(`, in which quotes begin anew.
    Substitution,
    /// `(` at the start of a command.
    Subshell,
    /// `(` elsewhere. Only a `)` directly after it is read alike, because zsh has patterns there, and bash arrays.
    Function,
    /// `(` at the start of a command or of a pattern of `case`. Only text that is read alike in both is accepted.
    Pattern,
    /// `[[`, in which bash and zsh have patterns with brackets.
    Test,
    /// `$((`, and the number of its open parentheses.
    Arithmetic(u8),
    /// `${`, and the part of it that is being read.
    Parameter(Part),
    /// `$name` in the word of `${…}`.
    Variable,
    /// `a[`, which some shells read as arithmetic.
    Subscript,
    Backquote,
    Comment,
}

/// A part of `${…}`. Shells disagree about a `$` elsewhere than in the word of an operator that all of them have.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Name,
    /// After the `:` of an operator such as `:-`.
    Colon,
    /// After `-`, `=`, `+` or `?`.
    Word,
    /// After any other operator.
    Other,
}

/// The kind of the word so far.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Word {
    Nothing,
    /// This many letters of `case`. Its patterns have a `)` without a `(`, even inside a substitution.
    Case(usize),
    /// The name of a variable.
    Name,
    /// A digit or `=`, and then characters of a name. With `=` after it, it names a program, not a variable.
    NoName,
    Other,
}

impl Word {
    fn and(self, c: char) -> Self {
        let is_letter = c.is_ascii_alphabetic() || matches!(c, '_' | UNKNOWN);
        match (self, c) {
            _ if ENDS.contains(c) => Self::Nothing,
            (Self::Nothing, 'c') => Self::Case(1),
            (Self::Case(read), _) if "case".chars().nth(read) == Some(c) => Self::Case(read + 1),
            (Self::Nothing, '=' | '0'..='9') => Self::NoName,
            (Self::Nothing | Self::Name | Self::Case(_), _) if is_letter => Self::Name,
            (Self::Name | Self::Case(_), '=' | '0'..='9') => Self::Name,
            (Self::NoName, _) if is_letter || matches!(c, '=' | '0'..='9') => Self::NoName,
            _ => Self::Other,
        }
    }
}

/// The state of a shell in a text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shell {
    open: Vec<Open>,
    is_escaped: bool,
    /// The two characters directly before. A line that goes on in the next one has none between.
    before: [char; 2],
    word: Word,
    /// The command has only blanks so far.
    begins_command: bool,
    /// The word `case` has come, so a `(` at the start of a command may belong to a pattern.
    has_case: bool,
    heredoc: Option<Heredoc>,
    pub(super) is_unclear: bool,
}

impl Shell {
    pub(super) fn at_start() -> Self {
        let (open, before, word) = (Vec::new(), ['\n', '\n'], Word::Nothing);
        Self {
            open,
            is_escaped: false,
            before,
            word,
            begins_command: true,
            heredoc: None,
            has_case: false,
            is_unclear: false,
        }
    }

    /// Returns the reason why a word must not begin here.
    pub(super) fn misplaced(&self) -> Option<Misplaced> {
        let takes_quotes_away = |open: &Open| {
            matches!(
                open,
                Open::Arithmetic(_)
                    | Open::Parameter(_)
                    | Open::Variable
                    | Open::Subscript
                    | Open::Backquote
                    | Open::Function
                    | Open::Pattern
            )
        };
        match self.open.last() {
            _ if self.is_unclear => Some(Misplaced::Unclear),
            _ if self.heredoc.as_ref().is_some_and(|heredoc| !heredoc.is_awaited()) => {
                Some(Misplaced::InHeredoc)
            }
            _ if self.open.iter().any(takes_quotes_away) => Some(Misplaced::InExpansion),
            Some(Open::Comment) => Some(Misplaced::InComment),
            Some(Open::Single | Open::Double) => Some(Misplaced::InsideQuotes),
            _ if self.is_escaped || !" \t\n=(;|&<>!".contains(self.before[1]) => Some(Misplaced::AfterText),
            _ if self.before[1] == '=' && self.word == Word::NoName => Some(Misplaced::Nameless),
            _ => None,
        }
    }

    /// Returns the reason why a value in a file of variables must not begin here.
    pub(super) fn misplaced_value(&self) -> Option<Misplaced> {
        match self.misplaced() {
            None if !self.open.is_empty() => Some(Misplaced::InExpansion),
            None if self.before[1] != '=' => Some(Misplaced::AfterText),
            misplaced => misplaced,
        }
    }

    pub(super) fn character(&mut self, c: char) {
        if self.is_unclear || self.is_of_heredoc(c) {
            return;
        }
        // Some shells drop a NUL.
        if c == '\0' {
            return self.give_up();
        }
        if std::mem::take(&mut self.is_escaped) {
            if c != '\n' {
                (self.before, self.word) = ([UNKNOWN, UNKNOWN], Word::Other);
            }
            return;
        }
        let (depth, before, open) = (self.open.len(), self.before, self.open.last().copied());
        match open {
            None | Some(Open::Substitution | Open::Subshell | Open::Test) => self.in_command(c),
            Some(Open::Function) if c == ')' => self.close(),
            Some(Open::Function) => self.give_up(),
            Some(Open::Pattern) if c.is_ascii_alphanumeric() || "_-.*?|)".contains(c) => self.until(')', c),
            Some(Open::Pattern) => self.give_up(),
            Some(Open::Single) => self.until('\'', c),
            Some(Open::Double) if c == '"' => self.close(),
            Some(Open::Double) => self.expanded(c),
            Some(Open::Backquote) if c == '\\' => self.is_escaped = true,
            Some(Open::Backquote) => self.until('`', c),
            Some(Open::Parameter(part)) => self.in_parameter(part, c),
            // After a name, only zsh reads `[` as a subscript.
            Some(Open::Variable) if c.is_ascii_alphanumeric() || c == '_' => {}
            Some(Open::Variable) if before[1] == '$' && c != '{' || c == '[' => self.give_up(),
            Some(Open::Variable) => {
                self.close();
                if before[1] == '$' {
                    self.open(Open::Parameter(Part::Name));
                } else {
                    self.in_parameter(Part::Word, c);
                }
            }
            Some(Open::Subscript) if c.is_ascii_alphanumeric() || "_$*?@!^-.,]".contains(c) => {
                self.until(']', c)
            }
            Some(Open::Subscript) => self.give_up(),
            Some(Open::Arithmetic(depth)) => self.in_arithmetic(c, depth),
            Some(Open::Comment) if c == '\n' => {
                self.close();
                self.in_command(c);
            }
            Some(Open::Comment) => {}
        }
        let is_expansion = matches!(open, Some(Open::Substitution | Open::Arithmetic(_)));
        self.before = match before {
            // A backslash before a line end disappears.
            before if self.is_escaped => before,
            // `$$` is a number, and an expansion is a part of a word.
            [_, '$'] if c == '$' => [UNKNOWN, UNKNOWN],
            _ if is_expansion && self.open.len() < depth => [UNKNOWN, UNKNOWN],
            [_, last] => [last, c],
        };
    }

    fn in_command(&mut self, c: char) {
        let [earlier, last] = self.before;
        if self.open.last() == Some(&Open::Test) && self.before == [']', ']'] && ENDS.contains(c) {
            self.close();
        }
        let is_in_test = self.open.last() == Some(&Open::Test);
        let is_case = self.word == Word::Case(4) && ENDS.contains(c);
        self.has_case |= is_case;
        let is_pattern = is_in_test
            && match c {
                '#' => last != '$',
                '|' => !" \t|".contains(last),
                _ => "()<>;\n".contains(c),
            };
        if is_case && !self.open.is_empty() || is_pattern {
            return self.give_up();
        }
        if c == '\\' {
            // The next character decides about the word.
            self.is_escaped = true;
            return;
        }
        let word = self.word;
        self.word = word.and(c);
        let is_in_word = !ENDS.contains(last) && last != '$';
        let begins_command = std::mem::replace(&mut self.begins_command, "\n;&|(".contains(c));
        self.begins_command |= begins_command && matches!(c, ' ' | '\t');
        match c {
            ' ' | '\t' if self.before == ['[', '['] => self.open(Open::Test),
            '\'' if last == '$' => self.give_up(),
            '\'' => self.open(Open::Single),
            '"' => self.open(Open::Double),
            // This is a comment, or a part of a word that bash or zsh knows.
            '#' if "<>()|&".contains(last) => self.give_up(),
            '#' if ENDS.contains(last) => self.open(Open::Comment),
            '(' if last == '(' && earlier == '$' && self.open.last() == Some(&Open::Substitution) => {
                self.open.pop();
                self.open(Open::Arithmetic(2));
            }
            // This is arithmetic, which has no quotes, or a subshell in a subshell, or a glob qualifier of zsh.
            '(' if "()".contains(last) => self.give_up(),
            '(' if begins_command && self.has_case => self.open(Open::Pattern),
            '(' if begins_command => self.open(Open::Subshell),
            '(' if "<>".contains(last) && " \t\n".contains(earlier) => self.open(Open::Substitution),
            '(' if last != '$' => self.open(Open::Function),
            '[' if last == UNKNOWN || !matches!(word, Word::Nothing | Word::Other) => {
                self.open(Open::Subscript)
            }
            '[' if is_in_word && last != '[' && !is_in_test => self.give_up(),
            // Shells disagree about a here-document that begins after its enclosing construct is closed. It may also be
            // arithmetic.
            ')' if self.heredoc.is_some() => self.give_up(),
            ')' if !self.open.is_empty() => self.close(),
            '<' if last == '<' && earlier != '<' => match self.heredoc {
                None => self.heredoc = Some(Heredoc::default()),
                Some(_) => self.give_up(),
            },
            '\n' => self.heredoc.iter_mut().for_each(Heredoc::begin),
            _ => self.expanded(c),
        }
    }

    /// Reads a character that is special wherever a shell expands text.
    fn expanded(&mut self, c: char) {
        match (c, self.before[1]) {
            ('\\', _) => self.is_escaped = true,
            ('`', _) | ('(', '$') if self.heredoc.is_some() => self.give_up(),
            ('`', _) => self.open(Open::Backquote),
            ('(', '$') => self.open(Open::Substitution),
            ('{', '$') => self.open(Open::Parameter(Part::Name)),
            // An old form of arithmetic that only bash has.
            ('[', '$') => self.give_up(),
            _ => {}
        }
    }

    fn in_parameter(&mut self, part: Part, c: char) {
        match c {
            '$' if part == Part::Word => return self.open(Open::Variable),
            _ if "'\"\\$`{(<\n".contains(c) => return self.give_up(),
            '}' => return self.close(),
            _ => {}
        }
        let has_name = self.before[1].is_ascii_alphanumeric() || self.before[1] == '_';
        let part = match (part, c) {
            (Part::Name, _) if c.is_ascii_alphanumeric() || c == '_' => Part::Name,
            (Part::Name, ':') if has_name => Part::Colon,
            (Part::Name, '-' | '=' | '+' | '?') if has_name => Part::Word,
            (Part::Colon, '-' | '=' | '+' | '?') => Part::Word,
            (Part::Word, _) => Part::Word,
            _ => Part::Other,
        };
        self.open.pop();
        self.open.push(Open::Parameter(part));
    }

    fn in_arithmetic(&mut self, c: char, depth: u8) {
        let depth = match c {
            '(' => depth.saturating_add(1),
            ')' if depth == 1 => return self.close(),
            ')' => depth - 1,
            _ if depth > 1 && (c.is_ascii_alphanumeric() || OPERATORS.contains(c)) => return,
            // The two `)` are apart, so this was a substitution that begins with `(`.
            _ => return self.give_up(),
        };
        self.open.pop();
        self.open.push(Open::Arithmetic(depth));
    }

    /// Reads a character, and says whether it belongs to a here-document.
    fn is_of_heredoc(&mut self, c: char) -> bool {
        let Some(heredoc) = self.heredoc.as_mut().filter(|heredoc| !heredoc.is_awaited()) else {
            return false;
        };
        match heredoc.character(c) {
            Read::Part => {}
            Read::Unclear => self.give_up(),
            Read::Rest => {
                (self.before, self.word) = ([UNKNOWN, UNKNOWN], Word::Other);
                return false;
            }
            Read::Word => (self.heredoc, self.before) = (None, ['<', '<']),
            Read::End => {
                (self.heredoc, self.before, self.word) = (None, ['\n', '\n'], Word::Nothing);
                self.begins_command = true;
            }
        }
        true
    }

    fn until(&mut self, end: char, c: char) {
        if c == end {
            self.close();
        }
    }

    fn open(&mut self, open: Open) {
        if self.open.len() == DEEPEST {
            return self.give_up();
        }
        self.open.push(open);
        self.begins_command = matches!(open, Open::Substitution | Open::Subshell);
        let begins_anew = self.begins_command || open == Open::Test;
        self.word = if begins_anew { Word::Nothing } else { Word::Other };
    }

    fn close(&mut self) {
        let closed = self.open.pop();
        self.begins_command |= closed == Some(Open::Pattern);
        self.word = match closed {
            Some(Open::Subshell | Open::Pattern | Open::Comment | Open::Test) => Word::Nothing,
            _ => Word::Other,
        };
    }

    fn give_up(&mut self) {
        *self = Self { is_unclear: true, ..Self::at_start() };
    }
}
