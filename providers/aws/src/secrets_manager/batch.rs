//! Up to 20 secrets in one call: BatchGetSecretValue.
//!
//! The service answers in an order of its own, some secrets with a value and some with an error, and may spread that over
//! pages. What it says nothing of is an error: a secret is never silently missing. No two identifiers of a batch can be answered
//! with the same secret: see [`crate::apart`].

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_secretsmanager::types::{ApiErrorType, SecretValueEntry};
use secretdir_provider::SourceError;

use super::label::{self, Label};
use super::{Prepared, Question, deleted};
use crate::error::{self, Failure, Fault};
use crate::run::Answer;

/// Why a batch is not answered, although its secrets may be.
pub(super) enum Refusal {
    /// Batches are not allowed, or not known, for this reason.
    OfBatches(String),
    /// Something about this one.
    OfThis,
}

/// What came of a batch.
pub(super) struct Answers {
    pub(super) answers: Vec<(usize, Answer)>,
    /// The positions of ARNs that may be of another account, which a batch does not reach into.
    pub(super) doubtful: Vec<usize>,
}

/// Asks for the secrets, page by page.
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
        // Not every server that stands in for the service leaves out a token that is none.
        let Some(next) = page.next_token.filter(|token| !token.is_empty()) else { break };
        // A page that answers nothing is a call that the run did not need.
        let goes_on = open.open.len() < before || prepared.limits.budget.take();
        if !tokens.insert(next.clone()) || !goes_on {
            return Ok(open.fail(|_| error::endless()));
        }
        token = Some(next);
    }
    Ok(open.fail(|question| error::no_answer_about(question.secret_id)))
}

/// Says whether a failure is one of the batch, and not of its secrets.
fn refusal(failure: Failure) -> Option<Refusal> {
    match failure.fault? {
        Fault::Denied | Fault::Unsupported => Some(Refusal::OfBatches(error::told(&failure.error))),
        Fault::Missing | Fault::Deleted | Fault::KeyDenied | Fault::Invalid | Fault::Unknown => {
            Some(Refusal::OfThis)
        }
        _ => None,
    }
}

/// Says whether an error is one that a batch has for a secret of another account, although that can be read alone.
fn refusal_of_one(fault: Option<Fault>) -> bool {
    matches!(fault, Some(Fault::Missing | Fault::Denied | Fault::Invalid | Fault::Unknown))
}

/// The secrets of a batch that have no answer yet, and the answers.
struct Open<'p, 'a> {
    prepared: &'p Prepared<'a>,
    /// What is asked, each once.
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

    /// Takes out those that an entry of an answer is about.
    fn take(&mut self, is_about: impl Fn(&str) -> bool) -> Vec<(usize, Question<'a>)> {
        let taken = self.open.extract_if(.., |_, (_, id)| is_about(id));
        taken.map(|(place, (question, _))| (place, question)).collect()
    }

    fn value(&mut self, mut entry: SecretValueEntry) {
        let label = Label::of_entry(&mut entry);
        let SecretValueEntry { secret_string: mut text, secret_binary: mut bytes, .. } = entry;
        let mut about = self.take(|id| label.names(id) == Some(true));
        while let Some((place, question)) = about.pop() {
            // The last one gets the value itself: a copy that nobody owns would not be wiped.
            let value = if about.is_empty() {
                super::value(text.take(), bytes.take())
            } else {
                super::value(text.clone(), bytes.clone())
            };
            let answer =
                super::described(value, &label, &self.prepared.id_of(question), question, self.region());
            self.answers.push((place, answer));
        }
        // What nobody has asked for is wiped like a value that somebody has.
        drop(super::value(text, bytes));
    }

    fn region(&self) -> &'p str {
        &self.prepared.regional.region
    }

    async fn error(&mut self, failed: ApiErrorType) {
        let about = failed.secret_id.unwrap_or_default();
        // As a rule it repeats what was asked. Only where it does not, it says the same in other words.
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

    /// Ends with this error for all that have no answer.
    fn fail(mut self, error: impl Fn(Question<'a>) -> SourceError) -> Answers {
        let left = self.open.into_iter().map(|(place, (question, _))| (place, Err(error(question))));
        self.answers.extend(left);
        Answers { answers: self.answers, doubtful: self.doubtful }
    }
}
