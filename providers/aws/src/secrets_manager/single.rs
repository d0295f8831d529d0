//! Fetches one secret in one call: GetSecretValue.

use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;

use secretdir_provider::SourceErrorKind;

use super::label::{self, Label};
use super::{Prepared, Question, Version, deleted};
use crate::error::{self, Fault};
use crate::run::Answer;

/// Fetches the one secret of a call.
pub(super) async fn ask(prepared: &Prepared<'_>) -> Vec<(usize, Answer)> {
    let mut answers = Vec::new();
    for (place, question) in &prepared.questions {
        answers.push((*place, one(prepared, *question).await));
    }
    answers
}

async fn one(prepared: &Prepared<'_>, question: Question<'_>) -> Answer {
    let regional = prepared.regional;
    let call = regional.client.get_secret_value().secret_id(prepared.id_of(question));
    let call = match question.version {
        Version::Current => call,
        Version::Stage(stage) => call.version_stage(stage),
        Version::Id(id) => call.version_id(id),
    };
    match call.customize().config_override(prepared.overrides()).send().await {
        Ok(answer) => secret(answer, &prepared.id_of(question), question, &regional.region),
        Err(failure) => {
            let failure = error::of_call(&failure, prepared.asked(question), prepared.attempts.seen());
            let is_missing =
                failure.fault == Some(Fault::Missing) && failure.error.kind() == SourceErrorKind::NotFound;
            let error = deleted::with_date(prepared, question, failure).await;
            Err(if is_missing && label::looks_complete(question.secret_id) {
                error::maybe_partial(error)
            } else {
                error
            })
        }
    }
}

/// Moves the value out of an answer.
fn secret(mut answer: GetSecretValueOutput, id: &str, question: Question<'_>, region: &str) -> Answer {
    let label = Label::of_answer(&mut answer);
    let value = super::value(answer.secret_string, answer.secret_binary);
    super::described(value, &label, id, question, region)
}
