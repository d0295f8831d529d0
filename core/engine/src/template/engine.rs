//! minijinja, set up so that a template can do little, and its errors in words of ours.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;
use std::iter::successors;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior, Value, functions, tests};
use zeroize::Zeroizing;

use super::calls::{Arguments, KEYWORDS, SECRET};
use super::error::{Fault, Refusal, TemplateError};
use super::output::Output;
use super::place::Place;
use super::value::{describe, is_bytes};
use super::{FUEL, LARGEST_RESULT, filters};

/// The functions there are.
pub(super) const FUNCTIONS: [&str; 2] = ["range", SECRET];

/// The tests there are.
pub(super) const TESTS: [&str; 8] =
    ["defined", "even", "mapping", "none", "number", "odd", "string", "undefined"];

/// How many loops may be open. A recursive one opens itself again, and may nest a value each time.
const DEEPEST: usize = 200;

/// How many numbers minijinja lets a range have.
const LONGEST_RANGE: usize = 100_000;

/// What each call of `secret` gives.
pub(super) type Secrets = BTreeMap<Arguments, Value>;

/// Returns an environment that has what this module names, and nothing else.
fn environment(secrets: Secrets) -> Result<Environment<'static>, Error> {
    let mut environment = Environment::empty();
    environment.set_syntax(SyntaxConfig::builder().keep_trailing_newline(true).build()?);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_debug(false);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(DEEPEST);
    environment.set_formatter(print);
    filters::add_to(&mut environment);
    add_tests(&mut environment);
    environment.add_function("range", range);
    let secrets = Arc::new(secrets);
    environment.add_function(SECRET, move |source: String, secret: String, options: Kwargs| {
        lookup(&secrets, source, secret, &options)
    });
    Ok(environment)
}

fn add_tests(environment: &mut Environment<'_>) {
    environment.add_test("defined", tests::is_defined);
    environment.add_test("even", tests::is_even);
    environment.add_test("mapping", tests::is_mapping);
    environment.add_test("none", tests::is_none);
    environment.add_test("number", tests::is_number);
    environment.add_test("odd", tests::is_odd);
    environment.add_test("string", tests::is_string);
    environment.add_test("undefined", tests::is_undefined);
}

/// Gives what was fetched for a call; what was not found in the template beforehand has not been.
fn lookup(secrets: &Secrets, source: String, secret: String, options: &Kwargs) -> Result<Value, Error> {
    let [version, field, default] =
        ["version", "field", "default"].map(|name| options.get::<Option<String>>(name));
    let arguments = Arguments { source, secret, version: version?, field: field?, default: default? };
    if options.args().any(|name| !KEYWORDS.contains(&name)) {
        return Err(Refusal::NotScanned.into());
    }
    Ok(secrets.get(&arguments).ok_or(Refusal::NotScanned)?.clone())
}

/// Numbers far from where counting them overflows.
fn range(first: &Value, end: Option<&Value>, step: Option<&Value>) -> Result<Value, Error> {
    let number = |value: &Value| match (value.kind(), i32::try_from(value.clone())) {
        (ValueKind::Undefined, _) => Err(Error::from(ErrorKind::UndefinedError)),
        (_, Ok(number)) => isize::try_from(number).map_err(|_| Refusal::NoRangeNumber.into()),
        (_, Err(_)) => Err(Refusal::NoRangeNumber.into()),
    };
    let (first, end, step) = (number(first)?, end.map(number).transpose()?, step.map(number).transpose()?);
    if step == Some(0) {
        return Err(Refusal::NoRangeStep.into());
    }
    functions::range(first, end, step).map_err(|_| Refusal::LongRange { most: LONGEST_RANGE }.into())
}

/// Prints texts and numbers. An `if` without `else` prints nothing, as usual; everything else would be a guess.
fn print(output: &mut minijinja::Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if let Some(text) = value.as_str() {
        return Ok(output.write_str(text)?);
    }
    match value.kind() {
        ValueKind::Undefined => Ok(()),
        ValueKind::Number => Ok(write!(output, "{value}")?),
        _ if is_bytes(value) => Err(Refusal::NotUtf8.into()),
        _ => Err(Refusal::NotPrintable(describe(value)).into()),
    }
}

