//! Lists names page by page, in the first region.
//!
//! For the run, a listing is one request, so it waits for a throttling store as a fetch does. After the backoff it
//! continues with the page that was refused. The number of pages cannot be foreseen, so each page adds a call to the
//! budget.
//!
//! No other region is listed. It may have only some of the secrets as replicas, and a part must not count as the whole.

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::PoisonError;
use std::time::Duration;

use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use secretdir_provider::{Listed, RunContext, SourceError};
use tokio::sync::Mutex;

use crate::attempts::Attempts;
use crate::error::{self, Asked};
use crate::run::{Answer, Api, Call, CallResult, Limits, Run, Sink};

/// The maximum number of pages. Half of them have room for all that one account can have in one region (quotas of both
/// services). That is 500,000 secrets in pages of a hundred, and 100,000 parameters in pages of ten. The other pages
/// may be empty.
const MOST_PAGES: usize = 20_000;

/// A service that lists names, and which of them are wanted.
pub(crate) trait Pages: Sync {
    /// Fetches one page from the first region: the first page, or the page with this token.
    fn page(
        &self,
        token: Option<String>,
        limits: &Limits,
    ) -> impl Future<Output = Result<Page, NoPage>> + Send;

    /// Returns whether a name is wanted: it has the prefix, and can be fetched.
    fn wants(&self, name: &str) -> bool;
}

/// A page of a listing.
pub(crate) struct Page {
    /// The names of its entries; `None` if it has no list at all.
    pub(crate) names: Option<Vec<Option<String>>>,
    /// The token of the next page, if there is one.
    pub(crate) next: Option<String>,
}

/// Why a page could not be fetched.
pub(crate) struct NoPage {
    pub(crate) error: SourceError,
    /// The wait that a throttling store asked for.
    pub(crate) retry_after: Option<Duration>,
}

impl NoPage {
    /// Converts the failure of the call for a page.
    pub(crate) fn of_call<E>(failure: &SdkError<E>, asked: Asked<'_>, attempts: &Attempts) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let seen = attempts.seen();
        let retry_after = seen.retry_after;
        Self { error: error::of_call(failure, asked, seen).error, retry_after }
    }
}

impl From<SourceError> for NoPage {
    fn from(error: SourceError) -> Self {
        Self { error, retry_after: None }
    }
}

/// Lists the names that are wanted, each once.
pub(crate) async fn list(pages: &impl Pages, context: &RunContext) -> Result<Vec<Listed>, SourceError> {
    let listing = Listing { pages, so_far: Mutex::new(Progress::default()) };
    let only = Only::default();
    Run::new(&listing, context, &only, 1).answer(vec![None]).await;
    let names = only.0.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(names.unwrap_or_else(|| Err(error::no_answer()))?.into_iter().map(Listed::new).collect())
}

/// The answer to the only request of a listing.
#[derive(Default)]
struct Only(std::sync::Mutex<Option<Answer<Vec<String>>>>);

impl Sink<Vec<String>> for Only {
    fn put(&self, _: usize, answer: Answer<Vec<String>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    }
}

struct Listing<'a, P> {
    pages: &'a P,
    so_far: Mutex<Progress>,
}

impl<P: Pages> Api for Listing<'_, P> {
    type Found = Vec<String>;

    fn split(&self, open: Vec<usize>) -> Vec<Call> {
        open.into_iter().map(|place| vec![place]).collect()
    }

    async fn ask(&self, _: usize, call: Call, limits: Limits) -> CallResult<Vec<String>> {
        let mut so_far = self.so_far.lock().await;
        let (answer, retry_after) = match so_far.go_on(self.pages, &limits).await {
            Ok(()) => (Ok(std::mem::take(&mut so_far.names).into_iter().collect()), None),
            Err(NoPage { error, retry_after }) => (Err(error), retry_after),
        };
        // A listing is one request, so the call has one position.
        CallResult::Answered(call.into_iter().zip([answer]).collect(), retry_after)
    }
}

/// The listing so far.
#[derive(Default)]
struct Progress {
    names: BTreeSet<String>,
    pages: usize,
    /// The token of the next page; `None` before the first one.
    token: Option<String>,
    /// All tokens so far. A token that comes again means that the pages form a loop.
    tokens: BTreeSet<String>,
}

