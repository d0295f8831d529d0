//! What a source may know of the run that asks it.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::{Clock, Deadline, Jitter};

/// One run, as one source sees it: its deadline, its concurrency, its warnings, and the state that the source keeps during
/// the run.
///
/// A run consists of the listings, the fetches and their retries. The engine makes one context for each source and run, and
/// drops it at the end of the run. In a test, make one with [`builder`](Self::builder).
///
/// ```
/// use std::time::Duration;
/// use secretdir_provider::{RunContext, Warnings};
///
/// let warnings = Warnings::default();
/// let run = RunContext::builder().timeout(Duration::from_secs(30)).warnings(warnings.clone()).build();
/// assert!(run.remaining() <= Duration::from_secs(30));
/// run.warn("the certificate of the store expires tomorrow");
/// assert_eq!(warnings.to_vec(), ["the certificate of the store expires tomorrow"]);
/// ```
pub struct RunContext {
    clock: Clock,
    jitter: Jitter,
    deadline: Deadline,
    concurrency: NonZeroUsize,
    warnings: Warnings,
    state: Mutex<BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

/// Builds a [`RunContext`]. The defaults are 30 seconds, 16 requests in flight, and the clock of the system.
#[derive(Debug)]
pub struct RunContextBuilder {
    clock: Clock,
    jitter: Jitter,
    timeout: Duration,
    concurrency: NonZeroUsize,
    warnings: Warnings,
}

/// The warnings of a source. Clones share one list: the engine keeps a clone, and the source adds to it with
/// [`RunContext::warn`].
#[derive(Clone, Debug, Default)]
pub struct Warnings(Arc<Mutex<Vec<String>>>);

impl RunContext {
    /// Returns a builder with the defaults.
    pub fn builder() -> RunContextBuilder {
        RunContextBuilder {
            clock: Clock::default(),
            jitter: Jitter::default(),
            timeout: Duration::from_secs(30),
            concurrency: NonZeroUsize::new(16).unwrap_or(NonZeroUsize::MIN),
            warnings: Warnings::default(),
        }
    }

    /// Returns the time until the engine drops all unfinished fetches, retries included. It is zero once the deadline has passed.
    pub fn remaining(&self) -> Duration {
        self.deadline.remaining()
    }

    /// Returns the moment at which the engine drops all unfinished fetches.
    pub fn deadline(&self) -> &Deadline {
        &self.deadline
    }

    /// Returns the clock of the deadline. Measure all time with it.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Returns the source of random pauses.
    pub fn jitter(&self) -> &Jitter {
        &self.jitter
    }

    /// Returns how many requests may be in flight at once.
    pub fn concurrency(&self) -> NonZeroUsize {
        self.concurrency
    }

    /// Reports something that a person should know although the run succeeds. A repeated text is reported once.
    ///
    /// Like an error, a warning must not contain a value or any part of one.
    pub fn warn(&self, warning: impl Into<String>) {
        let warning = warning.into();
        let mut warnings = self.warnings.lock();
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    /// Returns the state that the source keeps during this run: one value of each type. The first call makes it with `Default`.
    ///
    /// Use it for state that must be the same for all calls of a run, and fresh in the next one. Examples are a file that was
    /// read, a connection to one replica, and a refusal. It is dropped with the context. The fields of a source, in
    /// contrast, live as long as the process.
    ///
    /// ```
    /// # use std::sync::atomic::{AtomicBool, Ordering};
    /// # use secretdir_provider::RunContext;
    /// #[derive(Default)]
    /// struct Seen {
    ///     batches_are_refused: AtomicBool,
    /// }
    ///
    /// let run = RunContext::builder().build();
    /// run.state::<Seen>().batches_are_refused.store(true, Ordering::Relaxed);
    /// assert!(run.state::<Seen>().batches_are_refused.load(Ordering::Relaxed));
    /// ```
    pub fn state<T: Any + Default + Send + Sync>(&self) -> Arc<T> {
        let mut kept = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.get(&TypeId::of::<T>()).cloned().and_then(|known| known.downcast::<T>().ok());
        known.unwrap_or_else(|| {
            let made = Arc::new(T::default());
            kept.insert(TypeId::of::<T>(), Arc::<T>::clone(&made));
            made
        })
    }
}

impl RunContextBuilder {
    /// Sets how long the run has from now on.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Sets how many requests may be in flight at once.
    #[must_use]
    pub fn concurrency(self, concurrency: NonZeroUsize) -> Self {
        Self { concurrency, ..self }
    }

    /// Sets the clock.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Sets the source of random pauses.
    #[must_use]
    pub fn jitter(self, jitter: Jitter) -> Self {
        Self { jitter, ..self }
    }

    /// Sets the list that warnings are added to.
    #[must_use]
    pub fn warnings(self, warnings: Warnings) -> Self {
        Self { warnings, ..self }
    }

    /// Makes the context. The time of the run starts now.
    pub fn build(self) -> RunContext {
        let Self { clock, jitter, timeout, concurrency, warnings } = self;
        let deadline = Deadline::after(timeout, clock.clone());
        RunContext { clock, jitter, deadline, concurrency, warnings, state: Mutex::default() }
    }
}

impl Warnings {
    /// Returns the warnings so far, in the order of their first report.
    pub fn to_vec(&self) -> Vec<String> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leaves out the state of the source, which may be anything.
impl fmt::Debug for RunContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunContext")
            .field("remaining", &self.remaining())
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn a_warning_is_kept_once_and_in_order() {
        let warnings = Warnings::default();
        let run = RunContext::builder().warnings(warnings.clone()).build();
        ["b", "a", "b"].into_iter().for_each(|warning| run.warn(warning));
        assert_eq!(warnings.to_vec(), ["b", "a"]);
    }

    #[test]
    fn time_is_that_of_the_clock_of_the_run() {
        let seconds = Arc::new(AtomicU64::new(100));
        let shown = Arc::clone(&seconds);
        let clock = Clock::new(move || Duration::from_secs(shown.load(Ordering::SeqCst)));
        let run = RunContext::builder().clock(clock).timeout(Duration::from_secs(9)).build();
        assert_eq!(run.remaining(), Duration::from_secs(9));
        seconds.store(107, Ordering::SeqCst);
        assert_eq!(run.remaining(), Duration::from_secs(2));
        seconds.store(200, Ordering::SeqCst);
        assert_eq!(run.remaining(), Duration::ZERO);
    }

    /// Counts for how long it is there.
    #[derive(Default)]
    struct Kept(Mutex<Vec<Arc<()>>>);

    #[test]
    fn what_a_source_keeps_is_the_same_in_a_run_and_gone_after_it() {
        let alive = Arc::new(());
        let run = RunContext::builder().build();
        run.state::<Kept>().0.lock().unwrap().push(Arc::clone(&alive));
        assert_eq!(run.state::<Kept>().0.lock().unwrap().len(), 1);
        assert_eq!(Arc::strong_count(&alive), 2);
        drop(run);
        assert_eq!(Arc::strong_count(&alive), 1);
        assert!(RunContext::builder().build().state::<Kept>().0.lock().unwrap().is_empty());
    }
}
