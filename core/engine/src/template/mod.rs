//! Renders a file out of several secrets.
//!
//! # What a template may do
//!
//! The language is a part of Jinja's, as minijinja's parser reads it: `{{ … }}` prints, `{% … %}` does something, `{# … #}` is a comment, and
//! a `-` inside takes the blanks off that side. The rest of the text is kept byte for byte, the last line end included.
//!
//! ```text
//! {% set user = secret("prod", "app/db", field="user") %}
//! DB_USER={{ user | dotenv }}
//! DB_PASSWORD={{ secret("prod", "app/db", field="password") | dotenv }}
//! ```
//!
//! | | |
//! |---|---|
//! | statements | `if`, `elif`, `else`, `for`, `set`, `with`, `filter`, `raw` |
//! | functions | `secret`, `range` |
//! | tests | `defined`, `undefined`, `none`, `string`, `number`, `mapping`, `odd`, `even` |
//! | filters | `default`, `first`, `join`, `last`, `length`, `lower`, `replace`, `split`, `trim`, `upper`, `json`, and what quotes: [`quote`], `base64`, `base64url`, `hex` |
//!
//! Nothing else is there: no other file, no clock, no environment, no macros, no automatic escaping, and no `~`, which takes
//! anything for a text.
//!
//! # Secrets
//!
//! `secret("SOURCE", "SECRET")` gives the value of a secret; `version=`, `field=` and `default=` mean what they do for a file. What
//! is fetched is known before anything is rendered, and all of it is: calls in both branches of an `if` count. So the arguments
//! must be texts in quotes, written out, and `secret` must be called where it stands. [`calls`] finds the calls in the text;
//! when the template is rendered, a call that was not found is an error, so that this cannot differ from what minijinja reads.
//! The name cannot be given to anything else.
//!
//! A value that is UTF-8 is a text. Another one is bytes, which only `url`, `base64`, `base64url` and `hex` take.
//!
//! # No guesses
//!
//! Only texts and numbers are printed. A list, a map, a boolean and none have no form that all would expect: `json` writes them. What
//! is not defined is an error; an `if` expression without `else` prints nothing. Nothing is quoted by itself: the filter says who
//! reads the file. A text is never equal to a number, nor to a boolean: to compare them is an error. A value that cannot be written so that this reader gets it back unchanged is an error; so are bytes of the
//! template itself that the reader would take for a part of a value ([`line_ends`]).
//!
//! Most mistakes are found without fetching anything, and all at once: names of filters, tests, functions and variables, arguments
//! of `secret`, and the first error of syntax, after which nothing can be relied on ([`syntax`]). What else a template does wrong
//! is found when it is rendered.
//!
//! # Limits
//!
//! A template has at most 1 MiB and 20,000 words in its tags, a result 16 MiB. A step is an operation or 64 bytes of text, and there
//! are 1,000,000: an endless loop ends within a second, and so does everything else, for whatever is done is paid for first
//! ([`budget`]). Lists and maps are nested at most 100 levels deep, and what is rendered 1,000. [`aside`] waits for ten seconds
//! at most, and ends the work where it is then.
//!
//! # What is left in memory
//!
//! Nothing of a value: all texts that are made of one are in buffers that are wiped. A template's own text is not.
//!
//! # Errors
//!
//! No error holds a value: a [`Fault`](error::Fault) has no room for one. Names and syntax are quoted from the template, which is
//! configuration.

mod blocks;
mod brackets;
mod budget;
mod calls;
mod error;
mod filters;
mod functions;
mod lexer;
mod limits;
mod line_ends;
mod names;
mod operators;
mod output;
mod parser;
mod quote;
mod render;
mod sandbox;
mod syntax;
#[cfg(test)]
mod tests;
mod token;
mod value;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use brackets::Opening;
use budget::Stop;
pub(crate) use calls::SecretCall;
use error::Fault;
pub(crate) use error::TemplateError;
pub(crate) use limits::{LARGEST_TEMPLATE, LONGEST};
use render::Secrets;
pub(crate) use sandbox::Sandbox;
use syntax::SyntaxFault;
use token::Token;
use value::Value;

