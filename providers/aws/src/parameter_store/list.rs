//! The names below a level of a hierarchy: GetParametersByPath.
//!
//! The service knows whole levels only, and no listing without values: what it says of them is not read.

use std::sync::Arc;

use aws_sdk_ssm::config::Config;
use aws_sdk_ssm::types::Parameter;
use secretdir_provider::{Secret, SecretRequest, SecretSource as _};

use super::ParameterStore;
use crate::attempts::Attempts;
use crate::error::Asked;
use crate::listing::{NoPage, Page, Pages};
use crate::places::timeouts;
use crate::run::Limits;

/// The most parameters that one page has (API reference of GetParametersByPath).
const MOST_IN_PAGE: i32 = 10;

/// The parameters whose names begin with a prefix.
pub(super) struct Parameters<'a> {
    pub(super) source: &'a ParameterStore,
    pub(super) prefix: &'a str,
    /// The level that all of them are below.
    pub(super) path: &'a str,
}

impl Pages for Parameters<'_> {
    async fn page(&self, token: Option<String>, limits: &Limits) -> Result<Page, NoPage> {
        let regional = self.source.regional(0, limits.deadline).await?;
        let attempts = Attempts::new(Arc::clone(&limits.budget), regional.attempts);
        let overrides = Config::builder()
            .timeout_config(timeouts(limits.until))
            .interceptor(attempts.clone())
            .retry_classifier(attempts.clone());
        let call = regional.client.get_parameters_by_path().path(self.path).recursive(true);
        let call = call.with_decryption(false).max_results(MOST_IN_PAGE).set_next_token(token);
        match call.customize().config_override(overrides).send().await {
            Ok(page) => {
                let entries = page.parameters.map(|entries| entries.into_iter().map(name_of));
                Ok(Page { names: entries.map(Iterator::collect), next: page.next_token })
            }
            Err(failure) => {
                let settings = self.source.clients.settings();
                let asked = Asked::of_listing("Parameter Store", &regional.region, settings);
                Err(NoPage::of_call(&failure, asked, &attempts))
            }
        }
    }

    fn wants(&self, name: &str) -> bool {
        name.starts_with(self.prefix) && self.source.check(&SecretRequest::new(name)).is_ok()
    }
}

/// Keeps the name of a parameter. Its value, which may come as it is, is wiped.
fn name_of(parameter: Parameter) -> Option<String> {
    drop(parameter.value.map(Secret::new));
    parameter.name
}
