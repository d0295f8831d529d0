//! Finds out until when a secret that is marked for deletion can be restored.

use aws_sdk_secretsmanager::primitives::DateTimeFormat;
use secretdir_provider::SourceError;

use super::{Prepared, Question};
use crate::error::{self, Failure, Fault};

/// Adds the date to an error about such a secret, if the service returns it. That takes one more call, of
/// DescribeSecret. The run must have a token for it, and the caller a permission.
pub(super) async fn with_date(
    prepared: &Prepared<'_>,
    question: Question<'_>,
    failure: Failure,
) -> SourceError {
    if failure.fault != Some(Fault::Deleted) || !prepared.limits.budget.take() {
        return failure.error;
    }
    let call = prepared.regional.client.describe_secret().secret_id(prepared.id_of(question));
    let described = call.customize().config_override(prepared.overrides()).send().await;
    let date = described.ok().and_then(|described| described.deleted_date);
    match date.and_then(|date| date.fmt(DateTimeFormat::DateTime).ok()) {
        Some(date) => error::restorable_until(&date),
        None => failure.error,
    }
}
