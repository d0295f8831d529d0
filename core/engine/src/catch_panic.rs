//! Contains a panic of a provider. Only its own call fails, and the run ends as for any other error of a source.
//!
//! The payload of the panic is ignored, because it may contain a value.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt as _;
use secretdir_provider::{SourceError, SourceErrorKind};

/// The error for a provider that panicked. It names the provider, and says that the mistake is in the provider.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panicked<'p>(&'p str);

impl fmt::Display for Panicked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the provider `{}` panicked: a mistake in the provider, not in the configuration", self.0)
    }
}

impl From<Panicked<'_>> for SourceError {
    fn from(panicked: Panicked<'_>) -> Self {
        Self::new(SourceErrorKind::Other).with_cause(panicked.to_string())
    }
}

/// Calls a provider and catches a panic. A source that panicked is not used again, because the run fails.
pub(crate) fn call<'p, T>(provider: &'p str, call: impl FnOnce() -> T) -> Result<T, Panicked<'p>> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|_| Panicked(provider))
}

/// Awaits a provider and catches a panic.
pub(crate) async fn wait<'p, T>(
    provider: &'p str,
    future: impl Future<Output = T>,
) -> Result<T, Panicked<'p>> {
    AssertUnwindSafe(future).catch_unwind().await.map_err(|_| Panicked(provider))
}
