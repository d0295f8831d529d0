//! The errors of a template. None contains a value. They may quote the template, which is configuration.

use std::io;
use std::time::Duration;

use secretdir_helpers::Position;
use secretdir_quote::{Format, Misplaced, QuoteError};

/// A mistake in a template, and its position. The message does not name the file, which the caller knows.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{fault}")]
pub struct TemplateError {
    /// The position in the template. It is the start for an error without one, such as a result that is too large.
    pub place: Position,
    pub(crate) fault: Fault,
}

/// The kind of a mistake.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("the template is larger than {most} bytes")]
    TemplateTooLarge { most: usize },
    #[error("the tags of the template have more than {most} words")]
    TooManyWords { most: usize },
    /// The message of minijinja, which has seen no value.
    #[error("syntax error: {0}")]
    Syntax(String),
    #[error("syntax error: a tag, a comment or a text in quotes far to the right in its line is not closed")]
    Unreadable,
    #[error(
        "the template begins with a byte order mark, which a reader of `{filter}` would read as part of the first line; save it without one"
    )]
    ByteOrderMark { filter: &'static str },
    #[error(
        "here is a carriage return, which a reader of `{filter}` would read as part of a value; save it with Unix line ends"
    )]
    CarriageReturn { filter: &'static str },
    #[error("there is no {what} `{name}`; {hint}")]
    Unknown { what: &'static str, name: String, hint: String },
    #[error("`{name}` is not defined: declare it under `secrets` of this file{hint}")]
    Undeclared { name: String, hint: String },
    #[error(
        "there is no variable `secret`: declare each secret under `secrets` of this file, by its own name"
    )]
    NoSecrets,
    #[error("`loop` is known only inside a loop, and not in its `else`")]
    NoLoop,
    #[error("`{0}` is a text and has no parts; if the secret is JSON, declare it with `expand = \"json\"`")]
    NoParts(String),
    #[error(
        "the function `secret` no longer exists: declare the secret under `secrets` of this file, as `NAME = {{ {0} }}`, and write `NAME` here"
    )]
    SecretCall(String),
    #[error("{}", describe_misplaced(*.format, *.misplaced, *.line))]
    Misplaced { format: Format, misplaced: Misplaced, line: Option<usize> },
    #[error("the result of `{}` is changed afterwards; apply this filter last", .0.name())]
    Changed(Format),
    #[error(
        "{0} cannot be the name of a variable: use only ASCII letters, digits and `_`, with no digit first; change it with `replace`"
    )]
    NoVariableName(String),
    /// In a check: the result depends on the values.
    #[error("the result is known only when the template is rendered")]
    NotKnown,
    #[error(
        "this number has too many digits, or is too large or too small, to calculate or compare with; it can be printed"
    )]
    NumberTooLarge,
    /// It would make texts of lists and of none, in the syntax of Python, and of nested lists in any size.
    #[error("there is no operator `~`; join texts with `+` or `join`")]
    Tilde,
    #[error("the value is not UTF-8: only `url`, `base64`, `base64url` and `hex` take such a value")]
    NotUtf8,
    #[error("{0} cannot be printed; `json` writes it")]
    NotPrintable(&'static str),
    #[error("expected {wanted}, found {found}")]
    Wrong { wanted: &'static str, found: &'static str },
    #[error("the step of `range` cannot be zero")]
    ZeroStep,
    #[error("the range is too long: `range` gives at most {most} numbers")]
    LongRange { most: usize },
    #[error("`range` is a function: call it, as in `range(3)`")]
    NotCalled,
    #[error("this is not a function; the only function is `range`")]
    NotCallable,
    #[error("only a name can be set")]
    NotAssignable,
    #[error(transparent)]
    Quote(#[from] QuoteError),
    #[error("`{0}` is not defined here; test it with `is defined`, or use `default`")]
    UndefinedName(String),
    #[error("`{0}` is not defined here: the value has no such part")]
    UndefinedPart(String),
    #[error("the value that is used here has no such part")]
    NoSuchPart,
    #[error("this is not defined; test it with `is defined`, or use `default`")]
    UndefinedHere,
    #[error("this cannot be calculated: it divides by zero, or a number is too large")]
    Calculation,
    #[error(
        "this operator cannot take {left} and {right} together; `+` joins texts with texts, and lists with lists; `[…] | join` joins texts with numbers"
    )]
    Mixed { left: &'static str, right: &'static str },
    #[error(
        "{left} is compared with {right}, which is never equal; write both in the same form, such as `port == \"5432\"`"
    )]
    NeverEqual { left: &'static str, right: &'static str },
    #[error("{left} and {right} have no order; only two numbers or two texts have one")]
    NoOrder { left: &'static str, right: &'static str },
    #[error("it is nested more than {most} levels deep; a chain of operators counts as nested")]
    TooDeep { most: usize },
    #[error("loops cannot be `recursive`")]
    Recursive,
    #[error("there is no keyword `{0}` here; give arguments by their order")]
    Keyword(String),
    #[error("write each argument separately: there is no `*` here")]
    Splat,
    #[error("`{name}` takes {}", describe_count(*.least, *.most))]
    Arguments { name: String, least: usize, most: usize },
    #[error(
        "values have no methods; use a filter, or `for key in map` and `map[key]` for the entries of a map"
    )]
    Method,
    #[error(
        "the value cannot be unpacked into so many names; a map gives its keys: `for key in map`, with `map[key]` for the value"
    )]
    Unpack,
    #[error("the template does too much: it takes more than {fuel} steps, and 64 bytes of text are one")]
    OutOfFuel { fuel: u64 },
    #[error("the template takes longer than {}", humantime::format_duration(Duration::from_secs(longest.as_secs())))]
    TooSlow { longest: Duration },
    #[error("the deadline of the run passed before the template was rendered")]
    DeadlinePassed,
    /// The caller no longer waits for the result.
    #[error("the rendering was ended")]
    Stopped,
    #[error("the template engine panicked: a bug in it, not in the template")]
    Panicked,
    #[error("cannot start a thread: {0}")]
    NoThread(io::ErrorKind),
    #[error("the result is larger than {most} bytes")]
    ResultTooLarge { most: usize },
}

