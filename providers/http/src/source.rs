//! The source. It sends one request for each secret.

use std::sync::{Mutex, PoisonError};

use secretdir_http_client::{HeaderName, HeaderValue, Request, Response, Url, host_and_port};
use secretdir_provider::{RunContext, Secret, SecretRequest, SecretSource, SourceError, async_trait};

use crate::settings::Checked;
use crate::template::{TextTemplate, Word};
use crate::{answer, error, redirect, status};

const CONTENT_TYPE: HeaderName = HeaderName::from_static("content-type");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A source that sends requests to a server.
pub(crate) struct HttpSource(Checked);

/// The headers of a run, with its credentials. If a credential is rotated, the whole run uses the old one.
#[derive(Default)]
struct Headers(Mutex<Option<Vec<(HeaderName, HeaderValue)>>>);

impl HttpSource {
    pub(crate) fn new(settings: Checked) -> Self {
        Self(settings)
    }

    fn templates(&self) -> impl Iterator<Item = &TextTemplate> {
        std::iter::once(self.0.target.template()).chain(&self.0.body)
    }

    /// Sends the request for a secret, and follows redirects up to the limit of the settings.
    async fn ask(&self, run: &RunContext, request: &SecretRequest) -> Result<(Url, Response), SourceError> {
        let mut url = self.0.target.url(request).ok_or_else(error::no_url)?;
        let headers = self.headers(run)?;
        let mut left = self.0.redirects;
        loop {
            let sent = self.request(url.clone(), &headers, request);
            let answer = self.0.client.send(run, sent).await?;
            let Some(next) = redirect::target(&url, &answer, self.0.method)? else {
                return Ok((url, answer));
            };
            left = left.checked_sub(1).ok_or_else(|| redirect::too_many(&url, &next, self.0.redirects))?;
            url = next;
        }
    }

    fn request(&self, url: Url, headers: &[(HeaderName, HeaderValue)], request: &SecretRequest) -> Request {
        let sent = Request::new(self.0.method, url).with_max_bytes(self.0.max_bytes);
        let sent =
            headers.iter().fold(sent, |sent, (name, value)| sent.with_header(name.clone(), value.clone()));
        match &self.0.body {
            Some(body) => sent.with_body(body.fill(request).into_bytes()),
            None => sent,
        }
    }

    /// Returns the headers. The first call in a run reads the credentials.
    fn headers(&self, run: &RunContext) -> Result<Vec<(HeaderName, HeaderValue)>, SourceError> {
        let state = run.state::<Headers>();
        let mut known = state.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(headers) = &*known {
            return Ok(headers.clone());
        }
        let read = self.0.headers.iter().map(|header| Ok((header.name().clone(), header.read()?)));
        let mut headers = read.collect::<Result<Vec<_>, SourceError>>()?;
        if self.0.body.is_some() && headers.iter().all(|(name, _)| *name != CONTENT_TYPE) {
            headers.push((CONTENT_TYPE, JSON));
        }
        *known = Some(headers.clone());
        Ok(headers)
    }
}

#[async_trait]
impl SecretSource for HttpSource {
    fn check(&self, request: &SecretRequest) -> Result<(), SourceError> {
        let has_version = self.templates().any(|template| template.has(Word::Version));
        match request.version() {
            Some(_) if !has_version => return Err(error::no_version_placeholder()),
            None if has_version => return Err(error::no_version()),
            _ => {}
        }
        self.templates().try_for_each(|template| template.check(request))
    }

    fn check_prefix(&self, _: &str) -> Result<(), SourceError> {
        Err(error::no_listing())
    }

    async fn fetch(&self, run: &RunContext, request: &SecretRequest) -> Result<Secret, SourceError> {
        self.check(request)?;
        let (url, answer) = self.ask(run, request).await?;
        let place = host_and_port(&url);
        let now = run.clock().date();
        status::check(&place, &answer, &self.0.not_found, now)?;
        answer::secret(&place, answer, self.0.revision_header.as_ref())
    }
}