/// A template that has been read, and whose secrets are known. `Debug` shows none of its text.
pub(crate) struct Template {
    text: Arc<str>,
    calls: Vec<SecretCall>,
}

/// A template that cannot be used.
#[derive(Debug)]
pub(crate) struct Unreadable {
    /// Everything that was found, in order of appearance; at least one thing.
    pub(crate) errors: Vec<TemplateError>,
    /// The calls of `secret` that can be read all the same.
    pub(crate) calls: Vec<SecretCall>,
}

impl From<TemplateError> for Unreadable {
    fn from(error: TemplateError) -> Self {
        Self { errors: vec![error], calls: Vec::new() }
    }
}

impl Template {
    /// Reads a template. Offline.
    ///
    /// # Errors
    ///
    /// Everything that can be found at once, up to the first error of syntax.
    pub(crate) fn parse(text: &str, sandbox: &Sandbox) -> Result<Self, Unreadable> {
        if text.len() > LARGEST_TEMPLATE {
            return Err(TemplateError::at_start(Fault::TemplateTooLarge { most: LARGEST_TEMPLATE }).into());
        }
        let text = Arc::<str>::from(text);
        let (calls, mut errors) = find(&text, sandbox)?;
        if errors.is_empty() {
            return Ok(Self { text, calls });
        }
        errors.sort_by_key(|error| error.place);
        errors.dedup_by_key(|error| error.place);
        Err(Unreadable { errors, calls })
    }

    /// Returns the distinct calls of `secret`, in order of appearance. Those in both branches of an `if` count.
    pub(crate) fn calls(&self) -> &[SecretCall] {
        &self.calls
    }

    /// Renders the template within this time. `values[i]` is the value of `calls()[i]`, with the field
    /// picked, or the default.
    ///
    /// # Errors
    ///
    /// What the template asks for and cannot have. Never holds any part of a value.
    pub(crate) fn render(
        &self,
        values: &[&[u8]],
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
    pub(crate) async fn render_beside(
        &self,
        values: &[&[u8]],
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
        values: &[&[u8]],
    ) -> impl FnOnce(Stop) -> Result<Zeroizing<Vec<u8>>, TemplateError> + Send + use<> {
        let arguments = self.calls.iter().map(|call| call.arguments.clone());
        let secrets: Secrets = arguments.zip(values.iter().map(|value| Value::of_secret(value))).collect();
        let text = Arc::clone(&self.text);
        move |stop| render::render(&secrets, &text, stop)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("calls", &self.calls).finish_non_exhaustive()
    }
}

/// Finds the calls of `secret`, and what is wrong with the template.
fn find(text: &Arc<str>, sandbox: &Sandbox) -> Result<(Vec<SecretCall>, Vec<TemplateError>), TemplateError> {
    let scan = lexer::scan(text)?;
    let (mut calls, mut errors) = calls::find(&scan.tokens);
    errors.extend(names::check(&scan.tokens));
    let syntax = syntax::check(text, &scan, sandbox);
    errors.extend(names::check_variables(&scan.tokens, &syntax.undeclared));
    match syntax.fault {
        None => {}
        Some(SyntaxFault::Open(blocks)) => errors.extend(blocks.into_iter().map(Opening::not_closed)),
        Some(SyntaxFault::Broken(error)) => {
            calls.retain(|call| call.place < error.place);
            add_syntax_error(error, &scan.tokens, &mut errors);
        }
    }
    errors.extend(line_ends::check(text, &scan.tokens));
    Ok((calls, errors))
}

/// Adds an error of syntax, unless something else is wrong with the same tag. What comes after may be misread.
fn add_syntax_error(error: TemplateError, tokens: &[Token<'_>], errors: &mut Vec<TemplateError>) {
    errors.retain(|other| other.place <= error.place);
    let before = syntax::tags_before(error.place, tokens).last().map(|end| end.place);
    if errors.iter().all(|other| before.is_some_and(|end| other.place <= end)) {
        errors.push(error);
    }
}