impl Fault {
    /// Returns the error about an unknown name, with the nearest known one, or all known ones.
    pub(crate) fn unknown(what: &'static str, name: &str, known: &[&str]) -> Self {
        let nearest = secretdir_helpers::nearest(name, known.iter().copied());
        let all = || format!("known: {}", known.join(", "));
        let hint = nearest.map_or_else(all, |nearest| format!("did you mean `{nearest}`?"));
        Self::Unknown { what, name: name.to_owned(), hint }
    }

    /// Returns the error about a key that cannot be the name of a variable, with the key if it may be shown.
    pub(crate) fn no_variable_name(key: Option<&str>) -> Self {
        let shown = |key: &str| format!("`{}`", key.escape_debug());
        Self::NoVariableName(key.map_or("a key of a map that is printed here".to_owned(), shown))
    }

    /// Says whether it also ends a check.
    pub(crate) fn is_of_budget(&self) -> bool {
        matches!(
            self,
            Self::OutOfFuel { .. } | Self::Stopped | Self::TooDeep { .. } | Self::ResultTooLarge { .. }
        )
    }
}

/// A fault, and its offset in the template.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    pub(crate) fault: Fault,
    pub(crate) at: Option<usize>,
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self { fault, at: None }
    }
}

impl Failure {
    /// Sets the offset, unless it is set already.
    pub(crate) fn at(self, at: usize) -> Self {
        Self { at: self.at.or(Some(at)), ..self }
    }

    /// Says whether another failure already tells it: at the same offset, or caused by the same unclear text.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        match (&self.fault, &other.fault) {
            (Fault::Misplaced { misplaced: Misplaced::Unclear, .. }, _) if self.fault == other.fault => true,
            (Fault::Misplaced { .. }, Fault::Misplaced { .. }) => self.at == other.at,
            _ => self == other,
        }
    }

    /// Says whether a carriage return or a byte order mark may have caused it.
    pub(crate) fn may_come_of_line_ends(&self) -> bool {
        let reasons = [Misplaced::BeforeText, Misplaced::Unclear, Misplaced::Nameless];
        matches!(self.fault, Fault::Misplaced { misplaced, .. } if reasons.contains(&misplaced))
    }

    /// Finds the line and column of a failure.
    pub(crate) fn placed(self, text: &str) -> TemplateError {
        TemplateError { place: Position::of(text, self.at.unwrap_or_default()), fault: self.fault }
    }

    /// Finds the lines and columns of failures, in the order of the text.
    pub(crate) fn all_placed(mut failures: Vec<Self>, text: &str) -> Vec<TemplateError> {
        failures.sort_by_key(|failure| failure.at);
        let (mut place, mut before) = (Position::START, 0);
        let placed = failures.into_iter().map(|Self { fault, at }| {
            let at = at.unwrap_or_default();
            place = place.after(text.get(before..at).unwrap_or_default());
            before = at;
            TemplateError { place, fault }
        });
        placed.collect()
    }
}

