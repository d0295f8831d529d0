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
/// A source is made by [`Provider::source`](crate::Provider::source) without any I/O. [`check`](Self::check) and
/// [`check_prefix`](Self::check_prefix) do no I/O either. A client, a connection or a look at the disk belongs into the
/// first fetch; keep it for the later ones.
///
/// # Exact bytes
///
/// A source returns what the store holds: nothing trimmed, nothing decoded, no newline added. Text that the store keeps
/// as text comes back as its UTF-8 bytes. An empty secret is a secret. JSON fields, decoding and templates are the
/// engine's work.
///
/// # Errors
///
/// Choose the [`SourceErrorKind`](crate::SourceErrorKind) that tells an operator what to do next. Give the real cause
/// with [`SourceError::with_cause`], and a hint where a person can act. No error, warning or trace of a source may hold a
/// value, a credential or any part of one: beware of parsers that quote their input in their messages.
///
/// [`NotFound`](crate::SourceErrorKind::NotFound) says that the store was asked, and has no such secret. It is the one kind
/// for which a run may go on, without an optional file or with a default. A store that is not there, such as a folder or a
/// database that does not exist, is [`Unavailable`](crate::SourceErrorKind::Unavailable): for each request, and for a
/// listing.
///
/// Advise a [`Retry`](crate::Retry) only where trying again can help and nobody below has tried: a client library that
/// retries by itself is the one layer that does, and its source advises none.
///
/// # Runs
///
/// A source lives as long as the process, and is asked by one run after another, for months. A run is one gathering: it lists, it
/// fetches, it asks again for what failed, all with the same [`RunContext`]. What must be the same for all of a run and fresh in the
/// next one (the store as it was read, what was refused, where the store is) is kept in [`RunContext::state`]. The source
/// itself keeps what stays true: clients, connections, credentials until they expire.
///
/// # Cancellation
///
/// The future of a fetch may be dropped at any await, because the run's deadline passed or the operator pressed Ctrl-C.
/// Dropping it must be safe: no task, thread or process lives on, and the source can be asked again. What has been
/// [put](Answers::put) by then counts. A source need not watch the clock, but may shorten its own time-outs to
/// [`RunContext::remaining`].
///
/// # Concurrency
///
/// One source is asked by one [`fetch_all`](Self::fetch_all) at a time. Within it at most
/// [`RunContext::concurrency`] requests may be in flight. Several sources are asked side by side. All of it runs on
/// one thread in secretdir itself; do not block it for long.
///
/// A run that imports all secrets below a prefix calls [`list`](Self::list) first, once for each prefix, one after another,
/// and then fetches what was listed.
///
/// # Secrets that are made when they are asked for
///
/// Some requests make something: a database user, a certificate. A source says so by [`issues`](Self::issues). Such a request is
/// made at most once in a run, after all others have been answered, and never by a command that only looks. What it
/// gave is kept from run to run: the published files are the only copy. From [`Secret::renew_at`] on, the source is asked by
/// [`refresh`](Self::refresh) whether it stays. When nothing uses it any more, [`release`](Self::release) gives it back.
///
/// # What will never change
///
/// The methods below keep their signatures. What is to come arrives as a method with
/// a default, as `list` and `refresh` did, so a source that compiles today compiles with every later 0.x of the same minor version and every later 1.x.
#[async_trait]
pub trait SecretSource: Send + Sync + 'static {
    /// Says whether a request is well formed for this store. Offline; accepts everything by default.
    ///
    /// Called for each distinct request before anything is fetched, so that a typing error is reported by
    /// `secretdir check` with the line of the configuration.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](crate::SourceErrorKind::InvalidRequest) for a name or version that this store cannot have,
    /// [`Unsupported`](crate::SourceErrorKind::Unsupported) for a version where the store has none.
    fn check(&self, request: &SecretRequest) -> Result<(), SourceError> {
        let _ = request;
        Ok(())
    }

    /// Says whether names of this store can begin with a prefix, and be listed. Offline; accepts everything by default.
    ///
    /// Called for each prefix that is imported, before anything is listed: so that `secretdir check` reports what
    /// [`list`](Self::list) would refuse without asking the store. It must not refuse what `list` accepts.
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
    /// Whatever kept the secret from being read; see [`SourceErrorKind`](crate::SourceErrorKind).
    async fn fetch(&self, run: &RunContext, request: &SecretRequest) -> Result<Secret, SourceError>;

    /// Fetches several secrets, and puts an answer for each request as soon as there is one.
    ///
    /// Called once for each source and attempt; requests are distinct. A failed answer does not end the others. A request without
    /// an answer at the end is an error of the provider. The default calls [`fetch`](Self::fetch) with at most
    /// [`RunContext::concurrency`] in flight; a store with a batch call overrides it.
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
    /// The prefix is compared as text, `/` included; an empty one is that of all. None below it is no error. Complete or
    /// failed: a listing that ends early for any reason is an error, so that a part is never taken for all. What `check`
    /// refuses is not listed. Says nothing of whether a secret may be read. By default a source cannot list: for the reason
    /// that [`check_prefix`](Self::check_prefix) gives, if it gives one.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::SourceErrorKind::Unsupported) from a source that cannot list,
    /// [`InvalidRequest`](crate::SourceErrorKind::InvalidRequest) for a prefix that no name of this store can have, and
    /// whatever kept the listing from being complete.
    async fn list(&self, run: &RunContext, prefix: &str) -> Result<Vec<Listed>, SourceError> {
        let _ = run;
        self.check_prefix(prefix)?;
        Err(SourceError::new(SourceErrorKind::Unsupported).with_cause("this provider cannot list secrets"))
    }

    /// Says whether a request makes something anew each time, such as a database user or a certificate. Offline; never by default.
    ///
    /// The engine then asks by [`fetch`](Self::fetch), one request at a time, never by [`fetch_all`](Self::fetch_all), and never
    /// again in the same run, whatever advice an error gives.
    fn issues(&self, request: &SecretRequest) -> bool {
        let _ = request;
        false
    }

    /// Says what becomes of a secret that is published, whose time to be renewed has come. By default it is fetched anew.
    ///
    /// Asked only for a request that [`issues`](Self::issues). What is kept may have a later end than before, as a renewed lease has. What is
    /// new replaces it: readers of the old set use the old one until [`release`](Self::release), so do not end it here.
    ///
    /// # Errors
    ///
    /// Whatever kept it from being renewed and replaced. What is published stays.
    async fn refresh(
        &self,
        run: &RunContext,
        request: &SecretRequest,
        held: &Held,
    ) -> Result<Refreshed, SourceError> {
        let _ = held;
        self.fetch(run, request).await.map(Refreshed::New)
    }

    /// Gives back the leases that nothing uses any more: the generations that held them are removed, or the run that got them has
    /// failed. Does nothing by default.
    ///
    /// Called with each lease once, if nothing goes wrong, and perhaps again if something does. It must be safe to call it twice:
    /// a lease that is gone is no error. It may not be called at all, if the process is killed: a lease runs out by itself.
    ///
    /// # Errors
    ///
    /// What kept a lease from being given back. It is a warning of the run.
    async fn release(&self, run: &RunContext, leases: &[String]) -> Result<(), SourceError> {
        let _ = (run, leases);
        Ok(())
    }

    /// Ends what the source has opened at the store, such as a session: called when the process has no more use for it, at the end of a
    /// `sync`, or when `watch` ends. Does nothing by default.
    ///
    /// What was published must stay good. The source may be asked again afterwards, and then begins anew. It may not be called at
    /// all, if the process is killed.
    async fn close(&self, run: &RunContext) {
        let _ = run;
    }

    /// Completes when something that was asked for may have changed. Never, by default.
    ///
    /// A hint for `secretdir watch`, which then asks again, perhaps a little later: nothing depends on it, and it may come for nothing.
    /// Called again after each time; safe to drop.
    async fn changed(&self) {
        std::future::pending().await
    }

    /// Returns the shortest interval at which one host of a large fleet should ask this store, if the store has a quota that all hosts
    /// share. None, by default. `secretdir check` warns of a shorter one.
    fn shortest_interval(&self) -> Option<Duration> {
        None
    }

    /// Returns the files and folders of this machine that answers are read from: `secretdir watch` asks again when one changes, or
    /// something in a folder. None, by default.
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
