//! What is wrong with a template. No error holds a value: at most it quotes the template, which is configuration.

use std::fmt;
use std::io;
use std::time::Duration;

use secretdir_helpers::Position;

use crate::placement::Misplaced;
use crate::quote::QuoteError;

/// The statements there are.
const STATEMENTS: [&str; 8] = ["elif", "else", "filter", "for", "if", "raw", "set", "with"];

/// Something that is wrong with a template, and where. Says the fault only; whoever prints it knows the file.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{fault}")]
pub struct TemplateError {
    /// Where in the template; its start for what has no place, such as a result that is too large.
    pub place: Position,
    pub(crate) fault: Fault,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("the template is larger than {most} bytes")]
    TemplateTooLarge { most: usize },
    #[error("the tags of the template have more than {most} words")]
    TooManyWords { most: usize },
    /// In the words of minijinja, which has seen no value at that time.
    #[error("syntax error: {0}")]
    Syntax(String),
    #[error("syntax error: a tag, a comment or a text in quotes far to the right in its line is not closed")]
    Unreadable,
    #[error(
        "the template begins with a byte order mark, which a reader of what `{filter}` writes takes for a part of the first line; save it without"
    )]
    ByteOrderMark { filter: &'static str },
    #[error(
        "here is a carriage return, which a reader of what `{filter}` writes takes for a part of a value; end lines with a newline alone"
    )]
    CarriageReturn { filter: &'static str },
    #[error("there is no {what} `{name}`{}", suggestion(.nearest, .what.known()))]
    Unknown { what: Named, name: String, nearest: Option<&'static str> },
    #[error("`{name}` is not defined: declare it under `secrets` of this file{}", meant(.nearest))]
    Undeclared { name: String, nearest: Option<String> },
    #[error(
        "there is no variable `secret`: declare each secret under `secrets` of this file, by a name of its own"
    )]
    NoSecrets,
    #[error("`loop` is known only inside a loop, and not in its `else`")]
    NoLoop,
    #[error("`{0}` is a text and has no parts; if the secret is JSON, declare it with `expand = \"json\"`")]
    NoParts(String),
    #[error(
        "there is no function `secret` any more: declare the secret under `secrets` of this file, as `NAME = {{ {0} }}`, and write `NAME` here"
    )]
    SecretCall(String),
    #[error("{}", told(.filter, *.misplaced))]
    Misplaced { filter: &'static str, misplaced: Misplaced },
    #[error(
        "the template can be read in too many ways: its branches leave more than {most} different quotes and words behind them; end each line, or each quote, in the branch in which it begins"
    )]
    TooManyWays { most: usize },
    #[error(
        "`{0}` cannot be the name of a variable: only letters of ASCII, digits and `_`, with no digit first; change it with `replace`"
    )]
    NoVariableName(String),
    #[error(
        "a key that is printed here cannot be the name of a variable: only letters of ASCII, digits and `_`, with no digit first"
    )]
    NoVariableKey,
    #[error("{}", told(.filter, Misplaced::Nameless))]
    NoVariable { filter: &'static str },
    #[error(
        "this number has too many digits, or is too large or too small, to calculate or compare with; it can be printed"
    )]
    NumberTooLarge,
    /// Lists and none become texts by it, as Python writes them, and a list of lists of lists any amount of memory.
    #[error("there is no operator `~`, which takes anything for a text; join texts with `+` or `join`")]
    Tilde,
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("`{0}` is not defined here")]
    UndefinedName(String),
    #[error("`{0}` is not defined here: the value has no such part")]
    UndefinedPart(String),
    #[error("the value that is used here has no such part")]
    NoSuchPart,
    #[error("what is used here is not defined")]
    UndefinedHere,
    #[error("this cannot be calculated: it divides by zero, or its result is too large")]
    Calculation,
    #[error(
        "this operator cannot take {left} and {right} together; `+` joins texts with texts, and lists with lists; `[…] | join` joins texts with numbers"
    )]
    Mixed { left: &'static str, right: &'static str },
    #[error("only a list, a map or a text can be gone through")]
    NotIterable,
    #[error("the operation does not fit its values")]
    Operation,
    #[error("{left} is compared with {right}, to which it is never equal; write both in one form")]
    NeverEqual { left: &'static str, right: &'static str },
    #[error("{left} and {right} have no order; only two numbers or two texts have one")]
    NoOrder { left: &'static str, right: &'static str },
    #[error("a key of a map is a text, not {0}")]
    KeyNotText(&'static str),
    #[error("`odd` and `even` take whole numbers")]
    NotWhole,
    #[error("it is nested more than {most} levels deep; a chain of operators counts as nested")]
    TooDeep { most: usize },
    #[error("a loop cannot call itself: there is no `recursive`")]
    Recursive,
    #[error("there is no keyword `{0}` here; give arguments by their order")]
    Keyword(String),
    #[error("arguments are written out one by one: there is no `*` here")]
    Splat,
    #[error("an argument is missing")]
    MissingArgument,
    #[error("there are too many arguments")]
    TooManyArguments,
    #[error("values have no methods; use a filter, or `for key in map` and `map[key]` for what is in a map")]
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
    /// Nobody waits for the result any more.
    #[error("the rendering was ended")]
    Stopped,
    #[error("the template engine panicked: a mistake in it, not in the template")]
    Panicked,
    #[error("cannot start a thread: {0}")]
    NoThread(io::ErrorKind),
    #[error("the result is larger than {most} bytes")]
    ResultTooLarge { most: usize },
    #[error("the template cannot be rendered")]
    Other,
}

