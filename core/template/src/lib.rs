#![doc = include_str!("../README.md")]
//!
//! # The language
//!
//! It is a subset of Jinja, with the parser of minijinja. `{{ … }}` prints, `{% … %}` is a statement, `{# … #}` is a comment. A `-`
//! inside a tag removes the white space on that side. All other text is kept byte for byte, including the last line end.
//!
//! | | |
//! |---|---|
//! | statements | `if`, `elif`, `else`, `for`, `set`, `with`, `filter`, `raw` |
//! | functions | `range` |
//! | tests | `defined`, `undefined`, `none`, `string`, `number`, `mapping`, `odd`, `even` |
//! | filters | `default`, `first`, `indent`, `join`, `last`, `length`, `lower`, `replace`, `split`, `trim`, `upper`, `json`, `docker`, `dotenv`, `shell`, `toml`, `url`, `base64`, `base64url`, `hex` |
//!
//! Nothing else exists. A template cannot read other files, the clock or the environment. There are no macros, no automatic
//! escaping, and no `~`, which makes a text of anything.
//!
//! # Strictness
//!
//! Only texts and numbers are printed; `json` writes other values. An undefined name is an error. A text never equals a number or a
//! boolean, so comparing them is an error. If a reader could not get a value back unchanged, its filter fails. A number of a
//! JSON document keeps its digits (`value`).
//!
//! # Checking and rendering
//!
//! One interpreter does both (`interpreter`). [`Template::parse`] works without values. It finds unknown names, wrong arguments, and
//! filters in places where their reader would misread the quotes. [`Template::render`] finds the rest. While it writes the
//! result, it follows each byte as the readers will (`output`, and the crate secretdir-quote). So no value leaves its quotes, even
//! if a check has missed something.
//!
//! A text that is made of a key of a map stays marked as such (`value::Origin`). In a file of variables, such a text must be a part
//! of a name. So the author of the names in a store cannot write lines of the file.
//!
//! # Limits
//!
//! A template has at most 1 MiB and 20,000 words in its tags, and a result 16 MiB. A template may take 1,000,000 steps: a step is an
//! operation or 64 bytes of text, and is counted before it is taken (`budget`). Statements and expressions are nested at most
//! 1,000 levels deep. `worker` waits for at most ten seconds, and then ends the work at its next step.
//!
//! # Memory and errors
//!
//! This crate frees values without wiping them: the allocator of the command wipes all freed memory. The result is wiped. No error
//! contains a value. Errors quote names and syntax of the template, which is configuration.

mod budget;
mod error;
mod filters;
mod given;
mod interpreter;
mod operators;
mod output;
mod parser;
#[cfg(test)]
mod tests;
mod value;
mod worker;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secretdir_quote::Format;
use zeroize::Zeroizing;

use budget::{Budget, FUEL, Stop};
pub use error::TemplateError;
use error::{Failure, Fault};
pub use given::{Declared, Given, Shape};
pub use interpreter::is_name;
use interpreter::{Found, Interpreter};

/// The most bytes of a template.
pub const LARGEST_TEMPLATE: usize = 1 << 20;

/// The time limit of checking and of rendering. On an idle machine, either takes less than a second.
pub const LONGEST: Duration = Duration::from_secs(10);

/// A template that has been checked. `Debug` shows none of its text.
pub struct Template {
    text: Arc<str>,
    unused: Vec<String>,
    formats: Vec<Format>,
}

impl Template {
    /// Returns the text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Checks a template that uses these names. It needs no values.
    ///
    /// # Errors
    ///
    /// All mistakes, in the order of the text. A syntax error is reported alone.
    pub fn parse(text: &str, declared: &[Declared]) -> Result<Self, Vec<TemplateError>> {
        if text.len() > LARGEST_TEMPLATE {
            let fault = Fault::TemplateTooLarge { most: LARGEST_TEMPLATE };
            return Err(vec![TemplateError::at_start(fault)]);
        }
        let text = Arc::<str>::from(text);
        let (checked, names) = (Arc::clone(&text), declared.to_vec());
        let found = match worker::run(LONGEST, move |stop| check(&checked, &names, stop)) {
            // In debug builds, the parser of minijinja panics at an unclosed tag behind column 65,535.
            Err(Fault::Panicked) if text.lines().any(|line| line.len() > usize::from(u16::MAX)) => {
                Err(TemplateError::at_start(Fault::Unreadable))
            }
            found => found.map_err(TemplateError::at_start).flatten(),
        };
        let Found { failures, used, formats } = found.map_err(|error| vec![error])?;
        if !failures.is_empty() {
            return Err(Failure::all_placed(failures, &text));
        }
        let unused =
            declared.iter().map(|declared| declared.name.clone()).filter(|name| !used.contains(name));
        Ok(Self { text, unused: unused.collect(), formats: formats.into_iter().collect() })
    }

