#![doc = include_str!("../README.md")]
//!
//! # The language
//!
//! It is a part of Jinja, as minijinja's parser reads it: `{{ … }}` prints, `{% … %}` is a statement, `{# … #}` is a comment, and a
//! `-` inside removes the white space on that side. All other text is kept byte for byte, the last line end included.
//!
//! | | |
//! |---|---|
//! | statements | `if`, `elif`, `else`, `for`, `set`, `with`, `filter`, `raw` |
//! | functions | `range` |
//! | tests | `defined`, `undefined`, `none`, `string`, `number`, `mapping`, `odd`, `even` |
//! | filters | `default`, `first`, `indent`, `join`, `last`, `length`, `lower`, `replace`, `split`, `trim`, `upper`, `json`, and the `quote` filters, `base64`, `base64url`, `hex` |
//!
//! Nothing else exists: no other file, no clock, no environment, no macros, no automatic escaping, and no `~`, which turns anything
//! into a text.
//!
//! # No guesses
//!
//! Only texts and numbers are printed; `json` writes everything else. A name that is not defined is an error. A text never equals a
//! number or a boolean, so comparing them is an error. A value that a filter cannot write so that its reader gets it back unchanged
//! is an error. A number of a JSON document keeps its digits (`value`).
//!
//! # Two checks before rendering
//!
//! `names` finds every unknown filter, test, function and variable, and `placement` finds filters that quote where their reader
//! would misread the quotes: inside other quotes, in a comment, beside other text, or changed afterwards. Neither needs a value. A
//! syntax error hides both. While rendering, a key of a map stays one (`Value::Key`), and the line before each value
//! of a variable must be a name.
//!
//! # Limits
//!
//! A template has at most 1 MiB and 20,000 words in its tags, a result 16 MiB. A step is an operation or 64 bytes of text, and there
//! are 1,000,000: each step is paid for before it is taken (`budget`). Lists and maps are nested at most 100 levels deep, and
//! statements and expressions 1,000. `sandbox` waits for at most ten seconds and ends the work where it is then.
//!
//! # Memory and errors
//!
//! Every text that is made of a value is in a buffer that is wiped. No error holds a value: a `Fault` has no room for
//! one. Names and syntax are quoted from the template, which is configuration.

mod ast;
mod budget;
mod error;
mod filters;
mod functions;
mod given;
mod limits;
mod names;
mod operators;
mod output;
mod parser;
mod placement;
mod quote;
mod render;
mod sandbox;
#[cfg(test)]
mod tests;
mod value;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use budget::{Budget, Stop};
use error::Fault;
pub use error::TemplateError;
pub use given::{Declared, Given, Shape, TooDeep};
use limits::FUEL;
pub use limits::{LARGEST_TEMPLATE, LONGEST};
pub use names::is_name;
pub use sandbox::Sandbox;

/// A template that has been checked. `Debug` shows none of its text.
pub struct Template {
    text: Arc<str>,
    unused: Vec<String>,
    names_variables: bool,
}

impl Template {
    /// Returns the text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Checks a template that uses these names. Offline.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, in the order of the text; or the first syntax error alone.
    pub fn parse(text: &str, declared: &[Declared], sandbox: &Sandbox) -> Result<Self, Vec<TemplateError>> {
        if text.len() > LARGEST_TEMPLATE {
            let fault = Fault::TemplateTooLarge { most: LARGEST_TEMPLATE };
            return Err(vec![TemplateError::at_start(fault)]);
        }
        let text = Arc::<str>::from(text);
        let (checked, declared) = (Arc::clone(&text), declared.to_vec());
        let found = sandbox.run(LONGEST, move |stop| check(&checked, &declared, stop));
        let found = match found {
            // The parser of minijinja panics at a tag that is never closed behind column 65,535, in debug builds.
            Err(Fault::Panicked) => Err(TemplateError::at_start(Fault::Unreadable)),
            found => found.map_err(TemplateError::at_start).flatten(),
        };
        let Found { unused, names_variables, errors } = found.map_err(|error| vec![error])?;
        if errors.is_empty() { Ok(Self { text, unused, names_variables }) } else { Err(errors) }
    }

    /// Returns the declared names that the template does not use.
    pub fn unused(&self) -> &[String] {
        &self.unused
    }

    /// Renders the template within this time.
    ///
    /// # Errors
    ///
    /// Whatever the template cannot do with these values. Never holds any part of a value.
    pub fn render(
        &self,
        values: Vec<(String, Given)>,
        longest: Duration,
        sandbox: &Sandbox,
    ) -> Result<Zeroizing<Vec<u8>>, TemplateError> {
        sandbox.run(longest, self.rendering(values)).map_err(TemplateError::at_start).flatten()
    }

    /// Renders the template as [`render`](Self::render) does, without blocking this thread, while the run has time left.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn render_beside(
        &self,
        values: Vec<(String, Given)>,
        time_left: Duration,
        sandbox: &Sandbox,
    ) -> Result<Zeroizing<Vec<u8>>, TemplateError> {
        let done = sandbox.run_beside(time_left.min(LONGEST), self.rendering(values)).await;
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
        let (text, names_variables) = (Arc::clone(&self.text), self.names_variables);
        move |stop| render::render(&values, (&text, names_variables), stop)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("unused", &self.unused).finish_non_exhaustive()
    }
}

/// What a check has found.
struct Found {
    unused: Vec<String>,
    /// It uses a filter whose reader reads variables.
    names_variables: bool,
    errors: Vec<TemplateError>,
}

fn check(text: &str, declared: &[Declared], stop: Stop) -> Result<Found, TemplateError> {
    let template = parser::parse(text)?;
    let mut budget = Budget::new(FUEL, stop);
    let names = names::check(text, &template, declared, &mut budget)?;
    let mut errors = names.errors;
    errors.extend(placement::check(text, &template, (&names.filters, declared), &mut budget)?);
    errors.sort_by_key(|error| error.place);
    errors.dedup();
    let names_variables =
        ["docker", "dotenv", "shell"].into_iter().any(|filter| names.filters.contains(filter));
    Ok(Found { unused: names.unused, names_variables, errors })
}