impl Progress {
    /// Fetches the remaining pages.
    async fn go_on(&mut self, pages: &impl Pages, limits: &Limits) -> Result<(), NoPage> {
        loop {
            let page = pages.page(self.token.clone(), limits).await?;
            if self.add(page, |name| pages.wants(name))? == Left::Nothing {
                return Ok(());
            }
            limits.budget.add(1);
        }
    }

    /// Adds a page.
    fn add(&mut self, page: Page, wants: impl Fn(&str) -> bool) -> Result<Left, SourceError> {
        for name in page.names.ok_or_else(|| error::bad_listing("the answer has no list"))? {
            let name = name.ok_or_else(|| error::bad_listing("an entry of the list has no name"))?;
            if wants(&name) {
                self.names.insert(name);
            }
        }
        self.pages += 1;
        // Some servers that imitate the service send an empty token instead of none.
        let Some(next) = page.next.filter(|token| !token.is_empty()) else { return Ok(Left::Nothing) };
        if !self.tokens.insert(next.clone()) || self.pages == MOST_PAGES {
            return Err(error::bad_listing("the list does not end: each page names a next one"));
        }
        self.token = Some(next);
        Ok(Left::Pages)
    }
}

/// Whether there are pages after this one.
#[derive(Debug, PartialEq, Eq)]
enum Left {
    Pages,
    Nothing,
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    fn page(names: &[&str], next: Option<String>) -> Page {
        Page { names: Some(names.iter().map(|name| Some((*name).to_owned())).collect()), next }
    }

    fn told(added: Result<Left, SourceError>) -> String {
        let error = added.unwrap_err();
        assert_eq!(error.kind(), secretdir_provider::SourceErrorKind::InvalidData);
        error.source().unwrap().to_string()
    }

    #[test]
    fn what_is_wanted_of_all_pages_is_kept_once() {
        let mut so_far = Progress::default();
        let wants = |name: &str| name.starts_with("app/");
        assert_eq!(so_far.add(page(&["app/b", "other"], Some("2".to_owned())), wants).unwrap(), Left::Pages);
        assert_eq!(so_far.add(page(&[], Some("3".to_owned())), wants).unwrap(), Left::Pages);
        assert_eq!(so_far.token.as_deref(), Some("3"));
        assert_eq!(so_far.add(page(&["app/b", "app/a"], None), wants).unwrap(), Left::Nothing);
        assert_eq!(so_far.names.into_iter().collect::<Vec<_>>(), ["app/a", "app/b"]);
    }

    #[test]
    fn what_is_no_list_of_names_is_refused() {
        let nameless = Page { names: Some(vec![None]), next: None };
        assert_eq!(told(Progress::default().add(nameless, |_| true)), "an entry of the list has no name");
        let none = Page { names: None, next: None };
        assert_eq!(told(Progress::default().add(none, |_| true)), "the answer has no list");
    }

    #[test]
    fn a_page_without_a_token_is_the_last_one() {
        for none in [None, Some(String::new())] {
            assert_eq!(Progress::default().add(page(&["a"], none), |_| true).unwrap(), Left::Nothing);
        }
    }

    #[test]
    fn pages_that_lead_round_in_a_circle_do_not_end() {
        let mut so_far = Progress::default();
        for token in ["a", "b"] {
            assert_eq!(so_far.add(page(&[], Some(token.to_owned())), |_| true).unwrap(), Left::Pages);
        }
        let endless = "the list does not end: each page names a next one";
        assert_eq!(told(so_far.add(page(&[], Some("a".to_owned())), |_| true)), endless);
    }

    #[test]
    fn pages_come_to_an_end() {
        let mut so_far = Progress::default();
        for number in 1..MOST_PAGES {
            assert_eq!(so_far.add(page(&[], Some(number.to_string())), |_| true).unwrap(), Left::Pages);
        }
        let endless = "the list does not end: each page names a next one";
        assert_eq!(told(so_far.add(page(&[], Some("last".to_owned())), |_| true)), endless);
    }
}