/// What a filter, a function or the output does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the value is not UTF-8: only `url`, `base64`, `base64url` and `hex` take such a value")]
    NotUtf8,
    #[error("{0} cannot be printed; `json` writes it")]
    NotPrintable(&'static str),
    #[error("a text or a number belongs here, not {0}; `json` makes a text of it")]
    NotText(&'static str),
    #[error("only a text is in a text or among the keys of a map, not {0}")]
    NotPart(&'static str),
    #[error("a list, a map or a text belongs here, not {0}")]
    NoList(&'static str),
    #[error("`indent` takes a whole number of at most 1000 blanks")]
    NoWidth,
    #[error("`range` takes whole numbers of at most nine digits")]
    NoRangeNumber,
    #[error("the step of `range` cannot be zero")]
    NoRangeStep,
    #[error("the range is too long: `range` gives at most {most} numbers")]
    LongRange { most: usize },
    #[error("only texts, numbers, booleans, none, and lists and maps of them can be written as JSON")]
    NotJson,
    #[error(transparent)]
    Quote(#[from] QuoteError),
}

/// What has a name in a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Filter,
    Function,
    Statement,
    Test,
}

impl Named {
    /// Returns the names there are.
    pub(super) fn known(self) -> &'static [&'static str] {
        match self {
            Self::Filter => &crate::filters::NAMES,
            Self::Function => &crate::functions::NAMES,
            Self::Statement => &STATEMENTS,
            Self::Test => &crate::functions::TESTS,
        }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Filter => "filter",
            Self::Function => "function",
            Self::Statement => "statement",
            Self::Test => "test",
        })
    }
}

/// Says which declared name was probably meant.
fn meant(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default()
}

fn told(filter: &str, misplaced: Misplaced) -> String {
    match (filter, misplaced) {
        (_, Misplaced::Changed) => format!("what `{filter}` has written is changed afterwards; quote last"),
        ("docker", Misplaced::Nameless) => {
            "`docker` belongs behind the name of a variable and `=`; a name has only letters of ASCII, digits and `_`, with no digit first, and nothing before it".to_owned()
        }
        (_, Misplaced::Nameless) => format!(
            "`{filter}` belongs directly behind the name of a variable and `=`, with nothing else in the line; a name has only letters of ASCII, digits and `_`, with no digit first"
        ),
        ("docker", Misplaced::InComment) => {
            "`docker` stands in a comment, in which `docker run --env-file` reads no variable".to_owned()
        }
        ("docker", Misplaced::BeforeText) => {
            "`docker` writes a whole value, and what stands behind it becomes part of the value: `docker run --env-file` knows neither quotes nor comments behind a value".to_owned()
        }
        ("docker", _) => "quotes around `docker` become part of the value: `docker run --env-file` knows no quotes; leave them out".to_owned(),
        (_, Misplaced::InsideQuotes) => format!(
            "`{filter}` writes its own quotes, and stands inside quotes here; leave those out, or join all of it first: `(\"x\" + pw) | {filter}`"
        ),
        (_, Misplaced::InComment) => {
            format!("`{filter}` stands in a comment, which a line end in the value would end")
        }
        (_, Misplaced::InHeredoc) => format!(
            "`{filter}` stands in a here-document, in which its quotes are text; set a variable before it, and name the variable in it"
        ),
        (_, Misplaced::InExpansion) => format!(
            "`{filter}` stands in a backquote, `$((…))`, `${{…}}` or the `[…]` of an array, in which its quotes are not read as such; set a variable before it, and name the variable in it"
        ),
        ("dotenv", Misplaced::Unclear) => {
            "`dotenv` stands behind text that shells and systemd do not understand alike, such as a comment that ends with a `\\` or stands behind other text; give comments lines of their own".to_owned()
        }
        (_, Misplaced::Unclear) => format!(
            "`{filter}` stands behind text that not all readers understand alike, such as `((`, `a[` or `case` in `$(…)`; set a variable before that text, and name the variable here"
        ),
        ("dotenv", Misplaced::BeforeText) => {
            "`dotenv` writes a whole value, and text stands directly behind it, which readers take for a part of it; join it first: `(pw + \"x\") | dotenv`, and give a comment a line of its own".to_owned()
        }
        ("dotenv", Misplaced::AfterText) => {
            "`dotenv` writes a whole value, so it belongs directly behind `NAME=`; join other text first: `(\"x\" + pw) | dotenv`".to_owned()
        }
        ("json", Misplaced::AfterText) => {
            "`json` writes a whole value, and text stands directly before it; it belongs at the start of a line, or behind `[`, `{`, `,`, `(`, `: `, `- ` or the `name = ` that a line begins with; join other text of the value first: `(\"x\" + pw) | json`".to_owned()
        }
        (_, Misplaced::AfterText) => {
            format!("`{filter}` writes a whole value, and text stands directly before it; join it first: `(\"x\" + pw) | {filter}`")
        }
        (_, Misplaced::BeforeText) => {
            format!("`{filter}` writes a whole value, and text stands directly behind it; join it first: `(pw + \"x\") | {filter}`")
        }
    }
}

/// Says which name was probably meant, or which there are.
fn suggestion(nearest: &Option<&'static str>, known: &[&str]) -> String {
    match nearest {
        Some(nearest) => format!("; did you mean `{nearest}`?"),
        None => format!("; known: {}", known.join(", ")),
    }
}

impl TemplateError {
    /// An error that has no position of its own.
    pub(super) fn at_start(fault: Fault) -> Self {
        Self { place: Position::START, fault }
    }
}
