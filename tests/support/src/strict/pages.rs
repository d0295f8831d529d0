//! Answers in pages, each with a token of the next one, which means nothing to whoever gets it.

use serde_json::{Value, json};

use super::reply::{Reaction, refuse};
use super::{Call, Fault, Inner};

/// Where a page begins, and of which answer.
#[derive(Clone, Debug)]
pub(super) struct Page {
    /// The call without its token: no other may use it.
    of: Value,
    skipped: usize,
}

/// The token of the page after one, if there is one.
pub(super) struct Next(Option<String>);

impl Next {
    /// Adds the token to the answer.
    pub(super) fn named_in(self, mut body: Value) -> Value {
        if let Some(token) = self.0 {
            body["NextToken"] = json!(token);
        }
        body
    }
}

impl Inner {
    /// Takes out of a listing the page that is asked for. `most` is the most entries that one may ask for.
    pub(super) fn limited_page<T>(
        &mut self,
        call: &Call,
        entries: Vec<T>,
        most: usize,
    ) -> Result<(Vec<T>, Next), Reaction> {
        let size = match call.body["MaxResults"].as_u64() {
            None => most,
            Some(size) if (1..=most as u64).contains(&size) => size as usize,
            Some(size) => {
                let message = format!(
                    "1 validation error detected: Value '{size}' at 'maxResults' failed to satisfy constraint: \
                     Member must have value less than or equal to {most}"
                );
                return Err(refuse("ValidationException", &message));
            }
        };
        self.page(call, entries, size)
    }

    /// Takes out of all entries the page that is asked for, which has so many.
    pub(super) fn page<T>(
        &mut self,
        call: &Call,
        entries: Vec<T>,
        size: usize,
    ) -> Result<(Vec<T>, Next), Reaction> {
        let size = match self.fault {
            Fault::Pages(most) | Fault::Shuffle { page: most, .. } => most.min(size),
            _ => size,
        };
        let skipped = self.skipped(call)?;
        let next = (entries.len() > skipped + size).then(|| {
            let token = format!("AbC-{:x}-dEf=", 7_919 * (self.pages.len() + 1));
            self.pages.insert(token.clone(), Page { of: without_token(call), skipped: skipped + size });
            token
        });
        Ok((entries.into_iter().skip(skipped).take(size).collect(), Next(next)))
    }

    /// Returns how many entries earlier pages had.
    fn skipped(&self, call: &Call) -> Result<usize, Reaction> {
        let Some(token) = call.text("NextToken") else { return Ok(0) };
        match self.pages.get(token) {
            Some(page) if page.of == without_token(call) => Ok(page.skipped),
            _ => Err(refuse("InvalidNextTokenException", "The NextToken value is invalid.")),
        }
    }
}

fn without_token(call: &Call) -> Value {
    let mut body = call.body.clone();
    body["NextToken"] = Value::Null;
    json!([call.target, call.region, body])
}
