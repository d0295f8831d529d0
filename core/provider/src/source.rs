//! The trait that every backend implements.

use std::fmt;

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt};

use crate::{FetchContext, Secret, SecretRequest, SourceError, SourceErrorKind};

/// A configured backend: answers requests for secrets.
///
/// ```
/// use secretdir_provider::*;
///
/// #[derive(Debug)]
/// struct Echo;
///
/// #[async_trait]
/// impl SecretSource for Echo {
///     async fn fetch(&self, _: &FetchContext, request: &SecretRequest) -> Result<Secret, SourceError> {
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
/// with [`SourceError::with_cause`], and a hint where a person can act. No error, trace or `Debug` of a source may hold
/// a value or any part of one: beware of parsers that quote their input in their messages. Whatever implements
/// `Debug` here must leave out credentials too.
///
/// [`NotFound`](crate::SourceErrorKind::NotFound) says that the store was asked, and has no such secret. It is the one kind
/// for which a run may go on, without an optional file or with a default. A store that is not there, such as a folder or a
/// database that does not exist, is [`Unavailable`](crate::SourceErrorKind::Unavailable): for each request, and for a
/// listing.
///
/// Advise a [`Retry`](crate::Retry) only where trying again can help and nobody below has tried: a client library that
/// retries by itself is the one layer that does, and its source advises none.
///
/// # Cancellation
///
/// The future of a fetch may be dropped at any await, because the run's deadline passed or the operator pressed Ctrl-C.
/// Dropping it must be safe: no task, thread or process lives on, and the source can be asked again. A source need not
/// watch the clock, but may shorten its own time-outs to [`FetchContext::remaining`].
///
/// # Concurrency
///
/// One source is asked by one [`fetch_all`](Self::fetch_all) at a time. Within it at most
/// [`FetchContext::concurrency`] requests may be in flight. Several sources are asked side by side. All of it runs on
/// one thread in secretdir itself; do not block it for long.
///
/// A run that imports all secrets below a prefix calls [`list`](Self::list) first, once for each prefix, one after another,
/// and then fetches what was listed.
///
/// # What will never change
///
/// The methods below keep their signatures. What is to come arrives as a method with a default, as `list` and `check_prefix`
/// did, so a source that compiles today compiles with every later 0.x of the same minor version and every later 1.x.
#[async_trait]
pub trait SecretSource: fmt::Debug + Send + Sync + 'static {
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
    async fn fetch(&self, context: &FetchContext, request: &SecretRequest) -> Result<Secret, SourceError>;

    /// Fetches several secrets: one answer for each request, in the order of the requests.
    ///
    /// Called once for each source and attempt; requests are distinct. A failed answer does not end the others. The
    /// default calls [`fetch`](Self::fetch) with at most [`FetchContext::concurrency`] in flight; a store with a batch
    /// call overrides it.
    async fn fetch_all(
        &self,
        context: &FetchContext,
        requests: &[SecretRequest],
    ) -> Vec<Result<Secret, SourceError>> {
        let mut fetches = Vec::with_capacity(requests.len());
        for request in requests {
            let fetch = self.fetch(context, request);
            fetches.push(async move { context.admit(fetch.await?) });
        }
        stream::iter(fetches).buffered(context.concurrency().get()).collect().await
    }

    /// Lists the secrets whose names begin with a prefix: their names, as [`fetch`](Self::fetch) takes them, each once, in any
    /// order.
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
    async fn list(&self, context: &FetchContext, prefix: &str) -> Result<Vec<String>, SourceError> {
        let _ = context;
        self.check_prefix(prefix)?;
        Err(SourceError::new(SourceErrorKind::Unsupported).with_cause("this provider cannot list secrets"))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    use super::*;

    /// Answers slowly, in an order of its own, and counts how many are asked at once.
    #[derive(Debug, Default)]
    struct Slow {
        now: AtomicUsize,
        most: AtomicUsize,
    }

    #[async_trait]
    impl SecretSource for Slow {
        async fn fetch(&self, _: &FetchContext, request: &SecretRequest) -> Result<Secret, SourceError> {
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            let number: u64 = request.name().parse().unwrap();
            tokio::time::sleep(Duration::from_millis(20 - number)).await;
            self.now.fetch_sub(1, Ordering::SeqCst);
            if number == 7 {
                return Err(SourceError::new(SourceErrorKind::NotFound));
            }
            Ok(Secret::new(request.name()))
        }
    }

    #[tokio::test]
    async fn fetch_all_keeps_the_order_and_the_limit_and_goes_on_after_a_failure() {
        let source = Slow::default();
        let limit = NonZeroUsize::new(4).unwrap();
        let context = FetchContext::new(Instant::now() + Duration::from_secs(9), limit);
        let requests: Vec<_> = (0..20).map(|n| SecretRequest::new(n.to_string())).collect();

        let answers = source.fetch_all(&context, &requests).await;

        assert_eq!(answers.len(), 20);
        for (request, answer) in requests.iter().zip(&answers) {
            match answer {
                Ok(secret) => assert_eq!(secret.expose_secret(), request.name().as_bytes()),
                Err(error) => assert_eq!((request.name(), error.kind()), ("7", SourceErrorKind::NotFound)),
            }
        }
        assert_eq!(source.most.load(Ordering::SeqCst), 4);
    }

    #[tokio::test]
    async fn a_source_that_says_nothing_else_cannot_list() {
        let context = FetchContext::new(Instant::now(), NonZeroUsize::MIN);
        let error = Slow::default().list(&context, "").await.unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::Unsupported);
        assert!(Slow::default().check_prefix("").is_ok());
    }

    /// Says that it cannot list, and what to do instead.
    #[derive(Debug)]
    struct Unlisted;

    #[async_trait]
    impl SecretSource for Unlisted {
        fn check_prefix(&self, _: &str) -> Result<(), SourceError> {
            Err(SourceError::new(SourceErrorKind::Unsupported).with_hint("ask for each"))
        }

        async fn fetch(&self, _: &FetchContext, _: &SecretRequest) -> Result<Secret, SourceError> {
            Err(SourceError::new(SourceErrorKind::NotFound))
        }
    }

    #[tokio::test]
    async fn a_listing_says_what_was_said_of_its_prefix() {
        let context = FetchContext::new(Instant::now(), NonZeroUsize::MIN);
        let error = Unlisted.list(&context, "").await.unwrap_err();
        assert_eq!(error.hint(), Some("ask for each"));
    }
}
