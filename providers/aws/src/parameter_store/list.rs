//! Lists the names below a level of a hierarchy, with GetParametersByPath.
//!
//! The service lists only whole levels, and always with values. The values are not read.

use secretdir_provider::{RunContext, SecretRequest, SecretSource as _};

use super::ParameterStore;
use super::api::GetParametersByPath;
use crate::attempts::Attempts;
use crate::error::Asked;
use crate::listing::{NoPage, Page, Pages};
use crate::run::Limits;

/// The maximum number of parameters in one page (API reference of GetParametersByPath).
const MOST_IN_PAGE: u32 = 10;

/// The parameters whose names begin with a prefix.
pub(super) struct Parameters<'a> {
    pub(super) source: &'a ParameterStore,
    pub(super) context: &'a RunContext,
    pub(super) prefix: &'a str,
    /// The level above all of them.
    pub(super) path: &'a str,
}

impl Pages for Parameters<'_> {
    async fn page(&self, token: Option<String>, limits: &Limits) -> Result<Page, NoPage> {
        let regional = self.source.regional(self.context, 0, &limits.deadline).await?;
        let attempts = Attempts::new(limits, regional.attempts);
        let question = GetParametersByPath {
            path: self.path.to_owned(),
            recursive: true,
            with_decryption: false,
            max_results: MOST_IN_PAGE,
            next_token: token,
        };
        match regional.client.ask(question, &limits.until, &attempts).await {
            Ok(page) => {
                let entries = page.parameters.map(|entries| entries.into_iter().map(|entry| entry.name));
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