    /// Returns the declared names that the template does not use.
    pub fn unused(&self) -> &[String] {
        &self.unused
    }

    /// Renders the template within this time.
    ///
    /// # Errors
    ///
    /// The first operation that fails with these values. It never contains any part of a value.
    pub fn render(
        &self,
        values: Vec<(String, Given)>,
        longest: Duration,
    ) -> Result<Zeroizing<Vec<u8>>, TemplateError> {
        worker::run(longest, self.rendering(values)).map_err(TemplateError::at_start).flatten()
    }

    /// Renders the template as [`render`](Self::render) does, but without blocking this thread, and within the time left of a run.
    ///
    /// # Errors
    ///
    /// As for [`render`](Self::render).
    pub async fn render_async(
        &self,
        values: Vec<(String, Given)>,
        time_left: Duration,
    ) -> Result<Zeroizing<Vec<u8>>, TemplateError> {
        if time_left.is_zero() {
            return Err(TemplateError::at_start(Fault::DeadlinePassed));
        }
        let done = worker::run_async(time_left.min(LONGEST), self.rendering(values)).await;
        let done = done.map_err(|fault| match fault {
            Fault::TooSlow { .. } if time_left < LONGEST => Fault::DeadlinePassed,
            fault => fault,
        });
        done.map_err(TemplateError::at_start).flatten()
    }

    fn rendering(
        &self,
        values: Vec<(String, Given)>,
    ) -> impl FnOnce(Stop) -> Result<Zeroizing<Vec<u8>>, TemplateError> + Send + use<> {
        let (text, formats) = (Arc::clone(&self.text), self.formats.clone());
        move |stop| render(&text, &values, &formats, stop)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("unused", &self.unused).finish_non_exhaustive()
    }
}

fn check(text: &str, declared: &[Declared], stop: Stop) -> Result<Found, TemplateError> {
    let template = parser::parse(text)?;
    let values = declared.iter().map(|declared| (declared.name.as_str(), declared.unknown())).collect();
    let checked = Interpreter::checking(text, values, Budget::new(FUEL, stop)).run(&template);
    let (_, mut found) = checked.map_err(|failure| failure.placed(text))?;
    let format = found.formats.iter().find(|format| format.has_variables());
    let line_ends = format.map_or(Vec::new(), |format| line_ends(text, *format));
    // Errors that these line ends may have caused are left out.
    found.failures.retain(|failure| line_ends.is_empty() || !failure.may_come_of_line_ends());
    found.failures.extend(line_ends);
    Ok(found)
}

fn render(
    text: &str,
    values: &[(String, Given)],
    formats: &[Format],
    stop: Stop,
) -> Result<Zeroizing<Vec<u8>>, TemplateError> {
    let template = parser::parse(text)?;
    let values = values.iter().map(|(name, given)| (name.as_str(), given.0.clone())).collect();
    let rendered = Interpreter::rendering(text, values, formats, Budget::new(FUEL, stop)).run(&template);
    Ok(rendered.map_err(|failure| failure.placed(text))?.0.into_bytes())
}

/// Finds bytes of the template that a reader of variables would take for a part of a value.
fn line_ends(text: &str, format: Format) -> Vec<Failure> {
    let filter = format.name();
    let mark = text.starts_with('\u{feff}').then(|| Failure::from(Fault::ByteOrderMark { filter }).at(0));
    let carriage_return = text.find('\r').map(|at| Failure::from(Fault::CarriageReturn { filter }).at(at));
    mark.into_iter().chain(carriage_return).collect()
}
