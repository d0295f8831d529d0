//! Fetches up to 20 secrets in one call: BatchGetSecretValue.
//!
//! The service answers in any order. Some secrets have a value and some an error, and they may spread over several
//! pages. A secret that the answer does not mention is an error, so no secret is ever silently missing. One secret
//! cannot be the answer to two different identifiers of a batch: see [`crate::apart`].

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_secretsmanager::types::{ApiErrorType, SecretValueEntry};
use secretdir_provider::SourceError;

use super::label::{self, Label};
use super::{Prepared, Question, deleted};
use crate::error::{self, Failure, Fault};
use crate::run::Answer;

/// Why a batch is refused, although its secrets may be readable.
pub(super) enum Refusal {
    /// Batches are not allowed, or the endpoint does not know them. The text is the reason.
    OfBatches(String),
    /// The refusal is about this batch only.
    OfThis,
}

/// The result of a batch.
pub(super) struct Answers {
    pub(super) answers: Vec<(usize, Answer)>,
    /// The positions of ARNs that may belong to another account, which a batch cannot read.
    pub(super) doubtful: Vec<usize>,
}

/// Fetches the secrets, page by page.
pub(super) async fn ask(prepared: &Prepared<'_>) -> Result<Answers, Refusal> {
    let mut open = Open::new(prepared);
    let mut token = None;
    let mut tokens = BTreeSet::new();
    while !open.open.is_empty() {
        let before = open.open.len();
        let call = prepared.regional.client.batch_get_secret_value();
        let call = call.set_secret_id_list(Some(open.ids.clone())).set_next_token(token.take());
        let page = match call.customize().config_override(prepared.overrides()).send().await {
            Ok(page) => page,
            Err(failure) => {
                let failure =
                    |question| error::of_call(&failure, prepared.asked(question), prepared.attempts.seen());
                return match open.first().map(failure).and_then(refusal) {
                    Some(refusal) => Err(refusal),
                    None => Ok(open.fail(|question| failure(question).error)),
                };
            }
        };
        page.secret_values.into_iter().flatten().for_each(|entry| open.value(entry));
        for failed in page.errors.into_iter().flatten() {
            open.error(failed).await;
        }
        // Some servers that imitate the service send an empty token instead of none.
        let Some(next) = page.next_token.filter(|token| !token.is_empty()) else { break };
        // A page without any answer costs a token, because the run did not need that call.
        let goes_on = open.open.len() < before || prepared.limits.budget.take();
        if !tokens.insert(next.clone()) || !goes_on {
            return Ok(open.fail(|_| error::endless()));
        }
        token = Some(next);
    }
    Ok(open.fail(|question| error::no_answer_about(question.secret_id)))
}

/// Returns the refusal, if the failure is about the batch and not about its secrets.
fn refusal(failure: Failure) -> Option<Refusal> {
    match failure.fault? {
        Fault::Denied | Fault::Unsupported => Some(Refusal::OfBatches(error::told(&failure.error))),
        Fault::Missing | Fault::Deleted | Fault::KeyDenied | Fault::Invalid | Fault::Unknown => {
            Some(Refusal::OfThis)
        }
        _ => None,
    }
}

/// Returns whether a batch may have this error for a secret of another account that can be read alone.
fn refusal_of_one(fault: Option<Fault>) -> bool {
    matches!(fault, Some(Fault::Missing | Fault::Denied | Fault::Invalid | Fault::Unknown))
}

/// The secrets of a batch that have no answer yet, and the answers so far.
struct Open<'p, 'a> {
    prepared: &'p Prepared<'a>,
    /// The identifiers to request, each once.
    ids: Vec<String>,
    open: BTreeMap<usize, (Question<'a>, String)>,
    answers: Vec<(usize, Answer)>,
    doubtful: Vec<usize>,
}

impl<'p, 'a> Open<'p, 'a> {
    fn new(prepared: &'p Prepared<'a>) -> Self {
        let questions = prepared.questions.iter();
        let open: BTreeMap<_, _> =
            questions.map(|(place, question)| (*place, (*question, prepared.id_of(*question)))).collect();
        let mut ids: Vec<_> = open.values().map(|(_, id)| id.clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        Self { prepared, ids, open, answers: Vec::new(), doubtful: Vec::new() }
    }

    fn first(&self) -> Option<Question<'a>> {
        self.open.values().next().map(|(question, _)| *question)
    }

    /// Takes out the requests that an entry of an answer is about.
    fn take(&mut self, is_about: impl Fn(&str) -> bool) -> Vec<(usize, Question<'a>)> {
        let taken = self.open.extract_if(.., |_, (_, id)| is_about(id));
        taken.map(|(place, (question, _))| (place, question)).collect()
    }

    fn value(&mut self, mut entry: SecretValueEntry) {
        let label = Label::of_entry(&mut entry);
        let SecretValueEntry { secret_string: mut text, secret_binary: mut bytes, .. } = entry;
        let mut about = self.take(|id| label.names(id) == Some(true));
        while let Some((place, question)) = about.pop() {
            // The last request gets the value itself. A copy without an owner would not be wiped.
            let value = if about.is_empty() {
                super::value(text.take(), bytes.take())
            } else {
                super::value(text.clone(), bytes.clone())
            };
            let answer =
                super::described(value, &label, &self.prepared.id_of(question), question, self.region());
            self.answers.push((place, answer));
        }
        // A value that no request asked for is wiped too.
        drop(super::value(text, bytes));
    }

    fn region(&self) -> &'p str {
        &self.prepared.regional.region
    }

    async fn error(&mut self, failed: ApiErrorType) {
        let about = failed.secret_id.unwrap_or_default();
        // Usually the entry repeats the requested identifier. Only if not, it names the secret in another form.
        let repeats = self.ids.contains(&about);
        for (place, question) in
            self.take(|id| if repeats { id == about } else { label::is_same(id, &about) })
        {
            let asked = self.prepared.asked(question);
            let failure = error::of_entry(failed.error_code.as_deref(), failed.message.as_deref(), asked);
            if question.arn_region().is_some() && refusal_of_one(failure.fault) {
                self.doubtful.push(place);
                continue;
            }
            let error = deleted::with_date(self.prepared, question, failure).await;
            self.answers.push((place, Err(error)));
        }
    }

    /// Finishes with this error for each request without an answer.
    fn fail(mut self, error: impl Fn(Question<'a>) -> SourceError) -> Answers {
        let left = self.open.into_iter().map(|(place, (question, _))| (place, Err(error(question))));
        self.answers.extend(left);
        Answers { answers: self.answers, doubtful: self.doubtful }
    }
}