fn describe_count(least: usize, most: usize) -> String {
    match (least, most) {
        (_, 0) => "no arguments".to_owned(),
        (1, 1) => "one argument".to_owned(),
        (0, 1) => "at most one argument".to_owned(),
        (0, _) => format!("at most {most} arguments"),
        _ if least == most => format!("{most} arguments"),
        _ => format!("{least} to {most} arguments"),
    }
}

/// Says why a filter is misplaced, and what to do.
fn describe_misplaced(format: Format, misplaced: Misplaced, line: Option<usize>) -> String {
    use Format::{Docker, Dotenv, Json, Shell};
    let filter = format.name();
    let reason = match (format, misplaced) {
        (Docker, Misplaced::Nameless) => {
            "belongs behind the name of a variable and `=`; a name has only letters of ASCII, digits and `_`, with no digit first, and nothing before it"
        }
        (Shell, Misplaced::Nameless) => {
            "stands behind a `=` that no name of a variable is before; a name has only letters of ASCII, digits and `_`, with no digit first"
        }
        (_, Misplaced::Nameless) => {
            "belongs directly behind the name of a variable and `=`, with nothing else in the line; a name has only letters of ASCII, digits and `_`, with no digit first"
        }
        (Docker, Misplaced::InComment) => {
            "stands in a comment, in which `docker run --env-file` reads no variable"
        }
        (Docker, Misplaced::BeforeText) => {
            "writes a whole value, and what stands behind it becomes part of the value: `docker run --env-file` knows neither quotes nor comments behind a value"
        }
        (Docker, _) => {
            "has quotes around it, which become part of the value: `docker run --env-file` knows no quotes; leave them out"
        }
        (_, Misplaced::InsideQuotes) => {
            "writes its own quotes, and stands inside quotes here; leave those out, or join all of it first: `(\"x\" + pw) | FILTER`"
        }
        (_, Misplaced::InComment) => "stands in a comment, which a line end in the value would end",
        (_, Misplaced::InHeredoc) => {
            "stands in a here-document, in which its quotes are text; set a variable before it, and name the variable in it"
        }
        (_, Misplaced::InExpansion) => {
            "stands in a backquote, `$((…))`, `${…}`, or the `(…)` or `[…]` of an array, in which not all shells read its quotes; set a variable before it, and name the variable in it"
        }
        (Dotenv, Misplaced::Unclear) => {
            "stands behind textLINE that shells and systemd do not read alike, such as `A=(x)` or `A=*` without quotes, or a comment that ends with a `\\` or stands behind other text; quote such a value, and give each comment its own line"
        }
        (Json, Misplaced::Unclear) => {
            "stands behind textLINE that not all readers of YAML read alike, such as a `#` directly behind a quote, or a document that is a text in lines; leave that out"
        }
        (_, Misplaced::Unclear) => {
            "stands behind textLINE that not all shells read alike, such as `((`, `a=(`, `$'…'`, quotes or `$(…)` in `${…}` or in a here-document, or `case` in `$(…)`; set a variable before that text, and name the variable here"
        }
        (Dotenv, Misplaced::BeforeText) => {
            "writes a whole value, and text stands directly behind it, which readers take for a part of it; join it first: `(pw + \"x\") | dotenv`, and give a comment a line of its own"
        }
        (Dotenv, Misplaced::AfterText) => {
            "writes a whole value, so it belongs directly behind `NAME=`; join other text first: `(\"x\" + pw) | dotenv`"
        }
        (Json, Misplaced::AfterText) => {
            "writes a whole value, and text stands directly before it; it belongs at the start of a line, or behind `[`, `{`, `,`, `(`, `: `, `- ` or the `name = ` that a line begins with; join other text of the value first: `(\"x\" + pw) | json`"
        }
        (_, Misplaced::AfterText) => {
            "writes a whole value, and text stands directly before it; join it first: `(\"x\" + pw) | FILTER`"
        }
        (_, Misplaced::BeforeText) => {
            "writes a whole value, and text or another value stands directly behind it; join both first: `(pw + \"x\") | FILTER`; for separators in a loop, use `loop.first` or `loop.last`"
        }
    };
    let line = line.map_or(String::new(), |line| format!(" in line {line}"));
    format!("`{filter}` {}", reason.replace("FILTER", filter).replace("LINE", &line))
}

impl TemplateError {
    /// Returns an error without a position of its own.
    pub(crate) fn at_start(fault: Fault) -> Self {
        Self { place: Position::START, fault }
    }
}