/// Reads a template, and names the variables that it uses without an assignment before.
pub(super) fn undeclared(text: &str) -> Result<BTreeSet<String>, TemplateError> {
    let read = || {
        let environment = environment(Secrets::new())?;
        let template = environment.template_from_str(text)?;
        Ok(template.undeclared_variables(false).into_iter().collect())
    };
    read().map_err(|error| syntax_error(&error, text))
}

/// Renders a template.
pub(super) fn render(secrets: Secrets, text: &str) -> Result<Zeroizing<Vec<u8>>, TemplateError> {
    let write = || {
        let mut output = Output::of_at_most(LARGEST_RESULT);
        environment(secrets)?.template_from_str(text)?.render_captured_to((), &mut output)?;
        Ok(output.into_bytes())
    };
    write().map_err(|error| render_error(&error, text))
}

/// Says in our words what is wrong with a template that cannot be read. No value has been there yet, so that minijinja's
/// own words quote the template at most.
fn syntax_error(error: &Error, template: &str) -> TemplateError {
    let detail = match error.kind() {
        ErrorKind::BadEscape => {
            r"a text in quotes near here has a `\` that begins no escape; write `\\` for the character"
        }
        _ => error.detail().unwrap_or("this cannot be read"),
    };
    TemplateError { place: place(error, template), fault: Fault::Syntax(detail.to_owned()) }
}

/// Says in our words what went wrong when a template was rendered. minijinja's words are not used: they may quote a value.
fn render_error(error: &Error, template: &str) -> TemplateError {
    let first = error.source();
    let refusal =
        successors(first, |error| (*error).source()).find_map(|error| error.downcast_ref::<Refusal>());
    let fault = match (refusal, error.kind()) {
        (Some(refusal), _) => Fault::Refused(*refusal),
        (None, ErrorKind::UndefinedError | ErrorKind::UnknownFunction) => undefined(error, template),
        (None, ErrorKind::OutOfFuel) => Fault::OutOfFuel { fuel: FUEL },
        (None, ErrorKind::WriteFailure) => Fault::ResultTooLarge { most: LARGEST_RESULT },
        (None, ErrorKind::MissingArgument) => Fault::MissingArgument,
        (None, ErrorKind::TooManyArguments) => Fault::TooManyArguments,
        (None, ErrorKind::UnknownMethod) => Fault::Method,
        (None, ErrorKind::CannotUnpack) => Fault::Unpack,
        (None, ErrorKind::InvalidOperation | ErrorKind::NonPrimitive | ErrorKind::NonKey) => operation(error),
        (None, _) => Fault::Other,
    };
    TemplateError { place: place(error, template), fault }
}

/// Tells operations apart by what minijinja's message begins or ends with. The rest of it may quote a value.
fn operation(error: &Error) -> Fault {
    let detail = error.detail().unwrap_or_default();
    if detail.starts_with("unable to calculate ") {
        Fault::Calculation
    } else if detail.starts_with("tried to use ") || detail.starts_with("strings can only be multiplied ") {
        Fault::Mixed
    } else if detail.ends_with(" is not iterable") {
        Fault::NotIterable
    } else {
        Fault::Operation
    }
}

/// Names what is not defined, if the place is that of a name. It can also be that of the filter which was given it.
fn undefined(error: &Error, template: &str) -> Fault {
    let range = error.range().unwrap_or_default();
    let is_filter = template.get(..range.start).is_some_and(|before| before.trim_end().ends_with('|'));
    let text = template.get(range).unwrap_or_default();
    let in_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_name = !text.is_empty() && text.chars().all(|c| in_name(c) || c == '.');
    let is_part = text.ends_with(']') || text.trim_end_matches(in_name).ends_with('.');
    match (is_name, is_part) {
        _ if is_filter => Fault::UndefinedHere,
        (true, true) => Fault::UndefinedPart(text.to_owned()),
        (true, false) => Fault::UndefinedName(text.to_owned()),
        (false, true) => Fault::NoSuchPart,
        (false, false) => Fault::UndefinedHere,
    }
}

fn place(error: &Error, template: &str) -> Place {
    match (error.range(), error.line()) {
        (Some(range), _) => Place::of(template, range.start),
        (None, Some(line)) => Place { line, column: 1 },
        (None, None) => Place::START,
    }
}
