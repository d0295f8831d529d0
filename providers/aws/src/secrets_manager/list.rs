//! Lists the names that begin with a prefix, with ListSecrets.
//!
//! Secrets that are marked for deletion are not listed. New secrets may be missing too, because the service may take a
//! few minutes to list them.

use aws_sdk_secretsmanager::config::Config;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType};
use secretdir_provider::{RunContext, SecretRequest, SecretSource as _};

use super::SecretsManager;
use crate::attempts::Attempts;
use crate::error::Asked;
use crate::listing::{NoPage, Page, Pages};
use crate::region_clients::timeouts;
use crate::run::Limits;

/// The maximum number of secrets in one page (API reference of ListSecrets).
const MOST_IN_PAGE: i32 = 100;

/// The secrets whose names begin with a prefix.
pub(super) struct Secrets<'a> {
    pub(super) source: &'a SecretsManager,
    pub(super) context: &'a RunContext,
    pub(super) prefix: &'a str,
}

impl Secrets<'_> {
    /// Returns a filter, so that the service leaves out most other names. A filter that begins with an exclamation mark
    /// would be negated. An empty prefix needs no filter.
    fn filters(&self) -> Option<Vec<Filter>> {
        let can_be_asked = !self.prefix.is_empty() && !self.prefix.starts_with('!');
        can_be_asked
            .then(|| vec![Filter::builder().key(FilterNameStringType::Name).values(self.prefix).build()])
    }
}

impl Pages for Secrets<'_> {
    async fn page(&self, token: Option<String>, limits: &Limits) -> Result<Page, NoPage> {
        let regional = self.source.regional(self.context, 0, &limits.deadline).await?;
        let attempts = Attempts::new(limits, regional.attempts);
        let overrides = Config::builder()
            .timeout_config(timeouts(&limits.until))
            .interceptor(attempts.clone())
            .retry_classifier(attempts.clone());
        let call = regional.client.list_secrets().max_results(MOST_IN_PAGE);
        let call = call.set_filters(self.filters()).set_next_token(token);
        match call.customize().config_override(overrides).send().await {
            Ok(page) => {
                let entries = page.secret_list.map(|entries| entries.into_iter().map(|entry| entry.name));
                Ok(Page { names: entries.map(Iterator::collect), next: page.next_token })
            }
            Err(failure) => {
                let settings = self.source.clients.settings();
                let asked = Asked::of_listing("Secrets Manager", &regional.region, settings);
                Err(NoPage::of_call(&failure, asked, &attempts))
            }
        }
    }

    fn wants(&self, name: &str) -> bool {
        name.starts_with(self.prefix) && self.source.check(&SecretRequest::new(name)).is_ok()
    }
}
