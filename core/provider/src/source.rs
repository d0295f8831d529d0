//! The trait that every backend implements.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt};

use crate::{
    Answers, Held, Listed, Refreshed, RunContext, Secret, SecretRequest, SourceError, SourceErrorKind,
};

/// A configured backend: answers requests for secrets.
///
/// ```
/// use secretdir_provider::*;
///
/// struct Echo;
///
/// #[async_trait]
/// impl SecretSource for Echo {
///     async fn fetch(&self, _: &RunContext, request: &SecretRequest) -> Result<Secret, SourceError> {
///         match request.name() {
///             "silence" => Err(SourceError::new(SourceErrorKind::NotFound).with_cause("nothing was said")),
///             name => Ok(Secret::new(name)),
///         }
///     }
/// }
/// ```
///
/// # Offline construction
///
/// [`Provider::source`](crate::Provider::source) makes a source without any I/O. [`check`](Self::check) and
/// [`check_prefix`](Self::check_prefix) do no I/O either. Create clients, open connections and read files in the first fetch,
/// and keep them for the later ones.
///
/// # Exact bytes
///
/// A source returns exactly what the store holds. It trims nothing, decodes nothing and adds no newline. A store that keeps
/// text returns the UTF-8 bytes of the text. An empty secret is a valid secret. JSON fields, decoding and templates are
/// the engine's work.
///
/// # Errors
///
/// Choose the [`SourceErrorKind`](crate::SourceErrorKind) that tells an operator what to do next. Give the real cause
/// with [`SourceError::with_cause`], and a hint if a person can act. No error, warning or trace of a source may contain a
/// value, a credential or any part of one. Many parsers quote their input in their messages: do not pass such a message on.
///
/// [`NotFound`](crate::SourceErrorKind::NotFound) means that the store answered and has no such secret. It is the only kind
/// after which a run may go on, without an optional file or with a default. If the store itself is missing, such as a folder
/// or a database, return [`Unavailable`](crate::SourceErrorKind::Unavailable) for each request, and for a listing.
///
/// Advise a [`Retry`](crate::Retry) only if another attempt can help and no layer below retries. If your client library
/// retries by itself, advise none: only one layer should retry.
///
/// # Runs
///
/// A source lives as long as the process. In a daemon, many runs use it for months. A run lists, fetches, and retries
/// what failed, all with the same [`RunContext`].
///
/// Some state must be the same for a whole run and fresh in the next one: a file that was read, or a refusal. Keep it in
/// [`RunContext::state`]. Keep longer-lived state in the source itself: clients, connections, credentials until they expire.
///
/// # Cancellation
///
/// The future of a fetch may be dropped at any await: the deadline of the run passed, or the operator pressed Ctrl-C.
/// Dropping it must be safe. No task, thread or process may live on, and the source must work in the next run. The run
/// keeps the answers that have been [put](Answers::put) by then. A source need not watch the clock, but may shorten its
/// own time-outs to [`RunContext::remaining`].
///
/// # Concurrency
///
/// The engine calls [`fetch_all`](Self::fetch_all) of one source once at a time. Within it, at most
/// [`RunContext::concurrency`] requests may be in flight. Different sources run concurrently. In secretdir itself they
/// share one thread, so do not block it for long.
///
/// A run that imports all secrets below a prefix calls [`list`](Self::list) first: once for each prefix, one after another.
/// Then it fetches the secrets that were listed.
///
/// # Dynamic secrets
///
/// Some requests make the store create something, such as a database user or a certificate. [`issues`](Self::issues) says which.
/// The engine sends such a request at most once in a run, after it has all other answers. Commands that only look never
/// send it. The published files are the only copy of the result, so the engine keeps it from run to run. From
/// [`Secret::renew_at`] on, it calls [`refresh`](Self::refresh), which renews or replaces the secret. When no generation
/// uses it any more, [`release`](Self::release) gives it back.
///
/// # Compatibility
///
/// The methods below keep their signatures. A new method has a default, as `list` and `refresh` do. So a source that compiles
/// today compiles with every later release of the same 0.x series, and from 1.0 on with every later 1.x.
#[async_trait]
pub trait SecretSource: Send + Sync + 'static {
    /// Checks, offline, whether a request is well formed for this store. The default accepts every request.
    ///
    /// The engine calls it for each distinct request before it fetches anything. So `secretdir check` can report a typing
    /// error with its line in the configuration.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](crate::SourceErrorKind::InvalidRequest) for a name or version that this store cannot have,
    /// [`Unsupported`](crate::SourceErrorKind::Unsupported) for a version where the store has none.
    fn check(&self, request: &SecretRequest) -> Result<(), SourceError> {
        let _ = request;
        Ok(())
    }

    /// Checks, offline, whether names of this store can begin with a prefix and be listed. The default accepts every prefix.
    ///
    /// The engine calls it for each imported prefix before it lists anything. So `secretdir check` can report what
    /// [`list`](Self::list) would refuse without asking the store. It must not refuse a prefix that `list` accepts.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](crate::SourceErrorKind::InvalidRequest) for a prefix that no name of this store can have,
    /// [`Unsupported`](crate::SourceErrorKind::Unsupported) from a source that cannot list.
    fn check_prefix(&self, prefix: &str) -> Result<(), SourceError> {
        let _ = prefix;
        Ok(())
    }

    /// Fetches one secret.
    ///
    /// # Errors
    ///
    /// The reason why the secret cannot be read; see [`SourceErrorKind`](crate::SourceErrorKind).
    async fn fetch(&self, run: &RunContext, request: &SecretRequest) -> Result<Secret, SourceError>;

    /// Fetches several secrets, and puts an answer for each request as soon as there is one.
    ///
    /// The engine calls it once for each source and attempt, with distinct requests. A failed answer must not end the others.
    /// A request that has no answer at the end is reported as an error of the provider. The default calls
    /// [`fetch`](Self::fetch) with at most [`RunContext::concurrency`] requests in flight. Override it if the store has a
    /// batch call.
    async fn fetch_all(&self, run: &RunContext, requests: &[SecretRequest], answers: &Answers) {
        let mut fetches = Vec::with_capacity(requests.len());
        for (position, request) in requests.iter().enumerate() {
            let fetch = self.fetch(run, request);
            fetches.push(async move { answers.put(position, fetch.await) });
        }
        stream::iter(fetches).buffer_unordered(run.concurrency().get()).collect().await
    }

    /// Lists the secrets whose names begin with a prefix: each once, in any order, under the name that [`fetch`](Self::fetch)
    /// takes.
    ///
    /// Compare the prefix as text, `/` included. The empty prefix lists all secrets. It is no error if no name begins with the
    /// prefix. A listing is complete or fails: if it ends early, return an error. Leave out names that
    /// [`check`](Self::check) refuses. A listed secret need not be readable. By default a source cannot list, and says
    /// so, or gives the reason that [`check_prefix`](Self::check_prefix) gives.
    ///
    /// # Errors
    ///
    /// - [`Unsupported`](crate::SourceErrorKind::Unsupported) from a source that cannot list
    /// - [`InvalidRequest`](crate::SourceErrorKind::InvalidRequest) for a prefix that no name of this store can have
    /// - the reason why the listing is not complete
    async fn list(&self, run: &RunContext, prefix: &str) -> Result<Vec<Listed>, SourceError> {
        let _ = run;
        self.check_prefix(prefix)?;
        Err(SourceError::new(SourceErrorKind::Unsupported).with_cause("this provider cannot list secrets"))
    }

    /// Says, offline, whether each such request makes the store create something, such as a database user or a certificate.
    /// By default no request does.
    ///
    /// The engine then calls [`fetch`](Self::fetch) instead of [`fetch_all`](Self::fetch_all), with one request at a time. It
    /// does not retry in the same run, whatever an error advises.
    fn issues(&self, request: &SecretRequest) -> bool {
        let _ = request;
        false
    }

    /// Renews or replaces a published secret when its [`Secret::renew_at`] has come. By default it fetches a new one.
    ///
    /// The engine calls it only for a request that [`issues`](Self::issues). A secret that is kept may have a later end than
    /// before, such as a renewed lease. A new secret replaces it, but readers of the old set use the old one until
    /// [`release`](Self::release), so do not end it here.
    ///
    /// # Errors
    ///
    /// The reason why it can be neither renewed nor replaced. The published secret stays.
    async fn refresh(
        &self,
        run: &RunContext,
        request: &SecretRequest,
        held: &Held,
    ) -> Result<Refreshed, SourceError> {
        let _ = held;
        self.fetch(run, request).await.map(Refreshed::New)
    }

    /// Gives back leases that are no longer used: their generations are removed, or the run that got them has failed. The default
    /// does nothing.
    ///
    /// The engine may call it twice with the same lease if something went wrong. That must be safe: a lease that is gone is no
    /// error. It may never call it if the process is killed; the lease then expires by itself.
    ///
    /// # Errors
    ///
    /// The reason why a lease cannot be given back. The run reports it as a warning.
    async fn release(&self, run: &RunContext, leases: &[String]) -> Result<(), SourceError> {
        let _ = (run, leases);
        Ok(())
    }

    /// Closes what the source has opened at the store, such as a session. The default does nothing.
    ///
    /// The engine calls it at the end of `sync`, `diff` and `check --fetch`, and when `watch` ends. It also calls it when a new
    /// configuration replaces the source.
    ///
    /// Published secrets must stay valid. The source must work again afterwards. The engine may never call it if the process
    /// is killed.
    async fn close(&self, run: &RunContext) {
        let _ = run;
    }

    /// Completes when a fetched secret may have changed. By default it never completes.
    ///
    /// It is a hint for `secretdir watch`, which then fetches again, perhaps a little later. Nothing depends on it, and a false
    /// alarm does no harm. It is called again after each completion, and must be safe to drop.
    async fn changed(&self) {
        std::future::pending().await
    }

    /// Returns the shortest interval at which each host of a large fleet should poll this store, if all hosts share a quota. By
    /// default there is none. `secretdir check` warns about a shorter interval.
    fn shortest_interval(&self) -> Option<Duration> {
        None
    }

    /// Returns the local files and folders that the source reads. `secretdir watch` fetches again when one of them changes, or
    /// something in such a folder. By default there are none.
    fn local_paths(&self) -> Vec<PathBuf> {
        Vec::new()
    }
}

/// Shows nothing of the source: what it holds, such as credentials, is its own.
impl fmt::Debug for dyn SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretSource")
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Answers slowly, in an order of its own, and counts how many are asked at once.
    #[derive(Default)]
    struct Slow {
        now: AtomicUsize,
        most: AtomicUsize,
    }

    #[async_trait]
    impl SecretSource for Slow {
        async fn fetch(&self, _: &RunContext, request: &SecretRequest) -> Result<Secret, SourceError> {
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            let number: u64 = request.name().parse().unwrap();
            tokio::time::sleep(Duration::from_millis(20 - number)).await;
            self.now.fetch_sub(1, Ordering::SeqCst);
            match number {
                7 => Err(SourceError::new(SourceErrorKind::NotFound)),
                8 => std::future::pending().await,
                _ => Ok(Secret::new(request.name())),
            }
        }
    }

    fn context(concurrency: usize) -> RunContext {
        RunContext::builder().concurrency(NonZeroUsize::new(concurrency).unwrap()).build()
    }

    fn requests(numbers: &[u64]) -> Vec<SecretRequest> {
        numbers.iter().map(|number| SecretRequest::new(number.to_string())).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn fetch_all_keeps_the_limit_and_goes_on_after_a_failure() {
        let source = Slow::default();
        let requests = requests(&[0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12]);
        let answers = Answers::new(requests.len());

        source.fetch_all(&context(4), &requests, &answers).await;

        for (request, answer) in requests.iter().zip(answers.into_vec()) {
            match answer.unwrap() {
                Ok(secret) => assert_eq!(secret.expose_secret(), request.name().as_bytes()),
                Err(error) => assert_eq!((request.name(), error.kind()), ("7", SourceErrorKind::NotFound)),
            }
        }
        assert_eq!(source.most.load(Ordering::SeqCst), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn what_arrived_is_there_although_the_rest_never_comes() {
        let (run, requests, answers) = (context(2), requests(&[8, 7, 3]), Answers::new(3));
        let fetch = async { Slow::default().fetch_all(&run, &requests, &answers).await };
        assert!(tokio::time::timeout(Duration::from_secs(1), fetch).await.is_err());
        let [hangs, failed, answered] = answers.into_vec().try_into().unwrap();
        assert!(hangs.is_none());
        assert_eq!(failed.unwrap().unwrap_err().kind(), SourceErrorKind::NotFound);
        assert!(answered.unwrap().is_ok());
    }

    #[tokio::test]
    async fn a_source_that_says_nothing_else_cannot_list() {
        let error = Slow::default().list(&context(1), "").await.unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::Unsupported);
        assert!(Slow::default().check_prefix("").is_ok());
    }

    /// Says that it cannot list, and what to do instead.
    struct Unlisted;

    #[async_trait]
    impl SecretSource for Unlisted {
        fn check_prefix(&self, _: &str) -> Result<(), SourceError> {
            Err(SourceError::new(SourceErrorKind::Unsupported).with_hint("ask for each"))
        }

        async fn fetch(&self, _: &RunContext, _: &SecretRequest) -> Result<Secret, SourceError> {
            Err(SourceError::new(SourceErrorKind::NotFound))
        }
    }

    #[tokio::test]
    async fn a_listing_says_what_was_said_of_its_prefix() {
        let error = Unlisted.list(&context(1), "").await.unwrap_err();
        assert_eq!(error.hint(), Some("ask for each"));
    }
}
